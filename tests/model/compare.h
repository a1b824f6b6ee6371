/* SPDX-License-Identifier: MIT */
/*
 * compare.h - the two halves of the comparison.
 *
 * Owns:      nothing.
 * Callers:   lockstep.c, import.c.
 */
#pragma once

#include "host.h"
#include "lockstep.h"

/* Fails, naming both values. */
void compare_same(const char *of, const char *what, uint64_t got, uint64_t want);
/* The same; `of` is made only when it is needed. */
#define COMPARE_SAME(of, got, want)                                \
    do {                                                           \
        uint64_t got_ = (uint64_t)(got), want_ = (uint64_t)(want); \
        if (got_ != want_)                                         \
            compare_same(of, #got, got_, want_);                   \
    } while (0)

void compare_endpoint(const struct m_object *o, const struct endpoint *ep);
void compare_ntfn(const struct m_object *o, const struct notification *n);
void compare_space(const struct m_object *o);
/* Handlers that stopped. */
void compare_stopped(void);
/* Who waits for its turn to destroy. */
void compare_asking(void);
/* Threads, the scheduler, deadlines, interrupt lines. */
void compare_threads(void);
