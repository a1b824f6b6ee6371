/* SPDX-License-Identifier: MIT */
#include "fsd/ram.h"
#include "fsd/data.h"
#include "fsd/name.h"

#include <kozo/string.h>

static_assert(RAM_NONE == TREE_NONE);

constexpr uint32_t generation_mask = (1u << 28) - 1;

/* ---- the trees ---- */

static int order_names(const void *nodes, const void *key, uint32_t at)
{
    const struct ram_node *n = (const struct ram_node *)nodes + at;

    return name_order(key, n->parent, (struct kozo_str){ n->name, n->name_len });
}

struct number_key {
    uint32_t dir, node;
};

static int order_numbers(const void *nodes, const void *of, uint32_t at)
{
    const struct number_key *key = of;
    const struct ram_node *n = (const struct ram_node *)nodes + at;

    if (key->dir != n->parent)
        return key->dir < n->parent ? -1 : 1;
    return key->node == at ? 0 : key->node < at ? -1 : 1;
}

/* ---- directories ---- */

/* How many parts the longest path has that begins with the node. */
static uint32_t height_of(const struct ram *r, uint32_t node)
{
    const struct ram_node *n = &r->node[node];

    if (n->type != RAM_DIRECTORY)
        return 1;
    for (uint32_t h = RAM_DEPTH; h > 0; h--)
        if (n->tall[h - 1] > 0)
            return h + 1;
    return 1;
}

/* An entry of `dir` that was so tall is now that tall, 0: it is not there; so are those above. */
static void restack(struct ram *r, uint32_t dir, uint32_t was, uint32_t is)
{
    for (;; dir = r->node[dir].parent) {
        uint32_t height = height_of(r, dir);

        if (was > 0)
            r->node[dir].tall[was - 1]--;
        if (is > 0)
            r->node[dir].tall[is - 1]++;
        was = height;
        is = height_of(r, dir);
        if (dir == RAM_ROOT || was == is)
            return;
    }
}

/* Takes a node out of its directory. */
static void unlink_node(struct ram *r, uint32_t node)
{
    uint32_t dir = r->node[node].parent;

    tree_remove(&r->names, &(struct name_key){ dir, ram_name(r, node) }, node);
    tree_remove(&r->numbers, &(struct number_key){ dir, node }, node);
    restack(r, dir, height_of(r, node), 0);
}

/* Puts a node that is in no directory into one. */
static void link_node(struct ram *r, uint32_t node, uint32_t dir, struct kozo_str name)
{
    struct ram_node *n = &r->node[node];

    memmove(n->name, name.at, name.len);
    n->name_len = (uint8_t)name.len;
    n->parent = dir;
    tree_insert(&r->names, &(struct name_key){ dir, name }, node);
    tree_insert(&r->numbers, &(struct number_key){ dir, node }, node);
    restack(r, dir, 0, height_of(r, node));
}

static uint32_t depth_of(const struct ram *r, uint32_t node)
{
    uint32_t depth = 0;

    for (; node != RAM_ROOT; node = r->node[node].parent)
        depth++;
    return depth;
}

static bool is_within(const struct ram *r, uint32_t node, uint32_t top)
{
    while (node != top && node != RAM_ROOT)
        node = r->node[node].parent;
    return node == top;
}

/* ---- beginning ---- */

uint64_t ram_bytes(uint32_t nodes) { return (uint64_t)nodes * sizeof(struct ram_node); }

static void free_node(struct ram *r, uint32_t node)
{
    r->node[node].type = RAM_FREE;
    r->node[node].parent = RAM_NONE;
    if (r->free == 0)
        r->free_first = node;
    else
        r->node[r->free_last].parent = node;
    r->free_last = node;
    r->free++;
}

void ram_init(struct ram *r, void *memory, uint32_t nodes, uint32_t limit)
{
    struct store store = r->store;

    *r = (struct ram){ .node = memory, .nodes = nodes, .limit = limit, .store = store };
    memset(r->node, 0, nodes * sizeof(struct ram_node));
    tree_init(&r->names, r->node, order_names, &r->node->by_name, sizeof(struct ram_node));
    tree_init(&r->numbers, r->node, order_numbers, &r->node->by_node, sizeof(struct ram_node));
    for (uint32_t i = RAM_ROOT + 1; i < nodes; i++)
        free_node(r, i);
    r->node[RAM_ROOT] = (struct ram_node){ .type = RAM_DIRECTORY, .account = STORE_NOBODY };
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
        p.node = tree_find(&r->names, &(struct name_key){ p.dir, p.name });
    }
    return p;
}

uint32_t ram_list(const struct ram *r, uint32_t dir, uint64_t after)
{
    uint32_t i = RAM_NONE;

    if (after < RAM_NODES)
        i = tree_after(&r->numbers, &(struct number_key){ dir, (uint32_t)after });
    return i != RAM_NONE && r->node[i].parent == dir ? i : RAM_NONE;
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
    r->free_first = n->parent;
    r->free--;
    r->used[account]++;
    *n = (struct ram_node){ .type = type,
                            .account = account,
                            .generation = (n->generation + 1) & generation_mask };
    link_node(r, node, at.dir, at.name);
    return (struct ram_result){ node, KOZO_OK };
}

static enum kozo_err check_empty(const struct ram *r, uint32_t node)
{
    return height_of(r, node) == 1 ? KOZO_OK : KOZO_ERR_NOT_EMPTY;
}

enum kozo_err ram_remove(struct ram *r, uint32_t node)
{
    enum kozo_err err = check_empty(r, node);

    if (err != KOZO_OK)
        return err;
    if (r->node[node].type == RAM_FILE)
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
