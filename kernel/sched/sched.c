/* SPDX-License-Identifier: MIT */
#include "sched/sched.h"

#include "base/log.h"
#include "kernel.h"
#include "sched/ring.h"

static void set_top(struct sched *s, uint32_t top)
{
    s->top = top;
    s->admit = (int32_t)top - 1;
}

static uint32_t find_top(const struct sched *s)
{
    uint32_t word;

    if (s->words == 0)
        return SCHED_NONE;
    word = (uint32_t)__builtin_ctzll(s->words);
    return word * 64 + (uint32_t)__builtin_ctzll(s->bitmap[word]);
}

static void mark(struct sched *s, uint32_t priority)
{
    s->bitmap[priority / 64] |= 1ull << priority % 64;
    s->words |= 1ull << priority / 64;
    if (priority < s->top)
        set_top(s, priority);
}

static void unmark(struct sched *s, uint32_t priority)
{
    s->bitmap[priority / 64] &= ~(1ull << priority % 64);
    if (s->bitmap[priority / 64] == 0)
        s->words &= ~(1ull << priority / 64);
    s->slice_end[priority] = 0;
    if (priority == s->top)
        set_top(s, find_top(s));
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
    struct tcb *cur = kernel.cpu.current, **equals = &kernel.sched.ready[cur->priority];

    if (*equals != nullptr)
        kernel.cpu.handoff = ring_trade(equals, cur);
}

/* Both can run: the other waits, without losing its turn if it ran. */
[[gnu::noinline]] static struct tcb *more_urgent_of(struct tcb *cur, struct tcb *to)
{
    if (to->priority < cur->priority) {
        enqueue_front(cur);
        return to;
    }
    enqueue(to);
    return cur;
}

/* Who runs if nobody in the ready queues is more urgent: the running thread, or the one handed to; the other waits. */
static struct tcb *preferred(struct tcb *cur, struct tcb *to)
{
    if (cur == kernel.cpu.idle || cur->state != TCB_READY || cur->next != nullptr)
        return to;
    if (to == nullptr)
        return cur;
    return more_urgent_of(cur, to);
}

static bool slice_is_over(uint32_t priority)
{
    const struct sched *s = &kernel.sched;

    return s->slice_end[priority] <= s->last_tick;
}

/* One that has not begun is over too. */
[[gnu::noinline]] static void begin_slice(uint64_t *end) { *end = arch_now() + SCHED_SLICE_NS; }

/* `next` runs, and an equal waits: their slice is timed. A switch among them does not renew it. */
static struct tcb *run_among_equals(struct tcb *next)
{
    struct sched *s = &kernel.sched;
    uint64_t *end = &s->slice_end[s->top];

    if (slice_is_over(s->top)) [[clang::unlikely]]
        begin_slice(end);
    s->slice_due = *end;
    s->admit = (int32_t)s->top;
    return next;
}

static struct tcb *run_alone(struct tcb *next)
{
    kernel.sched.slice_due = UINT64_MAX;
    return next;
}

/* The most urgent thread of the ready queues takes the place of `best`, if there is one; or the idle thread. */
[[gnu::noinline]] static struct tcb *take_most_urgent(struct tcb *best)
{
    struct sched *s = &kernel.sched;

    if (s->top == SCHED_NONE)
        return run_alone(kernel.cpu.idle);
    if (best != nullptr)
        enqueue_front(best);
    best = s->ready[s->top];
    dequeue(best);
    return s->top == best->priority ? run_among_equals(best) : run_alone(best);
}

struct tcb *sched_pick(void)
{
    struct sched *s = &kernel.sched;
    struct tcb *best = preferred(kernel.cpu.current, kernel.cpu.handoff);

    kernel.cpu.handoff = nullptr;
    if (best == nullptr || s->top < best->priority)
        return take_most_urgent(best);
    if (s->top > best->priority)
        return run_alone(best);
    if (s->slice_end[s->top] != 0 && slice_is_over(s->top)) [[clang::unlikely]]
        best = ring_trade(&s->ready[s->top], best);
    return run_among_equals(best);
}

void sched_tick(uint64_t now)
{
    kernel.sched.last_tick = now;
    kernel.sched.admit = (int32_t)kernel.sched.top - 1;
}
