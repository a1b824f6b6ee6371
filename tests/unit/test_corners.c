/* SPDX-License-Identifier: MIT */
/*
 * test_corners.c - states that the other tests do not come by: two things at once, and what is
 * nearly too late.
 */
#include "base/log.h"
#include "boot/memory.h"
#include "cap/object.h"
#include "host.h"
#include "mem/vspace.h"

#define A SLOT_FREE
#define B (SLOT_FREE + 1)
#define C (SLOT_FREE + 2)
#define U (SLOT_FREE + 3)

static uint64_t copy(uint64_t to, uint64_t from, uint64_t rights)
{
    return call(host.init, CAP_COPY, 0, to, 0, from, rights);
}

/* ---- capabilities ---- */

TEST(an_untyped_is_not_the_untyped_that_begins_where_it_does)
{
    host_boot();
    host_make(U, KOZO_KIND_UNTYPED, 16);
    CHECK_OK(call(host.init, RETYPE, U, KOZO_WHAT(KOZO_KIND_UNTYPED, 14), 0, A, 1));
    CHECK_EQ(host_slot(A)->cap.object, host_slot(U)->cap.object);
    CHECK_OK(call(host.init, CAP_VERIFY, 0, U, 0, A));
    CHECK_EQ(host.init->frame.reg[0] & KOZO_VERIFY_SAME, 0);
    CHECK_OK(call(host.init, CAP_VERIFY, 0, B, 0, C)); /* nor is nothing the same as nothing */
    CHECK_EQ(host.init->frame.reg[0] & KOZO_VERIFY_SAME, 0);
    CHECK_OK(call(host.init, CAP_VERIFY, 0, B, 0, B));
    CHECK_EQ(host.init->frame.reg[0] & KOZO_VERIFY_SAME, 0);
}

/* Nor the part that takes all of it. */
TEST(an_untyped_is_not_the_untyped_that_fills_it)
{
    host_boot();
    host_make(U, KOZO_KIND_UNTYPED, 14);
    CHECK_OK(call(host.init, RETYPE, U, KOZO_WHAT(KOZO_KIND_UNTYPED, 14), 0, A, 1));
    CHECK_OK(call(host.init, CAP_VERIFY, 0, U, 0, A));
    CHECK_EQ(host.init->frame.reg[0] & KOZO_VERIFY_SAME, 0);
    CHECK_OK(call(host.init, CAP_VERIFY, 0, A, 0, A));
    CHECK_EQ(host.init->frame.reg[0] & KOZO_VERIFY_SAME, KOZO_VERIFY_SAME);
}

TEST(a_page_table_tells_no_size)
{
    host_boot();
    host_make(A, KOZO_KIND_PAGE_TABLE, 0);
    host_slot(A)->cap.size_bits = 3; /* its level, which is nobody's business */
    CHECK_OK(call(host.init, CAP_VERIFY, 0, A, 0, 0));
    CHECK_EQ(host.init->frame.reg[0] >> 24 & 0xff, 0);
    host_slot(A)->cap.size_bits = 0;
}

TEST(objects_of_one_size_take_none)
{
    static const enum kozo_kind kind[] = { KOZO_KIND_ENDPOINT, KOZO_KIND_NOTIFICATION,
                                           KOZO_KIND_ADDRESS_SPACE, KOZO_KIND_PAGE_TABLE };

    host_boot();
    for (uint32_t i = 0; i < ARRAY_LEN(kind); i++)
        CHECK_ERR(call(host.init, RETYPE, SLOT_UNTYPED, KOZO_WHAT(kind[i], 12), 0, A, 1), ARGUMENT);
}

TEST(a_mint_refuses_rights_that_are_none)
{
    host_boot();
    CHECK_ERR(call(host.init, CAP_MINT, 0, A, 0, SLOT_EP, 2 * KOZO_MINT_FRESH, 5), ARGUMENT);
}

TEST(the_root_of_a_revoke_without_children_just_goes)
{
    host_boot();
    CHECK_OK(copy(A, SLOT_EP, KOZO_SAME_RIGHTS));
    pending_revoke(host_slot(A));
    slot_delete(host_slot(A));
    host_leave();
    CHECK(!pending_any());
    CHECK_EQ(host_kind(A), KOZO_KIND_NULL);
}

TEST(a_delete_that_finds_work_is_preempted_in_it)
{
    host_boot();
    for (uint64_t i = 0; i < 40; i++)
        CHECK_OK(copy(A + 1 + i, SLOT_NTFN, KOZO_SAME_RIGHTS));
    CHECK_OK(copy(A, SLOT_EP, KOZO_SAME_RIGHTS));
    pending_revoke(host_slot(SLOT_NTFN));
    host_leave();
    host.rewinds = 0;
    CHECK_OK(call_preempted(1, host.init, CAP_DELETE, 0, A));
    CHECK(host.rewinds >= 2);
    CHECK(!pending_any());
    CHECK_EQ(host_kind(A), KOZO_KIND_NULL);
}

