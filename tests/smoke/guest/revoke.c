/* SPDX-License-Identifier: MIT */
/*
 * Taking back: what was derived, at any depth and in whosever hands; what deleting leaves; and how
 * much at once.
 */
#include "peer.h"

constexpr unsigned BITS = 11; /* a CNode that a thousand capabilities fit in */
constexpr uint64_t MANY = 1000;

static enum kozo_err copy(struct kozo_place to, struct kozo_place from)
{
    return kozo_cap_copy(to, from, KOZO_SAME_RIGHTS);
}

static enum kozo_kind kind_in(struct kozo_cnode cnode, kozo_cptr slot)
{
    struct kozo_verified v = kozo_cap_verify(kozo_in(cnode, slot), kozo_own(0));

    return v.err == KOZO_OK ? KOZO_VERIFY_KIND(v.what) : KOZO_KIND_COUNT;
}

KOZO_TEST(revoke_takes_back_and_keeps_its_own)
{
    struct kozo_endpoint ep = kozo_test_endpoint();
    kozo_cptr given = kozo_test_copy(ep.c, KOZO_SAME_RIGHTS),
              kept = kozo_test_copy(ep.c, KOZO_SAME_RIGHTS);
    kozo_cptr further = kozo_test_copy(given, KOZO_RIGHTS(KOZO_WRITE, 0));
    kozo_cptr badged = kozo_test_mint((struct kozo_endpoint){ further }, KOZO_SAME_RIGHTS, 1).c;

    KOZO_CHECK_OK(kozo_cap_revoke(kozo_own(given)));
    KOZO_CHECK_EQ(kind_at(given), KOZO_KIND_ENDPOINT);
    KOZO_CHECK_EQ(kind_at(kept), KOZO_KIND_ENDPOINT);
    KOZO_CHECK_EQ(kind_at(ep.c), KOZO_KIND_ENDPOINT);
    KOZO_CHECK_EQ(kind_at(further), KOZO_KIND_NULL);
    KOZO_CHECK_EQ(kind_at(badged), KOZO_KIND_NULL);
    KOZO_CHECK_OK(kozo_cap_revoke(kozo_own(given))); /* nothing left to do */
}

/* What was given lives on under the giver's giver. */
KOZO_TEST(delete_is_not_revoke)
{
    struct kozo_endpoint ep = kozo_test_endpoint();
    kozo_cptr middle = kozo_test_copy(ep.c, KOZO_SAME_RIGHTS), leaf[3];

    for (unsigned i = 0; i < 3; i++)
        leaf[i] = kozo_test_copy(middle, KOZO_SAME_RIGHTS);
    KOZO_CHECK_OK(kozo_cap_delete(kozo_own(middle)));
    for (unsigned i = 0; i < 3; i++)
        KOZO_CHECK_EQ(kind_at(leaf[i]), KOZO_KIND_ENDPOINT);
    KOZO_CHECK_OK(kozo_cap_revoke(kozo_own(ep.c)));
    for (unsigned i = 0; i < 3; i++)
        KOZO_CHECK_EQ(kind_at(leaf[i]), KOZO_KIND_NULL);
}

KOZO_TEST(revoke_reaches_a_thousand_generations_down)
{
    struct kozo_endpoint ep = kozo_test_endpoint();
    struct kozo_cnode c = kozo_test_cnode(BITS);

    KOZO_REQUIRE_OK(copy(kozo_in(c, 1), kozo_own(ep.c)));
    for (uint64_t i = 1; i < MANY; i++)
        KOZO_REQUIRE_OK(copy(kozo_in(c, i + 1), kozo_in(c, i)));
    KOZO_CHECK_OK(kozo_cap_revoke(kozo_in(c, MANY / 2)));
    KOZO_CHECK_EQ(kind_in(c, MANY / 2), KOZO_KIND_ENDPOINT);
    for (uint64_t i = MANY / 2 + 1; i <= MANY; i++)
        KOZO_CHECK_EQ(kind_in(c, i), KOZO_KIND_NULL);
    KOZO_CHECK_OK(kozo_cap_revoke(kozo_own(ep.c)));
    for (uint64_t i = 1; i <= MANY; i++)
        KOZO_CHECK_EQ(kind_in(c, i), KOZO_KIND_NULL);
}

