/* SPDX-License-Identifier: MIT */
/*
 * test_contracts.c - what a room asks of its callers: whoever breaks it stops the kernel, and
 * nothing is done.
 */
#include "cap/object.h"
#include "cap/pool.h"
#include "cap/untyped.h"
#include "host.h"
#include "ipc/message.h"
#include "ipc/reply.h"
#include "mem/vspace.h"

#define A SLOT_FREE
#define B (SLOT_FREE + 1)

#define ASSERTS(statement) CHECK_PANIC("kernel panic: assertion: ", statement)

/* ---- slots and the tree ---- */

TEST(only_unlinked_slots_come_below_linked_ones)
{
    struct slot loose = {}, other = {};

    host_boot();
    ASSERTS(cdt_insert_child(&loose, &other));
    ASSERTS(cdt_insert_child(&kernel.root, host_slot(SLOT_EP)));
    ASSERTS(cdt_unlink(&loose));
    ASSERTS(cdt_move(&other, &loose));
    ASSERTS(cdt_move(host_slot(SLOT_NTFN), host_slot(SLOT_EP)));
}

TEST(only_empty_slots_are_filled)
{
    host_boot();
    ASSERTS(slot_fill(host_slot(SLOT_NTFN), &kernel.root, host_slot(SLOT_EP)->cap));
    ASSERTS(slot_fill(host_slot(A), &kernel.root, (struct cap){}));
    ASSERTS(slot_move(host_slot(SLOT_NTFN), host_slot(SLOT_EP)));
    ASSERTS(slot_move(host_slot(B), host_slot(A)));
}

TEST(only_what_can_be_copied_is_derived)
{
    host_boot();
    ASSERTS(slot_derive(host_slot(A), host_slot(SLOT_UNTYPED), KOZO_RIGHTS_ALL, 0));
    ASSERTS(slot_mint(host_slot(A), host_slot(SLOT_FRAME), KOZO_RIGHTS_ALL, 0, 7));
    slot_mint(host_slot(A), host_slot(SLOT_EP), KOZO_RIGHTS_ALL, 0, 7);
    ASSERTS(slot_mint(host_slot(B), host_slot(A), KOZO_RIGHTS_ALL, 0, 8));
}

TEST(zombies_are_the_kernels_to_delete)
{
    host_boot();
    host_make(A, KOZO_KIND_CNODE, 4);
    struct slot *grave = (struct slot *)host_slot(A)->cap.object;
    slot_delete(host_slot(A));
    CHECK_EQ(grave->cap.kind, KOZO_KIND_ZOMBIE);
    ASSERTS(slot_delete(grave));
    ASSERTS(pending_revoke(host_slot(SLOT_EP))); /* one thing at a time */
    grave->cap.rights = KOZO_KIND_FRAME;
    CHECK_PANIC("zombie of kind", (void)pending_step());
}

/* ---- memory and pools ---- */

TEST(only_an_untypeds_own_ram_is_cleared)
{
    host_boot();
    struct slot *u = host_slot(SLOT_UNTYPED), *device = host_slot(SLOT_DEVICE);
    ASSERTS((void)untyped_clear(u, untyped_end(u) + 64));
    ASSERTS((void)untyped_clear(device, untyped_end(device)));
}

TEST(a_pool_checks_the_slot_it_fills)
{
    host_boot();
    struct slot *pool = host_slot(SLOT_POOL), *occupied = host_slot(SLOT_EP);
    uint64_t left = pool_count(pool);
    CHECK_ERR(pool_split(pool, 1, occupied), OCCUPIED);
    CHECK_ERR(pool_create_thread(pool, 0, HOST_PRIORITY, occupied), OCCUPIED);
    CHECK_EQ(pool_count(pool), left);
}

TEST(pools_are_returned_to_and_freed_while_they_live)
{
    host_boot();
    ASSERTS(pool_return_thread(5));
    ASSERTS(pool_free(5));
    kernel.pools.pool[0].grave.open_next.v = 1; /* still in the tour */
    ASSERTS(pool_free(0));
}

TEST(tables_of_threads_and_pools_never_run_over)
{
    host_boot();
    kernel.pools.fresh = ARRAY_LEN(kernel.pools.pool);
    ASSERTS((void)pool_split(host_slot(SLOT_POOL), 1, host_slot(A)));
    kernel.pools.tcb_fresh = CONFIG_MAX_THREADS;
    CHECK_PTR(tcb_take(), nullptr);
    ASSERTS((void)pool_create_thread(host_slot(SLOT_POOL), 0, HOST_PRIORITY, host_slot(A)));
}

