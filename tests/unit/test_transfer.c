/* SPDX-License-Identifier: MIT */
/*
 * test_transfer.c - capabilities in messages: who may, where they go, what becomes of those that
 * cannot.
 */
#include "host.h"

#define WINDOW (SLOT_FREE + 8) /* of the receiver */
#define X SLOT_FREE            /* the sender's */

static struct tcb *from, *to;

/* A receiver waits with an open window of `count` slots; a sender has GRANT. */
static void boot_window(uint16_t count)
{
    host_boot();
    to = host_thread(KOZO_READ, 0);
    from = host_thread(KOZO_WRITE | KOZO_GRANT, 0xf);
    to->buffer->recv_slot = WINDOW;
    to->buffer->recv_count = count;
    to->buffer->received = 0xaa;
    from->buffer->sent = 0xaa;
    CHECK_EQ(call(to, RECV, SLOT_EP, KOZO_INFO_RECV_CAPS), HOST_BLOCKED);
}

static void describe(uint32_t i, uint64_t slot, kozo_rights rights, uint8_t flags, uint64_t badge)
{
    from->buffer->cap[i] = (struct kozo_cap_desc){ .slot = (uint32_t)slot,
                                                   .rights = rights,
                                                   .user_rights = 0xff,
                                                   .flags = flags,
                                                   .badge = badge };
}

static void send(uint64_t caps)
{
    CHECK_OK(call(from, SEND, SLOT_EP, INFO(1) | INFO_CAPS(caps), 7));
}

static const struct cap *got(uint32_t i) { return &host_slot_of(to, WINDOW + i)->cap; }

static void check_counts(uint64_t n, uint8_t received, bool dropped)
{
    CHECK_EQ(INFO_CAPS_OF(to->frame.info), n);
    CHECK_EQ(INFO_CAPS_OF(from->frame.info), n);
    CHECK_EQ(from->buffer->sent, n);
    CHECK_EQ(to->buffer->received, received);
    CHECK_EQ((to->frame.info & KOZO_INFO_DROPPED) != 0, dropped);
    CHECK_EQ(to->frame.word[0], 7); /* the message arrives in any case */
}

TEST(a_capability_travels_as_a_copy)
{
    boot_window(1);
    describe(0, SLOT_NTFN, KOZO_WRITE, 0, 0);
    send(1);
    check_counts(1, 1, false);
    CHECK_EQ(got(0)->kind, KOZO_KIND_NOTIFICATION);
    CHECK_EQ(got(0)->rights, KOZO_WRITE);
    CHECK_OK(call(to, SIGNAL, WINDOW, 1));
}

/* FACTS: wrong parent. */
TEST(a_sent_copy_is_the_senders_to_revoke)
{
    boot_window(1);
    describe(0, SLOT_NTFN, KOZO_RIGHTS_ALL, 0, 0);
    send(1);
    CHECK_OK(call(to, CAP_COPY, 0, WINDOW + 1, 0, WINDOW, KOZO_SAME_RIGHTS));
    CHECK_OK(call(from, CAP_REVOKE, 0, SLOT_NTFN));
    CHECK_EQ(got(0)->kind, KOZO_KIND_NULL);
    CHECK_EQ(got(1)->kind, KOZO_KIND_NULL);
}

TEST(no_right_is_gained_on_the_way)
{
    boot_window(2);
    CHECK_OK(call(from, CAP_COPY, 0, X, 0, SLOT_EP, KOZO_RIGHTS(KOZO_WRITE, 0x0f)));
    describe(0, X, KOZO_RIGHTS_ALL, 0, 0);
    from->buffer->cap[0].user_rights = 0x3c;
    describe(1, X, KOZO_READ, 0, 0);
    send(2);
    check_counts(2, 3, false);
    CHECK_EQ(got(0)->rights, KOZO_WRITE);
    CHECK_EQ(got(0)->user_rights, 0x0c);
    CHECK_EQ(got(0)->a, 0xf); /* its badge stays */
    CHECK_EQ(got(1)->rights, 0);
}

TEST(a_copy_can_be_badged_on_the_way_but_not_twice)
{
    boot_window(2);
    describe(0, SLOT_NTFN, KOZO_WRITE, KOZO_CAP_BADGE, 0x4);
    describe(1, SLOT_EP, KOZO_WRITE, KOZO_CAP_BADGE, 0x5); /* has 0xf */
    send(2);
    check_counts(1, 1, true);
    CHECK_EQ(got(0)->a, 0x4);
    CHECK_EQ(got(1)->kind, KOZO_KIND_NULL);
}

TEST(a_badge_on_a_kind_without_is_not_sent)
{
    boot_window(1);
    describe(0, SLOT_FRAME, KOZO_RIGHTS_ALL, KOZO_CAP_BADGE, 1);
    send(1);
    check_counts(0, 0, true);
}

