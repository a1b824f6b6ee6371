/* SPDX-License-Identifier: MIT */
/*
 * cspace.h - from capability addresses to slots.
 *
 * A thread's capability space is one CNode: an address is an index. Slot 0 is the kernel's own.
 *
 * Owns:      nothing.
 * Not here:  filling and emptying slots (object.h).
 * Callers:   syscall/, ipc/message. Kernel lock held.
 * Cost:      O(1).
 * Spec:      docs/spec/capabilities.md
 */
#pragma once

#include "cap/slot.h"

/* A thread's capability space: what its binding names, at hand. Without a binding the size is 0. */
struct cspace {
    struct slot *slots;
    uint64_t size;
    struct slot *own; /* the binding: its rights say what the thread may do to its own space */
};

/* The occupied slot at `at`. ADDRESS, EMPTY. */
static inline struct slot_res cspace_lookup(const struct cspace *c, kozo_cptr at)
{
    if (at >= c->size || at == 0) [[clang::unlikely]]
        return slot_err(KOZO_ERR_ADDRESS);
    if (slot_is_null(&c->slots[at])) [[clang::unlikely]]
        return slot_err(KOZO_ERR_EMPTY);
    return slot_ok(&c->slots[at]);
}

/*
 * As cspace_lookup, but the slot must hold a `kind` with at least the rights in `need`. KIND,
 * RIGHTS.
 */
static inline struct slot_res cspace_want(const struct cspace *c, kozo_cptr at, enum kozo_kind kind,
                                          kozo_rights need)
{
    struct slot_res r = cspace_lookup(c, at);

    if (r.err != KOZO_OK) [[clang::unlikely]]
        return r;
    if (r.slot->cap.kind != kind) [[clang::unlikely]]
        return slot_err(KOZO_ERR_KIND);
    if ((r.slot->cap.rights & need) != need) [[clang::unlikely]]
        return slot_err(KOZO_ERR_RIGHTS);
    return r;
}

/*
 * Slot `index`, whatever it holds, of the CNode at `cnode` (0 = the thread's own), through which
 * `need` is permitted. As cspace_want for the CNode, then ADDRESS.
 */
struct slot_res cspace_slot(const struct cspace *c, kozo_cptr cnode, uint64_t index,
                            kozo_rights need);
/* The same, and it must be occupied (EMPTY), or empty (OCCUPIED; WRITE is needed). */
struct slot_res cspace_occupied(const struct cspace *c, kozo_cptr cnode, uint64_t index,
                                kozo_rights need);
struct slot_res cspace_empty(const struct cspace *c, kozo_cptr cnode, uint64_t index);
/* `count` consecutive empty slots from `index`; the first of them. */
struct slot_res cspace_empty_range(const struct cspace *c, kozo_cptr cnode, uint64_t index,
                                   uint64_t count);
