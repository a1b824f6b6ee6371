/* SPDX-License-Identifier: MIT */
#include "archive.h"
#include "files.h"

#include <stdlib.h>
#include <string.h>

/* ---- a server ---- */

struct fs_server server;
static uint8_t *blocks;
static void *tables;

struct lent frames[KOZO_FILE_FRAMES];
bool writable_asked;
uint32_t copies_left;

static enum kozo_err map_frame(unsigned i, kozo_cptr slot, bool writable, struct lent *out)
{
    CHECK_EQ(slot, 100 + i);
    writable_asked = writable;
    if (frames[i].at == nullptr)
        return KOZO_ERR_KIND;
    *out = frames[i];
    return KOZO_OK;
}

static bool copy_frames(const struct copy *list, uint32_t count)
{
    CHECK(count <= LEND_COPIES);
    for (uint32_t i = 0; i < count; i++) {
        if (copies_left == 0)
            return false;
        copies_left -= copies_left != UINT32_MAX;
        memcpy(list[i].to, list[i].from, list[i].len);
    }
    return true;
}

static const struct lend_ops lender = { map_frame, copy_frames };

/* An empty one. */
static void begin_archive(void)
{
    static uint8_t bytes[256];
    static struct node root;
    struct kozo_cpio archive = { bytes, archive_end(bytes, sizeof bytes, 0) };
    struct kozo_bad bad = {};
    struct lookup_plan plan = lookup_plan(&archive, &bad);

    CHECK_OK(plan.err);
    CHECK_EQ(plan.bytes, sizeof root);
    CHECK_OK(lookup_build(&server.tree, &archive, &root, &bad));
}

void serve_sized(uint32_t store, uint32_t nodes, uint32_t share, uint32_t share_nodes)
{
    struct ram_plan plan = { store, nodes, share, share_nodes };

    free(blocks);
    free(tables);
    blocks = malloc((size_t)store * STORE_BLOCK);
    tables = malloc(ram_plan_bytes(&plan)); /* just as much: the sanitizer tells */
    memset(blocks, 0xee, (size_t)store * STORE_BLOCK);
    server = (struct fs_server){ .origins.ops = &fake_slots, .lend = &lender };
    begin_archive();
    ram_begin(&server, &plan, blocks, tables);
    fake_slots_begin();
    copies_left = UINT32_MAX;
    memset(frames, 0, sizeof frames);
}

void serve_usual(void) { serve_sized(BLOCKS, NODES, SHARE_BLOCKS, SHARE_NODES); }

/* ---- calls, as the kernel would deliver them ---- */

uint64_t speaker = 1ull << 32 | 1;
uint8_t may = EVERYTHING;

struct kozo_msg from(uint64_t badge)
{
    struct kozo_msg m;

    kozo_msg_init(&m);
    m.badge = badge;
    m.user = may;
    return m;
}

uint64_t opened;

enum kozo_err open_path(const char *path, uint64_t rights)
{
    struct kozo_msg m = from(speaker);
    struct fs_open_rep rep = {};
    enum kozo_err err =
        files_ops.open(&server, &m, &(struct fs_open_req){ kozo_str(path), rights }, &rep);

    opened = rep.file.badge;
    return err;
}

enum kozo_err make_str(struct kozo_str path, uint64_t type)
{
    struct kozo_msg m = from(speaker);
    struct fs_make_rep rep = {};
    enum kozo_err err =
        files_ops.make(&server, &m, &(struct fs_make_req){ path, type, RIGHT_READ }, &rep);

    CHECK_EQ(rep.file.slot != 0, err == KOZO_OK);
    opened = rep.file.badge;
    return err;
}

enum kozo_err make(const char *path) { return make_str(kozo_str(path), KOZO_FILE_REGULAR); }

enum kozo_err make_dir(const char *path) { return make_str(kozo_str(path), KOZO_FILE_DIRECTORY); }

enum kozo_err remove_path(const char *path)
{
    struct kozo_msg m = from(speaker);

    return files_ops.remove(&server, &m, &(struct fs_remove_req){ kozo_str(path) },
                            &(struct fs_remove_rep){});
}

enum kozo_err rename_path(const char *path, const char *to)
{
    struct kozo_msg m = from(speaker);

    return files_ops.rename(&server, &m, &(struct fs_rename_req){ kozo_str(path), kozo_str(to) },
                            &(struct fs_rename_rep){});
}

struct fs_write_rep written;

enum kozo_err write_at(uint64_t file, uint64_t offset, const void *bytes, uint64_t len)
{
    struct kozo_msg m = from(file);

    written = (struct fs_write_rep){};
    return files_ops.write(&server, &m, &(struct fs_write_req){ offset, { bytes, len } }, &written);
}

enum kozo_err truncate_to(uint64_t file, uint64_t size)
{
    struct kozo_msg m = from(file);

    return files_ops.truncate(&server, &m, &(struct fs_truncate_req){ size },
                              &(struct fs_truncate_rep){});
}

struct kozo_bytes got;

enum kozo_err read_at(uint64_t file, uint64_t offset, uint64_t len)
{
    struct kozo_msg m = from(file);
    struct fs_read_rep rep = {};
    enum kozo_err err = files_ops.read(&server, &m, &(struct fs_read_req){ offset, len }, &rep);

    got = rep.data;
    return err;
}

struct fs_stat_rep status;

enum kozo_err stat_of(uint64_t file)
{
    struct kozo_msg m = from(file);

