/* SPDX-License-Identifier: MIT */
/*
 * The ways by which a program changes segments, flags and privilege: far jumps, calls and returns,
 * IRET with frames of its own making, POPF, every segment register; what the tables tell; and
 * exceptions that an emulator may not raise.
 */
#include "attack.h"

constexpr uint64_t USER_SS = 0x1b, USER_CS = 0x23; /* as SYSRET loads them */
constexpr uint64_t IF = 1 << 9, IOPL = 3 << 12, VM = 1 << 17, ZF = 1 << 6;

/*
 * One thread, led from try to try by its handler: name(...) begins with rsp = rsi, name_at is the
 * instruction, name_landed an undefined one behind it, where it comes to if nothing keeps it.
 */
#define TRY_WITH(name, before, insn)                                                               \
    __asm__(".pushsection .text." #name ",\"ax\",@progbits\n" #name ":\n movq %rsi, %rsp\n"        \
            " " before "\n" #name "_at: " insn "\n" #name "_landed: ud2\n.popsection\n");          \
    extern void name(void *);                                                                      \
    extern const char name##_at[], name##_landed[]

struct led {
    struct seen s;
    void (*run)(void *);
    uint64_t sp;
};

/* Where it begins: at an undefined instruction. */
RAISE(wait_here, "ud2");

static struct led lead(void (*run)(void *), uint32_t flags)
{
    struct registers g;
    struct led l = { .run = run };

    fill(&g, 0x71);
    l.s = watch_with(&(struct kozo_worker_options){ .priority = LATER, .flags = flags }, wait_here,
                     &g);
    l.sp = l.s.w.stack_end - 512;
    return l;
}

/* One try with these in rax, rbx, rcx; false when no fault came. */
static bool try_it(struct led *l, uint64_t a, uint64_t b, uint64_t c, uint64_t flags)
{
    uint64_t regs[] = { a, b, c, 0, l->sp };

    load(&l->s, (uint64_t)l->run, flags, regs, 5);
    return next_fault(&l->s);
}

static bool landed(const struct led *l, const char *at)
{
    return fault_of(&l->s) == KOZO_FAULT_OPCODE && ip_of(&l->s) == (uint64_t)at;
}

static bool refused(const struct led *l, const char *at, uint64_t selector)
{
    return ip_of(&l->s) == (uint64_t)at &&
           ((fault_of(&l->s) == KOZO_FAULT_PROTECTION && code_of(&l->s) == (selector & 0xfffc)) ||
            (fault_of(&l->s) == KOZO_FAULT_SEGMENT && code_of(&l->s) == (selector & 0xfffc)));
}

/* With SMAP on, QEMU 7 pushes and pops frames in user mode as the kernel would. */
static bool emulators_page_fault(const struct led *l, const char *at)
{
    return fault_of(&l->s) == KOZO_FAULT_PAGE && ip_of(&l->s) == (uint64_t)at;
}

/*
 * All selectors of the table and of the first after it, both tables and all privileges; then some.
 */
#define EACH_SELECTOR(s) for (uint64_t s = 0; s < 0x10000; s += s < 0x100 ? 1 : 61)

/* ---- code segments ---- */

TRY_WITH(far_jump, "shlq $32, %rax\n orq %rcx, %rax\n pushq %rax", "ljmp *(%rsp)");
TRY_WITH(far_call, "shlq $32, %rax\n orq %rcx, %rax\n pushq %rax", "lcall *(%rsp)");
TRY_WITH(far_return, "pushq %rax\n pushq %rcx", "lretq");
TRY_WITH(interrupt_return, "pushq %rbx\n pushq %rsi\n pushfq\n pushq %rax\n pushq %rcx", "iretq");

/*
 * Only the program's own code segment is reached. `pops`: and by nothing that says more privilege;
 * `stack`: by way of it.
 */
static void all_code_selectors(void (*run)(void *), const char *at, const char *to, bool pops,
                               bool stack)
{
    struct witness v = witness();
    struct led l = lead(run, 0);
    unsigned reached = 0, paged = 0;

    EACH_SELECTOR(s)
    {
        KOZO_REQUIRE(try_it(&l, s, USER_SS, (uint64_t)to, 0x202));
        if (landed(&l, to)) {
            reached++;
            KOZO_CHECK_EQ(s | 3, USER_CS);
            KOZO_CHECK(!pops || s == USER_CS);
        } else if (stack && emulators_page_fault(&l, at)) {
            paged++;
        } else if (!refused(&l, at, s)) {
            KOZO_FAIL("selector %lx: %s at %lx, code %lx", s, kozo_fault_name(fault_of(&l.s)),
                      ip_of(&l.s), code_of(&l.s));
        }
    }
    KOZO_CHECK(paged > 0 ? reached == 0 : reached == (pops ? 1 : 4));
    unharmed(&v);
}

KOZO_TEST(far_jumps_to_every_kind_of_selector)
{
    all_code_selectors(far_jump, far_jump_at, far_jump_landed, false, false);
}

KOZO_TEST(far_calls_of_every_kind_of_selector)
{
    all_code_selectors(far_call, far_call_at, far_call_landed, false, true);
}

KOZO_TEST(far_returns_to_every_kind_of_selector)
{
    all_code_selectors(far_return, far_return_at, far_return_landed, true, true);
}

KOZO_TEST(interrupt_returns_to_every_kind_of_selector)
{
    all_code_selectors(interrupt_return, interrupt_return_at, interrupt_return_landed, true, true);
}

KOZO_TEST(interrupt_returns_with_every_kind_of_stack_selector)
{
    struct witness v = witness();
    struct led l = lead(interrupt_return, 0);

    EACH_SELECTOR(s)
    {
        KOZO_REQUIRE(try_it(&l, USER_CS, s, (uint64_t)interrupt_return_landed, 0x202));
        if (landed(&l, interrupt_return_landed))
            KOZO_CHECK_EQ(s, USER_SS);
        else
            KOZO_CHECK(refused(&l, interrupt_return_at, s) ||
                       emulators_page_fault(&l, interrupt_return_at));
    }
    unharmed(&v);
}

/* Frames that lead out of the user's half. Hardware faults at IRET, QEMU where it came to. */
KOZO_TEST(interrupt_returns_to_addresses_that_are_not_the_users)
{
    struct witness v = witness();
    struct led l = lead(interrupt_return, 0);

    for (unsigned i = 0; i < 2 * 17; i++) {
        uint64_t ip = i % 2 == 0 ? 1ull << (47 + i / 2) : 0 - (1ull << (47 - i / 2));

        KOZO_REQUIRE(try_it(&l, USER_CS, USER_SS, ip, 0x202));
        KOZO_CHECK(fault_of(&l.s) == KOZO_FAULT_PROTECTION || fault_of(&l.s) == KOZO_FAULT_PAGE);
        KOZO_CHECK(ip_of(&l.s) == (uint64_t)interrupt_return_at || ip_of(&l.s) == ip ||
                   ip_of(&l.s) == KOZO_USER_END);
    }
    unharmed(&v);
}

/* ---- flags ---- */

TRY_WITH(pop_flags, "pushq %rax", "popfq");
TRY_WITH(interrupt_return_flags, "pushq $0x1b\n pushq %rsi\n pushq %rax\n pushq $0x23\n pushq %rcx",
         "iretq");

/* Interrupts stay on, ports stay shut, and there is no virtual 8086 mode. */
static void all_flags(void (*run)(void *), const char *at, const char *to)
{
    struct witness v = witness();
    struct led l = lead(run, 0);
    uint64_t seed = 0xf1a6;

    for (unsigned i = 0; i < 64 + 500; i++) {
        uint64_t flags = i < 64 ? 1ull << i : random_of(&seed);

        KOZO_REQUIRE(try_it(&l, flags, 0, (uint64_t)to, 0x202));
        KOZO_CHECK(landed(&l, to) || emulators_page_fault(&l, at) ||
                   (fault_of(&l.s) == KOZO_FAULT_DEBUG && (flags & TF) != 0));
        KOZO_CHECK_EQ(l.s.m.word[4] & (IF | IOPL | VM), IF);
    }
    unharmed(&v);
}

KOZO_TEST(flags_popped_by_the_user) { all_flags(pop_flags, pop_flags_at, pop_flags_landed); }

KOZO_TEST(flags_returned_to_by_the_user)
{
    all_flags(interrupt_return_flags, interrupt_return_flags_at, interrupt_return_flags_landed);
}

/* A trap is held back behind a load of SS: here, over the system call that follows. */
__asm__(".pushsection .text.step_ss,\"ax\",@progbits\nstep_ss:\n"
        "movl %ss, %ebx\n movl $50, %ebp\n pushfq\n orl $0x100, (%rsp)\n popfq\n"
        "1: movl $8, %eax\n movl %ebx, %ss\n syscall\n decl %ebp\n jnz 1b\n"
        "pushfq\n andl $~0x100, (%rsp)\n popfq\n nop\n movl $30, %eax\n movl $79, %edi\n syscall\n"
        "ud2\n.popsection\n");
extern void step_ss(void *);
static_assert(KOZO_SYS_YIELD == 8 && KOZO_SYS_THREAD_EXIT == 30);

KOZO_TEST(calls_single_stepped_behind_a_load_of_the_stack_segment)
{
    struct witness v = witness();
    struct seen s = watch(step_ss, nullptr);
    unsigned steps = steps_of(&s);

    KOZO_CHECK(steps >= 150 && steps < 1000);
    KOZO_CHECK_EQ(fault_of(&s), KOZO_FAULT_EXIT);
    KOZO_CHECK_EQ(address_of(&s), 79);
    unharmed(&v);
}

/* ---- data segments ---- */

TRY_WITH(load_ds, "", "movl %eax, %ds");
TRY_WITH(load_es, "", "movl %eax, %es");
TRY_WITH(load_fs, "", "movl %eax, %fs");
TRY_WITH(load_gs, "", "movl %eax, %gs");
TRY_WITH(load_ss, "", "movl %eax, %ss");

static bool is_users_data(uint64_t s) { return s < 4 || (s | 3) == USER_SS || (s | 3) == USER_CS; }

KOZO_TEST(segment_registers_loaded_with_every_kind_of_selector)
{
    static const struct {
        void (*run)(void *);
        const char *at, *to;
        bool stack;
    } all[] = { { load_ds, load_ds_at, load_ds_landed, false },
                { load_es, load_es_at, load_es_landed, false },
                { load_fs, load_fs_at, load_fs_landed, false },
                { load_gs, load_gs_at, load_gs_landed, false },
                { load_ss, load_ss_at, load_ss_landed, true } };
    struct witness v = witness();

    for (unsigned i = 0; i < sizeof all / sizeof all[0]; i++) {
        struct led l = lead(all[i].run, 0);

        EACH_SELECTOR(s)
        {
            bool may = all[i].stack ? s == USER_SS : is_users_data(s);

            KOZO_REQUIRE(try_it(&l, s, 0, 0, 0x202));
            KOZO_CHECK(may ? landed(&l, all[i].to) : refused(&l, all[i].at, s));
        }
        kozo_worker_end(&l.s.w);
        unharmed(&v);
    }
}

/* ---- what the tables tell ---- */

TRY_WITH(ask_lar, "cmpl %eax, %esp", "lar %eax, %ecx");
TRY_WITH(ask_lsl, "cmpl %eax, %esp", "lsl %eax, %ecx");
TRY_WITH(ask_verr, "cmpl %eax, %esp", "verr %ax");
TRY_WITH(ask_verw, "cmpl %eax, %esp", "verw %ax");

KOZO_TEST(segments_of_the_kernel_are_not_told)
{
    static const struct {
        void (*run)(void *);
        const char *to;
    } all[] = { { ask_lar, ask_lar_landed },
                { ask_lsl, ask_lsl_landed },
                { ask_verr, ask_verr_landed },
                { ask_verw, ask_verw_landed } };
    struct witness v = witness();

    for (unsigned i = 0; i < sizeof all / sizeof all[0]; i++) {
        struct led l = lead(all[i].run, 0);
        unsigned told = 0;

        EACH_SELECTOR(s)
        {
            KOZO_REQUIRE(try_it(&l, s, 0, 0, 0x202));
            KOZO_CHECK(landed(&l, all[i].to));
            if ((l.s.m.word[4] & ZF) == 0)
                continue;
            told++;
            KOZO_CHECK(s > 3 && is_users_data(s));
        }
        KOZO_CHECK(told == (all[i].run == ask_verw ? 4 : 8));
        kozo_worker_end(&l.s.w);
    }
    unharmed(&v);
}

TRY_WITH(tell_gdt, "", "sgdt -64(%rsp)");
TRY_WITH(tell_idt, "", "sidt -64(%rsp)");
TRY_WITH(tell_ldt, "", "sldt %eax");
TRY_WITH(tell_tss, "", "str %eax");
TRY_WITH(tell_cr0, "", "smsw %eax");

static bool has_umip(void)
{
    uint32_t a = 7, b, c = 0, d;

    __asm__("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
    return (c >> 2 & 1) != 0;
}

KOZO_TEST(tables_are_not_told_where_the_processor_can_hide_them)
{
    static const struct {
        void (*run)(void *);
        const char *at, *to;
    } all[] = { { tell_gdt, tell_gdt_at, tell_gdt_landed },
                { tell_idt, tell_idt_at, tell_idt_landed },
                { tell_ldt, tell_ldt_at, tell_ldt_landed },
                { tell_tss, tell_tss_at, tell_tss_landed },
                { tell_cr0, tell_cr0_at, tell_cr0_landed } };
    struct witness v = witness();

    for (unsigned i = 0; i < sizeof all / sizeof all[0]; i++) {
        struct led l = lead(all[i].run, 0);

        KOZO_REQUIRE(try_it(&l, 0, 0, 0, 0x202));
        KOZO_CHECK(has_umip() ? refused(&l, all[i].at, 0) : landed(&l, all[i].to));
        kozo_worker_end(&l.s.w);
    }
    unharmed(&v);
}

TRY_WITH(read_time, "rdtsc\n movl %eax, %ebx\n movl %edx, %ecx", "rdtsc");

KOZO_TEST(the_time_stamp_can_be_read)
{
    struct led l = lead(read_time, 0);
    uint64_t first, second;

    KOZO_REQUIRE(try_it(&l, 0, 0, 0, 0x202));
    KOZO_REQUIRE(landed(&l, read_time_landed));
    first = reg_of(&l.s, KOZO_REG_RCX) << 32 | reg_of(&l.s, KOZO_REG_RBX);
    second = reg_of(&l.s, KOZO_REG_RDX) << 32 | reg_of(&l.s, KOZO_REG_RAX);
    KOZO_CHECK(first < second);
}

/* ---- exceptions that an emulator may not raise ---- */

/* What the machine did: the fault, where it was raised, or the next instruction. */
static bool raised(const struct led *l, enum kozo_fault fault, const char *at, const char *to)
{
    bool came = fault_of(&l->s) == fault && ip_of(&l->s) == (uint64_t)at && code_of(&l->s) == 0;

    KOZO_CHECK(came || landed(l, to));
    return came;
}

TRY_WITH(unmasked_sse, "pushq $0\n ldmxcsr (%rsp)\n movq %rax, %xmm0\n movq %rcx, %xmm1",
         "divsd %xmm1, %xmm0");

KOZO_TEST(unmasked_simd_exceptions)
{
    static const uint64_t pairs[][2] = {
        { 0x3ff0000000000000, 0 },                  /* division by zero */
        { 0, 0 },                                   /* invalid */
        { 1, 0x3ff0000000000000 },                  /* denormal */
        { 0x7fefffffffffffff, 0x0010000000000000 }, /* overflow */
        { 0x0010000000000000, 0x7fefffffffffffff }, /* underflow */
        { 0x3ff0000000000000, 0x4008000000000000 }, /* not exact: a third */
    };
    struct witness v = witness();
    struct led l = lead(unmasked_sse, KOZO_THREAD_FPU);
    unsigned n = 0, count = sizeof pairs / sizeof pairs[0];

    for (unsigned i = 0; i < count; i++) {
        KOZO_REQUIRE(try_it(&l, pairs[i][0], 0, pairs[i][1], 0x202));
        n += raised(&l, KOZO_FAULT_SIMD, unmasked_sse_at, unmasked_sse_landed);
    }
    kozo_printf("unmasked SIMD exceptions: %u of %u are raised here\n", n, count);
    KOZO_CHECK(n == 0 || n == count);
    unharmed(&v);
}

TRY_WITH(unaligned, "", "movq 1(%rsp), %rcx");

KOZO_TEST(unaligned_access_with_the_alignment_flag)
{
    struct witness v = witness();
    struct led l = lead(unaligned, 0);

    KOZO_REQUIRE(try_it(&l, 0, 0, 0, 0x202 | AC));
    kozo_printf("alignment checks: %s here\n",
                raised(&l, KOZO_FAULT_ALIGNMENT, unaligned_at, unaligned_landed) ? "raised"
                                                                                 : "not raised");
    KOZO_CHECK_EQ(l.s.m.word[4] & AC, AC);
    KOZO_REQUIRE(try_it(&l, 0, 0, 0, 0x202));
    KOZO_CHECK(landed(&l, unaligned_landed));
    unharmed(&v);
}

/*
 * If such a state could be loaded, the kernel's own FXRSTOR would fault when the thread runs next.
 */
TRY_WITH(reserved_mxcsr, "pushq %rax", "ldmxcsr (%rsp)");
TRY_WITH(reserved_fxrstor,
         "subq $512, %rsp\n andq $-16, %rsp\n fxsave (%rsp)\n movl %eax, 24(%rsp)",
         "fxrstor (%rsp)");

static void reserved_bits(void (*run)(void *), const char *at, const char *to)
{
    struct witness v = witness();
    struct led l = lead(run, KOZO_THREAD_FPU);

    for (unsigned bit = 16; bit < 32; bit++) {
        KOZO_REQUIRE(try_it(&l, 1ull << bit | 0x1f80, 0, 0, 0x202));
        (void)raised(&l, KOZO_FAULT_PROTECTION, at, to);
        unharmed(&v);
    }
}

KOZO_TEST(reserved_bits_of_the_floating_point_control)
{
    reserved_bits(reserved_mxcsr, reserved_mxcsr_at, reserved_mxcsr_landed);
}

KOZO_TEST(reserved_bits_of_the_floating_point_image)
{
    reserved_bits(reserved_fxrstor, reserved_fxrstor_at, reserved_fxrstor_landed);
}

TRY_WITH(one_byte_debug_trap, "", ".byte 0xf1");

KOZO_TEST(debug_trap_of_one_byte)
{
    struct witness v = witness();
    struct led l = lead(one_byte_debug_trap, 0);

    KOZO_REQUIRE(try_it(&l, 0, 0, 0, 0x202));
    KOZO_CHECK(
        (fault_of(&l.s) == KOZO_FAULT_DEBUG &&
         ip_of(&l.s) == (uint64_t)one_byte_debug_trap_landed) ||
        (fault_of(&l.s) == KOZO_FAULT_OPCODE && ip_of(&l.s) == (uint64_t)one_byte_debug_trap_at));
    unharmed(&v);
}

TRY_WITH(too_long, "", ".fill 15, 1, 0x66\n nop");
TRY_WITH(locked, "", ".byte 0xf0, 0x0f, 0x05");

KOZO_TEST(instruction_that_is_too_long)
{
    struct witness v = witness();
    struct led l = lead(too_long, 0);

    KOZO_REQUIRE(try_it(&l, 0, 0, 0, 0x202));
    KOZO_CHECK(refused(&l, too_long_at, 0));
    unharmed(&v);
}

/* QEMU 7 makes the call. */
KOZO_TEST(call_with_a_lock_prefix)
{
    struct witness v = witness();
    struct led l = lead(locked, 0);

    KOZO_REQUIRE(try_it(&l, KOZO_SYS_YIELD, 0, 0, 0x202));
    (void)raised(&l, KOZO_FAULT_OPCODE, locked_at, locked_landed);
    unharmed(&v);
}

KOZO_TEST(the_kernels_stacks_have_room) { stacks_have_room(); }
