/* SPDX-License-Identifier: MIT */
/*
 * caps.h - the chain of a capability that came of a lease, for `why`.
 *
 * Owns:      nothing.
 * Not here:  leases and rules, which policy knows (why.c).
 * Callers:   why.c; caps.c calls that after it has learnt who holds what.
 * Cost:      a walk through the whole derivation tree.
 * Spec:      docs/spec/services.md
 */
#pragma once

#include "shell/services.h"

/*
 * Prints what leads to the first capability that `holder` (empty: anybody) has of the lease with this
 * slot, or, where there is none, to the lease. Returns the status of the command.
 */
uint32_t caps_print_lease(struct kozo_str holder, uint64_t slot);

/*
 * `why HOLDER OBJECT` for an object by its clear name: the leases by which the holder has it, or what
 * the rules say. `program`: the holder, if it is a program of the shell's; null: a service.
 */
uint32_t why_granted(const struct services *s, const struct program *program,
                     struct kozo_str holder, struct kozo_str object);
