/* SPDX-License-Identifier: MIT */
/*
 * test_sched.c - who runs next: priorities, turns among equals, slices.
 */
#include "host.h"

static void park_init(void) { CHECK_EQ(call(host.init, WAIT, SLOT_NTFN, 0), HOST_BLOCKED); }

TEST(the_most_urgent_runs)
{
    static const uint8_t priority[] = { 0, 1, 63, 64, 127, 128, 191, 192, 254 };
    struct tcb *t[ARRAY_LEN(priority)];

    host_boot();
    park_init();
    for (uint32_t i = ARRAY_LEN(t); i-- > 0;) { /* each preempts the ones before */
        t[i] = host_peer(priority[i]);
        CHECK_PTR(host_running(), t[i]);
    }
    for (uint32_t i = 0; i < ARRAY_LEN(t); i++) {
        CHECK_PTR(host_running(), t[i]);
        CHECK_EQ(call(t[i], WAIT, SLOT_NTFN, 0), HOST_BLOCKED);
    }
    CHECK(host_is_idle());
}

TEST(equals_take_turns_in_order)
{
    struct tcb *t[3];

    host_boot();
    for (uint32_t i = 0; i < 3; i++)
        t[i] = host_peer(HOST_PRIORITY);
    CHECK_PTR(host_running(), host.init);
    for (uint32_t round = 0; round < 2; round++) {
        CHECK_OK(call(host_running(), YIELD));
        for (uint32_t i = 0; i < 3; i++) {
            CHECK_PTR(host_running(), t[i]);
            CHECK_OK(call(host_running(), YIELD));
        }
        CHECK_PTR(host_running(), host.init);
    }
}

TEST(yield_alone_returns)
{
    host_boot();
    struct tcb *low = host_peer(HOST_PRIORITY + 1);
    CHECK_OK(call(host.init, YIELD));
    CHECK_PTR(host_running(), host.init);
    CHECK_EQ(low->state, TCB_READY);
}

TEST(a_slice_ends_when_an_equal_is_ready)
{
    host_boot();
    struct tcb *t = host_peer(HOST_PRIORITY);
    CHECK_PTR(host_running(), host.init);
    host_advance(SCHED_SLICE_NS - 1);
    CHECK_PTR(host_running(), host.init);
    host_advance(1);
    CHECK_PTR(host_running(), t);
    host_advance(SCHED_SLICE_NS);
    CHECK_PTR(host_running(), host.init);
}

TEST(a_thread_alone_at_its_priority_has_no_slice)
{
    host_boot();
    struct tcb *low = host_peer(HOST_PRIORITY + 1);
    host_advance(100 * SCHED_SLICE_NS);
    CHECK_PTR(host_running(), host.init);
    CHECK_EQ(kernel.timers.ticks, 0);
    CHECK_EQ(low->state, TCB_READY);
}

TEST(spinning_threads_share_the_processor_fairly)
{
    struct tcb *t[4];
    uint32_t slices[4] = {};

    host_boot();
    park_init();
    for (uint32_t i = 0; i < 4; i++)
        t[i] = host_peer(HOST_PRIORITY);
    for (uint32_t n = 0; n < 400; n++) {
        for (uint32_t i = 0; i < 4; i++)
            slices[i] += host_running() == t[i];
        host_advance(SCHED_SLICE_NS);
    }
    for (uint32_t i = 0; i < 4; i++)
        CHECK_EQ(slices[i], 100);
}

/* Two that hand the processor to each other cannot keep a third from it. */
TEST(calls_among_equals_do_not_renew_the_slice)
{
    host_boot();
    struct tcb *server = host_thread(KOZO_READ, 0), *client = host_thread(KOZO_WRITE, 1);
    struct tcb *third = host_peer(HOST_PRIORITY);
    park_init();
    call(server, RECV, SLOT_EP);
    call(client, CALL, SLOT_EP, INFO(0));
    uint64_t passed = 0;
    while (host_running() != third) {
        CHECK(passed <= SCHED_SLICE_NS);
        if (host_running() == server)
            call(server, REPLY_RECV, SLOT_EP, INFO(0));
        else
            call(client, CALL, SLOT_EP, INFO(0));
        host_advance(SCHED_SLICE_NS / 10);
        passed += SCHED_SLICE_NS / 10;
    }
}

