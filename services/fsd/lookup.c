/* SPDX-License-Identifier: MIT */
#include "fsd/lookup.h"
#include "fsd/name.h"

#include <kozo/string.h>

static_assert(NODE_NONE == TREE_NONE);

constexpr uint64_t max_nodes = TREE_PLACES;

static struct kozo_str path_of(const struct node *n)
{
    return (struct kozo_str){ n->path, n->path_len };
}

static struct kozo_str name_of(const struct node *n)
{
    return (struct kozo_str){ n->path + n->path_len - n->name_len, n->name_len };
}

/* ---- the tree of names ---- */

static int order_names(const void *nodes, const void *key, uint32_t at)
{
    const struct node *n = (const struct node *)nodes + at;

    return name_order(key, n->parent, name_of(n));
}

static uint32_t find_child(const struct lookup *l, uint32_t dir, struct kozo_str name)
{
    return tree_find(&l->names, &(struct name_key){ dir, name });
}

/* Puts a node that is in no directory into one; `name` is not there yet. */
static void insert(struct lookup *l, uint32_t i, uint32_t dir, struct kozo_str name)
{
    l->node[i].name_len = (uint16_t)name.len;
    l->node[i].parent = dir;
    l->node[i].child = l->node[i].next = NODE_NONE;
    tree_insert(&l->names, &(struct name_key){ dir, name }, i);
}

static void begin_tree(struct lookup *l, struct tree *t, tree_order *order)
{
    tree_init(t, l->node, order, &l->node->link, sizeof(struct node));
}

/* ---- sizing ---- */

static struct kozo_str entry_path(const struct kozo_cpio_entry *e)
{
    struct kozo_str path = { e->name, e->name_len };

    if (kozo_str_is(path, "."))
        path.len = 0;
    return path;
}

/* How many nodes `path` can add to a tree that has the path `before`. Its entry is always one. */
static uint64_t new_nodes(struct kozo_str path, struct kozo_str before)
{
    uint64_t n = 0;

    while (path.len > 0) {
        struct kozo_str part = text_cut(&path, '/');

        if (n == 0 && path.len > 0 && text_equal(part, text_cut(&before, '/')))
            continue;
        n++;
    }
    return n;
}

struct lookup_plan lookup_plan(const struct kozo_cpio *archive, struct kozo_bad *bad)
{
    struct lookup_plan plan = { .nodes = 1 };
    struct kozo_str before = kozo_str("");
    struct kozo_cpio_entry e;
    uint64_t at = 0;

    while ((plan.err = kozo_cpio_next(archive, &at, &e, bad)) == KOZO_OK) {
        plan.nodes += new_nodes(entry_path(&e), before);
        before = entry_path(&e);
    }
    if (plan.err == KOZO_ERR_NOT_FOUND)
        plan.err = plan.nodes > max_nodes ? KOZO_ERR_LIMIT : KOZO_OK;
    plan.bytes = plan.nodes * sizeof(struct node);
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

/* kozo_cpio_next has refused more than KOZO_CPIO_DEPTH. */
static uint8_t parts_of(struct kozo_str path)
{
    uint8_t n = 0;

    for (; path.len > 0; n++)
        (void)text_cut(&path, '/');
    return n;
}

/* A node for each entry, in the order of the archive, in no directory yet. */
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
                          .parts = parts_of(path),
                          .type = type_of(e.mode),
                          .ino = e.ino,
                          .dev_major = e.dev_major,
                          .dev_minor = e.dev_minor };

        if (path.len == 0)
            continue;
        n.linked = n.type == NODE_FILE && e.links > 1;
        if (n.type != NODE_FILE)
            n.size = 0;
        l->node[l->nodes++] = n;
    }
    return err == KOZO_ERR_NOT_FOUND ? KOZO_OK : err;
}

