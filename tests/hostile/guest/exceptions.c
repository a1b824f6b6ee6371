/* SPDX-License-Identifier: MIT */
/*
 * Every exception a program can raise, told with kind, instruction, error code and all registers as
 * they were; and every instruction, vector, port and address that is not a program's own.
 */
#include "attack.h"

[[gnu::used]] static const uint8_t zero __asm__("hostile_zero") = 0;
[[gnu::used]] static const uint8_t one __asm__("hostile_one") = 1;
[[gnu::used]] static const uint16_t kernel_data __asm__("hostile_kernel_data") = 0x10;
[[gnu::used]] static const uint16_t null __asm__("hostile_null") = 0;
[[gnu::used]] static const uint16_t beyond __asm__("hostile_beyond") = 0xfff8;

/* What one instruction came to, seen by its handler. */
static void raises(void (*run)(void *), enum kozo_fault fault, const char *ip, uint64_t code,
                   uint32_t flags)
{
    struct witness v = witness();
    struct registers g, before;
    struct seen s;

    fill(&g, 0x44);
    g.flags |= CF;
    before = g;
    s = watch_with(&(struct kozo_worker_options){ .priority = LATER, .flags = flags }, run, &g);
    KOZO_CHECK_STR(kozo_fault_name(fault_of(&s)), kozo_fault_name(fault));
    KOZO_CHECK_EQ(ip_of(&s), ip);
    KOZO_CHECK_EQ(address_of(&s), ip);
    if (fault != KOZO_FAULT_DEBUG)
        KOZO_CHECK_EQ(code_of(&s), code);
    for (unsigned i = 0; i < KOZO_REG_FS_BASE; i++)
        KOZO_CHECK_EQ(reg_of(&s, i), before.r[i]);
    KOZO_CHECK_EQ(s.m.word[4] & (CF | DF), CF);
    unharmed(&v);
}

