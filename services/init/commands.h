/* SPDX-License-Identifier: MIT */
/*
 * commands.h - what kozo.run="CMD; CMD" on the kernel's command line can say.
 *
 * Owns:      the table of commands.
 * Not here:  doing it (main.c, power.c).
 * Callers:   init and its unit tests; no system calls.
 */
#pragma once

#include "common/text.h"

#define COMMAND_STATUS_MAX 63u /* the highest that power-off can tell */

struct command_result {
    uint32_t status;   /* 0 = well */
    bool power_off;    /* now, with that status */
    const char *error; /* what was wrong; null = nothing */
};

/* Cuts off the next command of a list, empty at the end; commands are parted by `;`. */
struct kozo_str commands_cut(struct kozo_str *list);
/* Runs one command; `status` is that of the one before it. */
struct command_result command_run(struct kozo_str command, uint32_t status);
