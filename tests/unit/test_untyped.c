/* SPDX-License-Identifier: MIT */
/*
 * test_untyped.c - carving objects out of memory: arithmetic, alignment, clearing, giving back.
 */
#include "cap/untyped.h"
#include "host.h"
#include <string.h>

#define U SLOT_FREE
#define A (SLOT_FREE + 1)
#define B (SLOT_FREE + 2)
#define MANY (SLOT_FREE + 8)

static uint64_t retype(uint64_t untyped, uint64_t what, uint64_t slot, uint64_t count)
{
    return call(host.init, RETYPE, untyped, what, 0, slot, count);
}

static uint64_t ep(uint64_t untyped, uint64_t slot, uint64_t count)
{
    return retype(untyped, KOZO_WHAT(KOZO_KIND_ENDPOINT, 0), slot, count);
}

struct info {
    uint64_t size, free, cleared;
};
static struct info info_of(uint64_t untyped)
{
    CHECK_OK(call(host.init, UNTYPED_INFO, untyped));
    return (struct info){ host.init->frame.reg[0], host.init->frame.reg[1],
                          host.init->frame.reg[2] };
}

static void *memory_of(uint64_t frame)
{
    return arch_ram((struct paddr){ host_slot(frame)->cap.object });
}

static uint64_t bytes_stat(void)
{
    CHECK_OK(call(host.init, DEBUG_STAT, SLOT_DEBUG, KOZO_STAT_BYTES_FREE));
    return host.init->frame.reg[0];
}

/* ---- arithmetic ---- */

TEST(objects_lie_aligned_one_behind_the_other)
{
    host_boot();
    host_make(U, KOZO_KIND_UNTYPED, 16);
    uint64_t base = host_slot(U)->cap.object;
    CHECK_EQ(base % (1 << 16), 0);
    CHECK_OK(ep(U, A, 1));
    CHECK_OK(retype(U, KOZO_WHAT(KOZO_KIND_FRAME, 12), MANY, 3)); /* leaves a gap */
    for (uint64_t i = 0; i < 3; i++)
        CHECK_EQ(host_slot(MANY + i)->cap.object, base + (i + 1) * KOZO_PAGE_SIZE);
    CHECK_EQ(info_of(U).free, (1 << 16) - 4 * KOZO_PAGE_SIZE);
}

TEST(an_untyped_can_be_filled_exactly)
{
    host_boot();
    host_make(U, KOZO_KIND_UNTYPED, 10);
    CHECK_OK(ep(U, MANY, 8));
    CHECK_EQ(info_of(U).free, 0);
    CHECK_ERR(ep(U, A, 1), NOMEM);
    CHECK_ERR(retype(U, KOZO_WHAT(KOZO_KIND_UNTYPED, 6), A, 1), NOMEM);
}

TEST(all_or_nothing)
{
    host_boot();
    host_make(U, KOZO_KIND_UNTYPED, 10);
    CHECK_ERR(ep(U, MANY, 9), NOMEM);
    CHECK_EQ(info_of(U).free, 1024);
    CHECK_OK(call(host.init, CAP_COPY, 0, MANY + 3, 0, SLOT_EP, 0));
    CHECK_ERR(ep(U, MANY, 8), OCCUPIED); /* in the middle */
    CHECK_EQ(info_of(U).free, 1024);
    CHECK_EQ(host_kind(MANY), KOZO_KIND_NULL);
}

/* FACTS: retype arithmetic. */
TEST(sizes_and_counts_that_wrap_are_refused)
{
    static const uint64_t bits[] = { 0,  1,   5,   41,  63,         64,
                                     65, 127, 255, 256, 1ull << 32, UINT64_MAX >> 8 };

    host_boot();
    for (uint32_t i = 0; i < ARRAY_LEN(bits); i++)
        CHECK_ERR(retype(SLOT_UNTYPED, KOZO_WHAT(KOZO_KIND_UNTYPED, bits[i]), A, 1), ARGUMENT);
    CHECK_ERR(retype(SLOT_UNTYPED, KOZO_WHAT(KOZO_KIND_UNTYPED, 40), A, 1), NOMEM);
    CHECK_ERR(retype(SLOT_UNTYPED, KOZO_WHAT(KOZO_KIND_UNTYPED, 40), MANY, 16), NOMEM);
    CHECK_ERR(ep(SLOT_UNTYPED, A, 0), ARGUMENT);
    CHECK_ERR(ep(SLOT_UNTYPED, A, KOZO_RETYPE_MAX + 1), ARGUMENT);
    CHECK_ERR(ep(SLOT_UNTYPED, A, 1ull << 57), ARGUMENT); /* times 128 is 2^64 */
    CHECK_ERR(ep(SLOT_UNTYPED, A, UINT64_MAX), ARGUMENT);
}

