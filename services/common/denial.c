/* SPDX-License-Identifier: MIT */
#include "common/denial.h"
#include "common/line.h"

constexpr uint64_t ns_per_ms = 1000000;

static void add_who(struct line *l, struct kozo_str who)
{
    line_add(l, "denied: who=");
    line_add_str(l, who.len > 0 ? who : kozo_str("unknown"));
}

static void add_quoted(struct line *l, const char *name, struct kozo_str value)
{
    line_add(l, name);
    line_add(l, "\"");
    line_add_quoted(l, value.len > 0 ? value : kozo_str("none"));
    line_add(l, "\"");
}

static void tell_one(const struct denial *what, denial_sink *sink, void *context)
{
    char text[DENIAL_BYTES];
    struct line l = line_begin(text, sizeof text);

    add_who(&l, what->who);
    add_quoted(&l, " object=", what->object);
    add_quoted(&l, " asked=", what->asked);
    add_quoted(&l, " held=", what->held);
    line_add(&l, " rule=");
    line_add_str(&l, what->rule.len > 0 ? what->rule : kozo_str("none"));
    add_quoted(&l, " hint=", what->hint);
    sink(context, line_text(&l));
}

/* Tells what was counted in a second that is over. */
static void tell_missed(struct denials *d, uint32_t i, uint64_t now, denial_sink *sink,
                        void *context)
{
    char text[DENIAL_BYTES];
    struct line l = line_begin(text, sizeof text);
    uint64_t since = d->of[i].gate.since, missed = gate_missed(&d->of[i].gate, now);

    if (missed == 0)
        return;
    add_who(&l, d->of[i].who);
    line_add(&l, " and ");
    line_add_number(&l, missed);
    line_add(&l, " more since ");
    line_add_number(&l, since / ns_per_ms);
    line_add(&l, " ms");
    sink(context, line_text(&l));
}

void denial_tell(struct denials *d, uint32_t who, uint64_t now, const struct denial *what,
                 denial_sink *sink, void *context)
{
    uint32_t i = who < DENIAL_WHO ? who : DENIAL_WHO;

    tell_missed(d, i, now, sink, context);
    d->of[i].who = what->who;
    if (gate_pass(&d->of[i].gate, now))
        tell_one(what, sink, context);
}

void denial_settle(struct denials *d, uint64_t now, denial_sink *sink, void *context)
{
    for (uint32_t i = 0; i <= DENIAL_WHO; i++)
        tell_missed(d, i, now, sink, context);
}

uint64_t denial_deadline(const struct denials *d)
{
    uint64_t next = UINT64_MAX;

    for (uint32_t i = 0; i <= DENIAL_WHO; i++)
        if (gate_deadline(&d->of[i].gate) < next)
            next = gate_deadline(&d->of[i].gate);
    return next;
}
