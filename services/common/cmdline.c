/* SPDX-License-Identifier: MIT */
#include "common/cmdline.h"

#include <kozo/cmdline.h>

bool cmdline_find(struct kozo_str cmdline, const char *name, struct kozo_str *value)
{
    struct kozo_word word;

    if (!kozo_cmdline_find((struct kozo_word){ cmdline.at, cmdline.len }, name, &word))
        return false;
    *value = (struct kozo_str){ word.at, word.len };
    return true;
}
