/* SPDX-License-Identifier: MIT */
#include "syscall/syscall.h"

#include "ipc/fault.h"
#include "kernel.h"

typedef enum kozo_err handler(struct tcb *t, const struct frame *f);

static handler *const table[KOZO_SYSCALL_LIMIT] = {
#define KOZO_SYSCALL(nr, NAME, name, args, results, text) [nr] = sys_##name,
#include <kozo/syscalls.def>
#undef KOZO_SYSCALL
};

/* A call that named a capability it has not got, or not like this. */
static void trace_refusal(const struct tcb *t, enum kozo_err err)
{
    if (err < KOZO_ERR_ADDRESS || err > KOZO_ERR_RIGHTS)
        return;
    trace_record((struct kozo_event){
        .what = KOZO_TRACE_REFUSED,
        .kind = (uint8_t)frame_number(&t->frame),
        .error = (uint8_t)err,
        .object = frame_arg(&t->frame, 0),
    });
}

/* The one place where a call's result reaches its caller, if there is still one. */
[[gnu::noinline]] static void finish(struct tcb *t, enum kozo_err outcome)
{
    if (outcome == CALL_WAITS || t->state == TCB_FREE)
        return;
    if (outcome != KOZO_OK && kernel.trace.mask != 0) [[clang::unlikely]]
        trace_refusal(t, outcome);
    if (outcome < CALL_WAITS) {
        frame_set_error(&t->frame, outcome);
        return;
    }
    frame_rewind(&t->frame);
    if (outcome == CALL_ASKS)
        pending_ask(t);
    if (outcome == CALL_FINISHES)
        frame_set_call(&t->frame, KOZO_SYS_FINISH, kernel.pending.number);
}

/*
 * If the thread is not where it was any more, or not ready, it has lost its turn: it was suspended,
 * had a fault there, or was sent elsewhere. Whoever runs knows by itself. The instruction is not
 * looked at again. What is recorded meanwhile names `t`, not the thread whose step this is.
 */
void call_asked_for(struct tcb *t, uint64_t ip)
{
    uint64_t number = frame_number(&t->frame);

    if (t->state != TCB_READY || t == kernel.cpu.current || frame_ip(&t->frame) != ip ||
        (number != KOZO_SYS_CAP_DELETE && number != KOZO_SYS_CAP_REVOKE))
        return;
    frame_skip(&t->frame);
    kernel.trace.caller = t->serial;
    finish(t, cap_destroy(t, &t->frame, number == KOZO_SYS_CAP_REVOKE));
    kernel.trace.caller = 0;
}

/* Nobody of at least its priority is ready: a thread that is able to go on does. */
static bool goes_on(const struct tcb *t)
{
    return !config_checks && kernel.sched.top > t->priority && kernel.cpu.handoff == nullptr;
}

/* Returns whether `t` just goes on. */
static bool run(struct tcb *t, uint64_t number)
{
    handler *h = table[number];
    enum kozo_err outcome = h != nullptr ? h(t, &t->frame) : KOZO_ERR_NOSYS;

    if (outcome == KOZO_OK && t->state == TCB_READY) [[clang::likely]] {
        frame_set_error(&t->frame, KOZO_OK);
        return goes_on(t);
    }
    finish(t, outcome);
    return false;
}

struct tcb *kernel_syscall(struct tcb *t)
{
    uint64_t number = frame_number(&t->frame);

    if (number >= KOZO_SYSCALL_LIMIT || (t->flags & KOZO_THREAD_FOREIGN) != 0) [[clang::unlikely]]
        fault_syscall(t, number);
    else if (run(t, number))
        return t;
    return kernel_leave();
}
