/* SPDX-License-Identifier: MIT */
/*
 * program.h - programs that the shell starts: out of its own memory and threads, with what it gives.
 *
 * Owns:      struct program and the table of them; the Endpoint where they end; the memory of pipes,
 *            and the shell's own end of one.
 * Not here:  command lines (run.c).
 * Callers:   services/shell.
 * Cost:      a start: kozo_spawn; an end: what the program is made of.
 * Spec:      docs/spec/services.md
 *
 * What a program is given is derived from capabilities that the shell keeps for just this one; they
 * are revoked when it ends, so nothing that it handed on outlives it.
 */
#pragma once

#include <kozo/file.h>
#include <kozo/spawn.h>
#include <kozo/stack.h>
#include <kozo/start.h>
#include <kozo/stream.h>

#include "common/report.h"
#include "shell/parse.h"

#define PROGRAMS 8u
#define PROGRAM_HOLDS 24u
#define PROGRAM_PIPES (PROGRAMS - 1)
#define PROGRAM_SLOT_BITS 6u /* log2 of the slots of its capability space */

/* What a program's end gives, beside its own status. */
#define STATUS_MOST 60u /* a higher one of its own counts as this */
#define STATUS_NOT_STARTED 61u
#define STATUS_FAULT 62u
#define STATUS_KILLED 63u

struct held {
    kozo_cptr slot;
    bool file; /* its server is told of the end */
};

struct program {
    struct kozo_untyped memory;
    struct kozo_pool pool;
    struct kozo_process process;
    char name[KOZO_START_NAME];
    struct kozo_bytes image; /* in the archive */
    bool runs;
    bool asks;       /* it can ask policy, as a program of the shell's ... */
    uint64_t lend;   /* ... by what policy has lent under this number */
    uint64_t badge;  /* of its faults */
    uint32_t job;    /* which command line started it */
    uint32_t status; /* once it does not run any more */
    uint32_t holds;
    struct held held[PROGRAM_HOLDS]; /* what it was given was made of these */
    kozo_cptr bell[2]; /* Notifications on which its neighbours in a pipe wait; 0 = none */
};

/* Takes what is needed to start programs out of the shell's own memory. Errors: NOMEM; LIMIT. */
enum kozo_err program_begin(void);

/* What a program is to be given, before it is one. */

/* A program that is not in use, to be given something; null when there is none. */
struct program *program_new(void);
/* The shell's own capability `slot`, a copy with these rights, under `name`. */
enum kozo_err program_give(struct program *p, const char *name, kozo_cptr slot, uint64_t rights);
/*
 * The right to ask policy, which calls it by `name`; at its end its leases end. IN_USE: another one
 * has it.
 */
enum kozo_err program_give_policy(struct program *p, struct kozo_str name);
/* An open file, which is its from now on, also after an error. `name`: of a stream, with its suffix. */
enum kozo_err program_give_file(struct program *p, const char *name, struct kozo_endpoint file);
/* A pipe from one program's stdout to the other's stdin. */
enum kozo_err program_pipe(struct program *from, struct program *to);
/* One from the shell itself, which writes to *s: one at a time, until program_pipe_end. */
enum kozo_err program_pipe_begin(struct kozo_stream *s, struct program *to);
/* Closes that and takes back the shell's end; nothing if there is none. */
void program_pipe_end(void);
/* Takes all of it back from a program that was not started. */
void program_forget(struct program *p);

/*
 * Starts bin/NAME of the archive. `words`: name and arguments. False, with the text of what was
 * wrong in *why.
 */
bool program_start(struct program *p, struct kozo_str name, const struct kozo_str *words,
                   uint32_t count, uint32_t job, const char **why);

/* Whether the archive has bin/NAME. */
bool program_exists(struct kozo_str name);

/* What is known of a fault, when the program is no more. */
struct program_fault {
    char how[256]; /* the fault in words; empty: it exited */
    struct report report;
};
/*
 * Waits for the end of one, until `deadline` (UINT64_MAX: whenever); null when none came, and when
 * a message to program_port() woke it.
 */
struct program *program_wait(uint64_t deadline, struct program_fault *fault);

/* Ends one, wherever it is. */
void program_kill(struct program *p);

/* The Endpoint where they end. */
kozo_cptr program_port(void);
/* By what name one that runs was given what is in this slot of its; "" when it was not. */
const char *program_cap_name(const struct program *p, uint64_t slot);

/* How much of its stack one that runs has never used. */
struct kozo_stack program_stack(const struct program *p);

/* The table: program i, null from PROGRAMS on. */
struct program *program_at(uint32_t i);
