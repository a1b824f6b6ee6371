/* SPDX-License-Identifier: MIT */
#include <kozo/elf.h>

#include <stdckdint.h>

#define TEXT_(x) #x
#define TEXT(x) TEXT_(x)

/* Figures of the System V ABI. */
enum : uint32_t {
    EHDR_BYTES = 64,
    PHDR_BYTES = 56,
    SHDR_BYTES = 64,
    NOTE_BYTES = 12,
    ET_EXEC = 2,
    EM_X86_64 = 62,
    PT_NULL = 0,
    PT_LOAD = 1,
    PT_DYNAMIC = 2,
    PT_INTERP = 3,
    PT_NOTE = 4,
    PT_PHDR = 6,
    PT_TLS = 7,
    PT_GNU_EH_FRAME = 0x6474e550,
    PT_GNU_STACK = 0x6474e551,
    PT_GNU_RELRO = 0x6474e552,
    PT_GNU_PROPERTY = 0x6474e553,
    PF_X = 1,
    PF_W = 2,
    PF_R = 4,
};
constexpr uint64_t PAGE_MASK = KOZO_PAGE_SIZE - 1;

struct phdr {
    uint32_t type, flags;
    uint64_t offset, vaddr, filesz, memsz, align;
};

/* The image, what is made of it, and where to complain. */
struct reader {
    const uint8_t *image;
    uint64_t bytes;
    struct kozo_elf *elf;
    struct kozo_bad *bad;
    uint64_t total; /* bytes of memory so far */
    bool noted;     /* the ABI note was seen */
};

static enum kozo_err refuse(struct reader *r, const char *field, uint64_t at, uint64_t value,
                            const char *want)
{
    *r->bad = (struct kozo_bad){ .field = field, .want = want, .value = value, .at = at };
    return KOZO_ERR_FORMAT;
}

/* A little-endian number of 1 to 8 bytes; the caller has checked that it is in the image. */
static uint64_t number(const struct reader *r, uint64_t at, unsigned bytes)
{
    uint64_t v = 0;

    for (unsigned i = 0; i < bytes; i++)
        v |= (uint64_t)r->image[at + i] << 8 * i;
    return v;
}

static bool inside(const struct reader *r, uint64_t offset, uint64_t bytes)
{
    uint64_t end;

    return !ckd_add(&end, offset, bytes) && end <= r->bytes;
}

/* ---- the header ---- */

struct field {
    const char *name;
    uint8_t at, bytes;
    uint64_t value;
    const char *want;
};

/* Fields that have one value. */
static const struct field fixed[] = {
    { "e_ident[EI_CLASS]", 4, 1, 2, "2, 64 bits" },
    { "e_ident[EI_DATA]", 5, 1, 1, "1, little endian" },
    { "e_ident[EI_VERSION]", 6, 1, 1, "1" },
    { "e_ident[EI_OSABI]", 7, 1, 0, "0, System V" },
    { "e_ident[EI_ABIVERSION]", 8, 1, 0, "0" },
    { "e_ident[EI_PAD]", 9, 7, 0, "zeros" },
    { "e_type", 16, 2, ET_EXEC, "2, an executable linked statically at a fixed address" },
    { "e_machine", 18, 2, EM_X86_64, "62, x86-64" },
    { "e_version", 20, 4, 1, "1" },
    { "e_flags", 48, 4, 0, "0" },
    { "e_ehsize", 52, 2, EHDR_BYTES, "64" },
    { "e_phentsize", 54, 2, PHDR_BYTES, "56" },
};

/*
 * The section table is not used, but one that is there has to be sound: who cut the file cut it
 * there first.
 */
static enum kozo_err check_sections(struct reader *r)
{
    uint64_t offset = number(r, 40, 8), size = number(r, 58, 2), count = number(r, 60, 2),
             names = number(r, 62, 2);

