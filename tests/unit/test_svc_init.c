/* SPDX-License-Identifier: MIT */
/* init: the demonstration's steps, commands, lines, faults. */
#include "unit.h"

#include "common/fault.h"
#include "common/identity.h"
#include "init/commands.h"
#include "init/demo.h"
#include "init/lines.h"

#include <kozo/error.h>
#include <stdio.h>
#include <string.h>

#define HASH "0000000000000000000000000000000000000000000000000000000000000000"
#define SERVICE(name) "[service " name "]\nbinary = b\nsha256 = " HASH "\nmemory = 64K\n"

/* ---- the demonstration ---- */

static const char conf[] = "[init]\ndemo = hello\n" SERVICE("policy") "provides = policy\n" SERVICE(
    "hello") "args = /etc/motd\ncapabilities = log policy\n[rule motd]\nsubject = hello\nobject = "
             "fs:/etc/motd\n"
             "rights = read\ndecision = allow\nlease_ms = 200\n";
static const char file[] = "line one\nline two\n";
static struct manifest manifest;
static struct demo demo;
static struct demo_facts facts;
static uint64_t now_ms;

static void begin_with(const void *bytes, uint64_t len)
{
    CHECK_PTR(manifest_parse(&manifest, kozo_str(conf)).expected, nullptr);
    demo_begin(&demo, &manifest, (struct kozo_bytes){ bytes, len });
    facts = (struct demo_facts){ .caps = 2, .endpoints = 2 };
    now_ms = 50;
}

static void audited(enum audit_result result, uint8_t rights, uint32_t lease_ms)
{
    char line[AUDIT_BYTES];
    struct audit a = { .at_ms = now_ms,
                       .who = kozo_str("hello"),
                       .object = kozo_str("fs:/etc/motd"),
                       .rights = rights,
                       .result = result,
                       .lease_ms = lease_ms,
                       .rule = kozo_str("motd"),
                       .reason = kozo_str("because"),
                       .hint = kozo_str("do this") };

    demo_audit(&demo, (struct kozo_str){ line, audit_write(line, sizeof line, &a) });
}

static bool report(const char *name, const char *got)
{
    return demo_report(&demo, kozo_str(name), true, kozo_str(got), &facts);
}

static void print(const char *text)
{
    demo_printed(&demo, kozo_str(text));
}

static const char *contents(void)
{
    static char text[128];
    char hex[KOZO_SHA256_HEX];
    uint8_t digest[KOZO_SHA256_BYTES];

    kozo_sha256(file, sizeof file - 1, digest);
    kozo_sha256_to_hex(digest, hex);
    snprintf(text, sizeof text, "%zu bytes, sha256 %s", sizeof file - 1, hex);
    return text;
}

/* Goes on until `next` is the step to come, as hello would. */
static void go_to(enum demo_step next)
{
    begin_with(file, sizeof file - 1);
    if (next > DEMO_BORN)
        CHECK(report(STEP_BORN, "log policy"));
    if (next > DEMO_GRANTED) {
        audited(AUDIT_GRANTED, 1, 200);
        facts = (struct demo_facts){ 3, 3, 1 };
        CHECK(report(STEP_GRANTED, "read on fs:/etc/motd for 200 ms"));
    }
    if (next > DEMO_CONTENTS) {
        print(file);
        CHECK(report(STEP_CONTENTS, contents()));
    }
    if (next > DEMO_BOUNDED) {
        facts.caps = facts.endpoints = 4;
        CHECK(report(STEP_BOUNDED, "read"));
        facts.caps = facts.endpoints = 3;
    }
    if (next > DEMO_DENIED) {
        audited(AUDIT_DENIED, 2, 0);
        CHECK(report(STEP_DENIED, "denied: because"));
    }
}

TEST(six_steps_make_the_demonstration)
{
    go_to(DEMO_EXPIRED);
    CHECK(!demo_done(&demo));
    now_ms += 200;
    audited(AUDIT_EXPIRED, 1, 0);
    facts = (struct demo_facts){ 2, 2, 0 };
    CHECK(report(STEP_EXPIRED, kozo_err_text(KOZO_ERR_EMPTY)));
    CHECK(demo_done(&demo));
}

TEST(without_a_demonstration_nothing_is_waited_for)
{
    CHECK_PTR(manifest_parse(&manifest, kozo_str(SERVICE("a"))).expected, nullptr);
    demo_begin(&demo, &manifest, (struct kozo_bytes){});
    CHECK(demo_done(&demo));
    CHECK_EQ(demo_file(&manifest).len, 0);
}

