/* SPDX-License-Identifier: MIT */
/* Words, lines, names and the command line, as services read them. */
#include "unit.h"

#include "common/audit.h"
#include "common/cmdline.h"
#include "common/object.h"
#include "common/rights.h"

#include <stdio.h>
#include <string.h>

static const char *text(struct kozo_str s)
{
    static char copy[8][256];
    static unsigned next;
    char *to = copy[next++ % 8];

    snprintf(to, sizeof copy[0], "%.*s", (int)s.len, s.len > 0 ? s.at : "");
    return to;
}

TEST(cut_leaves_the_rest)
{
    struct kozo_str rest = kozo_str("a=b=c");

    CHECK_STR(text(text_cut(&rest, '=')), "a");
    CHECK_STR(text(rest), "b=c");
    CHECK_STR(text(text_cut(&rest, ';')), "b=c");
    CHECK_EQ(rest.len, 0);
    CHECK_EQ(text_cut(&rest, ';').len, 0);
}

TEST(words_are_parted_by_blanks)
{
    struct kozo_str rest = kozo_str("  log\t policy  ");

    CHECK_STR(text(text_cut_word(&rest)), "log");
    CHECK_STR(text(text_cut_word(&rest)), "policy");
    CHECK_EQ(text_cut_word(&rest).len, 0);
}

TEST(patterns_end_with_a_star_or_match_exactly)
{
    CHECK(text_matches(kozo_str("fs:/etc/*"), kozo_str("fs:/etc/motd")));
    CHECK(text_matches(kozo_str("fs:/etc/*"), kozo_str("fs:/etc/")));
    CHECK(text_matches(kozo_str("*"), kozo_str("anything")));
    CHECK(text_matches(kozo_str("fs:/etc/motd"), kozo_str("fs:/etc/motd")));
    CHECK(!text_matches(kozo_str("fs:/etc/*"), kozo_str("fs:/etcetera")));
    CHECK(!text_matches(kozo_str("fs:/etc"), kozo_str("fs:/etc/motd")));
    CHECK(!text_matches(kozo_str(""), kozo_str("x")));
}

static const char *printable(const char *s, uint64_t len)
{
    static char to[64];

    text_printable(to, sizeof to, (struct kozo_str){ s, len });
    return to;
}

TEST(what_no_terminal_should_see_is_replaced)
{
    CHECK_STR(printable("plain\ttext", 10), "plain\ttext");
    CHECK_STR(printable("\033[2J\r\n\x7f", 7), "?[2J???");
    CHECK_STR(printable("gr\xc3\xbc\xc3\x9f", 6), "gr\xc3\xbc\xc3\x9f");
    CHECK_STR(printable("\xe2\x82\xac \xf0\x9f\x98\x80", 8), "\xe2\x82\xac \xf0\x9f\x98\x80");
    CHECK_STR(printable("\xc2\x9b"
                        "2J",
                        4),
              "??2J");                         /* a C1 control */
    CHECK_STR(printable("\xc0\xaf", 2), "??"); /* longer than need be */
    CHECK_STR(printable("\xe0\x80\xaf", 3), "???");
    CHECK_STR(printable("\xed\xa0\x80", 3), "???");      /* a surrogate */
    CHECK_STR(printable("\xf4\x90\x80\x80", 4), "????"); /* beyond Unicode */
    CHECK_STR(printable("\xc3", 1), "?");                /* cut short */
}

TEST(what_a_piece_ends_with_may_go_on_in_the_next)
{
    CHECK_EQ(text_torn(kozo_str("")), 0);
    CHECK_EQ(text_torn(kozo_str("abc")), 0);
    CHECK_EQ(text_torn(kozo_str("\xc3\xbc")), 0);
    CHECK_EQ(text_torn(kozo_str("a\xc3")), 1);
    CHECK_EQ(text_torn(kozo_str("a\xe2\x82")), 2);
    CHECK_EQ(text_torn(kozo_str("\xf0\x9f\x98")), 3);
    CHECK_EQ(text_torn(kozo_str("\x98\x98\x98\x98")), 0); /* no beginning */
    CHECK_EQ(text_torn(kozo_str("\xff")), 0);
    CHECK_EQ(text_code(kozo_str("\xe2\x82\xac")), 0x20ac);
    CHECK_EQ(text_code(kozo_str("A\xff")), 'A');
    CHECK_EQ(text_code(kozo_str("\xff")), 0);
}

