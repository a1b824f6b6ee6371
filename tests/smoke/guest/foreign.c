/* SPDX-License-Identifier: MIT */
/*
 * System calls that are not the kernel's: all of a FOREIGN thread, and those from number 100 on of
 * any other.
 */
#include "fault.h"
#include "registers.h"

WITH_REGISTERS(system_call, "syscall");

static struct seen watch_foreign(void (*run)(void *), void *arg)
{
    return watch_with(
        &(struct kozo_worker_options){ .priority = LATER, .flags = KOZO_THREAD_FOREIGN }, run, arg);
}

/* Number and place of the call that is told. */
static void check_call(const struct seen *s, uint64_t nr, const char *after)
{
    KOZO_CHECK_EQ(fault_of(s), KOZO_FAULT_SYSCALL);
    KOZO_CHECK_EQ(address_of(s), nr);
    KOZO_CHECK_EQ(access_of(s), nr & UINT32_MAX);
    KOZO_CHECK_EQ(ip_of(s), after);
}

KOZO_TEST(foreign_call_of_any_number_is_told_with_all_registers)
{
    static const uint64_t numbers[] = { 0,       1,         KOZO_SYS_THREAD_EXIT, 60, 99, 100, 231,
                                        1 << 16, UINT32_MAX };

    for (unsigned i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        struct registers g, before;
        struct seen s;

        fill(&g, i + 1);
        g.r[KOZO_REG_RAX] = numbers[i];
        before = g;
        s = watch_foreign(system_call, &g);
        check_call(&s, numbers[i], system_call_after);
        for (unsigned k = 0; k < KOZO_REG_FS_BASE; k++)
            if (k != KOZO_REG_RCX && k != KOZO_REG_R11)
                KOZO_CHECK_EQ(reg_of(&s, k), before.r[k]);
        KOZO_CHECK_EQ(reg_of(&s, KOZO_REG_RCX), system_call_after);
        KOZO_CHECK_EQ(reg_of(&s, KOZO_REG_R11), s.m.word[4]);
        kozo_worker_end(&s.w);
    }
}

KOZO_TEST(number_of_64_bits_is_told_whole)
{
    struct registers g;
    struct seen s;

    fill(&g, 1);
    g.r[KOZO_REG_RAX] = 0x100000001; /* not REPLY_RECV */
    s = watch(system_call, &g);
    KOZO_CHECK_EQ(fault_of(&s), KOZO_FAULT_SYSCALL);
    KOZO_CHECK_EQ(address_of(&s), 0x100000001);
    KOZO_CHECK_EQ(reg_of(&s, KOZO_REG_RAX), 0x100000001);
}

KOZO_TEST(foreign_thread_gets_its_result_in_a_register)
{
    struct registers g, before;
    struct seen s;
    const uint64_t result = (uint64_t)-38;

    fill(&g, 0x21);
    g.r[KOZO_REG_RAX] = 39;
    before = g;
    s = watch_foreign(system_call, &g);
    check_call(&s, 39, system_call_after);
    load(&s, ip_of(&s), s.m.word[4], &result, 1);
    KOZO_CHECK(next_fault(&s)); /* its end is a call like others */
    check_call(&s, KOZO_SYS_THREAD_EXIT, (const char *)ip_of(&s));
    KOZO_CHECK_EQ(g.r[KOZO_REG_RAX], result);
    for (unsigned k = KOZO_REG_RBX; k < KOZO_REG_FS_BASE; k++)
        if (k != KOZO_REG_RCX && k != KOZO_REG_R11)
            KOZO_CHECK_EQ(g.r[k], before.r[k]);
}

KOZO_TEST(foreign_thread_that_is_resumed_goes_on_behind_its_call)
{
    struct registers g;
    struct seen s;

    fill(&g, 0x22);
    g.r[KOZO_REG_RAX] = 77;
    s = watch_foreign(system_call, &g);
    resume(&s);
    KOZO_CHECK(next_fault(&s));
    KOZO_CHECK_EQ(address_of(&s), KOZO_SYS_THREAD_EXIT);
    KOZO_CHECK_EQ(g.r[KOZO_REG_RAX], 77);
}

/* It has capabilities, and no way to use one. */
KOZO_TEST(foreign_thread_cannot_call_the_kernel)
{
    struct kozo_notification n = kozo_test_notification();
    struct registers g;
    struct seen s;

    fill(&g, 0x23);
    g.r[KOZO_REG_RAX] = KOZO_SYS_SIGNAL;
    g.r[KOZO_REG_RDI] = n.c;
    g.r[KOZO_REG_RSI] = 1;
    s = watch_foreign(system_call, &g);
    check_call(&s, KOZO_SYS_SIGNAL, system_call_after);
    KOZO_CHECK_EQ(kozo_poll(n).value, 0);
    resume(&s);
    KOZO_CHECK(next_fault(&s));
    check_call(&s, KOZO_SYS_THREAD_EXIT, (const char *)ip_of(&s)); /* told, and not done: */
    KOZO_CHECK_EQ(state_of(&s.w), KOZO_THREAD_CALLING);
    stop_it(&s);
    KOZO_CHECK_EQ(state_of(&s.w), KOZO_THREAD_FAULTED);
    KOZO_CHECK_EQ(kozo_buffer()->word[KOZO_THREAD_WORD_FAULT], KOZO_FAULT_SYSCALL);
}

