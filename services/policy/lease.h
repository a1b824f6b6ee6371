/* SPDX-License-Identifier: MIT */
/*
 * lease.h - what has been delegated, to whom, and until when.
 *
 * The table lies in memory that init lends, beside a CNode with a slot for each lease: so both
 * outlive policy, and what was granted stays revocable by whoever comes after it.
 *
 * Owns:      struct lease_table.
 * Not here:  the capabilities (main.c), deciding (rules.h).
 * Callers:   policy and its unit tests; no system calls.
 * Cost:      the number of leases.
 * Spec:      docs/spec/services.md
 */
#pragma once

#include "common/text.h"

#define LEASES 63u      /* slot 0 of a CNode cannot be used */
#define LEASES_EACH 16u /* of one requester */
#define LEASE_NONE UINT32_MAX
#define LEASE_OBJECT 256u
#define LEASE_CNODE_BITS 6u
static_assert(LEASES + 1 == 1u << LEASE_CNODE_BITS);

struct lease {
    uint64_t serial;  /* 0 = free; never used twice */
    uint64_t badge;   /* the requester's */
    uint64_t expires; /* nanoseconds since boot */
    uint32_t lease_ms;
    uint8_t rights;
    uint8_t reserved[3];
    char object[LEASE_OBJECT];
};

struct lease_table {
    uint64_t magic;
    uint64_t serials; /* given out */
    uint64_t audits;  /* sequence numbers given out */
    struct lease lease[LEASES];
};

/*
 * Makes an empty table of memory full of zeros, and leaves one that exists as it is. Returns
 * whether it existed.
 */
bool lease_open(struct lease_table *t);
/*
 * Takes a free entry, over at once; LEASE_NONE when there is none left, or none for this requester.
 */
uint32_t lease_take(struct lease_table *t, uint64_t badge, struct kozo_str object, uint8_t rights);
/* From `now` on it lasts so many milliseconds. */
void lease_begin(struct lease_table *t, uint32_t i, uint32_t lease_ms, uint64_t now);
/* The entry with this serial; LEASE_NONE when it has ended. */
uint32_t lease_find(const struct lease_table *t, uint64_t serial);
void lease_free(struct lease_table *t, uint32_t i);
/* When the next one ends, UINT64_MAX = never. */
uint64_t lease_next(const struct lease_table *t);
/* One that has ended by `now`; LEASE_NONE when none has. */
uint32_t lease_over(const struct lease_table *t, uint64_t now);
/* The slot of the CNode lent that belongs to entry `i`. */
static inline uint32_t lease_slot(uint32_t i)
{
    return i + 1;
}
