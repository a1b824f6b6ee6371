/* SPDX-License-Identifier: MIT */
/*
 * What one request makes fsd do at most, however large the filesystem is and whoever chose what is
 * in it. Counted in pages of its memory that are touched: all of it is taken away, and given back
 * page by page.
 */
#define _DEFAULT_SOURCE
#include "archive.h"
#include "files.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define PAGE 4096u
#define MANY 60000u
#define MANY_BLOCKS 1100u
#define HEIGHT 22u          /* of a tree of RAM_NODES places */
#define SEARCH (2 * HEIGHT) /* pages: a node may lie in two */
#define WAY (2 * (RAM_DEPTH + 1))

/* ---- counting ---- */

static struct {
    uint8_t *at;
    uint64_t bytes;
    volatile uint32_t touched;
    struct sigaction before;
} watched;

static void on_fault(int number, siginfo_t *info, void *)
{
    uint8_t *at = info->si_addr;

    if (at < watched.at || at >= watched.at + watched.bytes) {
        (void)sigaction(number, &watched.before, nullptr);
        return;
    }
    at -= (uintptr_t)at % PAGE;
    (void)mprotect(at, PAGE, PROT_READ | PROT_WRITE);
    watched.touched++;
}

static void watch(void *at, uint64_t bytes)
{
    struct sigaction act = { .sa_sigaction = on_fault, .sa_flags = SA_SIGINFO };

    watched.at = at;
    watched.bytes = bytes;
    watched.touched = 0;
    CHECK_EQ(sigaction(SIGSEGV, &act, &watched.before), 0);
    CHECK_EQ(mprotect(at, bytes, PROT_NONE), 0);
}

static uint32_t touched(void)
{
    CHECK_EQ(mprotect(watched.at, watched.bytes, PROT_READ | PROT_WRITE), 0);
    CHECK_EQ(sigaction(SIGSEGV, &watched.before, nullptr), 0);
    return watched.touched;
}

static void *map(uint64_t bytes)
{
    void *at = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    CHECK(at != MAP_FAILED);
    return at;
}

/* ---- a large filesystem ---- */

static struct {
    uint8_t *tables, *blocks;
    uint64_t table_bytes, block_bytes;
} memory;

static void serve_large(void)
{
    static const struct ram_plan plan = { MANY_BLOCKS, RAM_NODES, MANY_BLOCKS, RAM_NODES };

    serve_usual(); /* for what else a server has */
    memory.table_bytes = (ram_plan_bytes(&plan) + PAGE - 1) / PAGE * PAGE;
    memory.block_bytes = (uint64_t)MANY_BLOCKS * STORE_BLOCK;
    if (memory.tables != nullptr)
        CHECK_EQ(munmap(memory.tables, memory.table_bytes + memory.block_bytes), 0);
    memory.tables = map(memory.table_bytes + memory.block_bytes);
    memory.blocks = memory.tables + memory.table_bytes;
    ram_begin(&server, &plan, memory.blocks, memory.tables);
}

static void watch_all(void) { watch(memory.tables, memory.table_bytes + memory.block_bytes); }

static void make_in(const char *dir, uint32_t first, uint32_t count)
{
    char path[64];

    for (uint32_t i = first; i < first + count; i++) {
        snprintf(path, sizeof path, "%s/%06u", dir, i);
        CHECK_OK(make(path));
    }
}

/* ---- names ---- */

/* In one directory, in their order; what is looked for is there or not. */
TEST(a_name_costs_what_the_height_of_a_tree_costs)
{
    char path[64];

    serve_large();
    make_in("ram", 0, MANY);
    for (uint32_t i = 0; i < MANY; i += 97) {
        snprintf(path, sizeof path, "ram/%06u", i);
        watch_all();
        enum kozo_err err = open_path(path, RIGHT_READ);
        uint32_t pages = touched();
        CHECK_OK(err);
        CHECK(pages <= SEARCH);
        path[4] = 'x';
        watch_all();
        err = open_path(path, RIGHT_READ);
        pages = touched();
        CHECK_ERR(err, NOT_FOUND);
        CHECK(pages <= SEARCH);
    }
}

