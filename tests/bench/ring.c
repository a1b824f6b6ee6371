/* SPDX-License-Identifier: MIT */
/*
 * A ring of 64-byte entries to a consumer in another space, beside IPC of as many bytes.
 */
#include "bench.h"

#include <kozo/memory.h>
#include <kozo/ring.h>

constexpr uint32_t ENTRIES = 256;
constexpr uint32_t BYTES = 64;
constexpr uint64_t BATCH = 4 * ENTRIES; /* in a sample: the ring fills and empties four times */
constexpr unsigned rounds = 16;

static struct {
    void *memory;
    uint64_t bytes;
    struct kozo_notification to_producer, to_consumer;
    struct kozo_endpoint report;
} shared;

static void share(struct kozo_space space, const struct kozo_memory *m)
{
    for (unsigned i = 0; i < 4; i++) {
        struct kozo_page_table t = { kozo_test_slot() };

        KOZO_CHECK_OK(kozo_retype(kozo_test_memory(), KOZO_KIND_PAGE_TABLE, 0, kozo_own(t.c), 1));
        KOZO_CHECK_OK(kozo_space_feed(space, t));
    }
    for (uint32_t i = 0; i < m->count; i++)
        KOZO_CHECK_OK(
            kozo_map(space, (struct kozo_frame){ kozo_test_copy(m->first + i, KOZO_SAME_RIGHTS) },
                     (uint64_t)m->at + (uint64_t)i * KOZO_PAGE_SIZE, KOZO_READ | KOZO_WRITE));
}

/* Adds up all words, so that each is read. */
static void consume(void *)
{
    struct kozo_words x = { .cap = shared.report.c };
    struct kozo_ring r;

    (void)kozo_ring_join(&r, KOZO_RING_CONSUMER, shared.memory, shared.bytes, ENTRIES, BYTES,
                         shared.to_producer, shared.to_consumer);
    do {
        for (const uint64_t *from; (from = kozo_ring_front(&r)) != nullptr; kozo_ring_drop(&r))
            for (unsigned i = 0; i < BYTES / 8; i++)
                x.w[0] += from[i];
    } while (kozo_ring_wait(&r, UINT64_MAX) == KOZO_OK);
    (void)kozo_ipc(KOZO_SYS_SEND, &x);
}

static enum kozo_err produce(struct kozo_ring *r, uint64_t first)
{
    for (uint64_t v = first; v < first + BATCH; v++) {
        uint64_t *to;

        while ((to = kozo_ring_room(r)) == nullptr) {
            enum kozo_err err = kozo_ring_wait(r, UINT64_MAX);

            if (err != KOZO_OK)
                return err;
        }
        for (unsigned i = 0; i < BYTES / 8; i++)
            to[i] = v;
        kozo_ring_put(r);
    }
    return KOZO_OK;
}

KOZO_TEST(ring_64b)
{
    struct series s = { .name = "ring_64b" };
    struct kozo_worker_options o = { .priority = EQUAL };
    struct kozo_memory m;
    struct kozo_space space;
    struct kozo_ring r;
    struct kozo_words x;

    ROWS("ring_64b");
    m = kozo_memory_alloc(kozo_test_memory(), kozo_ring_bytes(ENTRIES, BYTES));
    KOZO_REQUIRE_OK(m.err);
    shared.memory = m.at;
    shared.bytes = m.bytes;
    shared.to_producer = kozo_test_notification();
    shared.to_consumer = kozo_test_notification();
    shared.report = kozo_test_endpoint();
    space = kozo_test_space_clone();
    share(space, &m);
    KOZO_REQUIRE_OK(kozo_ring_join(&r, KOZO_RING_PRODUCER, shared.memory, shared.bytes, ENTRIES,
                                   BYTES, shared.to_consumer, shared.to_producer));
    (void)kozo_test_thread_in(space, &o, consume, nullptr);
    for (unsigned i = 0; i < rounds; i++) {
        enum kozo_err err;
        uint32_t n;

        COUNT(n, err = produce(&r, i * BATCH));
        KOZO_REQUIRE_OK(err);
        series_add(&s, n);
    }
    kozo_ring_close(&r);
    KOZO_REQUIRE_OK(kozo_recv_words(shared.report, &x));
    KOZO_CHECK_EQ(x.w[0], BYTES / 8 * (rounds * BATCH) * (rounds * BATCH - 1) / 2);
    report_each("ring_64b", &s, BATCH);
}
