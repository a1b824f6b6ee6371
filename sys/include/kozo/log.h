/* SPDX-License-Identifier: MIT */
/*
 * log.h - the protocol `log`, and a program's own use of it by the capability named "log".
 *
 * Owns:      struct log_*, log_call_*, log_dispatch (made from proto/log.def).
 * Not here:  formatted output (print.h).
 * Spec:      docs/spec/services.md
 */
#pragma once

#define KOZO_PROTO log
#define KOZO_PROTO_UPPER LOG
#define KOZO_PROTO_TABLE <kozo/proto/log.def>
#include <kozo/make.h>

#define KOZO_LOG_TEXT 400u /* bytes of one write */

/*
 * Appends text to this program's line in the log, in as many messages as it takes. Needs the
 * capability "log" with WRITE. Errors: EMPTY no such capability was given; those of kozo_call.
 */
enum kozo_err kozo_log_write(const char *text, size_t len);

/* Tells the supervisor that this program serves. Errors: as kozo_log_write. */
enum kozo_err kozo_ready(void);

/*
 * Tells the supervisor how a step went; the texts are cut to what the protocol holds (63 and 127
 * bytes). Errors: as kozo_log_write; TIMEOUT: the lease that the step needs was over before, so the
 * steps from its grant on are to be done again.
 */
enum kozo_err kozo_step(const char *name, bool ok, const char *expected, const char *got);
