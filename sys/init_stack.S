/* SPDX-License-Identifier: MIT */
/* init_stack.S - the stack of a program in init's place. user.ld leaves a page below it that is never mapped. */
#define STACK_BYTES 0x10000

    .section .stack, "aw", @nobits
    .globl kozo_init_stack_top
    .balign 4096
    .skip STACK_BYTES
kozo_init_stack_top:

    .section .note.GNU-stack, "", @progbits
