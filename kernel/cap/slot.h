/* SPDX-License-Identifier: MIT */
/*
 * slot.h - a capability and the place it is kept in.
 *
 * Owns:      the layout of a slot: one cache line, half links, half capability.
 * Not here:  the links' meaning (cdt.h), finding slots (cspace.h), what kinds do (object.h).
 * Callers:   everybody.
 * Cost:      one expression each.
 * Spec:      docs/spec/capabilities.md; I1.
 */
#pragma once

#include "base/types.h"

struct slot;
struct tcb;

/*
 * One of a slot's two entries in the tour: the slot's address, with bit 0 set for its closing
 * entry.
 */
struct entry {
    uintptr_t v;
};

/*
 * What a capability is and names. The meaning of `object`, `a` and `b` goes by kind: see the
 * helpers below.
 */
struct cap {
    enum kozo_kind kind;
    kozo_rights rights;
    uint8_t user_rights; /* Endpoint: rights whose meaning is the server's */
    uint8_t size_bits;   /* Untyped, CNode, Frame */
    uint16_t flags;      /* CAP_* */
    uint16_t aux;        /* Frame, PageTable: part of the mapping record */
    uint64_t object;     /* kernel address, physical address, or number */
    uint64_t a;
    uint64_t b;
};
static_assert(sizeof(struct cap) == 32);

#define CAP_BADGED 1u   /* Endpoint, Notification: badge `a` is set */
#define CAP_DEVICE 2u   /* Untyped, Frame: device memory */
#define CAP_MAPPED 4u   /* Frame, PageTable: there is a mapping record in `a`, `b` */
#define CAP_POOLED 8u   /* PageTable: waits in its space's pool */
#define CAP_BINDING 16u /* the slot is a thread's own */
#define CAP_IRQ 32u     /* the slot is an interrupt line's own */
#define CAP_CONSOLE 64u /* IoPort: to the console's ports and no others */

struct slot {
    struct entry open_next, open_prev, close_next, close_prev;
    struct cap cap;
};
static_assert(sizeof(struct slot) == KOZO_SLOT_BYTES);

static inline bool slot_is_null(const struct slot *s) { return s->cap.kind == KOZO_KIND_NULL; }

/* A found slot, or why not. */
struct NODISCARD slot_res {
    struct slot *slot;
    enum kozo_err err;
};
static inline struct slot_res slot_ok(struct slot *s) { return (struct slot_res){ s, KOZO_OK }; }
static inline struct slot_res slot_err(enum kozo_err err)
{
    return (struct slot_res){ nullptr, err };
}
