/* SPDX-License-Identifier: MIT */
/*
 * denial.h - how a server tells that it refused something: never silently, and never as a flood.
 *
 *     denied: who=hello object="fs:/etc/motd" asked="write" held="read" rule=none hint="..."
 *     denied: who=hello and 37 more since 1200 ms
 *
 * The first GATE_LINES refusals of a requester within a second are a line each; the rest of that
 * second is counted, and told in one line with its next refusal, or by denial_settle.
 *
 * Owns:      struct denials: a gate for each requester.
 * Not here:  deciding (policy/rules.h), where lines go (the sink: a server's log).
 * Callers:   servers and their unit tests; no system calls. The time is the caller's.
 * Cost:      denial_tell: the line; denial_settle and denial_deadline: the number of requesters.
 * Spec:      docs/spec/services.md
 */
#pragma once

#include "common/gate.h"
#include "common/manifest.h"

#define DENIAL_BYTES 640u            /* a line is cut to this, a NUL included */
#define DENIAL_WHO MANIFEST_SERVICES /* who is nobody of the manifest: all of them are one */

struct denial {
    struct kozo_str who;    /* must stay: the manifest's text, or empty = unknown */
    struct kozo_str object; /* by its clear name, as the requester knows it */
    struct kozo_str asked;  /* rights by name */
    struct kozo_str held;   /* rights by name; empty = none */
    struct kozo_str rule;   /* that says so; empty = none does */
    struct kozo_str hint;   /* what to do about it */
};

struct denials {
    struct {
        struct kozo_str who;
        struct gate gate;
    } of[MANIFEST_SERVICES + 1];
};

/* Takes a whole line, without its end; no control characters are in it. */
typedef void denial_sink(void *context, struct kozo_str line);

/*
 * Tells of one refusal, or counts it. `who` is the requester's place in the manifest (identity.h),
 * DENIAL_WHO or more for anybody else; `now` in nanoseconds, never less than before.
 */
void denial_tell(struct denials *d, uint32_t who, uint64_t now, const struct denial *what,
                 denial_sink *sink, void *context);
/*
 * Whether the caller may tell of one refusal in a line of its own form; if not, it is counted with
 * the others.
 */
bool denial_pass(struct denials *d, uint32_t who, uint64_t now, struct kozo_str name,
                 denial_sink *sink, void *context);

/* What the rights of a capability to a server are called, bit 0 first, and what to do without. */
struct denial_names {
    const char *object;   /* the server */
    const char *right[8]; /* null after the last */
    const char *hint;
};

/*
 * Tells that a capability with the user rights `held` and this badge is not good for `asked`. `m`
 * may be null: then nobody has a name.
 */
void denial_of_rights(struct denials *d, const struct manifest *m, uint64_t badge, uint8_t held,
                      uint8_t asked, const struct denial_names *names, uint64_t now,
                      denial_sink *sink, void *context);
/* Tells what was counted in seconds that have passed. */
void denial_settle(struct denials *d, uint64_t now, denial_sink *sink, void *context);
/* When denial_settle has something to tell; UINT64_MAX = never. */
uint64_t denial_deadline(const struct denials *d);
