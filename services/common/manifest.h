/* SPDX-License-Identifier: MIT */
/*
 * manifest.h - etc/kozo.conf: what init starts, out of what, and what policy may grant to whom.
 *
 * Sections `[service NAME]`, `[rule NAME]` and `[init]`, each with lines `field = value`; a `#` or
 * `;` at the start of a line or after a blank begins a comment.
 *
 * Owns:      struct manifest. Its texts point into the text that was parsed.
 * Not here:  acting on it (init/), deciding by the rules (policy/rules.h).
 * Callers:   init, policy and their unit tests; no system calls.
 * Cost:      the length of the text, and services times services.
 * Spec:      docs/spec/services.md
 */
#pragma once

#include <kozo/sha256.h>

#include "common/text.h"

#define MANIFEST_PATH "etc/kozo.conf"
#define MANIFEST_BYTES 65536u /* of text, at most */
#define MANIFEST_SERVICES 32u
#define MANIFEST_RULES 128u
#define MANIFEST_WORDS 16u
#define MANIFEST_ARGS 15u        /* words, which with the service's name make 16 */
#define MANIFEST_ARG_BYTES 1024u /* of them, each with a byte that ends it */
#define MANIFEST_DEPTH_ANY UINT32_MAX
#define MANIFEST_NAME 31u /* bytes of a section's or capability's name, at most */

enum manifest_restart : uint8_t { RESTART_NEVER, RESTART_ALWAYS, RESTART_ON_FAILURE };

/* From mild to strict. */
enum manifest_decision : uint8_t { DECISION_ALLOW, DECISION_ASK, DECISION_DENY };

/* How much harm can come of it. TIER_AUTO: by what is asked for. */
enum manifest_tier : uint8_t { TIER_LOW, TIER_MEDIUM, TIER_HIGH, TIER_CRITICAL, TIER_AUTO };

struct manifest_words {
    struct kozo_str word[MANIFEST_WORDS];
    uint32_t count;
};

struct manifest_service {
    struct kozo_str name;
    struct kozo_str binary;   /* path in the archive, without a leading slash */
    struct kozo_str provides; /* the name others find it by; empty = none */
    struct manifest_words args;
    struct manifest_words capabilities; /* what init gives, or what another service provides */
    uint8_t user_rights[MANIFEST_WORDS]; /* of capabilities.word[i], at most these; of what init
                                            gives always all */
    struct manifest_words requests; /* what others provide of which it may ask policy for parts */
    uint8_t sha256[KOZO_SHA256_BYTES];
    uint8_t priority;
    uint8_t memory_bits;              /* log2 of bytes: all that it is made of */
    uint32_t heap_pages, stack_pages; /* of that */
    uint8_t untyped_bits;             /* of that: an Untyped for its own use; 0 = none */
    uint32_t threads;
    enum manifest_restart restart;
    uint32_t restart_limit;
    uint32_t restart_backoff_ms;
    uint32_t line;
};

struct manifest_rule {
    struct kozo_str name;
    struct kozo_str subject; /* a service, or `*` */
    struct kozo_str object;  /* provider:name; a `*` at the end stands for any rest, which the
                                power process:kill has added where the text leaves it out */
    uint8_t rights;
    struct kozo_str rights_words; /* the same, as they are written */
    enum manifest_decision decision;
    enum manifest_tier tier;
    uint32_t lease_ms; /* 0 = the tier's */
    struct kozo_str lease; /* the same, as it is written */
    uint32_t depth;    /* 1: no capability passes through what is given; MANIFEST_DEPTH_ANY */
    struct kozo_str reason, hint;
    uint32_t line;
};

struct manifest {
    struct manifest_service service[MANIFEST_SERVICES];
    struct manifest_rule rule[MANIFEST_RULES];
    uint32_t services, rules;
    struct kozo_str demo;   /* the service whose steps must come out as stated; empty = none */
    uint32_t demo_seconds;  /* for all of them */
    uint32_t ready_seconds; /* for every service to report ready */
    uint32_t consent_seconds; /* for a person to answer policy */
};

/*
 * What is wrong; `expected` null = nothing. `field` may be empty: then it is the line as a whole.
 */
struct [[nodiscard]] manifest_problem {
    uint32_t line;
    struct kozo_str field, value;
    const char *expected;
    bool missing; /* the section `value` lacks `field` */
};

/* Fills all of *m from `text`, which must stay. */
struct manifest_problem manifest_parse(struct manifest *m, struct kozo_str text);

/* The service with this name; null when there is none. */
const struct manifest_service *manifest_service(const struct manifest *m, struct kozo_str name);
/* The service that provides `name`; null when none does. */
const struct manifest_service *manifest_provider(const struct manifest *m, struct kozo_str name);
/* `words` has `word`. */
bool manifest_has(const struct manifest_words *words, struct kozo_str word);
/* The longest a lease of this tier can be, in milliseconds. */
uint32_t manifest_tier_limit(enum manifest_tier tier);
const char *manifest_tier_name(enum manifest_tier tier);
