/* SPDX-License-Identifier: MIT */
/*
 * policy.h - the protocol `policy`, and asking it for authority by the capability named "policy".
 *
 * Owns:      struct policy_*, policy_call_*, policy_dispatch (made from proto/policy.def), the user
 *            rights of a capability to policy, the results of its decisions.
 * Not here:  rules and consent, which are the service's.
 * Spec:      docs/spec/services.md
 */
#pragma once

#define KOZO_PROTO policy
#define KOZO_PROTO_UPPER POLICY
#define KOZO_PROTO_TABLE <kozo/proto/policy.def>
#include <kozo/make.h>

/* User rights of a capability to policy. */
#define KOZO_POLICY_REQUEST 1u
#define KOZO_POLICY_LOOK 2u
#define KOZO_POLICY_REVOKE 4u
#define KOZO_POLICY_DRAIN 8u
/*
 * The service itself asks. Without it, it is somebody whom the service lent a copy to: the person at
 * the console reads so, and its refusals are counted apart. Lend what policy_call_lend gives, under
 * a name that the person reads, or a copy with KOZO_RIGHTS(KOZO_WRITE | KOZO_GRANT,
 * KOZO_POLICY_REQUEST).
 */
#define KOZO_POLICY_SELF 16u
#define KOZO_POLICY_LENT "/program" /* ends the name of such a one, in leases and the audit */

/* What became of a request or a lease. */
enum kozo_policy_result : uint64_t {
    KOZO_POLICY_GRANTED,
    KOZO_POLICY_DENIED,
    KOZO_POLICY_FAILED,    /* allowed, but the provider could not, or it did not arrive */
    KOZO_POLICY_EXPIRED,
    KOZO_POLICY_RELEASED,  /* given back by its requester */
    KOZO_POLICY_REVOKED,   /* by somebody with that right */
    KOZO_POLICY_USED,      /* it was good for one use */
    KOZO_POLICY_CANCELLED, /* its requester ended, or gave up, before it was decided */
};

/* What policy answered. */
struct kozo_grant {
    enum kozo_err err;
    struct kozo_endpoint cap; /* with err OK; in a slot of its own: kozo_slot_drop */
    uint64_t lease;           /* for kozo_release */
    uint64_t lease_ms;        /* the capability is taken back so long after the answer */
    char reason[160];         /* why, granted or denied */
    char hint[160];           /* what to do about a denial */
};

/*
 * Asks for `object` ("fs:/etc/motd") with these user rights; `why` is for the audit. The capability
 * arrives in a slot of the program's own choosing (slots.h). Needs WRITE and GRANT on "policy": the
 * answer carries a capability. Errors: DENIED with reason and hint; EMPTY no capability "policy"
 * was given; LIMIT no slot is free; GONE the grant was made but the capability did not arrive;
 * those of kozo_call.
 */
enum kozo_err kozo_request(const char *object, uint64_t rights, const char *why,
                           struct kozo_grant *out);

/*
 * Ends a lease early and frees its slot. Errors: NOT_FOUND it has ended already (the slot is freed
 * all the same).
 */
enum kozo_err kozo_release(struct kozo_grant *grant);
