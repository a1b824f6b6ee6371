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
    if (kernel.cpu.handoff != nullptr) [[clang::unlikely]] {
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
    if (t == kernel.cpu.current && t->next == nullptr)
        return;
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

/*
 * Who runs if nobody in the ready queues is more urgent: the running thread, or the one handed to;
 * the other waits.
 */
static struct tcb *preferred(struct tcb *cur, struct tcb *to)
{
    if (cur->next != nullptr || cur->state != TCB_READY || cur == kernel.cpu.idle)
        return to;
    if (to == nullptr)
        return cur;
    return more_urgent_of(cur, to);
}

/*
 * The slice of the top priority is over, or has not begun: it begins, and `best`, if its turn is
 * over, goes behind its equals.
 */
[[gnu::noinline]] static struct tcb *next_slice(struct tcb *best, bool rotate)
{
    struct sched *s = &kernel.sched;
    uint64_t *end = &s->slice_end[s->top];

    if (rotate && *end != 0)
        best = ring_trade(&s->ready[s->top], best);
    *end = arch_now() + SCHED_SLICE_NS;
    kernel.timers.stale = true;
    return best;
}

/* `best` runs, and an equal waits: their slice is timed. A switch among them does not renew it. */
[[gnu::always_inline]] static inline struct tcb *run_among_equals(struct tcb *best, bool rotate)
{
    struct sched *s = &kernel.sched;
    uint32_t top = s->top;
    uint64_t end = s->slice_end[top];

    if (end <= s->last_tick) [[clang::unlikely]] {
        best = next_slice(best, rotate);
        end = s->slice_end[top];
    }
    if (end < kernel.timers.armed) [[clang::unlikely]]
        kernel.timers.stale = true;
    s->admit = (int32_t)top;
    return best;
}

/*
 * The most urgent thread of the ready queues takes the place of `best`, if there is one; or the
 * idle thread.
 */
[[gnu::noinline]] static struct tcb *take_most_urgent(struct tcb *best)
{
    struct sched *s = &kernel.sched;

    if (s->top == SCHED_NONE)
        return kernel.cpu.idle;
    if (best != nullptr)
        enqueue_front(best);
    best = s->ready[s->top];
    dequeue(best);
    return s->top == best->priority ? run_among_equals(best, false) : best;
}

/* Nobody is ready: there is time for what is pending, until an interrupt or a thread it woke. */
[[gnu::noinline]] static struct tcb *use_idle_time(void)
{
    struct tcb *next = kernel.cpu.idle;

    while (next == kernel.cpu.idle && pending_any() && !arch_irq_pending()) {
        pending_steps(PENDING_BATCH);
        next = take_most_urgent(nullptr);
    }
    return next;
}

[[gnu::always_inline]] static inline struct tcb *pick(void)
{
    struct sched *s = &kernel.sched;
    struct tcb *best = preferred(kernel.cpu.current, kernel.cpu.handoff);

    kernel.cpu.handoff = nullptr;
    if (best != nullptr && s->top == best->priority)
        return run_among_equals(best, true);
    if (best != nullptr && s->top > best->priority)
        return best;
    best = take_most_urgent(best);
    return best == kernel.cpu.idle ? use_idle_time() : best;
}

void sched_tick(uint64_t now)
{
    kernel.sched.last_tick = now;
    kernel.sched.admit = (int32_t)kernel.sched.top - 1;
}

/* ---- leaving the kernel ---- */

/*
 * The time since the last switch by the scheduler belongs to the thread that ran at the end of it.
 * Switches of the fast path do not come here: threads that call each other share their time by who
 * is interrupted.
 */
static void charge(struct tcb *from)
{
    uint64_t now = arch_cycles();

    from->cpu_cycles += now - kernel.cpu.charged;
    kernel.cpu.charged = now;
}

/* When the turn of those who wait at the priority of `t` comes. */
static uint64_t slice_due(const struct tcb *t)
{
    return kernel.sched.top == t->priority ? kernel.sched.slice_end[t->priority] : TIMER_NEVER;
}

struct tcb *kernel_leave(void)
{
    struct tcb *from = kernel.cpu.current, *to = pick();

    if (kernel.timers.stale)
        timer_arm(slice_due(to));
    if (to != from) {
        charge(from);
        kernel.cpu.current = to;
        arch_thread_switch(from, to);
    }
    if (config_checks)
        kernel_check();
    return to;
}
