/* SPDX-License-Identifier: MIT */
/*
 * panic.c - what this port adds to a panic, and the end of it all.
 *
 * Owns:      the stack protector's value.
 * Not here:  the panic message (base/log.h), the backtrace (backtrace.h).
 * Callers:   base/panic; the compiler.
 * Spec:      docs/spec/infrastructure.md
 */
#include "panic.h"

#include "backtrace.h"
#include "base/log.h"
#include "offsets.h"
#include "stacks.h"

uintptr_t __stack_chk_guard; /* set in start/boot.S, before the first C function */

void __stack_chk_fail(void) { panic("stack protector: a function wrote past its own variables"); }

static void dump_frame(const struct frame *f)
{
    /* rcx and r11 are not saved then: see entry.S */
    bool by_syscall = f->vector == FRAME_BY_SYSCALL;
    uint64_t rcx = by_syscall ? f->rip : f->rcx, r11 = by_syscall ? f->rflags : f->r11;

    klog("  rax %016lx  rbx %016lx  rcx %016lx  rdx %016lx", f->rax, f->rbx, rcx, f->rdx);
    klog("  rsi %016lx  rdi %016lx  rbp %016lx  rsp %016lx", f->rsi, f->rdi, f->rbp, f->rsp);
    klog("  r8  %016lx  r9  %016lx  r10 %016lx  r11 %016lx", f->r8, f->r9, f->r10, r11);
    klog("  r12 %016lx  r13 %016lx  r14 %016lx  r15 %016lx", f->r12, f->r13, f->r14, f->r15);
    klog("  rip %016lx  cs %lx  ss %lx  flags %lx  vector %lu  error %lx", f->rip, f->cs, f->ss,
         f->rflags, f->vector, f->error);
}

static void dump_stacks(void)
{
    klog_part("stacks, bytes never used:");
    for (uint32_t i = 0; i < X86_STACKS; i++)
        klog_part("%s %s %lu of %lu", i == 0 ? "" : ",", x86_stacks[i].name,
                  arch_stack_free((enum kozo_stat)(KOZO_STAT_STACK_KERNEL + i)),
                  (uint64_t)x86_stacks[i].end - x86_stack_base(&x86_stacks[i]));
    klog("%s", "");
}

/* Its maker's word for it is the only name a thread has. */
static void dump_current(const struct tcb *t)
{
    if (t == nullptr || t == kernel.cpu.idle) {
        klog("current thread: %s", t == nullptr ? "none" : "idle");
        return;
    }
    klog("current thread: %s, serial %lu, space %lx, registers at its entry:", tcb_name(t).text,
         t->serial, t->root);
    dump_frame(&t->frame);
}

void arch_panic_dump(void)
{
    const struct frame *f = x86.panic_frame;
    uint64_t ip, sp;

    __asm__ volatile("leaq (%%rip), %0\n movq %%rsp, %1" : "=r"(ip), "=r"(sp));
    klog("cpu 0: cr0 %lx  cr2 %lx  cr3 %lx  cr4 %lx  nmi %lu  debug traps %lu", x86_read_cr0(),
         x86_read_cr2(), x86_read_cr3(), x86_read_cr4(), x86.nmis, x86.debug_traps);
    if (f != nullptr)
        dump_frame(f);
    dump_current(kernel.cpu.current);
    if (f != nullptr)
        x86_backtrace(f->rip, f->rsp, 0);
    else
        x86_backtrace(ip, sp, 2); /* without this function and panic_at */
    dump_stacks();
}

#define DEBUG_EXIT 0xf4
#define PVPANIC 0x505
#define PVPANIC_PANICKED 1
#define PANICKED 0x12
#define POWER_OFF 0x2000 /* SLP_EN, sleep type 0: S5 of the machines this runs on */

/* Who watches the machine may stop it here and look; PAUSE, so that QEMU does before it goes on. */
static void tell_watcher(void)
{
    x86_out8(PVPANIC, PVPANIC_PANICKED);
    __asm__ volatile("pause");
}

void arch_stop(uint8_t code)
{
    if (code == PANICKED)
        tell_watcher();
    x86_out8(DEBUG_EXIT, code);
    x86_out16(x86.power_port != 0 ? x86.power_port : X86_POWER_PORT, POWER_OFF);
    for (;;)
        __asm__ volatile("cli; hlt");
}
