/* SPDX-License-Identifier: MIT */
/*
 * port.h (x86_64) - types of this port that the core keeps for it, and the parts of arch.h that are
 * one instruction.
 *
 * Owns:      where the direct map lies.
 * Not here:  what the core asks of a machine (arch.h), control registers (cpu.h), entries of page
 *            tables (pte.h).
 * Callers:   the core and this port, with interrupts off.
 * Cost:      one instruction each.
 * Spec:      docs/spec/architecture.md
 */
#pragma once

#include "base/types.h"

/* FXSAVE area. Intel SDM volume 1, chapter 10.5. */
struct arch_fpu {
    alignas(16) uint8_t area[512];
};

/*
 * The direct map: all RAM, writable but for the kernel's own text and constants, never executable.
 */
#define X86_DIRECT_BASE 0xffff800000000000ull
#define X86_DIRECT_SIZE (1ul << 39) /* one entry of the root */

static inline uint64_t arch_cycles(void)
{
    uint32_t low, high;

    __asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
    return (uint64_t)high << 32 | low;
}

static inline void *arch_ram(struct paddr at) { return (void *)(X86_DIRECT_BASE + at.v); }
static inline struct paddr arch_ram_addr(const void *p)
{
    return (struct paddr){ (uint64_t)p - X86_DIRECT_BASE };
}
