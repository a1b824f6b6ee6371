/* SPDX-License-Identifier: MIT */
/*
 * The world: threads X and Y, equals, each with a CNode of three slots (and slot 0, which is the
 * kernel's) as its capability space. Each CNode holds the other's only capability but for the
 * binding; one holds the only capability to an Endpoint, the other a small Untyped; a slot in each
 * is empty. The first thread sleeps for ever.
 *
 * An operation is one thread's CAP_COPY, CAP_MINT, CAP_MOVE, CAP_DELETE, CAP_REVOKE or RETYPE with
 * any arguments that name what is there: each slot of both CNodes, on any way that leads to it.
 */
#include "exhaust.h"

#include "lockstep.h"
#include <stdlib.h>
#include <string.h>

static const char *const setup[] = {
    "call RETYPE 10 0x202 0 16 2", /* the CNodes: 16, 17 */
    "call RETYPE 10 3 0 18 1",     /* Endpoint */
    "call RETYPE 10 0x901 0 19 1", /* Untyped of 512 bytes */
    "call THREAD_CREATE 4 0 20 0 100",
    "call THREAD_CREATE 4 0 21 0 100",
    "call THREAD_BIND 20 16 3",
    "call THREAD_BIND 21 17 3",
    "call CAP_MOVE 16 2 0 18",
    "call CAP_MOVE 17 2 0 19",
    "call CAP_COPY 0 22 0 16 0xffff",
    "call CAP_MOVE 17 1 0 16", /* each holds the other */
    "call CAP_MOVE 22 1 0 17",
    "call CAP_DELETE 0 22",
    "call THREAD_START 20 0x400000 0",
    "call THREAD_START 21 0x400000 0",
    "call WAIT 0 0x800 at 0xffffffffffffffff",
};
#define SETUP (sizeof setup / sizeof setup[0])

#define START 0u /* what lockstep keeps: the world at the start, and in the state looked at */
#define HERE 1u
#define THREADS 2u
#define SLOTS 4u
#define OPS_MOST 1024u

/* ---- states ---- */

static uint64_t mix(uint64_t h, uint64_t v)
{
    h = (h ^ v) * 0x9e3779b97f4a7c15;
    return h ^ h >> 32;
}

/* An object as a number: where it is among all, in the order in which the tree names them. */
static uint64_t object_number(const struct m_object **seen, uint32_t *n, const struct m_object *o)
{
    for (uint32_t i = 0; i < *n; i++)
        if (seen[i] == o)
            return i;
    if (*n == 64)
        abort();
    seen[*n] = o;
    return (*n)++;
}

static uint64_t hash_below(uint64_t h, const struct m_cap *top, const struct m_object **seen,
                           uint32_t *n)
{
    for (const struct m_cap *c = top->child; c != nullptr; c = c->next) {
        h = mix(h, c->kind | c->rights << 8 | c->user << 16 | (uint64_t)c->badged << 24 |
                       (uint64_t)c->where << 32 | c->index << 40);
        h = mix(h, c->badge);
        h = mix(h, c->object != nullptr ? object_number(seen, n, c->object) : 0);
        h = mix(h, c->within != nullptr ? object_number(seen, n, c->within) : 0);
        if (c->kind == KOZO_KIND_UNTYPED)
            h = mix(h, c->object->untyped.watermark << 16 ^ c->object->untyped.cleared);
        h = mix(hash_below(h, c, seen, n), 1);
    }
    return h;
}

static uint64_t state_hash(void)
{
    const struct m_object *seen[64];
    uint32_t n = 0;
    uint64_t h = hash_below(1, &m->root, seen, &n);

    for (uint32_t i = 0; i < m->threads.n; i++)
        h = mix(h, m->threads.item[i]->state);
    return h != 0 ? h : 1;
}

/* States met. */
static struct {
    uint64_t *key;
    uint32_t *index;
    uint64_t mask;
} set;

static struct state {
    uint32_t parent;
    uint16_t thread, op; /* which of its operations led here */
    uint64_t edges;      /* where its own begin */
} *states;
static uint32_t state_count;
static uint64_t state_room;

/* Where each operation led, state by state. */
static uint32_t *edges;
static uint64_t edge_count, edge_room;

