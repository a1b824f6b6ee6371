/* SPDX-License-Identifier: MIT */
/* etc/kozo.conf: what is accepted, and what is said about what is not. */
#include "unit.h"

#include "common/fields.h"
#include "common/manifest.h"
#include "common/rights.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HASH "0123456789abcdef0123456789ABCDEF0123456789abcdef0123456789abcdef"
#define SERVICE(name) "[service " name "]\nbinary = bin/" name "\nsha256 = " HASH "\nmemory = 1M\n"

static struct manifest manifest;

static struct manifest_problem parse(const char *conf)
{
    return manifest_parse(&manifest, kozo_str(conf));
}

static void check_good(const char *conf)
{
    struct manifest_problem p = parse(conf);

    if (p.expected != nullptr)
        FAIL("line %u: %.*s: expected %s", p.line, (int)p.field.len, p.field.at, p.expected);
}

TEST(a_whole_manifest)
{
    const struct manifest_service *s;

    check_good(
        "# a comment\n"
        "[init]\n demo = b ; as here\n demo_seconds = 3\r\n"
        "[service a]\nbinary = /bin/a # an absolute path is one in the archive\nsha256 = " HASH
        "\nmemory = 64K\nprovides = fs\ncapabilities = log initrd\n"
        "[service b]\nbinary=bin/b\nsha256=" HASH
        "\nmemory=1G\nheap=2M\nuntyped=256K\nstack=64K\npriority=7\nthreads=3\n"
        "args = one two#three\ncapabilities = log fs\nrequests = fs\nrestart = on-failure\n"
        "restart_limit = 5\nrestart_backoff_ms = 20\n"
        "[rule r]\nsubject = b\nobject = fs:/etc/*\nrights = read list\ndecision = ask\ntier = "
        "high\n"
        "lease_ms = 60000\ndepth = any\nreason = because of this\nhint = do that\n");
    CHECK_EQ(manifest.services, 2);
    CHECK_EQ(manifest.demo_seconds, 3);
    CHECK_EQ(manifest.ready_seconds, 10);
    s = manifest_service(&manifest, kozo_str("b"));
    CHECK(s != nullptr);
    CHECK(kozo_str_is(manifest.service[0].binary, "bin/a"));
    CHECK_EQ(manifest.service[0].memory_bits, 16);
    CHECK_EQ(s->memory_bits, 30);
    CHECK_EQ(s->heap_pages, 512);
    CHECK_EQ(s->stack_pages, 16);
    CHECK_EQ(s->untyped_bits, 18);
    CHECK_EQ(s->priority, 7);
    CHECK_EQ(s->threads, 3);
    CHECK_EQ(s->args.count, 2);
    CHECK(kozo_str_is(s->args.word[1], "two#three"));
    CHECK_EQ(s->restart, RESTART_ON_FAILURE);
    CHECK_EQ(s->restart_limit, 5);
    CHECK_EQ(s->restart_backoff_ms, 20);
    CHECK_EQ(s->sha256[0], 0x01);
    CHECK_EQ(s->sha256[31], 0xef);
    CHECK_PTR(manifest_provider(&manifest, kozo_str("fs")), &manifest.service[0]);
}

TEST(a_rule)
{
    const struct manifest_rule *r = &manifest.rule[0];

    check_good(SERVICE(
        "b") "[rule r]\nsubject = *\nobject = fs:/etc/*\nrights = read list\ndecision = ask\n"
             "tier = high\nlease_ms = 60000\ndepth = any\nreason = because of this\n");
    CHECK_EQ(manifest.rules, 1);
    CHECK_EQ(r->rights, RIGHT_READ | RIGHT_LIST);
    CHECK_EQ(r->decision, DECISION_ASK);
    CHECK_EQ(r->tier, TIER_HIGH);
    CHECK_EQ(r->lease_ms, 60000);
    CHECK_EQ(r->depth, MANIFEST_DEPTH_ANY);
    CHECK(kozo_str_is(r->reason, "because of this"));
    CHECK_EQ(r->hint.len, 0);
}

