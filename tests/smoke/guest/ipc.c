/* SPDX-License-Identifier: MIT */
/*
 * Messages: in both orders, by each call, all their words, who the receiver is told they come from,
 * and in which order.
 */
#include "peer.h"

KOZO_TEST(call_before_receive)
{
    struct kozo_endpoint ep = kozo_test_endpoint();
    struct doing client = { .nr = KOZO_SYS_CALL, .x = { .cap = ep.c, .info = label(7) } };
    struct kozo_words got;
    struct kozo_worker w;

    fill_words(client.x.w, 1);
    w = doing(&client, URGENT);
    KOZO_CHECK_EQ(state_of(&w), KOZO_THREAD_SENDING);
    KOZO_REQUIRE_OK(kozo_recv_words(ep, &got));
    KOZO_CHECK_EQ(label_of(got.info), 7);
    check_words(got.w, 1);
    KOZO_CHECK_EQ(state_of(&w), KOZO_THREAD_CALLING);
    fill_words(got.w, 2);
    got.cap = 0;
    got.info = label(8);
    KOZO_CHECK_OK(kozo_ipc(KOZO_SYS_REPLY, &got));
    KOZO_CHECK(client.done);
    KOZO_CHECK_OK(client.err);
    KOZO_CHECK_EQ(client.x.cap, 0);
    KOZO_CHECK_EQ(client.x.info, label(8));
    check_words(client.x.w, 2);
}

KOZO_TEST(receive_before_call)
{
    struct kozo_endpoint ep = kozo_test_endpoint();
    struct doing server = { .nr = KOZO_SYS_RECV, .x = { .cap = ep.c } };
    struct kozo_worker w = doing(&server, URGENT);
    struct doing client = { .nr = KOZO_SYS_CALL, .x = { .cap = ep.c, .info = label(9) } };
    struct kozo_worker c;

    KOZO_CHECK_EQ(state_of(&w), KOZO_THREAD_RECEIVING);
    fill_words(client.x.w, 3);
    c = doing(&client, LATER);
    KOZO_CHECK(!server.done);
    AWAIT(server.done);
    KOZO_CHECK_OK(server.err);
    KOZO_CHECK_EQ(label_of(server.x.info), 9);
    check_words(server.x.w, 3);
    /* The server has ended without an answer. */
    AWAIT(client.done);
    KOZO_CHECK_ERR(client.err, KOZO_ERR_GONE);
    AWAIT(state_of(&c) == KOZO_THREAD_FAULTED);
}

KOZO_TEST(send_ends_when_it_is_received)
{
    struct kozo_endpoint ep = kozo_test_endpoint();
    struct doing sender = { .nr = KOZO_SYS_SEND, .x = { .cap = ep.c, .info = label(4) } };
    struct kozo_words got;
    struct kozo_worker w;

    fill_words(sender.x.w, 5);
    w = doing(&sender, URGENT);
    KOZO_CHECK_EQ(state_of(&w), KOZO_THREAD_SENDING);
    KOZO_REQUIRE_OK(kozo_recv_words(ep, &got));
    KOZO_CHECK_EQ(label_of(got.info), 4);
    check_words(got.w, 5);
    KOZO_CHECK(sender.done);
    KOZO_CHECK_OK(sender.err);
    KOZO_CHECK_ERR(answer(0), KOZO_ERR_NOREPLY);
}

KOZO_TEST(send_to_a_waiting_receiver_does_not_wait)
{
    struct kozo_endpoint ep = kozo_test_endpoint();
    struct doing server = { .nr = KOZO_SYS_RECV, .x = { .cap = ep.c } };
    struct kozo_words x = { .cap = ep.c, .info = label(6) };

    (void)doing(&server, URGENT);
    fill_words(x.w, 6);
    KOZO_CHECK_OK(kozo_ipc_until(KOZO_SYS_SEND, &x, 0));
    KOZO_CHECK(server.done);
    check_words(server.x.w, 6);
}

