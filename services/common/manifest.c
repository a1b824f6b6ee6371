/* SPDX-License-Identifier: MIT */
#include "common/manifest.h"
#include "common/fields.h"
#include "common/object.h"
#include "common/words.h"

/* What init itself can give; the other capabilities are what services provide. */
static const char *const given_names[] = { "log",       "initrd", "manifest",   "leases", "com1",
                                          "com1-line", "lines",  "kernel-log", "system", "process",
                                          "clock" };

/* Of init's, and handed out whole: two services with one would take it from each other. */
static const char *const single_names[] = { "com1", "com1-line", "lines", "leases" };

static const struct {
    const struct field *fields;
    const char *expected;
} known_fields[] = {
    { fields_of_service,
      "a field of a service: binary, sha256, memory, heap, stack, untyped, priority, threads, args, "
      "provides, capabilities, requests, restart, restart_limit, restart_backoff_ms" },
    { fields_of_rule, "a field of a rule: subject, object, rights, decision, tier, lease_ms, depth, "
                      "reason, hint" },
    { fields_of_init,
      "a field of [init]: demo, demo_seconds, ready_seconds, consent_seconds" },
};

struct parser {
    struct kozo_str text; /* all of it */
    struct field_target target; /* the section being read */
    const struct field *fields;
    uint32_t seen; /* bit i: fields[i] has been read */
    uint32_t line, section_line;
    bool has_init;
    struct kozo_str section;
    struct manifest_problem problem;
};

static void complain(struct parser *p, uint32_t line, struct kozo_str field, struct kozo_str value,
                     const char *expected)
{
    if (p->problem.expected == nullptr)
        p->problem = (struct manifest_problem){ line, field, value, expected, false };
}

/* The same, of a value that was read before: its line is that where it stands. */
static void complain_of(struct parser *p, const char *field, struct kozo_str value,
                        const char *expected)
{
    uint32_t line = 1;

    for (const char *at = p->text.at; at < value.at; at++)
        line += *at == '\n';
    complain(p, line, kozo_str(field), value, expected);
}

/* ---- sections and lines ---- */

static const char *begin_service(struct parser *p, struct kozo_str name)
{
    struct manifest *m = p->target.manifest;

    if (manifest_service(m, name) != nullptr)
        return "a name that no other service has";
    if (kozo_str_is(name, "init") || kozo_str_is(name, "kernel"))
        return "a name other than init and kernel, whose lines its lines would look like";
    if (m->services == MANIFEST_SERVICES)
        return "at most 32 services";
    p->target.service = &m->service[m->services++];
    *p->target.service = (struct manifest_service){ .name = name,
                                                    .priority = 100,
                                                    .threads = 1,
                                                    .heap_pages = 4,
                                                    .stack_pages = 8,
                                                    .restart_limit = 3,
                                                    .restart_backoff_ms = 100,
                                                    .line = p->line };
    p->fields = fields_of_service;
    return nullptr;
}

static const char *begin_rule(struct parser *p, struct kozo_str name)
{
    struct manifest *m = p->target.manifest;

    for (uint32_t i = 0; i < m->rules; i++)
        if (text_equal(m->rule[i].name, name))
            return "a name that no other rule has";
    if (m->rules == MANIFEST_RULES)
        return "at most 128 rules";
    p->target.rule = &m->rule[m->rules++];
    *p->target.rule =
        (struct manifest_rule){ .name = name, .tier = TIER_AUTO, .depth = 1, .line = p->line };
    p->fields = fields_of_rule;
    return nullptr;
}

/* The section that ends has all it needs. */
static void end_section(struct parser *p)
{
    for (uint32_t i = 0; p->fields != nullptr && p->fields[i].name != nullptr; i++)
        if (p->fields[i].required && (p->seen & 1u << i) == 0 &&
            p->problem.expected == nullptr) {
            complain(p, p->section_line, kozo_str(p->fields[i].name), p->section,
                     "this field in the section, which lacks it");
            p->problem.missing = true;
        }
    p->target.service = nullptr;
    p->target.rule = nullptr;
    p->fields = nullptr;
    p->seen = 0;
}

static const char *read_section(struct parser *p, struct kozo_str line)
{
    struct kozo_str inside = { line.at + 1, line.len - 1 }, kind, name;
    const char *expected;

    end_section(p);
    p->section_line = p->line;
    if (line.at[line.len - 1] != ']')
        return "a ] at the end of the section's line";
    inside.len--;
    p->section = name = text_trim(inside);
    kind = text_cut_word(&name);
    name = text_trim(name);
    if (kozo_str_is(kind, "init") && name.len == 0) {
        p->fields = fields_of_init;
        expected = p->has_init ? "only one [init]" : nullptr;
        p->has_init = true;
        return expected;
    }
    if (kozo_str_is(kind, "service") && field_is_name(name))
        return begin_service(p, name);
    if (kozo_str_is(kind, "rule") && field_is_name(name))
        return begin_rule(p, name);
    return "[init], [service NAME] or [rule NAME], NAME of 1 to 31 letters, digits, - _ and .";
}

