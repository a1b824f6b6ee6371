/* SPDX-License-Identifier: MIT */
#include "init/demo.h"
#include "common/line.h"
#include "common/rights.h"

#include <kozo/error.h>
#include <kozo/string.h>

/*
 * What a step must give: writes d->expected, and returns what contradicts it, null when nothing
 * does.
 */
typedef const char *check(struct demo *d, struct kozo_str got, const struct demo_facts *facts);

struct step {
    const char *name;
    check *check;
};

static struct kozo_str audit_of(const struct demo *d, const char *field)
{
    return audit_field(kozo_str(d->audit), field);
}

static void expect(struct demo *d, const char *text)
{
    struct line l = line_begin(d->expected, sizeof d->expected);

    line_add(&l, text);
}

static bool is_expected(const struct demo *d, struct kozo_str got)
{
    return kozo_str_is(got, d->expected);
}

/* ---- the steps ---- */

/* Two capabilities, in whichever order. */
constexpr uint32_t born_with = 2;

static const char *check_born(struct demo *d, struct kozo_str got, const struct demo_facts *facts)
{
    struct kozo_str a, b;

    expect(d, "log policy");
    if (facts == nullptr)
        return nullptr;
    a = text_cut_word(&got);
    b = text_cut_word(&got);
    if (got.len > 0 || !((kozo_str_is(a, "log") && kozo_str_is(b, "policy")) ||
                         (kozo_str_is(a, "policy") && kozo_str_is(b, "log"))))
        return "";
    return facts->caps == born_with && facts->endpoints == born_with ? nullptr
                                                                     : "others, by the kernel";
}

static uint64_t audit_ms(const struct demo *d)
{
    struct kozo_str at = audit_of(d, "at_ms");
    uint64_t ms = 0;

    (void)kozo_parse_u64(at.at, at.len, &ms);
    return ms;
}

/* The lease of the rule that policy says it went by. */
static uint32_t lease_of_rule(const struct demo *d)
{
    struct kozo_str name = audit_of(d, "rule");

    for (uint32_t i = 0; i < d->manifest->rules; i++) {
        const struct manifest_rule *r = &d->manifest->rule[i];

        if (text_equal(r->name, name))
            return r->lease_ms != 0
                       ? r->lease_ms
                       : manifest_tier_limit(r->tier != TIER_AUTO ? r->tier : TIER_LOW);
    }
    return 0;
}

static const char *check_granted(struct demo *d, struct kozo_str got,
                                 const struct demo_facts *facts)
{
    struct line l = line_begin(d->expected, sizeof d->expected);
    bool granted = kozo_str_is(audit_of(d, "result"), audit_result_name(AUDIT_GRANTED));

    line_add(&l, "read on fs:");
    line_add_str(&l, d->service->args.count > 0 ? d->service->args.word[0]
                                                : kozo_str("(no file in args)"));
    if (granted) {
        line_add(&l, " for ");
        line_add_number(&l, lease_of_rule(d));
        line_add(&l, " ms");
    }
    if (facts == nullptr)
        return nullptr;
    if (!is_expected(d, got))
        return "";
    if (!granted || !kozo_str_is(audit_of(d, "rights"), "read"))
        return "no such grant in policy's audit";
    return facts->caps == born_with + 1 && facts->gained == RIGHT_READ
               ? nullptr
               : "a capability with other rights, by the kernel";
}

/* All that had to be printed was, but for a line end that the file may lack. */
static bool printed_file(const struct demo *d)
{
    uint64_t must = d->file.len < STEP_PRINTS ? d->file.len : STEP_PRINTS;

    return d->file.at != nullptr && d->same && (d->printed == must || d->printed == must + 1);
}

static const char *check_contents(struct demo *d, struct kozo_str got,
                                  const struct demo_facts *facts)
{
    struct line l = line_begin(d->expected, sizeof d->expected);
    uint64_t bytes = d->file.len < STEP_READS ? d->file.len : STEP_READS;
    uint8_t digest[KOZO_SHA256_BYTES];

    kozo_sha256(d->file.at, d->file.at != nullptr ? bytes : 0, digest);
    line_add_number(&l, bytes);
    line_add(&l, " bytes, sha256 ");
    line_add_bytes(&l, digest, sizeof digest);
    if (facts == nullptr)
        return nullptr;
    if (!is_expected(d, got))
        return "";
    return printed_file(d) ? nullptr : "other bytes printed than the archive has";
}

static const char *check_bounded(struct demo *d, struct kozo_str got,
                                 const struct demo_facts *facts)
{
    expect(d, "read");
    if (facts == nullptr)
        return nullptr;
    if (facts->gained != RIGHT_READ)
        return "more rights, by the kernel";
    return is_expected(d, got) ? nullptr : "";
}

static const char *check_denied(struct demo *d, struct kozo_str got, const struct demo_facts *facts)
{
    struct kozo_str said = got;

    expect(d, "denied, with reason and hint");
    if (facts == nullptr)
        return nullptr;
    if (!kozo_str_is(text_cut(&said, ':'), "denied"))
        return "";
    if (!kozo_str_is(audit_of(d, "result"), audit_result_name(AUDIT_DENIED)) ||
        !kozo_str_is(audit_of(d, "rights"), "write"))
        return "no such denial in policy's audit";
    said = text_trim(said);
    if (said.len == 0 || !text_starts(audit_of(d, "reason"), said))
        return "another reason than policy's audit gives";
    if (audit_of(d, "hint").len == 0)
        return "no hint";
    return facts->gained == RIGHT_READ ? nullptr : "more rights, by the kernel";
}

