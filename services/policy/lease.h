/* SPDX-License-Identifier: MIT */
/*
 * lease.h - what has been delegated, to whom, and until when.
 *
 * The tables lie in memory that init lends, beside a CNode with two slots for each lease: so they
 * outlive policy, and what was granted stays revocable by whoever comes after it.
 *
 * Owns:      struct lease_store, struct lease_table.
 * Not here:  the capabilities (grant.c), deciding (rules.h), what is remembered (record.h).
 * Callers:   policy, init for the sizes, unit tests; no system calls.
 * Cost:      the number of leases.
 * Spec:      docs/spec/services.md
 */
#pragma once

#include "policy/record.h"

#define LEASES 63u      /* slot 0 of a CNode cannot be used */
#define LEASES_EACH 16u /* of one requester */
#define LEASE_NONE UINT32_MAX
#define LEASE_CNODE_BITS 7u
static_assert(2 * (LEASES + 1) == 1u << LEASE_CNODE_BITS);

enum lease_state : uint8_t {
    LEASE_GIVING, /* nobody holds it yet: it does not outlive this life of policy */
    LEASE_HELD,
    LEASE_USED,  /* it was good for one use, which is under way or over */
    LEASE_ENDED, /* and taken back: its provider is to be told; it has no serial any more */
};

struct lease {
    uint64_t serial;  /* of the decision that granted it; 0 = free, or ended */
    uint64_t badge;   /* the requester's */
    uint64_t expires; /* nanoseconds since boot */
    uint32_t lease_ms;
    uint8_t rights;
    uint8_t tier;
    bool once; /* good for one use: what was given leads to policy */
    bool seen; /* the person at the console granted it */
    enum lease_state state;
    char rule[MANIFEST_NAME + 1];
    char object[OBJECT_BYTES + 1];
};

struct lease_table {
    struct lease lease[LEASES];
};

/* All that init lends. */
struct lease_store {
    uint64_t magic;
    struct record_table records;
    struct lease_table leases;
    uint64_t lends; /* how often policy was lent to a program under a name */
};

/*
 * Makes empty tables of memory full of zeros, and leaves those that exist as they are. Returns
 * whether they existed.
 */
bool lease_store_open(struct lease_store *l);

/*
 * Whether a service, by its place in the manifest, may make one more request while so many of its
 * wait for a person's word: its share of the audit holds what is not drained yet, and will hold the
 * ends of its leases, what will be decided, and the ends of those leases.
 */
bool lease_store_has_room(const struct lease_store *l, uint32_t who, uint32_t waiting,
                          uint32_t share);

/*
 * Takes a free entry, over at once; LEASE_NONE when there is none left, or none for this requester.
 * What several lives of a service hold counts as one's.
 */
uint32_t lease_take(struct lease_table *t, uint64_t serial, uint64_t badge, struct kozo_str object,
                    uint8_t rights);
/* It is not over until lease_begin says when. */
void lease_hold(struct lease_table *t, uint32_t i);
/* From `now` on it lasts so many milliseconds. */
void lease_begin(struct lease_table *t, uint32_t i, uint32_t lease_ms, uint64_t now);
/* The entry with this serial; LEASE_NONE when it has ended. */
uint32_t lease_find(const struct lease_table *t, uint64_t serial);
/* The entry with the lowest serial from `from` on; LEASE_NONE when there is none. */
uint32_t lease_from(const struct lease_table *t, uint64_t from);
/* It is over, but for telling its provider: no function finds it any more except lease_ended. */
void lease_end(struct lease_table *t, uint32_t i);
/* The first from `from` on whose provider is to be told; LEASE_NONE when there is none. */
uint32_t lease_ended(const struct lease_table *t, uint32_t from);
void lease_free(struct lease_table *t, uint32_t i);
/*
 * How many a requester has (identity_requester), also of those whose provider is still to be told: or
 * with one that never answers it could have them all.
 */
uint32_t lease_count(const struct lease_table *t, uint32_t who);
/* The rights on this very object that the one with this badge has by leases. */
uint8_t lease_rights(const struct lease_table *t, uint64_t badge, struct kozo_str object);
/* One of an earlier life of the service whose badge this is; LEASE_NONE when there is none. */
uint32_t lease_outlived(const struct lease_table *t, uint64_t badge);
/* One in this state; LEASE_NONE when there is none. */
uint32_t lease_in_state(const struct lease_table *t, enum lease_state state);
/* When the next one ends, UINT64_MAX = never. */
uint64_t lease_next(const struct lease_table *t);
/* One that has ended by `now`; LEASE_NONE when none has. */
uint32_t lease_over(const struct lease_table *t, uint64_t now);

/* The slot of the CNode lent that keeps what entry `i` was opened as ... */
static inline uint32_t lease_slot(uint32_t i) { return i + 1; }
/* ... and, if it is good for one use, what was given for it comes from here. */
static inline uint32_t lease_once_slot(uint32_t i) { return LEASES + 1 + i + 1; }
