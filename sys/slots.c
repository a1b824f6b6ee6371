/* SPDX-License-Identifier: MIT */
#include <kozo/slots.h>

#include "internal.h"

#include <kozo/syscall.h>

static struct {
    uint64_t used[KOZO_SLOTS_MAX / 64]; /* bit set: handed out */
    uint32_t first, count, left;
    uint32_t hint; /* no free slot lies below */
} slots;

static bool is_used(uint32_t i)
{
    return (slots.used[i / 64] >> i % 64 & 1) != 0;
}

void kozo_slots_init(struct kozo_range free)
{
    slots.first = free.first;
    slots.count = free.count < KOZO_SLOTS_MAX ? free.count : KOZO_SLOTS_MAX;
    slots.left = slots.count;
}

/* Index of the first of `count` free ones in a row, or slots.count. */
static uint32_t find_row(uint32_t count)
{
    uint32_t row = 0;

    for (uint32_t i = slots.hint; i < slots.count; i++) {
        if (i % 64 == 0 && slots.used[i / 64] == UINT64_MAX) {
            row = 0;
            i += 63;
            continue;
        }
        row = is_used(i) ? 0 : row + 1;
        if (row == count)
            return i + 1 - count;
    }
    return slots.count;
}

kozo_cptr kozo_slots_alloc(uint32_t count)
{
    uint32_t i = find_row(count);

    if (count == 0 || i == slots.count)
        return 0;
    for (uint32_t k = i; k < i + count; k++)
        slots.used[k / 64] |= 1ull << k % 64;
    if (i == slots.hint)
        slots.hint = i + count;
    slots.left -= count;
    return slots.first + i;
}

kozo_cptr kozo_slot_alloc(void)
{
    return kozo_slots_alloc(1);
}

void kozo_slots_free(kozo_cptr first, uint32_t count)
{
    for (kozo_cptr c = first; c < first + count; c++) {
        uint32_t i = (uint32_t)(c - slots.first);

        if (c < slots.first || c - slots.first >= slots.count || !is_used(i))
            continue;
        slots.used[i / 64] &= ~(1ull << i % 64);
        slots.left++;
        if (i < slots.hint)
            slots.hint = i;
    }
}

void kozo_slot_free(kozo_cptr slot)
{
    kozo_slots_free(slot, 1);
}

void kozo_slot_drop(kozo_cptr slot)
{
    if (slot == 0)
        return;
    (void)kozo_cap_delete(kozo_own(slot));
    kozo_slot_free(slot);
}

uint32_t kozo_slots_left(void)
{
    return slots.left;
}

static uint64_t marked[KOZO_SLOTS_MAX / 64];

void kozo_slots_mark(void)
{
    for (unsigned i = 0; i < KOZO_SLOTS_MAX / 64; i++)
        marked[i] = slots.used[i];
}

void kozo_slots_drop_new(void)
{
    for (uint32_t i = 0; i < slots.count; i++)
        if (is_used(i) && (marked[i / 64] >> i % 64 & 1) == 0)
            kozo_slot_drop(slots.first + i);
}
