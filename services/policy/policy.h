/* SPDX-License-Identifier: MIT */
/*
 * policy.h - what the parts of policy share.
 *
 * Owns:      struct policy_server.
 * Callers:   services/policy, its first thread. Those that ask the person (person.h) and that tell
 * providers (closer.h) share nothing of it.
 * Spec:      docs/spec/services.md
 */
#pragma once

#include "common/denial.h"
#include "policy/consent.h"
#include "policy/lease.h"
#include "policy/silence.h"

#include <kozo/policy.h>
#include <kozo/time.h>

#define POLICY_WHO 64u /* of who asks, in words */

/* What a service has lent a program of its own. */
struct policy_lend {
    uint64_t badge; /* of who asks by it; 0 = nothing is lent */
    kozo_cptr slot; /* the parent of what was given */
    char name[MANIFEST_NAME + 1]; /* in the service's words */
};

struct policy_server {
    struct manifest manifest;
    struct lease_store *store;
    struct kozo_cnode slots;   /* two for each lease */
    struct kozo_endpoint port; /* where policy is asked */
    kozo_cptr opened;          /* where a provider's capability arrives, and is used from */
    kozo_cptr given;           /* the copy on its way to the requester */
    kozo_cptr asker[CONSENTS]; /* the right to answer who waits for a person's word */
    struct consent consent;
    struct silences opens, closes; /* of providers, asked for the one and the other */
    uint32_t closing;              /* the lease whose provider is being told ... */
    bool calling;                  /* ... if one is */
    struct denials denials;
    char lent[MANIFEST_SERVICES][POLICY_WHO]; /* names that policy_name has made */
    struct policy_lend lend[MANIFEST_SERVICES];
    uint32_t share;                           /* undrained records of a requester */
    bool later;                               /* the request under way is answered later ... */
    bool answered;                            /* ... or has been */
    struct rules_answer answer;               /* to it */
};

/* ---- record.c's records and the log: tell.c ---- */

/* Who asks: the badge, marked (identity.h) where the capability is a copy that its service lent. */
uint64_t policy_requester(const struct kozo_msg *m);
/* Its name, also of the marked ones: `shell`, `shell/program`. It stays. */
struct kozo_str policy_name(struct policy_server *p, uint64_t badge);

/*
 * Keeps a record of a decision and writes its line, or counts it where that would be a flood; fills
 * in the number, who, what it holds, and the time if it is 0.
 */
uint64_t tell(struct policy_server *p, uint64_t badge, const struct audit *a, uint8_t tier,
              uint64_t lease);
/* A request that is turned away because its requester's share of the audit is full. */
void tell_refusal(struct policy_server *p, uint64_t badge, const struct policy_request_req *req);
/* What its capability is not good for. Returns RIGHTS. */
enum kozo_err tell_rights(struct policy_server *p, const struct kozo_msg *m, uint8_t asked);
/* Refusals that were counted and not told; when there are some to tell. */
void tell_settle(struct policy_server *p);

/* ---- what provides the objects: provider.c ---- */

/*
 * How long policy waits for an answer, all in all. Leases that are over meanwhile end in time all
 * the same.
 */
constexpr uint64_t PROVIDER_PATIENCE = KOZO_S;

/*
 * Opens the object for `badge` with just these rights; its capability is then in p->opened. Errors:
 * TIMEOUT its provider does not answer, or did not a moment ago; and what that says.
 */
enum kozo_err provider_open(struct policy_server *p, uint64_t badge, struct kozo_str name,
                            uint64_t rights);

/* ---- delegation: grant.c ---- */

/*
 * Opens the object, takes a lease and puts what the requester gets into p->given. *i is the lease,
 * LEASE_NONE with an error; p->answer then says why.
 */
enum kozo_err grant_make(struct policy_server *p, uint64_t badge, struct kozo_str object,
                         uint64_t rights, const struct rules_answer *answer, uint32_t *i);
/* Whether it arrived; if not, the lease ends. */
void grant_settle(struct policy_server *p, uint32_t i, bool arrived);
/* Takes back what the lease gave, at any depth. Waits for nobody: its provider is told later. */
void grant_end(struct policy_server *p, uint32_t i, enum audit_result result, const char *reason);
/* Ends those that are over, and what an earlier life of policy was about to give. */
void grant_expire(struct policy_server *p);
/* Ends those of earlier lives of the service with this badge, and of providers that have ended. */
void grant_end_the_dead(struct policy_server *p, uint64_t badge);
/* Ends this one if init says that the life of its requester is over; whether it did. */
bool grant_end_if_dead(struct policy_server *p, uint32_t i);
void grant_recover(struct policy_server *p);
/*
 * Looks after the leases that have ended: the provider of one is told, by closer.h, unless it did not
 * answer a moment ago. Waits for nobody.
 */
void grant_tell_providers(struct policy_server *p);
/* When to look again, UINT64_MAX = not before a message says so. */
uint64_t grant_deadline(const struct policy_server *p);
/* A message by a capability that is good for one use: passes it on. Answers it itself. */
bool grant_is_use(const struct kozo_msg *m);
void grant_use(struct policy_server *p, struct kozo_msg *m);

/* ---- requests: request.c ---- */

enum kozo_err serve_request(struct policy_server *p, const struct kozo_msg *m,
                            const struct policy_request_req *req, struct policy_request_rep *rep);
/* Without a terminal whatever needs consent is denied; `why` and `hint` then say so. */
void request_begin(struct policy_server *p);
/* Looks after those that wait: the person's answers, time limits, requesters that are gone. */
void request_look(struct policy_server *p);
/* When to look again, UINT64_MAX = nobody waits. */
uint64_t request_deadline(const struct policy_server *p);

/* Those that wait with this badge are not to be answered any more. */
void request_cancel(struct policy_server *p, uint64_t badge);

/* ---- programs of services: lend.c ---- */

enum kozo_err serve_lend(struct policy_server *p, const struct kozo_msg *m,
                         const struct policy_lend_req *req, struct policy_lend_rep *rep);
enum kozo_err serve_unlend(struct policy_server *p, const struct kozo_msg *m,
                           const struct policy_unlend_req *req, struct policy_unlend_rep *rep);
/* False for what was lent before, and is not lent any more. */
bool lend_is_current(struct policy_server *p, uint64_t badge);
/* `asker (a program run by shell)`, or without the name where it has none. */
struct kozo_str lend_describe(struct policy_server *p, uint64_t badge, char to[POLICY_WHO]);
/* What an earlier life of the service had lent. */
void lend_end_outlived(struct policy_server *p, uint64_t badge);

/* ---- looking after it: query.c ---- */

extern const struct policy_ops policy_operations;
