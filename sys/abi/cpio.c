/* SPDX-License-Identifier: MIT */
#include "cpio_entry.h"

static const char *const field_name[C_COUNT] = {
    "c_ino",      "c_mode",     "c_uid",       "c_gid",       "c_nlink",    "c_mtime", "c_filesize",
    "c_devmajor", "c_devminor", "c_rdevmajor", "c_rdevminor", "c_namesize", "c_check",
};
static const char trailer[] = "TRAILER!!!";

static enum kozo_err refuse(struct kozo_bad *bad, const char *field, uint64_t at, uint64_t value,
                            const char *want)
{
    *bad = (struct kozo_bad){ .field = field, .want = want, .value = value, .at = at };
    return KOZO_ERR_FORMAT;
}

/* The same, with what stands there instead of a number. */
static enum kozo_err refuse_bytes(struct kozo_bad *bad, const char *field, uint64_t at,
                                  const void *bytes, uint64_t len, const char *want)
{
    *bad = (struct kozo_bad){ .field = field, .want = want, .value = len, .at = at, .text = bytes,
                              .text_len = len, .form = KOZO_BAD_BYTES };
    return KOZO_ERR_FORMAT;
}

enum kozo_err cpio_refuse_entry(struct kozo_bad *bad, const struct kozo_cpio_entry *e,
                                const char *field, uint64_t at, uint64_t value, const char *want)
{
    (void)refuse(bad, field, at, value, want);
    bad->entry = e->name;
    bad->entry_len = e->name_len;
    return KOZO_ERR_FORMAT;
}

static uint64_t align4(uint64_t v)
{
    return (v + 3) & ~3ull;
}

static bool starts_with(const uint8_t *at, uint64_t bytes, const char *with, uint64_t len)
{
    return bytes >= len && __builtin_memcmp(at, with, len) == 0;
}

/* ---- the magic ---- */

struct magic {
    const char *bytes;
    uint64_t len;
    const char *want;
};
static const struct magic others[] = {
    { "070702", 6, "newc (070701); this is newc with CRC: make it with cpio -o -H newc" },
    { "070707", 6,
      "newc (070701); this is the old character format odc: make it with cpio -o -H newc" },
    { "\xc7\x71", 2, "newc (070701); this is the old binary format: make it with cpio -o -H newc" },
    { "\x71\xc7", 2, "newc (070701); this is the old binary format: make it with cpio -o -H newc" },
    { "\x1f\x8b", 2, "newc (070701); this is compressed with gzip: unpack it first" },
    { "\xfd\x37zXZ", 5, "newc (070701); this is compressed with xz: unpack it first" },
    { "\x28\xb5\x2f\xfd", 4, "newc (070701); this is compressed with zstd: unpack it first" },
    { "\x04\x22\x4d\x18", 4, "newc (070701); this is compressed with lz4: unpack it first" },
    { "\x02\x21\x4c\x18", 4, "newc (070701); this is compressed with lz4: unpack it first" },
    { "BZh", 3, "newc (070701); this is compressed with bzip2: unpack it first" },
    { "\x5d\0\0", 3, "newc (070701); this is compressed with lzma: unpack it first" },
};

static enum kozo_err refuse_magic(const uint8_t *p, uint64_t left, uint64_t at,
                                  struct kozo_bad *bad)
{
    uint64_t len = left < CPIO_MAGIC_BYTES ? left : CPIO_MAGIC_BYTES;

    for (unsigned i = 0; i < sizeof(others) / sizeof(others[0]); i++)
        if (starts_with(p, left, others[i].bytes, others[i].len))
            return refuse_bytes(bad, "c_magic", at, p, len, others[i].want);
    if (left < CPIO_MAGIC_BYTES)
        return refuse(bad, "what is left of the archive", at, left,
                      "110 bytes for a header: the archive is cut off");
    return refuse_bytes(bad, "c_magic", at, p, len,
                        "070701, the magic of a CPIO archive in format newc");
}

/* ---- a header ---- */

