/* SPDX-License-Identifier: MIT */
/*
 * The names that fsd takes: every operation, every place in a path, every way to spell a character.
 */
#include "files.h"

#include <stdio.h>
#include <string.h>

/* ---- one name, all operations ---- */

static enum kozo_err rename_str(struct kozo_str path, struct kozo_str to)
{
    struct kozo_msg m = from(speaker);

    return files_ops.rename(&server, &m, &(struct fs_rename_req){ path, to },
                            &(struct fs_rename_rep){});
}

static enum kozo_err remove_str(struct kozo_str path)
{
    struct kozo_msg m = from(speaker);

    return files_ops.remove(&server, &m, &(struct fs_remove_req){ path },
                            &(struct fs_remove_rep){});
}

static enum kozo_err open_str(struct kozo_str path)
{
    struct kozo_msg m = from(speaker);

    return files_ops.open(&server, &m, &(struct fs_open_req){ path, RIGHT_READ },
                          &(struct fs_open_rep){});
}

static enum kozo_err open_for_str(struct kozo_str path)
{
    struct kozo_msg m = from(speaker);

    return files_ops.open_for(&server, &m, &(struct fs_open_for_req){ OTHER, path, RIGHT_READ },
                              &(struct fs_open_for_rep){});
}

/* Each operation with a path says NAME, also where ram/there would be moved to it. */
static void refused(struct kozo_str path)
{
    CHECK_ERR(open_str(path), NAME);
    CHECK_ERR(open_for_str(path), NAME);
    CHECK_ERR(make_str(path, KOZO_FILE_REGULAR), NAME);
    CHECK_ERR(make_str(path, KOZO_FILE_DIRECTORY), NAME);
    CHECK_ERR(remove_str(path), NAME);
    CHECK_ERR(rename_str(path, kozo_str("ram/moved")), NAME);
    CHECK_ERR(rename_str(kozo_str("ram/there"), path), NAME);
}

/* A file of this name is made, found, moved away and back, and removed. */
static void taken(struct kozo_str path)
{
    CHECK_OK(make_str(path, KOZO_FILE_REGULAR));
    CHECK_OK(open_str(path));
    CHECK_OK(rename_str(path, kozo_str("ram/moved")));
    CHECK_OK(rename_str(kozo_str("ram/moved"), path));
    CHECK_OK(open_for_str(path));
    CHECK_OK(remove_str(path));
    CHECK_ERR(open_str(path), NOT_FOUND);
}

static void begin(void)
{
    serve_usual();
    CHECK_OK(make_dir("ram/dir"));
    CHECK_OK(make("ram/there"));
}

static void try_path(struct kozo_str path, bool good) { (good ? taken : refused)(path); }

/* ---- parts ---- */

TEST(a_path_has_one_spelling)
{
    static const struct {
        const char *path;
        bool good;
    } table[] = {
        { "ram/a", true },
        { "ram/dir/a", true },
        { "ram/...", true },
        { "ram/.a", true },
        { "ram/..a", true },
        { "ram/a.", true },
        { "ram/a..", true },
        { "ram/ ", true },
        { "ram/dir/a b", true },
        { "ram/-", true },
        { "ram/*", true },
        { "ram/\"'\\", true },
        { "ram/dir/ram", true },
        { "/ram/a", false },
        { "//ram/a", false },
        { "ram//a", false },
        { "ram/dir//a", false },
        { "ram/a/", false },
        { "ram/dir/", false },
        { "ram/a//", false },
        { "/", false },
        { "//", false },
        { ".", false },
        { "..", false },
        { "./ram/a", false },
        { "../ram/a", false },
        { "ram/.", false },
        { "ram/..", false },
        { "ram/./a", false },
        { "ram/../a", false },
        { "ram/dir/.", false },
        { "ram/dir/..", false },
        { "ram/dir/./a", false },
        { "ram/dir/../a", false },
        { "ram/no/../a", false },
        { "ram/a/..", false },
        { "ram/../ram/a", false },
        { "ram/dir/../../etc", false },
    };

    begin();
    for (unsigned i = 0; i < sizeof table / sizeof table[0]; i++)
        try_path(kozo_str(table[i].path), table[i].good);
    CHECK_EQ(usage(CLIENT).files, 2);
    check_all();
}

