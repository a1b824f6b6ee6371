/* SPDX-License-Identifier: MIT */
#include "policy/rules.h"
#include "common/line.h"
#include "common/object.h"
#include "common/rights.h"

static void refuse(struct rules_answer *a, const struct manifest_rule *rule)
{
    a->decision = DECISION_DENY;
    a->rule = rule;
    a->lease_ms = 0;
}

/* ---- which rule speaks ---- */

/* Whether it is about this requester and right, whatever the object. */
static bool concerns(const struct manifest_rule *r, const struct rules_request *q, uint8_t right)
{
    return (r->rights & right) != 0 &&
           (kozo_str_is(r->subject, "*") || text_equal(r->subject, q->subject->name));
}

static bool applies(const struct manifest_rule *r, const struct rules_request *q, uint8_t right)
{
    return concerns(r, q, right) && text_matches(r->object, q->object);
}

static bool is_pattern(struct kozo_str object)
{
    return object.len > 0 && object.at[object.len - 1] == '*';
}

/* How harmful it is to have `right` on the object asked for, whatever any rule says. */
static enum manifest_tier own_tier(struct kozo_str object, uint8_t right)
{
    if (text_starts(object, kozo_str("process:")))
        return TIER_CRITICAL;
    if (!text_starts(object, kozo_str("fs:")))
        return TIER_HIGH;
    if ((right & (RIGHT_READ | RIGHT_LIST)) != 0)
        return TIER_LOW;
    return right == RIGHT_REMOVE ? TIER_HIGH : TIER_MEDIUM;
}

/* A rule makes an object riskier, never less so. */
static enum manifest_tier tier_of(const struct manifest_rule *r, struct kozo_str object,
                                  uint8_t right)
{
    enum manifest_tier own = own_tier(object, right);

    return r->tier != TIER_AUTO && r->tier > own ? r->tier : own;
}

/* `a` speaks before `b`. */
static bool is_before(const struct manifest_rule *a, const struct manifest_rule *b)
{
    if (is_pattern(a->object) != is_pattern(b->object))
        return !is_pattern(a->object);
    if (a->object.len != b->object.len)
        return a->object.len > b->object.len;
    if (kozo_str_is(a->subject, "*") != kozo_str_is(b->subject, "*"))
        return !kozo_str_is(a->subject, "*");
    return a->decision > b->decision;
}

static const struct manifest_rule *rule_for(const struct manifest *m, const struct rules_request *q,
                                            uint8_t right)
{
    const struct manifest_rule *best = nullptr;

    for (uint32_t i = 0; i < m->rules; i++)
        if (applies(&m->rule[i], q, right) && (best == nullptr || is_before(&m->rule[i], best)))
            best = &m->rule[i];
    return best;
}

/* ---- which rules speak of what is below ---- */

/* The names that are looked at: those that begin with it and are longer. */
struct below {
    char text[OBJECT_BYTES + 2];
    struct kozo_str start;
};

static void below_object(struct below *b, struct kozo_str object)
{
    struct line l = line_begin(b->text, sizeof b->text);

    line_add_str(&l, object);
    if (object.at[object.len - 1] != '/')
        line_add(&l, "/");
    b->start = line_text(&l);
}

static struct kozo_str prefix(struct kozo_str pattern)
{
    return (struct kozo_str){ pattern.at, pattern.len - 1 };
}

/* The longest start of all names of `r` that are below; the name itself where `r` has no `*`. */
static struct kozo_str scope(const struct manifest_rule *r, const struct below *b)
{
    if (is_pattern(r->object) && text_starts(b->start, prefix(r->object)))
        return b->start;
    return is_pattern(r->object) ? prefix(r->object) : r->object;
}

static bool reaches(const struct manifest_rule *r, const struct below *b)
{
    struct kozo_str s = scope(r, b);

    return text_starts(s, b->start) && (is_pattern(r->object) || s.len > b->start.len);
}

/* Whether `s` speaks before `r` for every name of `r` that is below. */
static bool hides(const struct manifest_rule *s, const struct manifest_rule *r,
                  const struct below *b)
{
    if (!is_before(s, r) || is_pattern(s->object) != is_pattern(r->object))
        return false;
    return is_pattern(s->object) ? text_starts(scope(r, b), prefix(s->object))
                                 : text_equal(s->object, r->object);
}

/* Whether there is a name below for which `r` is the one that speaks. */
static bool speaks_below(const struct manifest *m, const struct manifest_rule *r,
                         const struct rules_request *q, uint8_t right, const struct below *b)
{
    if (!concerns(r, q, right) || !reaches(r, b))
        return false;
    for (uint32_t i = 0; i < m->rules; i++)
        if (concerns(&m->rule[i], q, right) && hides(&m->rule[i], r, b))
            return false;
    return true;
}

