/* SPDX-License-Identifier: MIT */
/*
 * origin.h - what the capabilities of files are made from.
 *
 * Each has an origin: the account of a client, or a lease. What is opened through a capability has
 * the same. An origin has a slot with a capability to the port from which all of it are made, so
 * that one revoke ends them all, whoever has them and however they were passed on.
 *
 * A message that was sent before that can still wait to be received, and its badge names the origin:
 * so the badge also has the turn, how often the origin has ended.
 *
 * Owns:      the table of origins; which account a client has, and in which life it is.
 * Not here:  the slots (give.h), the badge (handle.h), who may take and end a lease (serve.h).
 * Callers:   fsd and its unit tests; no system calls but by origin_ops.
 * Cost:      O(1); origin_take and a client's new life look at all leases. An end is a kernel
 *            revoke: the number of capabilities of the origin, preemptible.
 * Spec:      docs/spec/files.md
 */
#pragma once

#include <kozo/error.h>
#include <kozo/msg.h>
#include "common/identity.h"
#include "fsd/store.h"

#define ORIGINS 256u
#define ORIGIN_NONE 0u    /* slot 0 of a CNode cannot be used */
#define ORIGIN_LEASES 64u /* the first that is a lease; before: accounts */
#define ORIGIN_TURNS 1024u

/*
 * Each service has one account for all its lives, so that dying does not fill its purse; who is no
 * service shares the last one.
 */
#define ACCOUNT_OTHERS (STORE_ACCOUNTS - 1)
static_assert(STORE_ACCOUNTS == MANIFEST_SERVICES + 1);
static_assert(STORE_ACCOUNTS < ORIGIN_LEASES);

static inline uint8_t account_of(uint64_t client)
{
    uint32_t i = identity_index(client);

    return (uint8_t)(i < ACCOUNT_OTHERS ? i : ACCOUNT_OTHERS);
}

/* Which life of its service a client is; those who are no service have none. */
static inline uint32_t life_of(uint64_t client)
{
    return account_of(client) == ACCOUNT_OTHERS ? 0 : identity_life(client);
}

static inline uint8_t origin_of_account(uint8_t account) { return account + 1; }

struct origin_ops {
    /*
     * Makes a capability of origin `i` with these user rights and this badge, to go with the answer
     * under way. Errors: what making it says.
     */
    enum kozo_err (*give)(uint32_t i, uint64_t rights, uint64_t badge, struct kozo_cap_desc *out);
    /* Whether what `give` made last has left with its answer. */
    bool (*arrived)(void);
    /* Ends all capabilities of origin `i`. */
    void (*revoke)(uint32_t i);
};

struct origin {
    uint32_t life; /* of an account: the newest heard of */
    uint16_t turn;
    uint8_t account;
    bool open; /* capabilities of it are good */
};

struct origins {
    const struct origin_ops *ops;
    struct origin at[ORIGINS];
    uint8_t newest; /* the lease taken last: they are used in turn */
    uint8_t fresh;  /* a lease of which nothing has been given yet ... */
    uint8_t giving; /* ... and one whose first capability went with the last answer */
};

/* Errors: STALE a later life of this client was heard of. */
enum kozo_err origin_check(const struct origins *o, uint64_t client);
/*
 * A client of this badge is there. If that is a new life of it, all of its earlier ones ends, leases
 * too. The badge has passed origin_check.
 */
void origin_hear(struct origins *o, uint64_t client);
/* Takes a lease for a client that was heard of; ORIGIN_NONE when all are in use. */
uint8_t origin_take(struct origins *o, uint64_t client);
/* Ends a lease, which is then free. */
void origin_end(struct origins *o, uint8_t lease);
/*
 * As ops->give. A lease that is new ends again if this is not done, or does not arrive. Errors: as
 * ops->give.
 */
enum kozo_err origin_give(struct origins *o, uint8_t i, uint64_t rights, uint64_t badge,
                          struct kozo_cap_desc *out);
