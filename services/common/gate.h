/* SPDX-License-Identifier: MIT */
/*
 * gate.h - lets GATE_LINES through in a second and counts the rest, so that nothing that others
 * cause is silent, and nothing is a flood.
 *
 * Owns:      struct gate: one for each of those who must not silence each other.
 * Not here:  what is told (denial.h, init/ends.h).
 * Callers:   services and their unit tests; no system calls. The time is the caller's.
 * Cost:      O(1).
 * Spec:      docs/spec/services.md
 */
#pragma once

#include <stdint.h>

#define GATE_LINES 10u            /* in GATE_SPAN */
#define GATE_SPAN 1000000000ull   /* nanoseconds */

struct gate {
    uint64_t since;  /* when the second under way began */
    uint64_t untold; /* what was counted in it */
    uint32_t told;   /* what was let through in it */
};

/* What was counted in a second that is over by `now`: to be told, 0 = nothing. It begins anew then. */
uint64_t gate_missed(struct gate *g, uint64_t now);
/* When gate_missed has something; UINT64_MAX = never. */
uint64_t gate_deadline(const struct gate *g);
/*
 * Whether one more may be told; if not, it is counted. Ask gate_missed first. `now` is never less
 * than before.
 */
bool gate_pass(struct gate *g, uint64_t now);
