/* SPDX-License-Identifier: MIT */
/*
 * syscall.h - the table of calls: registers in, checked calls out, and nowhere else.
 *
 * Every handler: decode, check everything in the order the spec lists the errors, commit. Below the
 * commit line nothing can fail.
 *
 * Owns:      nothing.
 * Not here:  what the calls do (the rooms below).
 * Callers:   kernel_syscall.
 * Cost:      O(1), or preemptible; each handler says.
 * Spec:      docs/spec/syscalls.md; I9, I10.
 */
#pragma once

#include "sched/tcb.h"

/* Ways for a handler to end beside an error of the ABI. */
#define CALL_WAITS ((enum kozo_err)0x100)    /* the result is written, or will be when the wait ends */
#define CALL_AGAIN ((enum kozo_err)0x101)    /* preempted with nothing done that shows: make the call again */
#define CALL_FINISHES ((enum kozo_err)0x102) /* preempted after its commit: go on as FINISH */
#define CALL_ASKS ((enum kozo_err)0x103)     /* as CALL_AGAIN, and its turn comes: pending_ask */

#define KOZO_SYSCALL(nr, NAME, name, args, results, text) \
    NODISCARD enum kozo_err sys_##name(struct tcb *t, const struct frame *f);
#include <kozo/syscalls.def>
#undef KOZO_SYSCALL

/* The `what` of CAP_VERIFY, but for KOZO_VERIFY_SAME. */
NODISCARD uint64_t cap_describe(const struct slot *s);

/* The checks and the commit of CAP_DELETE or CAP_REVOKE, when nothing is under way. */
NODISCARD enum kozo_err cap_destroy(struct tcb *t, const struct frame *f, bool revokes);

/* Results of a call that has some. */
static inline enum kozo_err sys_result(struct tcb *t, uint64_t r0, uint64_t r1, uint64_t r2)
{
    frame_set_results(&t->frame, r0, r1, r2);
    return KOZO_OK;
}
