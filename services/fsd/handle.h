/* SPDX-License-Identifier: MIT */
/*
 * handle.h - what the badge of a file's capability says. It is all there is to an open file: there
 * is no table of them that could run full or leak.
 *
 *     63    1: a handle. 0: the badge that init gave a client, which names the root
 *     57-62 the account that pays for what is written through it
 *     56    of the memory filesystem
 *     44-55 in which lives it was made: the server's and the client's, added, modulo 4096
 *     0-43  archive: the node. Memory: bits 0-15 the node, 16-43 its generation
 *
 * Both only grow, so the sum is another one when either has begun anew. Before the server has heard
 * of a client in a life of its own, no handle of that account is good.
 *
 * Owns:      that layout; which account a client has, and in which life it is.
 * Not here:  what may be done with a handle: the user rights of the capability (serve.h).
 * Callers:   fsd and its unit tests; no system calls.
 * Spec:      docs/spec/files.md
 */
#pragma once

#include "common/identity.h"
#include "fsd/lookup.h"
#include "fsd/ram.h"

#define HANDLE_BIT (1ull << 63)
#define HANDLE_ACCOUNT_SHIFT 57u
#define HANDLE_RAM (1ull << 56)
#define HANDLE_LIFE_SHIFT 44u
#define HANDLE_LIFE_MASK 0xfffu

/*
 * Each service has one account for all its lives, so that dying does not fill its purse; who is no
 * service shares the last one.
 */
#define ACCOUNT_OTHERS (STORE_ACCOUNTS - 1)
static_assert(STORE_ACCOUNTS == MANIFEST_SERVICES + 1);

static inline uint8_t account_of(uint64_t client)
{
    uint32_t i = identity_index(client);

    return (uint8_t)(i < ACCOUNT_OTHERS ? i : ACCOUNT_OTHERS);
}

/* Which life of its service a client is; those who are no service have none. */
static inline uint32_t life_of(uint64_t client)
{
    return account_of(client) == ACCOUNT_OTHERS ? 0 : identity_life(client);
}

/* A file or directory of one of the two filesystems. */
struct file {
    uint32_t node; /* NODE_NONE: nothing */
    bool ram;
};

struct [[nodiscard]] handle {
    struct file file;
    uint8_t account;
    enum kozo_err err;
};
