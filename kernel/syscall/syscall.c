/* SPDX-License-Identifier: MIT */
#include "syscall/syscall.h"

typedef enum kozo_err handler(struct tcb *t, const struct call_args *a);

static handler *const table[KOZO_SYSCALL_LIMIT] = {
#define KOZO_SYSCALL(nr, NAME, name, args, results, text) [nr] = sys_##name,
#include <kozo/syscalls.def>
#undef KOZO_SYSCALL
};

/* The one place where a call's result reaches its caller, if there is still one. */
static void finish(struct tcb *t, enum kozo_err outcome)
{
    if (outcome == CALL_WAITS || t->state == TCB_FREE)
        return;
    if (outcome == CALL_AGAIN)
        frame_rewind(&t->frame);
    else if (outcome == CALL_FINISHES)
        frame_rewind_as(&t->frame, KOZO_SYS_FINISH);
    else
        frame_set_error(&t->frame, outcome);
}

void syscall_run(struct tcb *t, uint64_t number)
{
    struct call_args args = frame_args(&t->frame);
    handler *h = number < KOZO_SYSCALL_LIMIT ? table[number] : nullptr;

    finish(t, h != nullptr ? h(t, &args) : KOZO_ERR_NOSYS);
}
