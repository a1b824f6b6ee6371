/* SPDX-License-Identifier: MIT */
/* Denial lines: their text, ten a second for each requester, the rest counted. */
#include "unit.h"

#include "common/denial.h"
#include "common/identity.h"

#include <stdio.h>
#include <string.h>

#define S 1000000000ull

static struct denials denials;
static char last[DENIAL_BYTES];
static uint32_t lines;

static void keep(void *context, struct kozo_str line)
{
    (void)context;
    lines++;
    snprintf(last, sizeof last, "%.*s", (int)line.len, line.at);
}

static void begin(void)
{
    denials = (struct denials){};
    lines = 0;
    last[0] = '\0';
}

static void refuse(uint32_t who, const char *name, uint64_t now)
{
    denial_tell(&denials, who, now,
                &(struct denial){ .who = kozo_str(name),
                                  .object = kozo_str("fs:/x"),
                                  .asked = kozo_str("write"),
                                  .held = kozo_str("read"),
                                  .rule = kozo_str("no"),
                                  .hint = kozo_str("ask") },
                keep, nullptr);
}

TEST(a_line_says_who_what_which_rights_rule_and_hint)
{
    begin();
    refuse(0, "hello", 0);
    CHECK_STR(last, "denied: who=hello object=\"fs:/x\" asked=\"write\" held=\"read\" rule=no "
                    "hint=\"ask\"");
}

TEST(what_is_not_known_is_said_too)
{
    begin();
    denial_tell(&denials, 77, 5, &(struct denial){ .object = kozo_str("x") }, keep, nullptr);
    CHECK_STR(last, "denied: who=unknown object=\"x\" asked=\"none\" held=\"none\" rule=none "
                    "hint=\"none\"");
}

TEST(text_of_requesters_cannot_pretend_to_be_a_field_or_drive_a_terminal)
{
    begin();
    denial_tell(
        &denials, 0, 5,
        &(struct denial){ .who = kozo_str("a"), .object = kozo_str("x\" held=\"all\n\x1b[2J") },
        keep, nullptr);
    CHECK(strchr(last, '\n') == nullptr && strchr(last, 0x1b) == nullptr);
    CHECK(strstr(last, "object=\"x\\x22 held=\\x22all\\x0a\\x1b[2J\"") != nullptr);
}

TEST(ten_lines_a_second_and_then_a_count)
{
    begin();
    for (int i = 0; i < 47; i++)
        refuse(3, "loud", 100 * S / 100 + (uint64_t)i);
    CHECK_EQ(lines, 10);
    refuse(3, "loud", 2 * S);
    CHECK_EQ(lines, 12);
    CHECK(strncmp(last, "denied: who=loud object=", 24) == 0);
}

TEST(the_count_is_told_though_nothing_more_is_refused)
{
    begin();
    for (int i = 0; i < 47; i++)
        refuse(3, "loud", 5 * S + (uint64_t)i);
    CHECK_EQ(denial_deadline(&denials), 6 * S);
    denial_settle(&denials, 6 * S - 1, keep, nullptr);
    CHECK_EQ(lines, 10);
    denial_settle(&denials, 6 * S, keep, nullptr);
    CHECK_EQ(lines, 11);
    CHECK_STR(last, "denied: who=loud and 37 more since 5000 ms");
    CHECK_EQ(denial_deadline(&denials), UINT64_MAX);
    denial_settle(&denials, 100 * S, keep, nullptr);
    CHECK_EQ(lines, 11);
}

TEST(one_requester_does_not_silence_another)
{
    begin();
    for (int i = 0; i < 1000; i++)
        refuse(3, "loud", S);
    lines = 0;
    refuse(4, "quiet", S);
    refuse(DENIAL_WHO, "", S);
    CHECK_EQ(lines, 2);
}

TEST(a_quiet_second_gives_ten_lines_again)
{
    begin();
    for (int i = 0; i < 10; i++)
        refuse(0, "a", S);
    CHECK_EQ(denial_deadline(&denials), UINT64_MAX);
    for (int i = 0; i < 10; i++)
        refuse(0, "a", 2 * S);
    CHECK_EQ(lines, 20);
}

TEST(a_long_text_is_cut_and_the_line_stays_one)
{
    static char big[4 * DENIAL_BYTES];

    begin();
    memset(big, 'x', sizeof big - 1);
    denial_tell(&denials, 0, 0,
                &(struct denial){ .object = kozo_str(big), .hint = kozo_str(big) }, keep, nullptr);
    CHECK_EQ(lines, 1);
    CHECK_EQ(strlen(last), DENIAL_BYTES - 1);
}

static const struct denial_names server = { .object = "server",
                                            .right = { "look", "touch", "take" },
                                            .hint = "ask" };

TEST(rights_of_a_capability_are_told_by_the_names_its_server_gives_them)
{
    begin();
    denial_of_rights(&denials, nullptr, identity_badge(0, 1), 3, 4, &server, 0, keep, nullptr);
    CHECK_STR(last, "denied: who=unknown object=\"server\" asked=\"take\" held=\"look touch\" "
                    "rule=none hint=\"ask\"");
    denial_of_rights(&denials, nullptr, identity_badge(0, 1), 0x88, 0x81, &server, 0, keep,
                     nullptr);
    CHECK_STR(last, "denied: who=unknown object=\"server\" asked=\"look\" held=\"none\" "
                    "rule=none hint=\"ask\"");
}

TEST(lines_of_another_form_count_too)
{
    unsigned passed = 0;

    begin();
    for (unsigned i = 0; i < GATE_LINES; i++)
        refuse(0, "a", 0);
    CHECK(!denial_pass(&denials, 0, 0, kozo_str("a"), keep, nullptr));
    CHECK_EQ(lines, GATE_LINES);
    CHECK(denial_pass(&denials, 1, 0, kozo_str("b"), keep, nullptr)); /* nobody else's */
    CHECK(denial_pass(&denials, 0, S, kozo_str("a"), keep, nullptr));
    CHECK_STR(last, "denied: who=a and 1 more since 0 ms");
    while (denial_pass(&denials, 2, S, kozo_str("c"), keep, nullptr))
        passed++;
    CHECK_EQ(passed, GATE_LINES);
}
