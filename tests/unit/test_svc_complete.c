/* SPDX-License-Identifier: MIT */
/* shell: what Tab completes. */
#include "unit.h"

#include "shell/complete.h"

#include <stdio.h>
#include <string.h>

/* `word (command)!'` with the cursor at the `^` of the line; `!`: a program, `'`: is open. */
static const char *at(const char *line)
{
    static char text[128], plain[128];
    const char *cursor = strchr(line, '^');
    struct place p;

    snprintf(plain, sizeof plain, "%.*s%s", (int)(cursor - line), line, cursor + 1);
    complete_place(&p, kozo_str(plain), (uint64_t)(cursor - line));
    snprintf(text, sizeof text, "%.*s (%.*s)%s%.*s", (int)p.word.len, p.word.at, (int)p.command.len,
             p.command.at, p.program ? "!" : "", p.quote != 0, &p.quote);
    return text;
}

TEST(the_word_and_its_command_are_found)
{
    CHECK_STR(at("^"), " ()");
    CHECK_STR(at("ca^"), "ca ()");
    CHECK_STR(at("cat /et^"), "/et (cat)");
    CHECK_STR(at("cat ^"), " (cat)");
    CHECK_STR(at("cat /et^ /x"), "/et (cat)");
    CHECK_STR(at("ls; ki^"), "ki ()");
    CHECK_STR(at("cat /f|w^"), "w ()!");
    CHECK_STR(at("cat /f | wc /e^"), "/e (wc)!");
    CHECK_STR(at("run w^"), "w ()!");
    CHECK_STR(at("run --with fs,policy as^"), "as ()!");
    CHECK_STR(at("run --with ^"), " (--with)!");
    CHECK_STR(at("run --with po^"), "po (--with)!");
    CHECK_STR(at("run --with fs,po^"), "po (--with)!");
    CHECK_STR(at("ls; run --with fs,^"), " (--with)!");
    CHECK_STR(at("wc </e^"), "/e (wc)");
}

TEST(a_word_with_quotes_is_found_without_them)
{
    CHECK_STR(at("cat '/a b^"), "/a b (cat)'");
    CHECK_STR(at("cat '/a b'^"), "/a b (cat)");
    CHECK_STR(at("cat /a' b'/c^"), "/a b/c (cat)");
    CHECK_STR(at("cat \"/it's^"), "/it's (cat)\"");
    CHECK_STR(at("cat 'a;b|c' /d^"), "/d (cat)");
    CHECK_STR(at("echo 'a; b' ; ca^"), "ca ()");
}

/* The words between the command and the one at the end. */
static const char *given(const char *line)
{
    static char text[128];
    struct place p;

    complete_place(&p, kozo_str(line), strlen(line));
    snprintf(text, sizeof text, "%.*s%s", (int)p.given.len, p.given.at, p.run ? "!" : "");
    return text;
}

TEST(the_words_before_it_are_told)
{
    CHECK_STR(given("policy "), "");
    CHECK_STR(given("policy li"), "");
    CHECK_STR(given("ls; policy li"), "");
    CHECK_STR(given("policy explain "), "explain");
    CHECK_STR(given("policy explain 1"), "explain");
    CHECK_STR(given("ls | why  --json shell  f"), "--json shell");
    CHECK_STR(given("run --w"), "!");
    CHECK_STR(given("run --with fs x"), "");
    CHECK_STR(given("run cat a"), "!");
}

static const char *rest_in(char quote, const char *typed, const char *const *names, char tail)
{
    static char text[300];
    struct matches m = matches_begin(kozo_str(typed), quote);
    struct kozo_str r;

    for (; *names != NULL; names++)
        matches_add(&m, kozo_str(*names), tail);
    r = matches_rest(&m);
    snprintf(text, sizeof text, "%u:%.*s", m.count, (int)r.len, r.at);
    return text;
}

static const char *rest(const char *typed, const char *const *names)
{
    return rest_in(0, typed, names, ' ');
}

TEST(what_all_matches_have_in_common_is_added)
{
    CHECK_STR(rest("h", (const char *[]){ "help", "ls", NULL }), "1:elp ");
    CHECK_STR(rest("re", (const char *[]){ "reboot", "restart", "rm", NULL }), "2:");
    CHECK_STR(rest("k", (const char *[]){ "kill", "kind", NULL }), "2:i");
    CHECK_STR(rest("", (const char *[]){ "a", "b", NULL }), "2:");
    CHECK_STR(rest("x", (const char *[]){ "a", NULL }), "0:");
    CHECK_STR(rest("cat", (const char *[]){ "cat", NULL }), "1: ");
}

#define ONE(name) ((const char *[]){ name, NULL })

TEST(what_needs_quotes_is_added_in_quotes)
{
    CHECK_STR(rest("a", ONE("a b")), "1:' b' ");
    CHECK_STR(rest("a b", ONE("a b")), "1: ");
    CHECK_STR(rest("", ONE("it's")), "1:\"it's\" ");
    CHECK_STR(rest("it", ONE("it's \"so\"")), "0:"); /* there is no way to type it */
    CHECK_STR(rest("it's ", ONE("it's \"so\"")), "1:'\"so\"' ");
    CHECK_STR(rest("", ONE("\303\244")), "0:");
    CHECK_STR(rest("a", ((const char *[]){ "a;b c", "a;b d", NULL })), "2:';b '");
    CHECK_STR(rest_in(0, "a", ONE("a b"), '/'), "1:' b'/");
    CHECK_STR(rest_in('\'', "a ", ONE("a b"), ' '), "1:b' ");
    CHECK_STR(rest_in('\'', "a b", ONE("a b"), ' '), "1:' ");
    CHECK_STR(rest_in('\'', "a", ONE("a b"), '/'), "1: b/");
    CHECK_STR(rest_in('\'', "it", ONE("it's"), ' '), "0:");
    CHECK_STR(rest_in('"', "it", ONE("it's"), ' '), "1:'s\" ");
}

TEST(the_longest_name_fits)
{
    char name[COMPLETE_NAME + 2] = "", line[PARSE_BYTES + 1] = "";
    struct place p;

    memset(name, ' ', COMPLETE_NAME);
    CHECK_EQ(strlen(rest("", ONE(name))), strlen("1:") + COMPLETE_NAME + strlen("'' "));
    name[COMPLETE_NAME] = 'x';
    CHECK_STR(rest("", ONE(name)), "0:");
    memset(line, 'x', PARSE_BYTES);
    complete_place(&p, kozo_str(line), PARSE_BYTES);
    CHECK_EQ(p.word.len, PARSE_BYTES);
}
