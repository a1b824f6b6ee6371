/* SPDX-License-Identifier: MIT */
/*
 * line.h - text put together piece by piece, cut where it does not fit and always ended by a NUL.
 *
 * Owns:      struct line. The bytes are the caller's.
 * Not here:  formats (kozo/print.h); this is for files that also run in tests on the host.
 * Callers:   services and their unit tests; no system calls.
 */
#pragma once

#include "common/text.h"

#define LINE_ESCAPED 320u /* bytes */

struct line {
    char *at;
    uint64_t size; /* at least 1 */
    uint64_t used; /* without the NUL */
};

struct line line_begin(char *at, uint64_t size);
/* These append. */
void line_add(struct line *l, const char *text);
void line_add_str(struct line *l, struct kozo_str text);
void line_add_number(struct line *l, uint64_t value);
/* With 0x before it. */
void line_add_hex(struct line *l, uint64_t value);
/* Two digits for each byte. */
void line_add_bytes(struct line *l, const uint8_t *bytes, uint64_t count);
/*
 * Text such that no two are the same: what ends a quotation, a double quote, backslashes, tabs and
 * bytes that no terminal should see become \xNN. Of what takes more than LINE_ESCAPED bytes, or finds no
 * room, the end is cut, and \... stands there, which no text becomes.
 */
void line_add_escaped(struct line *l, struct kozo_str text);
/* As text_printable; what ends a quotation, a double quote, becomes a single one. */
void line_add_quoted(struct line *l, struct kozo_str text);
static inline struct kozo_str line_text(const struct line *l)
{
    return (struct kozo_str){ l->at, l->used };
}
