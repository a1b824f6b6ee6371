/* SPDX-License-Identifier: MIT */
/*
 * test_random.c - whatever threads call, in whatever order: no panic, and every invariant after
 * each event.
 *
 * Six threads make random calls with arguments that mostly make sense; interrupts, faults, time and
 * preemption come in between. UNIT_RANDOM=N runs N worlds in place of a few.
 */
#include "cap/object.h"
#include "host.h"
#include <stdio.h>
#include <stdlib.h>

#define WORLDS 20u
#define CALLS 400u
#define THREADS 6u

static struct tcb *thread[THREADS];
static uint64_t serial[THREADS];

static uint64_t pick(const uint64_t *from, uint32_t n) { return from[host_random(n)]; }
#define PICK(...)                                                                                  \
    pick((const uint64_t[]){ __VA_ARGS__ }, sizeof((uint64_t[]){ __VA_ARGS__ }) / sizeof(uint64_t))

/* ---- arguments ---- */

static uint64_t a_slot(void)
{
    return host_random(16) == 0 ? PICK(0, 1, 63, 64, 255, 256, UINT64_MAX) : 1 + host_random(44);
}
static uint64_t a_cnode(void) { return host_random(4) == 0 ? a_slot() : PICK(0, 0, SLOT_CNODE); }
static uint64_t a_rights(void)
{
    return PICK(KOZO_SAME_RIGHTS, KOZO_SAME_RIGHTS, 1, 2, 3, 7, 0, 0x10000 | KOZO_SAME_RIGHTS);
}
static uint64_t a_number(void)
{
    return host_random(4) == 0 ? PICK(0, UINT64_MAX, 1ull << 63, 1ull << 32) : host_random(20);
}

static uint64_t a_what(void)
{
    return PICK(KOZO_WHAT(KOZO_KIND_UNTYPED, 13), KOZO_WHAT(KOZO_KIND_UNTYPED, 7),
                KOZO_WHAT(KOZO_KIND_CNODE, 3), KOZO_WHAT(KOZO_KIND_CNODE, 5),
                KOZO_WHAT(KOZO_KIND_ENDPOINT, 0), KOZO_WHAT(KOZO_KIND_NOTIFICATION, 0),
                KOZO_WHAT(KOZO_KIND_ADDRESS_SPACE, 0), KOZO_WHAT(KOZO_KIND_PAGE_TABLE, 0),
                KOZO_WHAT(KOZO_KIND_FRAME, 12), KOZO_WHAT(KOZO_KIND_FRAME, 63));
}

static uint64_t an_info(void)
{
    uint64_t info = host_random(4);

    info |= host_random(3) == 0 ? KOZO_INFO_DEADLINE : 0;
    info |= host_random(3) == 0 ? KOZO_INFO_RECV_CAPS : 0;
    info |= host_random(3) == 0 ? INFO_CAPS(host_random(4)) : 0;
    info |= host_random(4) == 0 ? host_random(58) : 0;
    return info | INFO(host_random(3));
}

static uint64_t an_address(void)
{
    return 0x400000 + host_random(4) * 0x1000 + host_random(3) * KOZO_LARGE_SIZE;
}

/* A slot of `t` that holds a capability of this kind, if some tries find one. */
static uint64_t a_cap(const struct tcb *t, enum kozo_kind kind)
{
    for (uint32_t tries = 0; tries < 40 && t->cspace.size > 1; tries++) {
        uint64_t at = 1 + host_random(min_u64(t->cspace.size - 1, 44));
        if (t->cspace.slots[at].cap.kind == kind)
            return at;
    }
    return a_slot();
}

