/* SPDX-License-Identifier: MIT */
#include <kozo/ring.h>

#include <kozo/syscall.h>

#include <stdckdint.h>

constexpr uint32_t MOST_ENTRY_BYTES = 1u << 20;

uint64_t kozo_ring_bytes(uint32_t entries, uint32_t entry_bytes)
{
    uint64_t bytes;

    if (entries == 0 || (entries & (entries - 1)) != 0)
        return 0;
    if (entry_bytes == 0 || entry_bytes % 8 != 0 || entry_bytes > MOST_ENTRY_BYTES)
        return 0;
    if (ckd_mul(&bytes, (uint64_t)entries, (uint64_t)entry_bytes) ||
        ckd_add(&bytes, bytes, sizeof(struct kozo_ring_shared)))
        return 0;
    return bytes;
}

enum kozo_err kozo_ring_join(struct kozo_ring *r, enum kozo_ring_side side, void *memory,
                             uint64_t bytes, uint32_t entries, uint32_t entry_bytes,
                             struct kozo_notification wake, struct kozo_notification wait)
{
    struct kozo_ring_shared *shared = memory;
    uint64_t needed = kozo_ring_bytes(entries, entry_bytes);
    bool produces = side == KOZO_RING_PRODUCER;

    *r = (struct kozo_ring){};
    if (needed == 0 || (uintptr_t)memory % alignof(struct kozo_ring_shared) != 0)
        return KOZO_ERR_ARGUMENT;
    if (bytes < needed)
        return KOZO_ERR_NOMEM;
    *r = (struct kozo_ring){
        .mine = produces ? &shared->producer : &shared->consumer,
        .theirs = produces ? &shared->consumer : &shared->producer,
        .entry = (char *)(shared + 1),
        .ahead = produces ? entries : 0,
        .limit = produces ? entries : 0,
        .entries = entries,
        .entry_bytes = entry_bytes,
        .wake = wake,
        .wait = wait,
    };
    return KOZO_OK;
}

/*
 * The other side's counter never goes back, and the two are never further apart than there are
 * entries.
 */
bool kozo_ring_look(struct kozo_ring *r)
{
    uint64_t limit = __atomic_load_n(&r->theirs->count, __ATOMIC_ACQUIRE) + r->ahead;

    if (limit - r->limit > r->entries || limit - r->count > r->entries)
        r->broken = true;
    if (!r->broken)
        r->limit = limit;
    return r->count != r->limit;
}

/* When it fails the notification that the other side waits on is gone, and so is that side. */
static enum kozo_err wake(struct kozo_ring *r)
{
    /* What was put or dropped must be seen before it is looked whether the other side sleeps. */
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    if (__atomic_load_n(&r->theirs->sleeps, __ATOMIC_RELAXED) == 0)
        return KOZO_OK;
    __atomic_store_n(&r->theirs->sleeps, 0, __ATOMIC_RELAXED);
    return kozo_signal(r->wake, 1);
}

void kozo_ring_wake(struct kozo_ring *r)
{
    (void)wake(r);
}

/* Why not to sleep: there is something to do, or never will be. */
static bool is_over(struct kozo_ring *r, enum kozo_err *err)
{
    /* Asked before the last look at what it put. */
    bool closed = __atomic_load_n(&r->theirs->closed, __ATOMIC_ACQUIRE) != 0;

    *err = KOZO_OK;
    if (kozo_ring_look(r))
        return true;
    *err = r->broken ? KOZO_ERR_PROTOCOL : KOZO_ERR_GONE;
    return r->broken || closed;
}

static enum kozo_err sleep_until(struct kozo_ring *r, uint64_t deadline)
{
    enum kozo_err err = KOZO_OK;

    __atomic_store_n(&r->mine->sleeps, 1, __ATOMIC_RELAXED);
    __atomic_thread_fence(__ATOMIC_SEQ_CST); /* the other way round: see wake() */
    if (!is_over(r, &err))
        err = deadline == UINT64_MAX ? kozo_wait(r->wait).err
                                     : kozo_wait_until(r->wait, deadline).err;
    __atomic_store_n(&r->mine->sleeps, 0, __ATOMIC_RELAXED);
    return err;
}

/* What an error of waiting comes to. What was put before the other side died can still be read. */
static enum kozo_err outcome(struct kozo_ring *r, enum kozo_err err)
{
    if (kozo_ring_look(r))
        return KOZO_OK;
    if (r->broken)
        return KOZO_ERR_PROTOCOL;
    return err == KOZO_ERR_TIMEOUT || err == KOZO_ERR_CANCELLED ? err : KOZO_ERR_GONE;
}

enum kozo_err kozo_ring_wait(struct kozo_ring *r, uint64_t deadline)
{
    enum kozo_err err = wake(r);

    if (err != KOZO_OK)
        return outcome(r, err);
    while (!is_over(r, &err)) {
        err = sleep_until(r, deadline);
        if (err != KOZO_OK)
            return outcome(r, err);
    }
    return err;
}

void kozo_ring_bury(void *memory, enum kozo_ring_side side, enum kozo_ring_end how)
{
    struct kozo_ring_shared *shared = memory;
    struct kozo_ring_half *half = side == KOZO_RING_PRODUCER ? &shared->producer : &shared->consumer;

    if (__atomic_load_n(&half->closed, __ATOMIC_RELAXED) == KOZO_RING_OPEN)
        __atomic_store_n(&half->closed, how, __ATOMIC_RELEASE);
}

static void end_as(struct kozo_ring *r, enum kozo_ring_end how)
{
    __atomic_store_n(&r->mine->closed, how, __ATOMIC_RELEASE);
    kozo_ring_wake(r);
}

void kozo_ring_close(struct kozo_ring *r) { end_as(r, KOZO_RING_CLOSED); }

void kozo_ring_abort(struct kozo_ring *r) { end_as(r, KOZO_RING_DIED); }
