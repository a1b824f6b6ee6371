/* SPDX-License-Identifier: MIT */
/*
 * Into the kernel with any stack pointer, any flags, any segments, from the last bytes of user
 * memory; and registers that others choose: a handler's answer, a thread's start, FS base. The
 * kernel believes none of them.
 */
#include "attack.h"

#include <kozo/layout.h>
#include <kozo/memory.h>

/* ---- any stack pointer ---- */

/* Enters with `sp`, and comes back with what rsp then is. Nothing may touch the stack between. */
struct dive {
    uint64_t sp;
    struct kozo_words x;
    uint64_t nr, got, err;
};

__asm__(
    ".pushsection .text.dive_call,\"ax\",@progbits\ndive_call:\n"
    "pushq %rbx\n pushq %rbp\n pushq %r12\n pushq %r13\n pushq %r14\n pushq %r15\n"
    "movq %rdi, %rbp\n movq %rsp, %rbx\n"
    "movq 88(%rbp), %rax\n movq 16(%rbp), %rsi\n movq 24(%rbp), %rdx\n movq 32(%rbp), %r10\n"
    "movq 40(%rbp), %r8\n movq 48(%rbp), %r9\n xorl %r12d, %r12d\n xorl %r13d, %r13d\n"
    "xorl %r14d, %r14d\n xorl %r15d, %r15d\n"
    "movq 8(%rbp), %rdi\n movq 0(%rbp), %rsp\n syscall\n"
    "movq %rsp, 96(%rbp)\n movq %rax, 104(%rbp)\n movq %rdx, 24(%rbp)\n movq %rbx, %rsp\n"
    "popq %r15\n popq %r14\n popq %r13\n popq %r12\n popq %rbp\n popq %rbx\n ret\n.popsection\n");
extern void dive_call(struct dive *);
static_assert(offsetof(struct dive, nr) == 88 && offsetof(struct dive, x.w) == 24);

constexpr unsigned POINTERS = 64 + 10;

static uint64_t pointer(unsigned i)
{
    static const uint64_t edges[] = { 0,
                                      1,
                                      7,
                                      KOZO_USER_END,
                                      0x7fffffffffff,
                                      0x800000000000,
                                      0xffff800000000000,
                                      0xffffffff80000000,
                                      0xffffffffc0000ff8,
                                      UINT64_MAX };

    return i < 64 ? 1ull << i : edges[i - 64];
}

static void dive_all(void *arg)
{
    struct dive *d = arg;
    uint64_t nr = d->nr, cap = d->x.cap;

    d->got = 0;
    for (unsigned i = 0; i < POINTERS; i++) {
        struct dive e = { .sp = pointer(i), .nr = nr, .x = { .cap = cap, .w = { i } } };

        dive_call(&e);
        d->got +=
            e.got == e.sp && e.err == d->err && (nr != KOZO_SYS_CALL || e.x.w[0] == ~(uint64_t)i);
    }
}

static void any_stack(uint64_t nr, uint64_t cap, enum kozo_err err, struct witness *v)
{
    struct dive d = { .nr = nr, .x = { .cap = cap }, .err = err };
    struct seen s = watch(dive_all, &d);

    KOZO_CHECK_EQ(fault_of(&s), KOZO_FAULT_EXIT);
    KOZO_CHECK_EQ(d.got, POINTERS);
    unharmed(v);
}

KOZO_TEST(call_that_succeeds_with_any_stack_pointer)
{
    struct witness v = witness();

    any_stack(KOZO_SYS_YIELD, 0, KOZO_OK, &v);
}

KOZO_TEST(call_that_fails_with_any_stack_pointer)
{
    struct witness v = witness();

    any_stack(KOZO_SYS_CAP_DELETE, 0xdead, KOZO_ERR_ADDRESS, &v);
}

KOZO_TEST(number_that_is_no_call_with_any_stack_pointer)
{
    struct witness v = witness();

    any_stack(99, 0, KOZO_ERR_NOSYS, &v);
}

