/* SPDX-License-Identifier: MIT */
/* The memory filesystem of fsd: bytes and accounts, and that an error changes nothing. */
#include "files.h"

#include <stdio.h>
#include <string.h>

/* ---- bytes ---- */

TEST(what_was_never_written_reads_as_zeros)
{
    static uint8_t zero[STORE_BLOCK];

    serve_usual();
    CHECK_OK(make("ram/a"));
    uint64_t a = opened;
    CHECK_OK(write_at(a, 3 * STORE_BLOCK + 100, "end", 3));
    CHECK_EQ(usage(CLIENT).bytes, STORE_BLOCK); /* holes cost nothing */
    for (uint64_t at = 0; at < 3 * STORE_BLOCK + 100; at += got.len) {
        uint64_t left = 3 * STORE_BLOCK + 100 - at;

        CHECK_OK(read_at(a, at, left));
        CHECK(got.len > 0 && memcmp(got.at, zero, got.len) == 0);
    }
    CHECK_OK(truncate_to(a, 10));
    CHECK_OK(write_at(a, 9, "x", 1));
    CHECK_OK(truncate_to(a, 5));
    CHECK_OK(truncate_to(a, 20)); /* what was cut off does not come back */
    CHECK_OK(read_at(a, 0, 20));
    CHECK_EQ(got.len, 20);
    CHECK(memcmp(got.at, zero, 20) == 0);
    check_all();
}

TEST(appending_goes_to_the_end)
{
    serve_usual();
    CHECK_OK(make("ram/log"));
    uint64_t a = opened;
    CHECK_OK(write_at(a, KOZO_FILE_END, "one ", 4));
    CHECK_OK(write_at(a, KOZO_FILE_END, "two ", 4));
    CHECK_EQ(written.offset, 4);
    static uint8_t memory[8] = "three";
    frames[0] = (struct lent){ memory, 5 };
    CHECK_OK(bulk(true, a, KOZO_FILE_END, 99, 0, 1));
    CHECK_EQ(moved, 5);
    CHECK_OK(read_at(a, 0, 99));
    CHECK_EQ(got.len, 13);
    CHECK_EQ(memcmp(got.at, "one two three", 13), 0);
    check_all();
}

TEST(a_file_has_its_longest_length_and_no_more)
{
    serve_sized(BLOCKS, NODES, SHARE_BLOCKS, SHARE_NODES);
    CHECK_OK(make("ram/a"));
    uint64_t a = opened;
    CHECK_OK(truncate_to(a, RAM_FILE_MAX));
    CHECK_ERR(truncate_to(a, RAM_FILE_MAX + 1), LIMIT);
    CHECK_ERR(write_at(a, RAM_FILE_MAX, "x", 1), LIMIT);
    CHECK_ERR(write_at(a, RAM_FILE_MAX - 1, "xy", 2), LIMIT);
    CHECK_ERR(write_at(a, UINT64_MAX - 1, "xy", 2), LIMIT);
    CHECK_ERR(write_at(a, KOZO_FILE_END, "x", 1), LIMIT);
    CHECK_OK(write_at(a, RAM_FILE_MAX - 1, "x", 1));
    CHECK_EQ(usage(CLIENT).bytes, 2 * STORE_BLOCK); /* and its index block */
    CHECK_OK(write_at(a, RAM_FILE_MAX, "", 0));
    CHECK_OK(read_at(a, RAM_FILE_MAX - 1, 9));
    CHECK_EQ(got.len, 1);
    CHECK_OK(truncate_to(a, 0));
    CHECK_EQ(usage(CLIENT).bytes, 0);
    check_all();
}