/* ---- in words ---- */

static void say_no_rule(struct rules_answer *a, const struct rules_request *q, uint8_t right)
{
    struct line reason = line_begin(a->reason, sizeof a->reason);
    struct line hint = line_begin(a->hint, sizeof a->hint);
    char name[RIGHTS_TEXT];

    (void)rights_text_of(name, q->object, right);
    line_add(&reason, "no rule gives ");
    line_add_str(&reason, q->subject->name);
    line_add(&reason, " the right to ");
    line_add(&reason, name);
    line_add(&reason, " ");
    line_add_escaped(&reason, q->object);
    line_add(&hint, "add a [rule] with subject = ");
    line_add_str(&hint, q->subject->name);
    line_add(&hint, ", rights = ");
    line_add(&hint, name);
    line_add(&hint, " for it to " MANIFEST_PATH);
}

static void say_rule(struct rules_answer *a, struct kozo_str object, uint8_t right)
{
    bool below = !text_matches(a->rule->object, object);
    struct line reason = line_begin(a->reason, sizeof a->reason);
    struct line hint = line_begin(a->hint, sizeof a->hint);
    char name[RIGHTS_TEXT];

    if (below) {
        line_add(&reason, "of what is below, ");
        line_add_quoted(&reason, a->rule->object);
        line_add(&reason, ": ");
    }
    line_add_quoted(&reason, a->rule->reason);
    if (a->rule->reason.len == 0) {
        line_add(&reason, "[rule ");
        line_add_str(&reason, a->rule->name);
        line_add(&reason, a->decision == DECISION_DENY ? "] denies " : "] allows ");
        line_add(&reason, rights_text_of(name, object, right));
    }
    if (a->decision != DECISION_DENY)
        return;
    line_add_quoted(&hint, a->rule->hint);
    if (a->rule->hint.len == 0) {
        line_add(&hint, "see [rule ");
        line_add_str(&hint, a->rule->name);
        line_add(&hint, "] in " MANIFEST_PATH);
    }
}

static void say(struct rules_answer *a, const char *reason, const char *hint)
{
    struct line l = line_begin(a->reason, sizeof a->reason);

    line_add(&l, reason);
    l = line_begin(a->hint, sizeof a->hint);
    line_add(&l, hint);
}

void rules_no_consent(struct rules_answer *a, const char *why, const char *hint)
{
    struct line l = line_begin(a->reason, sizeof a->reason);

    refuse(a, a->rule);
    line_add(&l, "tier ");
    line_add(&l, manifest_tier_name(a->tier));
    line_add(&l, " needs somebody's consent: ");
    line_add(&l, why);
    l = line_begin(a->hint, sizeof a->hint);
    line_add(&l, hint);
}

void rules_refuse(struct rules_answer *a, const char *reason, const char *hint)
{
    refuse(a, a->rule);
    say(a, reason, hint);
}

/* ---- deciding ---- */

uint64_t rules_power(const struct object *object)
{
    return kozo_str_is(object->provider, "process") && kozo_str_is(object->power, "kill")
               ? RIGHT_KILL
               : 0;
}

static void say_not_requested(struct rules_answer *a, const struct rules_request *q,
                              struct kozo_str provider)
{
    struct line reason = line_begin(a->reason, sizeof a->reason);
    struct line hint = line_begin(a->hint, sizeof a->hint);

    line_add_str(&hint, provider);
    line_add(&hint, " is missing under requests in [service ");
    line_add_str(&hint, q->subject->name);
    line_add(&hint, "] of " MANIFEST_PATH);
    line_add_str(&reason, q->subject->name);
    line_add(&reason, " may not ask for what ");
    line_add_quoted(&reason, provider);
    line_add(&reason, " provides");
}

static void say_no_target(struct rules_answer *a, struct kozo_str target)
{
    struct line reason = line_begin(a->reason, sizeof a->reason);
    struct line hint = line_begin(a->hint, sizeof a->hint);

    line_add(&reason, "no service is called ");
    line_add_str(&reason, target);
    line_add(&hint, "ps lists them; init is none");
}

/* The same of a power. */
static bool is_sound_power(const struct manifest *m, const struct rules_request *q,
                           const struct object *object, struct rules_answer *a)
{
    if (rules_power(object) == 0)
        say(a, "there is no such power",
            "there is " OBJECT_KILL "/SERVICE; a path begins with a slash, as fs:/etc/motd");
    else if (object->target.len == 0)
        say(a, "that power is had over one service at a time", "name it: " OBJECT_KILL "/SERVICE");
    else if (q->rights != rules_power(object))
        say(a, "the rights asked for are not those of that power", OBJECT_KILL " has: kill");
    else if (!manifest_has(&q->subject->requests, object->provider))
        say_not_requested(a, q, object->provider);
    else if (manifest_service(m, object->target) == nullptr)
        say_no_target(a, object->target);
    else
        return true;
    return false;
}

