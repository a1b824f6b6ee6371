/* SPDX-License-Identifier: MIT */
#include "policy/lease.h"
#include "common/line.h"

#include <kozo/time.h>

static const uint64_t table_magic = 0x31534553414c5a4bull;

bool lease_open(struct lease_table *t)
{
    if (t->magic == table_magic)
        return true;
    for (uint32_t i = 0; i < LEASES; i++)
        lease_free(t, i);
    t->serials = 0;
    t->audits = 0;
    t->magic = table_magic;
    return false;
}

static uint32_t count_of(const struct lease_table *t, uint64_t badge)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < LEASES; i++)
        n += t->lease[i].serial != 0 && t->lease[i].badge == badge;
    return n;
}

uint32_t lease_take(struct lease_table *t, uint64_t badge, struct kozo_str object, uint8_t rights)
{
    uint32_t i = 0;

    while (i < LEASES && t->lease[i].serial != 0)
        i++;
    if (i == LEASES || count_of(t, badge) >= LEASES_EACH)
        return LEASE_NONE;
    t->lease[i] = (struct lease){ .serial = ++t->serials, .badge = badge, .rights = rights };
    struct line name = line_begin(t->lease[i].object, sizeof t->lease[i].object);
    line_add_str(&name, object);
    return i;
}

void lease_begin(struct lease_table *t, uint32_t i, uint32_t lease_ms, uint64_t now)
{
    t->lease[i].lease_ms = lease_ms;
    t->lease[i].expires = now + lease_ms * KOZO_MS;
}

uint32_t lease_find(const struct lease_table *t, uint64_t serial)
{
    for (uint32_t i = 0; serial != 0 && i < LEASES; i++)
        if (t->lease[i].serial == serial)
            return i;
    return LEASE_NONE;
}

void lease_free(struct lease_table *t, uint32_t i)
{
    t->lease[i] = (struct lease){};
}

uint64_t lease_next(const struct lease_table *t)
{
    uint64_t next = UINT64_MAX;

    for (uint32_t i = 0; i < LEASES; i++)
        if (t->lease[i].serial != 0 && t->lease[i].expires < next)
            next = t->lease[i].expires;
    return next;
}

uint32_t lease_over(const struct lease_table *t, uint64_t now)
{
    for (uint32_t i = 0; i < LEASES; i++)
        if (t->lease[i].serial != 0 && t->lease[i].expires <= now)
            return i;
    return LEASE_NONE;
}
