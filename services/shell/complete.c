/* SPDX-License-Identifier: MIT */
#include "shell/complete.h"

#include <kozo/string.h>

static bool parts_stages(char c) { return c == '|' || c == ';' || c == '&'; }

static bool parts_words(char c)
{
    return c == ' ' || c == '\t' || c == '<' || c == '>' || parts_stages(c);
}

/* In `--with NAME,...`: what is typed of the last name. */
static struct place at_name(struct place p)
{
    uint64_t n = p.word.len;

    while (n > 0 && p.word.at[n - 1] != ',')
        n--;
    p.word = (struct kozo_str){ p.word.at + n, p.word.len - n };
    return p;
}

struct place complete_place(struct kozo_str line, uint64_t cursor)
{
    uint64_t begin = cursor < line.len ? cursor : line.len, stage, end = begin;
    struct place p = {};
    struct kozo_str before;

    while (begin > 0 && !parts_words(line.at[begin - 1]))
        begin--;
    p.word = (struct kozo_str){ line.at + begin, end - begin };
    stage = begin;
    while (stage > 0 && !parts_stages(line.at[stage - 1]))
        stage--;
    before = (struct kozo_str){ line.at + stage, begin - stage };
    p.program = stage > 0 && line.at[stage - 1] == '|';
    p.command = text_cut_word(&before);
    if (kozo_str_is(p.command, "run")) {
        p.program = true;
        p.command = text_cut_word(&before);
        if (kozo_str_is(p.command, "--with")) {
            if (text_cut_word(&before).len == 0)
                return at_name(p);
            p.command = text_cut_word(&before);
        }
    }
    p.first = text_trim(before).len == 0;
    return p;
}

struct matches matches_begin(struct kozo_str typed) { return (struct matches){ .typed = typed }; }

bool matches_add(struct matches *m, struct kozo_str name, char tail)
{
    uint64_t n = 0;

    if (!text_starts(name, m->typed) || name.len > COMPLETE_NAME)
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

struct kozo_str matches_rest(struct matches *m)
{
    if (m->count == 0)
        return (struct kozo_str){};
    if (m->count == 1 && m->common_len < COMPLETE_NAME)
        m->common[m->common_len++] = m->tail;
    return (struct kozo_str){ m->common + m->typed.len, m->common_len - m->typed.len };
}
