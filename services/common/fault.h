/* SPDX-License-Identifier: MIT */
/*
 * fault.h - what a program did wrong, in words.
 *
 * Owns:      the text.
 * Not here:  what becomes of the program, the rest of its report (report.h).
 * Callers:   init, shell and unit tests; no system calls.
 * Spec:      docs/spec/faults.md
 */
#pragma once

#include "common/line.h"
#include "common/place.h"

/* Appends the fault that the eight words of a fault message (abi.h) tell of, in a program like that. */
void fault_describe(struct line *l, const uint64_t word[KOZO_MSG_REGS],
                    const struct place_map *map);
