/* SPDX-License-Identifier: MIT */
/*
 * Untyped memory: what can be carved out of it, where it lies, what it costs, and what is in it.
 */
#include "peer.h"

#include <kozo/memory.h>
#include <kozo/window.h>

static uint64_t free_of(struct kozo_untyped u)
{
    struct kozo_untyped_info i = kozo_untyped_info(u);

    KOZO_CHECK_OK(i.err);
    return i.free;
}

/* A row of empty slots. */
static struct kozo_place row(uint32_t count)
{
    kozo_cptr first = kozo_slots_alloc(count);

    KOZO_CHECK(first != 0);
    return kozo_own(first);
}

KOZO_TEST(objects_cost_what_the_abi_says)
{
    static const struct {
        enum kozo_kind kind;
        unsigned bits;
        uint64_t bytes;
    } objects[] = {
        { KOZO_KIND_ENDPOINT, 0, KOZO_ENDPOINT_BYTES },
        { KOZO_KIND_NOTIFICATION, 0, KOZO_NOTIFICATION_BYTES },
        { KOZO_KIND_CNODE, 1, 2 * KOZO_SLOT_BYTES },
        { KOZO_KIND_CNODE, 8, 256 * KOZO_SLOT_BYTES },
        { KOZO_KIND_FRAME, KOZO_PAGE_BITS, KOZO_PAGE_SIZE },
        { KOZO_KIND_FRAME, KOZO_LARGE_BITS, KOZO_LARGE_SIZE },
        { KOZO_KIND_PAGE_TABLE, 0, KOZO_PAGE_SIZE },
        { KOZO_KIND_ADDRESS_SPACE, 0, KOZO_ADDRESS_SPACE_BYTES },
        { KOZO_KIND_UNTYPED, KOZO_UNTYPED_MIN_BITS, 1 << KOZO_UNTYPED_MIN_BITS },
        { KOZO_KIND_UNTYPED, 20, 1 << 20 },
    };
    struct kozo_untyped u = kozo_test_untyped(KOZO_LARGE_BITS + 1);
    struct kozo_place to = row(1);

    for (unsigned i = 0; i < sizeof(objects) / sizeof(objects[0]); i++) {
        KOZO_CHECK_OK(kozo_retype(u, objects[i].kind, objects[i].bits, to, 1));
        KOZO_CHECK_EQ(kind_at(to.slot), objects[i].kind);
        KOZO_CHECK_EQ(free_of(u), (1ull << (KOZO_LARGE_BITS + 1)) - objects[i].bytes);
        KOZO_CHECK_OK(kozo_cap_delete(to));
        KOZO_CHECK_EQ(free_of(u), 1ull << (KOZO_LARGE_BITS + 1));
    }
}

KOZO_TEST(untyped_can_be_filled_to_the_last_byte)
{
    struct kozo_untyped u = kozo_test_untyped(14);
    struct kozo_place to = row(5);

    KOZO_CHECK_ERR(kozo_retype(u, KOZO_KIND_FRAME, KOZO_PAGE_BITS, to, 5), KOZO_ERR_NOMEM);
    KOZO_CHECK_EQ(free_of(u), 1 << 14); /* all or none */
    for (unsigned i = 0; i < 5; i++)
        KOZO_CHECK_EQ(kind_at(to.slot + i), KOZO_KIND_NULL);
    KOZO_CHECK_OK(kozo_retype(u, KOZO_KIND_FRAME, KOZO_PAGE_BITS, to, 4));
    KOZO_CHECK_EQ(free_of(u), 0);
    KOZO_CHECK_ERR(
        kozo_retype(u, KOZO_KIND_UNTYPED, KOZO_UNTYPED_MIN_BITS, kozo_own(to.slot + 4), 1),
        KOZO_ERR_NOMEM);
    for (unsigned i = 0; i < 3; i++)
        KOZO_CHECK_OK(kozo_cap_delete(kozo_own(to.slot + i)));
    KOZO_CHECK_EQ(free_of(u), 0); /* it is given back as a whole */
    KOZO_CHECK_OK(kozo_cap_delete(kozo_own(to.slot + 3)));
    KOZO_CHECK_EQ(free_of(u), 1 << 14);
    KOZO_CHECK_OK(kozo_retype(u, KOZO_KIND_UNTYPED, 14, to, 1));
}

