/* SPDX-License-Identifier: MIT */
/*
 * names.h - the names of the kernel's functions, and how much stack each uses where.
 *
 * Owns:      nothing; the table is made from the kernel itself when it is linked (scripts/names.py).
 * Not here:  file and line (./kozo decode finds them in the debug data).
 * Callers:   backtrace.c.
 * Cost:      O(bytes of the table): only for a kernel that has failed.
 * Spec:      docs/spec/faults.md
 */
#pragma once

#include "cpu.h"

#define X86_NAME_BYTES 48

struct x86_name {
    uint64_t start;  /* of the function */
    uint32_t offset; /* of the instruction in it */
    /* words on the stack from its stack pointer to its caller's; 0 = not known */
    uint32_t words;
    char text[X86_NAME_BYTES];
};

/* The function that the instruction at `ip` is in; false when it is not the kernel's code. */
NODISCARD bool x86_name_find(uint64_t ip, struct x86_name *name);
