/* SPDX-License-Identifier: MIT */
/* Who may have what, and for how long. */
#include "unit.h"

#include "common/identity.h"
#include "common/object.h"
#include "common/rights.h"
#include "policy/consent.h"
#include "policy/lease.h"
#include "policy/rules.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HASH "0000000000000000000000000000000000000000000000000000000000000000"
#define SERVICE(name) "[service " name "]\nbinary = b\nsha256 = " HASH "\nmemory = 64K\n"
#define MS 1000000ull
#define RULE(name, text) "[rule " name "]\n" text "\n"

static struct manifest manifest;
static struct rules_answer answer;

static void load_for(const char *requests, const char *rules)
{
    static char conf[8192];
    struct manifest_problem p;

    snprintf(conf, sizeof conf, "%srequests = %s\n%s%s",
             SERVICE("fsd") "provides = fs\n" SERVICE("a"), requests, SERVICE("b"), rules);
    p = manifest_parse(&manifest, kozo_str(conf));
    if (p.expected != nullptr)
        FAIL("line %u: expected %s", p.line, p.expected);
}

static void load(const char *rules) { load_for("fs", rules); }

static enum manifest_decision decide(const char *who, const char *object, uint64_t rights)
{
    struct rules_request q = { manifest_service(&manifest, kozo_str(who)), kozo_str(object),
                               rights };

    rules_decide(&manifest, &q, &answer);
    return answer.decision;
}

static const char *rule(void)
{
    static char name[40];

    if (answer.rule == nullptr)
        return "none";
    snprintf(name, sizeof name, "%.*s", (int)answer.rule->name.len, answer.rule->name.at);
    return name;
}

TEST(a_rule_allows)
{
    load(
        RULE("r", "subject=a\nobject=fs:/x\nrights=read\ndecision=allow\nlease_ms=200\ndepth=any"));
    CHECK_EQ(decide("a", "fs:/x", RIGHT_READ), DECISION_ALLOW);
    CHECK_EQ(answer.lease_ms, 200);
    CHECK_EQ(answer.depth, MANIFEST_DEPTH_ANY);
    CHECK_STR(answer.reason, "[rule r] allows read");
    CHECK_STR(answer.hint, "");
}

TEST(what_no_rule_speaks_of_is_denied_with_reason_and_hint)
{
    load(RULE("r", "subject=a\nobject=fs:/x\nrights=read\ndecision=allow"));
    CHECK_EQ(decide("a", "fs:/x", RIGHT_WRITE), DECISION_DENY);
    CHECK_STR(rule(), "none");
    CHECK_STR(answer.reason, "no rule gives a the right to write fs:/x");
    CHECK(strstr(answer.hint, "rights = write") != nullptr);
    CHECK_EQ(answer.lease_ms, 0);
    CHECK_EQ(decide("a", "fs:/y", RIGHT_READ), DECISION_DENY);
    CHECK_EQ(decide("a", "fs:/x", RIGHT_READ | RIGHT_WRITE), DECISION_DENY);
}

TEST(the_lease_is_the_tiers_when_the_rule_has_none)
{
    load(RULE("r", "subject=a\nobject=fs:/x\nrights=read\ndecision=allow"));
    CHECK_EQ(decide("a", "fs:/x", RIGHT_READ), DECISION_ALLOW);
    CHECK_EQ(answer.lease_ms, 3600000);
}

