/* SPDX-License-Identifier: MIT */
/*
 * test_bound.c - how many steps a revoke makes at most, whatever others do meanwhile.
 *
 * The revoke is preempted at every point, and then each of 64 threads of its priority makes a call
 * of its own. docs/spec/capabilities.md, `How long a revoke takes`, says how many steps are the
 * revoker's; the kernel counts them.
 */
#include "host.h"

#include "cap/pending.h"

#include <setjmp.h>

#define A SLOT_FREE
#define U (SLOT_FREE + 1)
#define BIG (SLOT_FREE + 2) /* a large CNode */
#define BIG_BITS 17u
#define FIRST_NEW 4096u /* of its slots: from here on what the others derive */

#define DERIVERS 64u
#define CHILDREN 700u

static struct {
    struct tcb *thread[DERIVERS];
    void (*act)(struct tcb *t, uint64_t i);
    uint64_t made;   /* capabilities derived meanwhile */
    uint64_t late;   /* of these when the revoke had been finished, by their own steps */
    uint64_t tries;  /* calls of the others */
    uint64_t paid;   /* steps they made */
    uint64_t weight; /* steps that the destruction of objects made meanwhile takes */
} others;

static void all_act(void)
{
    uint64_t steps = kernel.pending.steps;

    for (uint32_t i = 0; i < DERIVERS; i++) {
        others.act(others.thread[i], i);
        others.tries++;
    }
    others.paid += kernel.pending.steps - steps;
    host_check();
}

static void boot_crowd(void (*act)(struct tcb *t, uint64_t i))
{
    host_boot();
    host_make(BIG, KOZO_KIND_CNODE, BIG_BITS);
    host_seldom();
    others = (typeof(others)){ .act = act };
    for (uint32_t i = 0; i < DERIVERS; i++)
        others.thread[i] = host_peer(HOST_PRIORITY);
}

/* Revokes init's `root` under preemption; returns the steps that its thread made itself. */
static uint64_t revoke_preempted(uint64_t root)
{
    uint64_t steps = kernel.pending.steps;

    host.between = all_act;
    CHECK_OK(call_preempted(1, host.init, CAP_REVOKE, 0, root));
    host.between = nullptr;
    CHECK(!pending_any());
    CHECK(others.made >= DERIVERS); /* they were not idle */
    host_check();
    return kernel.pending.steps - steps - others.paid;
}

/* Each time that it ran, it made all the steps between two preemption points. */
static void check_bound(uint64_t own, uint64_t bound)
{
    CHECK(own <= bound);
    CHECK(host.rewinds <= (bound - 1) / PENDING_BATCH);
}

/* ---- copies ---- */

static void derive_from(struct tcb *t, uint64_t cnode, uint64_t from)
{
    uint64_t to = FIRST_NEW + others.made;

    if (call(t, CAP_COPY, BIG, to, cnode, from, KOZO_SAME_RIGHTS) != KOZO_OK)
        return;
    others.made++;
    others.late += !pending_any();
}

static void derive_from_root(struct tcb *t, uint64_t i)
{
    (void)i;
    derive_from(t, 0, SLOT_EP);
}

static void derive_from_eldest(struct tcb *t, uint64_t i)
{
    (void)i;
    derive_from(t, BIG, 1);
}

static void derive_from_tail(struct tcb *t, uint64_t i)
{
    (void)i;
    derive_from(t, BIG, CHILDREN);
}

/* Each from what was derived last, so that they make a chain; from the root when that is gone. */
static void derive_a_chain(struct tcb *t, uint64_t i)
{
    uint64_t before = others.made;

    (void)i;
    if (before > 0)
        derive_from(t, BIG, FIRST_NEW + before - 1);
    if (others.made == before)
        derive_from(t, 0, SLOT_EP);
}

static void copy(uint64_t to, uint64_t cnode, uint64_t from)
{
    CHECK_OK(call(host.init, CAP_COPY, BIG, to, cnode, from, KOZO_SAME_RIGHTS));
}

