/* SPDX-License-Identifier: MIT */
/*
 * test_attack.c - two things at once to one object: what is under way when it ends or is taken.
 *
 * Where the first can be preempted, the second is tried at every such point.
 */
#include "host.h"

#include "cap/pending.h"

#define U SLOT_FREE
#define CNODE (SLOT_FREE + 1)
#define A (SLOT_FREE + 2)
#define LIMIT 5'000'000ull
#define POINTS 12u /* more than any call here has preemption points */

static uint64_t timed(uint64_t info) { return info | KOZO_INFO_DEADLINE; }

static uint64_t results;
static struct tcb *watched;

/* ---- a saved reply ---- */

static void limit_passes(void) { host_advance(LIMIT); }

/* The CNode with the right to answer goes, and the caller's deadline passes on the way. */
static void end_of_a_reply(uint64_t at)
{
    host_boot();
    struct tcb *client = host_thread(KOZO_WRITE, 7);
    host_make(CNODE, KOZO_KIND_CNODE, 8);
    CHECK_EQ(call_until(client, machine.now + LIMIT, CALL, SLOT_EP, timed(0)), HOST_BLOCKED);
    CHECK_OK(call(host.init, RECV, SLOT_EP, 0));
    CHECK_OK(call(host.init, REPLY_SAVE, CNODE, 200));
    host.between = limit_passes;
    host_preempt(at, 0);
    CHECK_OK(host_after_preempt(call(host.init, CAP_DELETE, 0, CNODE)));
    host.between = nullptr;
    CHECK_EQ(client->state, TCB_READY);
    CHECK_EQ(host_error(client), at <= 200 / PENDING_BATCH ? KOZO_ERR_TIMEOUT : KOZO_ERR_DROPPED);
    CHECK_EQ(kernel.timers.count, 0);
    host_advance(2 * LIMIT);
    CHECK_ERR(call(host.init, REPLY, 0, 0), NOREPLY);
}

TEST(a_saved_reply_ends_by_its_cnode_or_its_deadline_and_not_by_both)
{
    for (uint64_t at = 1; at <= 256 / PENDING_BATCH; at++)
        end_of_a_reply(at);
}

/* ---- memory ---- */

static void revoke_all_memory(void)
{
    struct tcb *other = watched;

    watched = nullptr;
    if (other != nullptr)
        results = call(other, CAP_REVOKE, 0, U);
}

/* Memory is taken back by its giver while it is being cleared, page by page, for its holder. */
TEST(a_retype_whose_memory_is_taken_back_makes_nothing)
{
    for (uint64_t at = 1; at <= POINTS; at++) {
        host_boot();
        host_make(U, KOZO_KIND_UNTYPED, 20);
        CHECK_OK(call(host.init, RETYPE, U, KOZO_WHAT(KOZO_KIND_UNTYPED, 18), 0, A, 1));
        struct tcb *other = host_peer(HOST_PRIORITY);
        uint64_t caps = kernel.caps, bytes = kernel.bytes_free;
        watched = other;
        host.between = revoke_all_memory;
        host_preempt(at, 0);
        uint64_t err = host_after_preempt(call(
            host.init, RETYPE, A, KOZO_WHAT(KOZO_KIND_FRAME, KOZO_PAGE_BITS), 0, A + 1, POINTS));
        host.between = nullptr;
        CHECK_OK(results);
        if (watched != nullptr) { /* it was not preempted so late */
            CHECK_OK(err);
            CHECK_OK(call(other, CAP_REVOKE, 0, U));
        } else {
            CHECK_EQ(err, KOZO_ERR_EMPTY);
        }
        CHECK_EQ(kernel.caps, caps - 1);
        CHECK_EQ(host_kind(A + 1), KOZO_KIND_NULL);
        CHECK_OK(call(host.init, UNTYPED_INFO, U));
        CHECK_EQ(host.init->frame.reg[1], 1u << 20);
        CHECK_EQ(kernel.bytes_free, bytes);
    }
}

/* ---- waiting ---- */

/* Stopped at the very tick of its deadline, before it or after it: one result, which stays. */
TEST(a_deadline_and_a_suspend_at_one_tick_give_one_result)
{
    for (uint32_t first = 0; first < 2; first++) {
        host_boot();
        struct tcb *t = host_thread(KOZO_READ, 0);
        uint64_t limit = machine.now + LIMIT;
        CHECK_EQ(call_until(t, limit, RECV, SLOT_EP, timed(0)), HOST_BLOCKED);
        if (first == 0)
            host_advance(LIMIT);
        else
            machine.now = limit; /* the tick waits for the end of the call */
        CHECK_OK(call(host.init, THREAD_SUSPEND, host_thread_slot(t)));
        host_advance(LIMIT);
        CHECK_EQ(t->state, TCB_STOPPED);
        CHECK_OK(call(host.init, THREAD_RESUME, host_thread_slot(t)));
        CHECK_EQ(host_error(t), first == 0 ? KOZO_ERR_TIMEOUT : KOZO_ERR_CANCELLED);
        CHECK_EQ(kernel.timers.count, 0);
        CHECK_PTR(host_endpoint()->receivers.head, nullptr);
    }
}

/* What a queued message was to bring is revoked: it arrives without, and both sides are told. */
TEST(a_capability_revoked_in_a_queued_message_does_not_arrive)
{
    for (uint32_t move = 0; move < 2; move++) {
        host_boot();
        struct tcb *sender = host_thread(KOZO_WRITE | KOZO_GRANT, 0),
                   *receiver = host_thread(KOZO_READ, 0);
        host_make(A, KOZO_KIND_NOTIFICATION, 0);
        CHECK_OK(call(host.init, CAP_COPY, host_cnode_slot(sender), A, 0, A, KOZO_SAME_RIGHTS));
        sender->buffer->cap[0] = (struct kozo_cap_desc){ .slot = A,
                                                         .rights = KOZO_RIGHTS_ALL,
                                                         .flags = move ? KOZO_CAP_MOVE : 0 };
        receiver->buffer->recv_slot = A;
        receiver->buffer->recv_count = 1;
        CHECK_EQ(call(sender, SEND, SLOT_EP, INFO_CAPS(1)), HOST_BLOCKED);
        CHECK_OK(call(host.init, CAP_REVOKE, 0, A));
        CHECK_OK(call(receiver, RECV, SLOT_EP, KOZO_INFO_RECV_CAPS));
        CHECK_EQ(INFO_CAPS_OF(receiver->frame.reg[1]), 0);
        CHECK(receiver->frame.reg[1] & KOZO_INFO_DROPPED);
        CHECK_EQ(sender->buffer->sent, 0);
        CHECK_EQ(receiver->buffer->received, 0);
        CHECK(slot_is_null(host_slot_of(receiver, A)));
    }
}
