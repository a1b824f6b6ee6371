/* SPDX-License-Identifier: MIT */
/*
 * ends.h - what becomes of a service whose life ended: all it held and gave is taken back, and it
 * starts again or does not, as its section says.
 *
 * Owns:      the state of each service, from its first end on; what is said about ends.
 * Not here:  when it starts again (supervise.h), taking back and starting (start.h).
 * Callers:   watch.c, system.c.
 * Spec:      docs/spec/services.md
 */
#pragma once

#include "init/init.h"

enum ends_kind : uint8_t { ENDS_EXITED, ENDS_FAULTED, ENDS_KILLED, ENDS_NOT_BEGUN };

/* Whether the end of `s` that comes now is told, its report included; if not, it is counted. */
bool ends_tell(struct service *s);
/*
 * A service that runs has ended, `well` or as a failure, `how` in words; ends_tell has been asked. Says
 * so in one line; of a fault, whose report the caller has printed, only what is done about it.
 */
void ends_life(struct init *i, struct service *s, enum ends_kind kind, bool well, const char *how);
/* Somebody ends it. It ends for good when it only waits. Errors: STATE it does not run. */
enum kozo_err ends_kill(struct init *i, struct service *s, struct kozo_str by);
/* Somebody wants its next life now. Errors: STATE it was never started; why it cannot be started. */
enum kozo_err ends_restart(struct init *i, struct service *s, struct kozo_str by);

/* Starts again what is due; and when the next is. */
void ends_time(struct init *i, uint64_t now);
uint64_t ends_deadline(const struct init *i);