/* The directory itself: it can be opened, and is nothing to make, remove or rename. */
TEST(the_empty_path_is_the_directory)
{
    begin();
    CHECK_OK(open_path("ram/dir", RIGHTS_ALL));
    speaker = opened;
    CHECK_OK(open_path("", RIGHT_LIST));
    CHECK_EQ(opened, speaker);
    CHECK_ERR(make(""), EXISTS);
    CHECK_ERR(remove_path(""), NAME);
    CHECK_ERR(rename_path("", "a"), NAME);
    CHECK_OK(make("a"));
    CHECK_ERR(rename_path("a", ""), NAME);
    speaker = CLIENT;
    check_all();
}

/* ---- characters ---- */

/* `x`, the bytes, `y`: at the end, at the beginning, in the middle, in a directory's name. */
static void try_everywhere(const char *bytes, bool good)
{
    static const char *const forms[] = { "ram/%s", "ram/x%s", "ram/%sy", "ram/dir/x%sy" };
    char path[64];

    for (unsigned i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        snprintf(path, sizeof path, forms[i], bytes);
        try_path(kozo_str(path), good);
    }
    if (good)
        return;
    snprintf(path, sizeof path, "ram/x%sy/a", bytes);
    refused(kozo_str(path));
}

/* Every byte but NUL and slash, and every two of them that are no `..`. */
TEST(one_byte_and_two)
{
    begin();
    for (unsigned a = 1; a < 256; a++)
        if (a != '/' && a != '.')
            try_everywhere((char[]){ (char)a, '\0' }, a >= ' ' && a < 0x7f);
    for (unsigned a = 1; a < 256; a++)
        for (unsigned b = 1; b < 256; b++) {
            bool ascii = a >= ' ' && a < 0x7f && b >= ' ' && b < 0x7f;
            bool other = a >= 0xc2 && a < 0xe0 && b >= (a == 0xc2 ? 0xa0 : 0x80) && b < 0xc0;
            const char path[] = { 'r', 'a', 'm', '/', (char)a, (char)b, '\0' };

            if (a != '/' && b != '/' && (a != '.' || b != '.'))
                try_path(kozo_str(path), ascii || other);
        }
    check_all();
}

/* A number in `bytes` bytes by the scheme of UTF-8, whether or not it may be. */
static void encode(char to[5], uint32_t value, unsigned bytes)
{
    static const uint8_t lead[] = { 0, 0x00, 0xc0, 0xe0, 0xf0 };

    memset(to, 0, 5);
    for (unsigned i = bytes; i > 1; i--, value >>= 6)
        to[i - 1] = (char)(0x80 | (value & 0x3f));
    to[0] = (char)(lead[bytes] | value);
}

TEST(characters_have_one_encoding)
{
    static const uint32_t most[] = { 0, 0x7f, 0x7ff, 0xffff, 0x1fffff };
    static const uint32_t values[] = {
        0x01,    0x1f,     0x20,     0x2e,     0x2f,     0x41,     0x7e,    0x7f,
        0x80,    0x9b,     0x9f,     0xa0,     0xff,     0x7ff,    0x800,   0xfff,
        0x1000,  0x2028,   0xcfff,   0xd000,   0xd7ff,   0xd800,   0xdbff,  0xdc00,
        0xdfff,  0xe000,   0xfeff,   0xfffd,   0xffff,   0x10000,  0x3ffff, 0x40000,
        0xfffff, 0x100000, 0x10ffff, 0x110000, 0x13ffff, 0x1fffff,
    };
    char text[5];

    begin();
    for (unsigned i = 0; i < sizeof values / sizeof values[0]; i++)
        for (unsigned n = 1; n <= 4; n++) {
            uint32_t v = values[i];
            bool shortest = n == 1 || v > most[n - 1];
            bool shown = (v >= 0x20 && v < 0x7f) || (v >= 0xa0 && v < 0xd800) ||
                         (v >= 0xe000 && v <= 0x10ffff);

            if (v > most[n] || (n == 1 && (v == '/' || v == '.')))
                continue;
            encode(text, v, n);
            try_everywhere(text, shortest && shown);
            for (unsigned cut = 1; cut < n; cut++) { /* the end of it is missing */
                text[n - cut] = '\0';
                try_everywhere(text, false);
            }
        }
    try_everywhere("\xf8\x88\x80\x80\x80", false);
    try_everywhere("\xed\xa0\xbd\xed\xb8\x80", false); /* a pair of surrogates */
    CHECK_EQ(usage(CLIENT).files, 2);
    check_all();
}

