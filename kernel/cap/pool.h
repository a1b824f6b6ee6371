/* SPDX-License-Identifier: MIT */
/*
 * pool.h - ThreadPools: quotas on the static pool of threads.
 *
 * A pool is an entry in a static table; its threads and the pools split off it are its children in
 * the tree. Each pool may use a number of table entries, handed on when it is split, so that nobody
 * can use up the table for others.
 *
 * Owns:      the table of pools and its counts.
 * Not here:  the TCBs (tcb.h).
 * Callers:   syscall/, cap/object, boot. Kernel lock held.
 * Cost:      O(1).
 * Spec:      docs/spec/threads.md; I4.
 */
#pragma once

#include "cap/slot.h"

struct pool {
    uint32_t parent;  /* index; the boot pool is its own */
    uint32_t free;    /* threads it may still make or give away */
    uint32_t entries; /* table entries it may still give away */
    uint32_t next;    /* free list */
    uint32_t service; /* the pool it came of that was split off the boot pool, or the boot pool */
    bool live;
    struct slot grave;
};

struct pools {
    uint32_t free;  /* 1 + index of the first free entry that was used before; 0 = none */
    uint32_t fresh; /* entries from here on were never used */
    uint32_t tcb_fresh;
    uint32_t tcb_count; /* TCBs in use */
    struct tcb *tcb_free;
    uint64_t tcb_serial;
    struct pool pool[2 * CONFIG_MAX_THREADS];
};

/* The first pool, with all threads; its capability goes into `dst`. */
void pool_boot(struct slot *dst);
NODISCARD enum kozo_err pool_split(struct slot *pool, uint64_t count, struct slot *dst);
NODISCARD enum kozo_err pool_create_thread(struct slot *pool, uint8_t flags, uint8_t priority,
                                           struct slot *dst);
/* Threads the pool may still make or give away. */
NODISCARD uint64_t pool_count(const struct slot *pool);
/*
 * Whose the threads of pool `index` are: the same for all that comes of one child of the boot pool.
 */
NODISCARD uint32_t pool_service(uint32_t index);
/* A thread of pool `index` was freed. */
void pool_return_thread(uint32_t index);
/* All children of the pool are gone: give its count to its parent and free the entry. */
void pool_free(uint32_t index);
