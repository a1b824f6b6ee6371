/* SPDX-License-Identifier: MIT */
/*
 * pending.h - destruction that takes more than one step, and belongs to the kernel.
 *
 * At most one revoke is under way; objects half destroyed are zombies, in a list. One step empties
 * one slot, wakes one waiter, deletes one descendant, stops one thread whose fault handler
 * stopped, or begins what a thread asked for that was preempted: O(1), never a recursion.
 *
 * Owns:      the revoke under way, the lists of zombies and of stopped handlers, the queue of those
 *            who wait for their turn to destroy.
 * Not here:  what deletion means for a kind (object.h).
 * Callers:   syscall/, the idle loop.
 * Cost:      O(1) a step; pending_turn and pending_finish are preemptible every PENDING_BATCH steps.
 * Spec:      docs/spec/capabilities.md; I4.
 */
#pragma once

#include "cap/slot.h"

#define PENDING_BATCH 16u

struct pending {
    struct slot *revoke;  /* what lies below it is being deleted; null = none */
    struct slot anchor;   /* takes the place of `revoke` when that is deleted first */
    struct slot *zombies; /* linked through their capabilities */
    uint64_t zombie_count;
    uint64_t steps; /* made since the boot */
    /* threads that stopped while they owed a faulted one; linked by level_next */
    struct tcb *stopped;
    struct tcb *asker, *last_asker; /* whose turn it is next, and last; linked by asks.next */
    uint64_t number; /* of the delete or revoke begun last, from 1 on */
};

/*
 * The last capability `s` to an object that needs more than one step moves into the object's own
 * slot `grave`.
 */
void pending_bury(struct slot *s, struct slot *grave);
/* Begin to delete what was derived from `s`; nothing may be pending. */
void pending_revoke(struct slot *s);
/*
 * A slot is about to be deleted, or has moved: keep the revoke's root right. True when the root
 * itself went into the anchor, so that the slot is empty already.
 */
NODISCARD bool pending_slot_going(struct slot *s);
void pending_slot_moved(struct slot *to, struct slot *from);
/* Something has been begun, and is not finished. */
NODISCARD bool pending_busy(void);
/* The same, or somebody waits for its turn. */
NODISCARD bool pending_any(void);
/* One step; false when there was nothing to do. */
bool pending_step(void);
/* At most `n` steps: what a call that fills n slots does first. */
void pending_steps(uint64_t n);
/*
 * Finish what others began or asked for before `t`, which is about to delete or revoke; false when
 * that was preempted. `left`: the steps before it is time to look whether an interrupt waits;
 * PENDING_BATCH where a call begins, and then for the whole of it.
 */
NODISCARD bool pending_turn(struct tcb *t, uint32_t *left);
/* Finish what the delete or revoke of this number left; false when that was preempted. */
NODISCARD bool pending_finish(uint64_t number, uint32_t *left);
/*
 * `t` is about to make its delete or revoke again: unless it comes to that first, the call is made
 * for it when its turn has come.
 */
void pending_ask(struct tcb *t);
/* Its turn has come, or never will. */
void pending_forget(struct tcb *t);
