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