TEST(the_file_is_the_services_argument)
{
    begin_with(file, sizeof file - 1);
    CHECK(kozo_str_is(demo_file(&manifest), "etc/motd"));
}

TEST(steps_come_in_order)
{
    go_to(DEMO_GRANTED);
    CHECK(!report(STEP_CONTENTS, contents()));
    CHECK_STR(demo.got, "step contents");
    go_to(DEMO_GRANTED);
    CHECK(!report(STEP_BORN, "log policy"));
}

TEST(a_step_that_its_service_calls_failed_has_failed)
{
    begin_with(file, sizeof file - 1);
    CHECK(!demo_report(&demo, kozo_str(STEP_BORN), false, kozo_str("log policy"), &facts));
    CHECK_STR(demo.expected, "log policy");
}

TEST(it_holds_two_capabilities_and_no_more)
{
    begin_with(file, sizeof file - 1);
    CHECK(!report(STEP_BORN, "log"));
    CHECK_STR(demo.expected, "log policy");
    CHECK_STR(demo.got, "log");
    CHECK(!report(STEP_BORN, "log policy fs"));
    CHECK(!report(STEP_BORN, "log log"));
    facts.caps = 3;
    CHECK(!report(STEP_BORN, "log policy"));
    CHECK(strstr(demo.got, "by the kernel") != nullptr);
}

TEST(a_grant_must_stand_in_the_audit_and_in_its_space)
{
    go_to(DEMO_GRANTED);
    facts = (struct demo_facts){ 3, 3, 1 };
    CHECK(!report(STEP_GRANTED, "read on fs:/etc/motd for 200 ms")); /* no audit */
    audited(AUDIT_GRANTED, 1, 300);
    CHECK(!report(STEP_GRANTED, "read on fs:/etc/motd for 300 ms")); /* not the rule's lease */
    CHECK_STR(demo.expected, "read on fs:/etc/motd for 200 ms");
    audited(AUDIT_GRANTED, 1, 200);
    facts.gained = 3;
    CHECK(!report(STEP_GRANTED, "read on fs:/etc/motd for 200 ms")); /* more rights */
    facts = (struct demo_facts){ 2, 2, 0 };
    CHECK(!report(STEP_GRANTED, "read on fs:/etc/motd for 200 ms")); /* no capability */
    audited(AUDIT_DENIED, 1, 0);
    CHECK(!report(STEP_GRANTED, "denied: because"));
    CHECK_STR(demo.got, "denied: because");
}

TEST(contents_must_be_printed)
{
    go_to(DEMO_CONTENTS);
    CHECK(!report(STEP_CONTENTS, contents()));
    print("line one\nline 2wo\n");
    CHECK(!report(STEP_CONTENTS, contents()));
    go_to(DEMO_CONTENTS);
    print("line one\n");
    print("line two\n");
    CHECK(!report(STEP_CONTENTS, "18 bytes, sha256 0"));
    CHECK_STR(demo.expected, contents());
    CHECK(report(STEP_CONTENTS, contents()));
}

TEST(more_than_the_contents_is_too_much)
{
    go_to(DEMO_CONTENTS);
    print(file);
    print("more");
    CHECK(!report(STEP_CONTENTS, contents()));
}

TEST(a_file_without_line_end_gets_one_and_a_nul_is_shown)
{
    static const char odd[] = { 'a', '\0', 'b' };

    go_to(DEMO_CONTENTS);
    demo.file = (struct kozo_bytes){ odd, sizeof odd };
    print("a?b\n");
    (void)demo_expects(&demo);
    CHECK(report(STEP_CONTENTS, demo.expected));
}

TEST(of_a_long_file_the_beginning_is_printed)
{
    static char long_file[3 * STEP_PRINTS];

    memset(long_file, 'x', sizeof long_file);
    go_to(DEMO_CONTENTS);
    demo.file = (struct kozo_bytes){ long_file, sizeof long_file };
    demo_printed(&demo, (struct kozo_str){ long_file, STEP_PRINTS });
    print("\n");
    (void)demo_expects(&demo);
    CHECK(report(STEP_CONTENTS, demo.expected));
}

TEST(a_file_that_does_not_exist_cannot_be_read)
{
    go_to(DEMO_CONTENTS);
    demo.file = (struct kozo_bytes){};
    (void)demo_expects(&demo);
    CHECK(!report(STEP_CONTENTS, demo.expected));
}

TEST(rights_gained_are_seen_by_the_kernel)
{
    go_to(DEMO_BOUNDED);
    facts.gained = 3;
    CHECK(!report(STEP_BOUNDED, "read"));
    go_to(DEMO_BOUNDED);
    CHECK(!report(STEP_BOUNDED, "read write"));
}

