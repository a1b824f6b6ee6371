/* SPDX-License-Identifier: MIT */
#include "common/cmdline.h"

/* Bytes of the word that `text` begins with, blanks within "" included. */
static uint64_t word_length(struct kozo_str text)
{
    bool quoted = false;
    uint64_t n = 0;

    for (; n < text.len && (quoted || (text.at[n] != ' ' && text.at[n] != '\t')); n++)
        quoted ^= text.at[n] == '"';
    return n;
}

static struct kozo_str without_quotes(struct kozo_str value)
{
    if (value.len >= 2 && value.at[0] == '"' && value.at[value.len - 1] == '"')
        return (struct kozo_str){ value.at + 1, value.len - 2 };
    return value;
}

bool cmdline_find(struct kozo_str cmdline, const char *name, struct kozo_str *value)
{
    bool found = false;

    for (cmdline = text_trim(cmdline); cmdline.len > 0; cmdline = text_trim(cmdline)) {
        struct kozo_str word = { cmdline.at, word_length(cmdline) };

        cmdline.at += word.len;
        cmdline.len -= word.len;
        if (!kozo_str_is(text_cut(&word, '='), name))
            continue;
        *value = without_quotes(word);
        found = true;
    }
    return found;
}
