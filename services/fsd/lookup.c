/* SPDX-License-Identifier: MIT */
#include "fsd/lookup.h"

constexpr uint64_t max_nodes = 1u << 24;

static struct kozo_str path_of(const struct node *n)
{
    return (struct kozo_str){ n->path, n->path_len };
}

/* ---- the table ---- */

constexpr uint32_t hash_start = 2166136261u;

static uint32_t hash_add(uint32_t h, struct kozo_str text)
{
    for (uint64_t i = 0; i < text.len; i++)
        h = (h ^ (uint8_t)text.at[i]) * 16777619u;
    return h;
}

/* A path as two pieces with a slash between, or as the second alone. */
struct pieces {
    struct kozo_str dir, rest;
};

static uint32_t hash_of(struct pieces p)
{
    uint32_t h = hash_start;

    if (p.dir.len > 0)
        h = hash_add(hash_add(h, p.dir), kozo_str("/"));
    return hash_add(h, p.rest);
}

static bool is_at(struct kozo_str path, struct pieces p)
{
    struct kozo_str end;

    if (p.dir.len == 0)
        return text_equal(path, p.rest);
    if (path.len != p.dir.len + 1 + p.rest.len || path.at[p.dir.len] != '/')
        return false;
    end = (struct kozo_str){ path.at + p.dir.len + 1, p.rest.len };
    return text_starts(path, p.dir) && text_equal(end, p.rest);
}

static uint32_t find(const struct lookup *l, struct pieces p)
{
    uint32_t i = l->bucket[hash_of(p) & (l->buckets - 1)];

    while (i != NODE_NONE && !is_at(path_of(&l->node[i]), p))
        i = l->node[i].chain;
    return i;
}

static void insert(struct lookup *l, uint32_t i, uint32_t hash)
{
    uint32_t *bucket = &l->bucket[hash & (l->buckets - 1)];

    l->node[i].chain = *bucket;
    *bucket = i;
}

static void clear_table(struct lookup *l)
{
    for (uint32_t i = 0; i < l->buckets; i++)
        l->bucket[i] = NODE_NONE;
}

/* ---- sizing ---- */

static struct kozo_str entry_path(const struct kozo_cpio_entry *e)
{
    struct kozo_str path = { e->name, e->name_len };

    if (kozo_str_is(path, "."))
        path.len = 0;
    return path;
}

/*
 * How many parts of `path` are not also the first parts of `before`: what it can add to a tree that
 * has `before`.
 */
static uint64_t new_parts(struct kozo_str path, struct kozo_str before)
{
    uint64_t n = 0;

    while (path.len > 0) {
        struct kozo_str part = text_cut(&path, '/');

        if (n == 0 && before.len > 0 && text_equal(part, text_cut(&before, '/')))
            continue;
        n++;
    }
    return n;
}

struct lookup_plan lookup_plan(const struct kozo_cpio *archive, struct kozo_bad *bad)
{
    struct lookup_plan plan = { .nodes = 1, .buckets = 16 };
    struct kozo_str before = {};
    struct kozo_cpio_entry e;
    uint64_t at = 0;

    while ((plan.err = kozo_cpio_next(archive, &at, &e, bad)) == KOZO_OK) {
        plan.nodes += new_parts(entry_path(&e), before);
        before = entry_path(&e);
    }
    if (plan.err == KOZO_ERR_NOT_FOUND)
        plan.err = plan.nodes > max_nodes ? KOZO_ERR_LIMIT : KOZO_OK;
    while (plan.buckets < plan.nodes)
        plan.buckets *= 2;
    plan.bytes = plan.nodes * sizeof(struct node) + plan.buckets * sizeof(uint32_t);
    return plan;
}

/* ---- building ---- */

static enum node_type type_of(uint32_t mode)
{
    switch (KOZO_CPIO_TYPE(mode)) {
    case KOZO_CPIO_FILE:
        return NODE_FILE;
    case KOZO_CPIO_DIRECTORY:
        return NODE_DIRECTORY;
    case KOZO_CPIO_SYMLINK:
        return NODE_SYMLINK;
    default:
        return NODE_OTHER;
    }
}

static enum kozo_err refuse(const struct kozo_cpio *archive, const struct node *n, const char *want,
                            struct kozo_bad *bad)
{
    *bad = (struct kozo_bad){ .field = "name",
                              .want = want,
                              .value = n->path_len,
                              .at = (uint64_t)((const uint8_t *)n->path - archive->base),
                              .text = n->path,
                              .text_len = n->path_len,
                              .form = KOZO_BAD_BYTES };
    return KOZO_ERR_FORMAT;
}

/* A node for each entry, in the order of the archive, in no bucket yet. */
static enum kozo_err add_entries(struct lookup *l, const struct kozo_cpio *archive,
                                 struct kozo_bad *bad)
{
    struct kozo_cpio_entry e;
    enum kozo_err err;
    uint64_t at = 0;