TEST(what_is_not_said_has_a_usual_value)
{
    check_good(SERVICE("a") "[rule r]\nsubject=a\nobject=fs:/x\nrights=read\ndecision=allow");
    CHECK_EQ(manifest.service[0].threads, 1);
    CHECK_EQ(manifest.service[0].priority, 100);
    CHECK_EQ(manifest.service[0].restart, RESTART_NEVER);
    CHECK_EQ(manifest.rule[0].tier, TIER_AUTO);
    CHECK_EQ(manifest.rule[0].lease_ms, 0);
    CHECK_EQ(manifest.rule[0].depth, 1);
    CHECK_EQ(manifest.demo.len, 0);
    CHECK_EQ(manifest.consent_seconds, 30);
}

/* Each of these is wrong in one place: line, field, and a word of what was expected. */
static const struct {
    const char *conf;
    uint32_t line;
    const char *field, *expected;
} wrong[] = {
    { "", 0, "", "at least one" },
    { "a = 1\n", 1, "a", "[section]" },
    { "\n\nnonsense\n", 3, "", "field = value" },
    { "[service a\n", 1, "", "]" },
    { "[service]\n", 1, "", "[service NAME]" },
    { "[service a b]\n", 1, "", "[service NAME]" },
    { "[thing a]\n", 1, "", "[service NAME]" },
    { "[service a/b]\n", 1, "", "[service NAME]" },
    { "[service 12345678901234567890123456789012]\n", 1, "", "[service NAME]" },
    { SERVICE("a") SERVICE("a"), 5, "", "no other service" },
    { SERVICE("a") "colour = red\n", 5, "colour", "restart_backoff_ms" },
    { SERVICE("a") "memory = 1M\n", 5, "memory", "only once" },
    { "[service a]\nbinary = bin/a\nmemory = 1M\n[service b]\n", 1, "sha256", "lacks it" },
    { "[service a]\nsha256 = " HASH "\nmemory = 1M\n", 1, "binary", "lacks it" },
    { "[service a]\nbinary = bin/a\nsha256 = " HASH "\n", 1, "memory", "lacks it" },
    { "[service a]\nbinary =\n", 2, "binary", "a path" },
    { "[service a]\nbinary = ../a\n", 2, "binary", "a path" },
    { "[service a]\nbinary = bin/\033[2J\n", 2, "binary", "a path" },
    { "[service a]\nsha256 = auto\n", 2, "sha256", "mkconf.py" },
    { "[service a]\nsha256 = 1234\n", 2, "sha256", "64 hexadecimal" },
    { "[service a]\nsha256 = g123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\n", 2,
      "sha256", "64 hexadecimal" },
    { "[service a]\nmemory = 3M\n", 2, "memory", "power of two" },
    { "[service a]\nmemory = 32K\n", 2, "memory", "power of two" },
    { "[service a]\nmemory = 2G\n", 2, "memory", "power of two" },
    { "[service a]\nmemory = 1048576\n", 2, "memory", "power of two" },
    { "[service a]\nmemory = M\n", 2, "memory", "power of two" },
    { "[service a]\nmemory = 99999999999999999999M\n", 2, "memory", "power of two" },
    { "[service a]\nmemory =\n", 2, "memory", "power of two" },
    { "[service a]\nheap = 5K\n", 2, "heap", "multiple of 4K" },
    { "[service a]\nuntyped = 2K\n", 2, "untyped", "from 4K" },
    { "[service a]\nuntyped = 1G\n", 2, "untyped", "to 512M" },
    { "[service a]\nuntyped = 12K\n", 2, "untyped", "power of two" },
    { "[service a]\nstack = 4M\n", 2, "stack", "2032K" },
    { "[service a]\npriority = 255\n", 2, "priority", "254" },
    { "[service a]\npriority = -1\n", 2, "priority", "254" },
    { "[service a]\npriority = 0\n", 2, "priority", "from 1" },
    { "[service a]\nthreads = 0\n", 2, "threads", "1 to 4096" },
    { "[service a]\nrestart = sometimes\n", 2, "restart", "on-failure" },
    { "[service a]\nprovides = two words\n", 2, "provides", "one name" },
    { "[service a]\nargs = 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17\n", 2, "args", "15" },
    { SERVICE("a") "capabilities = log nobody\n", 5, "capabilities", "another service" },
    { SERVICE("a") "provides = x\ncapabilities = x\n", 6, "capabilities", "another service" },
    { SERVICE("a") "capabilities = log log\n", 5, "capabilities", "each name once" },
    { SERVICE("a") "capabilities = log:read\n", 5, "capabilities", "no rights after it" },
    { SERVICE("a") "capabilities = x:\n", 5, "capabilities", "after the colon" },
    { SERVICE("a") "capabilities = x:read,fly\n", 5, "capabilities", "after the colon" },
    { SERVICE("a") "capabilities = :read\n", 5, "capabilities", "names of capabilities" },
    { "[init]\nready_seconds = 1\n[init]\n" SERVICE("a"), 3, "", "only one [init]" },
    { SERVICE("a") "requests = fs\n", 5, "requests", "a service provides" },
    { SERVICE("a") "provides = log\n", 5, "provides", "other than log" },
    { SERVICE("a") "provides = x\n" SERVICE("b") "provides = x\n", 10, "provides",
      "no other service" },
    { "[init]\ndemo = b\n" SERVICE("a"), 2, "demo", "of this manifest" },
    { "[init]\ndemo_seconds = 0\n" SERVICE("a"), 2, "demo_seconds", "1 to 3600" },
    { "[init x]\n", 1, "", "[init]" },
    { SERVICE("a") "[rule r]\nsubject = a\nobject = fs:/x\nrights = read\n", 5, "decision",
      "lacks it" },
    { "[rule r]\nrights = read fly\n", 2, "rights", "create" },
    { "[rule r]\nrights =\n", 2, "rights", "at least one" },
    { "[rule r]\nobject = /etc/motd\n", 2, "object", "provider:name" },
    /* What nobody can ask for under that name: the rule would never speak. */
    { "[rule r]\nobject = fs:/etc/\n", 2, "object", "no part empty" },
    { "[rule r]\nobject = fs:/etc//motd\n", 2, "object", "no part empty" },
    { "[rule r]\nobject = fs:/etc/../motd\n", 2, "object", "no part empty" },
    { "[rule r]\nobject = fs:/./motd\n", 2, "object", "no part empty" },
    { "[rule r]\nobject = fs:etc/motd\n", 2, "object", "no part empty" },
    { "[rule r]\nobject = fs:etc\n", 2, "object", "no part empty" },
    { "[rule r]\nobject = fs:etc/*\n", 2, "object", "no part empty" },
    { "[rule r]\nobject = fs:e*\n", 2, "object", "no part empty" },
    { "[rule r]\nobject = fs://*\n", 2, "object", "no part empty" },
    { "[rule r]\nobject = fs:/etc/../*\n", 2, "object", "no part empty" },
    { "[rule r]\nobject = fs:/a\tb\n", 2, "object", "no part empty" },
    { "[rule r]\nobject = process:krill*\n", 2, "object", "process:kill/SERVICE" },
    { "[rule r]\nobject = process:kill/a/*\n", 2, "object", "process:kill/SERVICE" },
    { "[rule r]\nobject = process:/*\n", 2, "object", "process:kill/SERVICE" },
    /* One bit, two rights. */
    { SERVICE("a") "[rule r]\nsubject = a\nobject = fs:/x\nrights = read kill\n"
                   "decision = allow\n",
      8, "rights", "of process:" },
    { SERVICE("a") "[rule r]\nrights = remove\nsubject = a\nobject = process:kill\n"
                   "decision = ask\n",
      6, "rights", "kill" },
    { SERVICE("a") "capabilities = x:kill\n", 5, "capabilities", "after the colon" },
    { "[rule r]\nobject = process:kil\n", 2, "object", "process:kill/SERVICE" },
    { "[rule r]\nobject = process:/a\n", 2, "object", "process:kill/SERVICE" },
    { "[rule r]\nobject = process:kill/\n", 2, "object", "process:kill/SERVICE" },
    { "[rule r]\nobject = process:kill/a/b\n", 2, "object", "process:kill/SERVICE" },
    { SERVICE("a") "[rule r]\nsubject = a\nobject = process:kill/b\nrights = kill\ndecision = "
                   "deny\n",
      7, "object", "of this manifest" },
    { "[rule r]\ndecision = maybe\n", 2, "decision", "allow, ask or deny" },
    { "[rule r]\ntier = none\n", 2, "tier", "critical" },
    { "[rule r]\nlease_ms = 3600001\n", 2, "lease_ms", "3600000" },
    { "[rule r]\nlease_ms = 0\n", 2, "lease_ms", "3600000" },
    { "[rule r]\ndepth = 2\n", 2, "depth", "1 or any" },
    { "[init]\nconsent_seconds = 0\n", 2, "consent_seconds", "1 to 3600" },
    { "[rule r]\nsubject = a b\n", 2, "subject", "or *" },
    { SERVICE("a") "[rule r]\nsubject = b\nobject = fs:/x\nrights = read\ndecision = allow\n", 6,
      "subject", "of this manifest" },
    { SERVICE("a") "[rule r]\nsubject = a\nobject = fs:/x\nrights = read\ndecision = allow\ntier = "
                   "high\n"
                   "lease_ms = 60001\n",
      11, "lease_ms", "what the tier allows" },
    { "[init]\nseconds = 1\n" SERVICE("a"), 2, "seconds", "demo_seconds" },
    { "[rule r]\nleese_ms = 1\n", 2, "leese_ms", "lease_ms" },
    { "\xef\xbb\xbf[init]\n" SERVICE("a"), 1, "", "byte order mark" },
    { "[service init]\n", 1, "", "other than init and kernel" },
    { "[service kernel]\n", 1, "", "other than init and kernel" },
    { SERVICE("a") "capabilities = log com1\n" SERVICE("b") "capabilities = com1 log\n", 10,
      "capabilities", "one service alone" },
    { SERVICE("a") "capabilities = leases\n" SERVICE("b") "capabilities = leases\n", 10,
      "capabilities", "one service alone" },
    { "[service a]\nargs = 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16\n", 2, "args", "15 words" },
    { "[service a/b]\n", 1, "", "1 to 31 letters" },
};

