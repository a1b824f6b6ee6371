/* SPDX-License-Identifier: MIT */
/*
 * test_pending.c - destruction in steps: revokes of every shape, zombies, preemption, victims that
 * revoke.
 */
#include "cap/object.h"
#include "cap/untyped.h"
#include "host.h"

#define A SLOT_FREE
#define B (SLOT_FREE + 1)
#define C (SLOT_FREE + 2)
#define U (SLOT_FREE + 3)
#define BIG (SLOT_FREE + 4)
#define MANY (SLOT_FREE + 16)

#define BIG_BITS 17u
#define LARGE 100'000u

static uint64_t copy(uint64_t cnode, uint64_t to, uint64_t from_cnode, uint64_t from)
{
    return call(host.init, CAP_COPY, cnode, to, from_cnode, from, KOZO_SAME_RIGHTS);
}

/* A world with a CNode of 131072 slots in BIG, checked seldom. */
static void boot_large(void)
{
    host_boot();
    host_make(BIG, KOZO_KIND_CNODE, BIG_BITS);
    host_seldom();
}

static uint64_t pool_free_threads(uint64_t pool)
{
    CHECK_OK(call(host.init, POOL_INFO, pool));
    return host.init->frame.reg[0];
}

/* ---- shapes ---- */

TEST(a_star_of_100000_is_revoked)
{
    boot_large();
    uint64_t caps = kernel.caps;
    for (uint64_t i = 1; i <= LARGE; i++)
        CHECK_OK(copy(BIG, i, 0, SLOT_EP));
    CHECK_EQ(kernel.caps, caps + LARGE);
    host_check();
    CHECK_OK(call(host.init, CAP_REVOKE, 0, SLOT_EP));
    CHECK_EQ(kernel.caps, caps);
    CHECK_EQ(host_kind(SLOT_EP), KOZO_KIND_ENDPOINT);
    host_check();
}

TEST(a_chain_of_100000_is_revoked)
{
    boot_large();
    uint64_t caps = kernel.caps;
    CHECK_OK(copy(BIG, 1, 0, SLOT_EP));
    for (uint64_t i = 2; i <= LARGE; i++)
        CHECK_OK(copy(BIG, i, BIG, i - 1));
    host_check();
    CHECK_OK(call(host.init, CAP_REVOKE, BIG, LARGE / 2)); /* the lower half */
    CHECK_EQ(kernel.caps, caps + LARGE / 2);
    CHECK_OK(call(host.init, CAP_REVOKE, 0, SLOT_EP));
    CHECK_EQ(kernel.caps, caps);
    host_check();
}

TEST(a_comb_of_100000_is_revoked)
{
    boot_large();
    uint64_t caps = kernel.caps;
    CHECK_OK(copy(BIG, 1, 0, SLOT_EP));
    for (uint64_t i = 2; i <= LARGE; i += 2) {
        CHECK_OK(copy(BIG, i, BIG, i - 1));                  /* a tooth */
        if (i < LARGE)
            CHECK_OK(copy(BIG, i + 1, BIG, i - 1));          /* the back goes on */
    }
    host_check();
    CHECK_OK(call(host.init, CAP_REVOKE, 0, SLOT_EP));
    CHECK_EQ(kernel.caps, caps);
    host_check();
}

TEST(a_cnode_of_100000_capabilities_is_destroyed_with_them)
{
    boot_large();
    uint64_t caps = kernel.caps;
    for (uint64_t i = 1; i <= LARGE; i++)
        CHECK_OK(copy(BIG, i, 0, SLOT_EP));
    CHECK_OK(call(host.init, CAP_DELETE, 0, BIG));
    CHECK_EQ(kernel.caps, caps - 1);
    host_check();
}

/*
 * DESIGN 9: costs stay flat. A derive and a delete in the crowd take as many links as alone; here:
 * they stay right.
 */
TEST(copy_and_delete_in_a_crowd_touch_nobody_else)
{
    boot_large();
    for (uint64_t i = 1; i <= LARGE; i++)
        CHECK_OK(copy(BIG, i, 0, SLOT_EP));
    uint64_t caps = kernel.caps;
    for (uint64_t i = 0; i < 1000; i++) {
        CHECK_OK(copy(0, A, BIG, 1 + i * 97));
        CHECK_OK(call(host.init, CAP_DELETE, 0, A));
    }
    CHECK_EQ(kernel.caps, caps);
    host_check();
}

