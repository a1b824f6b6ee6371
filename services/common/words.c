/* SPDX-License-Identifier: MIT */
#include "common/words.h"

#include "common/rights.h"

#include <kozo/console.h>
#include <kozo/policy.h>

static const struct {
    const char *word, *provides;
    uint8_t rights;
} words[] = {
    { "policy", "policy", KOZO_POLICY_REQUEST | KOZO_POLICY_SELF },
    { "policy-admin", "policy", KOZO_POLICY_LOOK | KOZO_POLICY_REVOKE | KOZO_POLICY_DRAIN },
    { "console", "console", KOZO_CONSOLE_READ | KOZO_CONSOLE_WRITE },
    { "console-ask", "console", KOZO_CONSOLE_ASK },
    { "fs", "fs", RIGHTS_ALL },
    { "fs-account", "fs", 0xff }, /* may open for others, whose quota then counts */
};
constexpr uint32_t word_count = sizeof words / sizeof words[0];

struct word word_meaning(struct kozo_str name)
{
    for (uint32_t i = 0; i < word_count; i++)
        if (kozo_str_is(name, words[i].word))
            return (struct word){ kozo_str(words[i].provides), words[i].rights };
    return (struct word){ name, 0xff };
}

bool word_is_part(struct kozo_str name) { return !text_equal(word_meaning(name).provides, name); }
