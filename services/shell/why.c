/* SPDX-License-Identifier: MIT */
/*
 * why: the grants that led to a capability; of an object by its clear name the leases of it, or what
 * the rules say.
 */
#include "common/rights.h"
#include "shell/caps.h"
#include "shell/json.h"
#include "shell/policy.h"

#include <kozo/error.h>
#include <kozo/print.h>
#include <kozo/string.h>

/* Whom policy's leases are looked through for. */
struct asked {
    struct kozo_str service;       /* the subject of rules: a program's is the shell */
    const struct program *program; /* null: the service, and programs that it lent to */
    struct kozo_str holder, object;
    bool json;
    uint32_t told; /* members of the list under way */
};

static struct kozo_msg message;

/* ---- leases ---- */

/* `who` is as policy names it: SERVICE, or SERVICE/program. */
static bool is_of(const struct asked *a, struct kozo_str who)
{
    struct kozo_str rest = who;
    bool lent;

    if (!text_starts(who, a->service))
        return false;
    rest.at += a->service.len;
    rest.len -= a->service.len;
    lent = kozo_str_is(rest, KOZO_POLICY_LENT);
    return a->program != nullptr ? lent && a->program->asks : lent || rest.len == 0;
}

/* The object itself, or a directory above it. */
static bool covers(struct kozo_str lease, struct kozo_str object)
{
    return text_starts(object, lease) &&
           (lease.len == object.len || lease.at[lease.len - 1] == '/' ||
            object.at[lease.len] == '/');
}

static enum kozo_err ask_rule(const struct asked *a, uint64_t rights, struct kozo_msg *m,
                              struct policy_rule_rep *rep)
{
    return policy_call_rule(policy_admin(m), m,
                            &(struct policy_rule_req){ a->service, a->object, rights }, rep);
}

static bool print_lease_text(const struct asked *a, const struct policy_leases_rep *l,
                             struct kozo_str provider)
{
    char rights[RIGHTS_TEXT];

    return shell_print("lease %llu of %.*s: %.*s, %s%s\n", (unsigned long long)l->lease,
                       (int)l->who.len, l->who.at, (int)l->object.len, l->object.at,
                       rights_text_of(rights, l->object, (uint8_t)l->rights),
                       l->object.len < a->object.len ? "; a directory above it" : "") &&
           shell_print("  tier %s, %llu of %llu ms left\n", policy_tier(l->tier),
                       (unsigned long long)l->left_ms, (unsigned long long)l->lease_ms) &&
           shell_print("  [rule %.*s]%s\n", (int)l->rule.len, l->rule.at,
                       l->seen != 0 ? ", and the person at the console said yes"
                                    : "; nobody was asked") &&
           shell_print("  granted by policy, opened by %.*s\n", (int)provider.len, provider.at);
}

/* Between two members of a list. */
static bool print_mark(struct asked *a) { return a->told++ == 0 || shell_print(",\n "); }

/* Up to its chain, which comes next. */
static bool print_lease_json(struct asked *a, const struct policy_leases_rep *l,
                             struct kozo_str provider)
{
    char text[1024], rights[RIGHTS_TEXT];
    struct json j = json_begin(text, sizeof text);

    json_number(&j, "lease", l->lease);
    json_text(&j, "who", l->who);
    json_text(&j, "object", l->object);
    json_text(&j, "rights", kozo_str(rights_text_of(rights, l->object, (uint8_t)l->rights)));
    json_text(&j, "tier", kozo_str(policy_tier(l->tier)));
    json_number(&j, "left_ms", l->left_ms);
    json_number(&j, "lease_ms", l->lease_ms);
    json_text(&j, "rule", l->rule);
    json_bool(&j, "by_person", l->seen != 0);
    json_text(&j, "provider", provider);
    json_open(&j, "chain", '[');
    return print_mark(a) && shell_print_str(json_part(&j));
}

