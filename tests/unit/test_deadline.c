/* SPDX-License-Identifier: MIT */
/*
 * test_deadline.c - calls that end when time is up, and the timer that sees to it.
 */
#include "host.h"

#define D KOZO_INFO_DEADLINE

static uint64_t sleep_until(struct tcb *t, uint64_t deadline)
{
    return call_until(t, deadline, WAIT, 0, D);
}

/* init out of the way, so that time passes idle. */
static void park_init(void) { CHECK_EQ(call(host.init, WAIT, SLOT_NTFN, 0), HOST_BLOCKED); }

TEST(a_sleep_ends_at_its_deadline)
{
    host_boot();
    struct tcb *t = host_thread(0, 0);
    park_init();
    CHECK_EQ(sleep_until(t, 1000), HOST_BLOCKED);
    CHECK_EQ(machine.armed, 1000);
    host_advance(999);
    CHECK_EQ(t->state, TCB_WAITING);
    host_advance(1);
    CHECK_EQ(t->state, TCB_READY);
    CHECK_ERR(host_error(t), TIMEOUT);
    CHECK_PTR(host_running(), t);
}

TEST(a_deadline_that_has_passed_ends_the_call_at_once)
{
    host_boot();
    host_advance(5000);
    struct tcb *t = host_thread(KOZO_READ | KOZO_WRITE, 0);
    static const uint64_t past[] = { 0, 1, 4999, 5000 };
    for (uint32_t i = 0; i < ARRAY_LEN(past); i++) {
        CHECK_ERR(sleep_until(t, past[i]), TIMEOUT);
        CHECK_ERR(call_until(t, past[i], WAIT, SLOT_NTFN, D), TIMEOUT);
        CHECK_ERR(call_until(t, past[i], RECV, SLOT_EP, D), TIMEOUT);
        CHECK_ERR(call_until(t, past[i], SEND, SLOT_EP, D), TIMEOUT);
        CHECK_ERR(call_until(t, past[i], CALL, SLOT_EP, D), TIMEOUT);
        CHECK_ERR(call_until(t, past[i], REPLY_RECV, SLOT_EP, D), TIMEOUT);
    }
    CHECK_EQ(kernel.timers.count, 0);
}

/* 0 = do not block: what can be done at once is done. */
TEST(a_deadline_of_0_takes_what_is_there)
{
    host_boot();
    struct tcb *server = host_thread(KOZO_READ, 0);
    struct tcb *client = host_thread(KOZO_WRITE, 7);
    call(client, SEND, SLOT_EP, INFO(3));
    CHECK_OK(call_until(server, 0, RECV, SLOT_EP, D));
    CHECK_EQ(server->frame.badge, 7);
    call(server, RECV, SLOT_EP);
    CHECK_OK(call_until(client, 0, SEND, SLOT_EP, D | INFO(4)));
    CHECK_EQ(INFO_LABEL(server->frame.info), 4);
    CHECK_OK(call(host.init, SIGNAL, SLOT_NTFN, 1));
    CHECK_OK(call_until(client, 0, WAIT, SLOT_NTFN, D));
}

/* A call that could not wait for its answer is not made at all. */
TEST(a_call_with_deadline_0_is_not_sent)
{
    host_boot();
    struct tcb *server = host_thread(KOZO_READ, 0);
    struct tcb *client = host_thread(KOZO_WRITE, 7);
    call(server, RECV, SLOT_EP);
    CHECK_ERR(call_until(client, 0, CALL, SLOT_EP, D), TIMEOUT);
    CHECK_EQ(server->state, TCB_RECEIVING);
}

TEST(a_deadline_without_its_flag_is_none)
{
    host_boot();
    struct tcb *t = host_thread(KOZO_READ, 0);
    CHECK_EQ(call_until(t, 0, RECV, SLOT_EP, 0), HOST_BLOCKED);
    CHECK_EQ(kernel.timers.count, 0);
}

