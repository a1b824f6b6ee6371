/* SPDX-License-Identifier: MIT */
/*
 * shell.h - what the shell's commands have in common.
 *
 * Owns:      struct command; output to the console.
 * Callers:   services/shell.
 * Spec:      docs/spec/services.md
 */
#pragma once

#include "common/text.h"

#include <kozo/abi.h>

#define SHELL_WORDS 16u

/* A command line, taken apart. */
struct words {
    struct kozo_str word[SHELL_WORDS]; /* the command's name first */
    uint32_t count;
};

struct command {
    const char *name, *usage, *help;
    uint32_t least, most; /* words after the name */
    /* Its status, 0 = well. `status` is that of the command before it. */
    uint32_t (*run)(const struct words *w, uint32_t status);
};

/* Prints; false when Ctrl-C was typed: the command ends then. */
[[gnu::format(printf, 1, 2)]] bool shell_print(const char *format, ...);
bool shell_write(const char *text, uint64_t len);
/* `error: WHAT: text` where errors go. Returns status 1. */
uint32_t shell_fail(struct kozo_str what, const char *text);
uint32_t shell_fail_err(struct kozo_str what, enum kozo_err err);

uint32_t command_ls(const struct words *w, uint32_t status);
uint32_t command_cat(const struct words *w, uint32_t status);
uint32_t command_ps(const struct words *w, uint32_t status);
uint32_t command_caps(const struct words *w, uint32_t status);
uint32_t command_mem(const struct words *w, uint32_t status);
uint32_t command_log(const struct words *w, uint32_t status);
uint32_t command_poweroff(const struct words *w, uint32_t status);
uint32_t command_reboot(const struct words *w, uint32_t status);
