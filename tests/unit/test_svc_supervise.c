/* SPDX-License-Identifier: MIT */
/* Which services are started again, when, and how often. */
#include "unit.h"

#include "init/supervise.h"

#include <string.h>

#define MS 1000000ull
#define S 1000000000ull

static const struct supervise_policy never = { RESTART_NEVER, 3, 100 * MS },
                                     always = { RESTART_ALWAYS, 3, 100 * MS },
                                     on_failure = { RESTART_ON_FAILURE, 3, 100 * MS };
static struct supervise s;

/* A life from `at` on that ends after `lasts`. */
static enum supervise_why life(const struct supervise_policy *p, uint64_t at, uint64_t lasts,
                               bool well)
{
    supervise_started(&s, at);
    CHECK_EQ(s.again, SUPERVISE_NEVER);
    return supervise_ended(&s, p, well, at + lasts);
}

TEST(never_means_never)
{
    s = supervise_begin();
    CHECK(!supervise_due(&s, UINT64_MAX));
    CHECK_EQ(life(&never, 0, S, false), SUPERVISE_POLICY);
    CHECK_EQ(life(&never, 0, S, true), SUPERVISE_POLICY);
    CHECK(!supervise_due(&s, UINT64_MAX));
    CHECK_EQ(s.restarts, 0);
}

TEST(on_failure_leaves_a_good_end_alone)
{
    s = supervise_begin();
    CHECK_EQ(life(&on_failure, 0, S, true), SUPERVISE_POLICY);
    CHECK_EQ(life(&on_failure, 2 * S, S, false), SUPERVISE_RESTART);
    CHECK_EQ(s.restarts, 1);
}

TEST(always_counts_good_ends_too)
{
    s = supervise_begin();
    for (uint64_t i = 0; i < 3; i++)
        CHECK_EQ(life(&always, i * S, MS, true), SUPERVISE_RESTART);
    CHECK_EQ(life(&always, 3 * S, MS, true), SUPERVISE_LIMIT);
}

TEST(the_wait_doubles_in_a_row)
{
    s = supervise_begin();
    CHECK_EQ(life(&on_failure, 0, MS, false), SUPERVISE_RESTART);
    CHECK_EQ(s.again, 101 * MS);
    CHECK(!supervise_due(&s, 101 * MS - 1));
    CHECK(supervise_due(&s, 101 * MS));
    CHECK_EQ(life(&on_failure, S, 0, false), SUPERVISE_RESTART);
    CHECK_EQ(s.again, S + 200 * MS);
    CHECK_EQ(life(&on_failure, 2 * S, 0, false), SUPERVISE_RESTART);
    CHECK_EQ(s.again, 2 * S + 400 * MS);
    CHECK_EQ(life(&on_failure, 3 * S, 0, false), SUPERVISE_LIMIT);
    CHECK_EQ(s.again, SUPERVISE_NEVER);
    CHECK_EQ(s.restarts, 3);
}

TEST(ten_good_seconds_end_a_row)
{
    s = supervise_begin();
    for (int i = 0; i < 100; i++) {
        CHECK_EQ(life(&on_failure, (uint64_t)i * 20 * S, SUPERVISE_GOOD, false), SUPERVISE_RESTART);
        CHECK_EQ(s.row, 1);
    }
    for (int i = 0; i < 2; i++)
        CHECK_EQ(life(&on_failure, 3000 * S, SUPERVISE_GOOD - 1, false), SUPERVISE_RESTART);
    CHECK_EQ(life(&on_failure, 4000 * S, SUPERVISE_GOOD - 1, false), SUPERVISE_LIMIT);
    CHECK_EQ(s.restarts, 102);
}

TEST(the_wait_has_an_upper_bound_and_may_be_none)
{
    struct supervise_policy p = { RESTART_ALWAYS, 1000000, 60000 * MS };

    s = supervise_begin();
    for (uint64_t i = 0; i < 100; i++) {
        CHECK_EQ(life(&p, i, 0, false), SUPERVISE_RESTART);
        CHECK_EQ(s.again, i + SUPERVISE_BACKOFF_MAX);
    }
    p.backoff = 1;
    s = supervise_begin();
    for (uint64_t i = 0; i < 100; i++)
        CHECK_EQ(life(&p, i, 0, false), SUPERVISE_RESTART);
    CHECK_EQ(s.again, 99 + SUPERVISE_BACKOFF_MAX);
    p.backoff = 0;
    for (uint64_t i = 0; i < 1000000 - 100; i++)
        CHECK_EQ(life(&p, i, 0, false), SUPERVISE_RESTART);
    CHECK(supervise_due(&s, s.started));
    CHECK_EQ(life(&p, 0, 0, false), SUPERVISE_LIMIT);
}

TEST(a_start_that_failed_is_not_tried_again_at_once)
{
    static const struct manifest_service none = { .restart = RESTART_ALWAYS, .restart_limit = 3 },
                                         long_ = { .restart = RESTART_ALWAYS,
                                                   .restart_limit = 3,
                                                   .restart_backoff_ms = 5000 };
    struct supervise_policy p = supervise_policy_of_start(&none);

    s = supervise_begin();
    CHECK_EQ(life(&p, 7 * S, 0, false), SUPERVISE_RESTART);
    CHECK_EQ(s.again, 8 * S);
    CHECK_EQ(life(&p, 8 * S, 0, false), SUPERVISE_RESTART);
    CHECK_EQ(s.again, 10 * S);
    CHECK_EQ(supervise_policy(&none).backoff, 0);
    CHECK_EQ(supervise_policy_of_start(&long_).backoff, 5 * S);
}

TEST(who_asks_for_a_restart_begins_a_new_row)
{
    s = supervise_begin();
    for (uint64_t i = 0; i < 3; i++)
        CHECK_EQ(life(&on_failure, i, 0, false), SUPERVISE_RESTART);
    supervise_asked(&s);
    CHECK_EQ(life(&on_failure, 5, 0, false), SUPERVISE_RESTART);
    CHECK_EQ(s.again, 5 + 100 * MS);
    CHECK_EQ(s.restarts, 5);
    supervise_give_up(&s);
    CHECK(!supervise_due(&s, UINT64_MAX));
}

static const char *said(const struct supervise_policy *p, enum supervise_why why, uint64_t now)
{
    static char text[128];
    struct line l = line_begin(text, sizeof text);

    supervise_describe(&l, &s, p, why, now);
    return text;
}

TEST(what_is_done_is_said)
{
    s = supervise_begin();
    CHECK_STR(said(&on_failure, life(&on_failure, 0, 5, false), 5), "restart 1 of 3 in 100 ms");
    CHECK_STR(said(&on_failure, life(&on_failure, 0, 5, true), 5),
              "not restarted: restart = on-failure");
    s.row = 3;
    CHECK_STR(said(&on_failure, life(&on_failure, 0, 5, false), 5),
              "not restarted: 3 restarts without 10 s of good running, restart_limit = 3");
}
