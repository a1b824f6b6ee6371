/* SPDX-License-Identifier: MIT */
/*
 * output.h - where it goes what a command prints: to the console, or for one command into a file or
 * a pipe. Errors and reports never go there.
 *
 * Owns:      the stream of the command under way; whether Ctrl-C was typed.
 * Not here:  printing (shell.h); opening files and making pipes (run.c).
 * Callers:   services/shell.
 * Cost:      to the console a call for each piece; twenty times a second a look at what else happens.
 * Spec:      docs/spec/services.md
 */
#pragma once

#include <kozo/stream.h>

constexpr uint64_t output_look_every = 50'000'000; /* ns */

/* The commands are those of the kernel's command line: their errors go to the log. */
void output_set_listed(void);
/* A new line of commands: Ctrl-C is not typed yet. */
void output_begin_line(void);
/* Whether Ctrl-C was seen since; no system call. */
bool output_was_stopped(void);

/*
 * What is printed from now on goes to `to`. Meanwhile, also while a pipe is full, look() is called
 * twenty times a second; when it is false nothing more is written.
 */
void output_begin(struct kozo_stream *to, bool (*look)(void));
/*
 * To the console again. What is kept back yet is written, if all before it was; `whole`: that was all
 * there was to print, so a pipe's reader gets the end. Returns the first error of writing. Errors:
 * those of kozo_stream_write; CANCELLED look() was false.
 */
enum kozo_err output_end(bool whole);
