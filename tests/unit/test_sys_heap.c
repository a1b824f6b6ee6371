/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Ours beside the host's own. */
#define malloc sys_malloc
#define calloc sys_calloc
#define realloc sys_realloc
#define free sys_free
#define kozo_fatal heap_fatal
#include "../../sys/heap.c"

static jmp_buf *fatal_end;
static char fatal_text[200];

void heap_fatal(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(fatal_text, sizeof(fatal_text), format, args);
    va_end(args);
    if (fatal_end == nullptr)
        FAIL("%s", fatal_text);
    longjmp(*fatal_end, 1);
}

/* The statement ends the program, with `text` in what it says. */
#define CHECK_FATAL(text, ...)                         \
    do {                                               \
        jmp_buf end_;                                  \
        fatal_end = &end_;                             \
        if (setjmp(end_) == 0) {                       \
            __VA_ARGS__;                               \
            fatal_end = nullptr;                       \
            FAIL("did not end: %s", #__VA_ARGS__);     \
        }                                              \
        fatal_end = nullptr;                           \
        CHECK(strstr(fatal_text, text) != nullptr);    \
    } while (0)

alignas(16) static char area[65536];

static void begin(size_t bytes)
{
    memset(area, 0xcc, sizeof(area));
    kozo_heap_init(area, area + bytes);
}

TEST(blocks_are_aligned_and_apart)
{
    char *p[20];

    begin(sizeof(area));
    for (unsigned i = 0; i < 20; i++) {
        p[i] = malloc(i * 13);
        CHECK(p[i] != nullptr);
        CHECK_EQ((uintptr_t)p[i] % 16, 0);
        memset(p[i], (int)i, i * 13);
    }
    for (unsigned i = 0; i < 20; i++) {
        for (unsigned k = 0; k < i * 13; k++)
            CHECK_EQ(p[i][k], i);
        free(p[i]);
    }
    CHECK_EQ(kozo_heap_info().largest, sizeof(area) - HEADER);
}

TEST(an_empty_heap_and_a_full_one_give_nothing)
{
    kozo_heap_init(nullptr, nullptr);
    CHECK_PTR(malloc(1), nullptr);
    kozo_heap_init(area, area + 40);
    CHECK_PTR(malloc(1), nullptr);
    begin(4096);
    CHECK_PTR(malloc(4096), nullptr);
    CHECK_PTR(malloc(SIZE_MAX), nullptr);
    CHECK_PTR(malloc(SIZE_MAX - 20), nullptr);
    CHECK_PTR(calloc(SIZE_MAX / 2, 3), nullptr);
    CHECK_PTR(realloc(nullptr, SIZE_MAX), nullptr);
    CHECK(malloc(4096 - HEADER) != nullptr);
    CHECK_PTR(malloc(0), nullptr);
}

TEST(calloc_zeroes_and_realloc_keeps)
{
    char *p, *q;

    begin(4096);
    p = calloc(10, 10);
    for (unsigned i = 0; i < 100; i++)
        CHECK_EQ(p[i], 0);
    memset(p, 7, 100);
    p = realloc(p, 300); /* the neighbour is free: it grows where it is */
    q = malloc(10);
    CHECK_PTR(realloc(p, 100), p);
    p = realloc(p, 1000); /* now it has to move */
    CHECK(p > q);
    for (unsigned i = 0; i < 100; i++)
        CHECK_EQ(p[i], 7);
    CHECK_PTR(realloc(p, 5000), nullptr);
    CHECK_EQ(p[99], 7);
    free(p);
    free(q);
    CHECK_EQ(kozo_heap_info().largest, 4096 - HEADER);
}

TEST(misuse_ends_the_program)
{
    char *p, *q;

    begin(4096);
    p = malloc(100);
    q = malloc(100);
    CHECK_FATAL("not a block", free(p + 16));
    CHECK_FATAL("not a block", free(area + 8000));
    free(q);
    CHECK_FATAL("freed twice", free(q));
    q = malloc(100);
    memset(p, 1, 120);
    CHECK_FATAL("overrun", free(p));
}

TEST(any_order_of_calls_leaves_one_free_block)
{
    struct {
        unsigned char *at;
        size_t len;
        unsigned char fill;
    } live[40] = {};
    uint64_t r = 1;

    begin(sizeof(area));
    for (unsigned step = 0; step < 20000; step++) {
        r = r * 6364136223846793005 + 1442695040888963407;
        unsigned i = (unsigned)(r >> 33) % 40;
        size_t len = (r >> 40) % 3000;

        for (size_t k = 0; k < live[i].len; k++)
            CHECK_EQ(live[i].at[k], live[i].fill);
        if (live[i].at != nullptr && (r >> 60) < 6) {
            unsigned char *p = realloc(live[i].at, len);

            if (p == nullptr)
                continue;
            for (size_t k = 0; k < len && k < live[i].len; k++)
                CHECK_EQ(p[k], live[i].fill);
            live[i].at = p;
        } else {
            free(live[i].at);
            live[i].at = malloc(len);
        }
        live[i].len = live[i].at == nullptr ? 0 : len;
        live[i].fill = (unsigned char)step;
        if (live[i].at != nullptr)
            memset(live[i].at, live[i].fill, live[i].len);
    }
    for (unsigned i = 0; i < 40; i++)
        free(live[i].at);
    CHECK_EQ(kozo_heap_info().largest, sizeof(area) - HEADER);
}
