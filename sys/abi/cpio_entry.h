/* SPDX-License-Identifier: MIT */
/*
 * cpio_entry.h - what the readers of an archive share about one entry.
 *
 * Owns:      where the fields of a header lie; which entries are one file.
 * Not here:  what others see (kozo/cpio.h).
 * Callers:   cpio.c, cpio_index.c.
 * Cost:      O(1); O(name).
 * Spec:      docs/spec/boot.md; cpio(5).
 */
#pragma once

#include <kozo/cpio.h>

/* The header: six bytes of magic, thirteen numbers of eight hexadecimal digits. */
enum cpio_field : unsigned {
    C_INO,
    C_MODE,
    C_UID,
    C_GID,
    C_NLINK,
    C_MTIME,
    C_FILESIZE,
    C_DEVMAJOR,
    C_DEVMINOR,
    C_RDEVMAJOR,
    C_RDEVMINOR,
    C_NAMESIZE,
    C_CHECK,
    C_COUNT
};
constexpr uint64_t CPIO_MAGIC_BYTES = 6;
constexpr uint64_t CPIO_HEADER_BYTES = CPIO_MAGIC_BYTES + 8 * C_COUNT;

static inline uint64_t cpio_field_at(uint64_t header, enum cpio_field f)
{
    return header + CPIO_MAGIC_BYTES + 8ull * f;
}

static inline bool cpio_name_is(const struct kozo_cpio_entry *e, const char *path, uint64_t len)
{
    return e->name_len == len && __builtin_memcmp(e->name, path, len) == 0;
}

/* ---- files with several names ---- */

static inline bool cpio_same_file(const struct kozo_cpio_entry *a, const struct kozo_cpio_entry *b)
{
    return a->ino == b->ino && a->dev_major == b->dev_major && a->dev_minor == b->dev_minor;
}

/* An entry that may be a further name of a file whose bytes stand elsewhere. */
static inline bool cpio_wants_data(const struct kozo_cpio_entry *e)
{
    return KOZO_CPIO_TYPE(e->mode) == KOZO_CPIO_FILE && e->links > 1 && e->size == 0;
}

static inline bool cpio_gives_data(const struct kozo_cpio_entry *e)
{
    return KOZO_CPIO_TYPE(e->mode) == KOZO_CPIO_FILE && e->links > 1 && e->size != 0;
}

static inline void cpio_take_data(struct kozo_cpio_entry *e, const struct kozo_cpio_entry *from)
{
    e->data = from->data;
    e->size = from->size;
}

/* ---- refusals: *bad is filled, and the answer is KOZO_ERR_FORMAT ---- */

/* A field of the entry has this value. */
enum kozo_err cpio_refuse_entry(struct kozo_bad *bad, const struct kozo_cpio_entry *e,
                                const char *field, uint64_t at, uint64_t value, const char *want);
/* The names of two entries cannot both be; the other entry begins at byte `other`. */
enum kozo_err cpio_refuse_clash(struct kozo_bad *bad, const struct kozo_cpio_entry *e,
                                uint64_t other, const char *want);
