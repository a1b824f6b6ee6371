/* SPDX-License-Identifier: MIT */
/*
 * Address spaces: mapping Frames, changing and taking back what is mapped, and the tables it takes.
 */
#include "fault.h"

#include <kozo/memory.h>
#include <kozo/window.h>

constexpr uint64_t RW = KOZO_READ | KOZO_WRITE;
constexpr uint64_t RX = KOZO_READ | KOZO_EXECUTE;
constexpr uint64_t THERE = 0x600000000000; /* far from everything else */

/* A page for tables, not fed to a space yet. */
static struct kozo_page_table table(void)
{
    kozo_cptr slot = kozo_test_slot();

    KOZO_CHECK_OK(kozo_retype(kozo_test_memory(), KOZO_KIND_PAGE_TABLE, 0, kozo_own(slot), 1));
    return (struct kozo_page_table){ slot };
}

/* An empty space with so many pages for tables. */
static struct kozo_space space_with(unsigned tables)
{
    struct kozo_space s = kozo_test_space();

    while (tables-- > 0)
        KOZO_CHECK_OK(kozo_space_feed(s, table()));
    return s;
}

static struct kozo_frame large_frame(void)
{
    kozo_cptr slot = kozo_test_slot();

    KOZO_CHECK_OK(
        kozo_retype(kozo_test_memory(), KOZO_KIND_FRAME, KOZO_LARGE_BITS, kozo_own(slot), 1));
    return (struct kozo_frame){ slot };
}

static struct kozo_frame copy_of(struct kozo_frame f, uint64_t rights)
{
    return (struct kozo_frame){ kozo_test_copy(f.c, rights) };
}

static bool is_mapped(struct kozo_frame f)
{
    return (verify(f.c) & KOZO_VERIFY_MAPPED) != 0;
}

/* Maps `f` where nothing else is, in our own space. */
static volatile uint64_t *mapped(struct kozo_frame f, uint64_t rights)
{
    uint64_t at = kozo_window_alloc(KOZO_WINDOW_SMALL, KOZO_PAGE_SIZE);

    KOZO_CHECK_OK(kozo_memory_map(f, at, rights));
    return (volatile uint64_t *)at;
}

KOZO_TEST(frame_shows_the_same_memory_wherever_it_is_mapped)
{
    struct kozo_frame f = kozo_test_frame(), again = copy_of(f, KOZO_SAME_RIGHTS);
    volatile uint64_t *a = mapped(f, RW), *b = mapped(again, KOZO_READ);

    *a = 0x1234;
    KOZO_CHECK_EQ(*b, 0x1234);
    a[511] = 7;
    KOZO_CHECK_EQ(b[511], 7);
    KOZO_CHECK_OK(kozo_unmap(kozo_own(f.c)));
    KOZO_CHECK_EQ(*b, 0x1234);
    KOZO_CHECK(!is_mapped(f) && is_mapped(again));
    a = mapped(f, RW); /* it can be mapped again, elsewhere */
    KOZO_CHECK_EQ(*a, 0x1234);
}

KOZO_TEST(no_mapping_is_writable_and_executable)
{
    struct kozo_frame f = kozo_test_frame();
    struct kozo_space s = space_with(3);

    KOZO_CHECK_ERR(kozo_map(s, f, THERE, RW | KOZO_EXECUTE), KOZO_ERR_ARGUMENT);
    KOZO_CHECK_OK(kozo_map(s, f, THERE, RW));
    KOZO_CHECK_ERR(kozo_protect(kozo_own(f.c), RW | KOZO_EXECUTE), KOZO_ERR_ARGUMENT);
    KOZO_CHECK_OK(kozo_protect(kozo_own(f.c), RX));
}

