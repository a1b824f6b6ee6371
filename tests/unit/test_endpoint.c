/* SPDX-License-Identifier: MIT */
/*
 * test_endpoint.c - meeting at an Endpoint: both orders, words, queues, errors, destruction.
 */
#include "host.h"
#include <string.h>

/* ---- the two orders ---- */

TEST(call_reaches_waiting_server_with_badge_and_words)
{
    host_boot();
    struct tcb *server = host_thread(KOZO_READ, 0);
    struct tcb *client = host_thread(KOZO_WRITE, 0x77);

    CHECK_EQ(call(server, RECV, SLOT_EP), HOST_BLOCKED);
    CHECK_EQ(server->state, TCB_RECEIVING);

    CHECK_EQ(call(client, CALL, SLOT_EP, INFO(5), 11, 22, 33, 44, 55, 66, 77, 88), HOST_BLOCKED);
    CHECK_EQ(client->state, TCB_CALLING);
    CHECK_PTR(host_running(), server); /* direct switch, no scheduler in between */
    CHECK_OK(host_error(server));
    CHECK_EQ(server->frame.badge, 0x77);
    CHECK_EQ(INFO_LABEL(server->frame.info), 5);
    for (uint32_t i = 0; i < KOZO_MSG_REGS; i++)
        CHECK_EQ(server->frame.word[i], 11 * (i + 1));
}

TEST(server_takes_the_call_that_waits)
{
    host_boot();
    struct tcb *server = host_thread(KOZO_READ, 0);
    struct tcb *client = host_thread(KOZO_WRITE, 0x99);

    CHECK_EQ(call(client, CALL, SLOT_EP, INFO(1), 7), HOST_BLOCKED);
    CHECK_EQ(client->state, TCB_SENDING);
    CHECK_OK(call(server, RECV, SLOT_EP));
    CHECK_EQ(server->frame.badge, 0x99);
    CHECK_EQ(server->frame.word[0], 7);
    CHECK_EQ(client->state, TCB_CALLING);
    CHECK_PTR(server->owes, client);
}

TEST(reply_wakes_the_caller_with_its_words)
{
    host_boot();
    struct tcb *server = host_thread(KOZO_READ, 0);
    struct tcb *client = host_thread(KOZO_WRITE, 0x99);

    call(server, RECV, SLOT_EP);
    call(client, CALL, SLOT_EP, INFO(1), 7);
    CHECK_OK(call(server, REPLY, 0, INFO(9), 1, 2, 3, 4, 5, 6, 7, 8));
    CHECK_EQ(client->state, TCB_READY);
    CHECK_OK(host_error(client));
    CHECK_EQ(client->frame.badge, 0);
    CHECK_EQ(INFO_LABEL(client->frame.info), 9);
    for (uint32_t i = 0; i < KOZO_MSG_REGS; i++)
        CHECK_EQ(client->frame.word[i], i + 1);
    CHECK_PTR(server->owes, nullptr);
}

TEST(reply_recv_answers_and_takes_the_next)
{
    host_boot();
    struct tcb *server = host_thread(KOZO_READ, 0);
    struct tcb *a = host_thread(KOZO_WRITE, 0xa);
    struct tcb *b = host_thread(KOZO_WRITE, 0xb);

    call(server, RECV, SLOT_EP);
    call(a, CALL, SLOT_EP, INFO(1), 100);
    call(b, CALL, SLOT_EP, INFO(1), 200);
    CHECK_EQ(b->state, TCB_SENDING);
    CHECK_OK(call(server, REPLY_RECV, SLOT_EP, INFO(0), 101));
    CHECK_EQ(a->frame.word[0], 101);
    CHECK_EQ(server->frame.badge, 0xb);
    CHECK_EQ(server->frame.word[0], 200);
    CHECK_EQ(call(server, REPLY_RECV, SLOT_EP, INFO(0), 201), HOST_BLOCKED);
    CHECK_EQ(b->frame.word[0], 201);
    CHECK_EQ(server->state, TCB_RECEIVING);
    CHECK(host_running() == a || host_running() == b);
}

TEST(reply_recv_goes_straight_back_to_the_caller)
{
    host_boot();
    struct tcb *server = host_thread(KOZO_READ, 0);
    struct tcb *client = host_thread(KOZO_WRITE, 1);

    call(server, RECV, SLOT_EP);
    for (uint64_t i = 0; i < 5; i++) {
        CHECK_EQ(call(client, CALL, SLOT_EP, INFO(0), i), HOST_BLOCKED);
        CHECK_PTR(host_running(), server);
        CHECK_EQ(server->frame.word[0], i);
        CHECK_EQ(call(server, REPLY_RECV, SLOT_EP, INFO(0), i + 1), HOST_BLOCKED);
        CHECK_PTR(host_running(), client);
        CHECK_EQ(client->frame.word[0], i + 1);
    }
}

