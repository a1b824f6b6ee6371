/* SPDX-License-Identifier: MIT */
/*
 * sched.h - who runs next.
 *
 * 256 priorities, 0 the most urgent; first in, first out within one. A priority has a time slice
 * while a thread waits in its ready queue: it runs on through calls to other priorities, so that
 * nobody keeps his equals waiting by calling. The running thread and a thread handed to are in no
 * ready queue.
 *
 * Owns:      the ready queues; moves into and out of TCB_READY.
 * Not here:  queues of objects (queue.h), deadlines (timer.h).
 * Callers:   every room above; kernel lock held.
 * Cost:      O(1).
 * Spec:      docs/spec/threads.md; I5, I6.
 */
#pragma once

#include "sched/tcb.h"

#define SCHED_SLICE_NS 5'000'000ull
#define SCHED_NONE 256u /* `top` when no thread is ready */

struct sched {
    uint32_t top;        /* the most urgent priority in the ready queues, or SCHED_NONE */
    /*
     * the fast path switches to priorities up to this: `top` while its slice is timed, else 1 less
     */
    int32_t admit;
    uint64_t words;      /* bit i: bitmap[i] is not 0 */
    uint64_t bitmap[4];  /* bit p: ready[p] is not empty */
    uint64_t last_tick;  /* slices that end at or before it are over */
    struct tcb *ready[KOZO_PRIORITIES];        /* heads of rings */
    uint64_t slice_end[KOZO_PRIORITIES];       /* while ready[p] is not empty; 0 = not begun */
};

/* `t`, in no queue, becomes ready: behind its equals. */
void sched_wake(struct tcb *t);
/*
 * `t`, in no queue, becomes ready and runs next instead of the caller, who has just blocked, unless
 * somebody more urgent is ready.
 */
void sched_handoff(struct tcb *t);
/* `t` is ready or running, and shall not be: take it out. The caller sets its new state. */
void sched_remove(struct tcb *t);
/* Change the priority of a thread that is in no queue of an object. */
void sched_set_priority(struct tcb *t, uint8_t priority);
/*
 * The running thread lets its equals go first. (Not sched_yield: a C library has one, and calls
 * it.)
 */
void sched_rotate(void);
/* The time slice may have ended. */
void sched_tick(uint64_t now);
