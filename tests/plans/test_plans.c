/* SPDX-License-Identifier: MIT */
/*
 * test_plans.c - whatever goes wrong, at whatever point: the four invariants, and that all is well
 * again after it.
 */
#include "world.h"

#include "fsd/handle.h"

#include "cap/object.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define S 1'000'000'000ull
#define SEEDS 150u

static const struct fault_plan nothing;
static struct {
    uint64_t events, messages, checks;
} usual;

/* Runs the system under the plan, to its end; then every lease is over. */
static void run_plan(const struct fault_plan *plan)
{
    world_begin(plan);
    if (!run_until_true(world_done, 5 * S))
        FAIL("%s: the clients do not come to an end", plan_text(plan));
    run_for(S);
    world_check(true);
    for (uint32_t i = 0; i < LEASES; i++)
        CHECK_EQ(world.leases.lease[i].serial, 0);
}

static bool ended_well(uint32_t k) { return world.service[k].life[world.service[k].lives].well; }

/* One fault is no reason to fail: everybody gets what it is there for in the end. */
static void check_recovered(const struct fault_plan *plan)
{
    bool crash = plan->fault[0].kind == FAULT_CRASH;

    if (world.client[READER].reads == 0 || !ended_well(READER))
        FAIL("%s: the reader did not read", plan_text(plan));
    if (!ended_well(ASKER) && !(crash && plan->fault[0].who == ASKER))
        FAIL("%s: the asker did not end well", plan_text(plan));
    if (world.client[WRITER].reads < VERSIONS || !ended_well(WRITER))
        FAIL("%s: the writer did not write", plan_text(plan));
    CHECK(world.service[FSD].running && world.service[POLICY].running);
}

static void measure(void)
{
    run_plan(&nothing);
    usual = (typeof(usual)){ actors.events, actors.messages, machine.irq_checks };
}

/* How often a run without a fault gives this kind an occasion. */
static uint64_t occasions(enum fault_kind kind)
{
    measure();
    return kind == FAULT_PREEMPT ? usual.checks
           : kind <= FAULT_CRASH ? usual.events
                                 : usual.messages;
}

/* At each of them. */
static void sweep(enum fault_kind kind, uint32_t who)
{
    uint64_t n = occasions(kind), struck = 0;

    for (uint64_t i = 1; i <= n; i++) {
        struct fault_plan plan = { .fault[0] = { kind, i, who } };
        run_plan(&plan);
        check_recovered(&plan);
        struck += actors.done[0] || (kind == FAULT_PREEMPT && host.rewinds > 0);
        unit_alive();
    }
    CHECK(struck > n / 3); /* what should have gone wrong did */
}

TEST(without_a_fault_everything_works_once)
{
    measure();
    for (uint32_t k = 0; k < SERVICES; k++)
        CHECK_EQ(world.service[k].lives, 1);
    CHECK_EQ(world.client[READER].reads, 1);
    CHECK_EQ(world.client[READER].reused, 2); /* after the lease: refused, as is the copy */
    CHECK_EQ(world.client[ASKER].denials, 1);
    CHECK_EQ(world.client[ASKER].reads, 1);
    CHECK_EQ(world.client[ASKER].reused, 2);
    CHECK_EQ(world.client[WRITER].reads, VERSIONS);
    CHECK_EQ(world.client[READER].tries + world.client[ASKER].tries + world.client[WRITER].tries,
             0);
}

TEST(the_same_plan_gives_the_same_run)
{
    struct fault_plan plan = { .fault = { { FAULT_CRASH, 25, POLICY }, { FAULT_DELAY, 3, 0 } } };
    run_plan(&plan);
    uint64_t events = actors.events, turns = actors.turns, handled = host.events, now = machine.now;
    run_plan(&plan);
    CHECK_EQ(actors.events, events);
    CHECK_EQ(actors.turns, turns);
    CHECK_EQ(host.events, handled);
    CHECK_EQ(machine.now, now);
}

/* An answer that is lost takes its lease along, and the deadline of the next lease stays. */
TEST(an_answer_lost_and_a_deadline_now)
{
    struct fault_plan plan = { .fault = { { FAULT_MUTE, 7, 0 }, { FAULT_DEADLINE, 49, 0 } } };

    run_plan(&plan);
    check_recovered(&plan);
}

