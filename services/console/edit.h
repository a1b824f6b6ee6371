/* SPDX-License-Identifier: MIT */
/*
 * edit.h - a line as it is typed: keys in, text for the terminal out, a history.
 *
 * Owns:      struct edit. What is drawn uses no control characters but CR, LF, backspace and bell,
 *            so it works on any terminal; a line wider than one is shown in part. A line of which
 *            characters were not taken, for it was full, they are no ASCII, or a question was there,
 *            is not entered until the person was told, and moved in it or changed it. A reader can
 *            hand over a line to begin with: a `?` behind a `[` is drawn as a dot, for with the two
 *            a question of the console's own begins (clean.h).
 * Not here:  the serial port, who waits for a line (main.c).
 * Callers:   console and its unit tests; no system calls.
 * Cost:      the width of a terminal for each key.
 * Spec:      docs/spec/services.md
 */
#pragma once

#include "common/text.h"

#define EDIT_LINE 255u
#define EDIT_PROMPT 31u
#define EDIT_HISTORY 32u
#define EDIT_COLUMNS 79u

enum edit_result : uint8_t {
    EDIT_GOES_ON,
    EDIT_ENTERED, /* the line is in edit_text() */
    EDIT_STOPPED, /* Ctrl-C */
    EDIT_ENDED,   /* Ctrl-D on an empty line */
    EDIT_TAB, /* of a prepared line, which is off the terminal then: edit_prepare and begin again */
};

typedef void edit_sink(const char *text, uint64_t len);

struct edit {
    edit_sink *sink;
    char text[EDIT_LINE];
    uint32_t len, cursor;
    uint32_t view;  /* the first character shown */
    uint32_t drawn; /* columns in use */
    uint8_t escape; /* within an escape sequence: what it had so far */
    char number;    /* its parameter */
    bool shown;     /* prompt and line are on the terminal */
    bool prepared;  /* the next line begins with `text` */
    bool tabs;      /* Tab ends the line */
    bool told;      /* the person knows that something of the line was not taken */
    bool asked;     /* some were keys at a question */
    uint32_t lost;  /* characters typed that are not in the line */
    uint32_t prompt_len;
    char prompt[EDIT_PROMPT];
    uint32_t kept, back; /* lines in the history; how far back the one shown is, 0 = none of them */
    uint32_t new_len, new_lost;
    char new[EDIT_LINE]; /* the line that was left for one of the history */
    uint32_t past_len[EDIT_HISTORY];
    char past[EDIT_HISTORY][EDIT_LINE]; /* line n at n % EDIT_HISTORY */
};

/* The next line begins with this text and the cursor there, and can end by Tab. */
void edit_prepare(struct edit *e, struct kozo_str text, uint64_t cursor);
/* Shows a prompt and an empty line, or what was prepared. */
void edit_begin(struct edit *e, struct kozo_str prompt);
/* A key. Anything but GOES_ON ends the line. */
enum edit_result edit_key(struct edit *e, char key);
/*
 * A key that would have been the line's and goes nowhere, with a bell. The end of a line of which
 * nothing is there ends it: the next one is whole.
 */
void edit_lose(struct edit *e, char key);
/* What is typed from here on is no rest of what was typed before: of nothing, nothing is lost. */
void edit_pause(struct edit *e);
static inline struct kozo_str edit_text(const struct edit *e)
{
    return (struct kozo_str){ e->text, e->len };
}
/* Forgets the line, which is off the terminal. */
void edit_clear(struct edit *e);
/* Take prompt and line off the terminal, and show them again: other text goes between the two. */
void edit_hide(struct edit *e);
void edit_show(struct edit *e);
