/* SPDX-License-Identifier: MIT */
#include "shell/cycles.h"

void cycles_mark(const uint32_t *next, uint32_t n, bool *in)
{
    for (uint32_t i = 0; i < n; i++) {
        uint32_t at = next[i], steps = 0;

        while (at < n && at != i && steps++ < n)
            at = next[at];
        in[i] = at == i;
    }
}