TEST(a_preempted_thread_is_first_among_its_equals)
{
    host_boot();
    struct tcb *a = host_peer(110), *b = host_peer(110);
    park_init();
    CHECK_PTR(host_running(), a);
    struct tcb *urgent = host_peer(10);
    CHECK_PTR(host_running(), urgent);
    call(urgent, WAIT, SLOT_NTFN, 0);
    CHECK_PTR(host_running(), a);
    CHECK_EQ(b->state, TCB_READY);
}

TEST(a_woken_thread_goes_behind_its_equals)
{
    host_boot();
    struct tcb *a = host_peer(HOST_PRIORITY), *b = host_peer(HOST_PRIORITY);
    call(a, WAIT, SLOT_NTFN, 0);
    CHECK_OK(call(host.init, SIGNAL, SLOT_NTFN, 1));
    CHECK_OK(call(host.init, YIELD));
    CHECK_PTR(host_running(), b);
    CHECK_OK(call(b, YIELD));
    CHECK_PTR(host_running(), a);
}

/* A call to a server is a direct switch only if nobody more urgent is ready. */
TEST(a_call_gives_way_to_who_is_more_urgent_than_the_server)
{
    host_boot();
    struct tcb *server = host_thread_at(KOZO_READ, 0, 120);
    struct tcb *other = host_peer(110);
    call(server, RECV, SLOT_EP);
    CHECK_EQ(call(host.init, CALL, SLOT_EP, INFO(0)), HOST_BLOCKED);
    CHECK_PTR(host_running(), other);
    CHECK_EQ(server->state, TCB_READY);
    call(other, WAIT, SLOT_NTFN, 0);
    CHECK_PTR(host_running(), server);
}

TEST(an_equal_in_the_queue_does_not_prevent_the_direct_switch)
{
    host_boot();
    struct tcb *server = host_thread(KOZO_READ, 0);
    struct tcb *other = host_peer(HOST_PRIORITY);
    call(server, RECV, SLOT_EP);
    CHECK_EQ(other->state, TCB_READY);
    CHECK_EQ(call(host.init, CALL, SLOT_EP, INFO(0)), HOST_BLOCKED);
    CHECK_PTR(host_running(), server);
}

/* ---- changing priorities ---- */

TEST(a_running_thread_made_less_urgent_gives_way)
{
    host_boot();
    struct tcb *t = host_peer(120);
    CHECK_OK(call(host.init, THREAD_PRIORITY, SLOT_THREAD, 130, 0));
    CHECK_PTR(host_running(), t);
    CHECK_OK(call(host.init, THREAD_PRIORITY, SLOT_THREAD, HOST_PRIORITY, 0));
    CHECK_PTR(host_running(), host.init);
}

TEST(a_ready_thread_made_more_urgent_preempts)
{
    host_boot();
    struct tcb *t = host_peer(120);
    CHECK_OK(call(host.init, THREAD_PRIORITY, host_thread_slot(t), 50, 50));
    CHECK_PTR(host_running(), t);
}

TEST(nobody_gives_a_priority_above_the_own_ceiling)
{
    host_boot();
    struct tcb *t = host_thread_at(0, 0, 110);
    CHECK_EQ(t->ceiling, 110);
    CHECK_ERR(call(t, THREAD_PRIORITY, SLOT_THREAD, 109, 109), PRIORITY);
    CHECK_ERR(call(t, THREAD_PRIORITY, SLOT_THREAD, 120, 109), PRIORITY);
    CHECK_OK(call(t, THREAD_PRIORITY, SLOT_THREAD, 130, 110)); /* and back */
    CHECK_OK(call(t, THREAD_PRIORITY, SLOT_THREAD, 110, 110));
    CHECK_OK(call(t, THREAD_PRIORITY, SLOT_THREAD, 130, 120)); /* gives the ceiling up */
    CHECK_ERR(call(t, THREAD_PRIORITY, SLOT_THREAD, 110, 110), PRIORITY);
    CHECK_OK(call(host.init, CAP_COPY, host_cnode_slot(t), SLOT_POOL, 0, SLOT_EP, 0));
}

TEST(priority_errors)
{
    host_boot();
    struct tcb *t = host_thread(0, 0);
    uint64_t at = host_thread_slot(t);
    CHECK_ERR(call(host.init, THREAD_PRIORITY, at, 256, 0), ARGUMENT);
    CHECK_ERR(call(host.init, THREAD_PRIORITY, at, UINT64_MAX, 0), ARGUMENT);
    CHECK_ERR(call(host.init, THREAD_PRIORITY, at, 50, 51), ARGUMENT); /* above its ceiling */
    CHECK_ERR(call(host.init, THREAD_PRIORITY, SLOT_EP, 50, 50), KIND);
    CHECK_OK(call(host.init, CAP_COPY, 0, SLOT_FREE, 0, at, KOZO_READ));
    CHECK_ERR(call(host.init, THREAD_PRIORITY, SLOT_FREE, 200, 200), RIGHTS);
    CHECK_OK(call(host.init, THREAD_PRIORITY, at, 255, 255));
}

