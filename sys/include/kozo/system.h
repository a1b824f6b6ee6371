/* SPDX-License-Identifier: MIT */
/*
 * system.h - the protocol `system`.
 *
 * Owns:      struct system_*, system_call_*, system_dispatch (made from proto/system.def), its user rights.
 * Spec:      docs/spec/services.md
 */
#pragma once

#define KOZO_PROTO system
#define KOZO_PROTO_UPPER SYSTEM
#define KOZO_PROTO_TABLE <kozo/proto/system.def>
#include <kozo/make.h>

/* Bit 0 is the log's. */
#define KOZO_SYSTEM_LOG 2u
#define KOZO_SYSTEM_LOOK 4u
#define KOZO_SYSTEM_CONTROL 8u
#define KOZO_SYSTEM_KILL 16u

#define KOZO_SYSTEM_FIRST_OP 32u
#define KOZO_SYSTEM_TAKEN UINT64_MAX /* KERNEL: position where a driver took the console */

#define KOZO_SYSTEM_SLOTS UINT64_MAX /* STAT: which, init's free slots */

/* TREE: an index that is no service's. */
#define KOZO_SYSTEM_OF_INIT UINT64_MAX
#define KOZO_SYSTEM_OF_LEASES (UINT64_MAX - 1)

enum kozo_system_end : uint64_t { KOZO_SYSTEM_POWER_OFF, KOZO_SYSTEM_RESET };

/* SERVICE: state. */
enum kozo_system_state : uint64_t {
    KOZO_SYSTEM_ABSENT, /* not started */
    KOZO_SYSTEM_RUNS,
    KOZO_SYSTEM_ENDED, /* and not to be started again but by RESTART */
    KOZO_SYSTEM_WAITS, /* ended, and starts again after its backoff */
};
