/* SPDX-License-Identifier: MIT */
/*
 * supervise.h - whether a service that ended is started again, and when.
 *
 * A restart belongs to a row when the life before it ended less than SUPERVISE_GOOD after its
 * start. `limit` bounds the restarts of one row; the n-th of a row waits backoff * 2^(n-1), at most
 * SUPERVISE_BACKOFF_MAX. A life of at least SUPERVISE_GOOD ends the row, and so does a restart that
 * somebody asked for.
 *
 * Owns:      struct supervise.
 * Not here:  ending and starting (ends.c, start.c).
 * Callers:   init and its unit tests; no system calls. The time is the caller's, in nanoseconds.
 * Cost:      O(1).
 * Spec:      docs/spec/services.md
 */
#pragma once

#include "common/line.h"
#include "common/manifest.h"

#define SUPERVISE_GOOD 10000000000ull
#define SUPERVISE_BACKOFF_MAX 60000000000ull
#define SUPERVISE_START 1000000000ull /* the least backoff after a start that failed */
#define SUPERVISE_NEVER UINT64_MAX

/* What the section of a service says. */
struct supervise_policy {
    enum manifest_restart restart;
    uint32_t limit;
    uint64_t backoff;
};
struct supervise_policy supervise_policy(const struct manifest_service *m);
/* For a life that could not begin: nothing has run, so a backoff of 0 would leave no time to others. */
struct supervise_policy supervise_policy_of_start(const struct manifest_service *m);

struct supervise {
    uint64_t started; /* when the life under way, or the last one, began */
    uint64_t again;   /* when the next one begins; SUPERVISE_NEVER = it does not by itself */
    uint32_t row;     /* restarts in a row */
    uint64_t restarts; /* since boot, asked for or not */
};

/* Nothing has been started yet. */
struct supervise supervise_begin(void);
/* A life begins: the first, the one that was due, or one that somebody asked for. */
void supervise_started(struct supervise *s, uint64_t now);
/* Somebody asked for the life that is to begin now: it starts a new row. */
void supervise_asked(struct supervise *s);

enum supervise_why : uint8_t {
    SUPERVISE_RESTART, /* at s->again */
    SUPERVISE_POLICY,  /* not, by `restart` */
    SUPERVISE_LIMIT,   /* not, the row is full */
};
/* The life under way ended, `well` or as a failure. Sets s->again. */
enum supervise_why supervise_ended(struct supervise *s, const struct supervise_policy *p, bool well,
                                   uint64_t now);
/* Whether the next life is due. */
bool supervise_due(const struct supervise *s, uint64_t now);
/* The next life does not come after all. */
void supervise_give_up(struct supervise *s);

/* What is done about the end that was just judged: "restart 1 of 3 in 100 ms". */
void supervise_describe(struct line *l, const struct supervise *s, const struct supervise_policy *p,
                        enum supervise_why why, uint64_t now);
