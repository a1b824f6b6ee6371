/* SPDX-License-Identifier: MIT */
/*
 * test_lives.c - a million threads, made, run and ended one after another in one and the same TCB,
 * however each of them ends: what named one is refused afterwards, and names none that comes after
 * it.
 */
#include "host.h"

#define T SLOT_FREE
#define A (SLOT_FREE + 1)
#define B (SLOT_FREE + 2)
#define BADGED (SLOT_FREE + 3)
#define FAULT_EP (SLOT_FREE + 4)
#define LARGE (SLOT_FREE + 5)

#define LIVES 1'000'000u
#define WAYS (sizeof way / sizeof way[0])

static uint64_t timed(uint64_t info) { return info | KOZO_INFO_DEADLINE; }

static void ends_receiving(struct tcb *t)
{
    CHECK_OK(call(host.init, THREAD_BIND_NTFN, T, SLOT_NTFN));
    call_until(t, 1ull << 50, RECV, SLOT_EP, timed(0));
}

static void ends_waiting(struct tcb *t) { call(t, WAIT, SLOT_NTFN, 0); }

static void ends_asleep(struct tcb *t) { call_until(t, 1ull << 50, WAIT, 0, timed(0)); }

static void ends_sending(struct tcb *t) { call_until(t, 1ull << 50, CALL, SLOT_EP, timed(0)); }

/* init has taken its call, and owes it an answer. */
static void ends_calling(struct tcb *t)
{
    call(t, CALL, SLOT_EP, 0);
    CHECK_OK(call(host.init, RECV, SLOT_EP, 0));
    CHECK_PTR(host.init->owes, t);
}

static void ends_with_a_saved_reply(struct tcb *t)
{
    ends_calling(t);
    CHECK_OK(call(host.init, REPLY_SAVE, 0, B));
}

static void ends_faulted(struct tcb *t)
{
    host_fault(t, KOZO_FAULT_PAGE, 0x123000, KOZO_READ);
    CHECK_OK(call(host.init, RECV, FAULT_EP, 0));
    CHECK_PTR(host.init->owes, t);
}

static void ends_able_to_run(struct tcb *t) { CHECK_EQ(t->state, TCB_READY); }

static void (*const way[])(struct tcb *t) = {
    ends_receiving, ends_waiting,            ends_asleep,  ends_sending,
    ends_calling,   ends_with_a_saved_reply, ends_faulted, ends_able_to_run,
};

/* Of each `HELD_OF` lives these many have more that names them. */
#define HELD_OF 64u
#define HELD (2 * WAYS)

/* A thread; if `held`, with two capabilities to it, and with a badged one of its own. */
static struct tcb *begin_life(uint64_t i, bool held)
{
    struct tcb *t;

    CHECK_OK(call(host.init, THREAD_CREATE, SLOT_POOL, 0, T, 0, HOST_PRIORITY));
    t = (struct tcb *)host_slot(T)->cap.object;
    if (held) {
        CHECK_OK(call(host.init, CAP_COPY, 0, A, 0, T, KOZO_SAME_RIGHTS));
        CHECK_OK(call(host.init, CAP_MINT, 0, BADGED, 0, SLOT_EP, KOZO_WRITE, i + 1));
    }
    CHECK_OK(call(host.init, THREAD_BIND, T, SLOT_CNODE, SLOT_SPACE, 0, 0, FAULT_EP));
    CHECK_OK(call(host.init, THREAD_START, T, HOST_ENTRY, 0, 0, 0));
    return t;
}

/* By deleting its capability; of two the copy goes first, by itself or by revoking. */
static void end_life(uint64_t i, bool held)
{
    if (held) {
        CHECK_OK(call(host.init, CAP_DELETE, 0, BADGED));
        if (i % 2 == 0)
            CHECK_OK(call(host.init, CAP_REVOKE, 0, T));
        else
            CHECK_OK(call(host.init, CAP_DELETE, 0, A));
        CHECK_OK(call(host.init, THREAD_SUSPEND, T)); /* it lives as long as one of them does */
    }
    CHECK_OK(call(host.init, CAP_DELETE, 0, T));
    CHECK_ERR(call(host.init, THREAD_RESUME, T), EMPTY);
}

/* Nothing that named the thread names anything any more, and nobody else was told. */
static void check_all_stale(void)
{
    CHECK_ERR(call(host.init, THREAD_INFO, A), EMPTY);
    CHECK_ERR(call(host.init, SIGNAL, BADGED, 1), EMPTY);
    CHECK_ERR(call(host.init, REPLY, B, 0), EMPTY);
    CHECK_OK(call(host.init, SIGNAL, SLOT_NTFN, 4));
    CHECK_OK(call(host.init, POLL, SLOT_NTFN));
    CHECK_EQ(host.init->frame.reg[0], 4);
    CHECK_ERR(call_until(host.init, 0, RECV, SLOT_EP, timed(0)), TIMEOUT);
    CHECK_ERR(call_until(host.init, 0, RECV, FAULT_EP, timed(0)), TIMEOUT);
}

static void live(uint64_t i)
{
    bool held = i % HELD_OF < HELD;
    struct tcb *t = begin_life(i, held);

    way[i / 2 % WAYS](t);
    end_life(i, held);
    CHECK_EQ(t->state, TCB_FREE);
    CHECK_PTR(host.init->owes, nullptr);
    CHECK_EQ(kernel.timers.count, 0);
    if (held)
        check_all_stale();
    else if (i / 2 % WAYS == WAYS - 2)
        CHECK_ERR(call(host.init, REPLY, 0, 0), NOREPLY);
}

TEST(a_million_threads_come_and_go)
{
    host_boot();
    host_make(LARGE, KOZO_KIND_CNODE, 1);
    host_sampled();
    host_make(FAULT_EP, KOZO_KIND_ENDPOINT, 0);
    uint64_t caps = kernel.caps, bytes = kernel.bytes_free, used = kernel.pools.tcb_count;
    uint64_t serial = kernel.pools.tcb_serial;
    for (uint64_t i = 0; i < LIVES; i++) {
        live(i);
        if (i % (LIVES / 16) == 0)
            unit_alive();
    }
    CHECK_EQ(kernel.caps, caps);
    CHECK_EQ(kernel.bytes_free, bytes);
    CHECK_EQ(kernel.pools.tcb_count, used);
    CHECK_EQ(kernel.pools.tcb_fresh,
             used + 1); /* all of them had the same TCB, one after another */
    CHECK_EQ(kernel.pools.tcb_serial, serial + LIVES);
    CHECK_OK(call(host.init, POOL_INFO, SLOT_POOL));
    CHECK_EQ(host.init->frame.reg[0], CONFIG_MAX_THREADS - used);
    host_check();
}
