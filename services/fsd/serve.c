/* SPDX-License-Identifier: MIT */
#include "fsd/serve.h"

constexpr uint64_t handle_bit = 1ull << 63;
constexpr uint64_t all_rights =
    KOZO_FILE_READ | KOZO_FILE_WRITE | KOZO_FILE_LIST | KOZO_FILE_CREATE | KOZO_FILE_REMOVE;
constexpr uint64_t changing_rights = KOZO_FILE_WRITE | KOZO_FILE_CREATE | KOZO_FILE_REMOVE;

static_assert((int)NODE_FILE == (int)KOZO_FILE_REGULAR &&
              (int)NODE_DIRECTORY == (int)KOZO_FILE_DIRECTORY &&
              (int)NODE_SYMLINK == (int)KOZO_FILE_SYMLINK &&
              (int)NODE_OTHER == (int)KOZO_FILE_OTHER);

uint64_t handle_badge(const struct fs_server *s, uint32_t node)
{
    return handle_bit | (uint64_t)s->generation << 32 | node;
}

struct handle handle_open(const struct fs_server *s, uint64_t badge)
{
    uint32_t node = (uint32_t)badge;

    if ((badge & handle_bit) == 0)
        return (struct handle){ NODE_ROOT, KOZO_OK };
    if (node >= s->tree.nodes || badge != handle_badge(s, node))
        return (struct handle){ NODE_NONE, KOZO_ERR_STALE };
    return (struct handle){ node, KOZO_OK };
}

/* The handle used, when its capability has the user rights in `need`. */
static struct handle want(const struct fs_server *s, const struct kozo_msg *m, uint64_t need)
{
    struct handle h = handle_open(s, m->badge);

    if (h.err == KOZO_OK && (m->user & need) != need)
        h.err = KOZO_ERR_RIGHTS;
    return h;
}

/* Whether the file at `node` may be opened with `rights`. */
static enum kozo_err check_open(const struct fs_server *s, uint32_t node, uint64_t rights)
{
    enum node_type type;

    if (node == NODE_NONE)
        return KOZO_ERR_NOT_FOUND;
    type = s->tree.node[node].type;
    if (type == NODE_SYMLINK || type == NODE_OTHER)
        return KOZO_ERR_TYPE;
    return (rights & changing_rights) != 0 ? KOZO_ERR_READ_ONLY : KOZO_OK;
}

static enum kozo_err serve_open(struct fs_server *s, const struct kozo_msg *m,
                                const struct fs_open_req *req, struct fs_open_rep *rep)
{
    struct handle dir = want(s, m, 0);
    enum kozo_err err;
    uint32_t node;
    uint64_t carry;

    if (dir.err != KOZO_OK)
        return dir.err;
    if (s->tree.node[dir.node].type != NODE_DIRECTORY)
        return KOZO_ERR_TYPE;
    if (!path_is_sound(req->path))
        return KOZO_ERR_NAME;
    if (req->rights == 0 || (req->rights & ~all_rights) != 0)
        return KOZO_ERR_ARGUMENT;
    if ((req->rights & ~(uint64_t)m->user) != 0)
        return KOZO_ERR_RIGHTS;
    node = lookup_path(&s->tree, dir.node, req->path);
    err = check_open(s, node, req->rights);
    if (err != KOZO_OK)
        return err;
    /*
     * What is opened below a directory comes back with the answer, which only a capability with
     * GRANT lets through.
     */
    carry = s->tree.node[node].type == NODE_DIRECTORY ? KOZO_GRANT : 0;
    rep->file = kozo_give_badged(s->port, KOZO_WRITE | carry, req->rights, handle_badge(s, node));
    rep->size = s->tree.node[node].size;
    rep->type = s->tree.node[node].type;
    return KOZO_OK;
}

static enum kozo_err serve_read(struct fs_server *s, const struct kozo_msg *m,
                                const struct fs_read_req *req, struct fs_read_rep *rep)
{
    struct handle h = want(s, m, KOZO_FILE_READ);
    const struct node *n;
    uint64_t length;

    if (h.err != KOZO_OK)
        return h.err;
    n = &s->tree.node[h.node];
    if (n->type != NODE_FILE)
        return KOZO_ERR_TYPE;
    if (req->offset >= n->size)
        return KOZO_OK;
    length = n->size - req->offset;
    if (length > req->length)
        length = req->length;
    if (length > KOZO_FILE_CHUNK)
        length = KOZO_FILE_CHUNK;
    rep->data = (struct kozo_bytes){ n->data + req->offset, length };
    return KOZO_OK;
}

static enum kozo_err serve_stat(struct fs_server *s, const struct kozo_msg *m,
                                const struct fs_stat_req *req, struct fs_stat_rep *rep)
{
    struct handle h = want(s, m, 0);

    (void)req;
    if (h.err != KOZO_OK)
        return h.err;
    rep->size = s->tree.node[h.node].size;
    rep->type = s->tree.node[h.node].type;
    rep->rights = m->user;
    return KOZO_OK;
}

static enum kozo_err serve_list(struct fs_server *s, const struct kozo_msg *m,
                                const struct fs_list_req *req, struct fs_list_rep *rep)
{
    struct handle h = want(s, m, KOZO_FILE_LIST);
    const struct lookup *tree = &s->tree;
    uint64_t entry = req->cursor;

    if (h.err != KOZO_OK)
        return h.err;
    if (tree->node[h.node].type != NODE_DIRECTORY)
        return KOZO_ERR_TYPE;
    if (entry == 0)
        entry = tree->node[h.node].child;
    if (entry == NODE_NONE)
        return KOZO_ERR_NOT_FOUND;
    if (entry >= tree->nodes || tree->node[entry].parent != h.node)
        return KOZO_ERR_ARGUMENT;
    rep->next = tree->node[entry].next;
    rep->size = tree->node[entry].size;
    rep->type = tree->node[entry].type;
    rep->name = lookup_name(tree, (uint32_t)entry);
    if (rep->name.len > PATH_BYTES)
        rep->name.len = PATH_BYTES;
    return KOZO_OK;
}

static enum kozo_err serve_close(struct fs_server *s, const struct kozo_msg *m,
                                 const struct fs_close_req *req, struct fs_close_rep *rep)
{
    (void)req;
    (void)rep;
    return want(s, m, 0).err;
}

const struct fs_ops fs_archive_ops = {
    .open = serve_open,
    .read = serve_read,
    .stat = serve_stat,
    .list = serve_list,
    .close = serve_close,
};
