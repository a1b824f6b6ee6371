/* SPDX-License-Identifier: MIT */
#include "fsd/ram.h"
#include "fsd/data.h"

#include <kozo/string.h>

constexpr uint32_t generation_mask = (1u << 28) - 1;

/* ---- the table ---- */

static uint32_t *bucket_of(const struct ram *r, uint32_t dir, struct kozo_str name)
{
    uint32_t h = (2166136261u ^ dir) * 16777619u;

    for (uint64_t i = 0; i < name.len; i++)
        h = (h ^ (uint8_t)name.at[i]) * 16777619u;
    return &r->bucket[(h ^ h >> 15) & (r->buckets - 1)];
}

static uint32_t find_child(const struct ram *r, uint32_t dir, struct kozo_str name)
{
    uint32_t i = *bucket_of(r, dir, name);

    while (i != RAM_NONE && (r->node[i].parent != dir || !text_equal(ram_name(r, i), name)))
        i = r->node[i].chain;
    return i;
}

static void unhash(struct ram *r, uint32_t node)
{
    uint32_t *at = bucket_of(r, r->node[node].parent, ram_name(r, node));

    while (*at != node)
        at = &r->node[*at].chain;
    *at = r->node[node].chain;
}

/* ---- directories ---- */

/* Takes a node out of its directory. */
static void unlink_node(struct ram *r, uint32_t node)
{
    struct ram_node *n = &r->node[node], *dir = &r->node[n->parent];

    unhash(r, node);
    if (n->prev != RAM_NONE)
        r->node[n->prev].next = n->next;
    else
        dir->child = n->next;
    if (n->next != RAM_NONE)
        r->node[n->next].prev = n->prev;
    else
        dir->last = n->prev;
}

/* Puts a node that is in no directory at the end of one. */
static void link_node(struct ram *r, uint32_t node, uint32_t dir, struct kozo_str name)
{
    struct ram_node *n = &r->node[node], *d = &r->node[dir];
    uint32_t *bucket = bucket_of(r, dir, name);

    memmove(n->name, name.at, name.len);
    n->name_len = (uint8_t)name.len;
    n->parent = dir;
    n->serial = ++r->serials;
    n->chain = *bucket;
    *bucket = node;
    n->next = RAM_NONE;
    n->prev = d->last;
    if (d->last != RAM_NONE)
        r->node[d->last].next = node;
    else
        d->child = node;
    d->last = node;
}

static uint32_t depth_of(const struct ram *r, uint32_t node)
{
    uint32_t depth = 0;

    for (; node != RAM_ROOT; node = r->node[node].parent)
        depth++;
    return depth;
}

/* What follows `at` in a walk of all that is below `top`, parents first; RAM_NONE at the end. */
static uint32_t walk(const struct ram *r, uint32_t at, uint32_t top, uint32_t *depth)
{
    if (r->node[at].child != RAM_NONE) {
        ++*depth;
        return r->node[at].child;
    }
    while (at != top && r->node[at].next == RAM_NONE) {
        --*depth;
        at = r->node[at].parent;
    }
    return at == top ? RAM_NONE : r->node[at].next;
}

/* How many parts the longest path has that begins with the node. */
static uint32_t height_of(const struct ram *r, uint32_t node)
{
    uint32_t most = 0, depth = 0;

    for (uint32_t at = node; at != RAM_NONE; at = walk(r, at, node, &depth))
        if (depth > most)
            most = depth;
    return most + 1;
}

static bool is_within(const struct ram *r, uint32_t node, uint32_t top)
{
    while (node != top && node != RAM_ROOT)
        node = r->node[node].parent;
    return node == top;
}

/* ---- beginning ---- */

static uint32_t buckets_for(uint32_t nodes)
{
    uint32_t n = 16;

    while (n < nodes)
        n *= 2;
    return n;
}

uint64_t ram_bytes(uint32_t nodes)
{
    return (uint64_t)nodes * sizeof(struct ram_node) + buckets_for(nodes) * sizeof(uint32_t);
}

static void free_node(struct ram *r, uint32_t node)
{
    r->node[node].type = RAM_FREE;
    r->node[node].chain = RAM_NONE;
    if (r->free == 0)
        r->free_first = node;
    else
        r->node[r->free_last].chain = node;
    r->free_last = node;
    r->free++;
}

