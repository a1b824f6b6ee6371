/* SPDX-License-Identifier: MIT */
/*
 * The right to answer: one-shot, put aside, moved, lost with either end. A caller is woken exactly
 * once.
 */
#include "peer.h"

/* A caller whose message the first thread has taken. */
static struct kozo_worker caller_owed(struct kozo_endpoint ep, struct doing *d, uint64_t tag)
{
    struct kozo_worker w;
    struct kozo_words x;

    *d = (struct doing){ .nr = KOZO_SYS_CALL, .x = { .cap = ep.c, .info = label(tag) } };
    w = doing(d, URGENT);
    KOZO_CHECK_OK(kozo_recv_words(ep, &x));
    KOZO_CHECK_EQ(label_of(x.info), tag);
    return w;
}

/* The same, with the right to answer in a slot. */
static struct kozo_reply caller_saved(struct kozo_endpoint ep, struct doing *d, uint64_t tag)
{
    struct kozo_reply r = { kozo_test_slot() };

    (void)caller_owed(ep, d, tag);
    KOZO_CHECK_OK(kozo_reply_save(kozo_own(r.c)));
    return r;
}

static enum kozo_err answer_to(struct kozo_reply r, uint64_t info)
{
    struct kozo_words x = { .cap = r.c, .info = info };

    return kozo_ipc(KOZO_SYS_REPLY, &x);
}

KOZO_TEST(answer_without_a_caller_is_refused)
{
    kozo_cptr slot = kozo_test_slot();

    KOZO_CHECK_ERR(answer(0), KOZO_ERR_NOREPLY);
    KOZO_CHECK_ERR(kozo_reply_save(kozo_own(slot)), KOZO_ERR_NOREPLY);
    KOZO_CHECK_EQ(kind_at(slot), KOZO_KIND_NULL);
}

KOZO_TEST(answer_is_given_once)
{
    struct kozo_endpoint ep = kozo_test_endpoint();
    struct doing client;

    (void)caller_owed(ep, &client, 1);
    KOZO_CHECK_OK(answer(label(2)));
    KOZO_CHECK_EQ(client.x.info, label(2));
    KOZO_CHECK_ERR(answer(label(3)), KOZO_ERR_NOREPLY);
    KOZO_CHECK_EQ(client.x.info, label(2));
}

KOZO_TEST(receive_while_owing_drops_the_caller)
{
    struct kozo_endpoint ep = kozo_test_endpoint();
    struct doing client;
    struct kozo_words x = { .cap = ep.c };

    (void)caller_owed(ep, &client, 1);
    KOZO_CHECK_ERR(kozo_ipc_until(KOZO_SYS_RECV, &x, 0), KOZO_ERR_TIMEOUT);
    KOZO_CHECK(client.done);
    KOZO_CHECK_ERR(client.err, KOZO_ERR_DROPPED);
    check_no_words(&client.x);
    KOZO_CHECK_ERR(answer(0), KOZO_ERR_NOREPLY);
}

KOZO_TEST(server_that_is_deleted_wakes_its_caller)
{
    struct kozo_endpoint ep = kozo_test_endpoint();
    struct doing server = { .nr = KOZO_SYS_RECV, .x = { .cap = ep.c } };
    struct doing client = { .nr = KOZO_SYS_CALL, .x = { .cap = ep.c } };
    struct kozo_worker s = doing(&server, LATER), c;

    AWAIT(state_of(&s) == KOZO_THREAD_RECEIVING);
    c = doing(&client, URGENT);
    KOZO_CHECK_EQ(state_of(&c), KOZO_THREAD_CALLING);
    KOZO_CHECK(!server.done); /* it has the message, and has not run yet */
    kozo_worker_end(&s);
    KOZO_CHECK(client.done);
    KOZO_CHECK_ERR(client.err, KOZO_ERR_GONE);
    check_no_words(&client.x);
}

KOZO_TEST(endpoint_that_ends_wakes_all_who_wait)
{
    struct kozo_endpoint ep[2] = { kozo_test_endpoint(), kozo_test_endpoint() };
    struct doing d[8];

    for (unsigned i = 0; i < 8; i++) {
        static const uint64_t calls[] = { KOZO_SYS_CALL, KOZO_SYS_SEND, KOZO_SYS_RECV,
                                          KOZO_SYS_REPLY_RECV };

        /* No endpoint queues in both directions. */
        d[i] = (struct doing){ .nr = calls[i / 4 * 2 + i % 2], .x = { .cap = ep[i / 4].c } };
        (void)doing(&d[i], URGENT + i % 3);
    }
    kozo_slot_drop(ep[0].c);
    kozo_slot_drop(ep[1].c);
    for (unsigned i = 0; i < 8; i++) {
        KOZO_CHECK(d[i].done);
        KOZO_CHECK_ERR(d[i].err, KOZO_ERR_GONE);
    }
}

