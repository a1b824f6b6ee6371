/* SPDX-License-Identifier: MIT */
#include "base/trace.h"
#include "cap/cspace.h"
#include "cap/object.h"
#include "cap/pending.h"
#include "cap/pool.h"
#include "ipc/fault.h"
#include "ipc/notification.h"
#include "ipc/reply.h"
#include "sched/sched.h"
#include "syscall/syscall.h"

static struct slot_res want_pool(struct tcb *t, kozo_cptr at)
{
    return cspace_want(&t->cspace, at, KOZO_KIND_THREAD_POOL, KOZO_WRITE);
}

/* A thread, or why not. */
struct NODISCARD thread_res {
    struct tcb *thread;
    enum kozo_err err;
};
static struct thread_res want_thread(struct tcb *t, kozo_cptr at, kozo_rights need)
{
    struct slot_res r = cspace_want(&t->cspace, at, KOZO_KIND_THREAD, need);

    if (r.err != KOZO_OK)
        return (struct thread_res){ .err = r.err };
    return (struct thread_res){ .thread = (struct tcb *)r.slot->cap.object };
}

static bool is_stopped(const struct tcb *t)
{
    return t->state == TCB_STOPPED || t->state == TCB_FAULTED;
}

enum kozo_err sys_pool_split(struct tcb *t, const struct frame *f)
{
    struct slot_res pool, dst;

    pending_steps(1);
    pool = want_pool(t, frame_arg(f, 0));
    TRY(pool.err);
    dst = cspace_empty(&t->cspace, frame_arg(f, 1), frame_arg(f, 2));
    TRY(dst.err);
    return pool_split(pool.slot, frame_arg(f, 3), dst.slot);
}

enum kozo_err sys_pool_info(struct tcb *t, const struct frame *f)
{
    struct slot_res pool = want_pool(t, frame_arg(f, 0));

    TRY(pool.err);
    /* ---- commit ---- */
    return sys_result(t, pool_count(pool.slot), 0, 0);
}

enum kozo_err sys_thread_create(struct tcb *t, const struct frame *f)
{
    struct slot_res pool, dst;

    pending_steps(1);
    pool = want_pool(t, frame_arg(f, 0));
    TRY(pool.err);
    dst = cspace_empty(&t->cspace, frame_arg(f, 1), frame_arg(f, 2));
    TRY(dst.err);
    REQUIRE((frame_arg(f, 3) & ~(uint64_t)(KOZO_THREAD_FPU | KOZO_THREAD_FOREIGN)) == 0,
            KOZO_ERR_ARGUMENT);
    REQUIRE(frame_arg(f, 4) < KOZO_PRIORITIES, KOZO_ERR_ARGUMENT);
    REQUIRE(frame_arg(f, 4) >= t->ceiling, KOZO_ERR_PRIORITY);
    TRY(pool_create_thread(pool.slot, (uint8_t)frame_arg(f, 3), (uint8_t)frame_arg(f, 4),
                           dst.slot));
    ((struct tcb *)dst.slot->cap.object)->name =
        frame_arg(f, 5) != 0 ? frame_arg(f, 5) : t->name;
    return KOZO_OK;
}

/* A capability to be bound: null, without error, when its address is 0. */
static struct slot_res want_binding(struct tcb *t, kozo_cptr at, enum kozo_kind kind,
                                    kozo_rights need)
{
    return at == 0 ? slot_ok(nullptr) : cspace_want(&t->cspace, at, kind, need);
}

static enum kozo_err check_buffer(const struct slot *frame, uint64_t offset)
{
    if (frame == nullptr)
        return KOZO_OK;
    REQUIRE((frame->cap.flags & CAP_DEVICE) == 0, KOZO_ERR_ARGUMENT);
    REQUIRE(is_aligned(offset, KOZO_BUFFER_BYTES), KOZO_ERR_ALIGN);
    REQUIRE(offset < 1ull << frame->cap.size_bits, KOZO_ERR_ARGUMENT);
    return KOZO_OK;
}

enum kozo_err sys_thread_bind(struct tcb *t, const struct frame *f)
{
    struct thread_res r;
    struct slot_res b[TCB_BINDINGS];

