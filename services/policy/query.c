/* SPDX-License-Identifier: MIT */
#include "common/identity.h"
#include "policy/policy.h"

#include <kozo/time.h>

/* ---- leases ---- */

/* What it lent its capability to got, a service may give back; not the other way round. */
static bool owns(const struct kozo_msg *m, const struct lease *l)
{
    uint64_t badge = policy_requester(m);

    return l->badge == badge || identity_service_badge(l->badge) == badge;
}

static enum kozo_err serve_release(struct policy_server *p, const struct kozo_msg *m,
                                   const struct policy_release_req *req,
                                   struct policy_release_rep *rep)
{
    uint32_t i = lease_find(&p->store->leases, req->lease);

    (void)rep;
    if ((m->user & KOZO_POLICY_REQUEST) == 0)
        return tell_rights(p, m, KOZO_POLICY_REQUEST);
    if (i != LEASE_NONE && !owns(m, &p->store->leases.lease[i])) {
        (void)tell_rights(p, m, KOZO_POLICY_REVOKE); /* somebody else's: that is what it takes */
        i = LEASE_NONE;
    }
    if (i == LEASE_NONE)
        return KOZO_ERR_NOT_FOUND;
    grant_end(p, i, AUDIT_RELEASED, "its requester gave it back");
    return KOZO_OK;
}

static enum kozo_err serve_revoke(struct policy_server *p, const struct kozo_msg *m,
                                  const struct policy_revoke_req *req,
                                  struct policy_revoke_rep *rep)
{
    uint32_t i = lease_find(&p->store->leases, req->lease);
    struct line reason;
    char text[64];

    (void)rep;
    if ((m->user & KOZO_POLICY_REVOKE) == 0)
        return tell_rights(p, m, KOZO_POLICY_REVOKE);
    if (i == LEASE_NONE)
        return KOZO_ERR_NOT_FOUND;
    reason = line_begin(text, sizeof text);
    line_add(&reason, "revoked by ");
    line_add_str(&reason, policy_name(p, m->badge));
    grant_end(p, i, AUDIT_REVOKED, text);
    return KOZO_OK;
}

static enum kozo_err serve_leases(struct policy_server *p, const struct kozo_msg *m,
                                  const struct policy_leases_req *req,
                                  struct policy_leases_rep *rep)
{
    uint64_t now = kozo_now();
    const struct lease *l;
    uint32_t i;

    if ((m->user & KOZO_POLICY_LOOK) == 0)
        return tell_rights(p, m, KOZO_POLICY_LOOK);
    if (req->from == 0)
        grant_end_the_dead(p, m->badge);
    do
        i = lease_from(&p->store->leases, req->from);
    while (i != LEASE_NONE && grant_end_if_dead(p, i));
    if (i == LEASE_NONE)
        return KOZO_ERR_NOT_FOUND;
    l = &p->store->leases.lease[i];
    *rep =
        (struct policy_leases_rep){ .lease = l->serial,
                                    .who = policy_name(p, l->badge),
                                    .object = kozo_str(l->object),
                                    .rights = l->rights,
                                    .tier = l->tier,
                                    .lease_ms = l->lease_ms,
                                    .left_ms = l->expires > now ? (l->expires - now) / KOZO_MS : 0,
                                    .rule = kozo_str(l->rule),
                                    .seen = l->seen,
                                    .slot = l->once ? lease_once_slot(i) : lease_slot(i) };
    return KOZO_OK;
}

/* ---- rules ---- */

/* Who would open the object; empty when nobody does. */
static struct kozo_str provider_of(const struct policy_server *p, struct kozo_str name)
{
    const struct manifest_service *s;
    struct object object;

    if (!object_parse(name, &object))
        return (struct kozo_str){};
    if (rules_power(&object) != 0)
        return kozo_str("init");
    s = manifest_provider(&p->manifest, object.provider);
    return s != nullptr ? s->name : (struct kozo_str){};
}

static enum kozo_err serve_rule(struct policy_server *p, const struct kozo_msg *m,
                                const struct policy_rule_req *req, struct policy_rule_rep *rep)
{
    struct rules_request q = { manifest_service(&p->manifest, req->who), req->object, req->rights };
    struct rules_answer *a = &p->answer;

    if ((m->user & KOZO_POLICY_LOOK) == 0)
        return tell_rights(p, m, KOZO_POLICY_LOOK);
    if (q.subject == nullptr)
        return KOZO_ERR_NOT_FOUND;
    rules_decide(&p->manifest, &q, a);
    *rep =
        (struct policy_rule_rep){ .decision = a->decision,
                                  .tier = a->tier,
                                  .lease_ms = a->lease_ms,
                                  .rule = a->rule != nullptr ? a->rule->name : (struct kozo_str){},
                                  .provider = provider_of(p, req->object),
                                  .reason = kozo_str(a->reason),
                                  .hint = kozo_str(a->hint) };
    return KOZO_OK;
}

/* ---- the audit ---- */

static enum kozo_err serve_audit(struct policy_server *p, const struct kozo_msg *m,
                                 const struct policy_audit_req *req, struct policy_audit_rep *rep)
{
    const struct record *r;

    if ((m->user & KOZO_POLICY_LOOK) == 0)
        return tell_rights(p, m, KOZO_POLICY_LOOK);
    r = record_from(&p->store->records, req->from);
    if (r == nullptr)
        return KOZO_ERR_NOT_FOUND;
    *rep = (struct policy_audit_rep){ .seq = r->seq,
                                      .at_ms = r->at_ms,
                                      .who = policy_name(p, r->badge),
                                      .object = kozo_str(r->object),
                                      .rights = r->rights,
                                      .result = r->result,
                                      .tier = r->tier,
                                      .lease = r->lease,
                                      .lease_ms = r->lease_ms,
                                      .rule = kozo_str(r->rule),
                                      .drained = r->drained,
                                      .refused =
                                          p->store->records.refused[identity_requester(r->badge)] };
    return KOZO_OK;
}

static enum kozo_err serve_explain(struct policy_server *p, const struct kozo_msg *m,
                                   const struct policy_explain_req *req,
                                   struct policy_explain_rep *rep)
{
    const struct record *r;

    if ((m->user & KOZO_POLICY_LOOK) == 0)
        return tell_rights(p, m, KOZO_POLICY_LOOK);
    r = record_from(&p->store->records, req->seq);
    if (r == nullptr || r->seq != req->seq)
        return KOZO_ERR_NOT_FOUND;
    *rep = (struct policy_explain_rep){ kozo_str(r->why), kozo_str(r->reason), kozo_str(r->hint) };
    return KOZO_OK;
}

static enum kozo_err serve_drain(struct policy_server *p, const struct kozo_msg *m,
                                 const struct policy_drain_req *req, struct policy_drain_rep *rep)
{
    if ((m->user & KOZO_POLICY_DRAIN) == 0)
        return tell_rights(p, m, KOZO_POLICY_DRAIN);
    rep->count = record_drain(&p->store->records, req->through);
    return KOZO_OK;
}

const struct policy_ops policy_operations = {
    .request = serve_request,
    .release = serve_release,
    .leases = serve_leases,
    .audit = serve_audit,
    .explain = serve_explain,
    .drain = serve_drain,
    .revoke = serve_revoke,
    .rule = serve_rule,
    .lend = serve_lend,
    .unlend = serve_unlend,
};
