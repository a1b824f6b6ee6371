/* SPDX-License-Identifier: MIT */
/*
 * sweep.h - takes back what a dead service gave away of what it holds, also where it keeps that in
 * CNodes of its own making.
 *
 * Owns:      nothing.
 * Not here:  its memory, its threads, and what init gave it (start.c).
 * Callers:   start.c.
 * Cost:      SWEEP_STEPS system calls for what is in further CNodes, and what those calls revoke.
 * Spec:      docs/spec/services.md
 */
#pragma once

#include <kozo/handle.h>

#define SWEEP_CNODES 32u   /* that are looked through, the service's capability space included */
#define SWEEP_STEPS 32768u /* slots looked at and CNodes compared, in all */

/*
 * Revokes in every slot of the capability space `root`, whose threads have stopped, and before that
 * in every slot of the CNodes that it leads to: by capabilities with READ and WRITE, through any
 * number of others, the nearest first. Beyond the two bounds above CNodes are left as they are, not
 * so `root` itself. The capabilities in the slots stay.
 */
void sweep_cnodes(struct kozo_cnode root);
