/* SPDX-License-Identifier: MIT */
/*
 * test_check.c - the checks check: each invariant broken by hand, and found broken.
 */
#include "cap/object.h"
#include "cap/untyped.h"
#include "host.h"
#include "mem/vspace.h"
#include "sched/ring.h"
#include "sched/timer.h"

#define A SLOT_FREE
#define B (SLOT_FREE + 1)
#define U (SLOT_FREE + 2)
#define SPACE (SLOT_FREE + 3)
#define TABLE (SLOT_FREE + 4) /* 4 PageTables */
#define FRAME (SLOT_FREE + 8) /* 2 Frames */
#define AT 0x40000000ull

static struct cap *cap(uint64_t at) { return &host_slot(at)->cap; }

/* A world with a bit of everything: a part of memory, a space with a page mapped, a thread. */
static struct tcb *boot(void)
{
    host_boot();
    host_make(U, KOZO_KIND_UNTYPED, 18);
    CHECK_OK(call(host.init, RETYPE, U, KOZO_WHAT(KOZO_KIND_ADDRESS_SPACE, 0), 0, SPACE, 1));
    CHECK_OK(call(host.init, RETYPE, U, KOZO_WHAT(KOZO_KIND_PAGE_TABLE, 0), 0, TABLE, 4));
    CHECK_OK(call(host.init, RETYPE, U, KOZO_WHAT(KOZO_KIND_FRAME, KOZO_PAGE_BITS), 0, FRAME, 2));
    for (uint64_t i = 0; i < 3; i++)
        CHECK_OK(call(host.init, SPACE_FEED, SPACE, TABLE + i));
    CHECK_OK(call(host.init, MAP, SPACE, FRAME, AT, KOZO_READ | KOZO_WRITE));
    CHECK_OK(call(host.init, CAP_COPY, 0, A, 0, SLOT_EP, KOZO_READ | 0x0f00));
    return host_thread(KOZO_READ, 0);
}

/* In a fresh world, with a thread `t`, the kernel finds the invariant broken after this. */
#define BREAKS(invariant, ...)                                                                     \
    do {                                                                                           \
        [[maybe_unused]] struct tcb *t = boot();                                                   \
        kernel_check();                                                                            \
        __VA_ARGS__;                                                                               \
        host_log_forget();                                                                         \
        CHECK_PANIC("invariant " invariant, kernel_check());                                       \
    } while (0)

/* The same for what only the harness sees. */
#define SEEN(text, ...)                                                                            \
    do {                                                                                           \
        [[maybe_unused]] struct tcb *t = boot();                                                   \
        host_check();                                                                              \
        __VA_ARGS__;                                                                               \
        CHECK_FAILS(text, host_check());                                                           \
    } while (0)

TEST(i1_links_and_counts)
{
    BREAKS("I1", host_slot(A)->open_prev = cdt_close(host_slot(A)));
    BREAKS("I1", kernel.caps++);
    BREAKS("I1", cap(A)->kind = KOZO_KIND_COUNT);
    BREAKS("I1", cap(A)->kind = KOZO_KIND_NULL);
    SEEN("I1", cap(B)->a = 1);
}

TEST(i2_what_a_copy_has)
{
    BREAKS("I2", cap(A)->rights = KOZO_READ | KOZO_WRITE; cap(SLOT_EP)->rights = KOZO_READ);
    BREAKS("I2", cap(SLOT_EP)->user_rights = 1);
    BREAKS("I2", cap(SLOT_EP)->flags |= CAP_BADGED; cap(SLOT_EP)->a = 5);
    BREAKS("I2", CHECK_OK(call(host.init, IOPORT_MINT, SLOT_IOPORT, 16, 31, 0, B));
           cap(SLOT_IOPORT)->object = 17 | 31ull << 16);
}

TEST(i3_where_objects_lie)
{
    BREAKS("I3", cap(U)->a = untyped_end(host_slot(U)) + 64);
    BREAKS("I3", cap(U)->a -= 64);                       /* its last child reaches beyond */
    BREAKS("I3", cap(FRAME)->object += 64);              /* not aligned */
    BREAKS("I3", cap(FRAME)->object = HOST_RAM_BASE);    /* not within */
    BREAKS("I3", cap(A)->object += KOZO_ENDPOINT_BYTES); /* a copy of something else */
    BREAKS("I3", cap(TABLE)->kind = KOZO_KIND_UNTYPED;
           cap(TABLE)->size_bits = 13; /* more than there is room for */
           cap(TABLE)->a = cap(TABLE)->object; kernel.bytes_free += 8192);
    BREAKS("I3", cap(TABLE)->kind = KOZO_KIND_UNTYPED; cap(TABLE)->size_bits = 12;
           cap(TABLE)->a = cap(TABLE)->object + 64);
    BREAKS("I3", kernel.bytes_free -= 4096);
    SEEN("I3", cap(FRAME + 1)->object = cap(FRAME)->object - 4096); /* on the table before it */
    SEEN("I3", cap(U)->b = cap(U)->a + 64;
         *(uint64_t *)arch_ram((struct paddr){ cap(U)->a + 8 }) = 1);
}

