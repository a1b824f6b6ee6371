/* SPDX-License-Identifier: MIT */
/*
 * thread.c - the model's threads: bindings, states, who runs; threads.md.
 */
#include "model.h"

#include <stdlib.h>

bool m_is_blocked(const struct m_thread *t)
{
    return t->state >= KOZO_THREAD_SENDING && t->state <= KOZO_THREAD_WAITING;
}

bool m_is_stopped(const struct m_thread *t)
{
    return t->state == KOZO_THREAD_STOPPED || t->state == KOZO_THREAD_FAULTED;
}

bool m_is_faulting(const struct m_thread *t)
{
    return t->message == M_FAULTS &&
           (t->state == KOZO_THREAD_SENDING || t->state == KOZO_THREAD_CALLING);
}

/* ---- ready and not ---- */

static bool waits_at(uint8_t priority)
{
    for (uint32_t i = 0; i < m->ready.n; i++)
        if (m->ready.item[i]->priority == priority)
            return true;
    return false;
}

void m_wake(struct m_thread *t)
{
    if (t->state == KOZO_THREAD_READY || t->binding[M_VSPACE] == nullptr)
        abort();
    t->state = KOZO_THREAD_READY;
    m_queue_push(&m->ready, t);
}

void m_hand_to(struct m_thread *t)
{
    if (m->handoff != nullptr) {
        m_wake(t);
        return;
    }
    t->state = KOZO_THREAD_READY;
    m->handoff = t;
}

void m_unready(struct m_thread *t)
{
    if (m->handoff == t)
        m->handoff = nullptr;
    m_queue_remove(&m->ready, t);
    if (!waits_at(t->priority))
        m->slice[t->priority] = 0;
}

static struct m_queue *queue_of(const struct m_thread *t)
{
    if (t->state == KOZO_THREAD_SENDING)
        return &t->waits_for->endpoint.senders;
    if (t->state == KOZO_THREAD_RECEIVING)
        return &t->waits_for->endpoint.receivers;
    if (t->state == KOZO_THREAD_WAITING && t->waits_for != nullptr)
        return &t->waits_for->ntfn.waiters;
    return nullptr;
}

void m_unblock(struct m_thread *t)
{
    struct m_queue *q = queue_of(t);

    if (q != nullptr)
        m_queue_remove(q, t);
    if (t->state == KOZO_THREAD_CALLING)
        m_reply_cut(t);
    t->waits_for = nullptr;
    t->timed = false;
}

static void call_fails(struct m_thread *t, enum kozo_err err)
{
    if (t->state == KOZO_THREAD_WAITING)
        t->regs.reg[0] = t->regs.reg[2] = 0;
    else
        m_message_fail(t, err);
    t->regs.rax = err;
}

void m_wake_error(struct m_thread *t, enum kozo_err err)
{
    if (!m_is_blocked(t))
        abort();
    if (m_is_faulting(t)) {
        m_unblock(t);
        m_fault_stop(t);
        return;
    }
    call_fails(t, err);
    m_unblock(t);
    m_wake(t);
}

void m_suspend(struct m_thread *t)
{
    if (m_is_faulting(t)) {
        m_unblock(t);
        t->state = KOZO_THREAD_FAULTED;
    } else if (m_is_blocked(t)) {
        call_fails(t, KOZO_ERR_CANCELLED);
        m_unblock(t);
        t->state = KOZO_THREAD_STOPPED;
    } else if (t->state == KOZO_THREAD_READY) {
        m_unready(t);
        t->state = KOZO_THREAD_STOPPED;
    }
}

/* ---- handlers that stop ---- */

void m_drop_caller(struct m_thread *t)
{
    if (t->owes == nullptr || !m_is_faulting(t->owes)) {
        m_reply_drop(t, KOZO_ERR_GONE);
        return;
    }
    t->dropping = true;
    m_queue_push_front(&m->stopped, t);
}

static void forget_dropping(struct m_thread *t)
{
    t->dropping = false;
    m_queue_remove(&m->stopped, t);
}

void m_step_stopped(void)
{
    struct m_thread *t = m->stopped.item[0];

    forget_dropping(t);
    m_reply_drop(t, KOZO_ERR_GONE);
}

/* ---- from outside ---- */

void m_resume(struct m_thread *t)
{
    forget_dropping(t);
    t->fault = (struct m_fault){};
    t->started = true;
    m_wake(t);
}

void m_set_priority(struct m_thread *t, uint8_t priority, uint8_t ceiling)
{
    struct m_queue *q = queue_of(t);
    bool ready = m_queue_has(&m->ready, t);

    if (ready)
        m_unready(t);
    t->ceiling = ceiling;
    t->priority = priority;
    if (q != nullptr) {
        m_queue_remove(q, t);
        m_queue_insert(q, t);
    }
    if (ready)
        m_queue_push(&m->ready, t);
}

