/* SPDX-License-Identifier: MIT */
/* The memory filesystem of fsd: names, directories, handles. */
#include "files.h"

#include <stdio.h>
#include <string.h>

/* ---- names ---- */

TEST(a_file_is_made_written_read_and_removed)
{
    serve_usual();
    CHECK_OK(make("ram/a"));
    uint64_t a = opened;
    CHECK_OK(write_at(a, 0, "hello", 5));
    CHECK_EQ(written.count, 5);
    CHECK_OK(read_at(a, 1, 100));
    CHECK_EQ(got.len, 4);
    CHECK_EQ(memcmp(got.at, "ello", 4), 0);
    CHECK_OK(open_path("ram/a", RIGHT_READ | RIGHT_WRITE));
    CHECK_EQ(opened, a);
    CHECK_OK(stat_of(a));
    CHECK_EQ(status.size, 5);
    check_all();
    CHECK_OK(remove_path("ram/a"));
    CHECK_ERR(open_path("ram/a", RIGHT_READ), NOT_FOUND);
    CHECK_ERR(remove_path("ram/a"), NOT_FOUND);
    CHECK_EQ(usage(CLIENT).bytes, 0);
    CHECK_EQ(usage(CLIENT).files, 0);
    check_all();
}

TEST(names_are_refused_at_the_boundary)
{
    static const char *const bad[] = {
        "ram/..",       "ram/../etc", "ram/.",    "ram//a",    "/ram/a",       "ram/a/",
        "ram/\x1f",     "ram/\x7f",   "ram/\xff", "ram/\xc3",  "ram/\xc0\xaf", "ram/\xed\xa0\x80",
        "ram/\xc2\x9b", "ram/a\tb",   "../ram",   "ram/a/../b"
    };
    char long_name[260] = "ram/";

    serve_usual();
    for (unsigned i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        CHECK_ERR(make(bad[i]), NAME);
        CHECK_ERR(make_dir(bad[i]), NAME);
        CHECK_ERR(open_path(bad[i], RIGHT_READ), NAME);
        CHECK_ERR(remove_path(bad[i]), NAME);
        CHECK_ERR(rename_path(bad[i], "ram/b"), NAME);
    }
    CHECK_OK(make("ram/x"));
    for (unsigned i = 0; i < sizeof bad / sizeof bad[0]; i++)
        CHECK_ERR(rename_path("ram/x", bad[i]), NAME);
    CHECK_OK(make("ram/gr\xc3\xbc\xc3\x9f dich"));
    memset(long_name + 4, 'n', 251);
    CHECK_OK(make(long_name)); /* 255 bytes in all */
    long_name[255] = 'n';
    CHECK_ERR(make(long_name), NAME);
    check_all();
}

TEST(a_name_has_255_bytes_and_no_more)
{
    char name[257] = "";

    serve_usual();
    CHECK_OK(open_path("ram", RIGHT_READ | RIGHT_CREATE | RIGHT_LIST));
    speaker = opened;
    memset(name, 'n', 255);
    CHECK_OK(make(name));
    CHECK_OK(open_path(name, RIGHT_READ));
    name[255] = 'n';
    CHECK_ERR(make(name), NAME);
    speaker = CLIENT;
    check_all();
}

TEST(a_string_with_a_nul_is_malformed)
{
    struct kozo_msg m = from(CLIENT);

    serve_usual();
    CHECK(fs_put_remove_req(&m, &(struct fs_remove_req){ kozo_str("ram/ab") }));
    ((char *)&m.word[1])[4] = '\0'; /* ram/\0b */
    m.nwords = KOZO_MSG_REGS;
    CHECK_ERR(fs_dispatch(&files_ops, &server, &m), PROTOCOL);
}

/* ram/d/d/d..., `depth` times d, then `end`. */
static const char *deep(unsigned depth, const char *end)
{
    static char path[128];

    strcpy(path, "ram");
    for (unsigned i = 0; i < depth; i++)
        strcat(path, "/d");
    return strcat(path, end);
}

