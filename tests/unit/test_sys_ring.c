/* SPDX-License-Identifier: MIT */
/*
 * The ring on the host: both sides in one thread, and notifications that the test holds.
 */
#include "unit.h"

#include <kozo/syscall.h>

#include <string.h>

/* ---- the system calls it makes ---- */

static enum kozo_err ring_signal(struct kozo_notification n, uint64_t bits);
static struct kozo_res ring_sleep(struct kozo_notification n, uint64_t deadline);
#define kozo_signal ring_signal
#define kozo_wait(n) ring_sleep(n, UINT64_MAX)
#define kozo_wait_until ring_sleep
#include "../../sys/ring.c"

constexpr uint32_t ENTRIES = 8;
constexpr uint32_t BYTES = 16;

static alignas(64) char memory[4096];
static struct kozo_ring producer, consumer;

/* What the test does while a side sleeps, once; and how the sleep ends then. */
static void (*meanwhile)(void);
static enum kozo_err wakes_with;
static unsigned signals, sleeps;
static enum kozo_err signals_with;

static enum kozo_err ring_signal(struct kozo_notification n, uint64_t bits)
{
    CHECK_EQ(bits, 1);
    CHECK(n.c == 1 || n.c == 2);
    signals++;
    return signals_with;
}

static struct kozo_res ring_sleep(struct kozo_notification n, uint64_t deadline)
{
    void (*then)(void) = meanwhile;

    CHECK(n.c == 1 || n.c == 2);
    CHECK(deadline != 0);
    sleeps++;
    meanwhile = nullptr;
    if (then != nullptr)
        then();
    else
        CHECK(wakes_with != KOZO_OK); /* else it would sleep for ever */
    return (struct kozo_res){ 1, wakes_with };
}

static void begin(void)
{
    memset(memory, 0, sizeof(memory));
    signals = sleeps = 0;
    signals_with = wakes_with = KOZO_OK;
    meanwhile = nullptr;
    CHECK_OK(kozo_ring_join(&producer, KOZO_RING_PRODUCER, memory, sizeof(memory), ENTRIES, BYTES,
                            (struct kozo_notification){ 1 }, (struct kozo_notification){ 2 }));
    CHECK_OK(kozo_ring_join(&consumer, KOZO_RING_CONSUMER, memory, sizeof(memory), ENTRIES, BYTES,
                            (struct kozo_notification){ 2 }, (struct kozo_notification){ 1 }));
}

static bool put(uint64_t value)
{
    uint64_t *to = kozo_ring_room(&producer);

    if (to == nullptr)
        return false;
    to[0] = value;
    to[1] = ~value;
    kozo_ring_put(&producer);
    return true;
}

/* The oldest value, or UINT64_MAX. */
static uint64_t take(void)
{
    const uint64_t *from = kozo_ring_front(&consumer);
    uint64_t value;

    if (from == nullptr)
        return UINT64_MAX;
    value = from[0];
    CHECK_EQ(from[1], ~value);
    kozo_ring_drop(&consumer);
    return value;
}

/* ---- sizes ---- */

TEST(sizes_that_can_be)
{
    CHECK_EQ(kozo_ring_bytes(1, 8), sizeof(struct kozo_ring_shared) + 8);
    CHECK_EQ(kozo_ring_bytes(256, 64), sizeof(struct kozo_ring_shared) + 256 * 64);
    CHECK_EQ(kozo_ring_bytes(1u << 31, 1u << 20), sizeof(struct kozo_ring_shared) + (1ull << 51));
}

TEST(sizes_that_cannot_be)
{
    static const uint32_t bad[][2] = { { 0, 8 }, { 3, 8 },  { 7, 8 },
                                       { 8, 0 }, { 8, 12 }, { 8, (1u << 20) + 8 } };
    struct kozo_ring r;

    for (unsigned i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        CHECK_EQ(kozo_ring_bytes(bad[i][0], bad[i][1]), 0);
        CHECK_ERR(kozo_ring_join(&r, KOZO_RING_PRODUCER, memory, sizeof(memory), bad[i][0],
                                 bad[i][1], (struct kozo_notification){ 1 },
                                 (struct kozo_notification){ 2 }),
                  ARGUMENT);
    }
    CHECK_ERR(kozo_ring_join(&r, KOZO_RING_PRODUCER, memory + 8, 1024, 8, 8,
                             (struct kozo_notification){ 1 }, (struct kozo_notification){ 2 }),
              ARGUMENT);
    CHECK_ERR(kozo_ring_join(&r, KOZO_RING_PRODUCER, memory, kozo_ring_bytes(8, 8) - 1, 8, 8,
                             (struct kozo_notification){ 1 }, (struct kozo_notification){ 2 }),
              NOMEM);
}

