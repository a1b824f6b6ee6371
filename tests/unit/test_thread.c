/* SPDX-License-Identifier: MIT */
/*
 * test_thread.c - the life of threads: made, bound, started, stopped, asked, destroyed; what one
 * leaves to the next.
 */
#include "cap/object.h"
#include "host.h"
#include <string.h>

#define T SLOT_FREE
#define A (SLOT_FREE + 1)
#define B (SLOT_FREE + 2)

static struct tcb *create(uint64_t flags)
{
    CHECK_OK(call(host.init, THREAD_CREATE, SLOT_POOL, 0, T, flags, HOST_PRIORITY));
    return (struct tcb *)host_slot(T)->cap.object;
}

static uint64_t bind_all(void)
{
    return call(host.init, THREAD_BIND, T, SLOT_CNODE, SLOT_SPACE, 0, 0, 0);
}

static uint64_t state_of(uint64_t slot)
{
    CHECK_OK(call(host.init, THREAD_INFO, slot));
    return host.init->frame.reg[0];
}

/* ---- made and started ---- */

TEST(a_new_thread_is_stopped_and_empty)
{
    host_boot();
    struct tcb *t = create(0);
    CHECK_EQ(state_of(T), KOZO_THREAD_STOPPED);
    CHECK_EQ(t->cspace.size, 0);
    CHECK_EQ(t->root, 0);
    CHECK_ERR(call(host.init, THREAD_RESUME, T), STATE); /* it has never been started */
    CHECK_ERR(call(host.init, THREAD_START, T, HOST_ENTRY, 0, 0, 0),
              STATE); /* nor has it where to run */
    CHECK_OK(bind_all());
    CHECK_ERR(call(host.init, THREAD_RESUME, T), STATE);
}

TEST(a_started_thread_has_fresh_registers)
{
    host_boot();
    struct tcb *t = create(0);
    CHECK_OK(bind_all());
    memset(&t->frame, 0xee, sizeof t->frame); /* of an earlier life */
    CHECK_OK(call(host.init, THREAD_START, T, HOST_ENTRY, 0x7000, 11, 22));
    CHECK_EQ(t->state, TCB_READY);
    CHECK_EQ(t->frame.ip, HOST_ENTRY);
    CHECK_EQ(t->frame.sp, 0x7000);
    CHECK_EQ(t->frame.reg[0], 11);
    CHECK_EQ(t->frame.reg[1], 22);
    for (uint32_t i = 2; i < FRAME_REGS; i++)
        CHECK_EQ(t->frame.reg[i], 0);
    for (uint32_t i = 0; i < FRAME_OTHER; i++)
        CHECK_EQ(t->frame.other[i], 0);
    CHECK_EQ(t->frame.number, 0);
    CHECK_EQ(t->frame.deadline, 0);
    CHECK_EQ(t->frame.flags, FRAME_FLAGS_FIXED);
}

TEST(start_errors)
{
    host_boot();
    create(0);
    CHECK_OK(bind_all());
    CHECK_ERR(call(host.init, THREAD_START, T, KOZO_USER_END, 0, 0, 0), ARGUMENT);
    CHECK_ERR(call(host.init, THREAD_START, T, 0xffff800000000000, 0, 0, 0), ARGUMENT);
    CHECK_ERR(call(host.init, THREAD_START, T, HOST_ENTRY, KOZO_USER_END + 8, 0, 0), ARGUMENT);
    CHECK_ERR(call(host.init, THREAD_START, T, HOST_ENTRY, 0x8000000000000000, 0, 0), ARGUMENT);
    CHECK_ERR(call(host.init, THREAD_START, SLOT_EP, HOST_ENTRY, 0, 0, 0), KIND);
    CHECK_ERR(call(host.init, THREAD_START, SLOT_THREAD, HOST_ENTRY, 0, 0, 0), STATE); /* runs */
    CHECK_OK(call(host.init, THREAD_START, T, HOST_ENTRY, KOZO_USER_END, 0, 0));
    CHECK_ERR(call(host.init, THREAD_START, T, HOST_ENTRY, 0, 0, 0), STATE);
    CHECK_OK(call(host.init, CAP_COPY, 0, A, 0, T, KOZO_READ));
    CHECK_ERR(call(host.init, THREAD_START, A, HOST_ENTRY, 0, 0, 0), RIGHTS);
}

