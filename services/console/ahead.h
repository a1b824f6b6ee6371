/* SPDX-License-Identifier: MIT */
/*
 * ahead.h - keys typed while nobody reads, until somebody does.
 *
 * It keeps whole lines or none of a line: what finds no room takes its line along, and all that comes
 * after it is dropped too, until a reader has taken what was kept. So no line is made of the
 * beginning of one and the end of another, and none runs without those before it.
 *
 * Owns:      struct ahead.
 * Not here:  the line that is being edited (edit.h), who reads (main.c).
 * Callers:   console and its unit tests; no system calls.
 * Cost:      AHEAD_KEYS at most.
 * Spec:      docs/spec/services.md
 */
#pragma once

#include <stdint.h>

#define AHEAD_KEYS 512u

struct ahead {
    char key[AHEAD_KEYS];
    uint32_t begin, end;
    uint32_t dropped; /* lines of which the reader does not know yet */
    bool full;        /* what comes is dropped */
    bool cut;         /* the beginning of a line was dropped, and its end did not come yet */
    bool
        goes_on; /* a reader has the beginning of the first line, as it is when Tab is pressed ... */
    bool voids;  /* ... and of that line the rest was dropped */
};

/* Keeps a key. False when with it a further line begins to be dropped. */
bool ahead_put(struct ahead *a, char key);
/* Drops a key, and its line. */
bool ahead_drop(struct ahead *a, char key);
/* The first key kept, which it is no longer then; -1: there is none. */
int ahead_take(struct ahead *a);
/* A reader has taken what was kept: keys count again. Returns how many lines were dropped meanwhile. */
uint32_t ahead_reopen(struct ahead *a);
/*
 * Whether a key that comes when somebody reads is part of a line whose beginning was dropped;
 * Ctrl-C is not, and ends that.
 */
bool ahead_skips(struct ahead *a, char key);
/* Whether what a reader has of a line is to be forgotten, before it takes a key; says so once. */
bool ahead_voids(struct ahead *a);
/* Whether there are keys, or a line was begun of which nothing is kept: a key is behind these. */
bool ahead_waits(const struct ahead *a);
/* Forgets all there is. */
void ahead_clear(struct ahead *a);
