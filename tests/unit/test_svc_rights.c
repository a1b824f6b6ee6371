/* SPDX-License-Identifier: MIT */
/*
 * fsd: every operation with every set of user rights, and what it does to who may not: nothing.
 * Also clients that come and go by the thousand, and badges that fsd never gave.
 */
#include "files.h"

#include <stdio.h>
#include <string.h>

static uint64_t file, dir;

static void begin(void)
{
    static uint8_t page[STORE_BLOCK];

    serve_usual();
    speaker = CLIENT;
    may = EVERYTHING;
    CHECK_OK(make_dir("ram/d"));
    CHECK_OK(make("ram/d/f"));
    file = opened;
    CHECK_OK(write_at(file, 0, "text", 4));
    CHECK_OK(open_path("ram/d", RIGHTS_ALL));
    dir = opened;
    frames[0] = (struct lent){ page, sizeof page };
}

/* ---- the operations, on ram/d and ram/d/f ---- */

static enum kozo_err do_open(uint64_t rights) { return open_path("f", rights); }

static enum kozo_err do_open_for(uint64_t rights)
{
    struct kozo_msg m = from(speaker);

    return files_ops.open_for(&server, &m,
                              &(struct fs_open_for_req){ OTHER, kozo_str("f"), rights },
                              &(struct fs_open_for_rep){});
}

static enum kozo_err do_make(uint64_t rights)
{
    struct kozo_msg m = from(speaker);

    return files_ops.make(&server, &m,
                          &(struct fs_make_req){ kozo_str("new"), KOZO_FILE_REGULAR, rights },
                          &(struct fs_make_rep){});
}

static enum kozo_err do_read(uint64_t) { return read_at(file, 0, 4); }

static enum kozo_err do_write(uint64_t) { return write_at(file, 0, "else", 4); }

static enum kozo_err do_append(uint64_t) { return write_at(file, KOZO_FILE_END, "more", 4); }

static enum kozo_err do_truncate(uint64_t) { return truncate_to(file, 1); }

static enum kozo_err do_read_frames(uint64_t) { return bulk(false, file, 0, 4, 0, 1); }

static enum kozo_err do_write_frames(uint64_t) { return bulk(true, file, 0, 4, 0, 1); }

static enum kozo_err do_remove(uint64_t) { return remove_path("f"); }

static enum kozo_err do_rename(uint64_t) { return rename_path("f", "g"); }

static enum kozo_err do_list(uint64_t)
{
    struct kozo_msg m = from(dir);

    return files_ops.list(&server, &m, &(struct fs_list_req){}, &(struct fs_list_rep){});
}

static enum kozo_err do_stat(uint64_t) { return stat_of(file); }

static enum kozo_err do_usage(uint64_t)
{
    struct kozo_msg m = from(file);

    return files_ops.usage(&server, &m, &(struct fs_usage_req){}, &(struct fs_usage_rep){});
}

static enum kozo_err do_close(uint64_t)
{
    struct kozo_msg m = from(file);

    return files_ops.close(&server, &m, &(struct fs_close_req){}, &(struct fs_close_rep){});
}

static const struct {
    const char *name;
    enum kozo_err (*run)(uint64_t rights);
    uint8_t need;
    bool asks; /* for rights, which it needs as well */
} operations[] = {
    { "open", do_open, 0, true },
    { "open_for", do_open_for, KOZO_FILE_ACCOUNT, true },
    { "make", do_make, KOZO_FILE_CREATE, true },
    { "read", do_read, KOZO_FILE_READ, false },
    { "write", do_write, KOZO_FILE_WRITE, false },
    { "append", do_append, KOZO_FILE_WRITE, false },
    { "truncate", do_truncate, KOZO_FILE_WRITE, false },
    { "read_frames", do_read_frames, KOZO_FILE_READ, false },
    { "write_frames", do_write_frames, KOZO_FILE_WRITE, false },
    { "remove", do_remove, KOZO_FILE_REMOVE, false },
    { "rename", do_rename, KOZO_FILE_CREATE | KOZO_FILE_REMOVE, false },
    { "list", do_list, KOZO_FILE_LIST, false },
    { "stat", do_stat, 0, false },
    { "usage", do_usage, 0, false },
    { "close", do_close, 0, false },
};
constexpr unsigned count = sizeof operations / sizeof operations[0];

/* Eight bytes at a time: each step is one to one, so a difference stays one. */
static uint64_t fold(uint64_t h, const void *bytes, uint64_t len)
{
    const uint8_t *at = bytes;

    for (; len >= sizeof(uint64_t); at += sizeof(uint64_t), len -= sizeof(uint64_t)) {
        uint64_t word;

        memcpy(&word, at, sizeof word);
        h = (h ^ word) * 1099511628211ull;
    }
    for (; len > 0; at++, len--)
        h = (h ^ *at) * 1099511628211ull;
    return h;
}

