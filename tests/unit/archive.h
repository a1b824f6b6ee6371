/* SPDX-License-Identifier: MIT */
/*
 * archive.h - cpio archives for tests and fuzz targets, and a program to put in.
 *
 * Owns:      nothing; the caller's bytes.
 * Not here:  reading archives (<kozo/cpio.h>), spoiling them (test_sys_cpio.c, corpus/cpio).
 * Callers:   unit tests, fuzz targets.
 * Cost:      O(bytes).
 * Spec:      boot.md, the initrd.
 */
#pragma once

#include <kozo/abi.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* ---- archives ---- */

#define ARCHIVE_HEADER 110u

struct archive_entry {
    const char *name;
    uint32_t mode;
    const void *data;
    uint64_t bytes;
    uint32_t ino, links; /* 0: 1 */
};

/* As cpio -H newc writes it, and a NUL; a name may lie about its size. */
static inline void archive_header(char to[ARCHIVE_HEADER + 1], const struct archive_entry *e,
                                  uint64_t name_size)
{
    snprintf(to, ARCHIVE_HEADER + 1, "070701%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X",
             e->ino != 0 ? e->ino : 1u, e->mode, 0u, 0u, e->links != 0 ? e->links : 1u, 0u,
             (unsigned)e->bytes, 0u, 0u, 0u, 0u, (unsigned)name_size, 0u);
}

/* What an entry takes. */
static inline uint64_t archive_bytes(const struct archive_entry *e)
{
    return ((ARCHIVE_HEADER + strlen(e->name) + 1 + 3) & ~3ull) + ((e->bytes + 3) & ~3ull);
}

/* Puts an entry at `at`, a multiple of four. Returns where the next goes: `at` for lack of room. */
static inline uint64_t archive_put(uint8_t *archive, uint64_t room, uint64_t at,
                                   struct archive_entry e)
{
    uint64_t name_size = strlen(e.name) + 1, whole = archive_bytes(&e);
    char header[ARCHIVE_HEADER + 1];
    uint8_t *to = archive + at;

    if (at > room || whole > room - at)
        return at;
    memset(to, 0, whole);
    archive_header(header, &e, name_size);
    memcpy(to, header, ARCHIVE_HEADER);
    memcpy(to + ARCHIVE_HEADER, e.name, name_size);
    if (e.bytes != 0)
        memcpy(to + whole - ((e.bytes + 3) & ~3ull), e.data, e.bytes);
    return at + whole;
}

/* The entry that ends an archive. */
static inline uint64_t archive_end(uint8_t *archive, uint64_t room, uint64_t at)
{
    return archive_put(archive, room, at, (struct archive_entry){ .name = "TRAILER!!!" });
}

/* ---- a program ---- */

/* A page of text, data of 16 bytes in the file and two pages in memory, the ABI's note. */
struct archive_program {
    uint8_t ident[16];
    uint16_t type, machine;
    uint32_t version;
    uint64_t entry, phoff, shoff;
    uint32_t flags;
    uint16_t ehsize, phentsize, phnum, shentsize, shnum, shstrndx;
    struct {
        uint32_t type, flags;
        uint64_t offset, vaddr, paddr, filesz, memsz, align;
    } p[3];
    struct {
        uint32_t namesz, descsz, type;
        char name[8];
        uint32_t major, minor;
    } note;
    uint8_t text[4096 - 64 - 3 * 56 - 28];
    uint8_t data[16];
};
static_assert(offsetof(struct archive_program, data) == 4096);

#define ARCHIVE_TEXT 0x400000ull
#define ARCHIVE_DATA 0x402000ull
#define ARCHIVE_ENTRY (ARCHIVE_TEXT + 0x40)

static const struct archive_program archive_program = {
    .ident = { 0x7f, 'E', 'L', 'F', 2, 1, 1 },
    .type = 2,
    .machine = 62,
    .version = 1,
    .entry = ARCHIVE_ENTRY,
    .phoff = 64,
    .ehsize = 64,
    .phentsize = 56,
    .phnum = 3,
    .p = { { 1, 5, 0, ARCHIVE_TEXT, 0, 4096, 4096, 4096 },
           { 1, 6, 4096, ARCHIVE_DATA, 0, 16, 8192, 4096 },
           { 4, 4, 64 + 3 * 56, 0, 0, 28, 28, 4 } },
    .note = { 5, 8, 1, "KOZO", KOZO_ABI_MAJOR, KOZO_ABI_MINOR },
    .data = "sixteen bytes..",
};