TEST(a_section_can_get_less_than_a_provider_has)
{
    check_good(SERVICE("a") "provides = fs\n" SERVICE("b") "provides = tty\n" SERVICE(
        "c") "capabilities = log tty:write fs:read,list process\nrequests = fs process\n");
    CHECK_EQ(manifest.service[2].capabilities.count, 4);
    CHECK(kozo_str_is(manifest.service[2].capabilities.word[1], "tty"));
    CHECK_EQ(manifest.service[2].user_rights[0], 0xff);
    CHECK_EQ(manifest.service[2].user_rights[1], RIGHT_WRITE);
    CHECK_EQ(manifest.service[2].user_rights[2], RIGHT_READ | RIGHT_LIST);
    CHECK_EQ(manifest.service[2].user_rights[3], 0xff);
}

TEST(a_rule_for_a_power_is_for_that_over_one_service_or_over_each)
{
#define POWER(name, object)                                                                        \
    "[rule " name "]\nsubject = a\nobject = " object "\nrights = kill\ndecision = ask\n"
    check_good(SERVICE("a") POWER("r", "process:kill") POWER("s", "process:kill/a")
                   POWER("t", "process:kill/b*") POWER("u", "process:*"));
    CHECK(kozo_str_is(manifest.rule[0].object, "process:kill/*"));
    CHECK(kozo_str_is(manifest.rule[1].object, "process:kill/a"));
    CHECK(kozo_str_is(manifest.rule[2].object, "process:kill/b*"));
    CHECK(kozo_str_is(manifest.rule[3].object, "process:*"));
}

