/* SPDX-License-Identifier: MIT */
#include "fsd/origin.h"

enum kozo_err origin_check(const struct origins *o, uint64_t client)
{
    const struct origin *own = &o->at[origin_of_account(account_of(client))];

    return life_of(client) < own->life ? KOZO_ERR_STALE : KOZO_OK;
}

/* Nothing that was made of it is good any more. */
static void end(struct origins *o, uint32_t i)
{
    o->ops->revoke(i);
    o->at[i].turn = (o->at[i].turn + 1) % ORIGIN_TURNS;
    o->at[i].open = false;
}

void origin_end(struct origins *o, uint8_t lease)
{
    end(o, lease);
    if (o->giving == lease)
        o->giving = ORIGIN_NONE;
}

void origin_hear(struct origins *o, uint64_t client)
{
    uint8_t account = account_of(client), i = origin_of_account(account);
    uint32_t life = life_of(client);

    if (o->at[i].open && life != o->at[i].life) {
        end(o, i);
        for (uint32_t k = ORIGIN_LEASES; k < ORIGINS; k++)
            if (o->at[k].open && o->at[k].account == account)
                origin_end(o, (uint8_t)k);
    }
    o->at[i].account = account;
    o->at[i].life = life;
    o->at[i].open = true;
}

/* What was given with an answer that did not arrive nobody has, and nobody could end. */
static void settle(struct origins *o)
{
    if (o->giving != ORIGIN_NONE && !o->ops->arrived())
        origin_end(o, o->giving);
    o->giving = ORIGIN_NONE;
}

uint8_t origin_take(struct origins *o, uint64_t client)
{
    constexpr uint32_t leases = ORIGINS - ORIGIN_LEASES;

    settle(o);
    for (uint32_t k = 1; k <= leases; k++) {
        uint32_t i = ORIGIN_LEASES + (o->newest + k) % leases;

        if (o->at[i].open)
            continue;
        o->newest = (uint8_t)(i - ORIGIN_LEASES);
        o->at[i].account = account_of(client);
        o->at[i].open = true;
        o->fresh = (uint8_t)i;
        return (uint8_t)i;
    }
    return ORIGIN_NONE;
}

enum kozo_err origin_give(struct origins *o, uint8_t i, uint64_t rights, uint64_t badge,
                          struct kozo_cap_desc *out)
{
    bool fresh = o->fresh == i;
    enum kozo_err err;

    settle(o);
    o->fresh = ORIGIN_NONE;
    err = o->ops->give(i, rights, badge, out);
    if (fresh && err != KOZO_OK)
        origin_end(o, i);
    else if (fresh)
        o->giving = i;
    return err;
}
