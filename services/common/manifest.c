/* SPDX-License-Identifier: MIT */
#include "common/manifest.h"
#include "common/object.h"
#include "common/rights.h"

#include <kozo/string.h>

constexpr uint32_t max_seconds = 3600;
constexpr uint32_t max_depth = 8;
constexpr uint32_t memory_bits_min = 16, memory_bits_max = 30;

/* What init itself can give; the other capabilities are what services provide. */
static const char *const given_names[] = { "log", "initrd", "manifest", "leases" };

struct parser {
    struct manifest *m;
    struct manifest_service *service; /* the section being read: one of these, or none for [init] */
    struct manifest_rule *rule;
    const struct field *fields;
    uint32_t seen; /* bit i: fields[i] has been read */
    uint32_t line, section_line;
    struct kozo_str section;
    struct manifest_problem problem;
};

/* Reads `value`; returns what was expected, or null when all is well. */
typedef const char *reader(struct parser *p, struct kozo_str value);
struct field {
    const char *name;
    reader *read;
    bool required;
};

static void complain(struct parser *p, uint32_t line, struct kozo_str field, struct kozo_str value,
                     const char *expected)
{
    if (p->problem.expected == nullptr)
        p->problem = (struct manifest_problem){ line, field, value, expected };
}

/* ---- values ---- */

static bool number_within(struct kozo_str value, uint32_t low, uint32_t high, uint32_t *out)
{
    uint64_t v;

    if (!kozo_parse_u64(value.at, value.len, &v) || v < low || v > high)
        return false;
    *out = (uint32_t)v;
    return true;
}

/* Index of `value` among `names`, `count` when it is none of them. */
static uint32_t index_of(struct kozo_str value, const char *const *names, uint32_t count)
{
    uint32_t i = 0;

    while (i < count && !kozo_str_is(value, names[i]))
        i++;
    return i;
}

static bool is_name(struct kozo_str s)
{
    if (s.len == 0 || s.len > MANIFEST_NAME)
        return false;
    for (uint64_t i = 0; i < s.len; i++) {
        char c = s.at[i];
        bool good = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                    c == '-' || c == '_' || c == '.';

        if (!good)
            return false;
    }
    return true;
}

static bool read_words(struct kozo_str value, struct manifest_words *words)
{
    for (struct kozo_str w = text_cut_word(&value); w.len > 0; w = text_cut_word(&value)) {
        if (words->count == MANIFEST_WORDS)
            return false;
        words->word[words->count++] = w;
    }
    return true;
}

static bool read_names(struct kozo_str value, struct manifest_words *words)
{
    if (!read_words(value, words))
        return false;
    for (uint32_t i = 0; i < words->count; i++)
        if (!is_name(words->word[i]))
            return false;
    return true;
}

/* Bytes, written as 64K, 4M or 1G. */
static bool read_size(struct kozo_str value, uint64_t *bytes)
{
    static const char units[] = "KMG";
    uint32_t unit = 0, number;

    while (value.len > 0 && unit < 3 && value.at[value.len - 1] != units[unit])
        unit++;
    if (value.len == 0 || unit == 3)
        return false;
    if (!number_within((struct kozo_str){ value.at, value.len - 1 }, 1, 1u << 20, &number))
        return false;
    *bytes = (uint64_t)number << 10 * (unit + 1);
    return true;
}

/* Whole pages, at most what a section's memory can be. */
static bool read_pages(struct kozo_str value, uint32_t *pages)
{
    uint64_t bytes;

    if (!read_size(value, &bytes) || bytes % KOZO_PAGE_SIZE != 0 || bytes > 1ull << memory_bits_max)
        return false;
    *pages = (uint32_t)(bytes / KOZO_PAGE_SIZE);
    return true;
}

/* ---- [service] ---- */

static const char *read_binary(struct parser *p, struct kozo_str value)
{
    if (value.len > 0 && value.at[0] == '/')
        value = (struct kozo_str){ value.at + 1, value.len - 1 };
    p->service->binary = value;
    return value.len > 0 && path_is_sound(value) ? nullptr : "a path in the archive, as bin/fsd";
}

static const char *read_sha256(struct parser *p, struct kozo_str value)
{
    if (kozo_str_is(value, "auto"))
        return "64 hexadecimal digits: mkconf.py puts them in the place of auto";
    return kozo_sha256_from_hex(value.at, value.len, p->service->sha256) ? nullptr
                                                                         : "64 hexadecimal digits";
}

