/* SPDX-License-Identifier: MIT */
/*
 * context.c - a thread's registers, and changing from one thread to the next.
 *
 * Owns:      CR0.TS, FS base, the data segments and TSS.rsp0 while threads run.
 * Not here:  saving and restoring the general registers (entry.S, trap.S), CR3 (paging.c).
 * Callers:   the core.
 * Cost:      O(1).
 * Spec:      docs/spec/threads.md, docs/spec/architecture.md
 */
#include "offsets.h"

/* SYSRET relies on it, see entry.S: no SYSCALL can be fetched from the last page below 2^47. */
static_assert(KOZO_USER_END == (1ull << 47) - KOZO_PAGE_SIZE && KOZO_USER_END == X86_USER_END);

/* ---- registers ---- */

/* SYSCALL leaves out what is known: make the frame whole before somebody reads or changes it. */
static void frame_settle(struct frame *f)
{
    if (f->vector == FRAME_BY_SYSCALL) {
        f->rcx = f->rip;
        f->r11 = f->rflags;
    }
}

static void set_ip_sp_flags(struct frame *f, uint64_t ip, uint64_t sp, uint64_t flags)
{
    f->vector = 0; /* back by IRET */
    f->error = 0;
    /* an address that is not the user's faults at the first that is not */
    f->rip = min_u64(ip, KOZO_USER_END);
    f->rsp = sp;
    f->rflags = (flags & X86_FLAGS_USER) | X86_FLAGS_FIXED;
    f->cs = X86_USER_CS;
    f->ss = X86_USER_SS;
}

void frame_get_regs(const struct frame *f, uint64_t regs[KOZO_REG_FS_BASE])
{
    bool by_syscall = f->vector == FRAME_BY_SYSCALL;

    regs[KOZO_REG_RAX] = f->rax;
    regs[KOZO_REG_RBX] = f->rbx;
    regs[KOZO_REG_RCX] = by_syscall ? f->rip : f->rcx;
    regs[KOZO_REG_RDX] = f->rdx;
    regs[KOZO_REG_RSI] = f->rsi;
    regs[KOZO_REG_RDI] = f->rdi;
    regs[KOZO_REG_RBP] = f->rbp;
    regs[KOZO_REG_R8] = f->r8;
    regs[KOZO_REG_R9] = f->r9;
    regs[KOZO_REG_R10] = f->r10;
    regs[KOZO_REG_R11] = by_syscall ? f->rflags : f->r11;
    regs[KOZO_REG_R12] = f->r12;
    regs[KOZO_REG_R13] = f->r13;
    regs[KOZO_REG_R14] = f->r14;
    regs[KOZO_REG_R15] = f->r15;
}

void frame_load(struct frame *f, uint64_t ip, uint64_t sp, uint64_t flags, const uint64_t *regs,
                uint32_t n)
{
    uint64_t *const at[KOZO_REG_FS_BASE] = {
        [KOZO_REG_RAX] = &f->rax, [KOZO_REG_RBX] = &f->rbx, [KOZO_REG_RCX] = &f->rcx,
        [KOZO_REG_RDX] = &f->rdx, [KOZO_REG_RSI] = &f->rsi, [KOZO_REG_RDI] = &f->rdi,
        [KOZO_REG_RBP] = &f->rbp, [KOZO_REG_R8] = &f->r8,   [KOZO_REG_R9] = &f->r9,
        [KOZO_REG_R10] = &f->r10, [KOZO_REG_R11] = &f->r11, [KOZO_REG_R12] = &f->r12,
        [KOZO_REG_R13] = &f->r13, [KOZO_REG_R14] = &f->r14, [KOZO_REG_R15] = &f->r15,
    };

    frame_settle(f);
    for (uint32_t i = 0; i < n && i < KOZO_REG_FS_BASE; i++)
        *at[i] = regs[i];
    set_ip_sp_flags(f, ip, sp, flags);
}

void arch_thread_start(struct tcb *t, uint64_t ip, uint64_t sp, uint64_t arg0, uint64_t arg1)
{
    t->frame = (struct frame){ .rdi = arg0, .rsi = arg1 };
    set_ip_sp_flags(&t->frame, ip, sp, 0);
}

/* ---- floating point ---- */

/* What FNINIT and reset leave: all exceptions masked, round to nearest. */
#define FCW_DEFAULT 0x37f
#define MXCSR_DEFAULT 0x1f80

void arch_fpu_init(struct arch_fpu *fpu)
{
    *fpu = (struct arch_fpu){};
    *(uint16_t *)&fpu->area[0] = FCW_DEFAULT;
    *(uint32_t *)&fpu->area[24] = MXCSR_DEFAULT;
}

static void fpu_switch(struct tcb *to)
{
    if (x86.fpu != nullptr)
        __asm__ volatile("fxsave64 %0" : "=m"(x86.fpu->fpu));
    if (!(to->flags & KOZO_THREAD_FPU)) {
        x86_write_cr0(x86_read_cr0() | CR0_TS);
        x86.fpu = nullptr;
        return;
    }
    if (x86.fpu == nullptr)
        __asm__ volatile("clts");
    /*
     * FNINIT first: some processors restore the last instruction's addresses only when an exception
     * is pending.
     */
    __asm__ volatile("fninit; fxrstor64 %0" ::"m"(to->fpu));
    x86.fpu = to;
}

/* ---- from one to the next ---- */

/*
 * What user code can load is null or the user's data segment: no secret, but a register like
 * others.
 */
static void segments_clear(void)
{
    __asm__ volatile("movl %0, %%ds; movl %0, %%es; movl %0, %%fs; movl %0, %%gs" ::"r"(0));
}

/* The core admits user addresses only; a bad one would stop the kernel here. */
static void fs_base_load(const struct tcb *t)
{
    x86_wrmsr(MSR_FS_BASE, t->fs_base < KOZO_USER_END ? t->fs_base : 0);
}

/* One of the two has state beyond the general registers. */
[[gnu::noinline]] static void extended_switch(struct tcb *to)
{
    /* the selector that was just cleared, or that the user loaded, may have reset it */
    fs_base_load(to);
    if (x86.fpu != nullptr || (to->flags & KOZO_THREAD_FPU))
        fpu_switch(to);
}

void arch_thread_switch(struct tcb *from, struct tcb *to)
{
    x86.tss.rsp0 = (uint64_t)to + FRAME_BYTES;
    segments_clear();
    if (to->root != x86.root)
        x86_root_load(to->root);
    if (((from->slow | to->slow) & (TCB_SLOW_FPU | TCB_SLOW_FS)) != 0) [[clang::unlikely]]
        extended_switch(to);
}

void arch_fs_base_set(struct tcb *t) { fs_base_load(t); }