TEST(send_to_a_waiting_receiver_returns_at_once)
{
    host_boot();
    struct tcb *server = host_thread(KOZO_READ, 0);
    struct tcb *client = host_thread(KOZO_WRITE, 3);

    call(server, RECV, SLOT_EP);
    CHECK_OK(call(client, SEND, SLOT_EP, INFO(2), 42));
    CHECK_PTR(host_running(), client); /* equals do not preempt */
    CHECK_EQ(server->state, TCB_READY);
    CHECK_EQ(server->frame.word[0], 42);
    CHECK_PTR(server->owes, nullptr);
}

TEST(send_waits_until_it_is_received)
{
    host_boot();
    struct tcb *server = host_thread(KOZO_READ, 0);
    struct tcb *client = host_thread(KOZO_WRITE, 3);

    CHECK_EQ(call(client, SEND, SLOT_EP, INFO(2), 42), HOST_BLOCKED);
    CHECK_EQ(client->state, TCB_SENDING);
    CHECK_OK(call(server, RECV, SLOT_EP));
    CHECK_EQ(server->frame.badge, 3);
    CHECK_EQ(server->frame.word[0], 42);
    CHECK_EQ(client->state, TCB_READY);
    CHECK_OK(host_error(client));
    CHECK_PTR(server->owes, nullptr);
}

TEST(a_more_urgent_receiver_runs_at_once)
{
    host_boot();
    struct tcb *server = host_thread_at(KOZO_READ, 0, 10);
    struct tcb *client = host_thread(KOZO_WRITE, 3);

    call(server, RECV, SLOT_EP);
    CHECK_OK(call(client, SEND, SLOT_EP, INFO(2), 42));
    CHECK_PTR(host_running(), server);
    CHECK_EQ(client->state, TCB_READY);
}

/* ---- the order in queues ---- */

TEST(senders_are_taken_by_priority_then_by_arrival)
{
    static const uint8_t priority[] = { 120, 110, 120, 115, 110 };
    static const uint64_t order[] = { 2, 5, 4, 1, 3 };

    host_boot();
    struct tcb *server = host_thread(KOZO_READ, 0);
    for (uint64_t i = 0; i < ARRAY_LEN(priority); i++)
        call(host_thread_at(KOZO_WRITE, i + 1, priority[i]), SEND, SLOT_EP, INFO(0));
    for (uint64_t i = 0; i < ARRAY_LEN(order); i++) {
        CHECK_OK(call(server, RECV, SLOT_EP));
        CHECK_EQ(server->frame.badge, order[i]);
    }
}

TEST(receivers_are_chosen_by_priority_then_by_arrival)
{
    static const uint8_t priority[] = { 120, 110, 120, 110 };
    static const uint64_t order[] = { 1, 3, 0, 2 };
    struct tcb *t[4];

    host_boot();
    for (uint32_t i = 0; i < 4; i++)
        call(t[i] = host_thread_at(KOZO_READ, 0, priority[i]), RECV, SLOT_EP);
    for (uint64_t i = 0; i < 4; i++) {
        CHECK_OK(call(host.init, SEND, SLOT_EP, INFO(0), i + 1));
        CHECK_EQ(t[order[i]]->state, TCB_READY);
        CHECK_EQ(t[order[i]]->frame.word[0], i + 1);
    }
}

TEST(a_priority_changed_in_the_queue_changes_the_order)
{
    host_boot();
    struct tcb *server = host_thread(KOZO_READ, 0);
    struct tcb *a = host_thread_at(KOZO_WRITE, 0xa, 120);
    struct tcb *b = host_thread_at(KOZO_WRITE, 0xb, 120);
    struct tcb *c = host_thread_at(KOZO_WRITE, 0xc, 130);

    call(a, SEND, SLOT_EP, INFO(0));
    call(b, SEND, SLOT_EP, INFO(0));
    call(c, SEND, SLOT_EP, INFO(0));
    CHECK_OK(call(host.init, THREAD_PRIORITY, host_thread_slot(c), 110, 110));
    CHECK_OK(call(host.init, THREAD_PRIORITY, host_thread_slot(a), 140, 140));
    CHECK_OK(call(server, RECV, SLOT_EP));
    CHECK_EQ(server->frame.badge, 0xc);
    CHECK_OK(call(server, RECV, SLOT_EP));
    CHECK_EQ(server->frame.badge, 0xb);
    CHECK_OK(call(server, RECV, SLOT_EP));
    CHECK_EQ(server->frame.badge, 0xa);
}

