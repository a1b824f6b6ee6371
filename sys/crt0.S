/* SPDX-License-Identifier: MIT */
/*
 * crt0.S - the first instructions of every program.
 *
 * _start:  [[noreturn]] void _start(struct kozo_start_head *head)
 *   before rdi = the start page; rsp = top of the stack its maker mapped, anything in init; the rest zero
 *   after  never: kozo_start_main(head) ends the thread
 *
 * init has no maker that could give it a stack: it brings its own (kozo_init_stack_top, with kozo_boot_info()).
 */
#define HEAD_KIND 24 /* offsetof(struct kozo_start_head, kind), asserted in start.c */
#define KIND_INIT 1  /* KOZO_START_INIT */

    .weak kozo_init_stack_top

    .section .text._start, "ax", @progbits
    .globl _start
    .type _start, @function
_start:
    cmpq    $KIND_INIT, HEAD_KIND(%rdi)
    jne     1f
    movl    $kozo_init_stack_top, %eax
    testl   %eax, %eax
    jz      1f
    movl    %eax, %esp
1:
    xorl    %ebp, %ebp              /* the end of every backtrace */
    andq    $-16, %rsp
    call    kozo_start_main
    ud2
    .size _start, . - _start

    .section .note.GNU-stack, "", @progbits
