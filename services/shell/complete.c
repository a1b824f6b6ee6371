/* SPDX-License-Identifier: MIT */
#include "shell/complete.h"

#include <kozo/string.h>

static bool parts_stages(char c) { return c == '|' || c == ';' || c == '&'; }

static bool parts_words(char c)
{
    return c == ' ' || c == '\t' || c == '<' || c == '>' || parts_stages(c);
}

static bool is_quote(char c) { return c == '\'' || c == '"'; }

/* In `--with NAME,...`: what is typed of the last name. */
static void at_name(struct place *p)
{
    uint64_t n = p->word.len;

    while (n > 0 && p->word.at[n - 1] != ',')
        n--;
    p->word = (struct kozo_str){ p->word.at + n, p->word.len - n };
}

/* What is between `from` and the cursor's word, once the command is cut off it. */
static void read_stage(struct place *p, struct kozo_str before)
{
    p->command = text_cut_word(&before);
    if (kozo_str_is(p->command, "run")) {
        p->program = p->run = true;
        p->command = text_cut_word(&before);
        if (kozo_str_is(p->command, "--with")) {
            p->run = false;
            if (text_cut_word(&before).len == 0) {
                at_name(p);
                return;
            }
            p->command = text_cut_word(&before);
        }
    }
    p->given = text_trim(before);
}

void complete_place(struct place *p, struct kozo_str line, uint64_t cursor)
{
    uint64_t begin = 0, stage = 0, end = cursor < line.len ? cursor : line.len;

    *p = (struct place){ .word = { p->bytes, 0 } };
    for (uint64_t i = 0; i < end; i++) {
        char c = line.at[i];

        if (p->quote == 0 && parts_words(c)) {
            begin = i + 1;
            p->word.len = 0;
            stage = parts_stages(c) ? begin : stage;
        } else if (p->quote == 0 && is_quote(c))
            p->quote = c;
        else if (c == p->quote)
            p->quote = 0;
        else
            p->bytes[p->word.len++] = c;
    }
    p->program = stage > 0 && line.at[stage - 1] == '|';
    read_stage(p, (struct kozo_str){ line.at + stage, begin - stage });
}

struct matches matches_begin(struct kozo_str typed, char quote)
{
    return (struct matches){ .typed = typed, .quote = quote };
}

/* Whether a name stands for itself in a line, without quotes. */
static bool is_plain(struct kozo_str name)
{
    for (uint64_t i = 0; i < name.len; i++)
        if (parts_words(name.at[i]) || is_quote(name.at[i]))
            return false;
    return true;
}

static bool has(struct kozo_str text, char c)
{
    return text.len > 0 && memchr(text.at, c, text.len) != nullptr;
}

/* The quote that what is added needs, and has not yet; 0: none. */
static char quote_for(const struct matches *m, struct kozo_str added)
{
    if (m->quote != 0 || is_plain(added))
        return 0;
    return has(added, '\'') ? '"' : '\'';
}

bool matches_can_add(const struct matches *m, struct kozo_str name)
{
    struct kozo_str added = { name.at + m->typed.len, name.len - m->typed.len };

    if (!text_starts(name, m->typed) || name.len > COMPLETE_NAME)
        return false;
    for (uint64_t i = 0; i < name.len; i++)
        if (name.at[i] < ' ' || name.at[i] >= 0x7f)
            return false;
    return m->quote != 0 ? !has(added, m->quote) : !has(added, '"') || !has(added, '\'');
}

bool matches_add(struct matches *m, struct kozo_str name, char tail)
{
    uint64_t n = 0;

    if (!matches_can_add(m, name))
        return false;
    if (m->count++ == 0) {
        memcpy(m->common, name.at, name.len);
        m->common_len = name.len;
        m->tail = tail;
        return true;
    }
    while (n < m->common_len && n < name.len && m->common[n] == name.at[n])
        n++;
    m->common_len = n;
    return true;
}

static void add(struct kozo_str *to, char *at, char c)
{
    if (c != 0)
        at[to->len++] = c;
}

struct kozo_str matches_rest(struct matches *m)
{
    struct kozo_str added = { m->common + m->typed.len, 0 }, rest = { m->rest, 0 };
    char quote, tail = m->count == 1 ? m->tail : 0;

    if (m->count == 0)
        return rest;
    added.len = m->common_len - m->typed.len;
    quote = quote_for(m, added);
    add(&rest, m->rest, quote);
    memcpy(m->rest + rest.len, added.at, added.len);
    rest.len += added.len;
    add(&rest, m->rest, tail == ' ' && m->quote != 0 ? m->quote : quote);
    add(&rest, m->rest, tail);
    return rest;
}
