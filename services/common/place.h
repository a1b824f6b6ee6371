/* SPDX-License-Identifier: MIT */
/*
 * place.h - where in a program an address lies, in words: "8 bytes below the stack of fsd: stack
 * overflow".
 *
 * Owns:      struct place_map: the pieces a program's address space is made of.
 * Not here:  what was mapped (report.h).
 * Callers:   init, shell and their unit tests; no system calls.
 * Cost:      the number of pieces.
 * Spec:      docs/spec/faults.md
 */
#pragma once

#include "common/line.h"

#define PLACE_PIECES 24u

struct place_piece {
    const char *name; /* "stack", "heap", "text" ... */
    uint64_t begin, end;
    uint8_t rights; /* KOZO_READ, with WRITE or EXECUTE or neither */
};

struct place_map {
    struct kozo_str service;
    uint32_t pieces;
    struct place_piece piece[PLACE_PIECES]; /* in any order, disjoint */
};

/* Adds a piece; an empty one, or one beyond PLACE_PIECES, is left out. */
void place_add(struct place_map *m, const char *name, uint64_t begin, uint64_t bytes,
               uint8_t rights);
/* Adds the segments of a program's ELF image, none when it is no such. */
void place_add_image(struct place_map *map, struct kozo_bytes image);
/*
 * Appends where `address` is, as what `access` (KOZO_READ, WRITE or EXECUTE) met there: nothing
 * where nothing is known.
 */
void place_describe(struct line *l, const struct place_map *m, uint64_t address, uint64_t access);
