/* SPDX-License-Identifier: MIT */
/*
 * timer.h - deadlines: a binary heap of blocked threads.
 *
 * Owns:      the heap; a thread's `deadline` and `timer_index`; when the machine's timer is armed.
 * Not here:  time itself (arch_now), the time slice (sched.h).
 * Callers:   ipc/ and syscall/ when a thread blocks; sched/ when it is woken.
 * Cost:      O(log threads); at most TIMER_BATCH wake in one event.
 * Spec:      docs/spec/threads.md
 */
#pragma once

#include "sched/tcb.h"

#define TIMER_BATCH 16u
#define TIMER_NEVER UINT64_MAX

struct timers {
    uint32_t count;
    uint32_t reserved;
    uint64_t next;  /* the earliest deadline, or TIMER_NEVER */
    uint64_t armed; /* what the machine's timer is set to */
    bool stale;     /* that may be too late */
    uint64_t ticks;
    struct tcb *heap[CONFIG_MAX_THREADS];
};

/* `t` blocks until `deadline` at the latest. */
void timer_add(struct tcb *t, uint64_t deadline);
void timer_remove(struct tcb *t);
/* Wake, with TIMEOUT, those whose deadline has passed; the rest at the next event. */
void timer_expire(uint64_t now);
/*
 * Arm the machine for the next deadline or end of slice, if it would be late. An earlier interrupt
 * does no harm.
 */
void timer_arm(uint64_t slice_due);
/* A tick at `due` at the latest. The next tick forgets it: who still wants one says so again. */
void timer_arm_by(uint64_t due);
