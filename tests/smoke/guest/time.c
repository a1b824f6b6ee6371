/* SPDX-License-Identifier: MIT */
/*
 * The clock, sleeping, and the deadline of every call that can wait.
 */
#include "peer.h"

#include <kozo/memory.h>

KOZO_TEST(clock_never_goes_back)
{
    uint64_t last = kozo_now(), first = last;

    for (int i = 0; i < 20000; i++) {
        uint64_t now = kozo_now();

        if (now < last) {
            KOZO_FAIL("%lu came after %lu", now, last);
            return;
        }
        last = now;
        if (i % 1000 == 0)
            kozo_yield();
    }
    KOZO_CHECK(last > first);
}

/* The kernel measures with the same clock: what it says has passed has passed for us, too. */
KOZO_TEST(clock_page_and_kernel_agree)
{
    for (uint64_t ns = 1; ns <= 10 * KOZO_MS; ns *= 10) {
        uint64_t deadline = kozo_now() + ns;

        KOZO_CHECK_OK(kozo_sleep_until(deadline));
        KOZO_CHECK(kozo_now() >= deadline);
    }
}

KOZO_TEST(sleep_is_not_much_longer_than_asked)
{
    uint64_t best = UINT64_MAX;

    /* The machine below may be busy: one good try of many shows it. */
    for (int i = 0; i < 10; i++) {
        uint64_t start = kozo_now(), took;

        KOZO_CHECK_OK(kozo_sleep(5 * KOZO_MS));
        took = kozo_now() - start;
        KOZO_CHECK(took >= 5 * KOZO_MS);
        best = took < best ? took : best;
    }
    KOZO_CHECK(best < 20 * KOZO_MS);
}

KOZO_TEST(sleep_until_the_past_returns_at_once)
{
    KOZO_CHECK_OK(kozo_sleep_until(0));
    KOZO_CHECK_OK(kozo_sleep_until(1));
    KOZO_CHECK_OK(kozo_sleep_until(kozo_now()));
    KOZO_CHECK_OK(kozo_sleep(0));
}

KOZO_TEST(clock_page_cannot_be_written)
{
    KOZO_CHECK_ERR(kozo_protect(kozo_own(KOZO_INIT_CLOCK), KOZO_READ | KOZO_WRITE),
                   KOZO_ERR_RIGHTS);
    KOZO_CHECK_EQ(kozo_test_copy(KOZO_INIT_CLOCK, KOZO_SAME_RIGHTS) != 0, true);
}

KOZO_TEST(every_waiting_call_ends_at_its_deadline)
{
    static const uint64_t calls[] = { KOZO_SYS_CALL, KOZO_SYS_SEND, KOZO_SYS_RECV,
                                      KOZO_SYS_REPLY_RECV, KOZO_SYS_WAIT };
    struct kozo_endpoint ep = kozo_test_endpoint();
    struct kozo_notification n = kozo_test_notification();

    for (unsigned i = 0; i < 5; i++) {
        uint64_t deadline = kozo_now() + 3 * KOZO_MS;
        struct kozo_words x = { .cap = calls[i] == KOZO_SYS_WAIT ? n.c : ep.c };

        KOZO_CHECK_ERR(kozo_ipc_until(calls[i], &x, deadline), KOZO_ERR_TIMEOUT);
        KOZO_CHECK(kozo_now() >= deadline);
        if (calls[i] != KOZO_SYS_WAIT)
            check_no_words(&x);
    }
}

KOZO_TEST(deadline_0_does_not_wait)
{
    static const uint64_t calls[] = { KOZO_SYS_CALL, KOZO_SYS_SEND, KOZO_SYS_RECV,
                                      KOZO_SYS_REPLY_RECV, KOZO_SYS_WAIT };
    struct kozo_endpoint ep = kozo_test_endpoint();
    struct kozo_notification n = kozo_test_notification();
    struct doing sender = { .nr = KOZO_SYS_SEND, .x = { .cap = ep.c, .info = label(3) } };
    struct kozo_words x;

    for (unsigned i = 0; i < 5; i++) {
        x = (struct kozo_words){ .cap = calls[i] == KOZO_SYS_WAIT ? n.c : ep.c };
        KOZO_CHECK_ERR(kozo_ipc_until(calls[i], &x, 0), KOZO_ERR_TIMEOUT);
    }
    /* What is there already is taken. */
    (void)doing(&sender, URGENT);
    x = (struct kozo_words){ .cap = ep.c };
    KOZO_CHECK_OK(kozo_ipc_until(KOZO_SYS_RECV, &x, 0));
    KOZO_CHECK_EQ(label_of(x.info), 3);
    KOZO_CHECK_OK(kozo_signal(n, 1));
    KOZO_CHECK_EQ(kozo_wait_until(n, 0).value, 1);
}

