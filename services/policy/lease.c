/* SPDX-License-Identifier: MIT */
#include "policy/lease.h"
#include "common/identity.h"
#include "common/line.h"

#include <kozo/time.h>

static const uint64_t store_magic = 0x34534553414c5a4bull;

bool lease_store_open(struct lease_store *l)
{
    if (l->magic == store_magic)
        return true;
    for (uint32_t i = 0; i < LEASES; i++)
        lease_free(&l->leases, i);
    record_clear(&l->records);
    l->lends = 0;
    l->magic = store_magic;
    return false;
}

static bool is_taken(const struct lease_table *t, uint32_t i) { return t->lease[i].serial != 0; }

static bool is_in_use(const struct lease_table *t, uint32_t i)
{
    return is_taken(t, i) || t->lease[i].state == LEASE_ENDED;
}

uint32_t lease_count(const struct lease_table *t, uint32_t who)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < LEASES; i++)
        n += is_in_use(t, i) && identity_requester(t->lease[i].badge) == who;
    return n;
}

/* Those whose end needs a place in the share. */
static uint32_t unseen(const struct lease_table *t, uint32_t who)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < LEASES; i++)
        n += is_taken(t, i) && !t->lease[i].seen && identity_requester(t->lease[i].badge) == who;
    return n;
}

bool lease_store_has_room(const struct lease_store *l, uint32_t who, uint32_t waiting,
                          uint32_t share)
{
    return record_undrained(&l->records, who) + unseen(&l->leases, who) +
               RECORD_FOR_A_REQUEST * (waiting + 1) <=
           share;
}

uint8_t lease_rights(const struct lease_table *t, uint64_t badge, struct kozo_str object)
{
    uint8_t rights = 0;

    for (uint32_t i = 0; i < LEASES; i++)
        if (is_taken(t, i) && t->lease[i].badge == badge &&
            text_equal(kozo_str(t->lease[i].object), object))
            rights |= t->lease[i].rights;
    return rights;
}

uint32_t lease_take(struct lease_table *t, uint64_t serial, uint64_t badge, struct kozo_str object,
                    uint8_t rights)
{
    uint32_t i = 0;

    while (i < LEASES && is_in_use(t, i))
        i++;
    if (i == LEASES || lease_count(t, identity_requester(badge)) >= LEASES_EACH)
        return LEASE_NONE;
    t->lease[i] = (struct lease){ .serial = serial, .badge = badge, .rights = rights };
    struct line name = line_begin(t->lease[i].object, sizeof t->lease[i].object);
    line_add_str(&name, object);
    return i;
}

void lease_hold(struct lease_table *t, uint32_t i) { t->lease[i].expires = UINT64_MAX; }

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

uint32_t lease_from(const struct lease_table *t, uint64_t from)
{
    uint32_t best = LEASE_NONE;

    for (uint32_t i = 0; i < LEASES; i++)
        if (is_taken(t, i) && t->lease[i].serial >= from &&
            (best == LEASE_NONE || t->lease[i].serial < t->lease[best].serial))
            best = i;
    return best;
}

void lease_end(struct lease_table *t, uint32_t i)
{
    t->lease[i].serial = 0;
    t->lease[i].state = LEASE_ENDED;
}

uint32_t lease_ended(const struct lease_table *t, uint32_t from)
{
    for (uint32_t i = from; i < LEASES; i++)
        if (t->lease[i].state == LEASE_ENDED)
            return i;
    return LEASE_NONE;
}

void lease_free(struct lease_table *t, uint32_t i) { t->lease[i] = (struct lease){}; }

uint32_t lease_outlived(const struct lease_table *t, uint64_t badge)
{
    for (uint32_t i = 0; i < LEASES; i++)
        if (is_taken(t, i) && identity_index(t->lease[i].badge) == identity_index(badge) &&
            identity_life(t->lease[i].badge) < identity_life(badge))
            return i;
    return LEASE_NONE;
}

uint32_t lease_in_state(const struct lease_table *t, enum lease_state state)
{
    for (uint32_t i = 0; i < LEASES; i++)
        if (is_taken(t, i) && t->lease[i].state == state)
            return i;
    return LEASE_NONE;
}

uint64_t lease_next(const struct lease_table *t)
{
    uint64_t next = UINT64_MAX;

    for (uint32_t i = 0; i < LEASES; i++)
        if (is_taken(t, i) && t->lease[i].expires < next)
            next = t->lease[i].expires;
    return next;
}

uint32_t lease_over(const struct lease_table *t, uint64_t now)
{
    for (uint32_t i = 0; i < LEASES; i++)
        if (is_taken(t, i) && t->lease[i].expires <= now)
            return i;
    return LEASE_NONE;
}
