/* SPDX-License-Identifier: MIT */
/*
 * dice.h - where choices come from: a seed, or bytes that a fuzzer gave.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct dice {
    uint64_t seed;       /* not 0 */
    const uint8_t *byte; /* null: from the seed */
    size_t left;
};

struct dice dice_from_seed(uint64_t seed);
struct dice dice_from_bytes(const uint8_t *byte, size_t n);
/* Bytes are used up; a seed never is. */
bool dice_is_empty(const struct dice *d);
/* Below `limit`, which is not 0. */
uint64_t dice_below(struct dice *d, uint64_t limit);
uint64_t dice_word(struct dice *d);
/* True so many times of a hundred. */
bool dice_chance(struct dice *d, uint32_t percent);
