/* SPDX-License-Identifier: MIT */
#include "base/log.h"
#include "kernel.h"

struct kernel kernel;

void kernel_init(void)
{
    cdt_init(&kernel.root);
    kernel.sched.top = SCHED_NONE;
    kernel.sched.admit = SCHED_NONE - 1;
    kernel.sched.slice_due = UINT64_MAX;
    kernel.timers.next = kernel.timers.armed = TIMER_NEVER;
    kernel.idle_tcb.state = TCB_READY;
    kernel.idle_tcb.priority = kernel.idle_tcb.ceiling = KOZO_PRIORITY_IDLE;
    kernel.cpu.idle = kernel.cpu.current = &kernel.idle_tcb;
    klog("badges: key from %s", arch_entropy(kernel.badges.key) ? "RDRAND" : "TSC, RTC and kozo.seed (weak)");
}

/* Nobody is ready: there is time for what is pending, until an interrupt or a thread it woke. */
static struct tcb *use_idle_time(void)
{
    struct tcb *next = kernel.cpu.idle;

    while (next == kernel.cpu.idle && pending_any() && !arch_irq_pending()) {
        pending_steps(PENDING_BATCH);
        next = sched_pick();
    }
    return next;
}

/*
 * The time since the last switch by the scheduler belongs to the thread that ran at the end of it. Switches of the fast
 * path do not come here: threads that call each other share their time by who is interrupted.
 */
static void charge(struct tcb *from)
{
    uint64_t now = arch_cycles();

    from->cpu_cycles += now - kernel.cpu.charged;
    kernel.cpu.charged = now;
}

struct tcb *kernel_leave(void)
{
    struct tcb *from = kernel.cpu.current, *to = sched_pick();

    if (to == kernel.cpu.idle) [[clang::unlikely]]
        to = use_idle_time();
    if (kernel.timers.next < kernel.timers.armed || kernel.sched.slice_due < kernel.timers.armed)
        timer_arm(kernel.sched.slice_due);
    if (to != from) {
        charge(from);
        kernel.cpu.current = to;
        arch_thread_switch(from, to);
    }
    if (config_checks)
        kernel_check();
    return to;
}

struct tcb *kernel_fault(struct tcb *t, const struct fault *fault)
{
    fault_raise(t, fault);
    return kernel_leave();
}

struct tcb *kernel_interrupt(uint32_t line)
{
    irq_deliver(line);
    return kernel_leave();
}

struct tcb *kernel_tick(void)
{
    uint64_t now = arch_now();

    kernel.timers.ticks++;
    kernel.timers.armed = TIMER_NEVER;
    timer_expire(now);
    sched_tick(now);
    return kernel_leave();
}
