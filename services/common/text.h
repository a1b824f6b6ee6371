/* SPDX-License-Identifier: MIT */
/*
 * text.h - reading text that others wrote: pieces, words, patterns.
 *
 * Owns:      nothing. A piece (struct kozo_str) points into the text it was cut from.
 * Not here:  numbers (kozo/string.h), what the text means (manifest.h, cmdline.h).
 * Callers:   services and their unit tests; no system calls.
 * Cost:      the length of the text.
 */
#pragma once

#include <kozo/msg.h>

bool text_equal(struct kozo_str a, struct kozo_str b);
bool text_starts(struct kozo_str text, struct kozo_str start);
/* Without spaces, tabs and carriage returns at both ends. */
struct kozo_str text_trim(struct kozo_str text);

/*
 * Cuts off and returns what is before the first `mark`; all of it, leaving `rest` empty, when there
 * is none.
 */
struct kozo_str text_cut(struct kozo_str *rest, char mark);
/* Cuts off and returns the next word, empty at the end. Words are parted by spaces and tabs. */
struct kozo_str text_cut_word(struct kozo_str *rest);

/* `text` is `pattern`, or begins with what stands before the `*` that ends `pattern`. */
bool text_matches(struct kozo_str pattern, struct kozo_str text);

/*
 * The bytes of the character that `text` begins with, when a terminal can show it: printing ASCII,
 * tab, or well-formed UTF-8 beyond the control characters. Else 0.
 */
uint64_t text_char(struct kozo_str text);
/* Its code point; 0 when text_char is. */
uint32_t text_code(struct kozo_str text);
/* Bytes at the end of `text` that begin a character whose rest is still to come; mostly 0. */
uint64_t text_torn(struct kozo_str text);
/*
 * Copies what fits, always ended by a NUL; each byte that no terminal should see becomes `?`.
 * Returns the length.
 */
uint64_t text_printable(char *to, uint64_t size, struct kozo_str text);
/*
 * The same of a name that is to stand in a sentence: each byte that is neither a letter or digit of
 * ASCII nor one of - _ . + / becomes `?`. What has been cut ends with `..`; `size` is at least 4.
 */
uint64_t text_name(char *to, uint64_t size, struct kozo_str text);