static void make_star(void)
{
    for (uint64_t i = 1; i <= CHILDREN; i++)
        copy(i, 0, SLOT_EP);
}

static void make_chain(void)
{
    copy(1, 0, SLOT_EP);
    for (uint64_t i = 2; i <= CHILDREN; i++)
        copy(i, BIG, i - 1);
}

static void make_comb(void)
{
    copy(1, 0, SLOT_EP);
    for (uint64_t i = 2; i <= CHILDREN; i++)
        copy(i, BIG, ((i - 2) & ~1ull) + 1); /* the back, and a tooth on each joint */
}

static void check_shape(void (*make)(void), void (*act)(struct tcb *t, uint64_t i))
{
    boot_crowd(act);
    uint64_t caps = kernel.caps;
    make();
    CHECK_EQ(kernel.caps, caps + CHILDREN);
    check_bound(revoke_preempted(SLOT_EP), CHILDREN + 1);
    CHECK_EQ(kernel.caps, caps + others.late);
}

TEST(copies_made_from_the_root_add_no_step_to_its_revoke)
{
    check_shape(make_star, derive_from_root);
    check_shape(make_chain, derive_from_root);
    check_shape(make_comb, derive_from_root);
}

TEST(copies_made_from_what_is_deleted_last_add_none)
{
    check_shape(make_star, derive_from_eldest);
    check_shape(make_chain, derive_from_tail);
    check_shape(make_comb, derive_from_tail);
}

TEST(copies_made_from_the_latest_copy_add_none)
{
    check_shape(make_star, derive_a_chain);
    check_shape(make_chain, derive_a_chain);
}

/* The bound is met: with the root to derive from, they pay for exactly what they add. */
TEST(the_bound_on_steps_is_reached)
{
    boot_crowd(derive_from_root);
    make_star();
    CHECK_EQ(revoke_preempted(SLOT_EP), CHILDREN + 1);
    CHECK_EQ(others.made, others.tries);
    CHECK_EQ(others.paid, others.made);
    CHECK_EQ(host.rewinds, CHILDREN / PENDING_BATCH);
}

/*
 * The same without the others, at whatever point it is preempted, alone or at every later one too.
 */
TEST(a_revoke_preempted_at_any_point_makes_the_same_steps)
{
    const uint64_t children = 80;

    for (uint64_t every = 0; every < 2; every++)
        for (uint64_t at = 1; at <= children / PENDING_BATCH + 1; at++) {
            host_boot();
            host_make(BIG, KOZO_KIND_CNODE, BIG_BITS);
            host_seldom();
            for (uint64_t i = 1; i <= children; i++)
                copy(i, 0, SLOT_EP);
            uint64_t steps = kernel.pending.steps;
            host_preempt(at, every);
            CHECK_OK(host_after_preempt(call(host.init, CAP_REVOKE, 0, SLOT_EP)));
            CHECK_EQ(kernel.pending.steps - steps, children + 1);
            CHECK_EQ(host.rewinds, at > children / PENDING_BATCH ? 0
                                   : every                       ? children / PENDING_BATCH - at + 1
                                                                 : 1);
            host_check();
        }
}

/* ---- messages that waited ---- */

#define SENDERS (DERIVERS / 2)
#define WINDOWS (SLOT_FREE + 16) /* 3 slots for each receiver */
#define BUFFERS (SLOT_FREE + 3)  /* Frames */
#define IN_FRAME (KOZO_PAGE_SIZE / KOZO_BUFFER_BYTES)
static_assert(WINDOWS + SENDERS * KOZO_MSG_CAPS <= SLOT_KEPT);
static_assert(BUFFERS + DERIVERS / IN_FRAME <= WINDOWS);

/* Each takes one message, with three capabilities that were in it before the revoke began. */
static void take_a_message(struct tcb *t, uint64_t i)
{
    if (i < SENDERS || t->state != TCB_READY || !slot_is_null(host_slot(t->buffer->recv_slot)))
        return;
    if (i % 2 == 0)
        (void)call(t, RECV, A, KOZO_INFO_RECV_CAPS);
    else
        (void)call(t, REPLY_RECV, A, KOZO_INFO_RECV_CAPS);
    others.made += INFO_CAPS_OF(t->frame.reg[1]);
}