KOZO_TEST(message_and_answer_with_any_stack_pointer)
{
    struct witness v = witness();

    any_stack(KOZO_SYS_CALL, v.ep.c, KOZO_OK, &v);
}

/* An exception, and an interrupt, with a stack that cannot be used. */
__asm__(".pushsection .text.dive_fault,\"ax\",@progbits\ndive_fault:\n movq %rdi, %rsp\n "
        "dive_fault_at: ud2\n"
        "dive_spin:\n movq %rdi, %rsp\n dive_spin_at: jmp dive_spin_at\n"
        "dive_push:\n movq %rdi, %rsp\n dive_push_at: pushq %rax\n.popsection\n");
extern void dive_fault(void *), dive_spin(void *), dive_push(void *);
extern const char dive_fault_at[], dive_spin_at[], dive_push_at[];

KOZO_TEST(exception_with_any_stack_pointer)
{
    struct witness v = witness();

    for (unsigned i = 0; i < POINTERS; i++) {
        struct seen s = watch(dive_fault, (void *)pointer(i));

        KOZO_CHECK_EQ(fault_of(&s), KOZO_FAULT_OPCODE);
        KOZO_CHECK_EQ(ip_of(&s), dive_fault_at);
        KOZO_CHECK_EQ(s.m.word[3], pointer(i));
        kozo_worker_end(&s.w);
        kozo_slot_drop(s.ep.c);
    }
    unharmed(&v);
}

KOZO_TEST(interrupt_with_any_stack_pointer)
{
    struct witness v = witness();

    for (unsigned i = 0; i < POINTERS; i++) {
        struct kozo_worker w = kozo_test_thread(dive_spin, (void *)pointer(i), LATER);

        AWAIT(state_of(&w) == KOZO_THREAD_READY &&
              kozo_buffer()->word[KOZO_THREAD_WORD_IP] == (uint64_t)dive_spin_at);
        KOZO_CHECK_OK(kozo_sleep(KOZO_MS));
        KOZO_CHECK_EQ(state_of(&w), KOZO_THREAD_READY);
        KOZO_CHECK_EQ(kozo_buffer()->word[KOZO_THREAD_WORD_IP], dive_spin_at);
        KOZO_CHECK_EQ(kozo_buffer()->word[KOZO_THREAD_WORD_SP], pointer(i));
        kozo_worker_end(&w);
    }
    unharmed(&v);
}

KOZO_TEST(push_with_a_stack_pointer_that_is_not_the_users)
{
    struct witness v = witness();

    for (unsigned i = 48; i < POINTERS; i++) {
        struct seen s = watch(dive_push, (void *)pointer(i));

        KOZO_CHECK(fault_of(&s) == KOZO_FAULT_PAGE || fault_of(&s) == KOZO_FAULT_PROTECTION ||
                   fault_of(&s) == KOZO_FAULT_STACK);
        KOZO_CHECK_EQ(ip_of(&s), dive_push_at);
        KOZO_CHECK_EQ(s.m.word[3], pointer(i)); /* not half pushed */
        kozo_worker_end(&s.w);
        kozo_slot_drop(s.ep.c);
    }
    unharmed(&v);
}

/* ---- any flags ---- */

WITH_REGISTERS(system_call, "syscall");
RAISE(bad_opcode, "ud2");

constexpr uint64_t NT = 1 << 14;
static const uint64_t flag_bits[] = { CF, 1 << 2, 1 << 4, 1 << 6, 1 << 7, DF, 1 << 11, NT, AC, ID };
constexpr unsigned FLAG_SETS = 1 << 10;

static uint64_t flag_set(unsigned n)
{
    uint64_t flags = 0x202;

    for (unsigned i = 0; i < 10; i++)
        flags |= n >> i & 1 ? flag_bits[i] : 0;
    return flags;
}