KOZO_TEST(reply_recv_answers_one_and_takes_the_next)
{
    struct kozo_endpoint ep = kozo_test_endpoint();
    struct doing client[2] = { { .nr = KOZO_SYS_CALL, .x = { .cap = ep.c, .info = label(1) } },
                               { .nr = KOZO_SYS_CALL, .x = { .cap = ep.c, .info = label(2) } } };
    struct kozo_words x;

    (void)doing(&client[0], URGENT);
    (void)doing(&client[1], URGENT);
    KOZO_REQUIRE_OK(kozo_recv_words(ep, &x));
    KOZO_CHECK_EQ(label_of(x.info), 1);
    x.info = label(11);
    KOZO_REQUIRE_OK(kozo_reply_recv_words(ep, &x));
    KOZO_CHECK_EQ(x.info & KOZO_INFO_REPLY_LOST, 0);
    KOZO_CHECK_EQ(label_of(x.info), 2);
    KOZO_CHECK(client[0].done && !client[1].done);
    KOZO_CHECK_EQ(label_of(client[0].x.info), 11);
    KOZO_CHECK_OK(answer(label(12)));
    KOZO_CHECK(client[1].done);
    KOZO_CHECK_EQ(label_of(client[1].x.info), 12);
}

KOZO_TEST(all_extra_words_travel_both_ways)
{
    struct kozo_endpoint ep = kozo_test_endpoint();
    struct doing client = { .nr = KOZO_SYS_CALL, .x = { .cap = ep.c, .info = KOZO_MSG_EXTRA } };
    struct kozo_worker w = doing_later(URGENT);
    struct kozo_words x;

    for (unsigned i = 0; i < KOZO_MSG_EXTRA; i++)
        buffer_of(&w)->word[i] = 0xc0de0000 + i;
    KOZO_REQUIRE_OK(kozo_worker_run(&w, do_it, &client));
    KOZO_REQUIRE_OK(kozo_recv_words(ep, &x));
    KOZO_CHECK_EQ(x.info & KOZO_INFO_EXTRA_MASK, KOZO_MSG_EXTRA);
    for (unsigned i = 0; i < KOZO_MSG_EXTRA; i++) {
        KOZO_CHECK_EQ(kozo_buffer()->word[i], 0xc0de0000 + i);
        kozo_buffer()->word[i] = 0xfade0000 + i;
    }
    KOZO_CHECK_OK(answer(KOZO_MSG_EXTRA));
    KOZO_CHECK_OK(client.err);
    KOZO_CHECK_EQ(client.x.info, KOZO_MSG_EXTRA);
    for (unsigned i = 0; i < KOZO_MSG_EXTRA; i++)
        KOZO_CHECK_EQ(buffer_of(&w)->word[i], 0xfade0000 + i);
}

/* What lies in the sender's buffer behind the words it sends stays its own. */
KOZO_TEST(no_more_extra_words_travel_than_were_sent)
{
    struct kozo_endpoint ep = kozo_test_endpoint();
    struct doing sender = { .nr = KOZO_SYS_SEND, .x = { .cap = ep.c, .info = 3 } };
    struct kozo_worker w = doing_later(URGENT);
    struct kozo_words x;

    for (unsigned i = 0; i < KOZO_MSG_EXTRA; i++) {
        buffer_of(&w)->word[i] = 0x5ec2e7;
        kozo_buffer()->word[i] = 0;
    }
    KOZO_REQUIRE_OK(kozo_worker_run(&w, do_it, &sender));
    KOZO_REQUIRE_OK(kozo_recv_words(ep, &x));
    KOZO_CHECK_EQ(x.info & KOZO_INFO_EXTRA_MASK, 3);
    for (unsigned i = 0; i < KOZO_MSG_EXTRA; i++)
        KOZO_CHECK_EQ(kozo_buffer()->word[i], i < 3 ? 0x5ec2e7 : 0);
}

KOZO_TEST(words_for_a_thread_without_a_buffer_are_left_out)
{
    struct kozo_endpoint ep = kozo_test_endpoint();
    struct doing server = { .nr = KOZO_SYS_RECV, .x = { .cap = ep.c } };
    struct kozo_words x = { .cap = ep.c, .info = 5 };

    (void)bare_thread(&server, URGENT);
    fill_words(x.w, 1);
    KOZO_CHECK_OK(kozo_ipc(KOZO_SYS_SEND, &x));
    KOZO_CHECK(server.done);
    KOZO_CHECK_EQ(server.x.info, KOZO_INFO_DROPPED | 0xffull << KOZO_INFO_USER_SHIFT);
    check_words(server.x.w, 1);
}

