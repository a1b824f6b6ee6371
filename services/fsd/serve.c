/* SPDX-License-Identifier: MIT */
#include "fsd/serve.h"
#include "fsd/bytes.h"

constexpr uint64_t all_rights =
    KOZO_FILE_READ | KOZO_FILE_WRITE | KOZO_FILE_LIST | KOZO_FILE_CREATE | KOZO_FILE_REMOVE;
constexpr uint64_t changing_rights = KOZO_FILE_WRITE | KOZO_FILE_CREATE | KOZO_FILE_REMOVE;
constexpr uint64_t mount_cursor = 1ull << 32; /* in the archive's root, behind its entries */

static_assert((int)NODE_FILE == (int)KOZO_FILE_REGULAR &&
              (int)NODE_DIRECTORY == (int)KOZO_FILE_DIRECTORY &&
              (int)NODE_SYMLINK == (int)KOZO_FILE_SYMLINK &&
              (int)NODE_OTHER == (int)KOZO_FILE_OTHER);
static_assert((int)RAM_FILE == (int)KOZO_FILE_REGULAR &&
              (int)RAM_DIRECTORY == (int)KOZO_FILE_DIRECTORY);

/* ---- beginning ---- */

uint64_t ram_plan_bytes(const struct ram_plan *plan)
{
    return ram_bytes(plan->nodes) + store_bytes(plan->blocks);
}

void ram_begin(struct fs_server *s, const struct ram_plan *plan, void *memory, void *tables)
{
    uint8_t *rest = (uint8_t *)tables + ram_bytes(plan->nodes);

    ram_init(&s->ram, tables, plan->nodes, plan->share_nodes);
    store_init(&s->ram.store, memory, plan->blocks, rest, plan->share_blocks);
}

/* ---- handles ---- */

uint64_t handle_badge(const struct fs_server *s, struct file file, uint8_t origin)
{
    uint64_t badge = HANDLE_BIT | (uint64_t)origin << HANDLE_ORIGIN_SHIFT |
                     (uint64_t)s->origins.at[origin].turn << HANDLE_TURN_SHIFT;

    if (!file.ram)
        return badge | file.node;
    return badge | HANDLE_RAM | (uint64_t)s->ram.node[file.node].generation << 16 | file.node;
}

static struct handle open_root(const struct fs_server *s, uint64_t client)
{
    uint8_t account = account_of(client);

    return (struct handle){
        { NODE_ROOT, false }, account, origin_of_account(account), origin_check(&s->origins, client)
    };
}

struct handle handle_open(const struct fs_server *s, uint64_t badge)
{
    struct handle h = { .err = KOZO_ERR_STALE };

    if ((badge & HANDLE_BIT) == 0)
        return open_root(s, badge);
    if (!handle_is_of(&s->origins, badge))
        return h;
    h.origin = handle_origin(badge);
    h.account = s->origins.at[h.origin].account;
    h.file.ram = (badge & HANDLE_RAM) != 0;
    h.file.node = h.file.ram ? (uint16_t)badge : (uint32_t)badge;
    if (h.file.node < (h.file.ram ? s->ram.nodes : s->tree.nodes) &&
        badge == handle_badge(s, h.file, h.origin) &&
        (!h.file.ram || s->ram.node[h.file.node].type != RAM_FREE))
        h.err = KOZO_OK;
    return h;
}

struct handle handle_want(struct fs_server *s, const struct kozo_msg *m, uint64_t need)
{
    struct handle h = handle_open(s, m->badge);

    if (h.err == KOZO_OK && (m->badge & HANDLE_BIT) == 0)
        origin_hear(&s->origins, m->badge);
    s->asked.file = h.file;
    s->asked.rights = (uint8_t)need;
    s->asked.path[0] = '\0';
    if (h.err == KOZO_OK && (m->user & need) != need)
        h.err = KOZO_ERR_RIGHTS;
    return h;
}

static enum kozo_file_type type_of(const struct fs_server *s, struct file f)
{
    return f.ram ? (enum kozo_file_type)s->ram.node[f.node].type
                 : (enum kozo_file_type)s->tree.node[f.node].type;
}

static uint64_t size_of(const struct fs_server *s, struct file f)
{
    return f.ram ? s->ram.node[f.node].size : s->tree.node[f.node].size;
}

/* ---- paths ---- */

