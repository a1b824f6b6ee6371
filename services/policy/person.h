/* SPDX-License-Identifier: MIT */
/*
 * person.h - asks the person at the console, by a thread of its own: so policy never waits for the
 * console, whatever becomes of it.
 *
 * Owns:      that thread; the one question that is under way.
 * Not here:  which question comes next and what its answer means (consent.h).
 * Callers:   policy's first thread; none of these waits.
 * Spec:      docs/spec/services.md
 */
#pragma once

#include "policy/policy.h"

#define PERSON_BADGE UINT64_MAX /* of the messages that tell policy to look here */

enum person_state : uint8_t {
    PERSON_NONE, /* there is no console, or no thread to ask by */
    PERSON_IDLE,
    PERSON_ASKED,
    PERSON_TAKEN_BACK, /* the person is to read why */
    PERSON_SAYS_YES,
    PERSON_SAYS_NO,
    PERSON_WITHDRAWN,
    PERSON_UNREACHABLE, /* the console does not serve */
};

/* Starts the thread; false without a capability console-ask, or without memory for it. */
bool person_begin(struct kozo_endpoint port);
/* Asks; only in state IDLE. */
void person_ask(const struct consent_request *r, struct kozo_str who);
/*
 * Takes the question back, or the last one's answer if there is one already: the person reads `why`.
 * Such an answer is not told any more.
 */
void person_withdraw(const char *why);
/*
 * What has become of it, and by `order` of which question. An end is told once: the state is IDLE
 * after it.
 */
enum person_state person_take(uint64_t *order);
bool person_is_idle(void);
bool person_is_there(void);
