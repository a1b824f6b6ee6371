/* SPDX-License-Identifier: MIT */
/*
 * rights.h - what may be done with an object, by name: the user-rights bits of its capability.
 *
 * Owns:      the bits and their names.
 * Not here:  who may have which (policy/rules.h).
 * Callers:   services and their unit tests; no system calls.
 */
#pragma once

#include "common/text.h"

#define RIGHT_READ 1u
#define RIGHT_WRITE 2u
#define RIGHT_LIST 4u
#define RIGHT_CREATE 8u
#define RIGHT_REMOVE 16u
#define RIGHTS_ALL 31u
#define RIGHT_KILL 16u  /* of process: and nothing else; KOZO_SYSTEM_KILL */
#define RIGHTS_TEXT 40u /* bytes that hold all names, a blank between them, and a NUL */

/* The bit named by `word`, also as `kill`; 0 when there is none. */
uint8_t right_of(struct kozo_str word);
/* What was asked for, as can be told: bits that name no right become one, which is called `unknown`. */
uint8_t rights_asked(uint64_t rights);
/* The names of `rights`, `none` for 0, into RIGHTS_TEXT bytes; returns `to`. */
const char *rights_text(char to[RIGHTS_TEXT], uint8_t rights);
/* The same, in the words of what provides `object`. */
const char *rights_text_of(char to[RIGHTS_TEXT], struct kozo_str object, uint8_t rights);
