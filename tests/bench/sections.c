/* SPDX-License-Identifier: MIT */
/*
 * How long the kernel runs with interrupts off: 16 steps of pending destruction, by what is
 * destroyed; a page cleared; the largest RETYPE; 16 deadlines that pass at once.
 */
#include "bench.h"

#include <kozo/memory.h>

constexpr unsigned steps = 64;  /* in a sample */
constexpr unsigned section = 16; /* between two preemption points */
constexpr unsigned waiters = 16;
constexpr unsigned rounds = 4;

/* One sample: `count` steps in `cycles`, told as the cost of a section. */
static void add(struct series *s, uint64_t cycles, unsigned count)
{
    series_add(s, cycles * section / count);
}

/* A call that makes `count` steps. */
static void revoke(struct series *s, kozo_cptr root, unsigned count)
{
    enum kozo_err err;
    uint32_t n;

    COUNT(n, err = kozo_cap_revoke(kozo_own(root)));
    KOZO_CHECK_OK(err);
    add(s, n, count);
}

KOZO_TEST(section_copies)
{
    struct series s = { .name = "section_copies" };
    struct kozo_endpoint ep;
    kozo_cptr first;

    ROWS("section_copies");
    ep = kozo_test_endpoint();
    first = kozo_slots_alloc(steps);
    for (unsigned i = 0; i < rounds; i++) {
        for (unsigned k = 0; k < steps; k++)
            KOZO_REQUIRE_OK(kozo_cap_copy(kozo_own(first + k), kozo_own(ep.c), KOZO_SAME_RIGHTS));
        revoke(&s, ep.c, steps);
    }
    report(&s);
}

/* Each is mapped, by a record of its own. */
KOZO_TEST(section_mapped)
{
    struct series s = { .name = "section_mapped" };
    struct kozo_memory there;
    struct kozo_frame frame;
    kozo_cptr first;

    ROWS("section_mapped");
    there = kozo_memory_alloc(kozo_test_memory(), KOZO_PAGE_SIZE);
    frame = kozo_test_frame();
    first = kozo_slots_alloc(steps);
    for (unsigned i = 0; i < rounds; i++) {
        for (unsigned k = 0; k < steps; k++) {
            uint64_t at = (uint64_t)there.at + (k + 1) * KOZO_PAGE_SIZE;

            KOZO_REQUIRE_OK(
                kozo_cap_copy(kozo_own(first + k), kozo_own(frame.c), KOZO_SAME_RIGHTS));
            KOZO_REQUIRE_OK(
                kozo_map(kozo_own_space(), (struct kozo_frame){ first + k }, at, KOZO_READ));
        }
        revoke(&s, frame.c, steps);
    }
    report(&s);
}

/* Each has all that a thread can be bound to. */
KOZO_TEST(section_threads)
{
    struct series s = { .name = "section_threads" };
    struct kozo_pool pool;
    struct kozo_endpoint ep;
    struct kozo_frame frame;
    kozo_cptr first;

    ROWS("section_threads");
    pool.c = kozo_test_slot();
    KOZO_REQUIRE_OK(kozo_pool_split(kozo_test_pool(), kozo_own(pool.c), steps));
    ep = kozo_test_endpoint();
    frame = kozo_test_frame();
    first = kozo_slots_alloc(steps);
    for (unsigned i = 0; i < rounds; i++) {
        for (unsigned k = 0; k < steps; k++) {
            struct kozo_thread t = { first + k };

            KOZO_REQUIRE_OK(kozo_thread_create(pool, kozo_own(t.c), 0, EQUAL));
            KOZO_REQUIRE_OK(kozo_thread_bind(t, kozo_own_cnode(), kozo_own_space(), frame, 0, ep));
        }
        revoke(&s, pool.c, steps);
    }
    report(&s);
}

/*
 * The last capability to a CNode goes, and with it what is in its slots: the last of an Endpoint
 * each.
 */
KOZO_TEST(section_slots)
{
    struct series s = { .name = "section_slots" };

    ROWS("section_slots");
    for (unsigned i = 0; i < rounds; i++) {
        struct kozo_cnode shelf = kozo_test_cnode(6); /* 63 slots, and a step to end it */
        struct kozo_untyped from = kozo_test_untyped(13);
        enum kozo_err err;
        uint32_t n;

        KOZO_REQUIRE_OK(kozo_retype(from, KOZO_KIND_ENDPOINT, 0, kozo_in(shelf, 1), steps - 1));
        COUNT(n, err = kozo_cap_delete(kozo_own(shelf.c)));
        KOZO_CHECK_OK(err);
        add(&s, n, steps);
    }
    report(&s);
}

