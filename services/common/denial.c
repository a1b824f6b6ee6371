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

/* The second of requester `i` ends: what was counted in it is told, and the next one is empty. */
static void end_span(struct denials *d, uint32_t i, denial_sink *sink, void *context)
{
    char text[DENIAL_BYTES];
    struct line l = line_begin(text, sizeof text);

    if (d->of[i].untold > 0) {
        add_who(&l, d->of[i].who);
        line_add(&l, " and ");
        line_add_number(&l, d->of[i].untold);
        line_add(&l, " more since ");
        line_add_number(&l, d->of[i].since / ns_per_ms);
        line_add(&l, " ms");
        sink(context, line_text(&l));
    }
    d->of[i].untold = 0;
    d->of[i].told = 0;
}

static bool is_over(const struct denials *d, uint32_t i, uint64_t now)
{
    return now - d->of[i].since >= DENIAL_SPAN;
}

void denial_tell(struct denials *d, uint32_t who, uint64_t now, const struct denial *what,
                 denial_sink *sink, void *context)
{
    uint32_t i = who < DENIAL_WHO ? who : DENIAL_WHO;

    if (is_over(d, i, now) || d->of[i].told == 0) {
        end_span(d, i, sink, context);
        d->of[i].since = now;
    }
    d->of[i].who = what->who;
    if (d->of[i].told == DENIAL_LINES) {
        d->of[i].untold++;
        return;
    }
    d->of[i].told++;
    tell_one(what, sink, context);
}

void denial_settle(struct denials *d, uint64_t now, denial_sink *sink, void *context)
{
    for (uint32_t i = 0; i <= DENIAL_WHO; i++)
        if (d->of[i].untold > 0 && is_over(d, i, now))
            end_span(d, i, sink, context);
}

uint64_t denial_deadline(const struct denials *d)
{
    uint64_t next = UINT64_MAX;

    for (uint32_t i = 0; i <= DENIAL_WHO; i++)
        if (d->of[i].untold > 0 && d->of[i].since + DENIAL_SPAN < next)
            next = d->of[i].since + DENIAL_SPAN;
    return next;
}
