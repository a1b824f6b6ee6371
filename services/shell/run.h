/* SPDX-License-Identifier: MIT */
/*
 * run.h - command lines: which commands and programs they name, what each is given, what comes of them.
 *
 * Owns:      jobs: the numbers of command lines whose programs run.
 * Not here:  starting one program (program.h), the shell's own commands (main.c), printing (output.h).
 * Callers:   services/shell.
 * Spec:      docs/spec/services.md, docs/commands/run.md
 */
#pragma once

#include "shell/parse.h"

/* Runs it; returns its status. `status` is that of the command before. */
uint32_t run_line(const struct parsed *p, uint32_t status);

/* Tells of background programs that have ended meanwhile. */
void run_tell_ends(void);
/* Waits until one ends, or a message comes to program_port(); tells of it. */
void run_wait_end(void);
/* Prints the background jobs. */
uint32_t run_list_jobs(void);
/* Ends job `number` and tells of it; false when there is none. */
bool run_kill_job(uint32_t number);
