/* SPDX-License-Identifier: MIT */
/* console: questions to the person, and text that could be taken for one. */
#include "unit.h"

#include "console/ask.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define S 1000000000ull
#define ARMED (10 * S + ASK_QUIET)
#define LAST "[?] allow? y or n, then Enter (29 s): "

static struct ask ask;
static char screen[8192], row[600];
static uint32_t column, bells;

static void draw(const char *text, uint64_t len)
{
    for (uint64_t i = 0; i < len; i++) {
        if (text[i] == '\r')
            column = 0;
        else if (text[i] == '\a')
            bells++;
        else if (text[i] == '\n') {
            CHECK(strlen(screen) + strlen(row) + 2 < sizeof screen);
            strcat(screen, row);
            strcat(screen, "\n");
            memset(row, 0, sizeof row);
            column = 0;
        } else {
            CHECK(text[i] >= ' ' && text[i] < 0x7f && column + 1 < sizeof row);
            row[column++] = text[i];
        }
    }
}

static void clear_screen(void)
{
    memset(row, 0, sizeof row);
    screen[0] = '\0';
    column = bells = 0;
}

static struct console_ask_req question(const char *object, const char *reason)
{
    return (struct console_ask_req){ .who = kozo_str("hello"),
                                     .object = kozo_str(object),
                                     .rights = kozo_str("write"),
                                     .reason = kozo_str(reason),
                                     .tier = 1,
                                     .lease_ms = 300000,
                                     .until = 40 * S };
}

/* A question at second 10, with 30 s to answer. */
static void begin(void)
{
    struct console_ask_req q = question("fs:/etc/motd", "to change it");

    clear_screen();
    memset(&ask, 0, sizeof ask);
    ask.sink = draw;
    ask_begin(&ask, &q, 10 * S);
}

static enum ask_result type(const char *keys, uint64_t at)
{
    enum ask_result r = ASK_GOES_ON;

    for (; *keys != '\0'; keys++) {
        CHECK_EQ(r, ASK_GOES_ON);
        r = ask_key(&ask, *keys, at);
    }
    return r;
}

/* What is on the line, without the blanks that cleared it. */
static const char *line(void)
{
    size_t n = strlen(row);

    while (n > column && row[n - 1] == ' ')
        row[--n] = '\0';
    return row;
}

TEST(a_question_names_all_there_is_to_know)
{
    begin();
    CHECK_STR(screen, "[?] hello asks policy for \"fs:/etc/motd\"\n"
                      "[?]   rights: write\n"
                      "[?]   reason: \"to change it\"\n"
                      "[?]   risk: medium; a yes lasts 300 s\n");
    CHECK_STR(line(), "");
    ask_tick(&ask, ARMED);
    CHECK_STR(line(), LAST);
}

static const struct {
    const char *keys;
    enum ask_result answer;
} answers[] = {
    { "y\r", ASK_YES },          { "Y\n", ASK_YES },         { "yes\r", ASK_YES },
    { "n\r", ASK_NO },           { "No\r", ASK_NO },         { "\r", ASK_NO },
    { "\x03", ASK_NO },          { "y\x03", ASK_NO },        { "yy", ASK_GOES_ON },
    { "x\r", ASK_GOES_ON },      { "yn\ry\r", ASK_GOES_ON }, { "x\x7fy\r", ASK_YES },
    { "yes\b\b\bn\r", ASK_NO },  { "y", ASK_GOES_ON },       { "yesyesyes\r", ASK_GOES_ON },
    { "\x1b[A\r", ASK_GOES_ON },
};

TEST(only_y_or_n_and_enter_answer)
{
    for (unsigned i = 0; i < sizeof answers / sizeof answers[0]; i++) {
        begin();
        ask_tick(&ask, ARMED);
        CHECK_EQ(type(answers[i].keys, ARMED + 1), answers[i].answer);
        CHECK_EQ(ask.active, answers[i].answer == ASK_GOES_ON);
    }
}

