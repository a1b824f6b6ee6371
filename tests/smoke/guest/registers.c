/* SPDX-License-Identifier: MIT */
/*
 * What a thread's registers hold: through a system call, through preemption, at its first
 * instruction; general ones, floating point, FS base, segments.
 */
#include "fault.h"
#include "registers.h"

static volatile uint8_t stop __asm__("registers_stop");

WITH_REGISTERS(system_call, "syscall");
WITH_REGISTERS(hold_all, "1: cmpb $0, registers_stop(%rip)\n je 1b");

KOZO_TEST(system_call_keeps_what_it_does_not_return)
{
    static const uint64_t calls[] = { KOZO_SYS_YIELD, KOZO_SYS_SIGNAL, 99, KOZO_SYS_CAP_DELETE,
                                      KOZO_SYS_FINISH };

    for (unsigned i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
        struct registers before, after;

        fill(&before, i + 1);
        before.r[KOZO_REG_RAX] = calls[i];
        after = before;
        system_call(&after);
        for (unsigned k = 0; k < KOZO_REG_FS_BASE; k++)
            if (k != KOZO_REG_RAX && k != KOZO_REG_RCX && k != KOZO_REG_R11)
                KOZO_CHECK(after.r[k] == before.r[k] || after.r[k] == 0);
        KOZO_CHECK_EQ(after.r[KOZO_REG_RBX], before.r[KOZO_REG_RBX]);
        KOZO_CHECK_EQ(after.r[KOZO_REG_RBP], before.r[KOZO_REG_RBP]);
        KOZO_CHECK_EQ(after.r[KOZO_REG_R12], before.r[KOZO_REG_R12]);
        KOZO_CHECK_EQ(after.r[KOZO_REG_R15], before.r[KOZO_REG_R15]);
        KOZO_CHECK_EQ(after.r[KOZO_REG_RCX], (uint64_t)system_call_after);
        KOZO_CHECK_EQ(after.r[KOZO_REG_R11], after.flags);
    }
}

KOZO_TEST(system_call_keeps_the_flags)
{
    static const uint64_t flags[] = { CF, DF, AC, DF | AC | CF };

    for (unsigned i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
        struct registers g;

        fill(&g, 1);
        g.r[KOZO_REG_RAX] = KOZO_SYS_YIELD;
        g.flags = 0x202 | flags[i];
        system_call(&g);
        KOZO_CHECK_EQ(g.flags & (CF | DF | AC), flags[i]);
        KOZO_CHECK((g.flags & 0x200) != 0);
    }
}

/* A server that answers with nothing of its own. */
static void echo(void *arg)
{
    struct kozo_endpoint *ep = arg;
    struct kozo_words x;
    enum kozo_err err = kozo_recv_words(*ep, &x);

    while (err == KOZO_OK) {
        x.info = label(label_of(x.info));
        err = kozo_reply_recv_words(*ep, &x);
    }
}

/*
 * Through the kernel's shortest way and, with a deadline, through the long one: no difference
 * shows.
 */
KOZO_TEST(call_returns_words_and_keeps_the_rest)
{
    struct kozo_endpoint ep = kozo_test_endpoint();
    static const uint8_t words[] = { KOZO_REG_RDX, KOZO_REG_R10, KOZO_REG_R8,  KOZO_REG_R9,
                                     KOZO_REG_R12, KOZO_REG_R13, KOZO_REG_R14, KOZO_REG_R15 };

    (void)kozo_test_thread(echo, &ep, URGENT);
    for (unsigned slow = 0; slow < 2; slow++) {
        struct registers before, after;

        fill(&before, 0x31 + slow);
        before.r[KOZO_REG_RAX] = KOZO_SYS_CALL;
        before.r[KOZO_REG_RDI] = ep.c;
        before.r[KOZO_REG_RSI] = label(12) | (slow ? KOZO_INFO_DEADLINE : 0);
        before.flags |= DF | AC;
        after = before;
        system_call(&after);
        KOZO_CHECK_EQ(after.r[KOZO_REG_RAX], KOZO_OK);
        KOZO_CHECK_EQ(after.r[KOZO_REG_RDI], 0);
        KOZO_CHECK_EQ(after.r[KOZO_REG_RSI], label(12));
        for (unsigned i = 0; i < 8; i++)
            KOZO_CHECK_EQ(after.r[words[i]], before.r[words[i]]);
        KOZO_CHECK_EQ(after.r[KOZO_REG_RBX], before.r[KOZO_REG_RBX]);
        KOZO_CHECK_EQ(after.r[KOZO_REG_RBP], before.r[KOZO_REG_RBP]);
        KOZO_CHECK_EQ(after.r[KOZO_REG_RCX], (uint64_t)system_call_after);
        KOZO_CHECK_EQ(after.r[KOZO_REG_R11], after.flags);
        KOZO_CHECK_EQ(after.flags & (DF | AC), DF | AC);
    }
}

