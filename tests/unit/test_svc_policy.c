/* SPDX-License-Identifier: MIT */
/* Who may have what, and for how long. */
#include "unit.h"

#include "common/object.h"
#include "common/rights.h"
#include "policy/rules.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HASH "0000000000000000000000000000000000000000000000000000000000000000"
#define SERVICE(name) "[service " name "]\nbinary = b\nsha256 = " HASH "\nmemory = 64K\n"
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

/* What a asks for, to read unless rights say more, and who wins; a may read all below fs:/. */
static const struct {
    const char *rules, *object;
    enum manifest_decision decision;
    const char *winner;
} depths[] = {
#define ANY RULE("any", "subject=a\nobject=fs:/*\nrights=read list\ndecision=ask\ndepth=any")
#define ANY_ALLOW                                                                                  \
    RULE("any", "subject=a\nobject=fs:/*\nrights=read list\ndecision=allow\ndepth=any")
#define ONE_ALLOW RULE("one", "subject=a\nobject=fs:/*\nrights=read list\ndecision=allow\ndepth=1")
#define NO(object) RULE("no", "subject=*\nobject=" object "\nrights=read\ndecision=deny")
    { ANY_ALLOW NO("fs:/etc/secret"), "fs:/etc", DECISION_DENY, "no" },
    { NO("fs:/etc/secret") ANY_ALLOW, "fs:/etc", DECISION_DENY, "no" }, /* in any order */
    { ANY_ALLOW NO("fs:/etc/a/b/secret"), "fs:/etc", DECISION_DENY, "no" },
    { ANY_ALLOW NO("fs:/etc/secret"), "fs:/", DECISION_DENY, "no" },
    { ANY_ALLOW NO("fs:/etc/secret"), "fs:/bin", DECISION_ALLOW, "any" },
    { ANY_ALLOW NO("fs:/etc/secret"), "fs:/etc/secrets", DECISION_ALLOW, "any" },
    /* A name that begins alike is not below. */
    { ANY_ALLOW NO("fs:/etcetera"), "fs:/etc", DECISION_ALLOW, "any" },
    { ANY_ALLOW NO("fs:/etcetera/*"), "fs:/etc", DECISION_ALLOW, "any" },
    { ANY_ALLOW NO("fs:/etc"), "fs:/etc/x", DECISION_ALLOW, "any" },
    /* Patterns: those that begin below, and those that reach below. */
    { ANY_ALLOW NO("fs:/etc/*"), "fs:/etc", DECISION_DENY, "no" },
    { ANY_ALLOW NO("fs:/etc/s*"), "fs:/etc", DECISION_DENY, "no" },
    { ANY_ALLOW NO("fs:/etc/s*"), "fs:/", DECISION_DENY, "no" },
    { ANY_ALLOW NO("fs:/etc*"), "fs:/", DECISION_DENY, "no" },
    { ANY_ALLOW NO("fs:/etcet*"), "fs:/etc", DECISION_ALLOW, "any" },
    { RULE("own", "subject=a\nobject=fs:/etc\nrights=read\ndecision=allow\ndepth=any") NO("fs:/e*"),
      "fs:/etc", DECISION_DENY, "no" },
    { RULE("own", "subject=a\nobject=fs:/etc\nrights=read\ndecision=allow\ndepth=any"), "fs:/etc",
      DECISION_ALLOW, "own" },
    /* What another rule speaks before, for every name below, says nothing. */
    { ANY_ALLOW NO("*"), "fs:/etc", DECISION_ALLOW, "any" },
    { ANY_ALLOW NO("fs:/*"), "fs:/etc", DECISION_ALLOW, "any" },
    { ANY_ALLOW NO("fs:/x") RULE("me", "subject=a\nobject=fs:/x\nrights=read\ndecision=allow"),
      "fs:/", DECISION_ALLOW, "any" },
    { ANY_ALLOW NO("fs:/x*") RULE("me", "subject=a\nobject=fs:/x\nrights=read\ndecision=allow"),
      "fs:/", DECISION_DENY, "no" },
    /* Rules of others, and for other rights, are not meant. */
    { ANY_ALLOW RULE("b", "subject=b\nobject=fs:/etc/x\nrights=read\ndecision=deny"), "fs:/etc",
      DECISION_ALLOW, "any" },
    { ANY_ALLOW RULE("w", "subject=a\nobject=fs:/etc/x\nrights=write\ndecision=deny"), "fs:/etc",
      DECISION_ALLOW, "any" },
    /* Stricter than the directory's own rule, and short of a deny. */
    { ANY_ALLOW RULE("ask", "subject=a\nobject=fs:/etc/x\nrights=read\ndecision=ask"), "fs:/etc",
      DECISION_ASK, "ask" },
    { ANY_ALLOW RULE("hot", "subject=a\nobject=fs:/etc/x\nrights=read\ndecision=allow\ntier=high"),
      "fs:/etc", DECISION_ASK, "hot" },
    { ANY RULE("hot", "subject=a\nobject=fs:/etc/x\nrights=read\ndecision=ask\ntier=high"),
      "fs:/etc", DECISION_ASK, "hot" },
    { ANY RULE("mild", "subject=a\nobject=fs:/etc/x\nrights=read\ndecision=allow"), "fs:/etc",
      DECISION_ASK, "any" },
    /* With depth 1 nothing below can be opened. */
    { ONE_ALLOW NO("fs:/etc/secret"), "fs:/etc", DECISION_ALLOW, "one" },
    { ONE_ALLOW NO("fs:/etc/secret"), "fs:/", DECISION_ALLOW, "one" },
};

