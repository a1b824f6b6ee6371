/* SPDX-License-Identifier: MIT */
/*
 * tlb.c - translations as a processor makes and remembers them.
 *
 * Every entry that a walk used is remembered, tables too, for each space, and forgotten only when
 * the kernel says so. Where hardware may forget, this one never does; so a flush that is missing
 * shows.
 *
 * Owns:      machine.tlb, machine.root.
 */
#include "machine.h"

#include "base/log.h"

static uint64_t level_mask(uint32_t level)
{
    return ~((1ull << (KOZO_PAGE_BITS + 9 * (level - 1))) - 1);
}

static pte *table_entry(struct paddr table, uint64_t address, uint32_t level)
{
    pte *t = arch_ram(table);

    return &t[pte_index(address, level)];
}

/* ---- remembering ---- */

static struct host_tlb_entry *tlb_find(struct paddr root, uint64_t address, uint32_t level)
{
    for (uint32_t i = 0; i < machine.tlb_used; i++) {
        struct host_tlb_entry *e = &machine.tlb[i];
        if (e->root.v == root.v && e->level == level && e->address == (address & level_mask(level)))
            return e;
    }
    return nullptr;
}

static void tlb_add(struct paddr root, uint64_t address, uint32_t level, pte entry)
{
    kassert(machine.tlb_used < HOST_TLB_ENTRIES);
    machine.tlb[machine.tlb_used++] =
        (struct host_tlb_entry){ root, address & level_mask(level), level, entry };
}

static void tlb_remove(struct host_tlb_entry *e)
{
    *e = machine.tlb[--machine.tlb_used];
}

/* As INVLPG does: the page, of whatever size, and every table remembered of that space. */
void arch_tlb_flush_page(struct paddr root, uint64_t address)
{
    machine.flushes++;
    for (uint32_t i = machine.tlb_used; i-- > 0;) {
        struct host_tlb_entry *e = &machine.tlb[i];
        bool covers = e->address == (address & level_mask(e->level));
        if (e->root.v == root.v && (covers || !pte_is_leaf(e->entry, e->level)))
            tlb_remove(e);
    }
}

void arch_tlb_flush_space(struct paddr root)
{
    machine.flushes++;
    for (uint32_t i = machine.tlb_used; i-- > 0;)
        if (machine.tlb[i].root.v == root.v)
            tlb_remove(&machine.tlb[i]);
}

/* ---- translating ---- */

/*
 * The entry for `address` at `level`: remembered, or read from `table` and, if present, remembered.
 */
static pte tlb_step(struct paddr root, struct paddr table, uint64_t address, uint32_t level)
{
    struct host_tlb_entry *known = tlb_find(root, address, level);

    if (known != nullptr)
        return known->entry;
    pte entry = *table_entry(table, address, level);
    if (pte_present(entry))
        tlb_add(root, address, level, entry);
    return entry;
}

static struct host_access walk(struct paddr root, uint64_t address, uint8_t access)
{
    struct paddr table = root;

    for (uint32_t level = PTE_LEVELS; level > 0; level--) {
        pte e = tlb_step(root, table, address, level);
        if (!pte_present(e) || (e & PTE_KERNEL) != 0)
            return (struct host_access){ false, { 0 } };
        table = pte_addr(e);
        if (!pte_is_leaf(e, level))
            continue;
        if ((pte_rights(e) & access) != access)
            return (struct host_access){ false, { 0 } };
        return (struct host_access){ true, { table.v | (address & ~level_mask(level)) } };
    }
    panic("a table where level 1 has pages");
}

/* Hardware forgets a translation that has just refused an access. */
static void tlb_forget_leaf(struct paddr root, uint64_t address)
{
    for (uint32_t level = 1; level <= 2; level++) {
        struct host_tlb_entry *e = tlb_find(root, address, level);
        if (e != nullptr && pte_is_leaf(e->entry, level))
            tlb_remove(e);
    }
}

struct host_access host_access(struct paddr root, uint64_t address, uint8_t access)
{
    if (root.v == 0)
        return (struct host_access){ false, { 0 } };
    struct host_access first = walk(root, address, access);
    if (first.ok)
        return first;
    tlb_forget_leaf(root, address);
    return walk(root, address, access);
}

/* What the tables say now for this entry's address and level; 0 where they end before. */
static pte table_truth(const struct host_tlb_entry *e)
{
    struct paddr table = e->root;

    for (uint32_t level = PTE_LEVELS;; level--) {
        pte now = *table_entry(table, e->address, level);
        if (level == e->level)
            return now;
        if (!pte_present(now) || pte_is_leaf(now, level))
            return 0;
        table = pte_addr(now);
    }
}

/* More rights in the tables than remembered is no harm: the access is tried again. */
static bool tlb_entry_is_true(const struct host_tlb_entry *e)
{
    pte now = table_truth(e);

    if (!pte_present(now) || pte_addr(now).v != pte_addr(e->entry).v)
        return false;
    if (pte_is_leaf(now, e->level) != pte_is_leaf(e->entry, e->level))
        return false;
    return !pte_is_leaf(now, e->level) || (pte_rights(e->entry) & ~pte_rights(now)) == 0;
}

const struct host_tlb_entry *host_tlb_stale(void)
{
    for (uint32_t i = 0; i < machine.tlb_used; i++)
        if (!tlb_entry_is_true(&machine.tlb[i]))
            return &machine.tlb[i];
    return nullptr;
}

/* ---- spaces ---- */

static pte kernel_entry(uint32_t index)
{
    return PTE_VALID | PTE_LEAF | PTE_KERNEL | index;
}

void arch_space_init(pte *root)
{
    for (uint32_t i = PTE_ROOT_USER; i < PTE_ENTRIES; i++)
        root[i] = kernel_entry(i);
}

bool host_kernel_half_intact(const pte *root)
{
    for (uint32_t i = PTE_ROOT_USER; i < PTE_ENTRIES; i++)
        if (root[i] != kernel_entry(i))
            return false;
    return true;
}

void arch_space_leave(struct paddr root)
{
    if (machine.root.v == root.v)
        machine.root.v = 0;
    arch_tlb_flush_space(root);
}
