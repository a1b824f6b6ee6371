/* SPDX-License-Identifier: MIT */
/*
 * The ground taken from under a thread's feet, by others and by itself, in every state a thread can
 * be in: its space, its capabilities, its buffer, its handler, its memory, its quota, itself. Who
 * waits beside it goes on.
 */
#include "attack.h"

enum state : uint64_t {
    STOPPED,
    SPINNING,
    SENDING,
    CALL_QUEUED,
    CALL_TAKEN,
    RECEIVING,
    WAITING,
    SLEEPING,
    FAULT_QUEUED,
    FAULT_TAKEN,
    OWING,
    STATES
};

/* Slots of a victim's own capability space. */
enum own : uint64_t {
    OWN_EP = 1,
    OWN_NTFN,
    OWN_CNODE,
    OWN_THREAD,
    OWN_SPACE,
    OWN_BUFFER,
    OWN_FAULT,
    OWN_POOL,
    OWN_UNTYPED,
    OWN_FREE
};

struct victim {
    struct kozo_untyped u;
    struct kozo_pool pool;
    struct kozo_cnode c;
    struct kozo_space space;
    struct kozo_endpoint ep, fault;
    struct kozo_notification n;
    struct kozo_worker w;
    struct doing beside, client;
    enum state state;
};

/* Runs in a space of its own, with a capability space of its own. */
static void be(void *arg)
{
    struct kozo_words x = { .cap = OWN_EP };

    switch ((enum state)(uint64_t)arg) {
    case SPINNING:
        for (;;)
            __asm__ volatile("pause");
    case SENDING:
        (void)kozo_ipc(KOZO_SYS_SEND, &x);
        break;
    case CALL_QUEUED:
    case CALL_TAKEN:
        (void)kozo_ipc(KOZO_SYS_CALL, &x);
        break;
    case OWING:
        (void)kozo_ipc(KOZO_SYS_RECV, &x);
        (void)kozo_wait((struct kozo_notification){ OWN_NTFN });
        break;
    case RECEIVING:
        (void)kozo_ipc(KOZO_SYS_RECV, &x);
        break;
    case WAITING:
        (void)kozo_wait((struct kozo_notification){ OWN_NTFN });
        break;
    case SLEEPING:
        (void)kozo_wait_until((struct kozo_notification){ 0 }, UINT64_MAX);
        break;
    case FAULT_QUEUED:
    case FAULT_TAKEN:
        __asm__ volatile("ud2");
        break;
    default:
        break;
    }
}

static kozo_cptr carve(struct kozo_untyped u, enum kozo_kind kind, unsigned bits)
{
    kozo_cptr slot = kozo_test_slot();

    KOZO_CHECK_OK(kozo_retype(u, kind, bits, kozo_own(slot), 1));
    return slot;
}

/* Where its maker keeps the Frame of its buffer: the first, behind page tables. */
static uint64_t buffer_slot(const struct victim *v)
{
    uint64_t slot = 1;

    while (slot < 8 &&
           KOZO_VERIFY_KIND(kozo_cap_verify(kozo_in(v->w.keep, slot), kozo_own(0)).what) !=
               KOZO_KIND_FRAME)
        slot++;
    return slot;
}

static void give(struct victim *v, uint64_t slot, kozo_cptr from)
{
    KOZO_CHECK_OK(kozo_cap_copy(kozo_in(v->c, slot), kozo_own(from), KOZO_SAME_RIGHTS));
}

/* A victim that is built, and not run yet. */
static void build(struct victim *v)
{
    v->u = kozo_test_untyped(20);
    v->pool.c = kozo_test_slot();
    KOZO_CHECK_OK(kozo_pool_split(kozo_test_pool(), kozo_own(v->pool.c), 2));
    v->c.c = carve(v->u, KOZO_KIND_CNODE, 5);
    v->ep.c = carve(v->u, KOZO_KIND_ENDPOINT, 0);
    v->fault.c = carve(v->u, KOZO_KIND_ENDPOINT, 0);
    v->n.c = carve(v->u, KOZO_KIND_NOTIFICATION, 0);
    v->space = kozo_test_space_clone();
    v->w = kozo_test_thread_in(v->space,
                               &(struct kozo_worker_options){ .pool = v->pool,
                                                              .memory = v->u,
                                                              .priority = URGENT,
                                                              .fault = v->fault,
                                                              .stopped = true },
                               nullptr, nullptr);
    KOZO_CHECK_OK(kozo_thread_bind(v->w.thread, v->c, (struct kozo_space){ 0 },
                                   (struct kozo_frame){ 0 }, 0, (struct kozo_endpoint){ 0 }));
    give(v, OWN_EP, v->ep.c);
    give(v, OWN_NTFN, v->n.c);
    give(v, OWN_CNODE, v->c.c);
    give(v, OWN_THREAD, v->w.thread.c);
    give(v, OWN_SPACE, v->space.c);
    give(v, OWN_FAULT, v->fault.c);
    KOZO_CHECK_OK(kozo_cap_copy(kozo_in(v->c, OWN_BUFFER), kozo_in(v->w.keep, buffer_slot(v)),
                                KOZO_SAME_RIGHTS));
}

