/* SPDX-License-Identifier: MIT */
#include "base/log.h"
#include "kernel.h"

struct kernel kernel;

void kernel_init(void)
{
    cdt_init(&kernel.root);
    kernel.pending.number = 1;
    kernel.sched.top = SCHED_NONE;
    kernel.sched.admit = SCHED_NONE - 1;
    kernel.timers.next = kernel.timers.armed = TIMER_NEVER;
    kernel.idle_tcb.state = TCB_READY;
    kernel.idle_tcb.priority = kernel.idle_tcb.ceiling = KOZO_PRIORITY_IDLE;
    kernel.cpu.idle = kernel.cpu.current = &kernel.idle_tcb;
    klog("badges: key from %s",
         arch_entropy(kernel.badges.key) ? "RDRAND" : "TSC, RTC and kozo.seed (weak)");
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
    kernel.timers.stale = true;
    timer_expire(now);
    if (kernel.log.left_out != 0) [[clang::unlikely]]
        fault_tell_left_out(now);
    sched_tick(now);
    return kernel_leave();
}
