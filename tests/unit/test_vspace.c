/* SPDX-License-Identifier: MIT */
/*
 * test_vspace.c - feed, map, unmap, protect, destroy in any order; the TLB forgets only when told.
 */
#include "cap/object.h"
#include "host.h"
#include "mem/vspace.h"

#define U SLOT_FREE            /* an Untyped for all that follows */
#define SPACE (SLOT_FREE + 1)
#define TABLE (SLOT_FREE + 2)  /* up to 8 PageTables */
#define FRAME (SLOT_FREE + 10) /* up to 8 Frames */
#define LARGE (SLOT_FREE + 18)
#define SPACE2 (SLOT_FREE + 20)
#define X (SLOT_FREE + 24)

#define AT 0x40000000ull
#define RW (KOZO_READ | KOZO_WRITE)
#define RX (KOZO_READ | KOZO_EXECUTE)
#define RWX (KOZO_READ | KOZO_WRITE | KOZO_EXECUTE)

static void make(uint64_t at, enum kozo_kind kind, uint32_t bits, uint64_t count)
{
    CHECK_OK(call(host.init, RETYPE, U, KOZO_WHAT(kind, bits), 0, at, count));
}

/* A space, `tables` PageTables fed to it, and 8 Frames. */
static void boot_space(uint64_t tables)
{
    host_boot();
    host_make(U, KOZO_KIND_UNTYPED, 24);
    make(SPACE, KOZO_KIND_ADDRESS_SPACE, 0, 1);
    make(FRAME, KOZO_KIND_FRAME, KOZO_PAGE_BITS, 8);
    make(TABLE, KOZO_KIND_PAGE_TABLE, 0, 8);
    for (uint64_t i = 0; i < tables; i++)
        CHECK_OK(call(host.init, SPACE_FEED, SPACE, TABLE + i));
}

static uint64_t map(uint64_t frame, uint64_t address, uint64_t rights)
{
    return call(host.init, MAP, SPACE, frame, address, rights);
}

static uint64_t unmap(uint64_t frame) { return call(host.init, UNMAP, 0, frame); }

static uint64_t object(uint64_t at) { return host_slot(at)->cap.object; }
static struct paddr root_of(uint64_t space) { return arch_ram_addr((void *)object(space)); }
static struct paddr page_of(uint64_t frame) { return (struct paddr){ object(frame) }; }

/* What a thread in the space meets; the TLB remembers it. */
static bool touch(uint64_t at, uint8_t how) { return host_access(root_of(SPACE), at, how).ok; }

static void check_reaches(uint64_t address, uint64_t frame)
{
    struct host_access a = host_access(root_of(SPACE), address + 5, KOZO_READ);

    CHECK(a.ok);
    CHECK_EQ(a.at.v, page_of(frame).v + 5);
}

/* ---- mapping ---- */

TEST(a_mapped_frame_is_reached_at_its_address)
{
    boot_space(3);
    CHECK_OK(map(FRAME, AT, RW));
    check_reaches(AT, FRAME);
    CHECK(touch(AT + 4095, KOZO_WRITE));
    CHECK(!touch(AT, KOZO_EXECUTE));
    CHECK(!touch(AT + 4096, KOZO_READ));
    CHECK(!touch(AT - 1, KOZO_READ));
    CHECK_OK(call(host.init, CAP_VERIFY, 0, FRAME));
    CHECK(host.init->frame.reg[0] & KOZO_VERIFY_MAPPED);
}

TEST(rights_of_a_mapping_are_those_asked_for)
{
    boot_space(3);
    CHECK_OK(map(FRAME, AT, KOZO_READ));
    CHECK_OK(map(FRAME + 1, AT + 0x1000, RX));
    CHECK(touch(AT, KOZO_READ) && !touch(AT, KOZO_WRITE) && !touch(AT, KOZO_EXECUTE));
    CHECK(touch(AT + 0x1000, KOZO_EXECUTE) && !touch(AT + 0x1000, KOZO_WRITE));
}

