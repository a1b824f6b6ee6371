/* SPDX-License-Identifier: MIT */
/*
 * services.h - a look at all services and their threads at once, by the capability `system`.
 *
 * Owns:      the last look.
 * Not here:  capabilities (caps.c).
 * Callers:   services/shell.
 * Cost:      two calls to init for each service, one for each further thread.
 */
#pragma once

#include "shell/shell.h"

#include <kozo/system.h>

#define SERVICES_MAX 32u
#define SERVICES_THREADS 96u

struct thread_row {
    uint32_t service, number;
    uint64_t serial, state, time, priority, deadline;
    uint64_t stack, unused; /* bytes of its stack, and those never used; both 0: not known */
    char on[48], waits[32];
};

struct service_row {
    char name[32], end[128];
    uint64_t state, life, memory, used, priority, restarts, again;
    uint64_t time;   /* of all its threads */
    uint32_t first;  /* of its threads in the table */
    uint32_t threads;
    uint64_t left_out; /* threads it has that no row was left for */
    bool deadlock;
};

struct services {
    struct service_row row[SERVICES_MAX];
    struct thread_row thread[SERVICES_THREADS];
    uint32_t count, threads;
    struct thread_row init;
};

/* Looks at all services, not at stacks. The errors are those of the calls. */
enum kozo_err services_look(struct services *s);
/* The place of a service by its name; s->count when there is none. */
uint32_t services_find(const struct services *s, struct kozo_str name);
/* "serves", "calls", "restarts" ... */
const char *services_state(const struct services *s, uint32_t i);