/* A call that may not wait for its answer is not sent. */
KOZO_TEST(call_with_deadline_0_does_not_reach_a_server_that_waits)
{
    struct kozo_endpoint ep = kozo_test_endpoint();
    struct doing server = { .nr = KOZO_SYS_RECV, .x = { .cap = ep.c } };
    struct kozo_words x = { .cap = ep.c, .info = label(1) };

    (void)doing(&server, URGENT);
    KOZO_CHECK_ERR(kozo_ipc_until(KOZO_SYS_CALL, &x, 0), KOZO_ERR_TIMEOUT);
    check_no_words(&x);
    KOZO_CHECK(!server.done);
    x = (struct kozo_words){ .cap = ep.c, .info = label(2) };
    KOZO_CHECK_OK(kozo_ipc_until(KOZO_SYS_SEND, &x, 0));
    KOZO_CHECK_EQ(label_of(server.x.info), 2);
}

KOZO_TEST(message_that_timed_out_is_not_received)
{
    struct kozo_endpoint ep = kozo_test_endpoint();
    struct doing late = { .nr = KOZO_SYS_SEND,
                          .x = { .cap = ep.c, .info = label(1) },
                          .timed = true };
    struct doing next = { .nr = KOZO_SYS_SEND, .x = { .cap = ep.c, .info = label(2) } };
    struct kozo_words x;

    late.deadline = kozo_now() + KOZO_MS;
    (void)doing(&late, URGENT);
    (void)doing(&next, URGENT);
    AWAIT(late.done);
    KOZO_CHECK_ERR(late.err, KOZO_ERR_TIMEOUT);
    KOZO_CHECK_OK(kozo_recv_words(ep, &x));
    KOZO_CHECK_EQ(label_of(x.info), 2);
}

static struct {
    struct kozo_endpoint ep;
    uint64_t deadline;
} timed_server;

/* Takes a call in time, and answers it when that time is long over. */
static void receive_until_and_think([[maybe_unused]] void *arg)
{
    struct kozo_words x = { .cap = timed_server.ep.c };
    enum kozo_err err = kozo_ipc_until(KOZO_SYS_RECV, &x, timed_server.deadline);

    if (err == KOZO_OK)
        err = kozo_sleep_until(timed_server.deadline + 5 * KOZO_MS);
    x = (struct kozo_words){ .info = label(err == KOZO_OK ? 2 : 99) };
    (void)kozo_ipc(KOZO_SYS_REPLY, &x);
}

/*
 * Takes the call of `client`, which has a deadline so far away that it is there in time. Returns
 * its thread.
 */
static struct kozo_worker take_timed_call(struct kozo_endpoint ep, struct doing *client)
{
    struct kozo_worker w;
    struct kozo_words x;
    enum kozo_err err;

    for (uint64_t span = 4 * KOZO_MS;; span *= 4) {
        *client = (struct doing){
            .nr = KOZO_SYS_CALL, .x = { .cap = ep.c }, .timed = true, .deadline = kozo_now() + span
        };
        w = doing(client, URGENT);
        x = (struct kozo_words){ .cap = ep.c };
        err = kozo_ipc_until(KOZO_SYS_RECV, &x, 0);
        if (err == KOZO_OK || span > KOZO_S)
            break;
    }
    KOZO_CHECK_OK(err);
    return w;
}

KOZO_TEST(deadline_of_a_call_covers_the_wait_for_its_answer)
{
    struct kozo_endpoint ep = kozo_test_endpoint();
    struct doing client;
    struct kozo_worker w = take_timed_call(ep, &client);

    KOZO_CHECK_OK(kozo_sleep_until(client.deadline + KOZO_MS));
    KOZO_CHECK(client.done);
    KOZO_CHECK_ERR(client.err, KOZO_ERR_TIMEOUT);
    KOZO_CHECK(client.ended >= client.deadline);
    KOZO_CHECK_ERR(answer(label(1)), KOZO_ERR_NOREPLY);
    check_no_words(&client.x);
    KOZO_CHECK_EQ(state_of(&w), KOZO_THREAD_FAULTED);
}

/* The other order: the server waits, and does not answer in time. */
static void receive_and_sleep(void *arg)
{
    struct kozo_endpoint *ep = arg;
    struct kozo_words x;

    (void)kozo_recv_words(*ep, &x);
    (void)kozo_sleep(10 * KOZO_S);
}