TEST(a_thread_started_afresh_keeps_no_register)
{
    host_boot();
    struct tcb *t = create(KOZO_THREAD_FPU);
    CHECK_OK(bind_all());
    CHECK_OK(call(host.init, THREAD_START, T, HOST_ENTRY, 0, 0, 0));
    CHECK_OK(call(t, THREAD_FS_BASE, 0x123000));
    machine.fpu.reg[0] = 42; /* it computes */
    call(t, WAIT, SLOT_NTFN, 0);
    CHECK_OK(call(host.init, THREAD_SUSPEND, T));
    CHECK_OK(call(host.init, THREAD_START, T, HOST_ENTRY, 0, 0, 0));
    CHECK_EQ(t->fs_base, 0);
    CHECK_OK(call(t, YIELD));
    CHECK_EQ(machine.fpu.reg[0], 0);
}

/* ---- bindings ---- */

TEST(bind_tells_its_errors)
{
    host_boot();
    create(0);
    CHECK_ERR(call(host.init, THREAD_BIND, SLOT_EP, 0, 0, 0, 0, 0), KIND);
    CHECK_ERR(call(host.init, THREAD_BIND, T, SLOT_EP, 0, 0, 0, 0), KIND);
    CHECK_ERR(call(host.init, THREAD_BIND, T, 0, SLOT_EP, 0, 0, 0), KIND);
    CHECK_ERR(call(host.init, THREAD_BIND, T, 0, 0, SLOT_EP, 0, 0), KIND);
    CHECK_ERR(call(host.init, THREAD_BIND, T, 0, 0, 0, 0, SLOT_NTFN), KIND);
    CHECK_ERR(call(host.init, THREAD_BIND, T, B + 9, 0, 0, 0, 0), EMPTY);
    CHECK_ERR(call(host.init, THREAD_BIND, T, 0, 0, SLOT_FRAME, 511, 0), ALIGN);
    CHECK_ERR(call(host.init, THREAD_BIND, T, 0, 0, SLOT_FRAME, 4096, 0), ARGUMENT);
    CHECK_ERR(call(host.init, THREAD_BIND, T, 0, 0, SLOT_FRAME, 1ull << 63, 0), ARGUMENT);
    CHECK_OK(call(host.init, CAP_COPY, 0, A, 0, SLOT_FRAME, KOZO_READ | KOZO_MAP));
    CHECK_ERR(call(host.init, THREAD_BIND, T, 0, 0, A, 0, 0), RIGHTS);
    CHECK_OK(call(host.init, CAP_COPY, 0, B, 0, SLOT_EP, KOZO_READ));
    CHECK_ERR(call(host.init, THREAD_BIND, T, 0, 0, 0, 0, B), RIGHTS);
    CHECK_OK(call(host.init, CAP_COPY, 0, B + 1, 0, SLOT_SPACE, KOZO_MAP));
    CHECK_ERR(call(host.init, THREAD_BIND, T, 0, B + 1, 0, 0, 0), RIGHTS);
    CHECK_ERR(call(host.init, THREAD_BIND, SLOT_THREAD, SLOT_CNODE, 0, 0, 0, 0), STATE);
    CHECK_OK(
        call(host.init, THREAD_BIND, T, SLOT_CNODE, SLOT_SPACE, SLOT_FRAME, 4096 - 512, SLOT_EP));
    CHECK_OK(call(host.init, THREAD_BIND, T, 0, 0, 0, 0, 0)); /* nothing changes */
}