/* Through SYSCALL and back with each set of flags; counts those that came back the same. */
struct flags_job {
    uint64_t nr, cap, ignored, kept;
};

static void all_flags(void *arg)
{
    struct flags_job *j = arg;

    for (unsigned n = 0; n < FLAG_SETS; n++) {
        struct registers g;

        fill(&g, 2);
        g.r[KOZO_REG_RAX] = j->nr;
        g.r[KOZO_REG_RDI] = j->cap;
        g.r[KOZO_REG_RSI] = 0;
        g.flags = flag_set(n);
        system_call(&g);
        j->kept += ((g.flags ^ flag_set(n)) & ~j->ignored) == 0;
    }
}

static void any_flags(uint64_t nr, uint64_t cap)
{
    struct witness v = witness();
    struct flags_job j = { nr, cap != 0 ? v.ep.c : 0, 0, 0 };
    struct seen s = watch(all_flags, &j);

    KOZO_CHECK_EQ(fault_of(&s), KOZO_FAULT_EXIT);
    KOZO_CHECK_EQ(j.kept, FLAG_SETS);
    unharmed(&v);
}

KOZO_TEST(call_with_any_flags)
{
    any_flags(KOZO_SYS_YIELD, 0);
}

KOZO_TEST(message_with_any_flags)
{
    any_flags(KOZO_SYS_CALL, 1);
}

KOZO_TEST(exception_with_any_flags)
{
    struct witness v = witness();
    struct registers g;
    struct seen s;

    fill(&g, 3);
    s = watch(bad_opcode, &g);
    for (unsigned n = 0; n < FLAG_SETS; n++) {
        load(&s, (uint64_t)bad_opcode_at, flag_set(n), nullptr, 0);
        KOZO_REQUIRE(next_fault(&s));
        KOZO_CHECK_EQ(fault_of(&s), KOZO_FAULT_OPCODE);
        KOZO_CHECK_EQ(s.m.word[4] & 0xfd7, flag_set(n) & 0xfd7);
        KOZO_CHECK_EQ(s.m.word[4] & NT, 0); /* not a handler's to give */
    }
    unharmed(&v);
}

/* Each step over SYSCALL is a trap of the user's, and none of the kernel's. */
__asm__(".pushsection .text.step_calls,\"ax\",@progbits\nstep_calls:\n"
        "movl $100, %ebp\n pushfq\n orl $0x100, (%rsp)\n popfq\n"
        "1: movl $8, %eax\n syscall\n decl %ebp\n jnz 1b\n"
        "pushfq\n andl $~0x100, (%rsp)\n popfq\n nop\n movl $30, %eax\n movl $77, %edi\n syscall\n "
        "ud2\n.popsection\n");
extern void step_calls(void *);
static_assert(KOZO_SYS_YIELD == 8);

KOZO_TEST(hundred_calls_single_stepped)
{
    struct witness v = witness();
    struct seen s = watch(step_calls, nullptr);
    unsigned steps = steps_of(&s);

    KOZO_CHECK(steps >= 300 && steps < 1000);
    KOZO_CHECK_EQ(fault_of(&s), KOZO_FAULT_EXIT);
    KOZO_CHECK_EQ(address_of(&s), 77);
    unharmed(&v);
}

/* ---- any segments ---- */

__asm__(".pushsection .text.load_segments,\"ax\",@progbits\nload_segments:\n"
        "movl %edi, %ds\n movl %edi, %es\n movl %edi, %fs\n movl %edi, %gs\n"
        "movl $8, %eax\n syscall\n movl $30, %eax\n movl $78, %edi\n syscall\n ud2\n.popsection\n");
extern void load_segments(void *);

