/* SPDX-License-Identifier: MIT */
/*
 * serial.c - the kernel's console: COM1, polled.
 *
 * Owns:      nothing; start/boot.S sets the port up: 115200 8N1.
 * Not here:  the driver in user space, lines and formats (base/log.c).
 * Cost:      bounded: a port that is not there, or does not take its byte in time, loses it.
 */
#include "cpu.h"

#define COM1 0x3f8
#define COM1_STATUS (COM1 + 5)
#define STATUS_READY 0x20u
#define STATUS_NO_PORT 0xffu
#define POLLS_MOST 100000u

static void put(char c)
{
    /* once it was late, no more waiting until it is ready again */
    static uint32_t polls = POLLS_MOST;

    for (uint32_t i = 0; i < polls; i++) {
        uint8_t status = x86_in8(COM1_STATUS);

        if (status == STATUS_NO_PORT)
            return;
        if (status & STATUS_READY) {
            x86_out8(COM1, (uint8_t)c);
            polls = POLLS_MOST;
            return;
        }
    }
    polls = 1;
}

void arch_console_putc(char c)
{
    if (c == '\n')
        put('\r');
    put(c);
}