    if (count == 0) {
        if (offset != 0)
            return refuse(r, "e_shoff", 40, offset, "0 where there are no sections");
        return names == 0 ? KOZO_OK
                          : refuse(r, "e_shstrndx", 62, names, "0 where there are no sections");
    }
    if (size != SHDR_BYTES)
        return refuse(r, "e_shentsize", 58, size, "64");
    if (!inside(r, offset, count * SHDR_BYTES))
        return refuse(r, "e_shoff", 40, offset, "a section table inside the file, which may be cut off");
    if (names >= count)
        return refuse(r, "e_shstrndx", 62, names, "the number of a section");
    return KOZO_OK;
}

static enum kozo_err check_magic(struct reader *r)
{
    uint64_t len = r->bytes < 4 ? r->bytes : 4;

    if (__builtin_memcmp(r->image, "\x7f" "ELF", len) == 0)
        return KOZO_OK;
    (void)refuse(r, "e_ident[EI_MAG]", 0, len, "\"\\x7fELF\", the magic of a program in ELF");
    r->bad->text = (const char *)r->image;
    r->bad->text_len = len;
    r->bad->form = KOZO_BAD_BYTES;
    return KOZO_ERR_FORMAT;
}

static enum kozo_err check_header(struct reader *r)
{
    enum kozo_err err = check_magic(r);

    if (err != KOZO_OK)
        return err;
    if (r->bytes < EHDR_BYTES)
        return refuse(r, "file size", 0, r->bytes, "at least the 64 bytes of an ELF header");
    for (unsigned i = 0; i < sizeof(fixed) / sizeof(fixed[0]); i++) {
        const struct field *f = &fixed[i];
        uint64_t v = number(r, f->at, f->bytes);

        if (v != f->value)
            return refuse(r, f->name, f->at, v, f->want);
    }

    uint64_t offset = number(r, 32, 8), count = number(r, 56, 2);

    if (count == 0 || count > KOZO_ELF_HEADERS)
        return refuse(r, "e_phnum", 56, count, "1 to " TEXT(KOZO_ELF_HEADERS) " program headers");
    if (offset < EHDR_BYTES || !inside(r, offset, count * PHDR_BYTES))
        return refuse(r, "e_phoff", 32, offset,
                      "a program header table after the header and inside the file, which may be cut off");
    return check_sections(r);
}

/* ---- segments ---- */

static struct phdr phdr_at(const struct reader *r, uint64_t at)
{
    return (struct phdr){
        .type = (uint32_t)number(r, at, 4),
        .flags = (uint32_t)number(r, at + 4, 4),
        .offset = number(r, at + 8, 8),
        .vaddr = number(r, at + 16, 8),
        .filesz = number(r, at + 32, 8),
        .memsz = number(r, at + 40, 8),
        .align = number(r, at + 48, 8),
    };
}

/*
 * What holds for every header. Where there are no bytes it does not matter where: linkers put that
 * past the end.
 */
static enum kozo_err check_bytes(struct reader *r, uint64_t at, const struct phdr *p)
{
    if (p->filesz != 0 && p->offset >= r->bytes)
        return refuse(r, "p_offset", at + 8, p->offset,
                      "bytes inside the file, which may be cut off");
    if (p->filesz != 0 && !inside(r, p->offset, p->filesz))
        return refuse(r, "p_filesz", at + 32, p->filesz,
                      "bytes inside the file, which may be cut off");
    if (p->align > 1 && (p->align & (p->align - 1)) != 0)
        return refuse(r, "p_align", at + 48, p->align, "0 or a power of two");
    return KOZO_OK;
}

static enum kozo_err check_load(struct reader *r, uint64_t at, const struct phdr *p)
{
    uint64_t end;

