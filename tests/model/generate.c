/* SPDX-License-Identifier: MIT */
/*
 * generate.c - what happens next: a system call mostly, chosen by weight.
 */
#include "generate.h"

#include "arguments.h"
#include <string.h>

/* Letters are explained in arguments.c. */
static const struct choice {
    uint64_t number;
    uint32_t weight;
    const char *arguments;
} choices[] = {
    { KOZO_SYS_CALL, 60, "Es" },
    { KOZO_SYS_REPLY_RECV, 50, "Es" },
    { KOZO_SYS_SEND, 40, "Es" },
    { KOZO_SYS_RECV, 50, "Ed" },
    { KOZO_SYS_REPLY, 30, "Xs" },
    { KOZO_SYS_SIGNAL, 30, "Tx" },
    { KOZO_SYS_WAIT, 25, "Nz" },
    { KOZO_SYS_POLL, 8, "T" },
    { KOZO_SYS_YIELD, 25, "" },
    { KOZO_SYS_REPLY_SAVE, 20, "c" },
    { KOZO_SYS_CAP_COPY, 90, "cCr" },
    { KOZO_SYS_CAP_MINT, 40, "cCRb" },
    { KOZO_SYS_CAP_MOVE, 60, "cC" },
    { KOZO_SYS_CAP_DELETE, 60, "C" },
    { KOZO_SYS_CAP_REVOKE, 35, "C" },
    { KOZO_SYS_CAP_VERIFY, 12, "CC" },
    { KOZO_SYS_RETYPE, 90, "uwcn" },
    { KOZO_SYS_UNTYPED_CLEAR, 8, "uy" },
    { KOZO_SYS_UNTYPED_INFO, 8, "u" },
    { KOZO_SYS_POOL_SPLIT, 15, "pck" },
    { KOZO_SYS_POOL_INFO, 5, "p" },
    { KOZO_SYS_THREAD_CREATE, 30, "pcfP" },
    { KOZO_SYS_THREAD_BIND, 40, "VoamOe" },
    { KOZO_SYS_THREAD_BIND_NTFN, 15, "tN" },
    { KOZO_SYS_THREAD_START, 35, "Viivv" },
    { KOZO_SYS_THREAD_SUSPEND, 15, "t" },
    { KOZO_SYS_THREAD_RESUME, 30, "V" },
    { KOZO_SYS_THREAD_PRIORITY, 15, "tPP" },
    { KOZO_SYS_THREAD_INFO, 6, "t" },
    { KOZO_SYS_THREAD_EXIT, 3, "S" },
    { KOZO_SYS_THREAD_FS_BASE, 5, "i" },
    { KOZO_SYS_SPACE_FEED, 25, "Ag" },
    { KOZO_SYS_MAP, 50, "AFMq" },
    { KOZO_SYS_UNMAP, 15, "Q" },
    { KOZO_SYS_PROTECT, 15, "Qq" },
    { KOZO_SYS_IRQ_CLAIM, 10, "Ilc" },
    { KOZO_SYS_IRQ_BIND, 12, "hNx" },
    { KOZO_SYS_IRQ_ACK, 10, "h" },
    { KOZO_SYS_IOPORT_MINT, 8, "jJJc" },
    { KOZO_SYS_IOPORT_IN, 4, "jJW" },
    { KOZO_SYS_IOPORT_OUT, 4, "jJWv" },
    { KOZO_SYS_DEBUG_WRITE, 2, "DS" },
    { KOZO_SYS_DEBUG_DUMP, 2, "DS" },
    { KOZO_SYS_DEBUG_STAT, 5, "DS" },
    { KOZO_SYS_FINISH, 8, "K" },
    { KOZO_SYS_DEBUG_LOG, 1, "DS" },
    { KOZO_SYS_DEBUG_TRACE, 2, "DS" },
    { KOZO_SYS_DEBUG_EVENTS, 1, "DS" },
    { KOZO_SYS_DEBUG_TREE, 3, "DCS" },
};
#define CHOICES (sizeof choices / sizeof choices[0])

/* Slots of the first thread below this hold what it lives by. */
#define FIRST_NEEDS 11u

/* In such a world the first thread does not take care of itself. */
static bool reckless;
/* In such a world threads share a capability space, and destroy against each other. */
static bool quarrel;

/* What the call is for is there. */
static bool makes_sense(struct dice *d, uint64_t number)
{
    const struct m_object *cnode = own_cnode();

    if (cnode == nullptr)
        return true;
    if (number == KOZO_SYS_REPLY || number == KOZO_SYS_REPLY_SAVE)
        return m->current->owes != nullptr || slot_where(d, cnode, is_kind, KOZO_KIND_REPLY) != 0;
    if (number == KOZO_SYS_UNMAP || number == KOZO_SYS_PROTECT)
        return slot_where(d, cnode, is_mapped, KOZO_KIND_FRAME) != 0;
    return true;
}

