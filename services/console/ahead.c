/* SPDX-License-Identifier: MIT */
#include "console/ahead.h"

#include <kozo/string.h>

constexpr char ctrl_c = 3;

static bool ends_line(char key) { return key == '\r' || key == '\n'; }

/* Of the last line kept, when its end is not there. False when it is. */
static bool drop_last_line(struct ahead *a)
{
    uint32_t end = a->end;

    while (a->end > a->begin && !ends_line(a->key[a->end - 1]))
        a->end--;
    return a->end < end;
}

static void cut(struct ahead *a)
{
    a->cut = true;
    a->dropped++;
    a->voids = a->voids || (a->goes_on && a->begin == a->end);
}

bool ahead_drop(struct ahead *a, char key)
{
    uint32_t before = a->dropped;

    if (drop_last_line(a))
        cut(a);
    if (ends_line(key))
        a->cut = false;
    else if (!a->cut)
        cut(a);
    return a->dropped == before;
}

bool ahead_put(struct ahead *a, char key)
{
    a->full = a->full || a->end - a->begin == AHEAD_KEYS;
    if (a->full || a->cut)
        return ahead_drop(a, key);
    if (a->end == AHEAD_KEYS) {
        a->end -= a->begin;
        memmove(a->key, a->key + a->begin, a->end);
        a->begin = 0;
    }
    a->key[a->end++] = key;
    return true;
}

int ahead_take(struct ahead *a)
{
    return a->begin < a->end ? (unsigned char)a->key[a->begin++] : -1;
}

uint32_t ahead_reopen(struct ahead *a)
{
    uint32_t dropped = a->dropped;

    a->dropped = 0;
    a->full = false;
    return dropped;
}

bool ahead_skips(struct ahead *a, char key)
{
    bool skips = a->cut && key != ctrl_c;

    if (ends_line(key) || key == ctrl_c)
        a->cut = false;
    return skips;
}

bool ahead_voids(struct ahead *a)
{
    bool voids = a->voids;

    a->voids = false;
    return voids;
}

bool ahead_waits(const struct ahead *a) { return a->begin < a->end || a->cut; }

void ahead_clear(struct ahead *a) { *a = (struct ahead){}; }
