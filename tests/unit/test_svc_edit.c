/* SPDX-License-Identifier: MIT */
/*
 * console: the line editor. A small terminal is drawn on, so that what a person sees is compared.
 */
#include "unit.h"

#include "console/edit.h"

#include <string.h>

static struct edit edit;
static char screen[4096], row[EDIT_COLUMNS + 2];
static uint32_t column, widest, bells;

static void draw(const char *text, uint64_t len)
{
    for (uint64_t i = 0; i < len; i++) {
        if (text[i] == '\r')
            column = 0;
        else if (text[i] == '\b')
            column--;
        else if (text[i] == '\a')
            bells++;
        else if (text[i] == '\n') {
            strcat(screen, row);
            strcat(screen, "\n");
            memset(row, 0, sizeof row);
            column = 0;
        } else {
            CHECK(text[i] >= ' ' && column <= EDIT_COLUMNS);
            row[column++] = text[i];
        }
        widest = column > widest ? column : widest;
    }
}

static void begin(void)
{
    memset(&edit, 0, sizeof edit);
    memset(row, 0, sizeof row);
    screen[0] = '\0';
    column = widest = bells = 0;
    edit.sink = draw;
    edit_begin(&edit, kozo_str("> "));
}

static enum edit_result type(const char *keys)
{
    enum edit_result r = EDIT_GOES_ON;

    for (; *keys != '\0'; keys++) {
        CHECK_EQ(r, EDIT_GOES_ON);
        r = edit_key(&edit, *keys);
    }
    return r;
}

static bool line_is(const char *text) { return kozo_str_is(edit_text(&edit), text); }

/* What is seen after the prompt, without the blanks that wiped out more. */
static bool seen(const char *text)
{
    uint64_t len = 2 + strlen(text);

    return strlen(row) >= len && memcmp(row + 2, text, len - 2) == 0 &&
           strspn(row + len, " ") == strlen(row + len);
}

TEST(edit_takes_what_is_typed)
{
    begin();
    CHECK_EQ(type("ls /etc\r"), EDIT_ENTERED);
    CHECK(line_is("ls /etc"));
    CHECK_EQ(strcmp(screen, "> ls /etc\n"), 0);
}

TEST(edit_moves_and_changes)
{
    static const struct {
        const char *keys, *line;
        uint32_t column;
    } cases[] = {
        { "abc\x7f", "ab", 2 },
        { "\x7f\b", "", 0 },
        { "ac\033[Db", "abc", 2 },
        { "bc\033[Ha\033[Fd", "abcd", 4 },
        { "bc\001a\005d", "abcd", 4 },
        { "bc\033[1~a\033[4~d", "abcd", 4 },
        { "bc\033OHa", "abc", 1 },
        { "abc\033[D\033[D\033[3~", "ac", 1 },
        { "abc\033[D\033[D\004", "ac", 1 },
        { "abc\033[D\013", "ab", 2 },
        { "abc\033[D\025", "c", 0 },
        { "one two  \027", "one ", 4 },
        { "one\027\027x", "x", 1 },
        { "a\033[C\033[Cb", "ab", 2 },
        { "a\033[5~\033[99;99Zb\tc", "abc", 3 },
        { "a\xc3\xa4"
          "b",
          "ab", 2 },
    };

    for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        begin();
        CHECK_EQ(type(cases[i].keys), EDIT_GOES_ON);
        CHECK(line_is(cases[i].line));
        CHECK(seen(cases[i].line));
        CHECK_EQ(column, cases[i].column + 2);
    }
}

TEST(edit_rings_for_letters_it_does_not_take)
{
    begin();
    CHECK_EQ(type("a\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80"
                  "b"),
             EDIT_GOES_ON);
    CHECK(line_is("ab"));
    CHECK_EQ(bells, 3);
}

TEST(edit_is_ended_by_control_c_and_d)
{
    begin();
    CHECK_EQ(type("abc\003"), EDIT_STOPPED);
    CHECK_EQ(strcmp(screen, "> abc^C\n"), 0);
    begin();
    CHECK_EQ(type("a\x7f\004"), EDIT_ENDED);
    begin();
    CHECK_EQ(type("\033\003"), EDIT_STOPPED);
}

static void enter(const char *line)
{
    CHECK_EQ(type(line), EDIT_GOES_ON);
    CHECK_EQ(type("\r"), EDIT_ENTERED);
    edit_begin(&edit, kozo_str("> "));
}

TEST(edit_has_a_history)
{
    begin();
    enter("one");
    enter("two");
    enter("two");
    enter("  ");
    CHECK_EQ(type("th\033[A"), EDIT_GOES_ON);
    CHECK(line_is("two") && seen("two"));
    CHECK_EQ(type("\033[A\033[A\033[A"), EDIT_GOES_ON);
    CHECK(line_is("one") && seen("one"));
    CHECK_EQ(type("\033[B"), EDIT_GOES_ON);
    CHECK(line_is("two"));
    CHECK_EQ(type("\033[B\033[B"), EDIT_GOES_ON);
    CHECK(line_is("th") && seen("th")); /* what was typed comes back */
}

