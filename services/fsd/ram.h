/* SPDX-License-Identifier: MIT */
/*
 * ram.h - the memory filesystem's tree: files and directories, their names, who pays for them.
 *
 * Owns:      struct ram; the nodes, the trees that find them by directory and name or number, how
 *            many each account has. A node's generation changes whenever its place is used anew.
 * Not here:  what a sound name is (common/object.h), bytes (data.h), messages (serve.h).
 * Callers:   fsd and its unit tests; no system calls.
 * Cost:      for RAM_NODES nodes, whoever chose their names and in whatever order they came and
 *            went: a part of a path at most 22 names compared, list at most 22 nodes; make, remove
 *            and rename besides at most 6 searches like these, and the RAM_DEPTH directories above;
 *            a file that is removed or replaced: its blocks (data.h).
 * Spec:      docs/spec/files.md
 */
#pragma once

#include "common/text.h"
#include "fsd/store.h"
#include "fsd/tree.h"

#define RAM_ROOT 0u
#define RAM_NONE UINT32_MAX
#define RAM_NODES 65536u /* at most: a handle has 16 bits for the node */
#define RAM_NAME 255u
#define RAM_DEPTH 16u /* parts of a path below the root */
#define RAM_DIRECT 8u /* blocks a node names itself; more are named by an index block */
#define RAM_BLOCKS 1024u
#define RAM_FILE_MAX ((uint64_t)RAM_BLOCKS * STORE_BLOCK)
static_assert((RAM_BLOCKS - RAM_DIRECT) * sizeof(uint32_t) <= STORE_BLOCK);

enum ram_type : uint8_t { RAM_FREE, RAM_FILE, RAM_DIRECTORY };

struct ram_node {
    enum ram_type type;
    uint8_t account; /* whose file it is */
    uint8_t name_len;
    uint32_t generation;      /* below 2^28 */
    uint32_t parent;          /* of a free node: the next free one */
    struct tree_link by_name; /* among all nodes but the root, by directory and name ... */
    struct tree_link by_node; /* ... and by directory and number */
    union {
        struct {            /* a file's */
            uint32_t index; /* block with the numbers of the blocks from RAM_DIRECT on */
            uint32_t direct[RAM_DIRECT]; /* block numbers; 0 = a hole, which reads as zeros */
        };
        uint16_t tall[RAM_DEPTH]; /* a directory's: how many entries are 1, 2 ... parts tall */
    };
    uint64_t size;
    char name[RAM_NAME];
};
static_assert(sizeof(struct ram_node) <= 336);
static_assert(RAM_NODES - 1 <= UINT16_MAX && RAM_NODES <= TREE_PLACES);

struct ram {
    struct ram_node *node;
    uint32_t nodes;
    uint32_t free, free_first, free_last; /* used first come, first served */
    struct tree names, numbers;
    uint32_t limit; /* nodes an account may have */
    uint32_t used[STORE_ACCOUNTS];
    struct store store;
};

/* What `nodes` nodes need. */
uint64_t ram_bytes(uint32_t nodes);
/* Begins with an empty root, in ram_bytes(nodes) aligned to 8. r->store is store_init's. */
void ram_init(struct ram *r, void *memory, uint32_t nodes, uint32_t limit);

/* Where a path leads. */
struct [[nodiscard]] ram_place {
    uint32_t dir;         /* the directory it lies in, or would */
    uint32_t node;        /* RAM_NONE: there is nothing yet */
    struct kozo_str name; /* in it; empty: the path was, and node is where it began */
    enum kozo_err err;
};
/* Follows a sound path below `dir`. Errors: NOT_FOUND there is no such directory on the way. */
struct ram_place ram_find(const struct ram *r, uint32_t dir, struct kozo_str path);

struct [[nodiscard]] ram_result {
    uint32_t node;
    enum kozo_err err;
};
/*
 * Makes an empty file or directory at a place where nothing is. Errors: EXISTS; LIMIT too deep, or
 * the account has its share; FULL.
 */
struct ram_result ram_make(struct ram *r, struct ram_place at, enum ram_type type, uint8_t account);
/* Removes a node that is not the root, with its bytes. Errors: NOT_EMPTY. */
enum kozo_err ram_remove(struct ram *r, uint32_t node);
/*
 * Moves a node that is not the root to `to`; what is there goes. Errors: INSIDE; TYPE; NOT_EMPTY;
 * LIMIT too deep; EXISTS `to` is where its path began.
 */
enum kozo_err ram_rename(struct ram *r, uint32_t node, struct ram_place to);

/*
 * The entry of `dir` that follows node `after`, which need not be there any more, 0 = the first;
 * RAM_NONE at the end. A node keeps its number: none is met twice, none that stays is passed over,
 * and whoever makes files meanwhile does not make a list endless.
 */
uint32_t ram_list(const struct ram *r, uint32_t dir, uint64_t after);

static inline struct kozo_str ram_name(const struct ram *r, uint32_t node)
{
    return (struct kozo_str){ r->node[node].name, r->node[node].name_len };
}
