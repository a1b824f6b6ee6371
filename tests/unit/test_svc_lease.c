/* SPDX-License-Identifier: MIT */
/* What was granted, to whom, until when; and what is remembered of it. */
#include "unit.h"

#include "common/identity.h"
#include "common/rights.h"
#include "policy/lease.h"
#include "policy/silence.h"

#include <stdio.h>
#include <string.h>

#define HASH "0000000000000000000000000000000000000000000000000000000000000000"
#define SERVICE(name) "[service " name "]\nbinary = b\nsha256 = " HASH "\nmemory = 64K\n"
#define MS 1000000ull
#define WHO(index, life) identity_badge((index), (life))

static struct lease_table *table(void)
{
    static struct lease_store l;

    memset(&l, 0, sizeof l);
    CHECK(!lease_store_open(&l));
    return &l.leases;
}

static uint32_t take(struct lease_table *t, uint64_t serial, uint64_t badge)
{
    return lease_take(t, serial, badge, kozo_str("fs:/a"), RIGHT_READ);
}

TEST(leases_end_in_time)
{
    struct lease_table *t = table();
    uint32_t a = take(t, 1, WHO(0, 1));
    uint32_t b = take(t, 2, WHO(1, 1));

    CHECK_EQ(lease_over(t, 0), a);
    lease_hold(t, a);
    lease_hold(t, b);
    CHECK_EQ(lease_over(t, UINT64_MAX - 1), LEASE_NONE);
    lease_begin(t, a, 300, 0);
    lease_begin(t, b, 100, 100 * MS);

    CHECK_EQ(lease_next(t), 200 * MS);
    CHECK_EQ(lease_over(t, 200 * MS - 1), LEASE_NONE);
    CHECK_EQ(lease_over(t, 200 * MS), b);
    lease_free(t, b);
    CHECK_EQ(lease_next(t), 300 * MS);
    CHECK_EQ(lease_over(t, 1000 * MS), a);
    lease_free(t, a);
    CHECK_EQ(lease_next(t), UINT64_MAX);
    CHECK_EQ(lease_over(t, UINT64_MAX), LEASE_NONE);
}

TEST(a_lease_is_found_by_its_serial_and_in_order)
{
    struct lease_table *t = table();
    uint32_t a = take(t, 7, WHO(0, 1)), b = take(t, 3, WHO(0, 1));

    CHECK_STR(t->lease[a].object, "fs:/a");
    CHECK_EQ(lease_find(t, 7), a);
    CHECK_EQ(lease_find(t, 0), LEASE_NONE);
    CHECK_EQ(lease_from(t, 0), b);
    CHECK_EQ(lease_from(t, 4), a);
    CHECK_EQ(lease_from(t, 8), LEASE_NONE);
    lease_free(t, a);
    CHECK_EQ(lease_find(t, 7), LEASE_NONE);
}

TEST(one_requester_cannot_take_all_leases_in_however_many_lives)
{
    struct lease_table *t = table();
    unsigned n = 0;

    while (take(t, 1 + n, WHO(0, n + 1)) != LEASE_NONE)
        n++;
    CHECK_EQ(n, LEASES_EACH);
    CHECK_EQ(lease_count(t, 0), LEASES_EACH);
    CHECK(take(t, 100, WHO(1, 1)) != LEASE_NONE);
    CHECK(take(t, 101, WHO(0, 1) | IDENTITY_LENT) != LEASE_NONE);
    lease_free(t, lease_find(t, 101));
    for (uint32_t who = 2; who < 99; who++)
        n += take(t, 100 + who, WHO(who, 1)) != LEASE_NONE;
    CHECK_EQ(n, LEASES - 1);
    CHECK_EQ(take(t, 999, WHO(100, 1)), LEASE_NONE);
}

TEST(what_an_earlier_life_holds_is_found_by_its_successor)
{
    struct lease_table *t = table();
    uint32_t a = take(t, 1, WHO(4, 1));

    (void)take(t, 2, WHO(4, 2));
    (void)take(t, 3, WHO(5, 1));
    CHECK_EQ(lease_outlived(t, WHO(4, 1)), LEASE_NONE);
    CHECK_EQ(lease_outlived(t, WHO(4, 2)), a);
    CHECK_EQ(lease_outlived(t, WHO(5, 1)), LEASE_NONE);
    lease_free(t, a);
    CHECK_EQ(lease_outlived(t, WHO(4, 2)), LEASE_NONE);
}