TEST(kinds_that_are_not_carved_are_refused)
{
    static const uint64_t kinds[] = { KOZO_KIND_NULL,
                                      KOZO_KIND_REPLY,
                                      KOZO_KIND_THREAD,
                                      KOZO_KIND_THREAD_POOL,
                                      KOZO_KIND_IRQ_CONTROL,
                                      KOZO_KIND_IRQ_HANDLER,
                                      KOZO_KIND_IO_PORT,
                                      KOZO_KIND_DEBUG,
                                      KOZO_KIND_ZOMBIE,
                                      KOZO_KIND_COUNT,
                                      255 };

    host_boot();
    for (uint32_t i = 0; i < ARRAY_LEN(kinds); i++)
        CHECK_ERR(retype(SLOT_UNTYPED, KOZO_WHAT(kinds[i], 0), A, 1), ARGUMENT);
    CHECK_ERR(retype(SLOT_UNTYPED, KOZO_WHAT(KOZO_KIND_ENDPOINT, 1), A, 1), ARGUMENT);
    CHECK_ERR(retype(SLOT_UNTYPED, KOZO_WHAT(KOZO_KIND_FRAME, 13), A, 1), ARGUMENT);
    CHECK_ERR(retype(SLOT_UNTYPED, KOZO_WHAT(KOZO_KIND_CNODE, 0), A, 1), ARGUMENT);
    CHECK_ERR(retype(SLOT_UNTYPED, KOZO_WHAT(KOZO_KIND_CNODE, 21), A, 1), ARGUMENT);
}

TEST(the_window_of_slots_lies_inside_its_cnode)
{
    host_boot();
    const uint64_t end = 1ull << HOST_ROOT_BITS;
    CHECK_OK(ep(SLOT_UNTYPED, end - 2, 2));
    CHECK_ERR(ep(SLOT_UNTYPED, end - 2, 3), ADDRESS);
    CHECK_ERR(ep(SLOT_UNTYPED, end, 1), ADDRESS);
    CHECK_ERR(ep(SLOT_UNTYPED, 0, 1), ADDRESS);
    CHECK_ERR(ep(SLOT_UNTYPED, UINT64_MAX, 2), ADDRESS);
    CHECK_ERR(ep(SLOT_UNTYPED, UINT64_MAX - 1, 2), ADDRESS);
}

TEST(retype_tells_its_errors_in_order)
{
    host_boot();
    host_make(U, KOZO_KIND_UNTYPED, 7);
    CHECK_ERR(ep(U, SLOT_EP, 1), OCCUPIED);
    CHECK_ERR(ep(U, 0, 1), ADDRESS);
    CHECK_ERR(call(host.init, RETYPE, U, KOZO_WHAT(KOZO_KIND_ENDPOINT, 0), SLOT_EP, 0, 1), KIND);
    CHECK_ERR(call(host.init, RETYPE, U, KOZO_WHAT(KOZO_KIND_ENDPOINT, 0), SLOT_EP, 0, 2), NOMEM);
    CHECK_ERR(call(host.init, RETYPE, U, KOZO_WHAT(KOZO_KIND_ENDPOINT, 9), SLOT_EP, 0, 2),
              ARGUMENT);
    CHECK_ERR(call(host.init, RETYPE, SLOT_EP, KOZO_WHAT(KOZO_KIND_ENDPOINT, 9), SLOT_EP, 0, 2),
              KIND);
    CHECK_ERR(call(host.init, RETYPE, A, KOZO_WHAT(KOZO_KIND_ENDPOINT, 9), SLOT_EP, 0, 2), EMPTY);
    CHECK_ERR(call(host.init, RETYPE, 0, KOZO_WHAT(KOZO_KIND_ENDPOINT, 9), SLOT_EP, 0, 2), ADDRESS);
}