TEST(a_revoke_reaches_across_cnodes)
{
    host_boot();
    host_make(A, KOZO_KIND_CNODE, 3);
    host_make(B, KOZO_KIND_CNODE, 3);
    CHECK_OK(copy(A, 1, 0, SLOT_EP));
    CHECK_OK(copy(B, 1, A, 1));
    CHECK_OK(copy(A, 2, B, 1));
    CHECK_OK(copy(0, C, A, 2));
    CHECK_OK(call(host.init, CAP_REVOKE, A, 1));
    CHECK_OK(call(host.init, CAP_VERIFY, B, 1));
    CHECK_EQ(host.init->frame.reg[0], KOZO_KIND_NULL);
    CHECK_EQ(host_kind(C), KOZO_KIND_NULL);
    CHECK_OK(call(host.init, CAP_VERIFY, A, 1));
    CHECK_EQ(KOZO_VERIFY_KIND(host.init->frame.reg[0]), KOZO_KIND_ENDPOINT);
}

TEST(a_revoke_spares_siblings_and_ancestors)
{
    host_boot();
    CHECK_OK(copy(0, A, 0, SLOT_EP));
    CHECK_OK(copy(0, B, 0, SLOT_EP));
    CHECK_OK(copy(0, C, 0, A));
    CHECK_OK(call(host.init, CAP_REVOKE, 0, A));
    CHECK_EQ(host_kind(A), KOZO_KIND_ENDPOINT);
    CHECK_EQ(host_kind(B), KOZO_KIND_ENDPOINT);
    CHECK_EQ(host_kind(C), KOZO_KIND_NULL);
    CHECK_EQ(host_kind(SLOT_EP), KOZO_KIND_ENDPOINT);
}

/* ---- CNodes in CNodes ---- */

TEST(a_cnode_that_holds_itself_is_destroyed)
{
    host_boot();
    host_make(U, KOZO_KIND_UNTYPED, 12);
    CHECK_OK(call(host.init, RETYPE, U, KOZO_WHAT(KOZO_KIND_CNODE, 3), 0, A, 1));
    CHECK_OK(copy(A, 1, 0, SLOT_EP));
    CHECK_OK(call(host.init, CAP_MOVE, A, 2, 0, A)); /* its only capability */
    uint64_t caps = kernel.caps;
    CHECK_OK(call(host.init, CAP_REVOKE, 0, U));
    CHECK_EQ(kernel.caps, caps - 2);
    CHECK_OK(call(host.init, UNTYPED_INFO, U));
    CHECK_EQ(host.init->frame.reg[1], 4096);
}

TEST(a_copy_of_a_cnode_inside_itself_keeps_it_alive_until_revoked)
{
    host_boot();
    host_make(U, KOZO_KIND_UNTYPED, 12);
    CHECK_OK(call(host.init, RETYPE, U, KOZO_WHAT(KOZO_KIND_CNODE, 3), 0, A, 1));
    CHECK_OK(copy(A, 2, 0, A));
    CHECK_OK(copy(A, 3, 0, SLOT_EP));
    CHECK_OK(call(host.init, CAP_DELETE, 0, A));
    CHECK(!pending_any());
    CHECK_OK(call(host.init, CAP_REVOKE, 0, U));
    CHECK_OK(call(host.init, UNTYPED_INFO, U));
    CHECK_EQ(host.init->frame.reg[1], 4096);
}

TEST(two_cnodes_that_hold_each_other_are_destroyed)
{
    host_boot();
    host_make(U, KOZO_KIND_UNTYPED, 12);
    CHECK_OK(call(host.init, RETYPE, U, KOZO_WHAT(KOZO_KIND_CNODE, 3), 0, A, 2));
    struct slot *b = (struct slot *)host_slot(B)->cap.object;
    CHECK_OK(call(host.init, CAP_MOVE, A, 1, 0, B));
    slot_move(&b[1], host_slot(A));
    CHECK_OK(call(host.init, CAP_REVOKE, 0, U));
    CHECK_OK(call(host.init, UNTYPED_INFO, U));
    CHECK_EQ(host.init->frame.reg[1], 4096);
    CHECK(!pending_any());
}

