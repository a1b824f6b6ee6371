/* SPDX-License-Identifier: MIT */
/*
 * ipc.c - the model's Endpoints, replies and Notifications; ipc.md.
 */
#include "model.h"

#include <stdlib.h>

static bool has_deadline(const struct m_thread *t)
{
    return (t->regs.reg[1] & KOZO_INFO_DEADLINE) != 0;
}

/* ---- Endpoints ---- */

static void wait_for(struct m_thread *t, struct m_object *ep, struct m_queue *q,
                     enum kozo_thread_state state)
{
    bool timed = has_deadline(t) && (state == KOZO_THREAD_RECEIVING || t->message != M_FAULTS);

    if (timed && t->regs.rbx <= m->now) {
        m_message_fail(t, KOZO_ERR_TIMEOUT);
        return;
    }
    m_unready(t);
    t->state = state;
    t->waits_for = ep;
    m_queue_insert(q, t);
    t->timed = timed;
    t->deadline = t->regs.rbx;
}

/* The message of `from` reaches `to`; who calls waits for the answer from now on. */
static void deliver(struct m_thread *from, struct m_thread *to)
{
    uint64_t info = from->message == M_FAULTS ? m_fault_message(from, to)
                                              : m_message_move(from, to, from->rights);

    to->regs.rax = KOZO_OK;
    to->regs.reg[0] = from->badge;
    to->regs.reg[1] = info | (uint64_t)from->user << KOZO_INFO_USER_SHIFT | m_take_notice(to);
    if (from->message == M_SEND) {
        from->regs.rax = KOZO_OK;
        from->regs.reg[0] = 0;
        from->regs.reg[1] = info & KOZO_INFO_CAPS_MASK;
        return;
    }
    if (to->owes != nullptr)
        abort();
    from->state = KOZO_THREAD_CALLING;
    from->server = to;
    to->owes = from;
}

static struct m_thread *take_first(struct m_queue *q)
{
    struct m_thread *t = q->n > 0 ? q->item[0] : nullptr;

    if (t != nullptr) {
        m_queue_remove(q, t);
        t->waits_for = nullptr;
    }
    return t;
}

void m_send(struct m_thread *t, struct m_object *ep)
{
    struct m_thread *receiver = take_first(&ep->endpoint.receivers);

    if (receiver == nullptr) {
        wait_for(t, ep, &ep->endpoint.senders, KOZO_THREAD_SENDING);
        return;
    }
    receiver->timed = false;
    if (t->message != M_SEND)
        m_unready(t);
    if (t->message == M_CALL && has_deadline(t)) {
        t->timed = true;
        t->deadline = t->regs.rbx;
    }
    deliver(t, receiver);
    m_hand_to(receiver);
}

/* Bits of the bound Notification, and no message. */
static void receive_bits(struct m_thread *t)
{
    uint64_t notice = m_take_notice(t), bits = m_take_bits(t->bound);

    m_message_fail(t, KOZO_OK);
    t->regs.reg[0] = bits;
    t->regs.reg[1] = KOZO_INFO_NOTIFICATION | notice;
}

void m_recv(struct m_thread *t, struct m_object *ep)
{
    struct m_thread *sender;

    if (t->bound != nullptr && t->bound->ntfn.bits != 0) {
        receive_bits(t);
        return;
    }
    sender = take_first(&ep->endpoint.senders);
    if (sender == nullptr) {
        wait_for(t, ep, &ep->endpoint.receivers, KOZO_THREAD_RECEIVING);
        return;
    }
    deliver(sender, t);
    if (sender->message == M_SEND) {
        sender->timed = false;
        m_wake(sender);
    }
}

/* ---- replies ---- */

void m_reply_cut(struct m_thread *caller)
{
    struct m_cap *reply = caller->reply;

    if (caller->server != nullptr)
        caller->server->owes = nullptr;
    caller->server = nullptr;
    caller->reply = nullptr;
    if (reply != nullptr)
        m_cap_clear(reply);
}

void m_reply_drop(struct m_thread *server, enum kozo_err err)
{
    if (server->owes != nullptr)
        m_wake_error(server->owes, err);
}

void m_reply(struct m_thread *from, struct m_thread *caller)
{
    if (caller->message == M_FAULTS) {
        m_fault_reply(from, caller);
        return;
    }
    m_reply_cut(caller);
    caller->timed = false;
    caller->regs.reg[1] = m_message_move(from, caller, caller->rights);
    caller->regs.reg[0] = 0;
    caller->regs.rax = KOZO_OK;
    m_hand_to(caller);
}

/* ---- Notifications ---- */

uint64_t m_take_bits(struct m_object *ntfn)
{
    uint64_t bits = ntfn->ntfn.bits;

    ntfn->ntfn.bits = 0;
    return bits;
}

static void wake_bound(struct m_object *ntfn)
{
    struct m_thread *t = ntfn->ntfn.bound;

    if (t == nullptr || t->state != KOZO_THREAD_RECEIVING || ntfn->ntfn.bits == 0)
        return;
    m_unblock(t);
    receive_bits(t);
    m_wake(t);
}

void m_signal(struct m_object *ntfn, uint64_t bits)
{
    struct m_thread *t;

    ntfn->ntfn.bits |= bits;
    if (ntfn->ntfn.bits == 0)
        return;
    t = take_first(&ntfn->ntfn.waiters);
    if (t == nullptr) {
        wake_bound(ntfn);
        return;
    }
    t->timed = false;
    m_results(t, m_take_bits(ntfn), 0, 0);
    t->regs.rax = KOZO_OK;
    m_wake(t);
}

void m_wait(struct m_thread *t, struct m_object *ntfn)
{
    if (ntfn != nullptr && ntfn->ntfn.bits != 0) {
        m_results(t, m_take_bits(ntfn), 0, 0);
        t->regs.rax = KOZO_OK;
        return;
    }
    if (has_deadline(t) && t->regs.rbx <= m->now) {
        m_results(t, 0, 0, 0);
        t->regs.rax = KOZO_ERR_TIMEOUT;
        return;
    }
    m_unready(t);
    t->state = KOZO_THREAD_WAITING;
    t->waits_for = ntfn;
    t->timed = has_deadline(t);
    t->deadline = t->regs.rbx;
    if (ntfn != nullptr)
        m_queue_insert(&ntfn->ntfn.waiters, t);
}

void m_bind_ntfn(struct m_object *ntfn, struct m_thread *t)
{
    ntfn->ntfn.bound = t;
    t->bound = ntfn;
    wake_bound(ntfn);
}

void m_unbind_ntfn(struct m_object *ntfn)
{
    if (ntfn->ntfn.bound != nullptr)
        ntfn->ntfn.bound->bound = nullptr;
    ntfn->ntfn.bound = nullptr;
}
