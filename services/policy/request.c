/* SPDX-License-Identifier: MIT */
#include "common/identity.h"
#include "common/rights.h"
#include "policy/person.h"

#include <kozo/print.h>
#include <kozo/slots.h>
#include <kozo/start.h>
#include <kozo/string.h>
#include <kozo/syscall.h>
#include <kozo/system.h>
#include <kozo/time.h>

constexpr uint64_t look_every = 100 * KOZO_MS; /* whether those that wait are still there */

static struct {
    const char *alone, *hint; /* why nobody is at the terminal; null: somebody may be */
    uint64_t next_look;
} request;

/* ---- deciding ---- */

static void record(struct policy_server *p, uint64_t badge, const struct audit *about,
                   enum audit_result result, uint64_t lease)
{
    const struct rules_answer *a = &p->answer;
    struct audit full = *about;

    full.result = result;
    full.seen = a->by_person;
    full.lease_ms = result == AUDIT_GRANTED ? a->lease_ms : 0;
    full.rule = a->rule != nullptr ? a->rule->name : (struct kozo_str){};
    full.reason = kozo_str(a->reason);
    full.hint = kozo_str(a->hint);
    (void)tell(p, badge, &full, a->tier, lease);
}

/* Grants what p->answer allows. The lease is in *i; the error and p->answer say why there is none. */
static enum kozo_err grant(struct policy_server *p, uint64_t badge, const struct audit *about,
                           struct policy_request_rep *rep, uint32_t *i)
{
    struct rules_answer yes = p->answer;
    struct audit from = *about;
    const struct lease *l;
    enum kozo_err err = grant_make(p, badge, about->object, about->rights, &yes, i);

    if (err != KOZO_OK) {
        record(p, badge, about, AUDIT_FAILED, 0);
        return err;
    }
    l = &p->store->leases.lease[*i];
    rep->lease = l->serial;
    rep->lease_ms = yes.lease_ms;
    rep->cap = (struct kozo_cap_desc){ .slot = (uint32_t)p->given, .flags = KOZO_CAP_MOVE };
    from.at_ms = l->expires / KOZO_MS - l->lease_ms; /* when the lease began, to the millisecond */
    record(p, badge, &from, AUDIT_GRANTED, rep->lease);
    return KOZO_OK;
}

/*
 * Decides by p->answer (allow or deny), and answers the requester: by `to`, or the one owed when
 * that is 0.
 */
static void decide(struct policy_server *p, uint64_t badge, const struct audit *about, kozo_cptr to)
{
    struct policy_request_rep rep = {};
    enum kozo_err err = KOZO_ERR_DENIED;
    uint32_t i = LEASE_NONE;
    struct kozo_msg m;

    if (p->answer.decision == DECISION_ALLOW)
        err = grant(p, badge, about, &rep, &i);
    else
        record(p, badge, about, AUDIT_DENIED, 0);
    rep.reason = kozo_str(p->answer.reason);
    rep.hint = kozo_str(p->answer.hint);
    kozo_msg_init(&m);
    (void)policy_put_request_rep(&m, &rep);
    m.err = err;
    err = to != 0 ? kozo_reply_to((struct kozo_reply){ to }, &m) : kozo_reply(&m);
    if (i != LEASE_NONE)
        grant_settle(p, i, err == KOZO_OK && m.sent == 1);
}

/* ---- those that wait for a person's word ---- */

static struct audit about(const struct consent_request *r)
{
    return (struct audit){ .object = kozo_str(r->object),
                           .rights = (uint8_t)r->rights,
                           .why = kozo_str(r->why) };
}

static bool is_there(const struct policy_server *p, uint32_t k)
{
    struct kozo_verified v = kozo_cap_verify(kozo_own(p->asker[k]), kozo_own(0));

    return v.err == KOZO_OK && KOZO_VERIFY_KIND(v.what) == KOZO_KIND_REPLY;
}

static void forget(struct policy_server *p, uint32_t k)
{
    consent_end(&p->consent, k);
    kozo_slot_drop(p->asker[k]);
    p->asker[k] = 0;
}

/* The requester has ended, has been replaced, or waits no more: there is nobody to answer. */
static void cancel(struct policy_server *p, uint32_t k)
{
    struct audit a = about(&p->consent.request[k]);

    p->answer = p->consent.request[k].answer;
    rules_refuse(&p->answer, "its requester ended, or gave up waiting", "");
    record(p, p->consent.request[k].badge, &a, AUDIT_CANCELLED, 0);
    if (p->consent.request[k].state == CONSENT_SHOWN) {
        consent_note(&p->consent, k, CONSENT_SILENCE, kozo_now()); /* it took the terminal, too */
        person_withdraw("withdrawn: who asked has ended, or gave up waiting");
    }
    forget(p, k);
}