static const char *no_such_field(const struct parser *p)
{
    const char *expected = nullptr;

    for (unsigned i = 0; i < sizeof known_fields / sizeof known_fields[0]; i++)
        if (p->fields == known_fields[i].fields)
            expected = known_fields[i].expected;
    return expected;
}

static const char *read_field(struct parser *p, struct kozo_str name, struct kozo_str value)
{
    uint32_t i = 0;

    if (p->fields == nullptr)
        return "a [section] before the first field";
    while (p->fields[i].name != nullptr && !kozo_str_is(name, p->fields[i].name))
        i++;
    if (p->fields[i].name == nullptr)
        return no_such_field(p);
    if ((p->seen & 1u << i) != 0)
        return "this field only once in the section";
    p->seen |= 1u << i;
    return p->fields[i].read(&p->target, value);
}

/* Cuts off a comment: from a # or ; that begins the line or follows a blank. */
static struct kozo_str without_comment(struct kozo_str line)
{
    for (uint64_t i = 0; i < line.len; i++)
        if ((line.at[i] == '#' || line.at[i] == ';') &&
            (i == 0 || line.at[i - 1] == ' ' || line.at[i - 1] == '\t'))
            return (struct kozo_str){ line.at, i };
    return line;
}

static bool has_nul(struct kozo_str line)
{
    for (uint64_t i = 0; i < line.len; i++)
        if (line.at[i] == '\0')
            return true;
    return false;
}

static void read_line(struct parser *p, struct kozo_str line)
{
    struct kozo_str name = {}, value = text_trim(without_comment(line));
    const char *expected = nullptr;

    if (has_nul(line))
        expected = "text, without NUL bytes";
    else if (text_starts(line, kozo_str("\xef\xbb\xbf")))
        expected = "text without a byte order mark, the three bytes ef bb bf before it";
    else if (value.len > 0 && value.at[0] == '[')
        expected = read_section(p, value);
    else if (value.len > 0) {
        line = value;
        name = text_trim(text_cut(&value, '='));
        value = text_trim(value);
        if (name.len < line.len)
            expected = read_field(p, name, value);
        else {
            expected = "field = value, or a [section]";
            name.len = 0;
        }
    }
    if (expected != nullptr)
        complain(p, p->line, name, name.len > 0 ? value : text_trim(line), expected);
}

/* ---- what must hold between sections ---- */

static bool is_one_of(struct kozo_str name, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (kozo_str_is(name, names[i]))
            return true;
    return false;
}

static bool is_given(struct kozo_str name)
{
    return is_one_of(name, given_names, sizeof given_names / sizeof given_names[0]);
}

static bool is_single(struct kozo_str name)
{
    return is_one_of(name, single_names, sizeof single_names / sizeof single_names[0]);
}

static void check_provides(struct parser *p, const struct manifest_service *s)
{
    if (s->provides.len == 0)
        return;
    if (manifest_provider(p->target.manifest, s->provides) != s)
        complain_of(p, "provides", s->provides,
                 "a name that no other service provides");
    if (is_given(s->provides) || word_is_part(s->provides))
        complain_of(p, "provides", s->provides,
                 "a name other than log, initrd, manifest, leases, com1, com1-line, lines, "
                 "kernel-log, system, process and clock");
}

static void check_capability(struct parser *p, const struct manifest_service *s, uint32_t i)
{
    struct kozo_str name = s->capabilities.word[i];
    const struct manifest_service *from =
        manifest_provider(p->target.manifest, word_meaning(name).provides);

    if ((from == nullptr || from == s) && !is_given(name))
        complain_of(p, "capabilities", name,
                 "log, initrd, manifest, leases, com1, com1-line, lines, kernel-log, system, "
                 "process, clock, or what another service provides");
    else if (is_given(name) && s->user_rights[i] != UINT8_MAX)
        complain_of(p, "capabilities", name,
                 "no rights after it: they are for what services provide");
    for (uint32_t k = 0; k < i; k++)
        if (text_equal(name, s->capabilities.word[k]))
            complain_of(p, "capabilities", name, "each name once");
    if (is_single(name))
        for (const struct manifest_service *o = p->target.manifest->service; o < s; o++)
            if (manifest_has(&o->capabilities, name))
                complain_of(p, "capabilities", name, "one service alone to have it");
}

