/* SPDX-License-Identifier: MIT */
/*
 * test_pool.c - ThreadPools: quotas that are split, used up, and given back.
 */
#include "host.h"

#define P SLOT_FREE
#define Q (SLOT_FREE + 1)
#define T (SLOT_FREE + 2)

static uint64_t split(uint64_t from, uint64_t to, uint64_t count)
{
    return call(host.init, POOL_SPLIT, from, 0, to, count);
}

static uint64_t create(uint64_t pool, uint64_t slot)
{
    return call(host.init, THREAD_CREATE, pool, 0, slot, 0, HOST_PRIORITY);
}

static uint64_t left(uint64_t pool)
{
    CHECK_OK(call(host.init, POOL_INFO, pool));
    return host.init->frame.reg[0];
}

static uint64_t threads_stat(void)
{
    CHECK_OK(call(host.init, DEBUG_STAT, SLOT_DEBUG, KOZO_STAT_THREADS_FREE));
    return host.init->frame.reg[0];
}

TEST(the_first_pool_holds_all_threads)
{
    host_boot();
    CHECK_EQ(left(SLOT_POOL), CONFIG_MAX_THREADS - 1);
    CHECK_EQ(threads_stat(), CONFIG_MAX_THREADS - 1);
}

TEST(a_split_takes_from_its_parent)
{
    host_boot();
    uint64_t all = left(SLOT_POOL);
    CHECK_OK(split(SLOT_POOL, P, 10));
    CHECK_EQ(left(SLOT_POOL), all - 10);
    CHECK_EQ(left(P), 10);
    CHECK_OK(split(P, Q, 10)); /* the whole of it */
    CHECK_EQ(left(P), 0);
    CHECK_ERR(create(P, T), QUOTA);
    CHECK_OK(create(Q, T));
    CHECK_EQ(left(Q), 9);
}

TEST(a_thread_that_ends_returns_to_its_pool)
{
    host_boot();
    CHECK_OK(split(SLOT_POOL, P, 1));
    for (uint32_t i = 0; i < 5; i++) {
        CHECK_OK(create(P, T));
        CHECK_ERR(create(P, T + 1), QUOTA);
        CHECK_EQ(left(P), 0);
        CHECK_OK(call(host.init, CAP_DELETE, 0, T));
        CHECK_EQ(left(P), 1);
    }
}

TEST(a_deleted_pool_takes_its_threads_and_pools_along)
{
    host_boot();
    uint64_t all = left(SLOT_POOL);
    CHECK_OK(split(SLOT_POOL, P, 10));
    CHECK_OK(split(P, Q, 5));
    CHECK_OK(create(P, T));
    CHECK_OK(create(Q, T + 1));
    CHECK_OK(call(host.init, CAP_COPY, 0, T + 2, 0, T + 1, KOZO_SAME_RIGHTS));
    CHECK_OK(call(host.init, CAP_DELETE, 0, P));
    for (uint64_t i = Q; i < T + 3; i++)
        CHECK_EQ(host_kind(i), KOZO_KIND_NULL);
    CHECK_EQ(left(SLOT_POOL), all);
    CHECK_EQ(threads_stat(), all);
}

TEST(a_revoked_pool_has_all_it_had)
{
    host_boot();
    CHECK_OK(split(SLOT_POOL, P, 10));
    CHECK_OK(split(P, Q, 5));
    CHECK_OK(create(P, T));
    CHECK_OK(create(Q, T + 1));
    CHECK_OK(call(host.init, CAP_REVOKE, 0, P));
    CHECK_EQ(left(P), 10);
    CHECK_EQ(host_kind(Q), KOZO_KIND_NULL);
}

TEST(pools_nested_as_deep_as_they_go_are_deleted_from_the_top)
{
    host_boot();
    uint64_t all = left(SLOT_POOL), depth = 0;
    CHECK_OK(split(SLOT_POOL, P, 20));
    while (split(P + depth, P + depth + 1, 20) == KOZO_OK)
        depth++;
    CHECK(depth >= 20);
    CHECK_OK(create(P + depth, P + depth + 2));
    CHECK_OK(call_preempted(1, host.init, CAP_DELETE, 0, P));
    CHECK_EQ(left(SLOT_POOL), all);
}