/* The pool below is a zombie already when the one above becomes one. */
TEST(a_pool_waits_for_the_pools_below_it)
{
    host_boot();
    CHECK_OK(call(host.init, POOL_SPLIT, SLOT_POOL, 0, A, 10));
    CHECK_OK(call(host.init, POOL_SPLIT, A, 0, B, 5));
    CHECK_OK(call(host.init, THREAD_CREATE, B, 0, C, 0, HOST_PRIORITY));
    slot_delete(host_slot(B));
    slot_delete(host_slot(A));
    host_leave();
    CHECK_EQ(kernel.pending.zombie_count, 2);
    uint64_t before = pool_count(host_slot(SLOT_POOL));
    CHECK_OK(call(host.init, CAP_DELETE, 0, SLOT_DEBUG));
    CHECK(!pending_any());
    CHECK_EQ(pool_count(host_slot(SLOT_POOL)), before + 10);
    CHECK_EQ(host_kind(C), KOZO_KIND_NULL);
}

/* Idle time wakes the waiters of an Endpoint that is gone; one of them runs. */
TEST(idle_time_ends_with_the_first_thread_it_wakes)
{
    host_boot();
    struct tcb *t = host_thread_at(KOZO_READ, 0, HOST_PRIORITY + 1);
    CHECK_OK(call(host.init, CAP_MOVE, host_cnode_slot(t), SLOT_FREE, 0, SLOT_EP));
    CHECK_EQ(call(t, RECV, SLOT_FREE), HOST_BLOCKED);
    slot_delete(host_slot_of(t, SLOT_EP));
    slot_delete(host_slot_of(t, SLOT_FREE)); /* the last */
    host_leave();
    CHECK(pending_any());
    CHECK_EQ(call_until(host.init, 1'000'000, WAIT, 0, KOZO_INFO_DEADLINE), HOST_BLOCKED);
    CHECK_PTR(host_running(), t);
    CHECK_ERR(host_error(t), GONE);
}

TEST(a_notification_that_ends_wakes_its_waiters_one_a_step)
{
    host_boot();
    struct tcb *t = host_thread(KOZO_READ, 0);
    host_make(A, KOZO_KIND_NOTIFICATION, 0);
    CHECK_OK(call(host.init, CAP_MOVE, host_cnode_slot(t), SLOT_FREE, 0, A));
    CHECK_EQ(call(t, WAIT, SLOT_FREE), HOST_BLOCKED);
    slot_delete(host_slot_of(t, SLOT_FREE)); /* the last */
    host_leave();
    CHECK_EQ(kernel.pending.zombie_count, 1);
    CHECK(pending_step());
    CHECK_EQ(t->state, TCB_READY);
    CHECK_ERR(host_error(t), GONE);
    CHECK_OK(call(host.init, CAP_DELETE, 0, SLOT_DEBUG));
    CHECK(!pending_any());
}

/* ---- boot ---- */

TEST(what_is_given_back_was_taken_as_it_is)
{
    static struct boot_input in;

    in = (struct boot_input){ .reserved_count = 1 };
    in.reserved[0] = (struct boot_region){ 0x5000, 0x8000, BOOT_RAM };
    CHECK_PANIC("is not a reserved piece",
                memory_unreserve(&in, (struct boot_region){ 0x4000, 0x8000, BOOT_RAM }));
    CHECK_PANIC("is not a reserved piece",
                memory_unreserve(&in, (struct boot_region){ 0x5000, 0x7000, BOOT_RAM }));
    memory_unreserve(&in, (struct boot_region){ 0x5000, 0x8000, BOOT_RAM });
    CHECK_EQ(in.reserved_count, 0);
}

/* ---- messages ---- */

TEST(a_window_without_its_buffer_takes_nothing)
{
    host_boot();
    struct tcb *to = host_thread(KOZO_READ, 0);
    to->buffer->recv_slot = SLOT_FREE;
    to->buffer->recv_count = 1;
    CHECK_EQ(call(to, RECV, SLOT_EP, KOZO_INFO_RECV_CAPS), HOST_BLOCKED);
    CHECK_OK(call(host.init, CAP_DELETE, host_cnode_slot(to), SLOT_FRAME));
    CHECK_OK(call(host.init, CAP_REVOKE, 0, host_thread_slot(to)));
    slot_delete(&to->binding[TCB_BUFFER]);
    host_leave();
    CHECK_PTR(to->buffer, nullptr);
    host.init->buffer->cap[0] =
        (struct kozo_cap_desc){ .slot = SLOT_NTFN, .rights = KOZO_READ, .user_rights = 0 };
    CHECK_OK(call(host.init, SEND, SLOT_EP, INFO(0) | INFO_CAPS(1)));
    CHECK_EQ(INFO_CAPS_OF(to->frame.info), 0);
    CHECK((to->frame.info & KOZO_INFO_DROPPED) != 0);
    CHECK(slot_is_null(host_slot_of(to, SLOT_FREE)));
}