/* ---- full, empty, around ---- */

TEST(how_the_other_side_ended_is_seen_without_waiting)
{
    begin();
    CHECK_EQ(kozo_ring_ended(&producer), KOZO_RING_OPEN);
    CHECK_EQ(kozo_ring_ended(&consumer), KOZO_RING_OPEN);
    kozo_ring_bury(memory, KOZO_RING_CONSUMER, KOZO_RING_DIED);
    CHECK_EQ(kozo_ring_ended(&producer), KOZO_RING_DIED);
    CHECK_EQ(kozo_ring_ended(&consumer), KOZO_RING_OPEN);
    kozo_ring_close(&producer);
    CHECK_EQ(kozo_ring_ended(&consumer), KOZO_RING_CLOSED);
    kozo_ring_bury(memory, KOZO_RING_PRODUCER, KOZO_RING_DIED); /* it had closed already */
    CHECK_EQ(kozo_ring_ended(&consumer), KOZO_RING_CLOSED);
    consumer.theirs->closed = 77;
    CHECK_EQ(kozo_ring_ended(&consumer), KOZO_RING_DIED);
}

TEST(what_was_put_before_a_death_can_be_read)
{
    begin();
    CHECK(put(5));
    kozo_ring_bury(memory, KOZO_RING_PRODUCER, KOZO_RING_DIED);
    CHECK_OK(kozo_ring_wait(&consumer, UINT64_MAX));
    CHECK_EQ(take(), 5);
    CHECK_ERR(kozo_ring_wait(&consumer, UINT64_MAX), GONE);
    CHECK_EQ(kozo_ring_ended(&consumer), KOZO_RING_DIED);
    CHECK_EQ(sleeps, 0);
}

TEST(empty_at_first)
{
    begin();
    CHECK(kozo_ring_front(&consumer) == nullptr);
    CHECK(kozo_ring_room(&producer) != nullptr);
    CHECK_EQ(signals + sleeps, 0);
}

TEST(full_after_as_many_as_there_are)
{
    begin();
    for (uint64_t i = 0; i < ENTRIES; i++)
        CHECK(put(i));
    CHECK(!put(99));
    CHECK_EQ(take(), 0);
    CHECK(put(ENTRIES));
    CHECK(!put(99));
    for (uint64_t i = 1; i <= ENTRIES; i++)
        CHECK_EQ(take(), i);
    CHECK_EQ(take(), UINT64_MAX);
    CHECK_EQ(signals + sleeps, 0);
}

/* As a queue would, at every distance between the two, many times around. */
TEST(order_is_kept_around_the_end)
{
    uint64_t in = 0, out = 0;

    begin();
    for (unsigned step = 0; step < 4000; step++) {
        unsigned burst = step * 7 % (ENTRIES + 3);

        for (unsigned i = 0; i < burst && put(in); i++)
            in++;
        CHECK(in - out <= ENTRIES);
        burst = step * 5 % (ENTRIES + 2);
        for (unsigned i = 0; i < burst && in != out; i++)
            CHECK_EQ(take(), out++);
    }
    while (in != out)
        CHECK_EQ(take(), out++);
    CHECK_EQ(take(), UINT64_MAX);
}

TEST(counters_may_wrap)
{
    begin();
    producer.count = producer.mine->count = consumer.count = consumer.mine->count = UINT64_MAX - 3;
    consumer.limit = UINT64_MAX - 3;
    producer.limit = UINT64_MAX - 3 + ENTRIES;
    for (uint64_t i = 0; i < 5 * ENTRIES; i++) {
        CHECK(put(i));
        CHECK_EQ(take(), i);
    }
    for (uint64_t i = 0; i < ENTRIES; i++)
        CHECK(put(i));
    CHECK(!put(99));
    CHECK(!producer.broken && !consumer.broken);
}