TEST(a_binding_replaced_lets_go_of_the_old)
{
    host_boot();
    struct tcb *t = create(0);
    host_make(A, KOZO_KIND_CNODE, 3);
    CHECK_OK(call(host.init, THREAD_BIND, T, A, 0, 0, 0, 0));
    CHECK_OK(call(host.init, CAP_DELETE, 0, A)); /* the binding is the last */
    uint64_t caps = kernel.caps;
    CHECK_OK(call(host.init, THREAD_BIND, T, SLOT_CNODE, 0, 0, 0, 0));
    host_idle();
    CHECK_EQ(kernel.caps, caps); /* one for the other */
    CHECK_PTR(t->cspace.slots, host.init->cspace.slots);
}

TEST(a_binding_is_revoked_with_what_it_came_from)
{
    host_boot();
    struct tcb *t = host_thread(KOZO_WRITE, 0);
    CHECK_OK(call(host.init, CAP_REVOKE, 0, host_cnode_slot(t)));
    CHECK_EQ(t->cspace.size, 0);
    CHECK_EQ(t->state, TCB_READY);
    CHECK_ERR(call(t, SEND, SLOT_EP, INFO(0)), ADDRESS);
}

TEST(a_buffer_revoked_is_not_written_to)
{
    host_boot();
    struct tcb *server = host_thread(KOZO_READ, 0);
    struct tcb *client = host_thread(KOZO_WRITE, 0);
    call(server, RECV, SLOT_EP);
    struct kozo_ipc_buffer *memory = server->buffer;
    CHECK_OK(call(host.init, CAP_REVOKE, host_cnode_slot(server), SLOT_FRAME));
    CHECK_PTR(server->buffer, nullptr);
    client->buffer->word[0] = 9;
    CHECK_OK(call(client, SEND, SLOT_EP, INFO(0) | 1));
    CHECK_EQ(memory->word[0], 0);
    CHECK(server->frame.info & KOZO_INFO_DROPPED);
}

TEST(a_sender_whose_buffer_is_revoked_sends_what_is_left)
{
    host_boot();
    struct tcb *server = host_thread(KOZO_READ, 0);
    struct tcb *client = host_thread(KOZO_WRITE | KOZO_GRANT, 0);
    CHECK_EQ(call(client, SEND, SLOT_EP, INFO(7) | 3 | INFO_CAPS(1), 5), HOST_BLOCKED);
    CHECK_OK(call(host.init, CAP_REVOKE, host_cnode_slot(client), SLOT_FRAME));
    CHECK_OK(call(server, RECV, SLOT_EP));
    CHECK_EQ(INFO_LABEL(server->frame.info), 7);
    CHECK_EQ(server->frame.word[0], 5);
    CHECK_EQ(server->frame.info & KOZO_INFO_EXTRA_MASK, 0);
    CHECK(server->frame.info & KOZO_INFO_DROPPED);
}

TEST(a_thread_stops_when_its_space_is_taken)
{
    host_boot();
    host_make(A, KOZO_KIND_ADDRESS_SPACE, 0);
    struct tcb *t = create(0);
    CHECK_OK(call(host.init, THREAD_BIND, T, SLOT_CNODE, A, 0, 0, 0));
    CHECK_OK(call(host.init, THREAD_START, T, HOST_ENTRY, 0, 0, 0));
    CHECK_EQ(call(t, RECV, SLOT_EP, 0), HOST_BLOCKED);
    CHECK_OK(call(host.init, CAP_REVOKE, 0, A));
    CHECK_EQ(t->state, TCB_STOPPED);
    CHECK_EQ(t->root, 0);
    CHECK_ERR(call(host.init, THREAD_RESUME, T), STATE);
    CHECK_OK(call(host.init, THREAD_BIND, T, 0, SLOT_SPACE, 0, 0, 0));
    CHECK_OK(call(host.init, THREAD_RESUME, T));
    CHECK_ERR(host_error(t), CANCELLED);
}

