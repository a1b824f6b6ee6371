/* SPDX-License-Identifier: MIT */
/*
 * ring.h - threads in a ring, by their next/prev links; the head is the oldest. Outside `next` is
 * null, and `prev` means nothing.
 *
 * Owns:      `next` and `prev` of a thread that is in a queue.
 * Not here:  which ring a thread belongs in (sched/queue.h, ipc/).
 * Callers:   sched/, ipc/.
 * Cost:      O(1).
 * Spec:      docs/spec/threads.md, invariant 5
 */
#pragma once

#include "sched/tcb.h"

static inline bool ring_is_single(const struct tcb *t) { return t->next == t; }

/* Behind all others. */
static inline void ring_push(struct tcb **head, struct tcb *t)
{
    struct tcb *first = *head;

    if (first == nullptr) {
        t->next = t->prev = t;
        *head = t;
        return;
    }
    t->next = first;
    t->prev = first->prev;
    first->prev->next = t;
    first->prev = t;
}

static inline void ring_push_front(struct tcb **head, struct tcb *t)
{
    ring_push(head, t);
    *head = t;
}

/*
 * The head leaves, and `t` comes in behind all others: for two threads that trade places. Returns
 * who was the head.
 */
static inline struct tcb *ring_trade(struct tcb **head, struct tcb *t)
{
    struct tcb *first = *head;

    if (ring_is_single(first)) {
        t->next = t->prev = t;
    } else {
        t->next = first->next;
        t->prev = first->prev;
        t->next->prev = t;
        t->prev->next = t;
    }
    *head = t->next;
    first->next = nullptr;
    return first;
}

static inline void ring_remove(struct tcb **head, struct tcb *t)
{
    if (ring_is_single(t)) {
        *head = nullptr;
    } else {
        t->next->prev = t->prev;
        t->prev->next = t->next;
        if (*head == t)
            *head = t->next;
    }
    t->next = t->prev = nullptr;
}