TEST(edit_keeps_the_last_lines)
{
    char line[3] = "a0";

    begin();
    for (unsigned i = 0; i < 2 * EDIT_HISTORY; i++) {
        line[0] = (char)('a' + i / 10);
        line[1] = (char)('0' + i % 10);
        enter(line);
    }
    for (unsigned i = 0; i < 2 * EDIT_HISTORY; i++)
        CHECK_EQ(type("\033[A"), EDIT_GOES_ON);
    line[0] = (char)('a' + EDIT_HISTORY / 10);
    line[1] = (char)('0' + EDIT_HISTORY % 10);
    CHECK(line_is(line));
}

TEST(edit_shows_a_long_line_in_part)
{
    begin();
    for (unsigned i = 0; i < EDIT_LINE + 5; i++)
        CHECK_EQ(edit_key(&edit, (char)('a' + i % 26)), EDIT_GOES_ON);
    CHECK_EQ(edit.len, EDIT_LINE);
    CHECK_EQ(bells, 5);
    CHECK(widest <= EDIT_COLUMNS);
    CHECK_EQ(type("\001X"), EDIT_GOES_ON);
    CHECK_EQ(bells, 6);
    CHECK_EQ(memcmp(row, "> abcdef", 8), 0);
    CHECK_EQ(column, 2);
    CHECK_EQ(type("\r"), EDIT_GOES_ON);
    CHECK_EQ(type("\025short\r"), EDIT_ENTERED);
    CHECK(line_is("short"));
    CHECK(widest <= EDIT_COLUMNS);
}

#define REFUSED(n)                                                                                 \
    "[console] refused: over 255 characters, or not ASCII: " n ". Change it, or Ctrl-C\n"

static void type_many(char key, unsigned count)
{
    while (count-- > 0)
        CHECK_EQ(edit_key(&edit, key), EDIT_GOES_ON);
}

TEST(edit_enters_no_line_of_which_a_question_took_keys)
{
    static const char refused[] =
        "[console] refused: typed at a question, or not taken: 2. Change it, or Ctrl-C\n";

    begin();
    CHECK_EQ(type("rm /ram/a"), EDIT_GOES_ON);
    edit_lose(&edit, '\x7f');
    edit_lose(&edit, '\r');
    edit_pause(&edit);
    CHECK_EQ(bells, 2);
    CHECK_EQ(type("b\r"), EDIT_GOES_ON);
    CHECK(strstr(screen, refused) != nullptr);
    CHECK_EQ(type("\x7f\r"), EDIT_ENTERED);
    begin();
    edit_lose(&edit, 'x'); /* the beginning of a line that goes on ... */
    CHECK_EQ(type("rm b\r"), EDIT_GOES_ON);
    begin();
    edit_lose(&edit, 'y');
    edit_lose(&edit, '\r'); /* ... and one that was lost as a whole */
    CHECK_EQ(type("ls\r"), EDIT_ENTERED);
    begin();
    edit_lose(&edit, 'y');
    edit_pause(&edit);
    CHECK_EQ(type("ls\r"), EDIT_ENTERED);
    CHECK(widest <= EDIT_COLUMNS);
}

/* A line that is cut is another command: `rm /ram/a*` for `rm /ram/a*.old`. */
TEST(edit_enters_no_line_that_was_cut)
{
    begin();
    type_many('a', EDIT_LINE + 45);
    screen[0] = '\0';
    CHECK_EQ(type("\r"), EDIT_GOES_ON);
    CHECK_PTR(strstr(screen, REFUSED("45")), strchr(screen, '\n') + 1);
    CHECK_EQ(edit.len, EDIT_LINE); /* it is still there, to be shortened */
    CHECK_EQ(edit.cursor, EDIT_LINE);
    CHECK_EQ(type("\r"), EDIT_GOES_ON);
    CHECK_EQ(type("echo the next of what was pasted\r"), EDIT_GOES_ON);
    CHECK(strstr(screen, REFUSED("77")) != nullptr);
    CHECK_EQ(type("\x7f\r"), EDIT_ENTERED);
    CHECK_EQ(edit.len, EDIT_LINE - 1);
    begin();
    type_many('a', EDIT_LINE);
    CHECK_EQ(type("\r"), EDIT_ENTERED);
}

