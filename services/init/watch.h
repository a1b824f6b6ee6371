/* SPDX-License-Identifier: MIT */
/*
 * watch.h - what services say to init, and what becomes of them.
 *
 * Owns:      the state and lines of each service, the progress of the demonstration.
 * Not here:  starting (start.c), what the steps must give (demo.c).
 * Callers:   main.c.
 * Spec:      docs/spec/services.md
 */
#pragma once

#include "init/init.h"

/* Serves one message; false when it is not to be answered. */
bool watch_message(struct init *i, struct kozo_msg *m);
/*
 * The time limits, which count while init waits for all to be well: the next one, and whether one
 * has passed.
 */
uint64_t watch_deadline(const struct init *i);
void watch_time(struct init *i);
/* Every service is ready, and each step of the demonstration has given what it must. */
bool watch_done(const struct init *i);
