/* SPDX-License-Identifier: MIT */
/*
 * untyped.h - memory that has no purpose yet, and carving objects out of it.
 *
 * An Untyped's state is in its only capability: object = physical base, size_bits, a = watermark
 * and b = cleared, both physical addresses. Below the watermark is given out; between watermark and
 * cleared all is zero.
 *
 * Owns:      watermark and cleared of every Untyped.
 * Not here:  the memory of objects once carved (their rooms).
 * Callers:   syscall/, cap/object, boot. Kernel lock held.
 * Cost:      clearing: preemptible every page; carving: O(objects made), at most KOZO_RETYPE_MAX.
 * Spec:      docs/spec/memory.md; I3.
 */
#pragma once

#include "cap/slot.h"

struct untyped_plan {
    enum kozo_kind kind;
    uint8_t size_bits;
    uint64_t bytes; /* of one object */
    uint64_t start; /* physical address of the first */
    uint64_t end;
    uint64_t count;
};
struct NODISCARD untyped_plan_res {
    struct untyped_plan plan;
    enum kozo_err err;
};

/* The capability of a new Untyped. */
struct cap untyped_cap(struct paddr base, uint32_t size_bits, bool device);
/* Where `count` objects would lie; ARGUMENT, NOMEM. `what` as RETYPE takes it. */
struct untyped_plan_res untyped_plan(const struct slot *untyped, uint64_t what, uint64_t count);
/* Zero free memory up to `end`; false when preempted on the way. */
NODISCARD bool untyped_clear(struct slot *untyped, uint64_t end);
/* Make the objects, in the `count` empty slots at `dst`; the memory is clear. */
void untyped_carve(struct slot *untyped, const struct untyped_plan *plan, struct slot *dst);
/* A child of `parent`, perhaps an Untyped, perhaps its last, is gone. */
void untyped_child_gone(struct slot *parent);

/*
 * An Untyped capability is deleted: its free memory is nobody's until its parent's last child is
 * gone.
 */
void untyped_end_of(const struct slot *s);

static inline uint64_t untyped_end(const struct slot *u)
{
    return u->cap.object + (1ull << u->cap.size_bits);
}
