/* SPDX-License-Identifier: MIT */
/* policy, kill and restart: grants, and powers that have to be granted. */
#include "common/object.h"
#include "common/rights.h"
#include "shell/policy.h"
#include "shell/run.h"
#include "shell/services.h"
#include "shell/shell.h"

#include <kozo/error.h>
#include <kozo/policy.h>
#include <kozo/print.h>
#include <kozo/start.h>
#include <kozo/string.h>
#include <kozo/system.h>

static struct kozo_msg message;

struct kozo_endpoint policy_admin(struct kozo_msg *m)
{
    kozo_msg_init(m);
    (void)kozo_reconnect("policy-admin"); /* it may be in another life */
    return kozo_cap_endpoint("policy-admin");
}

/* ---- policy ---- */

static const char *const results[] = { "granted",  "denied",  "failed", "expired",
                                       "released", "revoked", "used",   "cancelled" };

static const char *result_of(uint64_t r)
{
    return r < sizeof results / sizeof results[0] ? results[r] : "?";
}

static const char *const tiers[] = { "low", "medium", "high", "critical" };

const char *policy_tier(uint64_t t) { return t < sizeof tiers / sizeof tiers[0] ? tiers[t] : "?"; }

static struct {
    int who, rule; /* as wide as the longest needs */
} columns;

static void begin_columns(void)
{
    columns.who = 10;
    columns.rule = 12;
}

static void widen(struct kozo_str who, struct kozo_str rule)
{
    if ((int)who.len > columns.who)
        columns.who = (int)who.len;
    if ((int)rule.len > columns.rule)
        columns.rule = (int)rule.len;
}

static bool print_head(const char *number, const char *what, const char *when)
{
    return shell_print("%6s %-*s %-9s %8s %-*s %s\n", number, columns.who, "WHO", what, when,
                       columns.rule, "RULE", "RIGHTS, OBJECT");
}

static bool measure_lease(const struct policy_leases_rep *l)
{
    widen(l->who, l->rule);
    return true;
}

static bool print_lease(const struct policy_leases_rep *l)
{
    char rights[RIGHTS_TEXT];

    return shell_print("%6llu %-*.*s %-9s %8llu %-*.*s %s %.*s\n", (unsigned long long)l->lease,
                       columns.who, (int)l->who.len, l->who.at, policy_tier(l->tier),
                       (unsigned long long)l->left_ms, columns.rule, (int)l->rule.len, l->rule.at,
                       rights_text_of(rights, l->object, (uint8_t)l->rights), (int)l->object.len,
                       l->object.at);
}

static enum kozo_err each_lease(bool (*take)(const struct policy_leases_rep *l))
{
    struct policy_leases_rep rep = {};
    enum kozo_err err;

    for (uint64_t from = 0;; from = rep.lease + 1) {
        err = policy_call_leases(policy_admin(&message), &message,
                                 &(struct policy_leases_req){ .from = from }, &rep);
        if (err != KOZO_OK)
            return err == KOZO_ERR_NOT_FOUND ? KOZO_OK : err;
        if (!take(&rep))
            return KOZO_ERR_CANCELLED;
    }
}

static enum kozo_err list_leases(void)
{
    enum kozo_err err;

    begin_columns();
    err = each_lease(measure_lease);
    if (err != KOZO_OK)
        return err;
    return print_head("LEASE", "TIER", "LEFT ms") ? each_lease(print_lease) : KOZO_ERR_CANCELLED;
}

static bool measure_record(const struct policy_audit_rep *a)
{
    widen(a->who, a->rule);
    return true;
}

static bool print_record(const struct policy_audit_rep *a)
{
    char rights[RIGHTS_TEXT];

    return shell_print("%6llu %-*.*s %-9s %8llu %-*.*s %s %.*s\n", (unsigned long long)a->seq,
                       columns.who, (int)a->who.len, a->who.at, result_of(a->result),
                       (unsigned long long)a->at_ms, columns.rule, (int)a->rule.len, a->rule.at,
                       rights_text_of(rights, a->object, (uint8_t)a->rights), (int)a->object.len,
                       a->object.at);
}

static enum kozo_err each_record(bool (*take)(const struct policy_audit_rep *a))
{
    struct policy_audit_rep rep = {};
    enum kozo_err err;

