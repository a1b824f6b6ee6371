/* SPDX-License-Identifier: MIT */
/*
 * cdt.h - the derivation tree, kept as an Euler tour.
 *
 * Each slot owns two entries, open and close, in one doubly linked list; a slot's descendants are
 * exactly what lies between its two entries. So every operation is a few links, whatever the depth.
 *
 * Owns:      the four links of every slot.
 * Not here:  what a capability names (object.h), deleting subtrees (pending.h).
 * Callers:   cap/ and the slots that objects hold.
 * Cost:      O(1), all of it.
 * Spec:      docs/spec/capabilities.md; I1.
 */
#pragma once

#include "cap/slot.h"

static inline uintptr_t cdt_address(struct slot *s)
{
    return (uintptr_t)__builtin_assume_aligned(s, alignof(struct slot));
}
static inline struct entry cdt_open(struct slot *s) { return (struct entry){ cdt_address(s) }; }
static inline struct entry cdt_close(struct slot *s)
{
    return (struct entry){ cdt_address(s) | 1 };
}
static inline struct slot *cdt_slot(struct entry e) { return (struct slot *)(e.v & ~(uintptr_t)1); }
static inline bool cdt_is_close(struct entry e) { return (e.v & 1) != 0; }
static inline bool cdt_same(struct entry a, struct entry b) { return a.v == b.v; }

struct entry cdt_next(struct entry e);
struct entry cdt_prev(struct entry e);

/* Make `root` an empty tour of its own. */
void cdt_init(struct slot *root);
/* Link the unlinked `child` as the youngest child of `parent`. */
void cdt_insert_child(struct slot *parent, struct slot *child);
/* Take `s` out; its children become its parent's, in its place. */
void cdt_unlink(struct slot *s);
/* Hand the entries of `from` to the unlinked `to`. */
void cdt_move(struct slot *to, struct slot *from);

static inline bool cdt_has_children(struct slot *s)
{
    return !cdt_same(s->open_next, cdt_close(s));
}
static inline bool cdt_is_linked(const struct slot *s) { return s->open_next.v != 0; }
/* Some neighbour in the tour names the same object: only for kinds whose copies lie together. */
NODISCARD bool cdt_is_last(struct slot *s);