KOZO_TEST(what_needs_a_buffer_is_refused_without_one)
{
    static const uint64_t needs[] = { 1, 1 << KOZO_INFO_CAPS_SHIFT, KOZO_INFO_RECV_CAPS };
    struct kozo_endpoint ep = kozo_test_endpoint();

    for (unsigned i = 0; i < 3; i++) {
        struct doing call = { .nr = KOZO_SYS_CALL, .x = { .cap = ep.c, .info = needs[i] } };
        struct kozo_thread t = bare_thread(&call, URGENT);

        KOZO_CHECK(call.done);
        KOZO_CHECK_ERR(call.err, KOZO_ERR_BUFFER);
        kozo_slot_drop(t.c);
    }
}

KOZO_TEST(badge_and_user_rights_tell_the_capability_used)
{
    static const uint64_t badges[] = { 0, 1, 0x8000000000000000, UINT64_MAX };
    struct kozo_endpoint ep = kozo_test_endpoint();
    struct kozo_words x;

    for (unsigned i = 0; i < 4; i++) {
        struct kozo_endpoint mine =
            kozo_test_mint(ep, KOZO_RIGHTS(KOZO_WRITE, 0xa0 + i), badges[i]);
        struct doing sender = { .nr = KOZO_SYS_SEND, .x = { .cap = mine.c } };

        (void)doing(&sender, URGENT);
        KOZO_REQUIRE_OK(kozo_recv_words(ep, &x));
        KOZO_CHECK_EQ(x.cap, badges[i]);
        KOZO_CHECK_EQ(x.info, (0xa0ull + i) << KOZO_INFO_USER_SHIFT);
    }
}

KOZO_TEST(badge_comes_from_the_kernel_not_from_the_message)
{
    struct kozo_endpoint ep = kozo_test_endpoint();
    struct kozo_endpoint unbadged = { kozo_test_copy(ep.c, KOZO_RIGHTS(KOZO_WRITE, 0)) };
    struct doing sender = { .nr = KOZO_SYS_SEND,
                            .x = { .cap = unbadged.c, .w = { 77, 77, 77, 77, 77, 77, 77, 77 } } };
    struct kozo_words x;

    (void)doing(&sender, URGENT);
    KOZO_REQUIRE_OK(kozo_recv_words(ep, &x));
    KOZO_CHECK_EQ(x.cap, 0);
    KOZO_CHECK_EQ(x.info >> KOZO_INFO_USER_SHIFT & 0xff, 0);
}

/* Deadline 0 keeps a call that is wrongly admitted from waiting. */
static enum kozo_err try(uint64_t nr, kozo_cptr cap, uint64_t info)
{
    struct kozo_words x = { .cap = cap, .info = info };

    return kozo_ipc_until(nr, &x, 0);
}

KOZO_TEST(reserved_bits_of_info_are_refused)
{
    static const uint64_t calls[] = { KOZO_SYS_CALL, KOZO_SYS_SEND, KOZO_SYS_REPLY_RECV,
                                      KOZO_SYS_RECV };
    struct kozo_endpoint ep = kozo_test_endpoint();

    for (unsigned i = 0; i < 4; i++) {
        for (unsigned bit = 0; bit < 32; bit++)
            if ((KOZO_INFO_RESERVED >> bit & 1) != 0)
                KOZO_CHECK_ERR(try(calls[i], ep.c, 1ull << bit), KOZO_ERR_ARGUMENT);
        KOZO_CHECK_ERR(try(calls[i], ep.c, KOZO_MSG_EXTRA + 1), KOZO_ERR_ARGUMENT);
        KOZO_CHECK_ERR(try(calls[i], ep.c, 63), KOZO_ERR_ARGUMENT);
        KOZO_CHECK_ERR(try(calls[i], ep.c, (KOZO_MSG_CAPS + 1) << KOZO_INFO_CAPS_SHIFT),
                       KOZO_ERR_ARGUMENT);
        KOZO_CHECK_ERR(try(calls[i], ep.c, 0), KOZO_ERR_TIMEOUT);
    }
    /* What a receiver asks for has no words and no label. */
    KOZO_CHECK_ERR(try(KOZO_SYS_RECV, ep.c, 1), KOZO_ERR_ARGUMENT);
    KOZO_CHECK_ERR(try(KOZO_SYS_RECV, ep.c, label(1)), KOZO_ERR_ARGUMENT);
}

