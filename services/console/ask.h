/* SPDX-License-Identifier: MIT */
/*
 * ask.h - a question to the person at the terminal: how it looks, and which keys answer it.
 *
 *     [?] hello asks policy for "fs:/etc/motd"
 *     [?]   rights: write
 *     [?]   reason: "to change it"
 *     [?]   risk: medium; a yes lasts 300 s
 *     [?] allow? y or n, then Enter (29 s):
 *
 * Keys count from when the last line is there, and that comes only after half a second without a key:
 * what was typed for something else answers nothing. So it is after a line that is no answer, too.
 * The time told is never more than is left.
 *
 * All that the requester says is in quotes and printable ASCII here, the rest escaped (clean_quote).
 * A row that is too long goes on in rows that begin with "[?]   | ", so that nothing of the requester's
 * begins a row or can be taken for one. After every few rows of other text the whole question is
 * shown again, so that none can push it off a terminal of ASK_ROWS.
 *
 * Owns:      struct ask.
 * Not here:  who asks and who is answered (main.c), whether a yes is in time (policy/consent.h).
 * Callers:   console and its unit tests; no system calls. The time is the caller's.
 * Spec:      docs/spec/services.md
 */
#pragma once

#include "console/clean.h"

#include <kozo/console.h>

#define ASK_QUIET 500000000ull /* nanoseconds without a key, before keys count */
#define ASK_TYPED 7u
#define ASK_COLUMNS 79u
#define ASK_ROWS 24u
#define ASK_LINES 8u /* rows of other text, until the question is shown again; less if it is long */
#define ASK_TEXT 2u  /* rows of a name or a reason, at most */

enum ask_result : uint8_t { ASK_GOES_ON, ASK_YES, ASK_NO };

struct ask {
    clean_sink *sink;
    bool active;
    bool armed;      /* keys count */
    bool shown;      /* the last line is on the terminal */
    uint32_t drawn;  /* columns of it */
    uint32_t column; /* of the row under way */
    uint32_t rows;   /* of the question, without the last line */
    uint32_t others; /* rows of other text since the question was shown */
    uint32_t passed; /* columns of such a row under way */
    uint64_t quiet;  /* when the last key came that did not count, or the question */
    bool told;       /* the time left was, ... */
    uint64_t least;  /* ... which is true while that much is left */
    uint64_t until;
    uint64_t tier, lease_ms;
    uint32_t typed;
    char answer[ASK_TYPED];
    char who[64], object[256], rights[48], reason[80];
};

/* Shows the question; the terminal is at the beginning of a line. */
void ask_begin(struct ask *a, const struct console_ask_req *q, uint64_t now);
/* A key; an answer ends the question. */
enum ask_result ask_key(struct ask *a, char key, uint64_t now);
/* Time passed: shows what there is to show. */
void ask_tick(struct ask *a, uint64_t now);
/* When ask_tick has something to do; UINT64_MAX: there is no question. */
uint64_t ask_wake(const struct ask *a);
/* Take the last line off the terminal: other text comes now. ask_tick shows it again. */
void ask_hide(struct ask *a);
/* That text, as it is on the terminal. What is wider than a row takes several. */
void ask_passed(struct ask *a, const char *text, uint64_t len);
/* Nobody wants to know any more. */
void ask_end(struct ask *a);
/* A line about a question that is over, or that nobody answers, quoted and marked as one. */
void ask_tell(struct ask *a, struct kozo_str text);
