/* SPDX-License-Identifier: MIT */
/*
 * fault.h - what a service did wrong, in words.
 *
 * Owns:      the text.
 * Not here:  what becomes of the service (watch.c).
 * Callers:   init and its unit tests; no system calls.
 * Spec:      docs/spec/faults.md
 */
#pragma once

#include "common/line.h"

/* Appends the fault that the eight words of a fault message (abi.h) tell of. */
void fault_describe(struct line *l, const uint64_t word[KOZO_MSG_REGS]);