TEST(frames_are_read_and_written_as_one_piece)
{
    static uint8_t memory[3][40 * 1024], back[3][40 * 1024];

    serve_usual();
    CHECK_OK(make("ram/a"));
    uint64_t a = opened;
    for (unsigned i = 0; i < 3; i++) {
        frames[i] = (struct lent){ memory[i], sizeof memory[i] };
        for (unsigned k = 0; k < sizeof memory[i]; k++)
            memory[i][k] = (uint8_t)(k * 7 + k / 251 + i);
    }
    CHECK_OK(bulk(true, a, 100, 90 * KIB, 1000, 3));
    CHECK_EQ(moved, KOZO_FILE_BULK); /* at most */
    CHECK(!writable_asked);
    CHECK_OK(stat_of(a));
    CHECK_EQ(status.size, 100 + KOZO_FILE_BULK);
    check_all();
    for (unsigned i = 0; i < 3; i++)
        frames[i] = (struct lent){ back[i], sizeof back[i] };
    CHECK_OK(bulk(false, a, 100, UINT64_MAX, 1000, 3));
    CHECK_EQ(moved, KOZO_FILE_BULK);
    CHECK(writable_asked);
    CHECK_EQ(memcmp(back[0] + 1000, memory[0] + 1000, 39 * KIB), 0);
    CHECK_EQ(memcmp(back[1], memory[1], KOZO_FILE_BULK - (sizeof back[0] - 1000)), 0);
    CHECK_EQ(back[1][KOZO_FILE_BULK - (sizeof back[0] - 1000)], 0);
    CHECK_OK(bulk(false, a, 100 + KOZO_FILE_BULK - 3, 100, 0, 1));
    CHECK_EQ(moved, 3); /* the file ends */
    CHECK_OK(bulk(false, a, 0, 100, sizeof back[0] - 7, 1));
    CHECK_EQ(moved, 7); /* the Frame ends */
    CHECK_ERR(bulk(false, a, 0, 100, sizeof back[0] + 1, 1), ARGUMENT);
    CHECK_ERR(bulk(false, a, 0, 100, UINT64_MAX, 3), ARGUMENT);
    CHECK_ERR(bulk(false, a, 0, 100, 0, 0), EMPTY);
    frames[1].at = nullptr;
    CHECK_ERR(bulk(true, a, 0, 100, 0, 3), KIND);
    check_all();
}

TEST(a_write_whose_memory_vanishes_changes_nothing)
{
    static uint8_t memory[64 * 1024], before[64 * 1024];

    serve_usual();
    CHECK_OK(make("ram/a"));
    uint64_t a = opened;
    memset(memory, 'a', sizeof memory);
    frames[0] = (struct lent){ memory, sizeof memory };
    CHECK_OK(bulk(true, a, 0, sizeof memory, 0, 1));
    memset(memory, 'b', sizeof memory);
    for (uint32_t left = 0; left < 5; left++) {
        struct fs_usage_rep was = usage(CLIENT);

        copies_left = left;
        CHECK_ERR(bulk(true, a, 50 + left * 9000, 30000, 0, 1), GONE);
        CHECK_EQ(moved, 0);
        CHECK_ERR((copies_left = left, bulk(true, a, KOZO_FILE_END, 30000, 0, 1)), GONE);
        copies_left = UINT32_MAX;
        CHECK_EQ(usage(CLIENT).bytes, was.bytes);
        CHECK_EQ(usage(CLIENT).free_bytes, was.free_bytes);
        CHECK_OK(stat_of(a));
        CHECK_EQ(status.size, sizeof memory);
        check_all();
    }
    frames[0] = (struct lent){ before, sizeof before };
    CHECK_OK(bulk(false, a, 0, sizeof before, 0, 1));
    memset(memory, 'a', sizeof memory);
    CHECK_EQ(memcmp(memory, before, sizeof memory), 0);
    copies_left = 0;
    CHECK_ERR(bulk(false, a, 0, 100, 0, 1), GONE);
    check_all();
}

/* ---- accounts ---- */

static void fill(uint64_t file, uint64_t len)
{
    static uint8_t piece[KOZO_FILE_CHUNK];

    for (uint64_t at = 0; at < len; at += sizeof piece)
        CHECK_OK(write_at(file, at, piece, len - at < sizeof piece ? len - at : sizeof piece));
}

TEST(one_client_s_share_leaves_the_others_theirs)
{
    char name[32];

    serve_usual();
    CHECK_OK(make("ram/a"));
    uint64_t a = opened;
    fill(a, (SHARE_BLOCKS - 1) * (uint64_t)STORE_BLOCK); /* and its index block */
    CHECK_EQ(usage(CLIENT).bytes, usage(CLIENT).max_bytes);
    CHECK_ERR(write_at(a, KOZO_FILE_END, "x", 1), LIMIT);
    CHECK_OK(write_at(a, 0, "y", 1)); /* what is there can be overwritten */
    for (unsigned i = 1; i < SHARE_NODES; i++) {
        snprintf(name, sizeof name, "ram/f%u", i);
        CHECK_OK(make(name));
    }
    CHECK_ERR(make("ram/more"), LIMIT);
    CHECK_ERR(make_dir("ram/more"), LIMIT);
    speaker = OTHER;
    CHECK_OK(make("ram/other"));
    fill(opened, 20 * STORE_BLOCK);
    CHECK_EQ(usage(OTHER).bytes, 21 * STORE_BLOCK);
    speaker = CLIENT;
    check_all();
}

