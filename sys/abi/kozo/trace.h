/* SPDX-License-Identifier: MIT */
/*
 * trace.h - questions about recorded events, asked in the same words on the host and in the guest.
 *
 * Owns:      nothing.
 * Not here:  reading events (kozo_debug_events in syscall.h), the format (struct kozo_event in
 *            kozo/abi.h).
 * Callers:   tests of both kinds, and whoever shows events.
 * Cost:      the number of events.
 * Spec:      docs/spec/infrastructure.md
 */
#pragma once

#include <kozo/abi.h>

/*
 * Whether `e` is such an event: the same `what`, and the same in every field of `like` that is not
 * 0, but for the time: `e` is not earlier than that.
 */
static inline bool kozo_event_is(const struct kozo_event *e, const struct kozo_event *like)
{
    return e->what == like->what && e->time >= like->time &&
           (like->thread == 0 || e->thread == like->thread) &&
           (like->kind == 0 || e->kind == like->kind) &&
           (like->rights == 0 || e->rights == like->rights) &&
           (like->error == 0 || e->error == like->error) &&
           (like->object == 0 || e->object == like->object) &&
           (like->badge == 0 || e->badge == like->badge);
}

/* How many of `n` events are such. */
static inline uint64_t kozo_events_count(const struct kozo_event *e, uint64_t n,
                                         const struct kozo_event *like)
{
    uint64_t count = 0;

    for (uint64_t i = 0; i < n; i++)
        count += kozo_event_is(&e[i], like);
    return count;
}