TEST(the_rights_one_has_on_an_object_are_those_of_its_leases)
{
    struct lease_table *t = table();
    uint32_t a = take(t, 1, WHO(0, 1));

    (void)lease_take(t, 2, WHO(0, 1), kozo_str("fs:/a"), RIGHT_WRITE);
    (void)lease_take(t, 3, WHO(0, 1), kozo_str("fs:/ab"), RIGHT_LIST);
    (void)lease_take(t, 4, WHO(1, 1), kozo_str("fs:/a"), RIGHT_CREATE);
    (void)lease_take(t, 5, WHO(0, 2), kozo_str("fs:/a"), RIGHT_REMOVE);
    CHECK_EQ(lease_rights(t, WHO(0, 1), kozo_str("fs:/a")), RIGHT_READ | RIGHT_WRITE);
    lease_end(t, a);
    CHECK_EQ(lease_rights(t, WHO(0, 1), kozo_str("fs:/a")), RIGHT_WRITE);
    CHECK_EQ(lease_rights(t, WHO(2, 1), kozo_str("fs:/a")), 0);
}

TEST(a_lease_is_being_given_until_it_is_held)
{
    struct lease_table *t = table();
    uint32_t a = take(t, 1, WHO(0, 1));

    CHECK_EQ(lease_in_state(t, LEASE_GIVING), a);
    t->lease[a].state = LEASE_HELD;
    CHECK_EQ(lease_in_state(t, LEASE_GIVING), LEASE_NONE);
    CHECK_EQ(lease_in_state(t, LEASE_HELD), a);
}

TEST(what_has_ended_is_found_only_to_tell_its_provider)
{
    struct lease_table *t = table();
    uint32_t a = take(t, 1, WHO(0, 1)), b = take(t, 2, WHO(0, 1));
    uint32_t other = lease_take(t, 3, WHO(0, 1), kozo_str("fsd:/a"), RIGHT_READ);

    CHECK_EQ(lease_ended(t, 0), LEASE_NONE);
    lease_hold(t, b);
    lease_hold(t, other);
    lease_end(t, a);
    CHECK_EQ(lease_find(t, 1), LEASE_NONE);
    CHECK_EQ(lease_from(t, 0), b);
    CHECK_EQ(lease_count(t, 0), 3); /* or one provider that is silent could keep all */
    CHECK_EQ(lease_over(t, UINT64_MAX - 1), LEASE_NONE);
    CHECK_EQ(lease_next(t), UINT64_MAX);
    CHECK_EQ(lease_outlived(t, WHO(0, 2)), b);
    CHECK(take(t, 4, WHO(1, 1)) != a); /* its slots are in use until its provider knows */
    CHECK_EQ(lease_ended(t, 0), a);
    CHECK_EQ(lease_ended(t, a), a);
    CHECK_EQ(lease_ended(t, a + 1), LEASE_NONE);
    lease_end(t, other);
    CHECK_EQ(lease_ended(t, a + 1), other);
    lease_free(t, a);
    CHECK_EQ(lease_count(t, 0), 2);
    CHECK_EQ(lease_ended(t, 0), other);
    CHECK_EQ(take(t, 5, WHO(1, 1)), a);
}

TEST(what_is_to_be_told_counts_for_who_had_it)
{
    struct lease_table *t = table();

    for (uint32_t i = 0; i < LEASES_EACH; i++) {
        uint32_t k = take(t, 1 + i, WHO(0, 1));

        CHECK(k != LEASE_NONE);
        lease_end(t, k);
    }
    CHECK_EQ(take(t, 100, WHO(0, 1)), LEASE_NONE);
    CHECK(take(t, 101, WHO(1, 1)) != LEASE_NONE);
    lease_free(t, lease_ended(t, 0));
    CHECK(take(t, 102, WHO(0, 1)) != LEASE_NONE);
}

/* ---- providers that do not answer ---- */

#define FS kozo_str("fs:/etc/motd")

