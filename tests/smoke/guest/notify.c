/* SPDX-License-Identifier: MIT */
/*
 * Notifications: bits that add up until somebody takes them, waited for alone or together with
 * messages.
 */
#include "peer.h"

KOZO_TEST(signals_add_up_and_are_taken_together)
{
    struct kozo_notification n = kozo_test_notification();

    KOZO_CHECK_OK(kozo_signal(n, 1));
    KOZO_CHECK_OK(kozo_signal(n, 1ull << 63));
    KOZO_CHECK_OK(kozo_signal(n, 1));
    KOZO_CHECK_EQ(kozo_wait(n).value, 1ull << 63 | 1);
    KOZO_CHECK_EQ(kozo_poll(n).value, 0);
    KOZO_CHECK_OK(kozo_poll(n).err);
    KOZO_CHECK_OK(kozo_signal(n, 6));
    KOZO_CHECK_EQ(kozo_poll(n).value, 6);
    KOZO_CHECK_ERR(kozo_wait_until(n, 0).err, KOZO_ERR_TIMEOUT);
}

KOZO_TEST(signal_without_bits_wakes_nobody)
{
    struct kozo_notification n = kozo_test_notification();
    struct doing waiter = { .nr = KOZO_SYS_WAIT, .x = { .cap = n.c } };

    (void)doing(&waiter, URGENT);
    KOZO_CHECK_OK(kozo_signal(n, 0));
    KOZO_CHECK(!waiter.done);
    KOZO_CHECK_OK(kozo_signal(n, 8));
    KOZO_CHECK(waiter.done);
    KOZO_CHECK_EQ(waiter.x.cap, 8);
}

KOZO_TEST(signal_wakes_the_most_urgent_waiter_alone)
{
    static const uint32_t priority[] = { 40, 20, 30, 20 };
    static const unsigned expected[] = { 1, 3, 2, 0 };
    struct kozo_notification n = kozo_test_notification();
    struct doing waiter[4];

    for (unsigned i = 0; i < 4; i++) {
        waiter[i] = (struct doing){ .nr = KOZO_SYS_WAIT, .x = { .cap = n.c } };
        (void)doing(&waiter[i], priority[i]);
    }
    for (unsigned i = 0; i < 4; i++) {
        unsigned done = 0;

        KOZO_CHECK_OK(kozo_signal(n, i + 1));
        KOZO_CHECK(waiter[expected[i]].done);
        KOZO_CHECK_EQ(waiter[expected[i]].x.cap, i + 1);
        for (unsigned k = 0; k < 4; k++)
            done += waiter[k].done;
        KOZO_CHECK_EQ(done, i + 1);
    }
}

KOZO_TEST(badge_limits_the_bits_that_can_be_signalled)
{
    struct kozo_notification n = kozo_test_notification();
    struct kozo_notification some = { kozo_test_slot() };

    KOZO_REQUIRE_OK(kozo_cap_mint(kozo_own(some.c), kozo_own(n.c), KOZO_SAME_RIGHTS, 0xf0).err);
    KOZO_CHECK_OK(kozo_signal(some, 0xff));
    KOZO_CHECK_EQ(kozo_poll(n).value, 0xf0);
    KOZO_CHECK_OK(kozo_signal(some, 0x0f));
    KOZO_CHECK_EQ(kozo_poll(n).value, 0);
}

KOZO_TEST(notification_calls_need_their_rights)
{
    struct kozo_notification n = kozo_test_notification();
    struct kozo_notification reads = { kozo_test_copy(n.c, KOZO_READ) },
                             writes = { kozo_test_copy(n.c, KOZO_WRITE) };
    struct kozo_notification endpoint = { kozo_test_endpoint().c };

    KOZO_CHECK_ERR(kozo_signal(reads, 1), KOZO_ERR_RIGHTS);
    KOZO_CHECK_ERR(kozo_wait_until(writes, 0).err, KOZO_ERR_RIGHTS);
    KOZO_CHECK_ERR(kozo_poll(writes).err, KOZO_ERR_RIGHTS);
    KOZO_CHECK_ERR(kozo_thread_bind_ntfn(kozo_own_thread(), writes), KOZO_ERR_RIGHTS);
    KOZO_CHECK_ERR(kozo_signal(endpoint, 1), KOZO_ERR_KIND);
    KOZO_CHECK_ERR(kozo_signal((struct kozo_notification){ 0 }, 1), KOZO_ERR_ADDRESS);
    KOZO_CHECK_ERR(kozo_poll((struct kozo_notification){ 0 }).err, KOZO_ERR_ADDRESS);
    /* Nothing to wait for, and no end. */
    KOZO_CHECK_ERR(kozo_wait((struct kozo_notification){ 0 }).err, KOZO_ERR_ARGUMENT);
    KOZO_CHECK_ERR(kozo_syscall_err(KOZO_SYS_WAIT, n.c, 1, 0, 0, 0, 0), KOZO_ERR_ARGUMENT);
    KOZO_CHECK_ERR(kozo_syscall_err(KOZO_SYS_WAIT, n.c, KOZO_INFO_RECV_CAPS, 0, 0, 0, 0),
                   KOZO_ERR_ARGUMENT);
}