    for (uint64_t from = 0;; from = rep.seq + 1) {
        err = policy_call_audit(policy_admin(&message), &message,
                                &(struct policy_audit_req){ .from = from }, &rep);
        if (err != KOZO_OK)
            return err == KOZO_ERR_NOT_FOUND ? KOZO_OK : err;
        if (!take(&rep))
            return KOZO_ERR_CANCELLED;
    }
}

static enum kozo_err list_audit(void)
{
    enum kozo_err err;

    begin_columns();
    err = each_record(measure_record);
    if (err != KOZO_OK)
        return err;
    return print_head("NUMBER", "RESULT", "AT ms") ? each_record(print_record) : KOZO_ERR_CANCELLED;
}

static bool print_text(const char *name, struct kozo_str text)
{
    char printable[200];

    text_printable(printable, sizeof printable, text);
    return text.len == 0 || shell_print("%-8s %s\n", name, printable);
}

/* The record itself, then its texts. */
static enum kozo_err explain(uint64_t number)
{
    struct policy_audit_rep a;
    struct policy_explain_rep e;
    enum kozo_err err = policy_call_audit(policy_admin(&message), &message,
                                          &(struct policy_audit_req){ .from = number }, &a);

    if (err == KOZO_OK && a.seq != number)
        err = KOZO_ERR_NOT_FOUND;
    begin_columns();
    if (err != KOZO_OK)
        return err;
    if (!print_record(&a) ||
        !shell_print("%-8s %s, lease %llu for %llu ms\n", "tier", policy_tier(a.tier),
                     (unsigned long long)a.lease, (unsigned long long)a.lease_ms))
        return KOZO_ERR_CANCELLED;
    err = policy_call_explain(policy_admin(&message), &message,
                              &(struct policy_explain_req){ .seq = number }, &e);
    if (err != KOZO_OK)
        return err;
    return print_text("asked", e.why) && print_text("reason", e.reason) &&
                   print_text("hint", e.hint)
               ? KOZO_OK
               : KOZO_ERR_CANCELLED;
}

static enum kozo_err revoke(uint64_t lease)
{
    struct policy_revoke_rep rep;

    return policy_call_revoke(policy_admin(&message), &message,
                              &(struct policy_revoke_req){ .lease = lease }, &rep);
}

static enum kozo_err drain(void)
{
    struct policy_drain_rep rep;
    enum kozo_err err =
        policy_call_drain(policy_admin(&message), &message,
                          &(struct policy_drain_req){ .through = UINT64_MAX }, &rep);

    if (err == KOZO_OK && !shell_print("%llu drained\n", (unsigned long long)rep.count))
        err = KOZO_ERR_CANCELLED;
    return err;
}

uint32_t command_policy(const struct words *w, uint32_t)
{
    enum kozo_err err = KOZO_ERR_ARGUMENT;
    uint64_t number = 0;
    bool numbered = w->count == 3 && kozo_parse_u64(w->word[2].at, w->word[2].len, &number);

    if (w->count == 2 && kozo_str_is(w->word[1], "list"))
        err = list_leases();
    else if (w->count == 2 && kozo_str_is(w->word[1], "audit"))
        err = list_audit();
    else if (w->count == 2 && kozo_str_is(w->word[1], "drain"))
        err = drain();
    else if (numbered && kozo_str_is(w->word[1], "explain"))
        err = explain(number);
    else if (numbered && kozo_str_is(w->word[1], "revoke"))
        err = revoke(number);
    else
        return shell_fail(w->word[0], "usage: policy list|audit|drain|explain N|revoke N");
    if (numbered && err == KOZO_ERR_NOT_FOUND)
        return shell_fail(w->word[2],
                          kozo_str_is(w->word[1], "revoke")
                              ? "no such lease; `policy list` lists them"
                              : "no such decision, or no more; `policy audit` lists them");
    return err == KOZO_OK ? 0 : shell_fail_err(w->word[w->count - 1], err);
}

/* ---- the lives of others ---- */

static struct services services; /* as they were before somebody was asked, and as they are then */

