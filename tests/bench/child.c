/* SPDX-License-Identifier: MIT */
/*
 * child - a small program to be spawned: notes the instruction counter before anything else, and sends it.
 */
#include <kozo/start.h>
#include <kozo/syscall.h>

uint64_t child_began;

/* Takes the place of crt0's _start. */
__asm__(".section .text._start, \"ax\", @progbits\n"
        ".globl _start\n"
        "_start:\n"
        "    rdtsc\n"
        "    shlq $32, %rdx\n"
        "    orq %rdx, %rax\n"
        "    movq %rax, child_began(%rip)\n"
        "    xorl %ebp, %ebp\n"
        "    andq $-16, %rsp\n"
        "    call kozo_start_main\n"
        "    ud2\n"
        ".text\n");

int main([[maybe_unused]] int argc, [[maybe_unused]] char **argv)
{
    struct kozo_words x = { .w = { child_began } };

    x.cap = kozo_cap("up");
    (void)kozo_ipc(KOZO_SYS_SEND, &x);
    return 0;
}
