/* SPDX-License-Identifier: MIT */
/*
 * notification.h - a word of bits to signal and to wait for.
 *
 * Owns:      the bits, the queue and the bound thread of a notification; moves into and out of
 *            TCB_WAITING.
 * Not here:  interrupts that signal (irq.h).
 * Callers:   syscall/, irq/, ipc/endpoint, destruction. Kernel lock held.
 * Cost:      O(1), but for the queue's insert.
 * Spec:      docs/spec/ipc.md; I5.
 */
#pragma once

#include "cap/slot.h"
#include "sched/queue.h"

struct notification {
    uint64_t bits;
    struct queue waiters;
    struct tcb *bound; /* receives the bits together with its messages */
    uint64_t reserved[5];
    struct slot grave; /* its last capability, while it is taken apart */
};
static_assert(sizeof(struct notification) == KOZO_NOTIFICATION_BYTES);

/* What of `bits` a capability may signal: if it is badged, the bits of its badge and no others. */
static inline uint64_t ntfn_allowed(const struct cap *c, uint64_t bits)
{
    return (c->flags & CAP_BADGED) != 0 ? bits & c->a : bits;
}

void ntfn_signal(struct notification *n, uint64_t bits);
/* Take the bits, at least one of them set, or wait. */
void ntfn_wait(struct tcb *t, struct notification *n);
NODISCARD uint64_t ntfn_take(struct notification *n);
/* Tie a thread and a notification together, neither tied before; or cut. */
void ntfn_bind(struct notification *n, struct tcb *t);
void ntfn_unbind(struct notification *n);
