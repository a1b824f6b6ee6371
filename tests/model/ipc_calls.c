/* SPDX-License-Identifier: MIT */
/*
 * ipc_calls.c - the model's calls on Endpoints and Notifications; ipc.md.
 */
#include "model.h"

/* Capabilities in the message that is sent, or that may come with the one received. */
static uint64_t in_message(uint64_t info) { return info >> 8 & 7; }
static uint64_t in_window(uint64_t info) { return (info & KOZO_INFO_RECV_CAPS) != 0 ? 3 : 0; }

/* What is pending goes on; it may take away what the caller needs to run. */
static bool pay(struct m_thread *t, uint64_t steps)
{
    m_steps(steps);
    return t->state == KOZO_THREAD_READY;
}

static struct m_look look_to_send(struct m_thread *t, const uint64_t *arg)
{
    struct m_look r = m_want(t, arg[0], KOZO_KIND_ENDPOINT, KOZO_WRITE);

    if (r.err == KOZO_OK)
        r.err = m_message_check(t, arg[1]);
    if (r.err == KOZO_OK && (arg[1] & KOZO_INFO_CAPS_MASK) != 0 &&
        (r.cap->rights & KOZO_GRANT) == 0)
        r.err = KOZO_ERR_RIGHTS;
    return r;
}

static uint32_t send(struct m_thread *t, struct m_cap *through, enum m_message message)
{
    t->message = message;
    t->badge = through->badge;
    t->user = through->user;
    t->rights = through->rights;
    m_send(t, through->object);
    return M_WAITS;
}

uint32_t m_call_send(struct m_thread *t, const uint64_t *arg)
{
    struct m_look r;

    if (!pay(t, in_message(arg[1])))
        return M_AGAIN;
    r = look_to_send(t, arg);
    return r.err != KOZO_OK ? r.err : send(t, r.cap, M_SEND);
}

uint32_t m_call_call(struct m_thread *t, const uint64_t *arg)
{
    struct m_look r;

    if (!pay(t, in_message(arg[1])))
        return M_AGAIN;
    r = look_to_send(t, arg);
    if (r.err != KOZO_OK)
        return r.err;
    if ((arg[1] & KOZO_INFO_DEADLINE) != 0 && t->regs.rbx <= m->now) {
        m_message_fail(t, KOZO_ERR_TIMEOUT);
        return M_WAITS;
    }
    return send(t, r.cap, M_CALL);
}

uint32_t m_call_recv(struct m_thread *t, const uint64_t *arg)
{
    struct m_look r;

    if (!pay(t, in_window(arg[1])))
        return M_AGAIN;
    r = m_want(t, arg[0], KOZO_KIND_ENDPOINT, KOZO_READ);
    if (r.err != KOZO_OK)
        return r.err;
    if ((arg[1] & ~(uint64_t)(KOZO_INFO_DEADLINE | KOZO_INFO_RECV_CAPS)) != 0)
        return KOZO_ERR_ARGUMENT;
    if ((arg[1] & KOZO_INFO_RECV_CAPS) != 0 && m_buffer(t) == nullptr)
        return KOZO_ERR_BUFFER;
    m_reply_drop(t, KOZO_ERR_DROPPED);
    m_recv(t, r.cap->object);
    return M_WAITS;
}

uint32_t m_call_reply_recv(struct m_thread *t, const uint64_t *arg)
{
    struct m_look r;
    enum kozo_err err;

    if (!pay(t, in_message(arg[1]) + in_window(arg[1])))
        return M_AGAIN;
    r = m_want(t, arg[0], KOZO_KIND_ENDPOINT, KOZO_READ);
    err = r.err == KOZO_OK ? m_message_check(t, arg[1]) : r.err;
    if (err != KOZO_OK)
        return err;
    if (t->owes != nullptr)
        m_reply(t, t->owes);
    else
        t->lost = true;
    m_recv(t, r.cap->object);
    return M_WAITS;
}

uint32_t m_call_reply(struct m_thread *t, const uint64_t *arg)
{
    struct m_thread *caller;
    enum kozo_err err;

    if (!pay(t, in_message(arg[1])))
        return M_AGAIN;
    caller = t->owes;
    if (arg[0] != 0) {
        struct m_look r = m_want(t, arg[0], KOZO_KIND_REPLY, KOZO_WRITE);

        if (r.err != KOZO_OK)
            return r.err;
        caller = r.cap->object->thread;
    }
    err = m_message_check(t, arg[1]);
    if (err != KOZO_OK)
        return err;
    if (caller == nullptr)
        return KOZO_ERR_NOREPLY;
    m_reply(t, caller);
    t->regs.reg[0] = t->regs.reg[1] = 0;
    return KOZO_OK;
}

uint32_t m_call_reply_save(struct m_thread *t, const uint64_t *arg)
{
    struct m_look dst;
    struct m_object *o;
    struct m_thread *caller;

    m_steps(1);
    dst = m_empty(t, arg[0], arg[1], 1);
    if (dst.err != KOZO_OK)
        return dst.err;
    caller = t->owes;
    if (caller == nullptr)
        return KOZO_ERR_NOREPLY;
    o = m_object_new(KOZO_KIND_REPLY);
    o->thread = caller;
    t->owes = nullptr;
    caller->server = nullptr;
    caller->reply = m_cap_new(KOZO_KIND_REPLY, o, KOZO_WRITE);
    m_cap_put(caller->reply, &m->root, M_SLOT, dst.cnode, dst.index);
    return KOZO_OK;
}

/* ---- Notifications ---- */

uint32_t m_call_signal(struct m_thread *t, const uint64_t *arg)
{
    struct m_look r = m_want(t, arg[0], KOZO_KIND_NOTIFICATION, KOZO_WRITE);

    if (r.err == KOZO_OK)
        m_signal(r.cap->object, r.cap->badged ? arg[1] & r.cap->badge : arg[1]);
    return r.err;
}

uint32_t m_call_wait(struct m_thread *t, const uint64_t *arg)
{
    struct m_look r =
        arg[0] != 0 ? m_want(t, arg[0], KOZO_KIND_NOTIFICATION, KOZO_READ) : (struct m_look){};

    if (r.err != KOZO_OK)
        return r.err;
    if ((arg[1] & ~(uint64_t)KOZO_INFO_DEADLINE) != 0 || (r.cap == nullptr && arg[1] == 0))
        return KOZO_ERR_ARGUMENT;
    m_wait(t, r.cap != nullptr ? r.cap->object : nullptr);
    return M_WAITS;
}

uint32_t m_call_poll(struct m_thread *t, const uint64_t *arg)
{
    struct m_look r = m_want(t, arg[0], KOZO_KIND_NOTIFICATION, KOZO_READ);

    return r.err != KOZO_OK ? r.err : m_results(t, m_take_bits(r.cap->object), 0, 0);
}
