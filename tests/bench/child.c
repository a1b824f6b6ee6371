/* SPDX-License-Identifier: MIT */
/*
 * child - a small program to be spawned: notes the instruction counter before anything else. "tell"
 * sends that, "serve" answers calls, each with the caller's first word and one more.
 */
#include <kozo/start.h>
#include <kozo/string.h>
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

static int tell(struct kozo_endpoint ep)
{
    struct kozo_words x = { .cap = ep.c, .w = { child_began } };

    return kozo_ipc(KOZO_SYS_SEND, &x) != KOZO_OK;
}

static int serve(struct kozo_endpoint ep)
{
    struct kozo_words x;
    enum kozo_err err;

    for (err = kozo_recv_words(ep, &x); err == KOZO_OK; err = kozo_reply_recv_words(ep, &x)) {
        x.info = 0;
        x.w[0]++;
    }
    return 1;
}

int main(int argc, char **argv)
{
    struct kozo_endpoint ep = kozo_cap_endpoint("ep");

    if (argc == 2 && strcmp(argv[1], "serve") == 0)
        return serve(ep);
    return tell(ep);
}
