/* SPDX-License-Identifier: MIT */
/*
 * trace.h - events of capabilities and threads, recorded in a ring.
 *
 * Off until a mask is set: then one test where it is off, one record where it is on.
 *
 * Owns:      the ring.
 * Not here:  what deserves an event (cap/object.c, syscall/, ipc/).
 * Callers:   every room; kernel lock held.
 * Cost:      O(1).
 * Spec:      docs/spec/infrastructure.md
 */
#pragma once

#include "base/types.h"

#define TRACE_EVENTS 1024u

struct trace {
    uint64_t mask;    /* bit i: event i is recorded */
    uint64_t written; /* events ever; the last TRACE_EVENTS are there */
    uint64_t caller;  /* serial of the thread that a call is made for by another; 0 = none */
    struct kozo_event event[TRACE_EVENTS];
};

/* Record `e`, whose time and thread are filled in, if its kind is asked for. */
void trace_record(struct kozo_event e);
/*
 * Copy at most `most` events from position `*at` on; skips what was overwritten. Returns how many,
 * `*at` is the next.
 */
NODISCARD uint64_t trace_read(uint64_t *at, struct kozo_event *to, uint64_t most);
/*
 * What stands for an object where users see it: of its kind and of its address or number, and under
 * another key than badges, which nobody shall guess from it. A slot is of kind Null.
 */
NODISCARD uint64_t trace_identity(enum kozo_kind kind, uint64_t object);
