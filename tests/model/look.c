/* SPDX-License-Identifier: MIT */
/*
 * look.c - finding capabilities in the model: ADDRESS, EMPTY, KIND, RIGHTS; capabilities.md, `Slots
 * and addresses`.
 */
#include "model.h"

static struct m_look bad(enum kozo_err err) { return (struct m_look){ .err = err }; }

struct m_look m_want(const struct m_thread *t, kozo_cptr at, enum kozo_kind kind, kozo_rights need)
{
    const struct m_cap *space = t->binding[M_CSPACE];
    struct m_cap *c;

    if (space == nullptr || at == 0 || at >= 1ull << space->object->bits)
        return bad(KOZO_ERR_ADDRESS);
    c = space->object->cnode.slot[at];
    if (c == nullptr)
        return bad(KOZO_ERR_EMPTY);
    if (c->kind != kind)
        return bad(KOZO_ERR_KIND);
    if ((c->rights & need) != need)
        return bad(KOZO_ERR_RIGHTS);
    return (struct m_look){ .cap = c, .cnode = space->object, .index = at };
}

struct m_look m_slot(const struct m_thread *t, kozo_cptr cnode, uint64_t index, kozo_rights need)
{
    const struct m_cap *c = t->binding[M_CSPACE];

    if (cnode != 0) {
        struct m_look named = m_want(t, cnode, KOZO_KIND_CNODE, need);

        if (named.err != KOZO_OK)
            return named;
        c = named.cap;
    }
    if (c == nullptr)
        return bad(KOZO_ERR_ADDRESS);
    if ((c->rights & need) != need)
        return bad(KOZO_ERR_RIGHTS);
    if (index == 0 || index >= 1ull << c->object->bits)
        return bad(KOZO_ERR_ADDRESS);
    return (
        struct m_look){ .cap = c->object->cnode.slot[index], .cnode = c->object, .index = index };
}

struct m_look m_occupied(const struct m_thread *t, kozo_cptr cnode, uint64_t index,
                         kozo_rights need)
{
    struct m_look r = m_slot(t, cnode, index, need);

    return r.err == KOZO_OK && r.cap == nullptr ? bad(KOZO_ERR_EMPTY) : r;
}

struct m_look m_empty(const struct m_thread *t, kozo_cptr cnode, uint64_t index, uint64_t count)
{
    struct m_look r = m_slot(t, cnode, index, KOZO_WRITE);

    if (r.err != KOZO_OK)
        return r;
    if (count > (1ull << r.cnode->bits) - index)
        return bad(KOZO_ERR_ADDRESS);
    for (uint64_t i = 0; i < count; i++)
        if (r.cnode->cnode.slot[index + i] != nullptr)
            return bad(KOZO_ERR_OCCUPIED);
    return r;
}
