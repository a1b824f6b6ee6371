/* SPDX-License-Identifier: MIT */
#include "init/crash.h"
#include "init/threads.h"

#include <kozo/syscall.h>

/* Its image lies in the slots before its stack's. What is no Frame, or not mapped, stays as it is. */
static void take_code(const struct kozo_process *p)
{
    for (uint64_t slot = 1; slot < p->stack_slot; slot++)
        (void)kozo_unmap(kozo_in(p->keep, slot));
}

/* It goes on once whoever called lets it. */
static void run_on(struct kozo_thread thread, void *context)
{
    (void)kozo_thread_suspend(thread);
    *(enum kozo_err *)context = kozo_thread_resume(thread);
}

enum kozo_err crash_service(struct service *s, uint64_t number, struct kozo_str by)
{
    struct kozo_thread_info info;
    enum kozo_err run = KOZO_OK, err = KOZO_OK;

    if (s->state != SERVICE_RUNNING)
        return KOZO_ERR_STATE;
    info = threads_info(s, number);
    if (info.err != KOZO_OK)
        return info.err;
    if (info.state == KOZO_THREAD_STOPPED)
        return KOZO_ERR_STATE;
    kozo_str_copy(s->crashed_by, sizeof s->crashed_by, by);
    take_code(&s->process);
    if (number > 0)
        err = threads_act(s, number, run_on, &run);
    else
        run_on(s->process.thread, &run);
    return err != KOZO_OK ? err : run;
}