KOZO_TEST(call_with_any_selector)
{
    struct witness v = witness();
    unsigned loaded = 0;

    for (uint64_t selector = 0; selector < 0x80; selector++) {
        struct seen s = watch(load_segments, (void *)selector);

        KOZO_CHECK(fault_of(&s) == KOZO_FAULT_EXIT || fault_of(&s) == KOZO_FAULT_PROTECTION ||
                   fault_of(&s) == KOZO_FAULT_SEGMENT);
        if (fault_of(&s) == KOZO_FAULT_EXIT) {
            loaded++;
            KOZO_CHECK(selector < 4 || (selector & 3) == 3 ||
                       selector >= 0x18); /* not the kernel's */
            KOZO_CHECK_EQ(address_of(&s), 78);
        } else {
            KOZO_CHECK_EQ(code_of(&s), selector & ~3ull);
        }
        kozo_worker_end(&s.w);
        kozo_slot_drop(s.ep.c);
        unharmed(&v);
    }
    KOZO_CHECK(loaded >= 5); /* the four null selectors, and the user's own */
}

/* ---- the last bytes of user memory ---- */

/* The last page, its last bytes being `code`; what a thread that starts at them comes to. */
static struct seen at_the_edge(const uint8_t *code, unsigned size, uint64_t arg, uint32_t flags)
{
    struct kozo_frame f = kozo_test_frame();
    uint64_t page = KOZO_USER_END - KOZO_PAGE_SIZE;

    KOZO_CHECK_OK(kozo_memory_map(f, page, KOZO_READ | KOZO_WRITE));
    memcpy((void *)(KOZO_USER_END - size), code, size);
    KOZO_CHECK_OK(kozo_protect(kozo_own(f.c), KOZO_READ | KOZO_EXECUTE));
    return watch_with(&(struct kozo_worker_options){ .priority = LATER, .flags = flags },
                      (void (*)(void *))(KOZO_USER_END - size), (void *)arg);
}

static void falls_off(struct seen *s, struct witness *v)
{
    KOZO_CHECK_EQ(fault_of(s), KOZO_FAULT_PAGE);
    KOZO_CHECK_EQ(ip_of(s), KOZO_USER_END);
    KOZO_CHECK_EQ(address_of(s), KOZO_USER_END);
    KOZO_CHECK_EQ(access_of(s), KOZO_EXECUTE);
    unharmed(v);
}

KOZO_TEST(call_from_the_last_bytes)
{
    static const uint8_t code[] = { 0xb8, KOZO_SYS_YIELD, 0, 0, 0, 0x0f, 0x05 };
    struct witness v = witness();
    struct seen s = at_the_edge(code, sizeof(code), 0, 0);

    falls_off(&s, &v);
    KOZO_CHECK_EQ(reg_of(&s, KOZO_REG_RCX), KOZO_USER_END);
}

KOZO_TEST(message_from_the_last_bytes)
{
    static const uint8_t code[] = { 0xb8, KOZO_SYS_CALL, 0, 0, 0, 0x31, 0xf6, 0x0f, 0x05 };
    struct witness v = witness();
    struct seen s = at_the_edge(code, sizeof(code), v.ep.c, 0);

    falls_off(&s, &v);
    KOZO_CHECK_EQ(reg_of(&s, KOZO_REG_RAX), KOZO_OK);
}

KOZO_TEST(foreign_call_from_the_last_bytes)
{
    static const uint8_t code[] = { 0x0f, 0x05 };
    struct witness v = witness();
    struct seen s = at_the_edge(code, sizeof(code), 0, KOZO_THREAD_FOREIGN);

    KOZO_CHECK_EQ(fault_of(&s), KOZO_FAULT_SYSCALL);
    KOZO_CHECK_EQ(ip_of(&s), KOZO_USER_END);
    resume(&s);
    KOZO_REQUIRE(next_fault(&s));
    falls_off(&s, &v);
}

KOZO_TEST(trap_from_the_last_byte)
{
    static const uint8_t code[] = { 0xcc };
    struct witness v = witness();
    struct seen s = at_the_edge(code, sizeof(code), 0, 0);

    KOZO_CHECK_EQ(fault_of(&s), KOZO_FAULT_BREAKPOINT);
    KOZO_CHECK_EQ(ip_of(&s), KOZO_USER_END);
    resume(&s);
    KOZO_REQUIRE(next_fault(&s));
    falls_off(&s, &v);
}