TEST(a_thread_that_waits_stops_when_its_space_is_taken)
{
    for (uint32_t n = 0; n < 2; n++) {
        host_boot();
        host_make(A, KOZO_KIND_ADDRESS_SPACE, 0);
        struct tcb *t = create(0);
        CHECK_OK(call(host.init, THREAD_BIND, T, SLOT_CNODE, A, 0, 0, 0));
        CHECK_OK(call(host.init, THREAD_START, T, HOST_ENTRY, 0, 0, 0));
        CHECK_EQ(n == 0 ? call(t, WAIT, SLOT_NTFN, 0)
                        : call_until(t, 1ull << 40, WAIT, 0, KOZO_INFO_DEADLINE),
                 HOST_BLOCKED);
        CHECK_OK(call(host.init, CAP_REVOKE, 0, A));
        CHECK_EQ(t->state, TCB_STOPPED);
        CHECK_ERR(host_error(t), CANCELLED);
        CHECK_OK(call(host.init, SIGNAL, SLOT_NTFN, 1)); /* it is waited for no more */
        CHECK_EQ(t->state, TCB_STOPPED);
        CHECK_EQ(host_ntfn()->bits, 1);
    }
}

/* ---- suspended and resumed ---- */

TEST(suspend_takes_a_thread_out_of_every_state)
{
    host_boot();
    struct tcb *t = host_thread(KOZO_READ | KOZO_WRITE, 0), *server = host_thread(KOZO_READ, 0);
    uint64_t at = host_thread_slot(t);
    for (uint32_t n = 0; n < 6; n++) {
        uint64_t want = KOZO_ERR_CANCELLED;
        if (n == 0)
            want = KOZO_OK; /* ready: nothing was waited for */
        else if (n == 1)
            call(t, SEND, SLOT_EP, INFO(0));
        else if (n == 2)
            call(t, RECV, SLOT_EP, 0);
        else if (n == 3)
            call(t, WAIT, SLOT_NTFN, 0);
        else if (n == 4)
            call_until(t, 1ull << 40, WAIT, 0, KOZO_INFO_DEADLINE);
        else {
            call(server, RECV, SLOT_EP, 0);
            call(t, CALL, SLOT_EP, INFO(0));
            CHECK_EQ(t->state, TCB_CALLING);
        }
        if (n == 0)
            t->frame.error = KOZO_OK;
        CHECK_OK(call(host.init, THREAD_SUSPEND, at));
        CHECK_EQ(t->state, TCB_STOPPED);
        CHECK_OK(call(host.init, THREAD_SUSPEND, at)); /* again: no harm */
        CHECK_ERR(call(host.init, THREAD_RESUME, SLOT_THREAD), STATE);
        CHECK_OK(call(host.init, THREAD_RESUME, at));
        CHECK_ERR(call(host.init, THREAD_RESUME, at), STATE);
        CHECK_EQ(host_error(t), want);
    }
    CHECK(queue_is_empty(&host_endpoint()->senders));
    CHECK(queue_is_empty(&host_ntfn()->waiters));
    CHECK_EQ(kernel.timers.count, 0);
}

TEST(a_thread_can_suspend_itself)
{
    host_boot();
    struct tcb *t = host_thread(0, 0);
    CHECK_EQ(call(t, THREAD_SUSPEND, SLOT_THREAD), HOST_BLOCKED);
    CHECK_EQ(t->state, TCB_STOPPED);
    CHECK_PTR(host_running(), host.init);
    CHECK_OK(call(host.init, THREAD_RESUME, host_thread_slot(t)));
    CHECK_OK(host_error(t));
}

TEST(a_thread_suspended_in_a_preempted_call_makes_it_again)
{
    host_boot();
    struct tcb *t = host_peer(HOST_PRIORITY);
    host_make(A, KOZO_KIND_UNTYPED, 16);
    host_preempt(1, 0);
    t->frame.ip = HOST_ENTRY;
    uint64_t ip = t->frame.ip;
    sched_set_priority(t, 50);
    host_leave();
    CHECK_PTR(host_running(), t);
    t->frame = (struct frame){ .number = KOZO_SYS_UNTYPED_CLEAR,
                               .reg = { A, 1 << 16 },
                               .ip = ip + FRAME_CALL_BYTES };
    CHECK_PTR(kernel_syscall(t), t);
    CHECK_EQ(t->frame.ip, ip); /* to be made again */
    machine.irq_waiting = false;
    tcb_suspend(t, KOZO_ERR_CANCELLED);
    host_leave();
    CHECK_EQ(t->frame.number, KOZO_SYS_UNTYPED_CLEAR);
    CHECK_EQ(t->frame.reg[0], A);
    CHECK_EQ(t->frame.ip, ip);
}