/* Nobody can use up the table of pools for others. */
TEST(a_small_pool_runs_out_of_pools_before_its_parent_does)
{
    host_boot();
    CHECK_OK(split(SLOT_POOL, P, 2));
    uint64_t made = 0;
    while (split(P + made, P + made + 1, 2) == KOZO_OK)
        made++;
    CHECK(made < 8);
    for (uint64_t i = 0; i < 20; i++) {
        CHECK_OK(split(SLOT_POOL, P + 20 + i, 2));
        CHECK_OK(split(P + 20 + i, P + 60 + i, 1));
    }
}

TEST(pool_errors)
{
    host_boot();
    CHECK_ERR(split(SLOT_POOL, P, 0), ARGUMENT);
    CHECK_ERR(split(SLOT_POOL, P, CONFIG_MAX_THREADS), QUOTA); /* one is init */
    CHECK_ERR(split(SLOT_POOL, P, 1ull << 32), QUOTA);
    CHECK_ERR(split(SLOT_POOL, P, (1ull << 32) + 1), QUOTA);
    CHECK_ERR(split(SLOT_POOL, P, UINT64_MAX), QUOTA);
    CHECK_ERR(split(SLOT_POOL, SLOT_EP, 1), OCCUPIED);
    CHECK_ERR(split(SLOT_EP, P, 1), KIND);
    CHECK_ERR(call(host.init, POOL_INFO, SLOT_EP), KIND);
    CHECK_ERR(create(SLOT_POOL, SLOT_EP), OCCUPIED);
    CHECK_ERR(call(host.init, THREAD_CREATE, SLOT_POOL, 0, T, 4, 200), ARGUMENT);
    CHECK_ERR(call(host.init, THREAD_CREATE, SLOT_POOL, 0, T, 0, 256), ARGUMENT);
    struct tcb *t = host_thread_at(0, 0, 150);
    CHECK_OK(call(host.init, POOL_SPLIT, SLOT_POOL, host_cnode_slot(t), SLOT_FREE, 2));
    CHECK_ERR(call(t, THREAD_CREATE, SLOT_FREE, 0, SLOT_FREE + 1, 0, 149), PRIORITY);
    CHECK_OK(call(t, THREAD_CREATE, SLOT_FREE, 0, SLOT_FREE + 1, 0, 150));
}

TEST(all_threads_can_be_in_use)
{
    host_boot();
    host_make(P, KOZO_KIND_CNODE, 10);
    host_seldom();
    uint64_t made = 0;
    while (call(host.init, THREAD_CREATE, SLOT_POOL, P, made + 1, 0, 200) == KOZO_OK)
        made++;
    CHECK_EQ(made, CONFIG_MAX_THREADS - 1);
    CHECK_EQ(threads_stat(), 0);
    CHECK_ERR(create(SLOT_POOL, T), QUOTA);
    host_check();
    CHECK_EQ(call(host.init, CAP_REVOKE, 0, SLOT_POOL), HOST_ENDED); /* init too */
    CHECK_EQ(kernel.pools.tcb_count, 0);
    host_check();
}

TEST(random_splits_and_deletes_add_up)
{
    host_boot();
    uint64_t all = left(SLOT_POOL);
    host.seed = 11;
    for (uint32_t n = 0; n < 2000; n++) {
        uint64_t at = P + host_random(30);
        switch (host_random(4)) {
        case 0:
            if (host_kind(at) == KOZO_KIND_THREAD_POOL)
                (void)split(at, P + host_random(30), 1 + host_random(8));
            else
                (void)split(SLOT_POOL, at, 1 + host_random(20));
            break;
        case 1:
            if (host_kind(at) == KOZO_KIND_THREAD_POOL)
                (void)create(at, P + host_random(30));
            break;
        case 2:
            (void)call(host.init, CAP_DELETE, 0, at);
            break;
        default:
            if (host_random(8) == 0)
                (void)call(host.init, CAP_REVOKE, 0, at);
        }
    }
    for (uint64_t i = P; i < P + 30; i++)
        (void)call(host.init, CAP_DELETE, 0, i);
    CHECK_EQ(left(SLOT_POOL), all);
    CHECK_EQ(kernel.pools.pool[0].entries, 2 * CONFIG_MAX_THREADS - 1);
}
