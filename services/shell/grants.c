/* SPDX-License-Identifier: MIT */
#include "shell/grants.h"

#include <kozo/policy.h>
#include <kozo/print.h>
#include <kozo/start.h>

static struct kozo_msg message;

static enum kozo_err next_lease(uint64_t from, struct policy_leases_rep *rep)
{
    (void)kozo_reconnect("policy-admin");
    kozo_msg_init(&message);
    return policy_call_leases(kozo_cap_endpoint("policy-admin"), &message,
                              &(struct policy_leases_req){ .from = from }, rep);
}

/* By the capability that it was granted by: one of the shell's own can end no lease of others. */
static void release(uint64_t lease)
{
    struct policy_release_rep rep;
    struct kozo_msg m;

    (void)kozo_reconnect("policy");
    kozo_msg_init(&m);
    (void)policy_call_release(kozo_cap_endpoint("policy"), &m,
                              &(struct policy_release_req){ .lease = lease }, &rep);
}

void grants_release(void)
{
    struct policy_leases_rep rep = {};

    char lent[64];

    kozo_snprintf(lent, sizeof lent, "%s" KOZO_POLICY_LENT, kozo_program_name());
    for (uint64_t from = 0; next_lease(from, &rep) == KOZO_OK; from = rep.lease + 1)
        if (kozo_str_is(rep.who, lent))
            release(rep.lease);
}