static int order_inodes(const void *nodes, const void *of, uint32_t at)
{
    const struct node *a = of, *b = (const struct node *)nodes + at;

    if (a->ino != b->ino)
        return a->ino < b->ino ? -1 : 1;
    if (a->dev_minor != b->dev_minor)
        return a->dev_minor < b->dev_minor ? -1 : 1;
    return a->dev_major == b->dev_major ? 0 : a->dev_major < b->dev_major ? -1 : 1;
}

/* A file with several names has its bytes under the last of them: lend them to the others. */
static void resolve_links(struct lookup *l)
{
    struct tree inodes;

    begin_tree(l, &inodes, order_inodes);
    for (uint32_t i = l->nodes - 1; i > NODE_ROOT; i--) {
        struct node *n = &l->node[i];
        uint32_t other;

        if (!n->linked)
            continue;
        other = tree_find(&inodes, n);
        if (other == NODE_NONE)
            tree_insert(&inodes, n, i);
        else if (n->size == 0) {
            n->data = l->node[other].data;
            n->size = l->node[other].size;
        }
    }
}

/* A directory that no entry of its own made. The plan has room for it. */
static uint32_t add_implied(struct lookup *l, uint32_t dir, struct kozo_str path,
                            struct kozo_str name)
{
    uint32_t i = l->nodes++;

    l->node[i] =
        (struct node){ .path = path.at, .path_len = (uint16_t)path.len, .type = NODE_DIRECTORY };
    insert(l, i, dir, name);
    return i;
}

/* Puts an entry's node into its directory. All entries with fewer parts are in theirs. */
static enum kozo_err place(struct lookup *l, uint32_t i, const struct kozo_cpio *archive,
                           struct kozo_bad *bad)
{
    struct node *n = &l->node[i];
    struct kozo_str rest = path_of(n), name = text_cut(&rest, '/');
    uint32_t dir = NODE_ROOT;

    for (; rest.len > 0; name = text_cut(&rest, '/')) {
        struct kozo_str path = { n->path, (uint64_t)(name.at + name.len - n->path) };
        uint32_t next = find_child(l, dir, name);

        dir = next != NODE_NONE ? next : add_implied(l, dir, path, name);
        if (l->node[dir].type != NODE_DIRECTORY)
            return refuse(archive, n, "a name below a directory", bad);
    }
    if (find_child(l, dir, name) != NODE_NONE)
        return refuse(archive, n, "a name that no other entry has", bad);
    insert(l, i, dir, name);
    return KOZO_OK;
}

static enum kozo_err place_entries(struct lookup *l, const struct kozo_cpio *archive,
                                   struct kozo_bad *bad)
{
    uint32_t entries = l->nodes;

    begin_tree(l, &l->names, order_names);
    for (uint32_t parts = 1; parts <= KOZO_CPIO_DEPTH; parts++) {
        for (uint32_t i = NODE_ROOT + 1; i < entries; i++) {
            enum kozo_err err = l->node[i].parts == parts ? place(l, i, archive, bad) : KOZO_OK;

            if (err != KOZO_OK)
                return err;
        }
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

enum kozo_err lookup_build(struct lookup *l, const struct kozo_cpio *archive, void *memory,
                           struct kozo_bad *bad)
{
    enum kozo_err err;

    *l = (struct lookup){ .node = memory, .nodes = 1 };
    l->node[NODE_ROOT] = (struct node){ .path = "", .type = NODE_DIRECTORY };
    err = add_entries(l, archive, bad);
    if (err != KOZO_OK)
        return err;
    resolve_links(l);
    l->node[NODE_ROOT].parent = l->node[NODE_ROOT].child = l->node[NODE_ROOT].next = NODE_NONE;
    err = place_entries(l, archive, bad);
    if (err == KOZO_OK)
        link_children(l);
    return err;
}

/* ---- looking up ---- */

uint32_t lookup_path(const struct lookup *l, uint32_t dir, struct kozo_str path)
{
    while (path.len > 0 && dir != NODE_NONE)
        dir = find_child(l, dir, text_cut(&path, '/'));
    return dir;
}

struct kozo_str lookup_name(const struct lookup *l, uint32_t node)
{
    return name_of(&l->node[node]);
}
