/* SPDX-License-Identifier: MIT */
#include "cap/badge.h"

#include "kernel.h"

static uint64_t rotl(uint64_t v, unsigned by) { return v << by | v >> (64 - by); }

static void sip_rounds(uint64_t v[4], unsigned rounds)
{
    while (rounds-- > 0) {
        v[0] += v[1];
        v[2] += v[3];
        v[1] = rotl(v[1], 13) ^ v[0];
        v[3] = rotl(v[3], 16) ^ v[2];
        v[0] = rotl(v[0], 32);
        v[2] += v[1];
        v[0] += v[3];
        v[1] = rotl(v[1], 17) ^ v[2];
        v[3] = rotl(v[3], 21) ^ v[0];
        v[2] = rotl(v[2], 32);
    }
}

uint64_t siphash_word(const uint64_t key[2], uint64_t word)
{
    const uint64_t length = 8ull << 56;
    uint64_t v[4] = { key[0] ^ 0x736f6d6570736575, key[1] ^ 0x646f72616e646f6d,
                      key[0] ^ 0x6c7967656e657261, key[1] ^ 0x7465646279746573 };

    v[3] ^= word;
    sip_rounds(v, 2);
    v[0] ^= word;
    v[3] ^= length;
    sip_rounds(v, 2);
    v[0] ^= length;
    v[2] ^= 0xff;
    sip_rounds(v, 4);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

uint64_t badge_fresh(void)
{
    uint64_t badge;

    do
        badge = siphash_word(kernel.badges.key, ++kernel.badges.serial);
    while (badge == 0);
    return badge;
}
