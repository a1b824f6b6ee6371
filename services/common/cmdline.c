/* SPDX-License-Identifier: MIT */
#include "common/cmdline.h"

#include "common/line.h"

#include <kozo/cmdline.h>

static const char *const known[] = { "kozo.init", "kozo.seed", "kozo.run", "kozo.exit_on_fail",
                                     "kozo.unattended" };

static bool find(struct kozo_str cmdline, const char *name, struct kozo_word *value)
{
    return kozo_cmdline_find((struct kozo_word){ cmdline.at, cmdline.len }, name, value);
}

bool cmdline_has(struct kozo_str cmdline, const char *name)
{
    struct kozo_word value;

    return find(cmdline, name, &value);
}

/* A \ that only says that what follows is no end and no such mark itself. */
static bool is_mark(struct kozo_word value, uint64_t i)
{
    return value.at[i] == '\\' && i + 1 < value.len &&
           (value.at[i + 1] == '"' || value.at[i + 1] == '\\');
}

bool cmdline_read(struct kozo_str cmdline, const char *name, char *to, struct kozo_str *value)
{
    struct kozo_word raw;
    bool quoted;

    if (!find(cmdline, name, &raw))
        return false;
    quoted = raw.len > 0 && raw.at[-1] == '"';
    *value = (struct kozo_str){ to, 0 };
    for (uint64_t i = 0; i < raw.len; i++) {
        i += quoted && is_mark(raw, i);
        to[value->len++] = raw.at[i];
    }
    return true;
}

static bool is_known(struct kozo_word word)
{
    for (unsigned i = 0; i < sizeof known / sizeof known[0]; i++)
        if (kozo_cmdline_names(word, known[i]))
            return true;
    return false;
}

uint64_t cmdline_unknown(struct kozo_str cmdline, char *to, uint64_t size)
{
    struct kozo_word rest = { cmdline.at, cmdline.len };
    struct line l = line_begin(to, size);

    for (struct kozo_word w = kozo_cmdline_next(&rest); w.len > 0; w = kozo_cmdline_next(&rest)) {
        if (is_known(w))
            continue;
        if (l.used > 0)
            line_add(&l, " ");
        line_add_quoted(&l, (struct kozo_str){ w.at, w.len });
    }
    return l.used;
}

bool cmdline_is_closed(struct kozo_str cmdline)
{
    enum kozo_cmdline_place place = KOZO_CMDLINE_PLAIN;

    for (uint64_t i = 0; i < cmdline.len; i++)
        place = kozo_cmdline_after(place, cmdline.at[i]);
    return place == KOZO_CMDLINE_PLAIN;
}
