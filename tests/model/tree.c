/* SPDX-License-Identifier: MIT */
/*
 * tree.c - the derivation tree of the model: parents, children, recursion.
 */
#include "model.h"

#include <stdlib.h>

bool m_is_unique(enum kozo_kind kind)
{
    return kind == KOZO_KIND_UNTYPED || kind == KOZO_KIND_THREAD_POOL ||
           kind == KOZO_KIND_IRQ_CONTROL || kind == KOZO_KIND_PAGE_TABLE || kind == KOZO_KIND_REPLY;
}

bool m_has_badge(enum kozo_kind kind)
{
    return kind == KOZO_KIND_ENDPOINT || kind == KOZO_KIND_NOTIFICATION;
}

struct m_cap *m_cap_new(enum kozo_kind kind, struct m_object *object, kozo_rights rights)
{
    struct m_cap *c = m_new(sizeof *c);

    c->kind = kind;
    c->object = object;
    c->rights = rights;
    return c;
}

struct m_cap *m_cap_copy(const struct m_cap *c, kozo_rights rights, uint8_t user)
{
    struct m_cap *copy = m_cap_new(c->kind, c->object, c->rights & rights);

    copy->user = c->user & user;
    copy->badged = c->badged;
    copy->badge = c->badge;
    copy->first = c->first;
    copy->last = c->last;
    return copy;
}

struct m_cap **m_place(enum m_where where, struct m_object *within, uint64_t index)
{
    switch (where) {
    case M_SLOT:
        return &within->cnode.slot[index];
    case M_BINDING:
        return &within->thread->binding[index];
    case M_LINE:
        return &m->line[index].ntfn;
    default:
        return nullptr;
    }
}

static void lie(struct m_cap *c, enum m_where where, struct m_object *within, uint64_t index)
{
    c->where = where;
    c->within = within;
    c->index = index;
    c->place = m_place(where, within, index);
    if (c->place == nullptr)
        return;
    if (*c->place != nullptr)
        abort();
    *c->place = c;
}

void m_cap_put(struct m_cap *c, struct m_cap *parent, enum m_where where, struct m_object *within,
               uint64_t index)
{
    c->parent = parent;
    c->next = parent->child;
    parent->child = c;
    lie(c, where, within, index);
}

void m_cap_move(struct m_cap *c, struct m_object *within, uint64_t index)
{
    *c->place = nullptr;
    lie(c, M_SLOT, within, index);
}

void m_tree_remove(struct m_cap *c)
{
    struct m_cap **link = &c->parent->child, *last = nullptr;

    while (*link != c)
        link = &(*link)->next;
    for (struct m_cap *child = c->child; child != nullptr; child = child->next) {
        child->parent = c->parent;
        last = child;
    }
    if (last == nullptr) {
        *link = c->next;
    } else {
        *link = c->child;
        last->next = c->next;
    }
    c->parent = c->child = c->next = nullptr;
}

uint64_t m_tree_count(const struct m_cap *top)
{
    uint64_t n = 0;

    for (const struct m_cap *c = top->child; c != nullptr; c = c->next)
        n += 1 + m_tree_count(c);
    return n;
}

static uint64_t count_below(const struct m_cap *top, const struct m_object *o)
{
    uint64_t n = 0;

    for (const struct m_cap *c = top->child; c != nullptr; c = c->next)
        n += (c->object == o && c->kind == o->kind) + count_below(c, o);
    return n;
}

uint64_t m_count_caps(const struct m_object *o) { return count_below(&m->root, o); }

static uint64_t free_below(const struct m_cap *top)
{
    uint64_t n = 0;

    for (const struct m_cap *c = top->child; c != nullptr; c = c->next) {
        if (c->kind == KOZO_KIND_UNTYPED)
            n += c->object->base + (1ull << c->object->bits) - c->object->untyped.watermark;
        n += free_below(c);
    }
    return n;
}

uint64_t m_bytes_free(void) { return free_below(&m->root); }