TEST(a_sender_that_times_out_leaves_the_queue)
{
    host_boot();
    struct tcb *server = host_thread(KOZO_READ, 0);
    struct tcb *a = host_thread(KOZO_WRITE, 1), *b = host_thread(KOZO_WRITE, 2);
    CHECK_EQ(call_until(a, 100, CALL, SLOT_EP, D, 5), HOST_BLOCKED);
    CHECK_EQ(call_until(b, 200, SEND, SLOT_EP, D), HOST_BLOCKED);
    host_advance(100);
    CHECK_ERR(host_error(a), TIMEOUT);
    CHECK_EQ(a->frame.word[0], 0);
    CHECK_OK(call(server, RECV, SLOT_EP));
    CHECK_EQ(server->frame.badge, 2);
    host_advance(1000);
    CHECK_OK(host_error(b)); /* received in time; its deadline is no more */
}

TEST(a_caller_that_times_out_takes_its_reply_right_along)
{
    host_boot();
    struct tcb *server = host_thread(KOZO_READ, 0);
    struct tcb *client = host_thread(KOZO_WRITE, 1);
    call(server, RECV, SLOT_EP);
    CHECK_EQ(call_until(client, 500, CALL, SLOT_EP, D), HOST_BLOCKED);
    CHECK_EQ(client->state, TCB_CALLING);
    host_advance(500);
    CHECK_ERR(host_error(client), TIMEOUT);
    CHECK_PTR(server->owes, nullptr);
    CHECK_ERR(call(server, REPLY, 0, INFO(0)), NOREPLY);
}

/* The deadline of a CALL covers the waiting for the answer too, when it was queued first. */
TEST(the_deadline_of_a_queued_call_goes_on_when_it_is_received)
{
    host_boot();
    struct tcb *server = host_thread(KOZO_READ, 0);
    struct tcb *client = host_thread(KOZO_WRITE, 1);
    CHECK_EQ(call_until(client, 500, CALL, SLOT_EP, D), HOST_BLOCKED);
    CHECK_OK(call(server, RECV, SLOT_EP));
    CHECK_OK(call(server, REPLY_SAVE, 0, SLOT_FREE));
    host_advance(500);
    CHECK_ERR(host_error(client), TIMEOUT);
    CHECK(slot_is_null(host_slot_of(server, SLOT_FREE)));
}

TEST(an_event_in_time_disarms_the_deadline)
{
    host_boot();
    struct tcb *t = host_thread(KOZO_READ, 0);
    CHECK_EQ(call_until(t, 100, WAIT, SLOT_NTFN, D), HOST_BLOCKED);
    CHECK_OK(call(host.init, SIGNAL, SLOT_NTFN, 2));
    CHECK_EQ(call_until(t, 900, RECV, SLOT_EP, D), HOST_BLOCKED);
    host_advance(500);
    CHECK_EQ(t->state, TCB_RECEIVING); /* the first deadline has no effect on this wait */
    CHECK_OK(call(host.init, SEND, SLOT_EP, INFO(1)));
    host_advance(1000);
    CHECK_OK(host_error(t));
    CHECK_EQ(INFO_LABEL(t->frame.info), 1);
}

TEST(event_and_deadline_at_the_same_tick_give_one_result)
{
    host_boot();
    struct tcb *t = host_thread(0, 0);
    CHECK_EQ(call_until(t, 100, WAIT, SLOT_NTFN, D), HOST_BLOCKED);
    machine.now = 100; /* the timer is about to interrupt */
    CHECK_OK(call(host.init, SIGNAL, SLOT_NTFN, 2));
    host_advance(0);
    CHECK_OK(host_error(t));
    CHECK_EQ(t->frame.reg[0], 2);

    CHECK_EQ(call_until(t, 200, WAIT, SLOT_NTFN, D), HOST_BLOCKED);
    host_advance(100); /* the timer first */
    CHECK_OK(call(host.init, SIGNAL, SLOT_NTFN, 4));
    CHECK_ERR(host_error(t), TIMEOUT);
    CHECK_EQ(t->frame.reg[0], 0);
    CHECK_EQ(host_ntfn()->bits, 4); /* nothing was lost */
}

TEST(reply_and_deadline_at_the_same_tick_give_one_result)
{
    host_boot();
    struct tcb *server = host_thread(KOZO_READ, 0);
    struct tcb *client = host_thread(KOZO_WRITE, 1);
    call(server, RECV, SLOT_EP);
    call_until(client, 100, CALL, SLOT_EP, D);
    machine.now = 100;
    CHECK_OK(call(server, REPLY, 0, INFO(0), 9));
    host_advance(0);
    CHECK_OK(host_error(client));
    CHECK_EQ(client->frame.word[0], 9);
}

