/* SPDX-License-Identifier: MIT */
/*
 * test_invariants.c - each invariant broken on purpose, one way at a time: kernel_check() names it.
 */
#include "cap/object.h"
#include "cap/pending.h"
#include "host.h"
#include "mem/vspace.h"
#include <string.h>

#define A SLOT_FREE
#define B (SLOT_FREE + 1)
#define C (SLOT_FREE + 2)
#define U (SLOT_FREE + 3)
#define TABLE (SLOT_FREE + 4) /* up to 3 PageTables */

#define AT 0x40000000ull

/* With `value` in `place` the check panics and names the invariant; without it all is well. */
#define BREAKS(invariant, place, value)                                                            \
    do {                                                                                           \
        typeof(place) kept_ = (place);                                                             \
        (place) = (value);                                                                         \
        CHECK_PANIC("invariant " #invariant " broken", kernel_check());                            \
        (place) = kept_;                                                                           \
        host_log_forget();                                                                         \
        kernel_check();                                                                            \
    } while (0)

static uint64_t copy(uint64_t to, uint64_t from, uint64_t rights)
{
    return call(host.init, CAP_COPY, 0, to, 0, from, rights);
}

static struct cap *cap(uint64_t at) { return &host_slot(at)->cap; }

TEST(a_kernel_without_anything_is_sound)
{
    host_boot();
    memset(&kernel, 0, sizeof kernel);
    kernel_init();
    kernel_check();
}

/* ---- I1 ---- */

static void link(struct entry a, struct entry b)
{
    if (cdt_is_close(a))
        cdt_slot(a)->close_next = b;
    else
        cdt_slot(a)->open_next = b;
    if (cdt_is_close(b))
        cdt_slot(b)->close_prev = a;
    else
        cdt_slot(b)->open_prev = a;
}

TEST(a_link_without_its_reverse_is_noticed)
{
    host_boot();
    BREAKS(I1, host_slot(SLOT_EP)->open_prev, cdt_open(&kernel.root));
    BREAKS(I1, host_slot(SLOT_EP)->close_prev, cdt_open(&kernel.root));
    BREAKS(I1, kernel.root.open_prev, cdt_open(host_slot(SLOT_EP)));
}

TEST(brackets_that_cross_are_noticed)
{
    host_boot();
    CHECK_OK(copy(A, SLOT_EP, KOZO_SAME_RIGHTS));
    CHECK_OK(copy(B, SLOT_EP, KOZO_SAME_RIGHTS));
    struct slot *ep = host_slot(SLOT_EP), *a = host_slot(A), *b = host_slot(B);
    link(cdt_open(ep), cdt_open(a));
    link(cdt_open(a), cdt_open(b));
    link(cdt_open(b), cdt_close(a));
    link(cdt_close(a), cdt_close(b));
    link(cdt_close(b), cdt_close(ep));
    CHECK_PANIC("invariant I1 broken: nest[depth]", kernel_check());
}

TEST(a_tour_that_never_closes_is_noticed)
{
    host_boot();
    link(kernel.root.close_prev, cdt_open(&kernel.root));
    CHECK_PANIC("invariant I1 broken: s != &kernel.root", kernel_check());
}

TEST(a_linked_slot_without_a_kind_is_noticed)
{
    host_boot();
    BREAKS(I1, cap(SLOT_EP)->kind, KOZO_KIND_NULL);
    BREAKS(I1, cap(SLOT_EP)->kind, (enum kozo_kind)200);
    BREAKS(I1, kernel.caps, kernel.caps + 1);
}

/* ---- I2 ---- */

TEST(a_right_gained_is_noticed)
{
    host_boot();
    CHECK_OK(copy(A, SLOT_EP, KOZO_READ | 0x0f00));
    CHECK_OK(copy(B, A, KOZO_SAME_RIGHTS));
    BREAKS(I2, cap(B)->rights, KOZO_READ | KOZO_WRITE);
    BREAKS(I2, cap(B)->user_rights, 0x1f);
}

TEST(a_badge_changed_is_noticed)
{
    host_boot();
    CHECK_OK(call(host.init, CAP_MINT, 0, A, 0, SLOT_EP, KOZO_SAME_RIGHTS, 7));
    CHECK_OK(copy(B, A, KOZO_SAME_RIGHTS));
    BREAKS(I2, cap(B)->flags, 0);
    BREAKS(I2, cap(B)->a, 8);
}

TEST(a_range_of_ports_that_grew_is_noticed)
{
    host_boot();
    CHECK_OK(call(host.init, IOPORT_MINT, SLOT_IOPORT, 0x100, 0x1ff, 0, A));
    CHECK_OK(call(host.init, IOPORT_MINT, A, 0x110, 0x120, 0, B));
    BREAKS(I2, cap(B)->object, 0xffull | 0x120 << 16);
    BREAKS(I2, cap(B)->object, 0x110ull | 0x200 << 16);
}

/* Where kernel_check() looks only at links the harness still looks at the rest. */
TEST(a_right_gained_and_brackets_that_cross_are_noticed_however_deep)
{
    const uint64_t depth = 1500;

    host_boot();
    host_make(A, KOZO_KIND_CNODE, 11);
    host_seldom();
    struct slot *chain = (struct slot *)cap(A)->object;
    CHECK_OK(call(host.init, CAP_COPY, A, 1, 0, SLOT_EP, KOZO_READ | 0x0f00));
    for (uint64_t i = 2; i <= depth; i++)
        CHECK_OK(call(host.init, CAP_COPY, A, i, A, i - 1, KOZO_SAME_RIGHTS));
    host_check();
    chain[depth].cap.rights |= KOZO_GRANT;
    CHECK_FAILS("I2: a copy of a Endpoint gained rights", host_check());
    chain[depth].cap.rights = KOZO_READ;
    link(cdt_open(&chain[depth]), cdt_close(&chain[depth - 1]));
    link(cdt_close(&chain[depth - 1]), cdt_close(&chain[depth]));
    link(cdt_close(&chain[depth]), cdt_close(&chain[depth - 2]));
    kernel_check();
    CHECK_FAILS("I1: the tour does not nest like brackets", host_check());
}

/* ---- I3 ---- */

TEST(an_object_outside_its_untyped_is_noticed)
{
    host_boot();
    host_make(U, KOZO_KIND_UNTYPED, 16);
    CHECK_OK(call(host.init, RETYPE, U, KOZO_WHAT(KOZO_KIND_FRAME, KOZO_PAGE_BITS), 0, A, 1));
    BREAKS(I3, cap(A)->object, cap(U)->object - KOZO_PAGE_SIZE);
    BREAKS(I3, cap(A)->object, cap(U)->a);
}

TEST(marks_outside_their_untyped_are_noticed)
{
    host_boot();
    host_make(U, KOZO_KIND_UNTYPED, 16);
    CHECK_OK(call(host.init, RETYPE, U, KOZO_WHAT(KOZO_KIND_FRAME, KOZO_PAGE_BITS), 0, A, 1));
    BREAKS(I3, cap(U)->a, cap(U)->object - 1);
    BREAKS(I3, cap(U)->a, cap(U)->object + (1 << 16) + 1);
    BREAKS(I3, cap(U)->b, cap(U)->object + (1 << 16) + 1);
    CHECK_OK(call(host.init, CAP_DELETE, 0, A));
    BREAKS(I3, cap(U)->a, cap(U)->object + KOZO_PAGE_SIZE); /* childless, and not whole */
    BREAKS(I3, kernel.bytes_free, kernel.bytes_free + 1);
}

/* ---- I4 ---- */

TEST(a_capability_to_what_is_not_there_is_noticed)
{
    host_boot();
    struct tcb *t = host_peer(HOST_PRIORITY);
    CHECK_OK(call(host.init, POOL_SPLIT, SLOT_POOL, 0, A, 3));
    BREAKS(I4, t->state, TCB_FREE);
    BREAKS(I4, kernel.pools.pool[cap(A)->object].live, false);
    BREAKS(I4, kernel.pending.zombie_count, 1);
}

TEST(threads_that_do_not_add_up_are_noticed)
{
    host_boot();
    struct tcb *t = host_peer(HOST_PRIORITY);
    CHECK_OK(call(host.init, CAP_DELETE, 0, host_thread_slot(t)));
    CHECK_PTR(kernel.pools.tcb_free, t);
    BREAKS(I4, t->state, TCB_STOPPED);
    BREAKS(I4, kernel.pools.tcb_count, kernel.pools.tcb_count + 1);
    BREAKS(I4, kernel.pools.tcb_free, nullptr);
    BREAKS(I4, kernel.pools.pool[0].free, CONFIG_MAX_THREADS);
}

TEST(a_thread_that_remembers_what_is_not_bound_is_noticed)
{
    host_boot();
    struct tcb *t = host_thread(KOZO_READ, 0);
    CHECK_OK(call(host.init, THREAD_SUSPEND, host_thread_slot(t)));
    BREAKS(I4, t->root, 0);
    BREAKS(I4, t->cspace.size, 0);
    BREAKS(I4, t->buffer, nullptr);
}

/* A thread that is none of the kernel's, alone in its ring. */
static struct tcb stranger;

static struct tcb *stranger_in(enum tcb_state state, uint8_t priority)
{
    stranger =
        (struct tcb){ .state = state, .priority = priority, .next = &stranger, .prev = &stranger };
    return &stranger;
}

TEST(a_queue_of_turns_that_leads_astray_is_noticed)
{
    host_boot();
    struct tcb *first = host_peer(HOST_PRIORITY), *last = host_peer(HOST_PRIORITY);
    struct tcb *other = host_peer(HOST_PRIORITY);
    pending_ask(first);
    pending_ask(last);
    BREAKS(I4, kernel.pending.asker, nullptr);
    BREAKS(I4, kernel.pending.asker, last);
    BREAKS(I4, kernel.pending.last_asker, first);
    BREAKS(I4, first->asks.queued, false);
    BREAKS(I4, last->asks.prev, nullptr);
    BREAKS(I4, other->asks.queued, true);
    BREAKS(I4, last->asks.next, stranger_in(TCB_FREE, 0));
}

/* ---- I5 ---- */

TEST(a_sender_that_is_not_queued_is_noticed)
{
    host_boot();
    struct tcb *t = host_thread(KOZO_WRITE, 0);
    CHECK_EQ(call(t, CALL, SLOT_EP), HOST_BLOCKED);
    BREAKS(I5, host_endpoint()->senders.head, nullptr);
    BREAKS(I5, host_endpoint()->senders.head, stranger_in(TCB_SENDING, 0));
    BREAKS(I5, host_endpoint()->receivers.head, stranger_in(TCB_RECEIVING, 0));
}

TEST(a_receiver_that_is_not_queued_is_noticed)
{
    host_boot();
    struct tcb *t = host_thread(KOZO_READ, 0);
    CHECK_EQ(call(t, RECV, SLOT_EP), HOST_BLOCKED);
    BREAKS(I5, host_endpoint()->receivers.head, nullptr);
    BREAKS(I5, host_endpoint()->senders.head, stranger_in(TCB_SENDING, 0));
}

TEST(a_waiter_that_is_not_queued_is_noticed)
{
    host_boot();
    struct tcb *t = host_thread(KOZO_READ, 0), *sleeper = host_thread(0, 0);
    CHECK_EQ(call(t, WAIT, SLOT_NTFN), HOST_BLOCKED);
    BREAKS(I5, host_ntfn()->waiters.head, nullptr);
    CHECK_EQ(call_until(sleeper, 1000, WAIT, 0, KOZO_INFO_DEADLINE), HOST_BLOCKED);
    BREAKS(I5, sleeper->timer_index, 0);
}

TEST(a_caller_without_just_one_reply_right_is_noticed)
{
    host_boot();
    struct tcb *server = host_thread(KOZO_READ, 0), *client = host_thread(KOZO_WRITE, 0);
    call(server, RECV, SLOT_EP);
    CHECK_EQ(call(client, CALL, SLOT_EP), HOST_BLOCKED);
    BREAKS(I5, client->replier.slot, host_slot(A));
    BREAKS(I5, client->replier.server, nullptr);
    BREAKS(I5, server->owes, nullptr);
    BREAKS(I5, server->owes, host.init);
    BREAKS(I5, host.init->owes, client);
    BREAKS(I5, server->replier.server, client);
    BREAKS(I5, server->replier.slot, host_slot(A));
}

TEST(a_saved_reply_right_to_no_caller_is_noticed)
{
    host_boot();
    struct tcb *server = host_thread(KOZO_READ, 0), *client = host_thread(KOZO_WRITE, 0);
    call(server, RECV, SLOT_EP);
    CHECK_EQ(call(client, CALL, SLOT_EP), HOST_BLOCKED);
    CHECK_OK(call(server, REPLY_SAVE, 0, SLOT_FREE));
    BREAKS(I5, client->state, TCB_STOPPED);
    BREAKS(I5, client->replier.slot, host_slot(A));
}

TEST(a_deadline_that_is_not_in_the_heap_is_noticed)
{
    host_boot();
    struct tcb *t = host_thread(0, 0);
    CHECK_EQ(call_until(t, 1000, WAIT, 0, KOZO_INFO_DEADLINE), HOST_BLOCKED);
    BREAKS(I5, kernel.timers.heap[0], host.init);
    BREAKS(I5, t->slow, 0);
    BREAKS(I5, host.init->timer_index, 1);
}

TEST(a_binding_that_is_not_mutual_is_noticed)
{
    host_boot();
    CHECK_OK(call(host.init, THREAD_BIND_NTFN, SLOT_THREAD, SLOT_NTFN));
    BREAKS(I5, host_ntfn()->bound, nullptr);
}

TEST(a_ready_thread_that_cannot_run_is_noticed)
{
    host_boot();
    struct tcb *t = host_peer(HOST_PRIORITY);
    BREAKS(I5, t->root, 0);
    BREAKS(I5, t->next, nullptr);
    CHECK_OK(call(host.init, THREAD_SUSPEND, host_thread_slot(t)));
    BREAKS(I5, t->next, t);
}

TEST(a_ready_queue_with_the_wrong_threads_is_noticed)
{
    host_boot();
    kernel.sched.ready[200] = stranger_in(TCB_STOPPED, 200);
    kernel.sched.bitmap[200 / 64] |= 1ull << 200 % 64;
    CHECK_PANIC("invariant I5 broken: t->state == TCB_READY", kernel_check());
    stranger.state = TCB_READY;
    stranger.priority = 201;
    CHECK_PANIC("invariant I5 broken: t->state == TCB_READY", kernel_check());
    stranger.priority = 200;
    stranger.prev = nullptr;
    CHECK_PANIC("invariant I5 broken: t->state == TCB_READY", kernel_check());
    stranger.prev = &stranger;
    kernel.sched.top = 200;
    CHECK_PANIC("invariant I5 broken: ready == others", kernel_check()); /* no thread of ours */
}

/* ---- I6 ---- */

TEST(a_map_of_priorities_that_lies_is_noticed)
{
    host_boot();
    struct tcb *t = host_peer(150);
    BREAKS(I6, kernel.sched.bitmap[3], 1);
    BREAKS(I6, kernel.sched.bitmap[150 / 64], 0);
    BREAKS(I6, kernel.sched.top, 100);
    BREAKS(I6, kernel.cpu.handoff, t);
    BREAKS(I6, kernel.cpu.current->priority, 151);
}

TEST(an_idle_processor_with_work_is_noticed)
{
    host_boot();
    CHECK_EQ(call_until(host.init, 1000, WAIT, 0, KOZO_INFO_DEADLINE), HOST_BLOCKED);
    CHECK(host_is_idle());
    BREAKS(I6, kernel.idle_tcb.state, TCB_STOPPED);
}

/* ---- I7 ---- */

static pte *leaf_of(struct paddr root, uint64_t address)
{
    pte *table = arch_ram(root);

    for (uint32_t level = PTE_LEVELS; level > 1; level--)
        table = arch_ram(pte_addr(table[pte_index(address, level)]));
    return &table[pte_index(address, 1)];
}

TEST(a_page_that_no_frame_accounts_for_is_noticed)
{
    host_boot();
    CHECK_OK(
        call(host.init, RETYPE, SLOT_UNTYPED, KOZO_WHAT(KOZO_KIND_PAGE_TABLE, 0), 0, TABLE, 3));
    for (uint64_t i = 0; i < 3; i++)
        CHECK_OK(call(host.init, SPACE_FEED, SLOT_SPACE, TABLE + i));
    host_make(A, KOZO_KIND_FRAME, KOZO_PAGE_BITS);
    CHECK_OK(call(host.init, MAP, SLOT_SPACE, A, AT, KOZO_READ));
    pte *leaf = leaf_of(vspace_root(cap(SLOT_SPACE)), AT);
    BREAKS(I7, cap(A)->flags, 0);
    BREAKS(I7, *leaf,
           pte_leaf((struct paddr){ cap(A)->object }, 1, KOZO_WRITE | KOZO_EXECUTE, false));
}

/* ---- I8 ---- */

TEST(a_line_open_without_a_handler_is_noticed)
{
    host_boot();
    BREAKS(I8, kernel.irqs.line[3].unmasked, true);
    BREAKS(I8, kernel.irqs.line[ARCH_IRQ_LINES - 1].unmasked, true);
}
