/* SPDX-License-Identifier: MIT */
/*
 * parse.h - a command line, taken apart: commands, stages of a pipe, words.
 *
 *     run cat /etc/motd | wc > /ram/count ; echo 'one; word' "another" &
 *
 * Commands are parted by `;`, stages by `|`, words by blanks. Between two ' or two " every
 * character stands for itself. `< FILE` names the input of the first stage, `> FILE` the output of
 * the last, `>> FILE` the same, to go to its end; `&` at the end of a command starts it without waiting.
 *
 * Owns:      struct parsed. Its words point into the line, or into its own bytes where the line has
 *            quotes inside a word.
 * Not here:  what the words mean (main.c, run.c).
 * Callers:   shell and its unit tests; no system calls.
 * Cost:      the length of the line.
 * Spec:      docs/spec/services.md
 */
#pragma once

#include "common/text.h"

#define PARSE_WORDS 16u  /* of one stage, its name included */
#define PARSE_STAGES 3u
#define PARSE_BYTES 1024u /* of a line */

struct stage {
    struct kozo_str word[PARSE_WORDS];
    bool quoted[PARSE_WORDS]; /* some of it was: it is text, and names no file */
    uint32_t count;
};

struct parsed {
    struct stage stage[PARSE_STAGES];
    uint32_t stages;
    struct kozo_str in, out; /* after < and >; empty = none */
    bool append;               /* it was >> */
    bool background;
    const char *error; /* what is wrong; null = nothing */
    char bytes[PARSE_BYTES];
    uint64_t used;
};

/*
 * Cuts off the next command of a list, empty at the end; a `;` between quotes does not part. What
 * is malformed is found by parse_command.
 */
struct kozo_str parse_cut(struct kozo_str *list);

/* Takes one command apart; false and p->error when it is malformed. */
bool parse_command(struct parsed *p, struct kozo_str command);