TEST(nothing_is_writable_and_executable)
{
    boot_space(3);
    CHECK_ERR(map(FRAME, AT, RWX), ARGUMENT);
    CHECK_OK(map(FRAME, AT, RW));
    CHECK_ERR(call(host.init, PROTECT, 0, FRAME, RWX), ARGUMENT);
    CHECK_OK(call(host.init, PROTECT, 0, FRAME, RX));
    CHECK(!touch(AT, KOZO_WRITE));
}

TEST(a_mapping_never_exceeds_its_capability)
{
    boot_space(3);
    CHECK_OK(call(host.init, CAP_COPY, 0, X, 0, FRAME, KOZO_READ | KOZO_MAP));
    CHECK_ERR(map(X, AT, RW), RIGHTS);
    CHECK_ERR(map(X, AT, RX), RIGHTS);
    CHECK_OK(map(X, AT, KOZO_READ));
    CHECK_ERR(call(host.init, PROTECT, 0, X, RW), RIGHTS);
    CHECK_OK(call(host.init, CAP_COPY, 0, X + 1, 0, FRAME, RW)); /* without MAP */
    CHECK_ERR(map(X + 1, AT + 0x1000, KOZO_READ), RIGHTS);
    /* a space to run in, not to map into */
    CHECK_OK(call(host.init, CAP_COPY, 0, X + 2, 0, SPACE, KOZO_WRITE));
    CHECK_ERR(call(host.init, MAP, X + 2, FRAME + 1, AT, KOZO_READ), RIGHTS);
    CHECK_ERR(call(host.init, SPACE_FEED, X + 2, TABLE + 3), RIGHTS);
}

TEST(tables_come_from_the_spaces_own_pool)
{
    boot_space(0);
    CHECK_ERR(map(FRAME, AT, RW), NOMEM);
    CHECK_OK(call(host.init, SPACE_FEED, SPACE, TABLE));
    CHECK_ERR(map(FRAME, AT, RW), NOMEM);
    CHECK_OK(call(host.init, SPACE_FEED, SPACE, TABLE + 1));
    CHECK_ERR(map(FRAME, AT, RW), NOMEM);
    CHECK_OK(call(host.init, SPACE_FEED, SPACE, TABLE + 2));
    CHECK_OK(map(FRAME, AT, RW));
    CHECK_OK(map(FRAME + 1, AT + 0x1ff000, RW));            /* the same table */
    CHECK_ERR(map(FRAME + 2, AT + 0x200000, RW), NOMEM);    /* another */
    CHECK_OK(call(host.init, SPACE_FEED, SPACE, TABLE + 3));
    CHECK_OK(map(FRAME + 2, AT + 0x200000, RW));
    CHECK_ERR(map(FRAME + 3, 0x7f0000000000, RW), NOMEM);   /* another branch: three */
}

TEST(addresses_that_are_no_users_are_refused)
{
    static const uint64_t bad[] = { 0, KOZO_USER_END, 0x800000000000, 0xffff800000000000,
                                    0xffffffff80000000, 0xfffffffffffff000, 1ull << 63 };

    boot_space(8);
    for (uint32_t i = 0; i < ARRAY_LEN(bad); i++)
        CHECK_ERR(map(FRAME, bad[i], RW), ARGUMENT);
    CHECK_ERR(map(FRAME, AT + 1, RW), ALIGN);
    CHECK_ERR(map(FRAME, AT + 0x800, RW), ALIGN);
    CHECK_OK(map(FRAME, KOZO_USER_START, RW));
    CHECK_OK(map(FRAME + 1, KOZO_USER_END - 0x1000, RW)); /* the last one that can be */
    CHECK(touch(KOZO_USER_END - 1, KOZO_WRITE));
    CHECK(!touch(KOZO_USER_END, KOZO_READ));
}

TEST(map_errors)
{
    boot_space(8);
    CHECK_OK(map(FRAME, AT, RW));
    CHECK_ERR(map(FRAME, AT + 0x1000, RW), MAPPED);
    CHECK_ERR(map(FRAME + 1, AT, RW), OCCUPIED);
    CHECK_ERR(map(FRAME + 1, AT + 0x1000, 0), ARGUMENT);
    CHECK_ERR(map(FRAME + 1, AT + 0x1000, KOZO_WRITE), ARGUMENT);
    CHECK_ERR(map(FRAME + 1, AT + 0x1000, RW | KOZO_GRANT), ARGUMENT);
    CHECK_ERR(map(FRAME + 1, AT + 0x1000, RW | 256), ARGUMENT);
    CHECK_ERR(map(SLOT_EP, AT + 0x1000, RW), KIND);
    CHECK_ERR(map(X, AT + 0x1000, RW), EMPTY);
    CHECK_ERR(call(host.init, MAP, SLOT_EP, FRAME + 1, AT, RW), KIND);
}