/* FACTS: a dead thread left in a queue. */
TEST(first_middle_and_last_waiter_can_be_destroyed)
{
    for (uint64_t gone = 0; gone < 3; gone++) {
        struct tcb *t[3];
        host_boot();
        struct tcb *server = host_thread(KOZO_READ, 0);
        for (uint64_t i = 0; i < 3; i++)
            call(t[i] = host_thread(KOZO_WRITE, i + 1), SEND, SLOT_EP, INFO(0));
        CHECK_OK(call(host.init, CAP_REVOKE, 0, host_thread_slot(t[gone])));
        CHECK_OK(call(host.init, CAP_DELETE, 0, host_thread_slot(t[gone])));
        CHECK_EQ(t[gone]->state, TCB_FREE);
        struct tcb *again = host_thread(KOZO_WRITE, 9); /* in the same TCB */
        CHECK_PTR(again, t[gone]);
        call(again, SEND, SLOT_EP, INFO(0));
        for (uint64_t i = 0; i < 3; i++) {
            if (i == gone)
                continue;
            CHECK_OK(call(server, RECV, SLOT_EP));
            CHECK_EQ(server->frame.badge, i + 1);
        }
        CHECK_OK(call(server, RECV, SLOT_EP));
        CHECK_EQ(server->frame.badge, 9);
    }
}

/* ---- words ---- */

TEST(extra_words_travel_through_the_buffers)
{
    host_boot();
    struct tcb *server = host_thread(KOZO_READ, 0);
    struct tcb *client = host_thread(KOZO_WRITE, 0);

    for (uint32_t i = 0; i < KOZO_MSG_EXTRA; i++) {
        client->buffer->word[i] = 1000 + i;
        server->buffer->word[i] = 5;
    }
    call(server, RECV, SLOT_EP);
    CHECK_OK(call(client, SEND, SLOT_EP, INFO(0) | 10));
    CHECK_EQ(server->frame.info & KOZO_INFO_EXTRA_MASK, 10);
    for (uint32_t i = 0; i < KOZO_MSG_EXTRA; i++)
        CHECK_EQ(server->buffer->word[i], i < 10 ? 1000 + i : 5); /* no more than was sent */
    call(server, RECV, SLOT_EP);
    CHECK_OK(call(client, SEND, SLOT_EP, INFO(0) | KOZO_MSG_EXTRA));
    CHECK_EQ(server->frame.info & KOZO_INFO_EXTRA_MASK, KOZO_MSG_EXTRA);
    CHECK_EQ(server->buffer->word[KOZO_MSG_EXTRA - 1], 1000 + KOZO_MSG_EXTRA - 1);
}

TEST(words_for_a_receiver_without_a_buffer_are_dropped_and_it_is_told)
{
    host_boot();
    struct tcb *server = host_peer(HOST_PRIORITY);
    struct tcb *client = host_thread(KOZO_WRITE, 0);

    call(server, RECV, SLOT_EP);
    CHECK_OK(call(client, SEND, SLOT_EP, INFO(0) | 10, 77));
    CHECK_EQ(server->frame.info & KOZO_INFO_EXTRA_MASK, 0);
    CHECK(server->frame.info & KOZO_INFO_DROPPED);
    CHECK_EQ(server->frame.word[0], 77);
}

TEST(a_sender_without_a_buffer_cannot_send_extra_words)
{
    host_boot();
    struct tcb *peer = host_peer(HOST_PRIORITY);

    CHECK_ERR(call(peer, SEND, SLOT_EP, INFO(0) | 1), BUFFER);
    CHECK_ERR(call(peer, CALL, SLOT_EP, INFO(0) | INFO_CAPS(1)), BUFFER);
    CHECK_ERR(call(peer, RECV, SLOT_EP, KOZO_INFO_RECV_CAPS), BUFFER);
}

TEST(an_info_word_out_of_bounds_is_refused)
{
    host_boot();
    struct tcb *client = host_thread(KOZO_WRITE | KOZO_READ, 0);

    CHECK_ERR(call(client, SEND, SLOT_EP, KOZO_MSG_EXTRA + 1), ARGUMENT);
    CHECK_ERR(call(client, SEND, SLOT_EP, INFO_CAPS(KOZO_MSG_CAPS + 1)), ARGUMENT);
    for (uint32_t bit = 0; bit < 32; bit++)
        if (KOZO_INFO_RESERVED & 1ull << bit) {
            CHECK_ERR(call(client, SEND, SLOT_EP, 1ull << bit), ARGUMENT);
            CHECK_ERR(call(client, CALL, SLOT_EP, 1ull << bit), ARGUMENT);
            CHECK_ERR(call(client, RECV, SLOT_EP, 1ull << bit), ARGUMENT);
        }
}

