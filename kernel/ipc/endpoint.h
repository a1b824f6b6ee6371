/* SPDX-License-Identifier: MIT */
/*
 * endpoint.h - rendezvous between a caller and a server.
 *
 * Owns:      the queues on an endpoint; every move into and out of TCB_SENDING and TCB_RECEIVING.
 * Not here:  what is in a message (message.h), the right to answer (reply.h), who runs (sched.h).
 * Callers:   syscall/, ipc/fault, and destruction. Kernel lock held.
 * Cost:      O(1) and the copy of the words, but for the queue's insert.
 * Spec:      docs/spec/ipc.md; I5.
 */
#pragma once

#include "cap/slot.h"
#include "sched/queue.h"

struct endpoint {
    struct queue senders;
    struct queue receivers; /* one of the two is empty */
    uint64_t reserved[6];
    struct slot grave; /* its last capability, while it is taken apart */
};
static_assert(sizeof(struct endpoint) == KOZO_ENDPOINT_BYTES);

/*
 * `t`, whose frame and TCB say what it sends and through which capability, meets a receiver or
 * waits. The result of its call is written when the message goes, or never if it calls.
 */
void endpoint_send(struct tcb *t, struct endpoint *ep);
/* `t` takes the first message that waits, or a bound notification, or waits for one. */
void endpoint_recv(struct tcb *t, struct endpoint *ep);
