/* SPDX-License-Identifier: MIT */
/*
 * crt0.S - the first instructions of every program.
 *
 * _start:  [[noreturn]] void _start(struct kozo_start_head *head)
 *   before rdi = the start page or boot information; rsp = top of the stack its maker mapped; the rest zero
 *   after  never: kozo_start_main(head) ends the thread
 */
    .section .text._start, "ax", @progbits
    .globl _start
    .type _start, @function
_start:
    xorl    %ebp, %ebp              /* the end of every backtrace */
    andq    $-16, %rsp
    call    kozo_start_main
    ud2
    .size _start, . - _start

    .section .note.GNU-stack, "", @progbits
