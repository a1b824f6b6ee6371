/* SPDX-License-Identifier: MIT */
/*
 * shell - a prompt, or the commands of the kernel's command line, by one table.
 *
 * It has no power but the capabilities of its section: console to read and write, fs for files,
 * system to look at services and to end the machine.
 */
#include "shell/help.h"
#include "shell/output.h"
#include "shell/program.h"
#include "shell/reader.h"
#include "shell/run.h"
#include "shell/shell.h"
#include "shell/tab.h"

#include <kozo/console.h>
#include <kozo/error.h>
#include <kozo/log.h>
#include <kozo/print.h>
#include <kozo/start.h>
#include <kozo/string.h>
#include <kozo/system.h>
#include <kozo/time.h>

constexpr uint64_t usage_columns = 38; /* of the list that `help` prints */

/* ---- the table ---- */

static uint32_t command_help(const struct words *w, uint32_t status);

static uint32_t command_echo(const struct words *w, uint32_t)
{
    for (uint32_t i = 1; i < w->count; i++)
        if (!shell_write(w->word[i].at, w->word[i].len) ||
            !shell_write(i + 1 < w->count ? " " : "", i + 1 < w->count))
            return 1;
    return shell_write("\n", 1) ? 0 : 1;
}

static uint32_t command_uptime(const struct words *, uint32_t)
{
    uint64_t ms = kozo_now() / KOZO_MS;

    return shell_print("up %llu.%03llu s\n", (unsigned long long)(ms / 1000),
                       (unsigned long long)(ms % 1000))
               ? 0
               : 1;
}

static uint32_t command_jobs(const struct words *, uint32_t) { return run_list_jobs(); }

static const struct command commands[] = {
    { "help", 0, 1, "", command_help },
    { "ls", 0, 1, "", command_ls },
    { "cat", 1, SHELL_WORDS, "", command_cat },
    { "cp", 2, 2, "", command_cp },
    { "mv", 2, 2, "", command_mv },
    { "rm", 1, SHELL_WORDS, "", command_rm },
    { "mkdir", 1, SHELL_WORDS, "", command_mkdir },
    { "write", 1, SHELL_WORDS, "--append", command_write },
    { "df", 0, 1, "--json", command_df },
    { "echo", 0, SHELL_WORDS, nullptr, command_echo },
    { "run", 0, SHELL_WORDS, nullptr, nullptr },
    { "jobs", 0, 0, "", command_jobs },
    { "kill", 1, 1, "", command_kill },
    { "restart", 1, 1, "", command_restart },
    { "ps", 0, 1, "--json", command_ps },
    { "top", 0, 1, "", command_top },
    { "caps", 0, 3, "--tree --json", command_caps },
    { "why", 2, 3, "--json", command_why },
    { "policy", 1, 2, "", command_policy },
    { "trace", 1, 1 + KOZO_TRACE_COUNT, "", command_trace },
    { "mem", 0, 1, "--json", command_mem },
    { "log", 0, 0, "", command_log },
    { "uptime", 0, 0, "", command_uptime },
    { "poweroff", 0, 1, "", command_poweroff },
    { "reboot", 0, 0, "", command_reboot },
};
constexpr uint32_t command_count = sizeof commands / sizeof commands[0];

static const struct command *find(struct kozo_str name)
{
    for (uint32_t i = 0; i < command_count; i++)
        if (kozo_str_is(name, commands[i].name))
            return &commands[i];
    return nullptr;
}

static bool print_page(const struct help_page *page)
{
    return shell_print("%s\n\n", page->usage) && shell_write(page->text, strlen(page->text));
}

static bool print_summary(const struct help_page *page)
{
    if (strlen(page->usage) <= usage_columns)
        return shell_print("%-38s %s\n", page->usage, page->summary);
    return shell_print("%s\n%-38s %s\n", page->usage, "", page->summary);
}

static uint32_t command_help(const struct words *w, uint32_t)
{
    const struct help_page *page;

    if (w->count > 1) {
        page = help_find(w->word[1]);
        if (page == nullptr)
            return shell_fail(w->word[1], "no such command; `help` lists them");
        return print_page(page) ? 0 : 1;
    }
    for (uint32_t i = 0; i < command_count; i++) {
        page = help_find(kozo_str(commands[i].name));
        if (!print_summary(page))
            return 1;
    }
    return shell_print("\nPrograms, with or without `run`:\n") && help_programs(shell_print) &&
                   shell_print("`help NAME` explains a command or a program.\n")
               ? 0
               : 1;
}

/* ---- running ---- */

uint32_t shell_usage(struct kozo_str what, const char *wrong, struct kozo_str name)
{
    char text[200];

    kozo_snprintf(text, sizeof text, "%susage: %s", wrong, help_find(name)->usage);
    return shell_fail(what, text);
}

/*
 * The first word that looks like an option and is none of the command's; 0 = there is none. Behind the
 * first one the words of `write` are text.
 */
static uint32_t find_bad_option(const struct command *c, const struct stage *s)
{
    uint32_t most = kozo_str_is(s->word[0], "write") && s->count > 2 ? 2 : s->count;

    for (uint32_t i = 1; i < most && c->options != nullptr; i++) {
        struct kozo_str options = kozo_str(c->options);
        bool known = s->quoted[i] || s->word[i].len < 2 || s->word[i].at[0] != '-';

        while (!known && options.len > 0)
            known = text_equal(text_cut_word(&options), s->word[i]);
        if (!known)
            return i;
    }
    return 0;
}