TEST(rules_for_what_is_below_count_where_it_can_be_opened)
{
    for (unsigned i = 0; i < sizeof depths / sizeof depths[0]; i++) {
        load(depths[i].rules);
        if (decide("a", depths[i].object, RIGHT_READ) != depths[i].decision ||
            strcmp(rule(), depths[i].winner) != 0)
            FAIL("%s: decision %u by %s for:\n%s", depths[i].object, answer.decision, rule(),
                 depths[i].rules);
    }
}

/* To make, remove and rename below a directory nothing is opened: the depth does not matter. */
TEST(rules_for_what_is_below_count_for_what_is_done_by_path)
{
    const uint64_t both = RIGHT_CREATE | RIGHT_REMOVE;

#define KEEP(right) RULE("keep", "subject=*\nobject=fs:/d/keep\nrights=" right "\ndecision=deny")
#define ONE_ASK                                                                                    \
    RULE("one", "subject=a\nobject=fs:/*\nrights=read write list create remove\ndecision=ask")
    load(ONE_ASK KEEP("remove"));
    CHECK_EQ(decide("a", "fs:/d", RIGHT_REMOVE), DECISION_DENY);
    CHECK_STR(answer.reason, "of what is below, fs:/d/keep: [rule keep] denies remove");
    CHECK_EQ(decide("a", "fs:/", both), DECISION_DENY);
    CHECK_EQ(decide("a", "fs:/d", RIGHTS_ALL), DECISION_DENY);
    CHECK_EQ(decide("a", "fs:/d", RIGHT_CREATE), DECISION_ASK);
    CHECK_EQ(decide("a", "fs:/e", both), DECISION_ASK);
    CHECK_EQ(answer.depth, 1);
    load(ONE_ASK KEEP("create"));
    CHECK_EQ(decide("a", "fs:/d", RIGHT_CREATE), DECISION_DENY);
    CHECK_EQ(decide("a", "fs:/d", RIGHT_REMOVE), DECISION_ASK);
    load(ONE_ASK KEEP("read write list"));
    CHECK_EQ(decide("a", "fs:/d", RIGHTS_ALL), DECISION_ASK);
}

TEST(a_rule_for_what_is_below_says_so_and_shortens_the_lease)
{
    load(ANY_ALLOW NO("fs:/etc/secret"));
    CHECK_EQ(decide("a", "fs:/etc", RIGHT_READ | RIGHT_LIST), DECISION_DENY);
    CHECK_STR(answer.reason, "of what is below, fs:/etc/secret: [rule no] denies read");
    CHECK_EQ(answer.lease_ms, 0);
    CHECK_EQ(decide("a", "fs:/etc", RIGHT_LIST), DECISION_ALLOW);
    CHECK_EQ(answer.depth, MANIFEST_DEPTH_ANY);
    load(ANY_ALLOW RULE("short",
                        "subject=a\nobject=fs:/etc/x\nrights=read\ndecision=allow\nlease_ms=7"));
    CHECK_EQ(decide("a", "fs:/etc", RIGHT_READ), DECISION_ALLOW);
    CHECK_EQ(answer.lease_ms, 7);
    CHECK_EQ(answer.depth, MANIFEST_DEPTH_ANY);
    load(ANY_ALLOW RULE("hot",
                        "subject=a\nobject=fs:/etc/x\nrights=read\ndecision=ask\ntier=critical"));
    CHECK_EQ(decide("a", "fs:/etc", RIGHT_READ), DECISION_ASK);
    CHECK_EQ(answer.tier, TIER_CRITICAL);
    CHECK_EQ(answer.lease_ms, 60000);
}

