/* SPDX-License-Identifier: MIT */
#include "fsd/store.h"

uint64_t store_bytes(uint32_t blocks)
{
    return ((uint64_t)blocks + 1) * (sizeof(uint32_t) + sizeof(uint8_t));
}

void store_init(struct store *s, void *memory, uint32_t blocks, void *tables, uint32_t limit)
{
    *s = (struct store){ .base = memory, .blocks = blocks, .next = tables, .limit = limit };
    s->owner = (uint8_t *)(s->next + blocks + 1);
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

uint32_t store_take(struct store *s)
{
    uint32_t block = s->first;

    s->first = s->next[block];
    s->free--;
    return block;
}

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
    s->next[block] = s->first;
    s->first = block;
    s->free++;
}