TEST(a_copy_is_mapped_nowhere_and_can_be_mapped_elsewhere)
{
    boot_space(3);
    CHECK_OK(map(FRAME, AT, RW));
    CHECK_OK(call(host.init, CAP_COPY, 0, X, 0, FRAME, KOZO_SAME_RIGHTS));
    CHECK_ERR(unmap(X), UNMAPPED);
    CHECK_OK(map(X, AT + 0x3000, KOZO_READ));
    check_reaches(AT + 0x3000, FRAME);
    CHECK_OK(unmap(FRAME));
    CHECK(!touch(AT, KOZO_READ));
    CHECK(touch(AT + 0x3000, KOZO_READ));
}

TEST(a_frame_that_was_unmapped_has_no_claim_to_what_comes_after)
{
    boot_space(3);
    CHECK_OK(call(host.init, CAP_COPY, 0, X, 0, FRAME, KOZO_SAME_RIGHTS));
    CHECK_OK(map(FRAME, AT, RW));
    CHECK_OK(unmap(FRAME));
    CHECK_OK(map(X, AT, RW)); /* the very page */
    CHECK_ERR(unmap(FRAME), UNMAPPED);
    CHECK_OK(call(host.init, CAP_DELETE, 0, FRAME));
    CHECK(touch(AT, KOZO_WRITE));
}

TEST(a_moved_frame_takes_its_mapping_along)
{
    boot_space(3);
    CHECK_OK(map(FRAME, AT, RW));
    CHECK_OK(call(host.init, CAP_MOVE, 0, X, 0, FRAME));
    CHECK_OK(unmap(X));
    CHECK(!touch(AT, KOZO_READ));
}

/* ---- the TLB. FACTS: missing flushes. ---- */

TEST(unmap_flushes)
{
    boot_space(3);
    CHECK_OK(map(FRAME, AT, RW));
    CHECK(touch(AT, KOZO_WRITE));
    CHECK_OK(unmap(FRAME));
    CHECK(!touch(AT, KOZO_READ));
    CHECK_ERR(unmap(FRAME), UNMAPPED);
    CHECK_OK(map(FRAME + 1, AT, RW));
    check_reaches(AT, FRAME + 1);
}

TEST(a_reduced_right_flushes)
{
    boot_space(3);
    CHECK_OK(map(FRAME, AT, RW));
    CHECK(touch(AT, KOZO_WRITE));
    CHECK_OK(call(host.init, PROTECT, 0, FRAME, KOZO_READ));
    CHECK(!touch(AT, KOZO_WRITE));
    CHECK(touch(AT, KOZO_READ));
    CHECK_OK(call(host.init, PROTECT, 0, FRAME, RW));
    CHECK(touch(AT, KOZO_WRITE));
}

TEST(deleting_a_mapped_frame_flushes)
{
    boot_space(3);
    CHECK_OK(map(FRAME, AT, RW));
    CHECK_OK(call(host.init, CAP_COPY, 0, X, 0, FRAME, KOZO_SAME_RIGHTS));
    CHECK_OK(map(X, AT + 0x1000, RW));
    CHECK(touch(AT, KOZO_WRITE) && touch(AT + 0x1000, KOZO_WRITE));
    CHECK_OK(call(host.init, CAP_DELETE, 0, FRAME)); /* not the last capability to the page */
    CHECK(!touch(AT, KOZO_READ));
    CHECK(touch(AT + 0x1000, KOZO_WRITE));
    CHECK_OK(call(host.init, CAP_DELETE, 0, X));
    CHECK(!touch(AT + 0x1000, KOZO_READ));
}