static const struct choice *choose(struct dice *d)
{
    uint32_t total = 0, n;

    for (uint32_t i = 0; i < CHOICES; i++)
        total += choices[i].weight;
    n = (uint32_t)dice_below(d, total);
    for (const struct choice *c = choices;; c++) {
        if (n < c->weight)
            return c;
        n -= c->weight;
    }
}

static uint64_t some_deadline(struct dice *d)
{
    if (dice_chance(d, 80))
        return m->now + PICK(d, 1, 100, 1000, 100'000, 1'000'000, 5'000'000, 8'000'000);
    return PICK(d, 0, m->now, m->now + 1, m->now + 100, m->now + 1000, m->now + 100'000,
                m->now + 5'000'000, m->now + 8'000'000, m->now + 50'000'000, ~0ull, 1ull << 63);
}

static bool can_block(uint64_t number)
{
    return number <= KOZO_SYS_RECV || number == KOZO_SYS_WAIT;
}

static bool is_preemptible(uint64_t number)
{
    return number == KOZO_SYS_CAP_DELETE || number == KOZO_SYS_CAP_REVOKE ||
           number == KOZO_SYS_FINISH || number == KOZO_SYS_RETYPE ||
           number == KOZO_SYS_UNTYPED_CLEAR;
}

static bool is_first(void) { return m->current->serial == 1; }

/* What would end the first thread, and with it soon the world. */
static bool is_suicide(const struct op *op)
{
    const struct m_cap *c;

    if (op->number == KOZO_SYS_THREAD_EXIT || op->number >= KOZO_SYSCALL_LIMIT)
        return true;
    if (op->number == KOZO_SYS_THREAD_SUSPEND && op->arg[0] != 0 &&
        op->arg[0] < slots_of(own_cnode())) {
        c = own_cnode()->cnode.slot[op->arg[0]];
        return c != nullptr && c->kind == KOZO_KIND_THREAD && c->object == m->current->object;
    }
    return (op->number == KOZO_SYS_CAP_DELETE || op->number == KOZO_SYS_CAP_REVOKE) &&
           op->arg[1] < FIRST_NEEDS;
}

static void choose_call(struct dice *d, struct op *op)
{
    const struct choice *c = choose(d);

    *op = (struct op){ .what = OP_CALL, .number = c->number };
    for (uint32_t i = 0;
         i < 6 && (!makes_sense(d, c->number) || !arguments(d, c->arguments, op->arg)); i++) {
        c = choose(d);
        *op = (struct op){ .what = OP_CALL, .number = c->number };
    }
    if (dice_chance(d, 1))
        op->number = PICK(d, 19, 50, 99, 100, 101, 1ull << 32, ~0ull);
}

static void call(struct dice *d, struct op *op)
{
    choose_call(d, op);
    while (!reckless && own_cnode() != nullptr && is_first() && is_suicide(op) && !dice_is_empty(d))
        choose_call(d, op);
    if (can_block(op->number)) {
        op->deadline = some_deadline(d);
        for (uint32_t i = 2; i < OP_ARGS; i++)
            op->arg[i] = dice_chance(d, 20) ? dice_word(d) : i;
        /* The first thread sleeps with an end, or the world soon sleeps for good. */
        if (dice_chance(d, is_first() ? 97 : 40))
            op->arg[1] |= KOZO_INFO_DEADLINE;
        if (is_first() && op->deadline > m->now + 100'000'000)
            op->deadline = m->now + 100'000;
    }
    if (dice_chance(d, is_preemptible(op->number) ? 60 : 10))
        op->preempt = (uint32_t)PICK(d, 1, 1, 1, 2, 3, 5);
}

/* ---- everything else ---- */

static void buffer(struct dice *d, struct op *op)
{
    const struct m_object *cnode = own_cnode();
    uint64_t slot = cnode == nullptr     ? 0
                    : dice_chance(d, 90) ? slot_where(d, cnode, is_full, 0)
                                         : odd_slot(d, cnode);

    switch (dice_below(d, 5)) {
    case 0:
    case 1:
        if (cnode != nullptr && dice_chance(d, 90))
            slot = slot_where(d, cnode, is_empty, 0);
        *op = (struct op){ .what = OP_WINDOW, .arg = { slot, PICK(d, 3, 3, 1, 2, 0, 65535) } };
        break;
    case 2:
        *op = (struct op){ .what = OP_WORD, .arg = { dice_below(d, 56), dice_word(d) } };
        break;
    default:
        *op = (struct op){ .what = OP_DESC,
                           .arg = { dice_below(d, 3), slot,
                                    PICK(d, 0xff, 0xff, dice_below(d, 256), 0),
                                    PICK(d, 0xff, dice_below(d, 256)),
                                    PICK(d, 0, 0, 1, 1, 2, 2, 3, 4), dice_below(d, 3) } };
    }
}

static uint64_t time_to_pass(struct dice *d)
{
    return PICK(d, 0, 1, 99, 100, 1000, 100'000, 1'000'000, 4'999'999, 5'000'000, 5'000'001,
                20'000'000);
}

static bool world_is_over(void)
{
    if (m->current != nullptr || m->slice_due != M_NEVER)
        return false;
    for (uint32_t i = 0; i < m->threads.n; i++)
        if (m->threads.item[i]->timed)
            return false;
    for (uint32_t i = 0; i < M_LINES; i++)
        if (m_line_is_open(i) && m->line[i].bits != 0 &&
            m->line[i].ntfn->object->ntfn.waiters.n > 0)
            return false;
    return true;
}

static void happen(struct dice *d, struct op *op)
{
    *op = (struct op){ .what = OP_ADVANCE, .arg = { time_to_pass(d) } };
    switch (dice_below(d, 16)) {
    case 0:
    case 1:
    case 2:
        if (is_first() && !reckless)
            break;
        *op = (struct op){ .what = OP_FAULT,
                           .arg = { 1 + dice_below(d, 16), PICK(d, 0, 0x401000, ~0ull),
                                    dice_below(d, 3) } };
        break;
    case 3:
    case 4:
        *op = (struct op){ .what = OP_IRQ, .arg = { dice_below(d, 4) } };
        break;
    case 5:
        *op = (struct op){ .what = OP_NOTHING };
        break;
    case 6:
        *op = (struct op){ .what = OP_FPU, .arg = { dice_word(d) } };
        break;
    case 7:
    case 8:
    case 9:
    case 10:
        *op = (struct op){ .what = OP_TOUCH,
                           .arg = { address_to_map(d) + PICK(d, 0, 0, 0x1000, 4095),
                                    PICK(d, 1, 2, 16) } };
        break;
    default:
        break;
    }
}

/* What one thread began another finds: it begins, too, and its turn is over before it is done. */
static void destroy(struct dice *d, struct op *op)
{
    const struct m_object *cnode = own_cnode();
    uint64_t victim = slot_where(d, cnode, is_kind, KOZO_KIND_CNODE);

    *op = (struct op){ .what = OP_ADVANCE, .arg = { PICK(d, 5'000'000, 5'000'000, 1000) } };
    if (dice_chance(d, m_is_pending() ? 50 : 10))
        return;
    *op = (struct op){ .what = OP_CALL, .preempt = (uint32_t)PICK(d, 1, 1, 1, 2, 0) };
    op->number = PICK(d, KOZO_SYS_CAP_DELETE, KOZO_SYS_CAP_DELETE, KOZO_SYS_CAP_REVOKE,
                      KOZO_SYS_RETYPE, KOZO_SYS_CAP_COPY);
    if (op->number == KOZO_SYS_CAP_COPY)
        (void)arguments(d, "cCr", op->arg);
    else if (op->number == KOZO_SYS_RETYPE)
        plan_doomed(op, slot_where(d, cnode, is_empty, 0));
    else if (victim >= FIRST_NEEDS && dice_chance(d, 70))
        op->arg[1] = victim;
    else
        (void)arguments(d, "C", op->arg);
    if (is_first() && is_suicide(op))
        op->number = KOZO_SYS_FINISH;
}

void generate_begin(struct dice *d)
{
    reckless = dice_chance(d, 15);
    quarrel = dice_chance(d, 20);
    plan_world(d, quarrel);
}

bool generate_next(struct dice *d, struct op *op)
{
    if (plan_next(op))
        return true;
    if (dice_is_empty(d) || !m_has_room() || world_is_over())
        return false;
    if (m->current == nullptr) {
        *op = (struct op){ .what = OP_ADVANCE,
                           .arg = { PICK(d, 1'000'000, 10'000'000, 100'000'000) } };
        if (dice_chance(d, 30))
            *op = (struct op){ .what = OP_IRQ, .arg = { dice_below(d, 4) } };
    } else if (quarrel && own_cnode() != nullptr &&
               dice_chance(d, m_is_pending() || m->ready.n > 0 ? 90 : 30)) {
        destroy(d, op);
    } else if (dice_chance(d, 76)) {
        call(d, op);
    } else if (dice_chance(d, 50)) {
        buffer(d, op);
    } else {
        happen(d, op);
    }
    return true;
}