TEST(a_thread_at_idle_priority_runs_when_nobody_else_does)
{
    host_boot();
    struct tcb *t = host_peer(KOZO_PRIORITY_IDLE);
    park_init();
    CHECK_PTR(host_running(), t);
    call(t, WAIT, SLOT_NTFN, 0);
    CHECK(host_is_idle());
}

TEST(priorities_change_in_every_state)
{
    host_boot();
    struct tcb *t = host_thread(KOZO_READ | KOZO_WRITE, 0);
    uint64_t at = host_thread_slot(t);
    struct tcb *server = host_thread(KOZO_READ, 0);

    CHECK_OK(call(host.init, THREAD_PRIORITY, at, 120, 120)); /* ready */
    call(t, WAIT, SLOT_NTFN, 0);
    CHECK_OK(call(host.init, THREAD_PRIORITY, at, 121, 121)); /* waiting */
    CHECK_OK(call(host.init, SIGNAL, SLOT_NTFN, 1));
    call_until(t, 1000, WAIT, 0, KOZO_INFO_DEADLINE);
    CHECK_OK(call(host.init, THREAD_PRIORITY, at, 122, 122)); /* asleep */
    host_advance(1000);
    call(t, CALL, SLOT_EP, INFO(0));
    CHECK_OK(call(host.init, THREAD_PRIORITY, at, 123, 123)); /* sending */
    CHECK_OK(call(server, RECV, SLOT_EP));
    CHECK_OK(call(host.init, THREAD_PRIORITY, at, 124, 124)); /* calling */
    CHECK_OK(call(server, REPLY, 0, INFO(0)));
    call(t, RECV, SLOT_EP);
    CHECK_OK(call(host.init, THREAD_PRIORITY, at, 125, 125)); /* receiving */
    CHECK_OK(call(host.init, THREAD_SUSPEND, at));
    CHECK_OK(call(host.init, THREAD_PRIORITY, at, 99, 99)); /* stopped */
    CHECK_OK(call(host.init, THREAD_RESUME, at));
    CHECK_PTR(host_running(), t);
}

/* ---- idle ---- */

TEST(idle_time_is_counted)
{
    host_boot();
    struct tcb *t = host_thread(0, 0);
    park_init();
    CHECK_EQ(call_until(t, 5000, WAIT, 0, KOZO_INFO_DEADLINE), HOST_BLOCKED);
    CHECK(host_is_idle());
    host_advance(9000);
    CHECK_EQ(kernel.idle_tcb.cpu_cycles, 5000);
}

TEST(processor_time_is_charged_to_who_ran)
{
    host_boot();
    struct tcb *a = host_thread(0, 0), *b = host_thread(0, 0);
    park_init();
    CHECK_PTR(host_running(), a);
    uint64_t before = a->cpu_cycles;
    host_advance(1000);
    call(a, WAIT, SLOT_NTFN, 0);
    CHECK_EQ(a->cpu_cycles - before, 1000);
    before = b->cpu_cycles;
    host_advance(300);
    call(b, WAIT, SLOT_NTFN, 0);
    CHECK_EQ(b->cpu_cycles - before, 300);
}

/* ---- the ready queues against a model ---- */

TEST(random_events_always_leave_the_most_urgent_running)
{
    struct tcb *t[24];

    host_boot();
    park_init();
    host.seed = 3;
    for (uint32_t i = 0; i < ARRAY_LEN(t); i++)
        t[i] = host_peer((uint8_t)host_random(256));
    for (uint32_t n = 0; n < 3000; n++) {
        struct tcb *any = t[host_random(ARRAY_LEN(t))];
        switch (host_random(4)) {
        case 0:
            tcb_suspend(any, KOZO_ERR_CANCELLED);
            break;
        case 1:
            if (any->state == TCB_STOPPED)
                tcb_resume(any);
            break;
        case 2: {
            uint8_t priority = (uint8_t)host_random(256);
            tcb_set_priority(any, priority, priority);
            break;
        }
        default:
            sched_rotate();
        }
        host_leave(); /* I6 */
    }
}
