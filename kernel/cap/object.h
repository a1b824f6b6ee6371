/* SPDX-License-Identifier: MIT */
/*
 * object.h - filling and emptying slots, and what that means for the object named.
 *
 * Owns:      the table of what each kind does when capabilities to it are copied, moved and
 *            deleted.
 * Not here:  the objects' own rooms (sched/, ipc/, mem/, irq/); deleting subtrees (pending.h).
 * Callers:   cap/, syscall/, ipc/message, boot. Kernel lock held.
 * Cost:      O(1).
 * Spec:      docs/spec/capabilities.md; I1, I2, I4.
 */
#pragma once

#include "cap/cdt.h"

/* May a second capability to the same object be made? Others are moved, or split. */
static inline bool kind_is_unique(enum kozo_kind kind)
{
    return kind == KOZO_KIND_UNTYPED || kind == KOZO_KIND_THREAD_POOL ||
           kind == KOZO_KIND_IRQ_CONTROL || kind == KOZO_KIND_REPLY ||
           kind == KOZO_KIND_PAGE_TABLE || kind == KOZO_KIND_ZOMBIE;
}
static inline bool kind_has_badge(enum kozo_kind kind)
{
    return kind == KOZO_KIND_ENDPOINT || kind == KOZO_KIND_NOTIFICATION;
}
/*
 * Of a unique kind there is no other: an Untyped begins where its first part does, and ends there,
 * too, if that takes all of it.
 */
static inline bool cap_same_object(const struct cap *a, const struct cap *b)
{
    return a->kind != KOZO_KIND_NULL && a->kind == b->kind && a->object == b->object &&
           (a == b || !kind_is_unique(a->kind));
}

/* An event about the capability in `s`. */
void slot_trace(enum kozo_trace what, const struct slot *s);
/* Put `cap` into the empty `dst`, a child of `parent`. */
void slot_fill(struct slot *dst, struct slot *parent, struct cap cap);
/* Derive from `src`: at most `rights` and `user`. The kind is not unique. */
void slot_derive(struct slot *dst, struct slot *src, kozo_rights rights, uint8_t user);
/* The same, and set the badge of an Endpoint or Notification that has none. */
void slot_mint(struct slot *dst, struct slot *src, kozo_rights rights, uint8_t user,
               uint64_t badge);
/* Move a capability into an empty slot; what points at it follows. */
void slot_move(struct slot *dst, struct slot *src);
/*
 * Empty a slot. If it held the last capability to an object, the object ends, or becomes a zombie.
 */
void slot_delete(struct slot *s);
/* The same for a descendant of the revoke's root. */
void slot_revoke(struct slot *s);
/* Unlink a slot whose object has been dealt with, and forget its capability. */
void slot_clear(struct slot *s);
/*
 * What the rooms above do for their kinds. An *_end is called for the last capability to an object;
 * it returns the slot in the object that the capability moves to because there is more to do than
 * one step, or null when it has ended.
 */
struct slot *endpoint_end(void *object);   /* ipc/endpoint.c */
struct slot *notification_end(void *object); /* ipc/notification.c */
void thread_end(void *object);             /* ipc/wait.c */
void thread_stopped_step(struct tcb *t);    /* ipc/wait.c: drops the caller it owes */
/*
 * The delete or revoke that `t` was about to make again, at `ip`, is made for it; syscall/syscall.c.
 */
void call_asked_for(struct tcb *t, uint64_t ip);
void reply_end(struct slot *s);            /* ipc/reply.c: wakes the caller, and empties the slot */
void reply_moved(struct slot *to);
void space_begin(struct slot *s);          /* mem/vspace.c */
void space_end(struct slot *s);
void frame_end(struct slot *s);            /* every Frame capability, not only the last */
void table_end(struct slot *s);
void table_moved(struct slot *to);
void irq_end(uint32_t line);               /* irq/irq.c */
/* One step of what is left; false when that was all. */
bool endpoint_step(struct slot *grave);
bool notification_step(struct slot *grave);
/* A slot of a thread, or of an interrupt line, was emptied: its owner forgets what it cached. */
void thread_binding_lost(struct slot *s);  /* sched/tcb.c */
void irq_binding_lost(struct slot *s);     /* irq/irq.c */
/* A stopped thread of pool `pool`; there is one. */
void *thread_take(uint32_t pool, uint8_t flags, uint8_t priority);

/*
 * A slot of a thread or an interrupt line (CAP_BINDING, CAP_IRQ in `own`) was emptied: its owner
 * forgets it.
 */
void slot_owner_lost(struct slot *s, uint16_t own);
