/* SPDX-License-Identifier: MIT */
/*
 * plan.c - operations planned ahead: how a world begins.
 */
#include "generate.h"

#include <kozo/abi.h>
#include <string.h>

#define PLAN_MOST 256u

static struct {
    struct op op[PLAN_MOST];
    uint32_t n, next;
} plan;

void plan_clear(void) { plan.n = plan.next = 0; }

void plan_add(struct op op)
{
    if (plan.n < PLAN_MOST)
        plan.op[plan.n++] = op;
}

bool plan_next(struct op *op)
{
    if (plan.next == plan.n)
        return false;
    *op = plan.op[plan.next++];
    return true;
}

/* ---- the first thread's work ---- */

/* Slots of the first thread: what it has at boot (tests/unit/host.h), and what it makes. */
enum : uint64_t {
    ROOT_CNODE = KOZO_INIT_CNODE,
    ROOT_SPACE = KOZO_INIT_SPACE,
    ROOT_POOL = KOZO_INIT_POOL,
    ROOT_IRQ = KOZO_INIT_IRQ,
    ROOT_IOPORT = KOZO_INIT_IOPORT,
    ROOT_DEBUG = KOZO_INIT_DEBUG,
    ROOT_UNTYPED = 10,
    ENDPOINTS = 16,     /* 3 */
    NOTIFICATIONS = 19, /* 2 */
    SPACES = 21,        /* 1 */
    UNTYPEDS = 22,      /* 2 */
    TABLES = 24,        /* 8 */
    FRAMES = 32,        /* 6 */
    POOL = 38,
    HANDLER = 39,
    PEERS = 40,  /* 2 each: thread, CNode */
    DOOMED = 50, /* 8: CNodes that take several turns to destroy */
};
#define PEERS_MOST 4u
#define PEER_CNODE_BITS 4u

#define CALL(NAME, ...)                                                                            \
    plan_add((struct op){ .what = OP_CALL, .number = KOZO_SYS_##NAME, .arg = { __VA_ARGS__ } })

static void make(uint64_t kind, uint64_t bits, uint64_t at, uint64_t count)
{
    CALL(RETYPE, ROOT_UNTYPED, KOZO_WHAT(kind, bits), 0, at, count);
}

static void make_objects(struct dice *d)
{
    make(KOZO_KIND_ENDPOINT, 0, ENDPOINTS, 3);
    make(KOZO_KIND_NOTIFICATION, 0, NOTIFICATIONS, 2);
    make(KOZO_KIND_ADDRESS_SPACE, 0, SPACES, 1);
    make(KOZO_KIND_UNTYPED, 12 + dice_below(d, 4), UNTYPEDS, 1);
    make(KOZO_KIND_UNTYPED, 16 + dice_below(d, 6), UNTYPEDS + 1, 1);
    make(KOZO_KIND_PAGE_TABLE, 0, TABLES, 8);
    make(KOZO_KIND_FRAME, KOZO_PAGE_BITS, FRAMES, 6);
    for (uint64_t i = 0; i < 6; i++)
        if (dice_chance(d, 70))
            CALL(SPACE_FEED, dice_chance(d, 70) ? ROOT_SPACE : SPACES, TABLES + i);
    CALL(POOL_SPLIT, ROOT_POOL, 0, POOL, 1 + dice_below(d, 12));
    CALL(IRQ_CLAIM, ROOT_IRQ, dice_below(d, 4), 0, HANDLER);
    CALL(IRQ_BIND, HANDLER, NOTIFICATIONS + dice_below(d, 2), dice_word(d));
}

static uint64_t some_rights(struct dice *d)
{
    return dice_chance(d, 60) ? KOZO_SAME_RIGHTS
                              : KOZO_RIGHTS(dice_below(d, 32), dice_below(d, 256));
}

/* What a peer finds in its own CNode; it is named by the first thread's slot for it. */
static void furnish(struct dice *d, uint64_t cnode, uint64_t thread)
{
    uint64_t at = 1;

    CALL(CAP_COPY, cnode, at++, 0, cnode, some_rights(d));
    CALL(CAP_COPY, cnode, at++, 0, thread, some_rights(d));
    CALL(CAP_COPY, cnode, at++, 0, ROOT_SPACE, some_rights(d));
    CALL(CAP_COPY, cnode, at++, 0, ENDPOINTS + dice_below(d, 3), some_rights(d));
    CALL(CAP_MINT, cnode, at++, 0, ENDPOINTS + dice_below(d, 3), some_rights(d), dice_below(d, 4));
    CALL(CAP_COPY, cnode, at++, 0, NOTIFICATIONS + dice_below(d, 2), some_rights(d));
    if (dice_chance(d, 50))
        CALL(CAP_COPY, cnode, at++, 0, FRAMES + dice_below(d, 6), some_rights(d));
    if (dice_chance(d, 30))
        CALL(CAP_COPY, cnode, at++, 0, ROOT_CNODE, some_rights(d));
    if (dice_chance(d, 30))
        CALL(CAP_MOVE, cnode, at++, 0, TABLES + dice_below(d, 8));
}

static void make_peer(struct dice *d, uint32_t i, bool quarrel)
{
    uint64_t thread = PEERS + 2 * i, cnode = thread + 1;
    uint64_t flags = dice_chance(d, 15) ? 1 + dice_below(d, 3) : 0,
             priority = dice_chance(d, 70) ? 100 : 98 + dice_below(d, 5);
    uint64_t space = dice_chance(d, 85) ? ROOT_SPACE : SPACES,
             fault = dice_chance(d, 50) ? ENDPOINTS + dice_below(d, 3) : 0;

    make(KOZO_KIND_CNODE, PEER_CNODE_BITS, cnode, 1);
    CALL(THREAD_CREATE, dice_chance(d, 70) ? POOL : ROOT_POOL, 0, thread, flags, priority);
    furnish(d, cnode, thread);
    CALL(THREAD_BIND, thread, dice_chance(d, quarrel ? 10 : 85) ? cnode : ROOT_CNODE, space,
         dice_chance(d, 85) ? FRAMES + i : 0, 512 * dice_below(d, 8), fault);
    if (dice_chance(d, 30))
        CALL(THREAD_BIND_NTFN, thread, NOTIFICATIONS + dice_below(d, 2));
    CALL(THREAD_START, thread, 0x400000 + 0x1000 * i, 0x7fff0000, i, 0);
}

void plan_doomed(struct op *op, uint64_t slot)
{
    op->number = KOZO_SYS_RETYPE;
    op->arg[0] = UNTYPEDS + 1;
    op->arg[1] = KOZO_WHAT(KOZO_KIND_CNODE, 6);
    op->arg[3] = slot;
    op->arg[4] = 1;
}

void plan_world(struct dice *d, bool quarrel)
{
    uint64_t peers = 1 + dice_below(d, PEERS_MOST);

    plan_clear();
    make_objects(d);
    if (quarrel)
        CALL(RETYPE, UNTYPEDS + 1, KOZO_WHAT(KOZO_KIND_CNODE, 5 + dice_below(d, 2)), 0, DOOMED, 8);
    for (uint32_t i = 0; i < peers; i++)
        make_peer(d, i, quarrel);
}
