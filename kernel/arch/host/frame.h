/* SPDX-License-Identifier: MIT */
/*
 * frame.h (host) - the registers of a thread that exists in a test only.
 *
 * Owns:      what each register means in a call. As on hardware, results go where arguments came
 *            from.
 * Not here:  who fills them: tests/unit/host.c plays the user.
 * Callers:   the core through arch.h, tests.
 * Cost:      one load or store each.
 * Spec:      docs/spec/syscalls.md
 */
#pragma once

#include "base/types.h"

#define FRAME_REGS                                                                                 \
    10u /* capability, info, eight words: rdi rsi rdx r10 r8 r9 r12 r13 r14 r15 of x86-64 */
#define FRAME_OTHER 3u /* registers that no call uses: rbp rcx r11 of x86-64 */

/*
 * A system call is an instruction of so many bytes; `ip` is behind it when the kernel is entered.
 */
#define FRAME_CALL_BYTES 2u

/* Flags: what user code may set, and what is always set while it runs. */
#define FRAME_FLAGS_USER 0x0cd5ull
#define FRAME_FLAGS_FIXED 0x0202ull

struct frame {
    union {
        uint64_t number; /* going in */
        uint64_t error;  /* coming out */
    };
    union {
        uint64_t reg[FRAME_REGS];
        struct {
            uint64_t badge; /* going in: the capability */
            uint64_t info;
            uint64_t word[KOZO_MSG_REGS];
        };
    };
    uint64_t deadline;
    uint64_t other[FRAME_OTHER];
    uint64_t ip, sp, flags;
};
static_assert(offsetof(struct frame, word) == offsetof(struct frame, reg[2]));

static inline uint64_t frame_number(const struct frame *f) { return f->number; }
/* Argument `i` of the call, 0-5. */
static inline uint64_t frame_arg(const struct frame *f, uint32_t i) { return f->reg[i]; }
static inline void frame_set_error(struct frame *f, enum kozo_err err) { f->error = err; }
static inline void frame_set_results(struct frame *f, uint64_t r0, uint64_t r1, uint64_t r2)
{
    f->reg[0] = r0;
    f->reg[1] = r1;
    f->reg[2] = r2;
}

static inline uint64_t frame_info(const struct frame *f) { return f->info; }
static inline uint64_t frame_deadline(const struct frame *f) { return f->deadline; }
static inline void frame_set_badge_info(struct frame *f, uint64_t badge, uint64_t info)
{
    f->badge = badge;
    f->info = info;
}
static inline void frame_set_info(struct frame *f, uint64_t info) { f->info = info; }
static inline void frame_set_words(struct frame *f, const uint64_t w[KOZO_MSG_REGS])
{
    for (uint32_t i = 0; i < KOZO_MSG_REGS; i++)
        f->word[i] = w[i];
}
static inline void frame_get_words(const struct frame *f, uint64_t w[KOZO_MSG_REGS])
{
    for (uint32_t i = 0; i < KOZO_MSG_REGS; i++)
        w[i] = f->word[i];
}
static inline void frame_copy_words(struct frame *to, const struct frame *from)
{
    frame_set_words(to, from->word);
}

/* Make the call again when the thread runs next. */
static inline void frame_rewind(struct frame *f) { f->ip -= FRAME_CALL_BYTES; }
/* It will be this call, with one argument. */
static inline void frame_set_call(struct frame *f, uint64_t number, uint64_t argument)
{
    f->number = number;
    f->reg[0] = argument;
}
/* The call that is to be made next has been made. */
static inline void frame_skip(struct frame *f) { f->ip += FRAME_CALL_BYTES; }

static inline uint64_t frame_ip(const struct frame *f) { return f->ip; }
static inline uint64_t frame_sp(const struct frame *f) { return f->sp; }
static inline uint64_t frame_flags(const struct frame *f) { return f->flags; }
/* Registers in the order of enum kozo_reg, without FS base. */
void frame_get_regs(const struct frame *f, uint64_t regs[KOZO_REG_FS_BASE]);
/* The first `n` registers from `regs`, then ip, sp and flags, all made safe. */
void frame_load(struct frame *f, uint64_t ip, uint64_t sp, uint64_t flags, const uint64_t *regs,
                uint32_t n);
