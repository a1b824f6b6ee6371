/* SPDX-License-Identifier: MIT */
/*
 * entry.S - into the kernel by SYSCALL, out of it to any thread, and the idle thread.
 *
 * The frame at the start of the running thread's TCB takes its registers (frame.h); C runs on the CPU's stack.
 * Nothing here can fault: the TCBs and the stack are always mapped, and user registers are only stored and loaded.
 * An NMI or a debug trap between any two instructions has a stack of its own (trap.S) and comes back.
 */
#include "offsets.h"

        .section .text.entry, "ax", @progbits

/*
 * struct tcb *kernel_syscall(struct tcb *t);
 *
 * Before: SYSCALL in user mode. rcx = rip, r11 = rflags; rsp and all others are the user's. FMASK has cleared the
 *         flags (IF, DF, TF, AC, NT ...); cs and ss are the kernel's.
 * After:  the thread that kernel_syscall returned runs.
 * Frame:  all but rcx and r11, which are rip and rflags, and cs and ss, which never change (frame_settle).
 */
        .globl  x86_syscall
        .balign 64
x86_syscall:
        /* A place for the registers. */
        movq    %rsp, X86(X86_USER_RSP)
        movq    CPU(CPU_CURRENT), %rsp

        /* Four, for the fast path to work with. */
        movq    %rcx, FRAME_RIP(%rsp)
        movq    %r11, FRAME_RFLAGS(%rsp)
        movq    %rbx, FRAME_RBX(%rsp)
        movq    %rbp, FRAME_RBP(%rsp)
        .if     KOZO_FASTPATH
        cmpq    $1, %rax
        jbe     x86_ipc
        .endif

        /* The rest. */
        .globl  x86_syscall_slow
x86_syscall_slow:
        movq    %rax, FRAME_RAX(%rsp)
        movq    %rdx, FRAME_RDX(%rsp)
        movq    %rsi, FRAME_RSI(%rsp)
        movq    %rdi, FRAME_RDI(%rsp)
        movq    %r8, FRAME_R8(%rsp)
        movq    %r9, FRAME_R9(%rsp)
        movq    %r10, FRAME_R10(%rsp)
        movq    %r12, FRAME_R12(%rsp)
        movq    %r13, FRAME_R13(%rsp)
        movq    %r14, FRAME_R14(%rsp)
        movq    %r15, FRAME_R15(%rsp)
        movq    X86(X86_USER_RSP), %rax
        movq    %rax, FRAME_RSP(%rsp)
        movq    $FRAME_BY_SYSCALL, FRAME_VECTOR(%rsp)

        /* C, on the CPU's stack. */
        movq    %rsp, %rdi
        movq    CPU_STACK, %rsp
        call    kernel_syscall

/*
 * Leave to a thread.
 *
 * Before: rax = struct tcb *, current; its space, FPU and entry stack are set (arch_thread_switch).
 * After:  it runs, with the registers of its frame and nothing of the kernel's.
 *
 * SYSRET to an address that is not canonical would fault in ring 0 on the user's stack. A frame marked
 * FRAME_BY_SYSCALL cannot hold one: its rip followed a SYSCALL that was fetched from a user page, and no user page
 * is the last below 2^47 (KOZO_USER_END, asserted in context.c). Whoever sets another rip clears the mark.
 */
        .globl  x86_leave
x86_leave:
        cmpl    $FRAME_BY_SYSCALL, FRAME_VECTOR(%rax)
        jne     x86_leave_iret
        movq    FRAME_R15(%rax), %r15
        movq    FRAME_R14(%rax), %r14
        movq    FRAME_R13(%rax), %r13
        movq    FRAME_R12(%rax), %r12
        movq    FRAME_R10(%rax), %r10
        movq    FRAME_R9(%rax), %r9
        movq    FRAME_R8(%rax), %r8
        movq    FRAME_RDI(%rax), %rdi
        movq    FRAME_RSI(%rax), %rsi
        movq    FRAME_RBP(%rax), %rbp
        movq    FRAME_RBX(%rax), %rbx
        movq    FRAME_RDX(%rax), %rdx
        movq    FRAME_RIP(%rax), %rcx
        movq    FRAME_RFLAGS(%rax), %r11
        movq    FRAME_RSP(%rax), %rsp
        movq    FRAME_RAX(%rax), %rax
        sysretq

/* The general way: any registers, any flags, by IRET; or the idle thread, which has no registers to restore. */
x86_leave_iret:
        cmpq    CPU(CPU_IDLE), %rax
        je      x86_idle
        /* An exception on the way to an address that is not canonical saved it: fault at a canonical one instead. */
        movq    FRAME_RIP(%rax), %rcx
        shrq    $47, %rcx
        jnz     2f
1:      movq    %rax, %rsp
        RESTORE
        iretq
2:      movq    $X86_USER_END, %rcx
        movq    %rcx, FRAME_RIP(%rax)
        jmp     1b

/*
 * The idle thread: ring 0, no registers of its own, started afresh each time it is left to.
 *
 * Its rsp is the end of its TCB's frame, so that an interrupt pushes there, as it does for a user. Interrupts do not
 * come back here; an NMI does.
 */
        .globl  x86_idle
x86_idle:
        leaq    FRAME_BYTES(%rax), %rsp
1:      sti                             /* takes effect after the next instruction: no interrupt is slept through */
        hlt
        jmp     1b

/* [[noreturn]] void x86_enter(struct tcb *t); */
        .globl  x86_enter
x86_enter:
        movq    %rdi, %rax
        jmp     x86_leave

        .section .note.GNU-stack, "", @progbits
