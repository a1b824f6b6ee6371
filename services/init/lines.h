/* SPDX-License-Identifier: MIT */
/*
 * lines.h - whole lines out of the pieces a service sends, so that no two services share a line.
 *
 * Owns:      struct lines: what has come of a service's unfinished line.
 * Not here:  where lines go (watch.c).
 * Callers:   init and its unit tests; no system calls.
 */
#pragma once

#include "common/text.h"

#define LINES_BYTES 1024u /* a longer line is broken */

struct lines {
    char text[LINES_BYTES];
    uint32_t used;
};

typedef void lines_sink(void *context, struct kozo_str line);

/* Adds `text`, and gives each line that it completes, without its end, to `sink`. */
void lines_add(struct lines *l, struct kozo_str text, lines_sink *sink, void *context);
/* Gives away what is left of an unfinished line. */
void lines_flush(struct lines *l, lines_sink *sink, void *context);
