/* SPDX-License-Identifier: MIT */
/*
 * clean.h - what others want on the terminal, made harmless: it cannot drive the terminal, and it
 * cannot look like a question to the person.
 *
 * What no terminal should see (text.h) becomes `?`. Lines of a question begin with "[?]"; in
 * everything else a `?` behind a `[` gets a blank before it, so these three characters never come
 * from anybody but the console itself.
 *
 * Owns:      struct clean: what the text shown so far ended with.
 * Callers:   console and its unit tests; no system calls.
 * Cost:      the length of the text.
 */
#pragma once

#include "common/text.h"

#define CLEAN_MARK "[?]"

typedef void clean_sink(const char *text, uint64_t len);

struct clean {
    char last;
};

/* Gives the text to the sink, in pieces. */
void clean_text(struct clean *c, struct kozo_str text, clean_sink *sink);