TEST(the_receiver_learns_the_user_rights_of_the_capability_used)
{
    host_boot();
    struct tcb *server = host_thread(KOZO_READ, 0);
    struct tcb *client = host_thread(KOZO_WRITE, 0);

    CHECK_OK(call(host.init, CAP_COPY, host_cnode_slot(client), SLOT_FREE, 0, SLOT_EP,
                  KOZO_RIGHTS(KOZO_WRITE, 0x5a)));
    call(server, RECV, SLOT_EP);
    CHECK_OK(call(client, SEND, SLOT_FREE, INFO(0)));
    CHECK_EQ(server->frame.info >> KOZO_INFO_USER_SHIFT & 0xff, 0x5a);
    call(server, RECV, SLOT_EP);
    CHECK_OK(call(client, SEND, SLOT_EP, INFO(0)));
    CHECK_EQ(server->frame.info >> KOZO_INFO_USER_SHIFT & 0xff, 0xff);
}

TEST(a_waiting_message_keeps_the_badge_it_was_sent_with)
{
    host_boot();
    struct tcb *server = host_thread(KOZO_READ, 0);
    struct tcb *client = host_thread(KOZO_WRITE, 0x1234);

    call(client, CALL, SLOT_EP, INFO(0));
    CHECK_OK(call(host.init, CAP_DELETE, host_cnode_slot(client),
                  SLOT_EP)); /* the capability, not the message */
    CHECK_OK(call(server, RECV, SLOT_EP));
    CHECK_EQ(server->frame.badge, 0x1234);
}

/* ---- rights and errors ---- */

TEST(each_direction_needs_its_right)
{
    host_boot();
    struct tcb *reader = host_thread(KOZO_READ, 0);
    struct tcb *writer = host_thread(KOZO_WRITE, 0);

    CHECK_ERR(call(reader, SEND, SLOT_EP, INFO(0)), RIGHTS);
    CHECK_ERR(call(reader, CALL, SLOT_EP, INFO(0)), RIGHTS);
    CHECK_ERR(call(writer, RECV, SLOT_EP, 0), RIGHTS);
    CHECK_ERR(call(writer, REPLY_RECV, SLOT_EP, INFO(0)), RIGHTS);
}

TEST(a_bad_capability_is_told_apart)
{
    host_boot();
    struct tcb *t = host_thread(KOZO_READ | KOZO_WRITE, 0);

    CHECK_ERR(call(t, CALL, 0, INFO(0)), ADDRESS);
    CHECK_ERR(call(t, CALL, 1ull << HOST_SPACE_BITS, INFO(0)), ADDRESS);
    CHECK_ERR(call(t, CALL, UINT64_MAX, INFO(0)), ADDRESS);
    CHECK_ERR(call(t, CALL, SLOT_FREE, INFO(0)), EMPTY);
    CHECK_ERR(call(t, CALL, SLOT_NTFN, INFO(0)), KIND);
    CHECK_ERR(call(t, RECV, SLOT_THREAD, 0), KIND);
    CHECK_ERR(call(t, SEND, SLOT_FREE, INFO(0)), EMPTY);
    CHECK_ERR(call(t, REPLY_RECV, SLOT_FREE, INFO(0)), EMPTY);
}

TEST(a_call_that_fails_its_checks_leaves_no_words_behind)
{
    host_boot();
    struct tcb *t = host_thread(KOZO_READ | KOZO_WRITE, 0);

    /* Ends after its checks: nobody is there, and it may not wait. */
    CHECK_ERR(call_until(t, 0, CALL, SLOT_EP, KOZO_INFO_DEADLINE, 1, 2, 3, 4, 5, 6, 7, 8), TIMEOUT);
    for (uint32_t i = 0; i < FRAME_REGS; i++)
        CHECK_EQ(t->frame.reg[i], 0);
}

/* ---- destruction ---- */