/* ---- asked ---- */

TEST(info_gives_the_registers_in_their_order)
{
    host_boot();
    struct tcb *t = host_thread(KOZO_READ, 0);
    uint64_t regs[KOZO_REG_FS_BASE];
    for (uint64_t i = 0; i < KOZO_REG_FS_BASE; i++)
        regs[i] = 0x1000 + i;
    frame_load(&t->frame, 0x5000, 0x6000, 1, regs, KOZO_REG_FS_BASE);
    t->fs_base = 0x9000;
    t->slow |= TCB_SLOW_FS;
    CHECK_OK(call(host.init, THREAD_INFO, host_thread_slot(t)));
    CHECK_EQ(host.init->frame.reg[0], KOZO_THREAD_READY);
    CHECK_EQ(host.init->frame.reg[2], t->serial);
    const uint64_t *word = host.init->buffer->word;
    for (uint64_t i = 0; i < KOZO_REG_FS_BASE; i++)
        CHECK_EQ(word[i], 0x1000 + i);
    CHECK_EQ(word[KOZO_REG_FS_BASE], 0x9000);
    CHECK_EQ(word[KOZO_THREAD_WORD_IP], 0x5000);
    CHECK_EQ(word[KOZO_THREAD_WORD_SP], 0x6000);
    CHECK_EQ(word[KOZO_THREAD_WORD_FLAGS], FRAME_FLAGS_FIXED | 1);
    CHECK_EQ(word[KOZO_THREAD_WORD_PRIORITY], HOST_PRIORITY);
}

TEST(info_tells_every_state)
{
    host_boot();
    struct tcb *t = host_thread(KOZO_READ | KOZO_WRITE, 0), *server = host_thread(KOZO_READ, 0);
    uint64_t at = host_thread_slot(t);
    CHECK_EQ(state_of(SLOT_THREAD), KOZO_THREAD_READY);
    CHECK_EQ(state_of(at), KOZO_THREAD_READY);
    call(t, WAIT, SLOT_NTFN, 0);
    CHECK_EQ(state_of(at), KOZO_THREAD_WAITING);
    CHECK_OK(call(host.init, SIGNAL, SLOT_NTFN, 1));
    call(t, CALL, SLOT_EP, INFO(0));
    CHECK_EQ(state_of(at), KOZO_THREAD_SENDING);
    CHECK_OK(call(server, RECV, SLOT_EP));
    CHECK_EQ(state_of(at), KOZO_THREAD_CALLING);
    CHECK_OK(call(server, REPLY, 0, INFO(0)));
    call(t, RECV, SLOT_EP, 0);
    CHECK_EQ(state_of(at), KOZO_THREAD_RECEIVING);
    CHECK_OK(call(host.init, THREAD_SUSPEND, at));
    CHECK_EQ(state_of(at), KOZO_THREAD_STOPPED);
    CHECK_OK(call(host.init, THREAD_RESUME, at));
    host_fault(t, KOZO_FAULT_PAGE, 0x123, KOZO_READ);
    CHECK_EQ(state_of(at), KOZO_THREAD_FAULTED);
}

TEST(info_errors)
{
    host_boot();
    struct tcb *peer = host_peer(HOST_PRIORITY);
    CHECK_ERR(call(peer, THREAD_INFO, SLOT_THREAD), BUFFER);
    CHECK_OK(call(host.init, CAP_COPY, 0, A, 0, SLOT_THREAD, KOZO_WRITE));
    CHECK_ERR(call(host.init, THREAD_INFO, A), RIGHTS);
    CHECK_ERR(call(host.init, THREAD_INFO, SLOT_POOL), KIND);
}

