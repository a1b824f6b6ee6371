/* SPDX-License-Identifier: MIT */
#include "names.h"

/* Its layout is told in scripts/names.py. */
extern const uint8_t x86_names[], x86_names_end[];

static uint64_t take_number(const uint8_t **at)
{
    uint64_t v = 0;
    uint32_t shift = 0;

    while (*at < x86_names_end) {
        uint8_t b = *(*at)++;

        v |= (uint64_t)(b & 0x7f) << shift;
        shift += 7;
        if (b < 0x80)
            break;
    }
    return v;
}

/* The first letters are already there: they are those of the name before. */
static void take_name(const uint8_t **at, char *text)
{
    uint32_t n = *(*at)++;

    for (uint32_t more = *(*at)++; more > 0 && n < X86_NAME_BYTES - 1; more--)
        text[n++] = (char)*(*at)++;
    text[n] = '\0';
}

static uint32_t words_at(const uint8_t *row, const uint8_t *end, uint64_t offset)
{
    uint64_t from = 0;
    uint32_t words = 0;

    while (row < end) {
        from += take_number(&row);
        if (from > offset)
            break;
        words = (uint32_t)take_number(&row);
    }
    return words;
}

static bool is_text(uint64_t v)
{
    return (v >= (uint64_t)x86_text_start && v < (uint64_t)x86_text_end) ||
           (v >= (uint64_t)x86_boot_start && v < (uint64_t)x86_boot_text_end);
}

bool x86_name_find(uint64_t ip, struct x86_name *name)
{
    const uint8_t *at = x86_names;
    uint64_t start = X86_IMAGE_BASE;

    *name = (struct x86_name){};
    if (!is_text(ip))
        return false;
    while (at < x86_names_end) {
        const uint8_t *rows;
        uint64_t bytes;

        start += take_number(&at);
        if (start > ip)
            break;
        take_name(&at, name->text);
        bytes = take_number(&at);
        rows = at;
        at += bytes;
        name->start = start;
        name->offset = (uint32_t)(ip - start);
        name->words = words_at(rows, at, ip - start);
    }
    return name->start != 0;
}