/* FACTS: recursion over CNodes inside CNodes. Each holds the only capability to the next. */
TEST(cnodes_nested_20000_deep_are_destroyed_one_slot_a_step)
{
    const uint64_t depth = 20'000;

    host_boot();
    host_make(U, KOZO_KIND_UNTYPED, 22);
    uint64_t caps = kernel.caps;
    CHECK_OK(call(host.init, RETYPE, U, KOZO_WHAT(KOZO_KIND_CNODE, 1), 0, A, 1));
    host_seldom();
    for (uint64_t i = 1; i < depth; i++) { /* a new outermost one, with the old in it */
        CHECK_OK(call(host.init, RETYPE, U, KOZO_WHAT(KOZO_KIND_CNODE, 1), 0, B, 1));
        CHECK_OK(call(host.init, CAP_MOVE, B, 1, 0, A));
        CHECK_OK(call(host.init, CAP_MOVE, 0, A, 0, B));
    }
    host_check();
    CHECK_OK(call_preempted(1, host.init, CAP_DELETE, 0, A));
    CHECK_EQ(kernel.caps, caps);
    CHECK(host.rewinds >= depth / PENDING_BATCH);
    host_check();
}

TEST(an_untyped_is_not_reset_under_a_zombie)
{
    host_boot();
    host_make(U, KOZO_KIND_UNTYPED, 13);
    CHECK_OK(call(host.init, RETYPE, U, KOZO_WHAT(KOZO_KIND_CNODE, 6), 0, A, 1));
    slot_delete(host_slot(A));
    host_leave();
    for (uint32_t i = 0; i < 40; i++) {
        CHECK(pending_step());
        CHECK_EQ(host_slot(U)->cap.a, host_slot(U)->cap.object + 4096);
        host_leave();
    }
    host_idle();
    CHECK_EQ(host_slot(U)->cap.a, host_slot(U)->cap.object);
}

/*
 * Whoever retypes what a zombie lies in first waits for its memory, though it is no capability's
 * any more.
 */
TEST(a_zombie_can_be_revoked_from_above)
{
    host_boot();
    host_make(U, KOZO_KIND_UNTYPED, 13);
    CHECK_OK(call(host.init, RETYPE, U, KOZO_WHAT(KOZO_KIND_CNODE, 6), 0, A, 1));
    CHECK_OK(copy(A, 63, 0, SLOT_EP));
    slot_delete(host_slot(A));
    host_leave();
    CHECK(pending_any());
    CHECK_OK(call(host.init, CAP_REVOKE, 0, U));
    CHECK(!pending_any());
    CHECK_EQ(host_slot(U)->cap.a, host_slot(U)->cap.object);
}

/* ---- preemption ---- */

TEST(a_preempted_revoke_goes_on_where_it_was)
{
    host_boot();
    for (uint64_t i = 0; i < 80; i++)
        CHECK_OK(copy(0, MANY + i, 0, SLOT_EP));
    uint64_t caps = kernel.caps;
    CHECK_OK(call_preempted(1, host.init, CAP_REVOKE, 0, SLOT_EP));
    CHECK_EQ(kernel.caps, caps - 80);
    CHECK_EQ(host.rewinds, 80 / PENDING_BATCH);
}

static uint64_t between_calls;

static void move_the_root(void)
{
    if (between_calls++ == 1)
        CHECK_OK(call(host_slot(A)->cap.kind == KOZO_KIND_THREAD
                          ? (struct tcb *)host_slot(A)->cap.object
                          : nullptr,
                      CAP_MOVE, 0, B, 0, SLOT_EP));
}

TEST(a_revoke_follows_its_root_when_that_is_moved)
{
    host_boot();
    between_calls = 0;
    struct tcb *other = host_peer(HOST_PRIORITY);
    CHECK_OK(call(host.init, CAP_COPY, 0, A, 0, host_thread_slot(other), KOZO_SAME_RIGHTS));
    for (uint64_t i = 0; i < 80; i++)
        CHECK_OK(copy(0, MANY + i, 0, SLOT_EP));
    host.between = move_the_root;
    uint64_t caps = kernel.caps;
    CHECK_OK(call_preempted(1, host.init, CAP_REVOKE, 0, SLOT_EP));
    CHECK_EQ(kernel.caps, caps - 80);
    CHECK_EQ(host_kind(SLOT_EP), KOZO_KIND_NULL);
    CHECK_EQ(host_kind(B), KOZO_KIND_ENDPOINT);
}

