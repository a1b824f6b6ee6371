/* SPDX-License-Identifier: MIT */
/*
 * run.h - command lines that start programs: what each is given, and what comes of them.
 *
 * Owns:      jobs: the numbers of command lines whose programs run.
 * Not here:  starting one program (program.h), the shell's own commands (main.c).
 * Callers:   services/shell.
 * Spec:      docs/spec/services.md, docs/commands/run.md
 */
#pragma once

#include "shell/parse.h"

/* Whether a command is for programs: it says `run`, or has a pipe, a redirection or an `&`. */
bool run_is(const struct parsed *p);
/* Runs it; the status of its last stage. */
uint32_t run_line(const struct parsed *p);

/* Tells of background programs that have ended meanwhile. */
void run_tell_ends(void);
/* Prints the background jobs. */
uint32_t run_list_jobs(void);
/* Ends job `number`; false when there is none. */
bool run_kill_job(uint32_t number);