KOZO_TEST(deadline_of_a_call_counts_when_a_server_waited)
{
    struct kozo_endpoint ep = kozo_test_endpoint();
    struct kozo_words x = { .cap = ep.c };
    struct kozo_worker w;
    uint64_t deadline;

    w = doing_later(URGENT);
    KOZO_REQUIRE_OK(kozo_worker_run(&w, receive_and_sleep, &ep));
    KOZO_CHECK_EQ(state_of(&w), KOZO_THREAD_RECEIVING);
    deadline = kozo_now() + 3 * KOZO_MS;
    KOZO_CHECK_ERR(kozo_ipc_until(KOZO_SYS_CALL, &x, deadline), KOZO_ERR_TIMEOUT);
    KOZO_CHECK(kozo_now() >= deadline);
    check_no_words(&x);
    KOZO_CHECK_EQ(state_of(&w), KOZO_THREAD_WAITING);
}

KOZO_TEST(answered_call_does_not_time_out_later)
{
    struct kozo_endpoint ep = kozo_test_endpoint();
    struct doing client;
    struct kozo_worker w = take_timed_call(ep, &client);
    uint64_t deadline = client.deadline;

    if (answer(label(8)) == KOZO_ERR_NOREPLY)
        KOZO_SKIP("the machine is too busy");
    KOZO_CHECK(client.done);
    KOZO_CHECK_OK(client.err);
    KOZO_CHECK_EQ(client.x.info, label(8));
    /* It waits for something else when its deadline passes. */
    client = (struct doing){ .nr = KOZO_SYS_RECV, .x = { .cap = ep.c } };
    KOZO_REQUIRE_OK(kozo_worker_run(&w, do_it, &client));
    KOZO_CHECK_OK(kozo_sleep_until(deadline + KOZO_MS));
    KOZO_CHECK(!client.done);
    KOZO_CHECK_EQ(state_of(&w), KOZO_THREAD_RECEIVING);
}

/*
 * Met in time, a sender and a receiver forget their deadlines, whatever they wait for when these
 * pass.
 */
KOZO_TEST(deadline_ends_with_its_call)
{
    static const uint64_t calls[] = { KOZO_SYS_SEND, KOZO_SYS_RECV };

    for (unsigned i = 0; i < 2; i++) {
        struct kozo_endpoint ep = kozo_test_endpoint(), next = kozo_test_endpoint();
        struct doing d = { .nr = calls[i], .x = { .cap = ep.c }, .timed = true };
        uint64_t deadline = d.deadline = kozo_now() + 20 * KOZO_MS;
        struct kozo_worker w = doing(&d, URGENT);
        struct kozo_words x = { .cap = ep.c };

        if (kozo_ipc_until(calls[1 - i], &x, 0) != KOZO_OK)
            KOZO_SKIP("the machine is too busy");
        KOZO_CHECK_OK(d.err);
        d = (struct doing){ .nr = KOZO_SYS_RECV, .x = { .cap = next.c } };
        KOZO_REQUIRE_OK(kozo_worker_run(&w, do_it, &d));
        KOZO_CHECK_OK(kozo_sleep_until(deadline + KOZO_MS));
        KOZO_CHECK_EQ(state_of(&w), KOZO_THREAD_RECEIVING);
        KOZO_CHECK(!d.done);
    }
}

/* A call that comes without a deadline to a receiver that has one. */
KOZO_TEST(receiver_that_a_call_reached_does_not_time_out)
{
    struct kozo_endpoint ep = kozo_test_endpoint();
    uint64_t until = kozo_now() + 10 * KOZO_MS;
    struct kozo_words x = { .info = label(1) };
    struct kozo_worker w;

    timed_server.ep = ep;
    timed_server.deadline = until;
    w = kozo_test_thread(receive_until_and_think, nullptr, URGENT);
    if (state_of(&w) != KOZO_THREAD_RECEIVING)
        KOZO_SKIP("the machine is too busy");
    KOZO_CHECK_OK(kozo_call_words(ep, &x));
    KOZO_CHECK(kozo_now() >= until + 5 * KOZO_MS);
    KOZO_CHECK_EQ(x.info, label(2));
}

KOZO_TEST(farthest_deadline_is_a_deadline)
{
    struct kozo_endpoint ep = kozo_test_endpoint();
    struct doing client = {
        .nr = KOZO_SYS_CALL, .x = { .cap = ep.c }, .timed = true, .deadline = UINT64_MAX
    };
    struct kozo_words x;

    (void)doing(&client, URGENT);
    KOZO_CHECK_OK(kozo_sleep(5 * KOZO_MS));
    KOZO_CHECK(!client.done);
    KOZO_CHECK_OK(kozo_recv_words(ep, &x));
    KOZO_CHECK_OK(answer(0));
    KOZO_CHECK_OK(client.err);
}

