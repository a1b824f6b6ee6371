/* SPDX-License-Identifier: MIT */
#include <kozo/window.h>

#include "internal.h"

#include <kozo/layout.h>

struct range {
    uint64_t begin, end;
};

/* An area, and the ranges of it that are handed out, ascending. */
static struct area {
    uint64_t begin, end, align;
    struct range range[KOZO_WINDOWS];
    uint32_t count;
} areas[KOZO_WINDOW_KINDS] = {
    [KOZO_WINDOW_SMALL] = { .begin = KOZO_LAYOUT_SMALL,
                            .end = KOZO_LAYOUT_LARGE,
                            .align = KOZO_PAGE_SIZE },
    [KOZO_WINDOW_LARGE] = { .begin = KOZO_LAYOUT_LARGE,
                            .end = KOZO_LAYOUT_MIXED,
                            .align = KOZO_LARGE_SIZE },
    [KOZO_WINDOW_MIXED] = { .begin = KOZO_LAYOUT_MIXED,
                            .end = KOZO_LAYOUT_MIXED_END,
                            .align = KOZO_LARGE_SIZE },
};

void kozo_window_init(uint64_t mixed)
{
    areas[KOZO_WINDOW_MIXED].begin = mixed;
}

static uint64_t round_up(uint64_t v, uint64_t align)
{
    return (v + align - 1) & ~(align - 1);
}

static void insert(struct area *a, uint32_t at, struct range r)
{
    for (uint32_t i = a->count++; i > at; i--)
        a->range[i] = a->range[i - 1];
    a->range[at] = r;
}

uint64_t kozo_window_alloc(enum kozo_window kind, uint64_t bytes)
{
    struct area *a = &areas[kind];
    uint64_t begin = a->begin;

    if (bytes == 0 || bytes > a->end - a->begin || a->count == KOZO_WINDOWS)
        return 0;
    bytes = round_up(bytes, a->align);
    for (uint32_t i = 0; i <= a->count; begin = a->range[i++].end) {
        uint64_t limit = i < a->count ? a->range[i].begin : a->end;

        begin = round_up(begin, a->align);
        if (begin > limit || limit - begin < bytes)
            continue;
        insert(a, i, (struct range){ begin, begin + bytes });
        return begin;
    }
    return 0;
}

static void free_in(struct area *a, uint64_t address)
{
    for (uint32_t i = 0; i < a->count; i++) {
        if (a->range[i].begin != address)
            continue;
        a->count--;
        for (; i < a->count; i++)
            a->range[i] = a->range[i + 1];
        return;
    }
}

void kozo_window_free(uint64_t address)
{
    free_in(&areas[KOZO_WINDOW_SMALL], address);
    free_in(&areas[KOZO_WINDOW_LARGE], address);
}

void kozo_window_forget(void)
{
    for (unsigned i = 0; i < KOZO_WINDOW_KINDS; i++)
        areas[i].count = 0;
}
