/* SPDX-License-Identifier: MIT */
#include "cap/badge.h"
#include "cap/cspace.h"
#include "cap/object.h"
#include "cap/pending.h"
#include "cap/untyped.h"
#include "kernel.h"
#include "mem/vspace.h"
#include "syscall/syscall.h"

/* Source and destination of a copy, mint or move. */
struct NODISCARD two_slots {
    struct slot *dst, *src;
    enum kozo_err err;
};

static struct two_slots two_slots(struct tcb *t, const struct frame *f, kozo_rights need)
{
    struct slot_res src, dst;

    pending_steps(1);
    src = cspace_occupied(&t->cspace, frame_arg(f, 2), frame_arg(f, 3), need);
    if (src.err != KOZO_OK)
        return (struct two_slots){ .err = src.err };
    dst = cspace_empty(&t->cspace, frame_arg(f, 0), frame_arg(f, 1));
    return (struct two_slots){ dst.slot, src.slot, dst.err };
}

enum kozo_err sys_cap_copy(struct tcb *t, const struct frame *f)
{
    uint64_t rights = frame_arg(f, 4);
    struct two_slots s = two_slots(t, f, KOZO_READ);

    TRY(s.err);
    REQUIRE(rights <= KOZO_SAME_RIGHTS, KOZO_ERR_ARGUMENT);
    REQUIRE(!kind_is_unique(s.src->cap.kind), KOZO_ERR_UNIQUE);
    /* ---- commit ---- */
    slot_derive(s.dst, s.src, (kozo_rights)rights, (uint8_t)(rights >> 8));
    return KOZO_OK;
}

enum kozo_err sys_cap_mint(struct tcb *t, const struct frame *f)
{
    uint64_t rights = frame_arg(f, 4) & ~KOZO_MINT_FRESH, badge = frame_arg(f, 5);
    bool fresh = (frame_arg(f, 4) & KOZO_MINT_FRESH) != 0;
    struct two_slots s = two_slots(t, f, KOZO_READ);

    TRY(s.err);
    REQUIRE(rights <= KOZO_SAME_RIGHTS, KOZO_ERR_ARGUMENT);
    REQUIRE(kind_has_badge(s.src->cap.kind), KOZO_ERR_KIND);
    REQUIRE((s.src->cap.flags & CAP_BADGED) == 0, KOZO_ERR_BADGED);
    /* ---- commit ---- */
    if (fresh)
        badge = badge_fresh();
    slot_mint(s.dst, s.src, (kozo_rights)rights, (uint8_t)(rights >> 8), badge);
    return sys_result(t, badge, 0, 0);
}

enum kozo_err sys_cap_move(struct tcb *t, const struct frame *f)
{
    struct two_slots s = two_slots(t, f, KOZO_WRITE);

    TRY(s.err);
    /* ---- commit ---- */
    slot_move(s.dst, s.src);
    return KOZO_OK;
}

/*
 * What the delete or revoke of that number left; with 0, what is under way now. Preemptible. The
 * register is not the user's while it goes on.
 */
enum kozo_err sys_finish(struct tcb *t, const struct frame *f)
{
    uint64_t number = frame_arg(f, 0);
    uint32_t left = PENDING_BATCH;

    if (!pending_finish(number != 0 ? number : kernel.pending.number, &left))
        return CALL_FINISHES;
    return number != 0 ? sys_result(t, 0, frame_arg(f, 1), frame_arg(f, 2)) : KOZO_OK;
}

[[gnu::always_inline]] static inline enum kozo_err begin(struct tcb *t, const struct frame *f,
                                                         bool revokes)
{
    struct slot_res r = cspace_occupied(&t->cspace, frame_arg(f, 0), frame_arg(f, 1), KOZO_WRITE);

    TRY(r.err);
    /* ---- commit ---- */
    kernel.pending.number++;
    if (revokes)
        pending_revoke(r.slot);
    else
        slot_delete(r.slot);
    return KOZO_OK;
}

enum kozo_err cap_destroy(struct tcb *t, const struct frame *f, bool revokes)
{
    TRY(begin(t, f, revokes));
    return pending_busy() ? CALL_FINISHES : KOZO_OK;
}

/*
 * What was begun and asked for before comes first; what this begins is finished before it returns.
 */
[[gnu::always_inline]] static inline enum kozo_err destroy(struct tcb *t, const struct frame *f,
                                                           bool revokes)
{
    uint32_t left = PENDING_BATCH;

    if (!pending_turn(t, &left))
        return CALL_ASKS;
    TRY(begin(t, f, revokes));
    return pending_finish(kernel.pending.number, &left) ? KOZO_OK : CALL_FINISHES;
}

