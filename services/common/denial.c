/* SPDX-License-Identifier: MIT */
#include "common/denial.h"
#include "common/identity.h"
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
    line_add(&l, " object=\"");
    line_add_escaped(&l, what->object.len > 0 ? what->object : kozo_str("none"));
    line_add(&l, "\"");
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

bool denial_pass(struct denials *d, uint32_t who, uint64_t now, struct kozo_str name,
                 denial_sink *sink, void *context)
{
    uint32_t i = who < DENIAL_WHO ? who : DENIAL_WHO;

    tell_missed(d, i, now, sink, context);
    d->of[i].who = name;
    return gate_pass(&d->of[i].gate, now);
}

void denial_tell(struct denials *d, uint32_t who, uint64_t now, const struct denial *what,
                 denial_sink *sink, void *context)
{
    if (denial_pass(d, who, now, what->who, sink, context))
        tell_one(what, sink, context);
}

/* ---- rights of a capability to a server ---- */

#define NAMES_BYTES 64u

static struct kozo_str names_of(char to[NAMES_BYTES], const struct denial_names *names,
                                uint8_t rights)
{
    struct line l = line_begin(to, NAMES_BYTES);

    for (unsigned i = 0; i < 8 && names->right[i] != nullptr; i++) {
        if ((rights & 1u << i) == 0)
            continue;
        line_add(&l, l.used > 0 ? " " : "");
        line_add(&l, names->right[i]);
    }
    return line_text(&l);
}

void denial_of_rights(struct denials *d, const struct manifest *m, uint64_t badge, uint8_t held,
                      uint8_t asked, const struct denial_names *names, uint64_t now,
                      denial_sink *sink, void *context)
{
    const struct manifest_service *s = m != nullptr ? identity_service(m, badge) : nullptr;
    char wanted[NAMES_BYTES], has[NAMES_BYTES];
    struct denial what = { .who = s != nullptr ? s->name : (struct kozo_str){},
                           .object = kozo_str(names->object),
                           .asked = names_of(wanted, names, asked),
                           .held = names_of(has, names, held),
                           .hint = kozo_str(names->hint) };

    denial_tell(d, identity_index(badge), now, &what, sink, context);
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
