/* SPDX-License-Identifier: MIT */
/*
 * fault.h - a fault is a message to the thread's fault endpoint.
 *
 * Owns:      tcb.fault; moves into TCB_FAULTED.
 * Not here:  decoding exceptions (the port), the rendezvous (endpoint.h).
 * Callers:   kernel_fault, syscall/ for foreign calls, ipc/.
 * Cost:      O(1).
 * Spec:      docs/spec/faults.md
 */
#pragma once

#include "sched/tcb.h"

/* `t` cannot go on: tell its handler, or stop it and say so in the log. */
void fault_raise(struct tcb *t, const struct fault *f);
/* A call for the handler: of a foreign thread, or with a number that is not the kernel's. */
void fault_syscall(struct tcb *t, uint64_t number);
/* Write the fault of `from` as a message for `to`; returns the info word. */
uint64_t fault_message(struct tcb *from, struct tcb *to);
/* The handler's answer: go on as it is, or with other registers. */
void fault_reply(struct tcb *handler, struct tcb *t);
/* Lines about stopped threads were left out: their counts are told when their second is over. */
void fault_tell_left_out(uint64_t now);
/* Nobody will answer: stop `t` with its fault pending. */
void fault_stop(struct tcb *t, const char *why);