static void check_service(struct parser *p, const struct manifest_service *s)
{
    check_provides(p, s);
    for (uint32_t i = 0; i < s->capabilities.count; i++)
        check_capability(p, s, i);
    for (uint32_t i = 0; i < s->requests.count; i++)
        if (manifest_provider(p->target.manifest, s->requests.word[i]) == nullptr &&
            !kozo_str_is(s->requests.word[i], "process"))
            complain_of(p, "requests", s->requests.word[i],
                     "a name that a service provides, or process");
}

/* A rule about somebody who is not there would protect nobody. */
static void check_target(struct parser *p, const struct manifest_rule *r)
{
    struct object object;

    if (object_parse(r->object, &object) && object.target.len > 0 &&
        manifest_service(p->target.manifest, object.target) == nullptr)
        complain_of(p, "object", r->object,
                    "behind " OBJECT_KILL "/ the name of a service of this manifest");
}

/* `kill` and `remove` are one bit: a rule means what it says only of what has that right. */
static void check_rights(struct parser *p, const struct manifest_rule *r)
{
    struct kozo_str object = r->object, words = r->rights_words;
    bool power = kozo_str_is(text_cut(&object, ':'), "process");

    if (kozo_str_is(r->object, "*"))
        return;
    for (struct kozo_str w = text_cut_word(&words); w.len > 0; w = text_cut_word(&words))
        if (kozo_str_is(w, "kill") != power)
            complain_of(p, "rights", w,
                        power ? "kill, the right of process:"
                              : "read, write, list, create or remove: kill is a right of process:");
}

static void check_rule(struct parser *p, const struct manifest_rule *r)
{
    check_target(p, r);
    check_rights(p, r);
    if (!kozo_str_is(r->subject, "*") &&
        manifest_service(p->target.manifest, r->subject) == nullptr)
        complain_of(p, "subject", r->subject,
                 "the name of a service of this manifest, or *");
    if (r->tier != TIER_AUTO && r->lease_ms > manifest_tier_limit(r->tier))
        complain_of(
            p, "lease_ms", r->lease,
            "at most what the tier allows: low 3600000, medium 300000, high and critical 60000");
}

static void check_all(struct parser *p)
{
    struct manifest *m = p->target.manifest;

    if (m->services == 0)
        complain(p, p->line, (struct kozo_str){}, kozo_str("no section of a service"),
                 "at least one [service NAME]");
    for (uint32_t i = 0; i < m->services; i++)
        check_service(p, &m->service[i]);
    for (uint32_t i = 0; i < m->rules; i++)
        check_rule(p, &m->rule[i]);
    if (m->demo.len > 0 && manifest_service(m, m->demo) == nullptr)
        complain_of(p, "demo", m->demo, "the name of a service of this manifest");
}

struct manifest_problem manifest_parse(struct manifest *m, struct kozo_str text)
{
    struct parser p = { .text = text, .target = { .manifest = m } };

    m->services = 0;
    m->rules = 0;
    m->demo = (struct kozo_str){};
    m->demo_seconds = 10;
    m->ready_seconds = 10;
    m->consent_seconds = 30;
    if (text.len > MANIFEST_BYTES)
        complain(&p, 1, (struct kozo_str){}, (struct kozo_str){}, "at most 65536 bytes");
    while (text.len > 0 && p.problem.expected == nullptr) {
        p.line++;
        read_line(&p, text_cut(&text, '\n'));
    }
    end_section(&p);
    if (p.problem.expected == nullptr)
        check_all(&p);
    return p.problem;
}

/* ---- looking things up ---- */

const struct manifest_service *manifest_service(const struct manifest *m, struct kozo_str name)
{
    for (uint32_t i = 0; i < m->services; i++)
        if (text_equal(m->service[i].name, name))
            return &m->service[i];
    return nullptr;
}

const struct manifest_service *manifest_provider(const struct manifest *m, struct kozo_str name)
{
    for (uint32_t i = 0; name.len > 0 && i < m->services; i++)
        if (text_equal(m->service[i].provides, name))
            return &m->service[i];
    return nullptr;
}

bool manifest_has(const struct manifest_words *words, struct kozo_str word)
{
    for (uint32_t i = 0; i < words->count; i++)
        if (text_equal(words->word[i], word))
            return true;
    return false;
}

uint32_t manifest_tier_limit(enum manifest_tier tier)
{
    static const uint32_t limit[] = { 3600000, 300000, 60000, 60000 };

    return tier < TIER_AUTO ? limit[tier] : limit[TIER_CRITICAL];
}
