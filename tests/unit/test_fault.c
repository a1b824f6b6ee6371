/* SPDX-License-Identifier: MIT */
/*
 * test_fault.c - faults become messages: told, answered, dropped, unhandled; foreign system calls.
 */
#include "cap/object.h"
#include "host.h"

#define EP SLOT_FREE         /* the fault endpoint, in init's space */

static struct tcb *handler, *t;
static uint64_t at;

/* `t` faults to `handler`, which has not yet received; the badge is 0xfa. */
static void boot_handled(uint64_t flags)
{
    host_boot();
    handler = host_thread(KOZO_READ, 0);
    host_make(EP, KOZO_KIND_ENDPOINT, 0);
    CHECK_OK(call(host.init, CAP_MINT, 0, EP + 1, 0, EP, KOZO_SAME_RIGHTS, 0xfa));
    CHECK_OK(call(host.init, CAP_COPY, host_cnode_slot(handler), EP, 0, EP, KOZO_SAME_RIGHTS));
    t = host_thread(KOZO_READ | KOZO_WRITE, 0);
    at = host_thread_slot(t);
    CHECK_OK(call(host.init, THREAD_SUSPEND, at));
    CHECK_OK(call(host.init, THREAD_BIND, at, 0, 0, 0, 0, EP + 1));
    CHECK_OK(call(host.init, THREAD_RESUME, at));
    t->flags |= (uint8_t)flags;
}

/* ---- told ---- */

TEST(a_fault_reaches_a_waiting_handler)
{
    boot_handled(0);
    call(handler, RECV, EP, 0);
    t->frame.other[0] = 0xb0b;
    t->fs_base = 0x7777000;
    host_fault(t, KOZO_FAULT_PAGE, 0xdead000, KOZO_WRITE);
    CHECK_PTR(host_running(), handler);
    CHECK_EQ(t->state, TCB_CALLING);
    CHECK_EQ(handler->frame.badge, 0xfa);
    CHECK(handler->frame.info & KOZO_INFO_FAULT);
    CHECK_EQ(handler->frame.info & KOZO_INFO_EXTRA_MASK, KOZO_REG_COUNT);
    const uint64_t want[] = { KOZO_FAULT_PAGE, 0xdead000, t->frame.ip, t->frame.sp,
                              t->frame.flags,  4,         KOZO_WRITE,  t->serial };
    for (uint32_t i = 0; i < KOZO_MSG_REGS; i++)
        CHECK_EQ(handler->frame.word[i], want[i]);
    CHECK_EQ(handler->buffer->word[KOZO_REG_RBP], 0xb0b);
    CHECK_EQ(handler->buffer->word[KOZO_REG_FS_BASE], 0x7777000);
}

TEST(a_fault_waits_for_its_handler)
{
    boot_handled(0);
    host_fault(t, KOZO_FAULT_DIVIDE, 0, 0);
    CHECK_EQ(t->state, TCB_SENDING);
    CHECK_OK(call(handler, RECV, EP, 0));
    CHECK_EQ(handler->frame.word[0], KOZO_FAULT_DIVIDE);
    CHECK_EQ(t->state, TCB_CALLING);
}

/* Registers of the faulting thread are no message: what looks like a deadline in them is none. */
TEST(registers_of_a_faulting_thread_are_not_taken_for_a_call)
{
    boot_handled(0);
    t->frame.info = KOZO_INFO_DEADLINE | KOZO_INFO_RECV_CAPS | INFO_CAPS(3) | 56;
    t->frame.deadline = 5;
    host_fault(t, KOZO_FAULT_OPCODE, 0, 0);
    CHECK_EQ(t->state, TCB_SENDING);
    CHECK_EQ(t->timer_index, 0);
    host_advance(100);
    CHECK_EQ(t->state, TCB_SENDING);
    CHECK_OK(call(handler, RECV, EP, 0));
    CHECK_EQ(t->timer_index, 0);
    CHECK_EQ(INFO_CAPS_OF(handler->frame.info), 0);
}

TEST(a_handler_without_a_buffer_gets_the_words_alone)
{
    boot_handled(0);
    struct tcb *bare = host_peer(HOST_PRIORITY);
    call(bare, RECV, EP, 0);
    host_fault(t, KOZO_FAULT_PAGE, 0x1000, KOZO_READ);
    CHECK_EQ(bare->frame.word[1], 0x1000);
    CHECK_EQ(bare->frame.info & KOZO_INFO_EXTRA_MASK, 0);
    CHECK(bare->frame.info & KOZO_INFO_DROPPED);
}

