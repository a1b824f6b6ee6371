/* SPDX-License-Identifier: MIT */
/*
 * init.h - all that init knows, in one struct.
 *
 * Owns:      struct init and struct service.
 * Callers:   services/init. One thread.
 * Spec:      docs/spec/services.md
 */
#pragma once

#include <kozo/cpio.h>
#include <kozo/memory.h>
#include <kozo/spawn.h>

#include "common/denial.h"
#include "common/manifest.h"
#include "init/demo.h"
#include "init/lines.h"
#include "init/supervise.h"

/* User rights of a capability to init's endpoint. */
#define LOG_WRITE 1u
#define LOG_FAULT 32u /* to be told faults of its bearer's threads, and to end it by them */
#define PROGRAM_CNODE_BITS 8u /* log2 of the slots of a service */

#define SERVICE_END 128u     /* bytes that tell how a life ended */
#define SERVICE_BY 80u       /* and who wanted that: two names */

/* The same numbers as enum kozo_system_state. */
enum service_state : uint8_t {
    SERVICE_ABSENT, /* not started */
    SERVICE_RUNNING,
    SERVICE_ENDED, /* it exited, or was stopped after a fault; it holds nothing any more */
    SERVICE_WAITS, /* the same, and it starts again when its backoff is over */
};

struct service {
    const struct manifest_service *m;
    enum service_state state;
    bool ready;                 /* it has reported so in this life */
    uint32_t life;              /* how often it has been started */
    bool verified;              /* its binary has the hash its section names */
    struct supervise care;
    char end[SERVICE_END];      /* how its last life ended; empty = none did */
    struct gate ends;           /* for what is told of its ends */
    char crashed_by[SERVICE_BY]; /* who wants the fault that is to end this life; empty: nobody */
    bool quiet;                 /* its last end was counted, not told: nor is what follows */
    struct kozo_endpoint port;  /* what it provides is served here; { 0 } nothing */
    struct kozo_untyped port_memory; /* a port is made of it, one for each life */
    struct kozo_untyped memory; /* parents of all it was given: revoking them takes it all back */
    struct kozo_pool pool;
    kozo_cptr given; /* one slot for each word under `capabilities`, and one for `fault`: the parent of
                        what was given */
    struct kozo_process process;
    struct kozo_str named[MANIFEST_WORDS + 2]; /* names in order of slots, process.first_named on: */
    uint32_t nnamed;                           /* what this life was born with */
    kozo_cptr waiter; /* the right to answer it once READY is said; 0 = it does not wait */
    struct lines lines;
};

enum init_state : uint8_t { INIT_WAITING, INIT_READY, INIT_FAILED };

struct init {
    const struct kozo_boot_info *boot;
    enum init_state state;
    struct kozo_str cmdline;
    struct kozo_str commands; /* what its kozo.run= holds, ... */
    bool commanded;           /* ... if that is there */
    struct kozo_untyped own; /* init's memory for what it makes itself */
    struct kozo_cpio archive;
    struct kozo_frames frames; /* of the archive */
    struct kozo_cpio_index index;
    struct kozo_memory manifest_text;
    struct kozo_memory leases;     /* policy's table and ... */
    struct kozo_cnode lease_slots; /* ... slots: lent, so that they outlive it */
    struct kozo_endpoint port;     /* where services speak to init */
    struct manifest manifest;
    struct service service[MANIFEST_SERVICES];
    struct demo demo;
    struct denials denials;
    const struct service *runner; /* has taken the commands of kozo.run in its life under way */
    uint64_t ready_by, demo_by; /* nanoseconds since boot */
};

/*
 * `KOZO FAILED: step, expected, got`, once. init stays and serves, unless the command line has
 * kozo.run or kozo.exit_on_fail: then it powers off and says so to the outside.
 */
[[gnu::format(printf, 4, 5)]] void init_fail(struct init *i, const char *step, const char *expected,
                                             const char *format, ...);
