/* SPDX-License-Identifier: MIT */
#include "ipc/endpoint.h"

#include "base/log.h"
#include "cap/object.h"
#include "ipc/fault.h"
#include "ipc/message.h"
#include "ipc/notification.h"
#include "ipc/reply.h"
#include "sched/sched.h"
#include "sched/timer.h"

/* Queue `t` on `q`, until the deadline it named; if that has passed already the call ends. */
static void wait_in(struct tcb *t, struct endpoint *ep, struct queue *q, enum tcb_state state)
{
    bool timed = t->message != MSG_FAULT && (frame_info(&t->frame) & KOZO_INFO_DEADLINE) != 0;

    if (state == TCB_RECEIVING)
        timed = (frame_info(&t->frame) & KOZO_INFO_DEADLINE) != 0;
    if (timed && frame_deadline(&t->frame) <= arch_now()) {
        message_fail(t, KOZO_ERR_TIMEOUT);
        return;
    }
    if (t->state == TCB_READY)
        sched_remove(t);
    t->state = state;
    t->waits_for.endpoint = ep;
    queue_insert(q, t);
    if (timed)
        timer_add(t, frame_deadline(&t->frame));
}

/* `from` has been met by `to`: hand over the message, then see who goes on. */
static void deliver(struct tcb *from, struct tcb *to)
{
    uint64_t info =
        from->message == MSG_FAULT ? fault_message(from, to) : message_move(from, to, from->rights);

    info |= (uint64_t)from->user_rights << KOZO_INFO_USER_SHIFT | message_take_notice(to);
    frame_set_badge_info(&to->frame, from->badge, info);
    frame_set_error(&to->frame, KOZO_OK);
    if (from->message == MSG_SEND) {
        frame_set_badge_info(&from->frame, 0, info & KOZO_INFO_CAPS_MASK);
        frame_set_error(&from->frame, KOZO_OK);
    } else {
        reply_owe(to, from);
    }
}

void endpoint_send(struct tcb *t, struct endpoint *ep)
{
    struct tcb *receiver = queue_pop(&ep->receivers);

    if (receiver == nullptr) {
        wait_in(t, ep, &ep->senders, TCB_SENDING);
        return;
    }
    timer_remove(receiver);
    receiver->waits_for.endpoint = nullptr;
    if (t->message != MSG_SEND) {
        if (t->state == TCB_READY)
            sched_remove(t);
        if (t->message == MSG_CALL && (frame_info(&t->frame) & KOZO_INFO_DEADLINE) != 0)
            timer_add(t, frame_deadline(&t->frame));
    }
    deliver(t, receiver);
    sched_handoff(receiver);
}

void endpoint_recv(struct tcb *t, struct endpoint *ep)
{
    static const uint64_t nothing[KOZO_MSG_REGS];
    struct tcb *sender;

    if (t->bound != nullptr && t->bound->bits != 0) {
        frame_set_badge_info(&t->frame, ntfn_take(t->bound),
                             KOZO_INFO_NOTIFICATION | message_take_notice(t));
        frame_set_words(&t->frame, nothing);
        frame_set_error(&t->frame, KOZO_OK);
        return;
    }
    sender = queue_pop(&ep->senders);
    if (sender == nullptr) {
        wait_in(t, ep, &ep->receivers, TCB_RECEIVING);
        return;
    }
    sender->waits_for.endpoint = nullptr;
    if (sender->message == MSG_SEND)
        timer_remove(sender);
    deliver(sender, t);
    if (sender->message == MSG_SEND)
        sched_wake(sender);
}

struct slot *endpoint_end(void *object)
{
    struct endpoint *ep = object;

    return queue_is_empty(&ep->senders) && queue_is_empty(&ep->receivers) ? nullptr : &ep->grave;
}

bool endpoint_step(struct slot *grave)
{
    struct endpoint *ep = container_of(grave, struct endpoint, grave);
    struct tcb *t = ep->senders.head != nullptr ? ep->senders.head : ep->receivers.head;

    if (t == nullptr)
        return false;
    tcb_wake_error(t, KOZO_ERR_GONE);
    return true;
}
