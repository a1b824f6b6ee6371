/* SPDX-License-Identifier: MIT */
/*
 * thread_calls.c - the model's calls on threads and pools; syscalls.md, `Threads`.
 */
#include "model.h"

uint32_t m_call_pool_split(struct m_thread *t, const uint64_t *arg)
{
    struct m_look pool, dst;
    struct m_object *from, *o;
    uint64_t entries;

    m_steps(1);
    pool = m_want(t, arg[0], KOZO_KIND_THREAD_POOL, KOZO_WRITE);
    if (pool.err != KOZO_OK)
        return pool.err;
    dst = m_empty(t, arg[1], arg[2], 1);
    if (dst.err != KOZO_OK)
        return dst.err;
    from = pool.cap->object;
    if (arg[3] == 0)
        return KOZO_ERR_ARGUMENT;
    if (arg[3] > from->pool.free || from->pool.entries == 0)
        return KOZO_ERR_QUOTA;
    entries = 2 * arg[3] < from->pool.entries ? 2 * arg[3] : from->pool.entries;
    o = m_object_new(KOZO_KIND_THREAD_POOL);
    o->pool.parent = from;
    o->pool.free = arg[3];
    o->pool.entries = entries - 1; /* one is its own */
    from->pool.free -= arg[3];
    from->pool.entries -= entries;
    m_cap_put(m_cap_new(KOZO_KIND_THREAD_POOL, o, KOZO_WRITE), pool.cap, M_SLOT, dst.cnode,
              dst.index);
    return KOZO_OK;
}

uint32_t m_call_pool_info(struct m_thread *t, const uint64_t *arg)
{
    struct m_look pool = m_want(t, arg[0], KOZO_KIND_THREAD_POOL, KOZO_WRITE);

    return pool.err != KOZO_OK ? pool.err : m_results(t, pool.cap->object->pool.free, 0, 0);
}

uint32_t m_call_thread_create(struct m_thread *t, const uint64_t *arg)
{
    struct m_look pool, dst;
    struct m_object *from;
    struct m_thread *made;

    m_steps(1);
    pool = m_want(t, arg[0], KOZO_KIND_THREAD_POOL, KOZO_WRITE);
    if (pool.err != KOZO_OK)
        return pool.err;
    dst = m_empty(t, arg[1], arg[2], 1);
    if (dst.err != KOZO_OK)
        return dst.err;
    if ((arg[3] & ~(uint64_t)(KOZO_THREAD_FPU | KOZO_THREAD_FOREIGN)) != 0 || arg[4] > 255)
        return KOZO_ERR_ARGUMENT;
    if (arg[4] < t->ceiling)
        return KOZO_ERR_PRIORITY;
    from = pool.cap->object;
    if (from->pool.free == 0)
        return KOZO_ERR_QUOTA;
    from->pool.free--;
    made = m_thread_new(from, (uint8_t)arg[3], (uint8_t)arg[4]);
    made->name = arg[5] != 0 ? arg[5] : t->name;
    m_cap_put(m_cap_new(KOZO_KIND_THREAD, made->object, KOZO_READ | KOZO_WRITE), pool.cap, M_SLOT,
              dst.cnode, dst.index);
    return KOZO_OK;
}

static struct m_look want_or_none(struct m_thread *t, kozo_cptr at, enum kozo_kind kind,
                                  kozo_rights need)
{
    return at == 0 ? (struct m_look){} : m_want(t, at, kind, need);
}

uint32_t m_call_thread_bind(struct m_thread *t, const uint64_t *arg)
{
    struct m_look r, b[M_BINDINGS];

    m_steps(M_BINDINGS);
    r = m_want(t, arg[0], KOZO_KIND_THREAD, KOZO_WRITE);
    if (r.err != KOZO_OK)
        return r.err;
    b[M_CSPACE] = want_or_none(t, arg[1], KOZO_KIND_CNODE, 0);
    b[M_VSPACE] = want_or_none(t, arg[2], KOZO_KIND_ADDRESS_SPACE, KOZO_WRITE);
    b[M_BUFFER] = want_or_none(t, arg[3], KOZO_KIND_FRAME, KOZO_READ | KOZO_WRITE);
    b[M_FAULT] = want_or_none(t, arg[5], KOZO_KIND_ENDPOINT, KOZO_WRITE);
    for (uint32_t i = 0; i < M_BINDINGS; i++)
        if (b[i].err != KOZO_OK)
            return b[i].err;
    if (b[M_BUFFER].cap != nullptr) {
        if (b[M_BUFFER].cap->object->device)
            return KOZO_ERR_ARGUMENT;
        if (arg[4] % 512 != 0)
            return KOZO_ERR_ALIGN;
        if (arg[4] >= 1ull << b[M_BUFFER].cap->object->bits)
            return KOZO_ERR_ARGUMENT;
    }
    if (!m_is_stopped(r.cap->object->thread))
        return KOZO_ERR_STATE;
    for (uint32_t i = 0; i < M_BINDINGS; i++)
        if (b[i].cap != nullptr)
            m_bind(r.cap->object->thread, (enum m_binding)i, b[i].cap, arg[4]);
    return KOZO_OK;
}

