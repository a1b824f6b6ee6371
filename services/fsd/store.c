/* SPDX-License-Identifier: MIT */
#include "fsd/store.h"

uint64_t store_bytes(uint32_t blocks) { return blocks * sizeof(uint32_t) + (uint64_t)blocks + 1; }

void store_init(struct store *s, void *memory, uint32_t blocks, void *tables, uint32_t limit)
{
    *s = (struct store){ .base = memory, .blocks = blocks, .list = tables, .limit = limit };
    s->owner = (uint8_t *)(s->list + blocks);
    for (uint32_t b = blocks; b > 0; b--) {
        s->owner[b] = STORE_NOBODY;
        store_give_back(s, b);
    }
}

uint32_t store_left(const struct store *s)
{
    return s->free > STORE_RESERVE ? s->free - STORE_RESERVE : 0;
}

enum kozo_err store_check(const struct store *s, uint8_t account, uint32_t count)
{
    if (count > s->limit - s->used[account])
        return KOZO_ERR_LIMIT;
    return count > store_left(s) ? KOZO_ERR_FULL : KOZO_OK;
}

uint32_t store_take(struct store *s) { return s->list[--s->free]; }

void store_charge(struct store *s, uint32_t block, uint8_t account)
{
    s->owner[block] = account;
    s->used[account]++;
}

uint8_t store_discharge(struct store *s, uint32_t block)
{
    uint8_t account = s->owner[block];

    if (account != STORE_NOBODY)
        s->used[account]--;
    s->owner[block] = STORE_NOBODY;
    return account;
}

void store_give_back(struct store *s, uint32_t block)
{
    if (block == 0)
        return;
    (void)store_discharge(s, block);
    s->list[s->free++] = block;
}

void store_give_back_all(struct store *s, uint32_t block[], uint32_t count)
{
    uint32_t *list = s->list, *used = s->used;
    uint64_t free = s->free;
    uint8_t *owner = s->owner;

    for (uint32_t i = 0; i < count; i++) {
        uint32_t b = block[i];

        if (b == 0)
            continue;
        block[i] = 0;
        used[owner[b]]--;
        owner[b] = STORE_NOBODY;
        list[free++] = b;
    }
    s->free = (uint32_t)free;
}