/* ---- memory is zero when it is handed out ---- */

TEST(memory_that_was_used_is_zero_when_handed_out_again)
{
    host_boot();
    host_make(U, KOZO_KIND_UNTYPED, 14);
    CHECK_OK(retype(U, KOZO_WHAT(KOZO_KIND_FRAME, 12), MANY, 4));
    for (uint64_t i = 0; i < 4; i++)
        memset(memory_of(MANY + i), 0xee, KOZO_PAGE_SIZE);
    CHECK_OK(call(host.init, CAP_REVOKE, 0, U));
    CHECK_OK(retype(U, KOZO_WHAT(KOZO_KIND_CNODE, 6), A, 1));
    for (uint64_t i = 1; i < 64; i++) {
        CHECK_OK(call(host.init, CAP_VERIFY, A, i));
        CHECK_EQ(host.init->frame.reg[0], 0);
    }
    CHECK_OK(retype(U, KOZO_WHAT(KOZO_KIND_FRAME, 12), B, 1));
    const uint8_t *page = memory_of(B);
    for (uint32_t i = 0; i < KOZO_PAGE_SIZE; i++)
        CHECK_EQ(page[i], 0);
}

TEST(a_part_split_off_is_zero_again_where_it_was_dirty)
{
    host_boot();
    host_make(U, KOZO_KIND_UNTYPED, 14);
    CHECK_OK(retype(U, KOZO_WHAT(KOZO_KIND_FRAME, 12), MANY, 4));
    for (uint64_t i = 0; i < 4; i++)
        memset(memory_of(MANY + i), 0xee, KOZO_PAGE_SIZE);
    CHECK_OK(call(host.init, CAP_REVOKE, 0, U));
    CHECK_OK(call(host.init, UNTYPED_CLEAR, U, KOZO_PAGE_SIZE + 64)); /* a part of it */
    CHECK_OK(retype(U, KOZO_WHAT(KOZO_KIND_UNTYPED, 13), A, 2));
    CHECK_EQ(info_of(A).cleared, KOZO_PAGE_SIZE + 64);
    CHECK_EQ(info_of(A + 1).cleared, 0);
    for (uint64_t u = A; u < A + 2; u++) {
        CHECK_OK(retype(u, KOZO_WHAT(KOZO_KIND_FRAME, 12), MANY, 2));
        for (uint64_t i = 0; i < 2; i++) {
            const uint8_t *page = memory_of(MANY + i);
            for (uint32_t j = 0; j < KOZO_PAGE_SIZE; j++)
                CHECK_EQ(page[j], 0);
        }
        CHECK_OK(call(host.init, CAP_REVOKE, 0, u));
    }
}

TEST(clearing_ahead_is_not_done_twice)
{
    host_boot();
    host_make(U, KOZO_KIND_UNTYPED, 16);
    CHECK_OK(call(host.init, UNTYPED_CLEAR, U, 1 << 15));
    CHECK_EQ(info_of(U).cleared, 1 << 15);
    CHECK_EQ(info_of(U).free, 1 << 16);
    uint64_t before = machine.cleared;
    CHECK_OK(retype(U, KOZO_WHAT(KOZO_KIND_FRAME, 12), MANY, 8));
    CHECK_EQ(machine.cleared, before);
    CHECK_OK(retype(U, KOZO_WHAT(KOZO_KIND_FRAME, 12), MANY + 8, 1));
    CHECK_EQ(machine.cleared, before + KOZO_PAGE_SIZE);
    CHECK_OK(call(host.init, UNTYPED_CLEAR, U, UINT64_MAX)); /* all there is */
    CHECK_EQ(info_of(U).cleared, info_of(U).free);
}

TEST(clearing_is_preemptible_and_keeps_what_it_did)
{
    host_boot();
    host_make(U, KOZO_KIND_UNTYPED, 20);
    uint64_t before = machine.cleared;
    CHECK_OK(call_preempted(3, host.init, RETYPE, U, KOZO_WHAT(KOZO_KIND_CNODE, 14), 0, A, 1));
    CHECK_EQ(machine.cleared, before + (1 << 20)); /* every byte once */
    CHECK(host.rewinds > 60);
    CHECK_EQ(host_kind(A), KOZO_KIND_CNODE);

    CHECK_OK(call(host.init, CAP_DELETE, 0, A));
    host_idle();
    before = machine.cleared;
    CHECK_OK(call_preempted(5, host.init, UNTYPED_CLEAR, U, 1 << 20));
    CHECK_EQ(machine.cleared, before + (1 << 20));
}