TEST(making_and_removing_among_many_is_bounded)
{
    serve_large();
    make_in("ram", 0, MANY);
    for (uint32_t i = 0; i < 200; i++) {
        char path[64];

        snprintf(path, sizeof path, "ram/%06u", i * 300);
        watch_all();
        enum kozo_err err = remove_path(path);
        uint32_t pages = touched();
        CHECK_OK(err);
        CHECK(pages <= 6 * SEARCH + WAY); /* the sides of the trees' nodes too */
        watch_all();
        err = make(path);
        pages = touched();
        CHECK_OK(err);
        CHECK(pages <= 6 * SEARCH + WAY);
    }
    check_all();
}

/* ---- lists ---- */

static struct fs_list_rep entry;

static enum kozo_err list(uint64_t dir, uint64_t cursor)
{
    struct kozo_msg m = from(dir);

    entry = (struct fs_list_rep){};
    return files_ops.list(&server, &m, &(struct fs_list_req){ cursor }, &entry);
}

TEST(lists_of_several_clients_in_turn_are_bounded)
{
    uint64_t cursor[3] = {};

    serve_large();
    CHECK_OK(make_dir("ram/d"));
    make_in("ram/d", 0, MANY);
    CHECK_OK(open_path("ram/d", RIGHT_LIST));
    uint64_t dir = opened;

    for (uint32_t i = 0; i < MANY; i++) { /* so that they are far apart */
        CHECK_OK(list(dir, cursor[2]));
        cursor[2] = entry.next;
        if (i == MANY / 2)
            cursor[1] = cursor[2];
        if (i >= MANY - 200)
            break;
    }
    for (uint32_t i = 0; i < 150; i++) {
        for (uint32_t client = 0; client < 3; client++) {
            watch_all();
            enum kozo_err err = list(dir, cursor[client]);
            uint32_t pages = touched();
            CHECK_OK(err);
            CHECK(pages <= SEARCH + 4); /* and the directory, and the entry's name */
            cursor[client] = entry.next;
        }
    }
}

TEST(a_list_whose_place_is_gone_is_bounded)
{
    uint64_t cursor;
    uint32_t pages;
    char path[64];
    enum kozo_err err;

    serve_large();
    CHECK_OK(make_dir("ram/d"));
    make_in("ram/d", 0, MANY);
    CHECK_OK(open_path("ram/d", RIGHT_LIST));
    uint64_t dir = opened;
    CHECK_OK(list(dir, MANY / 2));
    cursor = entry.next;
    snprintf(path, sizeof path, "ram/d/%.6s", entry.name.at);
    CHECK_OK(remove_path(path));
    watch_all();
    err = list(dir, cursor);
    pages = touched();
    CHECK_OK(err);
    CHECK_EQ(entry.next, cursor + 1);
    CHECK(pages <= SEARCH + 4);
}

/* Who makes a file for each that is listed, and removes it again, makes no list endless. */
TEST(a_list_ends_whatever_is_made_meanwhile)
{
    uint64_t cursor = 0;
    uint32_t calls = 0;
    char path[64];

    serve_usual();
    CHECK_OK(make("ram/f"));
    CHECK_OK(open_path("ram", RIGHT_LIST));
    uint64_t dir = opened;
    for (; list(dir, cursor) == KOZO_OK; cursor = entry.next, calls++) {
        CHECK(calls < NODES);
        snprintf(path, sizeof path, "ram/%u", calls);
        CHECK_OK(make(path));
        if (calls > 0) {
            snprintf(path, sizeof path, "ram/%u", calls - 1);
            CHECK_OK(remove_path(path));
        }
    }
}