TEST(i4_what_lives_is_named)
{
    BREAKS("I4", t->state = TCB_FREE);
    BREAKS("I4", kernel.pools.pool[cap(SLOT_POOL)->object].live = false);
    BREAKS("I4", kernel.pools.pool[0].free--);
    BREAKS("I4", kernel.pools.tcb_count++);
    BREAKS("I4", kernel.pools.fresh++; kernel.pools.pool[kernel.pools.fresh - 1].live = true);
    BREAKS("I4", kernel.tcbs[kernel.pools.tcb_fresh++].state = TCB_STOPPED;
           kernel.pools.tcb_count++);
    BREAKS("I4", kernel.space_live[0] |= 1);
    BREAKS("I4", kernel.pending.zombie_count++);
    BREAKS("I4", host_make(A + 40, KOZO_KIND_CNODE, 6); slot_delete(host_slot(A + 40));
           kernel.pending.zombies = nullptr);
    BREAKS("I4", t->dropping = true);
    BREAKS("I4", kernel.pending.stopped = t);
    BREAKS("I5", t->root = 0);
    BREAKS("I4", t->cspace.size = 0);
    BREAKS("I4", t->buffer = nullptr);
}

static void wait_for_a_message(struct tcb *t)
{
    (void)host_peer(HOST_PRIORITY);
    call(t, RECV, SLOT_EP, 0);
    CHECK_EQ(t->state, TCB_RECEIVING);
}

TEST(i5_state_and_queue)
{
    BREAKS("I5", t->state = TCB_SENDING; t->waits_for.endpoint = host_endpoint());
    BREAKS("I5", t->state = TCB_RECEIVING; t->waits_for.endpoint = host_endpoint());
    BREAKS("I5", t->state = TCB_WAITING; t->waits_for.notification = host_ntfn());
    BREAKS("I5", t->state = TCB_CALLING);
    BREAKS("I5", t->replier.server = host.init);
    BREAKS("I5", t->owes = host.init);
    BREAKS("I5", t->bound = host_ntfn());
    BREAKS("I5", t->timer_index = 1);
    BREAKS("I5", t->state = TCB_STOPPED);
    BREAKS("I5", t->priority++);
    BREAKS("I5", (void)host_thread(KOZO_READ, 0); ring_remove(&kernel.sched.ready[t->priority], t);
           t->next = t->prev = t);
    BREAKS("I5", wait_for_a_message(t); t->state = TCB_WAITING; t->waits_for.notification = nullptr;
           timer_add(t, 1ull << 50));
    BREAKS("I5", wait_for_a_message(t); t->root = 0);
}

TEST(i6_who_runs)
{
    BREAKS("I6", kernel.sched.bitmap[0] |= 1);
    BREAKS("I6", kernel.sched.top = 3);
    BREAKS("I6", kernel.cpu.handoff = t);
    BREAKS("I6", host.init->priority = t->priority + 1);
}

static pte *entry(uint64_t table, uint64_t address, uint32_t level)
{
    return (pte *)arch_ram((struct paddr){ cap(table)->object }) + pte_index(address, level);
}

/*
 * The table that holds the mapped page is the one fed first: they are taken from the pool's head.
 */
static uint64_t last_table(void)
{
    for (uint64_t i = 0; i < 3; i++)
        if (cap(TABLE + i)->size_bits == 1 && (cap(TABLE + i)->flags & CAP_MAPPED) != 0)
            return TABLE + i;
    FAIL("no table of level 1");
}

static void map_by_hand(uint64_t address, uint64_t object, uint8_t rights)
{
    *entry(last_table(), address, 1) = pte_leaf((struct paddr){ object }, 1, rights, false);
}

TEST(i7_what_is_mapped)
{
    BREAKS("I7", map_by_hand(AT, cap(FRAME)->object, KOZO_READ | KOZO_WRITE | KOZO_EXECUTE));
    BREAKS("I7", map_by_hand(AT + 4096, cap(FRAME + 1)->object, KOZO_READ));
    /* as many leaves as records, but of another page */
    SEEN("I7: no capability accounts for the page",
         CHECK_OK(call(host.init, CAP_COPY, 0, B, 0, FRAME, KOZO_READ));
         map_by_hand(AT + 4096, cap(FRAME + 1)->object, KOZO_READ); cap(B)->flags |= CAP_MAPPED;
         cap(B)->a = AT; cap(B)->b = cap(FRAME)->b; cap(B)->aux = cap(FRAME)->aux);
    /* more rights than its capability has */
    SEEN("I7: no capability accounts for the page", cap(FRAME)->rights = KOZO_READ);
    SEEN("I7: no capability accounts for the table",
         cap(last_table())->flags &= (uint16_t)~CAP_MAPPED);
    SEEN("I7: no capability accounts for the table",
         *((pte *)cap(SPACE)->object + 1) = pte_table((struct paddr){ cap(TABLE + 3)->object }));
    SEEN("I7: the kernel's half", *((pte *)cap(SPACE)->object + PTE_ROOT_USER) = 0);
    SEEN("I7: stale TLB entry", CHECK(host_access(vspace_root(cap(SPACE)), AT, KOZO_READ).ok);
         *entry(last_table(), AT, 1) = 0);
}