KOZO_TEST(map_tells_its_errors_in_order)
{
    struct kozo_space s = space_with(3), none = { kozo_test_slot() };
    struct kozo_space bound_only = { kozo_test_copy(s.c, KOZO_WRITE) };
    struct kozo_frame f = kozo_test_frame(), other = kozo_test_frame();
    struct kozo_frame no_map = copy_of(f, RW), reads = copy_of(f, KOZO_READ | KOZO_MAP);

    KOZO_CHECK_ERR(kozo_map(none, no_map, 1, 0), KOZO_ERR_EMPTY);
    KOZO_CHECK_ERR(kozo_map((struct kozo_space){ f.c }, no_map, 1, 0), KOZO_ERR_KIND);
    KOZO_CHECK_ERR(kozo_map(bound_only, no_map, 1, 0), KOZO_ERR_RIGHTS);
    KOZO_CHECK_ERR(kozo_map(s, (struct kozo_frame){ none.c }, 1, 0), KOZO_ERR_EMPTY);
    KOZO_CHECK_ERR(kozo_map(s, (struct kozo_frame){ s.c }, 1, 0), KOZO_ERR_KIND);
    KOZO_CHECK_ERR(kozo_map(s, no_map, 1, 0), KOZO_ERR_RIGHTS);
    KOZO_CHECK_ERR(kozo_map(s, reads, 1, 0), KOZO_ERR_ARGUMENT);
    KOZO_CHECK_ERR(kozo_map(s, reads, 1, KOZO_WRITE), KOZO_ERR_ARGUMENT);
    KOZO_CHECK_ERR(kozo_map(s, reads, 1, KOZO_READ | KOZO_GRANT), KOZO_ERR_ARGUMENT);
    KOZO_CHECK_ERR(kozo_map(s, reads, 1, KOZO_READ | 1ull << 32), KOZO_ERR_ARGUMENT);
    KOZO_CHECK_ERR(kozo_map(s, reads, 1, RW), KOZO_ERR_RIGHTS);
    KOZO_CHECK_ERR(kozo_map(s, reads, 1, RX), KOZO_ERR_RIGHTS);
    KOZO_CHECK_ERR(kozo_map(s, reads, KOZO_USER_END + 1, KOZO_READ), KOZO_ERR_ALIGN);
    KOZO_CHECK_ERR(kozo_map(s, reads, KOZO_USER_END, KOZO_READ), KOZO_ERR_ARGUMENT);
    KOZO_CHECK_OK(kozo_map(s, f, THERE, RW));
    KOZO_CHECK_ERR(kozo_map(s, f, THERE, RW), KOZO_ERR_MAPPED);
    KOZO_CHECK_ERR(kozo_map(s, f, THERE + KOZO_PAGE_SIZE, RW), KOZO_ERR_MAPPED);
    KOZO_CHECK_ERR(kozo_map(s, other, THERE, RW), KOZO_ERR_OCCUPIED);
    KOZO_CHECK_ERR(kozo_map(s, other, THERE + KOZO_LARGE_SIZE, RW), KOZO_ERR_NOMEM);
    KOZO_CHECK_OK(kozo_map(s, other, THERE + KOZO_PAGE_SIZE, RW));
}

