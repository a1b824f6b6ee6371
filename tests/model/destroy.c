/* SPDX-License-Identifier: MIT */
/*
 * destroy.c - the model's deletion, and destruction in steps: capabilities.md, `Pending
 * destruction`.
 */
#include "model.h"

#include <stdlib.h>

bool m_interrupt_waits(void)
{
    m->checks++;
    if (m->interrupt != 0 && m->checks >= m->interrupt) {
        m->interrupted = true;
        m->interrupt = 0;
    }
    return m->interrupted;
}

static void leave_place(struct m_cap *c)
{
    if (c->place != nullptr)
        *c->place = nullptr;
    c->place = nullptr;
}

/* A slot that belongs to a thread or an interrupt line is empty now. */
static void owner_forgets(enum m_where where, struct m_object *within, uint64_t index)
{
    if (where == M_BINDING)
        m_binding_lost(within->thread, (enum m_binding)index);
}

void m_cap_clear(struct m_cap *c)
{
    struct m_cap *parent = c->parent;
    enum m_where where = c->where;

    leave_place(c);
    m_tree_remove(c);
    c->where = M_NOWHERE;
    if (parent->kind == KOZO_KIND_UNTYPED && parent->child == nullptr)
        parent->object->untyped.watermark = parent->object->untyped.cleared = parent->object->base;
    owner_forgets(where, c->within, c->index);
}

/* ---- what takes more than one step ---- */

static void zombie_to_front(struct m_cap *z)
{
    uint32_t at = 0;

    while (at < m->zombies && m->zombie[at] != z)
        at++;
    if (at == m->zombies && m->zombies++ == M_ZOMBIES_MAX)
        abort();
    for (; at > 0; at--)
        m->zombie[at] = m->zombie[at - 1];
    m->zombie[0] = z;
}

static void zombie_forget(struct m_cap *z)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < m->zombies; i++)
        if (m->zombie[i] != z)
            m->zombie[n++] = m->zombie[i];
    m->zombies = n;
}

static void bury(struct m_cap *c)
{
    enum m_where where = c->where;
    struct m_object *within = c->within;
    uint64_t index = c->index;

    leave_place(c);
    c->kind = KOZO_KIND_ZOMBIE;
    c->rights = 0;
    c->user = 0;
    c->badged = false;
    c->where = M_GRAVE;
    c->within = c->object;
    c->index = 0;
    c->object->grave = c;
    if (c->object->kind == KOZO_KIND_CNODE)
        c->object->cnode.cursor = 1; /* its slot 0 is the grave */
    zombie_to_front(c);
    owner_forgets(where, within, index);
}

/* ---- deletion ---- */

/* The root of the revoke under way goes while there is more to delete: it lives on in the anchor.
 * True if so. */
static bool goes_to_anchor(struct m_cap *c)
{
    if (c != m->revoke)
        return false;
    if (c->child == nullptr || c->where == M_ANCHOR) {
        m->revoke = nullptr;
        return false;
    }
    leave_place(c);
    c->where = M_ANCHOR;
    return true;
}

/* The last capability to an object goes; true when there is more to do than one step. */
static bool object_ends(struct m_cap *c)
{
    struct m_object *o = c->object;

    switch (c->kind) {
    case KOZO_KIND_CNODE:
    case KOZO_KIND_THREAD_POOL:
        return true;
    case KOZO_KIND_ENDPOINT:
        return o->endpoint.senders.n + o->endpoint.receivers.n > 0;
    case KOZO_KIND_NOTIFICATION:
        m_unbind_ntfn(o);
        return o->ntfn.waiters.n > 0;
    case KOZO_KIND_THREAD:
        m_thread_end(o->thread);
        return false;
    case KOZO_KIND_ADDRESS_SPACE:
        o->space.live = false;
        return false;
    case KOZO_KIND_IRQ_HANDLER:
        m_line_end(o);
        return false;
    default:
        return false;
    }
}

