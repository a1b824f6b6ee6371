/* SPDX-License-Identifier: MIT */
#include "common/rights.h"

static const char *const names[] = { "read", "write", "list", "create", "remove" };
constexpr unsigned name_count = sizeof names / sizeof names[0];
static_assert(RIGHTS_ALL == (1u << name_count) - 1);

uint8_t right_of(struct kozo_str word)
{
    for (unsigned i = 0; i < name_count; i++)
        if (kozo_str_is(word, names[i]))
            return (uint8_t)(1u << i);
    return kozo_str_is(word, "kill") ? RIGHT_KILL : 0;
}

constexpr uint8_t unknown = RIGHTS_ALL + 1;

uint8_t rights_asked(uint64_t rights)
{
    return (uint8_t)(rights & RIGHTS_ALL) | ((rights & ~(uint64_t)RIGHTS_ALL) != 0 ? unknown : 0);
}

static char *append(char *to, const char *text)
{
    while (*text != '\0')
        *to++ = *text++;
    return to;
}

const char *rights_text(char to[RIGHTS_TEXT], uint8_t rights)
{
    char *end = to;

    for (unsigned i = 0; i <= name_count; i++) {
        if ((rights & 1u << i) == 0)
            continue;
        if (end != to)
            *end++ = ' ';
        end = append(end, i < name_count ? names[i] : "unknown");
    }
    if (end == to)
        end = append(end, "none");
    *end = '\0';
    return to;
}

const char *rights_text_of(char to[RIGHTS_TEXT], struct kozo_str object, uint8_t rights)
{
    if (rights != RIGHT_KILL || !text_starts(object, kozo_str("process:")))
        return rights_text(to, rights);
    *append(to, "kill") = '\0';
    return to;
}
