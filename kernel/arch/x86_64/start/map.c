/* SPDX-License-Identifier: MIT */
/*
 * map.c - sorted lists of disjoint physical ranges.
 */
#include "map.h"

#include "base/log.h"
#include <string.h>

static void insert(struct map *m, uint32_t i, struct boot_region r)
{
    if (m->count == BOOT_REGIONS)
        panic("memory map: more than %u separate ranges", BOOT_REGIONS);
    memmove(&m->at[i + 1], &m->at[i], (m->count - i) * sizeof m->at[0]);
    m->at[i] = r;
    m->count++;
}

static void drop(struct map *m, uint32_t i)
{
    m->count--;
    memmove(&m->at[i], &m->at[i + 1], (m->count - i) * sizeof m->at[0]);
}

void map_add(struct map *m, uint64_t base, uint64_t end, enum boot_kind kind)
{
    uint32_t i = 0;

    if (base >= end)
        return;
    while (i < m->count && m->at[i].end < base)
        i++;
    while (i < m->count && m->at[i].base <= end) { /* meets or touches: swallow it */
        base = min_u64(base, m->at[i].base);
        end = max_u64(end, m->at[i].end);
        drop(m, i);
    }
    insert(m, i, (struct boot_region){ base, end, kind });
}

void map_remove(struct map *m, uint64_t base, uint64_t end)
{
    uint32_t i = 0;

    if (base >= end)
        return;
    while (i < m->count) {
        struct boot_region r = m->at[i];

        if (r.end <= base || r.base >= end) {
            i++;
            continue;
        }
        drop(m, i);
        if (r.base < base)
            insert(m, i++, (struct boot_region){ r.base, base, r.kind });
        if (r.end > end)
            insert(m, i++, (struct boot_region){ end, r.end, r.kind });
    }
}

bool map_covers(const struct map *m, uint64_t base, uint64_t end)
{
    for (uint32_t i = 0; i < m->count; i++)
        if (m->at[i].base <= base && end <= m->at[i].end)
            return true;
    return base >= end;
}
