/* SPDX-License-Identifier: MIT */
/*
 * port.h (host) - types of this port that the core keeps for it.
 *
 * Owns:      the constants of the host's floating-point unit.
 * Not here:  what the core asks of a machine (arch.h), entries of page tables (pte.h).
 * Callers:   the core, tests. One thread.
 * Cost:      none.
 * Spec:      docs/spec/architecture.md
 */
#pragma once

#include "base/types.h"

/* Enough of a floating-point unit to see whose state it holds. */
struct arch_fpu {
    uint64_t control;
    uint64_t reg[3];
};
#define HOST_FPU_CLEAN 0x37full /* `control` of a thread that never touched it */
