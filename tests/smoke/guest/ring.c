/* SPDX-License-Identifier: MIT */
/*
 * Rings between two address spaces: order, sleeping on both sides, and a peer that dies.
 */
#include <kozo/memory.h>
#include <kozo/ring.h>
#include <kozo/start.h>
#include <kozo/test.h>

constexpr uint32_t ENTRIES = 16;
constexpr uint32_t BYTES = 64;
constexpr uint32_t EQUAL = 64; /* the first thread's priority */
constexpr uint32_t URGENT = 32;
constexpr uint64_t MANY = 2000;

/* What both sides know; set before the other space is made. */
static struct {
    void *memory;
    uint64_t bytes;
    struct kozo_notification ours, theirs; /* which we signal, which they do */
    struct kozo_untyped life;              /* what is carved from it goes with the other side */
    struct kozo_endpoint report;
    struct kozo_space space;
} shared;

/* The same Frames at the same addresses in the other space. */
static void share(const struct kozo_memory *m)
{
    for (unsigned i = 0; i < 4; i++) {
        struct kozo_page_table t = { kozo_test_slot() };

        KOZO_CHECK_OK(kozo_retype(kozo_test_memory(), KOZO_KIND_PAGE_TABLE, 0, kozo_own(t.c), 1));
        KOZO_CHECK_OK(kozo_space_feed(shared.space, t));
    }
    for (uint32_t i = 0; i < m->count; i++) {
        struct kozo_frame copy = { kozo_test_copy(m->first + i, KOZO_SAME_RIGHTS) };

        KOZO_CHECK_OK(kozo_map(shared.space, copy, (uint64_t)m->at + (uint64_t)i * KOZO_PAGE_SIZE,
                               KOZO_READ | KOZO_WRITE));
    }
}

static void begin(void)
{
    struct kozo_memory m = kozo_memory_alloc(kozo_test_memory(), kozo_ring_bytes(ENTRIES, BYTES));

    KOZO_CHECK_OK(m.err);
    shared.memory = m.at;
    shared.bytes = m.bytes;
    shared.life = kozo_test_untyped(17);
    shared.ours = kozo_test_notification();
    shared.theirs.c = kozo_test_slot();
    KOZO_CHECK_OK(
        kozo_retype(shared.life, KOZO_KIND_NOTIFICATION, 0, kozo_own(shared.theirs.c), 1));
    shared.report = kozo_test_endpoint();
    shared.space = kozo_test_space_clone();
    share(&m);
}

static struct kozo_ring join(enum kozo_ring_side side, bool other)
{
    struct kozo_ring r;

    KOZO_CHECK_OK(kozo_ring_join(&r, side, shared.memory, shared.bytes, ENTRIES, BYTES,
                                 other ? shared.theirs : shared.ours,
                                 other ? shared.ours : shared.theirs));
    return r;
}

static struct kozo_worker start(void (*run)(void *))
{
    struct kozo_worker_options o = { .priority = EQUAL, .memory = shared.life };

    return kozo_test_thread_in(shared.space, &o, run, nullptr);
}

static void tell(uint64_t a, uint64_t b)
{
    struct kozo_words x = { .cap = shared.report.c, .w = { a, b } };

    (void)kozo_ipc(KOZO_SYS_SEND, &x);
}

static enum kozo_err put(struct kozo_ring *r, uint64_t value)
{
    uint64_t *to;

    while ((to = kozo_ring_room(r)) == nullptr) {
        enum kozo_err err = kozo_ring_wait(r, UINT64_MAX);

        if (err != KOZO_OK)
            return err;
    }
    for (unsigned i = 0; i < BYTES / 8; i++)
        to[i] = value + i;
    kozo_ring_put(r);
    return KOZO_OK;
}

static enum kozo_err take(struct kozo_ring *r, uint64_t *value)
{
    const uint64_t *from;

    while ((from = kozo_ring_front(r)) == nullptr) {
        enum kozo_err err = kozo_ring_wait(r, UINT64_MAX);

        if (err != KOZO_OK)
            return err;
    }
    *value = from[0] == from[BYTES / 8 - 1] - (BYTES / 8 - 1) ? from[0] : UINT64_MAX;
    kozo_ring_drop(r);
    return KOZO_OK;
}

/* ---- both alive ---- */

static void consume_all(void *)
{
    struct kozo_ring r = join(KOZO_RING_CONSUMER, true);
    uint64_t expected = 0, value;
    enum kozo_err err;

    while ((err = take(&r, &value)) == KOZO_OK && value == expected)
        expected++;
    tell(err, expected);
}