/* What the buffer says about capabilities. */
static void fill_buffer(const struct tcb *t)
{
    if (t->buffer == nullptr)
        return;
    t->buffer->recv_slot = (uint32_t)a_slot();
    t->buffer->recv_count = (uint16_t)host_random(4);
    for (uint32_t i = 0; i < KOZO_MSG_CAPS; i++)
        t->buffer->cap[i] = (struct kozo_cap_desc){ .slot = (uint32_t)a_slot(),
                                                    .rights = (kozo_rights)host_random(32),
                                                    .user_rights = 0xff,
                                                    .flags = (uint8_t)host_random(4),
                                                    .badge = host_random(5) };
}

/* A slot of `t` that holds something, or nothing, if some tries find one. */
static uint64_t a_place(const struct tcb *t, bool empty)
{
    for (uint32_t tries = 0; tries < 20 && t->cspace.size > 1; tries++) {
        uint64_t at = 1 + host_random(min_u64(t->cspace.size - 1, 44));
        if (slot_is_null(&t->cspace.slots[at]) == empty)
            return at;
    }
    return a_slot();
}

struct arguments {
    uint64_t v[6];
};

/* ---- one call ---- */

static struct arguments arguments_for(const struct tcb *t, uint64_t number)
{
    switch (number) {
    case KOZO_SYS_CALL:
    case KOZO_SYS_SEND:
    case KOZO_SYS_REPLY_RECV:
        return (struct arguments){ { a_cap(t, KOZO_KIND_ENDPOINT), an_info(), 1, 2, 3, 4 } };
    case KOZO_SYS_RECV:
        return (
            struct arguments){ { a_cap(t, KOZO_KIND_ENDPOINT), an_info() & KOZO_INFO_FLAGS_MASK } };
    case KOZO_SYS_REPLY:
        return (struct arguments){ { host_random(2) ? 0 : a_cap(t, KOZO_KIND_REPLY), an_info(), 1,
                                     2, 3, 4 } };
    case KOZO_SYS_SIGNAL:
    case KOZO_SYS_POLL:
        return (struct arguments){ { a_cap(t, KOZO_KIND_NOTIFICATION), host_random(8) } };
    case KOZO_SYS_WAIT:
        return (struct arguments){ { host_random(3) ? a_cap(t, KOZO_KIND_NOTIFICATION) : 0,
                                     KOZO_INFO_DEADLINE } };
    case KOZO_SYS_RETYPE:
        return (struct arguments){ { a_cap(t, KOZO_KIND_UNTYPED), a_what(), a_cnode(),
                                     a_place(t, true), 1 + host_random(4) } };
    case KOZO_SYS_UNTYPED_CLEAR:
        return (struct arguments){ { a_cap(t, KOZO_KIND_UNTYPED), host_random(30'000) } };
    case KOZO_SYS_POOL_SPLIT:
        return (struct arguments){ { a_cap(t, KOZO_KIND_THREAD_POOL), a_cnode(), a_place(t, true),
                                     host_random(6) } };
    case KOZO_SYS_THREAD_CREATE:
        return (struct arguments){ { a_cap(t, KOZO_KIND_THREAD_POOL), a_cnode(), a_place(t, true),
                                     host_random(5) / 4, HOST_PRIORITY + host_random(3) } };
    case KOZO_SYS_THREAD_BIND:
        return (struct arguments){
            { a_cap(t, KOZO_KIND_THREAD), host_random(2) ? a_cap(t, KOZO_KIND_CNODE) : 0,
              host_random(2) ? a_cap(t, KOZO_KIND_ADDRESS_SPACE) : 0,
              host_random(2) ? a_cap(t, KOZO_KIND_FRAME) : 0, host_random(3) * 512,
              host_random(2) ? a_cap(t, KOZO_KIND_ENDPOINT) : 0 }
        };
    case KOZO_SYS_THREAD_BIND_NTFN:
        return (struct arguments){ { a_cap(t, KOZO_KIND_THREAD),
                                     host_random(2) ? a_cap(t, KOZO_KIND_NOTIFICATION) : 0 } };
    case KOZO_SYS_THREAD_START:
    case KOZO_SYS_THREAD_SUSPEND:
    case KOZO_SYS_THREAD_RESUME:
    case KOZO_SYS_THREAD_INFO:
        return (struct arguments){ { a_cap(t, KOZO_KIND_THREAD), HOST_ENTRY, 0x7000 } };
    case KOZO_SYS_THREAD_PRIORITY:
        return (struct arguments){ { a_cap(t, KOZO_KIND_THREAD), HOST_PRIORITY + host_random(4),
                                     HOST_PRIORITY } };
    case KOZO_SYS_SPACE_FEED:
        return (struct arguments){ { a_cap(t, KOZO_KIND_ADDRESS_SPACE),
                                     a_cap(t, KOZO_KIND_PAGE_TABLE) } };
    case KOZO_SYS_MAP:
        return (struct arguments){ { a_cap(t, KOZO_KIND_ADDRESS_SPACE), a_cap(t, KOZO_KIND_FRAME),
                                     an_address(), PICK(1, 3, 17) } };
    case KOZO_SYS_UNMAP:
    case KOZO_SYS_PROTECT:
        return (struct arguments){ { 0, a_cap(t, KOZO_KIND_FRAME), PICK(1, 3, 17) } };
    case KOZO_SYS_IRQ_CLAIM:
        return (struct arguments){ { a_cap(t, KOZO_KIND_IRQ_CONTROL), host_random(4), a_cnode(),
                                     a_place(t, true) } };
    case KOZO_SYS_IRQ_BIND:
    case KOZO_SYS_IRQ_ACK:
        return (struct arguments){ { a_cap(t, KOZO_KIND_IRQ_HANDLER),
                                     a_cap(t, KOZO_KIND_NOTIFICATION), 3 } };
    case KOZO_SYS_CAP_DELETE:
    case KOZO_SYS_CAP_REVOKE:
    case KOZO_SYS_CAP_VERIFY:
        return (struct arguments){ { a_cnode(), a_place(t, false), a_cnode(), a_place(t, false) } };
    default: /* two slots, and what follows */
        return (struct arguments){ { a_cnode(), a_place(t, true), a_cnode(), a_place(t, false),
                                     a_rights(), a_number() } };
    }
}

static uint64_t a_call(void)
{
    static const uint64_t often[] = {
        KOZO_SYS_CALL,        KOZO_SYS_CALL,     KOZO_SYS_REPLY_RECV, KOZO_SYS_REPLY_RECV,
        KOZO_SYS_SEND,        KOZO_SYS_RECV,     KOZO_SYS_RECV,       KOZO_SYS_REPLY,
        KOZO_SYS_REPLY_SAVE,  KOZO_SYS_CAP_COPY, KOZO_SYS_CAP_COPY,   KOZO_SYS_CAP_COPY,
        KOZO_SYS_CAP_MINT,    KOZO_SYS_CAP_MOVE, KOZO_SYS_CAP_MOVE,   KOZO_SYS_RETYPE,
        KOZO_SYS_RETYPE,      KOZO_SYS_MAP,      KOZO_SYS_MAP,        KOZO_SYS_SPACE_FEED,
        KOZO_SYS_UNMAP,       KOZO_SYS_PROTECT,  KOZO_SYS_CAP_DELETE, KOZO_SYS_CAP_REVOKE,
        KOZO_SYS_THREAD_BIND,
    };

    uint64_t any = host_random(KOZO_SYS_FINISH + 2);

    if (host_random(3) != 0 || (any == KOZO_SYS_THREAD_EXIT && host_random(4) != 0))
        return often[host_random(ARRAY_LEN(often))];
    return any;
}

static void touch_memory(const struct tcb *t)
{
    for (uint32_t i = 0; i < 4; i++)
        (void)host_can(t, an_address(), host_random(2) ? KOZO_READ : KOZO_WRITE);
}

static void random_call(struct tcb *t)
{
    uint64_t number = a_call();
    struct arguments a = arguments_for(t, number);

    fill_buffer(t);
    host_preempt(host_random(4) == 0 ? 1 + host_random(4) : 0, host_random(3));
    (void)host_call(t, machine.now + host_random(300), number, a.v, 6);
    host_preempt(0, 0);
}

/* ---- a world ---- */

static void furnish(struct tcb *t)
{
    CHECK_OK(call(host.init, RETYPE, SLOT_UNTYPED, KOZO_WHAT(KOZO_KIND_UNTYPED, 18),
                  host_cnode_slot(t), SLOT_UNTYPED, 1));
    CHECK_OK(call(host.init, POOL_SPLIT, SLOT_POOL, host_cnode_slot(t), SLOT_POOL, 8));
    CHECK_OK(
        call(host.init, CAP_COPY, host_cnode_slot(t), SLOT_FREE, 0, SLOT_CNODE, KOZO_SAME_RIGHTS));
    CHECK_OK(call(host.init, RETYPE, SLOT_UNTYPED, KOZO_WHAT(KOZO_KIND_PAGE_TABLE, 0),
                  host_cnode_slot(t), SLOT_FREE + 1, 3));
    for (uint64_t i = 1; i < 4; i++)
        CHECK_OK(call(t, SPACE_FEED, SLOT_SPACE, SLOT_FREE + i));
}

static void boot_world(uint64_t seed)
{
    host_boot();
    host.seed = seed * 0x9e3779b97f4a7c15ull | 1;
    thread[0] = host.init;
    for (uint32_t i = 1; i < THREADS; i++) {
        thread[i] =
            i < 4 ? host_thread(KOZO_READ | KOZO_WRITE | KOZO_GRANT, i) : host_peer(HOST_PRIORITY);
        if (i < 4)
            furnish(thread[i]);
    }
    for (uint32_t i = 0; i < THREADS; i++)
        serial[i] = thread[i]->serial;
}

static struct tcb *a_ready_thread(void)
{
    for (uint32_t tries = 0; tries < 30; tries++) {
        struct tcb *t = &kernel.tcbs[host_random(kernel.pools.tcb_fresh)];
        if (t->state == TCB_READY)
            return t;
    }
    return nullptr;
}

static void something_happens(void)
{
    switch (host_random(5)) {
    case 0:
        (void)host_interrupt((uint32_t)host_random(4));
        break;
    case 1: {
        struct tcb *t = a_ready_thread();
        if (t != nullptr)
            host_fault(t, KOZO_FAULT_PAGE, an_address(), KOZO_READ);
        break;
    }
    case 2:
        host_leave();
        break;
    default:
        host_advance(host_random(400));
    }
}

/* Nobody can run any more: wake those of the first threads that are left. */
static bool revive(void)
{
    bool any = false;

    for (uint32_t i = 0; i < THREADS; i++) {
        struct tcb *t = thread[i];
        if (t->serial != serial[i] || t->state == TCB_FREE || t->root == 0)
            continue;
        tcb_suspend(t, KOZO_ERR_CANCELLED);
        tcb_resume(t);
        any = true;
    }
    host_leave();
    return any;
}

static void run_world(uint64_t seed)
{
    boot_world(seed);
    if (seed % 2 == 0)
        host_trace(HOST_TRACE_ALL);
    for (uint32_t n = 0; n < CALLS; n++) {
        struct tcb *t = a_ready_thread();
        if (host_random(12) == 0)
            something_happens();
        else if (t == nullptr) {
            if (!revive())
                break;
        } else {
            touch_memory(t);
            random_call(t);
        }
    }
    host_idle();
    host_check();
}

TEST(random_calls_keep_every_invariant)
{
    const char *worlds = getenv("UNIT_RANDOM");
    uint64_t n = worlds != nullptr ? strtoull(worlds, nullptr, 10) : WORLDS;

    for (uint64_t seed = 1; seed <= n; seed++) {
        if (worlds != nullptr)
            fprintf(stderr, "world %llu\n", (unsigned long long)seed);
        run_world(seed);
        unit_alive();
    }
}
