/* SPDX-License-Identifier: MIT */
/*
 * wait.c - ending the wait of a thread, whatever it waits for; and ending threads.
 *
 * Owns:      the way out of every blocked state that is not the way it hoped for.
 * Spec:      docs/spec/threads.md; I5.
 */
#include "base/log.h"
#include "cap/object.h"
#include "ipc/endpoint.h"
#include "ipc/fault.h"
#include "ipc/message.h"
#include "ipc/notification.h"
#include "ipc/reply.h"
#include "kernel.h"

/* The queue of an object that a blocked thread is in; null when it is in none. */
static struct queue *queue_of(struct tcb *t)
{
    switch (t->state) {
    case TCB_SENDING:
        return &t->waits_for.endpoint->senders;
    case TCB_RECEIVING:
        return &t->waits_for.endpoint->receivers;
    case TCB_WAITING:
        return t->waits_for.notification != nullptr ? &t->waits_for.notification->waiters : nullptr;
    default:
        return nullptr;
    }
}

void tcb_unblock(struct tcb *t)
{
    struct queue *q = queue_of(t);

    if (q != nullptr)
        queue_remove(q, t);
    if (t->state == TCB_CALLING)
        reply_cut(t);
    t->waits_for.endpoint = nullptr;
    timer_remove(t);
}

/* Write the result of a call that ended while it waited. */
static void fail_call(struct tcb *t, enum kozo_err err)
{
    if (t->state == TCB_WAITING)
        frame_set_results(&t->frame, 0, frame_info(&t->frame), 0);
    else
        message_fail(t, err);
    frame_set_error(&t->frame, err);
}

static bool is_faulting(const struct tcb *t)
{
    return (t->state == TCB_SENDING || t->state == TCB_CALLING) && t->message == MSG_FAULT;
}

void tcb_wake_error(struct tcb *t, enum kozo_err err)
{
    kassert(tcb_is_blocked(t));
    if (is_faulting(t)) {
        tcb_unblock(t);
        fault_stop(t, "its fault handler is gone");
        return;
    }
    fail_call(t, err);
    tcb_unblock(t);
    sched_wake(t);
}

/*
 * A thread whose handler stops is stopped, and may itself be a handler: one of them a step, however
 * long the chain.
 */
void tcb_drop_caller(struct tcb *t)
{
    struct tcb **head = &kernel.pending.stopped;

    if (t->owes == nullptr || !is_faulting(t->owes)) {
        reply_drop(t, KOZO_ERR_GONE);
        return;
    }
    kassert(!t->dropping);
    t->dropping = true;
    t->level_prev = nullptr;
    t->level_next = *head;
    if (*head != nullptr)
        (*head)->level_prev = t;
    *head = t;
}

/* It is resumed or ended before its turn came. */
static void forget_dropping(struct tcb *t)
{
    if (!t->dropping)
        return;
    if (t->level_prev != nullptr)
        t->level_prev->level_next = t->level_next;
    else
        kernel.pending.stopped = t->level_next;
    if (t->level_next != nullptr)
        t->level_next->level_prev = t->level_prev;
    t->level_next = t->level_prev = nullptr;
    t->dropping = false;
}

void thread_stopped_step(struct tcb *t)
{
    forget_dropping(t);
    reply_drop(t, KOZO_ERR_GONE);
}

void tcb_suspend(struct tcb *t, enum kozo_err err)
{
    if (tcb_is_blocked(t)) {
        bool faulting = is_faulting(t);

        if (!faulting)
            fail_call(t, err);
        tcb_unblock(t);
        t->state = faulting ? TCB_FAULTED : TCB_STOPPED;
    } else if (t->state == TCB_READY) {
        sched_remove(t);
        t->state = TCB_STOPPED;
    } else {
        return;
    }
    tcb_trace(KOZO_TRACE_STOPPED, t);
}

void tcb_set_priority(struct tcb *t, uint8_t priority, uint8_t ceiling)
{
    struct queue *q = queue_of(t);

    t->ceiling = ceiling;
    if (q == nullptr) {
        sched_set_priority(t, priority);
        return;
    }
    queue_remove(q, t);
    t->priority = priority;
    queue_insert(q, t);
}

void tcb_resume(struct tcb *t)
{
    kassert(t->state == TCB_STOPPED || t->state == TCB_FAULTED);
    forget_dropping(t);
    t->fault = (struct fault){};
    t->slow &= (uint8_t)~TCB_SLOW_FAULT;
    t->started = true;
    sched_wake(t);
    tcb_trace(KOZO_TRACE_STARTED, t);
}

void tcb_destroy(struct tcb *t)
{
    struct pools *p = &kernel.pools;

    if (t == kernel.first)
        panic("the first program ended: its thread was deleted");
    tcb_suspend(t, KOZO_ERR_CANCELLED);
    t->state = TCB_STOPPED;
    forget_dropping(t);
    pending_forget(t);
    reply_drop(t, KOZO_ERR_GONE);
    if (t->bound != nullptr)
        ntfn_unbind(t->bound);
    for (uint32_t i = 0; i < TCB_BINDINGS; i++)
        slot_delete(&t->binding[i]);
    t->state = TCB_FREE;
    pool_return_thread(t->pool);
    t->next = p->tcb_free;
    p->tcb_free = t;
    p->tcb_count--;
}

void thread_end(void *object) { tcb_destroy(object); }
