/* SPDX-License-Identifier: MIT */
#include "shell/help.h"

static const struct help_page pages[] = {
#include "help.inc"
};
constexpr uint32_t page_count = sizeof pages / sizeof pages[0];

const struct help_page *help_find(struct kozo_str name)
{
    for (uint32_t i = 0; i < page_count; i++)
        if (kozo_str_is(name, pages[i].name))
            return &pages[i];
    return nullptr;
}

bool help_programs(bool (*print)(const char *format, ...))
{
    const char *mark = "";

    for (uint32_t i = 0; i < page_count; i++) {
        if (!pages[i].program)
            continue;
        if (!print("%s%s", mark, pages[i].name))
            return false;
        mark = ", ";
    }
    return print("\n");
}

void help_each(bool programs, bool (*add)(const char *name))
{
    for (uint32_t i = 0; i < page_count; i++)
        if (!programs || pages[i].program)
            (void)add(pages[i].name);
}