TEST(revoking_the_memory_of_mapped_frames_flushes_in_the_running_space)
{
    host_boot();
    host_make(U, KOZO_KIND_UNTYPED, 24);
    make(TABLE, KOZO_KIND_PAGE_TABLE, 0, 3);
    for (uint64_t i = 0; i < 3; i++)
        CHECK_OK(call(host.init, SPACE_FEED, SLOT_SPACE, TABLE + i));
    host_make(X, KOZO_KIND_UNTYPED, 15);
    CHECK_OK(call(host.init, RETYPE, X, KOZO_WHAT(KOZO_KIND_FRAME, 12), 0, FRAME, 8));
    for (uint64_t i = 0; i < 8; i++) {
        CHECK_OK(call(host.init, MAP, SLOT_SPACE, FRAME + i, AT + i * 0x1000, RW));
        CHECK(host_can(host.init, AT + i * 0x1000, KOZO_WRITE));
    }
    CHECK_OK(call(host.init, CAP_REVOKE, 0, X));
    for (uint64_t i = 0; i < 8; i++)
        CHECK(!host_can(host.init, AT + i * 0x1000, KOZO_READ));
}

TEST(a_failed_call_flushes_nothing)
{
    boot_space(3);
    CHECK_OK(map(FRAME, AT, RW));
    uint64_t flushes = machine.flushes;
    CHECK_ERR(map(FRAME + 1, AT, RW), OCCUPIED);
    CHECK_ERR(call(host.init, PROTECT, 0, FRAME + 1, KOZO_READ), UNMAPPED);
    CHECK_EQ(machine.flushes, flushes);
}

/* ---- large pages ---- */

TEST(a_large_frame_is_mapped_without_a_last_table)
{
    boot_space(2);
    make(LARGE, KOZO_KIND_FRAME, KOZO_LARGE_BITS, 1);
    CHECK_ERR(map(LARGE, AT + 0x1000, RW), ALIGN);
    CHECK_OK(map(LARGE, AT, RW));
    struct host_access a = host_access(root_of(SPACE), AT + 0x123456, KOZO_WRITE);
    CHECK(a.ok);
    CHECK_EQ(a.at.v, page_of(LARGE).v + 0x123456);
    CHECK(!touch(AT + KOZO_LARGE_SIZE, KOZO_READ));
    CHECK_OK(unmap(LARGE));
    CHECK(!touch(AT + 0x123456, KOZO_READ));
}

TEST(large_and_small_pages_do_not_share_a_place)
{
    boot_space(5);
    make(LARGE, KOZO_KIND_FRAME, KOZO_LARGE_BITS, 1);
    CHECK_OK(map(FRAME, AT + 0x5000, RW));
    CHECK_ERR(map(LARGE, AT, RW), OCCUPIED);
    CHECK_OK(map(LARGE, AT + KOZO_LARGE_SIZE, RW));
    CHECK_ERR(map(FRAME + 1, AT + KOZO_LARGE_SIZE + 0x5000, RW), OCCUPIED);
    check_reaches(AT + 0x5000, FRAME);
}

TEST(the_last_large_page_below_the_end_cannot_be_mapped)
{
    boot_space(8);
    make(LARGE, KOZO_KIND_FRAME, KOZO_LARGE_BITS, 1);
    CHECK_ERR(map(LARGE, 0x7fffffe00000, RW), ARGUMENT);
    CHECK_ERR(map(LARGE, 0, RW), ARGUMENT);
    CHECK_OK(map(LARGE, 0x7fffffc00000, RW));
}

TEST(a_device_page_is_mapped_as_one)
{
    boot_space(3);
    CHECK_OK(call(host.init, RETYPE, SLOT_DEVICE, KOZO_WHAT(KOZO_KIND_FRAME, 12), 0, X, 1));
    CHECK_OK(map(X, AT, RW));
    CHECK(touch(AT, KOZO_WRITE) && (machine.tlb[machine.tlb_used - 1].entry & PTE_DEVICE) != 0);
    CHECK_OK(call(host.init, PROTECT, 0, X, KOZO_READ)); /* and stays one */
    CHECK(touch(AT, KOZO_READ) && (machine.tlb[machine.tlb_used - 1].entry & PTE_DEVICE) != 0);
}

/* ---- tables ---- */

