/* SPDX-License-Identifier: MIT */
#include "common/symbols.h"

#include <kozo/string.h>

/* ELF64, little-endian: offsets and sizes of what is looked at. */
constexpr uint64_t header_bytes = 64, section_bytes = 64, symbol_bytes = 24;
constexpr uint64_t at_section_offset = 40, at_section_size = 58, at_section_count = 60;
constexpr uint32_t section_symbols = 2, section_strings = 3;
constexpr uint8_t type_function = 2;

struct image {
    const uint8_t *at;
    uint64_t bytes;
};

/* A piece of the image; null where it does not lie in it. */
static struct image piece(struct image i, uint64_t offset, uint64_t bytes)
{
    if (offset > i.bytes || bytes > i.bytes - offset)
        return (struct image){};
    return (struct image){ i.at + offset, bytes };
}

/* A number of 1 to 8 bytes; the caller knows that it lies in the piece. */
static uint64_t number(struct image i, uint64_t offset, uint64_t bytes)
{
    uint64_t value = 0;

    for (uint64_t k = 0; k < bytes; k++)
        value |= (uint64_t)i.at[offset + k] << 8 * k;
    return value;
}

/* The headers of the sections; empty when there are none. */
static struct image sections_of(struct image i)
{
    static const uint8_t magic[] = { 0x7f, 'E', 'L', 'F', 2, 1 };

    if (i.bytes < header_bytes || memcmp(i.at, magic, sizeof magic) != 0 ||
        number(i, at_section_size, 2) != section_bytes)
        return (struct image){};
    return piece(i, number(i, at_section_offset, 8),
                 number(i, at_section_count, 2) * section_bytes);
}

/* The contents of section `k`, if it is of that type. */
static struct image contents(struct image i, struct image sections, uint64_t k, uint32_t type)
{
    struct image s = piece(sections, k * section_bytes, section_bytes);

    if (s.at == nullptr || number(s, 4, 4) != type)
        return (struct image){};
    return piece(i, number(s, 24, 8), number(s, 32, 8));
}

struct best {
    uint64_t begin;
    uint32_t name;
    bool found;
};

/* The function that begins last at or before the address, and does not end before it. */
static struct best find(struct image symbols, uint64_t address)
{
    struct best best = {};

    for (uint64_t at = 0; at + symbol_bytes <= symbols.bytes; at += symbol_bytes) {
        struct image s = { symbols.at + at, symbol_bytes };
        uint64_t begin = number(s, 8, 8), size = number(s, 16, 8);

        if ((number(s, 4, 1) & 15) != type_function || number(s, 6, 2) == 0)
            continue;
        if (begin > address || (size != 0 && address - begin >= size))
            continue;
        if (!best.found || begin >= best.begin)
            best = (struct best){ begin, (uint32_t)number(s, 0, 4), true };
    }
    return best;
}

/* The name at `offset` of the strings; it ends with a NUL inside of them, or is no name. */
static struct kozo_str name_at(struct image strings, uint64_t offset)
{
    struct image rest = piece(strings, offset, 1);
    uint64_t len = 0;

    if (rest.at == nullptr)
        return (struct kozo_str){};
    while (offset + len < strings.bytes && rest.at[len] != 0)
        len++;
    if (offset + len == strings.bytes)
        return (struct kozo_str){};
    return (struct kozo_str){ (const char *)rest.at, len < SYMBOL_NAME ? len : SYMBOL_NAME };
}

struct symbol symbols_find(const void *image, uint64_t bytes, uint64_t address)
{
    struct image i = { image, bytes }, sections = sections_of(i);

    for (uint64_t k = 0; k < sections.bytes / section_bytes; k++) {
        struct image symbols = contents(i, sections, k, section_symbols);
        struct best best = find(symbols, address);
        uint64_t link = number(sections, k * section_bytes + 40, 4);
        struct kozo_str name = name_at(contents(i, sections, link, section_strings), best.name);

        if (best.found && name.len > 0)
            return (struct symbol){ name, address - best.begin };
    }
    return (struct symbol){};
}
