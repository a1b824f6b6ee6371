/* SPDX-License-Identifier: MIT */
#include "fsd/tree.h"

static struct tree_link *link_of(const struct tree *t, uint32_t at)
{
    return (struct tree_link *)((uint8_t *)t->first + (uint64_t)at * t->stride);
}

static int height_of(const struct tree *t, uint32_t at)
{
    return at == TREE_NONE ? 0 : link_of(t, at)->height;
}

/* ---- balance ---- */

/* By how much the side after `at` is higher than the one before it. */
static int lean_of(const struct tree *t, uint32_t at)
{
    const struct tree_link *l = link_of(t, at);

    return height_of(t, l->child[1]) - height_of(t, l->child[0]);
}

static void measure(const struct tree *t, uint32_t at)
{
    struct tree_link *l = link_of(t, at);
    int before = height_of(t, l->child[0]), after = height_of(t, l->child[1]);

    l->height = (uint8_t)(1 + (before > after ? before : after));
}

/* The child on one side takes the place's place, and the place becomes its child. */
static uint32_t turn(const struct tree *t, uint32_t at, unsigned side)
{
    struct tree_link *l = link_of(t, at);
    uint32_t up = l->child[side];
    struct tree_link *u = link_of(t, up);

    l->child[side] = u->child[!side];
    u->child[!side] = at;
    measure(t, at);
    measure(t, up);
    return up;
}

/* Of two sides that are balanced and differ by at most two; returns what is on top then. */
static uint32_t balance(const struct tree *t, uint32_t at)
{
    struct tree_link *l = link_of(t, at);
    int lean = lean_of(t, at), inner;
    unsigned side = lean > 0;

    if (lean >= -1 && lean <= 1) {
        measure(t, at);
        return at;
    }
    inner = lean_of(t, l->child[side]);
    if (inner != 0 && (inner > 0) != (lean > 0))
        l->child[side] = turn(t, l->child[side], !side);
    return turn(t, at, side);
}

/* The links followed from the root, to be balanced from the last to the first. */
struct way {
    uint32_t *at[TREE_HEIGHT];
    uint32_t count;
};

static void mend(const struct tree *t, struct way *w)
{
    while (w->count > 0) {
        uint32_t *at = w->at[--w->count];

        *at = balance(t, *at);
    }
}

/* ---- use ---- */

void tree_init(struct tree *t, const void *array, tree_order *order, struct tree_link *first,
               uint32_t stride)
{
    *t = (struct tree){
        .array = array, .order = order, .first = first, .stride = stride, .root = TREE_NONE
    };
}

uint32_t tree_find(const struct tree *t, const void *key)
{
    uint32_t at = t->root;

    while (at != TREE_NONE) {
        int side = t->order(t->array, key, at);

        if (side == 0)
            return at;
        at = link_of(t, at)->child[side > 0];
    }
    return TREE_NONE;
}

uint32_t tree_after(const struct tree *t, const void *key)
{
    uint32_t at = t->root, after = TREE_NONE;

    while (at != TREE_NONE) {
        bool before = t->order(t->array, key, at) < 0;

        if (before)
            after = at;
        at = link_of(t, at)->child[!before];
    }
    return after;
}

void tree_insert(struct tree *t, const void *key, uint32_t at)
{
    struct way w = {};
    uint32_t *end = &t->root;

    while (*end != TREE_NONE) {
        w.at[w.count++] = end;
        end = &link_of(t, *end)->child[t->order(t->array, key, *end) > 0];
    }
    *end = at;
    *link_of(t, at) = (struct tree_link){ { TREE_NONE, TREE_NONE }, 1 };
    mend(t, &w);
}

void tree_remove(struct tree *t, const void *key, uint32_t at)
{
    struct tree_link *l = link_of(t, at), *heir;
    struct way w = {};
    uint32_t *to = &t->root, *from, from_here, next;

    while (*to != at) {
        w.at[w.count++] = to;
        to = &link_of(t, *to)->child[t->order(t->array, key, *to) > 0];
    }
    if (l->child[0] == TREE_NONE || l->child[1] == TREE_NONE) {
        *to = l->child[l->child[0] == TREE_NONE];
        mend(t, &w);
        return;
    }
    /* What follows it takes its place. */
    w.at[w.count++] = to;
    from = &l->child[1];
    from_here = w.count;
    while (link_of(t, *from)->child[0] != TREE_NONE) {
        w.at[w.count++] = from;
        from = &link_of(t, *from)->child[0];
    }
    next = *from;
    heir = link_of(t, next);
    *from = heir->child[1];
    *heir = *l;
    *to = next;
    if (w.count > from_here)
        w.at[from_here] = &heir->child[1];
    mend(t, &w);
}