TEST(a_rule_is_for_what_can_be_asked_for)
{
#define FILES(name, object)                                                                        \
    "[rule " name "]\nsubject = a\nobject = " object "\nrights = read remove\ndecision = deny\n"
    check_good(SERVICE("a") FILES("r", "fs:/") FILES("s", "fs:/*") FILES("t", "fs:*")
                   FILES("u", "fs:/.*") FILES("v", "fs:/etc/..*") FILES("w", "fs:/e*"));
    check_good(SERVICE("a") FILES("r", "fs:/etc/*") FILES("s", "fs:/etc/a*b/c") FILES("t", "*")
                   FILES("u", "fs:/etc/...") POWER("v", "process:kil*") POWER("w", "*"));
}

TEST(init_has_no_section_or_one)
{
    check_good(SERVICE("a"));
    CHECK_EQ(manifest.demo.len, 0);
    check_good("[init]\n" SERVICE("a"));
}

/* The texts of what is expected name every field there is. */
TEST(an_unknown_field_is_answered_with_all_that_are_known)
{
    static const struct {
        const char *conf;
        const struct field *fields;
    } kind[] = { { "[service a]\nx = 1\n", fields_of_service },
                 { "[rule a]\nx = 1\n", fields_of_rule },
                 { "[init]\nx = 1\n", fields_of_init } };

    for (unsigned i = 0; i < 3; i++) {
        const char *expected = parse(kind[i].conf).expected;

        for (const struct field *f = kind[i].fields; f->name != nullptr; f++)
            CHECK(strstr(expected, f->name) != nullptr);
    }
}

