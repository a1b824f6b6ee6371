/* SPDX-License-Identifier: MIT */
/*
 * deny.h - what init itself refuses, as lines of the log.
 *
 * Owns:      the names of the user rights of init's endpoint.
 * Not here:  how many lines there are (common/denial.h).
 * Callers:   init.
 * Spec:      docs/spec/services.md
 */
#pragma once

#include <kozo/msg.h>

#include "init/init.h"

/* Tells that the sender of *m was refused `object`, for which it would need the rights in `asked`. */
void deny(struct init *i, const struct kozo_msg *m, struct kozo_str object, uint8_t asked,
          const char *hint);
/* Tells that *m came by a capability that is bound to one service, and asked for more. */
void deny_bound(struct init *i, const struct kozo_msg *m);
/* Tells what was counted in seconds that have passed. */
void deny_time(struct init *i, uint64_t now);
