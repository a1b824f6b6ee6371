/* SPDX-License-Identifier: MIT */
/*
 * manifest.c - the bytes are etc/kozo.conf. What is accepted keeps within all limits; what is not
 * is told by line, field and what was expected.
 */
#include "fuzz.h"

#include "common/manifest.h"
#include <string.h>

static const char *text;
static uint64_t bytes;

/* Part of the text, or empty. */
static void check_text(struct kozo_str s)
{
    if (s.len != 0)
        MUST(s.at >= text && s.at < text + bytes && s.len <= (uint64_t)(text + bytes - s.at));
}

static void check_words(const struct manifest_words *w)
{
    MUST(w->count <= MANIFEST_WORDS);
    for (uint32_t i = 0; i < w->count; i++) {
        MUST(w->word[i].len > 0);
        check_text(w->word[i]);
    }
}

static void check_service(const struct manifest *m, const struct manifest_service *s)
{
    check_text(s->name);
    check_text(s->binary);
    check_text(s->provides);
    check_words(&s->args);
    check_words(&s->capabilities);
    check_words(&s->requests);
    MUST(s->name.len > 0 && s->name.len <= MANIFEST_NAME && s->binary.len > 0);
    MUST(manifest_service(m, s->name) == s);
    if (s->provides.len > 0)
        MUST(manifest_provider(m, s->provides) == s);
}

static void check_rule(const struct manifest_rule *r)
{
    check_text(r->name);
    check_text(r->subject);
    check_text(r->object);
    check_text(r->reason);
    check_text(r->hint);
    MUST(r->decision <= DECISION_DENY && r->tier <= TIER_AUTO);
    if (r->tier != TIER_AUTO && r->lease_ms != 0)
        MUST(r->lease_ms <= manifest_tier_limit(r->tier));
}

static uint64_t lines(void)
{
    uint64_t n = 1;

    for (uint64_t i = 0; i < bytes; i++)
        n += text[i] == '\n';
    return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct manifest m, again;
    char *copy = malloc(size + 1);
    struct manifest_problem problem, second;

    if (size != 0)
        memcpy(copy, data, size);
    text = copy;
    bytes = size;
    problem = manifest_parse(&m, (struct kozo_str){ text, size });
    second = manifest_parse(&again, (struct kozo_str){ text, size });
    MUST(problem.expected == second.expected && problem.line == second.line);
    if (problem.expected != nullptr) {
        MUST(problem.line <= lines());
    } else {
        MUST(m.services <= MANIFEST_SERVICES && m.rules <= MANIFEST_RULES);
        MUST(m.services == again.services && m.rules == again.rules);
        for (uint32_t i = 0; i < m.services; i++)
            check_service(&m, &m.service[i]);
        for (uint32_t i = 0; i < m.rules; i++)
            check_rule(&m.rule[i]);
    }
    free(copy);
    return 0;
}
