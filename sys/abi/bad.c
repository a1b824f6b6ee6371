/* SPDX-License-Identifier: MIT */
#include <kozo/bad.h>

constexpr uint64_t SHOWN = 32;         /* bytes of the file in one place, at most */
constexpr uint64_t HUGE = 1ull << 32;  /* nobody reads such numbers as decimal ones */

struct out {
    char *at;
    uint64_t used;
};

static void put(struct out *o, char c)
{
    if (o->used < KOZO_BAD_TEXT - 1)
        o->at[o->used++] = c;
}

static void put_text(struct out *o, const char *text)
{
    while (*text != '\0')
        put(o, *text++);
}

static void put_number(struct out *o, uint64_t v, unsigned base)
{
    char digits[20];
    unsigned n = 0;

    do {
        digits[n++] = "0123456789abcdef"[v % base];
        v /= base;
    } while (v != 0);
    while (n > 0)
        put(o, digits[--n]);
}

static bool is_plain(uint8_t b)
{
    return b >= 0x20 && b < 0x7f && b != '"' && b != '\\';
}

static void put_byte(struct out *o, uint8_t b)
{
    if (is_plain(b)) {
        put(o, (char)b);
        return;
    }
    put_text(o, "\\x");
    put(o, "0123456789abcdef"[b >> 4]);
    put(o, "0123456789abcdef"[b & 15]);
}

/* Of something long the end is told: names differ there. */
static void put_bytes(struct out *o, const char *bytes, uint64_t len)
{
    uint64_t room = SHOWN; /* characters; a byte that is escaped needs four */
    uint64_t from = len;

    while (from > 0) {
        uint64_t needs = is_plain((uint8_t)bytes[from - 1]) ? 1 : 4;

        if (needs > room)
            break;
        room -= needs;
        from--;
    }
    if (from > 0)
        put_text(o, "...");
    for (; from < len; from++)
        put_byte(o, (uint8_t)bytes[from]);
}

static void put_quoted(struct out *o, const struct kozo_bad *bad)
{
    put(o, '"');
    put_bytes(o, bad->text, bad->text_len);
    put(o, '"');
}

static void put_value(struct out *o, const struct kozo_bad *bad)
{
    switch (bad->form) {
    case KOZO_BAD_VERSION:
        put_number(o, bad->value >> 32, 10);
        put(o, '.');
        put_number(o, (uint32_t)bad->value, 10);
        return;
    case KOZO_BAD_BYTES:
        put_quoted(o, bad);
        return;
    case KOZO_BAD_CLASH:
        put_quoted(o, bad);
        put_text(o, " beside the entry at byte ");
        put_number(o, bad->value, 10);
        return;
    case KOZO_BAD_OCTAL:
        put(o, '0');
        put_number(o, bad->value, 8);
        return;
    case KOZO_BAD_NUMBER:
        break;
    }
    if (bad->value < HUGE)
        put_number(o, bad->value, 10);
    if (bad->value < 10)
        return;
    put_text(o, bad->value < HUGE ? " (0x" : "0x");
    put_number(o, bad->value, 16);
    if (bad->value < HUGE)
        put(o, ')');
}

const char *kozo_bad_text(const struct kozo_bad *bad, char to[KOZO_BAD_TEXT])
{
    struct out o = { to, 0 };

    if (bad->entry != nullptr) {
        put_bytes(&o, bad->entry, bad->entry_len);
        put_text(&o, ": ");
    }
    put_text(&o, bad->field != nullptr ? bad->field : "contents");
    put_text(&o, " at byte ");
    put_number(&o, bad->at, 10);
    put_text(&o, " is ");
    put_value(&o, bad);
    to[o.used] = '\0';
    return to;
}
