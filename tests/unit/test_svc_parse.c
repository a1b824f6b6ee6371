/* SPDX-License-Identifier: MIT */
/* shell: taking command lines apart. */
#include "unit.h"

#include "shell/parse.h"

#include <stdio.h>
#include <string.h>

static struct parsed p;

/* `cmd[a][b]|cmd2 <in >out &`, or the error. */
static const char *shown(const char *line)
{
    static char text[4096];
    int n = 0;

    if (!parse_command(&p, kozo_str(line)))
        return p.error;
    for (uint32_t s = 0; s < p.stages; s++) {
        n += snprintf(text + n, sizeof text - n, "%s", s > 0 ? "|" : "");
        for (uint32_t w = 0; w < p.stage[s].count; w++)
            n += snprintf(text + n, sizeof text - n, "[%.*s%s]", (int)p.stage[s].word[w].len,
                          p.stage[s].word[w].at, p.stage[s].quoted[w] ? "*" : "");
    }
    if (p.in.len > 0)
        n += snprintf(text + n, sizeof text - n, " <%.*s", (int)p.in.len, p.in.at);
    if (p.out.len > 0)
        n += snprintf(text + n, sizeof text - n, "%s%.*s", p.append ? " >>" : " >", (int)p.out.len,
                      p.out.at);
    if (p.background)
        snprintf(text + n, sizeof text - n, " &");
    return text;
}

TEST(words_are_parted_by_blanks)
{
    CHECK_STR(shown("ls"), "[ls]");
    CHECK_STR(shown("  ls\t /etc  "), "[ls][/etc]");
}

TEST(quotes_keep_what_is_between_them)
{
    CHECK_STR(shown("echo 'a  b' \"c;d\""), "[echo][a  b*][c;d*]");
    CHECK_STR(shown("echo x'y z'w \"it's\" 'say \"so\"'"), "[echo][xy zw*][it's*][say \"so\"*]");
    CHECK_STR(shown("echo ''"), "[echo][*]");
    CHECK_STR(shown("echo '|<>&'"), "[echo][|<>&*]");
}

TEST(a_quote_without_its_end_is_an_error)
{
    CHECK_STR(shown("echo 'x"), "a ' without its end");
    CHECK_STR(shown("echo x\""), "a \" without its end");
    CHECK_STR(shown("cat < 'x"), "a ' without its end");
}

TEST(stages_and_redirections)
{
    CHECK_STR(shown("cat /f|wc"), "[cat][/f]|[wc]");
    CHECK_STR(shown("run wc </etc/motd>/ram/x &"), "[run][wc] </etc/motd >/ram/x &");
    CHECK_STR(shown("a < i | b | c > o"), "[a]|[b]|[c] <i >o");
    CHECK_STR(shown("a > o < i"), "[a] <i >o");
    CHECK_STR(shown("a>>o"), "[a] >>o");
    CHECK_STR(shown("a | b >> o &"), "[a]|[b] >>o &");
    CHECK_STR(shown("a > o"), "[a] >o"); /* nothing is left of the line before */
}

TEST(malformed_commands_say_what_is_wrong)
{
    CHECK_STR(shown(""), "no command");
    CHECK_STR(shown("| wc"), "nothing before |");
    CHECK_STR(shown("cat | "), "nothing after |");
    CHECK_STR(shown("a || b"), "there is no ||; `;` parts two commands");
    CHECK_STR(shown("|| b"), "there is no ||; `;` parts two commands");
    CHECK_STR(shown("a && b"), "there is no &&; `;` parts two commands");
    CHECK_STR(shown("a | | b"), "nothing before |");
    CHECK_STR(shown("a | b | c | d"), "more than 3 stages in a pipe");
    CHECK_STR(shown("a <"), "no file after <");
    CHECK_STR(shown("a > | b"), "no file after >");
    CHECK_STR(shown("a < x < y"), "more than one <");
    CHECK_STR(shown("a > x > y"), "more than one >");
    CHECK_STR(shown("a >> x > y"), "more than one >");
    CHECK_STR(shown("a >>"), "no file after >");
    CHECK_STR(shown("a > > x"), "no file after >");
    CHECK_STR(shown("a >>> x"), "no file after >");
    CHECK_STR(shown("a << x"), "no file after <");
    CHECK_STR(shown("a | b < x"), "< belongs to the first stage of a pipe");
    CHECK_STR(shown("a > x | b"), "> belongs to the last stage of a pipe");
    CHECK_STR(shown("a & b"), "something after &; it ends a command, and `;` parts two");
    CHECK_STR(shown("&"), "no command");
    CHECK_STR(shown("a 2>x"),
              "no number goes right before < or >; with a blank between it is a word");
    CHECK_STR(shown("a 0<x"),
              "no number goes right before < or >; with a blank between it is a word");
    CHECK_STR(shown("a 2 >x"), "[a][2] >x");
    CHECK_STR(shown("a '2'>x"), "[a][2*] >x");
    CHECK_STR(shown("a n2>x"), "[a][n2] >x");
    CHECK_STR(shown("a b c d e f g h i j k l m n o p q"), "more than 16 words");
    CHECK_STR(shown("a b c d e f g h i j k l m n o p"),
              "[a][b][c][d][e][f][g][h][i][j][k][l][m][n][o][p]");
}

TEST(control_characters_are_refused)
{
    CHECK_STR(shown("echo a\nKOZO READY"), "a control character");
    CHECK_STR(shown("echo '\x1b[2J'"), "a control character");
}

TEST(a_line_longer_than_its_room_is_refused)
{
    static char line[PARSE_BYTES + 2];

    memset(line, 'x', PARSE_BYTES + 1);
    CHECK_STR(shown(line), "more than 1024 bytes");
    line[PARSE_BYTES] = '\0';
    CHECK(parse_command(&p, kozo_str(line)));
    CHECK_EQ(p.stage[0].word[0].len, PARSE_BYTES);
}

TEST(commands_are_cut_outside_of_quotes)
{
    struct kozo_str list = kozo_str(" ls / ;; echo 'a; b' ;cat \"x;y");
    struct kozo_str c = parse_cut(&list);

    CHECK(kozo_str_is(c, "ls /"));
    c = parse_cut(&list);
    CHECK(kozo_str_is(c, "echo 'a; b'"));
    c = parse_cut(&list);
    CHECK(kozo_str_is(c, "cat \"x;y"));
    CHECK_EQ(parse_cut(&list).len, 0);
}