TEST(directories_nest_to_the_limit_and_no_deeper)
{
    serve_usual();
    for (unsigned i = 1; i <= RAM_DEPTH; i++)
        CHECK_OK(make_dir(deep(i, "")));
    CHECK_ERR(make_dir(deep(RAM_DEPTH, "/x")), LIMIT);
    CHECK_ERR(make(deep(RAM_DEPTH, "/x")), LIMIT);
    CHECK_OK(make_dir("ram/e"));
    CHECK_OK(make("ram/e/f"));
    CHECK_ERR(rename_path("ram/e", deep(RAM_DEPTH - 1, "/x")), LIMIT);
    CHECK_OK(rename_path("ram/e", deep(RAM_DEPTH - 2, "/x")));
    CHECK_OK(open_path(deep(RAM_DEPTH - 2, "/x/f"), RIGHT_READ));
    check_all();
}

TEST(only_what_is_empty_is_removed)
{
    serve_usual();
    CHECK_OK(make_dir("ram/d"));
    CHECK_OK(make("ram/d/f"));
    CHECK_ERR(remove_path("ram/d"), NOT_EMPTY);
    CHECK_OK(remove_path("ram/d/f"));
    CHECK_OK(remove_path("ram/d"));
    CHECK_ERR(remove_path("ram"), READ_ONLY);
    CHECK_ERR(remove_path(""), NAME);
    CHECK_ERR(make("ram"), EXISTS);
    CHECK_ERR(make("ram/no/f"), NOT_FOUND);
    CHECK_OK(make("ram/f"));
    CHECK_ERR(make("ram/f/g"), NOT_FOUND);
    CHECK_ERR(make("ram/f"), EXISTS);
    CHECK_ERR(make_str(kozo_str("ram/l"), KOZO_FILE_SYMLINK), ARGUMENT);
    check_all();
}

TEST(a_rename_moves_and_replaces)
{
    serve_usual();
    CHECK_OK(make("ram/a"));
    uint64_t a = opened;
    CHECK_OK(write_at(a, 0, "first", 5));
    CHECK_OK(make("ram/b"));
    uint64_t b = opened;
    CHECK_OK(write_at(b, 0, "second", 6));
    CHECK_OK(rename_path("ram/a", "ram/b"));
    CHECK_ERR(open_path("ram/a", RIGHT_READ), NOT_FOUND);
    CHECK_OK(open_path("ram/b", RIGHT_READ));
    CHECK_EQ(opened, a);                /* its capabilities stay good ... */
    CHECK_ERR(read_at(b, 0, 1), STALE); /* ... those of what it replaced do not */
    CHECK_EQ(usage(CLIENT).files, 1);
    CHECK_EQ(usage(CLIENT).bytes, STORE_BLOCK);
    CHECK_OK(rename_path("ram/b", "ram/b")); /* nothing happens */
    CHECK_OK(read_at(a, 0, 9));
    CHECK_EQ(got.len, 5);
    check_all();
}

TEST(a_rename_that_cannot_be_says_why)
{
    serve_usual();
    CHECK_OK(make("ram/f"));
    CHECK_OK(make_dir("ram/d"));
    CHECK_OK(make_dir("ram/d/in"));
    CHECK_OK(make_dir("ram/empty"));
    CHECK_ERR(rename_path("ram/d", "ram/d/in/x"), INSIDE);
    CHECK_ERR(rename_path("ram/d", "ram/d/x"), INSIDE);
    CHECK_ERR(rename_path("ram/d/in", "ram/d"), NOT_EMPTY);
    CHECK_ERR(rename_path("ram/f", "ram/d"), TYPE);
    CHECK_ERR(rename_path("ram/d", "ram/f"), TYPE);
    CHECK_ERR(rename_path("ram/empty", "ram/d"), NOT_EMPTY);
    CHECK_ERR(rename_path("ram/no", "ram/f"), NOT_FOUND);
    CHECK_ERR(rename_path("ram/f", "ram/no/f"), NOT_FOUND);
    CHECK_ERR(rename_path("ram/f", "f"), ACROSS);
    CHECK_ERR(rename_path("ram", "ram/f"), READ_ONLY);
    CHECK_ERR(rename_path("ram", "x"), ACROSS);
    CHECK_ERR(rename_path("ram/d", "ram"), EXISTS);
    CHECK_ERR(rename_path("ram/f", ""), NAME);
    CHECK_EQ(usage(CLIENT).files, 4);
    check_all();
    CHECK_OK(rename_path("ram/d/in", "ram/empty")); /* directory over empty directory */
    CHECK_EQ(usage(CLIENT).files, 3);
    check_all();
}

