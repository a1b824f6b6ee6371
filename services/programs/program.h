/* SPDX-License-Identifier: MIT */
/*
 * program.h - what the small programs have in common: output, errors, files named or piped to them.
 *
 * A program holds what it was given for this one run: "stdout" and "stderr", a file for each
 * argument that names one, "stdin" when there is `<` or a pipe. It cannot open anything itself.
 *
 * Owns:      the program's output and error streams; its name in messages.
 * Callers:   services/programs.
 * Spec:      docs/spec/services.md, docs/commands/
 */
#pragma once

#include <kozo/stream.h>

/* Statuses, beside 0. */
#define PROGRAM_FAILED 1
#define PROGRAM_USAGE 2

/* Takes up output and errors; `usage` is what program_usage tells. */
void program_begin(const char *usage);

/* Prints `usage: ...` as an error. Returns PROGRAM_USAGE. */
int program_usage(void);

/*
 * Prints `NAME: WHAT: text` as an error; who reads the output from a pipe will learn that it is not all
 * that it should be. Returns PROGRAM_FAILED.
 */
int program_fail(const char *what, const char *text);
int program_fail_err(const char *what, enum kozo_err err);

/* Output. When nobody takes it any more the program says so and ends. */
void program_write(const void *from, size_t len);
[[gnu::format(printf, 1, 2)]] void program_printf(const char *format, ...);

/*
 * Runs run(name, input) for each argument from argv[first] on, or for "stdin" when there is none.
 * `name` is "" for that. Returns the highest status, program_usage() when there is nothing to read.
 */
int program_inputs(int argc, char **argv, int first,
                   int (*run)(const char *name, struct kozo_stream *in));

/* Reads on, up to `len` bytes; false at the end, and after an error, which is told in *status. */
bool program_read(const char *name, struct kozo_stream *in, void *to, size_t len, size_t *got,
                  int *status);

/* Writes out what is left of the output. Returns the program's status. */
int program_end(int status);