/* All that the server has but what it notes about the request under way. */
static uint64_t state(void)
{
    struct ram r = server.ram;
    uint64_t h = 14695981039346656037ull;

    h = fold(h, &r.free, sizeof r.free);
    h = fold(h, &r.names.root, sizeof r.names.root);
    h = fold(h, &r.numbers.root, sizeof r.numbers.root);
    h = fold(h, r.used, sizeof r.used);
    h = fold(h, r.store.used, sizeof r.store.used);
    h = fold(h, &r.store.free, sizeof r.store.free);
    h = fold(h, r.node, r.nodes * sizeof r.node[0]);
    return fold(h, r.store.base, 2 * STORE_BLOCK);
}

/* One operation by one set of rights: it ends as it must, and a refusal changes nothing. */
static void try_one(unsigned i, uint8_t asked)
{
    uint8_t need = operations[i].need | asked;
    bool allowed = (may & need) == need;
    uint64_t before = state();
    enum kozo_err err;

    speaker = dir;
    err = operations[i].run(asked);
    if (err != (allowed ? KOZO_OK : KOZO_ERR_RIGHTS))
        FAIL("%s for %#x with %#x ended with %u", operations[i].name, asked, may, err);
    if (!allowed) {
        CHECK_EQ(state(), before);
        return;
    }
    if (state() != before)
        begin();
}

TEST(each_operation_needs_exactly_its_rights)
{
    begin();
    for (unsigned i = 0; i < count; i++)
        for (unsigned rights = 0; rights < 256; rights++)
            for (unsigned asked = 1; asked <= (operations[i].asks ? RIGHTS_ALL : 1u); asked++) {
                uint8_t keep = (uint8_t)rights;

                may = keep;
                try_one(i, operations[i].asks ? (uint8_t)asked : 0);
                may = EVERYTHING;
            }
    speaker = CLIENT;
    check_all();
}

/* Who lacks the right it asks for does not learn what there is. */
TEST(a_refusal_tells_nothing_of_what_is_there)
{
    begin();
    may = KOZO_FILE_LIST | KOZO_FILE_CREATE;
    CHECK_ERR(open_path("ram/d/f", RIGHT_READ), RIGHTS);
    CHECK_ERR(open_path("ram/d/none", RIGHT_READ), RIGHTS);
    CHECK_ERR(open_path("ram/none/none", RIGHT_READ), RIGHTS);
    CHECK_ERR(open_path("ram/d/f/none", RIGHT_READ), RIGHTS);
    CHECK_ERR(make("ram/d/f"), RIGHTS); /* it asks to read it */
    CHECK_ERR(make("ram/none/f"), RIGHTS);
    may = EVERYTHING;
}

/* What is opened has what was asked for, never more; ACCOUNT is not given on. */
TEST(what_is_opened_has_the_rights_asked_for)
{
    struct fs_open_rep rep = {};

    begin();
    for (unsigned asked = 1; asked < 256; asked++) {
        struct kozo_msg m = from(CLIENT);
        enum kozo_err err =
            files_ops.open(&server, &m, &(struct fs_open_req){ kozo_str("ram/d"), asked }, &rep);

        CHECK_EQ(err, (asked & ~RIGHTS_ALL) == 0 ? KOZO_OK : KOZO_ERR_ARGUMENT);
        if (err == KOZO_OK)
            CHECK_EQ(rep.file.rights | rep.file.user_rights << 8,
                     (KOZO_WRITE | KOZO_GRANT) | asked << 8);
    }
    CHECK_ERR(open_path("ram/d", 0), ARGUMENT);
    CHECK_ERR(open_path("ram/d", 1ull << 63 | 1), ARGUMENT);
}

/* ---- clients that come and go ---- */

/* Nobody closes anything, and nothing is left of them: fsd keeps nothing by client. */
TEST(ten_thousand_lives_leave_nothing)
{
    uint64_t before;

    begin();
    before = state();
    for (uint32_t life = 1; life <= 10000; life++) {
        speaker = identity_badge(life % 40, life);
        CHECK_OK(open_path("ram/d/f", RIGHT_READ | RIGHT_WRITE));
        CHECK_OK(read_at(opened, 0, 4));
        for (unsigned i = 0; i < 10; i++)
            CHECK_OK(open_path("ram/d", RIGHTS_ALL));
    }
    CHECK_EQ(state(), before);
    speaker = identity_badge(0, 10000);
    CHECK_OK(open_path("ram/d/f", RIGHT_READ));
    CHECK_OK(read_at(opened, 0, 4));
    CHECK_ERR(read_at(file, 0, 4), STALE); /* of the first life */
    speaker = CLIENT;
    check_all();
}

/* Badges that were never given: one that was with a bit changed. */
TEST(a_handle_that_was_never_given_is_stale)
{
    begin();
    for (unsigned bit = 0; bit < 63; bit++)
        CHECK_ERR(stat_of(file ^ 1ull << bit), STALE);
    CHECK_ERR(stat_of(HANDLE_BIT), STALE);
    CHECK_ERR(stat_of(UINT64_MAX), STALE);
    CHECK_ERR(read_at(UINT64_MAX, 0, 1), STALE);
    for (uint64_t i = 0; i < ORIGINS; i++)
        if (i != handle_origin(file))
            CHECK_ERR(stat_of((file & ~(255ull << HANDLE_ORIGIN_SHIFT)) | i << HANDLE_ORIGIN_SHIFT),
                      STALE);
    check_all();
}