static bool print_lease(struct asked *a, const struct policy_leases_rep *l)
{
    static struct kozo_msg of_rule;
    struct policy_rule_rep rule = {};

    (void)ask_rule(a, l->rights, &of_rule, &rule); /* without an answer no provider is named */
    return a->json ? print_lease_json(a, l, rule.provider) : print_lease_text(a, l, rule.provider);
}

/* All leases by which it has the object; how many in *found, what went wrong in *status. */
static enum kozo_err print_leases(struct asked *a, uint32_t *found, uint32_t *status)
{
    struct policy_leases_rep rep = {};
    bool lent;

    for (uint64_t from = 0;; from = rep.lease + 1) {
        enum kozo_err err = policy_call_leases(policy_admin(&message), &message,
                                               &(struct policy_leases_req){ .from = from }, &rep);

        if (err != KOZO_OK)
            return err == KOZO_ERR_NOT_FOUND ? KOZO_OK : err;
        if (!is_of(a, rep.who) || !covers(rep.object, a->object))
            continue;
        ++*found;
        if (!print_lease(a, &rep))
            return KOZO_ERR_CANCELLED;
        lent = rep.who.len > a->service.len;
        if (caps_print_lease(lent && a->program == nullptr ? (struct kozo_str){} : a->holder,
                             rep.slot, a->json) != 0)
            *status = 1;
        if (a->json && !shell_print("]}"))
            return KOZO_ERR_CANCELLED;
    }
}

/* ---- what the rules say ---- */

/* One right's answer, in as many bytes as are kept until the next is known. */
struct verdict {
    uint64_t decision, tier, lease_ms;
    char rule[32], text[360];
};

static enum kozo_err judge(const struct asked *a, uint64_t right, struct verdict *v)
{
    struct policy_rule_rep rep = {};
    enum kozo_err err = ask_rule(a, right, &message, &rep);

    *v = (struct verdict){ .decision = rep.decision, .tier = rep.tier, .lease_ms = rep.lease_ms };
    if (err != KOZO_OK)
        return err;
    kozo_str_copy(v->rule, sizeof v->rule, rep.rule);
    kozo_snprintf(v->text, sizeof v->text, "%.*s%s%.*s", (int)rep.reason.len, rep.reason.at,
                  rep.hint.len > 0 ? "; " : "", (int)rep.hint.len, rep.hint.at);
    return KOZO_OK;
}

static bool is_same(const struct verdict *a, const struct verdict *b)
{
    return a->decision == b->decision && a->tier == b->tier && a->lease_ms == b->lease_ms &&
           strcmp(a->rule, b->rule) == 0 && (a->rule[0] != '\0' || strcmp(a->text, b->text) == 0);
}

static bool print_verdict_json(struct asked *a, const char *rights, const struct verdict *v)
{
    static const char *const decisions[] = { "allow", "ask", "deny" };
    char text[1024];
    struct json j = json_begin(text, sizeof text);

    json_text(&j, "rights", kozo_str(rights));
    json_text(&j, "decision", kozo_str(decisions[v->decision < 2 ? v->decision : 2]));
    json_text(&j, "rule", kozo_str(v->rule));
    if (v->decision < 2) {
        json_text(&j, "tier", kozo_str(policy_tier(v->tier)));
        json_number(&j, "lease_ms", v->lease_ms);
    } else
        json_text(&j, "reason", kozo_str(v->text));
    return print_mark(a) && shell_print_str(json_end(&j, ""));
}

static bool print_verdict(struct asked *a, uint64_t rights, const struct verdict *v)
{
    char names[RIGHTS_TEXT];

    (void)rights_text_of(names, a->object, (uint8_t)rights);
    if (a->json)
        return print_verdict_json(a, names, v);
    if (v->rule[0] == '\0')
        return shell_print("  %s: denied: %s\n", names, v->text);
    if (v->decision == 2)
        return shell_print("  %s: [rule %s] denies it\n", names, v->rule);
    return shell_print("  %s: [rule %s] %s, tier %s, for %llu ms\n", names, v->rule,
                       v->decision == 0 ? "allows it" : "asks the person at the console",
                       policy_tier(v->tier), (unsigned long long)v->lease_ms);
}