TEST(who_does_not_answer_is_left_alone_for_longer_and_longer)
{
    static const uint32_t waits[] = { 1000, 2000, 4000, 8000, 8000 };
    struct silences s = {};
    uint64_t now = 5 * MS;

    CHECK_EQ(silence_until(&s, FS, now), 0);
    for (unsigned i = 0; i < sizeof waits / sizeof waits[0]; i++) {
        CHECK_EQ(silence_note(&s, FS, now), waits[i]);
        CHECK_EQ(silence_until(&s, kozo_str("fs:/ram"), now), now + waits[i] * MS);
        CHECK_EQ(silence_until(&s, kozo_str("fs"), now + waits[i] * MS - 1), now + waits[i] * MS);
        CHECK_EQ(silence_until(&s, kozo_str("fsd:/etc/motd"), now), 0); /* another one */
        now += waits[i] * MS;
        CHECK_EQ(silence_until(&s, FS, now), 0);
    }
    silence_end(&s, kozo_str("f:/"));
    CHECK_EQ(silence_note(&s, FS, now), 8000);
    silence_end(&s, FS);
    CHECK_EQ(silence_until(&s, FS, now), 0);
    CHECK_EQ(silence_note(&s, FS, now), 1000); /* it has answered meanwhile */
}

TEST(more_that_do_not_answer_than_can_be_noted)
{
    struct silences s = {};
    char name[16];

    for (unsigned i = 0; i < SILENCES + 1; i++) {
        snprintf(name, sizeof name, "p%u:/", i);
        CHECK_EQ(silence_note(&s, kozo_str(name), i), 1000);
    }
    CHECK_EQ(silence_until(&s, kozo_str("p0:/"), SILENCES), 0); /* the oldest made room */
    for (unsigned i = 1; i < SILENCES + 1; i++) {
        snprintf(name, sizeof name, "p%u:/", i);
        CHECK_EQ(silence_until(&s, kozo_str(name), SILENCES), i + 1000 * MS);
    }
}

TEST(each_lease_has_two_slots_of_its_own_within_the_cnode)
{
    CHECK_EQ(lease_slot(0), 1);
    CHECK_EQ(lease_slot(LEASES - 1), LEASES);
    CHECK(lease_once_slot(0) > lease_slot(LEASES - 1));
    CHECK_EQ(lease_once_slot(LEASES - 1), (1u << LEASE_CNODE_BITS) - 1);
}

TEST(tables_that_exist_stay_as_they_are)
{
    static struct lease_store l;
    uint32_t a;

    memset(&l, 0, sizeof l);
    CHECK(!lease_store_open(&l));
    a = take(&l.leases, 1, WHO(0, 1));
    lease_begin(&l.leases, a, 300, 0);
    CHECK(record_add(&l.records, WHO(0, 1), false) != nullptr);
    CHECK(lease_store_open(&l));
    CHECK_EQ(lease_next(&l.leases), 300 * MS);
    CHECK_EQ(record_undrained(&l.records, 0), 1);
}

/* ---- records ---- */

static struct record_table *records(void)
{
    static struct record_table t;

    record_clear(&t);
    return &t;
}

TEST(records_have_numbers_that_are_never_used_twice)
{
    struct record_table *t = records();

    for (uint64_t seq = 1; seq <= 3 * RECORDS; seq++) {
        struct record *r = record_add(t, WHO(seq % 3, 1), false);

        CHECK(r != nullptr);
        CHECK_EQ(r->seq, seq);
        (void)record_drain(t, seq);
    }
    CHECK_EQ(record_from(t, 0)->seq, 2 * RECORDS + 1);
    CHECK_EQ(record_from(t, 2 * RECORDS + 9)->seq, 2 * RECORDS + 9);
    CHECK_PTR(record_from(t, 3 * RECORDS + 1), nullptr);
}

TEST(what_is_not_drained_is_not_overwritten)
{
    struct record_table *t = records();

    for (uint32_t i = 0; i < RECORDS; i++)
        CHECK(record_add(t, WHO(0, 1), false) != nullptr);
    CHECK_PTR(record_add(t, WHO(1, 1), false), nullptr);
    CHECK_EQ(record_drain(t, 2), 2);
    CHECK_EQ(record_drain(t, 2), 0);
    CHECK_EQ(record_undrained(t, 0), RECORDS - 2);
    CHECK_EQ(record_add(t, WHO(1, 1), false)->seq, RECORDS + 1);
    CHECK_EQ(record_from(t, 0)->seq, 2); /* drained, and still there */
    CHECK(record_from(t, 0)->drained);
    CHECK_EQ(record_undrained(t, identity_requester(WHO(1, 1))), 1);
    CHECK_EQ(record_undrained(t, identity_requester(WHO(1, 1) | IDENTITY_LENT)), 0);
}

