/* SPDX-License-Identifier: MIT */
/*
 * offsets.h - where assembly finds what it uses in C structures; C checks each.
 *
 * Owns:      the names. A structure that changes breaks the build here, not the kernel.
 * Not here:  the registers of a thread (frame.h).
 */
#pragma once

#include "cpu.h"
#include "frame.h"

/* struct kernel */
#define KERNEL_CPU 0
#define CPU_CURRENT 0
#define CPU_IDLE 16

/* A per-CPU word of the core, and of this port. With more than one CPU these become %gs, with a swapgs at entry. */
#ifdef __ASSEMBLER__
#define CPU(field) (kernel + KERNEL_CPU + field)(%rip)
#define X86(field) (x86 + field)(%rip)
/* The end of this CPU's kernel stack. */
#define CPU_STACK $x86_stack_cpu
#else
#include "kernel.h"

static_assert(offsetof(struct kernel, cpu) == KERNEL_CPU);
static_assert(offsetof(struct cpu, current) == CPU_CURRENT && offsetof(struct cpu, idle) == CPU_IDLE);
static_assert(offsetof(struct tcb, frame) == 0 && alignof(struct tcb) % 16 == 0);
static_assert(offsetof(struct frame, r15) == FRAME_R15 && offsetof(struct frame, vector) == FRAME_VECTOR);
static_assert(offsetof(struct frame, rsp) == FRAME_RSP && offsetof(struct frame, cs) == FRAME_CS);
#endif