constexpr unsigned SLEEPERS = 100;

static struct {
    struct doing d[SLEEPERS];
    struct kozo_worker w[SLEEPERS];
} sleepers;

static void sleep_all(uint64_t start, uint64_t apart, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        sleepers.d[i] = (struct doing){ .nr = KOZO_SYS_WAIT,
                                        .timed = true,
                                        .deadline = start + (i * 7 % count) * apart };
        sleepers.w[i] = doing(&sleepers.d[i], URGENT);
    }
}

/* They are started out of order. */
KOZO_TEST(deadlines_are_met_in_their_order)
{
    constexpr unsigned count = 20;
    uint64_t start = kozo_now() + 30 * KOZO_MS;

    sleep_all(start, KOZO_MS / 2, count);
    KOZO_CHECK_OK(kozo_sleep_until(start + count * KOZO_MS));
    for (unsigned i = 0; i < count; i++) {
        KOZO_CHECK(sleepers.d[i].done);
        KOZO_CHECK_ERR(sleepers.d[i].err, KOZO_ERR_TIMEOUT);
        KOZO_CHECK(sleepers.d[i].ended >= sleepers.d[i].deadline);
        for (unsigned k = 0; k < i; k++)
            KOZO_CHECK((sleepers.d[k].deadline < sleepers.d[i].deadline) ==
                       (sleepers.d[k].ended < sleepers.d[i].ended));
    }
}

/* More at once than the kernel wakes in one interrupt. */
KOZO_TEST(hundred_sleepers_wake_at_the_same_deadline)
{
    uint64_t start = kozo_now() + 150 * KOZO_MS;

    sleep_all(start, 0, SLEEPERS);
    KOZO_CHECK_OK(kozo_sleep_until(start + 5 * KOZO_MS));
    for (unsigned i = 0; i < SLEEPERS; i++) {
        KOZO_CHECK(sleepers.d[i].done);
        KOZO_CHECK_ERR(sleepers.d[i].err, KOZO_ERR_TIMEOUT);
    }
}

/* First, last and some in between; the others' deadlines are met all the same. */
KOZO_TEST(sleeper_that_is_deleted_leaves_the_others_their_deadlines)
{
    constexpr unsigned count = 16;
    uint64_t start = kozo_now() + 30 * KOZO_MS;

    sleep_all(start, KOZO_MS / 4, count);
    for (unsigned i = 0; i < count; i += 3)
        kozo_worker_end(&sleepers.w[i]);
    KOZO_CHECK_OK(kozo_sleep_until(start + count * KOZO_MS));
    for (unsigned i = 0; i < count; i++)
        KOZO_CHECK_EQ(sleepers.d[i].done, i % 3 != 0);
}

/* The deadline that passes meanwhile is forgotten. */
KOZO_TEST(suspended_sleeper_is_cancelled)
{
    struct doing d = { .nr = KOZO_SYS_WAIT, .timed = true, .deadline = kozo_now() + 20 * KOZO_MS };
    struct kozo_worker w = doing(&d, URGENT);

    KOZO_CHECK_OK(kozo_thread_suspend(w.thread));
    if (d.done)
        KOZO_SKIP("the machine is too busy");
    KOZO_CHECK_OK(kozo_sleep_until(d.deadline + 2 * KOZO_MS));
    KOZO_CHECK(!d.done);
    KOZO_CHECK_OK(kozo_thread_resume(w.thread));
    KOZO_CHECK(d.done);
    KOZO_CHECK_ERR(d.err, KOZO_ERR_CANCELLED);
}

KOZO_TEST(idle_time_passes_while_all_sleep)
{
    uint64_t idle = kozo_test_stat(KOZO_STAT_IDLE_NS), ticks = kozo_test_stat(KOZO_STAT_TICKS);

    KOZO_CHECK_OK(kozo_sleep(20 * KOZO_MS));
    idle = kozo_test_stat(KOZO_STAT_IDLE_NS) - idle;
    ticks = kozo_test_stat(KOZO_STAT_TICKS) - ticks;
    KOZO_CHECK(idle >= 10 * KOZO_MS);
    /* There is no tick: one interrupt, or few, for one deadline. */
    KOZO_CHECK(ticks >= 1 && ticks <= 10);
}
