/* SPDX-License-Identifier: MIT */
#include "init/crash.h"
#include "init/threads.h"

#include <kozo/slots.h>
#include <kozo/syscall.h>

/* Its image lies in the slots before its stack's. What is no Frame, or not mapped, stays as it is. */
static void take_code(const struct kozo_process *p)
{
    for (uint64_t slot = 1; slot < p->stack_slot; slot++)
        (void)kozo_unmap(kozo_in(p->keep, slot));
}

/* It runs at once, before us, when it is more urgent. */
static enum kozo_err crash_thread(struct service *s, struct kozo_thread thread, struct kozo_str by)
{
    struct kozo_thread_info info = kozo_thread_info(thread);

    if (info.err != KOZO_OK)
        return info.err;
    if (info.state == KOZO_THREAD_STOPPED)
        return KOZO_ERR_STATE;
    kozo_str_copy(s->crashed_by, sizeof s->crashed_by, by);
    take_code(&s->process);
    (void)kozo_thread_suspend(thread);
    return kozo_thread_resume(thread);
}

enum kozo_err crash_service(struct service *s, uint64_t number, struct kozo_str by)
{
    struct threads_copy other;
    enum kozo_err err;

    if (s->state != SERVICE_RUNNING)
        return KOZO_ERR_STATE;
    other =
        number > 0 ? threads_copy(s, number) : (struct threads_copy){ s->process.thread, KOZO_OK };
    if (other.err != KOZO_OK)
        return other.err;
    err = crash_thread(s, other.thread, by);
    if (number > 0)
        kozo_slot_drop(other.thread.c);
    return err;
}
