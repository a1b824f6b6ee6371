/* SPDX-License-Identifier: MIT */
#include "dice.h"

struct dice dice_from_seed(uint64_t seed)
{
    seed = (seed + 0x9e3779b97f4a7c15) * 0xbf58476d1ce4e5b9;
    return (struct dice){ .seed = seed != 0 ? seed : 1 };
}

struct dice dice_from_bytes(const uint8_t *byte, size_t n)
{
    return (struct dice){ .byte = byte, .left = n };
}

bool dice_is_empty(const struct dice *d) { return d->byte != nullptr && d->left == 0; }

/* G. Marsaglia: Xorshift RNGs (2003), then a multiplication. */
static uint64_t next(struct dice *d)
{
    d->seed ^= d->seed >> 12;
    d->seed ^= d->seed << 25;
    d->seed ^= d->seed >> 27;
    return d->seed * 0x2545f4914f6cdd1d;
}

static uint64_t take(struct dice *d, uint32_t bytes)
{
    uint64_t v = 0;

    for (; bytes > 0 && d->left > 0; bytes--, d->left--)
        v = v << 8 | *d->byte++;
    return v;
}

uint64_t dice_word(struct dice *d) { return d->byte != nullptr ? take(d, 8) : next(d); }

uint64_t dice_below(struct dice *d, uint64_t limit)
{
    if (d->byte != nullptr)
        return take(d, limit <= 256 ? 1 : 4) % limit;
    return (next(d) >> 20) % limit;
}

bool dice_chance(struct dice *d, uint32_t percent) { return dice_below(d, 100) < percent; }
