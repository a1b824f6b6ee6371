/* SPDX-License-Identifier: MIT */
/*
 * report.h - what a developer needs to know of a service that a fault stopped: registers, and who
 * called whom.
 *
 * Owns:      one page of init's addresses, by which it looks at the dead thread's stack.
 * Not here:  the headline (fault.h), what becomes of the service (ends.c).
 * Callers:   watch.c, before the service is ended.
 * Cost:      a pass over the symbols for each frame.
 * Spec:      docs/spec/faults.md
 */
#pragma once

#include <kozo/msg.h>

#include "common/place.h"
#include "init/init.h"

/* What the service's address space is made of. */
struct place_map report_map(const struct init *i, const struct service *s);
/* Prints the report of the fault in *m, in lines that begin with two blanks. */
void report_fault(const struct init *i, const struct service *s, const struct kozo_msg *m);