uint32_t m_call_thread_bind_ntfn(struct m_thread *t, const uint64_t *arg)
{
    struct m_look r = m_want(t, arg[0], KOZO_KIND_THREAD, KOZO_WRITE), n;
    struct m_thread *of;

    if (r.err != KOZO_OK)
        return r.err;
    n = want_or_none(t, arg[1], KOZO_KIND_NOTIFICATION, KOZO_READ);
    if (n.err != KOZO_OK)
        return n.err;
    of = r.cap->object->thread;
    if (n.cap == nullptr) {
        if (of->bound != nullptr)
            m_unbind_ntfn(of->bound);
        return KOZO_OK;
    }
    if (of->bound != nullptr || n.cap->object->ntfn.bound != nullptr)
        return KOZO_ERR_IN_USE;
    m_bind_ntfn(n.cap->object, of);
    return KOZO_OK;
}

uint32_t m_call_thread_start(struct m_thread *t, const uint64_t *arg)
{
    struct m_look r = m_want(t, arg[0], KOZO_KIND_THREAD, KOZO_WRITE);
    struct m_thread *of;

    if (r.err != KOZO_OK)
        return r.err;
    if (arg[1] >= KOZO_USER_END || arg[2] > KOZO_USER_END)
        return KOZO_ERR_ARGUMENT;
    of = r.cap->object->thread;
    if (!m_is_stopped(of) || of->binding[M_VSPACE] == nullptr)
        return KOZO_ERR_STATE;
    m_regs_start(of, arg[1], arg[2], arg[3], arg[4]);
    of->fs_base = of->fpu = 0;
    m_reply_drop(of, KOZO_ERR_DROPPED);
    m_resume(of);
    return KOZO_OK;
}

uint32_t m_call_thread_suspend(struct m_thread *t, const uint64_t *arg)
{
    struct m_look r = m_want(t, arg[0], KOZO_KIND_THREAD, KOZO_WRITE);

    if (r.err == KOZO_OK)
        m_suspend(r.cap->object->thread);
    return r.err;
}

uint32_t m_call_thread_resume(struct m_thread *t, const uint64_t *arg)
{
    struct m_look r = m_want(t, arg[0], KOZO_KIND_THREAD, KOZO_WRITE);
    struct m_thread *of;

    if (r.err != KOZO_OK)
        return r.err;
    of = r.cap->object->thread;
    if (!m_is_stopped(of) || of->binding[M_VSPACE] == nullptr || !of->started ||
        of->fault.kind == KOZO_FAULT_EXIT)
        return KOZO_ERR_STATE;
    m_resume(of);
    return KOZO_OK;
}

uint32_t m_call_thread_priority(struct m_thread *t, const uint64_t *arg)
{
    struct m_look r = m_want(t, arg[0], KOZO_KIND_THREAD, KOZO_WRITE);

    if (r.err != KOZO_OK)
        return r.err;
    if (arg[1] > 255 || arg[2] > arg[1])
        return KOZO_ERR_ARGUMENT;
    if (arg[2] < t->ceiling)
        return KOZO_ERR_PRIORITY;
    m_set_priority(r.cap->object->thread, (uint8_t)arg[1], (uint8_t)arg[2]);
    return KOZO_OK;
}

static uint64_t peer_of(const struct m_thread *of)
{
    const struct m_thread *peer = of->state == KOZO_THREAD_CALLING ? of->server : of->owes;

    return peer != nullptr ? peer->serial : 0;
}

uint32_t m_call_thread_info(struct m_thread *t, const uint64_t *arg)
{
    struct m_look r = m_want(t, arg[0], KOZO_KIND_THREAD, KOZO_READ);
    const struct m_thread *of;
    uint64_t *word;

    if (r.err != KOZO_OK)
        return r.err;
    if (m_buffer(t) == nullptr)
        return KOZO_ERR_BUFFER;
    of = r.cap->object->thread;
    word = m_buffer(t)->word;
    m_regs_get(of, word);
    word[KOZO_THREAD_WORD_IP] = of->regs.ip;
    word[KOZO_THREAD_WORD_SP] = of->regs.sp;
    word[KOZO_THREAD_WORD_FLAGS] = of->regs.flags;
    word[KOZO_THREAD_WORD_FAULT] = of->fault.kind;
    word[KOZO_THREAD_WORD_ADDRESS] = of->fault.address;
    word[KOZO_THREAD_WORD_PRIORITY] = of->priority;
    word[KOZO_THREAD_WORD_WAITS] =
        of->waits_for != nullptr ? m->identity(of->waits_for, nullptr, false) : 0;
    word[KOZO_THREAD_WORD_PEER] = peer_of(of);
    word[KOZO_THREAD_WORD_DEADLINE] = of->timed ? of->deadline : 0;
    word[KOZO_THREAD_WORD_NAME] = of->name;
    return m_results(t, of->state, of->cpu_ns, of->serial);
}

uint32_t m_call_thread_exit(struct m_thread *t, const uint64_t *arg)
{
    m_fault_raise(t, (struct m_fault){ .kind = KOZO_FAULT_EXIT, .address = arg[0] });
    return M_WAITS;
}

uint32_t m_call_thread_fs_base(struct m_thread *t, const uint64_t *arg)
{
    if (arg[0] >= KOZO_USER_END)
        return KOZO_ERR_ARGUMENT;
    t->fs_base = arg[0];
    return KOZO_OK;
}

uint32_t m_call_yield(struct m_thread *t, const uint64_t *arg)
{
    (void)t;
    (void)arg;
    m_yield();
    return KOZO_OK;
}