KOZO_TEST(revoke_takes_back_from_a_thousand_hands)
{
    struct kozo_endpoint ep = kozo_test_endpoint();
    struct kozo_cnode c = kozo_test_cnode(BITS);
    uint64_t before = kozo_test_stat(KOZO_STAT_CAPS);

    for (uint64_t i = 1; i <= MANY; i++)
        KOZO_REQUIRE_OK(copy(kozo_in(c, i), kozo_own(ep.c)));
    KOZO_CHECK_EQ(kozo_test_stat(KOZO_STAT_CAPS), before + MANY);
    KOZO_CHECK_OK(kozo_cap_revoke(kozo_own(ep.c)));
    KOZO_CHECK_EQ(kozo_test_stat(KOZO_STAT_CAPS), before);
    KOZO_CHECK_EQ(kozo_test_stat(KOZO_STAT_PENDING), 0);
}

/* Deleting from the middle of a chain, in any order, leaves the rest in one piece. */
KOZO_TEST(chain_holds_when_inner_links_go)
{
    struct kozo_endpoint ep = kozo_test_endpoint();
    struct kozo_cnode c = kozo_test_cnode(BITS);
    constexpr uint64_t length = 64;

    KOZO_REQUIRE_OK(copy(kozo_in(c, 1), kozo_own(ep.c)));
    for (uint64_t i = 1; i < length; i++)
        KOZO_REQUIRE_OK(copy(kozo_in(c, i + 1), kozo_in(c, i)));
    for (uint64_t i = 0; i < length; i++)
        if (i * 37 % length % 3 != 0)
            KOZO_CHECK_OK(kozo_cap_delete(kozo_in(c, i * 37 % length + 1)));
    for (uint64_t i = 0; i < length; i++)
        KOZO_CHECK_EQ(kind_in(c, i + 1), i % 3 == 0 ? KOZO_KIND_ENDPOINT : KOZO_KIND_NULL);
    KOZO_CHECK_OK(kozo_cap_revoke(kozo_in(c, 31)));
    for (uint64_t i = 0; i < length; i++)
        KOZO_CHECK_EQ(kind_in(c, i + 1),
                      i % 3 == 0 && i <= 30 ? KOZO_KIND_ENDPOINT : KOZO_KIND_NULL);
}

KOZO_TEST(moved_capability_cannot_escape_its_giver)
{
    struct kozo_endpoint ep = kozo_test_endpoint();
    struct kozo_cnode far = kozo_test_cnode(2), farther = kozo_test_cnode(2);
    kozo_cptr given = kozo_test_copy(ep.c, KOZO_SAME_RIGHTS);

    KOZO_CHECK_OK(kozo_cap_move(kozo_in(far, 1), kozo_own(given)));
    KOZO_CHECK_OK(kozo_cap_move(kozo_in(farther, 2), kozo_in(far, 1)));
    KOZO_CHECK_OK(copy(kozo_in(far, 3), kozo_in(farther, 2)));
    KOZO_CHECK_OK(kozo_cap_revoke(kozo_own(ep.c)));
    KOZO_CHECK_EQ(kind_in(farther, 2), KOZO_KIND_NULL);
    KOZO_CHECK_EQ(kind_in(far, 3), KOZO_KIND_NULL);
}

KOZO_TEST(cnode_that_goes_takes_what_is_in_it)
{
    struct kozo_endpoint ep = kozo_test_endpoint();
    struct kozo_cnode outer = kozo_test_cnode(3), inner = kozo_test_cnode(3);
    struct doing d = { .nr = KOZO_SYS_RECV };
    kozo_cptr only = kozo_test_endpoint().c;

    /* inner holds the only capability to an endpoint, and outer the only one to inner. */
    d.x.cap = kozo_test_copy(only, KOZO_SAME_RIGHTS);
    (void)doing(&d, URGENT);
    KOZO_CHECK_OK(kozo_cap_move(kozo_in(inner, 1), kozo_own(only)));
    KOZO_CHECK_OK(kozo_cap_delete(kozo_own(d.x.cap)));
    KOZO_CHECK_OK(copy(kozo_in(inner, 2), kozo_own(ep.c)));
    KOZO_CHECK_OK(kozo_cap_move(kozo_in(outer, 7), kozo_own(inner.c)));
    KOZO_CHECK(!d.done);
    KOZO_CHECK_OK(kozo_cap_delete(kozo_own(outer.c)));
    KOZO_CHECK_EQ(kozo_test_stat(KOZO_STAT_PENDING), 0);
    KOZO_CHECK(d.done);
    KOZO_CHECK_ERR(d.err, KOZO_ERR_GONE);
    KOZO_CHECK_EQ(kind_at(ep.c), KOZO_KIND_ENDPOINT);
}