static struct tcb *other;

static void occupy(void) { CHECK_OK(call(other, CAP_COPY, 0, A, 0, SLOT_EP, KOZO_SAME_RIGHTS)); }

/*
 * Its slot is taken while it is preempted: what it cleared is cleared, and nothing else has
 * changed.
 */
TEST(a_retype_preempted_and_then_refused_has_cleared_and_no_more)
{
    host_boot();
    host_make(U, KOZO_KIND_UNTYPED, 20);
    other = host_peer(HOST_PRIORITY);
    host.between = occupy;
    CHECK_ERR(call_preempted(1, host.init, RETYPE, U, KOZO_WHAT(KOZO_KIND_CNODE, 14), 0, A, 1),
              OCCUPIED);
    CHECK_EQ(host.rewinds, 1);
    CHECK_EQ(info_of(U).free, 1 << 20);
    CHECK_EQ(info_of(U).cleared, KOZO_PAGE_SIZE);
    CHECK_EQ(host_kind(A), KOZO_KIND_ENDPOINT);
}

/* ---- splitting ---- */

TEST(an_untyped_is_split_into_untypeds)
{
    host_boot();
    host_make(U, KOZO_KIND_UNTYPED, 12);
    CHECK_OK(retype(U, KOZO_WHAT(KOZO_KIND_UNTYPED, 11), A, 2)); /* all of it */
    CHECK_EQ(info_of(U).free, 0);
    CHECK_EQ(info_of(A).size, 2048);
    CHECK_OK(ep(A, MANY, 16));
    CHECK_ERR(ep(A, MANY + 16, 1), NOMEM);
    CHECK_OK(ep(B, MANY + 16, 1));
}

TEST(the_smallest_untyped_is_of_no_use_but_can_be_made)
{
    host_boot();
    host_make(U, KOZO_KIND_UNTYPED, KOZO_UNTYPED_MIN_BITS);
    CHECK_EQ(info_of(U).size, 64);
    CHECK_ERR(ep(U, A, 1), NOMEM);
    CHECK_OK(call(host.init, UNTYPED_CLEAR, U, 1));
    CHECK_EQ(info_of(U).cleared, 64);
}

/* ---- giving back ---- */

TEST(the_watermark_returns_to_0_when_the_last_child_is_gone)
{
    host_boot();
    host_make(U, KOZO_KIND_UNTYPED, 12);
    CHECK_OK(ep(U, MANY, 4));
    for (uint64_t i = 0; i < 3; i++) {
        CHECK_OK(call(host.init, CAP_DELETE, 0, MANY + i));
        CHECK_EQ(info_of(U).free, 4096 - 512);
    }
    CHECK_OK(call(host.init, CAP_DELETE, 0, MANY + 3));
    CHECK_EQ(info_of(U).free, 4096);
    CHECK_EQ(info_of(U).cleared, 0);
}

TEST(a_copy_of_an_object_keeps_its_memory)
{
    host_boot();
    host_make(U, KOZO_KIND_UNTYPED, 12);
    CHECK_OK(ep(U, A, 1));
    CHECK_OK(call(host.init, CAP_COPY, 0, B, 0, A, KOZO_SAME_RIGHTS));
    CHECK_OK(call(host.init, CAP_DELETE, 0, A));
    CHECK_EQ(info_of(U).free, 4096 - 128);
    CHECK_OK(call(host.init, CAP_DELETE, 0, B));
    CHECK_EQ(info_of(U).free, 4096);
}

TEST(children_of_a_deleted_untyped_keep_the_memory_above_it)
{
    host_boot();
    host_make(U, KOZO_KIND_UNTYPED, 13);
    CHECK_OK(retype(U, KOZO_WHAT(KOZO_KIND_UNTYPED, 12), A, 1));
    CHECK_OK(ep(A, B, 1));
    CHECK_OK(call(host.init, CAP_DELETE, 0, A));
    CHECK_EQ(info_of(U).free, 4096); /* the Endpoint lives in the other half */
    CHECK_OK(call(host.init, CAP_DELETE, 0, B));
    CHECK_EQ(info_of(U).free, 8192);
}