/* What was moved away under a preempted revoke, and another capability put there, is left alone. */
static void replace_the_root(void)
{
    if (between_calls++ == 1) {
        struct tcb *other = (struct tcb *)host_slot(A)->cap.object;
        CHECK_OK(call(other, CAP_MOVE, 0, B, 0, SLOT_EP));
        CHECK_OK(call(other, CAP_COPY, 0, SLOT_EP, 0, SLOT_NTFN, KOZO_SAME_RIGHTS));
        CHECK_OK(call(other, CAP_COPY, 0, C, 0, SLOT_EP, KOZO_SAME_RIGHTS));
    }
}

TEST(a_preempted_revoke_names_no_slot_twice)
{
    host_boot();
    between_calls = 0;
    struct tcb *other = host_peer(HOST_PRIORITY);
    CHECK_OK(call(host.init, CAP_COPY, 0, A, 0, host_thread_slot(other), KOZO_SAME_RIGHTS));
    for (uint64_t i = 0; i < 80; i++)
        CHECK_OK(copy(0, MANY + i, 0, SLOT_EP));
    host.between = replace_the_root;
    CHECK_OK(call_preempted(1, host.init, CAP_REVOKE, 0, SLOT_EP));
    CHECK_EQ(host_kind(SLOT_EP), KOZO_KIND_NOTIFICATION);
    CHECK_EQ(host_kind(C), KOZO_KIND_NOTIFICATION);
    for (uint64_t i = 0; i < 80; i++)
        CHECK_EQ(host_kind(MANY + i), KOZO_KIND_NULL);
}

static void delete_the_root(void)
{
    if (between_calls++ == 1)
        slot_delete(host_slot(A));
}

TEST(a_revoke_whose_root_is_deleted_still_ends)
{
    host_boot();
    between_calls = 0;
    CHECK_OK(copy(0, A, 0, SLOT_EP));
    for (uint64_t i = 0; i < 80; i++)
        CHECK_OK(copy(0, MANY + i, 0, A));
    host.between = delete_the_root;
    uint64_t caps = kernel.caps;
    CHECK_OK(call_preempted(1, host.init, CAP_REVOKE, 0, A));
    CHECK_EQ(kernel.caps, caps - 81);
    CHECK_EQ(host_kind(SLOT_EP), KOZO_KIND_ENDPOINT);
}

static void revoke_something_else(void)
{
    if (between_calls++ == 1) {
        CHECK(pending_any());
        CHECK_OK(call((struct tcb *)host_slot(A)->cap.object, CAP_REVOKE, 0, SLOT_NTFN));
        CHECK(!pending_any()); /* the first one's work was done first */
        CHECK_EQ(host_kind(B), KOZO_KIND_NULL);
    }
}

TEST(a_second_revoke_finishes_the_first)
{
    host_boot();
    between_calls = 0;
    struct tcb *other = host_peer(HOST_PRIORITY);
    CHECK_OK(call(host.init, CAP_COPY, 0, A, 0, host_thread_slot(other), KOZO_SAME_RIGHTS));
    CHECK_OK(copy(0, B, 0, SLOT_NTFN));
    for (uint64_t i = 0; i < 64; i++)
        CHECK_OK(copy(0, MANY + i, 0, SLOT_EP));
    host.between = revoke_something_else;
    CHECK_OK(call_preempted(1, host.init, CAP_REVOKE, 0, SLOT_EP));
    CHECK(between_calls >= 2);
}

TEST(idle_time_is_used_for_what_is_pending)
{
    host_boot();
    host_make(A, KOZO_KIND_CNODE, 7);
    slot_delete(host_slot(A));
    host_leave();
    CHECK(pending_any());
    CHECK_EQ(call(host.init, WAIT, SLOT_NTFN, 0), HOST_BLOCKED);
    CHECK(host_is_idle());
    CHECK(!pending_any());
}

