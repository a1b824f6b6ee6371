/* SPDX-License-Identifier: MIT */
/*
 * serve.h - the protocol fs over a read-only archive.
 *
 * A capability's badge is the handle: bit 63, the server's generation, the node. So there is no
 * table of open files that could run full or leak: who holds the capability may use it, and
 * revoking it is all there is to closing. A badge without bit 63 was made by init and names the
 * root.
 *
 * Owns:      handles; which user right each operation needs.
 * Not here:  the tree (lookup.h), receiving (main.c).
 * Callers:   fsd and its unit tests; no system calls.
 * Cost:      O(1) an operation, and the bytes read.
 * Spec:      docs/spec/services.md
 */
#pragma once

#include <kozo/file.h>
#include "fsd/lookup.h"

struct fs_server {
    struct lookup tree;
    uint32_t generation; /* of this life of the server, below 2^31 */
    kozo_cptr port;      /* its endpoint, of which files are made */
};

extern const struct fs_ops fs_archive_ops;

uint64_t handle_badge(const struct fs_server *s, uint32_t node);

struct [[nodiscard]] handle {
    uint32_t node;
    enum kozo_err err;
};
/* Errors: STALE a handle of an earlier life of the server. */
struct handle handle_open(const struct fs_server *s, uint64_t badge);