    while ((err = kozo_cpio_next(archive, &at, &e, bad)) == KOZO_OK) {
        struct kozo_str path = entry_path(&e);
        struct node n = { .path = path.at,
                          .data = e.data,
                          .size = e.size,
                          .path_len = (uint16_t)path.len,
                          .type = type_of(e.mode),
                          .ino = e.ino,
                          .dev_major = e.dev_major,
                          .dev_minor = e.dev_minor };

        if (path.len == 0)
            continue;
        if (l->nodes == l->max_nodes)
            return refuse(archive, &n, "a name that no other entry has", bad);
        n.linked = n.type == NODE_FILE && e.links > 1;
        if (n.type != NODE_FILE)
            n.size = 0;
        l->node[l->nodes++] = n;
    }
    return err == KOZO_ERR_NOT_FOUND ? KOZO_OK : err;
}

static bool same_inode(const struct node *a, const struct node *b)
{
    return a->ino == b->ino && a->dev_major == b->dev_major && a->dev_minor == b->dev_minor;
}

/* A file with several names has its bytes under the last of them: lend them to the others. */
static void resolve_links(struct lookup *l)
{
    clear_table(l);
    for (uint32_t i = l->nodes - 1; i > NODE_ROOT; i--) {
        struct node *n = &l->node[i];
        uint32_t hash = (n->ino ^ n->dev_minor * 31 ^ n->dev_major * 961) * 2654435761u >> 7;
        uint32_t other;

        if (!n->linked)
            continue;
        other = l->bucket[hash & (l->buckets - 1)];
        while (other != NODE_NONE && !same_inode(&l->node[other], n))
            other = l->node[other].chain;
        if (other == NODE_NONE)
            insert(l, i, hash);
        else if (n->size == 0) {
            n->data = l->node[other].data;
            n->size = l->node[other].size;
        }
    }
}

static enum kozo_err hash_entries(struct lookup *l, const struct kozo_cpio *archive,
                                  struct kozo_bad *bad)
{
    clear_table(l);
    for (uint32_t i = NODE_ROOT; i < l->nodes; i++) {
        struct node *n = &l->node[i];
        struct pieces p = { .rest = path_of(n) };

        n->parent = n->child = n->next = NODE_NONE;
        if (find(l, p) != NODE_NONE)
            return refuse(archive, n, "a name that no other entry has", bad);
        insert(l, i, hash_of(p));
    }
    return KOZO_OK;
}

static struct kozo_str parent_path(struct kozo_str path)
{
    while (path.len > 0 && path.at[path.len - 1] != '/')
        path.len--;
    path.len -= path.len > 0;
    return path;
}

/* Finds each node's parent, and makes those that no entry of their own made. */
static enum kozo_err add_parents(struct lookup *l, const struct kozo_cpio *archive,
                                 struct kozo_bad *bad)
{
    for (uint32_t i = NODE_ROOT + 1; i < l->nodes; i++) {
        struct pieces p = { .rest = parent_path(path_of(&l->node[i])) };
        uint32_t parent = find(l, p);

        if (parent == NODE_NONE) {
            if (l->nodes == l->max_nodes)
                return refuse(archive, &l->node[i], "a name that no other entry has", bad);
            parent = l->nodes++;
            l->node[parent] = (struct node){ .path = p.rest.at,
                                             .path_len = (uint16_t)p.rest.len,
                                             .type = NODE_DIRECTORY };
            l->node[parent].child = l->node[parent].next = NODE_NONE;
            insert(l, parent, hash_of(p));
        }
        if (l->node[parent].type != NODE_DIRECTORY)
            return refuse(archive, &l->node[i], "a name below a directory", bad);
        l->node[i].parent = parent;
    }
    return KOZO_OK;
}

static void link_children(struct lookup *l)
{
    for (uint32_t i = l->nodes - 1; i > NODE_ROOT; i--) {
        struct node *parent = &l->node[l->node[i].parent];

        l->node[i].next = parent->child;
        parent->child = i;
    }
}

enum kozo_err lookup_build(struct lookup *l, const struct kozo_cpio *archive,
                           const struct lookup_plan *plan, void *memory, struct kozo_bad *bad)
{
    enum kozo_err err;

    *l = (struct lookup){ .node = memory,
                          .nodes = 1,
                          .max_nodes = (uint32_t)plan->nodes,
                          .buckets = (uint32_t)plan->buckets };
    l->bucket = (uint32_t *)(l->node + l->max_nodes);
    l->node[NODE_ROOT] = (struct node){ .path = "", .type = NODE_DIRECTORY };
    err = add_entries(l, archive, bad);
    if (err != KOZO_OK)
        return err;
    resolve_links(l);
    err = hash_entries(l, archive, bad);
    if (err != KOZO_OK)
        return err;
    err = add_parents(l, archive, bad);
    if (err == KOZO_OK)
        link_children(l);
    return err;
}

/* ---- looking up ---- */

uint32_t lookup_path(const struct lookup *l, uint32_t dir, struct kozo_str path)
{
    if (path.len == 0)
        return dir;
    return find(l, (struct pieces){ path_of(&l->node[dir]), path });
}

struct kozo_str lookup_name(const struct lookup *l, uint32_t node)
{
    struct kozo_str path = path_of(&l->node[node]);
    uint64_t dir = parent_path(path).len;

    dir += dir > 0;
    return (struct kozo_str){ path.at + dir, path.len - dir };
}