KOZO_TEST(objects_are_aligned)
{
    struct kozo_untyped u = kozo_test_untyped(14);
    struct kozo_place to = row(3);

    KOZO_CHECK_OK(kozo_retype(u, KOZO_KIND_UNTYPED, KOZO_UNTYPED_MIN_BITS, to, 1));
    KOZO_CHECK_EQ(free_of(u), (1 << 14) - 64);
    KOZO_CHECK_OK(kozo_retype(u, KOZO_KIND_ENDPOINT, 0, kozo_own(to.slot + 1), 1));
    KOZO_CHECK_EQ(free_of(u), (1 << 14) - 256);
    KOZO_CHECK_OK(kozo_retype(u, KOZO_KIND_FRAME, KOZO_PAGE_BITS, kozo_own(to.slot + 2), 1));
    KOZO_CHECK_EQ(free_of(u), (1 << 14) - 2 * KOZO_PAGE_SIZE);
    /* What is left could hold it, but not where it would have to lie. */
    KOZO_CHECK_OK(kozo_cap_delete(kozo_own(to.slot + 2)));
    KOZO_CHECK_ERR(kozo_retype(u, KOZO_KIND_UNTYPED, 13, kozo_own(to.slot + 2), 2), KOZO_ERR_NOMEM);
    KOZO_CHECK_OK(kozo_retype(u, KOZO_KIND_UNTYPED, 13, kozo_own(to.slot + 2), 1));
    KOZO_CHECK_EQ(free_of(u), 0);
}

static enum kozo_err retype_raw(struct kozo_untyped u, uint64_t what, struct kozo_place to,
                                uint64_t count)
{
    return kozo_syscall_err(KOZO_SYS_RETYPE, u.c, what, to.cnode.c, to.slot, count, 0);
}

