/* SPDX-License-Identifier: MIT */
/*
 * cmdline.h - the kernel's command line: words parted by blanks or tabs, `name` or `name=value`, a
 * value with blanks in "". Between these \" stands for " and \\ for \.
 *
 * Owns:      what a word is, for the kernel and for init alike.
 * Not here:  what words there are (docs/spec/boot.md, docs/spec/services.md); who writes such a line
 *            (scripts/kozo/cmdline.py).
 * Callers:   kernel/boot, services/common.
 * Cost:      O(line).
 * Spec:      docs/spec/boot.md
 */
#pragma once

#include <kozo/abi.h>

/* Part of the line, not ended by a NUL. */
struct kozo_word {
    const char *at;
    uint64_t len;
};

/* Where in the line a character stands: outside of quotes, between them, behind a \ between them. */
enum kozo_cmdline_place : uint8_t { KOZO_CMDLINE_PLAIN, KOZO_CMDLINE_QUOTED, KOZO_CMDLINE_ESCAPED };

/* Where the character after `c` stands. */
static inline enum kozo_cmdline_place kozo_cmdline_after(enum kozo_cmdline_place at, char c)
{
    if (at == KOZO_CMDLINE_ESCAPED)
        return KOZO_CMDLINE_QUOTED;
    if (c == '"')
        return at == KOZO_CMDLINE_PLAIN ? KOZO_CMDLINE_QUOTED : KOZO_CMDLINE_PLAIN;
    return at == KOZO_CMDLINE_QUOTED && c == '\\' ? KOZO_CMDLINE_ESCAPED : at;
}

/* Takes the first word off *line, blanks within "" included; of length 0 at the end. */
struct kozo_word kozo_cmdline_next(struct kozo_word *line);
/* Whether `word` is `name` or `name=...`. */
[[nodiscard]] bool kozo_cmdline_names(struct kozo_word word, const char *name);

/*
 * Whether the word `name` is there; *value is then its last value without its quotes, empty without `=`.
 * Where it had some the character before it is one; each \ in it still stands there.
 */
[[nodiscard]] bool kozo_cmdline_find(struct kozo_word line, const char *name, struct kozo_word *value);