TEST(cursors_that_nobody_was_given_find_what_follows_or_nothing)
{
    serve_usual();
    CHECK_OK(make_dir("ram/d"));
    CHECK_OK(make("ram/d/f"));
    CHECK_OK(make("ram/g"));
    CHECK_OK(open_path("ram/d", RIGHT_LIST));
    CHECK_OK(list(opened, 1));
    CHECK_ERR(list(opened, entry.next), NOT_FOUND);
    CHECK_ERR(list(opened, NODES), NOT_FOUND);
    CHECK_ERR(list(opened, RAM_NODES - 1), NOT_FOUND);
    CHECK_ERR(list(opened, RAM_NODES), NOT_FOUND);
    CHECK_ERR(list(opened, UINT32_MAX), NOT_FOUND);
    CHECK_ERR(list(opened, 1ull << 32), NOT_FOUND);
    CHECK_ERR(list(opened, UINT64_MAX), NOT_FOUND);
}

static uint64_t state;

static uint32_t dice(uint32_t sides)
{
    state = state * 6364136223846793005ull + 1442695040888963407ull;
    return (uint32_t)(state >> 33) % sides;
}

#define STAY 8u

/* One operation of somebody else; ram/s0 to ram/s7 stay, by whatever name. */
static void meddle(void)
{
    char a[16], b[16];

    snprintf(a, sizeof a, "ram/%c", 'a' + dice(12));
    snprintf(b, sizeof b, dice(4) == 0 ? "ram/d/%c" : "ram/%c", 'a' + dice(12));
    switch (dice(4)) {
    case 0:
        (void)make(a);
        return;
    case 1:
        (void)remove_path(a);
        return;
    case 2:
        (void)rename_path(a, b);
        return;
    default:
        snprintf(a, sizeof a, "ram/s%u", dice(STAY));
        (void)rename_path(a, "ram/t");
        (void)rename_path("ram/t", a);
    }
}

TEST(what_stays_is_listed_once_and_nothing_twice)
{
    for (state = 1; state < 400; state++) {
        uint64_t cursor = 0, seed = state, seen[NODES];
        uint32_t count = 0, stayed = 0;
        char path[16];

        serve_usual();
        CHECK_OK(make_dir("ram/d"));
        for (uint32_t i = 0; i < STAY; i++) {
            for (uint32_t k = dice(9); k > 0; k--)
                meddle();
            snprintf(path, sizeof path, "ram/s%u", i);
            CHECK_OK(make(path));
        }
        CHECK_OK(open_path("ram", RIGHT_LIST));
        uint64_t dir = opened;
        for (; list(dir, cursor) == KOZO_OK; cursor = entry.next) {
            CHECK(entry.next > cursor && entry.next < NODES);
            seen[count] = (uint64_t)server.ram.node[entry.next].generation << 32 | entry.next;
            for (uint32_t k = 0; k < count; k++)
                CHECK(seen[k] != seen[count]);
            count++;
            stayed += entry.name.at[0] == 's';
            for (uint32_t k = dice(5); k > 0; k--)
                meddle();
        }
        CHECK_EQ(stayed, STAY);
        check_all();
        state = seed;
    }
}

/* ---- rename ---- */

TEST(a_rename_of_a_large_directory_is_bounded)
{
    char dir[64];

    serve_large();
    CHECK_OK(make_dir("ram/top"));
    for (uint32_t i = 0; i < 60; i++) {
        snprintf(dir, sizeof dir, "ram/top/%u", i);
        CHECK_OK(make_dir(dir));
        make_in(dir, 0, MANY / 60);
    }
    CHECK_OK(make_dir("ram/other"));
    for (uint32_t i = 0; i < 20; i++) {
        bool there = i % 2 == 0;

        watch_all();
        enum kozo_err err =
            rename_path(there ? "ram/top" : "ram/other/top", there ? "ram/other/top" : "ram/top");
        uint32_t pages = touched();
        CHECK_OK(err);
        CHECK(pages <= 12 * SEARCH + 2 * WAY);
    }
    CHECK_OK(open_path("ram/top/59/000999", RIGHT_READ));
    check_all();
}