static void set_grow(void)
{
    uint64_t old = set.mask + 1, *key = set.key;
    uint32_t *index = set.index;
    bool first = key == nullptr;

    set.mask = first ? (1u << 16) - 1 : 2 * old - 1;
    set.key = calloc(set.mask + 1, sizeof *set.key);
    set.index = calloc(set.mask + 1, sizeof *set.index);
    if (set.key == nullptr || set.index == nullptr)
        abort();
    for (uint64_t i = 0; !first && i < old; i++) {
        uint64_t at = key[i] & set.mask;

        if (key[i] == 0)
            continue;
        while (set.key[at] != 0)
            at = (at + 1) & set.mask;
        set.key[at] = key[i];
        set.index[at] = index[i];
    }
    free(key);
    free(index);
}

/* The place of the key: its own, or a free one. */
static uint64_t set_find(uint64_t key)
{
    uint64_t at = key & set.mask;

    while (set.key[at] != 0 && set.key[at] != key)
        at = (at + 1) & set.mask;
    return at;
}

static void *grown(void *array, uint64_t count, uint64_t *room, uint64_t size)
{
    if (count < *room)
        return array;
    *room = *room == 0 ? 4096 : 2 * *room;
    array = realloc(array, *room * size);
    if (array == nullptr)
        abort();
    return array;
}

/* Returns the state's index. */
static uint32_t meet(uint64_t key, struct state s)
{
    uint64_t at = set_find(key);

    if (set.key[at] != 0)
        return set.index[at];
    states = grown(states, state_count, &state_room, sizeof *states);
    set.key[at] = key;
    set.index[at] = state_count;
    states[state_count++] = s;
    if (state_count > set.mask / 2)
        set_grow();
    return state_count - 1;
}

static void add_edge(uint32_t to)
{
    edges = grown(edges, edge_count, &edge_room, sizeof *edges);
    edges[edge_count++] = to;
}

/* ---- operations ---- */

struct pair {
    uint64_t cnode, slot;
    bool full;
};

/* The slots that a thread can name: its own, and those of CNodes it holds. */
static uint32_t pairs_of(const struct m_thread *t, struct pair *pair)
{
    const struct m_cap *space = t->binding[M_CSPACE];
    uint32_t n = 0;

    if (space == nullptr)
        return 0;
    for (uint64_t c = 0; c < SLOTS; c++) {
        const struct m_cap *named = c == 0 ? space : space->object->cnode.slot[c];

        if (named == nullptr || named->kind != KOZO_KIND_CNODE)
            continue;
        for (uint64_t s = 1; s < 1ull << named->object->bits && s < SLOTS; s++)
            pair[n++] = (struct pair){ c, s, named->object->cnode.slot[s] != nullptr };
    }
    return n;
}

static struct op call(uint64_t number, uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e,
                      uint64_t f)
{
    return (struct op){ .what = OP_CALL, .number = number, .arg = { a, b, c, d, e, f } };
}

static uint32_t two_slot_ops(struct pair from, struct pair to, struct op *op)
{
    op[0] = call(KOZO_SYS_CAP_COPY, to.cnode, to.slot, from.cnode, from.slot, KOZO_SAME_RIGHTS, 0);
    op[1] = call(KOZO_SYS_CAP_MINT, to.cnode, to.slot, from.cnode, from.slot, KOZO_READ, 7);
    op[2] = call(KOZO_SYS_CAP_MOVE, to.cnode, to.slot, from.cnode, from.slot, 0, 0);
    return 3;
}

static uint32_t retype_ops(const struct m_thread *t, struct pair to, struct op *op)
{
    uint32_t n = 0;

    for (uint64_t s = 1; s < SLOTS; s++) {
        const struct m_cap *c = t->binding[M_CSPACE]->object->cnode.slot[s];

        if (c == nullptr || c->kind != KOZO_KIND_UNTYPED)
            continue;
        op[n++] = call(KOZO_SYS_RETYPE, s, KOZO_KIND_ENDPOINT, to.cnode, to.slot, 1, 0);
        op[n++] = call(KOZO_SYS_RETYPE, s, KOZO_WHAT(KOZO_KIND_CNODE, 1), to.cnode, to.slot, 1, 0);
        op[n++] =
            call(KOZO_SYS_RETYPE, s, KOZO_WHAT(KOZO_KIND_UNTYPED, 8), to.cnode, to.slot, 1, 0);
    }
    return n;
}