static void enter(struct victim *v, enum state state)
{
    struct kozo_words x = { .cap = v->ep.c };

    v->state = state;
    if (state == SPINNING)
        KOZO_CHECK_OK(kozo_thread_priority(v->w.thread, LATER, LATER));
    if (state != STOPPED)
        KOZO_CHECK_OK(kozo_worker_run(&v->w, be, (void *)(uint64_t)state));
    if (state == CALL_TAKEN)
        KOZO_CHECK_OK(kozo_ipc(KOZO_SYS_RECV, &x));
    x.cap = v->fault.c;
    if (state == FAULT_TAKEN)
        KOZO_CHECK_OK(kozo_ipc(KOZO_SYS_RECV, &x));
    v->client = (struct doing){ .nr = KOZO_SYS_CALL, .x = { .cap = v->ep.c } };
    if (state == OWING)
        (void)doing(&v->client, URGENT);
    /* One that waits beside it, in the same queue. */
    v->beside =
        (struct doing){ .nr = state == RECEIVING || state == OWING ? KOZO_SYS_RECV : KOZO_SYS_SEND,
                        .x = { .cap = v->ep.c } };
    (void)doing(&v->beside, URGENT);
    KOZO_CHECK(!v->beside.done);
}

/* Who waits beside the victim is served, or told that the place of meeting is gone. */
static void others_go_on(struct victim *v)
{
    struct kozo_words x;

    for (unsigned i = 0; i < 4 && !v->beside.done && kind_at(v->ep.c) == KOZO_KIND_ENDPOINT; i++) {
        x = (struct kozo_words){ .cap = v->ep.c };
        (void)kozo_ipc_until(v->beside.nr == KOZO_SYS_RECV ? KOZO_SYS_SEND : KOZO_SYS_RECV, &x,
                             kozo_now() + KOZO_MS);
    }
    KOZO_CHECK(v->beside.done);
    KOZO_CHECK(v->beside.err == KOZO_OK || v->beside.err == KOZO_ERR_GONE);
}

/* Tears the victim down as its maker would; then everything of it must be free again. */
static void clear(struct victim *v)
{
    struct kozo_words x = { .cap = v->ep.c };

    (void)kozo_ipc_until(KOZO_SYS_RECV, &x, 0); /* nobody is owed any more */
    KOZO_CHECK_OK(kozo_cap_revoke(kozo_own(v->u.c)));
    KOZO_CHECK_EQ(kozo_untyped_info(v->u).free, 1 << 20);
    if (kind_at(v->pool.c) == KOZO_KIND_THREAD_POOL) {
        KOZO_CHECK_OK(kozo_cap_revoke(kozo_own(v->pool.c)));
        KOZO_CHECK_EQ(kozo_pool_info(v->pool).value, 2);
    }
    if (v->state == OWING) {
        AWAIT(v->client.done);
        KOZO_CHECK(v->client.err == KOZO_ERR_GONE || v->client.err == KOZO_ERR_DROPPED);
    }
    kozo_slot_drop(v->space.c);
    kozo_slot_drop(v->pool.c);
    kozo_slot_drop(v->u.c);
}

static void in_every_state(void (*attack)(struct victim *))
{
    struct witness w = witness();

    for (uint64_t state = STOPPED; state < STATES; state++) {
        static struct victim v;

        v = (struct victim){};
        build(&v);
        enter(&v, (enum state)state);
        attack(&v);
        unharmed(&w);
        others_go_on(&v);
        clear(&v);
        unharmed(&w);
    }
}

/* ---- by others ---- */

