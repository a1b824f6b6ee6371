/* SPDX-License-Identifier: MIT */
/*
 * frame.h (x86_64) - the registers of a thread, saved at the start of its TCB.
 *
 * Owns:      the layout that entry.S and ipc.S use by offset, and what each register means in a call.
 * Not here:  when they are saved and restored (trap.S).
 * Callers:   this port; the core through arch.h.
 * Cost:      one load or store each.
 * Spec:      docs/spec/syscalls.md
 */
#pragma once

#define FRAME_R15 0
#define FRAME_R14 8
#define FRAME_R13 16
#define FRAME_R12 24
#define FRAME_R11 32
#define FRAME_R10 40
#define FRAME_R9 48
#define FRAME_R8 56
#define FRAME_RDI 64
#define FRAME_RSI 72
#define FRAME_RBP 80
#define FRAME_RBX 88
#define FRAME_RDX 96
#define FRAME_RCX 104
#define FRAME_RAX 112
#define FRAME_VECTOR 120
#define FRAME_ERROR 128
#define FRAME_RIP 136
#define FRAME_CS 144
#define FRAME_RFLAGS 152
#define FRAME_RSP 160
#define FRAME_SS 168
#define FRAME_BYTES 176

/* FRAME_VECTOR of a thread that came in by SYSCALL, so that it may go back by SYSRET. */
#define FRAME_BY_SYSCALL 256

#ifndef __ASSEMBLER__
#include "base/types.h"

struct frame {
    uint64_t r15, r14, r13, r12, r11, r10, r9, r8, rdi, rsi, rbp, rbx, rdx, rcx, rax;
    uint64_t vector, error;
    uint64_t rip, cs, rflags, rsp, ss;
};
static_assert(offsetof(struct frame, rdi) == FRAME_RDI && offsetof(struct frame, rax) == FRAME_RAX);
static_assert(offsetof(struct frame, rip) == FRAME_RIP && sizeof(struct frame) == FRAME_BYTES);
static_assert(FRAME_BYTES % 16 == 0); /* the processor aligns RSP0 pushes to 16 */

static inline uint64_t frame_number(const struct frame *f) { return f->rax; }
/* Argument `i` of the call, 0-5. */
static inline uint64_t frame_arg(const struct frame *f, uint32_t i)
{
    return i == 0 ? f->rdi : i == 1 ? f->rsi : i == 2 ? f->rdx : i == 3 ? f->r10 : i == 4 ? f->r8 : f->r9;
}
static inline void frame_set_error(struct frame *f, enum kozo_err err) { f->rax = err; }
static inline void frame_set_results(struct frame *f, uint64_t r0, uint64_t r1, uint64_t r2)
{
    f->rdi = r0;
    f->rsi = r1;
    f->rdx = r2;
}

/* IPC: capability or badge, info, deadline, the eight words. */
static inline uint64_t frame_info(const struct frame *f) { return f->rsi; }
static inline uint64_t frame_deadline(const struct frame *f) { return f->rbx; }
static inline void frame_set_badge_info(struct frame *f, uint64_t badge, uint64_t info)
{
    f->rdi = badge;
    f->rsi = info;
}
static inline void frame_set_info(struct frame *f, uint64_t info) { f->rsi = info; }
static inline void frame_copy_words(struct frame *to, const struct frame *from)
{
    to->rdx = from->rdx;
    to->r10 = from->r10;
    to->r8 = from->r8;
    to->r9 = from->r9;
    to->r12 = from->r12;
    to->r13 = from->r13;
    to->r14 = from->r14;
    to->r15 = from->r15;
}
static inline void frame_set_words(struct frame *f, const uint64_t w[8])
{
    f->rdx = w[0];
    f->r10 = w[1];
    f->r8 = w[2];
    f->r9 = w[3];
    f->r12 = w[4];
    f->r13 = w[5];
    f->r14 = w[6];
    f->r15 = w[7];
}
static inline void frame_get_words(const struct frame *f, uint64_t w[8])
{
    w[0] = f->rdx;
    w[1] = f->r10;
    w[2] = f->r8;
    w[3] = f->r9;
    w[4] = f->r12;
    w[5] = f->r13;
    w[6] = f->r14;
    w[7] = f->r15;
}

/* Make the call again when the thread runs next: SYSCALL is two bytes long. */
static inline void frame_rewind(struct frame *f) { f->rip -= 2; }
/* It will be this call, with one argument. */
static inline void frame_set_call(struct frame *f, uint64_t number, uint64_t argument)
{
    f->rax = number;
    f->rdi = argument;
}
/* The call that is to be made next has been made. */
static inline void frame_skip(struct frame *f)
{
    f->rip += 2;
    f->rcx = f->rip;
    f->r11 = f->rflags;
}

static inline uint64_t frame_ip(const struct frame *f) { return f->rip; }
static inline uint64_t frame_sp(const struct frame *f) { return f->rsp; }
static inline uint64_t frame_flags(const struct frame *f) { return f->rflags; }
/* Registers in the order of enum kozo_reg, without FS base. */
void frame_get_regs(const struct frame *f, uint64_t regs[KOZO_REG_FS_BASE]);
/* The first `n` registers from `regs`, then ip, sp and flags, all made safe; the thread goes back by IRET. */
void frame_load(struct frame *f, uint64_t ip, uint64_t sp, uint64_t flags, const uint64_t *regs, uint32_t n);
#endif