KOZO_TEST(a_consumer_in_another_space_gets_all_in_order)
{
    struct kozo_ring r;
    struct kozo_words x;

    begin();
    r = join(KOZO_RING_PRODUCER, false);
    (void)start(consume_all);
    for (uint64_t i = 0; i < MANY; i++)
        KOZO_REQUIRE_OK(put(&r, i));
    kozo_ring_close(&r);
    KOZO_REQUIRE_OK(kozo_recv_words(shared.report, &x));
    KOZO_CHECK_EQ(x.w[0], KOZO_ERR_GONE);
    KOZO_CHECK_EQ(x.w[1], MANY);
}

static void produce_all(void *)
{
    struct kozo_ring r = join(KOZO_RING_PRODUCER, true);
    enum kozo_err err = KOZO_OK;
    uint64_t i;

    for (i = 0; i < MANY && err == KOZO_OK; i++)
        err = put(&r, i);
    kozo_ring_close(&r);
    tell(err, i);
}

KOZO_TEST(a_producer_in_another_space_waits_for_room)
{
    struct kozo_ring r;
    uint64_t value;

    begin();
    r = join(KOZO_RING_CONSUMER, false);
    (void)start(produce_all);
    for (uint64_t i = 0; i < MANY; i++) {
        KOZO_REQUIRE_OK(take(&r, &value));
        KOZO_CHECK_EQ(value, i);
    }
    KOZO_CHECK_ERR(take(&r, &value), KOZO_ERR_GONE);
}

KOZO_TEST(a_wait_ends_at_its_deadline)
{
    struct kozo_ring r;
    uint64_t deadline;

    begin();
    r = join(KOZO_RING_CONSUMER, false);
    deadline = kozo_now() + 2 * KOZO_MS;
    KOZO_CHECK_ERR(kozo_ring_wait(&r, deadline), KOZO_ERR_TIMEOUT);
    KOZO_CHECK(kozo_now() >= deadline);
    KOZO_CHECK_ERR(kozo_ring_wait(&r, 0), KOZO_ERR_TIMEOUT);
}

/* ---- the other side dies ---- */

static struct kozo_worker victim;
static volatile uint64_t passed; /* entries that the first thread has put or taken */

static bool first_sleeps(void)
{
    struct kozo_thread_info info = kozo_thread_info(kozo_own_thread());

    return info.err == KOZO_OK && info.state == KOZO_THREAD_WAITING;
}

/*
 * Ends the other side as a supervisor does: once it has said that it did its part, and the first
 * thread has passed all entries it can and sleeps in the ring.
 */
static void kill_in_time(void *arg)
{
    struct kozo_words x;

    (void)kozo_recv_words(shared.report, &x);
    while (passed != (uint64_t)arg || !first_sleeps())
        (void)kozo_sleep(KOZO_MS);
    (void)kozo_cap_delete(kozo_own(victim.thread.c));
    (void)kozo_cap_revoke(kozo_own(shared.life.c));
}

[[noreturn]] static void say_and_stall(void)
{
    tell(0, 0);
    for (;;)
        (void)kozo_sleep(3600 * KOZO_S);
}

static void put_three_and_stall(void *)
{
    struct kozo_ring r = join(KOZO_RING_PRODUCER, true);

    for (uint64_t i = 0; i < 3; i++)
        (void)put(&r, i);
    kozo_ring_wake(&r);
    say_and_stall();
}

KOZO_TEST(a_consumer_hears_of_its_producers_death)
{
    struct kozo_ring r;
    uint64_t value;

    begin();
    passed = 0;
    r = join(KOZO_RING_CONSUMER, false);
    victim = start(put_three_and_stall);
    (void)kozo_test_thread(kill_in_time, (void *)3, URGENT);
    for (uint64_t i = 0; i < 3; i++) {
        KOZO_REQUIRE_OK(take(&r, &value));
        KOZO_CHECK_EQ(value, i);
        passed++;
    }
    KOZO_CHECK_ERR(take(&r, &value), KOZO_ERR_GONE);
    KOZO_CHECK_ERR(take(&r, &value), KOZO_ERR_GONE);
}

static void stall(void *)
{
    (void)join(KOZO_RING_CONSUMER, true);
    say_and_stall();
}

KOZO_TEST(a_producer_hears_of_its_consumers_death)
{
    struct kozo_ring r;

    begin();
    passed = 0;
    r = join(KOZO_RING_PRODUCER, false);
    victim = start(stall);
    (void)kozo_test_thread(kill_in_time, (void *)(uint64_t)ENTRIES, URGENT);
    for (uint64_t i = 0; i < ENTRIES; i++) {
        KOZO_REQUIRE_OK(put(&r, i));
        passed++;
    }
    KOZO_CHECK_ERR(put(&r, ENTRIES), KOZO_ERR_GONE);
    KOZO_CHECK_ERR(put(&r, ENTRIES), KOZO_ERR_GONE);
}
