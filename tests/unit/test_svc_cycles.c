/* SPDX-License-Identifier: MIT */
/* shell: services that wait for one another in a circle. */
#include "unit.h"

#include "shell/cycles.h"

#define NOBODY 9u

static const char *marked(const uint32_t *next, uint32_t n)
{
    static char text[16];
    bool in[16];

    cycles_mark(next, n, in);
    for (uint32_t i = 0; i < n; i++)
        text[i] = in[i] ? '*' : '.';
    text[n] = '\0';
    return text;
}

TEST(a_chain_is_no_circle)
{
    CHECK_STR(marked((uint32_t[]){ 1, 2, NOBODY }, 3), "...");
    CHECK_STR(marked((uint32_t[]){ NOBODY }, 1), ".");
}

TEST(those_in_a_circle_are_marked_and_who_waits_for_them_is_not)
{
    CHECK_STR(marked((uint32_t[]){ 1, 0 }, 2), "**");
    CHECK_STR(marked((uint32_t[]){ 0 }, 1), "*");
    CHECK_STR(marked((uint32_t[]){ 1, 2, 3, 1, 0 }, 5), ".***.");
    CHECK_STR(marked((uint32_t[]){ 1, 0, 3, 2, NOBODY }, 5), "****.");
}
