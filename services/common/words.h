/* SPDX-License-Identifier: MIT */
/*
 * words.h - what a word under `capabilities` stands for when a service provides it: whose Endpoint,
 * and which of the user rights there.
 *
 * Owns:      the words that give less than all of what a service provides.
 * Not here:  the words for what init itself gives (init/start.c), rules (policy/rules.h).
 * Callers:   init, the manifest's parser and their unit tests; no system calls.
 * Spec:      docs/spec/services.md
 */
#pragma once

#include "common/text.h"

struct word {
    struct kozo_str provides; /* the name under which a service provides it */
    uint8_t rights;           /* user rights */
};

/* Words that are not in the table stand for all rights to what is provided under that name. */
struct word word_meaning(struct kozo_str name);
/* No service can provide it: it stands for a part of what another name provides. */
bool word_is_part(struct kozo_str name);
