/* SPDX-License-Identifier: MIT */
/*
 * op.h - one thing that happens to a world, as a line of text.
 *
 *   call NAME ARG...                the running thread makes a system call; zeros at the end may be
 *                                   left out
 *     ... at TIME                   with this deadline in its register
 *     ... preempt N                 and an interrupt found waiting at the N-th preemption point
 *   fault NUMBER ADDRESS ACCESS     the running thread meets a fault
 *   irq LINE                        a line interrupts, masked or not
 *   advance NANOSECONDS             time passes, with the timer interrupts that were asked for
 *   touch ADDRESS ACCESS            the running thread reads, writes or executes memory
 *   window SLOT COUNT               it sets the receive window in its IPC buffer,
 *   desc INDEX SLOT RIGHTS USER FLAGS BADGE   a capability to send,
 *   word INDEX VALUE                an extra word
 *   fpu VALUE                       it sets a floating-point register
 *   nothing                         an event without an effect
 *
 * Whatever runs does it: there is no thread in the text. A thread whose call was preempted makes
 * that call again, whatever the next line says. Lines from `#` on are comments.
 */
#pragma once

#include <stdint.h>
#include <stdio.h>

enum op_what : uint8_t {
    OP_CALL,
    OP_FAULT,
    OP_IRQ,
    OP_ADVANCE,
    OP_TOUCH,
    OP_WINDOW,
    OP_DESC,
    OP_WORD,
    OP_FPU,
    OP_NOTHING,
    OP_COUNT
};
#define OP_ARGS 10u

struct op {
    enum op_what what;
    uint32_t preempt;  /* CALL: 0 = not at all */
    uint64_t number;   /* CALL */
    uint64_t deadline; /* CALL */
    uint64_t arg[OP_ARGS];
};

void op_write(FILE *to, const struct op *op);
/* False when the line is none; *op untouched and true, with `empty` set, for a line without an
 * operation. */
bool op_parse(const char *line, struct op *op, bool *empty);
const char *op_call_name(uint64_t number);
const char *op_error_name(uint64_t error);
