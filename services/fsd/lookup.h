/* SPDX-License-Identifier: MIT */
/*
 * lookup.h - an archive as a tree of files: by path, by directory, in constant time.
 *
 * Owns:      the index: one node for each entry of the archive, the root, and directories that
 *            entries only imply.
 * Not here:  what a sound archive is (kozo/cpio.h), messages (serve.h).
 * Callers:   fsd and its unit tests; no system calls.
 * Cost:      plan and build: the archive's headers; 48 bytes a node, and 4 to 8 for the table.
 *            Look-ups: O(1).
 * Spec:      docs/spec/services.md
 */
#pragma once

#include <kozo/cpio.h>
#include "common/object.h"

#define NODE_ROOT 0u
#define NODE_NONE UINT32_MAX

enum node_type : uint8_t { NODE_FILE = 1, NODE_DIRECTORY, NODE_SYMLINK, NODE_OTHER };

struct node {
    const char *path; /* in the archive, without "./" and leading slash; not ended by a NUL */
    const uint8_t *data;
    uint64_t size;
    uint16_t path_len;
    enum node_type type;
    bool linked;    /* has more names than one */
    uint32_t chain; /* next in its bucket */
    union {
        struct {
            uint32_t parent, child, next; /* its first child; its next sibling */
        };
        struct {
            uint32_t ino, dev_major, dev_minor; /* while hard links are resolved */
        };
    };
};
static_assert(sizeof(struct node) <= 48);

struct lookup {
    struct node *node;
    uint32_t nodes, max_nodes;
    uint32_t *bucket;
    uint32_t buckets; /* a power of two */
};

/* How much an index needs. */
struct [[nodiscard]] lookup_plan {
    uint64_t nodes; /* at most */
    uint64_t buckets;
    uint64_t bytes;
    enum kozo_err err;
};

/*
 * Checks the archive and sizes its index. Errors: FORMAT with *bad filled; LIMIT more than 16 M
 * entries.
 */
struct lookup_plan lookup_plan(const struct kozo_cpio *archive, struct kozo_bad *bad);
/*
 * Builds the index in `memory` of plan.bytes, aligned to 8. Errors: FORMAT a name twice, or below
 * what is no directory.
 */
enum kozo_err lookup_build(struct lookup *l, const struct kozo_cpio *archive,
                           const struct lookup_plan *plan, void *memory, struct kozo_bad *bad);

/*
 * The node with a sound path below the node `dir`, NODE_NONE when there is none. The empty path is
 * `dir` itself.
 */
uint32_t lookup_path(const struct lookup *l, uint32_t dir, struct kozo_str path);
/* A node's last part of its path. */
struct kozo_str lookup_name(const struct lookup *l, uint32_t node);
