/* SPDX-License-Identifier: MIT */
#include "common/gate.h"

uint64_t gate_missed(struct gate *g, uint64_t now)
{
    uint64_t missed = g->untold;

    if (now - g->since < GATE_SPAN)
        return 0;
    g->untold = 0;
    g->told = 0;
    return missed;
}

uint64_t gate_deadline(const struct gate *g)
{
    return g->untold > 0 ? g->since + GATE_SPAN : UINT64_MAX;
}

bool gate_pass(struct gate *g, uint64_t now)
{
    if (g->told == 0)
        g->since = now;
    if (g->told == GATE_LINES) {
        g->untold++;
        return false;
    }
    g->told++;
    return true;
}