    if ((p->flags & ~(uint32_t)(PF_R | PF_W | PF_X)) != 0 || (p->flags & PF_R) == 0)
        return refuse(r, "p_flags", at + 4, p->flags, "R, R+W or R+X");
    if ((p->flags & (PF_W | PF_X)) == (PF_W | PF_X))
        return refuse(r, "p_flags", at + 4, p->flags, "never writable and executable");
    if (p->filesz > p->memsz)
        return refuse(r, "p_filesz", at + 32, p->filesz, "no more than p_memsz");
    if (p->vaddr < KOZO_USER_START)
        return refuse(r, "p_vaddr", at + 16, p->vaddr, "at least 0x1000");
    if (ckd_add(&end, p->vaddr, p->memsz) || end > KOZO_USER_END)
        return refuse(r, "p_vaddr", at + 16, p->vaddr, "a segment that ends by 0x7ffffffff000");
    if (p->align > 1 && ((p->vaddr ^ p->offset) & (p->align - 1)) != 0)
        return refuse(r, "p_vaddr", at + 16, p->vaddr, "the same as p_offset modulo p_align");
    return KOZO_OK;
}

/* Segments ascend, as the ABI demands, so the last one is the only one that could be met. */
static enum kozo_err check_disjoint(struct reader *r, uint64_t at, const struct phdr *p)
{
    if (r->elf->nsegments == 0)
        return KOZO_OK;

    const struct kozo_elf_segment *last = &r->elf->segment[r->elf->nsegments - 1];

    if (p->vaddr < last->vaddr)
        return refuse(r, "p_vaddr", at + 16, p->vaddr, "segments in ascending order");
    if ((p->vaddr & ~PAGE_MASK) <= ((last->vaddr + last->memsz - 1) & ~PAGE_MASK))
        return refuse(r, "p_vaddr", at + 16, p->vaddr, "a page that no other segment uses");
    return KOZO_OK;
}

static enum kozo_err add_load(struct reader *r, uint64_t at, const struct phdr *p)
{
    enum kozo_err err = check_load(r, at, p);

    if (err == KOZO_OK)
        err = check_disjoint(r, at, p);
    if (err != KOZO_OK)
        return err;
    if (r->elf->nsegments == KOZO_ELF_SEGMENTS)
        return refuse(r, "e_phnum", 56, r->elf->nsegments + 1,
                      "at most " TEXT(KOZO_ELF_SEGMENTS) " segments");
    if (p->memsz > KOZO_ELF_BYTES - r->total)
        return refuse(r, "p_memsz", at + 40, p->memsz, "at most 256 MiB in all segments together");
    r->total += p->memsz;
    r->elf->segment[r->elf->nsegments++] = (struct kozo_elf_segment){
        .vaddr = p->vaddr,
        .memsz = p->memsz,
        .offset = p->offset,
        .filesz = p->filesz,
        .rights = (kozo_rights)(KOZO_READ | ((p->flags & PF_W) != 0 ? KOZO_WRITE : 0) |
                                ((p->flags & PF_X) != 0 ? KOZO_EXECUTE : 0)),
    };
    return KOZO_OK;
}

/* ---- the ABI note ---- */

static bool owner_is_kozo(const struct reader *r, uint64_t at, uint64_t bytes)
{
    static const char owner[] = KOZO_NOTE_OWNER;

    if (bytes != sizeof(owner))
        return false;
    for (unsigned i = 0; i < sizeof(owner); i++)
        if (r->image[at + i] != (uint8_t)owner[i])
            return false;
    return true;
}

static enum kozo_err check_abi(struct reader *r, uint64_t at, uint64_t bytes)
{
    if (r->noted)
        return refuse(r, "KOZO note", at, 2, "one ABI note");
    if (bytes != 8)
        return refuse(r, "KOZO note n_descsz", at, bytes, "8: two words, major and minor");

    uint64_t major = number(r, at, 4), minor = number(r, at + 4, 4);

    r->noted = true;
    if (major == KOZO_ABI_MAJOR && minor <= KOZO_ABI_MINOR)
        return KOZO_OK;
    (void)refuse(
        r, "KOZO note ABI version", at, major << 32 | minor,
        "ABI version " TEXT(KOZO_ABI_MAJOR) "." TEXT(KOZO_ABI_MINOR) ", or an older minor one");
    r->bad->form = KOZO_BAD_VERSION;
    return KOZO_ERR_VERSION;
}

static uint64_t round_up(uint64_t v, uint64_t align)
{
    return (v + align - 1) & ~(align - 1);
}