/* Whether the request can be looked at at all. */
static bool is_sound(const struct manifest *m, const struct rules_request *q,
                     struct rules_answer *a)
{
    struct object object;

    refuse(a, nullptr);
    if (!object_parse(q->object, &object))
        say(a, "the object's name is malformed",
            "write it as fs:/etc/motd, without empty parts, . or .., or as " OBJECT_KILL
            "/SERVICE");
    else if (object.power.len > 0)
        return is_sound_power(m, q, &object, a);
    else if (q->rights == 0 || (q->rights & ~(uint64_t)RIGHTS_ALL) != 0)
        say(a, "the rights asked for are none, or unknown",
            "ask for read, write, list, create or remove");
    else if (!manifest_has(&q->subject->requests, object.provider))
        say_not_requested(a, q, object.provider);
    else
        return true;
    return false;
}

/* Lets the rule for one right speak; the strictest so far stays. */
static void add_right(struct rules_answer *a, const struct rules_request *q,
                      const struct manifest_rule *r, uint8_t right)
{
    enum manifest_tier tier = tier_of(r, q->object, right);
    enum manifest_decision decision = r->decision;
    uint32_t lease = r->lease_ms != 0 ? r->lease_ms : manifest_tier_limit(tier);
    bool stricter;

    if (decision == DECISION_ALLOW && tier > TIER_LOW)
        decision = DECISION_ASK;
    if (lease > manifest_tier_limit(tier))
        lease = manifest_tier_limit(tier);
    if (lease < a->lease_ms)
        a->lease_ms = lease;
    stricter =
        a->rule == nullptr || decision > a->decision || (decision == a->decision && tier > a->tier);
    if (tier > a->tier)
        a->tier = tier;
    if (!stricter)
        return;
    a->decision = decision;
    a->rule = r;
    say_rule(a, q->object, right);
}

/*
 * What is below can be reached through the object: nobody gets more that way than by asking for each
 * name. Where no rule speaks of a name, the object's own does.
 */
static void add_below(struct rules_answer *a, const struct manifest *m,
                      const struct rules_request *q, uint8_t right)
{
    struct below b;

    below_object(&b, q->object);
    for (uint32_t i = 0; i < m->rules; i++)
        if (speaks_below(m, &m->rule[i], q, right, &b))
            add_right(a, q, &m->rule[i], right);
}

/*
 * Whether `right` can be used on what is below: where that can be opened, or by a path, as to make and
 * to remove. Powers have nothing below.
 */
static bool reaches_below(const struct rules_answer *a, const struct rules_request *q,
                          uint8_t right)
{
    bool by_path = (right & (RIGHT_CREATE | RIGHT_REMOVE)) != 0;
    struct object object;

    return (a->depth == MANIFEST_DEPTH_ANY || by_path) && a->decision != DECISION_DENY &&
           object_parse(q->object, &object) && object.power.len == 0;
}

/* False, and denied, where no rule speaks. */
static bool add_own(struct rules_answer *a, const struct manifest *m, const struct rules_request *q,
                    uint8_t right)
{
    const struct manifest_rule *r = rule_for(m, q, right);

    if (r == nullptr) {
        refuse(a, nullptr);
        say_no_rule(a, q, right);
        return false;
    }
    if (r->depth < a->depth)
        a->depth = r->depth;
    add_right(a, q, r, right);
    return true;
}

void rules_decide(const struct manifest *m, const struct rules_request *q, struct rules_answer *a)
{
    *a = (struct rules_answer){};
    if (!is_sound(m, q, a))
        return;
    *a = (struct rules_answer){ .decision = DECISION_ALLOW,
                                .lease_ms = manifest_tier_limit(TIER_LOW),
                                .depth = UINT32_MAX };
    for (unsigned right = 1; right <= RIGHTS_ALL; right <<= 1)
        if ((q->rights & right) != 0 && !add_own(a, m, q, (uint8_t)right))
            return;
    for (unsigned right = 1; right <= RIGHTS_ALL; right <<= 1)
        if ((q->rights & right) != 0 && reaches_below(a, q, (uint8_t)right))
            add_below(a, m, q, (uint8_t)right);
    if (a->decision == DECISION_DENY)
        a->lease_ms = 0;
}
