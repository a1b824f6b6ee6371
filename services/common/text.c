/* SPDX-License-Identifier: MIT */
#include "common/text.h"

static bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r'; }

bool text_equal(struct kozo_str a, struct kozo_str b)
{
    return a.len == b.len && text_starts(a, b);
}

bool text_starts(struct kozo_str text, struct kozo_str start)
{
    if (text.len < start.len)
        return false;
    for (uint64_t i = 0; i < start.len; i++)
        if (text.at[i] != start.at[i])
            return false;
    return true;
}

struct kozo_str text_trim(struct kozo_str text)
{
    while (text.len > 0 && is_blank(text.at[0])) {
        text.at++;
        text.len--;
    }
    while (text.len > 0 && is_blank(text.at[text.len - 1]))
        text.len--;
    return text;
}

/* Cuts `length` bytes off `rest`, and drops `skip` more. */
static struct kozo_str take(struct kozo_str *rest, uint64_t length, uint64_t skip)
{
    struct kozo_str piece = { rest->at, length };

    rest->at += length + skip;
    rest->len -= length + skip;
    return piece;
}

struct kozo_str text_cut(struct kozo_str *rest, char mark)
{
    for (uint64_t i = 0; i < rest->len; i++)
        if (rest->at[i] == mark)
            return take(rest, i, 1);
    return take(rest, rest->len, 0);
}

struct kozo_str text_cut_word(struct kozo_str *rest)
{
    uint64_t n = 0;

    *rest = text_trim(*rest);
    while (n < rest->len && !is_blank(rest->at[n]))
        n++;
    return take(rest, n, 0);
}

bool text_matches(struct kozo_str pattern, struct kozo_str text)
{
    if (pattern.len == 0 || pattern.at[pattern.len - 1] != '*')
        return text_equal(pattern, text);
    return text_starts(text, (struct kozo_str){ pattern.at, pattern.len - 1 });
}

/*
 * Bytes of the UTF-8 sequence that begins with `lead`, 0 when none does; its first bits go to
 * *value.
 */
static uint64_t utf8_length(uint8_t lead, uint32_t *value)
{
    if (lead >= 0xc2 && lead <= 0xdf) {
        *value = lead & 0x1f;
        return 2;
    }
    if (lead >= 0xe0 && lead <= 0xef) {
        *value = lead & 0x0f;
        return 3;
    }
    if (lead >= 0xf0 && lead <= 0xf4) {
        *value = lead & 0x07;
        return 4;
    }
    return 0;
}

/* As text_char, for what is not ASCII. */
static uint64_t utf8_char(struct kozo_str text, uint32_t *value)
{
    const uint8_t *at = (const uint8_t *)text.at;
    uint64_t n = utf8_length(at[0], value);

    if (n == 0 || n > text.len)
        return 0;
    for (uint64_t i = 1; i < n; i++) {
        if ((at[i] & 0xc0) != 0x80)
            return 0;
        *value = *value << 6 | (at[i] & 0x3f);
    }
    /* Longer than need be, surrogates, beyond Unicode, or C1 controls. */
    if ((n == 3 && *value < 0x800) || (n == 4 && (*value < 0x10000 || *value > 0x10ffff)) ||
        (*value >= 0xd800 && *value <= 0xdfff) || *value < 0xa0)
        return 0;
    return n;
}

static uint64_t decode(struct kozo_str text, uint32_t *value)
{
    *value = text.len > 0 ? (uint8_t)text.at[0] : 0;
    if (*value >= 0x80)
        return utf8_char(text, value);
    return (*value >= ' ' && *value != 0x7f) || *value == '\t';
}

uint64_t text_char(struct kozo_str text)
{
    uint32_t value;

    return decode(text, &value);
}

uint32_t text_code(struct kozo_str text)
{
    uint32_t value;

    return decode(text, &value) > 0 ? value : 0;
}

uint64_t text_torn(struct kozo_str text)
{
    uint32_t value;

    for (uint64_t n = 1; n <= 3 && n <= text.len; n++) {
        uint8_t c = (uint8_t)text.at[text.len - n];

        if ((c & 0xc0) != 0x80)
            return utf8_length(c, &value) > n ? n : 0;
    }
    return 0;
}

uint64_t text_printable(char *to, uint64_t size, struct kozo_str text)
{
    uint64_t used = 0;

    while (text.len > 0) {
        uint64_t n = text_char(text), step = n > 0 ? n : 1;

        if (used + step >= size)
            break;
        if (n == 0)
            to[used++] = '?';
        for (uint64_t i = 0; i < n; i++)
            to[used++] = text.at[i];
        text.at += step;
        text.len -= step;
    }
    if (size > 0)
        to[used] = '\0';
    return used;
}

static bool is_of_a_name(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           c == '-' || c == '_' || c == '.' || c == '+' || c == '/';
}

uint64_t text_name(char *to, uint64_t size, struct kozo_str text)
{
    bool cut = text.len >= size;
    uint64_t len = cut ? size - 1 : text.len;

    for (uint64_t i = 0; i < len; i++)
        to[i] = is_of_a_name(text.at[i]) ? text.at[i] : '?';
    for (uint64_t i = 1; cut && i <= 2; i++)
        to[len - i] = '.';
    to[len] = '\0';
    return len;
}
