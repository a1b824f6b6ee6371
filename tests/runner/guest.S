/* SPDX-License-Identifier: MIT */
/*
 * The smallest guests that can go wrong: 32-bit code entered through the PVH note. Each is made of
 * this file by defining one of the names below; the runner's tests boot them in place of a kernel.
 *
 * TAP goes to the debug console (0xe9), other text to COM1, the verdict to the debug-exit port.
 */

#define TAP_PORT  0xe9
#define COM1      0x3f8
#define EXIT_PORT 0xf4

#define EXIT_OK     0x10
#define EXIT_FAILED 0x11
#define EXIT_PANIC  0x12

    .macro say port, text
    .section .rodata
1:  .asciz "\text"
    .text
    mov $1b, %esi
    mov $\port, %edx
    call print
    .endm

    .macro leave value
    mov $\value, %al
    mov $EXIT_PORT, %edx
    out %al, %dx
    jmp hang
    .endm

    .section .note.Xen, "a", @note
    .align 4
    .long 4, 4, 18              /* owner size, descriptor size, entry address */
    .asciz "Xen"
    .long start

    .text
    .code32
    .globl start
start:
    mov $stack_top, %esp
    say COM1, "tiny guest\n"

#ifdef PASS
    say TAP_PORT, "TAP version 13\n1..3\n# case one\n# case two\n# case three\n"
    say TAP_PORT, "ok 1 - one\nok 2 - two\nok 3 - three # SKIP not here\n# KOZO END\n"
    leave EXIT_OK
#endif
#ifdef FAIL
    say COM1, "bell \007 and escape \033[31m\n"
    say TAP_PORT, "1..2\nok 1 - one\nnot ok 2 - two\n# tests/x.c:7: 1 == 2\n# KOZO END\n"
    leave EXIT_FAILED
#endif
#ifdef HANG
    say TAP_PORT, "1..3\n# case one\n# case two\n# case three\nok 1 - one\n"
#endif
#ifdef PANIC
    say TAP_PORT, "1..2\n# case one\n# case two\n"
    say COM1, "kernel panic: on purpose\nKOZO PANIC\n"
    leave EXIT_PANIC
#endif
#ifdef PANIC_HANG
    say TAP_PORT, "1..1\n# case one\n"
    say COM1, "kernel panic: on purpose\nKOZO PANIC\n"
#endif
#ifdef NO_PANIC
    say TAP_PORT, "1..1\n# case one\nok 1 - one\n# KOZO END\n"
    say COM1, "[x] KOZO PANIC\nkernel panic: as a program says it\nKOZO PANIC\n"
    leave EXIT_OK
#endif
#ifdef PANIC_SILENT
    say TAP_PORT, "1..1\nok 1 - one\n# KOZO END\n"
    leave EXIT_PANIC
#endif
#ifdef FAULT
    say TAP_PORT, "1..2\n# case one\n# case two\nok 1 - one\n"
    say COM1, "KOZO FAULT: page fault at 0x10\n"
    leave EXIT_FAILED
#endif
#ifdef TRIPLE_FAULT
    say TAP_PORT, "1..1\n# case one\n"
    lidt no_idt
    int3
#endif
#ifdef QUIET_TRIPLE_FAULT
    say TAP_PORT, "1..1\nok 1 - one\n# KOZO END\n"
    lidt no_idt
    int3
#endif
#ifdef NO_END
    say TAP_PORT, "1..1\nok 1 - one\n"
    leave EXIT_OK
#endif
#ifdef NO_PLAN
    say TAP_PORT, "ok 1 - one\n# KOZO END\n"
    leave EXIT_OK
#endif
#ifdef SILENT
    leave EXIT_OK
#endif
#ifdef PLAN_SHORT
    say TAP_PORT, "1..3\n# case one\n# case two\n# case three\nok 1 - one\n# KOZO END\n"
    leave EXIT_OK
#endif
#ifdef LIES
    say TAP_PORT, "1..2\nok 1 - one\nnot ok 2 - two\n# KOZO END\n"
    leave EXIT_OK
#endif
#ifdef STATUS_7
    leave 0x27
#endif
#ifdef RESET
    leave 0x13
#endif
#ifdef ECHO
    mov $COM1, %edx
read:
    mov $COM1 + 5, %edx
    in %dx, %al
    test $1, %al
    jz read
    mov $COM1, %edx
    in %dx, %al
    out %al, %dx
    cmp $'q', %al
    jne read
    leave EXIT_OK
#endif

hang:
    jmp hang

/* Print the string at %esi, byte by byte, to the port in %dx. */
print:
    lodsb
    test %al, %al
    jz 2f
    out %al, %dx
    jmp print
2:  ret

    .section .rodata
    .align 4
no_idt:
    .word 0
    .long 0

    .bss
    .align 16
    .skip 256
stack_top:
