/* SPDX-License-Identifier: MIT */
/*
 * cmdline.h - the kernel's command line, as init reads it (kozo/cmdline.h says what it is made of).
 *
 * Owns:      nothing.
 * Callers:   init and its unit tests; no system calls.
 */
#pragma once

#include "common/text.h"

/* Whether `name` is there. */
bool cmdline_has(struct kozo_str cmdline, const char *name);
/*
 * The same; *value is then its last value, empty without `=`, put together in `to`, which is as long as
 * the line or longer.
 */
bool cmdline_read(struct kozo_str cmdline, const char *name, char *to, struct kozo_str *value);

/*
 * What of the line nobody heeds, for a message: words that neither the kernel nor init knows, as
 * printable text with a blank between them, cut to `size` bytes. Returns its length; 0: there are none.
 */
uint64_t cmdline_unknown(struct kozo_str cmdline, char *to, uint64_t size);
/* Whether each double quote has one that closes it. */
bool cmdline_is_closed(struct kozo_str cmdline);
