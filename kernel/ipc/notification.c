/* SPDX-License-Identifier: MIT */
#include "ipc/notification.h"

#include "base/log.h"
#include "cap/object.h"
#include "ipc/message.h"
#include "sched/sched.h"
#include "sched/timer.h"

uint64_t ntfn_take(struct notification *n)
{
    uint64_t bits = n->bits;

    n->bits = 0;
    return bits;
}

/* The bound thread waits for a message: the bits end its wait. */
static void deliver_bound(struct notification *n)
{
    struct tcb *t = n->bound;
    uint64_t info = KOZO_INFO_NOTIFICATION | message_take_notice(t);

    tcb_unblock(t);
    message_fail(t, KOZO_OK); /* no words come with the bits */
    frame_set_badge_info(&t->frame, ntfn_take(n), info);
    sched_wake(t);
}

void ntfn_signal(struct notification *n, uint64_t bits)
{
    struct tcb *t;

    n->bits |= bits;
    if (n->bits == 0)
        return;
    t = queue_pop(&n->waiters);
    if (t != nullptr) {
        timer_remove(t);
        t->waits_for.notification = nullptr;
        frame_set_results(&t->frame, ntfn_take(n), 0, 0);
        frame_set_error(&t->frame, KOZO_OK);
        sched_wake(t);
    } else if (n->bound != nullptr && n->bound->state == TCB_RECEIVING) {
        deliver_bound(n);
    }
}

/* With null: sleep until the deadline. */
void ntfn_wait(struct tcb *t, struct notification *n)
{
    bool timed = (frame_info(&t->frame) & KOZO_INFO_DEADLINE) != 0;

    if (n != nullptr && n->bits != 0) {
        frame_set_results(&t->frame, ntfn_take(n), 0, 0);
        frame_set_error(&t->frame, KOZO_OK);
        return;
    }
    if (timed && frame_deadline(&t->frame) <= arch_now()) {
        frame_set_results(&t->frame, 0, 0, 0);
        frame_set_error(&t->frame, KOZO_ERR_TIMEOUT);
        return;
    }
    sched_remove(t);
    t->state = TCB_WAITING;
    t->waits_for.notification = n;
    if (n != nullptr)
        queue_insert(&n->waiters, t);
    if (timed)
        timer_add(t, frame_deadline(&t->frame));
}

void ntfn_bind(struct notification *n, struct tcb *t)
{
    kassert(n->bound == nullptr && t->bound == nullptr);
    n->bound = t;
    t->bound = n;
    t->slow |= TCB_SLOW_NTFN;
    if (n->bits != 0 && t->state == TCB_RECEIVING)
        deliver_bound(n);
}

void ntfn_unbind(struct notification *n)
{
    if (n->bound == nullptr)
        return;
    n->bound->slow &= (uint8_t)~TCB_SLOW_NTFN;
    n->bound->bound = nullptr;
    n->bound = nullptr;
}

struct slot *notification_end(void *object)
{
    struct notification *n = object;

    ntfn_unbind(n);
    return queue_is_empty(&n->waiters) ? nullptr : &n->grave;
}

bool notification_step(struct slot *grave)
{
    struct notification *n = container_of(grave, struct notification, grave);

    if (queue_is_empty(&n->waiters))
        return false;
    tcb_wake_error(n->waiters.head, KOZO_ERR_GONE);
    return true;
}
