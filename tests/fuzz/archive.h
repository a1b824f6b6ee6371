/* SPDX-License-Identifier: MIT */
/*
 * archive.h - cpio archives for targets to start from.
 *
 * Owns:      nothing; the caller's bytes.
 * Not here:  reading archives (<kozo/cpio.h>), spoiling them (corpus/cpio).
 * Callers:   fuzz targets.
 * Cost:      O(bytes).
 * Spec:      boot.md, the initrd.
 */
#pragma once

#include <stdint.h>
#include <stdio.h>
#include <string.h>

struct archive_entry {
    const char *name;
    uint32_t mode;
    const void *data;
    uint64_t bytes;
};

/* Puts an entry at `at`, a multiple of four. Returns where the next goes: `at` for lack of room. */
static inline uint64_t archive_put(uint8_t *archive, uint64_t room, uint64_t at,
                                   struct archive_entry e)
{
    uint8_t *to = archive + at;
    uint64_t name_size = strlen(e.name) + 1, body = (110 + name_size + 3) & ~3ull;
    uint64_t whole = body + ((e.bytes + 3) & ~3ull);

    if (at > room || whole > room - at)
        return at;
    memset(to, 0, whole);
    snprintf((char *)to, 111, "070701%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x", 1u,
             e.mode, 0u, 0u, 1u, 0u, (unsigned)e.bytes, 0u, 0u, 0u, 0u, (unsigned)name_size, 0u);
    memcpy(to + 110, e.name, name_size);
    if (e.bytes != 0)
        memcpy(to + body, e.data, e.bytes);
    return at + whole;
}

/* The entry that ends an archive. */
static inline uint64_t archive_end(uint8_t *archive, uint64_t room, uint64_t at)
{
    return archive_put(archive, room, at, (struct archive_entry){ .name = "TRAILER!!!" });
}
