/* SPDX-License-Identifier: MIT */
/*
 * start.h - makes a service out of what its section names, and takes it all back.
 *
 * Owns:      struct service but for its lines and what supervise.h owns.
 * Not here:  what it says and does then (watch.c), what follows its end (ends.c).
 * Callers:   init.
 * Spec:      docs/spec/services.md
 */
#pragma once

#include "init/init.h"
#include "init/problem.h"

/*
 * Makes the endpoint of each service that provides something, and the table and slots of leases
 * where a section names them.
 */
struct start_problem start_begin(struct init *i);
/*
 * Verifies and starts one that does not run. A life of it begins, or it stays as it was.
 */
struct start_problem start_service(struct init *i, struct service *s);
/*
 * Makes what the k-th word under `capabilities` stands for, in its slot of the row s->given, unless
 * it is there. Errors: GONE who provides it has ended for good; NOT_FOUND it is nothing that is kept
 * there; those of kozo_cap_mint.
 */
enum kozo_err start_give(struct init *i, struct service *s, uint32_t k);
/*
 * Ends one: what it held and what it gave is gone, and who waits for it wakes with an error. If it
 * is to start `again`, its clients can already have capabilities to its next life; and what it
 * granted on lease stays, as does what those leases were made from. Otherwise all of that goes, too.
 */
void end_service(struct init *i, struct service *s, bool again);
