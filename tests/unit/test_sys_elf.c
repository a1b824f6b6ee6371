/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include <kozo/elf.h>

#include <stdlib.h>
#include <string.h>

/*
 * A small sound program in memory, for each test to spoil: header, three program headers, a note,
 * 64 bytes of text.
 */
struct ehdr {
    uint8_t ident[16];
    uint16_t type, machine;
    uint32_t version;
    uint64_t entry, phoff, shoff;
    uint32_t flags;
    uint16_t ehsize, phentsize, phnum, shentsize, shnum, shstrndx;
};
struct phdr {
    uint32_t type, flags;
    uint64_t offset, vaddr, paddr, filesz, memsz, align;
};
struct image {
    struct ehdr e;
    struct phdr p[4];
    struct {
        uint32_t namesz, descsz, type;
        char name[8];
        uint32_t major, minor;
    } note;
    uint8_t text[68];
};
static_assert(sizeof(struct ehdr) == 64 && sizeof(struct phdr) == 56);

static struct image im;
static struct kozo_elf elf;
static struct kozo_bad bad;

static void sound(void)
{
    constexpr uint64_t text = offsetof(struct image, text), note = offsetof(struct image, note);

    im = (struct image){
        .e = { .ident = { 0x7f, 'E', 'L', 'F', 2, 1, 1 }, .type = 2, .machine = 62, .version = 1,
               .entry = 0x400000 + text, .phoff = 64, .ehsize = 64, .phentsize = 56, .phnum = 4 },
        .p = { { 1, 5, text, 0x400000 + text, 0, 64, 64, 4096 },
               { 1, 6, text, 0x401000 + text, 0, 16, 5000, 4096 },
               { 4, 4, note, 0, 0, sizeof(im.note), sizeof(im.note), 4 },
               { 0x6474e551, 6, 0, 0, 0, 0, 0, 16 } },
        .note = { 5, 8, 1, "KOZO", KOZO_ABI_MAJOR, KOZO_ABI_MINOR },
    };
}

/*
 * Reads the first `bytes` bytes from a block of just that size, at an odd address, so that ASan
 * sees a step beyond.
 */
static enum kozo_err read_cut(uint64_t bytes)
{
    uint8_t *block = malloc(bytes + 1);
    enum kozo_err err;

    memcpy(block + 1, &im, bytes);
    err = kozo_elf_read(block + 1, bytes, &elf, &bad);
    free(block);
    return err;
}

static enum kozo_err read_image(void)
{
    return read_cut(sizeof(im));
}

/* The image is refused for this field; then it is sound again. */
static void refused(const char *name)
{
    CHECK_ERR(read_image(), FORMAT);
    CHECK_STR(bad.field, name);
    CHECK(bad.want != nullptr);
    sound();
}

TEST(a_sound_program_is_read)
{
    sound();
    CHECK_OK(read_image());
    CHECK_EQ(elf.entry, im.e.entry);
    CHECK_EQ(elf.nsegments, 2);
    CHECK_EQ(elf.segment[0].vaddr, im.p[0].vaddr);
    CHECK_EQ(elf.segment[0].rights, KOZO_READ | KOZO_EXECUTE);
    CHECK_EQ(elf.segment[1].rights, KOZO_READ | KOZO_WRITE);
    CHECK_EQ(elf.segment[1].filesz, 16);
    CHECK_EQ(elf.segment[1].memsz, 5000);
}

