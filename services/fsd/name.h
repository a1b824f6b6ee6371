/* SPDX-License-Identifier: MIT */
/*
 * name.h - the order of names in the trees of both filesystems: by directory, then length, then
 * bytes.
 *
 * Owns:      that order.
 * Not here:  where names lie (lookup.c, ram.c).
 * Callers:   lookup.c, ram.c.
 * Cost:      O(length of a name).
 */
#pragma once

#include <kozo/string.h>
#include "common/text.h"

struct name_key {
    uint32_t dir;
    struct kozo_str name;
};

static inline int name_order(const struct name_key *key, uint32_t dir, struct kozo_str name)
{
    if (key->dir != dir)
        return key->dir < dir ? -1 : 1;
    if (key->name.len != name.len)
        return key->name.len < name.len ? -1 : 1;
    return memcmp(key->name.at, name.at, name.len);
}