/* Rules, the right asked by a on fs:/etc/x, and who wins. */
static const struct {
    const char *rules;
    uint64_t rights;
    enum manifest_decision decision;
    const char *winner;
} contests[] = {
#define ALLOW_ETC                                                                                  \
    RULE("etc", "subject=a\nobject=fs:/etc/*\nrights=read list\ndecision=allow\ntier=low")
#define DENY_ALL RULE("all", "subject=*\nobject=fs:/*\nrights=read list\ndecision=deny")
#define DENY_X RULE("x", "subject=*\nobject=fs:/etc/x\nrights=read\ndecision=deny")
    { ALLOW_ETC DENY_ALL, RIGHT_READ, DECISION_ALLOW, "etc" }, /* the longer pattern */
    { DENY_ALL ALLOW_ETC, RIGHT_READ, DECISION_ALLOW, "etc" }, /* in any order */
    { ALLOW_ETC DENY_X, RIGHT_READ, DECISION_DENY, "x" },      /* a name before a pattern */
    { ALLOW_ETC DENY_X, RIGHT_LIST, DECISION_ALLOW, "etc" },   /* for the rights it names */
    /* The strictest answer for any right is that for all. */
    { ALLOW_ETC DENY_X, RIGHT_READ | RIGHT_LIST, DECISION_DENY, "x" },
    /* A named subject before any; then the strictest. */
    { RULE("any", "subject=*\nobject=fs:/etc/x\nrights=read\ndecision=deny")
          RULE("me", "subject=a\nobject=fs:/etc/x\nrights=read\ndecision=allow"),
      RIGHT_READ, DECISION_ALLOW, "me" },
    { RULE("yes", "subject=a\nobject=fs:/etc/x\nrights=read\ndecision=allow")
          RULE("no", "subject=a\nobject=fs:/etc/x\nrights=read\ndecision=deny"),
      RIGHT_READ, DECISION_DENY, "no" },
    { RULE("yes", "subject=a\nobject=fs:/etc/x\nrights=read\ndecision=allow")
          RULE("ask", "subject=a\nobject=fs:/etc/x\nrights=read\ndecision=ask"),
      RIGHT_READ, DECISION_ASK, "ask" },
    { RULE("yes", "subject=b\nobject=fs:/etc/x\nrights=read\ndecision=allow"), RIGHT_READ,
      DECISION_DENY, "none" },
    /* Above tier low somebody must consent. */
    { RULE("r", "subject=a\nobject=*\nrights=read\ndecision=allow"), RIGHT_READ, DECISION_ALLOW,
      "r" },
    { RULE("r", "subject=a\nobject=*\nrights=write\ndecision=allow"), RIGHT_WRITE, DECISION_ASK,
      "r" },
    { RULE("r", "subject=a\nobject=*\nrights=write\ndecision=allow\ntier=low"), RIGHT_WRITE,
      DECISION_ASK, "r" },
    { RULE("r", "subject=a\nobject=*\nrights=read\ndecision=allow\ntier=medium"), RIGHT_READ,
      DECISION_ASK, "r" },
    { RULE("r", "subject=a\nobject=*\nrights=read\ndecision=ask\ntier=low"), RIGHT_READ,
      DECISION_ASK, "r" },
    { RULE("r", "subject=a\nobject=*\nrights=read\ndecision=deny\ntier=low"), RIGHT_READ,
      DECISION_DENY, "r" },
};

TEST(the_most_particular_rule_speaks_and_the_strictest_wins)
{
    for (unsigned i = 0; i < sizeof contests / sizeof contests[0]; i++) {
        load(contests[i].rules);
        if (decide("a", "fs:/etc/x", contests[i].rights) != contests[i].decision ||
            strcmp(rule(), contests[i].winner) != 0)
            FAIL("decision %u by %s for:\n%s", answer.decision, rule(), contests[i].rules);
    }
}

TEST(a_name_cannot_be_walked_around)
{
    load(RULE("etc", "subject=a\nobject=fs:/etc/*\nrights=read\ndecision=allow"));
    CHECK_EQ(decide("a", "fs:/etc/../secret", RIGHT_READ), DECISION_DENY);
    CHECK_STR(answer.reason, "the object's name is malformed");
    CHECK_EQ(decide("a", "fs:/etc//x", RIGHT_READ), DECISION_DENY);
    CHECK_EQ(decide("a", "fs:etc/x", RIGHT_READ), DECISION_DENY);
    CHECK_EQ(decide("a", "", RIGHT_READ), DECISION_DENY);
}

TEST(rights_that_do_not_exist_are_denied)
{
    load(RULE("all", "subject=*\nobject=*\nrights=read write list create remove\ndecision=allow"));
    CHECK_EQ(decide("a", "fs:/x", 0), DECISION_DENY);
    CHECK_EQ(decide("a", "fs:/x", 0x20), DECISION_DENY);
    CHECK_EQ(decide("a", "fs:/x", 1ull << 32 | RIGHT_READ), DECISION_DENY);
    CHECK_EQ(decide("a", "fs:/x", RIGHTS_ALL), DECISION_ASK);
}

TEST(a_service_asks_only_for_what_its_section_requests)
{
    load(RULE("all", "subject=*\nobject=*\nrights=read\ndecision=allow"));
    CHECK_EQ(decide("b", "fs:/x", RIGHT_READ), DECISION_DENY);
    CHECK_STR(answer.reason, "b may not ask for what fs provides");
    CHECK(strstr(answer.hint, "[service b]") != nullptr);
}

TEST(a_rule_says_why_in_its_own_words)
{
    load(RULE(
        "no",
        "subject=*\nobject=*\nrights=read\ndecision=deny\nreason=not \"today\"\nhint=come back"));
    CHECK_EQ(decide("a", "fs:/x", RIGHT_READ), DECISION_DENY);
    CHECK_STR(answer.reason, "not 'today'");
    CHECK_STR(answer.hint, "come back");
}