/* ---- answered ---- */

TEST(resume_runs_the_thread_on_as_it_is)
{
    boot_handled(0);
    struct frame before = t->frame;
    call(handler, RECV, EP, 0);
    host_fault(t, KOZO_FAULT_PAGE, 0x1000, KOZO_READ);
    CHECK_OK(call(handler, REPLY, 0, INFO(KOZO_FAULT_RESUME), 1, 2, 3, 4, 5, 6, 7, 8));
    CHECK_EQ(t->state, TCB_READY);
    CHECK_EQ(t->frame.ip, before.ip);
    for (uint32_t i = 0; i < FRAME_REGS; i++)
        CHECK_EQ(t->frame.reg[i], before.reg[i]);
    CHECK_EQ(t->slow & TCB_SLOW_FAULT, 0);
    CHECK_EQ(call(t, WAIT, SLOT_NTFN, 0), HOST_BLOCKED); /* and its next call is an ordinary one */
}

/* FACTS: register writes unsanitised. */
TEST(load_gives_the_thread_other_registers_made_safe)
{
    boot_handled(0);
    call(handler, RECV, EP, 0);
    host_fault(t, KOZO_FAULT_PAGE, 0x1000, KOZO_READ);
    for (uint64_t i = 0; i < KOZO_REG_COUNT; i++)
        handler->buffer->word[i] = 0x500 + i;
    CHECK_OK(call(handler, REPLY, 0, INFO(KOZO_FAULT_LOAD) | KOZO_REG_COUNT, 0, 0, 0x401000,
                  0x7f000, UINT64_MAX));
    CHECK_EQ(t->frame.ip, 0x401000);
    CHECK_EQ(t->frame.sp, 0x7f000);
    CHECK_EQ(t->frame.flags, FRAME_FLAGS_USER | FRAME_FLAGS_FIXED);
    CHECK_EQ(t->frame.number, 0x500 + KOZO_REG_RAX);
    CHECK_EQ(t->frame.badge, 0x500 + KOZO_REG_RDI);
    CHECK_EQ(t->frame.other[0], 0x500 + KOZO_REG_RBP);
}

TEST(load_with_fewer_words_loads_fewer_registers)
{
    boot_handled(0);
    call(handler, RECV, EP, 0);
    t->frame.deadline = 0x77;
    host_fault(t, KOZO_FAULT_PAGE, 0x1000, KOZO_READ);
    handler->buffer->word[KOZO_REG_RAX] = 0x11;
    handler->buffer->word[KOZO_REG_RBX] = 0x99; /* beyond the message */
    CHECK_OK(call(handler, REPLY, 0, INFO(KOZO_FAULT_LOAD) | 1, 0, 0, 0x401000, 0x7f000, 0));
    CHECK_EQ(t->frame.number, 0x11);
    CHECK_EQ(t->frame.deadline, 0x77);
    call(handler, RECV, EP, 0);
    host_fault(t, KOZO_FAULT_PAGE, 0x1000, KOZO_READ);
    handler->buffer->word[KOZO_REG_RBX] = 0x22;
    /* and no more than there are */
    CHECK_OK(call(handler, REPLY, 0, INFO(KOZO_FAULT_LOAD) | KOZO_MSG_EXTRA, 0, 0, 0x402000,
                  0x7f000, 0));
    CHECK_EQ(t->frame.deadline, 0x22);
}

TEST(any_other_answer_stops_the_thread)
{
    boot_handled(0);
    call(handler, RECV, EP, 0);
    host_fault(t, KOZO_FAULT_PAGE, 0x1000, KOZO_READ);
    CHECK_OK(call(handler, REPLY, 0, INFO(2)));
    CHECK_EQ(t->state, TCB_FAULTED);
    CHECK(host_log_has("page fault"));
}

TEST(a_saved_fault_can_be_answered_later)
{
    boot_handled(0);
    call(handler, RECV, EP, 0);
    host_fault(t, KOZO_FAULT_PAGE, 0x1000, KOZO_READ);
    CHECK_OK(call(handler, REPLY_SAVE, 0, EP + 1));
    CHECK_OK(call(handler, REPLY, EP + 1, INFO(KOZO_FAULT_RESUME)));
    CHECK_EQ(t->state, TCB_READY);
}