TEST(a_table_is_fed_once)
{
    boot_space(1);
    CHECK_ERR(call(host.init, SPACE_FEED, SPACE, TABLE), IN_USE);
    make(SPACE2, KOZO_KIND_ADDRESS_SPACE, 0, 1);
    CHECK_ERR(call(host.init, SPACE_FEED, SPACE2, TABLE), IN_USE);
    CHECK_OK(call(host.init, SPACE_FEED, SPACE, TABLE + 1));
    CHECK_OK(call(host.init, SPACE_FEED, SPACE, TABLE + 2));
    CHECK_OK(map(FRAME, AT, RW));
    for (uint64_t i = 0; i < 3; i++)
        CHECK_ERR(call(host.init, SPACE_FEED, SPACE, TABLE + i), IN_USE);
    CHECK_ERR(call(host.init, SPACE_FEED, SLOT_EP, TABLE + 4), KIND);
    CHECK_ERR(call(host.init, SPACE_FEED, SPACE, FRAME), KIND);
}

TEST(a_table_can_leave_the_pool_again)
{
    boot_space(4);
    CHECK_OK(call(host.init, CAP_DELETE, 0, TABLE + 1)); /* from the middle */
    CHECK_OK(call(host.init, CAP_DELETE, 0, TABLE + 3)); /* the head */
    CHECK_OK(call(host.init, SPACE_FEED, SPACE, TABLE + 4));
    CHECK_OK(call(host.init, CAP_MOVE, 0, X, 0, TABLE)); /* its owner moves */
    CHECK_OK(map(FRAME, AT, RW));
    CHECK_ERR(call(host.init, SPACE_FEED, SPACE, X), IN_USE);
    check_reaches(AT, FRAME);
    CHECK_OK(call(host.init, CAP_DELETE, 0, X)); /* one of those in use */
    CHECK(!touch(AT, KOZO_READ));
}

/* FACTS: tables torn down under stale mapping records. */
TEST(deleting_a_table_in_use_unmaps_what_is_under_it)
{
    for (uint64_t level = 0; level < 3; level++) {
        boot_space(3);
        CHECK_OK(map(FRAME, AT, RW));
        CHECK_OK(map(FRAME + 1, AT + 0x1000, RW));
        CHECK(touch(AT, KOZO_WRITE) && touch(AT + 0x1000, KOZO_WRITE));
        CHECK_OK(call(host.init, CAP_DELETE, 0, TABLE + level));
        CHECK(!touch(AT, KOZO_READ) && !touch(AT + 0x1000, KOZO_READ));
        CHECK_ERR(unmap(FRAME), UNMAPPED); /* its record is void */
        CHECK_OK(call(host.init, CAP_VERIFY, 0, FRAME));
        CHECK(!(host.init->frame.reg[0] & KOZO_VERIFY_MAPPED));
        CHECK_OK(call(host.init, CAP_DELETE, 0, FRAME));
    }
}

TEST(tables_below_a_deleted_one_can_be_fed_again)
{
    const uint64_t far = AT + 0x1ff000; /* in the last entry of its table */

    boot_space(3);
    CHECK_OK(map(FRAME, AT, RW));
    CHECK_OK(map(FRAME + 2, far, RW));
    for (uint64_t i = 0; i < 3; i++) /* whichever is the uppermost */
        if (host_slot(TABLE + i)->cap.size_bits == PTE_LEVELS - 1) {
            CHECK_OK(call(host.init, CAP_DELETE, 0, TABLE + i));
            for (uint64_t j = 0; j < 3; j++)
                if (j != i)
                    CHECK_OK(call(host.init, SPACE_FEED, SPACE, TABLE + j));
            break;
        }
    CHECK_OK(call(host.init, SPACE_FEED, SPACE, TABLE + 5));
    CHECK_OK(map(FRAME + 1, AT, RW)); /* with tables that are clear */
    check_reaches(AT, FRAME + 1);
    CHECK(!touch(AT + 0x1000, KOZO_READ));
    CHECK(!touch(far, KOZO_READ));
}