TEST(what_is_typed_before_the_last_line_answers_nothing)
{
    begin();
    CHECK_EQ(type("y\r", 10 * S), ASK_GOES_ON);
    CHECK_EQ(type("y\r", ARMED), ASK_GOES_ON); /* the last line is not there yet */
    ask_tick(&ask, ARMED + ASK_QUIET - 1);
    CHECK_STR(line(), "");
    CHECK_EQ(ask_wake(&ask), ARMED + ASK_QUIET);
    ask_tick(&ask, ARMED + ASK_QUIET);
    CHECK_STR(line(), LAST);
    CHECK_EQ(type("\r", ARMED + ASK_QUIET), ASK_NO); /* nothing was kept */
}

TEST(who_goes_on_typing_something_else_never_answers)
{
    begin();
    for (uint64_t at = 10 * S; at < 40 * S; at += ASK_QUIET - 1) {
        ask_tick(&ask, at);
        CHECK_EQ(type("y\r", at), ASK_GOES_ON);
    }
    CHECK_STR(line(), "");
}

TEST(the_time_left_is_told)
{
    begin();
    ask_tick(&ask, ARMED);
    CHECK_EQ(ask_wake(&ask), 11 * S + 1);
    ask_tick(&ask, 11 * S + 1);
    CHECK_STR(line(), "[?] allow? y or n, then Enter (25 s): ");
    CHECK_EQ(ask_wake(&ask), 15 * S + 1);
    ask_tick(&ask, 15 * S);
    CHECK_STR(line(), "[?] allow? y or n, then Enter (25 s): ");
    ask_tick(&ask, 31 * S);
    CHECK_STR(line(), "[?] allow? y or n, then Enter (9 s): ");
    CHECK_EQ(ask_wake(&ask), 31 * S + 1);
    ask_tick(&ask, 39 * S + 1);
    CHECK_STR(line(), "[?] allow? y or n, then Enter (< 1 s): ");
    CHECK_EQ(ask_wake(&ask), 40 * S);
    ask_tick(&ask, 40 * S);
    CHECK_STR(line(), "[?] allow? y or n, then Enter (0 s): ");
    CHECK_EQ(ask_wake(&ask), UINT64_MAX);
}

/* Nanoseconds that the last line promises at least. */
static uint64_t promised(void)
{
    const char *at = strchr(line(), '(') + 1;
    bool less = *at == '<';
    uint64_t s = strtoull(at + 2 * less, nullptr, 10);

    return less ? 1 : s * S;
}

/* From every moment at which it may come, and with every limit; whoever redraws it, whenever. */
TEST(the_time_told_is_never_more_than_is_left)
{
    static const uint64_t limits[] = { 1, 2, 11, 12, 26, 30, 61, 3600 };

    for (unsigned i = 0; i < sizeof limits / sizeof limits[0]; i++) {
        begin();
        ask.until = 10 * S + limits[i] * S;
        ask_tick(&ask, ARMED);
        CHECK(promised() + S > ask.until - ARMED); /* the first time: exactly */
        for (uint64_t at = ARMED; at < ask.until; at = ask_wake(&ask)) {
            ask_tick(&ask, at);
            CHECK(promised() <= ask.until - at);
            CHECK(ask_wake(&ask) > at);
            if (ask_wake(&ask) < ask.until)
                CHECK(promised() <= ask.until - (ask_wake(&ask) - 1));
            if (at % 3 == 0)
                ask_hide(&ask);
            ask_tick(&ask, at);
            (void)type("n\b", at);
            CHECK(promised() <= ask.until - at);
        }
    }
}

/* What is pasted for something else may have such a line in it. */
TEST(behind_a_line_that_is_no_answer_keys_answer_nothing)
{
    begin();
    ask_tick(&ask, ARMED);
    CHECK_EQ(type("write /ram/a x\ry\ryes\r\r\x03", ARMED + S), ASK_GOES_ON);
    CHECK_STR(line(), "");
    ask_tick(&ask, ARMED + S + ASK_QUIET);
    CHECK_EQ(type("y\r", ARMED + S + ASK_QUIET), ASK_YES);
}

TEST(it_always_wakes_later_than_now)
{
    begin();
    for (uint64_t at = 10 * S; at <= 41 * S; at += S / 7) {
        ask_tick(&ask, at);
        CHECK(ask_wake(&ask) > at);
    }
}

