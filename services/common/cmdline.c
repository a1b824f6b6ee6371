/* SPDX-License-Identifier: MIT */
#include "common/cmdline.h"

#include "common/line.h"

#include <kozo/cmdline.h>

static const char *const known[] = { "kozo.init", "kozo.seed", "kozo.run", "kozo.exit_on_fail",
                                     "kozo.unattended" };

bool cmdline_find(struct kozo_str cmdline, const char *name, struct kozo_str *value)
{
    struct kozo_word word;

    if (!kozo_cmdline_find((struct kozo_word){ cmdline.at, cmdline.len }, name, &word))
        return false;
    *value = (struct kozo_str){ word.at, word.len };
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
    uint64_t quotes = 0;

    for (uint64_t i = 0; i < cmdline.len; i++)
        quotes += cmdline.at[i] == '"';
    return quotes % 2 == 0;
}
