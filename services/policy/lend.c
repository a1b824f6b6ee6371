/* SPDX-License-Identifier: MIT */
/* Capabilities to policy that a service lends a program of its own, under a name. */
#include "common/identity.h"
#include "policy/policy.h"

#include <kozo/slots.h>
#include <kozo/string.h>
#include <kozo/syscall.h>

static struct policy_lend *lend_of(struct policy_server *p, uint64_t badge)
{
    uint32_t i = identity_index(badge);

    return i < MANIFEST_SERVICES ? &p->lend[i] : nullptr;
}

bool lend_is_current(struct policy_server *p, uint64_t badge)
{
    const struct policy_lend *l = lend_of(p, badge);

    return identity_lend(badge) == 0 || (l != nullptr && l->badge == badge);
}

struct kozo_str lend_describe(struct policy_server *p, uint64_t badge, char to[POLICY_WHO])
{
    const struct manifest_service *s = identity_service(&p->manifest, badge);
    const struct policy_lend *l = lend_of(p, badge);
    char name[MANIFEST_NAME + 1];
    struct line text = line_begin(to, POLICY_WHO);

    if (identity_lend(badge) == 0 || l == nullptr || l->badge != badge) {
        line_add(&text, "a program run by ");
        line_add_str(&text, s->name);
        return line_text(&text);
    }
    (void)text_name(name, POLICY_WHO - sizeof " (a program run by )" + 1 - s->name.len,
                    kozo_str(l->name));
    line_add(&text, name);
    line_add(&text, " (a program run by ");
    line_add_str(&text, s->name);
    line_add(&text, ")");
    return line_text(&text);
}

static void take_back(struct policy_lend *l)
{
    if (l->slot != 0)
        (void)kozo_cap_revoke(kozo_own(l->slot));
    kozo_slot_drop(l->slot);
    *l = (struct policy_lend){};
}

void lend_end_outlived(struct policy_server *p, uint64_t badge)
{
    struct policy_lend *l = lend_of(p, badge);

    if (l != nullptr && l->badge != 0 && identity_life(l->badge) < identity_life(badge))
        take_back(l);
}

/* Only the service itself has programs. */
static enum kozo_err want_self(struct policy_server *p, const struct kozo_msg *m)
{
    if ((m->user & KOZO_POLICY_REQUEST) == 0)
        return tell_rights(p, m, KOZO_POLICY_REQUEST);
    if ((m->user & KOZO_POLICY_SELF) == 0)
        return tell_rights(p, m, KOZO_POLICY_SELF);
    return lend_of(p, m->badge) != nullptr ? KOZO_OK : KOZO_ERR_STALE;
}

enum kozo_err serve_lend(struct policy_server *p, const struct kozo_msg *m,
                         const struct policy_lend_req *req, struct policy_lend_rep *rep)
{
    struct policy_lend *l = lend_of(p, m->badge);
    enum kozo_err err = want_self(p, m);

    if (err == KOZO_OK && req->name.len == 0)
        err = KOZO_ERR_ARGUMENT;
    if (err != KOZO_OK)
        return err;
    take_back(l);
    l->slot = kozo_slot_alloc();
    if (l->slot == 0)
        return KOZO_ERR_LIMIT;
    l->badge = identity_lent_as(m->badge, ++p->store->lends);
    kozo_str_copy(l->name, sizeof l->name, req->name);
    err = kozo_cap_mint(kozo_own(l->slot), kozo_own(p->port.c),
                        KOZO_RIGHTS(KOZO_WRITE | KOZO_GRANT, KOZO_POLICY_REQUEST), l->badge)
              .err;
    if (err != KOZO_OK) {
        take_back(l);
        return err;
    }
    rep->number = identity_lend(l->badge);
    rep->cap = kozo_give(l->slot, KOZO_RIGHTS_ALL, UINT8_MAX);
    return KOZO_OK;
}

/* The leases of an earlier life of policy's, too: they have the number. */
static uint32_t end_leases(struct policy_server *p, uint64_t badge)
{
    struct lease_table *t = &p->store->leases;
    uint32_t n = 0;

    for (uint32_t i = 0; i < LEASES; i++)
        if (t->lease[i].serial != 0 && t->lease[i].badge == badge) {
            grant_end(p, i, AUDIT_RELEASED, "its requester has ended");
            n++;
        }
    return n;
}

enum kozo_err serve_unlend(struct policy_server *p, const struct kozo_msg *m,
                           const struct policy_unlend_req *req, struct policy_unlend_rep *rep)
{
    struct policy_lend *l = lend_of(p, m->badge);
    enum kozo_err err = want_self(p, m);
    uint64_t badge;
    bool current;

    (void)rep;
    if (err != KOZO_OK)
        return err;
    badge = m->badge | IDENTITY_LENT | (req->number & 0xffff) << 16;
    if (req->number == 0 || req->number != identity_lend(badge))
        return KOZO_ERR_NOT_FOUND;
    current = l->badge == badge;
    if (current)
        take_back(l);
    request_cancel(p, badge);
    return end_leases(p, badge) > 0 || current ? KOZO_OK : KOZO_ERR_NOT_FOUND;
}
