/* SPDX-License-Identifier: MIT */
/*
 * event.c - what can happen to the model: calls, faults, interrupts, time.
 */
#include "model.h"

#include <string.h>

static m_call *const calls[KOZO_SYSCALL_LIMIT] = {
#define KOZO_SYSCALL(nr, NAME, name, args, results, text) [nr] = m_call_##name,
#include <kozo/syscalls.def>
#undef KOZO_SYSCALL
};

static void begin(void)
{
    m->checks = 0;
    m->port = (struct m_port){};
    m->console_bytes = 0;
}

/* True when the thread just goes on, and nobody decides who runs. */
static bool finish(struct m_thread *t, uint32_t end)
{
    if (end == M_WAITS || t->state == 0)
        return false;
    if (end < M_WAITS) {
        t->regs.rax = end;
        return end == KOZO_OK && m_stays(t);
    }
    t->regs.ip -= M_CALL_BYTES;
    if (end == M_FINISHES) {
        t->regs.rax = KOZO_SYS_FINISH;
        t->regs.reg[0] = m->number;
    }
    if (end == M_ASKS && !m_queue_has(&m->asking, t))
        m_queue_push(&m->asking, t);
    if (end == M_ASKS)
        t->asks_at = t->regs.ip;
    return false;
}

void m_asked_for(struct m_thread *t)
{
    uint64_t number = t->regs.rax;

    if (t == m->current || t->state != KOZO_THREAD_READY || t->regs.ip != t->asks_at ||
        (number != KOZO_SYS_CAP_DELETE && number != KOZO_SYS_CAP_REVOKE))
        return;
    t->regs.ip += M_CALL_BYTES;
    (void)finish(t, m_destroy(t, number, t->regs.reg));
}

void m_event_call(void)
{
    struct m_thread *t = m->current;
    uint64_t number = t->regs.rax, arg[M_REGS];

    begin();
    memcpy(arg, t->regs.reg, sizeof arg);
    if (number >= KOZO_SYSCALL_LIMIT || (t->flags & KOZO_THREAD_FOREIGN) != 0)
        m_fault_raise(t, (struct m_fault){ .kind = KOZO_FAULT_SYSCALL,
                                           .access = (uint32_t)number,
                                           .address = number });
    else if (finish(t, calls[number] != nullptr ? calls[number](t, arg) : (uint32_t)KOZO_ERR_NOSYS))
        return;
    m_leave();
}

void m_event_fault(struct m_fault fault)
{
    begin();
    m_fault_raise(m->current, fault);
    m_leave();
}

void m_event_interrupt(uint32_t line)
{
    struct m_line *l = &m->line[line];

    begin();
    if (m_line_is_open(line)) {
        l->pending = true;
        m_signal(l->ntfn->object, l->bits);
    }
    m_leave();
}

/* The blocked thread whose deadline has passed longest; null when there is none. */
static struct m_thread *overdue(void)
{
    struct m_thread *first = nullptr;

    for (uint32_t i = 0; i < m->threads.n; i++) {
        struct m_thread *t = m->threads.item[i];

        if (t->timed && t->deadline <= m->now &&
            (first == nullptr || t->deadline < first->deadline))
            first = t;
    }
    return first;
}

void m_event_tick(void)
{
    begin();
    m->ticks++;
    for (uint32_t i = 0; i < M_EXPIRE_MOST && overdue() != nullptr; i++)
        m_wake_error(overdue(), KOZO_ERR_TIMEOUT);
    m->last_tick = m->now;
    m_leave();
}

void m_event_nothing(void)
{
    begin();
    m_leave();
}
