/* SPDX-License-Identifier: MIT */
/*
 * reply.h - the one-shot right to answer a caller.
 *
 * It lives in the server's TCB from when the message is taken, and can be moved into a slot, as a
 * Reply capability, to answer later. Holder and caller point at each other; cutting either end cuts
 * both.
 *
 * Owns:      tcb.owes and tcb.replier; moves into and out of TCB_CALLING.
 * Not here:  the answer's words (message.h).
 * Callers:   ipc/, syscall/, destruction. Kernel lock held.
 * Cost:      O(1).
 * Spec:      docs/spec/ipc.md; I5.
 */
#pragma once

#include "sched/tcb.h"

/* `server` took the message of `caller`, which waits from now on. */
void reply_owe(struct tcb *server, struct tcb *caller);
/* Move what `server` owes into the empty, unlinked `slot`. */
void reply_save(struct tcb *server, struct slot *slot);
/* The right to answer `caller` is gone, used or not: cut both ends. */
void reply_cut(struct tcb *caller);
/*
 * Wake the caller, if any, whom `server` owes, with `err`; its fault stays pending if it faulted.
 */
void reply_drop(struct tcb *server, enum kozo_err err);
/* Answer `caller` with the message that `from` sends. */
void reply_send(struct tcb *from, struct tcb *caller);
