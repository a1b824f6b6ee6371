/* SPDX-License-Identifier: MIT */
/*
 * tab.h - Tab: the names there are, and what they add to a line.
 *
 * Owns:      nothing.
 * Not here:  finding the word at the cursor (complete.h).
 * Callers:   services/shell.
 * Cost:      listing a directory, or looking at all services.
 */
#pragma once

#include "shell/complete.h"

/*
 * What Tab adds at the cursor, in `room`; where several names match and nothing can be added they
 * are printed. `commands` calls add for the name of each command of the shell.
 */
struct kozo_str tab_complete(struct kozo_str line, uint64_t cursor,
                             void (*commands)(bool (*add)(const char *name)));