KOZO_TEST(preempted_threads_keep_their_registers)
{
    struct registers before[3], after[3];
    struct kozo_worker w[3];

    stop = 0;
    for (unsigned i = 0; i < 3; i++) {
        fill(&before[i], 0x51 + i);
        before[i].flags |= i == 1 ? DF : 0;
        after[i] = before[i];
        w[i] = kozo_test_thread(hold_all, &after[i], LATER);
    }
    KOZO_CHECK_OK(kozo_sleep(60 * KOZO_MS)); /* a dozen slices, and interrupts of our own */
    for (unsigned i = 0; i < 20; i++)
        KOZO_CHECK_OK(kozo_sleep(KOZO_MS));
    stop = 1;
    for (unsigned i = 0; i < 3; i++) {
        AWAIT(state_of(&w[i]) == KOZO_THREAD_FAULTED); /* ended: all is stored */
        for (unsigned k = 0; k < KOZO_REG_FS_BASE; k++)
            KOZO_CHECK_EQ(after[i].r[k], before[i].r[k]);
        KOZO_CHECK_EQ(after[i].flags & DF, before[i].flags & DF);
    }
}

/* Registers as the first instruction finds them. */
[[gnu::used]] static struct registers born __asm__("registers_born");
[[gnu::used]] static uint64_t born_sp __asm__("registers_born_sp");

__asm__(".pushsection .text.first_instruction,\"ax\",@progbits\n"
        "first_instruction:\n"
        "movq %rsp, registers_born_sp\n"
        "movq %rdi, registers_born+5*8\n"
        "movabsq $registers_born, %rdi\n"
        "movq %rax, (%rdi)\n"
        "pushfq\n popq 15*8(%rdi)\n" EACH_BUT_RDI(STORE)
        "movl $30, %eax\n xorl %edi, %edi\n syscall\n ud2\n"
        ".popsection\n");
extern const char first_instruction[];
static_assert(KOZO_SYS_THREAD_EXIT == 30);

KOZO_TEST(new_thread_has_no_registers_of_an_old_one)
{
    struct registers used;
    struct kozo_worker w = doing_later(URGENT);

    for (unsigned i = 0; i < 2; i++) {
        fill(&used, 0x71);
        used.r[KOZO_REG_RAX] = KOZO_SYS_YIELD;
        used.flags |= DF | AC;
        KOZO_REQUIRE_OK(kozo_worker_run(&w, system_call, &used)); /* its frame is full of values */
        if (i == 1) {
            kozo_worker_end(&w); /* and so is the block that it leaves */
            w = doing_later(URGENT);
        }
        KOZO_REQUIRE_OK(kozo_thread_start(w.thread, (uint64_t)first_instruction, w.stack_end - 40,
                                          0x1234, 0x5678));
        KOZO_CHECK_EQ(born_sp, w.stack_end - 40);
        for (unsigned k = 0; k < KOZO_REG_FS_BASE; k++)
            KOZO_CHECK_EQ(born.r[k], k == KOZO_REG_RDI ? 0x1234 : k == KOZO_REG_RSI ? 0x5678 : 0);
        KOZO_CHECK_EQ(born.flags & ~(uint64_t)ID, 0x202);
    }
}

/* ---- floating point ---- */

/* What FXSAVE stores. */
struct fpu {
    uint16_t fcw, fsw;
    uint8_t ftw, reserved0;
    uint16_t fop;
    uint64_t ip, dp;
    uint32_t mxcsr, mxcsr_mask;
    uint8_t st[8][16];
    uint8_t xmm[16][16];
    uint8_t reserved1[96];
};
static_assert(sizeof(struct fpu) == 512);

struct holder {
    alignas(16) struct fpu given, found;
    bool done;
};

/* Loads a state, keeps it while others run, and looks again. */
static void hold_fpu(void *arg)
{
    struct holder *h = arg;

    __asm__ volatile("fxrstor64 %0" ::"m"(h->given));
    while (stop == 0)
        continue;
    __asm__ volatile("fxsave64 %0" : "=m"(h->found));
    h->done = true;
}

