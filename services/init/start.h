/* SPDX-License-Identifier: MIT */
/*
 * start.h - makes a service out of what its section names, and takes it all back.
 *
 * Owns:      struct service but for its state and lines.
 * Not here:  what it says and does then (watch.c).
 * Callers:   init.
 * Spec:      docs/spec/services.md
 */
#pragma once

#include "init/init.h"

/*
 * Makes the endpoint of each service that provides something, and the table and slots of leases
 * where a section names them.
 * False: init has failed, and said why.
 */
bool start_begin(struct init *i);
/* Verifies and starts one. False: init has failed, and said why. */
bool start_service(struct init *i, struct service *s);
/*
 * Ends one: what it held and what it gave is gone, with what it granted on lease, and who waits for
 *           it
 * wakes with an error.
 */
void end_service(struct init *i, struct service *s);
