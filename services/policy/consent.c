/* SPDX-License-Identifier: MIT */
#include "policy/consent.h"
#include "common/identity.h"

#include <kozo/time.h>

uint32_t consent_count(const struct consent *c, uint32_t who)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < CONSENTS; i++)
        n += c->request[i].state != CONSENT_FREE && identity_requester(c->request[i].badge) == who;
    return n;
}

uint32_t consent_add(struct consent *c, uint64_t badge)
{
    uint32_t i = 0;

    while (i < CONSENTS && c->request[i].state != CONSENT_FREE)
        i++;
    if (i == CONSENTS || consent_count(c, identity_requester(badge)) >= CONSENTS_EACH)
        return CONSENT_NONE;
    c->request[i] =
        (struct consent_request){ .state = CONSENT_WAITS, .order = ++c->orders, .badge = badge };
    return i;
}

uint32_t consent_shown(const struct consent *c)
{
    for (uint32_t i = 0; i < CONSENTS; i++)
        if (c->request[i].state == CONSENT_SHOWN)
            return i;
    return CONSENT_NONE;
}

uint32_t consent_next(const struct consent *c)
{
    uint32_t best = CONSENT_NONE;

    if (consent_shown(c) != CONSENT_NONE)
        return CONSENT_NONE;
    for (uint32_t i = 0; i < CONSENTS; i++)
        if (c->request[i].state == CONSENT_WAITS &&
            (best == CONSENT_NONE || c->request[i].order < c->request[best].order))
            best = i;
    return best;
}

void consent_show(struct consent *c, uint32_t i, uint64_t now)
{
    c->request[i].state = CONSENT_SHOWN;
    c->request[i].until = now + c->limit_ms * KOZO_MS;
}

enum consent_outcome consent_settle(const struct consent *c, const struct consent_said *said,
                                    uint64_t now)
{
    uint32_t i = consent_shown(c);

    if (i == CONSENT_NONE)
        return CONSENT_UNDECIDED;
    if (now >= c->request[i].until)
        return CONSENT_SILENCE;
    if (!said->anything || said->order != c->request[i].order)
        return CONSENT_UNDECIDED;
    return said->yes ? CONSENT_YES : CONSENT_NO;
}

uint64_t consent_deadline(const struct consent *c)
{
    uint32_t i = consent_shown(c);

    return i != CONSENT_NONE ? c->request[i].until : UINT64_MAX;
}

void consent_end(struct consent *c, uint32_t i) { c->request[i] = (struct consent_request){}; }

void consent_note(struct consent *c, uint32_t i, enum consent_outcome outcome, uint64_t now)
{
    uint32_t who = identity_requester(c->request[i].badge);

    if (who >= IDENTITY_REQUESTERS || outcome == CONSENT_UNDECIDED)
        return;
    c->patience[who].noes = outcome == CONSENT_YES ? 0 : c->patience[who].noes + 1;
    if (c->patience[who].noes < CONSENT_NOES)
        return;
    c->patience[who].noes = 0;
    c->patience[who].until = now + CONSENT_QUIET_MS * KOZO_MS;
}

bool consent_is_quiet(const struct consent *c, uint64_t badge, uint64_t now)
{
    uint32_t who = identity_requester(badge);

    return who < IDENTITY_REQUESTERS && now < c->patience[who].until;
}
