/* SPDX-License-Identifier: MIT */
/*
 * cmdline.h - the kernel's command line: words parted by blanks, `name` or `name=value`, a value
 * with blanks in "".
 *
 * Owns:      nothing.
 * Callers:   init and its unit tests; no system calls.
 */
#pragma once

#include "common/text.h"

/* Whether `name` is there; *value is then its last value, empty without `=`. */
bool cmdline_find(struct kozo_str cmdline, const char *name, struct kozo_str *value);

/*
 * What of the line nobody heeds, for a message: words that neither the kernel nor init knows, as
 * printable text with a blank between them, cut to `size` bytes. Returns its length; 0: there are none.
 */
uint64_t cmdline_unknown(struct kozo_str cmdline, char *to, uint64_t size);
/* Whether each double quote has one that closes it. */
bool cmdline_is_closed(struct kozo_str cmdline);