TEST(a_power_has_nothing_below)
{
    load_for("process",
             RULE("r", "subject=a\nobject=process:kill\nrights=kill\ndecision=ask\ndepth=any")
                 RULE("no", "subject=*\nobject=*\nrights=read write list create remove\n"
                            "decision=deny"));
    CHECK_EQ(decide("a", "process:kill/b", RIGHT_KILL), DECISION_ASK);
    CHECK_STR(rule(), "r");
}

/* Rules, of which service a wants the power, what is decided, and by which rule. */
static const struct {
    const char *rules, *object;
    enum manifest_decision decision;
    const char *winner;
} powers[] = {
#define KILL(name, subject, object, decision)                                                      \
    RULE(name, "subject=" subject "\nobject=" object "\nrights=kill\ndecision=" decision)
#define ANY_KILL KILL("any", "a", "process:kill", "ask")
    /* Without a target a rule is about each; with one about that alone. */
    { ANY_KILL, "process:kill/b", DECISION_ASK, "any" },
    { ANY_KILL, "process:kill/fsd", DECISION_ASK, "any" },
    { KILL("one", "a", "process:kill/b", "ask"), "process:kill/b", DECISION_ASK, "one" },
    { KILL("one", "a", "process:kill/b", "ask"), "process:kill/fsd", DECISION_DENY, "none" },
    { KILL("one", "a", "process:kill/b", "ask"), "process:kill/bb", DECISION_DENY, "none" },
    { KILL("one", "a", "process:kill/bb", "ask"), "process:kill/b", DECISION_DENY, "none" },
    /* That speaks before the one about each, whichever is stricter, in any order. */
    { ANY_KILL KILL("no", "*", "process:kill/b", "deny"), "process:kill/b", DECISION_DENY, "no" },
    { KILL("no", "*", "process:kill/b", "deny") ANY_KILL, "process:kill/b", DECISION_DENY, "no" },
    { ANY_KILL KILL("no", "*", "process:kill/b", "deny"), "process:kill/fsd", DECISION_ASK, "any" },
    { KILL("one", "a", "process:kill/b", "ask") KILL("no", "a", "process:kill", "deny"),
      "process:kill/b", DECISION_ASK, "one" },
    { KILL("one", "a", "process:kill/b", "ask") KILL("no", "a", "process:kill", "deny"),
      "process:kill/fsd", DECISION_DENY, "no" },
    /* The one about each is the pattern that names them all, no more and no less particular. */
    { ANY_KILL KILL("no", "a", "process:kill/*", "deny"), "process:kill/b", DECISION_DENY, "no" },
    { ANY_KILL KILL("no", "a", "process:kill/b*", "deny"), "process:kill/bb", DECISION_DENY, "no" },
    { ANY_KILL KILL("no", "a", "process:kill*", "deny"), "process:kill/b", DECISION_ASK, "any" },
    { ANY_KILL KILL("no", "a", "process:*", "deny"), "process:kill/b", DECISION_ASK, "any" },
    { ANY_KILL KILL("no", "*", "process:kill", "deny"), "process:kill/b", DECISION_ASK, "any" },
    { KILL("no", "*", "process:kill", "deny") KILL("all", "*", "*", "allow"), "process:kill/b",
      DECISION_DENY, "no" },
    /* What a rule allows is asked all the same. */
    { KILL("yes", "a", "process:kill", "allow"), "process:kill/b", DECISION_ASK, "yes" },
    { KILL("yes", "a", "process:kill/b", "allow\ntier=low"), "process:kill/b", DECISION_ASK,
      "yes" },
};

TEST(a_power_is_had_over_the_service_that_it_names)
{
    static char rules[1024];

    for (unsigned i = 0; i < sizeof powers / sizeof powers[0]; i++) {
        snprintf(rules, sizeof rules, "%s%s", SERVICE("bb"), powers[i].rules);
        load_for("process", rules);
        if (decide("a", powers[i].object, RIGHT_KILL) != powers[i].decision ||
            strcmp(rule(), powers[i].winner) != 0)
            FAIL("%s: decision %u by %s for:\n%s", powers[i].object, answer.decision, rule(),
                 powers[i].rules);
    }
}

