/* SPDX-License-Identifier: MIT */
/*
 * test_reply.c - the right to answer: used once, saved, moved, dropped, lost with its caller or its
 * holder.
 */
#include "cap/object.h"
#include "host.h"

#define R SLOT_FREE
#define S (SLOT_FREE + 1)

static struct tcb *server, *client;

/* A client that waits for its server's answer. */
static void boot_called(void)
{
    host_boot();
    server = host_thread(KOZO_READ | KOZO_WRITE, 0);
    client = host_thread(KOZO_WRITE, 0xc);
    call(server, RECV, SLOT_EP);
    CHECK_EQ(call(client, CALL, SLOT_EP, INFO(1), 5), HOST_BLOCKED);
    CHECK_PTR(server->owes, client);
}

/* ---- once ---- */

TEST(a_call_is_answered_once)
{
    boot_called();
    CHECK_OK(call(server, REPLY, 0, INFO(0), 6));
    CHECK_EQ(client->frame.word[0], 6);
    CHECK_ERR(call(server, REPLY, 0, INFO(0), 7), NOREPLY);
    CHECK_EQ(client->frame.word[0], 6);
}

TEST(a_send_is_owed_no_answer)
{
    host_boot();
    server = host_thread(KOZO_READ, 0);
    client = host_thread(KOZO_WRITE, 0xc);
    call(server, RECV, SLOT_EP);
    CHECK_OK(call(client, SEND, SLOT_EP, INFO(0)));
    CHECK_ERR(call(server, REPLY, 0, INFO(0)), NOREPLY);
}

TEST(a_bad_reply_leaves_the_caller_waiting)
{
    boot_called();
    CHECK_ERR(call(server, REPLY, 0, INFO(0) | 57), ARGUMENT);
    CHECK_ERR(call(server, REPLY, 0, INFO(0) | 1ull << 20), ARGUMENT);
    CHECK_ERR(call(server, REPLY_RECV, SLOT_EP, INFO(0) | 57), ARGUMENT);
    CHECK_ERR(call(server, REPLY_RECV, SLOT_FREE, INFO(0)), EMPTY);
    CHECK_EQ(client->state, TCB_CALLING);
    CHECK_OK(call(server, REPLY, 0, INFO(0)));
}

/* ---- dropped ---- */

TEST(a_server_that_receives_again_drops_the_caller_it_owes)
{
    boot_called();
    CHECK_EQ(call(server, RECV, SLOT_EP), HOST_BLOCKED);
    CHECK_EQ(client->state, TCB_READY);
    CHECK_ERR(host_error(client), DROPPED);
    for (uint32_t i = 0; i < FRAME_REGS; i++)
        CHECK_EQ(client->frame.reg[i], 0);
}

TEST(a_bad_receive_drops_nobody)
{
    boot_called();
    CHECK_ERR(call(server, RECV, SLOT_FREE), EMPTY);
    CHECK_EQ(client->state, TCB_CALLING);
}

TEST(reply_recv_with_nobody_owed_says_so_with_the_next_message)
{
    host_boot();
    server = host_thread(KOZO_READ, 0);
    client = host_thread(KOZO_WRITE, 0xc);
    CHECK_EQ(call(server, REPLY_RECV, SLOT_EP, INFO(0)), HOST_BLOCKED);
    CHECK_OK(call(client, SEND, SLOT_EP, INFO(0)));
    CHECK(server->frame.info & KOZO_INFO_REPLY_LOST);
    CHECK_EQ(call(server, RECV, SLOT_EP), HOST_BLOCKED);
    CHECK_OK(call(client, SEND, SLOT_EP, INFO(0)));
    CHECK(!(server->frame.info & KOZO_INFO_REPLY_LOST));
}

TEST(the_notice_of_a_lost_reply_does_not_outlive_its_call)
{
    host_boot();
    server = host_thread(KOZO_READ, 0);
    client = host_thread(KOZO_WRITE, 0xc);
    CHECK_ERR(call_until(server, 0, REPLY_RECV, SLOT_EP, KOZO_INFO_DEADLINE), TIMEOUT);
    CHECK_EQ(call(server, RECV, SLOT_EP), HOST_BLOCKED);
    CHECK_OK(call(client, SEND, SLOT_EP, INFO(0)));
    CHECK(!(server->frame.info & KOZO_INFO_REPLY_LOST));
}