static uint32_t run_command(const struct command *c, const struct stage *s, uint32_t status)
{
    struct words w = { .count = s->count };
    uint32_t bad = find_bad_option(c, s);

    if (bad > 0)
        return shell_usage(s->word[bad], "no such option; ", s->word[0]);
    memcpy(w.word, s->word, sizeof w.word);
    if (w.count - 1 < c->least || w.count - 1 > c->most)
        return shell_usage(w.word[0], "", w.word[0]);
    return c->run(&w, status);
}

bool shell_asks_help(const struct stage *s)
{
    return s->count == 2 && !s->quoted[1] && !kozo_str_is(s->word[0], "echo") &&
           (kozo_str_is(s->word[1], "--help") || kozo_str_is(s->word[1], "-h")) &&
           help_find(s->word[0]) != nullptr;
}

bool shell_has_command(struct kozo_str name) { return find(name) != nullptr; }

const char *shell_options(struct kozo_str name)
{
    const struct command *c = find(name);

    return c != nullptr ? c->options : nullptr;
}

uint32_t shell_carry_out(const struct stage *s, uint32_t status)
{
    if (shell_asks_help(s))
        return print_page(help_find(s->word[0])) ? 0 : 1;
    return run_command(find(s->word[0]), s, status);
}

static uint32_t run(struct kozo_str line, uint32_t status)
{
    static struct parsed parsed;

    return parse_command(&parsed, line) ? run_line(&parsed, status) : shell_fail(line, parsed.error);
}

/* Ctrl-C ends the whole list. */
static uint32_t run_list(struct kozo_str list, uint32_t status)
{
    struct kozo_str command;

    output_begin_line();
    while (!output_was_stopped() && (command = parse_cut(&list)).len > 0) {
        run_tell_ends();
        status = run(command, status);
    }
    return status;
}

/* ---- the two ways to get commands ---- */

/* Reads what kozo.run= holds; false when it is not there. */
static bool read_commands(char list[KOZO_CMDLINE_BYTES], uint64_t *len)
{
    struct kozo_endpoint system = kozo_cap_endpoint("system");
    struct system_commands_rep rep;
    struct kozo_msg m;

    *len = 0;
    kozo_msg_init(&m);
    while (system_call_commands(system, &m, &(struct system_commands_req){ .offset = *len },
                                &rep) == KOZO_OK &&
           rep.given != 0) {
        if (rep.text.len == 0 || *len + rep.text.len > KOZO_CMDLINE_BYTES)
            return true;
        memcpy(list + *len, rep.text.at, rep.text.len);
        *len += rep.text.len;
    }
    return false;
}

static void add_commands(bool (*add)(const char *name))
{
    for (uint32_t i = 0; i < command_count; i++)
        (void)add(commands[i].name);
}

static void complete(struct typed *t)
{
    struct kozo_str rest =
        tab_complete((struct kozo_str){ t->text, t->len }, t->cursor, add_commands);

    if (t->len + rest.len > sizeof t->text)
        return;
    memmove(t->text + t->cursor + rest.len, t->text + t->cursor, t->len - t->cursor);
    memcpy(t->text + t->cursor, rest.at, rest.len);
    t->cursor += rest.len;
    t->len += rest.len;
}

constexpr uint64_t take_back = KOZO_S / 5;

[[noreturn]] static void prompt(void)
{
    struct typed t = {};
    enum kozo_err begun = reader_begin();
    uint32_t status = 0;

    if (begun != KOZO_OK)
        kozo_fatal("a thread to read with: %s", kozo_err_text(begun));
    (void)shell_print("\n`help` lists the commands, Tab completes them, `poweroff` ends the machine.\n");
    for (;;) {
        enum kozo_console_how how;
        enum kozo_err err;

        run_tell_ends();
        err = reader_edit(&t, &how);
        if (shell_console_is_back(err))
            continue;
        if (err == KOZO_ERR_CANCELLED) { /* somebody else reads; the prompt waits for its turn */
            (void)kozo_sleep(take_back);
            continue;
        }
        if (err != KOZO_OK)
            kozo_fatal("console: %s", kozo_err_text(err));
        if (how == KOZO_CONSOLE_TAB) {
            output_begin_line();
            complete(&t);
            if (shell_stopped()) /* Ctrl-C came meanwhile */
                t.len = t.cursor = 0;
            continue;
        }
        if (how == KOZO_CONSOLE_ENDED)
            (void)shell_print("`poweroff` ends the machine\n");
        if (how == KOZO_CONSOLE_ENTERED)
            status = run_list((struct kozo_str){ t.text, t.len }, status);
        t.len = t.cursor = 0;
    }
}

static void wait_for_ready(void)
{
    struct system_wait_rep rep;
    struct kozo_msg m;
    enum kozo_err err;

    kozo_msg_init(&m);
    err = system_call_wait(kozo_cap_endpoint("system"), &m, &(struct system_wait_req){}, &rep);
    if (err != KOZO_OK)
        kozo_fatal("system: %s", kozo_err_text(err));
}

int main(int, char **)
{
    static char list[KOZO_CMDLINE_BYTES];
    uint64_t len;

    enum kozo_err err = program_begin();

    if (err != KOZO_OK)
        kozo_fatal("memory for programs: %s", kozo_err_text(err));
    (void)kozo_ready();
    wait_for_ready();
    if (read_commands(list, &len)) {
        output_set_listed();
        (void)run_list(kozo_str("poweroff"), run_list((struct kozo_str){ list, len }, 0));
    }
    prompt();
}
