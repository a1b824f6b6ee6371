/* SPDX-License-Identifier: MIT */
/*
 * entropy.c - a key nobody can guess, as far as the machine allows.
 *
 * Not here:  what it is for (cap/badge.h).
 * Spec:      docs/spec/capabilities.md
 */
#include "cpu.h"

#define CPUID_1_C_RDRAND (1u << 30)
#define RDRAND_TRIES 32u /* Intel: ten failures in a row mean a broken processor */

static bool rdrand(uint64_t *out)
{
    for (uint32_t i = 0; i < RDRAND_TRIES; i++) {
        bool ok;

        __asm__ volatile("rdrand %0" : "=r"(*out), "=@ccc"(ok));
        if (ok)
            return true;
    }
    return false;
}

/* The finaliser of splitmix64: every bit of the input reaches every bit of the result. */
static uint64_t mix(uint64_t v)
{
    v = (v ^ v >> 30) * 0xbf58476d1ce4e5b9;
    v = (v ^ v >> 27) * 0x94d049bb133111eb;
    return v ^ v >> 31;
}

/* Seconds, minutes, hours, day, month, year as the clock keeps them. */
static uint64_t rtc(void)
{
    static const uint8_t regs[] = { 0, 2, 4, 7, 8, 9 };
    uint64_t v = 0;

    for (uint32_t i = 0; i < ARRAY_LEN(regs); i++) {
        x86_out8(0x70, regs[i]);
        v = v << 8 | x86_in8(0x71);
    }
    return v;
}

bool arch_entropy(uint64_t key[2])
{
    if ((x86_cpuid(1).c & CPUID_1_C_RDRAND) && rdrand(&key[0]) && rdrand(&key[1]))
        return true;
    key[0] = mix(x86_rdtsc() ^ x86.seed);
    key[1] = mix(rtc() ^ mix(x86.seed + key[0]));
    key[0] ^= mix(x86_rdtsc() + key[1]);
    return false;
}