TEST(a_capability_can_be_moved)
{
    boot_window(1);
    CHECK_OK(call(from, CAP_COPY, 0, X, 0, SLOT_NTFN, KOZO_SAME_RIGHTS));
    describe(0, X, 0, KOZO_CAP_MOVE, 0);
    send(1);
    check_counts(1, 1, false);
    CHECK(slot_is_null(host_slot_of(from, X)));
    CHECK_EQ(got(0)->kind, KOZO_KIND_NOTIFICATION);
    CHECK_EQ(got(0)->rights, KOZO_READ | KOZO_WRITE); /* whole */
    CHECK_OK(call(from, CAP_REVOKE, 0, SLOT_NTFN)); /* and in its place in the tree */
    CHECK_EQ(got(0)->kind, KOZO_KIND_NULL);
}

/* A badge is set on a copy; what is moved is whole. */
TEST(a_move_cannot_set_a_badge)
{
    boot_window(1);
    CHECK_OK(call(from, CAP_COPY, 0, X, 0, SLOT_NTFN, KOZO_SAME_RIGHTS));
    describe(0, X, KOZO_RIGHTS_ALL, KOZO_CAP_MOVE | KOZO_CAP_BADGE, 5);
    send(1);
    check_counts(0, 0, true);
    CHECK_EQ(host_slot_of(from, X)->cap.kind, KOZO_KIND_NOTIFICATION);
}

TEST(unique_kinds_travel_only_by_move)
{
    boot_window(2);
    CHECK_OK(call(host.init, RETYPE, SLOT_UNTYPED, KOZO_WHAT(KOZO_KIND_UNTYPED, 12),
                  host_cnode_slot(from), X, 1));
    describe(0, X, KOZO_RIGHTS_ALL, 0, 0);
    describe(1, X, KOZO_RIGHTS_ALL, KOZO_CAP_MOVE, 0);
    send(2);
    check_counts(1, 2, true);
    CHECK_EQ(got(0)->kind, KOZO_KIND_NULL);
    CHECK_EQ(got(1)->kind, KOZO_KIND_UNTYPED);
}

TEST(a_reply_right_can_be_handed_on)
{
    boot_window(1);
    host_make(SLOT_FREE, KOZO_KIND_ENDPOINT, 0);
    CHECK_OK(call(host.init, CAP_COPY, host_cnode_slot(from), X, 0, SLOT_FREE, KOZO_SAME_RIGHTS));
    struct tcb *caller = host_peer(HOST_PRIORITY);
    call(caller, CALL, SLOT_FREE, INFO(0));
    CHECK_OK(call(from, RECV, X));
    CHECK_OK(call(from, REPLY_SAVE, 0, X + 1));
    describe(0, X + 1, 0, KOZO_CAP_MOVE, 0);
    send(1);
    CHECK_EQ(got(0)->kind, KOZO_KIND_REPLY);
    CHECK_OK(call(to, REPLY, WINDOW, INFO(0), 12));
    CHECK_EQ(caller->frame.word[0], 12);
}

TEST(grant_is_needed_to_send_capabilities)
{
    host_boot();
    to = host_thread(KOZO_READ, 0);
    from = host_thread(KOZO_WRITE, 0);
    call(to, RECV, SLOT_EP, KOZO_INFO_RECV_CAPS);
    CHECK_ERR(call(from, SEND, SLOT_EP, INFO(0) | INFO_CAPS(1)), RIGHTS);
    CHECK_ERR(call(from, CALL, SLOT_EP, INFO(0) | INFO_CAPS(1)), RIGHTS);
    CHECK_EQ(to->state, TCB_RECEIVING);
}

TEST(a_closed_window_receives_nothing)
{
    boot_window(3);
    CHECK_OK(call(from, SEND, SLOT_EP, INFO(0)));
    CHECK_EQ(call(to, RECV, SLOT_EP, 0), HOST_BLOCKED); /* without the flag */
    describe(0, SLOT_NTFN, KOZO_RIGHTS_ALL, 0, 0);
    send(1);
    check_counts(0, 0, true);
    CHECK_EQ(got(0)->kind, KOZO_KIND_NULL);
}

TEST(a_window_too_small_takes_what_fits)
{
    boot_window(1);
    for (uint32_t i = 0; i < 3; i++)
        describe(i, SLOT_NTFN, KOZO_RIGHTS_ALL, 0, 0);
    send(3);
    check_counts(1, 1, true);
}

/* FACTS: receive slot occupied. */
TEST(an_occupied_window_slot_is_left_alone)
{
    boot_window(3);
    CHECK_OK(
        call(host.init, CAP_COPY, host_cnode_slot(to), WINDOW + 1, 0, SLOT_EP, KOZO_SAME_RIGHTS));
    for (uint32_t i = 0; i < 3; i++)
        describe(i, SLOT_NTFN, KOZO_RIGHTS_ALL, 0, 0);
    send(3);
    check_counts(2, 5, true);
    CHECK_EQ(got(1)->kind, KOZO_KIND_ENDPOINT);
}

