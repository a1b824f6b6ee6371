/* SPDX-License-Identifier: MIT */
/*
 * test_notification.c - bits that are set, taken, waited for, and received with messages.
 */
#include "cap/object.h"
#include "host.h"

#define N SLOT_FREE

TEST(bits_are_collected_until_taken)
{
    host_boot();
    CHECK_OK(call(host.init, SIGNAL, SLOT_NTFN, 1));
    CHECK_OK(call(host.init, SIGNAL, SLOT_NTFN, 4));
    CHECK_OK(call(host.init, SIGNAL, SLOT_NTFN, 4));
    CHECK_OK(call(host.init, POLL, SLOT_NTFN));
    CHECK_EQ(host.init->frame.reg[0], 5);
    CHECK_OK(call(host.init, POLL, SLOT_NTFN));
    CHECK_EQ(host.init->frame.reg[0], 0);
    CHECK_OK(call(host.init, SIGNAL, SLOT_NTFN, UINT64_MAX));
    CHECK_OK(call(host.init, WAIT, SLOT_NTFN, 0));
    CHECK_EQ(host.init->frame.reg[0], UINT64_MAX);
}

TEST(a_waiter_takes_all_bits)
{
    host_boot();
    struct tcb *t = host_thread(0, 0);
    CHECK_EQ(call(t, WAIT, SLOT_NTFN, 0), HOST_BLOCKED);
    CHECK_EQ(t->state, TCB_WAITING);
    CHECK_OK(call(host.init, SIGNAL, SLOT_NTFN, 6));
    CHECK_OK(host_error(t));
    CHECK_EQ(t->frame.reg[0], 6);
    CHECK_PTR(host_running(), host.init);
    CHECK_OK(call(host.init, POLL, SLOT_NTFN));
    CHECK_EQ(host.init->frame.reg[0], 0);
}

TEST(a_signal_wakes_one_waiter_the_most_urgent)
{
    host_boot();
    struct tcb *a = host_thread_at(0, 0, 110), *b = host_thread_at(0, 0, 105),
               *c = host_thread_at(0, 0, 110);
    call(a, WAIT, SLOT_NTFN, 0);
    call(b, WAIT, SLOT_NTFN, 0);
    call(c, WAIT, SLOT_NTFN, 0);
    CHECK_OK(call(host.init, SIGNAL, SLOT_NTFN, 1));
    CHECK_EQ(b->state, TCB_READY);
    CHECK_EQ(a->state, TCB_WAITING);
    CHECK_OK(call(host.init, SIGNAL, SLOT_NTFN, 2));
    CHECK_EQ(a->state, TCB_READY);
    CHECK_EQ(a->frame.reg[0], 2);
    CHECK_EQ(c->state, TCB_WAITING);
}

TEST(a_more_urgent_waiter_runs_at_once)
{
    host_boot();
    struct tcb *t = host_thread_at(0, 0, 5);
    call(t, WAIT, SLOT_NTFN, 0);
    CHECK_OK(call(host.init, SIGNAL, SLOT_NTFN, 1));
    CHECK_PTR(host_running(), t);
}

TEST(no_bits_wake_nobody)
{
    host_boot();
    struct tcb *t = host_thread(0, 0);
    call(t, WAIT, SLOT_NTFN, 0);
    CHECK_OK(call(host.init, SIGNAL, SLOT_NTFN, 0));
    CHECK_EQ(t->state, TCB_WAITING);
}

TEST(a_badge_limits_the_bits_that_can_be_signalled)
{
    host_boot();
    CHECK_OK(call(host.init, CAP_MINT, 0, N, 0, SLOT_NTFN, KOZO_SAME_RIGHTS, 0x0c));
    CHECK_OK(call(host.init, SIGNAL, N, 0x05));
    CHECK_OK(call(host.init, POLL, SLOT_NTFN));
    CHECK_EQ(host.init->frame.reg[0], 0x04);
    CHECK_OK(call(host.init, CAP_MINT, 0, N + 1, 0, SLOT_NTFN, KOZO_SAME_RIGHTS, 0));
    CHECK_OK(call(host.init, SIGNAL, N + 1, UINT64_MAX)); /* badged with nothing */
    CHECK_OK(call(host.init, POLL, SLOT_NTFN));
    CHECK_EQ(host.init->frame.reg[0], 0);
}

