/* SPDX-License-Identifier: MIT */
/*
 * Bytes of files: by messages, and through a Frame that the client lends.
 */
#include "bench.h"

#include "filesystem.h"

#include <kozo/memory.h>

constexpr unsigned rounds = 16;
constexpr uint64_t BYTES = KOZO_FILE_BULK;
constexpr uint64_t KIB = BYTES / 1024;

static uint8_t text[BYTES], back[BYTES];

static struct {
    struct kozo_endpoint file;
    struct kozo_memory memory; /* one large Frame */
    struct kozo_frame frame;
} bench;

static bool begin(void)
{
    if (!filesystem_start(0, nullptr))
        return false;
    for (uint64_t i = 0; i < BYTES; i++)
        text[i] = (uint8_t)(i * 7 + i / 251);
    bench.file =
        kozo_file_create(filesystem_client(0), "ram/a", KOZO_FILE_READ | KOZO_FILE_WRITE).cap;
    bench.memory = kozo_memory_alloc(kozo_test_memory(), KOZO_LARGE_SIZE);
    bench.frame.c = bench.memory.first;
    memcpy(bench.memory.at, text, BYTES);
    return KOZO_CHECK_OK(bench.memory.err) &&
           KOZO_CHECK_OK(kozo_file_write(bench.file, 0, text, BYTES).err);
}

KOZO_TEST(file_messages)
{
    struct series in = { .name = "file_read_messages" }, out = { .name = "file_write_messages" };

    ROWS("file_read_messages", "file_write_messages");
    KOZO_REQUIRE(begin());
    for (unsigned i = 0; i < rounds; i++) {
        struct kozo_res r;
        uint32_t n;

        COUNT(n, r = kozo_file_write(bench.file, 0, text, BYTES));
        KOZO_REQUIRE(r.err == KOZO_OK && r.value == BYTES);
        series_add(&out, n);
        COUNT(n, r = kozo_file_read(bench.file, 0, back, BYTES));
        KOZO_REQUIRE(r.err == KOZO_OK && r.value == BYTES);
        series_add(&in, n);
    }
    KOZO_CHECK_EQ(memcmp(text, back, BYTES), 0);
    report_each(in.name, &in, KIB);
    report_each(out.name, &out, KIB);
}

KOZO_TEST(file_frames)
{
    struct series in = { .name = "file_read_frames" }, out = { .name = "file_write_frames" };

    ROWS("file_read_frames", "file_write_frames");
    KOZO_REQUIRE(begin());
    for (unsigned i = 0; i < rounds; i++) {
        struct kozo_res r;
        uint32_t n;

        COUNT(n, r = kozo_file_write_frames(bench.file, 0, BYTES, &bench.frame, 1, 0));
        KOZO_REQUIRE(r.err == KOZO_OK && r.value == BYTES);
        series_add(&out, n);
        memset(bench.memory.at, 0, BYTES);
        COUNT(n, r = kozo_file_read_frames(bench.file, 0, BYTES, &bench.frame, 1, 0));
        KOZO_REQUIRE(r.err == KOZO_OK && r.value == BYTES);
        series_add(&in, n);
        KOZO_REQUIRE(memcmp(bench.memory.at, text, BYTES) == 0);
    }
    report_each(in.name, &in, KIB);
    report_each(out.name, &out, KIB);
}

/* ---- what a client can make fsd do at most, between two receives ---- */

constexpr unsigned FILES = 2400;
constexpr uint64_t LARGEST = 4 << 20;

static bool begin_large(void)
{
    static const char *const args[] = { "files=2500", "share_files=2500", "share_kib=5000" };

    if (!filesystem_start(3, args))
        return false;
    bench.memory = kozo_memory_alloc(kozo_test_memory(), KOZO_LARGE_SIZE);
    bench.frame.c = bench.memory.first;
    return KOZO_CHECK_OK(bench.memory.err);
}