KOZO_TEST(refused_answer_leaves_the_caller_owed)
{
    struct kozo_endpoint ep = kozo_test_endpoint();
    struct doing client = { .nr = KOZO_SYS_CALL, .x = { .cap = ep.c } };
    struct kozo_words x;

    (void)doing(&client, URGENT);
    KOZO_REQUIRE_OK(kozo_recv_words(ep, &x));
    KOZO_CHECK_ERR(answer(1 << 6), KOZO_ERR_ARGUMENT);
    x = (struct kozo_words){ .cap = ep.c, .info = 1 << 7 };
    KOZO_CHECK_ERR(kozo_ipc(KOZO_SYS_REPLY_RECV, &x), KOZO_ERR_ARGUMENT);
    KOZO_CHECK(!client.done);
    KOZO_CHECK_OK(answer(label(3)));
    KOZO_CHECK_EQ(client.x.info, label(3));
}

KOZO_TEST(endpoint_calls_need_their_rights)
{
    struct kozo_endpoint ep = kozo_test_endpoint();
    kozo_cptr reads = kozo_test_copy(ep.c, KOZO_RIGHTS(KOZO_READ, 0));
    kozo_cptr writes = kozo_test_copy(ep.c, KOZO_RIGHTS(KOZO_WRITE, 0));
    kozo_cptr empty = kozo_test_slot();
    static const uint64_t calls[] = { KOZO_SYS_CALL, KOZO_SYS_SEND, KOZO_SYS_REPLY_RECV,
                                      KOZO_SYS_RECV };

    for (unsigned i = 0; i < 4; i++) {
        KOZO_CHECK_ERR(try(calls[i], 0, 0), KOZO_ERR_ADDRESS);
        KOZO_CHECK_ERR(try(calls[i], 1 << KOZO_INIT_CNODE_BITS, 0), KOZO_ERR_ADDRESS);
        KOZO_CHECK_ERR(try(calls[i], UINT64_MAX, 0), KOZO_ERR_ADDRESS);
        KOZO_CHECK_ERR(try(calls[i], empty, 0), KOZO_ERR_EMPTY);
        KOZO_CHECK_ERR(try(calls[i], KOZO_INIT_THREAD, 0), KOZO_ERR_KIND);
        KOZO_CHECK_ERR(try(calls[i], i < 2 ? reads : writes, 0), KOZO_ERR_RIGHTS);
        KOZO_CHECK_ERR(try(calls[i], i < 2 ? writes : reads, 0), KOZO_ERR_TIMEOUT);
    }
    KOZO_CHECK_ERR(try(KOZO_SYS_SEND, writes, 1 << KOZO_INFO_CAPS_SHIFT), KOZO_ERR_RIGHTS);
}

KOZO_TEST(senders_are_taken_by_priority_then_in_order)
{
    static const uint32_t priority[] = { 40, 20, 40, 30, 20, 10 };
    static const uint64_t expected[] = { 5, 1, 4, 3, 0, 2 };
    struct kozo_endpoint ep = kozo_test_endpoint();
    struct doing sender[6];
    struct kozo_words x;

    for (unsigned i = 0; i < 6; i++) {
        sender[i] = (struct doing){ .nr = KOZO_SYS_SEND, .x = { .cap = ep.c, .info = label(i) } };
        (void)doing(&sender[i], priority[i]);
    }
    for (unsigned i = 0; i < 6; i++) {
        KOZO_REQUIRE_OK(kozo_recv_words(ep, &x));
        KOZO_CHECK_EQ(label_of(x.info), expected[i]);
    }
}

KOZO_TEST(receivers_are_served_by_priority_then_in_order)
{
    static const uint32_t priority[] = { 40, 20, 40, 30 };
    static const unsigned expected[] = { 1, 3, 0, 2 };
    struct kozo_endpoint ep = kozo_test_endpoint();
    struct doing server[4];

    for (unsigned i = 0; i < 4; i++) {
        server[i] = (struct doing){ .nr = KOZO_SYS_RECV, .x = { .cap = ep.c } };
        (void)doing(&server[i], priority[i]);
    }
    for (unsigned i = 0; i < 4; i++) {
        struct kozo_words x = { .cap = ep.c, .info = label(i) };

        KOZO_REQUIRE_OK(kozo_ipc(KOZO_SYS_SEND, &x));
        KOZO_CHECK(server[expected[i]].done);
        KOZO_CHECK_EQ(label_of(server[expected[i]].x.info), i);
    }
}

