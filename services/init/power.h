/* SPDX-License-Identifier: MIT */
/*
 * power.h - the end of the machine.
 *
 * Owns:      the ports of QEMU's debug-exit device and of the chipset's power management.
 * Callers:   init.
 */
#pragma once

#include <kozo/abi.h>

/* The last byte for the outside: all went well, init failed, a reset was asked for, or a status of 1 to 63. */
#define POWER_WELL 0x10u
#define POWER_FAILED 0x11u
#define POWER_RESET 0x13u /* 0x12 is the kernel's, of a panic */
#define POWER_STATUS 0x20u

/* Ends QEMU by its debug-exit device; where there is none, powers off. Never returns. */
[[noreturn]] void power_off(uint32_t code);
/* Ends QEMU in the same way, which tells a reset that was asked for from any other; else resets. Never returns. */
[[noreturn]] void power_reset(void);
/* The code for a status from 0 to 63. */
static inline uint32_t power_code(uint32_t status)
{
    return status == 0 ? POWER_WELL : POWER_STATUS + status;
}