TEST(without_consent_what_needs_it_is_denied)
{
    load(RULE("r", "subject=a\nobject=*\nrights=write\ndecision=allow"));
    CHECK_EQ(decide("a", "fs:/x", RIGHT_WRITE), DECISION_ASK);
    rules_no_consent(&answer, "no console to ask on", "get one");
    CHECK_EQ(answer.decision, DECISION_DENY);
    CHECK_EQ(answer.lease_ms, 0);
    CHECK_STR(answer.reason, "tier medium needs somebody's consent: no console to ask on");
    CHECK_STR(answer.hint, "get one");
}

/* Who asks what, and the tier and lease of the answer. */
static const struct {
    const char *object;
    uint64_t rights;
    enum manifest_tier tier;
    uint32_t lease_ms;
} tiers[] = {
    { "fs:/x", RIGHT_READ, TIER_LOW, 3600000 },
    { "fs:/x", RIGHT_READ | RIGHT_LIST, TIER_LOW, 3600000 },
    { "fs:/x", RIGHT_WRITE, TIER_MEDIUM, 300000 },
    { "fs:/x", RIGHT_CREATE, TIER_MEDIUM, 300000 },
    { "fs:/x", RIGHT_REMOVE, TIER_HIGH, 60000 },
    { "fs:/x", RIGHT_READ | RIGHT_REMOVE, TIER_HIGH, 60000 },
    { "other:/x", RIGHT_READ, TIER_HIGH, 60000 },
    { "process:kill", RIGHT_KILL, TIER_CRITICAL, 60000 },
};

TEST(the_tier_comes_from_object_and_rights)
{
    static char rules[512];

    snprintf(
        rules, sizeof rules, "%s%s", SERVICE("o") "provides = other\n",
        RULE("r", "subject=a\nobject=*\nrights=read write list create remove\ndecision=allow"));
    for (unsigned i = 0; i < sizeof tiers / sizeof tiers[0]; i++) {
        load_for("fs other process", rules);
        CHECK_EQ(decide("a", tiers[i].object, tiers[i].rights),
                 tiers[i].tier == TIER_LOW ? DECISION_ALLOW : DECISION_ASK);
        CHECK_EQ(answer.tier, tiers[i].tier);
        CHECK_EQ(answer.lease_ms, tiers[i].lease_ms);
    }
}

/* What a rule says of tier and lease, and what comes of it for an object and a right. */
static const struct {
    const char *rule, *object;
    uint64_t rights;
    enum manifest_decision decision;
    enum manifest_tier tier;
    uint32_t lease_ms;
} floors[] = {
    /* A rule's tier can raise an object's own, and cannot lower it. */
    { "tier=low", "fs:/x", RIGHT_READ, DECISION_ALLOW, TIER_LOW, 3600000 },
    { "tier=medium", "fs:/x", RIGHT_READ, DECISION_ASK, TIER_MEDIUM, 300000 },
    { "tier=critical", "fs:/x", RIGHT_READ, DECISION_ASK, TIER_CRITICAL, 60000 },
    { "tier=low", "fs:/x", RIGHT_WRITE, DECISION_ASK, TIER_MEDIUM, 300000 },
    { "tier=low", "fs:/x", RIGHT_CREATE, DECISION_ASK, TIER_MEDIUM, 300000 },
    { "tier=high", "fs:/x", RIGHT_WRITE, DECISION_ASK, TIER_HIGH, 60000 },
    { "tier=low", "fs:/x", RIGHT_REMOVE, DECISION_ASK, TIER_HIGH, 60000 },
    { "tier=medium", "fs:/x", RIGHT_READ | RIGHT_REMOVE, DECISION_ASK, TIER_HIGH, 60000 },
    { "tier=low", "other:/x", RIGHT_READ, DECISION_ASK, TIER_HIGH, 60000 },
    { "tier=low", "process:kill", RIGHT_KILL, DECISION_ASK, TIER_CRITICAL, 60000 },
    { "tier=high", "process:kill", RIGHT_KILL, DECISION_ASK, TIER_CRITICAL, 60000 },
    /* Its lease can be shorter than the tier's, and never longer. */
    { "lease_ms=3600000", "fs:/x", RIGHT_READ, DECISION_ALLOW, TIER_LOW, 3600000 },
    { "lease_ms=1", "fs:/x", RIGHT_READ, DECISION_ALLOW, TIER_LOW, 1 },
    { "lease_ms=3600000", "fs:/x", RIGHT_WRITE, DECISION_ASK, TIER_MEDIUM, 300000 },
    { "lease_ms=299999", "fs:/x", RIGHT_WRITE, DECISION_ASK, TIER_MEDIUM, 299999 },
    { "tier=low\nlease_ms=3600000", "fs:/x", RIGHT_REMOVE, DECISION_ASK, TIER_HIGH, 60000 },
    { "lease_ms=3600000", "process:kill", RIGHT_KILL, DECISION_ASK, TIER_CRITICAL, 60000 },
    { "lease_ms=200", "process:kill", RIGHT_KILL, DECISION_ASK, TIER_CRITICAL, 200 },
};

