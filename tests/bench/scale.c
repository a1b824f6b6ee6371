/* SPDX-License-Identifier: MIT */
/*
 * The same measurements in a system that is large: many threads, many capabilities, many processes.
 *
 * Rows are named scale_WHAT_COUNT_OPERATION. A case is a program's whole run: it grows step by step
 * and measures at each.
 */
#include "bench.h"
#include "spawn.h"
#include "stubs.h"

static const char *row(char *text, size_t size, const char *what, unsigned count,
                       const char *operation)
{
    (void)kozo_snprintf(text, size, "scale_%s_%u_%s", what, count, operation);
    return text;
}
#define ROW(what, count, operation) row((char[64]){}, 64, what, count, operation)

/* All operations whose cost must not grow. */
static void measure(const char *what, unsigned count, kozo_cptr from)
{
    measure_syscall_min(ROW(what, count, "syscall_min"));
    measure_round_trips(ROW(what, count, "ipc_cross_0w"), true);
    measure_signal_wake(ROW(what, count, "signal_wake"));
    measure_yield_pair(ROW(what, count, "yield_pair"));
    measure_copy_delete(ROW(what, count, "cap_copy"), ROW(what, count, "cap_delete"), from);
}

/* ---- threads: each with a stack and an IPC buffer of its own, in one space ---- */

constexpr unsigned most_threads = 4000;

static struct kozo_notification never;

static void wait_for_ever(void *)
{
    (void)kozo_wait(never);
}

static void spin(void *)
{
    for (;;)
        kozo_yield();
}

/*
 * Every other one waits in one queue; the rest are ready, less urgent than who measures, at many
 * priorities.
 */
static enum kozo_err add_thread(struct kozo_cnode shelf, unsigned i)
{
    struct kozo_worker_options o = {
        .pool = kozo_test_pool(),
        .memory = kozo_test_memory(),
        .stack_pages = 1,
        .priority = i % 2 == 0 ? URGENT : EQUAL + 1 + i % 128,
    };
    struct kozo_worker w;
    enum kozo_err err = kozo_worker_start(&w, &o, i % 2 == 0 ? wait_for_ever : spin, nullptr);

    if (err == KOZO_OK)
        err = kozo_cap_move(kozo_in(shelf, 2 * i + 1), kozo_own(w.thread.c));
    if (err == KOZO_OK)
        err = kozo_cap_move(kozo_in(shelf, 2 * i + 2), kozo_own(w.keep.c));
    kozo_slot_free(w.thread.c);
    kozo_slot_free(w.keep.c);
    return err;
}

KOZO_TEST(scale_threads)
{
    static const unsigned steps[] = { 10, 1000, most_threads };
    struct kozo_endpoint ep;
    struct kozo_cnode shelf;
    uint64_t before;
    unsigned made = 0;

    ROWS("scale_threads");
    never = kozo_test_notification();
    ep = kozo_test_endpoint();
    shelf = kozo_test_cnode(13);
    before = kozo_test_stat(KOZO_STAT_BYTES_FREE);
    for (unsigned s = 0; s < sizeof(steps) / sizeof(*steps); s++) {
        for (; made < steps[s]; made++)
            KOZO_REQUIRE_OK(add_thread(shelf, made));
        if (s == 2)
            report_value("scale_threads_bytes_each",
                         (before - kozo_test_stat(KOZO_STAT_BYTES_FREE)) / made);
        measure("threads", steps[s], ep.c);
    }
    KOZO_CHECK(kozo_test_stat(KOZO_STAT_THREADS_FREE) + most_threads <= kozo_boot_info()->threads);
}

/* ---- capabilities to one Endpoint: half of them a chain, the others all from the first ---- */

constexpr unsigned most_caps = 100000;
constexpr unsigned shelf_bits = 17;