TEST(each_header_field_is_checked)
{
    sound();
    for (unsigned i = 0; i < 16; i++) {
        im.e.ident[i] ^= 0x40;
        CHECK_ERR(read_image(), FORMAT);
        sound();
    }
    im.e.type = 3, refused("e_type");
    im.e.machine = 3, refused("e_machine");
    im.e.version = 0, refused("e_version");
    im.e.flags = 1, refused("e_flags");
    im.e.ehsize = 63, refused("e_ehsize");
    im.e.phentsize = 64, refused("e_phentsize");
    im.e.phnum = 0, refused("e_phnum");
    im.e.phnum = 33, refused("e_phnum");
    im.e.phnum = 12, refused("e_phoff");
    im.e.phoff = 63, refused("e_phoff");
    im.e.phoff = UINT64_MAX - 16, refused("e_phoff");
    im.e.shoff = 64, refused("e_shoff");
    im.e.shstrndx = 1, refused("e_shstrndx");
    im.e.shnum = 1, refused("e_shentsize");
    im.e.shnum = 1, im.e.shentsize = 64, im.e.shoff = sizeof(im) - 63, refused("e_shoff");
    im.e.shnum = 1, im.e.shentsize = 64, im.e.shoff = 64, im.e.shstrndx = 1, refused("e_shstrndx");
    im.e.entry = 0x401000, refused("e_entry");
    im.e.entry = im.p[0].vaddr + 64, refused("e_entry");
    im.e.entry = 0, refused("e_entry");
}

TEST(a_segment_lies_in_the_file_and_in_user_space)
{
    sound();
    im.p[0].offset = sizeof(im), refused("p_offset");
    im.p[0].offset = UINT64_MAX - 10, refused("p_offset");
    im.p[0].filesz = im.p[0].memsz = UINT64_MAX, refused("p_filesz");
    im.p[0].filesz = 65, refused("p_filesz");
    im.p[1].memsz = 15, refused("p_filesz");
    im.p[0].vaddr = im.p[0].offset, refused("p_vaddr");
    im.p[1].vaddr = KOZO_USER_END - 0x1000 + im.p[1].offset, refused("p_vaddr");
    im.p[1].vaddr = 0xffffffff80000000 + im.p[1].offset, refused("p_vaddr");
    im.p[1].vaddr = UINT64_MAX - 100, refused("p_vaddr");
    im.p[1].memsz = UINT64_MAX, refused("p_vaddr");
    im.p[0].vaddr += 1, refused("p_vaddr");
    im.p[0].align = 3, refused("p_align");
    im.p[1].memsz = KOZO_ELF_BYTES, refused("p_memsz");
    im.p[1].vaddr = KOZO_USER_END - 5000, im.p[1].align = 1;
    CHECK_OK(read_image());
}

TEST(segments_share_no_page_and_ascend)
{
    sound();
    im.p[1].vaddr = im.p[0].vaddr + 64, im.p[1].align = 1, refused("p_vaddr");
    im.p[0].vaddr = 0x400ff0 - 48, im.p[0].align = 0, im.p[1].align = 0, im.p[1].vaddr = 0x401000;
    im.e.entry = im.p[0].vaddr;
    CHECK_OK(read_image());
    im.p[0].vaddr = 0x400fc1;
    refused("p_vaddr");
    struct phdr first = im.p[0];
    im.p[0] = im.p[1], im.p[1] = first;
    refused("p_vaddr");
}

TEST(nothing_is_writable_and_executable)
{
    sound();
    im.p[0].flags = 7, refused("p_flags");
    im.p[0].flags = 1, refused("p_flags");
    im.p[0].flags = 0x15, refused("p_flags");
    im.p[3].flags = 7, refused("PT_GNU_STACK p_flags");
}

TEST(only_what_can_be_loaded_is_accepted)
{
    sound();
    im.p[3].type = 2, refused("p_type");
    im.p[3].type = 3, refused("p_type");
    im.p[3].type = 7, refused("p_type");
    im.p[3].type = 0x60000000, refused("p_type");
    im.p[0].type = im.p[1].type = 0, refused("PT_LOAD");
    im.p[3].type = 0, im.p[3].offset = UINT64_MAX;
    CHECK_OK(read_image());
    sound();
    im.p[1].filesz = im.p[1].memsz = 0;
    CHECK_OK(read_image());
    CHECK_EQ(elf.nsegments, 1);
    sound();
    im.p[1].filesz = 0, im.p[1].offset += 4096 * 7; /* where linkers put what has no bytes */
    CHECK_OK(read_image());
}

/* What a person is told about im, without what was expected. */
static void told(const char *want)
{
    char text[KOZO_BAD_TEXT];

    CHECK(kozo_elf_read(&im, sizeof im, &elf, &bad) != KOZO_OK);
    CHECK_STR(kozo_bad_text(&bad, text), want);
    sound();
}