TEST(preemption_at_every_point) { sweep(FAULT_PREEMPT, 0); }
TEST(a_deadline_after_every_event) { sweep(FAULT_DEADLINE, 0); }
TEST(every_request_dropped) { sweep(FAULT_DROP, 0); }
TEST(every_request_delayed) { sweep(FAULT_DELAY, 0); }
TEST(every_request_answered_after_the_next) { sweep(FAULT_REORDER, 0); }
TEST(every_request_served_twice) { sweep(FAULT_DUPLICATE, 0); }
TEST(every_answer_lost) { sweep(FAULT_MUTE, 0); }

TEST(a_crash_of_fsd_after_every_event) { sweep(FAULT_CRASH, FSD); }
TEST(a_crash_of_policy_after_every_event) { sweep(FAULT_CRASH, POLICY); }
TEST(a_crash_of_a_client_after_every_event)
{
    for (uint32_t k = READER; k < SERVICES; k++)
        sweep(FAULT_CRASH, k);
}

/* Two or three faults of any kind. UNIT_PLANS=N tries N seeds in place of some. */
TEST(random_combinations)
{
    const char *more = getenv("UNIT_PLANS");
    uint64_t seeds = more != nullptr ? strtoull(more, nullptr, 10) : SEEDS, most_of[FAULT_KINDS];

    for (uint32_t kind = FAULT_PREEMPT; kind < FAULT_KINDS; kind++)
        most_of[kind] = occasions((enum fault_kind)kind);
    for (uint64_t seed = 1; seed <= seeds; seed++) {
        struct fault_plan plan = {};
        uint64_t faults, seed_now = seed * 0x9e3779b97f4a7c15ull | 1;

        host.seed = seed_now;
        faults = 2 + host_random(2);
        for (uint64_t i = 0; i < faults; i++) {
            enum fault_kind kind =
                (enum fault_kind)(FAULT_PREEMPT + host_random(FAULT_KINDS - FAULT_PREEMPT));
            uint64_t most = most_of[kind];
            plan.fault[i] = (struct planned){ kind, 1 + host_random(most + most / 2),
                                              (uint32_t)host_random(SERVICES) };
        }
        run_plan(&plan);
        unit_alive();
    }
}

/* What a message has no use for never leaves its sender: it may be an old pointer, of the host. */
TEST(descriptors_beyond_those_of_a_message_are_not_sent)
{
    world_begin(&nothing);
    for (uint32_t k = 0; k < SERVICES; k++)
        memset(world.service[k].a.m.cap, (uint8_t)HOST_POISON, sizeof world.service[k].a.m.cap);
    run_until_idle();
    CHECK(actors.messages > 0);
}

/* ---- the invariants can fail: services that make a mistake ---- */

/* The mistake shows under this fault; without it all is well. */
static void check_sabotage(enum sabotage what, struct planned fault, const char *text)
{
    struct fault_plan plan = { .fault[0] = fault };

    run_plan(&plan);
    plan.sabotage = what;
    CHECK_FAILS(text, run_plan(&plan));
}

TEST(a_service_whose_port_stays_after_it_is_found)
{
    check_sabotage(SABOTAGE_PORT_STAYS, (struct planned){ FAULT_CRASH, 40, FSD }, "after its end:");
    check_sabotage(SABOTAGE_PORT_STAYS, (struct planned){ FAULT_CRASH, 40, POLICY },
                   "after its end:");
}

TEST(a_lease_that_ends_and_leaves_copies_is_found)
{
    check_sabotage(SABOTAGE_DELETES, (struct planned){}, "after its lease:");
}

TEST(a_file_that_is_written_in_place_is_found)
{
    check_sabotage(SABOTAGE_IN_PLACE, (struct planned){ FAULT_DELAY, 16, 0 },
                   "half done: the file has");
}

TEST(a_new_life_that_nobody_hears_of_is_found)
{
    check_sabotage(SABOTAGE_OLD_NAMES, (struct planned){ FAULT_CRASH, 20, FSD },
                   "names: fsd is nobody for policy");
    check_sabotage(SABOTAGE_OLD_NAMES, (struct planned){ FAULT_CRASH, 20, POLICY },
                   "names: policy is nobody for");
}

TEST(a_restart_without_its_pause_is_found)
{
    check_sabotage(SABOTAGE_NO_PAUSE, (struct planned){ FAULT_CRASH, 20, FSD },
                   "restarts: life 2 of fsd began too early");
}

/* ---- the invariants can fail: what they look at, broken by hand ---- */

static bool asker_reads(void)
{
    return world.client[ASKER].offset > 0 && world.service[READER].running;
}