/* FACTS: an error path that half commits. */
TEST(a_receive_that_is_refused_drops_nobody)
{
    host_boot();
    struct tcb *server = host_peer(HOST_PRIORITY), *client = host_thread(KOZO_WRITE, 0);
    CHECK_EQ(call(server, RECV, SLOT_EP), HOST_BLOCKED);
    CHECK_EQ(call(client, CALL, SLOT_EP), HOST_BLOCKED);
    CHECK_ERR(call(server, RECV, SLOT_EP, KOZO_INFO_RECV_CAPS), BUFFER);
    CHECK_PTR(server->owes, client);
    CHECK_OK(call(server, REPLY, 0, INFO(0)));
    CHECK_OK(host_error(client));
}

TEST(nothing_is_bound_to_a_thread_that_runs)
{
    host_boot();
    struct tcb *t = host_thread(0, 0);
    CHECK_ERR(call(host.init, THREAD_BIND, host_thread_slot(t), SLOT_CNODE, 0, 0, 0, SLOT_EP),
              STATE);
    CHECK_EQ(t->cspace.size, 1 << HOST_SPACE_BITS);
    CHECK(slot_is_null(&t->binding[TCB_FAULT]));
}

/* ---- faults ---- */

TEST(a_handler_without_a_buffer_loads_the_message_alone)
{
    host_boot();
    struct tcb *handler = host_peer(HOST_PRIORITY), *t = host_thread(0, 0);
    host_make(A, KOZO_KIND_ENDPOINT, 0);
    CHECK_OK(call(host.init, THREAD_SUSPEND, host_thread_slot(t)));
    CHECK_OK(call(host.init, THREAD_BIND, host_thread_slot(t), 0, 0, 0, 0, A));
    CHECK_OK(call(host.init, THREAD_RESUME, host_thread_slot(t)));
    CHECK_EQ(call(handler, RECV, A), HOST_BLOCKED);
    t->frame.deadline = 0x77;
    host_fault(t, KOZO_FAULT_PAGE, 0x1000, KOZO_READ);
    CHECK((handler->frame.info & KOZO_INFO_DROPPED) != 0);
    CHECK_OK(call(handler, REPLY, 0, INFO(KOZO_FAULT_LOAD), 0, 0, 0x401000, 0x7f000, 0));
    CHECK_EQ(t->frame.ip, 0x401000);
    CHECK_EQ(t->frame.sp, 0x7f000);
    CHECK_EQ(t->frame.deadline, 0x77);
}

/* `handler` owes a thread that faulted. */
static struct tcb *make_owing(uint64_t ep)
{
    struct tcb *handler = host_peer(HOST_PRIORITY), *t = host_thread(0, 0);

    host_make(ep, KOZO_KIND_ENDPOINT, 0);
    CHECK_OK(call(host.init, THREAD_SUSPEND, host_thread_slot(t)));
    CHECK_OK(call(host.init, THREAD_BIND, host_thread_slot(t), 0, 0, 0, 0, ep));
    CHECK_OK(call(host.init, THREAD_RESUME, host_thread_slot(t)));
    CHECK_EQ(call(handler, RECV, ep), HOST_BLOCKED);
    host_fault(t, KOZO_FAULT_PAGE, 0x1000, KOZO_READ);
    CHECK_PTR(handler->owes, t);
    return handler;
}

/*
 * Three are in the list of those that stopped; they leave it from the middle, the end and the
 * beginning. The steps that each makes as it faults go to a CNode.
 */
TEST(handlers_that_stopped_are_resumed_in_any_order)
{
    struct tcb *h[3];

    host_boot();
    for (uint32_t i = 0; i < 3; i++)
        h[i] = make_owing(A + i);
    host_make(U, KOZO_KIND_CNODE, 4);
    slot_delete(host_slot(U));
    for (uint32_t i = 0; i < 3; i++)
        host_fault(h[i], KOZO_FAULT_PAGE, 0, KOZO_READ);
    CHECK_PTR(kernel.pending.stopped, h[2]);
    CHECK_PTR(h[2]->level_next, h[1]);
    CHECK_PTR(h[1]->level_next, h[0]);
    tcb_resume(h[1]);
    CHECK_PTR(h[2]->level_next, h[0]);
    CHECK_PTR(h[0]->level_prev, h[2]);
    tcb_resume(h[0]);
    CHECK_PTR(h[2]->level_next, nullptr);
    tcb_resume(h[2]);
    CHECK_PTR(kernel.pending.stopped, nullptr);
    host_leave();
    for (uint32_t i = 0; i < 3; i++)
        CHECK_EQ(h[i]->owes->state, TCB_CALLING);
}