/* `frame` was mapped at AT, in a table that is gone; X, a copy of it, is there now. */
static void check_void(uint64_t frame)
{
    CHECK_OK(call(host.init, CAP_VERIFY, 0, frame, 0, 0));
    CHECK_EQ(host.init->frame.reg[0] & KOZO_VERIFY_MAPPED, 0);
    CHECK_ERR(unmap(frame), UNMAPPED);
    CHECK_ERR(call(host.init, PROTECT, 0, frame, RW), UNMAPPED);
    CHECK(touch(AT, KOZO_READ) && !touch(AT, KOZO_WRITE));
    CHECK_OK(map(frame, AT + (1u << KOZO_LARGE_BITS), RW)); /* it can be mapped elsewhere */
    CHECK_OK(unmap(frame));
    CHECK_OK(call(host.init, CAP_REVOKE, 0, frame)); /* which takes X */
    CHECK(!touch(AT, KOZO_READ));
}

/*
 * A record that is void is so for good, also when the same page is mapped at the same address of
 * the same space again, in a table of the same level, even the same one.
 */
TEST(a_void_record_never_comes_true_again)
{
    for (uint32_t way = 0; way < 4; way++) {
        uint32_t bits = way & 1 ? KOZO_LARGE_BITS : KOZO_PAGE_BITS, level = way & 1 ? 2 : 1;
        uint64_t again = TABLE + 4;

        boot_space(3);
        CHECK_OK(call(host.init, CAP_DELETE, 0, FRAME));
        host_make(FRAME, KOZO_KIND_FRAME, bits);
        CHECK_OK(call(host.init, CAP_COPY, 0, X, 0, FRAME, KOZO_READ | KOZO_MAP));
        CHECK_OK(map(FRAME, AT, RW));
        for (uint64_t i = 0; i < 3; i++) {
            if (host_slot(TABLE + i)->cap.size_bits < level ||
                (host_slot(TABLE + i)->cap.flags & CAP_MAPPED) == 0)
                continue;
            if ((way & 2) != 0 && host_slot(TABLE + i)->cap.size_bits == level)
                again = TABLE + i; /* one above it goes: this can be fed again */
            else if ((way & 2) != 0 || host_slot(TABLE + i)->cap.size_bits == level)
                CHECK_OK(call(host.init, CAP_DELETE, 0, TABLE + i));
        }
        CHECK(!touch(AT, KOZO_READ));
        CHECK_OK(call(host.init, SPACE_FEED, SPACE, again));
        for (uint64_t i = 0; (way & 2) != 0 && i < 3 - level; i++) /* these are taken before it */
            CHECK_OK(call(host.init, SPACE_FEED, SPACE, TABLE + 5 + i));
        CHECK_OK(map(X, AT, KOZO_READ));
        CHECK_EQ(host_slot(again)->cap.size_bits, level);
        for (uint64_t i = 5; i < 8; i++) /* for another address; those in use are refused */
            (void)call(host.init, SPACE_FEED, SPACE, TABLE + i);
        check_void(FRAME);
    }
}

/* The end of a void record, and of its Frame, takes nothing from who is there now. */
TEST(a_mapping_outlives_the_void_record_of_another)
{
    boot_space(3);
    CHECK_OK(call(host.init, CAP_COPY, 0, X, 0, FRAME, KOZO_READ | KOZO_MAP));
    CHECK_OK(map(X, AT, KOZO_READ));
    for (uint64_t i = 0; i < 3; i++)
        if (host_slot(TABLE + i)->cap.size_bits == 1)
            CHECK_OK(call(host.init, CAP_DELETE, 0, TABLE + i));
    CHECK_OK(call(host.init, SPACE_FEED, SPACE, TABLE + 4));
    CHECK_OK(map(FRAME, AT, RW));
    CHECK_OK(call(host.init, CAP_DELETE, 0, X));
    CHECK(touch(AT, KOZO_WRITE));
    CHECK_OK(unmap(FRAME));
}

/* ---- destruction ---- */

