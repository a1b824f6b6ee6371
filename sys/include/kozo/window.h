/* SPDX-License-Identifier: MIT */
/*
 * window.h - which addresses of the program's own space are free for mappings it makes.
 *
 * Owns:      the areas from KOZO_LAYOUT_SMALL on; a list of the ranges handed out, at most
 *            KOZO_WINDOWS in each.
 * Not here:  the mappings themselves (memory.h).
 * Callers:   one thread at a time.
 * Cost:      O(KOZO_WINDOWS).
 */
#pragma once

#include <kozo/abi.h>

#define KOZO_WINDOWS 128u

/* What will be mapped there; layout.h says why they lie apart. */
enum kozo_window : uint32_t {
    KOZO_WINDOW_SMALL, /* 4 KiB Frames */
    KOZO_WINDOW_LARGE, /* 2 MiB Frames: the address is a multiple of 2 MiB */
    KOZO_WINDOW_MIXED, /* both: the same; never handed out twice */
    KOZO_WINDOW_KINDS
};

/* The address of `bytes` (rounded up to pages) free bytes; 0 when there are none. */
uint64_t kozo_window_alloc(enum kozo_window kind, uint64_t bytes);

/*
 * Gives back what kozo_window_alloc returned; 0 is ignored. Nothing may be mapped there any more.
 */
void kozo_window_free(uint64_t address);