static uint32_t depth_of(uint32_t node)
{
    uint32_t depth = 0;

    for (; node != RAM_ROOT; node = server.ram.node[node].parent)
        depth++;
    return depth;
}

/* How deep the deepest path is that leads through the node, by all nodes there are. */
static uint32_t deepest_of(uint32_t top)
{
    uint32_t deepest = 0;

    for (uint32_t i = RAM_ROOT + 1; i < NODES; i++) {
        uint32_t up = i;

        while (server.ram.node[i].type != RAM_FREE && up != top && up != RAM_ROOT)
            up = server.ram.node[up].parent;
        if (up == top && depth_of(i) > deepest)
            deepest = depth_of(i);
    }
    return deepest;
}

static uint32_t some_node(void)
{
    uint32_t i;

    do
        i = dice(NODES);
    while (server.ram.node[i].type == RAM_FREE);
    return i;
}

static struct ram_place some_place(char name[2])
{
    uint32_t dir = some_node();

    if (server.ram.node[dir].type != RAM_DIRECTORY)
        dir = RAM_ROOT;
    name[0] = (char)('a' + dice(4));
    return ram_find(&server.ram, dir, (struct kozo_str){ name, 1 });
}

/* Directories deep and shallow are moved about: refused where it is too deep, and only there. */
TEST(depth_is_limited_wherever_a_directory_moves)
{
    uint32_t moved_far = 0, refused = 0;
    char name[2];

    serve_sized(BLOCKS, NODES, SHARE_BLOCKS, NODES);
    for (state = 1; refused < 200 || moved_far < 200;) {
        struct ram_place to = some_place(name);
        uint32_t node = some_node(), deepest;
        enum kozo_err err;

        if (dice(3) != 0) {
            struct ram_result made = ram_make(&server.ram, to, RAM_DIRECTORY, 0);

            if (made.err == KOZO_ERR_LIMIT)
                CHECK_EQ(depth_of(to.dir), RAM_DEPTH);
            if (node != RAM_ROOT && (made.err == KOZO_ERR_FULL || dice(20) == 0))
                (void)ram_remove(&server.ram, node);
            continue;
        }
        if (node == RAM_ROOT || to.node == node)
            continue;
        deepest = depth_of(to.dir) + 1 + deepest_of(node) - depth_of(node);
        err = ram_rename(&server.ram, node, to);
        refused += err == KOZO_ERR_LIMIT;
        moved_far += err == KOZO_OK && deepest >= RAM_DEPTH;
        if (err == KOZO_OK || err == KOZO_ERR_LIMIT)
            CHECK_EQ(err == KOZO_OK, deepest <= RAM_DEPTH);
        check_all();
    }
}

/* ---- bytes ---- */

static uint8_t bulk_bytes[DATA_MAX];

/* A file of all the blocks that one can have; the index too. */
static uint64_t make_largest(const char *path)
{
    CHECK_OK(make(path));
    CHECK_OK(open_path(path, RIGHT_READ | RIGHT_WRITE));
    frames[0] = (struct lent){ bulk_bytes, sizeof bulk_bytes };
    for (uint64_t at = 0; at < RAM_FILE_MAX; at += DATA_MAX)
        CHECK_OK(bulk(true, opened, at, DATA_MAX, 0, 1));
    return opened;
}

#define STORE_PAGES 4u /* the list of free blocks, their owners */