/* ---- not answered ---- */

TEST(without_a_handler_the_thread_stops_and_the_log_says_so)
{
    host_boot();
    t = host_thread(KOZO_WRITE, 0);
    host_log_forget();
    host_fault(t, KOZO_FAULT_PAGE, 0xdeadb000, KOZO_READ);
    CHECK_EQ(t->state, TCB_FAULTED);
    CHECK_PTR(host_running(), host.init);
    CHECK(host_log_has("page fault"));
    CHECK(host_log_has("deadb000"));
}

TEST(a_handler_that_drops_the_fault_leaves_the_thread_stopped)
{
    boot_handled(0);
    call(handler, RECV, EP, 0);
    host_fault(t, KOZO_FAULT_PAGE, 0x1000, KOZO_READ);
    call(handler, RECV, EP, 0);
    CHECK_EQ(t->state, TCB_FAULTED);
    CHECK_EQ(t->fault.kind, KOZO_FAULT_PAGE); /* pending */
    CHECK_OK(call(host.init, THREAD_RESUME, at));
    CHECK_EQ(t->state, TCB_READY);
}

TEST(a_handler_that_dies_leaves_the_thread_stopped)
{
    boot_handled(0);
    call(handler, RECV, EP, 0);
    host_fault(t, KOZO_FAULT_PAGE, 0x1000, KOZO_READ);
    CHECK_OK(call(host.init, CAP_REVOKE, 0, host_thread_slot(handler)));
    CHECK_OK(call(host.init, CAP_DELETE, 0, host_thread_slot(handler)));
    CHECK_EQ(t->state, TCB_FAULTED);
}

TEST(a_fault_endpoint_that_ends_leaves_its_threads_stopped)
{
    boot_handled(0);
    host_fault(t, KOZO_FAULT_PAGE, 0x1000, KOZO_READ);
    CHECK_EQ(t->state, TCB_SENDING);
    CHECK_OK(call(host.init, CAP_REVOKE, 0, EP));
    CHECK_OK(call(host.init, CAP_DELETE, 0, EP));
    CHECK_EQ(t->state, TCB_FAULTED);
    CHECK_EQ(t->fault.kind, KOZO_FAULT_PAGE);
}

TEST(callers_of_a_thread_that_faults_for_good_are_told)
{
    host_boot();
    t = host_thread(KOZO_READ, 0);
    struct tcb *client = host_thread(KOZO_WRITE, 0);
    call(t, RECV, SLOT_EP, 0);
    call(client, CALL, SLOT_EP, INFO(0));
    host_fault(t, KOZO_FAULT_PAGE, 0x1000, KOZO_READ);
    CHECK_ERR(host_error(client), GONE);
    CHECK_EQ(client->state, TCB_READY);
}

TEST(callers_of_a_thread_whose_fault_is_handled_wait_on)
{
    boot_handled(0);
    struct tcb *client = host_thread(KOZO_WRITE, 0);
    call(t, RECV, SLOT_EP, 0);
    call(client, CALL, SLOT_EP, INFO(0));
    host_fault(t, KOZO_FAULT_PAGE, 0x1000, KOZO_READ);
    CHECK_EQ(client->state, TCB_CALLING);
    CHECK_OK(call(handler, RECV, EP, 0));
    CHECK_OK(call(handler, REPLY, 0, INFO(KOZO_FAULT_RESUME)));
    CHECK_OK(call(t, REPLY, 0, INFO(0), 3));
    CHECK_EQ(client->frame.word[0], 3);
}

TEST(a_thread_suspended_while_its_fault_is_handled_keeps_it)
{
    boot_handled(0);
    call(handler, RECV, EP, 0);
    host_fault(t, KOZO_FAULT_PAGE, 0x1000, KOZO_READ);
    CHECK_OK(call(host.init, THREAD_SUSPEND, at));
    CHECK_EQ(t->state, TCB_FAULTED);
    CHECK_ERR(call(handler, REPLY, 0, INFO(KOZO_FAULT_RESUME)), NOREPLY);
    CHECK_OK(call(host.init, THREAD_INFO, at));
    CHECK_EQ(host.init->buffer->word[KOZO_THREAD_WORD_FAULT], KOZO_FAULT_PAGE);
    CHECK_EQ(host.init->buffer->word[KOZO_THREAD_WORD_ADDRESS], 0x1000);
}

