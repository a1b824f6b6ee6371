/* SPDX-License-Identifier: MIT */
#include "cap/cdt.h"

#include "base/log.h"

struct entry cdt_next(struct entry e)
{
    return cdt_is_close(e) ? cdt_slot(e)->close_next : cdt_slot(e)->open_next;
}

struct entry cdt_prev(struct entry e)
{
    return cdt_is_close(e) ? cdt_slot(e)->close_prev : cdt_slot(e)->open_prev;
}

static void set_next(struct entry e, struct entry next)
{
    if (cdt_is_close(e))
        cdt_slot(e)->close_next = next;
    else
        cdt_slot(e)->open_next = next;
}

static void set_prev(struct entry e, struct entry prev)
{
    if (cdt_is_close(e))
        cdt_slot(e)->close_prev = prev;
    else
        cdt_slot(e)->open_prev = prev;
}

static void join(struct entry a, struct entry b)
{
    set_next(a, b);
    set_prev(b, a);
}

void cdt_init(struct slot *root)
{
    join(cdt_open(root), cdt_close(root));
    join(cdt_close(root), cdt_open(root));
}

void cdt_insert_child(struct slot *parent, struct slot *child)
{
    struct entry after = parent->open_next;

    kassert(cdt_is_linked(parent) && !cdt_is_linked(child));
    join(cdt_open(parent), cdt_open(child));
    join(cdt_open(child), cdt_close(child));
    join(cdt_close(child), after);
}

void cdt_unlink(struct slot *s)
{
    struct entry before = s->open_prev, first = s->open_next;
    struct entry last = s->close_prev, after = s->close_next;

    kassert(cdt_is_linked(s));
    if (cdt_same(first, cdt_close(s))) {
        join(before, after);
    } else {
        join(before, first);
        join(last, after);
    }
    s->open_next = s->open_prev = s->close_next = s->close_prev = (struct entry){ 0 };
}

void cdt_move(struct slot *to, struct slot *from)
{
    bool childless = !cdt_has_children(from);
    struct entry first = from->open_next, last = from->close_prev;

    kassert(cdt_is_linked(from) && !cdt_is_linked(to));
    join(from->open_prev, cdt_open(to));
    join(cdt_close(to), from->close_next);
    if (childless) {
        join(cdt_open(to), cdt_close(to));
    } else {
        join(cdt_open(to), first);
        join(last, cdt_close(to));
    }
    from->open_next = from->open_prev = from->close_next = from->close_prev = (struct entry){ 0 };
}

static bool names_same(struct entry e, const struct slot *s)
{
    const struct slot *other = cdt_slot(e);

    return other != s && other->cap.kind == s->cap.kind && other->cap.object == s->cap.object;
}

bool cdt_is_last(struct slot *s)
{
    return !names_same(s->open_prev, s) && !names_same(s->open_next, s) &&
           !names_same(s->close_prev, s) && !names_same(s->close_next, s);
}