    pending_steps(TCB_BINDINGS);
    r = want_thread(t, frame_arg(f, 0), KOZO_WRITE);
    TRY(r.err);
    b[TCB_CSPACE] = want_binding(t, frame_arg(f, 1), KOZO_KIND_CNODE, 0);
    b[TCB_VSPACE] = want_binding(t, frame_arg(f, 2), KOZO_KIND_ADDRESS_SPACE, KOZO_WRITE);
    b[TCB_BUFFER] = want_binding(t, frame_arg(f, 3), KOZO_KIND_FRAME, KOZO_READ | KOZO_WRITE);
    b[TCB_FAULT] = want_binding(t, frame_arg(f, 5), KOZO_KIND_ENDPOINT, KOZO_WRITE);
    for (uint32_t i = 0; i < TCB_BINDINGS; i++)
        TRY(b[i].err);
    TRY(check_buffer(b[TCB_BUFFER].slot, frame_arg(f, 4)));
    REQUIRE(is_stopped(r.thread), KOZO_ERR_STATE);
    /* ---- commit ---- */
    for (uint32_t i = 0; i < TCB_BINDINGS; i++)
        if (b[i].slot != nullptr)
            tcb_bind(r.thread, (enum tcb_binding)i, b[i].slot, frame_arg(f, 4));
    return KOZO_OK;
}

enum kozo_err sys_thread_bind_ntfn(struct tcb *t, const struct frame *f)
{
    struct thread_res r = want_thread(t, frame_arg(f, 0), KOZO_WRITE);
    struct slot_res n;
    struct notification *ntfn;

    TRY(r.err);
    n = want_binding(t, frame_arg(f, 1), KOZO_KIND_NOTIFICATION, KOZO_READ);
    TRY(n.err);
    ntfn = n.slot != nullptr ? (struct notification *)n.slot->cap.object : nullptr;
    REQUIRE(ntfn == nullptr || (ntfn->bound == nullptr && r.thread->bound == nullptr),
            KOZO_ERR_IN_USE);
    /* ---- commit ---- */
    if (ntfn != nullptr)
        ntfn_bind(ntfn, r.thread);
    else if (r.thread->bound != nullptr)
        ntfn_unbind(r.thread->bound);
    return KOZO_OK;
}

/* Nothing of an earlier life is in them: floating point and FS base too. */
static void clear_registers(struct tcb *t)
{
    arch_fpu_init(&t->fpu);
    t->fs_base = 0;
    t->slow &= (uint8_t)~TCB_SLOW_FS;
}

enum kozo_err sys_thread_start(struct tcb *t, const struct frame *f)
{
    struct thread_res r = want_thread(t, frame_arg(f, 0), KOZO_WRITE);

    TRY(r.err);
    REQUIRE(frame_arg(f, 1) < KOZO_USER_END && frame_arg(f, 2) <= KOZO_USER_END, KOZO_ERR_ARGUMENT);
    REQUIRE(is_stopped(r.thread) && r.thread->root != 0, KOZO_ERR_STATE);
    /* ---- commit ---- */
    clear_registers(r.thread);
    reply_drop(r.thread, KOZO_ERR_DROPPED);
    arch_thread_start(r.thread, frame_arg(f, 1), frame_arg(f, 2), frame_arg(f, 3), frame_arg(f, 4));
    tcb_resume(r.thread);
    return KOZO_OK;
}

enum kozo_err sys_thread_suspend(struct tcb *t, const struct frame *f)
{
    struct thread_res r = want_thread(t, frame_arg(f, 0), KOZO_WRITE);

    TRY(r.err);
    /* ---- commit ---- */
    tcb_suspend(r.thread, KOZO_ERR_CANCELLED);
    return KOZO_OK;
}

/* A thread that has ended can only be started afresh. */
enum kozo_err sys_thread_resume(struct tcb *t, const struct frame *f)
{
    struct thread_res r = want_thread(t, frame_arg(f, 0), KOZO_WRITE);

