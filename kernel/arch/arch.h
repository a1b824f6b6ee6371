/* SPDX-License-Identifier: MIT */
/*
 * arch.h - the contract between the portable core and the machine: the only way down.
 *
 * Owns:      nothing; each port implements it in files of the same names.
 * Not here:  the saved registers (frame.h), page-table entries (pte.h), FPU area and CPU-private
 *            words (port.h): headers of the same names in each port, chosen by include path.
 * Callers:   the core, with interrupts off.
 * Cost:      O(1) each, where a function says nothing else.
 * Spec:      docs/spec/architecture.md
 */
#pragma once

#include "base/types.h"

#include "frame.h" /* struct frame and frame_*() */
#include "port.h"  /* struct arch_fpu, ARCH_* constants */
#include "pte.h"   /* pte_*() */

struct tcb;

/* ---- console and the end ---- */
void arch_console_putc(char c);
/* Tell the outside how it ended (0x10 well, 0x11 failed, 0x12 panic) and stop for good. */
[[noreturn]] void arch_stop(uint8_t code);
/* Print what the port knows that helps with a panic: registers, backtrace. */
void arch_panic_dump(void);

/* ---- time: nanoseconds since kernel entry ---- */
NODISCARD uint64_t arch_now(void);
/*
 * The cheapest clock, and what a span of it is in nanoseconds; a port may have it inline in port.h.
 */
uint64_t arch_cycles(void);
NODISCARD uint64_t arch_cycles_to_ns(uint64_t cycles);
/*
 * Interrupt once at `deadline`, or soon after; a far one may interrupt early. UINT64_MAX: not at
 * all.
 */
void arch_timer_arm(uint64_t deadline);

/* ---- interrupts ---- */
/* One of our vectors waits for the kernel to be left. */
NODISCARD bool arch_irq_pending(void);
#define ARCH_IRQ_LINES 24u
void arch_irq_mask(uint32_t line);
void arch_irq_unmask(uint32_t line);

/* ---- memory; a port may have these two inline in port.h ---- */
void *arch_ram(struct paddr at);
struct paddr arch_ram_addr(const void *p);
/* Zero `bytes` (a multiple of 64, 64-aligned). */
void arch_clear(void *at, uint64_t bytes);

/* ---- address spaces ---- */
/* Give a zeroed root table the kernel's half. */
void arch_space_init(pte *root);
/* A leaf or table entry of this space was removed or reduced. */
void arch_tlb_flush_page(struct paddr root, uint64_t address);
void arch_tlb_flush_space(struct paddr root);
/* The space is about to end: if the processor still uses it, move to the kernel's own. */
void arch_space_leave(struct paddr root);

/* ---- threads ---- */
/* Fresh user registers: everything zero but these. */
void arch_thread_start(struct tcb *t, uint64_t ip, uint64_t sp, uint64_t arg0, uint64_t arg1);
/* Clean floating-point state. */
void arch_fpu_init(struct arch_fpu *fpu);
/* `to` runs next in place of `from`: address space, FPU, FS base, entry stack. */
void arch_thread_switch(struct tcb *from, struct tcb *to);
/* The running thread's FS base changed. */
void arch_fs_base_set(struct tcb *t);

/* ---- stacks ---- */
/* Bytes of the stack that `which` names, at its far end, that were never used; 0: not known. */
NODISCARD uint64_t arch_stack_free(enum kozo_stat which);

/* ---- ports ---- */
NODISCARD uint32_t arch_port_in(uint16_t port, uint32_t width);
void arch_port_out(uint16_t port, uint32_t width, uint32_t value);

/* ---- chance ---- */
/* Fill a 128-bit key; false when its source is weak. */
NODISCARD bool arch_entropy(uint64_t key[2]);