TEST(a_denial_needs_audit_reason_and_hint)
{
    go_to(DEMO_DENIED);
    CHECK(!report(STEP_DENIED, "granted"));
    CHECK(!report(STEP_DENIED, "denied: because"));
    audited(AUDIT_DENIED, 2, 0);
    CHECK(!report(STEP_DENIED, "denied: out of spite"));
    CHECK(!report(STEP_DENIED, "denied:"));
    CHECK(report(STEP_DENIED, "denied: becau")); /* what a message could not hold is cut off */
    go_to(DEMO_DENIED);
    audited(AUDIT_GRANTED, 2, 100);
    CHECK(!report(STEP_DENIED, "denied: because"));
}

TEST(after_the_lease_nothing_is_left)
{
    go_to(DEMO_EXPIRED);
    facts = (struct demo_facts){ 2, 2, 0 };
    CHECK(!report(STEP_EXPIRED, kozo_err_text(KOZO_ERR_EMPTY)));
    now_ms += 200;
    audited(AUDIT_EXPIRED, 1, 0);
    CHECK(!report(STEP_EXPIRED, "still works"));
    facts.caps = 3;
    CHECK(!report(STEP_EXPIRED, kozo_err_text(KOZO_ERR_EMPTY)));
}

TEST(a_lease_that_ends_early_is_noticed)
{
    go_to(DEMO_EXPIRED);
    now_ms += 100;
    audited(AUDIT_EXPIRED, 1, 0);
    facts = (struct demo_facts){ 2, 2, 0 };
    CHECK(!report(STEP_EXPIRED, kozo_err_text(KOZO_ERR_EMPTY)));
    CHECK(strstr(demo.got, "too early") != nullptr);
}

TEST(steps_that_a_lease_was_too_short_for_begin_again)
{
    for (uint32_t next = DEMO_GRANTED; next <= DEMO_DENIED; next++) {
        go_to(next);
        if (next == DEMO_GRANTED)
            audited(AUDIT_GRANTED, 1, 200);
        print("line"); /* before it ended */
        CHECK(!demo_begins_again(&demo));
        now_ms += 200;
        audited(AUDIT_EXPIRED, 1, 200);
        if (next == DEMO_DENIED)
            audited(AUDIT_DENIED, 2, 0); /* asked for by who does not know yet */
        CHECK(demo_begins_again(&demo));
        CHECK(!demo_begins_again(&demo));
        CHECK_EQ(demo.next, DEMO_GRANTED);
        audited(AUDIT_GRANTED, 1, 200);
        CHECK(!demo_begins_again(&demo));
        facts = (struct demo_facts){ 3, 3, 1 };
        CHECK(report(STEP_GRANTED, "read on fs:/etc/motd for 200 ms"));
        print(file);
        CHECK(report(STEP_CONTENTS, contents()));
    }
}

TEST(no_other_end_of_a_lease_lets_steps_begin_again)
{
    go_to(DEMO_CONTENTS);
    now_ms += 199;
    audited(AUDIT_EXPIRED, 1, 200); /* too early */
    CHECK(!demo_begins_again(&demo));
    go_to(DEMO_CONTENTS);
    now_ms += 200;
    audited(AUDIT_REVOKED, 1, 200);
    CHECK(!demo_begins_again(&demo));
    go_to(DEMO_EXPIRED);
    now_ms += 200;
    audited(AUDIT_EXPIRED, 1, 200);
    CHECK(!demo_begins_again(&demo)); /* this one is what it waits for */
}

TEST(another_services_audit_is_not_its)
{
    char line[AUDIT_BYTES];
    struct audit a = { .who = kozo_str("policy"), .result = AUDIT_GRANTED };

    begin_with(file, sizeof file - 1);
    demo_audit(&demo, (struct kozo_str){ line, audit_write(line, sizeof line, &a) });
    CHECK_STR(demo.audit, "");
}

TEST(each_step_says_what_it_waits_for)
{
    for (uint32_t step = DEMO_BORN; step < DEMO_STEPS; step++) {
        begin_with(file, sizeof file - 1);
        demo.next = step;
        CHECK(strlen(demo_expects(&demo)) > 0);
        CHECK(strlen(demo_step_name(step)) > 0);
    }
}

/* ---- commands ---- */

TEST(a_list_of_commands_is_cut_at_semicolons)
{
    struct kozo_str list = kozo_str(" ; poweroff 3 ;; ls /;");

    CHECK(kozo_str_is(commands_cut(&list), "poweroff 3"));
    CHECK(kozo_str_is(commands_cut(&list), "ls /"));
    CHECK_EQ(commands_cut(&list).len, 0);
    CHECK_EQ(commands_cut(&list).len, 0);
}