TEST(a_list_survives_what_happens_meanwhile)
{
    struct fs_list_rep rep = {};
    char seen[64] = "", name[16];

    serve_usual();
    for (unsigned i = 0; i < 8; i++) {
        snprintf(name, sizeof name, "ram/%c", 'a' + i);
        CHECK_OK(make(name));
    }
    CHECK_OK(open_path("ram", RIGHT_LIST));
    struct kozo_msg m = from(opened);
    for (unsigned i = 0;
         files_ops.list(&server, &m, &(struct fs_list_req){ rep.next }, &rep) == KOZO_OK; i++) {
        strncat(seen, rep.name.at, rep.name.len);
        if (i == 2) {
            CHECK_OK(remove_path("ram/c")); /* just listed */
            CHECK_OK(remove_path("ram/d")); /* comes next */
            CHECK_OK(make("ram/z"));
        }
        rep = (struct fs_list_rep){ .next = rep.next };
    }
    CHECK_STR(seen, "abcefghz");
    check_all();
}

/* ---- handles ---- */

TEST(a_removed_file_is_stale_also_when_its_place_is_used_anew)
{
    serve_sized(BLOCKS, 2, SHARE_BLOCKS, 2); /* one file at a time */
    CHECK_OK(make("ram/a"));
    uint64_t a = opened;
    CHECK_OK(write_at(a, 0, "secret", 6));
    CHECK_OK(remove_path("ram/a"));
    CHECK_ERR(read_at(a, 0, 1), STALE);
    CHECK_OK(make("ram/b"));
    CHECK(opened != a);
    CHECK_ERR(read_at(a, 0, 1), STALE);
    CHECK_ERR(write_at(a, 0, "x", 1), STALE);
    CHECK_ERR(truncate_to(a, 0), STALE);
    CHECK_ERR(stat_of(a), STALE);
    CHECK_ERR(bulk(false, a, 0, 1, 0, 1), STALE);
    CHECK_ERR(bulk(true, a, 0, 1, 0, 1), STALE);
    CHECK_OK(stat_of(opened));
}

TEST(each_operation_needs_its_right)
{
    serve_usual();
    CHECK_OK(make("ram/a"));
    uint64_t a = opened;
    frames[0] = (struct lent){ (uint8_t[1]){ 0 }, 1 };

    may = EVERYTHING & ~RIGHT_WRITE;
    CHECK_ERR(write_at(a, 0, "x", 1), RIGHTS);
    CHECK_ERR(truncate_to(a, 0), RIGHTS);
    CHECK_ERR(bulk(true, a, 0, 1, 0, 1), RIGHTS);
    CHECK_ERR(open_path("ram/a", RIGHT_WRITE), RIGHTS);
    may = EVERYTHING & ~RIGHT_READ;
    CHECK_ERR(read_at(a, 0, 1), RIGHTS);
    CHECK_ERR(bulk(false, a, 0, 1, 0, 1), RIGHTS);
    may = EVERYTHING & ~RIGHT_CREATE;
    CHECK_ERR(make("ram/b"), RIGHTS);
    CHECK_ERR(rename_path("ram/a", "ram/b"), RIGHTS);
    may = EVERYTHING & ~RIGHT_REMOVE;
    CHECK_ERR(remove_path("ram/a"), RIGHTS);
    CHECK_ERR(rename_path("ram/a", "ram/b"), RIGHTS);
    may = RIGHT_CREATE;
    CHECK_ERR(make("ram/b"), RIGHTS); /* it asks to read it */
    may = EVERYTHING;
    CHECK_OK(open_path("ram", RIGHT_READ));
    CHECK_ERR(write_at(opened, 0, "x", 1), TYPE);
    CHECK_ERR(read_at(opened, 0, 1), TYPE);
    CHECK_ERR(open_path("ram", RIGHTS_ALL | KOZO_FILE_ACCOUNT), ARGUMENT); /* never given on */
    speaker = a;
    CHECK_ERR(make("b"), TYPE);
    CHECK_ERR(remove_path("b"), TYPE);
    speaker = CLIENT;
    check_all();
}