static const struct {
    const char *keys, *line; /* null: it is not entered */
} missing[] = {
    { "rm /ram/\xc3\xa4\r", nullptr },
    { "rm /ram/\xa4\r", nullptr },         /* in another encoding */
    { "rm /ram/\xc3\xa4\x7f\r", nullptr }, /* nobody was told yet */
    { "rm /ram/\xc3\xa4\r\x7f\r", "rm /ram" },
    { "rm /ram/\xc3\xa4\r\033[D\r", "rm /ram/" },
    { "rm /ram/\xc3\xa4\rx\r", nullptr },
    { "rm /ram/\xc3\xa4\r\xe2\x82\xac\x7f\r", nullptr },
    { "rm \xc3\xa4\025ls\r", "ls" },
    { "rm \xc3\xa4\027\027ls\r", "ls" },
    { "rm \xc3\xa4\033[A\033[B\r", nullptr },
    { "rm \xc3\xa4\033[A\r", "before" },
    { "rm \xc3\xa4\t\r", nullptr },
};

TEST(edit_enters_no_line_of_which_a_letter_is_missing)
{
    for (unsigned i = 0; i < sizeof missing / sizeof missing[0]; i++) {
        begin();
        CHECK_EQ(type("before\r"), EDIT_ENTERED);
        edit_prepare(&edit, kozo_str(""), 0);
        edit_begin(&edit, kozo_str("> "));
        CHECK_EQ(type(missing[i].keys), missing[i].line == nullptr ? EDIT_GOES_ON : EDIT_ENTERED);
        CHECK(missing[i].line == nullptr || line_is(missing[i].line));
        CHECK_EQ(type("\003"), EDIT_STOPPED);
        edit_begin(&edit, kozo_str("> "));
        CHECK_EQ(type("echo\r"), EDIT_ENTERED);
        CHECK(line_is("echo"));
    }
}

TEST(edit_completes_no_line_that_was_cut)
{
    begin();
    edit_prepare(&edit, kozo_str("ca"), 2);
    edit_begin(&edit, kozo_str("> "));
    CHECK_EQ(type("\t"), EDIT_TAB);
    edit_prepare(&edit, kozo_str("cat /"), 5);
    edit_begin(&edit, kozo_str("> "));
    type_many('a', EDIT_LINE);
    bells = 0;
    CHECK_EQ(type("\t"), EDIT_GOES_ON);
    CHECK_EQ(bells, 1);
}

TEST(edit_loses_no_enter_to_what_is_no_sequence)
{
    static const char *const begun[] = { "ls\033\r", "ls\033[\r", "ls\033[1;5\r", "ls\033O\r" };

    for (unsigned i = 0; i < sizeof begun / sizeof begun[0]; i++) {
        begin();
        CHECK_EQ(type(begun[i]), EDIT_ENTERED);
        CHECK(line_is("ls"));
    }
    begin();
    CHECK_EQ(type("a\033[\033[Db\r"), EDIT_ENTERED);
    CHECK(line_is("ba"));
}

TEST(edit_goes_away_and_comes_back)
{
    begin();
    CHECK_EQ(type("abc\033[D"), EDIT_GOES_ON);
    edit_hide(&edit);
    edit_hide(&edit);
    CHECK_EQ(strspn(row, " "), strlen(row));
    draw("a line\n", 7);
    edit_show(&edit);
    edit_show(&edit);
    CHECK(seen("abc"));
    CHECK_EQ(column, 4);
}

TEST(edit_is_handed_a_line_to_begin_with)
{
    begin();
    memset(row, 0, sizeof row);
    column = 0;
    edit_prepare(&edit, kozo_str("a\033[2J\r\n\t\x07\x7f\xc3\xa4 b"), 99);
    edit_begin(&edit, kozo_str("> "));
    CHECK(line_is("a[2J b"));
    CHECK(seen("a[2J b"));
}

/* Neither a reader's line nor a key makes the beginning of a question. */
static const struct {
    const char *prompt, *prepared, *keys, *row, *line;
} marks[] = {
    { "", "[?] hello asks policy for fs:/etc", "", "[.] hello asks policy for fs:/etc",
      "[?] hello asks policy for fs:/etc" },
    { "[", "?] allow?", "", "[.] allow?", "?] allow?" },
    { "", "[] allow", "\x01\x1b[C?", "[.] allow", "[?] allow" },
    { "> ", "[", "?", "> [.", "[?" },
    { "> ", "[x?", "\x1b[D\b", "> [.", "[?" },
    { "> ", "[[??", "", "> [[.?", "[[??" },
};

TEST(edit_never_draws_the_mark_of_a_question)
{
    for (unsigned i = 0; i < sizeof marks / sizeof marks[0]; i++) {
        begin();
        memset(row, 0, sizeof row);
        column = 0;
        edit_prepare(&edit, kozo_str(marks[i].prepared), 99);
        edit_begin(&edit, kozo_str(marks[i].prompt));
        CHECK_EQ(type(marks[i].keys), EDIT_GOES_ON);
        CHECK(line_is(marks[i].line));
        CHECK_EQ(strncmp(row, marks[i].row, strlen(marks[i].row)), 0);
        CHECK_PTR(strstr(row, "[?"), nullptr);
    }
}
