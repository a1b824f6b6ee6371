/* SPDX-License-Identifier: MIT */
/*
 * panic.c - what this port adds to a panic, and the end of it all.
 *
 * Owns:      the stack protector's value.
 * Not here:  the panic message (base/log.h).
 * Callers:   base/panic; the compiler.
 * Spec:      docs/spec/infrastructure.md
 */
#include "base/log.h"
#include "offsets.h"
#include "panic.h"

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

static bool is_text(uint64_t v)
{
    return (v >= (uint64_t)x86_text_start && v < (uint64_t)x86_text_end) ||
           (v >= (uint64_t)x86_boot_start && v < (uint64_t)x86_boot_text_end);
}

#define TRACE_MOST 16u

/*
 * Needs no frame pointers: every word on the stack that could be a return address is shown, also
 * some that are old.
 */
static void dump_trace(uint64_t sp)
{
    uint32_t shown = 0;

    klog_part("  trace");
    for (uint64_t at = align_up(sp, 8); at < (uint64_t)x86_stack_cpu && shown < TRACE_MOST;
         at += 8) {
        uint64_t v = *(const uint64_t *)at;

        if (is_text(v)) {
            klog_part(" %lx", v);
            shown++;
        }
    }
    klog("%s", shown == 0 ? " (none)" : "");
}

static bool on_cpu_stack(uint64_t sp)
{
    return sp >= (uint64_t)x86_guard_cpu + KOZO_PAGE_SIZE && sp < (uint64_t)x86_stack_cpu;
}

void arch_panic_dump(void)
{
    const struct frame *f = x86.panic_frame;
    const struct tcb *t = kernel.cpu.current;
    uint64_t sp = f != nullptr ? f->rsp : (uint64_t)__builtin_frame_address(0);

    klog("cpu 0: cr0 %lx  cr2 %lx  cr3 %lx  cr4 %lx", x86_read_cr0(), x86_read_cr2(),
         x86_read_cr3(), x86_read_cr4());
    klog("  nmi %lu  debug traps %lu", x86.nmis, x86.debug_traps);
    if (f != nullptr)
        dump_frame(f);
    if (on_cpu_stack(sp))
        dump_trace(sp);
    else if (f != nullptr) /* a stack that overflowed: its deepest part */
        dump_trace((uint64_t)x86_guard_cpu + KOZO_PAGE_SIZE);
    if (t == nullptr || t == kernel.cpu.idle) {
        klog("current thread: %s", t == nullptr ? "none" : "idle");
        return;
    }
    klog("current thread: serial %lu, root %lx, registers at its entry:", t->serial, t->root);
    dump_frame(&t->frame);
}

#define DEBUG_EXIT 0xf4
#define POWER_OFF 0x2000 /* SLP_EN, sleep type 0: S5 of the machines this runs on */

void arch_stop(uint8_t code)
{
    x86_out8(DEBUG_EXIT, code);
    x86_out16(x86.power_port != 0 ? x86.power_port : X86_POWER_PORT, POWER_OFF);
    for (;;)
        __asm__ volatile("cli; hlt");
}