/* Ends a request that waited: by p->answer. */
static void finish(struct policy_server *p, uint32_t k)
{
    struct audit a = about(&p->consent.request[k]);

    decide(p, p->consent.request[k].badge, &a, p->asker[k]);
    forget(p, k);
}

static void finish_denied(struct policy_server *p, uint32_t k, const char *why, const char *hint)
{
    p->answer = p->consent.request[k].answer;
    rules_no_consent(&p->answer, why, hint);
    finish(p, k);
}

static void finish_allowed(struct policy_server *p, uint32_t k)
{
    struct line l;

    p->answer = p->consent.request[k].answer;
    p->answer.decision = DECISION_ALLOW;
    p->answer.by_person = true;
    l = line_begin(p->answer.reason, sizeof p->answer.reason);
    line_add(&l, "the person at the console said yes");
    p->answer.hint[0] = '\0';
    finish(p, k);
}

static void deny_all(struct policy_server *p, const char *why, const char *hint)
{
    for (uint32_t k = 0; k < CONSENTS; k++)
        if (p->consent.request[k].state != CONSENT_FREE)
            finish_denied(p, k, why, hint);
}

static void be_silent(struct policy_server *p, uint32_t k, bool answered)
{
    person_withdraw(answered ? "that answer came too late: the time was over, denied"
                             : "no answer in time: denied");
    finish_denied(p, k, "nobody answered in time", "be at the console, and ask again");
}

/* What the person said, and the time limit: the question on the terminal ends by one of them. */
static void settle(struct policy_server *p)
{
    struct consent_said said = {};
    enum person_state state = person_take(&said.order);
    uint32_t k = consent_shown(&p->consent);
    uint64_t now = kozo_now();
    enum consent_outcome outcome;

    said.yes = state == PERSON_SAYS_YES;
    said.anything = said.yes || state == PERSON_SAYS_NO;
    if (state == PERSON_UNREACHABLE) {
        deny_all(p, "the console does not serve", "see ps");
        return;
    }
    outcome = consent_settle(&p->consent, &said, now);
    if (outcome != CONSENT_UNDECIDED)
        consent_note(&p->consent, k, outcome, now);
    switch (outcome) {
    case CONSENT_UNDECIDED:
        break;
    case CONSENT_YES:
        finish_allowed(p, k);
        break;
    case CONSENT_NO:
        finish_denied(p, k, "the person at the console said no", "");
        break;
    case CONSENT_SILENCE:
        be_silent(p, k, said.anything);
        break;
    }
}

/* As the person reads it. */
static struct kozo_str clear_name(struct policy_server *p, uint64_t badge, char to[POLICY_WHO])
{
    return (badge & IDENTITY_LENT) != 0 ? lend_describe(p, badge, to)
                                        : identity_service(&p->manifest, badge)->name;
}

static void show_next(struct policy_server *p)
{
    uint32_t k = consent_next(&p->consent);
    char who[POLICY_WHO];

    if (k == CONSENT_NONE || !person_is_idle())
        return;
    consent_show(&p->consent, k, kozo_now());
    person_ask(&p->consent.request[k], clear_name(p, p->consent.request[k].badge, who));
}

void request_cancel(struct policy_server *p, uint64_t badge)
{
    for (uint32_t k = 0; k < CONSENTS; k++)
        if (p->consent.request[k].state != CONSENT_FREE && p->consent.request[k].badge == badge)
            cancel(p, k);
}

static void look_for_the_gone(struct policy_server *p)
{
    for (uint32_t k = 0; k < CONSENTS; k++)
        if (p->consent.request[k].state != CONSENT_FREE && !is_there(p, k))
            cancel(p, k);
    request.next_look = kozo_now() + look_every;
}

void request_look(struct policy_server *p)
{
    look_for_the_gone(p);
    settle(p);
    show_next(p);
}

static bool anybody_waits(const struct policy_server *p)
{
    for (uint32_t k = 0; k < CONSENTS; k++)
        if (p->consent.request[k].state != CONSENT_FREE)
            return true;
    return false;
}

uint64_t request_deadline(const struct policy_server *p)
{
    uint64_t next = consent_deadline(&p->consent);

    if (!anybody_waits(p))
        return UINT64_MAX;
    return next < request.next_look ? next : request.next_look;
}

/* ---- a request ---- */

