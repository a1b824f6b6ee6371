/* SPDX-License-Identifier: MIT */
#include "policy/record.h"
#include "common/identity.h"

void record_clear(struct record_table *t) { *t = (struct record_table){}; }

uint32_t record_share(const struct manifest *m)
{
    uint32_t requesters = 0, share;

    for (uint32_t i = 0; i < m->services; i++)
        requesters += manifest_has(&m->service[i].capabilities, kozo_str("policy"));
    share = RECORDS / (2 * requesters + 1); /* one more for what is drained from the beginning */
    return share < RECORD_SHARE_MAX ? share : RECORD_SHARE_MAX;
}

uint32_t record_undrained(const struct record_table *t, uint32_t who)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < RECORDS; i++)
        n += t->record[i].seq != 0 && !t->record[i].drained &&
             identity_requester(t->record[i].badge) == who;
    return n;
}

struct record *record_add(struct record_table *t, uint64_t badge, bool drained)
{
    struct record *place = nullptr;

    for (uint32_t i = 0; i < RECORDS; i++) {
        struct record *r = &t->record[i];

        if ((r->seq == 0 || r->drained) && (place == nullptr || r->seq < place->seq))
            place = r;
    }
    if (place == nullptr)
        return nullptr;
    *place = (struct record){ .seq = ++t->seqs, .badge = badge, .drained = drained };
    return place;
}

const struct record *record_from(const struct record_table *t, uint64_t from)
{
    const struct record *best = nullptr;

    for (uint32_t i = 0; i < RECORDS; i++) {
        const struct record *r = &t->record[i];

        if (r->seq != 0 && r->seq >= from && (best == nullptr || r->seq < best->seq))
            best = r;
    }
    return best;
}

uint32_t record_drain(struct record_table *t, uint64_t through)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < RECORDS; i++) {
        struct record *r = &t->record[i];

        if (r->seq == 0 || r->drained || r->seq > through)
            continue;
        r->drained = true;
        n++;
    }
    return n;
}
