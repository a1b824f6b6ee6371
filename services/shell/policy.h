/* SPDX-License-Identifier: MIT */
/*
 * policy.h - how the shell's commands ask policy what it granted, and say it.
 *
 * Owns:      the names of tiers.
 * Not here:  asking for authority (kozo/policy.h).
 * Callers:   policy.c, why.c.
 * Spec:      docs/spec/services.md
 */
#pragma once

#include <kozo/policy.h>

/* The capability to look at leases, with *m made ready for a call by it. */
struct kozo_endpoint policy_admin(struct kozo_msg *m);
/* "low" to "critical". */
const char *policy_tier(uint64_t tier);