    status = (struct fs_stat_rep){};
    return files_ops.stat(&server, &m, &(struct fs_stat_req){}, &status);
}

struct fs_usage_rep usage(uint64_t file)
{
    struct kozo_msg m = from(file);
    struct fs_usage_rep rep = {};

    CHECK_OK(files_ops.usage(&server, &m, &(struct fs_usage_req){}, &rep));
    return rep;
}

uint64_t moved;

/* `count` Frames come with the message. */
enum kozo_err bulk(bool write, uint64_t file, uint64_t offset, uint64_t len, uint64_t at,
                   unsigned count)
{
    struct kozo_msg m = from(file);
    struct kozo_cap_desc cap[KOZO_FILE_FRAMES] = {};
    struct fs_write_frames_rep w = {};
    struct fs_read_frames_rep r = {};
    enum kozo_err err;

    for (unsigned i = 0; i < count; i++)
        cap[i].slot = 100 + i;
    if (write)
        err = files_ops.write_frames(
            &server, &m, &(struct fs_write_frames_req){ offset, len, at, cap[0], cap[1], cap[2] },
            &w);
    else
        err = files_ops.read_frames(
            &server, &m, &(struct fs_read_frames_req){ offset, len, at, cap[0], cap[1], cap[2] },
            &r);
    moved = write ? w.count : r.count;
    return err;
}

/* ---- is all as it must be? ---- */

static uint32_t count_blocks(uint32_t node, uint32_t by_account[STORE_ACCOUNTS], uint8_t seen[])
{
    const struct ram *r = &server.ram;
    const struct ram_node *n = &r->node[node];
    uint32_t count = 0;

    for (uint32_t i = 0; i < RAM_BLOCKS; i++) {
        uint32_t block = 0;

        if (i < RAM_DIRECT)
            block = n->direct[i];
        else if (n->index != 0)
            block = ((uint32_t *)store_at(&r->store, n->index))[i - RAM_DIRECT];
        if (block == 0)
            continue;
        CHECK(i < (n->size + STORE_BLOCK - 1) / STORE_BLOCK);
        CHECK(!seen[block]);
        seen[block] = 1;
        by_account[r->store.owner[block]]++;
        count++;
        if (n->size < (i + 1ull) * STORE_BLOCK)
            for (uint64_t k = n->size % STORE_BLOCK; k < STORE_BLOCK; k++)
                CHECK_EQ(store_at(&r->store, block)[k], 0);
    }
    if (n->index != 0) {
        CHECK(!seen[n->index]);
        CHECK(n->size > RAM_DIRECT * STORE_BLOCK);
        seen[n->index] = 1;
        by_account[r->store.owner[n->index]]++;
        count++;
    }
    return count;
}

/* What each directory says of its entries' heights is what a walk up from each node says. */
static void check_tall(void)
{
    static uint16_t want[RAM_NODES][RAM_DEPTH];
    static uint32_t tallest[RAM_NODES];
    const struct ram *r = &server.ram;

    memset(want, 0, r->nodes * sizeof want[0]);
    memset(tallest, 0, r->nodes * sizeof tallest[0]);
    for (uint32_t i = RAM_ROOT + 1; i < r->nodes; i++) {
        uint32_t parts = 1;

        for (uint32_t up = i; r->node[i].type != RAM_FREE && up != RAM_ROOT; parts++) {
            tallest[up] = tallest[up] > parts ? tallest[up] : parts;
            up = r->node[up].parent;
        }
    }
    for (uint32_t i = RAM_ROOT + 1; i < r->nodes; i++)
        if (r->node[i].type != RAM_FREE)
            want[r->node[i].parent][tallest[i] - 1]++;
    for (uint32_t i = RAM_ROOT; i < r->nodes; i++)
        if (r->node[i].type == RAM_DIRECTORY)
            CHECK_EQ(memcmp(r->node[i].tall, want[i], sizeof want[i]), 0);
}

void check_all(void)
{
    const struct ram *r = &server.ram;
    uint32_t blocks_of[STORE_ACCOUNTS] = {}, nodes_of[STORE_ACCOUNTS] = {}, in_use = 0, live = 0;
    static uint8_t seen[4096];

    memset(seen, 0, sizeof seen);
    for (uint32_t i = RAM_ROOT + 1; i < r->nodes; i++) {
        const struct ram_node *n = &r->node[i];

        if (n->type == RAM_FREE)
            continue;
        live++;
        nodes_of[n->account]++;
        if (n->type == RAM_FILE)
            in_use += count_blocks(i, blocks_of, seen);
        CHECK(r->node[n->parent].type == RAM_DIRECTORY);
        CHECK_EQ(ram_find(r, n->parent, ram_name(r, i)).node, i);
        CHECK_EQ(ram_list(r, n->parent, i - 1), i);
    }
    check_tall();
    CHECK_EQ(live + r->free, r->nodes - 1);
    CHECK_EQ(in_use + r->store.free, r->store.blocks);
    for (uint32_t k = 0; k < r->store.free; k++) {
        uint32_t b = r->store.list[k];

        CHECK(!seen[b]);
        seen[b] = 1;
        CHECK_EQ(r->store.owner[b], STORE_NOBODY);
    }
    for (uint32_t a = 0; a < STORE_ACCOUNTS; a++) {
        CHECK_EQ(r->store.used[a], blocks_of[a]);
        CHECK_EQ(r->used[a], nodes_of[a]);
        CHECK(blocks_of[a] <= r->store.limit && nodes_of[a] <= r->limit);
    }
}
