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