/* Other text, and how many rows of the terminal it takes. */
static const struct {
    const char *text;
    uint32_t rows;
} passing[] = {
#define TEN "0123456789"
#define SEVENTY TEN TEN TEN TEN TEN TEN TEN
    { "a line\n", 1 },
    { "no end", 0 },
    { "\n\n\n", 3 },
    { SEVENTY "012345678", 1 },
    { SEVENTY SEVENTY SEVENTY SEVENTY, 3 },
    { "\t\t\t\t\t\t\t\t\t\t", 1 },
    { "\xc3\xa9\xc3\xa9\n", 1 },
};

TEST(what_is_wider_than_a_row_counts_as_several)
{
    for (unsigned i = 0; i < sizeof passing / sizeof passing[0]; i++) {
        begin();
        ask_passed(&ask, passing[i].text, strlen(passing[i].text));
        CHECK_EQ(ask.others, passing[i].rows);
    }
    begin();
    for (unsigned i = 0; i < ASK_LINES; i++) { /* a write without an end, and the one it is given */
        ask_passed(&ask, "x", 1);
        ask_passed(&ask, "\n", 1);
    }
    ask_tick(&ask, ARMED);
    CHECK_EQ(ask.others, 0);
}

TEST(other_text_does_not_tear_it_or_push_it_away)
{
    begin();
    ask_tick(&ask, ARMED);
    (void)type("ye", ARMED);
    for (unsigned i = 0; i < ASK_LINES; i++) {
        ask_hide(&ask);
        CHECK_STR(line(), "");
        draw("other\n", 6);
        ask_passed(&ask, "other\n", 6);
        screen[0] = '\0';
        ask_tick(&ask, ARMED);
    }
    CHECK_STR(screen, "[?] hello asks policy for \"fs:/etc/motd\"\n"
                      "[?]   rights: write\n"
                      "[?]   reason: \"to change it\"\n"
                      "[?]   risk: medium; a yes lasts 300 s\n");
    CHECK_STR(line(), LAST "ye");
}

/* ---- a small terminal: what is still on it ---- */

#define ROWS 12u /* four of the question, seven of others, the last line */
#define COLUMNS 80u

static char terminal[ROWS][COLUMNS + 1];
static uint32_t cursor;

static void feed(void)
{
    memmove(terminal[0], terminal[1], sizeof terminal - sizeof terminal[0]);
    memset(terminal[ROWS - 1], ' ', COLUMNS);
    cursor = 0;
}

/* A row goes on in the next one when a character finds no room in it. */
static void draw_on_terminal(const char *text, uint64_t len)
{
    for (uint64_t i = 0; i < len; i++) {
        if (text[i] == '\n')
            feed();
        else if (text[i] == '\r')
            cursor = 0;
        else if (text[i] == '\t')
            cursor = cursor / 8 * 8 + 8 < COLUMNS ? cursor / 8 * 8 + 8 : COLUMNS - 1;
        else if (((unsigned char)text[i] & 0xc0) != 0x80) {
            if (cursor == COLUMNS)
                feed();
            terminal[ROWS - 1][cursor++] = text[i];
        }
    }
}

static bool is_on_terminal(const char *row_begins)
{
    for (unsigned i = 0; i < ROWS; i++)
        if (strncmp(terminal[i], row_begins, strlen(row_begins)) == 0)
            return true;
    return false;
}

/* Text of others, with the line end that the console puts where there is none. */
static void pass(const char *text)
{
    uint64_t len = strlen(text);

    ask_hide(&ask);
    draw_on_terminal(text, len);
    ask_passed(&ask, text, len);
    if (text[len - 1] != '\n') {
        draw_on_terminal("\n", 1);
        ask_passed(&ask, "\n", 1);
    }
}

/* All that can make a row, and a text of 400 bytes, which is as much as one message brings. */
static const char *const others[] = {
    "no end",
    "a line\n",
    "\n\n\n",
    SEVENTY "012345678\n",
    SEVENTY TEN "\n",
    SEVENTY TEN "0",
    SEVENTY SEVENTY SEVENTY SEVENTY SEVENTY TEN TEN TEN TEN TEN,
    "\t\t\t\t\t\t\t\t\t\tx\tx\n",
    "\t\t\t\t\t\t\t\t\t" TEN "\n",
    "\xc3\xa9\xc3\xa9\xc3\xa9 " SEVENTY SEVENTY "\xc3\xa9",
};
constexpr unsigned other_count = sizeof others / sizeof others[0];