/* The value of a hexadecimal digit, 16 or more for anything else. */
static unsigned digit(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
        return (c | 0x20) - 'a' + 10u;
    return 16;
}

static enum kozo_err read_numbers(const uint8_t *p, uint64_t at, uint32_t v[C_COUNT],
                                  struct kozo_bad *bad)
{
    p += CPIO_MAGIC_BYTES;
    for (unsigned f = 0; f < C_COUNT; f++) {
        v[f] = 0;
        for (unsigned i = 0; i < 8; i++) {
            unsigned d = digit(p[i]);

            if (d >= 16)
                return refuse_bytes(bad, field_name[f], cpio_field_at(at, (enum cpio_field)f), p, 8,
                                    "eight hexadecimal digits");
            v[f] = v[f] << 4 | d;
        }
        p += 8;
    }
    return KOZO_OK;
}

/* A name without its NUL: components that are neither empty nor `.` nor `..`, and counted. */
static const char *name_fault(const char *name, uint64_t len, uint64_t *parts)
{
    uint64_t begin = 0;

    *parts = 0;
    if (name[0] == '/')
        return "a relative name";
    for (uint64_t i = 0; i <= len; i++) {
        if (i < len && name[i] == '\0')
            return "no NUL inside the name";
        if (i < len && name[i] != '/')
            continue;
        if (i == begin)
            return "no empty part in the name";
        if (i - begin == 1 && name[begin] == '.')
            return "no part `.` inside the name";
        if (i - begin == 2 && name[begin] == '.' && name[begin + 1] == '.')
            return "no part `..` in the name";
        begin = i + 1;
        ++*parts;
    }
    return nullptr;
}

static bool is_root(const struct kozo_cpio_entry *e)
{
    return e->name_len == 1 && e->name[0] == '.';
}

static enum kozo_err read_name(const char *name, uint64_t size, uint64_t at,
                               struct kozo_cpio_entry *e, struct kozo_bad *bad)
{
    const char *fault;
    uint64_t parts;

    if (name[size - 1] != '\0')
        return refuse_bytes(bad, "name", at, name, size,
                            "a NUL at its end, as c_namesize counts it");
    if (size == 1)
        return refuse(bad, "c_namesize", cpio_field_at(e->at, C_NAMESIZE), size,
                      "a name that is not empty");
    e->name = name;
    e->name_len = size - 1;
    if (e->name_len >= 2 && name[0] == '.' && name[1] == '/') {
        e->name += 2;
        e->name_len -= 2;
    }
    if (e->name_len == 0)
        return refuse_bytes(bad, "name", at, name, size - 1, "a name after `./`");
    if (is_root(e) && e->name == name)
        return KOZO_OK;
    fault = name_fault(e->name, e->name_len, &parts);
    if (fault != nullptr)
        return refuse_bytes(bad, "name", at, name, size - 1, fault);
    if (parts > KOZO_CPIO_DEPTH)
        return cpio_refuse_entry(bad, e, "depth of the name", at, parts, "at most 32 parts");
    return KOZO_OK;
}

static enum kozo_err refuse_mode(struct kozo_bad *bad, const struct kozo_cpio_entry *e,
                                 const char *want)
{
    (void)cpio_refuse_entry(bad, e, "c_mode", cpio_field_at(e->at, C_MODE), e->mode, want);
    bad->form = KOZO_BAD_OCTAL;
    return KOZO_ERR_FORMAT;
}