KOZO_TEST(notification_that_ends_wakes_all_who_wait)
{
    struct kozo_notification n = kozo_test_notification();
    struct doing waiter[5];

    for (unsigned i = 0; i < 5; i++) {
        waiter[i] = (struct doing){ .nr = KOZO_SYS_WAIT, .x = { .cap = n.c } };
        (void)doing(&waiter[i], URGENT + i % 2);
    }
    kozo_slot_drop(n.c);
    for (unsigned i = 0; i < 5; i++) {
        KOZO_CHECK(waiter[i].done);
        KOZO_CHECK_ERR(waiter[i].err, KOZO_ERR_GONE);
    }
}

KOZO_TEST(suspended_waiter_is_cancelled_and_takes_no_bits)
{
    struct kozo_notification n = kozo_test_notification();
    struct doing waiter = { .nr = KOZO_SYS_WAIT, .x = { .cap = n.c } };
    struct kozo_worker w = doing(&waiter, URGENT);

    KOZO_CHECK_EQ(state_of(&w), KOZO_THREAD_WAITING);
    KOZO_CHECK_OK(kozo_thread_suspend(w.thread));
    KOZO_CHECK_OK(kozo_signal(n, 4));
    KOZO_CHECK_OK(kozo_thread_resume(w.thread));
    KOZO_CHECK_ERR(waiter.err, KOZO_ERR_CANCELLED);
    KOZO_CHECK_EQ(kozo_poll(n).value, 4);
}

/* ---- bound to a thread ---- */

/* A thread bound to `n` that receives from `ep` when it is run. */
static struct kozo_worker bound(struct kozo_notification n)
{
    struct kozo_worker w = doing_later(URGENT);

    KOZO_CHECK_OK(kozo_thread_bind_ntfn(w.thread, n));
    return w;
}

static void check_bits(const struct doing *d, uint64_t bits)
{
    KOZO_CHECK(d->done);
    KOZO_CHECK_OK(d->err);
    KOZO_CHECK_EQ(d->x.cap, bits);
    KOZO_CHECK_EQ(d->x.info, KOZO_INFO_NOTIFICATION);
    for (unsigned i = 0; i < KOZO_MSG_REGS; i++)
        KOZO_CHECK_EQ(d->x.w[i], 0);
}

KOZO_TEST(bound_bits_end_a_receive)
{
    struct kozo_notification n = kozo_test_notification();
    struct kozo_endpoint ep = kozo_test_endpoint();
    struct doing server = { .nr = KOZO_SYS_RECV, .x = { .cap = ep.c } };
    struct kozo_worker w = bound(n);

    fill_words(server.x.w, 9); /* must not come back */
    KOZO_REQUIRE_OK(kozo_worker_run(&w, do_it, &server));
    KOZO_CHECK(!server.done);
    KOZO_CHECK_OK(kozo_signal(n, 0x30));
    check_bits(&server, 0x30);
    KOZO_CHECK_EQ(kozo_poll(n).value, 0);
}

KOZO_TEST(bound_bits_come_before_a_message_that_waits)
{
    struct kozo_notification n = kozo_test_notification();
    struct kozo_endpoint ep = kozo_test_endpoint();
    struct doing sender = { .nr = KOZO_SYS_SEND, .x = { .cap = ep.c, .info = label(5) } };
    struct doing server = { .nr = KOZO_SYS_RECV, .x = { .cap = ep.c } };
    struct kozo_worker w = bound(n);

    (void)doing(&sender, URGENT);
    KOZO_CHECK_OK(kozo_signal(n, 2));
    KOZO_REQUIRE_OK(kozo_worker_run(&w, do_it, &server));
    check_bits(&server, 2);
    KOZO_CHECK(!sender.done);
    server = (struct doing){ .nr = KOZO_SYS_RECV, .x = { .cap = ep.c } };
    KOZO_REQUIRE_OK(kozo_worker_run(&w, do_it, &server));
    KOZO_CHECK(sender.done);
    KOZO_CHECK_EQ(label_of(server.x.info), 5);
    KOZO_CHECK_EQ(server.x.info & KOZO_INFO_NOTIFICATION, 0);
}

