/* SPDX-License-Identifier: MIT */
/*
 * complete.h - what Tab may put at the cursor of a line.
 *
 * Owns:      struct matches.
 * Not here:  the names there are (tab.c).
 * Callers:   shell and its unit tests; no system calls.
 * Cost:      the length of the line; for a name its length.
 */
#pragma once

#include "shell/parse.h"

#define COMPLETE_NAME 255u

/* The word that the cursor is at the end of, and where it stands. */
struct place {
    struct kozo_str word;    /* as far as it is typed, without its quotes: in `bytes` */
    char quote;              /* that is open at the cursor; 0: none */
    struct kozo_str command; /* of its stage; empty: the word is that; `--with`: one of its names */
    struct kozo_str given;   /* the words between the two */
    bool program;            /* the stage is for a program: a pipe, or `run` before it */
    bool run;                /* it says `run`, and no option of that yet */
    char bytes[PARSE_BYTES];
};

/* The line has PARSE_BYTES at most. */
void complete_place(struct place *p, struct kozo_str line, uint64_t cursor);

/* Names that begin with what is typed. */
struct matches {
    struct kozo_str typed;
    uint32_t count;
    uint64_t common_len; /* what all of them begin with */
    char common[COMPLETE_NAME];
    char tail;                    /* what follows the name, if it is the only one */
    char quote;                   /* that is open behind what is typed; 0: none */
    char rest[COMPLETE_NAME + 3]; /* what is added, with two quotes and the tail */
};

struct matches matches_begin(struct kozo_str typed, char quote);
/*
 * Whether a name begins with what is typed and can be typed on: it cannot if it is not all of ASCII, or
 * what is left of it needs both quotes, or the one that is open.
 */
bool matches_can_add(const struct matches *m, struct kozo_str name);
/* False when it cannot be added. */
bool matches_add(struct matches *m, struct kozo_str name, char tail);
/*
 * What can be added to the word, in quotes where it needs them; if there is one match its tail, too,
 * and before a blank the end of the quote that is open.
 */
struct kozo_str matches_rest(struct matches *m);