/* ---- from beginning to end ---- */

struct m_thread *m_thread_new(struct m_object *pool, uint8_t flags, uint8_t priority)
{
    struct m_object *o = m_object_new(KOZO_KIND_THREAD);
    struct m_thread *t = m_new(sizeof *t);

    o->thread = t;
    t->object = o;
    t->state = KOZO_THREAD_STOPPED;
    t->flags = flags;
    t->priority = t->ceiling = priority;
    t->pool = pool;
    m_queue_push(&m->threads, t);
    return t;
}

void m_thread_end(struct m_thread *t)
{
    m_suspend(t);
    t->state = KOZO_THREAD_STOPPED;
    forget_dropping(t);
    m_queue_remove(&m->asking, t);
    m_reply_drop(t, KOZO_ERR_GONE);
    if (t->bound != nullptr)
        m_unbind_ntfn(t->bound);
    for (uint32_t i = 0; i < M_BINDINGS; i++)
        if (t->binding[i] != nullptr)
            m_cap_delete(t->binding[i]);
    t->state = 0;
    t->pool->pool.free++;
    m_queue_remove(&m->threads, t);
}

void m_bind(struct m_thread *t, enum m_binding which, struct m_cap *from, uint64_t offset)
{
    if (t->binding[which] != nullptr)
        m_cap_delete(t->binding[which]);
    m_cap_put(m_cap_copy(from, KOZO_RIGHTS_ALL, 0xff), from, M_BINDING, t->object, which);
    if (which == M_BUFFER)
        t->buffer = from->object->base + offset;
}

void m_binding_lost(struct m_thread *t, enum m_binding which)
{
    if (which == M_VSPACE)
        m_suspend(t); /* it has nowhere to run */
}

/* ---- who runs ---- */

/* The oldest of the most urgent ready threads; null when there is none. */
static struct m_thread *most_urgent(void)
{
    struct m_thread *best = nullptr;

    for (uint32_t i = 0; i < m->ready.n; i++)
        if (best == nullptr || m->ready.item[i]->priority < best->priority)
            best = m->ready.item[i];
    return best;
}

bool m_stays(const struct m_thread *t)
{
    const struct m_thread *other = most_urgent();

    return t->state == KOZO_THREAD_READY && m->handoff == nullptr &&
           (other == nullptr || other->priority > t->priority);
}

/* `t` goes behind its equals; the first of them comes in its place. */
static struct m_thread *trade(struct m_thread *t)
{
    struct m_thread *first = nullptr;

    for (uint32_t i = m->ready.n; i-- > 0;)
        if (m->ready.item[i]->priority == t->priority)
            first = m->ready.item[i];
    m_queue_push(&m->ready, t);
    m_queue_remove(&m->ready, first);
    return first;
}

void m_yield(void)
{
    if (waits_at(m->current->priority))
        m->handoff = trade(m->current);
}

/* The thread that ran, or the one handed to: who runs if nobody is more urgent. The other gets
 * ready. */
static struct m_thread *preferred(void)
{
    struct m_thread *ran = m->ran, *to = m->handoff;

    m->handoff = nullptr;
    if (ran == nullptr || ran->state != KOZO_THREAD_READY || m_queue_has(&m->ready, ran))
        return to;
    if (to == nullptr)
        return ran;
    if (to->priority < ran->priority) {
        m_queue_push_front(&m->ready, ran);
        return to;
    }
    m_queue_push(&m->ready, to);
    return ran;
}

/* `next` runs: if an equal waits their slice is timed, from its beginning on. */
static struct m_thread *run(struct m_thread *next)
{
    uint64_t *slice = next != nullptr ? &m->slice[next->priority] : nullptr;

    m->slice_due = M_NEVER;
    if (next == nullptr || !waits_at(next->priority))
        return next;
    if (*slice <= m->last_tick)
        *slice = m->now + M_SLICE_NS;
    m->slice_due = *slice;
    return next;
}

static struct m_thread *decide(void)
{
    struct m_thread *best = preferred(), *other = most_urgent();

    if (other != nullptr && (best == nullptr || other->priority < best->priority)) {
        if (best != nullptr)
            m_queue_push_front(&m->ready, best);
        m_unready(other);
        return run(other);
    }
    if (best != nullptr && waits_at(best->priority) && m->slice[best->priority] != 0 &&
        m->slice[best->priority] <= m->last_tick)
        best = trade(best);
    return run(best);
}

void m_leave(void)
{
    struct m_thread *next;

    m->ran = m->current;
    next = decide();
    while (next == nullptr && m_is_pending() && !m_interrupt_waits()) {
        m_steps(M_STEPS);
        next = decide();
    }
    if (next == m->ran)
        return;
    *(m->ran != nullptr ? &m->ran->cpu_ns : &m->idle_ns) += m->now - m->charged;
    m->charged = m->now;
    m->current = next;
}