/* It was said no too often: a denial that says when it can be asked again, never too early. */
static void leave_in_peace(struct policy_server *p, uint64_t ns)
{
    char hint[64];
    struct line l = line_begin(hint, sizeof hint);

    line_add(&l, "ask again in ");
    line_add_number(&l, (ns + KOZO_S - 1) / KOZO_S);
    line_add(&l, " s");
    rules_no_consent(&p->answer, "the person has said no, or nothing, too often", hint);
}

/* Whether it may wait for a person's word; if not, p->answer is a denial that says why. */
static bool may_ask(struct policy_server *p, uint64_t badge, uint32_t *k)
{
    uint64_t quiet = consent_quiet_for(&p->consent, badge, kozo_now());

    if (request.alone != nullptr)
        rules_no_consent(&p->answer, request.alone, request.hint);
    else if (!person_is_there())
        rules_no_consent(&p->answer, "no console to ask on",
                         "give policy the capability console-ask in " MANIFEST_PATH);
    else if (quiet > 0)
        leave_in_peace(p, quiet);
    else if ((*k = consent_add(&p->consent, badge)) == CONSENT_NONE)
        rules_no_consent(&p->answer, "too many questions wait for the person already",
                         "wait for the answer to those");
    else
        return true;
    return false;
}

static bool wait_for_person(struct policy_server *p, uint64_t badge,
                            const struct policy_request_req *req)
{
    struct consent_request *r;
    uint32_t k = CONSENT_NONE;

    if (!may_ask(p, badge, &k))
        return false;
    r = &p->consent.request[k];
    p->asker[k] = kozo_slot_alloc();
    if (p->asker[k] == 0 || kozo_reply_save(kozo_own(p->asker[k])) != KOZO_OK) {
        forget(p, k);
        rules_no_consent(&p->answer, "no room to wait", "ask again later");
        return false;
    }
    r->rights = req->rights;
    kozo_str_copy(r->object, sizeof r->object, req->object);
    text_printable(r->why, sizeof r->why, req->reason);
    r->answer = p->answer;
    return true;
}

enum kozo_err serve_request(struct policy_server *p, const struct kozo_msg *m,
                            const struct policy_request_req *req, struct policy_request_rep *rep)
{
    struct rules_request q = { identity_service(&p->manifest, m->badge), req->object, req->rights };
    struct audit a = { .object = req->object,
                       .rights = rights_asked(req->rights),
                       .why = req->reason };
    uint64_t badge = policy_requester(m);

    if ((m->user & KOZO_POLICY_REQUEST) == 0)
        return tell_rights(p, m, KOZO_POLICY_REQUEST);
    if (q.subject == nullptr || !lend_is_current(p, m->badge))
        return KOZO_ERR_STALE;
    grant_end_the_dead(p, badge);
    if (!lease_store_has_room(p->store, identity_requester(badge),
                              consent_count(&p->consent, identity_requester(badge)), p->share)) {
        p->answer = (struct rules_answer){};
        rules_refuse(&p->answer, "its share of the audit is full",
                     "somebody with the right must drain it: policy drain");
        tell_refusal(p, badge, req);
        rep->reason = kozo_str(p->answer.reason);
        rep->hint = kozo_str(p->answer.hint);
        return KOZO_ERR_DENIED;
    }
    rules_decide(&p->manifest, &q, &p->answer);
    if (p->answer.decision == DECISION_ASK && wait_for_person(p, badge, req)) {
        p->later = true;
        return KOZO_OK;
    }
    decide(p, badge, &a, 0);
    p->answered = true;
    return KOZO_OK;
}

/* What the kernel's command line says of it. A word there can deny consent, none can give it. */
static void look_for_a_person(void)
{
    struct kozo_endpoint init = kozo_cap_endpoint("process");
    struct system_commands_rep rep;
    struct kozo_msg m;

    kozo_msg_init(&m);
    if (init.c == 0 ||
        system_call_commands(init, &m, &(struct system_commands_req){}, &rep) != KOZO_OK)
        return;
    if (rep.given != 0) {
        request.alone = "commands come from kozo.run, nobody is at the terminal";
        request.hint = "start without --exec, and type them at the prompt";
    } else if (rep.unattended != 0) {
        request.alone = "nobody is at the terminal";
        request.hint = "start with a terminal as standard input, without kozo.unattended";
    }
}

void request_begin(struct policy_server *p)
{
    look_for_a_person();
    p->consent.limit_ms = p->manifest.consent_seconds * 1000;
    if (request.alone == nullptr)
        (void)person_begin(p->port);
}
