/* SPDX-License-Identifier: MIT */
/*
 * memory.h - physical memory while the kernel starts: taking some, and cutting the rest into
 * Untyped.
 *
 * Owns:      boot_input.reserved after the port has filled it.
 * Not here:  reading the loader's memory map (the port), Untyped itself (cap/untyped.h).
 * Callers:   boot/init.c.
 * Cost:      O(ranges), once.
 * Spec:      docs/spec/boot.md; I3.
 */
#pragma once

#include "boot/boot.h"

#define BOOT_PIECES 512u

/* Naturally aligned powers of two, in the order of their addresses. */
struct boot_pieces {
    uint32_t count;
    uint64_t lost; /* bytes of pieces that found no place */
    struct kozo_untyped_desc piece[BOOT_PIECES];
};

/* Cut what is of `kind` and not reserved, and keep the `most` largest pieces. */
void memory_cut(const struct boot_input *in, enum boot_kind kind, uint32_t most,
                struct boot_pieces *out);
/* A piece, as it was reserved, is free again. */
void memory_unreserve(struct boot_input *in, struct boot_region piece);
/* The end of RAM. */
NODISCARD uint64_t memory_top(const struct boot_input *in);
