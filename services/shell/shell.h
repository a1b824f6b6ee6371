/* SPDX-License-Identifier: MIT */
/*
 * shell.h - what the shell's commands have in common.
 *
 * Owns:      struct command.
 * Callers:   services/shell.
 * Spec:      docs/spec/services.md
 */
#pragma once

#include "shell/parse.h"

#include <kozo/file.h>

#define SHELL_WORDS PARSE_WORDS

/* A command line, taken apart. */
struct words {
    struct kozo_str word[SHELL_WORDS]; /* the command's name first */
    uint32_t count;
};

struct command {
    const char *name;
    uint32_t least, most; /* words after the name */
    const char *options;  /* parted by blanks; null: a word that begins with - is a word as any other */
    /* Its status, 0 = well. `status` is that of the command before it. */
    uint32_t (*run)(const struct words *w, uint32_t status);
};

/* Prints to where the command's output goes (output.h); false when it ends: Ctrl-C, or nobody takes it. */
[[gnu::format(printf, 1, 2)]] bool shell_print(const char *format, ...);
bool shell_write(const char *text, uint64_t len);
static inline bool shell_print_str(struct kozo_str text)
{
    return shell_write(text.at, text.len);
}
/* What was printed is to be seen now: the command rests. */
void shell_flush(void);
/* Whether Ctrl-C was typed since the last line was read. */
bool shell_stopped(void);
/* Prints to the console, whatever the command's output is. */
[[gnu::format(printf, 1, 2)]] void shell_tell(const char *format, ...);
/* After an error of the console: whether it is there again, in another life. */
bool shell_console_is_back(enum kozo_err err);
/* `error: WHAT: text` where errors go. Returns status 1. */
uint32_t shell_fail(struct kozo_str what, const char *text);
uint32_t shell_fail_err(struct kozo_str what, enum kozo_err err);
/* Of the file at a path: a directory where it is no place for one is called that. */
uint32_t shell_fail_file(struct kozo_str word, enum kozo_err err);
/* Whether the commands are those of kozo.run=: nobody sits there. */
bool shell_is_listed(void);
/* A line of a report, where errors go. */
void shell_report(const char *line);

/* `error: WHAT: [WRONG]usage: ...`, of the command or program `name`. Returns status 1. */
uint32_t shell_usage(struct kozo_str what, const char *wrong, struct kozo_str name);
/* Whether it is a command of the shell's own. */
bool shell_has_command(struct kozo_str name);
/* The options of a command of the shell's own, parted by blanks; null when it has no such command. */
const char *shell_options(struct kozo_str name);
/* Whether a stage is `NAME --help`, of a command or a program with a page. */
bool shell_asks_help(const struct stage *s);
/* Carries out a stage that is one of these two. Returns its status. */
uint32_t shell_carry_out(const struct stage *s, uint32_t status);

/* Opens a file by its path from / on; shell_create makes it when it is not there. */
struct kozo_file shell_open(struct kozo_str path, uint64_t rights);
struct kozo_file shell_create(struct kozo_str path, uint64_t rights);

uint32_t command_ls(const struct words *w, uint32_t status);
uint32_t command_cat(const struct words *w, uint32_t status);
uint32_t command_cp(const struct words *w, uint32_t status);
uint32_t command_mv(const struct words *w, uint32_t status);
uint32_t command_rm(const struct words *w, uint32_t status);
uint32_t command_mkdir(const struct words *w, uint32_t status);
uint32_t command_write(const struct words *w, uint32_t status);
uint32_t command_df(const struct words *w, uint32_t status);
uint32_t command_ps(const struct words *w, uint32_t status);
uint32_t command_caps(const struct words *w, uint32_t status);
uint32_t command_mem(const struct words *w, uint32_t status);
uint32_t command_log(const struct words *w, uint32_t status);
uint32_t command_kill(const struct words *w, uint32_t status);
uint32_t command_restart(const struct words *w, uint32_t status);
uint32_t command_policy(const struct words *w, uint32_t status);
uint32_t command_top(const struct words *w, uint32_t status);
uint32_t command_trace(const struct words *w, uint32_t status);
uint32_t command_why(const struct words *w, uint32_t status);
uint32_t command_poweroff(const struct words *w, uint32_t status);
uint32_t command_reboot(const struct words *w, uint32_t status);