/* A file of all the blocks that one can have. */
static bool write_largest(struct kozo_endpoint root)
{
    struct kozo_file f = kozo_file_create(root, "ram/a", KOZO_FILE_WRITE);
    enum kozo_err err = f.err;

    for (uint64_t at = 0; at < LARGEST && err == KOZO_OK; at += BYTES)
        err = kozo_file_write_frames(f.cap, at, BYTES, &bench.frame, 1, 0).err;
    (void)kozo_cap_delete(kozo_own(f.cap.c));
    return KOZO_CHECK_OK(err);
}

KOZO_TEST(file_blocks)
{
    struct series out = { .name = "file_write_apart" }, over = { .name = "file_replace_largest" };

    ROWS("file_write_apart", "file_replace_largest");
    KOZO_REQUIRE(begin_large());
    for (unsigned i = 0; i < 5; i++) {
        struct kozo_endpoint root = filesystem_client(0);
        struct kozo_file f = kozo_file_create(root, "ram/b", KOZO_FILE_WRITE);
        enum kozo_err err = f.err;
        struct kozo_res r;
        uint32_t n;

        KOZO_REQUIRE(KOZO_CHECK_OK(err) && write_largest(root));
        COUNT(n, r = kozo_file_write_frames(f.cap, 30000, BYTES, &bench.frame, 1, 0));
        KOZO_REQUIRE(r.err == KOZO_OK && r.value == BYTES);
        series_add(&out, n);
        COUNT(n, err = kozo_file_rename(root, "ram/b", "ram/a"));
        KOZO_REQUIRE(KOZO_CHECK_OK(err));
        series_add(&over, n);
        KOZO_REQUIRE(KOZO_CHECK_OK(kozo_file_remove(root, "ram/a")));
        KOZO_CHECK_EQ(kozo_file_usage(root).bytes, 0);
        (void)kozo_cap_delete(kozo_own(f.cap.c));
    }
    report(&out);
    report(&over);
}

/* Files in a directory in a directory. */
static bool make_many(struct kozo_endpoint root)
{
    enum kozo_err err = kozo_file_make(root, "ram/a", KOZO_FILE_DIRECTORY, 0).err;

    if (err == KOZO_OK)
        err = kozo_file_make(root, "ram/a/b", KOZO_FILE_DIRECTORY, 0).err;
    for (unsigned i = 0; i < FILES && err == KOZO_OK; i++) {
        char name[32];

        kozo_snprintf(name, sizeof name, "ram/a/b/%u", i);
        err = kozo_file_make(root, name, KOZO_FILE_REGULAR, 0).err;
    }
    return KOZO_CHECK_OK(err);
}

KOZO_TEST(file_names)
{
    struct series rename = { .name = "file_rename_tree" }, list = { .name = "file_list_shared" };
    struct kozo_endpoint root, dir;
    struct kozo_dirent one = {}, other = {};

    ROWS("file_rename_tree", "file_list_shared");
    KOZO_REQUIRE(begin_large());
    root = filesystem_client(0);
    KOZO_REQUIRE(make_many(root));
    dir = kozo_file_open(root, "ram/a/b", KOZO_FILE_LIST).cap;
    for (unsigned i = 0; i < FILES / 2; i++)
        KOZO_REQUIRE(kozo_file_list(dir, one.next, &one) == KOZO_OK);
    for (unsigned i = 0; i < rounds; i++) {
        enum kozo_err err;
        uint32_t n;

        COUNT(n, err = kozo_file_rename(root, i % 2 == 0 ? "ram/a" : "ram/c",
                                        i % 2 == 0 ? "ram/c" : "ram/a"));
        KOZO_REQUIRE(KOZO_CHECK_OK(err));
        series_add(&rename, n);
        KOZO_REQUIRE(kozo_file_list(dir, other.next, &other) == KOZO_OK);
        COUNT(n, err = kozo_file_list(dir, one.next, &one));
        KOZO_REQUIRE(KOZO_CHECK_OK(err));
        series_add(&list, n);
    }
    report(&rename);
    report(&list);
}