/* Deep enough that a kernel that recursed would run out of stack. */
KOZO_TEST(cnodes_a_thousand_deep_go_one_by_one)
{
    struct kozo_cnode last = kozo_test_cnode(1), next = { kozo_test_slot() };
    uint64_t before = kozo_test_stat(KOZO_STAT_CAPS);

    for (uint64_t i = 0; i < MANY; i++) {
        KOZO_REQUIRE_OK(kozo_retype(kozo_test_memory(), KOZO_KIND_CNODE, 1, kozo_own(next.c), 1));
        KOZO_REQUIRE_OK(kozo_cap_move(kozo_in(next, 1), kozo_own(last.c)));
        KOZO_REQUIRE_OK(kozo_cap_move(kozo_own(last.c), kozo_own(next.c)));
    }
    KOZO_CHECK_EQ(kozo_test_stat(KOZO_STAT_CAPS), before + MANY);
    KOZO_CHECK_OK(kozo_cap_delete(kozo_own(last.c)));
    KOZO_CHECK_EQ(kozo_test_stat(KOZO_STAT_CAPS), before - 1);
}

/* Nobody reaches it any more, but whoever owns its memory. */
KOZO_TEST(cnode_that_holds_itself_ends_with_its_memory)
{
    struct kozo_untyped u = kozo_test_untyped(16);
    struct kozo_cnode c = { kozo_test_slot() };
    uint64_t before = kozo_test_stat(KOZO_STAT_CAPS);

    KOZO_REQUIRE_OK(kozo_retype(u, KOZO_KIND_CNODE, 4, kozo_own(c.c), 1));
    KOZO_REQUIRE_OK(copy(kozo_in(c, 1), kozo_own(c.c)));
    KOZO_REQUIRE_OK(copy(kozo_in(c, 2), kozo_own(KOZO_INIT_DEBUG)));
    KOZO_REQUIRE_OK(kozo_cap_move(kozo_in(c, 3), kozo_own(c.c)));
    KOZO_CHECK_EQ(kozo_test_stat(KOZO_STAT_CAPS), before + 3);
    KOZO_CHECK_OK(kozo_cap_revoke(kozo_own(u.c)));
    KOZO_CHECK_EQ(kozo_test_stat(KOZO_STAT_CAPS), before);
    KOZO_CHECK_EQ(kozo_untyped_info(u).free, 1 << 16);
}

KOZO_TEST(two_cnodes_that_hold_each_other_end_with_their_memory)
{
    struct kozo_untyped u = kozo_test_untyped(16);
    struct kozo_cnode a = { kozo_test_slot() }, b = { kozo_test_slot() };

    KOZO_REQUIRE_OK(kozo_retype(u, KOZO_KIND_CNODE, 4, kozo_own(a.c), 1));
    KOZO_REQUIRE_OK(kozo_retype(u, KOZO_KIND_CNODE, 4, kozo_own(b.c), 1));
    KOZO_REQUIRE_OK(copy(kozo_in(a, 1), kozo_own(b.c)));
    KOZO_REQUIRE_OK(kozo_cap_move(kozo_in(b, 1), kozo_own(a.c)));
    KOZO_REQUIRE_OK(kozo_cap_delete(kozo_own(b.c)));
    KOZO_CHECK_OK(kozo_cap_revoke(kozo_own(u.c)));
    KOZO_CHECK_EQ(kozo_untyped_info(u).free, 1 << 16);
    KOZO_CHECK_EQ(kozo_test_stat(KOZO_STAT_PENDING), 0);
}

