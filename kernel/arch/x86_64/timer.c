/* SPDX-License-Identifier: MIT */
/*
 * timer.c - time from the TSC, one-shot interrupts from the local APIC.
 *
 * Owns:      x86.clock.
 * Not here:  how the rates are found (start/clock.c), deadlines (sched/timer.h).
 * Cost:      O(1).
 * Spec:      docs/spec/threads.md
 */
#include "cpu.h"

/* a * b / c: the product has 128 bits, the quotient must fit 64. */
uint64_t x86_muldiv(uint64_t a, uint64_t b, uint64_t c)
{
    uint64_t low, high, rest;

    __asm__("mulq %3" : "=a"(low), "=d"(high) : "0"(a), "rm"(b));
    if (high >= c)
        return UINT64_MAX;
    __asm__("divq %4" : "=a"(low), "=d"(rest) : "0"(low), "1"(high), "rm"(c));
    return low;
}

static uint64_t scale(uint64_t v, uint64_t mult)
{
    return (uint64_t)((unsigned __int128)v * mult >> X86_CLOCK_SHIFT);
}

uint64_t arch_now(void)
{
    if (x86.clock.mult == 0) [[clang::unlikely]]
        x86_clock_settle();
    return scale(x86_rdtsc() - x86.clock.base, x86.clock.mult);
}

uint64_t arch_cycles_to_ns(uint64_t cycles) { return scale(cycles, x86.clock.mult); }

#define TIMER_STOP 0u
#define TIMER_MOST UINT32_MAX
#define TIMER_FAR (1ull << 40) /* nanoseconds: more than the counter holds at any rate that is */

void arch_timer_arm(uint64_t deadline)
{
    uint64_t now, ticks;

    if (deadline == UINT64_MAX) {
        x86_apic_write(APIC_TIMER_INITIAL, TIMER_STOP);
        return;
    }
    now = arch_now();
    ticks =
        deadline <= now ? 1 : scale(min_u64(deadline - now, TIMER_FAR), x86.clock.timer_mult) + 1;
    x86_apic_write(APIC_TIMER_INITIAL, (uint32_t)min_u64(ticks, TIMER_MOST));
}
