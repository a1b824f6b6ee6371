/* SPDX-License-Identifier: MIT */
/*
 * What a program cannot do: touch the kernel, other programs' memory or the machine; and that only
 * it suffers when it tries.
 */
#include "fault.h"

#include <kozo/memory.h>
#include <kozo/window.h>

/* ---- the kernel and the machine ---- */

static const uint64_t kernel_addresses[] = {
    0xffff800000000000, /* direct map: the first page of memory, */
    0xffff800000100000, /* the kernel's image, */
    0xffff8000fee00000, /* the local APIC, were it there */
    0xffffffff80000000, /* where the image runs */
    0xffffffff80100000, 0xffffffff80200000,
    0xffffffffc0000000, /* devices */
    0xfffffffffffff000,
};
constexpr unsigned KERNEL_ADDRESSES = sizeof(kernel_addresses) / sizeof(kernel_addresses[0]);

static void check_kernel_is_shut(struct seen (*try)(void (*)(void *), void *))
{
    void (*const ways[])(void *) = { read_there, write_there, run_there };

    for (unsigned i = 0; i < KERNEL_ADDRESSES; i++)
        for (unsigned k = 0; k < 3; k++) {
            struct seen s = try(ways[k], (void *)kernel_addresses[i]);

            KOZO_CHECK_EQ(fault_of(&s), KOZO_FAULT_PAGE);
            KOZO_CHECK_EQ(address_of(&s), kernel_addresses[i]);
            kozo_worker_end(&s.w);
            kozo_slot_drop(s.ep.c);
        }
}

KOZO_TEST(kernel_memory_cannot_be_touched)
{
    check_kernel_is_shut(watch);
}

static struct kozo_space second;

static struct seen watch_there(void (*run)(void *), void *arg)
{
    return watch_in(second, run, arg);
}

KOZO_TEST(kernel_memory_cannot_be_touched_from_a_second_space)
{
    second = kozo_test_space_clone();
    check_kernel_is_shut(watch_there);
}

/* void name(void *): one instruction that only a kernel may use. */
#define FORBIDDEN(name, insn)                                                  \
    __asm__(".pushsection .text." #name ",\"ax\",@progbits\n" #name ":\n" insn \
            "\n ret\n.popsection\n");                                          \
    extern void name(void *arg)

FORBIDDEN(f_cli, "cli");
FORBIDDEN(f_sti, "sti");
FORBIDDEN(f_hlt, "hlt");
FORBIDDEN(f_in, "inb $0x60, %al");
FORBIDDEN(f_out, "outb %al, $0xf4");
FORBIDDEN(f_rdmsr, "movl $0xc0000080, %ecx\n rdmsr");
FORBIDDEN(f_wrmsr, "movl $0xc0000082, %ecx\n wrmsr");
FORBIDDEN(f_read_cr0, "movq %cr0, %rax");
FORBIDDEN(f_write_cr3, "movq %rdi, %cr3");
FORBIDDEN(f_write_cr4, "movq %rdi, %cr4");
FORBIDDEN(f_write_dr7, "movq %rdi, %dr7");
FORBIDDEN(f_lgdt, "lgdt -16(%rsp)");
FORBIDDEN(f_lidt, "lidt -16(%rsp)");
FORBIDDEN(f_lldt, "lldt %di");
FORBIDDEN(f_ltr, "ltr %di");
FORBIDDEN(f_invlpg, "invlpg (%rsp)");
FORBIDDEN(f_wbinvd, "wbinvd");
FORBIDDEN(f_clts, "clts");
FORBIDDEN(f_swapgs, "swapgs");
FORBIDDEN(f_sysret, "sysretq");
FORBIDDEN(f_int_0, "int $0");
FORBIDDEN(f_int_8, "int $8");
FORBIDDEN(f_int_14, "int $14");
FORBIDDEN(f_int_timer, "int $32");
FORBIDDEN(f_int_128, "int $0x80");
FORBIDDEN(f_int_255, "int $255");
FORBIDDEN(f_kernel_cs, "pushq $8\n pushq $0x400000\n lretq");
FORBIDDEN(f_iret_to_kernel, "movq %rsp, %rax\n pushq $0x10\n pushq %rax\n pushfq\n"
                            "pushq $8\n pushq $0x400000\n iretq");
FORBIDDEN(f_kernel_ss, "movl $0x10, %eax\n movl %eax, %ss");

