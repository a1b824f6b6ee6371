/* SPDX-License-Identifier: MIT */
/*
 * closer.h - tells providers that leases are over, by a thread of its own: so policy never waits for
 * one that hangs.
 *
 * Owns:      that thread; the one call that is under way.
 * Not here:  which lease is next, and when one is tried again (grant.c).
 * Callers:   policy's first thread; none of these waits.
 * Spec:      docs/spec/services.md
 */
#pragma once

#include "policy/policy.h"

#define CLOSER_BADGE (UINT64_MAX - 1) /* of the messages that tell policy to look here */

enum closer_state : uint8_t {
    CLOSER_IDLE,
    CLOSER_CALLS,
    CLOSER_TOLD,    /* it has answered, or is not there any more */
    CLOSER_UNHEARD, /* it has not answered in time */
};

/* Starts the thread. Errors: as kozo_worker_start. */
enum kozo_err closer_begin(struct kozo_endpoint port);
/*
 * Tells the provider of what is in `kept`; only in state IDLE. Errors: EMPTY it has ended, with all
 * that it gave.
 */
enum kozo_err closer_tell(struct kozo_place kept);
/* What has become of it. An end is told once: the state is IDLE after it. */
enum closer_state closer_take(void);