TEST(deleting_an_endpoint_wakes_all_senders_with_gone)
{
    struct tcb *t[40];

    host_boot();
    host_make(SLOT_FREE, KOZO_KIND_ENDPOINT, 0);
    for (uint32_t i = 0; i < ARRAY_LEN(t); i++) {
        t[i] = host_peer((uint8_t)(HOST_PRIORITY + 1 + i % 3));
        CHECK_EQ(call(t[i], CALL, SLOT_FREE, INFO(0), 3), HOST_BLOCKED);
    }
    CHECK_OK(call(host.init, CAP_DELETE, 0, SLOT_FREE));
    host_idle();
    for (uint32_t i = 0; i < ARRAY_LEN(t); i++) {
        CHECK_EQ(t[i]->state, TCB_READY);
        CHECK_ERR(host_error(t[i]), GONE);
        CHECK_EQ(t[i]->frame.word[0], 0);
    }
    CHECK_EQ(host_kind(SLOT_FREE), KOZO_KIND_NULL);
    CHECK(!pending_any());
}

TEST(deleting_an_endpoint_wakes_all_receivers_with_gone)
{
    struct tcb *t[5];

    host_boot();
    host_make(SLOT_FREE, KOZO_KIND_ENDPOINT, 0);
    for (uint32_t i = 0; i < ARRAY_LEN(t); i++)
        CHECK_EQ(call(t[i] = host_peer(HOST_PRIORITY), RECV, SLOT_FREE, 0), HOST_BLOCKED);
    CHECK_OK(call(host.init, CAP_DELETE, 0, SLOT_FREE));
    host_idle();
    for (uint32_t i = 0; i < ARRAY_LEN(t); i++)
        CHECK_ERR(host_error(t[i]), GONE);
}

TEST(deleting_one_of_two_capabilities_wakes_nobody)
{
    host_boot();
    host_make(SLOT_FREE, KOZO_KIND_ENDPOINT, 0);
    CHECK_OK(call(host.init, CAP_COPY, 0, SLOT_FREE + 1, 0, SLOT_FREE, KOZO_SAME_RIGHTS));
    struct tcb *t = host_peer(HOST_PRIORITY);
    call(t, RECV, SLOT_FREE, 0);
    CHECK_OK(call(host.init, CAP_DELETE, 0, SLOT_FREE));
    host_idle();
    CHECK_EQ(t->state, TCB_RECEIVING);
    CHECK_OK(call(host.init, SEND, SLOT_FREE + 1, INFO(0), 8));
    CHECK_EQ(t->frame.word[0], 8);
}

TEST(a_waiter_of_a_dying_endpoint_can_be_destroyed_or_suspended)
{
    struct tcb *t[4];

    host_boot();
    host_make(SLOT_FREE, KOZO_KIND_ENDPOINT, 0);
    for (uint32_t i = 0; i < ARRAY_LEN(t); i++)
        call(t[i] = host_peer(HOST_PRIORITY), CALL, SLOT_FREE, INFO(0));
    slot_delete(host_slot(SLOT_FREE)); /* pending, not one step done */
    host_leave();
    CHECK(pending_any());
    tcb_suspend(t[1], KOZO_ERR_CANCELLED);
    slot_delete(host_slot(host_thread_slot(t[2])));
    host_leave();
    host_idle();
    CHECK_ERR(host_error(t[0]), GONE);
    CHECK_ERR(host_error(t[1]), CANCELLED);
    CHECK_EQ(t[1]->state, TCB_STOPPED);
    CHECK_EQ(t[2]->state, TCB_FREE);
    CHECK_ERR(host_error(t[3]), GONE);
}

TEST(the_memory_of_an_endpoint_is_not_reused_while_it_dies)
{
    host_boot();
    host_make(SLOT_FREE, KOZO_KIND_UNTYPED, 7); /* just one endpoint */
    CHECK_OK(
        call(host.init, RETYPE, SLOT_FREE, KOZO_WHAT(KOZO_KIND_ENDPOINT, 0), 0, SLOT_FREE + 1, 1));
    for (uint32_t i = 0; i < 3; i++)
        call(host_peer(HOST_PRIORITY), CALL, SLOT_FREE + 1, INFO(0));
    slot_delete(host_slot(SLOT_FREE + 1));
    host_leave();
    CHECK(pending_any());
    struct untyped_info {
        uint64_t size, free;
    } info;
    CHECK_OK(call(host.init, UNTYPED_INFO, SLOT_FREE));
    info = (struct untyped_info){ host.init->frame.reg[0], host.init->frame.reg[1] };
    CHECK_EQ(info.size, 128);
    CHECK_EQ(info.free, 0);
    host_idle();
    CHECK_OK(call(host.init, UNTYPED_INFO, SLOT_FREE));
    CHECK_EQ(host.init->frame.reg[1], 128);
}