TEST(a_bound_notification_brings_the_notice_of_a_lost_reply)
{
    host_boot();
    server = host_thread(KOZO_READ, 0);
    CHECK_OK(call(server, THREAD_BIND_NTFN, SLOT_THREAD, SLOT_NTFN));
    CHECK_EQ(call(server, REPLY_RECV, SLOT_EP, INFO(0)), HOST_BLOCKED);
    CHECK_OK(call(host.init, SIGNAL, SLOT_NTFN, 4));
    CHECK_EQ(server->frame.badge, 4);
    CHECK(server->frame.info & KOZO_INFO_NOTIFICATION);
    CHECK(server->frame.info & KOZO_INFO_REPLY_LOST);
}

/* ---- either side dies ---- */

TEST(a_dying_server_wakes_its_caller)
{
    boot_called();
    CHECK_OK(call(host.init, CAP_REVOKE, 0, host_thread_slot(server)));
    CHECK_OK(call(host.init, CAP_DELETE, 0, host_thread_slot(server)));
    CHECK_EQ(server->state, TCB_FREE);
    CHECK_EQ(client->state, TCB_READY);
    CHECK_ERR(host_error(client), GONE);
}

TEST(a_server_that_exits_wakes_its_caller)
{
    boot_called();
    call(server, THREAD_EXIT, 0);
    CHECK_EQ(client->state, TCB_READY);
    CHECK_ERR(host_error(client), GONE);
}

TEST(a_suspended_server_keeps_its_caller)
{
    boot_called();
    CHECK_OK(call(host.init, THREAD_SUSPEND, host_thread_slot(server)));
    CHECK_EQ(client->state, TCB_CALLING);
    CHECK_OK(call(host.init, THREAD_RESUME, host_thread_slot(server)));
    CHECK_OK(call(server, REPLY, 0, INFO(0), 3));
    CHECK_EQ(client->frame.word[0], 3);
}

/* Another program runs then. What the thread was given is its maker's affair, and stays. */
TEST(a_server_that_is_started_afresh_owes_nobody)
{
    boot_called();
    CHECK_OK(call(host.init, THREAD_BIND_NTFN, host_thread_slot(server), SLOT_NTFN));
    CHECK_OK(call(host.init, THREAD_SUSPEND, host_thread_slot(server)));
    CHECK_OK(call(host.init, THREAD_START, host_thread_slot(server), HOST_ENTRY, 0, 0, 0));
    CHECK_PTR(server->owes, nullptr);
    CHECK_EQ(client->state, TCB_READY);
    CHECK_ERR(host_error(client), DROPPED);
    CHECK_ERR(call(server, REPLY, 0, INFO(0), 3), NOREPLY);
    CHECK(server->bound != nullptr);
}

/* Its new life knows nothing of the fault: who waits there is stopped. */
TEST(a_fault_handler_that_is_started_afresh_stops_its_caller)
{
    host_boot();
    server = host_thread(KOZO_READ, 0);
    client = host_thread(KOZO_WRITE, 0);
    tcb_bind(client, TCB_FAULT, host_slot(SLOT_EP), 0);
    call(server, RECV, SLOT_EP, 0);
    host_fault(client, KOZO_FAULT_PAGE, 0x123000, KOZO_READ);
    CHECK_PTR(server->owes, client);
    CHECK_OK(call(host.init, THREAD_SUSPEND, host_thread_slot(server)));
    CHECK_OK(call(host.init, THREAD_START, host_thread_slot(server), HOST_ENTRY, 0, 0, 0));
    CHECK_PTR(server->owes, nullptr);
    CHECK_EQ(client->state, TCB_FAULTED);
}

/* FACTS: a reply right that outlives its caller wakes a stranger in the same TCB. */
TEST(a_dying_caller_takes_the_reply_right_along)
{
    boot_called();
    CHECK_OK(call(host.init, CAP_REVOKE, 0, host_thread_slot(client)));
    CHECK_OK(call(host.init, CAP_DELETE, 0, host_thread_slot(client)));
    CHECK_PTR(server->owes, nullptr);
    struct tcb *stranger = host_thread(KOZO_WRITE, 0xd);
    CHECK_PTR(stranger, client); /* the same TCB */
    call(stranger, WAIT, SLOT_NTFN, 0);
    CHECK_ERR(call(server, REPLY, 0, INFO(0), 6), NOREPLY);
    CHECK_EQ(stranger->state, TCB_WAITING);
}