/* Everything of a thread is in one Untyped and one pool: it revokes the ground under its feet. */
static void saw_off_own_branch(void *arg)
{
    bool *returned = arg;

    (void)kozo_cap_revoke(kozo_own(2));
    *returned = true;
}

KOZO_TEST(caller_that_is_its_own_victim_does_not_return)
{
    struct kozo_cnode c = kozo_test_cnode(2);
    struct kozo_pool pool = { kozo_test_slot() };
    struct kozo_worker w;
    bool returned = false;

    KOZO_REQUIRE_OK(kozo_pool_split(kozo_test_pool(), kozo_own(pool.c), 1));
    w = kozo_test_thread_with(
        &(struct kozo_worker_options){ .pool = pool, .priority = URGENT, .stopped = true }, nullptr,
        nullptr);
    KOZO_REQUIRE_OK(kozo_cap_move(kozo_in(c, 2), kozo_own(pool.c)));
    KOZO_REQUIRE_OK(kozo_thread_bind(w.thread, c, (struct kozo_space){ 0 },
                                     (struct kozo_frame){ 0 }, 0, (struct kozo_endpoint){ 0 }));
    KOZO_CHECK_OK(kozo_worker_run(&w, saw_off_own_branch, &returned));
    KOZO_CHECK(!returned);
    KOZO_CHECK_EQ(kind_at(w.thread.c), KOZO_KIND_NULL);
    KOZO_CHECK_EQ(kind_in(c, 2), KOZO_KIND_THREAD_POOL);
    KOZO_CHECK_OK(kozo_cap_move(kozo_own(pool.c), kozo_in(c, 2)));
    KOZO_CHECK_EQ(kozo_pool_info(pool).value, 1);
}

/* A thread goes on with what it was bound to, until that is taken back. */
KOZO_TEST(revoked_space_stops_the_thread_in_it)
{
    struct kozo_space given = { kozo_test_copy(KOZO_INIT_SPACE, KOZO_SAME_RIGHTS) };
    struct doing d = { .nr = KOZO_SYS_RECV, .x = { .cap = kozo_test_endpoint().c } };
    struct kozo_worker w = doing_later(URGENT);

    KOZO_REQUIRE_OK(kozo_thread_bind(w.thread, (struct kozo_cnode){ 0 }, given,
                                     (struct kozo_frame){ 0 }, 0, (struct kozo_endpoint){ 0 }));
    KOZO_REQUIRE_OK(kozo_worker_run(&w, do_it, &d));
    KOZO_CHECK_EQ(state_of(&w), KOZO_THREAD_RECEIVING);
    KOZO_CHECK_OK(kozo_cap_revoke(kozo_own(given.c)));
    KOZO_CHECK_EQ(state_of(&w), KOZO_THREAD_STOPPED);
    KOZO_CHECK_ERR(kozo_thread_resume(w.thread), KOZO_ERR_STATE);
    KOZO_CHECK(!d.done);
    KOZO_REQUIRE_OK(kozo_thread_bind(w.thread, (struct kozo_cnode){ 0 }, kozo_own_space(),
                                     (struct kozo_frame){ 0 }, 0, (struct kozo_endpoint){ 0 }));
    KOZO_CHECK_OK(kozo_thread_resume(w.thread));
    KOZO_CHECK_ERR(d.err, KOZO_ERR_CANCELLED);
}

/* Looks again and again whether the kernel is about a revoke. */
static void look_in_between(void *arg)
{
    struct kozo_debug debug = { KOZO_INIT_DEBUG };
    uint64_t *pending = arg;

    while (*pending == 0 && kozo_sleep(KOZO_MS / 2) == KOZO_OK)
        *pending = kozo_debug_stat(debug, KOZO_STAT_PENDING).value;
}

