/* SPDX-License-Identifier: MIT */
/*
 * serial.h - a 16550 serial port, by an IoPort capability.
 *
 * Owns:      the registers of COM1.
 * Callers:   console.
 * Cost:      bounded: a port that does not take its byte in time loses it.
 */
#pragma once

#include <kozo/handle.h>

/* Turns receive interrupts on. */
void serial_begin(struct kozo_io_port port);
/* Writes text; a line end gets a carriage return before it. */
void serial_write(const char *text, uint64_t len);
/* The next character received, -1 when there is none. */
int serial_read(void);
