/* SPDX-License-Identifier: MIT */
/*
 * rules.h - who may have what: the decision, from the rules of the manifest.
 *
 * For each right asked, the most particular rule speaks: the longest object, a name before a
 * pattern; then a named subject before `*`; then the strictest, so that deny wins ties. The
 * stricter of the rule and the tier counts: above low, somebody must consent. The tier is the
 * object's own for that right, or the rule's where that is stricter; a rule's lease is never longer
 * than it. The strictest answer for any right is the answer for all. Where depth is `any`, so that
 * what is below can be opened through the object, the rules that speak of names below count too; for
 * create and remove, which reach what is below by its path, with any depth.
 *
 * Owns:      the order of rules, reasons and hints.
 * Not here:  reading rules (common/manifest.h), consent, leases (lease.h).
 * Callers:   policy and its unit tests; no system calls.
 * Cost:      rules times rights; for names below rules squared times rights.
 * Spec:      docs/spec/services.md
 */
#pragma once

#include "common/manifest.h"
#include "common/object.h"

#define RULES_TEXT 160u

struct rules_request {
    const struct manifest_service *subject;
    struct kozo_str object;
    uint64_t rights; /* as asked, unchecked */
};

struct rules_answer {
    enum manifest_decision decision; /* ask: somebody must consent */
    enum manifest_tier tier;
    const struct manifest_rule *rule; /* that decided; null = none did */
    uint32_t lease_ms;
    uint32_t depth; /* 1, or MANIFEST_DEPTH_ANY */
    bool by_person; /* the person at the console said yes; never so by rules_decide */
    char reason[RULES_TEXT];
    char hint[RULES_TEXT]; /* what to do about it; empty when allowed */
};

void rules_decide(const struct manifest *m, const struct rules_request *request,
                  struct rules_answer *answer);
/* Turn the answer into a denial: because nobody consents, or for any other reason. */
void rules_no_consent(struct rules_answer *answer, const char *why, const char *hint);
void rules_refuse(struct rules_answer *answer, const char *reason, const char *hint);
/* The rights of a power (process:kill, over whatever service), 0 when there is no such power. */
uint64_t rules_power(const struct object *object);