TEST(i8_lines)
{
    BREAKS("I8", kernel.irqs.line[1].unmasked = true);
    SEEN("line_open", machine.line_open[1] = true);
    SEEN("I8: line 1 is claimed, and has no handler", kernel.irqs.line[1].claimed = true);
    SEEN("I8: line 2 is free, and has a handler",
         CHECK_OK(call(host.init, IRQ_CLAIM, SLOT_IRQ, 2, 0, B));
         kernel.irqs.line[2].claimed = false);
    SEEN("I8: line 2 has two handlers", CHECK_OK(call(host.init, IRQ_CLAIM, SLOT_IRQ, 2, 0, B));
         CHECK_OK(call(host.init, IRQ_CLAIM, SLOT_IRQ, 3, 0, FRAME + 2));
         slot_fill(host_slot(FRAME + 3), host_slot(SLOT_IRQ), *cap(B)));
}

/* A call that failed and did something is told from one that did nothing. */
static void change_something(void) { kernel.badges.key[0]++; }

TEST(i9_a_failure_that_changed_something)
{
    boot();
    host.fails = change_something;
    CHECK_FAILS("failed with EMPTY but changed kernel.badges", call(host.init, CAP_DELETE, 0, B));
    host.fails = nullptr;
}

/* The last word of the memory that a Frame is. */
static uint64_t *last_word(uint64_t frame)
{
    const struct cap *c = cap(frame);

    return (uint64_t *)arch_ram((struct paddr){ c->object + (1ull << c->size_bits) - 8 });
}

TEST(i10_what_user_code_sees)
{
    SEEN("sees a kernel address in word", t->frame.reg[7] = (uint64_t)(uintptr_t)t);
    SEEN("sees a kernel address in word",
         t->frame.other[0] = (uint64_t)(uintptr_t)machine.ram + 64);
    SEEN("sees a kernel address in word", t->buffer->word[55] = (uint64_t)(uintptr_t)&kernel);
    SEEN("sees poison in word", t->buffer->word[3] = HOST_POISON);
    SEEN("sees poison in word", t->frame.reg[2] = HOST_POISON);
    SEEN("sees a register of thread", t->frame.other[2] = host_mark(host.init));
    SEEN("of its floating-point registers", t->fpu.reg[2] = HOST_POISON);
    SEEN("of its FS base", t->fs_base = (uint64_t)(uintptr_t)t);
}

/* A Frame that is mapped, one that is not, the rest of one with an IPC buffer, one of 2 MiB. */
TEST(i10_what_memory_shows)
{
    SEEN("holds a kernel address in word 511", *last_word(FRAME) = (uint64_t)(uintptr_t)t);
    SEEN("holds poison in word 511", *last_word(FRAME + 1) = HOST_POISON);
    SEEN("holds a kernel address in word 511",
         *last_word(SLOT_FRAME) = (uint64_t)(uintptr_t)machine.ram);
    SEEN("holds a kernel address in word 262143", host_make(B, KOZO_KIND_FRAME, KOZO_LARGE_BITS);
         *last_word(B) = (uint64_t)(uintptr_t)(machine.ram + machine.ram_bytes - 1));
}

TEST(i10_what_events_tell)
{
    host_boot();
    host_trace(1ull << KOZO_TRACE_STOPPED);
    trace_record((struct kozo_event){ .what = KOZO_TRACE_STOPPED, .object = 1 });
    host_check();
    trace_record((struct kozo_event){ .what = KOZO_TRACE_STOPPED, .object = (uintptr_t)host.init });
    CHECK_FAILS("I10: an event of kind", host_check());
}

/* ---- when it is looked ---- */

TEST(a_small_world_is_checked_after_every_event)
{
    host_boot();
    CHECK_FAILS("world_slots() > HOST_SMALL_SLOTS", host_seldom());
    kernel.bytes_free++;
    CHECK_PANIC("invariant I3", host_leave());
}

TEST(a_large_world_is_checked_after_every_thousandth_event_and_at_its_end)
{
    host_boot();
    host_make(A, KOZO_KIND_CNODE, 1);
    host_seldom();
    kernel.bytes_free++;
    while ((host.events + 1) % HOST_SELDOM != 0)
        host_leave();
    CHECK_PANIC("invariant I3", host_leave());
    host.broken = false; /* as if it had not been seen */
    CHECK_PANIC("invariant I3", host_end());
    CHECK_EQ(host.events, HOST_SELDOM);
}

TEST(a_failure_that_changed_something_is_seen_in_a_large_world_too)
{
    boot();
    host_seldom();
    host.fails = change_something;
    CHECK_FAILS("failed with EMPTY but changed kernel.badges", call(host.init, CAP_DELETE, 0, B));
}