void ram_init(struct ram *r, void *memory, uint32_t nodes, uint32_t limit)
{
    struct store store = r->store;

    *r = (struct ram){ .node = memory,
                       .nodes = nodes,
                       .buckets = buckets_for(nodes),
                       .near = RAM_NONE,
                       .limit = limit,
                       .store = store };
    r->bucket = (uint32_t *)(r->node + nodes);
    for (uint32_t i = 0; i < r->buckets; i++)
        r->bucket[i] = RAM_NONE;
    memset(r->node, 0, nodes * sizeof(struct ram_node));
    for (uint32_t i = RAM_ROOT + 1; i < nodes; i++)
        free_node(r, i);
    r->node[RAM_ROOT] = (struct ram_node){ .type = RAM_DIRECTORY,
                                           .account = STORE_NOBODY,
                                           .parent = RAM_ROOT,
                                           .next = RAM_NONE,
                                           .prev = RAM_NONE,
                                           .child = RAM_NONE,
                                           .last = RAM_NONE };
}

/* ---- finding ---- */

struct ram_place ram_find(const struct ram *r, uint32_t dir, struct kozo_str path)
{
    struct ram_place p = { .dir = dir, .node = dir };

    while (path.len > 0) {
        if (p.node == RAM_NONE || r->node[p.node].type != RAM_DIRECTORY)
            return (struct ram_place){ .node = RAM_NONE, .err = KOZO_ERR_NOT_FOUND };
        p.dir = p.node;
        p.name = text_cut(&path, '/');
        p.node = find_child(r, p.dir, p.name);
    }
    return p;
}

uint32_t ram_list(struct ram *r, uint32_t dir, uint64_t after)
{
    const struct ram_node *near = r->near != RAM_NONE ? &r->node[r->near] : nullptr;
    uint32_t i = r->node[dir].child;

    if (near != nullptr && near->type != RAM_FREE && near->parent == dir && near->serial == after)
        i = near->next;
    while (i != RAM_NONE && r->node[i].serial <= after)
        i = r->node[i].next;
    r->near = i;
    return i;
}

/* ---- changing ---- */

struct ram_result ram_make(struct ram *r, struct ram_place at, enum ram_type type, uint8_t account)
{
    uint32_t node = r->free_first;
    struct ram_node *n;

    if (at.node != RAM_NONE)
        return (struct ram_result){ RAM_NONE, KOZO_ERR_EXISTS };
    if (depth_of(r, at.dir) >= RAM_DEPTH || r->used[account] >= r->limit)
        return (struct ram_result){ RAM_NONE, KOZO_ERR_LIMIT };
    if (r->free == 0)
        return (struct ram_result){ RAM_NONE, KOZO_ERR_FULL };
    n = &r->node[node];
    r->free_first = n->chain;
    r->free--;
    r->used[account]++;
    *n = (struct ram_node){ .type = type,
                            .account = account,
                            .generation = (n->generation + 1) & generation_mask,
                            .child = RAM_NONE,
                            .last = RAM_NONE };
    link_node(r, node, at.dir, at.name);
    return (struct ram_result){ node, KOZO_OK };
}

static enum kozo_err check_empty(const struct ram *r, uint32_t node)
{
    return r->node[node].child == RAM_NONE ? KOZO_OK : KOZO_ERR_NOT_EMPTY;
}

enum kozo_err ram_remove(struct ram *r, uint32_t node)
{
    enum kozo_err err = check_empty(r, node);

    if (err != KOZO_OK)
        return err;
    data_free(r, node);
    unlink_node(r, node);
    r->used[r->node[node].account]--;
    free_node(r, node);
    return KOZO_OK;
}

/* Whether what is at `there` may give way to `node`. */
static enum kozo_err check_replace(const struct ram *r, uint32_t node, uint32_t there)
{
    if (there == RAM_NONE)
        return KOZO_OK;
    if (r->node[there].type != r->node[node].type)
        return KOZO_ERR_TYPE;
    return check_empty(r, there);
}

enum kozo_err ram_rename(struct ram *r, uint32_t node, struct ram_place to)
{
    enum kozo_err err;

    if (to.name.len == 0)
        return KOZO_ERR_EXISTS;
    if (to.node == node)
        return KOZO_OK;
    if (is_within(r, to.dir, node))
        return KOZO_ERR_INSIDE;
    err = check_replace(r, node, to.node);
    if (err != KOZO_OK)
        return err;
    if (depth_of(r, to.dir) + height_of(r, node) > RAM_DEPTH)
        return KOZO_ERR_LIMIT;
    /* ---- commit ---- */
    if (to.node != RAM_NONE)
        (void)ram_remove(r, to.node);
    unlink_node(r, node);
    link_node(r, node, to.dir, to.name);
    return KOZO_OK;
}