static void fill_fpu(struct fpu *f, uint8_t salt)
{
    *f = (struct fpu){ .fcw = 0x37f, .ftw = 0xff, .mxcsr = 0x1f80u | (salt & 3u) << 13 };
    for (unsigned i = 0; i < 16; i++)
        for (unsigned k = 0; k < 16; k++)
            f->xmm[i][k] = (uint8_t)(salt + i * 16 + k);
    for (unsigned i = 0; i < 8; i++) {
        for (unsigned k = 0; k < 8; k++)
            f->st[i][k] = (uint8_t)(salt ^ (i * 8 + k));
        f->st[i][7] |= 0x80; /* a normal number: 1.x */
        f->st[i][9] = 0x3f;
        f->st[i][8] = 0xff;
    }
}

static struct kozo_worker fpu_thread(void (*run)(void *), void *arg, uint32_t priority)
{
    return kozo_test_thread_with(
        &(struct kozo_worker_options){ .priority = priority, .flags = KOZO_THREAD_FPU }, run, arg);
}

KOZO_TEST(floating_point_state_is_each_threads_own)
{
    static struct holder h[3];

    stop = 0;
    for (unsigned i = 0; i < 3; i++) {
        fill_fpu(&h[i].given, (uint8_t)(0x11 + 0x41 * i));
        h[i].done = false;
        (void)fpu_thread(hold_fpu, &h[i], LATER);
    }
    KOZO_CHECK_OK(kozo_sleep(60 * KOZO_MS));
    stop = 1;
    for (unsigned i = 0; i < 3; i++) {
        AWAIT(h[i].done);
        KOZO_CHECK_EQ(memcmp(h[i].found.xmm, h[i].given.xmm, sizeof(h[i].given.xmm)), 0);
        for (unsigned k = 0; k < 8; k++)
            KOZO_CHECK_EQ(memcmp(h[i].found.st[k], h[i].given.st[k], 10), 0);
        KOZO_CHECK_EQ(h[i].found.mxcsr, h[i].given.mxcsr);
        KOZO_CHECK_EQ(h[i].found.fcw, h[i].given.fcw);
        KOZO_CHECK_EQ(h[i].found.ftw, h[i].given.ftw);
    }
}

static void look_at_fpu(void *arg)
{
    struct holder *h = arg;

    __asm__ volatile("fxsave64 %0" : "=m"(h->found));
    h->done = true;
}

KOZO_TEST(new_thread_has_no_floating_point_state_of_an_old_one)
{
    static struct holder h;
    struct kozo_worker w;

    stop = 1;
    fill_fpu(&h.given, 0x77);
    w = fpu_thread(hold_fpu, &h, URGENT);
    KOZO_CHECK_EQ(memcmp(h.found.xmm, h.given.xmm, sizeof(h.given.xmm)), 0);
    kozo_worker_end(&w);
    h.done = false;
    w = fpu_thread(look_at_fpu, &h, URGENT); /* in the same control block */
    KOZO_CHECK(h.done);
    KOZO_CHECK_EQ(h.found.fcw, 0x37f);
    KOZO_CHECK_EQ(h.found.mxcsr, 0x1f80);
    KOZO_CHECK_EQ(h.found.ftw, 0);
    for (unsigned i = 0; i < 16; i++)
        for (unsigned k = 0; k < 16; k++)
            KOZO_CHECK_EQ(h.found.xmm[i][k], 0);
}

static void use_sse([[maybe_unused]] void *arg)
{
    __asm__ volatile("pxor %%xmm0, %%xmm0" ::: "memory");
}

static void use_x87([[maybe_unused]] void *arg)
{
    __asm__ volatile("fninit\n fld1\n fstp %%st(0)" ::: "memory");
}

KOZO_TEST(floating_point_without_leave_is_a_fault)
{
    KOZO_CHECK_EQ(outcome(use_sse, nullptr), KOZO_FAULT_NO_FPU);
    KOZO_CHECK_EQ(outcome(use_x87, nullptr), KOZO_FAULT_NO_FPU);
    KOZO_CHECK_EQ(outcome(look_at_fpu, nullptr), KOZO_FAULT_NO_FPU);
}

