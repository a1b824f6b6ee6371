/* SPDX-License-Identifier: MIT */
/*
 * test_tables.c - page tables and mapping records where they no longer agree, and tables that are
 * not enough.
 */
#include "cap/object.h"
#include "host.h"
#include "mem/vspace.h"

#define SPACE SLOT_FREE
#define TABLE (SLOT_FREE + 1) /* 8 PageTables, the first `fed` of them in the space's pool */
#define FRAME (SLOT_FREE + 9) /* 2 Frames */
#define LARGE (SLOT_FREE + 11)

#define AT 0x40000000ull
#define RW (KOZO_READ | KOZO_WRITE)

static void make(uint64_t at, enum kozo_kind kind, uint32_t bits, uint64_t count)
{
    CHECK_OK(call(host.init, RETYPE, SLOT_UNTYPED, KOZO_WHAT(kind, bits), 0, at, count));
}

static void feed(uint64_t first, uint64_t count)
{
    for (uint64_t i = 0; i < count; i++)
        CHECK_OK(call(host.init, SPACE_FEED, SPACE, TABLE + first + i));
}

static void boot_space(uint64_t fed)
{
    host_boot();
    make(SPACE, KOZO_KIND_ADDRESS_SPACE, 0, 1);
    make(TABLE, KOZO_KIND_PAGE_TABLE, 0, 8);
    make(FRAME, KOZO_KIND_FRAME, KOZO_PAGE_BITS, 2);
    feed(0, fed);
}

static uint64_t map(uint64_t frame, uint64_t address)
{
    return call(host.init, MAP, SPACE, frame, address, RW);
}

static uint64_t unmap(uint64_t frame) { return call(host.init, UNMAP, 0, frame); }

/* The page that is reached at AT, 0 for none. */
static uint64_t reached(void)
{
    struct host_access a = host_access(vspace_root(&host_slot(SPACE)->cap), AT, KOZO_READ);

    return a.ok ? a.at.v : 0;
}

TEST(a_mapping_that_lacks_tables_takes_none)
{
    for (uint64_t fed = 0; fed < 3; fed++) {
        boot_space(fed);
        CHECK_ERR(map(FRAME, AT), NOMEM);
        feed(fed, 3 - fed);
        CHECK_OK(map(FRAME, AT));
    }
}

TEST(a_table_holds_nothing_of_the_pool_it_came_from)
{
    boot_space(4);
    CHECK_OK(map(FRAME, AT));
    for (uint64_t i = 1; i < 4; i++) { /* the first one fed is still in the pool */
        const uint64_t *word = arch_ram((struct paddr){ host_slot(TABLE + i)->cap.object });
        uint64_t entries = 0;
        for (uint32_t w = 0; w < PTE_ENTRIES; w++)
            entries += word[w] != 0;
        CHECK_EQ(entries, 1);
    }
}

/* FACTS: page tables torn down under stale mapping records. */
TEST(a_record_has_no_claim_to_another_page_at_its_address)
{
    boot_space(6);
    CHECK_OK(map(FRAME, AT));
    for (uint64_t i = 0; i < 6;
         i++) /* the last level among them: the mapping is gone, its record is not */
        CHECK_OK(call(host.init, CAP_DELETE, 0, TABLE + i));
    make(TABLE, KOZO_KIND_PAGE_TABLE, 0, 3);
    feed(0, 3);
    CHECK_OK(map(FRAME + 1, AT));
    CHECK_ERR(unmap(FRAME), UNMAPPED);
    CHECK_ERR(call(host.init, PROTECT, 0, FRAME, KOZO_READ), UNMAPPED);
    CHECK_OK(call(host.init, CAP_DELETE, 0, FRAME));
    CHECK_EQ(reached(), host_slot(FRAME + 1)->cap.object);
}

TEST(a_small_record_has_no_claim_to_a_large_page)
{
    boot_space(3);
    host_make(LARGE, KOZO_KIND_FRAME, KOZO_LARGE_BITS);
    CHECK_OK(map(FRAME, AT));
    CHECK_OK(call(host.init, CAP_DELETE, 0, TABLE)); /* the last level: fed first, taken last */
    CHECK_EQ(reached(), 0);
    CHECK_OK(map(LARGE, AT));
    CHECK_ERR(unmap(FRAME), UNMAPPED);
    CHECK_EQ(reached(), host_slot(LARGE)->cap.object);
}

TEST(a_large_record_has_no_claim_to_a_table)
{
    boot_space(4);
    host_make(LARGE, KOZO_KIND_FRAME, KOZO_LARGE_BITS);
    CHECK_OK(map(LARGE, AT));
    CHECK_OK(call(host.init, CAP_DELETE, 0, TABLE + 2)); /* above it */
    CHECK_EQ(reached(), 0);
    make(TABLE + 2, KOZO_KIND_PAGE_TABLE, 0, 1);
    feed(2, 1);
    CHECK_OK(map(FRAME, AT));
    CHECK_ERR(unmap(LARGE), UNMAPPED);
    CHECK_EQ(reached(), host_slot(FRAME)->cap.object);
}