TEST(a_faulted_thread_can_be_destroyed)
{
    boot_handled(0);
    call(handler, RECV, EP, 0);
    host_fault(t, KOZO_FAULT_PAGE, 0x1000, KOZO_READ);
    CHECK_OK(call(host.init, CAP_REVOKE, 0, at));
    CHECK_OK(call(host.init, CAP_DELETE, 0, at));
    CHECK_EQ(t->state, TCB_FREE);
    CHECK_ERR(call(handler, REPLY, 0, INFO(0)), NOREPLY);
}

/* ---- exit ---- */

TEST(an_exit_is_told_to_the_handler)
{
    boot_handled(0);
    call(handler, RECV, EP, 0);
    CHECK_EQ(call(t, THREAD_EXIT, 12), HOST_BLOCKED);
    CHECK_EQ(handler->frame.word[0], KOZO_FAULT_EXIT);
    CHECK_EQ(handler->frame.word[1], 12);
    CHECK_OK(call(handler, REPLY, 0, INFO(KOZO_FAULT_RESUME))); /* which cannot undo it */
    CHECK(t->state != TCB_READY);
    CHECK_ERR(call(host.init, THREAD_RESUME, at), STATE);
}

TEST(an_exit_is_not_logged)
{
    host_boot();
    t = host_thread(0, 0);
    host_log_forget();
    CHECK_EQ(call(t, THREAD_EXIT, 0), HOST_BLOCKED);
    CHECK_EQ(machine.log_used, 0);
}

/* ---- system calls for the handler ---- */

TEST(numbers_from_100_are_the_handlers)
{
    static const uint64_t number[] = { KOZO_SYSCALL_LIMIT, 101, 1ull << 32, UINT64_MAX };

    boot_handled(0);
    for (uint32_t i = 0; i < ARRAY_LEN(number); i++) {
        call(handler, RECV, EP, 0);
        CHECK_EQ(call_number(t, number[i], 1, 2, 3), HOST_BLOCKED);
        CHECK_EQ(handler->frame.word[0], KOZO_FAULT_SYSCALL);
        CHECK_EQ(handler->frame.word[1], number[i]);
        CHECK_EQ(handler->buffer->word[KOZO_REG_RAX], number[i]);
        CHECK_EQ(handler->buffer->word[KOZO_REG_RDI], 1);
        CHECK_EQ(handler->buffer->word[KOZO_REG_RDX], 3);
        uint64_t ip = t->frame.ip;
        handler->buffer->word[KOZO_REG_RAX] = 4242;
        CHECK_OK(call(handler, REPLY, 0, INFO(KOZO_FAULT_LOAD) | 1, 0, 0, ip, t->frame.sp, 0));
        CHECK_EQ(t->frame.number, 4242); /* its result */
        CHECK_EQ(t->frame.ip, ip);       /* behind the call */
    }
}

TEST(a_foreign_thread_hands_over_every_call)
{
    boot_handled(KOZO_THREAD_FOREIGN);
    static const uint64_t number[] = {
        KOZO_SYS_CALL, KOZO_SYS_YIELD, KOZO_SYS_CAP_DELETE, 60, 99, 231
    };
    for (uint32_t i = 0; i < ARRAY_LEN(number); i++) {
        call(handler, RECV, EP, 0);
        CHECK_EQ(call_number(t, number[i], SLOT_EP, 5), HOST_BLOCKED);
        CHECK_EQ(handler->frame.word[0], KOZO_FAULT_SYSCALL);
        CHECK_EQ(handler->frame.word[6], number[i]);
        CHECK_EQ(handler->buffer->word[KOZO_REG_RSI], 5);
        CHECK_OK(call(handler, REPLY, 0, INFO(KOZO_FAULT_RESUME)));
    }
    CHECK_EQ(host_slot_of(t, SLOT_EP)->cap.kind, KOZO_KIND_ENDPOINT);
}

TEST(a_foreign_call_without_a_handler_stops_the_thread)
{
    host_boot();
    CHECK_OK(call(host.init, THREAD_CREATE, SLOT_POOL, 0, SLOT_FREE, KOZO_THREAD_FOREIGN,
                  HOST_PRIORITY));
    CHECK_OK(call(host.init, THREAD_BIND, SLOT_FREE, SLOT_CNODE, SLOT_SPACE, 0, 0, 0));
    CHECK_OK(call(host.init, THREAD_START, SLOT_FREE, HOST_ENTRY, 0, 0, 0));
    t = (struct tcb *)host_slot(SLOT_FREE)->cap.object;
    CHECK(t->slow & TCB_SLOW_FOREIGN);
    CHECK_EQ(call(t, YIELD), HOST_BLOCKED);
    CHECK_EQ(t->state, TCB_FAULTED);
    CHECK(host_log_has("system call"));
}

