/* SPDX-License-Identifier: MIT */
/*
 * badge.h - fresh badges: never 0, never the same twice, never guessable.
 *
 * Owns:      the key and the serial they are made from: SipHash-2-4 of the serial.
 * Not here:  setting a badge (cspace.c).
 * Callers:   syscall/. Kernel lock held.
 * Cost:      O(1).
 * Spec:      docs/spec/capabilities.md; J.-P. Aumasson, D. J. Bernstein: SipHash, a fast
 *            short-input PRF (2012).
 */
#pragma once

#include "base/types.h"

struct badge_source {
    uint64_t key[2];
    uint64_t serial;
};

NODISCARD uint64_t badge_fresh(void);
/* SipHash-2-4 of one 64-bit word. */
NODISCARD uint64_t siphash_word(const uint64_t key[2], uint64_t word);