/* Half of the crowd waits to send; each has a buffer. */
static void queue_messages(void)
{
    for (uint64_t i = 0; i < DERIVERS; i++) {
        struct tcb *t = others.thread[i];

        if (i % IN_FRAME == 0)
            host_make(BUFFERS + i / IN_FRAME, KOZO_KIND_FRAME, KOZO_PAGE_BITS);
        tcb_bind(t, TCB_BUFFER, host_slot(BUFFERS + i / IN_FRAME),
                 i % IN_FRAME * KOZO_BUFFER_BYTES);
        t->buffer->recv_count = KOZO_MSG_CAPS;
        t->buffer->recv_slot = (uint32_t)(WINDOWS + i % SENDERS * KOZO_MSG_CAPS);
        for (uint32_t k = 0; k < KOZO_MSG_CAPS; k++)
            t->buffer->cap[k] =
                (struct kozo_cap_desc){ .slot = SLOT_EP, .rights = KOZO_RIGHTS_ALL };
        if (i < SENDERS)
            CHECK_EQ(call(t, SEND, A, INFO_CAPS(KOZO_MSG_CAPS)), HOST_BLOCKED);
    }
}

TEST(messages_queued_before_a_revoke_add_no_step_to_it)
{
    boot_crowd(take_a_message);
    host_make(A, KOZO_KIND_ENDPOINT, 0);
    queue_messages();
    make_star();
    check_bound(revoke_preempted(SLOT_EP), CHILDREN + 1);
    CHECK_EQ(others.made, SENDERS * KOZO_MSG_CAPS); /* all of them arrived */
}

/* ---- objects ---- */

#define CNODE_BITS 2u

/* A CNode that nobody else names, which then takes steps of its own. */
static void carve_a_cnode(struct tcb *t, uint64_t i)
{
    (void)i;
    if (call(t, RETYPE, U, KOZO_WHAT(KOZO_KIND_CNODE, CNODE_BITS), BIG, FIRST_NEW + others.made,
             1) != KOZO_OK)
        return;
    others.made++;
    others.weight += 1u << CNODE_BITS;
}

TEST(objects_made_meanwhile_add_the_steps_of_their_own_end)
{
    boot_crowd(carve_a_cnode);
    host_make(U, KOZO_KIND_UNTYPED, 21);
    for (uint64_t i = 0; i < CHILDREN; i += 100)
        CHECK_OK(
            call(host.init, RETYPE, U, KOZO_WHAT(KOZO_KIND_CNODE, CNODE_BITS), BIG, 1 + i, 100));
    uint64_t own = revoke_preempted(U);
    CHECK(others.weight > 0);
    check_bound(own, CHILDREN + (CHILDREN << CNODE_BITS) + 1 + others.weight);
    CHECK_OK(call(host.init, UNTYPED_INFO, U));
    CHECK_EQ(host.init->frame.reg[1], 1u << 21);
}

/* Threads that come to wait while the revoke is under way are woken a step each, once. */
static void wait_there(struct tcb *t, uint64_t i)
{
    if (t->state == TCB_READY && i >= DERIVERS / 2)
        (void)call(t, RECV, A, 0);
    derive_from(others.thread[i % (DERIVERS / 2)], BIG, 1);
}

TEST(waiters_of_an_endpoint_that_goes_add_a_step_each)
{
    boot_crowd(wait_there);
    host_make(U, KOZO_KIND_UNTYPED, 12);
    CHECK_OK(
        call(host.init, RETYPE, U, KOZO_WHAT(KOZO_KIND_ENDPOINT, 0), 0, A, 1)); /* the eldest */
    copy(1, 0, A);
    for (uint64_t i = 2; i <= CHILDREN; i++)
        copy(i, 0, A);
    uint64_t own = revoke_preempted(U);
    check_bound(own, CHILDREN + 1 + DERIVERS / 2 + 1 + 1);
    for (uint32_t i = 0; i < DERIVERS; i++)
        CHECK_EQ(others.thread[i]->state, TCB_READY);
}

