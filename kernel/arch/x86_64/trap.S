/* SPDX-License-Identifier: MIT */
/*
 * trap.S - into the kernel by exception or interrupt.
 *
 * From user mode, and from the idle thread, the processor pushes into the frame of the running thread's TCB:
 *
 *      TSS.rsp0 ->  (end of frame)
 *                   ss rsp rflags cs rip      by the processor
 *                   error                     by the processor, or 0
 *                   vector                    by the stub
 *      TCB ----->   rax ... r15               by x86_trap_entry
 *
 * NMI, #DB, #DF and #MC come at any instruction, also between SYSCALL and the change of stack when rsp is the user's:
 * each has a stack of its own in the TSS. Interrupts stay off until the kernel is left.
 */
#include "offsets.h"

        .section .text.trap, "ax", @progbits

/* Supervisor accesses obey SMAP again, whatever AC was. Room for CLAC, written in at boot where SMAP is. */
.macro CLAC
991:    .byte   0x0f, 0x1f, 0x00        /* nopl (%rax) */
        .pushsection .boot_clac, "a", @progbits
        .quad   991b
        .popsection
.endm

.macro SAVE
        pushq   %rax
        pushq   %rcx
        pushq   %rdx
        pushq   %rbx
        pushq   %rbp
        pushq   %rsi
        pushq   %rdi
        pushq   %r8
        pushq   %r9
        pushq   %r10
        pushq   %r11
        pushq   %r12
        pushq   %r13
        pushq   %r14
        pushq   %r15
        cld
        CLAC
.endm

/* struct tcb *x86_trap(struct tcb *t); or void x86_kernel_trap(const struct frame *f), which does not return */
        .balign 16
x86_trap_entry:
        SAVE
        testb   $3, FRAME_CS(%rsp)
        jz      2f
1:      movq    %rsp, %rdi
        movq    CPU_STACK, %rsp
        call    x86_trap
        jmp     x86_leave
        /* From ring 0: an interrupt while the idle thread waits, or the kernel has failed. */
2:      cmpl    $X86_EXCEPTIONS, FRAME_VECTOR(%rsp)
        jb      x86_fatal
        cmpq    CPU(CPU_IDLE), %rsp
        je      1b
x86_fatal:
        movq    %rsp, %rdi
        andq    $-16, %rsp
        call    x86_kernel_trap
        ud2

/* void x86_nmi(void): counted, and no register touched. x86_trap logs the count. */
x86_vector_2:
        incq    X86(X86_NMIS)
        iretq

/*
 * #DB. Of a user: its frame goes where all others are. In ring 0 it can only be a user's doing, a trap set before
 * SYSCALL and delivered after it: let it pass, and take the flag away.
 */
x86_vector_1:
        pushq   $0
        pushq   $X86_VECTOR_DEBUG
        SAVE
        testb   $3, FRAME_CS(%rsp)
        jz      1f
        movq    %rsp, %rsi
        movq    CPU(CPU_CURRENT), %rdi
        movl    $(FRAME_BYTES / 8), %ecx
        rep movsq
        movq    CPU(CPU_CURRENT), %rdi
        movq    CPU_STACK, %rsp
        call    x86_trap
        jmp     x86_leave
1:      andl    $~X86_FLAG_TF, FRAME_RFLAGS(%rsp)
        incq    X86(X86_DEBUG_TRAPS)
        movl    $X86_DR6_CLEAR, %eax
        movq    %rax, %dr6
        RESTORE
        iretq

/* #DF (the processor pushes 0 as its error) and #MC end the kernel, on their own stacks. */
x86_vector_8:
        pushq   $X86_VECTOR_DOUBLE
        SAVE
        jmp     x86_fatal
x86_vector_18:
        pushq   $0
        pushq   $X86_VECTOR_MACHINE
        SAVE
        jmp     x86_fatal

.macro VECTOR number, pushes_error=0
        .balign 16
x86_vector_\number:
        .if     !\pushes_error
        pushq   $0
        .endif
        pushq   $\number
        jmp     x86_trap_entry
.endm

        VECTOR  0
        VECTOR  3
        VECTOR  4
        VECTOR  5
        VECTOR  6
        VECTOR  7
        VECTOR  9
        VECTOR  10, 1
        VECTOR  11, 1
        VECTOR  12, 1
        VECTOR  13, 1
        VECTOR  14, 1
        VECTOR  15
        VECTOR  16
        VECTOR  17, 1
        VECTOR  19
        VECTOR  20
        VECTOR  21, 1
        VECTOR  22
        VECTOR  23
        VECTOR  24
        VECTOR  25
        VECTOR  26
        VECTOR  27
        VECTOR  28
        VECTOR  29, 1
        VECTOR  30, 1
        VECTOR  31
        .altmacro
        .set    n, X86_VECTOR_TIMER
        .rept   X86_VECTORS - X86_VECTOR_TIMER
        VECTOR  %n
        .set    n, n + 1
        .endr

/* const uint64_t x86_vector_table[X86_VECTORS]; needed while the IDT is made. */
        .section .boot_vectors, "a", @progbits
        .globl  x86_vector_table
        .balign 8
.macro ADDRESS number
        .quad   x86_vector_\number
.endm
x86_vector_table:
        .set    n, 0
        .rept   X86_VECTORS
        ADDRESS %n
        .set    n, n + 1
        .endr

        .section .note.GNU-stack, "", @progbits
