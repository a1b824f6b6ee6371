/* SPDX-License-Identifier: MIT */
/*
 * host_spaces.c - address spaces seen from outside: every entry of every table, against the
 * capabilities there are.
 *
 * Owns:      nothing; only reads.
 * Spec:      docs/spec/invariants.md; I7.
 */
#include "host.h"

#include "mem/vspace.h"
#include <stdlib.h>

#define RECORDS_MAX 65536u
#define RECORD_PAGE_BITS                                                                           \
    28 /* kernel/mem/vspace.c: how a record packs the space's root and serial */

/* Where a Frame is mapped, or a table is used, by its capability. */
struct record {
    uint64_t root, address, object;
    uint32_t level; /* of a table; 0: a Frame */
    uint8_t rights;
};

static struct record record[RECORDS_MAX];
static uint32_t records;

static int record_order(const void *a, const void *b)
{
    const struct record *x = a, *y = b;

    return x->object != y->object ? (x->object < y->object ? -1 : 1)
           : x->root != y->root   ? (x->root < y->root ? -1 : 1)
                                  : x->address < y->address ? -1 : x->address > y->address;
}

static void collect(void)
{
    records = 0;
    for (struct entry e = cdt_next(cdt_open(&kernel.root)); cdt_slot(e) != &kernel.root;
         e = cdt_next(e)) {
        const struct cap *c = &cdt_slot(e)->cap;
        bool frame = c->kind == KOZO_KIND_FRAME, table = c->kind == KOZO_KIND_PAGE_TABLE;

        if (cdt_is_close(e) || (!frame && !table) || (c->flags & CAP_MAPPED) == 0)
            continue;
        if (frame && !vspace_is_mapped(cdt_slot(e)))
            continue; /* a void record */
        CHECK(records < RECORDS_MAX);
        record[records++] = (struct record){
            .root = (c->b & ((1ull << RECORD_PAGE_BITS) - 1)) << KOZO_PAGE_BITS,
            .address = c->a,
            .object = c->object,
            .level = table ? c->size_bits : 0,
            .rights = c->rights,
        };
    }
    qsort(record, records, sizeof record[0], record_order);
}

/* The first record of this object. */
static uint32_t first_of(uint64_t object)
{
    uint32_t low = 0, high = records;

    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (record[middle].object < object)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Some capability says that it put this there, and has at least the rights. */
static bool is_on_record(uint64_t root, uint64_t address, pte e, uint32_t level, bool leaf)
{
    uint64_t object = pte_addr(e).v;

    for (uint32_t i = first_of(object); i < records && record[i].object == object; i++) {
        const struct record *r = &record[i];
        uint64_t at =
            leaf ? r->address : r->address & ~((1ull << (KOZO_PAGE_BITS + 9 * r->level)) - 1);

        if (r->root != root || at != address || r->level != (leaf ? 0 : level - 1))
            continue;
        if (!leaf || (pte_rights(e) & ~(r->rights | KOZO_READ)) == 0)
            return true;
    }
    return false;
}

static void check_table(uint64_t root, const pte *table, uint64_t base, uint32_t level)
{
    for (uint32_t i = 0; i < (level == PTE_LEVELS ? PTE_ROOT_USER : PTE_ENTRIES); i++) {
        uint64_t address = base + ((uint64_t)i << (KOZO_PAGE_BITS + 9 * (level - 1)));
        bool leaf = pte_is_leaf(table[i], level);

        if (!pte_present(table[i]))
            continue;
        if (!is_on_record(root, address, table[i], level, leaf))
            FAIL("I7: no capability accounts for the %s at %#llx, level %u",
                 leaf ? "page" : "table", (unsigned long long)address, level);
        if (!leaf)
            check_table(root, arch_ram(pte_addr(table[i])), address, level - 1);
    }
}

void host_check_tables(void)
{
    collect();
    for (struct entry e = cdt_next(cdt_open(&kernel.root)); cdt_slot(e) != &kernel.root;
         e = cdt_next(e)) {
        const struct slot *s = cdt_slot(e);

        if (cdt_is_close(e) || s->cap.kind != KOZO_KIND_ADDRESS_SPACE ||
            cap_same_object(&cdt_slot(s->open_prev)->cap, &s->cap))
            continue;
        if (!host_kernel_half_intact((const pte *)s->cap.object))
            FAIL("I7: the kernel's half of a space is not as it was made");
        check_table(vspace_root(&s->cap).v, (const pte *)s->cap.object, 0, PTE_LEVELS);
    }
}