static const char *read_priority(struct parser *p, struct kozo_str value)
{
    uint32_t v;

    if (!number_within(value, 0, KOZO_PRIORITY_IDLE - 1, &v))
        return "a number from 0, the most urgent, to 254";
    p->service->priority = (uint8_t)v;
    return nullptr;
}

/* log2 of a power of two of bytes within [2^low, 2^high], 0 when it is something else. */
static uint8_t read_bits(struct kozo_str value, uint32_t low, uint32_t high)
{
    uint64_t bytes;

    if (!read_size(value, &bytes))
        return 0;
    while (low < high && bytes > 1ull << low)
        low++;
    return bytes == 1ull << low ? (uint8_t)low : 0;
}

static const char *read_memory(struct parser *p, struct kozo_str value)
{
    p->service->memory_bits = read_bits(value, memory_bits_min, memory_bits_max);
    return p->service->memory_bits != 0 ? nullptr : "a power of two from 64K to 1G, as 4M";
}

static const char *read_untyped(struct parser *p, struct kozo_str value)
{
    p->service->untyped_bits = read_bits(value, KOZO_PAGE_BITS, memory_bits_max - 1);
    return p->service->untyped_bits != 0 ? nullptr : "a power of two from 4K to 512M, as 256K";
}

static const char *read_heap(struct parser *p, struct kozo_str value)
{
    return read_pages(value, &p->service->heap_pages) ? nullptr : "a multiple of 4K, as 64K or 4M";
}

static const char *read_stack(struct parser *p, struct kozo_str value)
{
    return read_pages(value, &p->service->stack_pages) && p->service->stack_pages <= 508
               ? nullptr
               : "a multiple of 4K, at most 2032K";
}

static const char *read_threads(struct parser *p, struct kozo_str value)
{
    return number_within(value, 1, 4096, &p->service->threads) ? nullptr
                                                               : "a number from 1 to 4096";
}

static const char *read_args(struct parser *p, struct kozo_str value)
{
    return read_words(value, &p->service->args) ? nullptr : "at most 16 words";
}

static const char *read_provides(struct parser *p, struct kozo_str value)
{
    p->service->provides = value;
    return is_name(value) ? nullptr : "one name of letters, digits, - _ and ., at most 31";
}

static const char *read_capabilities(struct parser *p, struct kozo_str value)
{
    return read_names(value, &p->service->capabilities) ? nullptr
                                                        : "names of capabilities, at most 16";
}

static const char *read_requests(struct parser *p, struct kozo_str value)
{
    return read_names(value, &p->service->requests) ? nullptr
                                                    : "names that services provide, at most 16";
}

static const char *read_restart(struct parser *p, struct kozo_str value)
{
    static const char *const names[] = { "never", "always", "on-failure" };
    uint32_t i = index_of(value, names, 3);

    if (i == 3)
        return "never, always or on-failure";
    p->service->restart = (enum manifest_restart)i;
    return nullptr;
}

static const char *read_restart_limit(struct parser *p, struct kozo_str value)
{
    return number_within(value, 1, 1000000, &p->service->restart_limit)
               ? nullptr
               : "a number from 1 to 1000000";
}

static const char *read_restart_backoff(struct parser *p, struct kozo_str value)
{
    return number_within(value, 0, 60000, &p->service->restart_backoff_ms)
               ? nullptr
               : "milliseconds, from 0 to 60000";
}

static const struct field service_fields[] = {
    { "binary", read_binary, true },
    { "sha256", read_sha256, true },
    { "memory", read_memory, true },
    { "heap", read_heap, false },
    { "stack", read_stack, false },
    { "untyped", read_untyped, false },
    { "priority", read_priority, false },
    { "threads", read_threads, false },
    { "args", read_args, false },
    { "provides", read_provides, false },
    { "capabilities", read_capabilities, false },
    { "requests", read_requests, false },
    { "restart", read_restart, false },
    { "restart_limit", read_restart_limit, false },
    { "restart_backoff_ms", read_restart_backoff, false },
    {},
};

/* ---- [rule] ---- */

static const char *read_subject(struct parser *p, struct kozo_str value)
{
    p->rule->subject = value;
    return kozo_str_is(value, "*") || is_name(value) ? nullptr : "the name of a service, or *";
}

static const char *read_object(struct parser *p, struct kozo_str value)
{
    struct kozo_str rest = value, provider = text_cut(&rest, ':');

    p->rule->object = value;
    if (kozo_str_is(value, "*") || (is_name(provider) && rest.len > 0))
        return nullptr;
    return "provider:name, as fs:/etc/motd or fs:/etc/*, or *";
}

