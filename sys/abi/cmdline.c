/* SPDX-License-Identifier: MIT */
#include <kozo/cmdline.h>

static bool is_blank(char c) { return c == ' ' || c == '\t'; }

/* Take the first word off `line`, blanks within "" included; of length 0 at the end. */
static struct kozo_word take_word(struct kozo_word *line)
{
    struct kozo_word word;
    bool quoted = false;
    uint64_t n = 0;

    for (; line->len > 0 && is_blank(*line->at); line->len--)
        line->at++;
    for (; n < line->len && (quoted || !is_blank(line->at[n])); n++)
        quoted ^= line->at[n] == '"';
    word = (struct kozo_word){ line->at, n };
    line->at += n;
    line->len -= n;
    return word;
}

static struct kozo_word without_quotes(struct kozo_word value)
{
    if (value.len >= 2 && value.at[0] == '"' && value.at[value.len - 1] == '"')
        return (struct kozo_word){ value.at + 1, value.len - 2 };
    return value;
}

bool kozo_cmdline_find(struct kozo_word line, const char *name, struct kozo_word *value)
{
    uint64_t n = __builtin_strlen(name);
    bool found = false;

    for (struct kozo_word w = take_word(&line); w.len > 0; w = take_word(&line)) {
        if (w.len < n || __builtin_memcmp(w.at, name, n) != 0 || (w.len > n && w.at[n] != '='))
            continue;
        found = true;
        *value = w.len == n ? (struct kozo_word){ w.at + n, 0 }
                            : without_quotes((struct kozo_word){ w.at + n + 1, w.len - n - 1 });
    }
    return found;
}
