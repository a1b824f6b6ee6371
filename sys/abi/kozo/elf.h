/* SPDX-License-Identifier: MIT */
/*
 * elf.h - reads a program: a static ELF64 executable for x86-64, checked to the last field.
 *
 * Owns:      what counts as a program that can be loaded. Pure: no state, no memory of its own.
 * Not here:  loading it (the kernel's boot for the first program, spawn.c for all others).
 * Callers:   kernel/boot, kozo-sys, tests. Any image may be malformed in any way.
 * Cost:      O(program headers + bytes of notes).
 * Spec:      docs/spec/services.md; System V ABI, chapters 4 and 5, AMD64 supplement.
 */
#pragma once

#include <kozo/abi.h>
#include <kozo/bad.h>

#define KOZO_ELF_SEGMENTS 16
#define KOZO_ELF_HEADERS 32              /* program headers of all types */
#define KOZO_ELF_BYTES (256ull << 20)    /* at most, in memory, all segments together */

struct kozo_elf_segment {
    uint64_t vaddr;  /* first byte; need not be page aligned */
    uint64_t memsz;  /* bytes in memory, not 0; beyond filesz zeros */
    uint64_t offset; /* of its bytes in the image */
    uint64_t filesz;
    kozo_rights rights; /* KOZO_READ, with WRITE or EXECUTE or neither */
};

/* A program: its segments share no page and ascend. */
struct kozo_elf {
    uint64_t entry; /* in an executable segment */
    uint32_t nsegments;
    struct kozo_elf_segment segment[KOZO_ELF_SEGMENTS];
};

/*
 * Checks the image [image, image + bytes), of any alignment, and fills *elf. Returns KOZO_OK or
 * KOZO_ERR_FORMAT, and then *bad is the first field found malformed; KOZO_ERR_VERSION when its ABI
 * note asks for what this ABI does not serve: bad->value is its major << 32 | minor, bad->want
 * names ours.
 */
[[nodiscard]] enum kozo_err kozo_elf_read(const void *image, uint64_t bytes, struct kozo_elf *elf,
                                          struct kozo_bad *bad);