TEST(a_suspended_caller_is_cancelled_and_its_server_told)
{
    boot_called();
    CHECK_OK(call(host.init, THREAD_SUSPEND, host_thread_slot(client)));
    CHECK_EQ(client->state, TCB_STOPPED);
    CHECK_ERR(call(server, REPLY, 0, INFO(0)), NOREPLY);
    CHECK_OK(call(host.init, THREAD_RESUME, host_thread_slot(client)));
    CHECK_ERR(host_error(client), CANCELLED);
}

TEST(reply_recv_to_a_caller_that_is_gone_goes_on)
{
    boot_called();
    struct tcb *next = host_thread(KOZO_WRITE, 0xd);
    call(next, CALL, SLOT_EP, INFO(0));
    CHECK_OK(call(host.init, THREAD_SUSPEND, host_thread_slot(client)));
    CHECK_OK(call(server, REPLY_RECV, SLOT_EP, INFO(0)));
    CHECK_EQ(server->frame.badge, 0xd);
    CHECK(server->frame.info & KOZO_INFO_REPLY_LOST);
}

/* ---- saved ---- */

TEST(a_saved_right_answers_later_and_is_used_up)
{
    boot_called();
    CHECK_OK(call(server, REPLY_SAVE, 0, R));
    CHECK_PTR(server->owes, nullptr);
    CHECK_EQ(host_slot_of(server, R)->cap.kind, KOZO_KIND_REPLY);
    CHECK_ERR(call(server, REPLY, 0, INFO(0)), NOREPLY);
    CHECK_EQ(call(server, RECV, SLOT_EP), HOST_BLOCKED); /* which drops nobody */
    CHECK_EQ(client->state, TCB_CALLING);
    CHECK_OK(call(host.init, SEND, SLOT_EP, INFO(0)));
    CHECK_OK(call(server, REPLY, R, INFO(2), 8));
    CHECK_EQ(client->frame.word[0], 8);
    CHECK(slot_is_null(host_slot_of(server, R)));
    CHECK_ERR(call(server, REPLY, R, INFO(2)), EMPTY);
}

TEST(several_calls_are_answered_out_of_order)
{
    host_boot();
    struct tcb *c[3];
    server = host_thread(KOZO_READ, 0);
    for (uint64_t i = 0; i < 3; i++) {
        c[i] = host_thread(KOZO_WRITE, i + 1);
        call(c[i], CALL, SLOT_EP, INFO(0));
        CHECK_OK(call(server, RECV, SLOT_EP));
        CHECK_OK(call(server, REPLY_SAVE, 0, R + i));
    }
    for (uint64_t i = 3; i-- > 0;) {
        CHECK_OK(call(server, REPLY, R + i, INFO(0), 100 + i));
        CHECK_OK(host_error(c[i]));
        CHECK_EQ(c[i]->frame.word[0], 100 + i);
    }
}

TEST(save_errors)
{
    boot_called();
    CHECK_ERR(call(server, REPLY_SAVE, 0, SLOT_EP), OCCUPIED);
    CHECK_ERR(call(server, REPLY_SAVE, 0, 0), ADDRESS);
    CHECK_ERR(call(server, REPLY_SAVE, SLOT_EP, R), KIND);
    CHECK_ERR(call(client == nullptr ? server : host.init, REPLY_SAVE, 0, R), NOREPLY);
    CHECK_EQ(client->state, TCB_CALLING);
}

TEST(a_saved_right_is_never_copied_but_moved)
{
    boot_called();
    CHECK_OK(call(server, REPLY_SAVE, 0, R));
    CHECK_ERR(call(server, CAP_COPY, 0, S, 0, R, KOZO_SAME_RIGHTS), UNIQUE);
    CHECK_OK(call(server, CAP_MOVE, 0, S, 0, R));
    CHECK_ERR(call(server, REPLY, R, INFO(0)), EMPTY);
    CHECK_OK(call(server, REPLY, S, INFO(0), 9));
    CHECK_EQ(client->frame.word[0], 9);
}