void m_cap_delete(struct m_cap *c)
{
    if (goes_to_anchor(c))
        return;
    if (c->kind == KOZO_KIND_REPLY) {
        m_wake_error(c->object->thread, KOZO_ERR_DROPPED); /* which empties the slot */
        return;
    }
    if (c->kind == KOZO_KIND_FRAME)
        m_frame_unmap(c);
    if (c->kind == KOZO_KIND_PAGE_TABLE)
        m_table_end(c->object);
    if (c->object != nullptr && m_count_caps(c->object) == 1 && object_ends(c))
        bury(c);
    else
        m_cap_clear(c);
}

/* ---- steps ---- */

static void zombie_done(struct m_cap *z)
{
    zombie_forget(z);
    m_cap_clear(z);
}

static void step_cnode(struct m_cap *z)
{
    struct m_object *o = z->object;

    if (o->cnode.cursor == 1ull << o->bits) {
        zombie_done(z);
    } else {
        struct m_cap *c = o->cnode.slot[o->cnode.cursor++];

        if (c != nullptr)
            m_cap_delete(c);
    }
}

static void step_pool(struct m_cap *z)
{
    struct m_object *o = z->object, *parent = o->pool.parent;

    if (z->child == nullptr) {
        zombie_done(z);
        if (parent != nullptr) {
            parent->pool.free += o->pool.free;
            parent->pool.entries += o->pool.entries + 1;
        }
    } else if (z->child->kind == KOZO_KIND_ZOMBIE) {
        zombie_to_front(z->child);
    } else {
        m_cap_delete(z->child);
    }
}

static void step_waiters(struct m_cap *z, struct m_queue *first, struct m_queue *second)
{
    if (first->n > 0)
        m_wake_error(first->item[0], KOZO_ERR_GONE);
    else if (second->n > 0)
        m_wake_error(second->item[0], KOZO_ERR_GONE);
    else
        zombie_done(z);
}

static void step_zombie(struct m_cap *z)
{
    struct m_object *o = z->object;

    if (o->kind == KOZO_KIND_CNODE)
        step_cnode(z);
    else if (o->kind == KOZO_KIND_THREAD_POOL)
        step_pool(z);
    else if (o->kind == KOZO_KIND_ENDPOINT)
        step_waiters(z, &o->endpoint.senders, &o->endpoint.receivers);
    else
        step_waiters(z, &o->ntfn.waiters, &o->ntfn.waiters);
}

static void step_revoke(void)
{
    struct m_cap *top = m->revoke;

    if (top->child != nullptr) {
        m_cap_delete(top->child);
        return;
    }
    m->revoke = nullptr;
    if (top->where == M_ANCHOR)
        m_cap_delete(top);
}

bool m_is_under_way(void) { return m->zombies > 0 || m->stopped.n > 0 || m->revoke != nullptr; }

bool m_is_pending(void) { return m_is_under_way() || m->asking.n > 0; }

static void step_asking(void)
{
    struct m_thread *t = m->asking.item[0];

    m_queue_remove(&m->asking, t);
    m_asked_for(t);
}

void m_steps(uint64_t n)
{
    for (; n > 0 && m_is_pending(); n--)
        if (m->zombies > 0)
            step_zombie(m->zombie[0]);
        else if (m->stopped.n > 0)
            m_step_stopped();
        else if (m->revoke != nullptr)
            step_revoke();
        else
            step_asking();
}

bool m_turn(struct m_thread *t, uint32_t *made)
{
    for (; m_is_under_way() || (m->asking.n > 0 && m->asking.item[0] != t); ++*made) {
        if (*made > 0 && *made % M_STEPS == 0 && m_interrupt_waits())
            return false;
        m_steps(1);
    }
    m_queue_remove(&m->asking, t);
    return true;
}

bool m_finish(uint64_t number, uint32_t *made)
{
    for (; m_is_under_way() && m->number <= number; ++*made) {
        if (*made > 0 && *made % M_STEPS == 0 && m_interrupt_waits())
            return false;
        m_steps(1);
    }
    return true;
}
