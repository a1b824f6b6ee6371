/* SPDX-License-Identifier: MIT */
#include <kozo/cmdline.h>

static bool is_blank(char c) { return c == ' ' || c == '\t'; }

struct kozo_word kozo_cmdline_next(struct kozo_word *line)
{
    enum kozo_cmdline_place place = KOZO_CMDLINE_PLAIN;
    struct kozo_word word;
    uint64_t n = 0;

    for (; line->len > 0 && is_blank(*line->at); line->len--)
        line->at++;
    for (; n < line->len && (place != KOZO_CMDLINE_PLAIN || !is_blank(line->at[n])); n++)
        place = kozo_cmdline_after(place, line->at[n]);
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

bool kozo_cmdline_names(struct kozo_word word, const char *name)
{
    uint64_t n = __builtin_strlen(name);

    return word.len >= n && __builtin_memcmp(word.at, name, n) == 0 &&
           (word.len == n || word.at[n] == '=');
}

bool kozo_cmdline_find(struct kozo_word line, const char *name, struct kozo_word *value)
{
    uint64_t n = __builtin_strlen(name);
    bool found = false;

    for (struct kozo_word w = kozo_cmdline_next(&line); w.len > 0; w = kozo_cmdline_next(&line)) {
        if (!kozo_cmdline_names(w, name))
            continue;
        found = true;
        *value = w.len == n ? (struct kozo_word){ w.at + n, 0 }
                            : without_quotes((struct kozo_word){ w.at + n + 1, w.len - n - 1 });
    }
    return found;
}