/* ---- lengths and depths ---- */

TEST(a_path_has_255_bytes_wherever_it_begins)
{
    char path[300];

    begin();
    for (unsigned n = 250; n < 260; n++) {
        memset(path, 'n', sizeof path);
        memcpy(path, "ram/", 4);
        try_path((struct kozo_str){ path, n }, n <= 255);
        path[n - 1] = '/';
        refused((struct kozo_str){ path, n });
    }
    check_all();
}

/* The depth is that below the root, by whatever capability. */
TEST(depth_counts_from_the_root)
{
    char path[64] = "ram";

    serve_usual();
    for (unsigned i = 1; i < RAM_DEPTH; i++)
        CHECK_OK(make_dir(strcat(path, "/d")));
    CHECK_OK(open_path(path, RIGHTS_ALL));
    speaker = opened;
    CHECK_OK(make_dir("e"));
    CHECK_ERR(make("e/f"), LIMIT);
    CHECK_ERR(make_dir("e/f"), LIMIT);
    CHECK_OK(make("f"));
    CHECK_ERR(rename_path("f", "e/f"), LIMIT);
    CHECK_OK(remove_path("e"));
    speaker = CLIENT;
    CHECK_OK(make_dir("ram/top"));
    CHECK_OK(make_dir("ram/top/in"));
    CHECK_ERR(rename_path("ram/top", strcat(path, "/t")), LIMIT); /* `in` would be too deep */
    CHECK_OK(remove_path("ram/top/in"));
    CHECK_OK(rename_path("ram/top", path));
    check_all();
}

/* A name that begins alike is not below. */
TEST(below_is_by_parts_and_not_by_letters)
{
    begin();
    CHECK_OK(rename_path("ram/dir", "ram/dd"));
    CHECK_OK(make_dir("ram/d"));
    CHECK_OK(rename_path("ram/d", "ram/dd/d"));
    CHECK_ERR(rename_path("ram/dd", "ram/dd/d/dd"), INSIDE);
    CHECK_ERR(rename_path("ram/dd", "ram/dd/d"), INSIDE);
    CHECK_OK(rename_path("ram/dd", "ram/dd"));
    CHECK_ERR(open_path("ramx/a", RIGHT_READ), NOT_FOUND);
    CHECK_ERR(make("ramx"), READ_ONLY);
    check_all();
}

/* Whoever holds a directory works in it wherever it moves, and is STALE when it is replaced. */
TEST(a_directory_moves_with_those_who_hold_it)
{
    uint64_t dir, file;

    begin();
    CHECK_OK(open_path("ram/dir", RIGHTS_ALL));
    dir = opened;
    speaker = dir;
    CHECK_OK(make("a"));
    file = opened;
    CHECK_OK(write_at(file, 0, "kept", 4));
    speaker = CLIENT;
    CHECK_OK(make_dir("ram/e"));
    CHECK_OK(open_path("ram/e", RIGHTS_ALL));
    uint64_t gone = opened;
    CHECK_OK(rename_path("ram/dir", "ram/e"));
    CHECK_OK(open_path("ram/e/a", RIGHT_READ));
    CHECK_EQ(opened, file);
    CHECK_OK(read_at(file, 0, 9));
    CHECK_EQ(got.len, 4);
    speaker = dir;
    CHECK_OK(make("b"));
    CHECK_OK(rename_path("b", "a")); /* atomic also for who holds what is replaced */
    CHECK_ERR(read_at(file, 0, 9), STALE);
    speaker = gone;
    CHECK_ERR(make("c"), STALE);
    CHECK_ERR(open_path("a", RIGHT_READ), STALE);
    CHECK_ERR(rename_path("a", "c"), STALE);
    speaker = CLIENT;
    CHECK_OK(open_path("ram/e/a", RIGHT_READ));
    check_all();
}