TEST(free_bytes_add_up)
{
    host_boot();
    uint64_t all = bytes_stat();
    host_make(U, KOZO_KIND_UNTYPED, 16);
    uint64_t lost = all - bytes_stat(); /* to alignment */
    CHECK(lost < 1 << 16);
    CHECK_OK(ep(U, MANY, 10));
    CHECK_EQ(bytes_stat(), all - lost - 10 * 128);
    CHECK_OK(retype(U, KOZO_WHAT(KOZO_KIND_UNTYPED, 12), A, 1));
    CHECK_OK(retype(A, KOZO_WHAT(KOZO_KIND_FRAME, 12), B, 1));
    CHECK_OK(call(host.init, CAP_DELETE, 0, A));
    CHECK_OK(call(host.init, CAP_REVOKE, 0, U));
    CHECK_EQ(bytes_stat(), all - lost);
    CHECK_OK(call(host.init, CAP_DELETE, 0, U));
    CHECK_EQ(bytes_stat(),
             all - lost - (1 << 16)); /* below the watermark of what it was carved from */
}

/* ---- device memory ---- */

TEST(device_memory_becomes_frames_only_and_is_never_touched)
{
    host_boot();
    uint64_t before = machine.cleared;
    CHECK_OK(retype(SLOT_DEVICE, KOZO_WHAT(KOZO_KIND_FRAME, 12), A, 1));
    CHECK_EQ(machine.cleared, before);
    CHECK_EQ(host_slot(A)->cap.object, HOST_DEVICE_BASE);
    CHECK_OK(call(host.init, CAP_VERIFY, 0, A));
    CHECK(host.init->frame.reg[0] & KOZO_VERIFY_DEVICE);
    CHECK_ERR(ep(SLOT_DEVICE, B, 1), ARGUMENT);
    CHECK_ERR(retype(SLOT_DEVICE, KOZO_WHAT(KOZO_KIND_CNODE, 4), B, 1), ARGUMENT);
    CHECK_ERR(retype(SLOT_DEVICE, KOZO_WHAT(KOZO_KIND_PAGE_TABLE, 0), B, 1), ARGUMENT);
    CHECK_ERR(retype(SLOT_DEVICE, KOZO_WHAT(KOZO_KIND_ADDRESS_SPACE, 0), B, 1), ARGUMENT);
    CHECK_ERR(retype(SLOT_DEVICE, KOZO_WHAT(KOZO_KIND_NOTIFICATION, 0), B, 1), ARGUMENT);
    CHECK_ERR(call(host.init, UNTYPED_CLEAR, SLOT_DEVICE, 4096), ARGUMENT);
}

TEST(a_part_of_device_memory_is_device_memory)
{
    host_boot();
    CHECK_OK(retype(SLOT_DEVICE, KOZO_WHAT(KOZO_KIND_UNTYPED, 13), A, 1));
    CHECK_OK(call(host.init, CAP_VERIFY, 0, A));
    CHECK(host.init->frame.reg[0] & KOZO_VERIFY_DEVICE);
    CHECK_ERR(ep(A, B, 1), ARGUMENT);
    CHECK_OK(retype(A, KOZO_WHAT(KOZO_KIND_FRAME, 12), B, 2));
    CHECK_OK(call(host.init, CAP_COPY, 0, MANY, 0, B, KOZO_SAME_RIGHTS));
    CHECK_OK(call(host.init, CAP_VERIFY, 0, MANY));
    CHECK(host.init->frame.reg[0] & KOZO_VERIFY_DEVICE);
}

TEST(device_memory_cannot_be_an_ipc_buffer)
{
    host_boot();
    struct tcb *t = host_thread(KOZO_WRITE, 0);
    CHECK_OK(call(host.init, THREAD_SUSPEND, host_thread_slot(t)));
    CHECK_OK(retype(SLOT_DEVICE, KOZO_WHAT(KOZO_KIND_FRAME, 12), A, 1));
    CHECK_ERR(call(host.init, THREAD_BIND, host_thread_slot(t), 0, 0, A, 0, 0), ARGUMENT);
}
