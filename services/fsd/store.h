/* SPDX-License-Identifier: MIT */
/*
 * store.h - the memory that files are kept in: blocks of 4 KiB, and whose account pays for each.
 *
 * A block is free, or taken and nobody's (while a write is prepared), or charged to one account. So
 * many blocks as one write can prepare are never charged: what may be overwritten can be
 * overwritten when all the rest is in use.
 *
 * Owns:      the list of free blocks, the owner of each, how many each account has.
 * Not here:  which file a block belongs to (data.h).
 * Callers:   fsd and its unit tests; no system calls.
 * Cost:      O(1), to give blocks back about 12 instructions each; 5 bytes a block beside the blocks.
 * Spec:      docs/spec/files.md
 */
#pragma once

#include <kozo/error.h>

#define STORE_BLOCK 4096u
#define STORE_RESERVE 17u /* blocks that 64 KiB at any offset touch */
#define STORE_ACCOUNTS 33u
#define STORE_NOBODY 255u

struct store {
    uint8_t *base;                 /* block 1; there is no block 0 */
    uint32_t blocks, free;         /* all; those in the list of free ones */
    uint32_t *list;                /* of free ones; the last is taken first */
    uint8_t *owner;                /* account, by block */
    uint32_t limit;                /* blocks an account may have */
    uint32_t used[STORE_ACCOUNTS]; /* blocks it has */
};

/* What `blocks` blocks need beside themselves. */
uint64_t store_bytes(uint32_t blocks);
/*
 * Begins with all blocks free. `memory` is the blocks, `tables` has store_bytes(blocks), aligned to
 * 4.
 */
void store_init(struct store *s, void *memory, uint32_t blocks, void *tables, uint32_t limit);

/* Whether `account` may have `count` more. Errors: LIMIT it has its share; FULL. */
enum kozo_err store_check(const struct store *s, uint8_t account, uint32_t count);
/* Blocks that can still be charged to somebody. */
uint32_t store_left(const struct store *s);

/* Takes a free block, nobody's, its bytes as they were. There must be one. */
uint32_t store_take(struct store *s);
/* Charges a block that is nobody's; store_check has allowed it. */
void store_charge(struct store *s, uint32_t block, uint8_t account);
/* Makes a block nobody's again; returns whose it was. */
uint8_t store_discharge(struct store *s, uint32_t block);
/* Gives a block back, whosever it is. 0 is ignored. */
void store_give_back(struct store *s, uint32_t block);
/* The same for `count` blocks that are charged, or 0; all of them are 0 then. */
void store_give_back_all(struct store *s, uint32_t block[], uint32_t count);

static inline uint8_t *store_at(const struct store *s, uint32_t block)
{
    return s->base + (uint64_t)(block - 1) * STORE_BLOCK;
}
