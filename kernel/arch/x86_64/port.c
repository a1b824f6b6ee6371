/* SPDX-License-Identifier: MIT */
/*
 * port.c - I/O ports for user space; the core has checked authority, range and width.
 */
#include "cpu.h"

uint32_t arch_port_in(uint16_t port, uint32_t width)
{
    switch (width) {
    case 1:
        return x86_in8(port);
    case 2:
        return x86_in16(port);
    default:
        return x86_in32(port);
    }
}

void arch_port_out(uint16_t port, uint32_t width, uint32_t value)
{
    switch (width) {
    case 1:
        x86_out8(port, (uint8_t)value);
        break;
    case 2:
        x86_out16(port, (uint16_t)value);
        break;
    default:
        x86_out32(port, value);
        break;
    }
}
