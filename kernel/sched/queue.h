/* SPDX-License-Identifier: MIT */
/*
 * queue.h - threads waiting for an object, the most urgent first, equals in order of arrival.
 *
 * A queue is a list of rings, one for each priority present. A thread's `next`/`prev` make its
 * ring; the oldest of a ring, its head, carries `level_next`/`level_prev` to the heads of the rings
 * before and after.
 *
 * Owns:      the four queue links of a thread that is blocked.
 * Not here:  the ready queues (sched.h), which use next/prev of threads that are ready.
 * Callers:   ipc/, sched/.
 * Cost:      insert: bounded by the number of priorities; remove, pop: O(1).
 * Spec:      docs/spec/threads.md; I5.
 */
#pragma once

#include "sched/tcb.h"

struct queue {
    struct tcb *head;
};

static inline bool queue_is_empty(const struct queue *q) { return q->head == nullptr; }
void queue_insert(struct queue *q, struct tcb *t);
void queue_remove(struct queue *q, struct tcb *t);
/* The most urgent thread, removed; null when there is none. */
NODISCARD struct tcb *queue_pop(struct queue *q);
/* The thread after `t` in the queue; null at the end. */
NODISCARD struct tcb *queue_after(const struct queue *q, const struct tcb *t);
