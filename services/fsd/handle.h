/* SPDX-License-Identifier: MIT */
/*
 * handle.h - what the badge of a file's capability says. It is all there is to an open file: there
 * is no table of them that could run full or leak.
 *
 *     63    1: a handle. 0: the badge that init gave a client, which names the root
 *     55-62 the origin: of whose account it is, and by which lease (origin.h)
 *     54    of the memory filesystem
 *     44-53 the origin's turn
 *     0-43  archive: the node. Memory: bits 0-15 the node, 16-43 its generation
 *
 * Owns:      that layout.
 * Not here:  what may be done with a handle: the user rights of the capability (serve.h).
 * Callers:   fsd and its unit tests; no system calls.
 * Spec:      docs/spec/files.md
 */
#pragma once

#include "fsd/lookup.h"
#include "fsd/origin.h"
#include "fsd/ram.h"

#define HANDLE_BIT (1ull << 63)
#define HANDLE_ORIGIN_SHIFT 55u
#define HANDLE_RAM (1ull << 54)
#define HANDLE_TURN_SHIFT 44u
static_assert(ORIGINS == 1u << (63 - HANDLE_ORIGIN_SHIFT));
static_assert(ORIGIN_TURNS == 1u << (HANDLE_ORIGIN_SHIFT - 1 - HANDLE_TURN_SHIFT));

static inline uint8_t handle_origin(uint64_t badge)
{
    return (uint8_t)(badge >> HANDLE_ORIGIN_SHIFT);
}

/* Whether its origin has not ended since it was made. */
static inline bool handle_is_of(const struct origins *o, uint64_t badge)
{
    const struct origin *from = &o->at[handle_origin(badge)];

    return (badge & HANDLE_BIT) != 0 && from->open &&
           (badge >> HANDLE_TURN_SHIFT) % ORIGIN_TURNS == from->turn;
}

/* A file or directory of one of the two filesystems. */
struct file {
    uint32_t node; /* NODE_NONE: nothing */
    bool ram;
};

struct [[nodiscard]] handle {
    struct file file;
    uint8_t account;
    uint8_t origin; /* ORIGIN_NONE: it has ended */
    enum kozo_err err;
};