TEST(an_interrupt_ends_the_use_of_idle_time)
{
    host_boot();
    host_make(A, KOZO_KIND_CNODE, 10);
    slot_delete(host_slot(A));
    host_leave();
    host_preempt(3, 0);
    CHECK_EQ(call(host.init, WAIT, SLOT_NTFN, 0),
             HOST_BLOCKED); /* which also takes that interrupt */
    CHECK(!pending_any());
    CHECK(machine.irq_checks >= 3);
}

/* ---- nobody outruns a revoke ---- */

#define DERIVERS 64u
static struct tcb *deriver[DERIVERS];
static uint64_t derived;

static void all_derive(void)
{
    for (uint32_t i = 0; i < DERIVERS; i++)
        if (call(deriver[i], CAP_COPY, BIG, 20'000 + derived, BIG, 1, KOZO_SAME_RIGHTS) == KOZO_OK)
            derived++;
}

TEST(a_revoke_ends_though_64_threads_derive_without_pause)
{
    const uint64_t children = 4096;

    boot_large();
    derived = 0;
    for (uint32_t i = 0; i < DERIVERS; i++)
        deriver[i] = host_peer(HOST_PRIORITY);
    CHECK_OK(copy(BIG, 1, 0, SLOT_EP)); /* the eldest: deleted last */
    for (uint64_t i = 2; i <= children; i++)
        CHECK_OK(copy(BIG, i, 0, SLOT_EP));
    uint64_t caps = kernel.caps;
    host.between = all_derive;
    CHECK_OK(call_preempted(1, host.init, CAP_REVOKE, 0, SLOT_EP));
    CHECK(derived > 1000);
    CHECK(host.rewinds <= children / PENDING_BATCH + 1); /* each derivation paid for itself */
    CHECK_EQ(kernel.caps, caps - children);
    host_check();
}

static void retype_many(void)
{
    for (uint32_t i = 0; i < 4; i++)
        if (call(deriver[0], RETYPE, C, KOZO_WHAT(KOZO_KIND_UNTYPED, 6), BIG, 20'000 + derived,
                 16) == KOZO_OK)
            derived += 16;
}

TEST(a_call_that_fills_many_slots_pays_for_all_of_them)
{
    boot_large();
    derived = 0;
    deriver[0] = host_peer(HOST_PRIORITY);
    host_make(U, KOZO_KIND_UNTYPED, 20);
    CHECK_OK(
        call(host.init, RETYPE, U, KOZO_WHAT(KOZO_KIND_UNTYPED, 19), 0, C, 1)); /* the eldest */
    for (uint64_t i = 1; i <= 1024; i++)
        CHECK_OK(call(host.init, RETYPE, U, KOZO_WHAT(KOZO_KIND_UNTYPED, 6), BIG, i, 1));
    host.between = retype_many;
    CHECK_OK(call_preempted(1, host.init, CAP_REVOKE, 0, U));
    CHECK(derived > 100);
    CHECK(host.rewinds <= 1024 / PENDING_BATCH + 1);
    CHECK(!cdt_has_children(host_slot(U)));
    host_check();
}

/* ---- victims that revoke ---- */

TEST(a_thread_that_revokes_itself_does_not_return)
{
    host_boot();
    uint64_t threads = pool_free_threads(SLOT_POOL);
    CHECK_OK(call(host.init, POOL_SPLIT, SLOT_POOL, 0, A, 2));
    CHECK_OK(call(host.init, THREAD_CREATE, A, 0, B, 0, HOST_PRIORITY));
    CHECK_OK(call(host.init, THREAD_BIND, B, SLOT_CNODE, SLOT_SPACE, 0, 0, 0));
    CHECK_OK(call(host.init, THREAD_START, B, HOST_ENTRY, 0, 0, 0));
    struct tcb *t = (struct tcb *)host_slot(B)->cap.object;
    CHECK_EQ(call(t, CAP_REVOKE, 0, A), HOST_ENDED);
    CHECK_EQ(t->state, TCB_FREE);
    CHECK_PTR(host_running(), host.init);
    CHECK_EQ(host_kind(B), KOZO_KIND_NULL);
    CHECK_EQ(pool_free_threads(A), 2);
    CHECK_OK(call(host.init, CAP_DELETE, 0, A));
    CHECK_EQ(pool_free_threads(SLOT_POOL), threads);
}

TEST(a_revoke_goes_on_after_its_caller_was_its_victim)
{
    host_boot();
    CHECK_OK(call(host.init, POOL_SPLIT, SLOT_POOL, 0, A, 40));
    for (uint64_t i = 0; i < 40; i++) /* the youngest goes first */
        CHECK_OK(call(host.init, THREAD_CREATE, A, 0, MANY + i, 0, HOST_PRIORITY));
    uint64_t self = MANY + 39;
    CHECK_OK(call(host.init, THREAD_BIND, self, SLOT_CNODE, SLOT_SPACE, 0, 0, 0));
    CHECK_OK(call(host.init, THREAD_START, self, HOST_ENTRY, 0, 0, 0));
    struct tcb *t = (struct tcb *)host_slot(self)->cap.object;
    CHECK_EQ(call_preempted(1, t, CAP_REVOKE, 0, A), HOST_ENDED);
    CHECK(pending_any()); /* the kernel's now */
    CHECK_OK(call(host.init, FINISH));
    CHECK_EQ(pool_free_threads(A), 40);
}

/* The Untyped it revokes lies in its own CNode, which was carved from that Untyped. */
TEST(a_thread_can_revoke_the_ground_it_stands_on)
{
    host_boot();
    host_make(U, KOZO_KIND_UNTYPED, 13);
    CHECK_OK(call(host.init, RETYPE, U, KOZO_WHAT(KOZO_KIND_CNODE, 4), 0, A, 1));
    struct tcb *t = host_peer(HOST_PRIORITY);
    CHECK_OK(call(host.init, THREAD_SUSPEND, host_thread_slot(t)));
    CHECK_OK(call(host.init, THREAD_BIND, host_thread_slot(t), A, 0, 0, 0, 0));
    CHECK_OK(call(host.init, THREAD_RESUME, host_thread_slot(t)));
    CHECK_OK(call(host.init, CAP_MOVE, A, 3, 0, U));
    CHECK_OK(call(t, CAP_REVOKE, 0, 3));
    CHECK(!pending_any());
    CHECK_EQ(t->cspace.size, 0);
    CHECK_EQ(host_kind(A), KOZO_KIND_NULL);
    CHECK_ERR(call(t, CAP_VERIFY, 0, 3), ADDRESS);
}

TEST(a_thread_can_revoke_its_own_space_and_stops)
{
    host_boot();
    host_make(U, KOZO_KIND_UNTYPED, 14);
    CHECK_OK(call(host.init, RETYPE, U, KOZO_WHAT(KOZO_KIND_ADDRESS_SPACE, 0), 0, A, 1));
    struct tcb *t = host_peer(HOST_PRIORITY);
    CHECK_OK(call(host.init, THREAD_SUSPEND, host_thread_slot(t)));
    CHECK_OK(call(host.init, THREAD_BIND, host_thread_slot(t), 0, A, 0, 0, 0));
    CHECK_OK(call(host.init, THREAD_RESUME, host_thread_slot(t)));
    CHECK_EQ(call(t, CAP_REVOKE, 0, U), HOST_BLOCKED);
    CHECK_EQ(t->state, TCB_STOPPED);
    CHECK_EQ(t->root, 0);
    CHECK_ERR(call(host.init, THREAD_RESUME, host_thread_slot(t)), STATE);
}

/*
 * A pool under revoke and the pool it was split from go together, by a thread that is made from
 * them.
 */
TEST(a_revoked_pool_that_goes_with_its_parent_pool_is_gone)
{
    host_boot();
    uint64_t threads = pool_free_threads(SLOT_POOL);
    host_make(C, KOZO_KIND_CNODE, 3);
    CHECK_OK(call(host.init, POOL_SPLIT, SLOT_POOL, 0, A, 8));
    CHECK_OK(call(host.init, POOL_SPLIT, A, 0, B, 4));
    CHECK_OK(call(host.init, THREAD_CREATE, B, 0, MANY + 1, 0, HOST_PRIORITY));
    CHECK_OK(call(host.init, THREAD_CREATE, B, 0, MANY, 0, HOST_PRIORITY));
    CHECK_OK(call(host.init, THREAD_BIND, MANY, C, SLOT_SPACE, 0, 0, 0));
    CHECK_OK(call(host.init, THREAD_START, MANY, HOST_ENTRY, 0, 0, 0));
    struct tcb *t = (struct tcb *)host_slot(MANY)->cap.object;
    CHECK_OK(call(host.init, CAP_MOVE, C, 1, 0, B));
    CHECK_OK(call(host.init, CAP_MOVE, C, 2, 0, A));
    CHECK_OK(call(host.init, CAP_DELETE, 0, C)); /* its binding is the last */
    CHECK_EQ(call(t, CAP_REVOKE, 0, 1), HOST_ENDED);
    CHECK_OK(call(host.init, FINISH));
    CHECK_EQ(pool_free_threads(SLOT_POOL), threads);
}

/* ---- calls whose payment destroys what they are about ---- */

/* `n` pending copies of SLOT_NTFN in front of what is derived from `root`: the revoke under way. */
static void begin_revoke(uint64_t root)
{
    pending_revoke(host_slot(root));
    host_leave();
}

TEST(a_reply_whose_caller_goes_while_it_pays_finds_nobody)
{
    host_boot();
    struct tcb *server = host_thread(KOZO_READ | KOZO_GRANT, 0);
    CHECK_OK(call(host.init, POOL_SPLIT, SLOT_POOL, 0, A, 1));
    CHECK_OK(call(host.init, THREAD_CREATE, A, 0, B, 0, HOST_PRIORITY));
    CHECK_OK(call(host.init, THREAD_BIND, B, SLOT_CNODE, SLOT_SPACE, 0, 0, 0));
    CHECK_OK(call(host.init, THREAD_START, B, HOST_ENTRY, 0, 0, 0));
    struct tcb *client = (struct tcb *)host_slot(B)->cap.object;
    call(server, RECV, SLOT_EP);
    CHECK_EQ(call(client, CALL, SLOT_EP, INFO(0)), HOST_BLOCKED);
    begin_revoke(A);
    CHECK_ERR(call(server, REPLY, 0, INFO(0) | INFO_CAPS(1)), NOREPLY);
    CHECK_EQ(client->state, TCB_FREE);
}

/* A thread whose address space goes with the next step of a revoke that is under way. */
static struct tcb *thread_on_shaky_ground(void)
{
    host_boot();
    host_make(U, KOZO_KIND_UNTYPED, 14);
    CHECK_OK(call(host.init, RETYPE, U, KOZO_WHAT(KOZO_KIND_ADDRESS_SPACE, 0), 0, A, 1));
    struct tcb *t = host_thread(KOZO_READ | KOZO_WRITE | KOZO_GRANT, 0);
    CHECK_OK(call(host.init, THREAD_SUSPEND, host_thread_slot(t)));
    CHECK_OK(call(host.init, THREAD_BIND, host_thread_slot(t), 0, A, 0, 0, 0));
    CHECK_OK(call(host.init, CAP_DELETE, 0, A)); /* the thread's own is the last */
    CHECK_OK(call(host.init, THREAD_RESUME, host_thread_slot(t)));
    begin_revoke(U);
    return t;
}

/* It pays for the capabilities of its message, and that takes the ground away. */
TEST(who_pays_with_its_own_space_stops)
{
    const uint64_t info = INFO(0) | INFO_CAPS(1);
    struct tcb *t = thread_on_shaky_ground();

    CHECK_EQ(call(t, CALL, SLOT_EP, info), HOST_BLOCKED);
    CHECK_EQ(t->state, TCB_STOPPED);
    CHECK(queue_is_empty(&host_endpoint()->senders));

    t = thread_on_shaky_ground();
    CHECK_EQ(call(t, REPLY_RECV, SLOT_EP, info), HOST_BLOCKED);
    CHECK_EQ(t->state, TCB_STOPPED);
    CHECK(queue_is_empty(&host_endpoint()->receivers));

    t = thread_on_shaky_ground();
    CHECK_EQ(call(t, REPLY, 0, info), HOST_BLOCKED);
    CHECK_EQ(t->state, TCB_STOPPED);
}