KOZO_TEST(lost_reply_is_told_with_bits_that_come_later)
{
    struct kozo_notification n = kozo_test_notification();
    struct kozo_endpoint ep = kozo_test_endpoint();
    struct doing server = { .nr = KOZO_SYS_REPLY_RECV, .x = { .cap = ep.c } };
    struct kozo_worker w = bound(n);
    struct kozo_words x = { .cap = ep.c };

    KOZO_REQUIRE_OK(kozo_worker_run(&w, do_it, &server));
    KOZO_CHECK_OK(kozo_signal(n, 1));
    KOZO_CHECK(server.done);
    KOZO_CHECK_EQ(server.x.info, KOZO_INFO_NOTIFICATION | KOZO_INFO_REPLY_LOST);
    server = (struct doing){ .nr = KOZO_SYS_RECV, .x = { .cap = ep.c } };
    KOZO_REQUIRE_OK(kozo_worker_run(&w, do_it, &server));
    KOZO_CHECK_OK(kozo_ipc(KOZO_SYS_SEND, &x));
    KOZO_CHECK_EQ(server.x.info & KOZO_INFO_REPLY_LOST, 0);
}

/* Bits that came while the server was busy are there when it answers. */
static struct {
    struct kozo_endpoint ep;
    struct kozo_notification n;
    struct kozo_words second; /* what the answer brought */
} busy;

static void answer_with_bits_pending([[maybe_unused]] void *arg)
{
    struct kozo_words x;

    (void)kozo_recv_words(busy.ep, &x);
    (void)kozo_signal(busy.n, 0x55);
    busy.second = (struct kozo_words){ .info = label(3) };
    (void)kozo_reply_recv_words(busy.ep, &busy.second);
}

KOZO_TEST(answer_does_not_pass_by_bits_that_wait)
{
    struct kozo_words x = {};
    struct kozo_worker w;

    busy.ep = kozo_test_endpoint();
    busy.n = kozo_test_notification();
    w = bound(busy.n);
    KOZO_REQUIRE_OK(kozo_worker_run(&w, answer_with_bits_pending, nullptr));
    KOZO_CHECK_OK(kozo_call_words(busy.ep, &x));
    KOZO_CHECK_EQ(x.info, label(3));
    KOZO_CHECK_EQ(busy.second.cap, 0x55);
    KOZO_CHECK_EQ(busy.second.info, KOZO_INFO_NOTIFICATION);
    KOZO_CHECK_EQ(state_of(&w), KOZO_THREAD_FAULTED);
}

/* Who waits for the notification itself comes first. */
KOZO_TEST(waiter_comes_before_the_bound_thread)
{
    struct kozo_notification n = kozo_test_notification();
    struct kozo_endpoint ep = kozo_test_endpoint();
    struct doing server = { .nr = KOZO_SYS_RECV, .x = { .cap = ep.c } };
    struct doing waiter = { .nr = KOZO_SYS_WAIT, .x = { .cap = n.c } };
    struct kozo_worker w = bound(n);

    KOZO_REQUIRE_OK(kozo_worker_run(&w, do_it, &server));
    (void)doing(&waiter, URGENT);
    KOZO_CHECK_OK(kozo_signal(n, 1));
    KOZO_CHECK(waiter.done && !server.done);
    KOZO_CHECK_OK(kozo_signal(n, 2));
    check_bits(&server, 2);
}

KOZO_TEST(notification_is_bound_to_one_thread_at_most)
{
    struct kozo_notification n = kozo_test_notification(), other = kozo_test_notification();
    struct kozo_notification none = { 0 };
    struct kozo_worker a = doing_later(URGENT), b = doing_later(URGENT);

    KOZO_CHECK_OK(kozo_thread_bind_ntfn(a.thread, none));
    KOZO_CHECK_OK(kozo_thread_bind_ntfn(a.thread, n));
    KOZO_CHECK_ERR(kozo_thread_bind_ntfn(b.thread, n), KOZO_ERR_IN_USE);
    KOZO_CHECK_ERR(kozo_thread_bind_ntfn(a.thread, other), KOZO_ERR_IN_USE);
    KOZO_CHECK_OK(kozo_thread_bind_ntfn(a.thread, none));
    KOZO_CHECK_OK(kozo_thread_bind_ntfn(b.thread, n));
    kozo_worker_end(&b); /* the end of either unbinds */
    KOZO_CHECK_OK(kozo_thread_bind_ntfn(a.thread, n));
    kozo_slot_drop(n.c);
    KOZO_CHECK_OK(kozo_thread_bind_ntfn(a.thread, other));
}

KOZO_TEST(unbound_bits_stay_with_their_notification)
{
    struct kozo_notification n = kozo_test_notification();
    struct kozo_endpoint ep = kozo_test_endpoint();
    struct doing server = { .nr = KOZO_SYS_RECV, .x = { .cap = ep.c } };
    struct kozo_worker w = bound(n);

    KOZO_REQUIRE_OK(kozo_worker_run(&w, do_it, &server));
    KOZO_CHECK_OK(kozo_thread_bind_ntfn(w.thread, (struct kozo_notification){ 0 }));
    KOZO_CHECK_OK(kozo_signal(n, 1));
    KOZO_CHECK(!server.done);
    /* Bound again, they reach the receiver that waits. */
    KOZO_CHECK_OK(kozo_thread_bind_ntfn(w.thread, n));
    check_bits(&server, 1);
}
