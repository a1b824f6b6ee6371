/* SPDX-License-Identifier: MIT */
/*
 * reader.h - a line that is being typed, while programs in the background may end.
 *
 * The console is called by a thread of its own, and the shell's first thread waits where programs
 * end. That other thread touches nothing of the shell's but the line, and that only while it has it,
 * beside the slot of the capability `console`: both threads call by it, and the first may reconnect.
 *
 * Owns:      the thread that reads; the line while it is being typed.
 * Not here:  what a line says (parse.h), what is told of programs that end (run.h).
 * Callers:   the shell's first thread.
 * Spec:      docs/spec/services.md
 */
#pragma once

#include <kozo/console.h>
#include <kozo/error.h>

/* A line, as far as it is typed. */
struct typed {
    char text[KOZO_CONSOLE_LINE];
    uint64_t len, cursor;
};

/* Makes the thread that reads. Errors: those of kozo_worker_start, and LIMIT. */
enum kozo_err reader_begin(void);

/*
 * The line goes on at the prompt until a key ends it; *how says which. What programs' ends have to
 * say is printed above it meanwhile. Errors: the console's own.
 */
enum kozo_err reader_edit(struct typed *t, enum kozo_console_how *how);
