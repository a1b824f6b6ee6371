/* SPDX-License-Identifier: MIT */
/*
 * output.h - where init's lines go: to the console service as long as it serves, else to the
 * kernel's console.
 *
 * Owns:      the ring to the console and its bell, the serial port's capabilities on their way.
 * Not here:  what the lines say (watch.c).
 * Callers:   init.
 * Spec:      docs/spec/services.md
 */
#pragma once

#include "init/init.h"

/* What `com1` or `com1-line` stands for: made afresh, to be moved. slot 0: it cannot be had. */
struct kozo_spawn_cap output_given(struct init *i, struct kozo_str name);
/* The memory that `lines` stands for, empty again; nullptr: there is no room for it. */
const struct kozo_memory *output_memory(struct init *i);
/* The service has been started, has reported ready, has ended. */
void output_started(const struct service *s);
void output_ready(const struct service *s);
void output_ended(const struct service *s);
/* Returns when all is on the terminal. Waits for the console a second at most. */
void output_finish(void);
/* Where the kernel's log was when a driver took the console. */
uint64_t output_taken(void);
/* So far a service was told the kernel's log. What the console was told is as good as shown. */
void output_told(const struct service *s, uint64_t next);