KOZO_TEST(instruction_across_the_last_byte)
{
    static const uint8_t code[] = { 0x0f };
    struct witness v = witness();
    struct seen s = at_the_edge(code, sizeof(code), 0, 0);

    KOZO_CHECK_EQ(fault_of(&s), KOZO_FAULT_PAGE);
    KOZO_CHECK_EQ(ip_of(&s), KOZO_USER_END - 1);
    KOZO_CHECK_EQ(address_of(&s), KOZO_USER_END);
    unharmed(&v);
}

/* ---- registers that others choose ---- */

KOZO_TEST(handler_answers_with_anything)
{
    struct witness v = witness();
    struct registers g;
    struct seen s;
    uint64_t seed = 0x10ad;

    fill(&g, 4);
    s = watch(bad_opcode, &g);
    for (unsigned n = 0; n < 2000; n++) {
        uint64_t regs[15], ip = random_of(&seed) >> random_of(&seed) % 64,
                           flags = random_of(&seed) & ~TF;

        for (unsigned i = 0; i < 15; i++)
            regs[i] = random_of(&seed) << random_of(&seed) % 64;
        if (ip >= KOZO_LAYOUT_START && ip < KOZO_LAYOUT_THREADS_END)
            ip |= 1ull << 46; /* not into this program */
        load(&s, ip, flags, regs, 15);
        KOZO_REQUIRE(next_fault(&s));
        KOZO_CHECK_EQ(fault_of(&s), KOZO_FAULT_PAGE);
        KOZO_CHECK_EQ(ip_of(&s), ip < KOZO_USER_END ? ip : KOZO_USER_END);
        KOZO_CHECK_EQ(s.m.word[4] & ~0x40dd5ull, 0x202 & ~0x40dd5ull);
        for (unsigned i = 0; i < 15; i++)
            KOZO_CHECK_EQ(reg_of(&s, i), regs[i]);
    }
    unharmed(&v);
}

KOZO_TEST(thread_started_anywhere)
{
    struct witness v = witness();
    struct kozo_worker w = doing_later(URGENT);

    for (unsigned i = 0; i < POINTERS; i++)
        for (unsigned k = 0; k < 2; k++) {
            uint64_t p = pointer(i), ip = k == 0 ? p : (uint64_t)dive_fault,
                     sp = k == 0 ? w.stack_end : p;
            enum kozo_err err = kozo_thread_start(w.thread, ip, sp, 1, 2);

            KOZO_CHECK(err == KOZO_OK || err == KOZO_ERR_ARGUMENT);
            if (p >= 1ull << 47)
                KOZO_CHECK_ERR(err, KOZO_ERR_ARGUMENT);
            else
                (void)kozo_thread_suspend(w.thread);
        }
    unharmed(&v);
}

static void all_bases(void *arg)
{
    uint64_t *ok = arg;

    for (unsigned i = 0; i < POINTERS; i++) {
        enum kozo_err err = kozo_thread_fs_base(pointer(i));

        *ok += err == (pointer(i) < 1ull << 47 ? KOZO_OK : KOZO_ERR_ARGUMENT) ||
               (pointer(i) >= KOZO_USER_END && err == KOZO_ERR_ARGUMENT);
    }
}

KOZO_TEST(fs_base_set_to_anything)
{
    struct witness v = witness();
    uint64_t ok = 0;
    struct seen s = watch(all_bases, &ok);

    KOZO_CHECK_EQ(fault_of(&s), KOZO_FAULT_EXIT);
    KOZO_CHECK_EQ(ok, POINTERS);
    unharmed(&v);
}

KOZO_TEST(the_kernels_stacks_have_room)
{
    stacks_have_room();
}