TEST(printable_text_is_cut_between_characters)
{
    char to[4];

    CHECK_EQ(text_printable(to, sizeof to, kozo_str("ab\xc3\xbc")), 2);
    CHECK_STR(to, "ab");
    CHECK_EQ(text_printable(to, sizeof to, kozo_str("abcdef")), 3);
    CHECK_STR(to, "abc");
}

TEST(lines_are_cut_and_always_ended)
{
    char to[8];
    struct line l = line_begin(to, sizeof to);

    line_add(&l, "ab");
    line_add_number(&l, 12345678901ull);
    CHECK_STR(to, "ab12345");
    l = line_begin(to, sizeof to);
    line_add_hex(&l, 0);
    CHECK_STR(to, "0x0");
    l = line_begin(to, sizeof to);
    line_add_hex(&l, 0xbeef);
    CHECK_STR(to, "0xbeef");
    l = line_begin(to, sizeof to);
    line_add_quoted(&l, kozo_str("a\"b\n"));
    CHECK_STR(to, "a'b?");
}

TEST(an_escaped_text_is_no_other)
{
    char to[400], room[12], text[255];
    struct line l = line_begin(to, sizeof to);

    line_add_escaped(&l, kozo_str("a\"b'c\\x22\t\n\xff\u00e9"));
    CHECK_STR(to, "a\\x22b'c\\x5cx22\\x09\\x0a\\xff\u00e9");
    l = line_begin(room, sizeof room);
    line_add_escaped(&l, kozo_str("abc\"\""));
    CHECK_STR(room, "abc\\x22\\...");
    memset(text, 'a', sizeof text);
    l = line_begin(to, sizeof to);
    line_add_escaped(&l, (struct kozo_str){ text, sizeof text });
    CHECK_EQ(l.used, sizeof text);
    memset(text, '"', sizeof text);
    l = line_begin(to, sizeof to);
    line_add_escaped(&l, (struct kozo_str){ text, sizeof text });
    CHECK_EQ(l.used, LINE_ESCAPED);
    CHECK_STR(to + LINE_ESCAPED - 8, "\\x22\\...");
}

TEST(sound_paths_have_one_spelling)
{
    static const char *const good[] = { "",    "etc", "etc/motd", "a/b/c",
                                        "..a", "a..", "...",      "with blank" };
    static const char *const bad[] = { "/etc", "etc/",   "a//b", ".",    "..",
                                       "a/.",  "a/../b", "./a",  "a\nb", "a\x7f" };

    for (unsigned i = 0; i < sizeof good / sizeof good[0]; i++)
        if (!path_is_sound(kozo_str(good[i])))
            FAIL("refused: %s", good[i]);
    for (unsigned i = 0; i < sizeof bad / sizeof bad[0]; i++)
        if (path_is_sound(kozo_str(bad[i])))
            FAIL("accepted: %s", bad[i]);
}

TEST(paths_have_a_limit)
{
    char long_path[PATH_BYTES + 2];

    memset(long_path, 'a', sizeof long_path);
    CHECK(path_is_sound((struct kozo_str){ long_path, PATH_BYTES }));
    CHECK(!path_is_sound((struct kozo_str){ long_path, PATH_BYTES + 1 }));
}

TEST(objects_name_a_provider_and_a_path)
{
    struct object o;

    CHECK(object_parse(kozo_str("fs:/etc/motd"), &o));
    CHECK_STR(text(o.provider), "fs");
    CHECK_STR(text(o.path), "etc/motd");
    CHECK(object_parse(kozo_str("fs:/"), &o));
    CHECK_EQ(o.path.len, 0);
    CHECK(!object_parse(kozo_str("fs:etc/motd/x"), &o));
    CHECK(!object_parse(kozo_str("fs:etc/"), &o));
    CHECK(!object_parse(kozo_str("fs:"), &o));
    CHECK(!object_parse(kozo_str(":/etc"), &o));
    CHECK(!object_parse(kozo_str("/etc/motd"), &o));
    CHECK(!object_parse(kozo_str("fs:/etc/../secret"), &o));
    CHECK(!object_parse(kozo_str("fs://etc"), &o));
    CHECK_EQ(o.power.len, 0);
}

