/* SPDX-License-Identifier: MIT */
/*
 * stubs.S - both sides of an IPC round trip (stubs.h).
 *
 * Registers: rbx, rbp and rsp are kept by IPC, all others are the message's, or rcx and r11, which
 * SYSCALL writes.
 */
#include "stubs.h"

        .text

.macro FUNCTION name
        .globl  \name
        .type   \name, @function
        .balign 16
\name:
.endm

/* rbx = the exchange, ebp = the counter. */
.macro BEGIN
        pushq   %rbx
        pushq   %rbp
        pushq   %r12
        pushq   %r13
        pushq   %r14
        pushq   %r15
        movq    %rdi, %rbx
        rdtsc
        movl    %eax, %ebp
.endm

/* rdx is a word of the message, rax the error: put aside in what SYSCALL has written over. */
.macro END
        movq    %rdx, %rcx
        movl    %eax, %r11d
        rdtsc
        subl    %ebp, %eax
        movq    %r11, X_ERR(%rbx)
        movq    %rdi, X_BADGE(%rbx)
        movq    %rsi, X_INFO(%rbx)
        popq    %r15
        popq    %r14
        popq    %r13
        popq    %r12
        popq    %rbp
        popq    %rbx
        ret
.endm

FUNCTION stub_nothing
        BEGIN
        END

FUNCTION stub_call_0w
        BEGIN
        xorl    %eax, %eax              /* CALL */
        movq    X_CAP(%rbx), %rdi
        xorl    %esi, %esi
        syscall
        END

FUNCTION stub_call_8w
        BEGIN
        xorl    %eax, %eax
        movq    X_CAP(%rbx), %rdi
        xorl    %esi, %esi
        movq    X_IN + 0(%rbx), %rdx
        movq    X_IN + 8(%rbx), %r10
        movq    X_IN + 16(%rbx), %r8
        movq    X_IN + 24(%rbx), %r9
        movq    X_IN + 32(%rbx), %r12
        movq    X_IN + 40(%rbx), %r13
        movq    X_IN + 48(%rbx), %r14
        movq    X_IN + 56(%rbx), %r15
        syscall
        movq    %rdx, X_OUT + 0(%rbx)
        movq    %r10, X_OUT + 8(%rbx)
        movq    %r8, X_OUT + 16(%rbx)
        movq    %r9, X_OUT + 24(%rbx)
        movq    %r12, X_OUT + 32(%rbx)
        movq    %r13, X_OUT + 40(%rbx)
        movq    %r14, X_OUT + 48(%rbx)
        movq    %r15, X_OUT + 56(%rbx)
        END

FUNCTION stub_call_info
        BEGIN
        xorl    %eax, %eax
        movq    X_CAP(%rbx), %rdi
        movq    X_INFO(%rbx), %rsi
        syscall
        END

/* rbx = the Endpoint, rbp = the info word of answers, on the stack what the server uses beside. */
.macro SERVER_BEGIN
        pushq   %rbx
        pushq   %rbp
        pushq   %r12
        pushq   %r13
        pushq   %r14
        pushq   %r15
        movq    %rdi, %rbx
        movl    $3, %eax                /* RECV */
        xorl    %esi, %esi
        syscall
.endm

.macro SERVER_END
        popq    %r15
        popq    %r14
        popq    %r13
        popq    %r12
        popq    %rbp
        popq    %rbx
        ret
.endm

FUNCTION stub_serve
        SERVER_BEGIN
1:      movl    $1, %eax                /* REPLY_RECV */
        movq    %rbx, %rdi
        xorl    %esi, %esi
        syscall
        testl   %eax, %eax
        jz      1b
        SERVER_END

FUNCTION stub_serve_increment
        SERVER_BEGIN
1:      incq    %rdx
        incq    %r10
        incq    %r8
        incq    %r9
        incq    %r12
        incq    %r13
        incq    %r14
        incq    %r15
        movl    $1, %eax
        movq    %rbx, %rdi
        xorl    %esi, %esi
        syscall
        testl   %eax, %eax
        jz      1b
        SERVER_END

FUNCTION stub_serve_info
        pushq   %rdx
        pushq   %rsi
        SERVER_BEGIN
        movq    48(%rsp), %rbp
1:      movq    56(%rsp), %rcx
        incq    (%rcx)
        movl    $1, %eax
        movq    %rbx, %rdi
        movq    %rbp, %rsi
        syscall
        testl   %eax, %eax
        jz      1b
        popq    %r15
        popq    %r14
        popq    %r13
        popq    %r12
        popq    %rbp
        popq    %rbx
        addq    $16, %rsp
        ret

FUNCTION stub_yields
        pushq   %rbx
        movq    %rdi, %rbx
1:      movl    $8, %eax                /* YIELD */
        syscall
        decq    %rbx
        jnz     1b
        popq    %rbx
        ret

        .section .note.GNU-stack, "", @progbits