KOZO_TEST(scale_caps)
{
    static const unsigned steps[] = { 10, 1000, 10000, most_caps };
    struct kozo_endpoint ep;
    struct kozo_cnode shelf;
    kozo_cptr deepest;
    uint64_t before;
    unsigned made = 0;
    struct series revoke = { .name = "scale_caps_100000_revoke_each" };
    enum kozo_err err;
    uint32_t n;

    ROWS("scale_caps");
    before = kozo_test_stat(KOZO_STAT_CAPS);
    ep = kozo_test_endpoint();
    shelf = kozo_test_cnode(shelf_bits);
    for (unsigned s = 0; s < sizeof(steps) / sizeof(*steps); s++) {
        for (; made < steps[s]; made++) {
            struct kozo_place last = made < 2 ? kozo_own(ep.c) : kozo_in(shelf, made - 1);

            KOZO_REQUIRE_OK(kozo_cap_copy(kozo_in(shelf, made + 1),
                                          made % 2 == 0 ? last : kozo_own(ep.c), KOZO_SAME_RIGHTS));
        }
        deepest = kozo_test_slot();
        KOZO_REQUIRE_OK(
            kozo_cap_copy(kozo_own(deepest), kozo_in(shelf, made - 1), KOZO_SAME_RIGHTS));
        measure("caps", steps[s], deepest);
    }
    KOZO_CHECK(kozo_test_stat(KOZO_STAT_CAPS) - before >= most_caps);
    COUNT(n, err = kozo_cap_revoke(kozo_own(ep.c)));
    KOZO_CHECK_OK(err);
    KOZO_CHECK(kozo_test_stat(KOZO_STAT_CAPS) - before < most_caps / 10);
    series_add(&revoke, n);
    report_each("scale_caps_100000_revoke_each", &revoke, made);
}

/* ---- processes: each a service in a space of its own ---- */

constexpr unsigned most_services = 1000;
constexpr unsigned service_bits = 17;

/* What one consists of leaves our own slots, which are few. */
static enum kozo_err put_aside(struct kozo_cnode shelf, unsigned i, const struct kozo_process *p)
{
    const kozo_cptr own[] = {
        p->memory.c, p->pool.c, p->cnode.c, p->keep.c, p->space.c, p->thread.c
    };
    enum kozo_err err = KOZO_OK;

    for (unsigned k = 0; k < sizeof(own) / sizeof(*own) && err == KOZO_OK; k++) {
        err = kozo_cap_move(kozo_in(shelf, 1 + 6 * i + k), kozo_own(own[k]));
        kozo_slot_free(own[k]);
    }
    return err;
}

static enum kozo_err add_service(struct kozo_cnode shelf, unsigned i, struct child *c,
                                 uint64_t *used)
{
    struct kozo_untyped_info info;
    struct kozo_process p;
    enum kozo_err err;

    c->memory = kozo_test_untyped(service_bits);
    c->pool.c = kozo_test_slot();
    err = kozo_pool_split(kozo_test_pool(), kozo_own(c->pool.c), 1);
    if (err == KOZO_OK)
        err = child_spawn(c, 0, &p);
    if (err != KOZO_OK)
        return err;
    info = kozo_untyped_info(c->memory);
    *used = info.size - info.free;
    return put_aside(shelf, i, &p);
}

/* An Endpoint for each, in consecutive slots; 0 on failure. */
static kozo_cptr make_endpoints(void)
{
    constexpr unsigned at_once = 250;
    kozo_cptr first = kozo_slots_alloc(most_services);

    for (unsigned i = 0; i < most_services && first != 0; i += at_once)
        if (!KOZO_CHECK_OK(kozo_retype(kozo_test_memory(), KOZO_KIND_ENDPOINT, 0,
                                       kozo_own(first + i), at_once)))
            return 0;
    return first;
}
static_assert(most_services % 250 == 0);

KOZO_TEST(scale_services)
{
    struct series first = { .name = "scale_services_1000_first" },
                  second = { .name = "scale_services_1000_call" };
    kozo_cptr ep;
    struct child c = { .rights = KOZO_READ, .argument = "serve" };
    struct exchange none = {};
    uint32_t cost = stub_nothing(&none);
    struct kozo_cnode shelf;
    uint64_t used = 0;

    ROWS("scale_services");
    c.image = child_image();
    shelf = kozo_test_cnode(13);
    ep = make_endpoints();
    KOZO_REQUIRE(ep != 0);
    for (unsigned i = 0; i < most_services; i++) {
        c.ep.c = ep + i;
        KOZO_REQUIRE_OK(add_service(shelf, i, &c, &used));
    }
    /* All of them answer; of both rounds so many samples are kept as fit, from all over. */
    for (unsigned round = 0; round < 2; round++)
        for (unsigned i = 0; i < most_services; i++) {
            struct exchange x = { .cap = ep + i, .in = { i } };
            uint32_t n = stub_call_8w(&x) - cost;

            KOZO_CHECK_OK((enum kozo_err)x.err);
            KOZO_CHECK_EQ(x.out[0], i + 1);
            if (i % (most_services / SAMPLES + 1) == 0)
                series_add(round == 0 ? &first : &second, n);
        }
    report(&first);
    report(&second);
    report_value("scale_services_bytes_each", used);
}
