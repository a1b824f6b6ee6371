/* SPDX-License-Identifier: MIT */
/*
 * consent.h - requests that wait for a person's word: one is on the terminal, the others queue.
 *
 * Each ends in exactly one way: yes, no, silence until the time limit, its requester gone, or nobody
 * there to ask. Deny wins ties: an answer at the very tick of the limit is too late, and one to a
 * question that is no longer on the terminal answers nothing.
 *
 * Owns:      struct consent: the queue, each requester's share of it, the time limit.
 * Not here:  the terminal (person.h), what to do about an outcome (request.c), rules (rules.h).
 * Callers:   policy and its unit tests; no system calls. The time is the caller's.
 * Cost:      the number of requests that can wait.
 * Spec:      docs/spec/services.md
 */
#pragma once

#include "common/identity.h"
#include "policy/rules.h"

#define CONSENTS_EACH                                                                              \
    2u /* requests of one requester that can wait: a service, or what it lent to */
#define CONSENTS (CONSENTS_EACH * IDENTITY_REQUESTERS) /* none fills another's share */
#define CONSENT_NONE UINT32_MAX
/* So often in a row, and within so long, no or nothing is said to a requester: then it ... */
#define CONSENT_NOES 5u
#define CONSENT_NOES_MS 60000u  /* the time in which its questions stand does not count */
#define CONSENT_QUIET_MS 60000u /* ... may not ask for so long */

enum consent_state : uint8_t { CONSENT_FREE, CONSENT_WAITS, CONSENT_SHOWN };

enum consent_outcome : uint8_t {
    CONSENT_UNDECIDED,
    CONSENT_YES,
    CONSENT_NO,
    CONSENT_SILENCE,
};

/* What the person said since the last look. */
struct consent_said {
    bool anything;
    bool yes;
    uint64_t order; /* of the question that it answers */
};

struct consent_request {
    enum consent_state state;
    uint64_t order; /* never used twice */
    uint64_t until; /* shown: nanoseconds since boot */
    uint64_t badge;
    uint64_t rights;
    char object[OBJECT_BYTES + 1];
    char why[128];
    struct rules_answer answer; /* if it is a yes */
};

/* The person's, with one requester. */
struct patience {
    uint32_t noes;             /* in a row, none of them too long ago ... */
    uint64_t at[CONSENT_NOES]; /* ... and when; later by as long as its questions have stood since */
    uint64_t until;            /* it may not ask before this time */
};

struct consent {
    uint64_t orders;
    uint32_t limit_ms; /* for each, from when it is shown */
    struct consent_request request[CONSENTS];
    struct patience patience[IDENTITY_REQUESTERS];
};

/*
 * A place in the queue, to be filled by the caller; CONSENT_NONE when the queue is full, or the
 * requester's share of it.
 */
uint32_t consent_add(struct consent *c, uint64_t badge);
/* The one to be shown next: the oldest that waits, if none is shown. CONSENT_NONE: none. */
uint32_t consent_next(const struct consent *c);
/* It is on the terminal from `now` on. */
void consent_show(struct consent *c, uint32_t i, uint64_t now);
/* The one on the terminal; CONSENT_NONE when none is. */
uint32_t consent_shown(const struct consent *c);
/*
 * How the question on the terminal ends at `now`: by what the person said, if that is an answer to
 * it and in time, or else by its limit; UNDECIDED: it does not, or none is there. It ends once:
 * consent_end after it.
 */
enum consent_outcome consent_settle(const struct consent *c, const struct consent_said *said,
                                    uint64_t now);
/* When the question on the terminal is too old; UINT64_MAX: none is there. */
uint64_t consent_deadline(const struct consent *c);
/* It has been decided, or nobody wants to know any more. */
void consent_end(struct consent *c, uint32_t i);
/* Its outcome, before its end: a yes, or once more a no. */
void consent_note(struct consent *c, uint32_t i, enum consent_outcome outcome, uint64_t now);
/* For how many ns from `now` on the person is left in peace by this requester; 0: it may ask. */
uint64_t consent_quiet_for(const struct consent *c, uint64_t badge, uint64_t now);
/* How many of a requester (identity_requester) wait or are shown. */
uint32_t consent_count(const struct consent *c, uint32_t who);