/* O(1), and what the object's end takes: preemptible. */
enum kozo_err sys_cap_delete(struct tcb *t, const struct frame *f) { return destroy(t, f, false); }

/* O(what was derived): preemptible. */
enum kozo_err sys_cap_revoke(struct tcb *t, const struct frame *f) { return destroy(t, f, true); }

uint64_t cap_describe(const struct slot *s)
{
    const struct cap *c = &s->cap;
    bool mapped = c->kind == KOZO_KIND_FRAME && vspace_is_mapped(s);

    return (uint64_t)c->kind | (uint64_t)c->rights << 8 | (uint64_t)c->user_rights << 16 |
           (uint64_t)(c->kind == KOZO_KIND_PAGE_TABLE ? 0 : c->size_bits) << 24 |
           (c->flags & CAP_BADGED ? KOZO_VERIFY_BADGED : 0) |
           (c->flags & CAP_DEVICE ? KOZO_VERIFY_DEVICE : 0) | (mapped ? KOZO_VERIFY_MAPPED : 0);
}

/* An empty slot is an answer (Null), not an error. */
enum kozo_err sys_cap_verify(struct tcb *t, const struct frame *f)
{
    struct slot_res r = cspace_slot(&t->cspace, frame_arg(f, 0), frame_arg(f, 1), KOZO_READ),
                    other = { .slot = nullptr };
    uint64_t what;

    TRY(r.err);
    if (frame_arg(f, 3) != 0)
        other = cspace_slot(&t->cspace, frame_arg(f, 2), frame_arg(f, 3), KOZO_READ);
    TRY(other.err);
    /* ---- commit ---- */
    what = cap_describe(r.slot);
    if (other.slot != nullptr && cap_same_object(&r.slot->cap, &other.slot->cap))
        what |= KOZO_VERIFY_SAME;
    return sys_result(t, what, kind_has_badge(r.slot->cap.kind) ? r.slot->cap.a : 0, 0);
}

/* Clearing is preemptible; making the objects is O(count). */
enum kozo_err sys_retype(struct tcb *t, const struct frame *f)
{
    struct slot_res u, dst;
    struct untyped_plan_res r;

    pending_steps(min_u64(frame_arg(f, 4), KOZO_RETYPE_MAX));
    u = cspace_want(&t->cspace, frame_arg(f, 0), KOZO_KIND_UNTYPED, KOZO_WRITE);
    TRY(u.err);
    r = untyped_plan(u.slot, frame_arg(f, 1), frame_arg(f, 4));
    TRY(r.err);
    dst = cspace_empty_range(&t->cspace, frame_arg(f, 2), frame_arg(f, 3), r.plan.count);
    TRY(dst.err);
    /* ---- commit ---- */
    if (r.plan.kind != KOZO_KIND_UNTYPED && (u.slot->cap.flags & CAP_DEVICE) == 0 &&
        !untyped_clear(u.slot, r.plan.end))
        return CALL_AGAIN;
    untyped_carve(u.slot, &r.plan, dst.slot);
    return KOZO_OK;
}

/* Preemptible. */
enum kozo_err sys_untyped_clear(struct tcb *t, const struct frame *f)
{
    struct slot_res u = cspace_want(&t->cspace, frame_arg(f, 0), KOZO_KIND_UNTYPED, KOZO_WRITE);
    uint64_t bytes = frame_arg(f, 1), end;

    TRY(u.err);
    REQUIRE((u.slot->cap.flags & CAP_DEVICE) == 0, KOZO_ERR_ARGUMENT);
    /* ---- commit ---- */
    end = untyped_end(u.slot);
    if (bytes < end - u.slot->cap.a)
        end = align_up(u.slot->cap.a + bytes, KOZO_SLOT_BYTES);
    return untyped_clear(u.slot, end) ? KOZO_OK : CALL_AGAIN;
}

enum kozo_err sys_untyped_info(struct tcb *t, const struct frame *f)
{
    struct slot_res u = cspace_want(&t->cspace, frame_arg(f, 0), KOZO_KIND_UNTYPED, KOZO_WRITE);
    const struct cap *c;

    TRY(u.err);
    /* ---- commit ---- */
    c = &u.slot->cap;
    return sys_result(t, 1ull << c->size_bits, untyped_end(u.slot) - c->a,
                      max_u64(c->a, c->b) - c->a);
}