static const char *read_rights(struct parser *p, struct kozo_str value)
{
    for (struct kozo_str w = text_cut_word(&value); w.len > 0; w = text_cut_word(&value)) {
        uint8_t right = right_of(w);

        if (right == 0)
            return "rights: read, write, list, create, remove";
        p->rule->rights |= right;
    }
    return p->rule->rights != 0 ? nullptr : "at least one right: read, write, list, create, remove";
}

static const char *read_decision(struct parser *p, struct kozo_str value)
{
    static const char *const names[] = { "allow", "ask", "deny" };
    uint32_t i = index_of(value, names, 3);

    if (i == 3)
        return "allow, ask or deny";
    p->rule->decision = (enum manifest_decision)i;
    return nullptr;
}

static const char *const tier_names[] = { "low", "medium", "high", "critical" };

static const char *read_tier(struct parser *p, struct kozo_str value)
{
    uint32_t i = index_of(value, tier_names, 4);

    if (i == 4)
        return "low, medium, high or critical";
    p->rule->tier = (enum manifest_tier)i;
    return nullptr;
}

static const char *read_lease(struct parser *p, struct kozo_str value)
{
    return number_within(value, 1, manifest_tier_limit(TIER_LOW), &p->rule->lease_ms)
               ? nullptr
               : "milliseconds, from 1 to 3600000";
}

static const char *read_depth(struct parser *p, struct kozo_str value)
{
    return number_within(value, 1, max_depth, &p->rule->depth) ? nullptr : "a number from 1 to 8";
}

static const char *read_reason(struct parser *p, struct kozo_str value)
{
    p->rule->reason = value;
    return value.len <= 120 ? nullptr : "at most 120 bytes";
}

static const char *read_hint(struct parser *p, struct kozo_str value)
{
    p->rule->hint = value;
    return value.len <= 120 ? nullptr : "at most 120 bytes";
}

static const struct field rule_fields[] = {
    { "subject", read_subject, true },
    { "object", read_object, true },
    { "rights", read_rights, true },
    { "decision", read_decision, true },
    { "tier", read_tier, false },
    { "lease_ms", read_lease, false },
    { "depth", read_depth, false },
    { "reason", read_reason, false },
    { "hint", read_hint, false },
    {},
};

/* ---- [init] ---- */

static const char *read_demo(struct parser *p, struct kozo_str value)
{
    p->m->demo = value;
    return is_name(value) ? nullptr : "the name of a service";
}

static const char *read_demo_seconds(struct parser *p, struct kozo_str value)
{
    return number_within(value, 1, max_seconds, &p->m->demo_seconds) ? nullptr
                                                                     : "seconds, from 1 to 3600";
}

static const char *read_ready_seconds(struct parser *p, struct kozo_str value)
{
    return number_within(value, 1, max_seconds, &p->m->ready_seconds) ? nullptr
                                                                      : "seconds, from 1 to 3600";
}

static const struct field init_fields[] = {
    { "demo", read_demo, false },
    { "demo_seconds", read_demo_seconds, false },
    { "ready_seconds", read_ready_seconds, false },
    {},
};

/* ---- sections and lines ---- */

static const char *begin_service(struct parser *p, struct kozo_str name)
{
    struct manifest *m = p->m;

    if (manifest_service(m, name) != nullptr)
        return "a name that no other service has";
    if (m->services == MANIFEST_SERVICES)
        return "at most 32 services";
    p->service = &m->service[m->services++];
    *p->service = (struct manifest_service){ .name = name,
                                             .priority = 100,
                                             .threads = 1,
                                             .heap_pages = 4,
                                             .stack_pages = 8,
                                             .restart_limit = 3,
                                             .restart_backoff_ms = 100,
                                             .line = p->line };
    p->fields = service_fields;
    return nullptr;
}

static const char *begin_rule(struct parser *p, struct kozo_str name)
{
    struct manifest *m = p->m;

    for (uint32_t i = 0; i < m->rules; i++)
        if (text_equal(m->rule[i].name, name))
            return "a name that no other rule has";
    if (m->rules == MANIFEST_RULES)
        return "at most 128 rules";
    p->rule = &m->rule[m->rules++];
    *p->rule =
        (struct manifest_rule){ .name = name, .tier = TIER_AUTO, .depth = 1, .line = p->line };
    p->fields = rule_fields;
    return nullptr;
}