/* One spelling, and UTF-8 that a terminal can show. */
static bool is_path(struct kozo_str path)
{
    if (!path_is_sound(path))
        return false;
    for (uint64_t n; path.len > 0; path.at += n, path.len -= n) {
        n = text_char(path);
        if (n == 0)
            return false;
    }
    return true;
}

/* Cuts the part that leads into the memory filesystem off a path below the archive's root. */
static bool cut_mount(struct kozo_str *path)
{
    struct kozo_str rest = *path;

    if (!kozo_str_is(text_cut(&rest, '/'), RAM_MOUNT))
        return false;
    *path = rest;
    return true;
}

/* Where a path leads; .at counts if it is of the memory filesystem. */
struct [[nodiscard]] found {
    struct file file; /* NODE_NONE: nothing is there */
    struct ram_place at;
    enum kozo_err err;
};

static struct found find(struct fs_server *s, struct handle dir, struct kozo_str path)
{
    struct found f = { .err = dir.err };

    kozo_str_copy(s->asked.path, sizeof s->asked.path, path);
    if (f.err == KOZO_OK && type_of(s, dir.file) != KOZO_FILE_DIRECTORY)
        f.err = KOZO_ERR_TYPE;
    if (f.err == KOZO_OK && !is_path(path))
        f.err = KOZO_ERR_NAME;
    if (f.err != KOZO_OK)
        return f;
    f.file.ram = dir.file.ram || (dir.file.node == NODE_ROOT && cut_mount(&path));
    if (!f.file.ram) {
        f.file.node = lookup_path(&s->tree, dir.file.node, path);
        return f;
    }
    f.at = ram_find(&s->ram, dir.file.ram ? dir.file.node : RAM_ROOT, path);
    f.file.node = f.at.node;
    f.err = f.at.err;
    return f;
}

/* The same for what must be there. */
static struct found find_file(struct fs_server *s, struct handle dir, struct kozo_str path)
{
    struct found f = find(s, dir, path);

    if (f.err == KOZO_OK && f.file.node == NODE_NONE)
        f.err = KOZO_ERR_NOT_FOUND;
    return f;
}

/* ---- opening ---- */

/* Whether `rights` make sense, and the capability used has them. */
static enum kozo_err check_rights(struct fs_server *s, const struct kozo_msg *m, uint64_t rights)
{
    s->asked.rights = (uint8_t)rights;
    if ((rights & ~all_rights) != 0)
        return KOZO_ERR_ARGUMENT;
    return (rights & ~(uint64_t)m->user) != 0 ? KOZO_ERR_RIGHTS : KOZO_OK;
}

/* Makes a capability to a file, of this origin. */
static enum kozo_err give(struct fs_server *s, struct file f, uint8_t origin, uint64_t rights,
                          struct kozo_cap_desc *out)
{
    return origin_give(&s->origins, origin, rights, handle_badge(s, f, origin), out);
}

/* What there is to be opened: it changes nothing yet. */
static struct found find_open(struct fs_server *s, const struct kozo_msg *m, struct handle dir,
                              struct kozo_str path, uint64_t rights)
{
    struct found f = find_file(s, dir, path);
    enum kozo_err err = dir.err;
    enum kozo_file_type type;

    if (err == KOZO_OK)
        err = rights == 0 ? KOZO_ERR_ARGUMENT : check_rights(s, m, rights);
    if (err == KOZO_OK)
        err = f.err;
    if (err == KOZO_OK) {
        type = type_of(s, f.file);
        if (type != KOZO_FILE_REGULAR && type != KOZO_FILE_DIRECTORY)
            err = KOZO_ERR_TYPE;
        else if (!f.file.ram && (rights & changing_rights) != 0)
            err = KOZO_ERR_READ_ONLY;
    }
    f.err = err;
    return f;
}

static enum kozo_err serve_open(struct fs_server *s, const struct kozo_msg *m,
                                const struct fs_open_req *req, struct fs_open_rep *rep)
{
    struct handle dir = handle_want(s, m, 0);
    struct found f = find_open(s, m, dir, req->path, req->rights);

    if (f.err != KOZO_OK)
        return f.err;
    rep->size = size_of(s, f.file);
    rep->type = type_of(s, f.file);
    return give(s, f.file, dir.origin, req->rights, &rep->file);
}

