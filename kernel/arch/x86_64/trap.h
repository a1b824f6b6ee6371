/* SPDX-License-Identifier: MIT */
/*
 * trap.h - what trap.S calls.
 *
 * Owns:      nothing.
 * Not here:  system calls (entry.S, ipc.S), what a fault becomes (ipc/fault.h).
 * Callers:   trap.S alone, with interrupts off on a stack of the kernel.
 * Cost:      that of the event; the core bounds it.
 * Spec:      docs/spec/faults.md, docs/spec/interrupts.md
 */
#pragma once

#include "cpu.h"

/*
 * An exception or interrupt of the running thread, or an interrupt of the idle thread. Returns who
 * runs next.
 */
struct tcb *x86_trap(struct tcb *t);
/* An exception of the kernel itself. */
[[noreturn]] void x86_kernel_trap(const struct frame *f);
