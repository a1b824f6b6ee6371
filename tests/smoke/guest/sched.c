/* SPDX-License-Identifier: MIT */
/*
 * Who runs: the most urgent first, equals in turn, and nobody can keep the processor from one more
 * urgent.
 */
#include "peer.h"

static void spin(void *arg)
{
    volatile uint64_t *n = arg;

    for (;;)
        ++*n;
}

/* The order in which threads came to run. */
static struct {
    unsigned count;
    uint32_t who[32];
} order;

static void note(void *arg)
{
    order.who[order.count++ % 32] = (uint32_t)(uint64_t)arg;
}

static void *number(uint32_t n)
{
    return (void *)(uint64_t)n;
}

static bool ran_in_order(const uint32_t *want, unsigned n)
{
    bool same = order.count == n;

    for (unsigned i = 0; i < n; i++)
        same &= order.who[i] == want[i];
    return same;
}

/*
 * Starts threads that note their numbers, and compares. A time slice that ends just then, on a
 * machine that is busy, would mix equals: one good try of a few shows the order.
 */
static void expect_order(void (*start)(void), const uint32_t *want, unsigned n)
{
    for (unsigned i = 0; i < 5; i++) {
        order.count = 0;
        start();
        AWAIT(order.count >= n);
        if (ran_in_order(want, n))
            return;
    }
    for (unsigned i = 0; i < n; i++)
        KOZO_CHECK_EQ(order.who[i], want[i]);
    KOZO_CHECK_EQ(order.count, n);
}

KOZO_TEST(spinning_thread_does_not_keep_a_more_urgent_one_from_running)
{
    uint64_t n = 0, last = 0;
    struct kozo_worker w = kozo_test_thread(spin, &n, FIRST + 1);

    for (unsigned i = 0; i < 5; i++) {
        AWAIT(n > last); /* it has the processor while we sleep */
        last = n;
    }
    KOZO_CHECK_OK(kozo_thread_suspend(w.thread));
}

KOZO_TEST(less_urgent_thread_waits)
{
    uint64_t n = 0, start = kozo_now();
    struct kozo_worker w = kozo_test_thread(spin, &n, FIRST + 1);

    while (kozo_now() - start < 20 * KOZO_MS)
        kozo_yield();
    KOZO_CHECK_EQ(n, 0);
    KOZO_CHECK_OK(kozo_thread_suspend(w.thread));
}

KOZO_TEST(more_urgent_thread_runs_at_once)
{
    struct kozo_worker w = doing_later(FIRST - 1);

    order.count = 0;
    KOZO_CHECK_OK(kozo_worker_run(&w, note, number(1)));
    KOZO_CHECK_EQ(order.count, 1);
}

KOZO_TEST(equals_share_the_processor)
{
    uint64_t n[3] = { 0 }, least, most;
    struct kozo_worker w[3];

    for (unsigned i = 0; i < 3; i++)
        w[i] = kozo_test_thread(spin, &n[i], LATER);
    KOZO_CHECK_OK(kozo_sleep(120 * KOZO_MS)); /* eight slices each */
    for (unsigned i = 0; i < 3; i++)
        KOZO_CHECK_OK(kozo_thread_suspend(w[i].thread));
    least = most = n[0];
    for (unsigned i = 1; i < 3; i++) {
        least = n[i] < least ? n[i] : least;
        most = n[i] > most ? n[i] : most;
    }
    KOZO_CHECK(least > 0);
    KOZO_CHECK(least > most / 4);
}

/* Without yielding or waiting, ever. */
KOZO_TEST(first_thread_shares_with_an_equal_that_spins)
{
    volatile uint64_t n = 0;
    struct kozo_worker w = kozo_test_thread(spin, (void *)&n, FIRST);
    uint64_t start = kozo_now();

    while (n == 0 && kozo_now() - start < KOZO_S)
        continue;
    KOZO_CHECK(n > 0);
    KOZO_CHECK_OK(kozo_thread_suspend(w.thread));
}

static void start_by_priority(void)
{
    static const uint32_t priority[] = { 90, 70, 80, 65, 90, 255, 254, 80 };

    for (uint32_t i = 0; i < 8; i++)
        (void)kozo_test_thread(note, number(i), priority[i]);
    KOZO_CHECK_EQ(order.count, 0);
}

KOZO_TEST(threads_run_in_the_order_of_their_priorities)
{
    expect_order(start_by_priority, (const uint32_t[]){ 3, 1, 2, 7, 0, 4, 6, 5 }, 8);
}