KOZO_TEST(long_revoke_is_preempted)
{
    constexpr uint64_t total = (1 << 17) - 1; /* takes many milliseconds */
    struct kozo_endpoint ep = kozo_test_endpoint();
    struct kozo_cnode c = kozo_test_cnode(17);
    uint64_t pending = 0;

    for (uint64_t i = 1; i <= total; i++)
        KOZO_REQUIRE_OK(copy(kozo_in(c, i), kozo_own(ep.c)));
    (void)kozo_test_thread(look_in_between, &pending, URGENT);
    KOZO_CHECK_OK(kozo_cap_revoke(kozo_own(ep.c)));
    KOZO_CHECK_EQ(pending, 1);
    KOZO_CHECK_EQ(kozo_test_stat(KOZO_STAT_PENDING), 0);
    KOZO_CHECK_EQ(kind_in(c, 1), KOZO_KIND_NULL);
    KOZO_CHECK_EQ(kind_in(c, total), KOZO_KIND_NULL);
}

static void revoke_it(void *arg)
{
    (void)kozo_cap_revoke(kozo_own((kozo_cptr)arg));
}

/*
 * Each call that fills slots does as many steps of what is pending first: the number of
 * capabilities does not grow.
 */
KOZO_TEST(who_derives_during_a_revoke_pays_for_it)
{
    constexpr uint64_t total = (1 << 17) - 1;
    struct kozo_endpoint ep = kozo_test_endpoint(), other = kozo_test_endpoint();
    struct kozo_cnode c = kozo_test_cnode(17), mine = kozo_test_cnode(8);
    uint64_t before;

    for (uint64_t i = 1; i <= total; i++)
        KOZO_REQUIRE_OK(copy(kozo_in(c, i), kozo_own(ep.c)));
    (void)kozo_test_thread(revoke_it, (void *)ep.c, LATER);
    AWAIT(kozo_test_stat(KOZO_STAT_PENDING) == 1);
    before = kozo_test_stat(KOZO_STAT_CAPS); /* we are more urgent: it stands still */
    for (uint64_t i = 1; i <= 100; i++)
        KOZO_REQUIRE_OK(copy(kozo_in(mine, i), kozo_own(other.c)));
    KOZO_CHECK_EQ(kozo_test_stat(KOZO_STAT_CAPS), before);
    KOZO_REQUIRE_OK(kozo_retype(kozo_test_memory(), KOZO_KIND_ENDPOINT, 0, kozo_in(mine, 101), 50));
    KOZO_CHECK_EQ(kozo_test_stat(KOZO_STAT_CAPS), before);
    KOZO_CHECK_OK(kozo_cap_delete(kozo_in(mine, 1))); /* and this one does all that is left */
    KOZO_CHECK_EQ(kozo_test_stat(KOZO_STAT_PENDING), 0);
    KOZO_CHECK_EQ(kind_in(c, total), KOZO_KIND_NULL);
}

/* Whoever derives while a revoke is under way: the revoke ends all the same. */
static void derive_on(void *arg)
{
    struct kozo_place *p = arg; /* a source under the axe, and where to copy it to and fro */

    while (copy(p[1], p[0]) == KOZO_OK && kozo_cap_delete(p[0]) == KOZO_OK &&
           copy(p[0], p[1]) == KOZO_OK && kozo_cap_delete(p[1]) == KOZO_OK)
        continue;
}

KOZO_TEST(nobody_outruns_a_revoke_by_deriving)
{
    struct kozo_endpoint ep = kozo_test_endpoint();
    struct kozo_cnode c = kozo_test_cnode(BITS);
    struct kozo_place p[2] = { kozo_own(kozo_test_copy(ep.c, KOZO_SAME_RIGHTS)),
                               kozo_own(kozo_test_slot()) };
    struct kozo_worker w;

    for (uint64_t i = 1; i <= MANY; i++)
        KOZO_REQUIRE_OK(copy(kozo_in(c, i), kozo_own(p[0].slot)));
    w = kozo_test_thread(derive_on, p, FIRST);
    kozo_yield();
    KOZO_CHECK_OK(kozo_cap_revoke(kozo_own(ep.c)));
    KOZO_CHECK_EQ(kind_at(p[0].slot), KOZO_KIND_NULL);
    KOZO_CHECK_EQ(kind_at(p[1].slot), KOZO_KIND_NULL);
    AWAIT(state_of(&w) == KOZO_THREAD_FAULTED); /* it found nothing to copy, and ended */
}