/* The account whose origin is to be used from here on. */
static enum kozo_err check_client(struct fs_server *s, uint64_t client)
{
    enum kozo_err err;

    if ((client & HANDLE_BIT) != 0)
        return KOZO_ERR_ARGUMENT;
    err = origin_check(&s->origins, client);
    if (err == KOZO_OK)
        origin_hear(&s->origins, client);
    return err;
}

static enum kozo_err serve_open_for(struct fs_server *s, const struct kozo_msg *m,
                                    const struct fs_open_for_req *req, struct fs_open_for_rep *rep)
{
    struct handle dir = handle_want(s, m, KOZO_FILE_ACCOUNT);
    uint64_t account = req->rights & KOZO_FILE_ACCOUNT;
    uint8_t origin = origin_of_account(account_of(req->client));
    struct found f;

    if (dir.err == KOZO_OK)
        dir.err = check_client(s, req->client);
    f = find_open(s, m, dir, req->path, req->rights & ~account);
    if (f.err != KOZO_OK)
        return f.err;
    if (account != 0) {
        s->asked.rights |= KOZO_FILE_ACCOUNT;
        origin = origin_take(&s->origins, req->client);
        if (origin == ORIGIN_NONE)
            return KOZO_ERR_LIMIT;
    }
    rep->size = size_of(s, f.file);
    rep->type = type_of(s, f.file);
    return give(s, f.file, origin, req->rights, &rep->file);
}

/* ---- names ---- */

static enum kozo_err serve_make(struct fs_server *s, const struct kozo_msg *m,
                                const struct fs_make_req *req, struct fs_make_rep *rep)
{
    struct handle dir = handle_want(s, m, KOZO_FILE_CREATE);
    struct found f = find(s, dir, req->path);
    enum kozo_err err = dir.err != KOZO_OK ? dir.err : check_rights(s, m, req->rights);
    struct ram_result made;

    if (err == KOZO_OK)
        err = f.err;
    if (err != KOZO_OK)
        return err;
    if (req->type != KOZO_FILE_REGULAR && req->type != KOZO_FILE_DIRECTORY)
        return KOZO_ERR_ARGUMENT;
    if (!f.file.ram)
        return f.file.node != NODE_NONE ? KOZO_ERR_EXISTS : KOZO_ERR_READ_ONLY;
    made = ram_make(&s->ram, f.at, (enum ram_type)req->type, dir.account);
    if (made.err != KOZO_OK || req->rights == 0)
        return made.err;
    err = give(s, (struct file){ made.node, true }, dir.origin, req->rights, &rep->file);
    if (err != KOZO_OK)
        (void)ram_remove(&s->ram, made.node);
    return err;
}

/* What is not the memory filesystem's own to remove or move. */
static bool is_fixed(const struct found *f) { return !f->file.ram || f->file.node == RAM_ROOT; }

static enum kozo_err serve_remove(struct fs_server *s, const struct kozo_msg *m,
                                  const struct fs_remove_req *req, struct fs_remove_rep *)
{
    struct found f = find_file(s, handle_want(s, m, KOZO_FILE_REMOVE), req->path);

    if (f.err != KOZO_OK)
        return f.err;
    if (req->path.len == 0)
        return KOZO_ERR_NAME;
    return is_fixed(&f) ? KOZO_ERR_READ_ONLY : ram_remove(&s->ram, f.file.node);
}

static enum kozo_err serve_rename(struct fs_server *s, const struct kozo_msg *m,
                                  const struct fs_rename_req *req, struct fs_rename_rep *)
{
    struct handle dir = handle_want(s, m, KOZO_FILE_CREATE | KOZO_FILE_REMOVE);
    struct found from = find_file(s, dir, req->from), to = find(s, dir, req->to);

    if (from.err != KOZO_OK || to.err != KOZO_OK)
        return from.err != KOZO_OK ? from.err : to.err;
    if (req->from.len == 0 || req->to.len == 0)
        return KOZO_ERR_NAME;
    if (from.file.ram != to.file.ram)
        return KOZO_ERR_ACROSS;
    return is_fixed(&from) ? KOZO_ERR_READ_ONLY : ram_rename(&s->ram, from.file.node, to.at);
}

/* ---- looking ---- */

