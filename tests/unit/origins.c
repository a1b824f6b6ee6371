/* SPDX-License-Identifier: MIT */
#include "origins.h"

#include <string.h>

uint32_t revokes[ORIGINS];
bool lost;
enum kozo_err cannot_give;

static enum kozo_err give(uint32_t, uint64_t rights, uint64_t badge, struct kozo_cap_desc *out)
{
    if (cannot_give == KOZO_OK)
        *out = kozo_give_badged(17, KOZO_WRITE | KOZO_GRANT, rights, badge);
    return cannot_give;
}

static bool arrived(void) { return !lost; }

static void revoke(uint32_t i) { revokes[i]++; }

const struct origin_ops fake_slots = { give, arrived, revoke };

void fake_slots_begin(void)
{
    memset(revokes, 0, sizeof revokes);
    lost = false;
    cannot_give = KOZO_OK;
}