TEST(a_window_outside_the_space_receives_nothing)
{
    static const uint32_t bad[] = { 0, 1u << HOST_SPACE_BITS, (1u << HOST_SPACE_BITS) + 1,
                                    UINT32_MAX };

    for (uint32_t i = 0; i < ARRAY_LEN(bad); i++) {
        boot_window(1);
        to->buffer->recv_slot = bad[i];
        describe(0, SLOT_NTFN, KOZO_RIGHTS_ALL, 0, 0);
        send(1);
        check_counts(0, 0, true);
    }
}

TEST(a_window_across_the_end_takes_what_fits)
{
    boot_window(3);
    to->buffer->recv_slot = (1u << HOST_SPACE_BITS) - 1;
    for (uint32_t i = 0; i < 3; i++)
        describe(i, SLOT_NTFN, KOZO_RIGHTS_ALL, 0, 0);
    send(3);
    check_counts(1, 1, true);
}

TEST(slots_that_hold_nothing_are_left_out)
{
    boot_window(3);
    describe(0, 0, KOZO_RIGHTS_ALL, 0, 0);
    describe(1, X, KOZO_RIGHTS_ALL, 0, 0);
    describe(2, UINT32_MAX, KOZO_RIGHTS_ALL, KOZO_CAP_MOVE, 0);
    send(3);
    check_counts(0, 0, true);
}

TEST(a_reply_carries_capabilities_if_the_call_permitted_it)
{
    for (uint32_t grant = 0; grant < 2; grant++) {
        host_boot();
        from = host_thread(KOZO_READ, 0); /* the server */
        to = host_thread(KOZO_WRITE | (grant ? KOZO_GRANT : 0), 0);
        to->buffer->recv_slot = WINDOW;
        to->buffer->recv_count = 1;
        call(from, RECV, SLOT_EP);
        CHECK_EQ(call(to, CALL, SLOT_EP, INFO(0) | KOZO_INFO_RECV_CAPS), HOST_BLOCKED);
        describe(0, SLOT_NTFN, KOZO_WRITE, 0, 0);
        CHECK_OK(call(from, REPLY, 0, INFO(0) | INFO_CAPS(1), 7));
        CHECK_EQ(INFO_CAPS_OF(to->frame.info), grant);
        CHECK_EQ(from->buffer->sent, grant);
        CHECK_EQ(got(0)->kind, grant ? KOZO_KIND_NOTIFICATION : KOZO_KIND_NULL);
        CHECK_EQ((to->frame.info & KOZO_INFO_DROPPED) != 0, !grant);
    }
}

TEST(a_receiver_that_comes_later_gets_the_capabilities_too)
{
    host_boot();
    from = host_thread(KOZO_WRITE | KOZO_GRANT, 0);
    to = host_thread(KOZO_READ, 0);
    to->buffer->recv_slot = WINDOW;
    to->buffer->recv_count = 1;
    describe(0, SLOT_NTFN, KOZO_WRITE, 0, 0);
    CHECK_EQ(call(from, SEND, SLOT_EP, INFO(1) | INFO_CAPS(1), 7), HOST_BLOCKED);
    CHECK_OK(call(to, RECV, SLOT_EP, KOZO_INFO_RECV_CAPS));
    check_counts(1, 1, false);
}

TEST(a_sender_may_not_move_out_of_a_space_it_may_only_read)
{
    boot_window(2);
    CHECK_OK(call(host.init, THREAD_SUSPEND, host_thread_slot(from)));
    CHECK_OK(call(host.init, CAP_COPY, 0, SLOT_FREE, 0, host_cnode_slot(from), KOZO_READ));
    CHECK_OK(call(host.init, THREAD_BIND, host_thread_slot(from), SLOT_FREE, 0, 0, 0, 0));
    CHECK_OK(call(host.init, THREAD_RESUME, host_thread_slot(from)));
    describe(0, SLOT_NTFN, KOZO_RIGHTS_ALL, KOZO_CAP_MOVE, 0);
    describe(1, SLOT_NTFN, KOZO_RIGHTS_ALL, 0, 0);
    send(2);
    check_counts(1, 2, true);
    CHECK_EQ(host_slot_of(from, SLOT_NTFN)->cap.kind, KOZO_KIND_NOTIFICATION);
}

/* What came of a slot that a revoke is about to empty goes with it. */
TEST(a_capability_sent_during_a_revoke_does_not_escape)
{
    boot_window(1);
    CHECK_OK(call(from, CAP_COPY, 0, X, 0, SLOT_NTFN, KOZO_SAME_RIGHTS));
    for (uint64_t i = 1; i < 9; i++)
        CHECK_OK(call(from, CAP_COPY, 0, X + i, 0, SLOT_NTFN, KOZO_SAME_RIGHTS));
    pending_revoke(host_slot(SLOT_NTFN));
    host_leave();
    describe(0, X, KOZO_RIGHTS_ALL, 0, 0);
    CHECK_OK(call(from, SEND, SLOT_EP, INFO(1) | INFO_CAPS(1), 7));
    host_idle();
    CHECK_EQ(got(0)->kind, KOZO_KIND_NULL);
    CHECK(slot_is_null(host_slot_of(from, X)));
}
