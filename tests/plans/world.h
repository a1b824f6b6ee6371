/* SPDX-License-Identifier: MIT */
/*
 * world.h - a small system of services on the host kernel: init, fsd, policy and three clients.
 *
 * What decides is the services' own: the manifest, init/supervise, policy/rules, policy/lease,
 * fsd/lookup, fsd/serve and the protocols of kozo-sys. Threads, endpoints, badges, leases and what
 * is taken back are the kernel's. What main.c of each service does between the two is written out
 * again here, as turns of actors.
 *
 * Owns:      `world`.
 * Not here:  what goes wrong (actor.h), the sweeps (test_plans.c).
 * Spec:      docs/spec/infrastructure.md
 */
#pragma once

#include "actor.h"

#include "init/supervise.h"
#include "policy/lease.h"

enum service_id : uint32_t { FSD, POLICY, READER, ASKER, WRITER, SERVICES };

#define LIVES_MAX 16u
#define LEASE_MS 40u     /* by the rule */
#define VERSIONS 3u      /* that the writer makes of its file */
#define FILE_BYTES 1000u /* of fs:/etc/motd: three messages */

/* One life, as the harness saw it: against what the manifest says, at the end. */
struct life {
    uint64_t began, ended;
    bool over, well;
};

struct service {
    struct actor a;
    const struct manifest_service *m;
    struct supervise_policy policy;
    struct supervise supervise;
    struct kozo_msg kept; /* a server: the request whose answer is put off */
    bool running;         /* as init knows */
    uint32_t lives;
    struct life life[LIVES_MAX + 1];
};

/* Phases of a server. */
enum { SERVER_BEGINS, SERVER_RECEIVES, SERVER_SLEEPS, SERVER_LOOKS_BEHIND };

struct client {
    uint32_t tries; /* requests */
    uint32_t reads; /* files read whole and right; the writer's: versions that are there */
    uint32_t life;  /* of fsd, in which the last of them was made */
    uint32_t denials;
    uint32_t reused; /* uses of a capability whose lease was over, and of its copy: all refused */
    uint64_t offset; /* of the read under way */
    uint64_t lease, until;
    uint8_t data[FILE_BYTES];
};

struct world {
    struct actor init;
    struct service service[SERVICES];
    struct client client[SERVICES]; /* from READER on */
    struct manifest manifest;
    struct lease_table leases;
    uint64_t giving;   /* policy: the lease whose capability is on its way */
    uint64_t serials;  /* of leases, given out */
    bool leases_ended; /* by init: nobody is left to end them in time */
};
extern struct world world;

/* A fresh system, in which this will go wrong. Nothing has run yet. */
void world_begin(const struct fault_plan *plan);
/* Both clients have ended, for good. */
NODISCARD bool world_done(void);
/* The four invariants; `settled`: nobody can run, and nothing of it is about to change. */
void world_check(bool settled);

/* Where things are, in init's space and in each service's. */
enum : uint64_t {
    AT_LEASES = SLOT_FREE, /* init: the CNode lent to policy */
    AT_SERVICE = 24,       /* init: 8 slots for each service */
    IN_SERVE = 10,         /* a service: its port */
    IN_FS,                 /* ... others', by name */
    IN_POLICY,
    IN_LEASES,
    IN_OPENED,  /* policy: what the provider gave */
    IN_GIVEN,   /* a server: what goes with its answer */
    IN_SAVED,   /* a caller that waits for its answer */
    IN_LEASED,  /* a client: what it was granted */
    IN_COPY,    /* ... and a copy that it made */
    IN_ORIGINS, /* fsd: that of origin 0 */
};
enum part : uint64_t { PART_MEMORY, PART_POOL, PART_PORT, PART_CNODE, PART_BUFFER, PART_THREAD };
static inline uint64_t part_of(uint32_t k, enum part p) { return AT_SERVICE + 8 * k + p; }

/* ---- the actors ---- */

void init_turn(struct actor *a); /* world.c */
void fsd_turn(struct actor *a);  /* servers.c */
void policy_turn(struct actor *a);
void client_turn(struct actor *a); /* clients.c */
void writer_turn(struct actor *a); /* writer.c */
/* Its file is one version or another, as a whole. */
struct fs_server;
void writer_check(struct fs_server *fs);
void writer_spoil(struct fs_server *fs); /* a byte of it, by hand */
void files_check(void);                  /* servers.c */
void files_spoil(void);
/* Whether this badge is of an origin of fsd's that has not ended. */
bool file_is_known(uint64_t badge);
void fsd_begin(void);
const uint8_t *motd(void); /* FILE_BYTES */
static inline struct service *service_of(struct actor *a) { return (struct service *)a; }
static inline uint32_t id_of(struct actor *a) { return (uint32_t)(service_of(a) - world.service); }
static_assert(offsetof(struct service, a) == 0);