TEST(a_file_that_goes_is_not_read)
{
    serve_large();
    for (uint32_t i = 0; i < 3; i++) {
        uint64_t file = make_largest("ram/a");
        enum kozo_err err;
        uint32_t pages;

        CHECK_OK(make("ram/b"));
        CHECK_EQ(usage(CLIENT).bytes, (RAM_BLOCKS + 1ull) * STORE_BLOCK);
        watch_all();
        err = i == 0   ? remove_path("ram/a")
              : i == 1 ? rename_path("ram/b", "ram/a")
                       : truncate_to(file, 1);
        pages = touched();
        CHECK_OK(err);
        CHECK(pages <= STORE_PAGES + 8); /* nodes, the index, of truncate the first block */
        CHECK_EQ(usage(CLIENT).bytes, i == 2 ? STORE_BLOCK : 0);
        check_all();
        (void)remove_path("ram/a");
        (void)remove_path("ram/b");
    }
}

TEST(bytes_are_moved_in_their_own_blocks_only)
{
    enum kozo_err err;
    uint32_t pages;

    serve_large();
    CHECK_OK(make("ram/a"));
    CHECK_OK(open_path("ram/a", RIGHT_READ | RIGHT_WRITE));
    uint64_t file = opened;
    frames[0] = (struct lent){ bulk_bytes, sizeof bulk_bytes };
    for (uint32_t i = 0; i < 2; i++) { /* new blocks, then beside what is there */
        watch_all();
        err = bulk(true, file, 30000, DATA_MAX, 0, 1);
        pages = touched();
        CHECK_OK(err);
        CHECK_EQ(moved, DATA_MAX);
        CHECK(pages <= STORE_RESERVE + 3 + STORE_PAGES + 4); /* two old ones, the index, nodes */
    }
    watch_all();
    err = truncate_to(file, RAM_FILE_MAX); /* a hole */
    pages = touched();
    CHECK_OK(err);
    CHECK(pages <= 4);
    watch_all();
    err = bulk(false, file, 200000, DATA_MAX, 0, 1);
    pages = touched();
    CHECK_OK(err);
    CHECK(pages <= 5);
    check_all();
}

/* ---- the archive ---- */

static void begin_archive(uint8_t *bytes, uint64_t used)
{
    struct kozo_cpio archive = { bytes, used };
    struct kozo_bad bad = {};
    struct lookup_plan plan = lookup_plan(&archive, &bad);

    CHECK_OK(plan.err);
    watched.bytes = (plan.bytes + PAGE - 1) / PAGE * PAGE;
    watched.at = map(watched.bytes);
    CHECK_OK(lookup_build(&server.tree, &archive, watched.at, &bad));
}

/* In the order of their names, all as long, in a directory far down. */
TEST(names_of_an_archive_cost_what_the_height_of_a_tree_costs)
{
    uint64_t room = MANY * 160ull, used = 0;
    uint8_t *bytes = malloc(room);
    uint64_t cursor = 0;
    char path[64];

    serve_usual();
    for (uint32_t i = 0; i < MANY; i++) {
        snprintf(path, sizeof path, "a/b/c/d/%06u", i);
        used =
            archive_put(bytes, room, used, (struct archive_entry){ path, 0100644, "x", 1, 0, 0 });
    }
    begin_archive(bytes, archive_end(bytes, room, used));
    for (uint32_t i = 0; i < MANY; i += 97) {
        uint32_t pages;
        enum kozo_err err;

        snprintf(path, sizeof path, i % 2 == 0 ? "a/b/c/d/%06u" : "a/b/c/d/%06ux", i);
        watch(watched.at, watched.bytes);
        err = open_path(path, RIGHT_READ);
        pages = touched();
        CHECK_EQ(err, i % 2 == 0 ? KOZO_OK : KOZO_ERR_NOT_FOUND);
        CHECK(pages <= 5 * SEARCH);
    }
    CHECK_OK(open_path("a/b/c/d", RIGHT_LIST));
    for (uint32_t i = 0; i < 200; i++) {
        uint32_t pages;
        enum kozo_err err;

        watch(watched.at, watched.bytes);
        err = list(opened, cursor);
        pages = touched();
        CHECK_OK(err);
        CHECK(pages <= 6);
        cursor = entry.next;
    }
    CHECK_EQ(munmap(watched.at, watched.bytes), 0);
    free(bytes);
}