/* As above, by calls: a server that ends with the message in hand sends its client on its way. */
KOZO_TEST(calls_reach_receivers_by_priority_then_in_order)
{
    static const uint32_t priority[] = { 40, 20, 40, 30, 40 };
    static const unsigned expected[] = { 1, 3, 0, 2, 4 };
    struct kozo_endpoint ep = kozo_test_endpoint();
    struct doing server[5];

    for (unsigned i = 0; i < 5; i++) {
        server[i] = (struct doing){ .nr = KOZO_SYS_RECV, .x = { .cap = ep.c } };
        (void)doing(&server[i], priority[i]);
    }
    for (unsigned i = 0; i < 5; i++) {
        struct kozo_words x = { .info = label(i) };

        KOZO_CHECK_ERR(kozo_call_words(ep, &x), KOZO_ERR_GONE);
        KOZO_CHECK(server[expected[i]].done);
        KOZO_CHECK_EQ(label_of(server[expected[i]].x.info), i);
    }
}

KOZO_TEST(queued_sender_moves_with_its_priority)
{
    struct kozo_endpoint ep = kozo_test_endpoint();
    struct doing sender[3];
    struct kozo_worker w[3];
    struct kozo_words x;

    for (unsigned i = 0; i < 3; i++) {
        sender[i] = (struct doing){ .nr = KOZO_SYS_SEND, .x = { .cap = ep.c, .info = label(i) } };
        w[i] = doing(&sender[i], URGENT);
    }
    KOZO_CHECK_OK(kozo_thread_priority(w[2].thread, URGENT - 1, URGENT - 1));
    KOZO_CHECK_OK(kozo_thread_priority(w[0].thread, URGENT + 1, URGENT));
    for (unsigned i = 0; i < 3; i++) {
        KOZO_REQUIRE_OK(kozo_recv_words(ep, &x));
        KOZO_CHECK_EQ(label_of(x.info), 2 - i);
    }
}

/* Waiting first, in the middle and last: whichever goes, the others are still served, in order. */
KOZO_TEST(waiting_sender_that_is_deleted_leaves_no_trace)
{
    for (unsigned gone = 0; gone < 3; gone++) {
        struct kozo_endpoint ep = kozo_test_endpoint();
        struct doing sender[3];
        struct kozo_worker w[3];
        struct kozo_words x;

        for (unsigned i = 0; i < 3; i++) {
            sender[i] =
                (struct doing){ .nr = KOZO_SYS_SEND, .x = { .cap = ep.c, .info = label(i) } };
            w[i] = doing(&sender[i], URGENT);
        }
        kozo_worker_end(&w[gone]);
        for (unsigned i = 0; i < 3; i++) {
            if (i == gone)
                continue;
            KOZO_REQUIRE_OK(kozo_recv_words(ep, &x));
            KOZO_CHECK_EQ(label_of(x.info), i);
        }
        KOZO_CHECK_ERR(try(KOZO_SYS_RECV, ep.c, 0), KOZO_ERR_TIMEOUT);
    }
}

KOZO_TEST(failed_call_returns_no_words)
{
    struct kozo_endpoint ep = kozo_test_endpoint();
    struct doing client = { .nr = KOZO_SYS_CALL, .x = { .cap = ep.c, .info = label(5) } };
    struct kozo_words x = { .cap = ep.c };

    fill_words(client.x.w, 1);
    (void)doing(&client, URGENT);
    KOZO_REQUIRE_OK(kozo_recv_words(ep, &x));
    x = (struct kozo_words){ .cap = ep.c, .info = label(1) };
    fill_words(x.w, 2);
    KOZO_CHECK_ERR(kozo_ipc_until(KOZO_SYS_REPLY_RECV, &x, 0), KOZO_ERR_TIMEOUT);
    check_no_words(&x);
    KOZO_CHECK(client.done);
    check_words(client.x.w, 2);
    client = (struct doing){ .nr = KOZO_SYS_CALL, .x = { .cap = ep.c, .info = label(5) } };
    fill_words(client.x.w, 3);
    (void)doing(&client, URGENT);
    kozo_slot_drop(ep.c);
    KOZO_CHECK_ERR(client.err, KOZO_ERR_GONE);
    check_no_words(&client.x);
}