/* The last capability counts, not the first. */
KOZO_TEST(endpoint_lives_as_long_as_any_capability_to_it)
{
    struct kozo_endpoint ep = kozo_test_endpoint();
    struct kozo_endpoint copy = { kozo_test_copy(ep.c, KOZO_SAME_RIGHTS) };
    struct doing client = { .nr = KOZO_SYS_CALL, .x = { .cap = copy.c } };
    struct kozo_words x;

    (void)doing(&client, URGENT);
    kozo_slot_drop(ep.c);
    KOZO_CHECK(!client.done);
    KOZO_CHECK_OK(kozo_recv_words(copy, &x));
    KOZO_CHECK_OK(answer(0));
    KOZO_CHECK_OK(client.err);
}

KOZO_TEST(caller_that_is_gone_is_told_of)
{
    struct kozo_endpoint ep = kozo_test_endpoint();
    struct doing client;
    struct kozo_worker w = caller_owed(ep, &client, 1);
    struct doing sender = { .nr = KOZO_SYS_SEND, .x = { .cap = ep.c, .info = label(2) } };
    struct kozo_words x = { .cap = ep.c };

    kozo_worker_end(&w);
    (void)doing(&sender, URGENT);
    KOZO_CHECK_OK(kozo_ipc_until(KOZO_SYS_REPLY_RECV, &x, 0));
    KOZO_CHECK_EQ(label_of(x.info), 2);
    KOZO_CHECK((x.info & KOZO_INFO_REPLY_LOST) != 0);
    /* And once only. */
    sender.x = (struct kozo_words){ .cap = ep.c };
    (void)doing(&sender, URGENT);
    KOZO_CHECK_OK(kozo_recv_words(ep, &x));
    KOZO_CHECK_EQ(x.info & KOZO_INFO_REPLY_LOST, 0);
}

/* A block taken anew for another thread is not the caller that was owed. */
KOZO_TEST(answer_does_not_reach_the_next_owner_of_a_control_block)
{
    struct kozo_endpoint ep = kozo_test_endpoint(), other = kozo_test_endpoint();
    struct doing client, stranger = { .nr = KOZO_SYS_CALL, .x = { .cap = other.c } };
    struct kozo_worker w = caller_owed(ep, &client, 1), s;

    kozo_worker_end(&w);
    s = doing(&stranger, URGENT);
    KOZO_CHECK_ERR(answer(label(5)), KOZO_ERR_NOREPLY);
    KOZO_CHECK(!stranger.done);
    KOZO_CHECK_EQ(state_of(&s), KOZO_THREAD_SENDING);
}

KOZO_TEST(suspended_caller_is_cancelled_and_its_answer_lost)
{
    struct kozo_endpoint ep = kozo_test_endpoint();
    struct doing client;
    struct kozo_worker w = caller_owed(ep, &client, 1);

    KOZO_CHECK_OK(kozo_thread_suspend(w.thread));
    KOZO_CHECK_ERR(answer(label(2)), KOZO_ERR_NOREPLY);
    KOZO_CHECK(!client.done);
    KOZO_CHECK_OK(kozo_thread_resume(w.thread));
    KOZO_CHECK(client.done);
    KOZO_CHECK_ERR(client.err, KOZO_ERR_CANCELLED);
    check_no_words(&client.x);
}

KOZO_TEST(saved_rights_answer_in_any_order)
{
    struct kozo_endpoint ep = kozo_test_endpoint();
    struct doing client[3];
    struct kozo_reply r[3];
    static const unsigned order[] = { 1, 2, 0 };

    for (unsigned i = 0; i < 3; i++)
        r[i] = caller_saved(ep, &client[i], i);
    for (unsigned i = 0; i < 3; i++) {
        unsigned k = order[i];

        KOZO_CHECK_EQ(kind_at(r[k].c), KOZO_KIND_REPLY);
        KOZO_CHECK(!client[k].done);
        KOZO_CHECK_OK(answer_to(r[k], label(10 + k)));
        KOZO_CHECK(client[k].done);
        KOZO_CHECK_EQ(client[k].x.info, label(10 + k));
        KOZO_CHECK_EQ(kind_at(r[k].c), KOZO_KIND_NULL);
        KOZO_CHECK_ERR(answer_to(r[k], 0), KOZO_ERR_EMPTY);
    }
}

KOZO_TEST(saved_right_is_moved_never_copied)
{
    struct kozo_endpoint ep = kozo_test_endpoint();
    struct doing client;
    struct kozo_reply r = caller_saved(ep, &client, 1);
    struct kozo_cnode far = kozo_test_cnode(2);
    kozo_cptr back = kozo_test_slot();

    KOZO_CHECK_ERR(kozo_cap_copy(kozo_own(back), kozo_own(r.c), KOZO_SAME_RIGHTS), KOZO_ERR_UNIQUE);
    KOZO_CHECK_OK(kozo_cap_move(kozo_in(far, 3), kozo_own(r.c)));
    KOZO_CHECK_ERR(answer_to(r, 0), KOZO_ERR_EMPTY);
    KOZO_CHECK_OK(kozo_cap_move(kozo_own(back), kozo_in(far, 3)));
    KOZO_CHECK_OK(answer_to((struct kozo_reply){ back }, label(4)));
    KOZO_CHECK_EQ(client.x.info, label(4));
}

