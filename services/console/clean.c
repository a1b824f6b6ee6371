/* SPDX-License-Identifier: MIT */
#include "console/clean.h"

/* Bytes at the beginning that can be shown as they are. */
static uint64_t plain(struct clean *c, struct kozo_str text)
{
    uint64_t at = 0, n;

    while (at < text.len) {
        struct kozo_str rest = { text.at + at, text.len - at };

        n = rest.at[0] == '\n' ? 1 : text_char(rest);
        if (n == 0 || (rest.at[0] == '?' && c->last == '['))
            break;
        c->last = rest.at[n - 1];
        at += n;
    }
    return at;
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
        if (c->last == '[')
            sink(" ", 1);
        sink("?", 1);
        c->last = '?';
        text = (struct kozo_str){ text.at + 1, text.len - 1 };
    }
}