TEST(each_use_needs_its_right)
{
    host_boot();
    CHECK_OK(call(host.init, CAP_COPY, 0, N, 0, SLOT_NTFN, KOZO_READ));
    CHECK_OK(call(host.init, CAP_COPY, 0, N + 1, 0, SLOT_NTFN, KOZO_WRITE));
    CHECK_ERR(call(host.init, SIGNAL, N, 1), RIGHTS);
    CHECK_ERR(call(host.init, WAIT, N + 1, 0), RIGHTS);
    CHECK_ERR(call(host.init, POLL, N + 1), RIGHTS);
    CHECK_ERR(call(host.init, THREAD_BIND_NTFN, SLOT_THREAD, N + 1), RIGHTS);
    CHECK_ERR(call(host.init, SIGNAL, SLOT_EP, 1), KIND);
    CHECK_ERR(call(host.init, WAIT, N + 5, 0), EMPTY);
    CHECK_ERR(call(host.init, POLL, 0), ADDRESS);
    CHECK_ERR(call(host.init, WAIT, SLOT_NTFN, KOZO_INFO_RECV_CAPS), ARGUMENT);
    CHECK_ERR(call(host.init, WAIT, SLOT_NTFN, 1), ARGUMENT);
    CHECK_ERR(call(host.init, WAIT, 0, 0), ARGUMENT); /* a sleep without end */
}

/* FACTS: a dead thread left in a queue. */
TEST(waiters_leave_the_queue_when_they_end)
{
    for (uint32_t gone = 0; gone < 3; gone++) {
        struct tcb *t[3];
        host_boot();
        for (uint32_t i = 0; i < 3; i++)
            call(t[i] = host_thread(0, 0), WAIT, SLOT_NTFN, 0);
        CHECK_OK(call(host.init, CAP_REVOKE, 0, host_thread_slot(t[gone])));
        CHECK_OK(call(host.init, CAP_DELETE, 0, host_thread_slot(t[gone])));
        for (uint32_t i = 0; i < 3; i++) {
            if (i == gone)
                continue;
            CHECK_OK(call(host.init, SIGNAL, SLOT_NTFN, 8));
            CHECK_EQ(t[i]->state, TCB_READY);
            CHECK_EQ(t[i]->frame.reg[0], 8);
        }
    }
}

TEST(deleting_a_notification_wakes_its_waiters_with_gone)
{
    struct tcb *t[20];

    host_boot();
    host_make(N, KOZO_KIND_NOTIFICATION, 0);
    for (uint32_t i = 0; i < ARRAY_LEN(t); i++)
        CHECK_EQ(call(t[i] = host_peer(HOST_PRIORITY), WAIT, N, 0), HOST_BLOCKED);
    CHECK_OK(call(host.init, CAP_DELETE, 0, N));
    for (uint32_t i = 0; i < ARRAY_LEN(t); i++) {
        CHECK_EQ(t[i]->state, TCB_READY);
        CHECK_ERR(host_error(t[i]), GONE);
        CHECK_EQ(t[i]->frame.reg[0], 0);
    }
}

/* ---- bound to a thread ---- */

TEST(bits_of_a_bound_notification_are_received)
{
    host_boot();
    struct tcb *server = host_thread(KOZO_READ, 0);
    CHECK_OK(call(server, THREAD_BIND_NTFN, SLOT_THREAD, SLOT_NTFN));
    CHECK_EQ(call(server, RECV, SLOT_EP), HOST_BLOCKED);
    CHECK_OK(call(host.init, SIGNAL, SLOT_NTFN, 9));
    CHECK_EQ(server->state, TCB_READY);
    CHECK_OK(host_error(server));
    CHECK_EQ(server->frame.badge, 9);
    CHECK_EQ(server->frame.info, KOZO_INFO_NOTIFICATION);
    for (uint32_t i = 0; i < KOZO_MSG_REGS; i++)
        CHECK_EQ(server->frame.word[i], 0);
    CHECK(queue_is_empty(&host_endpoint()->receivers));
}