TEST(at_most_16_wake_in_one_event_and_the_rest_in_the_next)
{
    struct tcb *t[40];

    host_boot();
    for (uint32_t i = 0; i < ARRAY_LEN(t); i++)
        CHECK_EQ(sleep_until(t[i] = host_peer(150), 1000), HOST_BLOCKED);
    machine.now = 1000;
    machine.armed = UINT64_MAX;
    for (uint32_t woken = 0; woken < 40;) {
        uint32_t count = 0;
        kernel_tick();
        for (uint32_t i = 0; i < ARRAY_LEN(t); i++)
            count += t[i]->state == TCB_READY;
        CHECK(count - woken <= TIMER_BATCH);
        CHECK(count > woken);
        CHECK(count == 40 || machine.armed <= 1000); /* it interrupts again at once */
        woken = count;
    }
    host_check();
}

TEST(sleepers_wake_in_the_order_of_their_deadlines)
{
    struct tcb *t[60];
    uint64_t deadline[60];

    host_boot();
    park_init();
    host.seed = 7;
    for (uint32_t i = 0; i < ARRAY_LEN(t); i++) {
        t[i] = host_peer(HOST_PRIORITY);
        deadline[i] = 1000 + host_random(100'000);
        CHECK_EQ(sleep_until(t[i], deadline[i]), HOST_BLOCKED);
    }
    for (uint32_t i = 0; i < ARRAY_LEN(t); i += 3) { /* out of the middle of the heap */
        tcb_suspend(t[i], KOZO_ERR_CANCELLED);
        host_leave();
    }
    while (machine.now < 120'000) {
        host_advance(777);
        for (uint32_t i = 0; i < ARRAY_LEN(t); i++) {
            bool due = i % 3 != 0 && deadline[i] <= machine.now;
            CHECK_EQ(t[i]->state, i % 3 == 0 ? TCB_STOPPED : due ? TCB_READY : TCB_WAITING);
        }
    }
    CHECK_EQ(kernel.timers.count, 0);
}

TEST(a_sleeper_can_be_destroyed_and_suspended)
{
    host_boot();
    struct tcb *a = host_thread(0, 0), *b = host_thread(0, 0), *c = host_thread(0, 0);
    sleep_until(a, 100);
    sleep_until(b, 100);
    sleep_until(c, 100);
    CHECK_OK(call(host.init, THREAD_SUSPEND, host_thread_slot(a)));
    CHECK_OK(call(host.init, CAP_REVOKE, 0, host_thread_slot(b)));
    CHECK_OK(call(host.init, CAP_DELETE, 0, host_thread_slot(b)));
    host_advance(100);
    CHECK_EQ(a->state, TCB_STOPPED);
    CHECK_EQ(b->state, TCB_FREE);
    CHECK_EQ(c->state, TCB_READY);
    CHECK_OK(call(host.init, THREAD_RESUME, host_thread_slot(a)));
    CHECK_ERR(host_error(a), CANCELLED);
}

TEST(an_early_interrupt_wakes_nobody)
{
    host_boot();
    struct tcb *t = host_thread(0, 0);
    sleep_until(t, UINT64_MAX - 1);
    machine.armed = UINT64_MAX;
    CHECK_PTR(kernel_tick(), host.init);
    CHECK_EQ(t->state, TCB_WAITING);
    CHECK(machine.armed <= UINT64_MAX - 1); /* armed again */
}

TEST(the_timer_is_left_alone_when_nothing_waits)
{
    host_boot();
    host_advance(1'000'000'000);
    CHECK_EQ(machine.armed, UINT64_MAX);
    CHECK_EQ(kernel.timers.ticks, 0);
}

TEST(a_timeout_of_a_more_urgent_thread_preempts)
{
    host_boot();
    struct tcb *t = host_thread_at(0, 0, 3);
    sleep_until(t, 100);
    CHECK_PTR(host_running(), host.init);
    host_advance(100);
    CHECK_PTR(host_running(), t);
}