TEST(a_rule_is_never_milder_than_the_risk_of_its_object)
{
    for (unsigned i = 0; i < sizeof floors / sizeof floors[0]; i++) {
        char rules[512];

        snprintf(rules, sizeof rules, "%s[rule r]\nsubject=a\nobject=*\nrights=%s\n%s\n%s\n",
                 SERVICE("o") "provides = other\n", "read write list create remove",
                 "decision=allow", floors[i].rule);
        load_for("fs other process", rules);
        if (decide("a", floors[i].object, floors[i].rights) != floors[i].decision ||
            answer.tier != floors[i].tier || answer.lease_ms != floors[i].lease_ms)
            FAIL("%s for %s: decision %u, tier %s, %u ms", floors[i].rule, floors[i].object,
                 answer.decision, manifest_tier_name(answer.tier), answer.lease_ms);
    }
}

TEST(a_power_is_asked_for_by_its_name_and_with_its_right)
{
    load_for("fs process",
             RULE("r", "subject=a\nobject=process:kill\nrights=kill\ndecision=allow"));
    CHECK_EQ(decide("a", "process:kill", RIGHT_KILL), DECISION_ASK);
    CHECK_STR(answer.reason, "[rule r] allows kill");
    CHECK_EQ(decide("a", "process:kill", RIGHT_READ), DECISION_DENY);
    CHECK_STR(answer.reason, "the rights asked for are not those of that power");
    CHECK_EQ(decide("a", "process:love", RIGHT_KILL), DECISION_DENY);
    CHECK_STR(answer.reason, "there is no such power");
    CHECK_EQ(decide("a", "fs:kill", RIGHT_KILL), DECISION_DENY);
    CHECK_EQ(decide("a", "process:kill ", RIGHT_KILL), DECISION_DENY);
    CHECK_STR(answer.reason, "the object's name is malformed");
}

TEST(texts_fit_whatever_the_names_are)
{
    char object[OBJECT_BYTES + 1] = "fs:/";

    memset(object + 4, 'x', sizeof object - 5);
    object[OBJECT_BYTES] = '\0';
    load(RULE("r", "subject=a\nobject=fs:/y\nrights=read\ndecision=allow"));
    CHECK_EQ(decide("a", object, RIGHT_READ), DECISION_DENY);
    CHECK(strlen(answer.reason) < RULES_TEXT);
}

/* ---- leases ---- */

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

TEST(a_lease_is_being_given_until_it_is_held)
{
    struct lease_table *t = table();
    uint32_t a = take(t, 1, WHO(0, 1));

    CHECK_EQ(lease_in_state(t, LEASE_GIVING), a);
    t->lease[a].state = LEASE_HELD;
    CHECK_EQ(lease_in_state(t, LEASE_GIVING), LEASE_NONE);
    CHECK_EQ(lease_in_state(t, LEASE_HELD), a);
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
    CHECK(record_add(&l.records, WHO(0, 1)) != nullptr);
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
        struct record *r = record_add(t, WHO(seq % 3, 1));

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
        CHECK(record_add(t, WHO(0, 1)) != nullptr);
    CHECK_PTR(record_add(t, WHO(1, 1)), nullptr);
    CHECK_EQ(record_drain(t, 2), 2);
    CHECK_EQ(record_drain(t, 2), 0);
    CHECK_EQ(record_undrained(t, 0), RECORDS - 2);
    CHECK_EQ(record_add(t, WHO(1, 1))->seq, RECORDS + 1);
    CHECK_EQ(record_from(t, 0)->seq, 2); /* drained, and still there */
    CHECK(record_from(t, 0)->drained);
    CHECK_EQ(record_undrained(t, 1), 1);
}