TEST(a_field_that_is_missing_is_told_with_its_section)
{
    struct manifest_problem p = parse("\n[service a]\nbinary = bin/a\nmemory = 1M\n");

    CHECK(p.missing);
    CHECK_EQ(p.line, 2);
    CHECK(kozo_str_is(p.field, "sha256"));
    CHECK(kozo_str_is(p.value, "service a"));
    CHECK(!parse("[service a]\nmemory = x\n").missing);
}

TEST(words_for_a_program_fit_its_start_page)
{
    static char conf[2048];

    for (int over = 0; over < 2; over++) {
        snprintf(conf, sizeof conf, SERVICE("a") "args = %0*d %0*d\n", 500, 0, 522 + over, 0);
        CHECK((parse(conf).expected == nullptr) == (over == 0));
    }
}

TEST(what_is_wrong_is_named)
{
    for (unsigned i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct manifest_problem p = parse(wrong[i].conf);

        if (p.expected == nullptr)
            FAIL("accepted: %s", wrong[i].conf);
        if (p.line != wrong[i].line || !kozo_str_is(p.field, wrong[i].field) ||
            strstr(p.expected, wrong[i].expected) == nullptr)
            FAIL("line %u, field %.*s, expected %s, for:\n%s", p.line, (int)p.field.len, p.field.at,
                 p.expected, wrong[i].conf);
    }
}

TEST(a_nul_byte_is_refused)
{
    static const char conf[] = "[init]\ndemo = a\0b\n";

    CHECK_EQ(manifest_parse(&manifest, (struct kozo_str){ conf, sizeof conf - 1 }).line, 2);
}

TEST(too_many_services_are_refused)
{
    static char conf[MANIFEST_BYTES];
    size_t used = 0;

    for (unsigned i = 0; i <= MANIFEST_SERVICES; i++)
        used +=
            (size_t)snprintf(conf + used, sizeof conf - used,
                             "[service s%u]\nbinary = bin/s\nsha256 = " HASH "\nmemory = 64K\n", i);
    CHECK(strstr(parse(conf).expected, "at most 32") != nullptr);
}

TEST(a_manifest_of_more_than_64_kib_is_refused)
{
    char *conf = malloc(MANIFEST_BYTES + 1);
    struct manifest_problem p;

    memset(conf, '\n', MANIFEST_BYTES + 1);
    p = manifest_parse(&manifest, (struct kozo_str){ conf, MANIFEST_BYTES + 1 });
    free(conf);
    CHECK(strstr(p.expected, "65536") != nullptr);
}

/*
 * Whatever the bytes are, parsing ends and looks at none beyond them (which the sanitizers would
 * tell).
 */
TEST(any_cut_or_changed_manifest_is_answered)
{
    static const char conf[] =
        SERVICE("a") "provides = fs\n[rule r]\nsubject = a\nobject = fs:/x # c\nrights = read\n"
                     "decision = allow\n[init]\ndemo = a\n";
    uint32_t seed = 1;

    for (size_t n = 0; n < sizeof conf; n++) {
        char *copy = malloc(n + 1);

        memcpy(copy, conf, n);
        (void)manifest_parse(&manifest, (struct kozo_str){ copy, n }).expected;
        for (unsigned k = 0; n > 0 && k < 20; k++) {
            seed = seed * 1664525 + 1013904223;
            copy[seed % n] = (char)(seed >> 24);
            (void)manifest_parse(&manifest, (struct kozo_str){ copy, n }).expected;
        }
        free(copy);
    }
}
