/* SPDX-License-Identifier: MIT */
/*
 * carve.h - memory for a purpose, out of what the kernel gave init.
 *
 * Owns:      which of the boot's Untypeds is used up how far.
 * Callers:   init.
 * Cost:      the number of Untypeds.
 */
#pragma once

#include <kozo/handle.h>

/* The boot's Untypeds are there to be carved. */
void carve_begin(const struct kozo_boot_info *boot);

struct [[nodiscard]] carved {
    struct kozo_untyped untyped;
    enum kozo_err err;
};
/*
 * An Untyped of 2^bits bytes, from the smallest piece that has room. Errors: NOMEM; LIMIT no slot
 * is free.
 */
struct carved carve(unsigned bits);
/* The most that carve could give now, in bytes. */
uint64_t carve_largest(void);
