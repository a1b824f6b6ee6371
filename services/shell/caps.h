/* SPDX-License-Identifier: MIT */
/*
 * caps.h - who holds what, and the chain that led to it, for `why`.
 *
 * Owns:      what was learnt last of services, programs and their slots.
 * Not here:  leases and rules, which policy knows (why.c).
 * Callers:   why.c.
 * Cost:      a look at all services and a walk through the whole derivation tree.
 * Spec:      docs/spec/services.md
 */
#pragma once

#include "shell/services.h"

/* Learns who holds what. Null when nobody is called `holder`, which has been told then. */
const struct services *caps_learn(struct kozo_str holder);
/* The program that a word means, rather the one that can ask policy; null for a service. */
const struct program *caps_find_program(struct kozo_str word);

/*
 * Prints what leads to a capability that `holder` has, by the name it was given under or by its slot.
 * Returns the status of the command.
 */
uint32_t caps_print_held(struct kozo_str holder, struct kozo_str object, bool json);
/*
 * The same for the first capability that `holder` (empty: anybody) has of the lease with this slot, or,
 * where there is none, for the lease; `json`: as members of a list.
 */
uint32_t caps_print_lease(struct kozo_str holder, uint64_t slot, bool json);