KOZO_TEST(addresses_that_are_not_the_users_cannot_be_mapped)
{
    static const uint64_t wrong[] = { 0,
                                      KOZO_USER_END,
                                      0x7ffffffff000,
                                      0x800000000000,
                                      0xffff800000000000,
                                      0xffffffff80000000,
                                      0xfffffffffffff000 };
    struct kozo_frame f = kozo_test_frame();
    struct kozo_space s = space_with(6);

    for (unsigned i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        KOZO_CHECK_ERR(kozo_map(s, f, wrong[i], KOZO_READ), KOZO_ERR_ARGUMENT);
    KOZO_CHECK(!is_mapped(f));
    /* The first and the last that can. */
    KOZO_CHECK_OK(kozo_map(s, f, KOZO_USER_START, KOZO_READ));
    KOZO_CHECK_OK(kozo_unmap(kozo_own(f.c)));
    KOZO_CHECK_OK(kozo_map(s, f, KOZO_USER_END - KOZO_PAGE_SIZE, KOZO_READ));
}

KOZO_TEST(large_frames_lie_where_they_may)
{
    struct kozo_space s = space_with(8);
    struct kozo_frame large = large_frame(), small = kozo_test_frame();

    KOZO_CHECK_ERR(kozo_map(s, large, THERE + KOZO_PAGE_SIZE, RW), KOZO_ERR_ALIGN);
    KOZO_CHECK_ERR(kozo_map(s, large, 0, RW), KOZO_ERR_ARGUMENT);
    KOZO_CHECK_ERR(kozo_map(s, large, KOZO_USER_END + KOZO_PAGE_SIZE - KOZO_LARGE_SIZE, RW),
                   KOZO_ERR_ARGUMENT);
    KOZO_CHECK_OK(kozo_map(s, large, THERE, RW));
    KOZO_CHECK_ERR(kozo_map(s, small, THERE + 5 * KOZO_PAGE_SIZE, RW), KOZO_ERR_OCCUPIED);
    KOZO_CHECK_OK(kozo_unmap(kozo_own(large.c)));
    KOZO_CHECK_OK(kozo_map(s, small, THERE + 5 * KOZO_PAGE_SIZE, RW));
    /* A table is in the way now, also when nothing is left in it. */
    KOZO_CHECK_ERR(kozo_map(s, large, THERE, RW), KOZO_ERR_OCCUPIED);
    KOZO_CHECK_OK(kozo_unmap(kozo_own(small.c)));
    KOZO_CHECK_ERR(kozo_map(s, large, THERE, RW), KOZO_ERR_OCCUPIED);
    KOZO_CHECK_OK(kozo_map(s, large, THERE + KOZO_LARGE_SIZE, RW));
}

KOZO_TEST(large_frame_is_two_mebibytes_of_memory)
{
    struct kozo_frame f = large_frame();
    uint64_t at = kozo_window_alloc(KOZO_WINDOW_LARGE, KOZO_LARGE_SIZE);
    volatile uint64_t *word = (volatile uint64_t *)at;

    KOZO_REQUIRE_OK(kozo_memory_map(f, at, RW));
    for (uint64_t i = 0; i < KOZO_LARGE_SIZE / 8; i += 509) {
        KOZO_CHECK_EQ(word[i], 0);
        word[i] = i;
    }
    for (uint64_t i = 0; i < KOZO_LARGE_SIZE / 8; i += 509)
        KOZO_CHECK_EQ(word[i], i);
    KOZO_CHECK_OK(kozo_unmap(kozo_own(f.c)));
    KOZO_CHECK_EQ(outcome(read_there, (void *)(at + 0x100000)), KOZO_FAULT_PAGE);
}

/* Three levels of tables, below the root, for the first page; a page further on needs none. */
KOZO_TEST(tables_come_from_the_spaces_own_pool_all_or_none)
{
    struct kozo_frame f = kozo_test_frame(), next = kozo_test_frame();
    struct kozo_space s = kozo_test_space();

    for (unsigned i = 0; i < 3; i++) {
        KOZO_CHECK_ERR(kozo_map(s, f, THERE, RW), KOZO_ERR_NOMEM);
        KOZO_CHECK_OK(kozo_space_feed(s, table()));
    }
    KOZO_CHECK_OK(kozo_map(s, f, THERE, RW));
    KOZO_CHECK_OK(kozo_map(s, next, THERE + KOZO_PAGE_SIZE, RW));
    KOZO_CHECK_OK(kozo_unmap(kozo_own(next.c)));
    KOZO_CHECK_ERR(kozo_map(s, next, THERE + KOZO_LARGE_SIZE, RW), KOZO_ERR_NOMEM);
    KOZO_CHECK_OK(kozo_space_feed(s, table()));
    KOZO_CHECK_OK(kozo_map(s, next, THERE + KOZO_LARGE_SIZE, RW));
}

KOZO_TEST(table_serves_one_space_at_a_time)
{
    struct kozo_space s = kozo_test_space(), other = kozo_test_space();
    struct kozo_page_table t = table(), more[2] = { table(), table() };
    struct kozo_frame f = kozo_test_frame();

    KOZO_CHECK_OK(kozo_space_feed(s, t));
    KOZO_CHECK_ERR(kozo_space_feed(s, t), KOZO_ERR_IN_USE);
    KOZO_CHECK_ERR(kozo_space_feed(other, t), KOZO_ERR_IN_USE);
    KOZO_CHECK_OK(kozo_space_feed(s, more[0]));
    KOZO_CHECK_OK(kozo_space_feed(s, more[1]));
    KOZO_CHECK_OK(kozo_map(s, f, THERE, RW));
    KOZO_CHECK_ERR(kozo_space_feed(other, t), KOZO_ERR_IN_USE);
    KOZO_CHECK_OK(kozo_cap_delete(kozo_own(s.c)));
    KOZO_CHECK(!is_mapped(f));
    KOZO_CHECK_OK(kozo_space_feed(other, t));
    KOZO_CHECK_OK(kozo_space_feed(other, more[0]));
    KOZO_CHECK_OK(kozo_space_feed(other, more[1]));
    KOZO_CHECK_OK(kozo_map(other, f, THERE, RW));
}

/* A table may be moved to another slot, waiting or in use. */
KOZO_TEST(table_that_goes_takes_its_mappings_along)
{
    struct kozo_space s = kozo_test_space();
    struct kozo_page_table t[3] = { table(), table(), table() };
    struct kozo_frame f = kozo_test_frame();
    kozo_cptr moved = kozo_test_slot();

    for (unsigned i = 0; i < 3; i++)
        KOZO_CHECK_OK(kozo_space_feed(s, t[i]));
    KOZO_CHECK_OK(kozo_cap_move(kozo_own(moved), kozo_own(t[1].c)));
    t[1].c = moved;
    KOZO_CHECK_OK(kozo_map(s, f, THERE, RW));
    KOZO_CHECK(is_mapped(f));
    KOZO_CHECK_OK(kozo_cap_delete(kozo_own(t[1].c)));
    KOZO_CHECK(!is_mapped(f));
    KOZO_CHECK_ERR(kozo_unmap(kozo_own(f.c)), KOZO_ERR_UNMAPPED);
    KOZO_CHECK_ERR(kozo_map(s, f, THERE, RW), KOZO_ERR_NOMEM);
}

KOZO_TEST(unmap_and_protect_tell_their_errors_in_order)
{
    struct kozo_frame f = kozo_test_frame(), no_map = copy_of(f, RW),
                      reads = copy_of(f, KOZO_READ | KOZO_MAP);
    struct kozo_space s = space_with(3);
    kozo_cptr empty = kozo_test_slot();

    KOZO_CHECK_ERR(kozo_unmap(kozo_own(0)), KOZO_ERR_ADDRESS);
    KOZO_CHECK_ERR(kozo_unmap(kozo_own(empty)), KOZO_ERR_EMPTY);
    KOZO_CHECK_ERR(kozo_unmap(kozo_own(s.c)), KOZO_ERR_KIND);
    KOZO_CHECK_ERR(kozo_unmap(kozo_own(no_map.c)), KOZO_ERR_RIGHTS);
    KOZO_CHECK_ERR(kozo_unmap(kozo_own(f.c)), KOZO_ERR_UNMAPPED);
    KOZO_CHECK_ERR(kozo_protect(kozo_own(no_map.c), 0), KOZO_ERR_RIGHTS);
    KOZO_CHECK_ERR(kozo_protect(kozo_own(reads.c), 0), KOZO_ERR_ARGUMENT);
    KOZO_CHECK_ERR(kozo_protect(kozo_own(reads.c), RW), KOZO_ERR_RIGHTS);
    KOZO_CHECK_ERR(kozo_protect(kozo_own(reads.c), KOZO_READ), KOZO_ERR_UNMAPPED);
    KOZO_CHECK_OK(kozo_map(s, reads, THERE, KOZO_READ));
    KOZO_CHECK_ERR(kozo_protect(kozo_own(reads.c), RW), KOZO_ERR_RIGHTS);
    KOZO_CHECK_ERR(kozo_protect(kozo_own(reads.c), KOZO_WRITE), KOZO_ERR_ARGUMENT);
    KOZO_CHECK_OK(kozo_unmap(kozo_own(reads.c)));
    KOZO_CHECK_ERR(kozo_unmap(kozo_own(reads.c)), KOZO_ERR_UNMAPPED);
}

/* ---- what the processor makes of it: what was in use must be forgotten at once ---- */

KOZO_TEST(reduced_rights_hold_at_once)
{
    struct kozo_frame f = kozo_test_frame();
    volatile uint64_t *at = mapped(f, RW);

    *at = 1;
    KOZO_CHECK_EQ(outcome(write_there, (void *)at), KOZO_FAULT_EXIT);
    KOZO_CHECK_OK(kozo_protect(kozo_own(f.c), KOZO_READ));
    KOZO_CHECK_EQ(outcome(write_there, (void *)at), KOZO_FAULT_PAGE);
    KOZO_CHECK_EQ(outcome(read_there, (void *)at), KOZO_FAULT_EXIT);
    KOZO_CHECK_OK(kozo_protect(kozo_own(f.c), RW));
    *at = 2;
    KOZO_CHECK_EQ(*at, 2);
}

/* The same thread, without a switch between: it sees its own change. */
static void write_protect_write(void *arg)
{
    struct kozo_frame *f = arg;
    volatile uint64_t *at = (volatile uint64_t *)f[1].c;

    *at = 1;
    (void)kozo_protect(kozo_own(f[0].c), KOZO_READ);
    *at = 2;
}

KOZO_TEST(thread_feels_the_rights_it_takes_from_itself)
{
    struct kozo_frame f[2] = { kozo_test_frame() };
    volatile uint64_t *at = mapped(f[0], RW);
    struct seen s;

    f[1].c = (uint64_t)at;
    s = watch(write_protect_write, f);
    KOZO_CHECK_EQ(fault_of(&s), KOZO_FAULT_PAGE);
    KOZO_CHECK_EQ(address_of(&s), (uint64_t)at);
    KOZO_CHECK_EQ(access_of(&s), KOZO_WRITE);
    KOZO_CHECK_EQ(*at, 1);
}

KOZO_TEST(unmapped_page_is_gone_at_once)
{
    struct kozo_frame f = kozo_test_frame();
    volatile uint64_t *at = mapped(f, RW);

    *at = 1;
    KOZO_CHECK_OK(kozo_unmap(kozo_own(f.c)));
    KOZO_CHECK_EQ(outcome(read_there, (void *)at), KOZO_FAULT_PAGE);
    KOZO_CHECK_OK(kozo_memory_map(f, (uint64_t)at, KOZO_READ));
    KOZO_CHECK_EQ(*at, 1);
}

/* By deletion, by revocation of the original, and with the Untyped it was carved from. */
KOZO_TEST(frame_that_goes_is_unmapped_at_once)
{
    for (unsigned i = 0; i < 3; i++) {
        struct kozo_untyped u = kozo_test_untyped(KOZO_PAGE_BITS);
        struct kozo_frame f = { kozo_test_slot() }, copy;
        volatile uint64_t *at;

        KOZO_REQUIRE_OK(kozo_retype(u, KOZO_KIND_FRAME, KOZO_PAGE_BITS, kozo_own(f.c), 1));
        copy = copy_of(f, KOZO_SAME_RIGHTS);
        at = mapped(copy, RW);
        *at = 1;
        if (i == 0)
            KOZO_CHECK_OK(kozo_cap_delete(kozo_own(copy.c)));
        else
            KOZO_CHECK_OK(kozo_cap_revoke(kozo_own(i == 1 ? f.c : u.c)));
        KOZO_CHECK_EQ(outcome(read_there, (void *)at), KOZO_FAULT_PAGE);
    }
}

KOZO_TEST(page_table_that_goes_is_felt_at_once)
{
    struct kozo_frame f = kozo_test_frame();
    struct kozo_page_table t[3] = { table(), table(), table() };
    volatile uint64_t *at = (volatile uint64_t *)THERE;

    for (unsigned i = 0; i < 3; i++)
        KOZO_CHECK_OK(kozo_space_feed(kozo_own_space(), t[i]));
    KOZO_CHECK_OK(kozo_map(kozo_own_space(), f, THERE, RW));
    *at = 1;
    for (unsigned i = 0; i < 3; i++)
        KOZO_CHECK_OK(kozo_cap_delete(kozo_own(t[i].c)));
    KOZO_CHECK_EQ(outcome(read_there, (void *)at), KOZO_FAULT_PAGE);
}

KOZO_TEST(readable_page_cannot_be_executed)
{
    struct kozo_frame f = kozo_test_frame();
    volatile uint64_t *at = mapped(f, RW);
    struct seen s;

    *at = 0xc3; /* ret */
    KOZO_CHECK_EQ(outcome(run_there, (void *)at), KOZO_FAULT_PAGE);
    KOZO_CHECK_OK(kozo_protect(kozo_own(f.c), RX));
    KOZO_CHECK_EQ(outcome(run_there, (void *)at), KOZO_FAULT_EXIT);
    KOZO_CHECK_EQ(outcome(write_there, (void *)at), KOZO_FAULT_PAGE);
    KOZO_CHECK_OK(kozo_protect(kozo_own(f.c), KOZO_READ));
    s = watch(run_there, (void *)at);
    KOZO_CHECK_EQ(fault_of(&s), KOZO_FAULT_PAGE);
    KOZO_CHECK_EQ(access_of(&s), KOZO_EXECUTE);
    KOZO_CHECK_EQ(ip_of(&s), (uint64_t)at);
}

/*
 * Mapped in a space that ended, and whose memory and addresses another space uses now for the same
 * page.
 */
KOZO_TEST(stale_mapping_cannot_touch_a_later_space)
{
    struct kozo_untyped u = kozo_test_untyped(16);
    struct kozo_space s = { kozo_test_slot() };
    struct kozo_frame f = kozo_test_frame(), other = copy_of(f, KOZO_SAME_RIGHTS);

    for (unsigned i = 0; i < 2; i++) {
        KOZO_REQUIRE_OK(kozo_retype(u, KOZO_KIND_ADDRESS_SPACE, 0, kozo_own(s.c), 1));
        for (unsigned k = 0; k < 3; k++)
            KOZO_CHECK_OK(kozo_space_feed(s, table()));
        KOZO_CHECK_OK(kozo_map(s, i == 0 ? f : other, THERE, RW));
        if (i == 0)
            KOZO_CHECK_OK(
                kozo_cap_revoke(kozo_own(u.c))); /* the next space lies in the same memory */
    }
    KOZO_CHECK(!is_mapped(f));
    KOZO_CHECK_ERR(kozo_unmap(kozo_own(f.c)), KOZO_ERR_UNMAPPED);
    KOZO_CHECK_ERR(kozo_map(s, f, THERE, RW), KOZO_ERR_OCCUPIED);
    KOZO_CHECK_OK(kozo_cap_delete(kozo_own(f.c)));
    KOZO_CHECK(is_mapped(other));
}
