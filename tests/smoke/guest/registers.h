/* SPDX-License-Identifier: MIT */
/*
 * registers.h - functions that load all registers, do something, and store them all again.
 *
 * Owns:      nothing.
 * Callers:   test programs; run them in threads of their own.
 */
#pragma once

#include <kozo/abi.h>

/* All general registers but rsp, in the order of kozo_reg, and the flags. */
struct registers {
    uint64_t r[KOZO_REG_FS_BASE];
    uint64_t flags;
};

#define LOAD(n, reg) "movq 8*" #n "(%rdi), %" #reg "\n"
#define STORE(n, reg) "movq %" #reg ", 8*" #n "(%rdi)\n"
#define EACH_BUT_RDI(x)                                                                 \
    x(0, rax) x(1, rbx) x(2, rcx) x(3, rdx) x(4, rsi) x(6, rbp) x(7, r8) x(8, r9)       \
    x(9, r10) x(10, r11) x(11, r12) x(12, r13) x(13, r14) x(14, r15)

/* void name(struct registers *): loads them all, does `what`, stores them all. */
#define WITH_REGISTERS(name, what)                                                     \
    __asm__(".pushsection .text." #name ",\"ax\",@progbits\n" #name ":\n"              \
            "pushq %rbx\n pushq %rbp\n pushq %r12\n pushq %r13\n pushq %r14\n pushq %r15\n" \
            "pushq %rdi\n"                                                             \
            "pushq 15*8(%rdi)\n popfq\n" EACH_BUT_RDI(LOAD) "movq 8*5(%rdi), %rdi\n" what \
            "\n" #name "_after:\n"                                                     \
            "xchgq %rdi, (%rsp)\n" EACH_BUT_RDI(STORE) "pushfq\n popq 15*8(%rdi)\n cld\n" \
            "popq 5*8(%rdi)\n"                                                         \
            "popq %r15\n popq %r14\n popq %r13\n popq %r12\n popq %rbp\n popq %rbx\n ret\n" \
            ".popsection\n");                                                          \
    extern void name(void *registers);                                                 \
    extern const char name##_after[]

constexpr uint64_t CF = 1, TF = 1 << 8, DF = 1 << 10, AC = 1 << 18, ID = 1 << 21;

/* Values that tell which register is which, and flags that are always so. */
static inline void fill(struct registers *g, uint64_t salt)
{
    for (unsigned i = 0; i < KOZO_REG_FS_BASE; i++)
        g->r[i] = (salt << 56) + 0x0101010101 * (i + 1);
    g->flags = 0x202;
}