KOZO_TEST(saved_right_that_is_deleted_drops_its_caller)
{
    struct kozo_endpoint ep = kozo_test_endpoint();
    struct doing client[2];
    struct kozo_reply r = caller_saved(ep, &client[0], 1);
    struct kozo_cnode far = kozo_test_cnode(1);

    KOZO_CHECK_OK(kozo_cap_delete(kozo_own(r.c)));
    KOZO_CHECK_ERR(client[0].err, KOZO_ERR_DROPPED);
    r = caller_saved(ep, &client[1], 2);
    KOZO_CHECK_OK(kozo_cap_move(kozo_in(far, 1), kozo_own(r.c)));
    kozo_slot_drop(far.c); /* with all that is in it */
    KOZO_CHECK(client[1].done);
    KOZO_CHECK_ERR(client[1].err, KOZO_ERR_DROPPED);
}

KOZO_TEST(saved_right_goes_with_its_caller)
{
    struct kozo_endpoint ep = kozo_test_endpoint();
    struct doing client;
    struct kozo_worker w = caller_owed(ep, &client, 1);
    struct kozo_reply r = { kozo_test_slot() };

    KOZO_CHECK_OK(kozo_reply_save(kozo_own(r.c)));
    kozo_worker_end(&w);
    KOZO_CHECK_EQ(kind_at(r.c), KOZO_KIND_NULL);
    KOZO_CHECK_ERR(answer_to(r, 0), KOZO_ERR_EMPTY);
}

KOZO_TEST(right_that_cannot_be_saved_is_kept)
{
    struct kozo_endpoint ep = kozo_test_endpoint();
    struct doing client;

    (void)caller_owed(ep, &client, 1);
    KOZO_CHECK_ERR(kozo_reply_save(kozo_own(ep.c)), KOZO_ERR_OCCUPIED);
    KOZO_CHECK_ERR(kozo_reply_save(kozo_own(0)), KOZO_ERR_ADDRESS);
    KOZO_CHECK(!client.done);
    KOZO_CHECK_OK(answer(label(6)));
    KOZO_CHECK_EQ(client.x.info, label(6));
}

/* The middle one of three owes an answer while it waits for one. */
static void relay(void *arg)
{
    struct kozo_endpoint *ep = arg;
    struct kozo_words x;

    if (kozo_recv_words(ep[0], &x) != KOZO_OK)
        return;
    x.info = label(label_of(x.info) + 1);
    if (kozo_call_words(ep[1], &x) != KOZO_OK)
        return;
    x.cap = 0;
    (void)kozo_ipc(KOZO_SYS_REPLY, &x);
}

KOZO_TEST(server_may_call_while_it_owes)
{
    struct kozo_endpoint ep[2] = { kozo_test_endpoint(), kozo_test_endpoint() };
    struct doing client = { .nr = KOZO_SYS_CALL, .x = { .cap = ep[0].c, .info = label(40) } };
    struct kozo_words x;

    (void)kozo_test_thread(relay, ep, URGENT);
    fill_words(client.x.w, 4);
    (void)doing(&client, URGENT);
    KOZO_CHECK_OK(kozo_recv_words(ep[1], &x));
    KOZO_CHECK_EQ(label_of(x.info), 41);
    check_words(x.w, 4);
    KOZO_CHECK(!client.done);
    x.cap = 0;
    x.info = label(42);
    KOZO_CHECK_OK(kozo_ipc(KOZO_SYS_REPLY, &x));
    KOZO_CHECK(client.done);
    KOZO_CHECK_OK(client.err);
    KOZO_CHECK_EQ(client.x.info, label(42));
    check_words(client.x.w, 4);
}

/* A server that faults without a handler is as good as dead. */
static void serve_and_fault(void *arg)
{
    struct kozo_endpoint *ep = arg;
    struct kozo_words x;

    (void)kozo_recv_words(*ep, &x);
    __asm__ volatile("ud2");
}

KOZO_TEST(server_that_faults_wakes_its_caller)
{
    struct kozo_endpoint ep = kozo_test_endpoint();
    struct doing client = { .nr = KOZO_SYS_CALL, .x = { .cap = ep.c } };
    struct kozo_worker w = kozo_test_thread(serve_and_fault, &ep, URGENT);

    (void)doing(&client, URGENT);
    KOZO_CHECK_EQ(state_of(&w), KOZO_THREAD_FAULTED);
    KOZO_CHECK(client.done);
    KOZO_CHECK_ERR(client.err, KOZO_ERR_GONE);
}