TEST(a_space_that_ends_frees_frames_and_tables)
{
    boot_space(4); /* one stays in the pool */
    CHECK_OK(map(FRAME, AT, RW));
    CHECK(touch(AT, KOZO_READ));
    CHECK_OK(call(host.init, CAP_DELETE, 0, SPACE));
    CHECK_ERR(unmap(FRAME), UNMAPPED);
    make(SPACE2, KOZO_KIND_ADDRESS_SPACE, 0, 1);
    for (uint64_t i = 0; i < 4; i++)
        CHECK_OK(call(host.init, SPACE_FEED, SPACE2, TABLE + i));
    CHECK_OK(call(host.init, MAP, SPACE2, FRAME, AT, KOZO_READ));
    CHECK(host_access(root_of(SPACE2), AT, KOZO_READ).ok);
    CHECK(!host_access(root_of(SPACE2), AT + 0x1000, KOZO_READ).ok);
}

TEST(a_space_at_the_address_of_an_old_one_is_another)
{
    host_boot();
    host_make(U, KOZO_KIND_UNTYPED, 13); /* for one space alone */
    host_make(X, KOZO_KIND_UNTYPED, 20);
    CHECK_OK(call(host.init, RETYPE, X, KOZO_WHAT(KOZO_KIND_PAGE_TABLE, 0), 0, TABLE, 7));
    CHECK_OK(call(host.init, RETYPE, X, KOZO_WHAT(KOZO_KIND_FRAME, 12), 0, FRAME, 2));
    make(SPACE, KOZO_KIND_ADDRESS_SPACE, 0, 1);
    struct paddr root = root_of(SPACE);
    CHECK_OK(call(host.init, SPACE_FEED, SPACE, TABLE + 6)); /* this one stays in the pool */
    for (uint64_t i = 0; i < 3; i++)
        CHECK_OK(call(host.init, SPACE_FEED, SPACE, TABLE + i));
    CHECK_OK(map(FRAME, AT, RW));
    CHECK(touch(AT, KOZO_WRITE));
    CHECK_OK(call(host.init, CAP_DELETE, 0, SPACE));
    make(SPACE, KOZO_KIND_ADDRESS_SPACE, 0, 1);
    CHECK_EQ(root_of(SPACE).v, root.v);
    CHECK(!touch(AT, KOZO_READ));
    CHECK_OK(call(host.init, SPACE_FEED, SPACE, TABLE + 6)); /* it waits in nobody's pool */
    for (uint64_t i = 3; i < 6; i++)
        CHECK_OK(call(host.init, SPACE_FEED, SPACE, TABLE + i));
    CHECK_OK(map(FRAME + 1, AT, RW));
    CHECK_ERR(unmap(FRAME), UNMAPPED);               /* the old record means the old space */
    CHECK_OK(call(host.init, CAP_DELETE, 0, TABLE)); /* and so does the old table's */
    check_reaches(AT, FRAME + 1);
    CHECK_OK(unmap(FRAME + 1));
    CHECK_OK(call(host.init, CAP_COPY, 0, SPACE2, 0, FRAME, KOZO_SAME_RIGHTS));
    CHECK_OK(map(SPACE2, AT, RW)); /* the very page, where it was in the old space */
    CHECK_ERR(unmap(FRAME), UNMAPPED);
    CHECK_OK(call(host.init, CAP_DELETE, 0, FRAME));
    CHECK(touch(AT, KOZO_WRITE));
}

TEST(a_copy_of_a_space_keeps_it)
{
    boot_space(3);
    CHECK_OK(map(FRAME, AT, RW));
    CHECK_OK(call(host.init, CAP_COPY, 0, SPACE2, 0, SPACE, KOZO_SAME_RIGHTS));
    struct paddr root = root_of(SPACE);
    CHECK_OK(call(host.init, CAP_DELETE, 0, SPACE));
    CHECK(host_access(root, AT, KOZO_READ).ok);
    CHECK_OK(unmap(FRAME));
}