TEST(a_ring_of_one_entry)
{
    begin();
    memset(memory, 0, sizeof(memory));
    CHECK_OK(kozo_ring_join(&producer, KOZO_RING_PRODUCER, memory, sizeof(memory), 1, BYTES,
                            (struct kozo_notification){ 1 }, (struct kozo_notification){ 2 }));
    CHECK_OK(kozo_ring_join(&consumer, KOZO_RING_CONSUMER, memory, sizeof(memory), 1, BYTES,
                            (struct kozo_notification){ 2 }, (struct kozo_notification){ 1 }));
    for (uint64_t i = 0; i < 10; i++) {
        CHECK(put(i));
        CHECK(!put(99));
        CHECK_EQ(take(), i);
        CHECK_EQ(take(), UINT64_MAX);
    }
}

/* ---- sleeping and waking ---- */

TEST(nobody_is_woken_who_does_not_sleep)
{
    begin();
    CHECK(put(1));
    kozo_ring_wake(&producer);
    CHECK_EQ(take(), 1);
    kozo_ring_wake(&consumer);
    CHECK_OK(kozo_ring_wait(&producer, UINT64_MAX));
    CHECK_EQ(signals + sleeps, 0);
}

static void put_and_wake(void)
{
    CHECK(put(7));
    CHECK_EQ(signals, 0);
    kozo_ring_wake(&producer);
    CHECK_EQ(signals, 1);
    CHECK(put(8));
    kozo_ring_wake(&producer);
    CHECK_EQ(signals, 1); /* it has been woken */
}

TEST(a_consumer_sleeps_until_something_is_put)
{
    begin();
    meanwhile = put_and_wake;
    CHECK_OK(kozo_ring_wait(&consumer, UINT64_MAX));
    CHECK_EQ(sleeps, 1);
    CHECK_EQ(take(), 7);
    CHECK_EQ(take(), 8);
    CHECK(put(9));
    kozo_ring_wake(&producer);
    CHECK_EQ(signals, 1);
}

static void take_and_wake(void)
{
    CHECK_EQ(take(), 0);
    kozo_ring_wake(&consumer);
}

TEST(a_producer_sleeps_until_there_is_room)
{
    begin();
    for (uint64_t i = 0; i < ENTRIES; i++)
        CHECK(put(i));
    meanwhile = take_and_wake;
    CHECK_OK(kozo_ring_wait(&producer, UINT64_MAX));
    CHECK_EQ(sleeps, 1);
    CHECK_EQ(signals, 1);
    CHECK(put(ENTRIES));
}

/* The other side sleeps because of what this side has done: it is woken before this one sleeps. */
TEST(waiting_wakes_first)
{
    begin();
    consumer.mine->sleeps = 1;
    for (uint64_t i = 0; i < ENTRIES; i++)
        CHECK(put(i));
    meanwhile = take_and_wake;
    CHECK_OK(kozo_ring_wait(&producer, UINT64_MAX));
    CHECK_EQ(signals, 2);
}

static void nothing(void) {}

static void then_put(void)
{
    meanwhile = put_and_wake;
}

/* Bits may be left over in the notification: the wait goes on. */
TEST(being_woken_for_nothing_does_no_harm)
{
    begin();
    meanwhile = then_put;
    CHECK_OK(kozo_ring_wait(&consumer, UINT64_MAX));
    CHECK_EQ(sleeps, 2);
    CHECK_EQ(take(), 7);
}

TEST(deadline)
{
    begin();
    wakes_with = KOZO_ERR_TIMEOUT;
    CHECK_ERR(kozo_ring_wait(&consumer, 1000), TIMEOUT);
    CHECK_EQ(consumer.mine->sleeps, 0);
    meanwhile = nothing;
    wakes_with = KOZO_ERR_CANCELLED;
    CHECK_ERR(kozo_ring_wait(&consumer, 1000), CANCELLED);
    meanwhile = put_and_wake; /* it came with the deadline */
    wakes_with = KOZO_ERR_TIMEOUT;
    CHECK_OK(kozo_ring_wait(&consumer, 1000));
}

