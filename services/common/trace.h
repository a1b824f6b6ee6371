/* SPDX-License-Identifier: MIT */
/*
 * trace.h - who called whom, from the frame pointers on a stack that nothing is known about.
 *
 * Owns:      nothing.
 * Not here:  reading the stack (report.h), names (common/symbols.h).
 * Callers:   init, shell and unit tests; no system calls.
 * Cost:      TRACE_FRAMES reads of two words.
 * Spec:      docs/spec/faults.md
 */
#pragma once

#include <stdint.h>

#define TRACE_FRAMES 16u

/* Reads the word at an address of the dead thread; false where there is none to be read. */
typedef bool trace_read(void *context, uint64_t address, uint64_t *value);

struct trace_start {
    uint64_t ip, sp, bp;
    /*
     * How far the function at `ip` has come with making its frame: 0 nothing, so that the stack
     * begins with its return address; 1 the caller's frame pointer lies above that; else it has one.
     */
    uint64_t offset;
    bool known; /* ip lies in a function, `offset` bytes from its beginning */
};

/*
 * Fills `to` with the instruction, then return addresses; returns how many. Ends at a zero, at a
 * frame pointer that is unaligned, does not lead towards the stack's end or cannot be read.
 */
uint32_t trace_walk(const struct trace_start *s, trace_read *read, void *context,
                    uint64_t to[TRACE_FRAMES]);