/* Walks the notes of one segment. Sizes in it have 32 bits, so no sum of a few of them wraps. */
static enum kozo_err read_notes(struct reader *r, uint64_t at, const struct phdr *p)
{
    uint64_t end = p->offset + p->filesz, step = p->align == 8 ? 8 : 4;

    for (uint64_t n = p->offset; n < end;) {
        if (end - n < NOTE_BYTES)
            return refuse(r, "p_filesz", at + 32, p->filesz, "whole notes");

        uint64_t name = number(r, n, 4), desc = number(r, n + 4, 4), type = number(r, n + 8, 4);
        uint64_t desc_at = n + round_up(NOTE_BYTES + name, step), next = desc_at + desc;

        if (desc_at > end || next > end)
            return refuse(r, desc_at > end ? "n_namesz" : "n_descsz", desc_at > end ? n : n + 4,
                          desc_at > end ? name : desc, "a note that ends with its segment");
        if (type == KOZO_NOTE_ABI && owner_is_kozo(r, n + NOTE_BYTES, name)) {
            enum kozo_err err = check_abi(r, desc_at, desc);

            if (err != KOZO_OK)
                return err;
        }
        n += round_up(next - n, step);
    }
    return KOZO_OK;
}

/* ---- all of it ---- */

static enum kozo_err read_phdr(struct reader *r, uint64_t at)
{
    struct phdr p = phdr_at(r, at);

    if (p.type == PT_NULL)
        return KOZO_OK;

    enum kozo_err err = check_bytes(r, at, &p);

    if (err != KOZO_OK)
        return err;
    switch (p.type) {
    case PT_LOAD: /* linker scripts leave empty ones behind */
        return p.filesz == 0 && p.memsz == 0 ? KOZO_OK : add_load(r, at, &p);
    case PT_NOTE:
        return read_notes(r, at, &p);
    case PT_GNU_STACK:
        if ((p.flags & PF_X) != 0)
            return refuse(r, "PT_GNU_STACK p_flags", at + 4, p.flags,
                          "a stack that is not executable");
        return KOZO_OK;
    case PT_PHDR:
    case PT_GNU_EH_FRAME:
    case PT_GNU_RELRO:
    case PT_GNU_PROPERTY:
        return KOZO_OK;
    case PT_DYNAMIC:
    case PT_INTERP:
        return refuse(r, "p_type", at, p.type, "a program linked statically");
    case PT_TLS:
        return refuse(r, "p_type", at, p.type, "a program without thread-local storage");
    default:
        return refuse(r, "p_type", at, p.type, "a segment to load, or a note");
    }
}

static enum kozo_err check_entry(struct reader *r)
{
    for (unsigned i = 0; i < r->elf->nsegments; i++) {
        const struct kozo_elf_segment *s = &r->elf->segment[i];

        if ((s->rights & KOZO_EXECUTE) != 0 && r->elf->entry - s->vaddr < s->memsz)
            return KOZO_OK;
    }
    return refuse(r, "e_entry", 24, r->elf->entry, "an address in an executable segment");
}

enum kozo_err kozo_elf_read(const void *image, uint64_t bytes, struct kozo_elf *elf,
                            struct kozo_bad *bad)
{
    struct reader r = { .image = image, .bytes = bytes, .elf = elf, .bad = bad };

    *elf = (struct kozo_elf){};
    *bad = (struct kozo_bad){};

    enum kozo_err err = check_header(&r);

    if (err != KOZO_OK)
        return err;

    uint64_t at = number(&r, 32, 8), count = number(&r, 56, 2);

    elf->entry = number(&r, 24, 8);
    for (uint64_t i = 0; i < count; i++) {
        err = read_phdr(&r, at + i * PHDR_BYTES);
        if (err != KOZO_OK)
            return err;
    }
    if (elf->nsegments == 0)
        return refuse(&r, "PT_LOAD", 56, 0, "a segment to load");
    if (!r.noted)
        return refuse(&r, "PT_NOTE", 56, 0,
                      "a note of owner KOZO with the ABI version: link with kozo-sys");
    return check_entry(&r);
}