TEST(nothing_scrolls_a_question_off_a_terminal_of_twelve_rows)
{
    for (unsigned i = 0; i < other_count * other_count; i++) {
        struct console_ask_req q = question("fs:/etc/motd", "to change it");

        memset(terminal, ' ', sizeof terminal);
        cursor = 0;
        memset(&ask, 0, sizeof ask);
        ask.sink = draw_on_terminal;
        ask_begin(&ask, &q, 10 * S);
        ask_tick(&ask, ARMED);
        for (unsigned n = 0; n < 4 * ROWS; n++) {
            pass(others[n % 2 == 0 ? i / other_count : i % other_count]);
            ask_tick(&ask, ARMED);
            CHECK(is_on_terminal("[?] hello asks policy for \"fs:/etc/motd\""));
            CHECK(is_on_terminal(LAST));
        }
    }
}

TEST(texts_of_requesters_are_escaped_and_bounded)
{
    struct console_ask_req q = question("fs:/\xe2\x80\xae"
                                        "dtom/\x1b[2J",
                                        "x\"\r\n[?] allow? \\y \x9b"
                                        "A");

    clear_screen();
    memset(&ask, 0, sizeof ask);
    ask.sink = draw;
    ask_begin(&ask, &q, 0);
    CHECK(strstr(screen, "for \"fs:/\\u{202e}dtom/\\x1b[2J\"\n") != nullptr);
    CHECK(strstr(screen, "[?]   reason: \"x\\x22\\x0d\\x0a[\\x3f] allow? \\x5cy \\x9bA\"\n") !=
          nullptr);
}

static const struct {
    const char *text, *quoted;
} quotes[] = {
    { "plain text 0~", "plain text 0~" },
    { " a  b   c d ", "\\x20a \\x20b \\x20\\x20c d\\x20" }, /* no column, and nothing unseen */
    { "a\tb\nc\rd\x1b\x7f", "a\\x09b\\x0ac\\x0dd\\x1b\\x7f" },
    { "\"\\", "\\x22\\x5c" },
    { "[?]", "[\\x3f]" },
    { "[ ?] [[?? ?]", "[ ?] [[\\x3f? ?]" },
    { "gr\xc3\xbc\xc3\x9f", "gr\\u{00fc}\\u{00df}" },                          /* letters, too */
    { "\xef\xbc\xbb\xef\xbc\x9f\xef\xbc\xbd", "\\u{ff3b}\\u{ff1f}\\u{ff3d}" }, /* full width */
    { "[\xe2\x80\x8d?]", "[\\u{200d}?]" },                                     /* joined */
    { "e\xcc\x81", "e\\u{0301}" },                                             /* combined */
    { "\xf0\x9f\x98\x80", "\\u{01f600}" },
    { "\xff\xc0\xaf\xe2\x80", "\\xff\\xc0\\xaf\\xe2\\x80" }, /* no UTF-8 */
};

TEST(what_a_question_quotes_is_ascii)
{
    for (unsigned i = 0; i < sizeof quotes / sizeof quotes[0]; i++) {
        struct kozo_str rest = kozo_str(quotes[i].text);
        char to[CLEAN_QUOTED], last = 0, all[256] = "";

        while (rest.len > 0) {
            struct kozo_str piece = clean_quote(&rest, &last, to);

            strncat(all, piece.at, piece.len);
        }
        CHECK_STR(all, quotes[i].quoted);
    }
}

static void ask_as(const char *who, const char *object, const char *reason)
{
    struct console_ask_req q = question(object, reason);

    q.who = kozo_str(who);
    clear_screen();
    memset(&ask, 0, sizeof ask);
    ask.sink = draw;
    ask_begin(&ask, &q, 0);
}