/* All that this thread can do now. */
static uint32_t ops_of(const struct m_thread *t, struct op *op)
{
    struct pair pair[SLOTS * SLOTS];
    uint32_t pairs = pairs_of(t, pair), n = 0;

    for (uint32_t i = 0; i < pairs; i++) {
        if (!pair[i].full) {
            n += retype_ops(t, pair[i], &op[n]);
            continue;
        }
        op[n++] = call(KOZO_SYS_CAP_DELETE, pair[i].cnode, pair[i].slot, 0, 0, 0, 0);
        op[n++] = call(KOZO_SYS_CAP_REVOKE, pair[i].cnode, pair[i].slot, 0, 0, 0, 0);
        for (uint32_t k = 0; k < pairs; k++)
            if (!pair[k].full)
                n += two_slot_ops(pair[i], pair[k], &op[n]);
    }
    if (n > OPS_MOST)
        abort();
    return n;
}

/* Threads 2 and 3 of the world, by serial. */
static struct m_thread *actor(uint32_t thread)
{
    for (uint32_t i = 0; i < m->threads.n; i++)
        if (m->threads.item[i]->serial == thread + 2)
            return m->threads.item[i];
    return nullptr;
}

/* ---- going through them ---- */

static struct script *trail;

static void act(struct op op)
{
    trail->op[trail->n++] = op;
    lockstep_do(&op);
}

/* Let it be this thread's turn; false when it cannot run. */
static bool take_turn(uint32_t thread)
{
    struct m_thread *t = actor(thread);

    if (t == nullptr || t->state != KOZO_THREAD_READY)
        return false;
    if (m->current != t)
        act(call(KOZO_SYS_YIELD, 0, 0, 0, 0, 0, 0));
    return m->current == t;
}

/* The world as it is in the state, from its beginning. */
static void go_to(uint32_t state)
{
    static struct op op[OPS_MOST];

    if (state == 0) {
        lockstep_put_back(START);
        trail->n = SETUP;
        return;
    }
    go_to(states[state].parent);
    if (!take_turn(states[state].thread))
        lockstep_fail("a state cannot be reached again");
    ops_of(actor(states[state].thread), op);
    act(op[states[state].op]);
}

/* All that this thread can do in the state, one after another. */
static void branch(uint32_t state, uint32_t thread)
{
    static struct op op[OPS_MOST];
    uint64_t here;
    uint32_t n, trail_here;
    bool changed = false;

    go_to(state);
    if (!take_turn(thread))
        return;
    here = state_hash();
    n = ops_of(actor(thread), op);
    trail_here = trail->n;
    lockstep_keep(HERE);
    for (uint32_t i = 0; i < n; i++) {
        uint64_t next;

        if (changed)
            lockstep_put_back(HERE);
        trail->n = trail_here;
        act(op[i]);
        next = state_hash();
        changed = next != here; /* else the call failed, and all is as it was */
        add_edge(changed ? meet(next, (struct state){ state, (uint16_t)thread, (uint16_t)i, 0 })
                         : state);
    }
}

/* How many sequences of `depth` operations the edges make. */
static double count_sequences(uint32_t depth)
{
    double *ways = calloc(state_count, sizeof *ways), *next, total = 0;

    ways[0] = 1;
    for (uint32_t d = 0; d < depth; d++) {
        next = calloc(state_count, sizeof *next);
        for (uint32_t s = 0; s < state_count; s++) {
            uint64_t end = s + 1 < state_count ? states[s + 1].edges : edge_count;

            for (uint64_t e = states[s].edges; ways[s] > 0 && e < end; e++)
                next[edges[e]] += ways[s];
        }
        free(ways);
        ways = next;
    }
    for (uint32_t s = 0; s < state_count; s++)
        total += ways[s];
    free(ways);
    return total;
}

static void run_setup(void)
{
    bool empty;

    lockstep_boot();
    trail->n = 0;
    for (uint32_t i = 0; i < SETUP; i++) {
        struct op op;

        if (!op_parse(setup[i], &op, &empty))
            lockstep_fail("setup line %u is no operation", i);
        act(op);
    }
    lockstep_keep(START);
}

static void all(void *with)
{
    uint32_t depth = *(const uint32_t *)with, begin = 0;

    run_setup();
    set_grow();
    meet(state_hash(), (struct state){});
    for (uint32_t d = 0; d < depth; d++) {
        uint32_t end = state_count;

        for (uint32_t s = begin; s < end; s++) {
            states[s].edges = edge_count;
            for (uint32_t thread = 0; thread < THREADS; thread++)
                branch(s, thread);
        }
        begin = end;
    }
    for (uint32_t s = begin; s < state_count; s++)
        states[s].edges = edge_count;
}

struct exhaust_result exhaust_run(uint32_t depth, struct script *path)
{
    trail = path;
    lockstep_run(all, &depth);
    return (struct exhaust_result){ state_count, edge_count, count_sequences(depth) };
}