static enum kozo_err check_mode(const struct kozo_cpio_entry *e, struct kozo_bad *bad)
{
    if (is_root(e) && KOZO_CPIO_TYPE(e->mode) != KOZO_CPIO_DIRECTORY)
        return refuse_mode(bad, e, "`.` to be a directory, 040000 and permissions");
    switch (KOZO_CPIO_TYPE(e->mode)) {
    case KOZO_CPIO_FILE:
        return KOZO_OK;
    case KOZO_CPIO_SYMLINK:
        if (e->size == 0 || e->size >= KOZO_CPIO_NAME)
            return cpio_refuse_entry(bad, e, "c_filesize", cpio_field_at(e->at, C_FILESIZE),
                                     e->size, "a link's target of 1 to 4095 bytes");
        return KOZO_OK;
    case KOZO_CPIO_DIRECTORY:
    case KOZO_CPIO_CHAR:
    case KOZO_CPIO_BLOCK:
    case KOZO_CPIO_PIPE:
    case KOZO_CPIO_SOCKET:
        if (e->size != 0)
            return cpio_refuse_entry(bad, e, "c_filesize", cpio_field_at(e->at, C_FILESIZE),
                                     e->size, "0 for what is no file or link");
        return KOZO_OK;
    default:
        return refuse_mode(bad, e, "a file, directory, link, device, pipe or socket");
    }
}

static void fill(struct kozo_cpio_entry *e, const uint32_t v[C_COUNT])
{
    e->ino = v[C_INO];
    e->mode = v[C_MODE];
    e->uid = v[C_UID];
    e->gid = v[C_GID];
    e->links = v[C_NLINK];
    e->mtime = v[C_MTIME];
    e->size = v[C_FILESIZE];
    e->dev_major = v[C_DEVMAJOR];
    e->dev_minor = v[C_DEVMINOR];
    e->rdev_major = v[C_RDEVMAJOR];
    e->rdev_minor = v[C_RDEVMINOR];
}

/*
 * Where the name's bytes and the data's lie. All numbers have 32 bits, the archive's size fewer
 * than 64: nothing wraps.
 */
static enum kozo_err read_header(const struct kozo_cpio *c, uint64_t at, struct kozo_cpio_entry *e,
                                 uint64_t *next, struct kozo_bad *bad)
{
    uint64_t left = c->bytes - at, name_size, data_at;
    uint32_t v[C_COUNT];
    enum kozo_err err;

    if (!starts_with(c->base + at, left, "070701", CPIO_MAGIC_BYTES))
        return refuse_magic(c->base + at, left, at, bad);
    if (left < CPIO_HEADER_BYTES)
        return refuse(bad, "what is left of the archive", at, left,
                      "110 bytes for a header: the archive is cut off");
    err = read_numbers(c->base + at, at, v, bad);
    if (err != KOZO_OK)
        return err;
    name_size = v[C_NAMESIZE];
    if (name_size == 0 || name_size > KOZO_CPIO_NAME)
        return refuse(bad, "c_namesize", cpio_field_at(at, C_NAMESIZE), name_size,
                      "1 to 4096 bytes, the NUL included");
    if (name_size > left - CPIO_HEADER_BYTES)
        return refuse(bad, "c_namesize", cpio_field_at(at, C_NAMESIZE), name_size,
                      "a name inside the archive, which may be cut off");
    data_at = align4(at + CPIO_HEADER_BYTES + name_size);
    *e = (struct kozo_cpio_entry){ .at = at };
    fill(e, v);
    err = read_name((const char *)c->base + at + CPIO_HEADER_BYTES, name_size,
                    at + CPIO_HEADER_BYTES, e, bad);
    if (err != KOZO_OK)
        return err;
    if (data_at > c->bytes || e->size > c->bytes - data_at)
        return cpio_refuse_entry(bad, e, "c_filesize", cpio_field_at(at, C_FILESIZE), e->size,
                                 "bytes inside the archive, which may be cut off");
    e->data = c->base + data_at;
    *next = align4(data_at + e->size);
    return KOZO_OK;
}

/* ---- the walk ---- */

static bool is_trailer(const struct kozo_cpio_entry *e)
{
    return e->name_len == sizeof(trailer) - 1 &&
           __builtin_memcmp(e->name, trailer, sizeof(trailer) - 1) == 0;
}