static void wait_for(void *arg)
{
    (void)kozo_wait(*(struct kozo_notification *)arg);
}

/* The last capability to a Notification goes, and those who wait are woken. */
KOZO_TEST(section_waiters)
{
    struct series s = { .name = "section_waiters" };

    ROWS("section_waiters");
    for (unsigned i = 0; i < rounds; i++) {
        struct kozo_notification ntfn = kozo_test_notification();
        struct kozo_worker w[waiters];
        enum kozo_err err;
        uint32_t n;

        for (unsigned k = 0; k < waiters; k++)
            w[k] = kozo_test_thread(wait_for, &ntfn, URGENT); /* runs until it waits */
        for (unsigned k = 0; k < waiters; k++)
            KOZO_REQUIRE_OK(kozo_thread_priority(w[k].thread, EQUAL + 1, EQUAL + 1));
        COUNT(n, err = kozo_cap_delete(kozo_own(ntfn.c)));
        KOZO_CHECK_OK(err);
        add(&s, n, waiters);
        for (unsigned k = 0; k < waiters; k++)
            kozo_worker_end(&w[k]);
    }
    report(&s);
}

/* A preemption point at each page. */
KOZO_TEST(section_clear)
{
    struct series s = { .name = "section_clear" };

    ROWS("section_clear");
    for (unsigned i = 0; i < rounds; i++) {
        struct kozo_untyped u = kozo_test_untyped(18);
        enum kozo_err err;
        uint32_t n;

        COUNT(n, err = kozo_untyped_clear(u, steps * KOZO_PAGE_SIZE));
        KOZO_CHECK_OK(err);
        series_add(&s, n / steps);
    }
    report(&s);
}

/* The most that one RETYPE makes, of the kind that takes longest, in memory that is clear. */
KOZO_TEST(section_retype)
{
    struct series s = { .name = "section_retype" };
    struct kozo_cnode shelf;

    ROWS("section_retype");
    shelf = kozo_test_cnode(9);
    for (unsigned i = 0; i < rounds; i++) {
        struct kozo_untyped u = kozo_test_untyped(21);
        enum kozo_err err;
        uint32_t n;

        KOZO_REQUIRE_OK(kozo_untyped_clear(u, UINT64_MAX));
        COUNT(n,
              err = kozo_retype(u, KOZO_KIND_ADDRESS_SPACE, 0, kozo_in(shelf, 1), KOZO_RETYPE_MAX));
        series_add(&s, n);
        KOZO_REQUIRE_OK(err);
        KOZO_CHECK_OK(kozo_cap_revoke(kozo_own(u.c)));
    }
    report(&s);
}

static uint64_t wake_at;

static void sleep_until(void *arg)
{
    (void)arg;
    (void)kozo_sleep_until(wake_at);
}

/* The longest pause of a thread that does nothing but look at the counter: the interrupt. */
static uint32_t longest_pause(uint64_t until)
{
    uint32_t last = tick(), most = 0;

    while (kozo_now() < until) {
        uint32_t now = tick();

        most = now - last > most ? now - last : most;
        last = now;
    }
    return most;
}

/* 16 threads, less urgent, whose deadline passes: as many as one event wakes. */
KOZO_TEST(section_deadlines)
{
    struct series s = { .name = "section_deadlines" };

    ROWS("section_deadlines");
    for (unsigned i = 0; i < rounds; i++) {
        struct kozo_worker w[waiters];

        wake_at = kozo_now() + 5 * KOZO_MS;
        for (unsigned k = 0; k < waiters; k++)
            w[k] = kozo_test_thread(sleep_until, nullptr, URGENT);
        for (unsigned k = 0; k < waiters; k++)
            KOZO_REQUIRE_OK(kozo_thread_priority(w[k].thread, EQUAL + 1, EQUAL + 1));
        KOZO_REQUIRE(kozo_now() < wake_at);
        series_add(&s, longest_pause(wake_at + KOZO_MS));
        for (unsigned k = 0; k < waiters; k++)
            kozo_worker_end(&w[k]);
    }
    report(&s);
}
