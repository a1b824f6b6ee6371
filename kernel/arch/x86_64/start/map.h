/* SPDX-License-Identifier: MIT */
/*
 * map.h - lists of physical ranges: sorted, disjoint, as few as possible.
 *
 * Owns:      the order of a list.
 * Not here:  which ranges there are (pvh.h).
 * Callers:   pvh.c, start.c.
 * Cost:      O(ranges).
 * Spec:      docs/spec/boot.md
 */
#pragma once

#include "boot/boot.h"

struct map {
    uint32_t count;
    struct boot_region at[BOOT_REGIONS];
};

/*
 * Join [base, end) to what the list covers, or take it out. Empty ranges change nothing; too many
 * are a panic.
 */
void map_add(struct map *m, uint64_t base, uint64_t end, enum boot_kind kind);
void map_remove(struct map *m, uint64_t base, uint64_t end);
/* One range of the list holds all of [base, end). */
NODISCARD bool map_covers(const struct map *m, uint64_t base, uint64_t end);
