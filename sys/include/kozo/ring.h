/* SPDX-License-Identifier: MIT */
/*
 * ring.h - a bounded queue in shared memory, from one thread to another: bulk data without a copy.
 *
 * Owns:      the layout of the shared memory: two cache lines of counters, then the entries.
 * Not here:  getting memory into two address spaces (memory.h, spawn.h), requests and answers
 *            (msg.h).
 * Callers:   one producing thread and one consuming thread, each with a kozo_ring of its own.
 * Cost:      about ten instructions an entry; a system call only when the other side sleeps, or
 *            this one has to.
 * Spec:      docs/PERFORMANCE.md
 *
 * The producer writes into kozo_ring_room() and says kozo_ring_put(); the consumer reads
 * kozo_ring_front() and says kozo_ring_drop(). Both use the entries where they lie. When there is
 * nothing to do, kozo_ring_wait() sleeps until there is; it first wakes the other side. Who goes on
 * to something else instead says kozo_ring_wake().
 *
 *     while ((to = kozo_ring_room(&r)) == nullptr)
 *         if ((err = kozo_ring_wait(&r, UINT64_MAX)) != KOZO_OK)
 *             return err;
 *     memcpy(to, from, bytes);
 *     kozo_ring_put(&r);
 *
 * The other side need not be trusted: what it writes over the counters can lose entries or end in
 * PROTOCOL, but is never an index out of the memory. Contents that are checked must be copied
 * first: they can change.
 *
 * Death: let each side's `wake`, which the other side waits on, be made of memory that goes with
 * that side. Then a wait ends with GONE when the other side dies. The shared memory itself should
 * be of somebody who outlives both, for its mappings go with it. Who that is can say in it how a
 * side died (kozo_ring_bury); then the other one sees it without waiting.
 */
#pragma once

#include <kozo/abi.h>
#include <kozo/handle.h>

/* How a side is through. Any other value that is found there counts as DIED. */
enum kozo_ring_end : uint32_t { KOZO_RING_OPEN, KOZO_RING_CLOSED, KOZO_RING_DIED };

/* One side's half of the counters, written by that side; the other one only clears `sleeps`. */
struct kozo_ring_half {
    alignas(64) uint64_t count; /* entries ever put, or ever dropped */
    uint32_t sleeps;            /* wants to be woken */
    uint32_t closed;            /* enum kozo_ring_end */
};

struct kozo_ring_shared {
    struct kozo_ring_half producer, consumer;
};
static_assert(sizeof(struct kozo_ring_shared) == 128);

struct kozo_ring {
    struct kozo_ring_half *mine, *theirs;
    char *entry;
    uint64_t count; /* what `mine` has; the shared one is never read back */
    uint64_t limit; /* up to this count there is room, or are entries, as far as is known */
    uint64_t ahead; /* of the other side's count: `entries` for the producer, 0 for the consumer */
    uint32_t entries, entry_bytes;
    bool broken;                   /* the counters of the other side made no sense */
    struct kozo_notification wake; /* the other side waits on it; needs WRITE */
    struct kozo_notification wait; /* this side waits on it; needs READ */
};

enum kozo_ring_side : uint8_t { KOZO_RING_PRODUCER, KOZO_RING_CONSUMER };

/* Bytes of memory for a ring; 0 when there can be none of this size. */
uint64_t kozo_ring_bytes(uint32_t entries, uint32_t entry_bytes);

/*
 * Joins the ring in [memory, memory + bytes), which is shared, aligned to 64 bytes and zero before
 * the first side joins. Both sides name the same sizes: `entries` a power of two, `entry_bytes` a
 * multiple of 8. A side joins once. Errors: ARGUMENT sizes or alignment; NOMEM `bytes` are fewer
 * than kozo_ring_bytes.
 */
enum kozo_err kozo_ring_join(struct kozo_ring *r, enum kozo_ring_side side, void *memory,
                             uint64_t bytes, uint32_t entries, uint32_t entry_bytes,
                             struct kozo_notification wake, struct kozo_notification wait);

/*
 * Looks how far the other side has come; whether there is room, or an entry. Called by the
 * functions below.
 */
bool kozo_ring_look(struct kozo_ring *r);

/* The entry under way, null when there is none. */
static inline void *kozo_ring_entry(struct kozo_ring *r)
{
    if (r->count == r->limit && !kozo_ring_look(r)) [[clang::unlikely]]
        return nullptr;
    return r->entry + (r->count & (r->entries - 1)) * r->entry_bytes;
}

static inline void kozo_ring_advance(struct kozo_ring *r)
{
    __atomic_store_n(&r->mine->count, ++r->count, __ATOMIC_RELEASE);
}

/*
 * Producer: where the next entry goes; null when the ring is full. It holds what the entry before
 * in that place held.
 */
static inline void *kozo_ring_room(struct kozo_ring *r)
{
    return kozo_ring_entry(r);
}
/* Producer: the entry in kozo_ring_room() is written; the other side can see it from now on. */
static inline void kozo_ring_put(struct kozo_ring *r)
{
    kozo_ring_advance(r);
}

/* Consumer: the oldest entry; null when the ring is empty. */
static inline const void *kozo_ring_front(struct kozo_ring *r)
{
    return kozo_ring_entry(r);
}
/* Consumer: the entry at kozo_ring_front() is no longer needed; its place may be written over. */
static inline void kozo_ring_drop(struct kozo_ring *r)
{
    kozo_ring_advance(r);
}

/* Wakes the other side if it sleeps: after putting or dropping, before something else. */
void kozo_ring_wake(struct kozo_ring *r);

/*
 * Wakes the other side, then sleeps until there is room, or an entry: by `deadline` (ns since boot,
 * UINT64_MAX: whenever). Errors: TIMEOUT; GONE the other side has closed or died, and there is
 * nothing left of it to read; PROTOCOL its counters make no sense; CANCELLED this thread was
 * suspended.
 */
enum kozo_err kozo_ring_wait(struct kozo_ring *r, uint64_t deadline);

/* Tells the other side that this one is through. What was put can still be read. */
void kozo_ring_close(struct kozo_ring *r);

/* The same, before all was said: the other side finds it DIED. What was put can still be read. */
void kozo_ring_abort(struct kozo_ring *r);

/* Whether and how the other side is through; no system call. What it put can still be read. */
static inline enum kozo_ring_end kozo_ring_ended(const struct kozo_ring *r)
{
    uint32_t closed = __atomic_load_n(&r->theirs->closed, __ATOMIC_ACQUIRE);

    return closed <= KOZO_RING_CLOSED ? (enum kozo_ring_end)closed : KOZO_RING_DIED;
}

/*
 * For who outlives a side and has the ring's memory: says in its place how it ended, unless it did so
 * itself. That side must not run any more; what the other one waits on goes after this, or is signalled.
 */
void kozo_ring_bury(void *memory, enum kozo_ring_side side, enum kozo_ring_end how);
