/* SPDX-License-Identifier: MIT */
/*
 * clean.h - what others want on the terminal, made harmless: it cannot drive the terminal, and it
 * cannot look like a question to the person.
 *
 * Shown as they are: printing ASCII, tab, line end, and the letters of the Latin, Greek and Cyrillic
 * alphabets that stand alone, one column wide, from left to right. Any other character is shown by
 * its number, \u{202e}: so nothing joins, mirrors, hides or imitates what stands beside it. A byte that is
 * no character becomes `?`. Lines of a question begin with "[?]"; in everything else a `?` behind a
 * `[` gets a blank before it, so these three characters never come from anybody but the console.
 *
 * In a question itself the words of others are ASCII only (clean_quote).
 *
 * Owns:      struct clean: what the text shown so far ended with.
 * Callers:   console and its unit tests; no system calls.
 * Cost:      the length of the text.
 * Spec:      docs/spec/services.md
 */
#pragma once

#include "common/line.h"
#include "common/text.h"

#define CLEAN_MARK "[?]"
#define CLEAN_QUOTED 16u /* bytes that one character is quoted as, at most, and a NUL */

typedef void clean_sink(const char *text, uint64_t len);

struct clean {
    char last;
};

/* Gives the text to the sink, in pieces. */
void clean_text(struct clean *c, struct kozo_str text, clean_sink *sink);

/*
 * Cuts a character off `text` and returns it as it stands in a question: printing ASCII as itself,
 * but for quotes, backslashes, a `?` behind `[`, and blanks that are first, last or behind a blank;
 * those and other bytes as \xNN, other characters as \u{NNNN}. `last` is what was cut off before, 0 at the beginning.
 */
struct kozo_str clean_quote(struct kozo_str *text, char *last, char to[CLEAN_QUOTED]);