TEST(spaces_tables_and_frames_end_in_any_order)
{
    const uint64_t slots[] = { SPACE, TABLE, TABLE + 1, TABLE + 2, TABLE + 3, FRAME, FRAME + 1 };
    const uint64_t n = ARRAY_LEN(slots);

    for (uint64_t seed = 1; seed <= 60; seed++) {
        uint64_t order[ARRAY_LEN(slots)];
        boot_space(4);
        CHECK_OK(map(FRAME, AT, RW));
        CHECK_OK(map(FRAME + 1, AT + 0x1000, KOZO_READ));
        CHECK(touch(AT, KOZO_WRITE) && touch(AT + 0x1000, KOZO_READ));
        host.seed = seed;
        for (uint64_t i = 0; i < n; i++)
            order[i] = slots[i];
        for (uint64_t i = n; i-- > 1;) {
            uint64_t j = host_random(i + 1), swap = order[i];
            order[i] = order[j];
            order[j] = swap;
        }
        for (uint64_t i = 0; i < n; i++)
            CHECK_OK(call(host.init, CAP_DELETE, 0, order[i]));
        CHECK_OK(call(host.init, CAP_REVOKE, 0, U));
        CHECK_EQ(host_slot(U)->cap.a, host_slot(U)->cap.object);
    }
}

TEST(a_revoked_untyped_takes_space_tables_and_frames_at_once)
{
    boot_space(4);
    for (uint64_t i = 0; i < 8; i++)
        CHECK_OK(map(FRAME + i, AT + i * 0x1000, RW));
    CHECK(touch(AT, KOZO_WRITE));
    CHECK_OK(call_preempted(1, host.init, CAP_REVOKE, 0, U));
    CHECK_EQ(host_slot(U)->cap.a, host_slot(U)->cap.object);
    CHECK_EQ(host_kind(SPACE), KOZO_KIND_NULL);
}

TEST(a_frame_can_be_unmapped_through_its_holders_cnode)
{
    boot_space(3);
    struct tcb *t = host_thread(0, 0);
    CHECK_OK(call(host.init, CAP_COPY, host_cnode_slot(t), SLOT_FREE, 0, FRAME, KOZO_SAME_RIGHTS));
    CHECK_OK(
        call(host.init, CAP_COPY, host_cnode_slot(t), SLOT_FREE + 1, 0, SPACE, KOZO_SAME_RIGHTS));
    CHECK_OK(call(t, MAP, SLOT_FREE + 1, SLOT_FREE, AT, RW));
    CHECK(touch(AT, KOZO_WRITE));
    CHECK_OK(call(host.init, PROTECT, host_cnode_slot(t), SLOT_FREE, KOZO_READ));
    CHECK(!touch(AT, KOZO_WRITE));
    CHECK_OK(call(host.init, UNMAP, host_cnode_slot(t), SLOT_FREE));
    CHECK(!touch(AT, KOZO_READ));
}

/* ---- random ---- */

TEST(random_mapping_agrees_with_a_plain_model)
{
    uint64_t where[8] = {}, rights[8] = {};

    boot_space(8);
    host.seed = 5;
    for (uint32_t n = 0; n < 3000; n++) {
        uint64_t i = host_random(8),
                 address = AT + host_random(24) * 0x1000 + host_random(2) * KOZO_LARGE_SIZE;
        uint64_t asked = host_random(2) ? RW : KOZO_READ;
        bool taken = false;
        for (uint64_t j = 0; j < 8; j++)
            taken = taken || where[j] == address;
        switch (host_random(3)) {
        case 0:
            if (where[i] != 0)
                CHECK_ERR(map(FRAME + i, address, asked), MAPPED);
            else if (taken)
                CHECK_ERR(map(FRAME + i, address, asked), OCCUPIED);
            else {
                CHECK_OK(map(FRAME + i, address, asked));
                where[i] = address;
                rights[i] = asked;
            }
            break;
        case 1:
            CHECK_EQ(unmap(FRAME + i), where[i] != 0 ? KOZO_OK : KOZO_ERR_UNMAPPED);
            where[i] = 0;
            break;
        default:
            CHECK_EQ(call(host.init, PROTECT, 0, FRAME + i, asked),
                     where[i] != 0 ? KOZO_OK : KOZO_ERR_UNMAPPED);
            rights[i] = asked;
        }
        for (uint64_t j = 0; j < 8; j++)
            if (where[j] != 0) {
                check_reaches(where[j], FRAME + j);
                CHECK_EQ(touch(where[j], KOZO_WRITE), rights[j] == RW);
            }
        CHECK_EQ(touch(address, KOZO_READ),
                 where[i] == address || (taken && touch(address, KOZO_READ)));
    }
}