/* ---- chains ---- */

#define LINKS 20u

/* Thread i handles the faults of thread i + 1, and owes it an answer when it faults itself. */
static void boot_chain(struct tcb *link[LINKS])
{
    host_boot();
    for (uint32_t i = 0; i < LINKS; i++) {
        uint64_t ep = EP + 2 * i;

        link[i] = host_thread(KOZO_READ, 0);
        host_make(ep, KOZO_KIND_ENDPOINT, 0);
        CHECK_OK(call(host.init, CAP_COPY, host_cnode_slot(link[i]), SLOT_FREE, 0, ep,
                      KOZO_SAME_RIGHTS));
        if (i == 0)
            continue;
        CHECK_OK(call(host.init, THREAD_SUSPEND, host_thread_slot(link[i])));
        CHECK_OK(call(host.init, THREAD_BIND, host_thread_slot(link[i]), 0, 0, 0, 0, ep - 2));
        CHECK_OK(call(host.init, THREAD_RESUME, host_thread_slot(link[i])));
    }
    for (uint32_t i = LINKS - 1; i > 0; i--) {
        call(link[i - 1], RECV, SLOT_FREE, 0);
        host_fault(link[i], KOZO_FAULT_PAGE, 0, KOZO_READ);
        CHECK_PTR(link[i - 1]->owes, link[i]);
    }
}

TEST(a_chain_of_handlers_stops_one_link_a_step)
{
    struct tcb *link[LINKS];

    boot_chain(link);
    host_fault(link[0], KOZO_FAULT_PAGE, 0, KOZO_READ); /* nobody handles that */
    CHECK_EQ(link[0]->state, TCB_FAULTED);
    CHECK_EQ(link[1]->state, TCB_FAULTED); /* who stops pays for one step */
    CHECK_EQ(link[2]->state, TCB_CALLING);
    CHECK(pending_any());
    for (uint32_t i = 2; i < LINKS; i++) {
        CHECK(pending_step());
        CHECK_EQ(link[i]->state, TCB_FAULTED);
    }
    CHECK(!pending_any());
    CHECK_EQ(kernel.log.left_out, LINKS - 10);
}

TEST(a_stopped_handler_that_is_resumed_in_time_still_owes)
{
    struct tcb *link[LINKS];

    boot_chain(link);
    host_fault(link[0], KOZO_FAULT_PAGE, 0, KOZO_READ);
    CHECK_OK(call(host.init, THREAD_INFO, host_thread_slot(link[1])));
    tcb_resume(link[1]);
    CHECK(!pending_any());
    CHECK_PTR(link[1]->owes, link[2]);
    CHECK_EQ(link[2]->state, TCB_CALLING);
}

/* A delete by a call does what is pending first; a revoke that was under way before does not. */
TEST(a_stopped_handler_that_a_revoke_ends_is_forgotten)
{
    struct tcb *link[LINKS];

    boot_chain(link);
    host_fault(link[0], KOZO_FAULT_PAGE, 0, KOZO_READ);
    for (struct slot *s = host_slot(host_thread_slot(link[1])); !slot_is_null(s);)
        slot_delete(cdt_has_children(s) ? cdt_slot(s->open_next) : s);
    CHECK_EQ(link[1]->state, TCB_FREE);
    kernel_check();
    while (pending_any())
        (void)pending_step();
    for (uint32_t i = 2; i < LINKS; i++)
        CHECK_EQ(link[i]->state, TCB_FAULTED);
}

TEST(a_stopped_handler_that_ends_in_time_leaves_nothing_behind)
{
    struct tcb *link[LINKS];

    boot_chain(link);
    host_fault(link[0], KOZO_FAULT_PAGE, 0, KOZO_READ);
    CHECK_OK(call(host.init, CAP_REVOKE, 0, host_thread_slot(link[1])));
    CHECK_OK(call(host.init, CAP_DELETE, 0, host_thread_slot(link[1])));
    CHECK(!pending_any());
    for (uint32_t i = 2; i < LINKS; i++)
        CHECK_EQ(link[i]->state, TCB_FAULTED);
}