#define RAISES(name, insn, fault, where, code, flags)          \
    RAISE(r_##name, insn);                                     \
    KOZO_TEST(name)                                            \
    {                                                          \
        raises(r_##name, fault, r_##name##where, code, flags); \
    }

RAISES(division_by_zero, "divb hostile_zero(%rip)", KOZO_FAULT_DIVIDE, _at, 0, 0)
RAISES(quotient_that_does_not_fit, "idivb hostile_one(%rip)", KOZO_FAULT_DIVIDE, _at, 0, 0)
RAISES(one_byte_breakpoint, "int3", KOZO_FAULT_BREAKPOINT, _next, 0, 0)
RAISES(two_byte_breakpoint, ".byte 0xcd, 3", KOZO_FAULT_BREAKPOINT, _next, 0, 0)
RAISES(overflow_by_vector, "int $4", KOZO_FAULT_OVERFLOW, _next, 0, 0)
RAISES(instruction_that_never_is, "ud2", KOZO_FAULT_OPCODE, _at, 0, 0)
RAISES(instruction_of_32_bits, ".byte 0xce", KOZO_FAULT_OPCODE, _at, 0, 0)
RAISES(far_jump_of_32_bits, ".byte 0xea, 0, 0, 0, 0, 8, 0", KOZO_FAULT_OPCODE, _at, 0, 0)
RAISES(return_from_management_mode, ".byte 0x0f, 0xaa", KOZO_FAULT_OPCODE, _at, 0, 0)
RAISES(x87_without_leave, "fld1", KOZO_FAULT_NO_FPU, _at, 0, 0)
RAISES(wait_without_leave, "fwait", KOZO_FAULT_NO_FPU, _at, 0, 0)
RAISES(sse_without_leave, "movaps %xmm0, %xmm1", KOZO_FAULT_NO_FPU, _at, 0, 0)
RAISES(fxsave_without_leave, "fxsave (%rsp)", KOZO_FAULT_NO_FPU, _at, 0, 0)
RAISES(kernel_data_in_ds, "movw hostile_kernel_data(%rip), %ds", KOZO_FAULT_PROTECTION, _at, 0x10,
       0)
RAISES(kernel_data_in_ss, "movw hostile_kernel_data(%rip), %ss", KOZO_FAULT_PROTECTION, _at, 0x10,
       0)
RAISES(selector_beyond_the_table, "movw hostile_beyond(%rip), %gs", KOZO_FAULT_PROTECTION, _at,
       0xfff8, 0)
RAISES(null_in_ss, "movw hostile_null(%rip), %ss", KOZO_FAULT_PROTECTION, _at, 0, 0)
RAISES(address_that_is_not_canonical, "movq (%rax), %rax", KOZO_FAULT_PROTECTION, _at, 0, 0)
RAISES(unaligned_sse, "movaps 1(%rsp), %xmm0", KOZO_FAULT_PROTECTION, _at, 0, KOZO_THREAD_FPU)

/* ---- every vector ---- */

__asm__(".pushsection .text.int_n,\"ax\",@progbits\n.balign 4\nint_n:\n"
        ".set n, 0\n.rept 256\n.byte 0xcd, n, 0xc3, 0xcc\n.set n, n + 1\n.endr\n.popsection\n");
extern const char int_n[];

KOZO_TEST(software_interrupts_of_all_256_vectors)
{
    struct witness v = witness();

    for (unsigned n = 0; n < 256; n++) {
        const char *at = int_n + 4 * n;
        struct seen s = watch((void (*)(void *))(uint64_t)at, nullptr);
        bool trap = n == 3 || n == 4;

        KOZO_CHECK_EQ(fault_of(&s), n == 3   ? KOZO_FAULT_BREAKPOINT
                                    : n == 4 ? KOZO_FAULT_OVERFLOW
                                             : KOZO_FAULT_PROTECTION);
        KOZO_CHECK_EQ(ip_of(&s), at + (trap ? 2 : 0));
        KOZO_CHECK(code_of(&s) == (trap ? 0 : 8 * n + 2) ||
                   code_of(&s) == 16 * n + 2); /* QEMU 7 has 16 */
        kozo_worker_end(&s.w);
        kozo_slot_drop(s.ep.c);
    }
    unharmed(&v);
}

/* ---- what is the kernel's alone ---- */

/* clang-format off */
#define ALONE(x) \
    x(cli, "cli") x(sti, "sti") x(hlt, "hlt") x(invd, "invd") x(wbinvd, "wbinvd") \
    x(clts, "clts") x(lmsw, "lmsw %ax") x(rdcr0, "movq %cr0, %rax") \
    x(rdcr2, "movq %cr2, %rax") x(rdcr3, "movq %cr3, %rax") x(rdcr4, "movq %cr4, %rax") \
    x(rdcr8, "movq %cr8, %rax") x(wrcr0, "movq %rax, %cr0") x(wrcr2, "movq %rax, %cr2") \
    x(wrcr3, "movq %rax, %cr3") x(wrcr4, "movq %rax, %cr4") x(wrcr8, "movq %rax, %cr8") \
    x(rddr0, "movq %db0, %rax") x(rddr6, "movq %db6, %rax") x(rddr7, "movq %db7, %rax") \
    x(wrdr0, "movq %rax, %db0") x(wrdr3, "movq %rax, %db3") x(wrdr6, "movq %rax, %db6") \
    x(wrdr7, "movq %rax, %db7") x(rdmsr, "rdmsr") x(wrmsr, "wrmsr") x(rdpmc, "rdpmc") \
    x(lgdt, "lgdt (%rsp)") x(lidt, "lidt (%rsp)") x(lldt, "lldt %ax") x(ltr, "ltr %ax") \
    x(invlpg, "invlpg (%rsp)") x(swapgs, "swapgs") x(sysret, "sysretq") \
    x(sysexit, "sysexitq") x(inb, "inb $0x60, %al") x(inl, "inl $0xcf, %eax") \
    x(outb, "outb %al, $0x20") x(indx, "inw %dx, %ax") x(outdx, "outl %eax, %dx") \
    x(insb, "insb") x(outsb, "outsb") x(monitor, "monitor") x(mwait, "mwait") \
    x(xsetbv, "xsetbv") x(invpcid, "invpcid (%rsp), %rax") x(vmcall, "vmcall") \
    x(vmmcall, "vmmcall") x(vmrun, "vmrun %rax") x(vmload, "vmload %rax") \
    x(vmsave, "vmsave %rax") x(stgi, "stgi") x(clgi, "clgi") x(skinit, "skinit %eax") \
    x(invlpga, "invlpga %rax, %ecx") x(stac, "stac") x(clac, "clac") \
    x(wrfsbase, "wrfsbase %rax") x(wrgsbase, "wrgsbase %rax") x(rdgsbase, "rdgsbase %rax") \
    x(xsave, "xsave (%rsp)") x(xrstor, "xrstor (%rsp)") x(getsec, ".byte 0x0f, 0x37") \
    x(sysretl, "sysretl") x(sysexitl, "sysexitl") x(sysenter, "sysenter") \
    x(rdcr1, "movq %cr1, %rax") x(wrcr1, "movq %rax, %cr1") x(rddr4, "movq %db4, %rax") \
    x(wrdr1, "movq %rax, %db1") x(wrdr2, "movq %rax, %db2") x(wrdr5, "movq %rax, %db5") \
    x(xgetbv, "xgetbv") x(rdpkru, "rdpkru") x(wrpkru, "wrpkru") x(rdfsbase, "rdfsbase %rax") \
    x(vmlaunch, "vmlaunch") x(vmresume, "vmresume") x(vmxoff, "vmxoff") \
    x(vmxon, "vmxon (%rsp)") x(vmptrld, "vmptrld (%rsp)") x(vmclear, "vmclear (%rsp)") \
    x(vmread, "vmread %rax, %rcx") x(vmwrite, "vmwrite %rax, %rcx") \
    x(invept, "invept (%rsp), %rax") x(invvpid, "invvpid (%rsp), %rax") x(encls, "encls") \
    x(pconfig, "pconfig") x(wbnoinvd, ".byte 0xf3, 0x0f, 0x09") x(monitorx, "monitorx") \
    x(mwaitx, "mwaitx") x(tlbsync, "tlbsync") x(invlpgb, "invlpgb") x(rdpru, "rdpru") \
    x(setssbsy, "setssbsy") x(wrssq, "wrssq %rax, (%rsp)") x(xsaves, "xsaves (%rsp)") \
    x(insd, "insl") x(outsd, "outsl") x(repins, "rep insb") x(repouts, "rep outsw") \
    x(xrstors, "xrstors (%rsp)")
/* clang-format on */

#define DEFINE_ALONE(name, insn) RAISE(p_##name, insn);
ALONE(DEFINE_ALONE)

KOZO_TEST(instructions_that_are_the_kernels_alone)
{
    static const struct {
        const char *name;
        void (*run)(void *);
        const char *ip;
    } all[] = {
#define ROW(name, insn) { insn, p_##name, p_##name##_at },
        ALONE(ROW)
    };
    struct witness v = witness();

    for (unsigned i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        struct registers g;
        struct seen s;

        fill(&g, 0x45);
        s = watch(all[i].run, &g);
        if ((fault_of(&s) != KOZO_FAULT_PROTECTION && fault_of(&s) != KOZO_FAULT_OPCODE) ||
            ip_of(&s) != (uint64_t)all[i].ip)
            KOZO_FAIL("%s: %s at %lx", all[i].name, kozo_fault_name(fault_of(&s)), ip_of(&s));
        for (unsigned k = 0; k < KOZO_REG_FS_BASE; k++)
            if (reg_of(&s, k) != (0x45ull << 56) + 0x0101010101 * (k + 1))
                KOZO_FAIL("%s changed register %u", all[i].name, k);
        kozo_worker_end(&s.w);
        kozo_slot_drop(s.ep.c);
    }
    unharmed(&v);
}

/* One thread, led from port to port by its handler. */
RAISE(port_in, "inb %dx, %al");
RAISE(port_out, "outb %al, %dx");

static void all_ports(void (*run)(void *), const char *at)
{
    struct witness v = witness();
    struct registers g;
    struct seen s;

    fill(&g, 0x46);
    s = watch(run, &g);
    for (uint64_t port = 0; port < 0x10000; port += port < 0x400 ? 1 : 61) {
        uint64_t regs[] = { 0x5a, 0, 0, port };

        load(&s, (uint64_t)at, 0x202, regs, 4);
        KOZO_REQUIRE(next_fault(&s));
        KOZO_REQUIRE(fault_of(&s) == KOZO_FAULT_PROTECTION);
        KOZO_REQUIRE(ip_of(&s) == (uint64_t)at);
        KOZO_REQUIRE(reg_of(&s, KOZO_REG_RAX) == 0x5a);
    }
    unharmed(&v);
}

KOZO_TEST(ports_are_not_read_without_a_capability)
{
    all_ports(port_in, port_in_at);
}

KOZO_TEST(ports_are_not_written_without_a_capability)
{
    all_ports(port_out, port_out_at);
}

/* I/O privilege is asked for, and not had. */
__asm__(".pushsection .text.raise_iopl,\"ax\",@progbits\nraise_iopl:\n"
        "pushfq\n orq $0x3000, (%rsp)\n popfq\n"
        "pushfq\n popq %rbx\n raise_iopl_at: cli\n.popsection\n");
extern void raise_iopl(void *);
extern const char raise_iopl_at[];

KOZO_TEST(privilege_over_ports_cannot_be_raised)
{
    struct witness v = witness();
    struct seen s = watch(raise_iopl, nullptr);

    KOZO_CHECK_EQ(fault_of(&s), KOZO_FAULT_PROTECTION);
    KOZO_CHECK_EQ(ip_of(&s), raise_iopl_at);
    KOZO_CHECK_EQ(reg_of(&s, KOZO_REG_RBX) & 0x3000, 0);
    unharmed(&v);
}

/* ---- every kind of address ---- */

RAISE(touch, "movb (%rax), %cl");
RAISE(touch_write, "movb %cl, (%rax)");
RAISE(touch_add, "lock addb %cl, (%rax)");
RAISE(touch_jump, "jmpq *%rax");
RAISE(touch_call, "callq *%rax");
RAISE(touch_string, "movsb");

static bool is_users(uint64_t address)
{
    return address >= KOZO_USER_START && address < KOZO_USER_END;
}

/* No address outside the user's half can be touched, in any way; and the thread's page fault tells
 * just that address. */
static void all_addresses(void (*run)(void *), const char *at, bool jumps)
{
    struct witness v = witness();
    uint64_t addresses[64 + 9] = { 0,
                                   KOZO_USER_END,
                                   KOZO_USER_END + 0xfff,
                                   0x800000000000,
                                   0xffff7fffffffffff,
                                   0xffff800000000000,
                                   0xffffffff80000000,
                                   0xffffffffc0000000,
                                   UINT64_MAX };
    struct registers g;
    struct seen s;

    for (unsigned i = 0; i < 64; i++)
        addresses[9 + i] = i < 47 ? 0 - (1ull << i) : 1ull << i;
    fill(&g, 0x47);
    s = watch(run, &g);
    for (unsigned i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++) {
        uint64_t a = addresses[i], regs[] = { a, 0, 0, 0, a, a };
        bool canonical = (uint64_t)((int64_t)(a << 16) >> 16) == a;

        KOZO_REQUIRE(!is_users(a));
        load(&s, (uint64_t)at, 0x202, regs, 6);
        KOZO_REQUIRE(next_fault(&s));
        KOZO_CHECK_EQ(fault_of(&s), canonical ? KOZO_FAULT_PAGE : KOZO_FAULT_PROTECTION);
        if (canonical)
            KOZO_CHECK_EQ(address_of(&s), a);
        KOZO_CHECK(ip_of(&s) == (uint64_t)at ? !(canonical && jumps) : jumps && ip_of(&s) == a);
        if (canonical && !jumps && a >= 1ull << 63)
            KOZO_CHECK_EQ(code_of(&s) & 4, 4); /* as a user's access */
    }
    unharmed(&v);
}

KOZO_TEST(loads_from_addresses_that_are_not_the_users)
{
    all_addresses(touch, touch_at, false);
}

KOZO_TEST(stores_to_addresses_that_are_not_the_users)
{
    all_addresses(touch_write, touch_write_at, false);
}

KOZO_TEST(atomics_on_addresses_that_are_not_the_users)
{
    all_addresses(touch_add, touch_add_at, false);
}

KOZO_TEST(string_copies_of_addresses_that_are_not_the_users)
{
    all_addresses(touch_string, touch_string_at, false);
}

KOZO_TEST(jumps_to_addresses_that_are_not_the_users)
{
    all_addresses(touch_jump, touch_jump_at, true);
}

KOZO_TEST(calls_of_addresses_that_are_not_the_users)
{
    all_addresses(touch_call, touch_call_at, true);
}

/* ---- who has no handler ---- */

static uint64_t log_end(void)
{
    struct kozo_raw r = { .b = 1 };

    while (r.b > 0 && r.err == KOZO_OK)
        r = kozo_syscall(KOZO_SYS_DEBUG_LOG, KOZO_INIT_DEBUG, r.a);
    return r.a;
}

/* Lines in the log from `at` on that hold `text`. */
static unsigned lines_with(uint64_t at, const char *text)
{
    static char log[4096];
    uint64_t n = 0;
    unsigned count = 0;

    for (struct kozo_raw r = { .a = at, .b = 1 }; r.b > 0;) {
        r = kozo_syscall(KOZO_SYS_DEBUG_LOG, KOZO_INIT_DEBUG, r.a);
        if (r.err != KOZO_OK || n + r.b >= sizeof log)
            break;
        memcpy(log + n, kozo_buffer()->word, r.b);
        n += r.b;
    }
    log[n] = '\0';
    for (const char *s = log; (s = strstr(s, text)) != nullptr; s++)
        count++;
    return count;
}

RAISE(alone_opcode, "ud2");
RAISE(alone_divide, "divb hostile_zero(%rip)");
RAISE(alone_protection, "hlt");

KOZO_TEST(fault_that_nobody_handles_is_one_line_in_the_log)
{
    static const struct {
        void (*run)(void *);
        const char *line, *ip;
    } all[] = { { alone_opcode, "stopped: invalid opcode at ", alone_opcode_at },
                { alone_divide, "stopped: division error at ", alone_divide_at },
                { alone_protection, "stopped: general protection fault at ",
                  alone_protection_at } };
    struct witness v = witness();

    KOZO_CHECK_OK(kozo_sleep(KOZO_S + KOZO_S / 10)); /* a second of its own: none is left out */
    for (unsigned i = 0; i < sizeof all / sizeof all[0]; i++) {
        uint64_t at = log_end();
        struct registers g;
        struct kozo_worker w;

        fill(&g, 0x61);
        w = kozo_test_thread(all[i].run, &g, URGENT);
        KOZO_CHECK_EQ(state_of(&w), KOZO_THREAD_FAULTED);
        KOZO_CHECK_EQ(kozo_buffer()->word[KOZO_THREAD_WORD_IP], (uint64_t)all[i].ip);
        KOZO_CHECK_EQ(lines_with(at, all[i].line), 1);
        KOZO_CHECK_EQ(lines_with(at, " stopped: "), 1);
        KOZO_CHECK_EQ(lines_with(at, "(hostile-)"), 1); /* the name: eight letters of the file's */
        unharmed(&v);
    }
}