TEST(an_object_may_be_a_power_over_a_service)
{
    struct object o;

    CHECK(object_parse(kozo_str("process:kill/fs-2.x_Y"), &o));
    CHECK_STR(text(o.provider), "process");
    CHECK_STR(text(o.power), "kill");
    CHECK_STR(text(o.target), "fs-2.x_Y");
    CHECK_EQ(o.path.len, 0);
    CHECK(object_parse(kozo_str("process:kill"), &o));
    CHECK_STR(text(o.power), "kill");
    CHECK_EQ(o.target.len, 0);
    CHECK(!object_parse(kozo_str("process:kill/"), &o));
    CHECK(!object_parse(kozo_str("process:Kill/a"), &o));
    CHECK(!object_parse(kozo_str("process:kill/a b"), &o));
    CHECK(!object_parse(kozo_str("process:kill/a/b"), &o));
    CHECK(!object_parse(kozo_str("process:kill/*"), &o));
}

TEST(a_name_in_a_sentence_is_one_word)
{
    char to[8];

    CHECK_EQ(text_name(to, sizeof to, kozo_str("/b-_.+9")), 7);
    CHECK_STR(to, "/b-_.+9");
    (void)text_name(to, sizeof to, kozo_str("a) as\n["));
    CHECK_STR(to, "a??as??");
    (void)text_name(to, sizeof to, kozo_str("\xc3\xa9\x1b\"\\:*"));
    CHECK_STR(to, "???????");
    CHECK_EQ(text_name(to, sizeof to, kozo_str("abcdefgh")), 7);
    CHECK_STR(to, "abcde..");
    CHECK_EQ(text_name(to, 4, kozo_str("abcd")), 3);
    CHECK_STR(to, "a..");
    CHECK_EQ(text_name(to, 4, kozo_str("")), 0);
    CHECK_STR(to, "");
}

TEST(rights_have_names)
{
    char to[RIGHTS_TEXT];

    CHECK_EQ(right_of(kozo_str("read")), RIGHT_READ);
    CHECK_EQ(right_of(kozo_str("remove")), RIGHT_REMOVE);
    CHECK_EQ(right_of(kozo_str("reads")), 0);
    CHECK_STR(rights_text(to, 0), "none");
    CHECK_STR(rights_text(to, RIGHT_READ | RIGHT_LIST), "read list");
    CHECK_STR(rights_text(to, RIGHTS_ALL), "read write list create remove");
    CHECK_STR(rights_text(to, rights_asked(1ull << 40 | RIGHT_READ)), "read unknown");
    CHECK_STR(rights_text(to, rights_asked(UINT64_MAX)), "read write list create remove unknown");
    CHECK(strlen(to) < RIGHTS_TEXT);
    CHECK_EQ(rights_asked(RIGHTS_ALL), RIGHTS_ALL);
}

static const char *option(const char *cmdline, const char *name)
{
    static char to[KOZO_CMDLINE_BYTES];
    struct kozo_str value = {};

    CHECK_EQ(cmdline_has(kozo_str(cmdline), name),
             cmdline_read(kozo_str(cmdline), name, to, &value));
    return cmdline_has(kozo_str(cmdline), name) ? text(value) : "(none)";
}

TEST(command_line_values_may_be_quoted)
{
    CHECK_STR(option("quiet kozo.run=\"ls /; poweroff 3\" x=1", "kozo.run"), "ls /; poweroff 3");
    CHECK_STR(option("quiet kozo.run=\"ls /; poweroff 3\" x=1", "x"), "1");
    CHECK_STR(option("kozo.run=poweroff", "kozo.run"), "poweroff");
    CHECK_STR(option("kozo.exit_on_fail", "kozo.exit_on_fail"), "");
    CHECK_STR(option("a=1 a=2", "a"), "2");
    CHECK_STR(option("kozo.runs=1 xkozo.run=2", "kozo.run"), "(none)");
    CHECK_STR(option("a=\"not closed b=1", "b"), "(none)");
    CHECK_STR(option("", "a"), "(none)");
    CHECK_STR(option("a=\"x=1 b=2\"", "b"), "(none)");
}

TEST(command_line_values_may_have_quotes_in_them)
{
    CHECK_STR(option("a=\"x \\\"y z\\\" w\" b=1", "a"), "x \"y z\" w");
    CHECK_STR(option("a=\"x \\\"y z\\\" w\" b=1", "b"), "1");
    CHECK_STR(option("a=\"x\\\\\" b=1", "a"), "x\\");
    CHECK_STR(option("a=\"x\\\\\" b=1", "b"), "1");
    CHECK_STR(option("a=\"\\n \\' \\\\n\"", "a"), "\\n \\' \\n"); /* before others, ... */
    CHECK_STR(option("a=x\\\\y b=1", "a"), "x\\\\y"); /* ... and outside of quotes it is itself */
    CHECK_STR(option("a=\"not \\\" closed b=1", "b"), "(none)");
    CHECK_STR(option("a=\"\\\"", "a"), "\\");
}

