/* SPDX-License-Identifier: MIT */
#include "common/fields.h"
#include "common/line.h"
#include "common/object.h"
#include "common/rights.h"

#include <kozo/string.h>

constexpr uint32_t max_seconds = 3600;
constexpr uint32_t memory_bits_min = 16, memory_bits_max = 30;

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

bool field_is_name(struct kozo_str s)
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
        if (!field_is_name(words->word[i]))
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

static const char *read_binary(struct field_target *t, struct kozo_str value)
{
    if (value.len > 0 && value.at[0] == '/')
        value = (struct kozo_str){ value.at + 1, value.len - 1 };
    t->service->binary = value;
    return value.len > 0 && path_is_sound(value) ? nullptr : "a path in the archive, as bin/fsd";
}

static const char *read_sha256(struct field_target *t, struct kozo_str value)
{
    if (kozo_str_is(value, "auto"))
        return "64 hexadecimal digits: mkconf.py puts them in the place of auto";
    return kozo_sha256_from_hex(value.at, value.len, t->service->sha256) ? nullptr
                                                                         : "64 hexadecimal digits";
}

static const char *read_priority(struct field_target *t, struct kozo_str value)
{
    uint32_t v;

    /* 0 is init's alone, for when nobody may come between (threads.c). */
    if (!number_within(value, 1, KOZO_PRIORITY_IDLE - 1, &v))
        return "a number from 1, the most urgent, to 254";
    t->service->priority = (uint8_t)v;
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

static const char *read_memory(struct field_target *t, struct kozo_str value)
{
    t->service->memory_bits = read_bits(value, memory_bits_min, memory_bits_max);
    return t->service->memory_bits != 0 ? nullptr : "a power of two from 64K to 1G, in K, M or G, as 4M";
}

static const char *read_untyped(struct field_target *t, struct kozo_str value)
{
    t->service->untyped_bits = read_bits(value, KOZO_PAGE_BITS, memory_bits_max - 1);
    return t->service->untyped_bits != 0 ? nullptr : "a power of two from 4K to 512M, in K or M, as 256K";
}

static const char *read_heap(struct field_target *t, struct kozo_str value)
{
    return read_pages(value, &t->service->heap_pages) ? nullptr : "a multiple of 4K, in K, M or G, as 64K or 4M";
}

static const char *read_stack(struct field_target *t, struct kozo_str value)
{
    return read_pages(value, &t->service->stack_pages) && t->service->stack_pages <= 508
               ? nullptr
               : "a multiple of 4K, in K, at most 2032K";
}

static const char *read_threads(struct field_target *t, struct kozo_str value)
{
    return number_within(value, 1, 4096, &t->service->threads) ? nullptr
                                                               : "a number from 1 to 4096";
}

static const char *read_args(struct field_target *t, struct kozo_str value)
{
    struct manifest_words *args = &t->service->args;
    uint64_t bytes = 0;

    if (!read_words(value, args) || args->count > MANIFEST_ARGS)
        return "at most 15 words";
    for (uint32_t i = 0; i < args->count; i++)
        bytes += args->word[i].len + 1;
    return bytes <= MANIFEST_ARG_BYTES ? nullptr : "at most 1024 bytes, one after each word counted";
}

static const char *read_provides(struct field_target *t, struct kozo_str value)
{
    t->service->provides = value;
    return field_is_name(value) ? nullptr : "one name of letters, digits, - _ and ., at most 31";
}

/* Rights by name, parted by `mark`; 0 when a word is none of them, or there is no word. */
static uint8_t read_right_list(struct kozo_str list, char mark)
{
    uint8_t rights = 0;

    while (list.len > 0) {
        struct kozo_str word = text_cut(&list, mark);
        uint8_t right = kozo_str_is(word, "kill") ? 0 : right_of(word); /* no service provides it */

        if (right == 0)
            return 0;
        rights |= right;
    }
    return rights;
}

/* name, or name:right,right to get no more than these. */
static const char *read_capability(struct manifest_service *s, uint32_t i)
{
    struct kozo_str rights = s->capabilities.word[i], name = text_cut(&rights, ':');
    bool narrowed = name.len < s->capabilities.word[i].len;

    s->capabilities.word[i] = name;
    s->user_rights[i] = narrowed ? read_right_list(rights, ',') : UINT8_MAX;
    if (!field_is_name(name))
        return "names of capabilities, at most 16";
    return s->user_rights[i] != 0 ? nullptr
                                  : "after the colon rights parted by commas, as console:read,write";
}

static const char *read_capabilities(struct field_target *t, struct kozo_str value)
{
    const char *expected = nullptr;

    if (!read_words(value, &t->service->capabilities))
        return "names of capabilities, at most 16";
    for (uint32_t i = 0; i < t->service->capabilities.count && expected == nullptr; i++)
        expected = read_capability(t->service, i);
    return expected;
}

static const char *read_requests(struct field_target *t, struct kozo_str value)
{
    return read_names(value, &t->service->requests) ? nullptr
                                                    : "names that services provide, at most 16";
}

static const char *read_restart(struct field_target *t, struct kozo_str value)
{
    static const char *const names[] = { "never", "always", "on-failure" };
    uint32_t i = index_of(value, names, 3);

    if (i == 3)
        return "never, always or on-failure";
    t->service->restart = (enum manifest_restart)i;
    return nullptr;
}

static const char *read_restart_limit(struct field_target *t, struct kozo_str value)
{
    return number_within(value, 1, 1000000, &t->service->restart_limit)
               ? nullptr
               : "a number from 1 to 1000000";
}

static const char *read_restart_backoff(struct field_target *t, struct kozo_str value)
{
    return number_within(value, 0, 60000, &t->service->restart_backoff_ms)
               ? nullptr
               : "milliseconds, from 0 to 60000";
}

const struct field fields_of_service[] = {
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

static const char *read_subject(struct field_target *t, struct kozo_str value)
{
    t->rule->subject = value;
    return kozo_str_is(value, "*") || field_is_name(value) ? nullptr
                                                           : "the name of a service, or *";
}

/*
 * A name that can be asked for and that `object` stands for; false when there is none, so that a
 * rule for it would never speak.
 */
static bool find_meant(struct kozo_str object, char text[OBJECT_BYTES + 2], struct object *meant)
{
    struct line l = line_begin(text, OBJECT_BYTES + 2);
    bool pattern = object.at[object.len - 1] == '*';

    object.len -= pattern;
    if (object.len + pattern > OBJECT_BYTES)
        return false;
    line_add_str(&l, object);
    if (pattern)
        line_add(&l, "x");
    return object_parse(line_text(&l), meant);
}

/* A power and no target: over whatever it can be had. */
static const char *read_power(struct field_target *t, struct kozo_str value)
{
    struct kozo_str all = kozo_str(OBJECT_KILL "/"), start = { value.at, value.len - 1 };
    char text[OBJECT_BYTES + 2];
    struct object meant;

    if (kozo_str_is(value, OBJECT_KILL))
        t->rule->object = kozo_str(OBJECT_KILL "/*");
    else if ((value.at[start.len] != '*' || !text_starts(all, start)) &&
             (!find_meant(value, text, &meant) || !kozo_str_is(meant.power, "kill")))
        return OBJECT_KILL "/SERVICE, or " OBJECT_KILL " for that of every service";
    return nullptr;
}

static const char *read_path(struct kozo_str value, struct kozo_str path)
{
    char text[OBJECT_BYTES + 2];
    struct object meant;

    return kozo_str_is(path, "*") || (find_meant(value, text, &meant) && meant.power.len == 0)
               ? nullptr
               : "behind the colon a path as it is asked for: /etc/motd or /etc/*, no part empty, "
                 ". or .., at most 255 bytes in all";
}

static const char *read_object(struct field_target *t, struct kozo_str value)
{
    struct kozo_str rest = value, provider = text_cut(&rest, ':');

    t->rule->object = value;
    if (kozo_str_is(value, "*"))
        return nullptr;
    if (!field_is_name(provider) || rest.len == 0)
        return "provider:name, as fs:/etc/motd or fs:/etc/*, or *";
    return kozo_str_is(provider, "process") ? read_power(t, value) : read_path(value, rest);
}

static const char *read_rights(struct field_target *t, struct kozo_str value)
{
    t->rule->rights_words = value;
    for (struct kozo_str w = text_cut_word(&value); w.len > 0; w = text_cut_word(&value)) {
        uint8_t right = right_of(w);

        if (right == 0)
            return "rights: read, write, list, create, remove; of process: kill";
        t->rule->rights |= right;
    }
    return t->rule->rights != 0 ? nullptr : "at least one right: read, write, list, create, remove";
}

static const char *read_decision(struct field_target *t, struct kozo_str value)
{
    static const char *const names[] = { "allow", "ask", "deny" };
    uint32_t i = index_of(value, names, 3);

    if (i == 3)
        return "allow, ask or deny";
    t->rule->decision = (enum manifest_decision)i;
    return nullptr;
}

static const char *const tier_names[] = { "low", "medium", "high", "critical" };

const char *manifest_tier_name(enum manifest_tier tier)
{
    return tier < TIER_AUTO ? tier_names[tier] : "auto";
}

static const char *read_tier(struct field_target *t, struct kozo_str value)
{
    uint32_t i = index_of(value, tier_names, 4);

    if (i == 4)
        return "low, medium, high or critical";
    t->rule->tier = (enum manifest_tier)i;
    return nullptr;
}

static const char *read_lease(struct field_target *t, struct kozo_str value)
{
    t->rule->lease = value;
    return number_within(value, 1, manifest_tier_limit(TIER_LOW), &t->rule->lease_ms)
               ? nullptr
               : "milliseconds, from 1 to 3600000";
}

static const char *read_depth(struct field_target *t, struct kozo_str value)
{
    t->rule->depth = kozo_str_is(value, "any") ? MANIFEST_DEPTH_ANY : 1;
    return kozo_str_is(value, "any") || kozo_str_is(value, "1")
               ? nullptr
               : "1 or any: through how many hands a capability went cannot be enforced";
}

static const char *read_reason(struct field_target *t, struct kozo_str value)
{
    t->rule->reason = value;
    return value.len <= 120 ? nullptr : "at most 120 bytes";
}

static const char *read_hint(struct field_target *t, struct kozo_str value)
{
    t->rule->hint = value;
    return value.len <= 120 ? nullptr : "at most 120 bytes";
}

const struct field fields_of_rule[] = {
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

static const char *read_demo(struct field_target *t, struct kozo_str value)
{
    t->manifest->demo = value;
    return field_is_name(value) ? nullptr : "the name of a service";
}

static const char *read_demo_seconds(struct field_target *t, struct kozo_str value)
{
    return number_within(value, 1, max_seconds, &t->manifest->demo_seconds)
               ? nullptr
               : "seconds, from 1 to 3600";
}

static const char *read_ready_seconds(struct field_target *t, struct kozo_str value)
{
    return number_within(value, 1, max_seconds, &t->manifest->ready_seconds)
               ? nullptr
               : "seconds, from 1 to 3600";
}

static const char *read_consent_seconds(struct field_target *t, struct kozo_str value)
{
    return number_within(value, 1, max_seconds, &t->manifest->consent_seconds)
               ? nullptr
               : "seconds, from 1 to 3600";
}

const struct field fields_of_init[] = {
    { "demo", read_demo, false },
    { "demo_seconds", read_demo_seconds, false },
    { "ready_seconds", read_ready_seconds, false },
    { "consent_seconds", read_consent_seconds, false },
    {},
};