KOZO_TEST(kernels_instructions_are_protection_faults)
{
    static const struct {
        const char *name;
        void (*run)(void *);
    } all[] = {
        { "cli", f_cli },
        { "sti", f_sti },
        { "hlt", f_hlt },
        { "in", f_in },
        { "out", f_out },
        { "rdmsr", f_rdmsr },
        { "wrmsr", f_wrmsr },
        { "mov cr0, reg", f_read_cr0 },
        { "mov reg, cr3", f_write_cr3 },
        { "mov reg, cr4", f_write_cr4 },
        { "mov reg, dr7", f_write_dr7 },
        { "lgdt", f_lgdt },
        { "lidt", f_lidt },
        { "lldt", f_lldt },
        { "ltr", f_ltr },
        { "invlpg", f_invlpg },
        { "wbinvd", f_wbinvd },
        { "clts", f_clts },
        { "swapgs", f_swapgs },
        { "sysret", f_sysret },
        { "int 0", f_int_0 },
        { "int 8", f_int_8 },
        { "int 14", f_int_14 },
        { "int 32", f_int_timer },
        { "int 128", f_int_128 },
        { "int 255", f_int_255 },
        { "the kernel's stack segment", f_kernel_ss },
    };

    for (unsigned i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        uint64_t fault = outcome(all[i].run, nullptr);

        if (fault != KOZO_FAULT_PROTECTION)
            KOZO_FAIL("%s: %s", all[i].name, kozo_fault_name(fault));
    }
}

FORBIDDEN(f_sysenter, "sysenter");
FORBIDDEN(f_far_call, ".byte 0x9a, 0, 0, 0x40, 0, 8, 0");

/*
 * Some processors do not know SYSENTER; and with SMAP on, QEMU 7 reads the stack of a far return as
 * the kernel would.
 */
KOZO_TEST(other_ways_into_the_kernel_are_shut)
{
    uint64_t sysenter = outcome(f_sysenter, nullptr), lret = outcome(f_kernel_cs, nullptr);
    uint64_t iret = outcome(f_iret_to_kernel, nullptr);

    KOZO_CHECK(sysenter == KOZO_FAULT_PROTECTION || sysenter == KOZO_FAULT_OPCODE);
    KOZO_CHECK(lret == KOZO_FAULT_PROTECTION || lret == KOZO_FAULT_PAGE);
    KOZO_CHECK(iret == KOZO_FAULT_PROTECTION || iret == KOZO_FAULT_PAGE);
    KOZO_CHECK_EQ(outcome(f_far_call, nullptr), KOZO_FAULT_OPCODE);
}

/* ---- a second space ---- */

static uint64_t variable = 1;
static const uint64_t constant = 2;

/* What a thread in the second space saw, sent home. */
static void look_and_report(void *arg)
{
    struct kozo_words x = { .cap = (uint64_t)arg,
                            .w = { variable, constant, (uint64_t)kozo_boot_info()->head.magic } };

    variable = 99;
    x.w[3] = variable;
    (void)kozo_ipc(KOZO_SYS_SEND, &x);
}

KOZO_TEST(spaces_share_no_memory)
{
    struct kozo_endpoint ep = kozo_test_endpoint();
    struct kozo_space space;
    struct kozo_words x;

    variable = 7;
    space = kozo_test_space_clone();
    variable = 8;
    (void)kozo_test_thread_in(space, &(struct kozo_worker_options){ .priority = LATER },
                              look_and_report, (void *)ep.c);
    KOZO_REQUIRE_OK(kozo_recv_words(ep, &x));
    KOZO_CHECK_EQ(x.w[0], 7);
    KOZO_CHECK_EQ(x.w[1], constant);
    KOZO_CHECK_EQ(x.w[2], KOZO_START_MAGIC);
    KOZO_CHECK_EQ(x.w[3], 99);
    KOZO_CHECK_EQ(variable, 8);
}

KOZO_TEST(memory_of_another_space_cannot_be_touched)
{
    struct kozo_space space = kozo_test_space_clone();
    struct kozo_worker other = doing_later(LATER);
    struct kozo_frame f = kozo_test_frame();
    uint64_t mine = kozo_window_alloc(KOZO_WINDOW_SMALL, KOZO_PAGE_SIZE);
    struct {
        uint64_t address;
    } theirs[] = { { (uint64_t)&space },
                   { other.part },
                   { other.stack_end - 8 },
                   { mine },
                   { (uint64_t)kozo_buffer() } };

    KOZO_REQUIRE_OK(kozo_memory_map(f, mine, KOZO_READ | KOZO_WRITE));
    *(volatile uint64_t *)mine = 3;
    for (unsigned i = 0; i < sizeof(theirs) / sizeof(theirs[0]); i++)
        for (unsigned k = 0; k < 2; k++) {
            struct seen s =
                watch_in(space, k == 0 ? read_there : write_there, (void *)theirs[i].address);

            KOZO_CHECK_EQ(fault_of(&s), KOZO_FAULT_PAGE);
            KOZO_CHECK_EQ(address_of(&s), theirs[i].address);
            kozo_worker_end(&s.w);
        }
    KOZO_CHECK_EQ(*(volatile uint64_t *)mine, 3);
}

