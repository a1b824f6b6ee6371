/* SPDX-License-Identifier: MIT */
/*
 * stacks.h - the stacks that the kernel's own code runs on, and how much of each was never used.
 *
 * Owns:      the stacks' contents where no code runs: painted at boot.
 * Not here:  where they lie (linker.ld), who uses which (start/cpu.c). A thread has no stack in the
 *            kernel but the frame that its registers are pushed on.
 * Callers:   this port; the core through arch_stack_free.
 * Cost:      O(bytes of the stack).
 * Spec:      docs/spec/memory.md
 */
#pragma once

#include "cpu.h"

struct x86_stack {
    char *guard; /* the page below it, which is never mapped */
    char *end;
    const char *name;
};
/* In the order of their numbers for DEBUG_STAT. */
#define X86_STACKS (KOZO_STAT_STACK_MACHINE - KOZO_STAT_STACK_KERNEL + 1)
extern const struct x86_stack x86_stacks[X86_STACKS];

static inline uint64_t x86_stack_base(const struct x86_stack *s)
{
    return (uint64_t)s->guard + KOZO_PAGE_SIZE;
}

/* The stack with the eight bytes at `at`, guard page included if `guard`; null when there is none. */
NODISCARD const struct x86_stack *x86_stack_find(uint64_t at, bool guard);
/* What is where no code has run: painted by start/stacks.c. */
#define X86_STACK_PAINT 0x6b6f7a6f6b6f7a6full
