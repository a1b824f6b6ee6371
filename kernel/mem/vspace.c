/* SPDX-License-Identifier: MIT */
#include "mem/vspace.h"

#include "base/log.h"
#include "kernel.h"

/* The words of a page while it waits in a pool. */
struct pool_page {
    struct slot *owner; /* its PageTable capability */
    struct paddr next, prev;
};

/*
 * A mapping record: `a` the address, `b` and `aux` 28 bits of the root's page number and 36 + 16 of a
 * serial: a PageTable's is the space's; a Frame's is that of the table which its entry lies in, so
 * that it is void for good when that goes.
 */
struct record {
    struct paddr root;
    uint64_t serial;
    uint64_t address;
};
#define RECORD_PAGE_BITS 28

static struct vspace *state_of(struct paddr root)
{
    return (struct vspace *)((char *)arch_ram(root) + KOZO_PAGE_SIZE);
}

static struct record record_get(const struct cap *c)
{
    return (struct record){
        .root = { (c->b & ((1ull << RECORD_PAGE_BITS) - 1)) << KOZO_PAGE_BITS },
        .serial = c->b >> RECORD_PAGE_BITS | (uint64_t)c->aux << (64 - RECORD_PAGE_BITS),
        .address = c->a,
    };
}

static void record_set(struct cap *c, struct paddr root, uint64_t address, uint64_t serial)
{
    kassert(root.v >> KOZO_PAGE_BITS < 1ull << RECORD_PAGE_BITS);
    c->b = root.v >> KOZO_PAGE_BITS | serial << RECORD_PAGE_BITS;
    c->aux = (uint16_t)(serial >> (64 - RECORD_PAGE_BITS));
    c->a = address;
}

static void record_clear(struct cap *c)
{
    c->a = c->b = c->aux = 0;
    c->flags &= (uint16_t) ~(CAP_MAPPED | CAP_POOLED);
}

/* ---- which address spaces live ---- */

static void set_live(struct paddr root, bool live)
{
    uint64_t page = root.v >> KOZO_PAGE_BITS, bit = 1ull << page % 64;

    kassert(page < kernel.space_pages);
    if (live)
        kernel.space_live[page / 64] |= bit;
    else
        kernel.space_live[page / 64] &= ~bit;
}

static bool is_root(struct paddr at)
{
    uint64_t page = at.v >> KOZO_PAGE_BITS;

    return page < kernel.space_pages && (kernel.space_live[page / 64] >> page % 64 & 1) != 0;
}

/* The space that a PageTable's record names. */
static bool is_live(const struct record *r)
{
    return is_root(r->root) && state_of(r->root)->serial == r->serial;
}

void space_begin(struct slot *s)
{
    struct paddr root = vspace_root(&s->cap);

    arch_space_init((pte *)s->cap.object);
    *state_of(root) = (struct vspace){ .serial = ++kernel.serial };
    set_live(root, true);
}

void space_end(struct slot *s)
{
    struct paddr root = vspace_root(&s->cap);

    set_live(root, false);
    arch_space_leave(root);
}

/* ---- walking ---- */

/*
 * The entry for `address` at `level`, from the root down; null where a table is missing or a large
 * page in the way.
 */
static pte *walk(struct paddr root, uint64_t address, uint32_t level)
{
    pte *table = arch_ram(root);

    for (uint32_t at = PTE_LEVELS; at > level; at--) {
        pte e = table[pte_index(address, at)];

        if (!pte_present(e) || pte_is_leaf(e, at))
            return nullptr;
        table = arch_ram(pte_addr(e));
    }
    return &table[pte_index(address, level)];
}

/* The serial of the table that `e` is an entry of. */
static uint64_t *table_serial(const pte *e)
{
    return &kernel.table_serial[arch_ram_addr(e).v >> KOZO_PAGE_BITS];
}

static uint32_t frame_level(const struct cap *frame)
{
    return frame->size_bits == KOZO_PAGE_BITS ? 1 : 2;
}

/*
 * The leaf that a Frame's record claims; null when the claim is void. As long as the table is in the
 * use it was in, nobody but this capability takes its entry away.
 */