/* Also when the thread that ran before has it, and nothing in between has not. */
KOZO_TEST(floating_point_stays_forbidden_beside_a_thread_that_has_it)
{
    static struct holder h;
    struct kozo_worker w;

    stop = 0;
    fill_fpu(&h.given, 0x23);
    h.done = false;
    w = fpu_thread(hold_fpu, &h, LATER);
    for (unsigned i = 0; i < 4; i++) {
        KOZO_CHECK_OK(kozo_sleep(KOZO_MS));
        KOZO_CHECK_EQ(outcome(use_sse, nullptr), KOZO_FAULT_NO_FPU);
    }
    stop = 1;
    AWAIT(h.done);
    KOZO_CHECK_EQ(memcmp(h.found.xmm, h.given.xmm, sizeof(h.given.xmm)), 0);
    KOZO_CHECK_OK(kozo_thread_suspend(w.thread));
}

/* ---- what a call does not take along ---- */

static struct kozo_endpoint service;
static struct holder caller_fpu;
static uint64_t seen_by_server;

/* Waits for a call in a thread with floating point and an FS base of its own, and answers. */
static void serve_with_state(void *arg)
{
    alignas(16) struct fpu mine;
    struct kozo_words x;

    fill_fpu(&mine, 0x99);
    __asm__ volatile("fxrstor64 %0" ::"m"(mine));
    (void)kozo_thread_fs_base((uint64_t)arg);
    (void)kozo_recv_words(service, &x);
    __asm__ volatile("movq %%fs:0, %0" : "=r"(seen_by_server)::"memory");
    x = (struct kozo_words){ .info = label(1) };
    (void)kozo_reply_recv_words(service, &x);
}

static void call_with_state(void *arg)
{
    struct holder *h = arg;
    struct kozo_words x = {};

    __asm__ volatile("fxrstor64 %0" ::"m"(h->given));
    (void)kozo_call_words(service, &x);
    __asm__ volatile("fxsave64 %0" : "=m"(h->found));
    h->done = x.info == label(1);
}

KOZO_TEST(floating_point_and_fs_base_stay_behind_when_threads_call)
{
    static uint64_t local = 0x10ca1;

    service = kozo_test_endpoint();
    (void)fpu_thread(serve_with_state, &local, URGENT);
    fill_fpu(&caller_fpu.given, 0x33);
    caller_fpu.done = false;
    (void)fpu_thread(call_with_state, &caller_fpu, URGENT);
    KOZO_CHECK(caller_fpu.done);
    KOZO_CHECK_EQ(seen_by_server, local);
    KOZO_CHECK_EQ(memcmp(caller_fpu.found.xmm, caller_fpu.given.xmm, sizeof(caller_fpu.given.xmm)),
                  0);
    KOZO_CHECK_EQ(caller_fpu.found.mxcsr, caller_fpu.given.mxcsr);
}

/* A server that has neither finds neither. */
static void receive_and_use(void *arg)
{
    struct kozo_words x;

    (void)kozo_recv_words(service, &x);
    ((void (*)(void *))arg)(nullptr);
}

static void call_with_fs_base(void *arg)
{
    (void)kozo_thread_fs_base((uint64_t)arg);
    (void)kozo_call_words(service, &(struct kozo_words){});
}

static void read_fs([[maybe_unused]] void *arg)
{
    uint64_t v;

    __asm__ volatile("movq %%fs:8, %0" : "=r"(v)::"memory");
}

KOZO_TEST(call_lends_its_server_neither_floating_point_nor_fs_base)
{
    static uint64_t local[2];
    void (*const uses[])(void *) = { use_sse, read_fs };
    static const enum kozo_fault faults[] = { KOZO_FAULT_NO_FPU, KOZO_FAULT_PAGE };

    for (unsigned i = 0; i < 2; i++) {
        struct kozo_worker w;
        struct seen s = { .ep = kozo_test_endpoint() };

        service = kozo_test_endpoint();
        fill_fpu(&caller_fpu.given, 0x34);
        w = kozo_test_thread_with(
            &(struct kozo_worker_options){ .priority = URGENT, .fault = s.ep }, receive_and_use,
            (void *)uses[i]);
        if (i == 0)
            (void)fpu_thread(call_with_state, &caller_fpu, URGENT);
        else
            (void)kozo_test_thread(call_with_fs_base, local, URGENT);
        KOZO_REQUIRE(next_fault(&s));
        KOZO_CHECK_EQ(fault_of(&s), faults[i]);
        kozo_worker_end(&w);
    }
}

/* ---- FS base and segments ---- */

struct local {
    uint64_t value; /* at fs:0 */
    uint64_t seen;
    enum kozo_err err;
    bool done;
};

static void use_fs_base(void *arg)
{
    struct local *l = arg;

    l->err = kozo_thread_fs_base((uint64_t)l);
    for (unsigned i = 0; i < 50 || stop == 0; i++) {
        __asm__ volatile("movq %%fs:0, %0" : "=r"(l->seen)::"memory");
        if (l->seen != l->value)
            break;
        kozo_yield();
    }
    l->done = true;
}

