/* SPDX-License-Identifier: MIT */
#include "console/clean.h"

/* Letters that look like letters anywhere: no marks that combine, no other direction or width. */
static const struct {
    uint32_t first, last;
} letters[] = {
    { 0x00c0, 0x00d6 }, { 0x00d8, 0x00f6 }, { 0x00f8, 0x017e }, { 0x0218, 0x021b },
    { 0x0386, 0x0386 }, { 0x0388, 0x038a }, { 0x038c, 0x038c }, { 0x038e, 0x03a1 },
    { 0x03a3, 0x03ce }, { 0x0400, 0x045f }, { 0x0490, 0x0491 }, { 0x1e80, 0x1e85 },
    { 0x1e9e, 0x1e9e },
};

static bool is_letter(uint32_t code)
{
    for (unsigned i = 0; i < sizeof letters / sizeof letters[0]; i++)
        if (code >= letters[i].first && code <= letters[i].last)
            return true;
    return false;
}

static bool is_mark(char last, char c) { return last == '[' && c == '?'; }

/* Blanks that could make a column, or are not seen at all. */
static bool is_gap(char last, struct kozo_str text)
{
    return text.at[0] == ' ' && (last == ' ' || last == 0 || text.len == 1);
}

/* The bytes of the first character, if it can be shown as it is; else 0. */
static uint64_t shown(struct kozo_str text)
{
    uint64_t n = text.at[0] == '\n' ? 1 : text_char(text);

    return n <= 1 || is_letter(text_code(text)) ? n : 0;
}

/* Bytes at the beginning that can be shown as they are. */
static uint64_t plain(struct clean *c, struct kozo_str text)
{
    uint64_t at = 0, n;

    while (at < text.len) {
        struct kozo_str rest = { text.at + at, text.len - at };

        n = shown(rest);
        if (n == 0 || is_mark(c->last, rest.at[0]))
            break;
        c->last = rest.at[n - 1];
        at += n;
    }
    return at;
}

static void add_number(struct line *l, uint32_t code)
{
    const uint8_t bytes[] = { (uint8_t)(code >> 16), (uint8_t)(code >> 8), (uint8_t)code };
    unsigned skip = bytes[0] == 0;

    line_add(l, "\\u{");
    line_add_bytes(l, bytes + skip, sizeof bytes - skip);
    line_add(l, "}");
}

/* Something in place of the first character, which cannot be shown. Returns its bytes. */
static uint64_t replace(struct clean *c, struct kozo_str text, clean_sink *sink)
{
    uint64_t n = text_char(text);
    char number[CLEAN_QUOTED];
    struct line l = line_begin(number, sizeof number);

    if (n > 1) {
        add_number(&l, text_code(text));
        sink(number, l.used);
        c->last = '}';
        return n;
    }
    if (c->last == '[')
        sink(" ", 1);
    sink("?", 1);
    c->last = '?';
    return 1;
}

void clean_text(struct clean *c, struct kozo_str text, clean_sink *sink)
{
    while (text.len > 0) {
        uint64_t n = plain(c, text);

        if (n > 0)
            sink(text.at, n);
        text = (struct kozo_str){ text.at + n, text.len - n };
        if (text.len == 0)
            return;
        n = replace(c, text, sink);
        text = (struct kozo_str){ text.at + n, text.len - n };
    }
}

struct kozo_str clean_quote(struct kozo_str *text, char *last, char to[CLEAN_QUOTED])
{
    struct line l = line_begin(to, CLEAN_QUOTED);
    char c = text->at[0];
    uint64_t n = text_char(*text);

    if (n > 1)
        add_number(&l, text_code(*text));
    else if (n == 0 || c == '\t' || c == '"' || c == '\\' || is_mark(*last, c) ||
             is_gap(*last, *text)) {
        line_add(&l, "\\x");
        line_add_bytes(&l, (const uint8_t *)&c, 1);
    } else
        line_add_str(&l, (struct kozo_str){ &c, 1 });
    *last = c;
    n += n == 0;
    *text = (struct kozo_str){ text->at + n, text->len - n };
    return line_text(&l);
}
