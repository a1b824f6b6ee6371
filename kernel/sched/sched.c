/* SPDX-License-Identifier: MIT */
#include "sched/sched.h"

#include "base/log.h"
#include "kernel.h"
#include "sched/ring.h"

static void set_top(struct sched *s)
{
    if (s->words == 0) {
        s->top = SCHED_NONE;
    } else {
        uint32_t word = (uint32_t)__builtin_ctzll(s->words);
        s->top = word * 64 + (uint32_t)__builtin_ctzll(s->bitmap[word]);
    }
}

static void mark(struct sched *s, uint32_t priority)
{
    s->bitmap[priority / 64] |= 1ull << priority % 64;
    s->words |= 1ull << priority / 64;
    if (priority < s->top)
        s->top = priority;
}

static void unmark(struct sched *s, uint32_t priority)
{
    s->bitmap[priority / 64] &= ~(1ull << priority % 64);
    if (s->bitmap[priority / 64] == 0)
        s->words &= ~(1ull << priority / 64);
    if (priority == s->top)
        set_top(s);
}

static void enqueue(struct tcb *t)
{
    ring_push(&kernel.sched.ready[t->priority], t);
    mark(&kernel.sched, t->priority);
}

static void enqueue_front(struct tcb *t)
{
    ring_push_front(&kernel.sched.ready[t->priority], t);
    mark(&kernel.sched, t->priority);
}

static void dequeue(struct tcb *t)
{
    ring_remove(&kernel.sched.ready[t->priority], t);
    if (kernel.sched.ready[t->priority] == nullptr)
        unmark(&kernel.sched, t->priority);
}

void sched_wake(struct tcb *t)
{
    kassert(t->state != TCB_READY && t->root != 0);
    t->state = TCB_READY;
    enqueue(t);
}

void sched_handoff(struct tcb *t)
{
    if (kernel.cpu.handoff != nullptr) {
        sched_wake(t);
        return;
    }
    kassert(t->state != TCB_READY && t->root != 0);
    t->state = TCB_READY;
    kernel.cpu.handoff = t;
}

void sched_remove(struct tcb *t)
{
    kassert(t->state == TCB_READY);
    if (t == kernel.cpu.handoff)
        kernel.cpu.handoff = nullptr;
    else if (t->next != nullptr)
        dequeue(t);
}

void sched_set_priority(struct tcb *t, uint8_t priority)
{
    bool queued = t->state == TCB_READY && t->next != nullptr;

    if (queued)
        dequeue(t);
    t->priority = priority;
    if (queued)
        enqueue(t);
}

void sched_rotate(void)
{
    if (kernel.sched.ready[kernel.cpu.current->priority] != nullptr)
        kernel.sched.rotate = true;
}

bool sched_stays(const struct tcb *t)
{
    return kernel.sched.top > t->priority && t->state == TCB_READY && t->next == nullptr &&
           kernel.cpu.handoff == nullptr;
}

/* Who runs if nobody in the ready queues is more urgent: the running thread, or the one handed to; the other waits. */
static struct tcb *preferred(void)
{
    struct tcb *cur = kernel.cpu.current, *to = kernel.cpu.handoff;

    kernel.cpu.handoff = nullptr;
    if (cur == kernel.cpu.idle || cur->state != TCB_READY || cur->next != nullptr)
        return to;
    if (kernel.sched.rotate) {
        enqueue(cur);
        return to;
    }
    if (to == nullptr)
        return cur;
    if (to->priority < cur->priority) {
        enqueue_front(cur);
        return to;
    }
    enqueue(to);
    return cur;
}

/* A slice runs while a thread of the running one's priority is ready; a switch among equals does not renew it. */
static void slice_update(const struct tcb *next)
{
    struct sched *s = &kernel.sched;

    if (next == kernel.cpu.idle || s->ready[next->priority] == nullptr) {
        s->slice_end = UINT64_MAX;
    } else if (s->slice_end == UINT64_MAX || s->slice_priority != next->priority) {
        s->slice_priority = next->priority;
        s->slice_end = arch_now() + SCHED_SLICE_NS;
    }
}

struct tcb *sched_pick(void)
{
    struct sched *s = &kernel.sched;
    struct tcb *best = preferred();

    s->rotate = false;
    if (s->top != SCHED_NONE && (best == nullptr || s->top < best->priority)) {
        if (best != nullptr)
            enqueue_front(best);
        best = s->ready[s->top];
        dequeue(best);
    }
    if (best == nullptr)
        best = kernel.cpu.idle;
    slice_update(best);
    return best;
}

void sched_tick(uint64_t now)
{
    struct sched *s = &kernel.sched;

    if (now < s->slice_end)
        return;
    s->slice_end = UINT64_MAX;
    s->rotate = kernel.cpu.current->priority == s->slice_priority;
}