TEST(the_serial_of_a_tcb_used_again_is_another)
{
    host_boot();
    struct tcb *t = create(0);
    CHECK_OK(call(host.init, THREAD_INFO, T));
    uint64_t serial = host.init->frame.reg[2];
    CHECK_OK(call(host.init, CAP_DELETE, 0, T));
    CHECK_PTR(create(0), t);
    CHECK_OK(call(host.init, THREAD_INFO, T));
    CHECK(host.init->frame.reg[2] != serial);
}

/* ---- ended ---- */

TEST(the_last_capability_holds_a_thread)
{
    host_boot();
    struct tcb *t = create(0);
    CHECK_OK(bind_all());
    CHECK_OK(call(host.init, THREAD_START, T, HOST_ENTRY, 0, 0, 0));
    CHECK_OK(call(host.init, CAP_COPY, 0, A, 0, T, KOZO_READ));
    CHECK_OK(call(host.init, CAP_DELETE, 0, T));
    CHECK_EQ(t->state, TCB_READY);
    CHECK_OK(call(host.init, CAP_DELETE, 0, A));
    CHECK_EQ(t->state, TCB_FREE);
}

TEST(a_thread_that_deletes_its_last_capability_ends)
{
    host_boot();
    struct tcb *t = create(0);
    CHECK_OK(bind_all());
    CHECK_OK(call(host.init, THREAD_START, T, HOST_ENTRY, 0, 0, 0));
    CHECK_EQ(call(t, CAP_DELETE, 0, T), HOST_ENDED);
    CHECK_PTR(host_running(), host.init);
}

TEST(an_exit_is_for_good)
{
    host_boot();
    struct tcb *t = create(0);
    CHECK_OK(bind_all());
    CHECK_OK(call(host.init, THREAD_START, T, HOST_ENTRY, 0, 0, 0));
    CHECK_EQ(call(t, THREAD_EXIT, 77), HOST_BLOCKED);
    CHECK_ERR(call(host.init, THREAD_RESUME, T), STATE);
    CHECK_OK(call(host.init, THREAD_INFO, T));
    CHECK_EQ(host.init->buffer->word[KOZO_THREAD_WORD_FAULT], KOZO_FAULT_EXIT);
    CHECK_EQ(host.init->buffer->word[KOZO_THREAD_WORD_ADDRESS], 77);
    CHECK_OK(call(host.init, THREAD_START, T, HOST_ENTRY, 0, 0, 0)); /* but it can begin again */
    CHECK_OK(call(host.init, THREAD_INFO, T));
    CHECK_EQ(host.init->buffer->word[KOZO_THREAD_WORD_FAULT], KOZO_FAULT_NONE);
}

/* FACTS: what a new thread finds in an old TCB. */
TEST(a_new_thread_in_an_old_tcb_finds_nothing_of_the_old)
{
    host_boot();
    struct tcb *t = host_thread(KOZO_READ, 0);
    CHECK_OK(call(host.init, THREAD_BIND_NTFN, host_thread_slot(t), SLOT_NTFN));
    CHECK_OK(call(t, THREAD_FS_BASE, 0x123000));
    t->flags |= KOZO_THREAD_FPU;
    t->fpu.reg[1] = 99;
    call_until(t, 1ull << 40, RECV, SLOT_EP, KOZO_INFO_DEADLINE);
    CHECK_OK(call(host.init, CAP_REVOKE, 0, host_thread_slot(t)));
    CHECK_OK(call(host.init, CAP_DELETE, 0, host_thread_slot(t)));
    CHECK_PTR(create(KOZO_THREAD_FPU), t);
    CHECK_EQ(t->fs_base, 0);
    CHECK_EQ(t->slow & (TCB_SLOW_FS | TCB_SLOW_NTFN | TCB_SLOW_DEADLINE), 0);
    CHECK_EQ(t->fpu.reg[1], 0);
    CHECK_EQ(t->fpu.control, HOST_FPU_CLEAN);
    CHECK_PTR(t->bound, nullptr);
    CHECK_PTR(t->owes, nullptr);
    CHECK_EQ(t->timer_index, 0);
    for (uint32_t i = 0; i < TCB_BINDINGS; i++)
        CHECK(slot_is_null(&t->binding[i]));
}

