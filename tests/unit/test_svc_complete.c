/* SPDX-License-Identifier: MIT */
/* shell: what Tab completes. */
#include "unit.h"

#include "shell/complete.h"

#include <stdio.h>
#include <string.h>

/* `word (command)!` with the cursor at the `^` of the line; `!` for a program. */
static const char *at(const char *line)
{
    static char text[128], plain[128];
    const char *cursor = strchr(line, '^');
    struct place p;

    snprintf(plain, sizeof plain, "%.*s%s", (int)(cursor - line), line, cursor + 1);
    p = complete_place(kozo_str(plain), (uint64_t)(cursor - line));
    snprintf(text, sizeof text, "%.*s (%.*s)%s", (int)p.word.len, p.word.at, (int)p.command.len,
             p.command.at, p.program ? "!" : "");
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

static bool is_first(const char *line)
{
    return complete_place(kozo_str(line), strlen(line)).first;
}

TEST(the_first_word_after_a_command_is_told)
{
    CHECK(is_first("policy "));
    CHECK(is_first("policy li"));
    CHECK(is_first("ls; policy li"));
    CHECK(!is_first("policy explain "));
    CHECK(!is_first("policy explain 1"));
}

static const char *rest(const char *typed, const char *const *names)
{
    static char text[300];
    struct matches m = matches_begin(kozo_str(typed));
    struct kozo_str r;

    for (; *names != NULL; names++)
        matches_add(&m, kozo_str(*names), ' ');
    r = matches_rest(&m);
    snprintf(text, sizeof text, "%u:%.*s", m.count, (int)r.len, r.at);
    return text;
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
