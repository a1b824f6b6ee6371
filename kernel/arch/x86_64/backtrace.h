/* SPDX-License-Identifier: MIT */
/*
 * backtrace.h - who called whom, told while the kernel fails.
 *
 * Owns:      nothing.
 * Not here:  names (names.h), stacks (stacks.h).
 * Callers:   panic.c.
 * Cost:      a bounded number of lines, whatever the stack holds: it reads no word outside the kernel's stacks.
 * Spec:      docs/spec/faults.md
 */
#pragma once

#include "cpu.h"

/* Print the callers of the instruction at `ip`, whose stack pointer is `sp`, without the first `skip`. */
void x86_backtrace(uint64_t ip, uint64_t sp, uint32_t skip);
