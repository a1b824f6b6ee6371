/* SPDX-License-Identifier: MIT */
/*
 * watch.h - what services say to init, and what becomes of them.
 *
 * Owns:      the lines of each service, the progress of the demonstration.
 * Not here:  starting (start.c), what an end means (ends.c), what the steps must give (demo.c).
 * Callers:   main.c.
 * Spec:      docs/spec/services.md
 */
#pragma once

#include "init/init.h"

/* The living service that a badge names; null when it is nobody's, or that life is over. */
struct service *watch_service_of(struct init *i, uint64_t badge);
/* Serves one message; false when it is not to be answered. */
bool watch_message(struct init *i, struct kozo_msg *m);
/*
 * What is due at a time: restarts, counted denials, and while init waits for all to be well its time
 * limits. When the next is, and doing what is due.
 */
uint64_t watch_deadline(const struct init *i);
void watch_time(struct init *i);
/* Every service is ready, and each step of the demonstration has given what it must. */
bool watch_done(const struct init *i);
