/* SPDX-License-Identifier: MIT */
/*
 * sched.h - who runs next.
 *
 * 256 priorities, 0 the most urgent; first in, first out within one; a time slice when others of the same priority
 * are ready. The running thread and a thread handed to are in no ready queue.
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
    uint32_t top;        /* the most urgent priority in the ready queues, or SCHED_NONE; the fast path compares it */
    uint32_t reserved;
    uint64_t words;      /* bit i: bitmap[i] is not 0 */
    uint64_t bitmap[4];  /* bit p: ready[p] is not empty */
    uint64_t slice_end;  /* when its equals' turn comes; UINT64_MAX when nobody waits at `slice_priority` */
    uint32_t slice_priority;
    bool rotate;         /* the running thread goes behind its equals */
    struct tcb *ready[KOZO_PRIORITIES]; /* heads of rings */
};

/* `t`, in no queue, becomes ready: behind its equals. */
void sched_wake(struct tcb *t);
/*
 * `t`, in no queue, becomes ready and runs next instead of the caller, who has just blocked, unless somebody more
 * urgent is ready.
 */
void sched_handoff(struct tcb *t);
/* `t` is ready or running, and shall not be: take it out. The caller sets its new state. */
void sched_remove(struct tcb *t);
/* Change the priority of a thread that is in no queue of an object. */
void sched_set_priority(struct tcb *t, uint8_t priority);
/* The running thread lets its equals go first. (Not sched_yield: a C library has one, and calls it.) */
void sched_rotate(void);
/* Decide who runs. */
NODISCARD struct tcb *sched_pick(void);
/* There is nothing to decide: `t`, which runs, is able to go on, and no other of at least its priority is ready. */
NODISCARD bool sched_stays(const struct tcb *t);
/* The time slice may have ended. */
void sched_tick(uint64_t now);