TEST(a_later_life_has_the_same_account)
{
    serve_usual();
    CHECK_OK(make("ram/a"));
    fill(opened, 3 * STORE_BLOCK);
    CHECK_EQ(usage(identity_badge(0, 1)).bytes, 3 * STORE_BLOCK);
    CHECK_EQ(usage(identity_badge(0, 7)).bytes, 3 * STORE_BLOCK);
    CHECK_EQ(usage(identity_badge(1, 1)).bytes, 0);
    speaker = 0; /* nobody of the manifest */
    CHECK_OK(make("ram/b"));
    fill(opened, STORE_BLOCK);
    CHECK_EQ(usage(0).bytes, STORE_BLOCK);
    CHECK_EQ(usage(4711).bytes, STORE_BLOCK);
    speaker = CLIENT;
}

/* As soon as a later life of the client is heard of; others notice nothing. */
TEST(what_an_earlier_life_opened_is_stale)
{
    serve_usual();
    CHECK_OK(make("ram/a"));
    CHECK_OK(open_path("ram/a", RIGHT_READ | RIGHT_WRITE));
    uint64_t old = opened;
    speaker = OTHER;
    CHECK_OK(open_path("ram/a", RIGHT_READ | RIGHT_WRITE));
    uint64_t its = opened;

    CHECK_OK(write_at(old, 0, "x", 1)); /* nobody has spoken since */
    CHECK_OK(stat_of(identity_badge(0, 2)));
    CHECK_EQ(revokes[handle_origin(old)], 1);
    CHECK_EQ(revokes[handle_origin(its)], 0);
    CHECK_ERR(write_at(old, STORE_BLOCK, "x", 1), STALE); /* sent before that */
    CHECK_ERR(read_at(old, 0, 1), STALE);
    CHECK_ERR(truncate_to(old, 0), STALE);
    CHECK_ERR(stat_of(old), STALE);
    CHECK_ERR(stat_of(CLIENT), STALE); /* nor does it open anything more */
    speaker = old;
    CHECK_ERR(open_path("", RIGHT_READ), STALE);
    CHECK_OK(write_at(its, 0, "y", 1));
    CHECK_OK(read_at(its, 0, 1));
    speaker = identity_badge(0, 2);
    CHECK_EQ(usage(speaker).bytes, STORE_BLOCK);
    CHECK_OK(open_path("ram/a", RIGHT_READ | RIGHT_WRITE));
    CHECK(opened != old);
    CHECK_EQ(handle_origin(opened), handle_origin(old));
    CHECK_OK(write_at(opened, 0, "z", 1));
    CHECK_ERR(stat_of(CLIENT), STALE); /* what is over does not come back */
    CHECK_OK(stat_of(opened));
    speaker = CLIENT;
    check_all();
}

/* Its port goes with it, and all capabilities to that: none is known, whoever speaks first. */
TEST(a_new_life_of_the_server_knows_no_handle)
{
    serve_usual();
    CHECK_OK(open_path("", RIGHT_READ));
    uint64_t old = opened;

    server.origins = (struct origins){ .ops = server.origins.ops };
    CHECK_ERR(stat_of(old), STALE);
}

/* Who is no service has no lives: all share an account, and end nothing of each other's. */
TEST(who_is_no_service_has_no_lives)
{
    serve_usual();
    speaker = identity_badge(STORE_ACCOUNTS, 9);
    CHECK_OK(make("ram/a"));
    uint64_t file = opened;
    CHECK_OK(stat_of(identity_badge(STORE_ACCOUNTS, 10)));
    CHECK_OK(stat_of(identity_badge(STORE_ACCOUNTS + 1, 3)));
    CHECK_OK(stat_of(0));
    CHECK_OK(stat_of(file));
    speaker = CLIENT;
    check_all();
}

