/* SPDX-License-Identifier: MIT */
/*
 * services.h - a look at all services, the shell's programs and their threads at once.
 *
 * init tells of services by the capability `system`, and of the threads that the shell made: what
 * each is blocked on, where that is a service's. What is the shell's own, the port where programs
 * end and the Notifications of pipes, the shell itself knows, and asks the kernel which of them a
 * program waits for by its own capability to the thread.
 *
 * Owns:      nothing: a look is its caller's.
 * Not here:  capabilities (caps.c), how it is shown (ps.c, top.c).
 * Callers:   services/shell.
 * Cost:      two calls to init for each service, one for each further thread and program, and where
 *            a program waits for what is the shell's some three for each program.
 * Spec:      docs/spec/services.md
 */
#pragma once

#include "shell/program.h"
#include "shell/shell.h"

#include <kozo/system.h>

#define SERVICES_MAX 32u
#define SERVICES_THREADS 96u
#define SERVICES_LABEL 48u /* bytes of a service's name, or of "[JOB] NAME" */

struct thread_row {
    uint32_t service, number;
    uint64_t serial, state, time, priority, deadline;
    uint64_t stack, unused; /* bytes of its stack, and those never used; both 0: not known */
    char on[64], waits[SERVICES_LABEL];
};

struct service_row {
    char name[32], end[128];
    uint64_t state, life, memory, used, priority, restarts, again;
    uint64_t time;  /* of all its threads; not those of programs */
    uint32_t first; /* of its threads in the table */
    uint32_t threads;
    uint64_t left_out; /* threads it has that no row was left for */
    bool deadlock;
};

/* A program of the shell's, which has one thread. */
struct program_row {
    const struct program *program;
    char label[SERVICES_LABEL];
    struct thread_row thread;
    uint64_t memory, used;
    uint64_t object, peer; /* as the kernel tells of the thread: KOZO_THREAD_WORD_WAITS, _PEER */
    bool deadlock;
};

struct services {
    struct service_row row[SERVICES_MAX];
    struct thread_row thread[SERVICES_THREADS];
    struct program_row program[PROGRAMS];
    uint32_t count, threads, programs;
    struct thread_row init;
};

/* Looks at all of them and init, not at stacks. The errors are those of the calls. */
enum kozo_err services_look(struct services *s);
/* The same with all stacks. */
enum kozo_err services_look_closer(struct services *s);
/* The place of a service by its name; s->count when there is none. */
uint32_t services_find(const struct services *s, struct kozo_str name);
/* The shell's own. */
uint32_t services_find_own(const struct services *s);
/* "serves", "calls", "restarts" ... */
const char *services_state(const struct services *s, uint32_t i);
const char *services_program_state(const struct program_row *r);
/* "stopped", "ready" ... of enum kozo_thread_state. */
const char *services_thread_state(uint64_t state);

/* What was derived from the capability in a slot of a service (TREE); KOZO_SYSTEM_OF_... too. */
enum kozo_err services_ask_tree(uint64_t index, uint64_t slot, uint64_t skip, struct kozo_msg *m,
                                struct system_tree_rep *rep);

/* The same of the capability in a slot of a program. */
enum kozo_err services_ask_tree_in(const struct services *s, const struct program *p, uint64_t slot,
                                   uint64_t skip, struct kozo_msg *m, struct system_tree_rep *rep);

/* Columns for labels, so that none is cut: those of the longest, `least` at least. */
int services_columns(const struct services *s, int least);