/* ---- the end of the other side ---- */

TEST(what_was_put_before_the_end_can_be_read)
{
    begin();
    CHECK(put(1));
    CHECK(put(2));
    kozo_ring_close(&producer);
    CHECK_OK(kozo_ring_wait(&consumer, UINT64_MAX));
    CHECK_EQ(take(), 1);
    CHECK_OK(kozo_ring_wait(&consumer, UINT64_MAX));
    CHECK_EQ(take(), 2);
    CHECK_ERR(kozo_ring_wait(&consumer, UINT64_MAX), GONE);
    CHECK_EQ(sleeps, 0);
}

static void close_producer(void)
{
    kozo_ring_close(&producer);
    CHECK_EQ(signals, 1);
}

TEST(closing_wakes_who_sleeps)
{
    begin();
    meanwhile = close_producer;
    CHECK_ERR(kozo_ring_wait(&consumer, UINT64_MAX), GONE);
}

TEST(a_producer_hears_that_nobody_reads)
{
    begin();
    for (uint64_t i = 0; i < ENTRIES; i++)
        CHECK(put(i));
    kozo_ring_close(&consumer);
    CHECK_ERR(kozo_ring_wait(&producer, UINT64_MAX), GONE);
}

static void put_and_die(void)
{
    CHECK(put(5));
    wakes_with = KOZO_ERR_GONE;
}

TEST(death_ends_a_wait)
{
    begin();
    meanwhile = put_and_die;
    CHECK_OK(kozo_ring_wait(&consumer, UINT64_MAX));
    CHECK_EQ(take(), 5);
    CHECK_ERR(kozo_ring_wait(&consumer, UINT64_MAX), GONE);
    wakes_with = KOZO_ERR_EMPTY; /* the capability went, too */
    CHECK_ERR(kozo_ring_wait(&consumer, UINT64_MAX), GONE);
}

TEST(death_shows_when_it_cannot_be_woken)
{
    begin();
    producer.mine->sleeps = 1;
    signals_with = KOZO_ERR_EMPTY;
    CHECK_ERR(kozo_ring_wait(&consumer, UINT64_MAX), GONE);
    CHECK_EQ(sleeps, 0);
}

/* ---- a hostile other side ---- */

TEST(counters_without_sense_are_refused)
{
    static const uint64_t nonsense[] = { ENTRIES + 1, UINT64_MAX, 1ull << 63, 1ull << 32 };

    for (unsigned i = 0; i < sizeof(nonsense) / sizeof(*nonsense); i++) {
        begin();
        producer.mine->count = nonsense[i];
        CHECK(kozo_ring_front(&consumer) == nullptr);
        CHECK_ERR(kozo_ring_wait(&consumer, UINT64_MAX), PROTOCOL);
        producer.mine->count = 1; /* once broken, for good */
        CHECK(kozo_ring_front(&consumer) == nullptr);
        CHECK_ERR(kozo_ring_wait(&consumer, UINT64_MAX), PROTOCOL);
    }
}

TEST(a_counter_that_goes_back_is_refused)
{
    begin();
    CHECK(put(1));
    CHECK(put(2));
    CHECK_EQ(take(), 1);
    producer.mine->count = 1;
    CHECK_EQ(take(), 2); /* known before */
    CHECK_EQ(take(), UINT64_MAX);
    CHECK_ERR(kozo_ring_wait(&consumer, UINT64_MAX), PROTOCOL);
}

TEST(a_consumer_cannot_make_room_that_is_not_there)
{
    begin();
    for (uint64_t i = 0; i < ENTRIES; i++)
        CHECK(put(i));
    consumer.mine->count = ENTRIES + 1;
    CHECK(!put(99));
    CHECK_ERR(kozo_ring_wait(&producer, UINT64_MAX), PROTOCOL);
}

/* One's own counter is not read back from where the other side can write. */
TEST(own_counter_cannot_be_changed)
{
    begin();
    CHECK(put(1));
    producer.mine->count = 77;
    CHECK(put(2));
    CHECK_EQ(producer.mine->count, 2);
    CHECK_EQ(take(), 1);
    CHECK_EQ(take(), 2);
}
