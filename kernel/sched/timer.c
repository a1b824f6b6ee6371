/* SPDX-License-Identifier: MIT */
#include "sched/timer.h"

#include "base/log.h"
#include "kernel.h"

static void put(uint32_t i, struct tcb *t)
{
    kernel.timers.heap[i] = t;
    t->timer_index = i + 1;
    if (i == 0) {
        kernel.timers.next = t->deadline;
        kernel.timers.stale = true;
    }
}

static void sift_up(uint32_t i, struct tcb *t)
{
    struct tcb **heap = kernel.timers.heap;

    while (i > 0 && heap[(i - 1) / 2]->deadline > t->deadline) {
        put(i, heap[(i - 1) / 2]);
        i = (i - 1) / 2;
    }
    put(i, t);
}

static void sift_down(uint32_t i, struct tcb *t)
{
    struct tcb **heap = kernel.timers.heap;
    uint32_t count = kernel.timers.count;

    for (;;) {
        uint32_t child = 2 * i + 1;

        if (child + 1 < count && heap[child + 1]->deadline < heap[child]->deadline)
            child++;
        if (child >= count || heap[child]->deadline >= t->deadline)
            break;
        put(i, heap[child]);
        i = child;
    }
    put(i, t);
}

void timer_add(struct tcb *t, uint64_t deadline)
{
    kassert(t->timer_index == 0 && kernel.timers.count < CONFIG_MAX_THREADS);
    t->deadline = deadline;
    t->slow |= TCB_SLOW_DEADLINE;
    sift_up(kernel.timers.count++, t);
}

void timer_remove(struct tcb *t)
{
    uint32_t i = t->timer_index;
    struct tcb *last;

    if (i == 0)
        return;
    t->timer_index = 0;
    t->slow &= (uint8_t)~TCB_SLOW_DEADLINE;
    last = kernel.timers.heap[--kernel.timers.count];
    kernel.timers.heap[kernel.timers.count] = nullptr;
    if (kernel.timers.count == 0)
        kernel.timers.next = TIMER_NEVER;
    if (last == t)
        return;
    i--;
    if (i > 0 && kernel.timers.heap[(i - 1) / 2]->deadline > last->deadline)
        sift_up(i, last);
    else
        sift_down(i, last);
}

void timer_expire(uint64_t now)
{
    struct timers *timers = &kernel.timers;

    for (uint32_t n = 0; n < TIMER_BATCH && timers->count > 0 && timers->heap[0]->deadline <= now;
         n++)
        tcb_wake_error(timers->heap[0], KOZO_ERR_TIMEOUT);
}

void timer_arm_by(uint64_t due)
{
    struct timers *timers = &kernel.timers;

    if (due < timers->armed) {
        timers->armed = due;
        arch_timer_arm(due);
    }
}

void timer_arm(uint64_t slice_due)
{
    kernel.timers.stale = false;
    timer_arm_by(min_u64(kernel.timers.next, slice_due));
}
