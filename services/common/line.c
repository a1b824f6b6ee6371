/* SPDX-License-Identifier: MIT */
#include "common/line.h"

struct line line_begin(char *at, uint64_t size)
{
    at[0] = '\0';
    return (struct line){ at, size, 0 };
}

static void add_char(struct line *l, char c)
{
    if (l->used + 1 >= l->size)
        return;
    l->at[l->used++] = c;
    l->at[l->used] = '\0';
}

void line_add_str(struct line *l, struct kozo_str text)
{
    for (uint64_t i = 0; i < text.len; i++)
        add_char(l, text.at[i]);
}

void line_add(struct line *l, const char *text)
{
    while (*text != '\0')
        add_char(l, *text++);
}

void line_add_number(struct line *l, uint64_t value)
{
    char digits[20];
    unsigned n = 0;

    do {
        digits[n++] = (char)('0' + value % 10);
        value /= 10;
    } while (value != 0);
    while (n > 0)
        add_char(l, digits[--n]);
}

static void add_nibble(struct line *l, unsigned v)
{
    add_char(l, "0123456789abcdef"[v & 15]);
}

void line_add_hex(struct line *l, uint64_t value)
{
    unsigned shift = 60;

    line_add(l, "0x");
    while (shift > 0 && value >> shift == 0)
        shift -= 4;
    for (;; shift -= 4) {
        add_nibble(l, (unsigned)(value >> shift));
        if (shift == 0)
            return;
    }
}

void line_add_bytes(struct line *l, const uint8_t *bytes, uint64_t count)
{
    for (uint64_t i = 0; i < count; i++) {
        add_nibble(l, bytes[i] >> 4);
        add_nibble(l, bytes[i]);
    }
}

void line_add_escaped(struct line *l, struct kozo_str text)
{
    static const char cut[] = "\\...";
    uint64_t end = l->used + LINE_ESCAPED < l->size ? l->used + LINE_ESCAPED : l->size - 1;

    while (text.len > 0) {
        char c = text.at[0];
        uint64_t n = text_char(text);
        bool plain = n > 0 && c != '"' && c != '\\' && c != '\t';

        if (l->used + (plain ? n : 4) + sizeof cut - 1 > end) {
            line_add(l, cut);
            return;
        }
        n += n == 0;
        if (plain)
            line_add_str(l, (struct kozo_str){ text.at, n });
        else {
            line_add(l, "\\x");
            line_add_bytes(l, (const uint8_t *)&c, 1);
        }
        text.at += n;
        text.len -= n;
    }
}

void line_add_quoted(struct line *l, struct kozo_str text)
{
    while (text.len > 0) {
        uint64_t n = text_char(text);

        if (text.at[0] == '"')
            add_char(l, '\'');
        else if (n == 0)
            add_char(l, '?');
        else
            line_add_str(l, (struct kozo_str){ text.at, n });
        n += n == 0;
        text.at += n;
        text.len -= n;
    }
}
