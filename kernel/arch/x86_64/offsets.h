/* SPDX-License-Identifier: MIT */
/*
 * offsets.h - where assembly finds what it uses in C structures; C checks each.
 *
 * Owns:      the names. A structure that changes breaks the build here, not the kernel.
 * Not here:  the registers of a thread (frame.h).
 * Callers:   entry.S, trap.S, ipc.S, context.S; offsets.c checks it.
 * Cost:      none: constants.
 * Spec:      docs/spec/architecture.md
 */
#pragma once

#include <kozo_config.h>

#include "cpu.h"
#include "frame.h"

/* struct kernel */
#define KERNEL_CPU 0
#define CPU_CURRENT 0
#define CPU_IDLE 16

#define KERNEL_SCHED_ADMIT 36
#define KERNEL(offset) (kernel + offset)(%rip)

/* struct tcb */
#define TCB_STATE 176
#define TCB_SLOW 177
#define TCB_PRIORITY 178
#define TCB_MESSAGE 181
#define TCB_RIGHTS 182
#define TCB_ROOT 192
#define TCB_CSPACE_SLOTS 200
#define TCB_CSPACE_SIZE 208
#define TCB_BUFFER_AT 224
#define TCB_OWES 240
#define TCB_REPLIER 248
#define TCB_NEXT 272
#define TCB_PREV 280
#define TCB_LEVEL_NEXT 288
#define TCB_WAITS_FOR 304
#define TCB_IS_READY 2
#define TCB_IS_RECEIVING 4
#define TCB_IS_CALLING 5
#define MESSAGE_CALL 1

/* struct kozo_ipc_buffer */
#define BUFFER_WORDS 64
#define MOST_EXTRA 56

/* struct slot, struct endpoint */
#define SLOT_CAP 32
#define SLOT_CAP_OBJECT 40
#define SLOT_CAP_A 48
#define ENDPOINT_KIND 3
#define ENDPOINT_SENDERS 0
#define ENDPOINT_RECEIVERS 8
#define CALL_RIGHT 2
#define RECV_RIGHT 1

/*
 * A per-CPU word of the core, and of this port. With more than one CPU these become %gs, with a
 * swapgs at entry.
 */
#ifdef __ASSEMBLER__
#define CPU(field) (kernel + KERNEL_CPU + field)(%rip)
#define X86(field) (x86 + field)(%rip)
/* The end of this CPU's kernel stack. */
#define CPU_STACK $x86_stack_cpu

/* The registers of the frame at rsp, up to what IRET takes. */
.macro RESTORE
        popq    %r15
        popq    %r14
        popq    %r13
        popq    %r12
        popq    %r11
        popq    %r10
        popq    %r9
        popq    %r8
        popq    %rdi
        popq    %rsi
        popq    %rbp
        popq    %rbx
        popq    %rdx
        popq    %rcx
        popq    %rax
        addq    $16, %rsp
.endm
#else
#include "ipc/endpoint.h"
#include "kernel.h"

static_assert(offsetof(struct kernel, cpu) == KERNEL_CPU);
static_assert(offsetof(struct cpu, current) == CPU_CURRENT &&
              offsetof(struct cpu, idle) == CPU_IDLE);
static_assert(offsetof(struct kernel, sched.admit) == KERNEL_SCHED_ADMIT);
static_assert(offsetof(struct tcb, state) == TCB_STATE && offsetof(struct tcb, slow) == TCB_SLOW);
static_assert(offsetof(struct tcb, priority) == TCB_PRIORITY &&
              offsetof(struct tcb, message) == TCB_MESSAGE);
static_assert(offsetof(struct tcb, rights) == TCB_RIGHTS && offsetof(struct tcb, root) == TCB_ROOT);
static_assert(offsetof(struct tcb, cspace.slots) == TCB_CSPACE_SLOTS);
static_assert(offsetof(struct tcb, cspace.size) == TCB_CSPACE_SIZE);
static_assert(offsetof(struct tcb, buffer) == TCB_BUFFER_AT);
static_assert(offsetof(struct kozo_ipc_buffer, word) == BUFFER_WORDS &&
              KOZO_MSG_EXTRA == MOST_EXTRA);
static_assert(offsetof(struct tcb, owes) == TCB_OWES &&
              offsetof(struct tcb, replier.server) == TCB_REPLIER);
static_assert(offsetof(struct tcb, next) == TCB_NEXT && offsetof(struct tcb, prev) == TCB_PREV);
static_assert(offsetof(struct tcb, level_next) == TCB_LEVEL_NEXT);
static_assert(offsetof(struct tcb, waits_for) == TCB_WAITS_FOR);
static_assert(TCB_READY == TCB_IS_READY && TCB_RECEIVING == TCB_IS_RECEIVING &&
              TCB_CALLING == TCB_IS_CALLING);
static_assert(MSG_CALL == MESSAGE_CALL && KOZO_KIND_ENDPOINT == ENDPOINT_KIND);
static_assert(KOZO_WRITE == CALL_RIGHT && KOZO_READ == RECV_RIGHT);
static_assert(offsetof(struct slot, cap) == SLOT_CAP && offsetof(struct slot, cap.a) == SLOT_CAP_A);
static_assert(offsetof(struct slot, cap.object) == SLOT_CAP_OBJECT);
static_assert(offsetof(struct cap, rights) == 1 && offsetof(struct cap, user_rights) == 2);
static_assert(offsetof(struct endpoint, senders) == ENDPOINT_SENDERS);
static_assert(offsetof(struct endpoint, receivers) == ENDPOINT_RECEIVERS);
static_assert(offsetof(struct tcb, frame) == 0 && alignof(struct tcb) % 16 == 0);
static_assert(offsetof(struct frame, r15) == FRAME_R15 &&
              offsetof(struct frame, vector) == FRAME_VECTOR);
static_assert(offsetof(struct frame, rsp) == FRAME_RSP && offsetof(struct frame, cs) == FRAME_CS);
#endif
