/* SPDX-License-Identifier: MIT */
#include "shell/parse.h"

static bool is_blank(char c) { return c == ' ' || c == '\t'; }

static bool is_quote(char c) { return c == '\'' || c == '"'; }

static bool is_mark(char c) { return c == '|' || c == '<' || c == '>' || c == '&'; }

struct kozo_str parse_cut(struct kozo_str *list)
{
    struct kozo_str command = {};

    while (list->len > 0 && command.len == 0) {
        uint64_t n = 0;
        char quote = 0;

        for (; n < list->len && (quote != 0 || list->at[n] != ';'); n++) {
            if (quote == 0 && is_quote(list->at[n]))
                quote = list->at[n];
            else if (list->at[n] == quote)
                quote = 0;
        }
        command = text_trim((struct kozo_str){ list->at, n });
        n += n < list->len;
        *list = (struct kozo_str){ list->at + n, list->len - n };
    }
    return command;
}

/* A word with its quotes taken away, in p->bytes. */
static struct kozo_str read_word(struct parsed *p, struct kozo_str *rest, bool *quoted)
{
    struct kozo_str word = { p->bytes + p->used, 0 };
    char quote = 0;

    for (; rest->len > 0; rest->at++, rest->len--) {
        char c = *rest->at;

        if (quote == 0 && (is_blank(c) || is_mark(c)))
            break;
        if (quote == 0 && is_quote(c)) {
            quote = c;
            *quoted = true;
        } else if (c == quote) {
            quote = 0;
        } else {
            p->bytes[p->used + word.len++] = c;
        }
    }
    if (quote != 0)
        p->error = quote == '"' ? "a \" without its end" : "a ' without its end";
    p->used += word.len;
    return word;
}

static bool is_number(struct kozo_str word)
{
    for (uint64_t i = 0; i < word.len; i++)
        if (word.at[i] < '0' || word.at[i] > '9')
            return false;
    return word.len > 0;
}

static void add_word(struct parsed *p, struct kozo_str *rest)
{
    struct stage *s = &p->stage[p->stages - 1];
    bool quoted = false;
    struct kozo_str word = read_word(p, rest, &quoted);

    if (s->count == PARSE_WORDS) {
        p->error = "more than 16 words";
        return;
    }
    if (!quoted && is_number(word) && rest->len > 0 && (*rest->at == '<' || *rest->at == '>')) {
        p->error = "no number goes right before < or >; with a blank between it is a word";
        return;
    }
    s->quoted[s->count] = quoted;
    s->word[s->count++] = word;
}

static void skip_blanks(struct kozo_str *rest)
{
    while (rest->len > 0 && is_blank(*rest->at)) {
        rest->at++;
        rest->len--;
    }
}

/* `< FILE`, `> FILE` or `>> FILE`. */
static void add_redirection(struct parsed *p, char mark, struct kozo_str *rest)
{
    struct kozo_str *to = mark == '<' ? &p->in : &p->out;
    bool quoted = false;

    if (mark == '>' && rest->len > 0 && *rest->at == '>') {
        p->append = true;
        rest->at++;
        rest->len--;
    }
    skip_blanks(rest);
    if (to->len > 0)
        p->error = mark == '<' ? "more than one <" : "more than one >";
    else if (mark == '<' && p->stages > 1)
        p->error = "< belongs to the first stage of a pipe";
    else {
        *to = read_word(p, rest, &quoted);
        if (to->len == 0 && p->error == nullptr)
            p->error = mark == '<' ? "no file after <" : "no file after >";
    }
}

static void add_stage(struct parsed *p)
{
    if (p->stage[p->stages - 1].count == 0)
        p->error = "nothing before |";
    else if (p->out.len > 0)
        p->error = "> belongs to the last stage of a pipe";
    else if (p->stages == PARSE_STAGES)
        p->error = "more than 3 stages in a pipe";
    else
        p->stage[p->stages++].count = 0;
}

static void take(struct parsed *p, struct kozo_str *rest)
{
    char c = *rest->at;

    if (!is_mark(c)) {
        add_word(p, rest);
        return;
    }
    rest->at++;
    rest->len--;
    if (c != '<' && c != '>' && rest->len > 0 && *rest->at == c)
        p->error = c == '|' ? "there is no ||; `;` parts two commands"
                            : "there is no &&; `;` parts two commands";
    else if (c == '|')
        add_stage(p);
    else if (c == '&') {
        skip_blanks(rest);
        p->background = true;
        if (rest->len > 0)
            p->error = "something after &; it ends a command, and `;` parts two";
    } else
        add_redirection(p, c, rest);
}

bool parse_command(struct parsed *p, struct kozo_str command)
{
    p->stages = 1;
    p->stage[0].count = 0;
    p->in = p->out = (struct kozo_str){};
    p->append = p->background = false;
    p->error = nullptr;
    p->used = 0;
    if (command.len > PARSE_BYTES)
        p->error = "more than 1024 bytes";
    for (uint64_t i = 0; i < command.len && p->error == nullptr; i++)
        if ((uint8_t)command.at[i] < ' ' && command.at[i] != '\t')
            p->error = "a control character";
    for (skip_blanks(&command); command.len > 0 && p->error == nullptr; skip_blanks(&command))
        take(p, &command);
    if (p->error == nullptr && p->stage[p->stages - 1].count == 0)
        p->error = p->stages > 1 ? "nothing after |" : "no command";
    return p->error == nullptr;
}
