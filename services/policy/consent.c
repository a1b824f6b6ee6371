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

/* How long it has been on the terminal. */
static uint64_t stood(const struct consent *c, const struct consent_request *r, uint64_t now)
{
    return r->state == CONSENT_SHOWN ? now + c->limit_ms * KOZO_MS - r->until : 0;
}

/* Those before it that are too long ago count no more; one more counts. */
static void add_no(struct patience *p, uint64_t waited, uint64_t now)
{
    uint32_t kept = 0;

    for (uint32_t n = 0; n < p->noes; n++) {
        uint64_t at = p->at[n] + waited;

        if (now < at + CONSENT_NOES_MS * KOZO_MS)
            p->at[kept++] = at;
    }
    p->at[kept] = now;
    p->noes = kept + 1;
}

void consent_note(struct consent *c, uint32_t i, enum consent_outcome outcome, uint64_t now)
{
    uint32_t who = identity_requester(c->request[i].badge);
    struct patience *p;

    if (who >= IDENTITY_REQUESTERS || outcome == CONSENT_UNDECIDED)
        return;
    p = &c->patience[who];
    if (outcome == CONSENT_YES) {
        p->noes = 0;
        return;
    }
    add_no(p, stood(c, &c->request[i], now), now);
    if (p->noes < CONSENT_NOES)
        return;
    p->noes = 0;
    p->until = now + CONSENT_QUIET_MS * KOZO_MS;
}

uint64_t consent_quiet_for(const struct consent *c, uint64_t badge, uint64_t now)
{
    uint32_t who = identity_requester(badge);

    return who < IDENTITY_REQUESTERS && now < c->patience[who].until ? c->patience[who].until - now
                                                                     : 0;
}
