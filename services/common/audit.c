/* SPDX-License-Identifier: MIT */
#include "common/audit.h"
#include "common/rights.h"

#include <kozo/policy.h>

static const char start[] = "audit ";

const char *audit_result_name(enum audit_result result)
{
    static const char *const name[] = { "granted",  "denied",  "failed", "expired",
                                        "released", "revoked", "used",   "cancelled" };
    static_assert(AUDIT_CANCELLED == (int)KOZO_POLICY_CANCELLED &&
                  sizeof name / sizeof name[0] == AUDIT_CANCELLED + 1);

    return name[result];
}

static void add_plain(struct line *l, const char *name, struct kozo_str value)
{
    line_add(l, name);
    line_add_str(l, value.len > 0 ? value : kozo_str("none"));
}

static void add_quoted(struct line *l, const char *name, struct kozo_str value)
{
    line_add(l, name);
    line_add(l, "\"");
    line_add_quoted(l, value);
    line_add(l, "\"");
}

uint64_t audit_write(char *to, uint64_t size, const struct audit *a)
{
    struct line l = line_begin(to, size);
    char rights[RIGHTS_TEXT];

    line_add(&l, start);
    line_add(&l, "seq=");
    line_add_number(&l, a->seq);
    line_add(&l, " at_ms=");
    line_add_number(&l, a->at_ms);
    add_plain(&l, " who=", a->who);
    line_add(&l, " object=\"");
    line_add_escaped(&l, a->object);
    line_add(&l, "\"");
    add_quoted(&l, " rights=", kozo_str(rights_text_of(rights, a->object, a->rights)));
    if (a->result == AUDIT_DENIED)
        add_quoted(&l, " held=", kozo_str(rights_text_of(rights, a->object, a->held)));
    line_add(&l, " result=");
    line_add(&l, audit_result_name(a->result));
    line_add(&l, " lease_ms=");
    line_add_number(&l, a->lease_ms);
    add_plain(&l, " rule=", a->rule);
    add_quoted(&l, " why=", a->why);
    add_quoted(&l, " reason=", a->reason);
    add_quoted(&l, " hint=", a->hint);
    return l.used;
}

bool audit_is(struct kozo_str line) { return text_starts(line, kozo_str(start)); }

struct kozo_str audit_field(struct kozo_str line, const char *name)
{
    struct kozo_str rest = line;

    (void)text_cut(&rest, ' ');
    while (rest.len > 0) {
        struct kozo_str field = text_cut(&rest, '='), value;
        bool quoted = rest.len > 0 && rest.at[0] == '"';

        if (quoted)
            (void)text_cut(&rest, '"');
        value = text_cut(&rest, quoted ? '"' : ' ');
        if (quoted)
            (void)text_cut(&rest, ' ');
        if (kozo_str_is(field, name))
            return value;
    }
    return (struct kozo_str){};
}