static pte *frame_leaf(const struct slot *frame)
{
    struct record r = record_get(&frame->cap);
    uint32_t level = frame_level(&frame->cap);
    pte *e;

    if ((frame->cap.flags & CAP_MAPPED) == 0 || !is_root(r.root))
        return nullptr;
    e = walk(r.root, r.address, level);
    if (e == nullptr || *table_serial(e) != r.serial || pte_addr(*e).v != frame->cap.object)
        return nullptr;
    return e;
}

/*
 * The entry that leads to a PageTable's page; null when that is in no table. Its level is in
 * `size_bits`.
 */
static pte *table_entry(const struct slot *table)
{
    struct record r = record_get(&table->cap);
    uint32_t above = table->cap.size_bits + 1u;
    pte *e;

    if ((table->cap.flags & CAP_MAPPED) == 0 || !is_live(&r))
        return nullptr;
    e = walk(r.root, r.address, above);
    if (e == nullptr || !pte_present(*e) || pte_is_leaf(*e, above) ||
        pte_addr(*e).v != table->cap.object)
        return nullptr;
    return e;
}

bool vspace_is_mapped(const struct slot *frame) { return frame_leaf(frame) != nullptr; }

/* ---- the pool of a space ---- */

static struct pool_page *pool_page(struct paddr at) { return arch_ram(at); }

static bool is_pooled(const struct slot *table)
{
    struct record r = record_get(&table->cap);

    return (table->cap.flags & CAP_POOLED) != 0 && is_live(&r);
}

static void pool_unlink(struct vspace *v, struct pool_page *p)
{
    if (p->prev.v != 0)
        pool_page(p->prev)->next = p->next;
    else
        v->pool = p->next;
    if (p->next.v != 0)
        pool_page(p->next)->prev = p->prev;
    *p = (struct pool_page){};
    v->pool_pages--;
}

enum kozo_err vspace_feed(struct slot *space, struct slot *table)
{
    struct paddr root = vspace_root(&space->cap), page = { table->cap.object };
    struct vspace *v = state_of(root);

    REQUIRE(!is_pooled(table) && table_entry(table) == nullptr, KOZO_ERR_IN_USE);
    /* ---- commit ---- */
    arch_clear(arch_ram(page), KOZO_PAGE_SIZE);
    record_clear(&table->cap);
    record_set(&table->cap, root, 0, v->serial);
    table->cap.flags |= CAP_POOLED;
    *pool_page(page) = (struct pool_page){ .owner = table, .next = v->pool };
    if (v->pool.v != 0)
        pool_page(v->pool)->prev = page;
    v->pool = page;
    v->pool_pages++;
    return KOZO_OK;
}

/*
 * Take a page from the pool as the table of `level` for `address`; its capability remembers where
 * it went.
 */
static struct paddr pool_take(struct paddr root, uint64_t address, uint32_t level)
{
    struct vspace *v = state_of(root);
    struct paddr page = v->pool;
    struct slot *owner = pool_page(page)->owner;

    kassert(page.v != 0);
    pool_unlink(v, pool_page(page));
    record_set(&owner->cap, root, address, v->serial);
    *table_serial(arch_ram(page)) = ++kernel.serial;
    owner->cap.size_bits = (uint8_t)level;
    owner->cap.flags = (uint16_t)((owner->cap.flags & ~CAP_POOLED) | CAP_MAPPED);
    return page;
}

void table_end(struct slot *s)
{
    struct record r = record_get(&s->cap);
    pte *e = table_entry(s);

    if (is_pooled(s))
        pool_unlink(state_of(r.root), pool_page((struct paddr){ s->cap.object }));
    if (e != nullptr) {
        *e = 0;
        arch_tlb_flush_space(r.root);
    }
}

void table_moved(struct slot *to)
{
    if (is_pooled(to))
        pool_page((struct paddr){ to->cap.object })->owner = to;
}

/* ---- mapping ---- */

/*
 * How far down the tables lead towards `level`: the entry, at its level; OCCUPIED when something
 * else is mapped there.
 */
struct NODISCARD reached {
    pte *entry;
    uint32_t level;
    enum kozo_err err;
};
static struct reached reach(struct paddr root, uint64_t address, uint32_t level)
{
    pte *table = arch_ram(root);

