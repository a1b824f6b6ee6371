/* SPDX-License-Identifier: MIT */
/*
 * panic.h - what the compiler calls when a stack variable was overrun.
 */
#pragma once

#include <stdint.h>

#define X86_POWER_PORT 0x604 /* PM1a control of the usual machines */

extern uintptr_t __stack_chk_guard;
[[noreturn]] void __stack_chk_fail(void);
