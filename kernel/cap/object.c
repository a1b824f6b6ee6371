/* SPDX-License-Identifier: MIT */
#include "cap/object.h"

#include "base/log.h"
#include "cap/untyped.h"
#include "kernel.h"

static void record(enum kozo_trace what, const struct cap *c)
{
    trace_record((struct kozo_event){
        .what = what,
        .kind = c->kind,
        .rights = c->rights,
        .object = trace_identity(c->kind, c->object),
        .badge = kind_has_badge(c->kind) ? c->a : 0,
    });
}

void slot_trace(enum kozo_trace what, const struct slot *s)
{
    if (kernel.trace.mask != 0) [[clang::unlikely]]
        record(what, &s->cap);
}

void slot_fill(struct slot *dst, struct slot *parent, struct cap cap)
{
    kassert(slot_is_null(dst) && cap.kind != KOZO_KIND_NULL);
    dst->cap = cap;
    cdt_insert_child(parent, dst);
    kernel.caps++;
    if ((cap.flags & CAP_CONSOLE) != 0) [[clang::unlikely]]
        kernel.log.drivers++;
    slot_trace(KOZO_TRACE_DERIVED, dst);
}

/* What a copy of `src` says at most. */
static struct cap derived_cap(const struct cap *src, kozo_rights rights, uint8_t user)
{
    struct cap cap = *src;

    kassert(!kind_is_unique(cap.kind));
    cap.rights &= rights;
    cap.user_rights &= user;
    cap.flags &= CAP_BADGED | CAP_DEVICE | CAP_CONSOLE;
    if (cap.kind == KOZO_KIND_FRAME)
        cap.a = cap.b = cap.aux = 0; /* a copy is mapped nowhere */
    return cap;
}

void slot_derive(struct slot *dst, struct slot *src, kozo_rights rights, uint8_t user)
{
    slot_fill(dst, src, derived_cap(&src->cap, rights, user));
}

void slot_mint(struct slot *dst, struct slot *src, kozo_rights rights, uint8_t user, uint64_t badge)
{
    struct cap cap = derived_cap(&src->cap, rights, user);

    kassert(kind_has_badge(cap.kind) && (cap.flags & CAP_BADGED) == 0);
    cap.a = badge;
    cap.flags |= CAP_BADGED;
    slot_fill(dst, src, cap);
}

void slot_move(struct slot *dst, struct slot *src)
{
    kassert(slot_is_null(dst) && !slot_is_null(src));
    dst->cap = src->cap;
    cdt_move(dst, src);
    src->cap = (struct cap){};
    if (dst->cap.kind == KOZO_KIND_REPLY)
        reply_moved(dst);
    if (dst->cap.kind == KOZO_KIND_PAGE_TABLE)
        table_moved(dst);
    pending_slot_moved(dst, src);
    slot_trace(KOZO_TRACE_MOVED, dst);
}

void slot_owner_lost(struct slot *s, uint16_t own)
{
    if (own & CAP_BINDING)
        thread_binding_lost(s);
    if (own & CAP_IRQ)
        irq_binding_lost(s);
}

void slot_clear(struct slot *s)
{
    struct entry before = s->open_prev;
    uint16_t flags = s->cap.flags;

    cdt_unlink(s);
    s->cap = (struct cap){};
    kernel.caps--;
    if ((flags & CAP_CONSOLE) != 0) [[clang::unlikely]]
        kernel.log.drivers--;
    if (!cdt_is_close(before))
        untyped_child_gone(cdt_slot(before));
    slot_owner_lost(s, flags);
}

/* The last capability to an object goes; returns as an *_end does. */
static struct slot *object_end(struct slot *s)
{
    void *object = (void *)s->cap.object;

    switch (s->cap.kind) {
    case KOZO_KIND_UNTYPED:
        untyped_end_of(s);
        return nullptr;
    case KOZO_KIND_CNODE:
        return object; /* slot 0 is the kernel's own */
    case KOZO_KIND_ENDPOINT:
        return endpoint_end(object);
    case KOZO_KIND_NOTIFICATION:
        return notification_end(object);
    case KOZO_KIND_THREAD:
        thread_end(object);
        return nullptr;
    case KOZO_KIND_THREAD_POOL:
        return &kernel.pools.pool[s->cap.object].grave;
    case KOZO_KIND_ADDRESS_SPACE:
        space_end(s);
        return nullptr;
    case KOZO_KIND_IRQ_HANDLER:
        irq_end((uint32_t)s->cap.object);
        return nullptr;
    default:
        return nullptr;
    }
}

/* reply_cut tells of a Reply's end, however it ends; of the anchor its user's slot has told. */
static void trace_end(enum kozo_trace why, const struct slot *s)
{
    if (s->cap.kind != KOZO_KIND_REPLY && s != &kernel.pending.anchor)
        record(why, &s->cap);
}

static void empty(struct slot *s, enum kozo_trace why)
{
    struct slot *grave;

    if (slot_is_null(s))
        return;
    kassert(s->cap.kind != KOZO_KIND_ZOMBIE);
    if (kernel.trace.mask != 0) [[clang::unlikely]]
        trace_end(why, s);
    if (pending_slot_going(s))
        return;
    if (s->cap.kind == KOZO_KIND_FRAME)
        frame_end(s);
    if (s->cap.kind == KOZO_KIND_PAGE_TABLE)
        table_end(s);
    if (s->cap.kind == KOZO_KIND_REPLY) {
        reply_end(s);
        return;
    }
    grave = kind_is_unique(s->cap.kind) || cdt_is_last(s) ? object_end(s) : nullptr;
    if (grave != nullptr)
        pending_bury(s, grave);
    else
        slot_clear(s);
}

void slot_delete(struct slot *s) { empty(s, KOZO_TRACE_DROPPED); }

void slot_revoke(struct slot *s) { empty(s, KOZO_TRACE_REVOKED); }
