/* SPDX-License-Identifier: MIT */
#include "cap/cspace.h"
#include "cap/pending.h"
#include "ipc/endpoint.h"
#include "ipc/message.h"
#include "ipc/notification.h"
#include "ipc/reply.h"
#include "sched/sched.h"
#include "syscall/syscall.h"

/*
 * Before slots are filled, as many steps of what is pending are made: for each capability of the
 * message that is sent, and with a receive window for all that may come with one that waits. They
 * may take away what `t` needs to run: then it makes the call again when it runs next, if ever.
 */
static enum kozo_err pay_for_caps(const struct tcb *t, uint64_t info)
{
    uint64_t sent = (info & KOZO_INFO_CAPS_MASK) >> KOZO_INFO_CAPS_SHIFT;

    if ((info & (KOZO_INFO_CAPS_MASK | KOZO_INFO_RECV_CAPS)) == 0)
        return KOZO_OK;
    pending_steps((info & KOZO_INFO_RECV_CAPS) != 0 ? sent + KOZO_MSG_CAPS : sent);
    return t->state == TCB_READY ? KOZO_OK : CALL_AGAIN;
}

/* What comes with the reply to a CALL is paid for by its sender; SEND and REPLY receive nothing. */
static enum kozo_err pay_to_send(const struct tcb *t, uint64_t info)
{
    return pay_for_caps(t, info & KOZO_INFO_CAPS_MASK);
}

/* The endpoint `at`, with the right in `need`. */
static struct slot_res want_endpoint(struct tcb *t, kozo_cptr at, kozo_rights need)
{
    return cspace_want(&t->cspace, at, KOZO_KIND_ENDPOINT, need);
}

/* The sender's side of SEND and CALL: check, then remember through which capability it speaks. */
static struct slot_res prepare_send(struct tcb *t, const struct frame *f)
{
    uint64_t info = frame_arg(f, 1);
    struct slot_res r;
    enum kozo_err err = pay_to_send(t, info);

    if (err != KOZO_OK)
        return slot_err(err);
    r = want_endpoint(t, frame_arg(f, 0), KOZO_WRITE);
    if (r.err != KOZO_OK)
        return r;
    err = message_check(t, info);
    if (err != KOZO_OK)
        return slot_err(err);
    if ((info & KOZO_INFO_CAPS_MASK) != 0 && (r.slot->cap.rights & KOZO_GRANT) == 0)
        return slot_err(KOZO_ERR_RIGHTS);
    return r;
}

static void speak_through(struct tcb *t, const struct cap *c, enum tcb_message message)
{
    t->message = message;
    t->badge = c->a;
    t->user_rights = c->user_rights;
    t->rights = c->rights;
}

enum kozo_err sys_call(struct tcb *t, const struct frame *f)
{
    struct slot_res r = prepare_send(t, f);

    TRY(r.err);
    if ((frame_arg(f, 1) & KOZO_INFO_DEADLINE) != 0 && frame_deadline(&t->frame) <= arch_now()) {
        message_fail(t, KOZO_ERR_TIMEOUT); /* a call that may not wait for its reply is not sent */
        return CALL_WAITS;
    }
    /* ---- commit ---- */
    speak_through(t, &r.slot->cap, MSG_CALL);
    endpoint_send(t, (struct endpoint *)r.slot->cap.object);
    return CALL_WAITS;
}

enum kozo_err sys_send(struct tcb *t, const struct frame *f)
{
    struct slot_res r = prepare_send(t, f);

    TRY(r.err);
    /* ---- commit ---- */
    speak_through(t, &r.slot->cap, MSG_SEND);
    endpoint_send(t, (struct endpoint *)r.slot->cap.object);
    return CALL_WAITS;
}

/* RECV's info word: flags alone. */
static enum kozo_err check_recv(const struct tcb *t, uint64_t info)
{
    REQUIRE((info & ~(uint64_t)KOZO_INFO_FLAGS_MASK) == 0, KOZO_ERR_ARGUMENT);
    return message_check(t, info);
}

/* A caller still owed an answer when the next message is asked for is dropped. */
enum kozo_err sys_recv(struct tcb *t, const struct frame *f)
{
    uint64_t info = frame_arg(f, 1);
    struct slot_res r;