TEST(all_shares_fit_into_the_ring)
{
    static char conf[8192];
    uint64_t used = 0;

    for (unsigned n = 1; n < MANIFEST_SERVICES; n++) {
        used = (uint64_t)snprintf(conf, sizeof conf, "%s", SERVICE("p") "provides = policy\n");
        for (unsigned i = 0; i < n; i++)
            used += (uint64_t)snprintf(conf + used, sizeof conf - used,
                                       SERVICE("s%u") "capabilities = policy\n", i);
        CHECK_PTR(manifest_parse(&manifest, kozo_str(conf)).expected, nullptr);
        CHECK(record_share(&manifest) * n <= RECORDS);
        CHECK(record_share(&manifest) >= RECORD_FOR_A_REQUEST);
        CHECK(record_share(&manifest) <= RECORD_SHARE_MAX);
    }
}

/* ---- consent ---- */

static struct consent *queue(void)
{
    static struct consent c;

    c = (struct consent){ .limit_ms = 100 };
    return &c;
}

TEST(questions_are_asked_one_at_a_time_in_their_order)
{
    struct consent *c = queue();
    uint32_t a = consent_add(c, WHO(0, 1)), b = consent_add(c, WHO(1, 1));

    CHECK_EQ(consent_next(c), a);
    CHECK_EQ(consent_deadline(c), UINT64_MAX);
    consent_show(c, a, 0);
    CHECK_EQ(consent_shown(c), a);
    CHECK_EQ(consent_next(c), CONSENT_NONE);
    consent_end(c, a);
    CHECK_EQ(consent_add(c, WHO(2, 1)), a);
    CHECK_EQ(consent_next(c), b);
}

/* What is said, and when (the limit is at 150 ms), and what comes of it. */
static const struct {
    bool yes;
    uint64_t at;
    enum consent_outcome outcome;
} answers[] = {
    { true, 50 * MS, CONSENT_YES },        { false, 50 * MS, CONSENT_NO },
    { true, 150 * MS - 1, CONSENT_YES },   { false, 150 * MS - 1, CONSENT_NO },
    { true, 150 * MS, CONSENT_SILENCE },   { false, 150 * MS, CONSENT_SILENCE },
    { true, UINT64_MAX, CONSENT_SILENCE },
};

TEST(an_answer_at_the_last_tick_is_too_late)
{
    for (unsigned i = 0; i < sizeof answers / sizeof answers[0]; i++) {
        struct consent *c = queue();
        uint32_t a = consent_add(c, WHO(0, 1));

        consent_show(c, a, 50 * MS);
        CHECK_EQ(consent_answer(c, c->request[a].order, answers[i].yes, answers[i].at),
                 answers[i].outcome);
    }
}

TEST(silence_ends_a_question_at_its_limit)
{
    struct consent *c = queue();
    uint32_t a = consent_add(c, WHO(0, 1));

    CHECK_EQ(consent_late(c, UINT64_MAX), CONSENT_NONE); /* it is not on the terminal */
    consent_show(c, a, 50 * MS);
    CHECK_EQ(consent_deadline(c), 150 * MS);
    CHECK_EQ(consent_late(c, 150 * MS - 1), CONSENT_NONE);
    CHECK_EQ(consent_late(c, 150 * MS), a);
}

TEST(an_answer_to_a_question_that_is_gone_answers_nothing)
{
    struct consent *c = queue();
    uint32_t a = consent_add(c, WHO(0, 1)), b;
    uint64_t order = c->request[a].order;

    CHECK_EQ(consent_answer(c, order, true, 0), CONSENT_UNDECIDED); /* not shown yet */
    consent_show(c, a, 0);
    consent_end(c, a);
    CHECK_EQ(consent_answer(c, order, true, 1), CONSENT_UNDECIDED);
    b = consent_add(c, WHO(0, 1)); /* the same place, for the same requester */
    CHECK_EQ(b, a);
    consent_show(c, b, 0);
    CHECK_EQ(consent_answer(c, order, true, 1), CONSENT_UNDECIDED);
    CHECK_EQ(consent_answer(c, c->request[b].order, true, 1), CONSENT_YES);
}

TEST(a_flood_fills_its_own_share_of_the_queue_only)
{
    struct consent *c = queue();
    unsigned n = 0;

    while (consent_add(c, WHO(0, n + 1)) != CONSENT_NONE) /* also in life after life */
        n++;
    CHECK_EQ(n, CONSENTS_EACH);
    CHECK_EQ(consent_count(c, 0), CONSENTS_EACH);
    for (uint32_t who = 1; who < 99; who++)
        n += consent_add(c, WHO(who, 1)) != CONSENT_NONE;
    CHECK_EQ(n, CONSENTS);
}
