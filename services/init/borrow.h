/* SPDX-License-Identifier: MIT */
/*
 * borrow.h - to look at an object of a service without keeping it alive.
 *
 * A copy that init has of a capability is one more owner: what the service gives up meanwhile stays,
 * and so does the memory or the thread that it would count on. So nobody runs while init has one.
 *
 * Owns:      init's copies of what services hold, and its priority.
 * Not here:  what is looked at (threads.h), what becomes of a dead service's (sweep.h).
 * Callers:   threads.c, report.c, crash.c, system.c.
 * Cost:      four system calls and those of `act`, all at priority 0.
 * Spec:      docs/spec/services.md
 */
#pragma once

#include "init/init.h"

/*
 * Calls act(copy, context) with a copy of what the service holds in that slot, whatever it is, and
 * all its rights; as urgent as can be, so that no service runs meanwhile. The copy is gone after.
 * Errors, and nothing was called: LIMIT no slot is free; those of kozo_cap_copy and of
 * kozo_thread_priority.
 */
enum kozo_err borrow(const struct service *s, uint64_t slot,
                     void (*act)(kozo_cptr copy, void *context), void *context);