TEST(poweroff_carries_a_status)
{
    struct command_result r = command_run(kozo_str("poweroff"), 5);

    CHECK(r.power_off && r.status == 5 && r.error == nullptr);
    r = command_run(kozo_str("poweroff 0"), 5);
    CHECK(r.power_off && r.status == 0 && r.error == nullptr);
    r = command_run(kozo_str("poweroff 63"), 0);
    CHECK(r.power_off && r.status == 63);
    r = command_run(kozo_str("poweroff 64"), 0);
    CHECK(!r.power_off && r.status == 1 && r.error != nullptr);
    r = command_run(kozo_str("poweroff now"), 0);
    CHECK(!r.power_off && r.status == 1 && r.error != nullptr);
    r = command_run(kozo_str("poweroff 1 2"), 0);
    CHECK(!r.power_off && r.status == 1 && r.error != nullptr);
}

TEST(an_unknown_command_is_an_error)
{
    struct command_result r = command_run(kozo_str("dance"), 0);

    CHECK(!r.power_off && r.status == 1 && r.error != nullptr);
}

/* ---- lines ---- */

static char seen[4096];

static void take_line(void *context, struct kozo_str line)
{
    size_t used = strlen(seen);

    (void)context;
    snprintf(seen + used, sizeof seen - used, "<%.*s>", (int)line.len, line.at);
}

TEST(pieces_become_lines)
{
    static struct lines l;

    seen[0] = '\0';
    l.used = 0;
    lines_add(&l, kozo_str("one "), take_line, nullptr);
    CHECK_STR(seen, "");
    lines_add(&l, kozo_str("line\ntwo\n\nrest"), take_line, nullptr);
    CHECK_STR(seen, "<one line><two><>");
    lines_flush(&l, take_line, nullptr);
    lines_flush(&l, take_line, nullptr);
    CHECK_STR(seen, "<one line><two><><rest>");
}

TEST(a_line_too_long_is_broken)
{
    static struct lines l;
    static char text[LINES_BYTES + 10];

    seen[0] = '\0';
    l.used = 0;
    memset(text, 'x', sizeof text);
    text[sizeof text - 1] = '\n';
    lines_add(&l, (struct kozo_str){ text, sizeof text }, take_line, nullptr);
    CHECK_EQ(strlen(seen), LINES_BYTES + 2 + 9 + 2);
    seen[0] = '\0';
    text[LINES_BYTES] = '\n';
    lines_add(&l, (struct kozo_str){ text, LINES_BYTES + 1 }, take_line, nullptr);
    CHECK_EQ(strlen(seen), LINES_BYTES + 2);
}

/* ---- faults ---- */

static const char *described(uint64_t fault, uint64_t address, uint64_t access)
{
    static char text[256];
    struct line l = line_begin(text, sizeof text);
    uint64_t word[KOZO_MSG_REGS] = { fault, address, 0x401000, 0x20bff8, 0, 0, access };
    struct place_map map = { .service = kozo_str("fsd") };

    place_add(&map, "stack", 0x204000, 0x8000, KOZO_READ | KOZO_WRITE);
    fault_describe(&l, word, &map);
    return text;
}

TEST(faults_are_told_in_words)
{
    CHECK_STR(described(KOZO_FAULT_PAGE, 8, KOZO_WRITE),
              "page fault, write to 0x8 (a null pointer), at ip 0x401000, sp 0x20bff8");
    CHECK_STR(described(KOZO_FAULT_PAGE, 0x203ff8, KOZO_WRITE),
              "page fault, write to 0x203ff8 (8 bytes below the stack of fsd: stack "
              "overflow), at ip 0x401000, sp 0x20bff8");
    CHECK_STR(
        described(KOZO_FAULT_PAGE, 0xffff800000000000, KOZO_READ),
        "page fault, read of 0xffff800000000000 (not a user address), at ip 0x401000, sp 0x20bff8");
    CHECK_STR(described(KOZO_FAULT_OPCODE, 0, 0), "invalid opcode, at ip 0x401000, sp 0x20bff8");
    CHECK_STR(described(KOZO_FAULT_EXIT, 3, 0), "it ended with status 3");
    CHECK_STR(described(KOZO_FAULT_SYSCALL, 0, 123),
              "system call for a handler, number 123, at ip 0x401000, sp "
              "0x20bff8");
}

