/* SPDX-License-Identifier: MIT */
#include "common/identity.h"
#include "common/rights.h"
#include "policy/policy.h"

#include <kozo/log.h>
#include <kozo/print.h>
#include <kozo/string.h>
#include <kozo/time.h>

struct kozo_str policy_name(struct policy_server *p, uint64_t badge)
{
    const struct manifest_service *s = identity_service(&p->manifest, badge);
    char *lent;

    if (s == nullptr)
        return kozo_str("unknown");
    if ((badge & IDENTITY_LENT) == 0)
        return s->name;
    lent = p->lent[identity_index(badge)];
    kozo_snprintf(lent, POLICY_WHO, "%.*s" KOZO_POLICY_LENT, (int)s->name.len, s->name.at);
    return kozo_str(lent);
}

uint64_t policy_requester(const struct kozo_msg *m)
{
    return (m->user & KOZO_POLICY_SELF) != 0 ? m->badge : m->badge | IDENTITY_LENT;
}

static void keep(struct record *r, const struct audit *a, uint8_t tier, uint64_t lease)
{
    r->at_ms = a->at_ms;
    r->lease = lease;
    r->lease_ms = a->lease_ms;
    r->rights = a->rights;
    r->tier = tier;
    r->result = a->result;
    kozo_str_copy(r->rule, sizeof r->rule, a->rule);
    kozo_str_copy(r->object, sizeof r->object, a->object);
    text_printable(r->why, sizeof r->why, a->why);
    kozo_str_copy(r->reason, sizeof r->reason, a->reason);
    kozo_str_copy(r->hint, sizeof r->hint, a->hint);
}

static void write_line(struct kozo_str text)
{
    char line[AUDIT_BYTES];

    kozo_str_copy(line, sizeof line - 1, text);
    text.len = strlen(line);
    line[text.len] = '\n';
    (void)kozo_log_write(line, text.len + 1);
}

static void write_denial(void *context, struct kozo_str line)
{
    (void)context;
    write_line(line);
}

/* Whether its line is written: of what a requester did not get, no flood. */
static bool is_told(struct policy_server *p, uint64_t badge, const struct audit *a)
{
    if (a->result != AUDIT_DENIED && a->result != AUDIT_FAILED && a->result != AUDIT_CANCELLED)
        return true;
    return denial_pass(&p->denials, identity_index(badge), kozo_now(),
                       policy_name(p, badge & ~IDENTITY_LENT), write_denial, nullptr);
}

uint64_t tell(struct policy_server *p, uint64_t badge, const struct audit *a, uint8_t tier,
              uint64_t lease)
{
    struct record *r = record_add(&p->store->records, badge, a->seen);
    struct audit full = *a;
    char line[AUDIT_BYTES];

    full.seq = r != nullptr ? r->seq : ++p->store->records.seqs;
    if (full.at_ms == 0)
        full.at_ms = kozo_now() / KOZO_MS;
    full.who = policy_name(p, badge);
    full.held = lease_rights(&p->store->leases, badge, a->object);
    if (r != nullptr)
        keep(r, &full, tier, lease);
    if (is_told(p, badge, &full))
        write_line((struct kozo_str){ line, audit_write(line, sizeof line - 1, &full) });
    return full.seq;
}

void tell_refusal(struct policy_server *p, uint64_t badge, const struct policy_request_req *req)
{
    uint32_t who = identity_index(badge); /* lines are counted for both */
    uint8_t has = lease_rights(&p->store->leases, badge, req->object);
    char rights[RIGHTS_TEXT], held[RIGHTS_TEXT];

    p->store->records.refused[identity_requester(badge)]++;
    denial_tell(&p->denials, who, kozo_now(),
                &(struct denial){ .who = policy_name(p, badge & ~IDENTITY_LENT),
                                  .object = req->object,
                                  .asked = kozo_str(rights_text_of(rights, req->object,
                                                                   rights_asked(req->rights))),
                                  .held = kozo_str(rights_text_of(held, req->object, has)),
                                  .rule = kozo_str("audit-share"),
                                  .hint = kozo_str(p->answer.hint) },
                write_denial, nullptr);
}

enum kozo_err tell_rights(struct policy_server *p, const struct kozo_msg *m, uint8_t asked)
{
    static const struct denial_names names = {
        .object = "policy",
        .right = { "request", "look", "revoke", "drain", "self" },
        .hint = "policy under capabilities in its section of " MANIFEST_PATH
                " is to request; policy-admin to look, revoke and drain",
    };

    denial_of_rights(&p->denials, &p->manifest, m->badge, m->user, asked, &names, kozo_now(),
                     write_denial, nullptr);
    return KOZO_ERR_RIGHTS;
}

void tell_settle(struct policy_server *p)
{
    denial_settle(&p->denials, kozo_now(), write_denial, nullptr);
}