TEST(a_name_cannot_be_walked_around)
{
    load(RULE("etc", "subject=a\nobject=fs:/etc/*\nrights=read\ndecision=allow"));
    CHECK_EQ(decide("a", "fs:/etc/../secret", RIGHT_READ), DECISION_DENY);
    CHECK_STR(answer.reason, "the object's name is malformed");
    CHECK_EQ(decide("a", "fs:/etc//x", RIGHT_READ), DECISION_DENY);
    CHECK_EQ(decide("a", "fs:etc/x", RIGHT_READ), DECISION_DENY);
    CHECK_STR(answer.reason, "there is no such power");
    CHECK(strstr(answer.hint, "a path begins with a slash") != nullptr);
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
    { "process:kill/b", RIGHT_KILL, TIER_CRITICAL, 60000 },
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
    { "tier=low", "process:kill/b", RIGHT_KILL, DECISION_ASK, TIER_CRITICAL, 60000 },
    { "tier=high", "process:kill/b", RIGHT_KILL, DECISION_ASK, TIER_CRITICAL, 60000 },
    /* Its lease can be shorter than the tier's, and never longer. */
    { "lease_ms=3600000", "fs:/x", RIGHT_READ, DECISION_ALLOW, TIER_LOW, 3600000 },
    { "lease_ms=1", "fs:/x", RIGHT_READ, DECISION_ALLOW, TIER_LOW, 1 },
    { "lease_ms=3600000", "fs:/x", RIGHT_WRITE, DECISION_ASK, TIER_MEDIUM, 300000 },
    { "lease_ms=299999", "fs:/x", RIGHT_WRITE, DECISION_ASK, TIER_MEDIUM, 299999 },
    { "tier=low\nlease_ms=3600000", "fs:/x", RIGHT_REMOVE, DECISION_ASK, TIER_HIGH, 60000 },
    { "lease_ms=3600000", "process:kill/b", RIGHT_KILL, DECISION_ASK, TIER_CRITICAL, 60000 },
    { "lease_ms=200", "process:kill/b", RIGHT_KILL, DECISION_ASK, TIER_CRITICAL, 200 },
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

/* Requests for a power that are no such thing, and what is said of them. */
static const struct {
    const char *object;
    uint64_t rights;
    const char *reason;
} no_powers[] = {
    { "process:kill", RIGHT_KILL, "that power is had over one service at a time" },
    { "process:kill/b", RIGHT_READ, "the rights asked for are not those of that power" },
    { "process:kill/b", RIGHT_KILL | RIGHT_READ, "the rights asked for are not those" },
    { "process:kill/b", 0, "the rights asked for are not those of that power" },
    { "process:kill/b", 1ull << 32 | RIGHT_KILL, "the rights asked for are not those" },
    { "process:love/b", RIGHT_KILL, "there is no such power" },
    { "process:love", RIGHT_KILL, "there is no such power" },
    { "fs:kill/b", RIGHT_KILL, "there is no such power" },
    { "process:kill/nobody", RIGHT_KILL, "no service is called nobody" },
    { "process:kill/init", RIGHT_KILL, "no service is called init" },
    { "process:kill/B", RIGHT_KILL, "no service is called B" },
    { "process:kill/..", RIGHT_KILL, "no service is called .." },
    { "process:kill ", RIGHT_KILL, "the object's name is malformed" },
    { "process:kill/", RIGHT_KILL, "the object's name is malformed" },
    { "process:kill//b", RIGHT_KILL, "the object's name is malformed" },
    { "process:kill/b/", RIGHT_KILL, "the object's name is malformed" },
    { "process:kill/b/fsd", RIGHT_KILL, "the object's name is malformed" },
    { "process:kill/b ", RIGHT_KILL, "the object's name is malformed" },
    { "process:kill/*", RIGHT_KILL, "the object's name is malformed" },
    { "process:/b", RIGHT_KILL, "no rule gives a" }, /* a path, of no provider */
    { "process:kill/aaaaaaaaaabbbbbbbbbbccccccccccdd", RIGHT_KILL, "the object's name" },
};

TEST(a_power_is_asked_for_by_its_name_and_with_its_right)
{
    load_for("fs process",
             RULE("r", "subject=a\nobject=process:kill\nrights=kill\ndecision=allow"));
    CHECK_EQ(decide("a", "process:kill/b", RIGHT_KILL), DECISION_ASK);
    CHECK_STR(answer.reason, "[rule r] allows kill");
    for (unsigned i = 0; i < sizeof no_powers / sizeof no_powers[0]; i++)
        if (decide("a", no_powers[i].object, no_powers[i].rights) != DECISION_DENY ||
            strncmp(answer.reason, no_powers[i].reason, strlen(no_powers[i].reason)) != 0)
            FAIL("%s: decision %u, %s", no_powers[i].object, answer.decision, answer.reason);
    CHECK_EQ(decide("b", "process:kill/a", RIGHT_KILL), DECISION_DENY);
    CHECK_STR(answer.reason, "b may not ask for what process provides");
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
