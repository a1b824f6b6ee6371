/* SPDX-License-Identifier: MIT */
/*
 * window.h - which addresses of the program's own space are free for mappings it makes.
 *
 * Owns:      a list of the ranges handed out, at most KOZO_WINDOWS at a time.
 * Not here:  the mappings themselves (memory.h).
 * Callers:   one thread at a time.
 * Cost:      O(KOZO_WINDOWS).
 */
#pragma once

#include <kozo/abi.h>

#define KOZO_WINDOWS 128u

/* The address of `bytes` (rounded up to pages) free bytes at a multiple of `align` (a power of two); 0 when there are none. */
uint64_t kozo_window_alloc(uint64_t bytes, uint64_t align);

/* Gives back what kozo_window_alloc returned; 0 is ignored. Nothing may be mapped there any more. */
void kozo_window_free(uint64_t address);