KOZO_TEST(fs_base_is_each_threads_own)
{
    static struct local l[3];

    stop = 0;
    for (unsigned i = 0; i < 3; i++) {
        l[i] = (struct local){ .value = 0x1000 + i };
        (void)kozo_test_thread(use_fs_base, &l[i], LATER);
    }
    KOZO_CHECK_OK(kozo_sleep(30 * KOZO_MS));
    stop = 1;
    for (unsigned i = 0; i < 3; i++) {
        AWAIT(l[i].done);
        KOZO_CHECK_OK(l[i].err);
        KOZO_CHECK_EQ(l[i].seen, l[i].value);
    }
}

KOZO_TEST(thread_without_fs_base_has_nobody_elses)
{
    static struct local l;
    struct seen s;

    l = (struct local){ .value = 5 };
    stop = 0;
    (void)kozo_test_thread(use_fs_base, &l, LATER);
    KOZO_CHECK_OK(kozo_sleep(KOZO_MS));
    for (unsigned i = 0; i < 3; i++) {
        s = watch(read_fs, nullptr);
        KOZO_CHECK_EQ(fault_of(&s), KOZO_FAULT_PAGE);
        KOZO_CHECK_EQ(address_of(&s), 8);
    }
    stop = 1;
    AWAIT(l.done);
}

KOZO_TEST(fs_base_is_a_user_address)
{
    static const uint64_t wrong[] = { KOZO_USER_END, 0x800000000000, 0xffff800000000000,
                                      UINT64_MAX };

    for (unsigned i = 0; i < 4; i++)
        KOZO_CHECK_ERR(kozo_thread_fs_base(wrong[i]), KOZO_ERR_ARGUMENT);
    KOZO_CHECK_OK(kozo_thread_fs_base(0));
}

static void load_segments([[maybe_unused]] void *arg)
{
    for (;;) {
        __asm__ volatile(
            "movl %0, %%ds\n movl %0, %%es\n movl %0, %%fs\n movl %0, %%gs" ::"r"(0x1b));
        kozo_yield();
    }
}

static void read_segments(void *arg)
{
    uint64_t *all = arg, ds, es, fs, gs;

    for (unsigned i = 0; i < 10; i++) {
        __asm__ volatile("movq %%ds, %0\n movq %%es, %1\n movq %%fs, %2\n movq %%gs, %3"
                         : "=r"(ds), "=r"(es), "=r"(fs), "=r"(gs));
        *all |= ds | es | fs | gs;
        kozo_yield();
    }
    *all |= 1ull << 63;
}

KOZO_TEST(segment_registers_do_not_cross_threads)
{
    uint64_t all = 0;
    struct kozo_worker w = kozo_test_thread(load_segments, nullptr, LATER);

    (void)kozo_test_thread(read_segments, &all, LATER);
    AWAIT(all >> 63 != 0);
    KOZO_CHECK_EQ(all, 1ull << 63);
    KOZO_CHECK_OK(kozo_thread_suspend(w.thread));
}

/* A single step set just before SYSCALL: it is felt behind it, and the kernel does not stumble. */
WITH_REGISTERS(step_into_call, "pushfq\n orl $0x100, (%rsp)\n popfq\n syscall\n nop");

KOZO_TEST(single_step_over_a_system_call)
{
    struct kozo_endpoint ep = kozo_test_endpoint();
    static const uint64_t calls[] = { KOZO_SYS_YIELD, KOZO_SYS_CALL };

    (void)kozo_test_thread(echo, &ep, URGENT);
    for (unsigned i = 0; i < 2; i++) {
        struct registers g;
        struct seen s;

        fill(&g, 0x19);
        g.r[KOZO_REG_RAX] = calls[i];
        g.r[KOZO_REG_RDI] = ep.c;
        g.r[KOZO_REG_RSI] = label(6);
        s = watch(step_into_call, &g);
        KOZO_CHECK_EQ(fault_of(&s), KOZO_FAULT_DEBUG);
        KOZO_CHECK(ip_of(&s) - (uint64_t)step_into_call_after < 8 ||
                   (uint64_t)step_into_call_after - ip_of(&s) < 8);
        KOZO_CHECK_EQ(s.m.word[4] & TF, TF);
        KOZO_CHECK_EQ(reg_of(&s, KOZO_REG_RAX), KOZO_OK);
        kozo_worker_end(&s.w);
    }
}