static void note_and_yield(void *arg)
{
    for (unsigned i = 0; i < 4; i++) {
        note(arg);
        kozo_yield();
    }
}

static void start_yielding(void)
{
    for (uint32_t i = 0; i < 3; i++)
        (void)kozo_test_thread(note_and_yield, number(i), LATER);
}

KOZO_TEST(yield_lets_each_equal_go_once)
{
    expect_order(start_yielding, (const uint32_t[]){ 0, 1, 2, 0, 1, 2, 0, 1, 2, 0, 1, 2 }, 12);
}

struct waiter {
    struct kozo_notification n;
    uint32_t number;
};

static void wait_and_note(void *arg)
{
    struct waiter *w = arg;

    (void)kozo_wait(w->n);
    note(number(w->number));
}

static void wake_out_of_order(void)
{
    static struct waiter waiter[12];
    struct kozo_worker w[12];

    for (uint32_t i = 0; i < 12; i++) {
        waiter[i] = (struct waiter){ kozo_test_notification(), i };
        w[i] = kozo_test_thread(wait_and_note, &waiter[i], LATER);
    }
    for (unsigned i = 0; i < 12; i++)
        AWAIT(state_of(&w[i]) == KOZO_THREAD_WAITING);
    for (unsigned i = 0; i < 12; i++)
        KOZO_CHECK_OK(kozo_signal(waiter[i * 5 % 12].n, 1));
}

KOZO_TEST(woken_equals_run_first_come_first_served)
{
    expect_order(wake_out_of_order, (const uint32_t[]){ 0, 5, 10, 3, 8, 1, 6, 11, 4, 9, 2, 7 }, 12);
}

static void change_while_ready(void)
{
    struct kozo_worker w[3];

    for (uint32_t i = 0; i < 3; i++)
        w[i] = kozo_test_thread(note, number(i), LATER);
    KOZO_CHECK_OK(kozo_thread_priority(w[2].thread, LATER - 1, LATER - 1));
    KOZO_CHECK_OK(kozo_thread_priority(w[0].thread, LATER + 1, LATER));
}

KOZO_TEST(priority_can_be_changed_while_a_thread_is_ready)
{
    struct kozo_worker w;

    expect_order(change_while_ready, (const uint32_t[]){ 2, 1, 0 }, 3);
    w = kozo_test_thread(note, number(9), LATER);
    KOZO_CHECK_EQ(order.count, 3);
    KOZO_CHECK_OK(
        kozo_thread_priority(w.thread, URGENT, URGENT)); /* more urgent than we: it runs now */
    KOZO_CHECK_EQ(order.count, 4);
}

/* What a thread of ceiling 100 may and may not. */
struct ambition {
    struct kozo_thread other;
    kozo_cptr slot;
    enum kozo_err create, create_equal, raise, raise_ceiling, lower, odd;
};

static void try_ambition(void *arg)
{
    struct ambition *a = arg;
    struct kozo_pool pool = kozo_test_pool();

    a->create = kozo_thread_create(pool, kozo_own(a->slot), 0, 99);
    a->create_equal = kozo_thread_create(pool, kozo_own(a->slot), 0, 100);
    a->raise = kozo_thread_priority(a->other, 99, 99);
    a->raise_ceiling = kozo_thread_priority(a->other, 120, 99);
    a->lower = kozo_thread_priority(a->other, 120, 100);
    a->odd = kozo_thread_priority(a->other, 120, 121);
}

KOZO_TEST(nobody_gives_more_urgency_than_its_own_ceiling)
{
    struct kozo_worker other = doing_later(200), w;
    struct ambition a = { .other = other.thread, .slot = kozo_test_slot() };

    w = kozo_test_thread(try_ambition, &a, 100);
    AWAIT(state_of(&w) == KOZO_THREAD_FAULTED);
    KOZO_CHECK_ERR(a.create, KOZO_ERR_PRIORITY);
    KOZO_CHECK_OK(a.create_equal);
    KOZO_CHECK_ERR(a.raise, KOZO_ERR_PRIORITY);
    KOZO_CHECK_ERR(a.raise_ceiling, KOZO_ERR_PRIORITY);
    KOZO_CHECK_OK(a.lower);
    KOZO_CHECK_ERR(a.odd, KOZO_ERR_ARGUMENT);
    KOZO_CHECK_ERR(kozo_thread_priority(other.thread, 256, 0), KOZO_ERR_ARGUMENT);
    KOZO_CHECK_ERR(kozo_thread_priority(other.thread, 5, 6), KOZO_ERR_ARGUMENT);
    KOZO_CHECK_ERR(kozo_thread_priority(
                       (struct kozo_thread){ kozo_test_copy(other.thread.c, KOZO_READ) }, 5, 5),
                   KOZO_ERR_RIGHTS);
}