/* Whether there is such a service, before anybody is asked; what is wrong has been told then. */
static bool is_service(struct kozo_str name, bool ends, uint64_t *life)
{
    struct services *s = &services;
    enum kozo_err err = services_look(s);
    uint32_t i = services_find(s, name);

    if (err != KOZO_OK)
        (void)shell_fail_err(name, err);
    else if (kozo_str_is(name, "init"))
        (void)shell_fail(name, "all others are its own; `poweroff` ends the machine");
    else if (i == s->count)
        (void)shell_fail(name, "no such service; `ps` lists them");
    else if (ends && s->row[i].state == KOZO_SYSTEM_ENDED)
        (void)shell_fail(name, "it has ended already; `restart` begins its next life");
    else {
        *life = s->row[i].life;
        return true;
    }
    return false;
}

/* What came of it. The answer comes by policy: where policy itself was to end, there is none. */
static uint32_t tell_outcome(struct kozo_str name, uint64_t life, enum kozo_err err)
{
    uint32_t i;

    if (err == KOZO_ERR_GONE && services_look(&services) == KOZO_OK) {
        i = services_find(&services, name);
        if (i < services.count &&
            (services.row[i].life != life || services.row[i].state != KOZO_SYSTEM_RUNS))
            return 0;
    }
    return err == KOZO_OK ? 0 : shell_fail_err(name, err);
}

/* The right to end this service: policy grants it, or does not, to whom it asks. */
static bool ask_for_kill(struct kozo_str what, const char *why, struct kozo_grant *grant)
{
    char object[64], text[400];
    enum kozo_err err;

    kozo_snprintf(object, sizeof object, OBJECT_KILL "/%.*s", (int)what.len, what.at);
    (void)kozo_reconnect("policy");
    err = kozo_request(object, KOZO_SYSTEM_KILL, why, grant);
    if (err == KOZO_OK)
        return true;
    if (err == KOZO_ERR_DENIED)
        kozo_snprintf(text, sizeof text, "denied: %s%s%s", grant->reason,
                      grant->hint[0] != '\0' ? "; " : "", grant->hint);
    else
        kozo_snprintf(text, sizeof text, "policy: %s", kozo_err_text(err));
    (void)shell_fail(what, text);
    return false;
}

constexpr uint64_t why_bytes = 80; /* as much as a question shows */

/* Whether what is in /ram ends with it. */
static bool has_ram(struct kozo_str name)
{
    struct policy_rule_req req = { kozo_str(kozo_start()->service), kozo_str("fs:/ram"),
                                   KOZO_FILE_READ };
    struct policy_rule_rep rep;

    return policy_call_rule(policy_admin(&message), &message, &req, &rep) == KOZO_OK &&
           text_equal(rep.provider, name);
}

/* What the person is told: the command, and what is lost by it. */
static void make_reason(char why[why_bytes], const struct words *w)
{
    kozo_snprintf(why, why_bytes, "%.*s %.*s%s", (int)w->word[0].len, w->word[0].at,
                  (int)w->word[1].len, w->word[1].at,
                  has_ram(w->word[1]) ? ": what is in /ram is lost" : "");
}

uint32_t command_kill(const struct words *w, uint32_t)
{
    struct system_kill_rep rep;
    struct kozo_grant grant;
    char why[why_bytes];
    uint64_t job, life;
    enum kozo_err err;

    if (kozo_parse_u64(w->word[1].at, w->word[1].len, &job))
        return job <= UINT32_MAX && run_kill_job((uint32_t)job)
                   ? 0
                   : shell_fail(w->word[1], "no such job; `jobs` lists them");
    if (!is_service(w->word[1], true, &life))
        return 1;
    make_reason(why, w);
    if (!ask_for_kill(w->word[1], why, &grant))
        return 1;
    kozo_msg_init(&message);
    err = system_call_kill(grant.cap, &message, &(struct system_kill_req){ .name = w->word[1] },
                           &rep);
    (void)kozo_release(&grant);
    return tell_outcome(w->word[1], life, err);
}

uint32_t command_restart(const struct words *w, uint32_t)
{
    struct system_restart_rep rep;
    struct kozo_grant grant;
    char why[why_bytes];
    uint64_t life;
    enum kozo_err err;

    if (!is_service(w->word[1], false, &life))
        return 1;
    make_reason(why, w);
    if (!ask_for_kill(w->word[1], why, &grant))
        return 1;
    kozo_msg_init(&message);
    err = system_call_restart(grant.cap, &message,
                              &(struct system_restart_req){ .name = w->word[1] }, &rep);
    (void)kozo_release(&grant);
    return tell_outcome(w->word[1], life, err);
}
