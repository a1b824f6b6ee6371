/* SPDX-License-Identifier: MIT */
/*
 * tree.h - sorted sets of places in an array, as balanced search trees.
 *
 * A place is in a tree by a link that lies in it, so a place can be in several, and nothing is
 * allocated. What the order is says its owner; no two places of a tree are equal in it. Whatever
 * was put in and taken out, the height stays within TREE_HEIGHT: so a table whose keys others
 * choose needs no secret.
 *
 * Owns:      the links, from tree_insert to tree_remove.
 * Not here:  the array, the keys (ram.c, lookup.c).
 * Callers:   fsd and its unit tests; no system calls.
 * Cost:      1.45 * log2(places) comparisons; to insert and remove, about as many links changed.
 */
#pragma once

#include <stdint.h>

#define TREE_NONE UINT32_MAX
#define TREE_PLACES (1u << 24) /* at most, in one tree */
#define TREE_HEIGHT 34u        /* one of 35 has at least 24,157,816 places */

struct tree_link {
    uint32_t child[2]; /* those before it, those after it */
    uint8_t height;
};

/* Below 0: `key` comes before the place `at`; 0: it is its key; above 0: it comes after. */
typedef int tree_order(const void *array, const void *key, uint32_t at);

struct tree {
    const void *array; /* for the order */
    tree_order *order;
    struct tree_link *first; /* of place 0 */
    uint32_t stride;         /* bytes from one link to the next */
    uint32_t root;
};

/* Begins empty. */
void tree_init(struct tree *t, const void *array, tree_order *order, struct tree_link *first,
               uint32_t stride);

/* The place with this key, or TREE_NONE. */
uint32_t tree_find(const struct tree *t, const void *key);
/* The first place after this key, whether or not one has it; TREE_NONE: there is none. */
uint32_t tree_after(const struct tree *t, const void *key);
/* Puts a place in; `key` is its own, and no place has it. */
void tree_insert(struct tree *t, const void *key, uint32_t at);
/* Takes a place out that is in; `key` is its own. */
void tree_remove(struct tree *t, const void *key, uint32_t at);