/* The section that ends has all it needs. */
static void end_section(struct parser *p)
{
    for (uint32_t i = 0; p->fields != nullptr && p->fields[i].name != nullptr; i++)
        if (p->fields[i].required && (p->seen & 1u << i) == 0)
            complain(p, p->section_line, kozo_str(p->fields[i].name), p->section,
                     "this field in the section, which lacks it");
    p->service = nullptr;
    p->rule = nullptr;
    p->fields = nullptr;
    p->seen = 0;
}

static const char *read_section(struct parser *p, struct kozo_str line)
{
    struct kozo_str inside = { line.at + 1, line.len - 1 }, kind, name;

    end_section(p);
    p->section_line = p->line;
    if (line.at[line.len - 1] != ']')
        return "a ] at the end of the section's line";
    inside.len--;
    p->section = name = text_trim(inside);
    kind = text_cut_word(&name);
    name = text_trim(name);
    if (kozo_str_is(kind, "init") && name.len == 0) {
        p->fields = init_fields;
        return nullptr;
    }
    if (kozo_str_is(kind, "service") && is_name(name))
        return begin_service(p, name);
    if (kozo_str_is(kind, "rule") && is_name(name))
        return begin_rule(p, name);
    return "[init], [service NAME] or [rule NAME]";
}

static const char *read_field(struct parser *p, struct kozo_str name, struct kozo_str value)
{
    uint32_t i = 0;

    if (p->fields == nullptr)
        return "a [section] before the first field";
    while (p->fields[i].name != nullptr && !kozo_str_is(name, p->fields[i].name))
        i++;
    if (p->fields[i].name == nullptr)
        return "a field that this kind of section has";
    if ((p->seen & 1u << i) != 0)
        return "this field only once in the section";
    p->seen |= 1u << i;
    return p->fields[i].read(p, value);
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

static bool is_given(struct kozo_str name)
{
    constexpr uint32_t count = sizeof given_names / sizeof given_names[0];

    return index_of(name, given_names, count) < count;
}

static void check_provides(struct parser *p, const struct manifest_service *s)
{
    if (s->provides.len == 0)
        return;
    if (manifest_provider(p->m, s->provides) != s)
        complain(p, s->line, kozo_str("provides"), s->provides,
                 "a name that no other service provides");
    if (is_given(s->provides))
        complain(p, s->line, kozo_str("provides"), s->provides,
                 "a name other than log, initrd, manifest and leases");
}

static void check_service(struct parser *p, const struct manifest_service *s)
{
    check_provides(p, s);
    for (uint32_t i = 0; i < s->capabilities.count; i++) {
        struct kozo_str name = s->capabilities.word[i];
        const struct manifest_service *from = manifest_provider(p->m, name);

        if ((from == nullptr || from == s) && !is_given(name))
            complain(p, s->line, kozo_str("capabilities"), name,
                     "log, initrd, manifest, leases, or what another service provides");
    }
    for (uint32_t i = 0; i < s->requests.count; i++)
        if (manifest_provider(p->m, s->requests.word[i]) == nullptr)
            complain(p, s->line, kozo_str("requests"), s->requests.word[i],
                     "a name that a service provides");
}

static void check_rule(struct parser *p, const struct manifest_rule *r)
{
    if (!kozo_str_is(r->subject, "*") && manifest_service(p->m, r->subject) == nullptr)
        complain(p, r->line, kozo_str("subject"), r->subject,
                 "the name of a service of this manifest, or *");
    if (r->tier != TIER_AUTO && r->lease_ms > manifest_tier_limit(r->tier))
        complain(
            p, r->line, kozo_str("lease_ms"), r->name,
            "at most what the tier allows: low 3600000, medium 300000, high and critical 60000");
}

static void check_all(struct parser *p)
{
    struct manifest *m = p->m;

    if (m->services == 0)
        complain(p, p->line, kozo_str("service"), (struct kozo_str){},
                 "at least one [service NAME]");
    for (uint32_t i = 0; i < m->services; i++)
        check_service(p, &m->service[i]);
    for (uint32_t i = 0; i < m->rules; i++)
        check_rule(p, &m->rule[i]);
    if (m->demo.len > 0 && manifest_service(m, m->demo) == nullptr)
        complain(p, p->line, kozo_str("demo"), m->demo, "the name of a service of this manifest");
}

struct manifest_problem manifest_parse(struct manifest *m, struct kozo_str text)
{
    struct parser p = { .m = m };

    m->services = 0;
    m->rules = 0;
    m->demo = (struct kozo_str){};
    m->demo_seconds = 10;
    m->ready_seconds = 10;
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

const char *manifest_tier_name(enum manifest_tier tier)
{
    return tier < TIER_AUTO ? tier_names[tier] : "auto";
}