    TRY(pay_for_caps(t, info & KOZO_INFO_RECV_CAPS));
    r = want_endpoint(t, frame_arg(f, 0), KOZO_READ);
    TRY(r.err);
    TRY(check_recv(t, info));
    /* ---- commit ---- */
    reply_drop(t, KOZO_ERR_DROPPED);
    endpoint_recv(t, (struct endpoint *)r.slot->cap.object);
    return CALL_WAITS;
}

enum kozo_err sys_reply_recv(struct tcb *t, const struct frame *f)
{
    uint64_t info = frame_arg(f, 1);
    struct slot_res r;
    struct endpoint *ep;

    TRY(pay_for_caps(t, info));
    r = want_endpoint(t, frame_arg(f, 0), KOZO_READ);
    TRY(r.err);
    TRY(message_check(t, info));
    /* ---- commit ---- */
    ep = (struct endpoint *)r.slot->cap.object; /* the reply may move the capability away */
    if (t->owes != nullptr)
        reply_send(t, t->owes);
    else
        t->slow |= TCB_SLOW_LOST;
    endpoint_recv(t, ep);
    return CALL_WAITS;
}

enum kozo_err sys_reply(struct tcb *t, const struct frame *f)
{
    uint64_t info = frame_arg(f, 1);
    struct tcb *caller;

    TRY(pay_to_send(t, info));
    caller = t->owes;
    if (frame_arg(f, 0) != 0) {
        struct slot_res r = cspace_want(&t->cspace, frame_arg(f, 0), KOZO_KIND_REPLY, KOZO_WRITE);

        TRY(r.err);
        caller = (struct tcb *)r.slot->cap.object;
    }
    TRY(message_check(t, info));
    REQUIRE(caller != nullptr, KOZO_ERR_NOREPLY);
    /* ---- commit ---- */
    reply_send(t, caller);
    frame_set_badge_info(&t->frame, 0, 0);
    return KOZO_OK;
}

enum kozo_err sys_reply_save(struct tcb *t, const struct frame *f)
{
    struct slot_res r;

    pending_steps(1);
    r = cspace_empty(&t->cspace, frame_arg(f, 0), frame_arg(f, 1));
    TRY(r.err);
    REQUIRE(t->owes != nullptr, KOZO_ERR_NOREPLY);
    /* ---- commit ---- */
    reply_save(t, r.slot);
    return KOZO_OK;
}

static struct slot_res want_ntfn(struct tcb *t, kozo_cptr at, kozo_rights need)
{
    return cspace_want(&t->cspace, at, KOZO_KIND_NOTIFICATION, need);
}

enum kozo_err sys_signal(struct tcb *t, const struct frame *f)
{
    struct slot_res r = want_ntfn(t, frame_arg(f, 0), KOZO_WRITE);

    TRY(r.err);
    /* ---- commit ---- */
    ntfn_signal((struct notification *)r.slot->cap.object,
                ntfn_allowed(&r.slot->cap, frame_arg(f, 1)));
    return KOZO_OK;
}

enum kozo_err sys_wait(struct tcb *t, const struct frame *f)
{
    struct notification *n = nullptr;
    uint64_t info = frame_arg(f, 1);

    if (frame_arg(f, 0) != 0) {
        struct slot_res r = want_ntfn(t, frame_arg(f, 0), KOZO_READ);

        TRY(r.err);
        n = (struct notification *)r.slot->cap.object;
    }
    REQUIRE((info & ~(uint64_t)KOZO_INFO_DEADLINE) == 0, KOZO_ERR_ARGUMENT);
    REQUIRE(n != nullptr || info != 0, KOZO_ERR_ARGUMENT); /* sleep has an end */
    /* ---- commit ---- */
    ntfn_wait(t, n);
    return CALL_WAITS;
}

enum kozo_err sys_poll(struct tcb *t, const struct frame *f)
{
    struct slot_res r = want_ntfn(t, frame_arg(f, 0), KOZO_READ);

    TRY(r.err);
    /* ---- commit ---- */
    return sys_result(t, ntfn_take((struct notification *)r.slot->cap.object), 0, 0);
}

enum kozo_err sys_yield(struct tcb *, const struct frame *)
{
    sched_rotate();
    return KOZO_OK;
}