    TRY(r.err);
    REQUIRE(is_stopped(r.thread) && r.thread->root != 0, KOZO_ERR_STATE);
    REQUIRE(r.thread->started && r.thread->fault.kind != KOZO_FAULT_EXIT, KOZO_ERR_STATE);
    /* ---- commit ---- */
    tcb_resume(r.thread);
    return KOZO_OK;
}

enum kozo_err sys_thread_priority(struct tcb *t, const struct frame *f)
{
    struct thread_res r = want_thread(t, frame_arg(f, 0), KOZO_WRITE);
    uint64_t priority = frame_arg(f, 1), ceiling = frame_arg(f, 2);

    TRY(r.err);
    REQUIRE(priority < KOZO_PRIORITIES && ceiling <= priority, KOZO_ERR_ARGUMENT);
    REQUIRE(ceiling >= t->ceiling, KOZO_ERR_PRIORITY);
    /* ---- commit ---- */
    tcb_set_priority(r.thread, (uint8_t)priority, (uint8_t)ceiling);
    return KOZO_OK;
}

/* The object in whose queue it is, or 0. */
static uint64_t waits_identity(const struct tcb *of)
{
    if (of->state == TCB_SENDING || of->state == TCB_RECEIVING)
        return trace_identity(KOZO_KIND_ENDPOINT, (uint64_t)of->waits_for.endpoint);
    if (of->state == TCB_WAITING && of->waits_for.notification != nullptr)
        return trace_identity(KOZO_KIND_NOTIFICATION, (uint64_t)of->waits_for.notification);
    return 0;
}

/* Whom it waits for, or who waits for it. */
static uint64_t peer_serial(const struct tcb *of)
{
    const struct tcb *peer = of->state == TCB_CALLING ? of->replier.server : of->owes;

    return peer != nullptr ? peer->serial : 0;
}

/* The registers go to the caller's IPC buffer. */
enum kozo_err sys_thread_info(struct tcb *t, const struct frame *f)
{
    struct thread_res r = want_thread(t, frame_arg(f, 0), KOZO_READ);
    const struct tcb *of = r.thread;
    uint64_t *word;

    TRY(r.err);
    REQUIRE(t->buffer != nullptr, KOZO_ERR_BUFFER);
    /* ---- commit ---- */
    word = t->buffer->word;
    frame_get_regs(&of->frame, word);
    word[KOZO_REG_FS_BASE] = of->fs_base;
    word[KOZO_THREAD_WORD_IP] = frame_ip(&of->frame);
    word[KOZO_THREAD_WORD_SP] = frame_sp(&of->frame);
    word[KOZO_THREAD_WORD_FLAGS] = frame_flags(&of->frame);
    word[KOZO_THREAD_WORD_FAULT] = of->fault.kind;
    word[KOZO_THREAD_WORD_ADDRESS] = of->fault.address;
    word[KOZO_THREAD_WORD_PRIORITY] = of->priority;
    word[KOZO_THREAD_WORD_WAITS] = waits_identity(of);
    word[KOZO_THREAD_WORD_PEER] = peer_serial(of);
    word[KOZO_THREAD_WORD_DEADLINE] = of->timer_index != 0 ? of->deadline : 0;
    word[KOZO_THREAD_WORD_NAME] = of->name;
    return sys_result(t, of->state, arch_cycles_to_ns(of->cpu_cycles), of->serial);
}

/* Its supervisor hears of it as a fault message; without one it just stops. */
enum kozo_err sys_thread_exit(struct tcb *t, const struct frame *f)
{
    const struct fault end = { .kind = KOZO_FAULT_EXIT, .address = frame_arg(f, 0) };

    fault_raise(t, &end);
    return CALL_WAITS;
}

enum kozo_err sys_thread_fs_base(struct tcb *t, const struct frame *f)
{
    REQUIRE(frame_arg(f, 0) < KOZO_USER_END, KOZO_ERR_ARGUMENT);
    /* ---- commit ---- */
    t->fs_base = frame_arg(f, 0);
    t->slow = (uint8_t)(frame_arg(f, 0) != 0 ? t->slow | TCB_SLOW_FS : t->slow & ~TCB_SLOW_FS);
    arch_fs_base_set(t);
    return KOZO_OK;
}