/* ---- handlers of faults that stop ---- */

#define CHAIN 3u /* threads: each handles the faults of the next, and nobody those of the first */
#define CHAINS (DERIVERS / CHAIN)
#define HANDLES (SLOT_FREE + 3) /* Endpoints, one for each thread but the last of a chain */
static_assert(CHAINS > PENDING_BATCH && HANDLES + DERIVERS <= SLOT_KEPT);

static bool is_dropping(struct tcb *const *chain)
{
    for (uint32_t i = 0; i < CHAIN; i++)
        if (chain[i]->dropping)
            return true;
    return false;
}

/* All of a chain fault, from its end on: the first stops, and by and by the others for it. */
static void stop_a_chain(struct tcb *t, uint64_t first)
{
    struct tcb **chain = &others.thread[first];

    if (first % CHAIN != 0 || first / CHAIN >= CHAINS || is_dropping(chain) ||
        others.made > 16 * CHILDREN)
        return;
    for (uint32_t i = 0; i < CHAIN; i++)
        if (chain[i]->state == TCB_FAULTED)
            CHECK_OK(call(others.thread[DERIVERS - 1], THREAD_RESUME, host_thread_slot(chain[i])));
    for (uint32_t i = CHAIN - 1; i > 0; i--) {
        CHECK_EQ(call(chain[i - 1], RECV, HANDLES + first + i - 1, 0), HOST_BLOCKED);
        host_fault(chain[i], KOZO_FAULT_PAGE, 0, KOZO_READ);
        CHECK_PTR(chain[i - 1]->owes, chain[i]);
    }
    host_fault(t, KOZO_FAULT_PAGE, 0, KOZO_READ);
    others.made += CHAIN;
}

/* Who faults while it owes an answer to a fault pays for the step that this may take. */
TEST(handlers_that_stop_without_end_add_no_step_to_a_revoke)
{
    boot_crowd(stop_a_chain);
    for (uint32_t i = 0; i < CHAINS * CHAIN; i++) {
        if (i % CHAIN == CHAIN - 1)
            continue;
        host_make(HANDLES + i, KOZO_KIND_ENDPOINT, 0);
        tcb_bind(others.thread[i + 1], TCB_FAULT, host_slot(HANDLES + i), 0);
    }
    make_star();
    check_bound(revoke_preempted(SLOT_EP), CHILDREN + 1);
}

/* ---- before it begins ---- */

#define DOOMED_BITS 10u
#define ROUNDS 100u

/* A thread that makes a CNode and deletes it, again and again, always preempted in CAP_DELETE. */
static struct {
    struct tcb *thread;
    jmp_buf preempted;
    uint64_t rounds;
    uint64_t mark; /* kernel.pending.steps when the revoker was let run */
    uint64_t own;  /* steps of the revoker's while the destroyer went on */
} destroyer;

static void leave_the_call(void) { longjmp(destroyer.preempted, 1); }

static void begin_to_delete(void)
{
    CHECK_OK(call(destroyer.thread, FINISH));
    CHECK_OK(call(destroyer.thread, RETYPE, U, KOZO_WHAT(KOZO_KIND_CNODE, DOOMED_BITS), 0, A, 1));
    host_preempt(1, 1);
    host.between = leave_the_call;
    if (setjmp(destroyer.preempted) == 0)
        (void)call(destroyer.thread, CAP_DELETE, 0, A);
    CHECK(pending_any());
}

static void destroy_again(void)
{
    destroyer.own += kernel.pending.steps - destroyer.mark;
    host_preempt(0, 0);
    host.between = nullptr;
    begin_to_delete();
    if (++destroyer.rounds < ROUNDS) {
        host_preempt(1, 1);
        host.between = destroy_again;
    } else {
        host_preempt(0, 0);
        host.between = nullptr;
    }
    destroyer.mark = kernel.pending.steps;
}