/* Not even by the kernel's shortest way, with a server that waits. */
KOZO_TEST(foreign_thread_cannot_call_a_server)
{
    static const uint64_t calls[] = { KOZO_SYS_CALL, KOZO_SYS_REPLY_RECV, KOZO_SYS_SEND };
    struct kozo_endpoint ep = kozo_test_endpoint();
    struct doing server = { .nr = KOZO_SYS_RECV, .x = { .cap = ep.c } };

    (void)doing(&server, URGENT);
    for (unsigned i = 0; i < 3; i++) {
        struct registers g;
        struct seen s;

        fill(&g, 0x26);
        g.r[KOZO_REG_RAX] = calls[i];
        g.r[KOZO_REG_RDI] = ep.c;
        g.r[KOZO_REG_RSI] = label(1);
        s = watch_foreign(system_call, &g);
        check_call(&s, calls[i], system_call_after);
        KOZO_CHECK(!server.done);
        kozo_worker_end(&s.w);
    }
}

KOZO_TEST(calls_from_100_on_go_to_the_handler_of_any_thread)
{
    static const uint64_t numbers[] = { KOZO_SYSCALL_LIMIT, KOZO_SYSCALL_LIMIT + 1, 1 << 20 };

    for (unsigned i = 0; i < 3; i++) {
        struct registers g;
        struct seen s;

        fill(&g, 0x24);
        g.r[KOZO_REG_RAX] = numbers[i];
        s = watch(system_call, &g);
        check_call(&s, numbers[i], system_call_after);
        resume(&s);
        KOZO_CHECK(next_fault(&s));
        KOZO_CHECK_EQ(fault_of(&s), KOZO_FAULT_EXIT); /* that number is the kernel's */
        kozo_worker_end(&s.w);
    }
}

KOZO_TEST(foreign_call_without_a_handler_stops_the_thread)
{
    struct registers g;
    struct kozo_worker w;

    fill(&g, 0x25);
    g.r[KOZO_REG_RAX] = 5;
    w = kozo_test_thread_with(
        &(struct kozo_worker_options){ .priority = URGENT, .flags = KOZO_THREAD_FOREIGN },
        system_call, &g);
    KOZO_CHECK_EQ(state_of(&w), KOZO_THREAD_FAULTED);
    KOZO_CHECK_EQ(kozo_buffer()->word[KOZO_THREAD_WORD_FAULT], KOZO_FAULT_SYSCALL);
    KOZO_CHECK_EQ(kozo_buffer()->word[KOZO_THREAD_WORD_ADDRESS], 5);
}

/* A program for another kernel: write(1, text, 13), then exit(what write returned). */
__asm__(".pushsection .text.other_program,\"ax\",@progbits\n"
        "other_program:\n"
        "movl $1, %eax\n movl $1, %edi\n movl $other_text, %esi\n movl $13, %edx\n syscall\n"
        "movl %eax, %edi\n movl $231, %eax\n syscall\n ud2\n"
        ".popsection\n"
        ".pushsection .rodata\n"
        "other_text: .ascii \"Hello, world!\"\n"
        ".popsection\n");
extern void other_program(void *arg);

KOZO_TEST(program_of_another_kernel_is_served)
{
    struct seen s = watch_foreign(other_program, nullptr);
    char text[16] = "";
    uint64_t code = 0, calls = 0;

    for (; address_of(&s) != 231 && calls < 5; calls++) {
        uint64_t result = reg_of(&s, KOZO_REG_RDX);

        KOZO_REQUIRE(fault_of(&s) == KOZO_FAULT_SYSCALL && address_of(&s) == 1 &&
                     result < sizeof(text));
        KOZO_CHECK_EQ(reg_of(&s, KOZO_REG_RDI), 1);
        memcpy(text, (const char *)reg_of(&s, KOZO_REG_RSI), result);
        load(&s, ip_of(&s), s.m.word[4], &result, 1);
        KOZO_REQUIRE(next_fault(&s));
    }
    code = reg_of(&s, KOZO_REG_RDI);
    KOZO_CHECK_STR(text, "Hello, world!");
    KOZO_CHECK_EQ(code, 13);
    KOZO_CHECK_EQ(calls, 1);
}