TEST(bits_that_came_before_are_received_first)
{
    host_boot();
    struct tcb *server = host_thread(KOZO_READ, 0);
    struct tcb *client = host_thread(KOZO_WRITE, 1);
    CHECK_OK(call(server, THREAD_BIND_NTFN, SLOT_THREAD, SLOT_NTFN));
    CHECK_OK(call(host.init, SIGNAL, SLOT_NTFN, 9));
    call(client, SEND, SLOT_EP, INFO(3));
    CHECK_OK(call(server, RECV, SLOT_EP));
    CHECK_EQ(server->frame.info, KOZO_INFO_NOTIFICATION);
    CHECK_OK(call(server, RECV, SLOT_EP));
    CHECK_EQ(INFO_LABEL(server->frame.info), 3);
}

TEST(bits_do_not_disturb_a_thread_that_waits_for_something_else)
{
    host_boot();
    struct tcb *server = host_thread(KOZO_READ | KOZO_WRITE, 0);
    CHECK_OK(call(server, THREAD_BIND_NTFN, SLOT_THREAD, SLOT_NTFN));
    CHECK_EQ(call(server, CALL, SLOT_EP, INFO(0)), HOST_BLOCKED);
    CHECK_OK(call(host.init, SIGNAL, SLOT_NTFN, 9));
    CHECK_EQ(server->state, TCB_SENDING);
    CHECK_EQ(host_ntfn()->bits, 9);
}

TEST(binding_with_bits_set_delivers_them_to_a_receiver)
{
    host_boot();
    struct tcb *server = host_thread(KOZO_READ, 0);
    CHECK_EQ(call(server, RECV, SLOT_EP), HOST_BLOCKED);
    CHECK_OK(call(host.init, SIGNAL, SLOT_NTFN, 9));
    CHECK_OK(call(host.init, THREAD_BIND_NTFN, host_thread_slot(server), SLOT_NTFN));
    CHECK_EQ(server->state, TCB_READY);
    CHECK_EQ(server->frame.badge, 9);
}

TEST(one_notification_one_thread)
{
    host_boot();
    struct tcb *a = host_thread(KOZO_READ, 0);
    struct tcb *b = host_thread(KOZO_READ, 0);
    host_make(N, KOZO_KIND_NOTIFICATION, 0);
    CHECK_OK(call(a, THREAD_BIND_NTFN, SLOT_THREAD, SLOT_NTFN));
    CHECK_ERR(call(b, THREAD_BIND_NTFN, SLOT_THREAD, SLOT_NTFN), IN_USE);
    CHECK_ERR(call(host.init, THREAD_BIND_NTFN, host_thread_slot(a), N), IN_USE);
    CHECK_OK(call(a, THREAD_BIND_NTFN, SLOT_THREAD, 0));
    CHECK_OK(call(a, THREAD_BIND_NTFN, SLOT_THREAD, 0)); /* unbound already */
    CHECK_OK(call(b, THREAD_BIND_NTFN, SLOT_THREAD, SLOT_NTFN));
    CHECK_OK(call(host.init, SIGNAL, SLOT_NTFN, 1));
    CHECK_EQ(call(a, RECV, SLOT_EP), HOST_BLOCKED);
    CHECK_OK(call(b, RECV, SLOT_EP));
}

TEST(a_binding_is_cut_when_either_side_ends)
{
    host_boot();
    struct tcb *t = host_thread(KOZO_READ, 0);
    host_make(N, KOZO_KIND_NOTIFICATION, 0);
    CHECK_OK(call(host.init, THREAD_BIND_NTFN, host_thread_slot(t), N));
    CHECK_OK(call(host.init, CAP_DELETE, 0, N));
    CHECK_PTR(t->bound, nullptr);
    CHECK_EQ(call(t, RECV, SLOT_EP), HOST_BLOCKED);

    CHECK_OK(call(host.init, THREAD_BIND_NTFN, host_thread_slot(t), SLOT_NTFN));
    CHECK_OK(call(host.init, CAP_REVOKE, 0, host_thread_slot(t)));
    CHECK_OK(call(host.init, CAP_DELETE, 0, host_thread_slot(t)));
    CHECK_PTR(host_ntfn()->bound, nullptr);
    CHECK_OK(call(host.init, SIGNAL, SLOT_NTFN, 1));
    CHECK_EQ(host_ntfn()->bits, 1);
}
