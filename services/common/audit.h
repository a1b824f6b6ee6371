/* SPDX-License-Identifier: MIT */
/*
 * audit.h - one line for each decision of policy, for people and for programs.
 *
 *     audit seq=2 at_ms=57 who=hello object="fs:/etc/motd" rights="write" held="read" result=denied
 *     lease_ms=0 rule=none why="to change it" reason="..." hint="..."
 *
 * `held` is in those of denials only.
 *
 * Owns:      the line's form.
 * Not here:  deciding (policy/rules.h), where the lines go (log).
 * Callers:   policy writes, init reads; unit tests; no system calls.
 */
#pragma once

#include "common/line.h"

#define AUDIT_BYTES 1024u

enum audit_result : uint8_t {
    AUDIT_GRANTED,
    AUDIT_DENIED,
    AUDIT_FAILED,
    AUDIT_EXPIRED,
    AUDIT_RELEASED,
    AUDIT_REVOKED,
    AUDIT_USED,
    AUDIT_CANCELLED,
};

struct audit {
    uint64_t seq;
    uint64_t at_ms;         /* since boot */
    struct kozo_str who;    /* the requester's service, by its badge */
    struct kozo_str object; /* as asked for; line_add_escaped */
    uint8_t rights;
    uint8_t held; /* told of a denial: by leases on that very object */
    bool seen;    /* the person at the console granted it: no line says so */
    enum audit_result result;
    uint32_t lease_ms;    /* how long, where there is one */
    struct kozo_str rule; /* the rule that spoke; empty = none */
    struct kozo_str why;  /* in the requester's words */
    struct kozo_str reason, hint;
};

const char *audit_result_name(enum audit_result result);
/* Writes the line, without a line end; returns its length. */
uint64_t audit_write(char *to, uint64_t size, const struct audit *a);
/* `line` is an audit line. */
bool audit_is(struct kozo_str line);
/* The value of a field of an audit line, without quotes; empty when there is none. */
struct kozo_str audit_field(struct kozo_str line, const char *name);