/* ---- threads ---- */

TEST(a_sleeper_waits_for_no_object_until_its_deadline)
{
    host_boot();
    struct tcb *t = host_peer(HOST_PRIORITY);
    CHECK_EQ(call_until(t, 12345, WAIT, 0, KOZO_INFO_DEADLINE), HOST_BLOCKED);
    CHECK_OK(call(host.init, THREAD_INFO, host_thread_slot(t)));
    CHECK_EQ(host.init->frame.reg[0], TCB_WAITING);
    CHECK_EQ(host.init->buffer->word[KOZO_THREAD_WORD_WAITS], 0);
    CHECK_EQ(host.init->buffer->word[KOZO_THREAD_WORD_DEADLINE], 12345);
}

/* What the scheduler allows its callers, though none does it now. */
TEST(two_threads_handed_to_in_one_event_both_run)
{
    host_boot();
    struct tcb *a = host_peer(HOST_PRIORITY), *b = host_peer(HOST_PRIORITY);
    CHECK_OK(call(host.init, THREAD_SUSPEND, host_thread_slot(a)));
    CHECK_OK(call(host.init, THREAD_SUSPEND, host_thread_slot(b)));
    sched_handoff(a);
    sched_handoff(b);
    CHECK_PTR(kernel.cpu.handoff, a);
    CHECK_EQ(b->state, TCB_READY);
    sched_remove(a);
    CHECK_PTR(kernel.cpu.handoff, nullptr);
    a->state = TCB_STOPPED;
    tcb_suspend(host.init, KOZO_ERR_CANCELLED); /* stopped, made ready and stopped in one event */
    tcb_resume(host.init);
    CHECK(host.init->next != nullptr);
    tcb_suspend(host.init, KOZO_ERR_CANCELLED);
    CHECK_PTR(host.init->next, nullptr);
    host_leave();
    CHECK_PTR(host_running(), b);
}

/* ---- tables ---- */

/*
 * Six tables, three of them in use for AT; the middle one goes, and the last finds something else
 * in its place.
 */
#define TABLE (SLOT_FREE + 8)
#define SPACE SLOT_SPACE
#define AT 0x40000000ull

static uint64_t map(uint64_t frame, uint64_t address)
{
    return call(host.init, MAP, SPACE, frame, address, KOZO_READ);
}

static void boot_orphan(void)
{
    host_boot();
    CHECK_OK(
        call(host.init, RETYPE, SLOT_UNTYPED, KOZO_WHAT(KOZO_KIND_PAGE_TABLE, 0), 0, TABLE, 6));
    CHECK_OK(
        call(host.init, RETYPE, SLOT_UNTYPED, KOZO_WHAT(KOZO_KIND_FRAME, KOZO_PAGE_BITS), 0, A, 3));
    host_make(U, KOZO_KIND_FRAME, KOZO_LARGE_BITS);
    for (uint64_t i = 0; i < 3; i++)
        CHECK_OK(call(host.init, SPACE_FEED, SPACE, TABLE + i));
    CHECK_OK(map(A, AT));
    CHECK_OK(call(host.init, CAP_DELETE, 0, TABLE + 1)); /* fed second: the middle one */
    for (uint64_t i = 3; i < 6; i++)
        CHECK_OK(call(host.init, SPACE_FEED, SPACE, TABLE + i));
}

static void check_orphan_can_be_fed(void)
{
    CHECK_OK(call(host.init, SPACE_FEED, SPACE, TABLE));
    CHECK_ERR(call(host.init, SPACE_FEED, SPACE, TABLE), IN_USE);
}

TEST(a_table_whose_place_is_empty_is_free)
{
    boot_orphan();
    CHECK_OK(
        map(B, AT + KOZO_LARGE_SIZE)); /* the level above is there again, its entry for AT is not */
    check_orphan_can_be_fed();
}

TEST(a_table_whose_place_a_large_page_took_is_free)
{
    boot_orphan();
    CHECK_OK(map(U, AT));
    check_orphan_can_be_fed();
    CHECK(host_can(host.init, AT, KOZO_READ));
}

TEST(a_table_whose_place_another_took_is_free)
{
    boot_orphan();
    CHECK_OK(map(B, AT));
    check_orphan_can_be_fed();
    CHECK(host_can(host.init, AT, KOZO_READ));
}