/* Every text of these characters comes through, whatever stands beside it. */
TEST(what_a_command_line_carries_is_read_as_it_was_written)
{
    static const char letters[] = "x \"\\\t=";
    char value[6], line[64], to[64];

    for (unsigned n = 0; n < 6 * 6 * 6 * 6 * 6; n++) {
        unsigned rest = n, len = snprintf(line, sizeof line, "kozo.run=y a kozo.run=\"");
        struct kozo_str got = {}, b = {};

        for (unsigned i = 0; i < 5; i++, rest /= 6) {
            value[i] = letters[rest % 6];
            if (value[i] == '"' || value[i] == '\\')
                line[len++] = '\\';
            line[len++] = value[i];
        }
        value[5] = '\0';
        snprintf(line + len, sizeof line - len, "\" b=2");
        CHECK(cmdline_is_closed(kozo_str(line)));
        CHECK(cmdline_read(kozo_str(line), "kozo.run", to, &got) && kozo_str_is(got, value));
        CHECK(cmdline_read(kozo_str(line), "b", to, &b) && kozo_str_is(b, "2"));
    }
}

TEST(audit_lines_say_what_was_put_in)
{
    char to[AUDIT_BYTES];
    struct audit a = { .seq = 7,
                       .at_ms = 12,
                       .why = kozo_str("to know"),
                       .who = kozo_str("hello"),
                       .object = kozo_str("fs:/a b\" c"),
                       .rights = RIGHT_WRITE,
                       .held = RIGHT_READ,
                       .result = AUDIT_DENIED,
                       .reason = kozo_str("seq=9 hint=\"no\""),
                       .hint = kozo_str("ask") };
    struct kozo_str line = { to, audit_write(to, sizeof to, &a) };

    CHECK(audit_is(line));
    CHECK_STR(text(audit_field(line, "seq")), "7");
    CHECK_STR(text(audit_field(line, "at_ms")), "12");
    CHECK_STR(text(audit_field(line, "why")), "to know");
    CHECK_STR(text(audit_field(line, "who")), "hello");
    CHECK_STR(text(audit_field(line, "object")), "fs:/a b\\x22 c");
    CHECK_STR(text(audit_field(line, "rights")), "write");
    CHECK_STR(text(audit_field(line, "held")), "read");
    CHECK_STR(text(audit_field(line, "result")), "denied");
    CHECK_STR(text(audit_field(line, "rule")), "none");
    CHECK_STR(text(audit_field(line, "reason")), "seq=9 hint='no'");
    CHECK_STR(text(audit_field(line, "hint")), "ask");
    CHECK_STR(text(audit_field(line, "other")), "");
    a.result = AUDIT_GRANTED; /* what it held before says nothing */
    line.len = audit_write(to, sizeof to, &a);
    CHECK_STR(text(audit_field(line, "held")), "");
    CHECK(!audit_is(kozo_str("auditor")));
}

static const char *unknown(const char *cmdline)
{
    static char words[32];

    CHECK(cmdline_unknown(kozo_str(cmdline), words, sizeof words) < sizeof words);
    return words;
}

TEST(words_that_nobody_knows_are_found)
{
    CHECK_STR(unknown(""), "");
    CHECK_STR(unknown("kozo.init=a kozo.seed kozo.run=\"x y\" kozo.exit_on_fail "
                      "kozo.unattended"),
              "");
    CHECK_STR(unknown("quiet kozo.run=\"x y\"  kozo.sed=3 KOZO.RUN"), "quiet kozo.sed=3 KOZO.RUN");
    CHECK_STR(unknown("kozo.runs=\"a b\" kozo.ru =x"), "kozo.runs='a b' kozo.ru =x");
    CHECK_STR(unknown("\033[2J"), "?[2J");
    CHECK_STR(unknown("a-word-that-is-longer-than-there-is-room-for"),
              "a-word-that-is-longer-than-ther");
}

TEST(a_quote_without_its_end_is_found)
{
    CHECK(cmdline_is_closed(kozo_str("")));
    CHECK(cmdline_is_closed(kozo_str("a=\"b\" \"\"")));
    CHECK(!cmdline_is_closed(kozo_str("kozo.run=\"ls; poweroff")));
    CHECK(!cmdline_is_closed(kozo_str("a=\"\\\"")));
    CHECK(cmdline_is_closed(kozo_str("a=\"\\\"\" b=\\\\")));
}
