/* SPDX-License-Identifier: MIT */
#include <kozo/window.h>

#include "internal.h"

/* Ranges handed out, ascending. */
static struct {
    uint64_t begin, end;
    struct { uint64_t begin, end; } range[KOZO_WINDOWS];
    uint32_t count;
} windows;

void kozo_window_init(uint64_t begin, uint64_t end)
{
    windows.begin = begin;
    windows.end = end;
}

static uint64_t round_up(uint64_t v, uint64_t align)
{
    return (v + align - 1) & ~(align - 1);
}

uint64_t kozo_window_alloc(uint64_t bytes, uint64_t align)
{
    uint32_t i = 0;
    uint64_t at = windows.begin;

    if (align < KOZO_PAGE_SIZE)
        align = KOZO_PAGE_SIZE;
    if (bytes == 0 || bytes > windows.end - windows.begin || windows.count == KOZO_WINDOWS)
        return 0;
    bytes = round_up(bytes, KOZO_PAGE_SIZE);
    for (;; at = windows.range[i++].end) {
        uint64_t limit = i < windows.count ? windows.range[i].begin : windows.end;

        at = round_up(at, align);
        if (at <= limit && limit - at >= bytes)
            break;
        if (i == windows.count)
            return 0;
    }
    for (uint32_t k = windows.count++; k > i; k--)
        windows.range[k] = windows.range[k - 1];
    windows.range[i].begin = at;
    windows.range[i].end = at + bytes;
    return at;
}

void kozo_window_free(uint64_t address)
{
    for (uint32_t i = 0; i < windows.count; i++) {
        if (windows.range[i].begin != address)
            continue;
        windows.count--;
        for (; i < windows.count; i++)
            windows.range[i] = windows.range[i + 1];
        return;
    }
}

void kozo_window_forget(void)
{
    windows.count = 0;
}