static enum kozo_err check_end(const struct kozo_cpio *c, uint64_t at,
                               const struct kozo_cpio_entry *e, struct kozo_bad *bad)
{
    if (e->size != 0)
        return refuse(bad, "c_filesize", cpio_field_at(e->at, C_FILESIZE), e->size,
                      "0 for the trailer");
    for (; at < c->bytes; at++)
        if (c->base[at] != 0)
            return refuse_bytes(bad, "padding", at, c->base + at, 1,
                                "zeros after the trailer: one archive, not several");
    return KOZO_ERR_NOT_FOUND;
}

enum kozo_err kozo_cpio_next(const struct kozo_cpio *c, uint64_t *at, struct kozo_cpio_entry *e,
                             struct kozo_bad *bad)
{
    uint64_t next;
    enum kozo_err err;

    if (*at >= c->bytes)
        return refuse(bad, "what is left of the archive", *at, 0,
                      "the entry TRAILER!!!: the archive is cut off or empty");
    err = read_header(c, *at, e, &next, bad);
    if (err != KOZO_OK)
        return err;
    if (is_trailer(e))
        return check_end(c, next, e, bad);
    err = check_mode(e, bad);
    if (err == KOZO_OK)
        *at = next;
    return err;
}

const char *kozo_cpio_type_text(uint32_t mode)
{
    switch (KOZO_CPIO_TYPE(mode)) {
    case KOZO_CPIO_FILE:
        return "a file";
    case KOZO_CPIO_DIRECTORY:
        return "a directory";
    case KOZO_CPIO_SYMLINK:
        return "a symbolic link, which is not followed";
    case KOZO_CPIO_CHAR:
    case KOZO_CPIO_BLOCK:
        return "a device";
    case KOZO_CPIO_PIPE:
        return "a pipe";
    case KOZO_CPIO_SOCKET:
        return "a socket";
    default:
        return "of no known type";
    }
}

struct kozo_cpio_count kozo_cpio_check(const struct kozo_cpio *c, struct kozo_bad *bad)
{
    struct kozo_cpio_count n = {};
    struct kozo_cpio_entry e;

    for (uint64_t at = 0; (n.err = kozo_cpio_next(c, &at, &e, bad)) == KOZO_OK;) {
        n.entries++;
        n.keys += 1 + cpio_gives_data(&e);
    }
    if (n.err == KOZO_ERR_NOT_FOUND)
        n.err = KOZO_OK;
    return n;
}

/* ---- one file ---- */

enum kozo_err cpio_refuse_clash(struct kozo_bad *bad, const struct kozo_cpio_entry *e,
                                uint64_t other, const char *want)
{
    (void)refuse_bytes(bad, "name", e->at + CPIO_HEADER_BYTES, e->name, e->name_len, want);
    bad->value = other;
    bad->form = KOZO_BAD_CLASH;
    return KOZO_ERR_FORMAT;
}

/* Finds the bytes of a hard link in an archive known to be sound. */
static void resolve(const struct kozo_cpio *c, struct kozo_cpio_entry *e)
{
    struct kozo_cpio_entry other;
    struct kozo_bad ignored;

    for (uint64_t at = 0; kozo_cpio_next(c, &at, &other, &ignored) == KOZO_OK;)
        if (cpio_gives_data(&other) && cpio_same_file(e, &other)) {
            cpio_take_data(e, &other);
            return;
        }
}

enum kozo_err kozo_cpio_find(const struct kozo_cpio *c, const char *path,
                             struct kozo_cpio_entry *found, struct kozo_bad *bad)
{
    uint64_t len = __builtin_strlen(path);
    struct kozo_cpio_entry e;
    enum kozo_err err;
    bool have = false;

    for (uint64_t at = 0; (err = kozo_cpio_next(c, &at, &e, bad)) == KOZO_OK;) {
        if (!cpio_name_is(&e, path, len))
            continue;
        if (have)
            return cpio_refuse_clash(bad, &e, found->at, "each name once");
        *found = e;
        have = true;
    }
    if (err != KOZO_ERR_NOT_FOUND || !have)
        return err;
    if (cpio_wants_data(found))
        resolve(c, found);
    return KOZO_OK;
}