TEST(a_saved_right_that_is_deleted_drops_the_caller)
{
    boot_called();
    CHECK_OK(call(server, REPLY_SAVE, 0, R));
    CHECK_OK(call(server, CAP_DELETE, 0, R));
    CHECK_ERR(host_error(client), DROPPED);
    CHECK_EQ(client->state, TCB_READY);
}

TEST(a_saved_right_goes_with_the_cnode_it_is_in)
{
    boot_called();
    CHECK_OK(call(server, REPLY_SAVE, 0, R));
    host_make(SLOT_FREE, KOZO_KIND_CNODE, 2);
    CHECK_OK(call(host.init, CAP_MOVE, SLOT_FREE, 1, host_cnode_slot(server), R));
    CHECK_OK(call(host.init, CAP_DELETE, 0, SLOT_FREE));
    CHECK_ERR(host_error(client), DROPPED);
}

/* FACTS: slot reuse. */
TEST(a_saved_right_goes_with_its_caller)
{
    boot_called();
    CHECK_OK(call(server, REPLY_SAVE, 0, R));
    CHECK_OK(call(host.init, CAP_REVOKE, 0, host_thread_slot(client)));
    CHECK_OK(call(host.init, CAP_DELETE, 0, host_thread_slot(client)));
    CHECK(slot_is_null(host_slot_of(server, R)));
    CHECK_OK(call(server, CAP_COPY, 0, R, 0, SLOT_NTFN,
                  KOZO_SAME_RIGHTS)); /* the slot is free for others */
    CHECK_ERR(call(server, REPLY, R, INFO(0)), KIND);
}

TEST(a_saved_right_outlives_its_server)
{
    boot_called();
    CHECK_OK(
        call(host.init, CAP_COPY, host_cnode_slot(server), S, 0, SLOT_CNODE, KOZO_SAME_RIGHTS));
    CHECK_OK(call(server, REPLY_SAVE, S, SLOT_FREE)); /* into init's space */
    CHECK_OK(call(host.init, CAP_REVOKE, 0, host_thread_slot(server)));
    CHECK_OK(call(host.init, CAP_DELETE, 0, host_thread_slot(server)));
    CHECK_EQ(client->state, TCB_CALLING);
    CHECK_OK(call(host.init, REPLY, SLOT_FREE, INFO(0), 77));
    CHECK_EQ(client->frame.word[0], 77);
}

TEST(a_reply_capability_is_needed_where_one_is_named)
{
    boot_called();
    CHECK_ERR(call(server, REPLY, SLOT_EP, INFO(0)), KIND);
    CHECK_ERR(call(server, REPLY, R, INFO(0)), EMPTY);
    CHECK_ERR(call(server, REPLY, 1ull << HOST_SPACE_BITS, INFO(0)), ADDRESS);
    CHECK_EQ(client->state, TCB_CALLING);
}

TEST(revoking_a_saved_right_does_nothing)
{
    boot_called();
    CHECK_OK(call(server, REPLY_SAVE, 0, R));
    CHECK_OK(call(server, CAP_REVOKE, 0, R));
    CHECK_OK(call(server, REPLY, R, INFO(0)));
}

/* ---- a chain of servers ---- */

TEST(a_server_can_call_on_while_it_owes)
{
    boot_called();
    struct tcb *backend = host_thread(KOZO_READ, 0);
    host_make(SLOT_FREE, KOZO_KIND_ENDPOINT, 0);
    CHECK_OK(call(host.init, CAP_COPY, host_cnode_slot(server), R, 0, SLOT_FREE, KOZO_SAME_RIGHTS));
    CHECK_OK(
        call(host.init, CAP_COPY, host_cnode_slot(backend), R, 0, SLOT_FREE, KOZO_SAME_RIGHTS));
    call(backend, RECV, R);
    CHECK_EQ(call(server, CALL, R, INFO(0), 50), HOST_BLOCKED);
    CHECK_PTR(server->owes, client);
    CHECK_OK(call(backend, REPLY, 0, INFO(0), 51));
    CHECK_EQ(server->frame.word[0], 51);
    CHECK_OK(call(server, REPLY, 0, INFO(0), 52));
    CHECK_EQ(client->frame.word[0], 52);
}
