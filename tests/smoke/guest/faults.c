/* SPDX-License-Identifier: MIT */
/*
 * Faults: each is told to the thread's handler as what it is and where it was; what the handler may
 * answer; and what becomes of the thread when nobody does.
 */
#include "fault.h"
#include "registers.h"

#include <kozo/memory.h>

/* void name(void *): `before`, then `at`, which faults, then what comes `after` it. */
#define FAULTING(name, before, at, after)                                                   \
    __asm__(".pushsection .text." #name ",\"ax\",@progbits\n" #name ":\n" before "\n" #name \
            "_at:\n" at "\n" #name "_after:\n" after "\n ret\n .popsection\n");             \
    extern void name(void *arg);                                                            \
    extern const char name##_at[], name##_after[]

FAULTING(divide, "xorl %ecx, %ecx\n movl $1, %eax\n cltd", "divl %ecx", "");
FAULTING(breakpoint, "", "int3", "");
FAULTING(overflow, "", "int $4", "");
FAULTING(opcode, "", "ud2", "");
FAULTING(halt, "", "hlt", "");
FAULTING(far_away, "movabsq $0x800000000000, %rax", "movq (%rax), %rax", "");
FAULTING(x87, "fninit\n pushq $0x37b\n fldcw (%rsp)\n popq %rax\n fld1\n fldz\n fdivrp",
         "fwait", "");
FAULTING(no_fpu, "", "fld1", "");

KOZO_TEST(each_exception_is_told_as_what_it_is)
{
    static const struct {
        void (*run)(void *);
        const char *ip; /* of the instruction, or behind it where it is a trap */
        uint32_t flags;
        enum kozo_fault fault;
    } all[] = {
        { divide, divide_at, 0, KOZO_FAULT_DIVIDE },
        { breakpoint, breakpoint_after, 0, KOZO_FAULT_BREAKPOINT },
        { overflow, overflow_after, 0, KOZO_FAULT_OVERFLOW },
        { opcode, opcode_at, 0, KOZO_FAULT_OPCODE },
        { halt, halt_at, 0, KOZO_FAULT_PROTECTION },
        { far_away, far_away_at, 0, KOZO_FAULT_PROTECTION },
        { x87, x87_at, KOZO_THREAD_FPU, KOZO_FAULT_FPU },
        { no_fpu, no_fpu_at, 0, KOZO_FAULT_NO_FPU },
    };

    for (unsigned i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        struct seen s =
            watch_with(&(struct kozo_worker_options){ .priority = LATER, .flags = all[i].flags },
                       all[i].run, nullptr);

        KOZO_CHECK_STR(kozo_fault_name(fault_of(&s)), kozo_fault_name(all[i].fault));
        KOZO_CHECK_EQ(ip_of(&s), all[i].ip);
        KOZO_CHECK_EQ(address_of(&s), all[i].ip);
        KOZO_CHECK_EQ(s.m.word[7], kozo_thread_info(s.w.thread).serial);
        KOZO_CHECK_EQ(s.m.label, 0);
        KOZO_CHECK_EQ(s.m.nwords, KOZO_MSG_REGS + KOZO_REG_COUNT);
        kozo_worker_end(&s.w);
    }
}

constexpr uint64_t NOWHERE = 0x123456789000;

KOZO_TEST(page_fault_tells_address_and_access)
{
    static const uint64_t constant = 1;
    struct seen s = watch(read_there, (void *)NOWHERE);

    KOZO_CHECK_EQ(fault_of(&s), KOZO_FAULT_PAGE);
    KOZO_CHECK_EQ(address_of(&s), NOWHERE);
    KOZO_CHECK_EQ(access_of(&s), KOZO_READ);
    KOZO_CHECK_EQ(code_of(&s), 4); /* a user's read, nothing there */
    s = watch(write_there, (void *)(NOWHERE + 8));
    KOZO_CHECK_EQ(address_of(&s), NOWHERE + 8);
    KOZO_CHECK_EQ(access_of(&s), KOZO_WRITE);
    s = watch(run_there, (void *)(NOWHERE + 1));
    KOZO_CHECK_EQ(address_of(&s), NOWHERE + 1);
    KOZO_CHECK_EQ(ip_of(&s), NOWHERE + 1);
    KOZO_CHECK_EQ(access_of(&s), KOZO_EXECUTE);
    s = watch(write_there, (void *)&constant);
    KOZO_CHECK_EQ(fault_of(&s), KOZO_FAULT_PAGE);
    KOZO_CHECK_EQ(address_of(&s), (uint64_t)&constant);
    KOZO_CHECK_EQ(code_of(&s), 7);
    s = watch(read_there, nullptr);
    KOZO_CHECK_EQ(address_of(&s), 0);
}

WITH_REGISTERS(fault_with_all, "ud2");

KOZO_TEST(handler_is_told_all_registers)
{
    struct registers g;
    struct seen s;

    fill(&g, 0x44);
    g.flags |= DF | CF;
    s = watch(fault_with_all, &g);
    KOZO_CHECK_EQ(fault_of(&s), KOZO_FAULT_OPCODE);
    for (unsigned i = 0; i < KOZO_REG_FS_BASE; i++)
        KOZO_CHECK_EQ(reg_of(&s, i), g.r[i]);
    KOZO_CHECK_EQ(reg_of(&s, KOZO_REG_FS_BASE), 0);
    KOZO_CHECK_EQ(s.m.word[4] & (DF | CF | TF), DF | CF);
    KOZO_CHECK(s.m.word[3] > s.w.part && s.m.word[3] < s.w.stack_end);
}

KOZO_TEST(registers_can_be_loaded)
{
    struct registers g, want;
    struct seen s;

    fill(&g, 0x45);
    fill(&want, 0x54);
    s = watch(fault_with_all, &g);
    load(&s, (uint64_t)fault_with_all_after, 0x202 | DF, want.r, KOZO_REG_FS_BASE);
    AWAIT(state_of(&s.w) != KOZO_THREAD_READY);
    for (unsigned i = 0; i < KOZO_REG_FS_BASE; i++)
        KOZO_CHECK_EQ(g.r[i], want.r[i]);
    KOZO_CHECK_EQ(g.flags & (DF | CF), DF);
    KOZO_CHECK(next_fault(&s));
    KOZO_CHECK_EQ(fault_of(&s), KOZO_FAULT_EXIT);
}

KOZO_TEST(registers_that_are_not_loaded_stay)
{
    struct registers g, before, want;
    struct seen s;

    fill(&g, 0x46);
    before = g;
    fill(&want, 0x64);
    s = watch(fault_with_all, &g);
    load(&s, (uint64_t)fault_with_all_after, 0x202, want.r, 2);
    AWAIT(state_of(&s.w) != KOZO_THREAD_READY);
    for (unsigned i = 0; i < KOZO_REG_FS_BASE; i++)
        KOZO_CHECK_EQ(g.r[i], i < 2 ? want.r[i] : before.r[i]);
}

/* No I/O privilege, no nested task, no virtual mode; interrupts stay on. */
KOZO_TEST(flags_that_are_loaded_are_made_safe)
{
    struct registers g;
    struct seen s;

    fill(&g, 0x47);
    s = watch(fault_with_all, &g);
    load(&s, (uint64_t)fault_with_all_after, ~TF, nullptr, 0);
    AWAIT(state_of(&s.w) != KOZO_THREAD_READY);
    KOZO_CHECK_EQ(g.flags & ~(ID | 0xfd7), AC); /* beyond bit 11 */
    KOZO_CHECK_EQ(g.flags & 0x202, 0x202);
    KOZO_CHECK_EQ(g.flags & DF, DF);
    s = watch(fault_with_all, &g);
    load(&s, (uint64_t)fault_with_all_after, 0, nullptr, 0);
    AWAIT(state_of(&s.w) != KOZO_THREAD_READY);
    KOZO_CHECK_EQ(g.flags & 0x202, 0x202);
}

KOZO_TEST(loaded_address_outside_the_users_half_faults_there)
{
    static const uint64_t wrong[] = { KOZO_USER_END, 0x800000000000, 0xffff800000000000,
                                      0xffffffff80000000, UINT64_MAX };

    for (unsigned i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        struct seen s = watch(opcode, nullptr);

        load(&s, wrong[i], 0x202, nullptr, 0);
        KOZO_CHECK(next_fault(&s));
        KOZO_CHECK_EQ(fault_of(&s), KOZO_FAULT_PAGE);
        KOZO_CHECK_EQ(ip_of(&s), KOZO_USER_END);
        KOZO_CHECK_EQ(address_of(&s), KOZO_USER_END);
        KOZO_CHECK_EQ(access_of(&s), KOZO_EXECUTE);
        kozo_worker_end(&s.w);
    }
}

/* The access is made again, and finds what it needs. */
static void sum_pages(void *arg)
{
    volatile uint64_t *at = (volatile uint64_t *)NOWHERE;
    uint64_t *sum = arg;

    for (unsigned i = 0; i < 3; i++) {
        at[i * 512] = i + 10;
        *sum += at[i * 512];
    }
}

KOZO_TEST(page_that_is_missing_can_be_mapped_and_the_access_made_again)
{
    uint64_t sum = 0;
    struct seen s = watch(sum_pages, &sum);

    for (unsigned i = 0; i < 3; i++) {
        struct kozo_frame f = kozo_test_frame();

        KOZO_CHECK_EQ(fault_of(&s), KOZO_FAULT_PAGE);
        KOZO_REQUIRE(address_of(&s) == NOWHERE + i * KOZO_PAGE_SIZE);
        KOZO_REQUIRE_OK(kozo_memory_map(f, address_of(&s), KOZO_READ | KOZO_WRITE));
        resume(&s);
        KOZO_REQUIRE(next_fault(&s));
    }
    KOZO_CHECK_EQ(fault_of(&s), KOZO_FAULT_EXIT);
    KOZO_CHECK_EQ(sum, 10 + 11 + 12);
}

KOZO_TEST(badge_tells_whose_fault_it_is)
{
    struct kozo_endpoint ep = kozo_test_endpoint();
    struct kozo_msg m;

    for (unsigned i = 0; i < 3; i++) {
        struct kozo_endpoint mine = kozo_test_mint(ep, KOZO_RIGHTS(KOZO_WRITE, i), 0x100 + i);

        (void)kozo_test_thread_with(
            &(struct kozo_worker_options){ .priority = LATER - i, .fault = mine }, opcode, nullptr);
    }
    for (unsigned i = 0; i < 3; i++) {
        kozo_msg_init(&m);
        KOZO_REQUIRE_OK(kozo_recv(ep, &m));
        KOZO_CHECK_EQ(m.badge, 0x102 - i);
        KOZO_CHECK_EQ(m.user, 2 - i);
        KOZO_CHECK_EQ(m.what, KOZO_MSG_FAULT);
    }
}

KOZO_TEST(handler_without_a_buffer_is_told_that_registers_are_left_out)
{
    struct kozo_endpoint ep = kozo_test_endpoint();
    struct doing handler = { .nr = KOZO_SYS_RECV, .x = { .cap = ep.c } };

    (void)bare_thread(&handler, URGENT);
    (void)kozo_test_thread_with(&(struct kozo_worker_options){ .priority = LATER, .fault = ep },
                                opcode, nullptr);
    AWAIT(handler.done);
    KOZO_CHECK_EQ(handler.x.info & 0xffffff, KOZO_INFO_FAULT | KOZO_INFO_DROPPED);
    KOZO_CHECK_EQ(handler.x.w[0], KOZO_FAULT_OPCODE);
    KOZO_CHECK_EQ(handler.x.w[2], opcode_at);
}

/* ---- when nobody answers ---- */

static void check_stopped_at(const struct kozo_worker *w, enum kozo_fault fault, uint64_t ip)
{
    KOZO_CHECK_EQ(state_of(w), KOZO_THREAD_FAULTED);
    KOZO_CHECK_EQ(kozo_buffer()->word[KOZO_THREAD_WORD_FAULT], fault);
    KOZO_CHECK_EQ(kozo_buffer()->word[KOZO_THREAD_WORD_IP], ip);
}

KOZO_TEST(without_a_handler_only_that_thread_stops)
{
    struct kozo_endpoint ep = kozo_test_endpoint();
    struct doing other = { .nr = KOZO_SYS_RECV, .x = { .cap = ep.c } };
    struct kozo_worker o = doing(&other, LATER), w = kozo_test_thread(opcode, nullptr, URGENT);
    struct kozo_words x = { .cap = ep.c };

    check_stopped_at(&w, KOZO_FAULT_OPCODE, (uint64_t)opcode_at);
    KOZO_CHECK_OK(kozo_ipc(KOZO_SYS_SEND, &x));
    AWAIT(other.done);
    KOZO_CHECK_OK(other.err);
    AWAIT(state_of(&o) == KOZO_THREAD_FAULTED); /* it says that it is done before it ends */
    KOZO_CHECK_EQ(kozo_buffer()->word[KOZO_THREAD_WORD_FAULT], KOZO_FAULT_EXIT);
}

KOZO_TEST(fault_that_is_dropped_stops_the_thread_until_it_is_resumed)
{
    struct seen s = watch(opcode, nullptr);
    struct kozo_words x = { .cap = s.ep.c };

    KOZO_CHECK_ERR(kozo_ipc_until(KOZO_SYS_RECV, &x, 0), KOZO_ERR_TIMEOUT);
    check_stopped_at(&s.w, KOZO_FAULT_OPCODE, (uint64_t)opcode_at);
    KOZO_CHECK_OK(kozo_thread_resume(s.w.thread)); /* the instruction is executed again */
    KOZO_CHECK(next_fault(&s));
    KOZO_CHECK_EQ(fault_of(&s), KOZO_FAULT_OPCODE);
    KOZO_CHECK_EQ(ip_of(&s), opcode_at);
}

KOZO_TEST(handler_may_let_the_thread_stop)
{
    struct seen s = watch(opcode, nullptr);

    stop_it(&s);
    check_stopped_at(&s.w, KOZO_FAULT_OPCODE, (uint64_t)opcode_at);
}

KOZO_TEST(handler_that_ends_leaves_the_thread_stopped)
{
    struct kozo_endpoint ep = kozo_test_endpoint();
    struct doing handler = { .nr = KOZO_SYS_RECV, .x = { .cap = ep.c } };
    struct kozo_worker h = doing_later(URGENT), w;

    KOZO_REQUIRE_OK(kozo_worker_run(&h, do_it, &handler));
    w = kozo_test_thread_with(&(struct kozo_worker_options){ .priority = LATER, .fault = ep },
                              opcode, nullptr);
    AWAIT(handler.done); /* it took the fault, and is over */
    AWAIT(state_of(&w) == KOZO_THREAD_FAULTED);
    check_stopped_at(&w, KOZO_FAULT_OPCODE, (uint64_t)opcode_at);
}

KOZO_TEST(endpoint_of_the_handler_that_ends_leaves_the_thread_stopped)
{
    struct kozo_endpoint ep = kozo_test_endpoint();
    struct kozo_worker w = kozo_test_thread_with(
        &(struct kozo_worker_options){ .priority = URGENT, .fault = ep }, opcode, nullptr);

    KOZO_CHECK_EQ(state_of(&w), KOZO_THREAD_SENDING);
    KOZO_CHECK_OK(kozo_cap_delete(kozo_own(ep.c)));
    /* The thread itself was bound with a capability to it: it lives. */
    KOZO_CHECK_EQ(state_of(&w), KOZO_THREAD_SENDING);
    KOZO_CHECK_OK(kozo_cap_revoke(kozo_own(kozo_test_memory().c)));
    KOZO_CHECK_EQ(kozo_thread_info(w.thread).state, KOZO_THREAD_FAULTED);
}

KOZO_TEST(thread_suspended_in_its_fault_executes_again)
{
    struct seen s = watch(opcode, nullptr);

    KOZO_CHECK_OK(kozo_thread_suspend(s.w.thread));
    check_stopped_at(&s.w, KOZO_FAULT_OPCODE, (uint64_t)opcode_at);
    kozo_msg_init(&s.m);
    KOZO_CHECK_ERR(kozo_reply(&s.m), KOZO_ERR_NOREPLY);
    KOZO_CHECK_OK(kozo_thread_resume(s.w.thread));
    KOZO_CHECK(next_fault(&s));
    KOZO_CHECK_EQ(fault_of(&s), KOZO_FAULT_OPCODE);
}

KOZO_TEST(fault_can_be_answered_later)
{
    struct registers g;
    struct seen s;
    struct kozo_reply r = { kozo_test_slot() };

    fill(&g, 0x48);
    s = watch(fault_with_all, &g);
    KOZO_CHECK_OK(kozo_reply_save(kozo_own(r.c)));
    KOZO_CHECK_EQ(state_of(&s.w), KOZO_THREAD_CALLING);
    s.m.label = KOZO_FAULT_LOAD;
    s.m.word[2] = (uint64_t)fault_with_all_after;
    s.m.nwords = KOZO_MSG_REGS;
    g.flags = 0;
    KOZO_CHECK_OK(kozo_reply_to(r, &s.m));
    KOZO_CHECK(next_fault(&s));
    KOZO_CHECK_EQ(fault_of(&s), KOZO_FAULT_EXIT);
    KOZO_CHECK(g.flags != 0);
}

static void exit_with(void *arg)
{
    kozo_thread_exit((uint64_t)arg);
}

KOZO_TEST(end_of_a_thread_is_told_and_final)
{
    struct seen s = watch(exit_with, (void *)0x7777);

    KOZO_CHECK_EQ(fault_of(&s), KOZO_FAULT_EXIT);
    KOZO_CHECK_EQ(address_of(&s), 0x7777);
    KOZO_CHECK_EQ(state_of(&s.w), KOZO_THREAD_CALLING);
    resume(&s); /* does not help */
    KOZO_CHECK_EQ(state_of(&s.w), KOZO_THREAD_FAULTED);
    KOZO_CHECK_ERR(kozo_thread_resume(s.w.thread), KOZO_ERR_STATE);
    KOZO_CHECK_OK(kozo_worker_run(&s.w, exit_with, (void *)0x8888));
    KOZO_CHECK(next_fault(&s));
    KOZO_CHECK_EQ(address_of(&s), 0x8888);
}

/* ---- stacks and steps ---- */

[[gnu::noinline]] static uint64_t dig(uint64_t depth)
{
    volatile uint64_t here[64] = { depth };

    return here[0] == 0 ? 0 : dig(depth - 1) + here[depth % 64];
}

static void overflow_stack(void *arg)
{
    *(uint64_t *)arg = dig(1'000'000);
}

KOZO_TEST(stack_that_overflows_hits_its_guard)
{
    uint64_t result;
    struct seen s = watch(overflow_stack, &result);

    KOZO_CHECK_EQ(fault_of(&s), KOZO_FAULT_PAGE);
    KOZO_CHECK_EQ(access_of(&s), KOZO_WRITE);
    KOZO_CHECK(address_of(&s) - (s.w.part + KOZO_PAGE_SIZE) < KOZO_PAGE_SIZE);
}

FAULTING(steps, "pushfq\n orl $0x100, (%rsp)\n popfq", "nop", "nop\n nop\n incl (%rdi)\n nop");

/*
 * One step traps behind the instruction that follows POPF, and so on, until the handler takes the
 * flag away.
 */
KOZO_TEST(single_steps_are_told_one_by_one)
{
    uint32_t n = 0;
    struct seen s = watch(steps, &n);

    for (unsigned i = 0; i < 3; i++) {
        KOZO_CHECK_EQ(fault_of(&s), KOZO_FAULT_DEBUG);
        KOZO_CHECK_EQ(ip_of(&s), (uint64_t)steps_at + 1 + i);
        KOZO_CHECK_EQ(code_of(&s) & 1 << 14, 1 << 14);
        resume(&s);
        KOZO_REQUIRE(next_fault(&s));
    }
    KOZO_CHECK_EQ(n, 1);
    KOZO_CHECK_EQ(fault_of(&s), KOZO_FAULT_DEBUG);
    load(&s, ip_of(&s), s.m.word[4] & ~TF, nullptr, 0);
    KOZO_CHECK(next_fault(&s));
    KOZO_CHECK_EQ(fault_of(&s), KOZO_FAULT_EXIT);
}
