/* SPDX-License-Identifier: MIT */
/*
 * wire.h - how init's lines get to the console: a ring (kozo/ring.h) in memory that init lends.
 *
 * init never waits for the console: it puts what fits, counts what does not, and rings the bell.
 *
 * Owns:      the sizes of that ring; the bits of the Notification bound to the console's thread.
 */
#pragma once

#include <kozo/ring.h>

#define WIRE_ENTRIES 128u
#define WIRE_TEXT 244u

struct wire_entry {
    uint64_t lost; /* bytes that found no room before this */
    uint32_t len;
    char text[WIRE_TEXT];
};
static_assert(sizeof(struct wire_entry) == 256);

#define BELL_SERIAL 1u /* the serial port interrupted */
#define BELL_LINES 2u  /* the ring has something */