/* ---- what belongs to the running one ---- */

TEST(the_fs_base_goes_with_its_thread)
{
    host_boot();
    struct tcb *a = host_thread(0, 0), *b = host_thread(0, 0);
    CHECK_ERR(call(a, THREAD_FS_BASE, KOZO_USER_END), ARGUMENT);
    CHECK_ERR(call(a, THREAD_FS_BASE, 0xffff800000000000), ARGUMENT);
    CHECK_OK(call(a, THREAD_FS_BASE, 0x1000));
    CHECK_EQ(machine.fs_base, 0x1000);
    CHECK(a->slow & TCB_SLOW_FS);
    CHECK_OK(call(b, THREAD_FS_BASE, 0x2000));
    CHECK_EQ(machine.fs_base, 0x2000);
    CHECK_OK(call(a, POLL, SLOT_NTFN));
    CHECK_EQ(machine.fs_base, 0x1000);
    CHECK_OK(call(a, THREAD_FS_BASE, 0));
    CHECK_EQ(machine.fs_base, 0);
    CHECK(!(a->slow & TCB_SLOW_FS));
}

TEST(the_floating_point_state_goes_with_its_thread)
{
    host_boot();
    struct tcb *a = host_thread(0, 0), *b = host_thread(0, 0);
    a->flags |= KOZO_THREAD_FPU;
    b->flags |= KOZO_THREAD_FPU;
    CHECK_OK(call(a, POLL, SLOT_NTFN));
    machine.fpu.reg[0] = 1;
    CHECK_OK(call(b, POLL, SLOT_NTFN));
    CHECK_EQ(machine.fpu.reg[0], 0);
    machine.fpu.reg[0] = 2;
    CHECK_OK(call(a, POLL, SLOT_NTFN));
    CHECK_EQ(machine.fpu.reg[0], 1);
}

TEST(the_processor_uses_the_space_of_who_runs)
{
    host_boot();
    host_make(A, KOZO_KIND_ADDRESS_SPACE, 0);
    struct tcb *t = create(0);
    CHECK_OK(call(host.init, THREAD_BIND, T, SLOT_CNODE, A, 0, 0, 0));
    CHECK_OK(call(host.init, THREAD_START, T, HOST_ENTRY, 0, 0, 0));
    CHECK_OK(call(t, POLL, SLOT_NTFN));
    CHECK_EQ(machine.root.v, t->root);
    CHECK_OK(call(host.init, POLL, SLOT_NTFN));
    CHECK_EQ(machine.root.v, host.init->root);
    CHECK(host.init->root != t->root);
}

/* ---- numbers ---- */

TEST(unused_numbers_are_an_error)
{
    host_boot();
    static const bool used[KOZO_SYSCALL_LIMIT] = {
#define KOZO_SYSCALL(nr, NAME, name, args, results, text) [nr] = true,
#include <kozo/syscalls.def>
#undef KOZO_SYSCALL
    };
    for (uint64_t nr = 0; nr < KOZO_SYSCALL_LIMIT; nr++)
        if (!used[nr])
            CHECK_ERR(call_number(host.init, nr, 1, 2, 3), NOSYS);
}

TEST(finish_without_anything_pending_is_well)
{
    host_boot();
    CHECK_OK(call(host.init, FINISH));
}

TEST(no_result_is_written_to_a_thread_that_ended)
{
    host_boot();
    struct tcb *t = host_thread(0, 0);
    CHECK_OK(call(host.init, CAP_DELETE, 0, host_thread_slot(t))); /* its own is the last */
    CHECK_EQ(call(t, CAP_DELETE, 0, SLOT_THREAD), HOST_ENDED);
    CHECK_EQ(t->state, TCB_FREE);
    CHECK_EQ(t->frame.number, KOZO_SYS_CAP_DELETE);
}