/*
 * An equal that goes on destroying, and each time leaves more than the revoker does in its turn,
 * puts a revoke off by what was begun before it was called: what is begun later comes after it.
 */
TEST(a_revoke_comes_before_all_that_others_begin_later)
{
    host_boot();
    host_make(U, KOZO_KIND_UNTYPED, DOOMED_BITS + 6);
    CHECK_OK(call(host.init, CAP_COPY, 0, BIG, 0, SLOT_EP, KOZO_SAME_RIGHTS));
    destroyer = (typeof(destroyer)){ .thread = host_peer(HOST_PRIORITY) };
    begin_to_delete();
    host_preempt(1, 1);
    host.between = destroy_again;
    destroyer.mark = kernel.pending.steps;
    CHECK_OK(call(host.init, CAP_REVOKE, 0, SLOT_EP));
    CHECK_EQ(destroyer.rounds, 1);
    CHECK_EQ(destroyer.own, PENDING_BATCH);
    CHECK_EQ(kernel.pending.steps, destroyer.mark);
    CHECK_EQ(host_kind(BIG), KOZO_KIND_NULL);
    CHECK(pending_any()); /* the destroyer's latest */
}

/* The same with many of them, some of which were before it: each of these comes once. */
#define DESTROYERS 16u
#define DOOMED 80u /* slots from here on: a CNode for each */

static struct tcb *many[DESTROYERS];
static jmp_buf left;
static uint64_t ended; /* kernel.pending.number when the revoke was seen to be done */

static void leave_this_one(void) { longjmp(left, 1); }

static void destroy_one(uint32_t i)
{
    struct tcb *t = many[i];

    if (t->frame.number == KOZO_SYS_CAP_DELETE) /* still waits: its call is made again */
        CHECK_EQ(t->frame.reg[1], DOOMED + i);
    else if (host_kind(DOOMED + i) == KOZO_KIND_NULL && setjmp(left) == 0)
        (void)call(t, RETYPE, U, KOZO_WHAT(KOZO_KIND_CNODE, DOOMED_BITS - 4), 0, DOOMED + i, 1);
    host_preempt(1, 1);
    host.between = leave_this_one;
    if (setjmp(left) == 0)
        (void)call(t, CAP_DELETE, 0, DOOMED + i);
    host_preempt(0, 0);
    host.between = nullptr;
    if (ended == 0 && host_kind(BIG) == KOZO_KIND_NULL)
        ended = kernel.pending.number;
}

static void all_destroy(void)
{
    host_preempt(0, 0);
    host.between = nullptr;
    for (uint32_t i = 0; i < DESTROYERS; i++)
        destroy_one(i);
    host_preempt(1, 1);
    host.between = all_destroy;
}

static uint64_t who_asks(void)
{
    uint64_t n = 0;

    for (const struct tcb *t = kernel.pending.asker; t != nullptr; t = t->asks.next)
        n++;
    return n;
}

TEST(a_revoke_waits_once_for_each_that_asked_before_it)
{
    uint64_t number, ask;

    host_boot();
    host_make(U, KOZO_KIND_UNTYPED, 20);
    CHECK_OK(call(host.init, CAP_COPY, 0, BIG, 0, SLOT_EP, KOZO_SAME_RIGHTS));
    for (uint32_t i = 0; i < DESTROYERS; i++)
        many[i] = host_peer(HOST_PRIORITY);
    for (uint32_t i = 0; i < DESTROYERS / 2; i++)
        destroy_one(i);
    ended = 0;
    number = kernel.pending.number;
    ask = who_asks();
    CHECK(ask >= 4);
    host_preempt(1, 1);
    host.between = all_destroy;
    CHECK_OK(host_after_preempt(call(host.init, CAP_REVOKE, 0, SLOT_EP)));
    host.between = nullptr;
    CHECK(ended > number + ask);      /* all of these, and itself */
    CHECK(ended <= number + ask + 2); /* and one more, in the turn that saw it */
    CHECK(pending_any());
}