    for (uint32_t at = PTE_LEVELS;; at--) {
        pte *e = &table[pte_index(address, at)];

        if (!pte_present(*e))
            return (struct reached){ .entry = e, .level = at };
        if (at == level || pte_is_leaf(*e, at))
            return (struct reached){ .err = KOZO_ERR_OCCUPIED };
        table = arch_ram(pte_addr(*e));
    }
}

/* From there on down to `level`, with tables from the pool. */
static pte *build(struct paddr root, uint64_t address, struct reached r, uint32_t level)
{
    while (r.level > level) {
        struct paddr table = pool_take(root, address, --r.level);

        *r.entry = pte_table(table);
        r.entry = (pte *)arch_ram(table) + pte_index(address, r.level);
    }
    return r.entry;
}

/* Rights that a mapping can have: readable at least, never writable and executable. */
static enum kozo_err check_rights(const struct cap *frame, uint64_t rights)
{
    const uint64_t all = KOZO_READ | KOZO_WRITE | KOZO_EXECUTE;

    REQUIRE((rights & ~all) == 0 && (rights & KOZO_READ) != 0, KOZO_ERR_ARGUMENT);
    REQUIRE((rights & (KOZO_WRITE | KOZO_EXECUTE)) != (KOZO_WRITE | KOZO_EXECUTE),
            KOZO_ERR_ARGUMENT);
    REQUIRE((frame->rights & rights) == rights, KOZO_ERR_RIGHTS);
    return KOZO_OK;
}

enum kozo_err vspace_map(struct slot *space, struct slot *frame, uint64_t address, uint64_t rights)
{
    struct paddr root = vspace_root(&space->cap);
    uint32_t level = frame_level(&frame->cap);
    uint64_t bytes = 1ull << frame->cap.size_bits;
    struct reached r;
    pte *leaf;

    TRY(check_rights(&frame->cap, rights));
    REQUIRE(is_aligned(address, bytes), KOZO_ERR_ALIGN);
    REQUIRE(address >= KOZO_USER_START && address < KOZO_USER_END &&
                bytes <= KOZO_USER_END - address,
            KOZO_ERR_ARGUMENT);
    REQUIRE(frame_leaf(frame) == nullptr, KOZO_ERR_MAPPED);
    r = reach(root, address, level);
    TRY(r.err);
    REQUIRE(r.level - level <= state_of(root)->pool_pages, KOZO_ERR_NOMEM);
    /* ---- commit ---- */
    leaf = build(root, address, r, level);
    *leaf = pte_leaf((struct paddr){ frame->cap.object }, level, (uint8_t)rights,
                     (frame->cap.flags & CAP_DEVICE) != 0);
    record_set(&frame->cap, root, address, *table_serial(leaf));
    frame->cap.flags |= CAP_MAPPED;
    return KOZO_OK;
}

/* Undo a mapping whose claim holds. */
static void unmap_leaf(struct slot *frame, pte *leaf)
{
    struct record r = record_get(&frame->cap);

    *leaf = 0;
    arch_tlb_flush_page(r.root, r.address);
}

enum kozo_err vspace_unmap(struct slot *frame)
{
    pte *leaf = frame_leaf(frame);

    REQUIRE(leaf != nullptr, KOZO_ERR_UNMAPPED);
    /* ---- commit ---- */
    unmap_leaf(frame, leaf);
    record_clear(&frame->cap);
    return KOZO_OK;
}

void frame_end(struct slot *s)
{
    pte *leaf = frame_leaf(s);

    if (leaf != nullptr)
        unmap_leaf(s, leaf);
}

enum kozo_err vspace_protect(struct slot *frame, uint64_t rights)
{
    struct record r = record_get(&frame->cap);
    pte *leaf = frame_leaf(frame);

    TRY(check_rights(&frame->cap, rights));
    REQUIRE(leaf != nullptr, KOZO_ERR_UNMAPPED);
    /* ---- commit ---- */
    *leaf = pte_leaf((struct paddr){ frame->cap.object }, frame_level(&frame->cap), (uint8_t)rights,
                     (frame->cap.flags & CAP_DEVICE) != 0);
    arch_tlb_flush_page(r.root, r.address);
    return KOZO_OK;
}
