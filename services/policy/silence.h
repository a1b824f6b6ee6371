/* SPDX-License-Identifier: MIT */
/*
 * silence.h - providers that did not answer, and when to try them again: after 1, 2, 4, then every
 * 8 s.
 *
 * Owns:      struct silences.
 * Not here:  calling them (provider.c, closer.h).
 * Callers:   policy and its unit tests; no system calls.
 * Cost:      the number of providers.
 * Spec:      docs/spec/services.md
 */
#pragma once

#include "common/manifest.h"
#include "common/object.h"

#define SILENCES                                                                                   \
    16u /* more than a section can name capabilities: when all are in use, the oldest goes */
#define SILENCE_FIRST_MS 1000u
#define SILENCE_MOST_MS 8000u

struct silence {
    char provider[MANIFEST_NAME + 1]; /* empty: free */
    uint64_t until;                   /* nanoseconds since boot */
    uint32_t wait_ms;
};

struct silences {
    struct silence of[SILENCES];
};

/* Until when its provider is not to be tried; 0 = it may be. */
uint64_t silence_until(const struct silences *s, struct kozo_str object, uint64_t now);
/* It has not answered. Returns for how many milliseconds it is left alone. */
uint32_t silence_note(struct silences *s, struct kozo_str object, uint64_t now);
/* It has. */
void silence_end(struct silences *s, struct kozo_str object);