TEST(an_address_space_lies_in_the_memory_that_is_known)
{
    host_boot();
    kernel.space_pages = 1;
    ASSERTS(space_begin(host_slot(SLOT_SPACE)));
    struct slot frame = { .cap = host_slot(SLOT_FRAME)->cap };
    frame.cap.flags |= CAP_MAPPED;
    frame.cap.b = 2; /* a root in a page beyond it */
    CHECK(!vspace_is_mapped(&frame));
}

/* ---- threads ---- */

TEST(threads_wake_once)
{
    host_boot();
    struct tcb *t = host_peer(HOST_PRIORITY);
    ASSERTS(sched_wake(t));
    ASSERTS(sched_handoff(t));
    ASSERTS(tcb_resume(t));
    ASSERTS(tcb_wake_error(t, KOZO_ERR_GONE));
    CHECK_OK(call(host.init, THREAD_SUSPEND, host_thread_slot(t)));
    ASSERTS(sched_remove(t));
    t->root = 0; /* nowhere to run */
    ASSERTS(sched_wake(t));
    ASSERTS(sched_handoff(t));
}

TEST(a_thread_has_one_deadline)
{
    host_boot();
    struct tcb *t = host_peer(HOST_PRIORITY);
    CHECK_EQ(call_until(t, 1000, WAIT, 0, KOZO_INFO_DEADLINE), HOST_BLOCKED);
    ASSERTS(timer_add(t, 2000));
    kernel.timers.count = CONFIG_MAX_THREADS;
    ASSERTS(timer_add(host.init, 2000));
}

TEST(a_handler_stops_once)
{
    host_boot();
    struct tcb *handler = host_thread(KOZO_READ, 0), *t = host_thread(0, 0);
    handler->owes = t;
    handler->dropping = true;
    t->state = TCB_CALLING;
    t->message = MSG_FAULT;
    ASSERTS(tcb_drop_caller(handler));
}

/* ---- messages ---- */

TEST(a_server_owes_one_caller_that_has_one_server)
{
    host_boot();
    struct tcb *server = host_thread(KOZO_READ, 0), *client = host_thread(KOZO_WRITE, 0);
    struct tcb *other = host_thread(KOZO_READ, 0);
    ASSERTS(reply_save(server, host_slot(A)));
    ASSERTS(reply_send(server, client));
    call(server, RECV, SLOT_EP);
    call(client, CALL, SLOT_EP);
    ASSERTS(reply_owe(server, host.init));
    ASSERTS(reply_owe(other, client));
    CHECK_OK(call(server, REPLY_SAVE, 0, SLOT_FREE));
    ASSERTS(reply_owe(other, client));
}

TEST(a_binding_is_between_two_that_are_free)
{
    host_boot();
    struct tcb *t = host_peer(HOST_PRIORITY);
    host_make(A, KOZO_KIND_NOTIFICATION, 0);
    struct notification *free_one = (struct notification *)host_slot(A)->cap.object;
    CHECK_OK(call(host.init, THREAD_BIND_NTFN, SLOT_THREAD, SLOT_NTFN));
    ASSERTS(ntfn_bind(host_ntfn(), t));
    ASSERTS(ntfn_bind(free_one, host.init));
}

/* ---- the machine of the tests ---- */

TEST(the_machine_has_so_many_lines_and_so_much_memory)
{
    host_boot();
    ASSERTS(arch_irq_mask(ARCH_IRQ_LINES));
    ASSERTS(arch_irq_unmask(ARCH_IRQ_LINES));
    ASSERTS(arch_clear(machine.ram + 1, 64));
    ASSERTS(arch_clear(machine.ram, 65));
    CHECK_PANIC("is not RAM", (void)arch_ram((struct paddr){ HOST_RAM_BASE - 1 }));
    CHECK_PANIC("is not RAM", (void)arch_ram((struct paddr){ HOST_RAM_BASE + machine.ram_bytes }));
    CHECK_PANIC("is not in RAM", (void)arch_ram_addr(&kernel));
    CHECK_PANIC("is not in RAM", (void)arch_ram_addr(machine.ram - 1));
    CHECK_PANIC("is not in RAM", (void)arch_ram_addr(machine.ram + machine.ram_bytes));
}
