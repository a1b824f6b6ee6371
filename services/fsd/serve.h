/* SPDX-License-Identifier: MIT */
/*
 * serve.h - the protocol fs: the archive at /, the memory filesystem at /ram.
 *
 * Owns:      struct fs_server; where the one filesystem lies in the other; which user right each
 *            operation needs.
 * Not here:  the trees (lookup.h, ram.h), bytes (data.h, bytes.h), receiving (main.c).
 * Callers:   fsd and its unit tests; no system calls.
 * Cost:      O(1) an operation, what ram.h and data.h say, and the bytes moved.
 * Spec:      docs/spec/files.md
 */
#pragma once

#include <kozo/file.h>
#include "fsd/data.h"
#include "fsd/handle.h"
#include "fsd/lend.h"

#define RAM_MOUNT "ram" /* in the archive's root */

/* What the request under way asks for, for deny.h. */
struct asked {
    struct file file; /* whose capability is used */
    uint8_t rights;   /* user rights */
    char path[PATH_BYTES + 1];
};

struct fs_server {
    struct lookup tree;
    struct ram ram;
    struct origins origins;
    const struct lend_ops *lend; /* how Frames of clients are reached */
    struct asked asked;
    uint8_t scratch[KOZO_FILE_CHUNK];
};

extern const struct fs_ops files_ops;

/* How much the memory filesystem has, and a client of it may have. */
struct ram_plan {
    uint32_t blocks, nodes; /* nodes: files and directories, the root too */
    uint32_t share_blocks, share_nodes;
};
/* What the filesystem needs beside its blocks. */
uint64_t ram_plan_bytes(const struct ram_plan *plan);
/*
 * Begins with an empty memory filesystem. `memory` is the blocks, `tables` has
 * ram_plan_bytes(plan), aligned to 8.
 */
void ram_begin(struct fs_server *s, const struct ram_plan *plan, void *memory, void *tables);

uint64_t handle_badge(const struct fs_server *s, struct file file, uint8_t origin);
/*
 * Errors: STALE a handle whose origin has ended, or of a file that was removed; a client's own
 * capability of a life before the newest that was heard of.
 */
struct handle handle_open(const struct fs_server *s, uint64_t badge);
/*
 * The handle used, if its capability has the user rights in `need`; a client's own tells which life
 * it is in. Errors: RIGHTS; STALE.
 */
struct handle handle_want(struct fs_server *s, const struct kozo_msg *m, uint64_t need);