/* Rights that are decided alike share a line. */
static enum kozo_err print_rules(struct asked *a)
{
    uint64_t all = text_starts(a->object, kozo_str("process:")) ? RIGHT_KILL : RIGHTS_ALL;
    uint64_t alike = 0;
    struct verdict last = {};

    for (uint64_t right = 1; right <= all; right <<= 1) {
        struct verdict v;
        enum kozo_err err = (all & right) != 0 ? judge(a, right, &v) : KOZO_OK;

        if (err != KOZO_OK)
            return err;
        if ((all & right) == 0)
            continue;
        if (alike != 0 && !is_same(&last, &v)) {
            if (!print_verdict(a, alike, &last))
                return KOZO_ERR_CANCELLED;
            alike = 0;
        }
        alike |= right;
        last = v;
    }
    return print_verdict(a, alike, &last) ? KOZO_OK : KOZO_ERR_CANCELLED;
}

static bool print_none(const struct asked *a)
{
    const char *more = a->program != nullptr && !a->program->asks
                           ? "; it was not given policy to ask by (`run --with policy`)"
                           : "";

    return shell_print("%.*s has no lease of %.*s%s. A request of %.*s's would be decided so:\n",
                       (int)a->holder.len, a->holder.at, (int)a->object.len, a->object.at, more,
                       (int)a->service.len, a->service.at);
}

/* ---- both ---- */

static enum kozo_err print_text(struct asked *a, uint32_t *status)
{
    uint32_t found = 0;
    enum kozo_err err = print_leases(a, &found, status);

    if (err != KOZO_OK || found > 0)
        return err;
    *status = 1;
    return print_none(a) ? print_rules(a) : KOZO_ERR_CANCELLED;
}

/* Whole also when a part of it is not to be had: that is told as an error. */
static enum kozo_err print_json(struct asked *a, uint32_t *status)
{
    static char text[2 * PARSE_BYTES + 64]; /* quoted, its words are twice as long at most */
    struct json j = json_begin(text, sizeof text);
    uint32_t found = 0;
    enum kozo_err err;

    json_text(&j, "holder", a->holder);
    json_text(&j, "object", a->object);
    json_open(&j, "leases", '[');
    if (!shell_print_str(json_part(&j)))
        return KOZO_ERR_CANCELLED;
    err = print_leases(a, &found, status);
    if (!shell_print("], \"rules\": ["))
        return KOZO_ERR_CANCELLED;
    a->told = 0;
    if (err == KOZO_OK && found == 0) {
        *status = 1;
        err = print_rules(a);
    }
    return shell_print("]}\n") ? err : KOZO_ERR_CANCELLED;
}

static uint32_t why_granted(const struct services *s, struct kozo_str holder,
                            struct kozo_str object, bool json)
{
    struct asked a = { holder, caps_find_program(holder), holder, object, .json = json };
    uint32_t status = 0;
    enum kozo_err err;

    if (a.program != nullptr)
        a.service = kozo_str(s->row[services_find_own(s)].name);
    err = json ? print_json(&a, &status) : print_text(&a, &status);
    if (err != KOZO_OK)
        return err == KOZO_ERR_CANCELLED ? 1 : shell_fail_err(object, err);
    return status;
}

/* ---- why ---- */

static bool is_clear_name(struct kozo_str object)
{
    return object.len > 0 && memchr(object.at, ':', object.len) != nullptr;
}

uint32_t command_why(const struct words *w, uint32_t)
{
    const struct services *s;
    struct kozo_str word[2]; /* holder, object */
    uint32_t count = 0;

    for (uint32_t i = 1; i < w->count; i++)
        if (!kozo_str_is(w->word[i], "--json") && count++ < 2)
            word[count - 1] = w->word[i];
    if (count != 2)
        return shell_usage(w->word[0], "", w->word[0]);
    s = caps_learn(word[0]);
    if (s == nullptr)
        return 1;
    return is_clear_name(word[1]) ? why_granted(s, word[0], word[1], w->count > 3)
                                  : caps_print_held(word[0], word[1], w->count > 3);
}