TEST(who_writes_pays_and_who_removes_frees)
{
    serve_usual();
    CHECK_OK(make("ram/a"));
    uint64_t a = opened;
    CHECK_OK(write_at(a, 0, "mine", 4));
    speaker = OTHER;
    CHECK_OK(open_path("ram/a", RIGHT_READ | RIGHT_WRITE));
    uint64_t its = opened;
    CHECK_OK(write_at(its, 0, "over", 4)); /* in a block that is paid for */
    CHECK_EQ(usage(OTHER).bytes, 0);
    CHECK_OK(write_at(its, STORE_BLOCK, "more", 4));
    CHECK_EQ(usage(OTHER).bytes, STORE_BLOCK);
    CHECK_EQ(usage(CLIENT).bytes, STORE_BLOCK);
    CHECK_EQ(usage(OTHER).files, 0);
    static uint8_t memory[3 * STORE_BLOCK];
    frames[0] = (struct lent){ memory, sizeof memory };
    CHECK_OK(bulk(true, its, 0, sizeof memory, 0, 1));
    CHECK_EQ(usage(OTHER).bytes, 2 * STORE_BLOCK);
    CHECK_EQ(usage(CLIENT).bytes, STORE_BLOCK);
    check_all();
    CHECK_OK(remove_path("ram/a"));
    CHECK_EQ(usage(OTHER).bytes, 0);
    CHECK_EQ(usage(CLIENT).bytes, 0);
    CHECK_EQ(usage(CLIENT).files, 0);
    speaker = CLIENT;
    check_all();
}

TEST(who_may_says_whose_account_it_is)
{
    struct fs_open_for_rep rep = {};
    struct kozo_msg m = from(CLIENT);

    serve_usual();
    CHECK_OK(make("ram/a"));
    CHECK_OK(files_ops.open_for(
        &server, &m, &(struct fs_open_for_req){ OTHER, kozo_str("ram/a"), RIGHT_WRITE }, &rep));
    uint64_t old = rep.file.badge;
    CHECK_OK(write_at(old, 0, "x", 1));
    CHECK_EQ(usage(OTHER).bytes, STORE_BLOCK);
    CHECK_EQ(usage(CLIENT).bytes, 0);
    CHECK_OK(files_ops.open_for(
        &server, &m,
        &(struct fs_open_for_req){ identity_badge(1, 2), kozo_str("ram/a"), RIGHT_WRITE }, &rep));
    CHECK_ERR(write_at(old, 0, "x", 1), STALE); /* so much is heard of its next life */
    CHECK_OK(write_at(rep.file.badge, 0, "x", 1));
    CHECK_ERR(files_ops.open_for(&server, &m,
                                 &(struct fs_open_for_req){ OTHER, kozo_str("ram/a"), RIGHT_WRITE },
                                 &rep),
              STALE);
    CHECK_ERR(files_ops.open_for(
                  &server, &m,
                  &(struct fs_open_for_req){ HANDLE_BIT | 1, kozo_str("ram/a"), RIGHT_WRITE },
                  &rep),
              ARGUMENT);
    m.user = RIGHTS_ALL;
    CHECK_ERR(files_ops.open_for(&server, &m,
                                 &(struct fs_open_for_req){ OTHER, kozo_str("ram/a"), RIGHT_WRITE },
                                 &rep),
              RIGHTS);
    check_all();
}

TEST(what_is_full_can_be_overwritten_and_freed)
{
    static uint8_t memory[64 * 1024];
    char name[32];

    serve_sized(30, NODES, 30, NODES);
    CHECK_OK(make("ram/a"));
    uint64_t a = opened;
    fill(a, 8 * STORE_BLOCK);
    CHECK_OK(make("ram/b"));
    fill(opened, 5 * STORE_BLOCK);
    CHECK_EQ(usage(CLIENT).free_bytes, 0);
    CHECK_ERR(write_at(opened, KOZO_FILE_END, "x", 1), FULL);
    frames[0] = (struct lent){ memory, sizeof memory };
    CHECK_ERR(bulk(true, a, 0, 9 * STORE_BLOCK, 0, 1), FULL);
    CHECK_OK(bulk(true, a, 0, 8 * STORE_BLOCK, 0, 1));
    CHECK_OK(bulk(true, a, 77, 7 * STORE_BLOCK, 0, 1));
    for (unsigned i = 3; i < NODES; i++) {
        snprintf(name, sizeof name, "ram/f%u", i);
        CHECK_OK(make(name));
    }
    CHECK_ERR(make("ram/more"), FULL);
    check_all();
    CHECK_OK(remove_path("ram/b"));
    CHECK_OK(bulk(true, a, 0, 9 * STORE_BLOCK, 0, 1));
    check_all();
}
