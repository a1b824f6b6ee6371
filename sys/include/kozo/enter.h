/* SPDX-License-Identifier: MIT */
/*
 * enter.h - into the kernel and back: arguments in registers, results out of them.
 *
 * Owns:      the register convention of system calls. Nothing outside this file and syscall.h
 *            contains a `syscall` instruction.
 * Not here:  the calls by name (syscall.h).
 * Cost:      an instruction for each argument that a call has.
 * Spec:      docs/spec/abi.md
 */
#pragma once

#include <kozo/abi.h>

/* What came back in the registers. */
struct [[nodiscard]] kozo_raw {
    enum kozo_err err;
    uint64_t a, b, c; /* rdi, rsi, rdx */
};

/* A value, or the reason there is none (the value is then 0). */
struct [[nodiscard]] kozo_res {
    uint64_t value;
    enum kozo_err err;
};

/*
 * The first `n` arguments by position: rdi rsi rdx r10 r8 r9; the other registers go in as they
 * are. Use kozo_syscall and its like, or the functions of syscall.h with names and types.
 */
static inline struct kozo_raw kozo_enter(uint64_t nr, unsigned n, uint64_t a, uint64_t b,
                                         uint64_t c, uint64_t d, uint64_t e, uint64_t f)
{
    register uint64_t r10 __asm__("r10") = d;
    register uint64_t r8 __asm__("r8") = e;
    register uint64_t r9 __asm__("r9") = f;

    /* No instructions: each tells that a register holds whatever it holds. */
    if (n < 1)
        __asm__ volatile("" : "=D"(a));
    if (n < 2)
        __asm__ volatile("" : "=S"(b));
    if (n < 3)
        __asm__ volatile("" : "=d"(c));
    if (n < 4)
        __asm__ volatile("" : "=r"(r10));
    if (n < 5)
        __asm__ volatile("" : "=r"(r8));
    if (n < 6)
        __asm__ volatile("" : "=r"(r9));
    __asm__ volatile("syscall"
                     : "+a"(nr), "+D"(a), "+S"(b), "+d"(c), "+r"(r10), "+r"(r8), "+r"(r9)
                     :
                     : "rcx", "r11", "memory");
    return (struct kozo_raw){ (enum kozo_err)nr, a, b, c };
}

#define KOZO_FIRST_SIX(a, b, c, d, e, f, ...) a, b, c, d, e, f
#define KOZO_SEVENTH(a, b, c, d, e, f, g, ...) g
#define KOZO_COUNT(...) KOZO_SEVENTH(__VA_ARGS__ __VA_OPT__(, ) 6, 5, 4, 3, 2, 1, 0, )
#define KOZO_SIX(...) KOZO_FIRST_SIX(__VA_ARGS__ __VA_OPT__(, ) 0, 0, 0, 0, 0, 0, )

/* A system call with its arguments: the registers that come back, the error, or the value. */
#define kozo_syscall(nr, ...) kozo_enter(nr, KOZO_COUNT(__VA_ARGS__), KOZO_SIX(__VA_ARGS__))
#define kozo_syscall_err(nr, ...) (kozo_syscall(nr, __VA_ARGS__).err)
#define kozo_syscall_value(nr, ...) kozo_value(kozo_syscall(nr, __VA_ARGS__))

static inline struct kozo_res kozo_value(struct kozo_raw r)
{
    return (struct kozo_res){ r.err == KOZO_OK ? r.a : 0, r.err };
}
