/* SPDX-License-Identifier: MIT */
/*
 * lookup.h - an archive as a tree of files: by path, by directory.
 *
 * Owns:      the index: one node for each entry of the archive, the root, and directories that
 *            entries only imply.
 * Not here:  what a sound archive is (kozo/cpio.h), messages (serve.h).
 * Callers:   fsd and its unit tests; no system calls.
 * Cost:      n nodes, whatever their names are. plan: the archive's headers. build: for each part
 *            of a name 1.45 * log2(n) names compared; for each node 32 steps besides; 56 bytes a
 *            node. Look-ups: as many comparisons for each part of the path. Names: O(1).
 * Spec:      docs/spec/files.md
 */
#pragma once

#include <kozo/cpio.h>
#include "common/object.h"
#include "fsd/tree.h"

#define NODE_ROOT 0u
#define NODE_NONE UINT32_MAX

enum node_type : uint8_t { NODE_FILE = 1, NODE_DIRECTORY, NODE_SYMLINK, NODE_OTHER };

struct node {
    const char *path; /* in the archive, without "./" and leading slash; not ended by a NUL */
    const uint8_t *data;
    uint64_t size;
    uint16_t path_len, name_len;
    enum node_type type;
    bool linked;           /* has more names than one */
    uint8_t parts;         /* of its path */
    struct tree_link link; /* by directory and name */
    union {
        struct {
            uint32_t parent, child, next; /* its first child; its next sibling */
        };
        struct {
            uint32_t ino, dev_major, dev_minor; /* while hard links are resolved */
        };
    };
};
static_assert(sizeof(struct node) <= 56);

struct lookup {
    struct node *node;
    uint32_t nodes;
    struct tree names;
};

/* How much an index needs. */
struct [[nodiscard]] lookup_plan {
    uint64_t nodes; /* at most */
    uint64_t bytes;
    enum kozo_err err;
};

/*
 * Checks the archive and sizes its index. Errors: FORMAT with *bad filled; LIMIT more than 16 M
 * entries.
 */
struct lookup_plan lookup_plan(const struct kozo_cpio *archive, struct kozo_bad *bad);
/*
 * Builds the index of an archive for which a plan was made, in `memory` of plan.bytes, aligned to
 * 8. Errors: FORMAT a name twice, or below what is no directory.
 */
enum kozo_err lookup_build(struct lookup *l, const struct kozo_cpio *archive, void *memory,
                           struct kozo_bad *bad);

/*
 * The node with a sound path below the node `dir`, NODE_NONE when there is none. The empty path is
 * `dir` itself.
 */
uint32_t lookup_path(const struct lookup *l, uint32_t dir, struct kozo_str path);
/* A node's last part of its path. */
struct kozo_str lookup_name(const struct lookup *l, uint32_t node);