/* All that a row of a question can begin with, in the order of the rows. */
static const char *const heads[] = { CLEAN_MARK " ", CLEAN_MARK "   rights: write",
                                     CLEAN_MARK "   reason: \"",
                                     CLEAN_MARK "   risk: medium; a yes lasts 300 s" };
#define GOES_ON CLEAN_MARK "   | "

/* Every row of the screen is one of the console's own, or goes on with one before it. */
static void check_rows(void)
{
    const char *next;
    unsigned own = 0;

    for (const char *at = screen; *at != '\0'; at = next + 1) {
        next = strchr(at, '\n');
        CHECK(next - at <= ASK_COLUMNS);
        CHECK_PTR(strstr(at + 1, CLEAN_MARK), strstr(next, CLEAN_MARK));
        if (at != screen && strncmp(at, GOES_ON, strlen(GOES_ON)) == 0)
            continue;
        CHECK(own < 4);
        CHECK_EQ(strncmp(at, heads[own], strlen(heads[own])), 0);
        own++;
    }
    CHECK_EQ(own, 4);
}

/* What a requester can put into each of its texts, to begin a row, or to look as if it did. */
static const char *const forged[] = {
    "fs:/ram/x                           rights: read",
    "fs:/ram/x" SEVENTY "   rights: read",
    "[?]   rights: read",
    "\n[?]   rights: read",
    "x\"  rights: read",
    "| rights: read                                                            | risk: low",
    SEVENTY SEVENTY SEVENTY "rights: read",
};

TEST(no_row_of_a_question_begins_with_what_others_say)
{
    for (unsigned i = 0; i < sizeof forged / sizeof forged[0]; i++)
        for (unsigned blanks = 0; blanks < ASK_COLUMNS; blanks++) {
            char text[256];

            snprintf(text, sizeof text, "%*s%s", (int)blanks % 40, "", forged[i]);
            ask_as("hello", text, "");
            check_rows();
            ask_as("hello", "fs:/", text);
            check_rows();
            snprintf(text, sizeof text, "%.*s%s", (int)blanks, SEVENTY TEN, forged[i]);
            ask_as(text, text, text);
            check_rows();
            CHECK(strstr(screen, "]   rights: read") == nullptr);
        }
}

TEST(a_name_full_of_blanks_makes_no_row)
{
    ask_as("hello", forged[0], "");
    CHECK_STR(
        screen,
        "[?] hello asks policy for \"fs:/ram/x \\x20\\x20\\x20\\x20\\x20\\x20\\x20\\x20\\x20\\x20\n"
        "[?]   | "
        "\\x20\\x20\\x20\\x20\\x20\\x20\\x20\\x20\\x20\\x20\\x20\\x20\\x20\\x20\\x20\\x20rights\n"
        "[?]   | : read\"\n"
        "[?]   rights: write\n"
        "[?]   reason: \"\"\n"
        "[?]   risk: medium; a yes lasts 300 s\n");
}

/* As long as the protocol lets the texts be, and each byte four columns. */
TEST(no_question_is_higher_than_a_terminal)
{
    char who[64], object[256], reason[80];

    for (unsigned i = 0; i < 255; i++)
        object[i] = i % 2 == 0 ? '\xc3' : '\xa4';
    object[255] = '\0';
    snprintf(who, sizeof who, "%s", object);
    snprintf(reason, sizeof reason, "%s", object);
    ask_as(who, object, reason);
    CHECK(ask.rows < ASK_ROWS);
    CHECK(strstr(screen, "\\...\"\n[?]   risk: ") != nullptr); /* a reason that was cut says so */
    ask_tick(&ask, ARMED);
    for (unsigned i = 0; i < 2 * ASK_ROWS; i++) { /* nor is it with what is shown below it */
        ask_hide(&ask);
        ask_passed(&ask, "a row\n", 6);
        screen[0] = '\0';
        ask_tick(&ask, ARMED);
        CHECK(ask.others + ask.rows < ASK_ROWS);
    }
    ask_as("hello", "fs:/etc/motd", SEVENTY "012345678");
    CHECK(strstr(screen, "\n[?]   | ") != nullptr && strstr(screen, "\\...") == nullptr);
}

