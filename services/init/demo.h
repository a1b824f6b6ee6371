/* SPDX-License-Identifier: MIT */
/*
 * demo.h - the demonstration: which steps its service reports, in which order, and what each must
 * have given.
 *
 * The service's word is not enough: what init found out by itself (struct demo_facts), from the
 * kernel, from the archive and from policy's audit, must agree with it.
 *
 * Owns:      the table of steps; the first failure.
 * Not here:  collecting the facts (watch.c), doing the steps (services/hello).
 * Callers:   init and its unit tests; no system calls.
 * Spec:      docs/spec/services.md
 */
#pragma once

#include "common/audit.h"
#include "common/manifest.h"
#include "common/steps.h"

#define DEMO_TEXT 192u

enum demo_step : uint32_t {
    DEMO_BORN,     /* it holds an endpoint to policy and one to the log, no more */
    DEMO_GRANTED,  /* read is granted, for the lease of the rule */
    DEMO_CONTENTS, /* it printed the file, and reports length and hash */
    DEMO_BOUNDED,  /* it cannot gain rights by itself */
    DEMO_DENIED,   /* write is denied, with reason and hint */
    DEMO_EXPIRED,  /* the lease is over: the next read fails */
    DEMO_STEPS
};

/* What init knows when a step is reported. */
struct demo_facts {
    uint32_t caps;      /* capabilities in the service's space, beside what it is made of */
    uint32_t endpoints; /* how many of them are Endpoints */
    uint8_t gained;     /* user rights of all those it was not born with, together */
};

struct demo {
    const struct manifest *manifest;
    const struct manifest_service *service;
    uint32_t next;           /* step */
    struct kozo_bytes file;  /* as the archive has it; null = not at all */
    uint64_t printed;        /* bytes that the service printed since the step before */
    bool same;               /* they are the file's */
    uint64_t granted_ms;     /* when policy granted read, by its audit ... */
    uint64_t lease_ms;       /* ... and for how long, by the rule */
    bool over;               /* that time is, by the audit as well */
    char audit[AUDIT_BYTES]; /* policy's last line about the service */
    char expected[DEMO_TEXT], got[DEMO_TEXT]; /* of the step that failed, or the last one */
};

/* Ready for the first step; done at once when the manifest names no service for it. */
void demo_begin(struct demo *d, const struct manifest *m, struct kozo_bytes file);
/* The path of the file in the archive: the service's first argument. */
struct kozo_str demo_file(const struct manifest *m);
bool demo_done(const struct demo *d);
const char *demo_step_name(uint32_t step);
/* What the next step must give, for the case that it never comes. */
const char *demo_expects(struct demo *d);
/* The service printed this. */
void demo_printed(struct demo *d, struct kozo_str text);
/* policy wrote this line of audit. */
void demo_audit(struct demo *d, struct kozo_str line);
/*
 * Whether the lease ran out before a step that needs it: on a machine that is too busy. What such a
 * step gave says nothing, and the next one to come is the grant.
 */
bool demo_begins_again(struct demo *d);
/*
 * The service reports a step. False: it is another one, or gave something else; see d->expected and
 * d->got.
 */
bool demo_report(struct demo *d, struct kozo_str name, bool ok, struct kozo_str got,
                 const struct demo_facts *facts);
