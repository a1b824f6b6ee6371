/* SPDX-License-Identifier: MIT */
/*
 * crash.h - makes a service fault where it stands, so that its report tells what it was doing.
 *
 * Owns:      nothing.
 * Not here:  what follows: the fault reaches init as any other does (watch.c).
 * Callers:   system.c.
 * Cost:      the pages of its image.
 * Spec:      docs/spec/services.md
 */
#pragma once

#include "init/init.h"

/*
 * Takes its code away from the service, ends the call that its thread of this number (threads.h)
 * waits in, and lets it run: into a page fault, that `by` wanted. Errors: STATE the service does
 * not run, or that thread does not; NOT_FOUND there is no such thread; LIMIT no slot is free.
 */
enum kozo_err crash_service(struct service *s, uint64_t number, struct kozo_str by);