#define ENDS(name)                           \
    static void do_##name(struct victim *v); \
    KOZO_TEST(name)                          \
    {                                        \
        in_every_state(do_##name);           \
    }                                        \
    static void do_##name(struct victim *v)

ENDS(thread_is_deleted)
{
    KOZO_CHECK_OK(kozo_cap_delete(kozo_in(v->c, OWN_THREAD)));
    KOZO_CHECK_OK(kozo_cap_delete(kozo_own(v->w.thread.c)));
    KOZO_CHECK_EQ(kozo_pool_info(v->pool).value, 2);
}

ENDS(thread_is_revoked)
{
    KOZO_CHECK_OK(kozo_cap_revoke(kozo_own(v->w.thread.c)));
    KOZO_CHECK_EQ(kind_at(v->w.thread.c), KOZO_KIND_THREAD);
}

ENDS(pool_is_revoked)
{
    KOZO_CHECK_OK(kozo_cap_revoke(kozo_own(v->pool.c)));
    KOZO_CHECK_EQ(kind_at(v->w.thread.c), KOZO_KIND_NULL);
}

ENDS(pool_is_deleted)
{
    KOZO_CHECK_OK(kozo_cap_delete(kozo_own(v->pool.c)));
    KOZO_CHECK_EQ(kind_at(v->w.thread.c), KOZO_KIND_NULL);
}

ENDS(capability_space_is_revoked)
{
    KOZO_CHECK_OK(kozo_cap_revoke(kozo_own(v->c.c)));
    KOZO_CHECK_OK(kozo_cap_delete(kozo_own(v->c.c)));
}

ENDS(capability_space_is_emptied)
{
    for (uint64_t slot = 1; slot < 32; slot++)
        (void)kozo_cap_delete(kozo_in(v->c, slot));
}

ENDS(address_space_is_revoked)
{
    KOZO_CHECK_OK(kozo_cap_revoke(kozo_own(v->space.c)));
    KOZO_CHECK(state_of(&v->w) != KOZO_THREAD_READY);
    KOZO_CHECK_ERR(kozo_thread_resume(v->w.thread), KOZO_ERR_STATE);
}

ENDS(buffer_is_revoked)
{
    uint64_t slot = buffer_slot(v);

    KOZO_CHECK_OK(kozo_cap_revoke(kozo_in(v->w.keep, slot)));
    KOZO_CHECK_OK(kozo_cap_delete(kozo_in(v->w.keep, slot)));
}

ENDS(every_frame_is_revoked)
{
    for (uint64_t slot = 1; slot < 8; slot++)
        (void)kozo_cap_revoke(kozo_in(v->w.keep, slot));
    KOZO_CHECK_OK(kozo_cap_delete(kozo_own(v->w.keep.c)));
}

ENDS(fault_endpoint_is_revoked)
{
    KOZO_CHECK_OK(kozo_cap_revoke(kozo_own(v->fault.c)));
    if (v->state == FAULT_QUEUED)
        KOZO_CHECK(state_of(&v->w) == KOZO_THREAD_SENDING ||
                   state_of(&v->w) == KOZO_THREAD_FAULTED);
}

ENDS(fault_endpoint_is_destroyed)
{
    KOZO_CHECK_OK(kozo_cap_revoke(kozo_own(v->fault.c)));
    KOZO_CHECK_OK(kozo_cap_delete(kozo_own(v->fault.c)));
    if (v->state == FAULT_QUEUED)
        KOZO_CHECK_EQ(state_of(&v->w), KOZO_THREAD_FAULTED);
}

ENDS(endpoint_is_destroyed)
{
    KOZO_CHECK_OK(kozo_cap_revoke(kozo_own(v->ep.c)));
    KOZO_CHECK_OK(kozo_cap_delete(kozo_own(v->ep.c)));
}

ENDS(notification_is_destroyed)
{
    KOZO_CHECK_OK(kozo_cap_revoke(kozo_own(v->n.c)));
    KOZO_CHECK_OK(kozo_cap_delete(kozo_own(v->n.c)));
}

ENDS(all_memory_is_revoked)
{
    KOZO_CHECK_OK(kozo_cap_revoke(kozo_own(v->u.c)));
}

ENDS(thread_is_suspended_and_resumed_a_hundred_times)
{
    for (unsigned i = 0; i < 100; i++) {
        KOZO_CHECK_OK(kozo_thread_suspend(v->w.thread));
        KOZO_CHECK(state_of(&v->w) == KOZO_THREAD_STOPPED ||
                   state_of(&v->w) == KOZO_THREAD_FAULTED);
        (void)kozo_thread_resume(v->w.thread);
    }
}

ENDS(thread_is_started_afresh_over_what_it_does)
{
    KOZO_CHECK_OK(kozo_thread_suspend(v->w.thread));
    for (uint64_t other = SENDING; other < STATES; other++) {
        KOZO_CHECK_OK(kozo_worker_run(&v->w, be, (void *)other));
        KOZO_CHECK_OK(kozo_thread_suspend(v->w.thread));
    }
}

ENDS(thread_changes_its_urgency)
{
    for (unsigned p = FIRST + 1; p < 256; p += 13)
        KOZO_CHECK_OK(kozo_thread_priority(v->w.thread, p, URGENT));
}

ENDS(capability_to_the_thread_moves_about)
{
    kozo_cptr at = v->w.thread.c, to = kozo_test_slot();

    for (unsigned i = 0; i < 100; i++) {
        KOZO_CHECK_OK(
            kozo_cap_move(kozo_own(i % 2 == 0 ? to : at), kozo_own(i % 2 == 0 ? at : to)));
        KOZO_CHECK_OK(kozo_cap_move(kozo_in(v->c, i % 2 == 0 ? OWN_FREE : OWN_CNODE),
                                    kozo_in(v->c, i % 2 == 0 ? OWN_CNODE : OWN_FREE)));
    }
}

/* ---- by itself ---- */

/* The number of the call in the upper half, the slot in the lower. */
static void saw_off(void *arg)
{
    uint64_t what = (uint64_t)arg;

    if (what >> 32 == KOZO_SYS_CAP_MOVE)
        (void)kozo_syscall_err(KOZO_SYS_CAP_MOVE, 0, OWN_FREE, 0, what & 0xffff);
    else
        (void)kozo_syscall_err(what >> 32, 0, what & 0xffff);
    (void)kozo_syscall_err(KOZO_SYS_FINISH, 0);
    (void)kozo_syscall_err(KOZO_SYS_SIGNAL, OWN_NTFN, 1);
    for (volatile unsigned i = 0; i < 1000; i = i + 1)
        ;
}

static void by_itself(uint64_t nr)
{
    struct witness w = witness();

    for (uint64_t slot = OWN_EP; slot < OWN_FREE; slot++) {
        static struct victim v;

        v = (struct victim){ .state = RECEIVING };
        build(&v);
        v.state = STOPPED;
        KOZO_CHECK_OK(kozo_cap_move(kozo_in(v.c, OWN_POOL), kozo_own(v.pool.c)));
        KOZO_CHECK_OK(kozo_worker_run(&v.w, saw_off, (void *)(nr << 32 | slot)));
        unharmed(&w);
        if (kind_at(v.c.c) == KOZO_KIND_CNODE)
            (void)kozo_cap_move(kozo_own(v.pool.c), kozo_in(v.c, OWN_POOL));
        if (kind_at(v.pool.c) == KOZO_KIND_NULL)
            (void)kozo_cap_move(kozo_own(v.pool.c), kozo_in(v.c, OWN_FREE));
        clear(&v);
        unharmed(&w);
    }
}

KOZO_TEST(thread_deletes_each_of_its_own_capabilities)
{
    by_itself(KOZO_SYS_CAP_DELETE);
}

KOZO_TEST(thread_revokes_each_of_its_own_capabilities)
{
    by_itself(KOZO_SYS_CAP_REVOKE);
}

KOZO_TEST(thread_moves_each_of_its_own_capabilities)
{
    by_itself(KOZO_SYS_CAP_MOVE);
}

/* It holds its own memory, and revokes it: thread, space, stack and the call's own CNode at once.
 */
KOZO_TEST(thread_revokes_the_memory_it_is_made_of)
{
    struct witness w = witness();
    static struct victim v;

    v = (struct victim){ .state = STOPPED };
    build(&v);
    KOZO_CHECK_OK(kozo_cap_move(kozo_in(v.c, OWN_UNTYPED), kozo_own(v.u.c)));
    KOZO_CHECK_OK(
        kozo_worker_run(&v.w, saw_off, (void *)(KOZO_SYS_CAP_REVOKE << 32 | OWN_UNTYPED)));
    AWAIT(kozo_thread_info(v.w.thread).state != KOZO_THREAD_READY);
    KOZO_CHECK(kozo_test_settle());
    KOZO_CHECK_EQ(kind_at(v.ep.c), KOZO_KIND_NULL);
    unharmed(&w);
}
