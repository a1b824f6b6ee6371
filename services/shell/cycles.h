/* SPDX-License-Identifier: MIT */
/*
 * cycles.h - who waits for whom in a circle: none of them can ever go on.
 *
 * Owns:      nothing.
 * Callers:   shell and its unit tests; no system calls.
 * Cost:      n * n.
 */
#pragma once

#include <stdint.h>

/* next[i]: whom i waits for, n or more for nobody. Sets in[i] where i is one of a circle. */
void cycles_mark(const uint32_t *next, uint32_t n, bool *in);