/* A call goes to its server directly, not by way of others of the same priority. */
static struct kozo_endpoint service;

static void serve([[maybe_unused]] void *arg)
{
    struct kozo_words x = { .cap = service.c };
    enum kozo_err err = kozo_ipc(KOZO_SYS_RECV, &x);

    while (err == KOZO_OK) {
        note(number(50));
        x = (struct kozo_words){};
        err = kozo_reply_recv_words(service, &x);
    }
}

/* A deadline keeps a call off the kernel's shortest way. */
static bool with_deadline;

static void call_and_note([[maybe_unused]] void *arg)
{
    struct kozo_words x = {};

    note(number(1));
    if (with_deadline)
        (void)kozo_call_words_until(service, &x, UINT64_MAX);
    else
        (void)kozo_call_words(service, &x);
    note(number(2));
}

/* A server, a client, and another thread that wants to run. */
static void start_service(uint32_t server, uint32_t other)
{
    struct kozo_worker w;

    service = kozo_test_endpoint();
    w = kozo_test_thread(serve, nullptr, server);
    AWAIT(state_of(&w) == KOZO_THREAD_RECEIVING);
    (void)kozo_test_thread(call_and_note, nullptr, LATER);
    (void)kozo_test_thread(note, number(99), other);
}

static void start_equals(void)
{
    start_service(LATER, LATER);
}

KOZO_TEST(call_and_reply_switch_directly)
{
    with_deadline = false;
    expect_order(start_equals, (const uint32_t[]){ 1, 50, 2, 99 }, 4);
}

KOZO_TEST(call_with_a_deadline_switches_directly_too)
{
    with_deadline = true;
    expect_order(start_equals, (const uint32_t[]){ 1, 50, 2, 99 }, 4);
}

/*
 * Woken by a thread less urgent, a more urgent one runs at once; then the other goes on, before its
 * equals.
 */
static struct kozo_notification bell;

static void wait_for_bell([[maybe_unused]] void *arg)
{
    (void)kozo_wait(bell);
    note(number(50));
}

static void receive_once([[maybe_unused]] void *arg)
{
    struct kozo_words x;

    (void)kozo_recv_words(service, &x);
    note(number(50));
}

static void ring_bell([[maybe_unused]] void *arg)
{
    note(number(1));
    (void)kozo_signal(bell, 1);
    note(number(2));
}

static void send_once([[maybe_unused]] void *arg)
{
    struct kozo_words x = { .cap = service.c };

    note(number(1));
    (void)kozo_ipc(KOZO_SYS_SEND, &x);
    note(number(2));
}

static void start_preemption_by_signal(void)
{
    bell = kozo_test_notification();
    (void)kozo_test_thread(wait_for_bell, nullptr, URGENT);
    (void)kozo_test_thread(ring_bell, nullptr, LATER);
    (void)kozo_test_thread(note, number(99), LATER);
}

static void start_preemption_by_message(void)
{
    service = kozo_test_endpoint();
    (void)kozo_test_thread(receive_once, nullptr, URGENT);
    (void)kozo_test_thread(send_once, nullptr, LATER);
    (void)kozo_test_thread(note, number(99), LATER);
}

KOZO_TEST(preempted_thread_goes_on_before_its_equals)
{
    expect_order(start_preemption_by_signal, (const uint32_t[]){ 1, 50, 2, 99 }, 4);
    expect_order(start_preemption_by_message, (const uint32_t[]){ 1, 50, 2, 99 }, 4);
}

static void start_less_urgent_server(void)
{
    start_service(200, 150);
}

/* However urgent its caller is. */
KOZO_TEST(server_runs_at_its_own_priority)
{
    with_deadline = false;
    expect_order(start_less_urgent_server, (const uint32_t[]){ 1, 99, 50, 2 }, 4);
}

static void start_more_urgent_server(void)
{
    start_service(URGENT, LATER);
}

KOZO_TEST(more_urgent_server_does_not_hand_its_urgency_on)
{
    with_deadline = false;
    expect_order(start_more_urgent_server, (const uint32_t[]){ 1, 50, 2, 99 }, 4);
}