KOZO_TEST(impossible_objects_are_refused)
{
    static const struct {
        uint64_t kind, bits;
    } wrong[] = {
        { KOZO_KIND_NULL, 0 },
        { KOZO_KIND_REPLY, 0 },
        { KOZO_KIND_THREAD, 0 },
        { KOZO_KIND_THREAD_POOL, 0 },
        { KOZO_KIND_IRQ_CONTROL, 0 },
        { KOZO_KIND_IRQ_HANDLER, 0 },
        { KOZO_KIND_IO_PORT, 0 },
        { KOZO_KIND_DEBUG, 0 },
        { KOZO_KIND_ZOMBIE, 0 },
        { KOZO_KIND_COUNT, 0 },
        { 0xff, 0 },
        { KOZO_KIND_ENDPOINT, 1 },
        { KOZO_KIND_ENDPOINT, 7 },
        { KOZO_KIND_NOTIFICATION, 1 },
        { KOZO_KIND_PAGE_TABLE, 12 },
        { KOZO_KIND_ADDRESS_SPACE, 1 },
        { KOZO_KIND_FRAME, 0 },
        { KOZO_KIND_FRAME, 11 },
        { KOZO_KIND_FRAME, 13 },
        { KOZO_KIND_FRAME, 30 },
        { KOZO_KIND_FRAME, 12 + 64 },
        { KOZO_KIND_FRAME, 12 + 256 },
        { KOZO_KIND_CNODE, 0 },
        { KOZO_KIND_CNODE, 21 },
        { KOZO_KIND_CNODE, 63 },
        { KOZO_KIND_CNODE, 1ull << 40 },
        { KOZO_KIND_UNTYPED, 0 },
        { KOZO_KIND_UNTYPED, 5 },
        { KOZO_KIND_UNTYPED, 41 },
        { KOZO_KIND_UNTYPED, 63 },
        { KOZO_KIND_UNTYPED, 64 },
        { KOZO_KIND_UNTYPED, 64 + 12 },
        { KOZO_KIND_UNTYPED, (1ull << 56) - 1 },
    };
    struct kozo_untyped u = kozo_test_untyped(16);
    struct kozo_place to = row(1);

    for (unsigned i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        KOZO_CHECK_ERR(retype_raw(u, KOZO_WHAT(wrong[i].kind, wrong[i].bits), to, 1),
                       KOZO_ERR_ARGUMENT);
    KOZO_CHECK_EQ(free_of(u), 1 << 16);
    KOZO_CHECK_EQ(kind_at(to.slot), KOZO_KIND_NULL);
}

KOZO_TEST(impossible_counts_are_refused)
{
    static const uint64_t wrong[] = { 0,          KOZO_RETYPE_MAX + 1, 1ull << 32,
                                      1ull << 52, 1ull << 63,          UINT64_MAX };
    struct kozo_untyped u = kozo_test_untyped(16);
    struct kozo_place to = row(KOZO_RETYPE_MAX);

    for (unsigned i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        KOZO_CHECK_ERR(retype_raw(u, KOZO_WHAT(KOZO_KIND_ENDPOINT, 0), to, wrong[i]),
                       KOZO_ERR_ARGUMENT);
    /* Possible, but never in here. */
    KOZO_CHECK_ERR(kozo_retype(u, KOZO_KIND_UNTYPED, KOZO_UNTYPED_MAX_BITS, to, KOZO_RETYPE_MAX),
                   KOZO_ERR_NOMEM);
    KOZO_CHECK_ERR(kozo_retype(u, KOZO_KIND_CNODE, KOZO_CNODE_MAX_BITS, to, KOZO_RETYPE_MAX),
                   KOZO_ERR_NOMEM);
    KOZO_CHECK_ERR(kozo_retype(u, KOZO_KIND_FRAME, KOZO_LARGE_BITS, to, 1), KOZO_ERR_NOMEM);
    KOZO_CHECK_OK(kozo_retype(u, KOZO_KIND_ENDPOINT, 0, to, KOZO_RETYPE_MAX));
    for (unsigned i = 0; i < KOZO_RETYPE_MAX; i++)
        KOZO_CHECK_EQ(kind_at(to.slot + i), KOZO_KIND_ENDPOINT);
    KOZO_CHECK_EQ(free_of(u), (1 << 16) - KOZO_RETYPE_MAX * KOZO_ENDPOINT_BYTES);
}

KOZO_TEST(retype_tells_its_errors_in_order)
{
    struct kozo_untyped u = kozo_test_untyped(KOZO_PAGE_BITS), none = { kozo_test_slot() };
    struct kozo_cnode there = kozo_test_cnode(3), reads = { kozo_test_copy(there.c, KOZO_READ) };
    struct kozo_untyped endpoint = { kozo_test_endpoint().c };
    const struct kozo_place outside = kozo_in(there, 8);

    KOZO_CHECK_ERR(kozo_retype((struct kozo_untyped){ 0 }, KOZO_KIND_NULL, 0, outside, 1),
                   KOZO_ERR_ADDRESS);
    KOZO_CHECK_ERR(kozo_retype(none, KOZO_KIND_NULL, 0, outside, 1), KOZO_ERR_EMPTY);
    KOZO_CHECK_ERR(kozo_retype(endpoint, KOZO_KIND_NULL, 0, outside, 1), KOZO_ERR_KIND);
    KOZO_CHECK_ERR(kozo_retype(u, KOZO_KIND_NULL, 0, outside, 1), KOZO_ERR_ARGUMENT);
    KOZO_CHECK_ERR(kozo_retype(u, KOZO_KIND_ADDRESS_SPACE, 0, outside, 1), KOZO_ERR_NOMEM);
    KOZO_CHECK_ERR(kozo_retype(u, KOZO_KIND_ENDPOINT, 0, kozo_in(reads, 8), 1), KOZO_ERR_RIGHTS);
    KOZO_CHECK_ERR(kozo_retype(u, KOZO_KIND_ENDPOINT, 0, kozo_in(there, 0), 1), KOZO_ERR_ADDRESS);
    KOZO_CHECK_ERR(kozo_retype(u, KOZO_KIND_ENDPOINT, 0, outside, 1), KOZO_ERR_ADDRESS);
    KOZO_CHECK_ERR(kozo_retype(u, KOZO_KIND_ENDPOINT, 0, kozo_in(there, UINT64_MAX), 2),
                   KOZO_ERR_ADDRESS);
    KOZO_REQUIRE_OK(kozo_retype(u, KOZO_KIND_ENDPOINT, 0, kozo_in(there, 5), 1));
    KOZO_CHECK_ERR(kozo_retype(u, KOZO_KIND_ENDPOINT, 0, kozo_in(there, 3), 6), KOZO_ERR_ADDRESS);
    KOZO_CHECK_ERR(kozo_retype(u, KOZO_KIND_ENDPOINT, 0, kozo_in(there, 3), 5), KOZO_ERR_OCCUPIED);
    KOZO_CHECK_EQ(free_of(u), KOZO_PAGE_SIZE - KOZO_ENDPOINT_BYTES);
    KOZO_CHECK_EQ(KOZO_VERIFY_KIND(kozo_cap_verify(kozo_in(there, 3), kozo_own(0)).what),
                  KOZO_KIND_NULL);
}

/* Fills a frame with ones, or counts the words in it that are not zero. */
static uint64_t dirty(struct kozo_frame f, bool fill)
{
    uint64_t *word = (uint64_t *)kozo_window_alloc(KOZO_WINDOW_SMALL, KOZO_PAGE_SIZE), n = 0;

    if (!KOZO_CHECK_OK(kozo_memory_map(f, (uint64_t)word, KOZO_READ | KOZO_WRITE)))
        return UINT64_MAX;
    for (unsigned i = 0; i < KOZO_PAGE_SIZE / 8; i++) {
        n += word[i] != 0;
        if (fill)
            word[i] = UINT64_MAX;
    }
    KOZO_CHECK_OK(kozo_unmap(kozo_own(f.c)));
    kozo_window_free((uint64_t)word);
    return n;
}

KOZO_TEST(memory_is_zero_when_it_is_handed_out)
{
    struct kozo_untyped u = kozo_test_untyped(14), part = { kozo_test_slot() };
    struct kozo_place to = row(4);

    KOZO_REQUIRE_OK(kozo_retype(u, KOZO_KIND_FRAME, KOZO_PAGE_BITS, to, 4));
    for (unsigned i = 0; i < 4; i++)
        KOZO_CHECK_EQ(dirty((struct kozo_frame){ to.slot + i }, true), 0);
    KOZO_CHECK_OK(kozo_cap_revoke(kozo_own(u.c)));
    KOZO_REQUIRE_OK(kozo_retype(u, KOZO_KIND_FRAME, KOZO_PAGE_BITS, to, 2));
    for (unsigned i = 0; i < 2; i++)
        KOZO_CHECK_EQ(dirty((struct kozo_frame){ to.slot + i }, true), 0);
    /* By way of a part that is Untyped again. */
    KOZO_CHECK_OK(kozo_cap_revoke(kozo_own(u.c)));
    KOZO_REQUIRE_OK(kozo_retype(u, KOZO_KIND_UNTYPED, 13, kozo_own(part.c), 1));
    KOZO_REQUIRE_OK(kozo_retype(part, KOZO_KIND_FRAME, KOZO_PAGE_BITS, to, 2));
    for (unsigned i = 0; i < 2; i++)
        KOZO_CHECK_EQ(dirty((struct kozo_frame){ to.slot + i }, true), 0);
}

/* What lay in memory before is no capability in it now. */
KOZO_TEST(new_cnode_is_empty)
{
    struct kozo_untyped u = kozo_test_untyped(13);
    struct kozo_place to = row(2);
    struct kozo_cnode c = { to.slot };

    KOZO_REQUIRE_OK(kozo_retype(u, KOZO_KIND_FRAME, KOZO_PAGE_BITS, to, 2));
    (void)dirty((struct kozo_frame){ to.slot }, true);
    (void)dirty((struct kozo_frame){ to.slot + 1 }, true);
    KOZO_CHECK_OK(kozo_cap_revoke(kozo_own(u.c)));
    KOZO_REQUIRE_OK(kozo_retype(u, KOZO_KIND_CNODE, 7, to, 1));
    for (kozo_cptr i = 1; i < 128; i++)
        KOZO_CHECK_EQ(kozo_cap_verify(kozo_in(c, i), kozo_own(0)).what, 0);
}

KOZO_TEST(memory_can_be_cleared_ahead)
{
    struct kozo_untyped u = kozo_test_untyped(16);
    struct kozo_place to = row(2);

    KOZO_REQUIRE_OK(kozo_retype(u, KOZO_KIND_FRAME, KOZO_PAGE_BITS, to, 1));
    KOZO_REQUIRE_OK(kozo_cap_delete(to));
    KOZO_CHECK_EQ(kozo_untyped_info(u).cleared, 0); /* after use, nothing is known of it */
    KOZO_CHECK_OK(kozo_untyped_clear(u, 100));
    KOZO_CHECK_EQ(kozo_untyped_info(u).cleared, 128);
    KOZO_CHECK_OK(kozo_untyped_clear(u, UINT64_MAX));
    KOZO_CHECK_EQ(kozo_untyped_info(u).cleared, 1 << 16);
    KOZO_CHECK_OK(kozo_untyped_clear(u, 64)); /* never less */
    KOZO_CHECK_EQ(kozo_untyped_info(u).cleared, 1 << 16);
    KOZO_REQUIRE_OK(kozo_retype(u, KOZO_KIND_FRAME, KOZO_PAGE_BITS, to, 1));
    KOZO_CHECK_EQ(kozo_untyped_info(u).cleared, (1 << 16) - KOZO_PAGE_SIZE);
    KOZO_CHECK_EQ(dirty((struct kozo_frame){ to.slot }, false), 0);
}

KOZO_TEST(deleted_untyped_gives_its_children_to_its_parent)
{
    struct kozo_untyped u = kozo_test_untyped(16), part = { kozo_test_slot() };
    struct kozo_place to = row(1);
    uint64_t free = kozo_test_stat(KOZO_STAT_BYTES_FREE);

    KOZO_REQUIRE_OK(kozo_retype(u, KOZO_KIND_UNTYPED, 14, kozo_own(part.c), 1));
    KOZO_CHECK_EQ(kozo_test_stat(KOZO_STAT_BYTES_FREE), free);
    KOZO_REQUIRE_OK(kozo_retype(part, KOZO_KIND_FRAME, KOZO_PAGE_BITS, to, 1));
    KOZO_CHECK_EQ(kozo_test_stat(KOZO_STAT_BYTES_FREE), free - KOZO_PAGE_SIZE);
    KOZO_CHECK_OK(kozo_cap_delete(kozo_own(part.c)));
    KOZO_CHECK_EQ(kind_at(to.slot), KOZO_KIND_FRAME);
    KOZO_CHECK_EQ(kozo_test_stat(KOZO_STAT_BYTES_FREE), free - (1 << 14));
    KOZO_CHECK_EQ(free_of(u), (1 << 16) - (1 << 14));
    KOZO_CHECK_OK(kozo_cap_delete(to));
    KOZO_CHECK_EQ(free_of(u), 1 << 16);
    KOZO_CHECK_EQ(kozo_test_stat(KOZO_STAT_BYTES_FREE), free);
}

/* ---- memory of devices ---- */

KOZO_TEST(device_memory_makes_frames_and_parts_alone)
{
    const struct kozo_boot_info *b = kozo_boot_info();
    struct kozo_untyped u = { b->device.first };
    struct kozo_place to = row(1);
    struct kozo_worker w = doing_later(LATER);
    uint64_t free = free_of(u);

    KOZO_REQUIRE(b->device.count > 0);
    for (unsigned kind = KOZO_KIND_CNODE; kind < KOZO_KIND_COUNT; kind++)
        if (kind != KOZO_KIND_FRAME)
            KOZO_CHECK_ERR(retype_raw(u, KOZO_WHAT(kind, kind == KOZO_KIND_CNODE ? 2 : 0), to, 1),
                           KOZO_ERR_ARGUMENT);
    KOZO_CHECK_ERR(kozo_untyped_clear(u, 64), KOZO_ERR_ARGUMENT);
    KOZO_REQUIRE_OK(kozo_retype(u, KOZO_KIND_FRAME, KOZO_PAGE_BITS, to, 1));
    KOZO_CHECK((verify(to.slot) & KOZO_VERIFY_DEVICE) != 0);
    /* The kernel writes to buffers: not to registers. */
    KOZO_CHECK_ERR(kozo_thread_bind(w.thread, (struct kozo_cnode){ 0 }, (struct kozo_space){ 0 },
                                    (struct kozo_frame){ to.slot }, 0, (struct kozo_endpoint){ 0 }),
                   KOZO_ERR_ARGUMENT);
    KOZO_CHECK_OK(kozo_cap_delete(to));
    KOZO_CHECK_OK(kozo_retype(u, KOZO_KIND_UNTYPED, KOZO_PAGE_BITS, to, 1));
    KOZO_CHECK((verify(to.slot) & KOZO_VERIFY_DEVICE) != 0);
    KOZO_CHECK_OK(kozo_cap_delete(to));
    KOZO_CHECK_EQ(free_of(u), free);
}

KOZO_TEST(interrupt_controllers_and_timer_are_in_no_untyped)
{
    static const uint64_t kernels[] = { 0xfee00000, 0xfec00000, 0xfed00000 };
    const struct kozo_boot_info *b = kozo_boot_info();

    for (uint32_t i = 0; i < b->untyped.count + b->device.count; i++)
        for (unsigned k = 0; k < 3; k++)
            KOZO_CHECK(kernels[k] < b->desc[i].base ||
                       kernels[k] - b->desc[i].base >= 1ull << b->desc[i].size_bits);
}