static enum kozo_err serve_stat(struct fs_server *s, const struct kozo_msg *m,
                                const struct fs_stat_req *, struct fs_stat_rep *rep)
{
    struct handle h = handle_want(s, m, 0);

    if (h.err == KOZO_OK)
        *rep = (struct fs_stat_rep){ size_of(s, h.file), type_of(s, h.file), m->user };
    return h.err;
}

static enum kozo_err list_ram(struct fs_server *s, uint32_t dir, uint64_t cursor,
                              struct fs_list_rep *rep)
{
    uint32_t entry = ram_list(&s->ram, dir, cursor);
    const struct ram_node *n = &s->ram.node[entry];

    if (entry == RAM_NONE)
        return KOZO_ERR_NOT_FOUND;
    *rep = (struct fs_list_rep){ entry, n->size, n->type, ram_name(&s->ram, entry) };
    return KOZO_OK;
}

static enum kozo_err list_archive(const struct lookup *tree, uint32_t dir, uint64_t cursor,
                                  struct fs_list_rep *rep)
{
    uint64_t entry = cursor != 0 ? cursor : tree->node[dir].child;
    uint64_t end = dir == NODE_ROOT ? mount_cursor : NODE_NONE;

    if (dir == NODE_ROOT && (entry == mount_cursor || entry == NODE_NONE)) {
        *rep = (struct fs_list_rep){ NODE_NONE, 0, KOZO_FILE_DIRECTORY, kozo_str(RAM_MOUNT) };
        return cursor == NODE_NONE ? KOZO_ERR_NOT_FOUND : KOZO_OK;
    }
    if (entry == NODE_NONE)
        return KOZO_ERR_NOT_FOUND;
    if (entry >= tree->nodes || tree->node[entry].parent != dir)
        return KOZO_ERR_ARGUMENT;
    rep->next = tree->node[entry].next != NODE_NONE ? tree->node[entry].next : end;
    rep->size = tree->node[entry].size;
    rep->type = tree->node[entry].type;
    rep->name = lookup_name(tree, (uint32_t)entry);
    if (rep->name.len > PATH_BYTES)
        rep->name.len = PATH_BYTES;
    return KOZO_OK;
}

static enum kozo_err serve_list(struct fs_server *s, const struct kozo_msg *m,
                                const struct fs_list_req *req, struct fs_list_rep *rep)
{
    struct handle h = handle_want(s, m, KOZO_FILE_LIST);

    if (h.err != KOZO_OK)
        return h.err;
    if (type_of(s, h.file) != KOZO_FILE_DIRECTORY)
        return KOZO_ERR_TYPE;
    return h.file.ram ? list_ram(s, h.file.node, req->cursor, rep)
                      : list_archive(&s->tree, h.file.node, req->cursor, rep);
}

static enum kozo_err serve_usage(struct fs_server *s, const struct kozo_msg *m,
                                 const struct fs_usage_req *, struct fs_usage_rep *rep)
{
    struct handle h = handle_want(s, m, 0);
    const struct ram *r = &s->ram;

    if (h.err == KOZO_OK)
        *rep = (struct fs_usage_rep){ (uint64_t)r->store.used[h.account] * STORE_BLOCK,
                                      (uint64_t)r->store.limit * STORE_BLOCK,
                                      r->used[h.account],
                                      r->limit,
                                      (uint64_t)store_left(&r->store) * STORE_BLOCK,
                                      r->free };
    return h.err;
}

/* Who opened a lease for another ends it so, also when what was opened is there no more. */
static enum kozo_err serve_close(struct fs_server *s, const struct kozo_msg *m,
                                 const struct fs_close_req *, struct fs_close_rep *)
{
    struct handle h = handle_want(s, m, 0);

    if (h.origin < ORIGIN_LEASES || (m->user & KOZO_FILE_ACCOUNT) == 0)
        return h.err;
    origin_end(&s->origins, h.origin);
    return KOZO_OK;
}

const struct fs_ops files_ops = {
    .open = serve_open,
    .read = serve_read,
    .stat = serve_stat,
    .list = serve_list,
    .close = serve_close,
    .make = serve_make,
    .write = serve_write,
    .truncate = serve_truncate,
    .remove = serve_remove,
    .rename = serve_rename,
    .read_frames = serve_read_frames,
    .write_frames = serve_write_frames,
    .usage = serve_usage,
    .open_for = serve_open_for,
};