KOZO_TEST(program_keeps_to_the_rights_of_its_own_segments)
{
    struct kozo_space space = kozo_test_space_clone();
    const struct {
        void (*run)(void *);
        const void *at;
        uint64_t access;
    } all[] = {
        { write_there, &constant, KOZO_WRITE },
        { write_there, (const void *)(uint64_t)look_and_report, KOZO_WRITE },
        { run_there, &variable, KOZO_EXECUTE },
        { run_there, &constant, KOZO_EXECUTE },
        { write_there, kozo_boot_info(), KOZO_WRITE },
        { write_there, (const void *)kozo_boot_info()->head.clock, KOZO_WRITE },
    };

    for (unsigned i = 0; i < sizeof(all) / sizeof(all[0]); i++)
        for (unsigned k = 0; k < 2; k++) {
            struct seen s = k == 0 ? watch(all[i].run, (void *)(uint64_t)all[i].at)
                                   : watch_in(space, all[i].run, (void *)(uint64_t)all[i].at);

            KOZO_CHECK_EQ(fault_of(&s), KOZO_FAULT_PAGE);
            KOZO_CHECK_EQ(access_of(&s), all[i].access);
            KOZO_CHECK_EQ(code_of(&s) & 1, 1); /* it is there, but not for that */
            kozo_worker_end(&s.w);
        }
    KOZO_CHECK_EQ(constant, 2);
}

/* Two threads in the second space: one faults, the other serves on. */
static void serve_one(void *arg)
{
    struct kozo_words x;

    if (kozo_recv_words((struct kozo_endpoint){ (uint64_t)arg }, &x) != KOZO_OK)
        return;
    x = (struct kozo_words){ .info = label(label_of(x.info) * 2) };
    (void)kozo_ipc(KOZO_SYS_REPLY, &x);
}

KOZO_TEST(fault_stops_one_thread_and_no_other_of_its_space)
{
    struct kozo_space space = kozo_test_space_clone();
    struct kozo_endpoint ep = kozo_test_endpoint();
    struct kozo_words x = { .info = label(21) };
    struct kozo_worker w;

    (void)kozo_test_thread_in(space, &(struct kozo_worker_options){ .priority = URGENT }, serve_one,
                              (void *)ep.c);
    w = kozo_test_thread_in(space, &(struct kozo_worker_options){ .priority = URGENT }, write_there,
                            nullptr);
    KOZO_CHECK_EQ(state_of(&w), KOZO_THREAD_FAULTED);
    KOZO_CHECK_OK(kozo_call_words(ep, &x));
    KOZO_CHECK_EQ(x.info, label(42));
}

/*
 * The same address, switched to and fro: each sees its own memory, never what is left of the
 * other's translations.
 */
static void toggle(void *arg)
{
    struct kozo_words x;
    struct kozo_endpoint ep = { (uint64_t)arg };

    variable = 500;
    while (kozo_recv_words(ep, &x) == KOZO_OK) {
        variable++;
        x = (struct kozo_words){ .w = { variable } };
        (void)kozo_ipc(KOZO_SYS_REPLY, &x);
    }
}

KOZO_TEST(same_address_is_different_memory_in_each_space)
{
    struct kozo_endpoint ep = kozo_test_endpoint();
    struct kozo_space space = kozo_test_space_clone();

    (void)kozo_test_thread_in(space, &(struct kozo_worker_options){ .priority = URGENT }, toggle,
                              (void *)ep.c);
    variable = 1000;
    for (uint64_t i = 1; i <= 100; i++) {
        struct kozo_words x = {};

        KOZO_REQUIRE_OK(kozo_call_words(ep, &x));
        KOZO_CHECK_EQ(x.w[0], 500 + i);
        variable++;
        KOZO_CHECK_EQ(variable, 1000 + i);
    }
}

constexpr uint64_t SHARED = 0x500000000000;

