/* SPDX-License-Identifier: MIT */
/*
 * debug.c - the model's Debug calls; syscalls.md, `Debug`. What is in the log and in the trace it
 * does not know.
 */
#include "model.h"

/* A driver holds an IoPort to just the console's ports: what is written stays in the log. */
static bool console_is_driven(const struct m_cap *top)
{
    for (const struct m_cap *c = top->child; c != nullptr; c = c->next)
        if ((c->kind == KOZO_KIND_IO_PORT && c->first == 0x3f8 && c->last == 0x3ff) ||
            console_is_driven(c))
            return true;
    return false;
}

uint32_t m_call_debug_write(struct m_thread *t, const uint64_t *arg)
{
    struct m_look r = m_want(t, arg[0], KOZO_KIND_DEBUG, KOZO_WRITE);

    if (r.err != KOZO_OK)
        return r.err;
    if (arg[1] > KOZO_MSG_EXTRA * sizeof(uint64_t))
        return KOZO_ERR_ARGUMENT;
    if (m_buffer(t) == nullptr)
        return KOZO_ERR_BUFFER;
    m->console = (const char *)m_buffer(t)->word;
    m->console_bytes = console_is_driven(&m->root) ? 0 : arg[1];
    return KOZO_OK;
}

uint32_t m_call_debug_dump(struct m_thread *t, const uint64_t *arg)
{
    struct m_look r = m_want(t, arg[0], KOZO_KIND_DEBUG, KOZO_READ);
    uint64_t slots;

    if (r.err != KOZO_OK)
        return r.err;
    slots = 1ull << t->binding[M_CSPACE]->object->bits;
    return m_results(t, arg[1] < slots && slots - arg[1] > 256 ? arg[1] + 256 : 0, 0, 0);
}

uint32_t m_call_debug_stat(struct m_thread *t, const uint64_t *arg)
{
    struct m_look r = m_want(t, arg[0], KOZO_KIND_DEBUG, KOZO_READ);

    if (r.err != KOZO_OK)
        return r.err;
    switch (arg[1]) {
    case KOZO_STAT_THREADS_FREE:
        return m_results(t, m->max_threads - m->threads.n, 0, 0);
    case KOZO_STAT_CAPS:
        return m_results(t, m_tree_count(&m->root), 0, 0);
    case KOZO_STAT_PENDING:
        return m_results(t, m->zombies + (m->revoke != nullptr), 0, 0);
    case KOZO_STAT_BYTES_FREE:
        return m_results(t, m_bytes_free(), 0, 0);
    case KOZO_STAT_IDLE_NS:
        return m_results(t, m->idle_ns, 0, 0);
    case KOZO_STAT_BOOT_NS:
        return m_results(t, 0, 0, 0);
    case KOZO_STAT_TICKS:
        return m_results(t, m->ticks, 0, 0);
    case KOZO_STAT_STACK_KERNEL:
    case KOZO_STAT_STACK_NMI:
    case KOZO_STAT_STACK_DEBUG:
    case KOZO_STAT_STACK_DOUBLE:
    case KOZO_STAT_STACK_MACHINE:
        return m_results(t, 0, 0, 0); /* the host's stacks are not painted */
    default:
        return KOZO_ERR_ARGUMENT;
    }
}

/* The log's and the trace's contents are taken from the kernel, so are the results. */
static uint32_t read_ring(struct m_thread *t, const uint64_t *arg)
{
    struct m_look r = m_want(t, arg[0], KOZO_KIND_DEBUG, KOZO_READ);

    if (r.err != KOZO_OK)
        return r.err;
    if (m_buffer(t) == nullptr)
        return KOZO_ERR_BUFFER;
    return m_results(t, m->told[0], m->told[1], m->told[2]);
}

uint32_t m_call_debug_log(struct m_thread *t, const uint64_t *arg) { return read_ring(t, arg); }
uint32_t m_call_debug_events(struct m_thread *t, const uint64_t *arg) { return read_ring(t, arg); }

uint32_t m_call_debug_trace(struct m_thread *t, const uint64_t *arg)
{
    struct m_look r = m_want(t, arg[0], KOZO_KIND_DEBUG, KOZO_WRITE);

    if (r.err != KOZO_OK)
        return r.err;
    if (arg[1] >> KOZO_TRACE_COUNT != 0)
        return KOZO_ERR_ARGUMENT;
    m->trace_mask = arg[1];
    return KOZO_OK;
}

struct listing {
    uint64_t skip, seen, count;
    struct kozo_tree_entry *to;
};

static void list_below(struct listing *l, const struct m_cap *top, uint64_t depth)
{
    for (const struct m_cap *c = top->child; c != nullptr; c = c->next) {
        if (l->seen++ >= l->skip && l->count < KOZO_TREE_ENTRIES)
            l->to[l->count++] = (struct kozo_tree_entry){
                .slot = m->identity(nullptr, c, true),
                .object = m->identity(nullptr, c, false),
                .what = m_describe(c) | (depth < 0xffff ? depth : 0xffff) << 48,
                .badge = m_has_badge(c->kind) ? c->badge : 0,
            };
        list_below(l, c, depth + 1);
    }
}

uint32_t m_call_debug_tree(struct m_thread *t, const uint64_t *arg)
{
    struct m_look r = m_want(t, arg[0], KOZO_KIND_DEBUG, KOZO_READ), top = { .cap = &m->root };
    struct listing l = { .skip = arg[3] };

    if (r.err != KOZO_OK)
        return r.err;
    if (arg[2] != 0)
        top = m_occupied(t, arg[1], arg[2], KOZO_READ);
    if (top.err != KOZO_OK)
        return top.err;
    if (arg[3] > KOZO_TREE_SKIP_MAX)
        return KOZO_ERR_ARGUMENT;
    if (m_buffer(t) == nullptr)
        return KOZO_ERR_BUFFER;
    l.to = (struct kozo_tree_entry *)m_buffer(t)->word;
    list_below(&l, top.cap, 1);
    return m_results(t, l.count == KOZO_TREE_ENTRIES ? arg[3] + l.count : 0, l.count,
                     m->identity(nullptr, top.cap, true));
}
