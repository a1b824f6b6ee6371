/* SPDX-License-Identifier: MIT */
/* Who may have what, and for how long. */
#include "unit.h"

#include "common/object.h"
#include "common/rights.h"
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

static void load(const char *rules)
{
    static char conf[8192];
    struct manifest_problem p;

    snprintf(conf, sizeof conf, "%s%s",
             SERVICE("fsd") "provides = fs\n" SERVICE("a") "requests = fs\n" SERVICE("b"), rules);
    p = manifest_parse(&manifest, kozo_str(conf));
    if (p.expected != nullptr)
        FAIL("line %u: expected %s", p.line, p.expected);
}

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
    load(RULE("r", "subject=a\nobject=fs:/x\nrights=read\ndecision=allow\nlease_ms=200\ndepth=2"));
    CHECK_EQ(decide("a", "fs:/x", RIGHT_READ), DECISION_ALLOW);
    CHECK_EQ(answer.lease_ms, 200);
    CHECK_EQ(answer.depth, 2);
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
    RULE("etc", "subject=a\nobject=fs:/etc/*\nrights=read write\ndecision=allow\ntier=low")
#define DENY_ALL RULE("all", "subject=*\nobject=fs:/*\nrights=read write\ndecision=deny")
#define DENY_X RULE("x", "subject=*\nobject=fs:/etc/x\nrights=read\ndecision=deny")
    { ALLOW_ETC DENY_ALL, RIGHT_READ, DECISION_ALLOW, "etc" }, /* the longer pattern */
    { DENY_ALL ALLOW_ETC, RIGHT_READ, DECISION_ALLOW, "etc" }, /* in any order */
    { ALLOW_ETC DENY_X, RIGHT_READ, DECISION_DENY, "x" },      /* a name before a pattern */
    { ALLOW_ETC DENY_X, RIGHT_WRITE, DECISION_ALLOW, "etc" },  /* for the rights it names */
    /* The strictest answer for any right is that for all. */
    { ALLOW_ETC DENY_X, RIGHT_READ | RIGHT_WRITE, DECISION_DENY, "x" },
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
    /* The tier: by the rule, else by the right; above low somebody must consent. */
    { RULE("r", "subject=a\nobject=*\nrights=read\ndecision=allow"), RIGHT_READ, DECISION_ALLOW,
      "r" },
    { RULE("r", "subject=a\nobject=*\nrights=write\ndecision=allow"), RIGHT_WRITE, DECISION_ASK,
      "r" },
    { RULE("r", "subject=a\nobject=*\nrights=write\ndecision=allow\ntier=low"), RIGHT_WRITE,
      DECISION_ALLOW, "r" },
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
    load(RULE(
        "all",
        "subject=*\nobject=*\nrights=read write list create remove\ndecision=allow\ntier=low"));
    CHECK_EQ(decide("a", "fs:/x", 0), DECISION_DENY);
    CHECK_EQ(decide("a", "fs:/x", 0x20), DECISION_DENY);
    CHECK_EQ(decide("a", "fs:/x", 1ull << 32 | RIGHT_READ), DECISION_DENY);
    CHECK_EQ(decide("a", "fs:/x", RIGHTS_ALL), DECISION_ALLOW);
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

TEST(without_a_console_what_needs_consent_is_denied)
{
    load(RULE("r", "subject=a\nobject=*\nrights=write\ndecision=allow"));
    CHECK_EQ(decide("a", "fs:/x", RIGHT_WRITE), DECISION_ASK);
    rules_no_console(&answer);
    CHECK_EQ(answer.decision, DECISION_DENY);
    CHECK_EQ(answer.lease_ms, 0);
    CHECK(strstr(answer.reason, "no console to ask on") != nullptr);
    CHECK(strlen(answer.hint) > 0);
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

static struct lease_table *table(void)
{
    static struct lease_table t;

    memset(&t, 0, sizeof t);
    CHECK(!lease_open(&t));
    return &t;
}

TEST(leases_end_in_time)
{
    struct lease_table *t = table();
    uint32_t a = lease_take(t, 1, kozo_str("fs:/a"), RIGHT_READ);
    uint32_t b = lease_take(t, 2, kozo_str("fs:/b"), RIGHT_READ);

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

TEST(a_lease_is_found_by_a_serial_that_is_never_used_twice)
{
    struct lease_table *t = table();
    uint32_t a = lease_take(t, 1, kozo_str("fs:/a"), RIGHT_READ);
    uint64_t serial = t->lease[a].serial;

    CHECK_STR(t->lease[a].object, "fs:/a");
    CHECK_EQ(lease_find(t, serial), a);
    lease_free(t, a);
    CHECK_EQ(lease_find(t, serial), LEASE_NONE);
    CHECK_EQ(lease_find(t, 0), LEASE_NONE);
    CHECK_EQ(lease_take(t, 1, kozo_str("fs:/a"), RIGHT_READ), a);
    CHECK(t->lease[a].serial != serial);
}

TEST(one_requester_cannot_take_all_leases)
{
    struct lease_table *t = table();
    unsigned n = 0;

    while (lease_take(t, 1, kozo_str("x"), 1) != LEASE_NONE)
        n++;
    CHECK_EQ(n, LEASES_EACH);
    CHECK(lease_take(t, 2, kozo_str("x"), 1) != LEASE_NONE);
    for (uint64_t badge = 3; badge < 99; badge++)
        n += lease_take(t, badge, kozo_str("x"), 1) != LEASE_NONE;
    CHECK_EQ(n, LEASES - 1);
    CHECK_EQ(lease_take(t, 100, kozo_str("x"), 1), LEASE_NONE);
}

TEST(each_lease_has_a_slot_of_its_own_within_the_cnode)
{
    CHECK_EQ(lease_slot(0), 1);
    CHECK_EQ(lease_slot(LEASES - 1), (1u << LEASE_CNODE_BITS) - 1);
}

TEST(a_table_that_exists_stays_as_it_is)
{
    struct lease_table *t = table();
    uint32_t a = lease_take(t, 1, kozo_str("fs:/a"), RIGHT_READ);

    lease_begin(t, a, 300, 0);
    CHECK(lease_open(t));
    CHECK_EQ(lease_next(t), 300 * MS);
    CHECK_EQ(t->lease[a].badge, 1);
}