static const char *check_expired(struct demo *d, struct kozo_str got,
                                 const struct demo_facts *facts)
{
    expect(d, kozo_err_text(KOZO_ERR_EMPTY));
    if (facts == nullptr)
        return nullptr;
    if (!is_expected(d, got))
        return "";
    if (!kozo_str_is(audit_of(d, "result"), audit_result_name(AUDIT_EXPIRED)))
        return "no such end in policy's audit";
    if (audit_ms(d) < d->granted_ms + d->lease_ms)
        return "too early, by policy's audit";
    return facts->caps == born_with ? nullptr : "capabilities left, by the kernel";
}

static const struct step steps[DEMO_STEPS] = {
    [DEMO_BORN] = { STEP_BORN, check_born },
    [DEMO_GRANTED] = { STEP_GRANTED, check_granted },
    [DEMO_CONTENTS] = { STEP_CONTENTS, check_contents },
    [DEMO_BOUNDED] = { STEP_BOUNDED, check_bounded },
    [DEMO_DENIED] = { STEP_DENIED, check_denied },
    [DEMO_EXPIRED] = { STEP_EXPIRED, check_expired },
};

/* ---- in order ---- */

struct kozo_str demo_file(const struct manifest *m)
{
    const struct manifest_service *s = manifest_service(m, m->demo);
    struct kozo_str path =
        s != nullptr && s->args.count > 0 ? s->args.word[0] : (struct kozo_str){};

    if (path.len > 0 && path.at[0] == '/')
        path = (struct kozo_str){ path.at + 1, path.len - 1 };
    return path;
}

static void go_to(struct demo *d, uint32_t next)
{
    d->next = next;
    d->printed = 0;
    d->same = true;
}

void demo_begin(struct demo *d, const struct manifest *m, struct kozo_bytes file)
{
    d->manifest = m;
    d->file = file;
    d->over = false;
    d->service = manifest_service(m, m->demo);
    go_to(d, d->service != nullptr ? DEMO_BORN : DEMO_STEPS);
    d->audit[0] = d->expected[0] = d->got[0] = '\0';
}

bool demo_done(const struct demo *d)
{
    return d->next >= DEMO_STEPS;
}

const char *demo_step_name(uint32_t step)
{
    return step < DEMO_STEPS ? steps[step].name : "none";
}

const char *demo_expects(struct demo *d)
{
    if (!demo_done(d))
        (void)steps[d->next].check(d, (struct kozo_str){}, nullptr);
    return d->expected;
}

/*
 * A NUL cannot be printed: a `?` stands for it. What comes after what must be printed can only be a
 * line end.
 */
void demo_printed(struct demo *d, struct kozo_str text)
{
    const char *file = d->file.at;

    for (uint64_t i = 0; i < text.len; i++, d->printed++) {
        char want = '\n';

        if (d->printed < d->file.len && d->printed < STEP_PRINTS)
            want = file[d->printed] != '\0' ? file[d->printed] : '?';
        d->same = d->same && text.at[i] == want;
    }
}

void demo_audit(struct demo *d, struct kozo_str line)
{
    struct line l;

    if (d->service == nullptr || !text_equal(audit_field(line, "who"), d->service->name))
        return;
    l = line_begin(d->audit, sizeof d->audit);
    line_add_str(&l, line);
    if (kozo_str_is(audit_of(d, "result"), audit_result_name(AUDIT_GRANTED))) {
        d->granted_ms = audit_ms(d);
        d->lease_ms = lease_of_rule(d);
        d->over = false;
    } else if (kozo_str_is(audit_of(d, "result"), audit_result_name(AUDIT_EXPIRED)))
        d->over = audit_ms(d) >= d->granted_ms + d->lease_ms;
}

bool demo_begins_again(struct demo *d)
{
    if (!d->over || d->next < DEMO_GRANTED || d->next >= DEMO_EXPIRED)
        return false;
    d->over = false;
    go_to(d, DEMO_GRANTED);
    return true;
}

bool demo_report(struct demo *d, struct kozo_str name, bool ok, struct kozo_str got,
                 const struct demo_facts *facts)
{
    struct line l = line_begin(d->got, sizeof d->got);
    const char *wrong;

    if (demo_done(d) || !kozo_str_is(name, steps[d->next].name)) {
        expect(d, "this step");
        line_add(&l, "step ");
        line_add_quoted(&l, name);
        return false;
    }
    line_add_quoted(&l, got);
    wrong = steps[d->next].check(d, got, facts);
    if (wrong == nullptr && !ok)
        wrong = "but the service itself calls it failed";
    if (wrong != nullptr) {
        line_add(&l, wrong[0] != '\0' && got.len > 0 ? ", but " : "");
        line_add(&l, wrong);
        return false;
    }
    go_to(d, d->next + 1);
    return true;
}
