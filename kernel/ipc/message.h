/* SPDX-License-Identifier: MIT */
/*
 * message.h - moving words and capabilities from one thread to another.
 *
 * Owns:      the meaning of the info word and of the IPC buffer.
 * Not here:  who meets whom (endpoint.h, reply.h).
 * Callers:   ipc/. Kernel lock held.
 * Cost:      the words sent; at most three capabilities.
 * Spec:      docs/spec/ipc.md
 */
#pragma once

#include "sched/tcb.h"

/* What the info word of a sender may not say; see the list of errors in docs/spec/ipc.md. */
NODISCARD enum kozo_err message_check(const struct tcb *from, uint64_t info);
/*
 * Give `to` the message of `from`: eight words, extra words, and capabilities if the capability
 * that the call was made with carries GRANT (`through` are its rights). Returns the info word for
 * the receiver without badge's user rights. Writes nothing to `from` but its buffer's `sent`.
 */
uint64_t message_move(struct tcb *from, struct tcb *to, kozo_rights through);
/* End a call that took a message: error, and no word of anything else. */
void message_fail(struct tcb *t, enum kozo_err err);
/*
 * Bits of the info word that a receiver's own call has to be told, once, with whatever it receives.
 */
uint64_t message_take_notice(struct tcb *to);
