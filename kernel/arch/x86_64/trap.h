/* SPDX-License-Identifier: MIT */
/*
 * trap.h - what trap.S calls.
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