TEST(all_shares_fit_into_the_ring)
{
    static struct manifest manifest;
    static char conf[8192];
    uint64_t used = 0;

    for (unsigned n = 1; n < MANIFEST_SERVICES; n++) {
        used = (uint64_t)snprintf(conf, sizeof conf, "%s", SERVICE("p") "provides = policy\n");
        for (unsigned i = 0; i < n; i++)
            used += (uint64_t)snprintf(conf + used, sizeof conf - used,
                                       SERVICE("s%u") "capabilities = policy\n", i);
        CHECK_PTR(manifest_parse(&manifest, kozo_str(conf)).expected, nullptr);
        CHECK(record_share(&manifest) * 2 * n < RECORDS); /* some is left for what is drained */
        CHECK(record_share(&manifest) >= RECORD_FOR_A_REQUEST);
        CHECK(record_share(&manifest) <= RECORD_SHARE_MAX);
    }
}

TEST(what_the_person_granted_is_drained_from_the_beginning)
{
    struct record_table *t = records();

    CHECK(record_add(t, WHO(0, 1), true)->drained);
    CHECK_EQ(record_undrained(t, 0), 0);
    CHECK_EQ(record_from(t, 0)->seq, 1); /* to be looked at all the same */
    CHECK_EQ(record_drain(t, 1), 0);
}

/* Grants, and ends the lease, as policy does; false when the share has no room for it. */
static bool grant_and_end(struct lease_store *l, uint32_t who, bool seen, uint32_t share)
{
    uint32_t i;

    if (!lease_store_has_room(l, identity_requester(WHO(who, 1)), 0, share))
        return false;
    i = take(&l->leases, l->records.seqs + 1, WHO(who, 1));
    l->leases.lease[i].seen = seen;
    CHECK(record_add(&l->records, WHO(who, 1), seen) != nullptr);
    CHECK(record_add(&l->records, WHO(who, 1), seen) != nullptr); /* its end */
    lease_free(&l->leases, i);
    return true;
}

TEST(a_full_share_turns_its_requester_away_and_nobody_else)
{
    static struct lease_store l;
    const uint32_t share = 10;

    memset(&l, 0, sizeof l);
    (void)lease_store_open(&l);
    for (uint32_t n = 0; n < share / RECORD_FOR_A_REQUEST; n++)
        CHECK(grant_and_end(&l, 0, false, share));
    CHECK(!grant_and_end(&l, 0, false, share));
    CHECK(!grant_and_end(&l, 0, true, share)); /* who decides is not known before */
    CHECK(grant_and_end(&l, 1, false, share));
    CHECK_EQ(record_drain(&l.records, RECORD_FOR_A_REQUEST), RECORD_FOR_A_REQUEST);
    CHECK(grant_and_end(&l, 0, false, share));
    CHECK(!grant_and_end(&l, 0, false, share));
}

TEST(a_person_who_says_yes_again_and_again_fills_no_share)
{
    static struct lease_store l;

    memset(&l, 0, sizeof l);
    (void)lease_store_open(&l);
    for (uint32_t who = 0; who < 3; who++) /* of the shares of three all is full */
        while (grant_and_end(&l, who, false, RECORDS / 4))
            ;
    for (uint32_t n = 0; n < 3 * RECORDS; n++)
        CHECK(grant_and_end(&l, 3, true, RECORDS / 4));
    CHECK_EQ(record_undrained(&l.records, 0), RECORDS / 4);
}

TEST(leases_and_questions_under_way_have_their_places_in_the_share)
{
    static struct lease_store l;
    uint32_t i;

    memset(&l, 0, sizeof l);
    (void)lease_store_open(&l);
    CHECK(lease_store_has_room(&l, 0, 0, 2));
    CHECK(!lease_store_has_room(&l, 0, 1, 3));
    CHECK(lease_store_has_room(&l, 0, 1, 4));
    i = take(&l.leases, 1, WHO(0, 1));
    CHECK(!lease_store_has_room(&l, 0, 0, 2));
    CHECK(lease_store_has_room(&l, 0, 0, 3));
    l.leases.lease[i].seen = true;
    CHECK(lease_store_has_room(&l, 0, 0, 2));
}
