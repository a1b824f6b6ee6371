/* SPDX-License-Identifier: MIT */
/*
 * cmdline.h - the kernel's command line: words parted by blanks or tabs, `name` or `name=value`, a
 * value with blanks in "".
 *
 * Owns:      what a word is, for the kernel and for init alike.
 * Not here:  what words there are (docs/spec/boot.md, docs/spec/services.md).
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

/* Takes the first word off *line, blanks within "" included; of length 0 at the end. */
struct kozo_word kozo_cmdline_next(struct kozo_word *line);
/* Whether `word` is `name` or `name=...`. */
[[nodiscard]] bool kozo_cmdline_names(struct kozo_word word, const char *name);

/* Whether the word `name` is there; *value is then its last value without its quotes, empty without `=`. */
[[nodiscard]] bool kozo_cmdline_find(struct kozo_word line, const char *name, struct kozo_word *value);