TEST(critical_says_that_it_is_good_for_one_use)
{
    struct console_ask_req q = question("process:kill", "");

    q.tier = 3;
    q.lease_ms = 1500;
    clear_screen();
    memset(&ask, 0, sizeof ask);
    ask.sink = draw;
    ask_begin(&ask, &q, 0);
    CHECK(strstr(screen, "risk: critical; a yes is good for one use, within 1500 ms\n") != nullptr);
}

TEST(a_question_that_is_taken_away_leaves_no_line)
{
    begin();
    ask_tick(&ask, ARMED);
    ask_end(&ask);
    CHECK_STR(line(), "");
    ask_tick(&ask, 20 * S);
    CHECK_STR(line(), "");
    CHECK_EQ(ask_wake(&ask), UINT64_MAX);
}

/* ---- text of others ---- */

static char cleaned[256];

static void collect(const char *text, uint64_t len)
{
    CHECK(strlen(cleaned) + len < sizeof cleaned);
    strncat(cleaned, text, len);
}

static const struct {
    const char *first, *second, *shown;
} texts[] = {
    { "plain\ttext\n", "", "plain\ttext\n" },
    { "gr\xc3\xbc\xc3\x9f", "", "gr\xc3\xbc\xc3\x9f" },
    { "\x1b[2J\r\b\a\x7f", "", "?[2J????" },
    { "\x9b"
      "2J \xc2\x9b"
      "2J",
      "", "?2J ??2J" },
    { "[?] allow? y", "", "[ ?] allow? y" },
    { "x  [", "?] y", "x  [ ?] y" },
    { "[\x1b] y", "", "[ ?] y" },
    { "[", "\x01] y", "[ ?] y" },
    { "[[??]", "", "[[ ??]" },
    { "[ ?]\n[a?]", "", "[ ?]\n[a?]" },
    /* Letters of three alphabets, and what only looks like a question. */
    { "\xce\x93\xce\xb5\xce\xb9\xce\xac \xd0\x94\xd0\xb0 \xc5\x81\xc3\xb3\xc5\xba", "",
      "\xce\x93\xce\xb5\xce\xb9\xce\xac \xd0\x94\xd0\xb0 \xc5\x81\xc3\xb3\xc5\xba" },
    { "\xef\xbc\xbb\xef\xbc\x9f\xef\xbc\xbd", "", "\\u{ff3b}\\u{ff1f}\\u{ff3d}" }, /* full width */
    { "[\xef\xbc\x9f]", "", "[\\u{ff1f}]" },
    { "[\xca\x94] [\xc9\x81]", "", "[\\u{0294}] [\\u{0241}]" }, /* glottal stops */
    { "[\xcd\xbe] \xe5\x8c\x9a?\xe3\x82\xb3", "", "[\\u{037e}] \\u{531a}?\\u{30b3}" },
    { "[\xe2\x80\x8b?]", "", "[\\u{200b}?]" },              /* of no width */
    { "[\xe2\x80\x8d", "?]", "[\\u{200d}?]" },              /* a joiner */
    { "[\xcc\xb2?]", "", "[\\u{0332}?]" },                  /* combining */
    { "\xe2\x80\xae]?[", "", "\\u{202e}]?[" },              /* right to left, by order ... */
    { "\xd7\x90]?[\xd7\x90", "", "\\u{05d0}]?[\\u{05d0}" }, /* ... and by letter */
    { "[\xc2\xa0?\xc2\xad]", "", "[\\u{00a0}?\\u{00ad}]" }, /* blanks and hyphens */
    { "[\xe2\x80\xa8?", "", "[\\u{2028}?" },                /* a line end */
    { "\xf3\xa0\x81\x99", "", "\\u{0e0059}" },              /* a tag */
};

TEST(what_others_write_cannot_drive_the_terminal_or_look_like_a_question)
{
    for (unsigned i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct clean c = {};

        memset(cleaned, 0, sizeof cleaned);
        clean_text(&c, kozo_str(texts[i].first), collect);
        clean_text(&c, kozo_str(texts[i].second), collect);
        CHECK_STR(cleaned, texts[i].shown);
        CHECK_PTR(strstr(cleaned, CLEAN_MARK), nullptr);
    }
}