TEST(the_longest_place_is_told_to_its_end)
{
    static const char name[] = "a-name-of-thirty-one-letters-ab";
    uint64_t word[KOZO_MSG_REGS] = { KOZO_FAULT_PAGE, 0x123456789abc, 0x401000, 0x20bff8,
                                     0,               0,              KOZO_READ };
    struct place_map map = { .service = { name, sizeof name - 1 } };
    char text[256];
    struct line l = line_begin(text, sizeof text);

    place_add(&map, "message buffer", 0x202000, 0x1000, KOZO_READ);
    place_add(&map, "read-only data", 0x700000000000, 0x1000, KOZO_READ);
    fault_describe(&l, word, &map);
    CHECK_STR(text, "page fault, read of 0x123456789abc (in nothing mapped, between the message "
                    "buffer of a-name-of-thirty-one-letters-ab and the read-only data of "
                    "a-name-of-thirty-one-letters-ab), at ip 0x401000, sp 0x20bff8");
}

/* ---- identity ---- */

TEST(a_badge_names_a_service_and_its_life)
{
    uint64_t badge = identity_badge(1, 7);

    begin_with(file, sizeof file - 1);
    CHECK_PTR(identity_service(&manifest, badge), &manifest.service[1]);
    CHECK_EQ(identity_life(badge), 7);
    CHECK(identity_badge(1, 8) != badge);
    CHECK_PTR(identity_service(&manifest, 0), nullptr);
    CHECK_PTR(identity_service(&manifest, identity_badge(2, 1)), nullptr);
    CHECK_EQ(identity_badge(0, UINT32_MAX) >> 62, 0);
}

TEST(a_bound_badge_says_to_which_service_and_for_whom)
{
    uint64_t own = identity_badge(1, 7), most = identity_badge(31, 0x3fffffff);
    uint64_t bound = identity_bind(own, 31, identity_badge(31, 9) | IDENTITY_LENT);

    begin_with(file, sizeof file - 1);
    CHECK(!identity_is_bound(own) && !identity_is_bound(most) && !identity_is_bound(0));
    CHECK(identity_is_bound(bound) && identity_is_bound(identity_bind(own, 0, 0)));
    CHECK_EQ(identity_target(bound), 31);
    CHECK_EQ(identity_target(identity_bind(most, 0, 0)), 0);
    CHECK_EQ(identity_client(bound), 32 | IDENTITY_LENT);
    CHECK_EQ(identity_client(identity_bind(own, 31, identity_badge(0, 9))), 1);
    CHECK_EQ(identity_client(identity_bind(most, 31, 0)), 0);
    /* It is its bearer's, in that life, and of nobody's own making. */
    CHECK_PTR(identity_service(&manifest, bound), &manifest.service[1]);
    CHECK_EQ(identity_service_badge(bound), own);
    CHECK_EQ(identity_service_badge(identity_bind(most, 31, most | IDENTITY_LENT)), most);
    CHECK_EQ(bound >> 62, 0);
}

TEST(what_is_lent_to_a_program_has_a_number)
{
    uint64_t own = identity_badge(1, 7), first = identity_lent_as(own, 1);

    CHECK_EQ(identity_lend(own), 0);
    CHECK_EQ(identity_lend(own | IDENTITY_LENT), 0);
    CHECK_EQ(identity_lend(first), 1);
    CHECK_EQ(identity_lend(identity_lent_as(own, 0xffff)), 0xffff);
    CHECK_EQ(identity_lend(identity_lent_as(own, 0x10000)), 1); /* and never 0 */
    CHECK_EQ(identity_service_badge(first), own);
    CHECK_EQ(identity_requester(first), identity_requester(own | IDENTITY_LENT));
    CHECK_EQ(identity_life(first), 7);
    CHECK_EQ(identity_client(identity_bind(own, 0, first)), 2 | IDENTITY_LENT);
}

TEST(who_asks_by_a_lent_copy_is_counted_apart_and_has_the_same_name)
{
    uint64_t badge = identity_badge(1, 7), lent = badge | IDENTITY_LENT;

    begin_with(file, sizeof file - 1);
    CHECK_PTR(identity_service(&manifest, lent), &manifest.service[1]);
    CHECK_EQ(identity_life(lent), 7);
    CHECK(identity_requester(lent) != identity_requester(badge));
    CHECK(identity_requester(lent) < IDENTITY_REQUESTERS);
    CHECK_EQ(identity_requester(identity_badge(1, 8)), identity_requester(badge));
    CHECK(identity_requester(identity_badge(2, 7)) != identity_requester(lent));
    CHECK(identity_requester(0) >= IDENTITY_REQUESTERS);
}
