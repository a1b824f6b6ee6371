/* SPDX-License-Identifier: MIT */
#include "ipc/reply.h"

#include "base/log.h"
#include "cap/object.h"
#include "ipc/fault.h"
#include "ipc/message.h"
#include "kernel.h"

void reply_owe(struct tcb *server, struct tcb *caller)
{
    kassert(server->owes == nullptr && caller->replier.server == nullptr &&
            caller->replier.slot == nullptr);
    caller->state = TCB_CALLING;
    caller->replier.server = server;
    server->owes = caller;
}

void reply_save(struct tcb *server, struct slot *slot)
{
    struct tcb *caller = server->owes;

    kassert(caller != nullptr);
    server->owes = nullptr;
    caller->replier.server = nullptr;
    caller->replier.slot = slot;
    slot_fill(
        slot, &kernel.root,
        (struct cap){ .kind = KOZO_KIND_REPLY, .rights = KOZO_WRITE, .object = (uint64_t)caller });
}

void reply_moved(struct slot *to) { ((struct tcb *)to->cap.object)->replier.slot = to; }

void reply_cut(struct tcb *caller)
{
    struct tcb *server = caller->replier.server;
    struct slot *slot = caller->replier.slot;

    caller->replier.server = nullptr;
    caller->replier.slot = nullptr;
    if (server != nullptr)
        server->owes = nullptr;
    if (slot != nullptr) {
        slot_trace(KOZO_TRACE_DROPPED, slot);
        slot_clear(slot);
    }
}

void reply_drop(struct tcb *server, enum kozo_err err)
{
    if (server->owes != nullptr)
        tcb_wake_error(server->owes, err);
}

void reply_end(struct slot *s) { tcb_wake_error((struct tcb *)s->cap.object, KOZO_ERR_DROPPED); }

void reply_send(struct tcb *from, struct tcb *caller)
{
    uint64_t info;

    kassert(caller->state == TCB_CALLING);
    if (caller->message == MSG_FAULT) {
        fault_reply(from, caller);
        return;
    }
    reply_cut(caller);
    timer_remove(caller);
    info = message_move(from, caller, caller->rights);
    frame_set_badge_info(&caller->frame, 0, info);
    frame_set_error(&caller->frame, KOZO_OK);
    sched_handoff(caller);
}