TEST(a_message_tells_field_byte_and_value)
{
    sound();
    memcpy(&im, "#!/bin/sh\n", 10);
    told("e_ident[EI_MAG] at byte 0 is \"#!/b\"");
    im.e.machine = 183;
    told("e_machine at byte 18 is 183 (0xb7)");
    im.e.entry = UINT64_MAX;
    told("e_entry at byte 24 is 0xffffffffffffffff");
    im.note.major = 9;
    told("KOZO note ABI version at byte 308 is 9.0");
}

TEST(the_abi_note_is_required_and_its_version_named)
{
    sound();
    im.p[2].type = 0, refused("PT_NOTE");
    im.note.name[0] = 'L', refused("PT_NOTE");
    im.note.type = 2, refused("PT_NOTE");
    im.note.namesz = 4, refused("p_filesz"); /* what follows is read as half a note */
    im.note.descsz = 4, refused("KOZO note n_descsz");
    im.note.descsz = UINT32_MAX, refused("n_descsz");
    im.note.namesz = UINT32_MAX, refused("n_namesz");
    im.p[2].filesz = 27, refused("n_descsz");
    im.p[2].filesz = 29, refused("p_filesz");
    im.p[3] = im.p[2], refused("KOZO note");
    im.note.major = KOZO_ABI_MAJOR + 1;
    CHECK_ERR(read_image(), VERSION);
    CHECK_EQ(bad.value, (uint64_t)(KOZO_ABI_MAJOR + 1) << 32 | KOZO_ABI_MINOR);
    CHECK(strstr(bad.want, "1.0") != nullptr);
    sound();
    im.note.minor = KOZO_ABI_MINOR + 1;
    CHECK_ERR(read_image(), VERSION);
    sound();
    im.note.major = 0;
    CHECK_ERR(read_image(), VERSION);
}

TEST(a_program_cut_anywhere_is_refused)
{
    sound();
    for (uint64_t n = 0; n < offsetof(struct image, text) + 64; n++) {
        enum kozo_err err = read_cut(n);

        if (err == KOZO_OK)
            FAIL("%lu bytes are accepted", n);
    }
}

TEST(seventeen_segments_are_too_many)
{
    enum : unsigned { N = 18 };
    struct {
        struct ehdr e;
        struct phdr p[N];
        typeof(im.note) note;
    } many;

    sound();
    many.e = im.e;
    many.note = im.note;
    many.p[0] = im.p[2];
    many.p[0].offset = offsetof(typeof(many), note);
    for (unsigned i = 1; i < N; i++)
        many.p[i] = (struct phdr){ 1, 5, 0, 0x400000 + i * 0x1000, 0, 0, 1, 0 };
    many.e.entry = 0x401000;
    many.e.phnum = N - 1;
    CHECK_OK(kozo_elf_read(&many, sizeof(many), &elf, &bad));
    CHECK_EQ(elf.nsegments, 16);
    many.e.phnum = N;
    CHECK_ERR(kozo_elf_read(&many, sizeof(many), &elf, &bad), FORMAT);
    CHECK_STR(bad.field, "e_phnum");
    CHECK_STR(bad.want, "at most 16 segments");
    many.e.phnum = 33;
    CHECK_ERR(kozo_elf_read(&many, sizeof(many), &elf, &bad), FORMAT);
    CHECK_STR(bad.want, "1 to 32 program headers");
}

/* Whatever single byte is changed, the answer is a verdict and no step beyond the image. */
TEST(any_byte_may_be_anything)
{
    static const uint8_t with[] = { 0, 1, 0x7f, 0x80, 0xff };

    sound();
    for (uint64_t i = 0; i < offsetof(struct image, text); i++)
        for (unsigned k = 0; k < sizeof(with); k++) {
            uint8_t *byte = (uint8_t *)&im + i, was = *byte;

            *byte = with[k];
            if (read_image() == KOZO_OK)
                CHECK(elf.nsegments <= KOZO_ELF_SEGMENTS);
            *byte = was;
        }
}
