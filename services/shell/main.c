/* SPDX-License-Identifier: MIT */
/*
 * shell - a prompt, or the commands of the kernel's command line, by one table.
 *
 * It has no power but the capabilities of its section: console to read and write, fs for files,
 * system to look at services and to end the machine.
 */
#include "init/commands.h"
#include "shell/shell.h"

#include <kozo/console.h>
#include <kozo/error.h>
#include <kozo/log.h>
#include <kozo/print.h>
#include <kozo/start.h>
#include <kozo/string.h>
#include <kozo/system.h>
#include <kozo/time.h>

static bool listed; /* the commands are those of the kernel's command line */

/* ---- output ---- */

bool shell_write(const char *text, uint64_t len)
{
    struct console_write_rep rep;
    struct kozo_msg m;
    enum kozo_err err = KOZO_OK;

    kozo_msg_init(&m);
    for (uint64_t n; err == KOZO_OK && len > 0; text += n, len -= n) {
        n = len < KOZO_CONSOLE_TEXT ? len : KOZO_CONSOLE_TEXT;
        err = console_call_write(kozo_cap_endpoint("console"), &m,
                                 &(struct console_write_req){ .text = { text, n } }, &rep);
    }
    return err == KOZO_OK;
}

bool shell_print(const char *format, ...)
{
    char text[KOZO_CONSOLE_TEXT];
    va_list args;
    int len;

    va_start(args, format);
    len = kozo_vsnprintf(text, sizeof text, format, args);
    va_end(args);
    return shell_write(text, (uint64_t)len < sizeof text ? (uint64_t)len : sizeof text - 1);
}

/* Errors of a list are for its reader's log; those of a person for the person. */
uint32_t shell_fail(struct kozo_str what, const char *text)
{
    char printable[128];

    text_printable(printable, sizeof printable, what);
    if (listed)
        kozo_printf("error: %s: %s\n", printable, text);
    else
        (void)shell_print("error: %s: %s\n", printable, text);
    return 1;
}

uint32_t shell_fail_err(struct kozo_str what, enum kozo_err err)
{
    return shell_fail(what, kozo_err_text(err));
}

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

static const struct command commands[] = {
    { "help", "help [COMMAND]", "list the commands, or explain one", 0, 1, command_help },
    { "ls", "ls [PATH]", "list a directory: kind, bytes, name", 0, 1, command_ls },
    { "cat", "cat FILE...", "print files", 1, SHELL_WORDS, command_cat },
    { "echo", "echo [WORD...]", "print words", 0, SHELL_WORDS, command_echo },
    { "uptime", "uptime", "time since boot", 0, 0, command_uptime },
    { "log", "log", "the last 16 KiB of the kernel's log", 0, 0, command_log },
    { "ps", "ps", "services: state, whom each waits for, processor time", 0, 0, command_ps },
    { "mem", "mem", "memory, capabilities and threads", 0, 0, command_mem },
    { "caps", "caps [SERVICE]", "capabilities that services hold, as the kernel tells", 0, 1,
      command_caps },
    { "poweroff", "poweroff [STATUS]",
      "end the machine, with that of the command before unless a status (0 to 63) is given", 0, 1,
      command_poweroff },
    { "reboot", "reboot", "reset the machine", 0, 0, command_reboot },
};
constexpr uint32_t command_count = sizeof commands / sizeof commands[0];

static const struct command *find(struct kozo_str name)
{
    for (uint32_t i = 0; i < command_count; i++)
        if (kozo_str_is(name, commands[i].name))
            return &commands[i];
    return nullptr;
}

static uint32_t command_help(const struct words *w, uint32_t)
{
    const struct command *c = w->count > 1 ? find(w->word[1]) : nullptr;

    if (w->count > 1 && c == nullptr)
        return shell_fail(w->word[1], "no such command; `help` lists them");
    if (c != nullptr)
        return shell_print("%s\n    %s\n", c->usage, c->help) ? 0 : 1;
    for (uint32_t i = 0; i < command_count; i++)
        if (!shell_print("%-18s %s\n", commands[i].usage, commands[i].help))
            return 1;
    return 0;
}

/* ---- running ---- */

static uint32_t run(struct kozo_str line, uint32_t status)
{
    struct kozo_str rest = line;
    const struct command *c;
    struct words w = {};
    char usage[96];

    for (struct kozo_str word = text_cut_word(&rest); word.len > 0; word = text_cut_word(&rest)) {
        if (w.count == SHELL_WORDS)
            return shell_fail(line, "more than 16 words");
        w.word[w.count++] = word;
    }
    c = find(w.word[0]);
    if (c == nullptr)
        return shell_fail(line, "no such command; `help` lists them");
    if (w.count - 1 >= c->least && w.count - 1 <= c->most)
        return c->run(&w, status);
    kozo_snprintf(usage, sizeof usage, "usage: %s", c->usage);
    return shell_fail(w.word[0], usage);
}

static uint32_t run_list(struct kozo_str list, uint32_t status)
{
    struct kozo_str command;

    while ((command = commands_cut(&list)).len > 0)
        status = run(command, status);
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

[[noreturn]] static void prompt(void)
{
    struct console_read_rep rep;
    char line[KOZO_CONSOLE_LINE];
    struct kozo_msg m;
    uint32_t status = 0;

    kozo_msg_init(&m);
    for (;;) {
        enum kozo_err err =
            console_call_read(kozo_cap_endpoint("console"), &m,
                              &(struct console_read_req){ .prompt = kozo_str("kozo> ") }, &rep);

        if (err != KOZO_OK)
            kozo_fatal("console: %s", kozo_err_text(err));
        if (rep.how == KOZO_CONSOLE_ENDED)
            (void)shell_print("`poweroff` ends the machine\n");
        if (rep.how != KOZO_CONSOLE_ENTERED)
            continue;
        memcpy(line, rep.line.at, rep.line.len);
        status = run_list((struct kozo_str){ line, rep.line.len }, status);
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

    (void)kozo_ready();
    wait_for_ready();
    listed = read_commands(list, &len);
    if (listed)
        (void)run_list(kozo_str("poweroff"), run_list((struct kozo_str){ list, len }, 0));
    prompt();
}