TEST(a_capability_that_outlives_its_giver_is_found)
{
    run_plan(&nothing);
    slot_mint(host_slot(SLOT_KEPT), host_slot(part_of(FSD, PART_PORT)), KOZO_WRITE, 0xff,
              identity_badge(FSD, 7));
    CHECK_FAILS("after its end: life 7 of service 0", world_check(false));
}

TEST(a_file_that_outlives_its_origin_is_found)
{
    run_plan(&nothing);
    slot_mint(host_slot(SLOT_KEPT), host_slot(part_of(FSD, PART_PORT)), KOZO_WRITE, 0xff,
              HANDLE_BIT | 7ull << HANDLE_ORIGIN_SHIFT);
    CHECK_FAILS("after its end: there is a file of origin 7", world_check(false));
}

TEST(a_capability_that_outlives_its_lease_is_found)
{
    struct fault_plan plan = { .fault[0] = { FAULT_DELAY, 0, 0 } };

    measure();
    do {
        CHECK(++plan.fault[0].n <= usual.messages);
        world_begin(&plan);
    } while (!run_until_true(asker_reads, PLAN_DELAY / 2));
    world_check(true);
    slot_delete(host_slot_of(world.service[READER].a.t, IN_LEASED));
    slot_derive(host_slot_of(world.service[READER].a.t, IN_LEASED),
                host_slot(part_of(FSD, PART_PORT)), KOZO_WRITE, 1);
    CHECK_FAILS("after its lease: service 2", world_check(true));
}

TEST(a_lease_that_is_half_made_is_found)
{
    run_plan(&nothing);
    uint32_t i = lease_take(&world.leases, ++world.serials, 1, kozo_str("fs:/etc/motd"), KOZO_READ);
    CHECK_FAILS("half done: lease 0 was over at 0", world_check(true));
    lease_free(&world.leases, i);
    slot_derive((struct slot *)host_slot(AT_LEASES)->cap.object + lease_slot(i),
                host_slot(SLOT_NTFN), KOZO_READ, 0);
    CHECK_FAILS("half done: slot 0 has a capability", world_check(true));
}

TEST(a_file_that_is_of_two_versions_is_found)
{
    run_plan(&nothing);
    files_spoil();
    CHECK_FAILS("half done: byte 500 of the file is of version 63, the first of 3",
                world_check(true));
}

TEST(a_version_that_is_lost_is_found)
{
    run_plan(&nothing);
    world.client[WRITER].reads++;
    CHECK_FAILS("half done: the file is version 3, after 4", world_check(true));
}

TEST(a_name_that_stands_for_nobody_is_found)
{
    run_plan(&nothing);
    slot_delete(host_slot_of(world.service[POLICY].a.t, IN_FS));
    CHECK_FAILS("names: fsd is nobody", world_check(true));
}

TEST(a_restart_that_comes_early_is_found)
{
    struct fault_plan plan = { .fault[0] = { FAULT_CRASH, 20, FSD } };

    run_plan(&plan);
    CHECK_EQ(world.service[FSD].lives, 2);
    CHECK_EQ(world.service[FSD].life[2].began - world.service[FSD].life[1].ended,
             world.service[FSD].policy.backoff);
    world.service[FSD].life[2].began--;
    CHECK_FAILS("restarts: life 2 of fsd began too early", world_check(true));
}

TEST(a_name_that_stands_for_another_is_found)
{
    run_plan(&nothing);
    struct slot *fs = host_slot_of(world.service[POLICY].a.t, IN_FS);
    slot_delete(fs);
    slot_derive(fs, host_slot(part_of(POLICY, PART_PORT)), KOZO_WRITE, 0xff);
    CHECK_FAILS("names: fsd is another for policy", world_check(true));
}

TEST(restarts_against_the_policy_are_found)
{
    struct service *reader = &world.service[READER], *asker = &world.service[ASKER];

    run_plan(&nothing);
    reader->life[reader->lives = 2] = (struct life){ .began = 1000 * S, .over = true };
    CHECK_FAILS("restarts: reader had ended well", world_check(true));
    reader->policy.limit = 0;
    CHECK_FAILS("restarts: reader has had 2 lives", world_check(true));
    run_plan(&nothing);
    asker->policy = reader->policy;
    asker->life[1].well = false;
    CHECK_FAILS("restarts: asker is never started again", world_check(true));
    run_plan(&nothing);
    asker->life[1].over = false;
    CHECK_FAILS("restarts: asker runs, and has ended; or neither", world_check(true));
}
