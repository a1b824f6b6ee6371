/* SPDX-License-Identifier: MIT */
#include "ipc/fault.h"

#include "base/log.h"
#include "ipc/endpoint.h"
#include "ipc/reply.h"
#include "kernel.h"

static void set_pending(struct tcb *t, const struct fault *f)
{
    t->fault = *f;
    t->message = MSG_FAULT;
    t->slow |= TCB_SLOW_FAULT;
}

void fault_tell_left_out(uint64_t now)
{
    if (now >= klog_due())
        klog_tell_left_out();
    else
        timer_arm_by(klog_due());
}

/* The line for a thread that stops, if its service has not had its share of this second. */
static void tell_stop(const struct tcb *t, const char *why)
{
    const struct fault *f = &t->fault;
    const struct tcb_name name = tcb_name(t);

    if (klog_may_tell(pool_service(t->pool), t->serial, name.text))
        klog("thread %lu (%s) stopped: %s at %lx, address %lx, code %lx; %s", t->serial, name.text,
             name_of_fault(f->kind), frame_ip(&t->frame), f->address, f->code, why);
    else
        timer_arm_by(klog_due());
}

void fault_stop(struct tcb *t, const char *why)
{
    const struct fault *f = &t->fault;

    if (t->state == TCB_READY)
        sched_remove(t);
    t->state = TCB_FAULTED;
    tcb_trace(KOZO_TRACE_STOPPED, t);
    if (f->kind != KOZO_FAULT_EXIT)
        tell_stop(t, why);
    if (t == kernel.first && f->kind == KOZO_FAULT_EXIT)
        panic("the first program ended with code %lu", f->address);
    if (t == kernel.first)
        panic("the first program stopped: %s at %lx, address %lx", name_of_fault(f->kind),
              frame_ip(&t->frame), f->address);
    tcb_drop_caller(t);
}

static void tell_handler(struct tcb *t)
{
    const struct cap *handler = &t->binding[TCB_FAULT].cap;

    if (handler->kind != KOZO_KIND_ENDPOINT) {
        fault_stop(t, "it has no fault handler");
        return;
    }
    t->badge = handler->a;
    t->user_rights = handler->user_rights;
    t->rights = 0;
    endpoint_send(t, (struct endpoint *)handler->object);
}

/* Who owes a faulted thread an answer pays for the step that stopping that one takes. */
void fault_raise(struct tcb *t, const struct fault *f)
{
    bool answers = t->owes != nullptr && t->owes->message == MSG_FAULT;

    set_pending(t, f);
    tell_handler(t);
    if (answers)
        pending_steps(1);
}

void fault_syscall(struct tcb *t, uint64_t number)
{
    const struct fault f = { .kind = KOZO_FAULT_SYSCALL,
                             .access = (uint32_t)number,
                             .address = number };

    fault_raise(t, &f);
}

uint64_t fault_message(struct tcb *from, struct tcb *to)
{
    const struct fault *f = &from->fault;
    const uint64_t words[KOZO_MSG_REGS] = { f->kind,
                                            f->address,
                                            frame_ip(&from->frame),
                                            frame_sp(&from->frame),
                                            frame_flags(&from->frame),
                                            f->code,
                                            f->access,
                                            from->serial };

    frame_set_words(&to->frame, words);
    if (to->buffer == nullptr)
        return KOZO_INFO_FAULT | KOZO_INFO_DROPPED;
    frame_get_regs(&from->frame, to->buffer->word);
    to->buffer->word[KOZO_REG_FS_BASE] = from->fs_base;
    return KOZO_INFO_FAULT | KOZO_REG_COUNT;
}

/* Load the registers that the handler's message holds. */
static void load_registers(const struct tcb *handler, struct tcb *t)
{
    uint64_t words[KOZO_MSG_REGS], regs[KOZO_REG_FS_BASE];
    uint32_t n = (uint32_t)(frame_info(&handler->frame) & KOZO_INFO_EXTRA_MASK);

    if (n > KOZO_REG_FS_BASE)
        n = KOZO_REG_FS_BASE;
    if (handler->buffer == nullptr)
        n = 0;
    for (uint32_t i = 0; i < n; i++)
        regs[i] = handler->buffer->word[i];
    frame_get_words(&handler->frame, words);
    frame_load(&t->frame, words[2], words[3], words[4], regs, n);
}

void fault_reply(struct tcb *handler, struct tcb *t)
{
    uint64_t label = frame_info(&handler->frame) >> KOZO_INFO_LABEL_SHIFT;

    reply_cut(t);
    if (t->fault.kind == KOZO_FAULT_EXIT || label > KOZO_FAULT_LOAD) {
        fault_stop(t, "its handler let it stop");
        return;
    }
    if (label == KOZO_FAULT_LOAD)
        load_registers(handler, t);
    t->fault = (struct fault){};
    t->slow &= (uint8_t)~TCB_SLOW_FAULT;
    sched_handoff(t);
}