static void read_shared_and_wait(void *arg)
{
    struct kozo_words x = { .cap = (uint64_t)arg, .w = { *(volatile uint64_t *)SHARED } };

    (void)kozo_ipc(KOZO_SYS_CALL, &x);
    read_there((void *)SHARED);
}

/* A page lent to another space, read-only, and taken back while it is in use there. */
KOZO_TEST(shared_page_can_be_taken_back_from_another_space)
{
    struct kozo_space space = kozo_test_space_clone();
    struct kozo_frame f = kozo_test_frame(), lent = { kozo_test_copy(f.c, KOZO_READ | KOZO_MAP) };
    volatile uint64_t *mine =
        (volatile uint64_t *)kozo_window_alloc(KOZO_WINDOW_SMALL, KOZO_PAGE_SIZE);
    struct seen s = { .ep = kozo_test_endpoint() };
    struct kozo_endpoint ep = kozo_test_endpoint();
    struct kozo_words x;

    for (unsigned i = 0; i < 3; i++) {
        struct kozo_page_table t = { kozo_test_slot() };

        KOZO_CHECK_OK(kozo_retype(kozo_test_memory(), KOZO_KIND_PAGE_TABLE, 0, kozo_own(t.c), 1));
        KOZO_CHECK_OK(kozo_space_feed(space, t));
    }
    KOZO_REQUIRE_OK(kozo_memory_map(f, (uint64_t)mine, KOZO_READ | KOZO_WRITE));
    KOZO_REQUIRE_OK(kozo_map(space, lent, SHARED, KOZO_READ));
    *mine = 0xfeed;
    s.w = kozo_test_thread_in(space,
                              &(struct kozo_worker_options){ .priority = URGENT, .fault = s.ep },
                              read_shared_and_wait, (void *)ep.c);
    KOZO_REQUIRE_OK(kozo_recv_words(ep, &x));
    KOZO_CHECK_EQ(x.w[0], 0xfeed);
    KOZO_CHECK_OK(kozo_cap_revoke(kozo_own(f.c)));
    KOZO_CHECK_OK(answer(0));
    KOZO_CHECK(next_fault(&s));
    KOZO_CHECK_EQ(fault_of(&s), KOZO_FAULT_PAGE);
    KOZO_CHECK_EQ(address_of(&s), SHARED);
    KOZO_CHECK_EQ(*mine, 0xfeed);
}

/* A space that ends while a thread runs in it. */
static void spin([[maybe_unused]] void *arg)
{
    for (;;)
        variable++;
}

KOZO_TEST(space_that_ends_stops_its_threads)
{
    struct kozo_space space = kozo_test_space_clone();
    struct kozo_worker w = kozo_test_thread_in(
        space, &(struct kozo_worker_options){ .priority = LATER }, spin, nullptr);

    AWAIT(kozo_thread_info(w.thread).time > 0);
    KOZO_CHECK_EQ(state_of(&w), KOZO_THREAD_READY);
    KOZO_CHECK_OK(kozo_cap_revoke(kozo_own(space.c)));
    KOZO_CHECK_EQ(state_of(&w), KOZO_THREAD_STOPPED);
    KOZO_CHECK_ERR(kozo_thread_resume(w.thread), KOZO_ERR_STATE);
}

/* With an empty capability space of its own a thread reaches nothing and nobody. */
static void try_every_slot(void *arg)
{
    uint64_t *reached = arg;

    for (uint64_t nr = 0; nr < KOZO_SYSCALL_LIMIT; nr++) {
        if (nr == KOZO_SYS_WAIT || nr == KOZO_SYS_YIELD || nr == KOZO_SYS_THREAD_EXIT ||
            nr == KOZO_SYS_THREAD_FS_BASE || nr == KOZO_SYS_FINISH)
            continue;
        for (uint64_t slot = 1; slot < 12; slot++)
            *reached += kozo_syscall_err(nr, slot, 0, 0, 0, 0, 0) == KOZO_OK;
    }
    *reached += 1000;
}

KOZO_TEST(thread_without_capabilities_reaches_nothing)
{
    struct kozo_cnode empty = kozo_test_cnode(4);
    struct kozo_worker w = doing_later(URGENT);
    uint64_t reached = 0;

    KOZO_REQUIRE_OK(kozo_thread_bind(w.thread, empty, (struct kozo_space){ 0 },
                                     (struct kozo_frame){ 0 }, 0, (struct kozo_endpoint){ 0 }));
    KOZO_CHECK_OK(kozo_worker_run(&w, try_every_slot, &reached));
    KOZO_CHECK_EQ(reached, 1000);
}
