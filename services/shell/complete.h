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

#include "common/text.h"

#define COMPLETE_NAME 255u

/* The word that the cursor is at the end of, and where it stands. */
struct place {
    struct kozo_str word;    /* as far as it is typed */
    struct kozo_str command; /* of its stage; empty: the word is that; `--with`: one of its names */
    bool program;            /* the stage is for a program: a pipe, or `run` before it */
    bool first;              /* the word is the first one after the command */
};

struct place complete_place(struct kozo_str line, uint64_t cursor);

/* Names that begin with what is typed. */
struct matches {
    struct kozo_str typed;
    uint32_t count;
    uint64_t common_len; /* what all of them begin with */
    char common[COMPLETE_NAME];
    char tail; /* what follows the name, if it is the only one */
};

struct matches matches_begin(struct kozo_str typed);
/* False when the name does not match. */
bool matches_add(struct matches *m, struct kozo_str name, char tail);
/* What can be added to the word, its tail included if there is one match. */
struct kozo_str matches_rest(struct matches *m);
