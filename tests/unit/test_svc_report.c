/* SPDX-License-Identifier: MIT */
/* What a fault report is made of: symbols of an image, a backtrace, a place in words. */
#include "unit.h"

#include "common/symbols.h"
#include "common/place.h"
#include "common/trace.h"

#include <kozo/layout.h>
#include <stdlib.h>
#include <string.h>

/* ---- symbols ---- */

/* An image with nothing but a table of symbols: header, three sections, symbols, strings. */
enum { AT_SECTIONS = 64, AT_SYMBOLS = 256, SYMBOLS = 5, AT_STRINGS = AT_SYMBOLS + SYMBOLS * 24 };
static const char strings[] = "\0main\0parse\0data\0tail";
enum { IMAGE = AT_STRINGS + sizeof strings };
static uint8_t image[IMAGE];

static void put(uint64_t at, uint64_t value, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++)
        image[at + i] = (uint8_t)(value >> 8 * i);
}

static void put_section(unsigned k, uint32_t type, uint64_t offset, uint64_t size, uint32_t link)
{
    put(AT_SECTIONS + k * 64u + 4, type, 4);
    put(AT_SECTIONS + k * 64u + 24, offset, 8);
    put(AT_SECTIONS + k * 64u + 32, size, 8);
    put(AT_SECTIONS + k * 64u + 40, link, 4);
}

static void put_symbol(unsigned k, uint32_t name, uint8_t type, uint64_t value, uint64_t size)
{
    put(AT_SYMBOLS + k * 24u, name, 4);
    put(AT_SYMBOLS + k * 24u + 4, type, 1);
    put(AT_SYMBOLS + k * 24u + 6, 1, 2);
    put(AT_SYMBOLS + k * 24u + 8, value, 8);
    put(AT_SYMBOLS + k * 24u + 16, size, 8);
}

static void make_image(void)
{
    memset(image, 0, sizeof image);
    memcpy(image, "\x7f" "ELF\2\1", 6);
    put(40, AT_SECTIONS, 8);
    put(58, 64, 2);
    put(60, 3, 2);
    put_section(1, 2, AT_SYMBOLS, SYMBOLS * 24, 2);
    put_section(2, 3, AT_STRINGS, sizeof strings, 0);
    put_symbol(1, 1, 0x12, 0x401000, 0x100); /* main */
    put_symbol(2, 6, 0x02, 0x401100, 0x40);  /* parse */
    put_symbol(3, 12, 0x11, 0x401000, 0x8);  /* data: no function */
    put_symbol(4, 17, 0x12, 0x401200, 0);    /* tail: of unknown size */
    memcpy(image + AT_STRINGS, strings, sizeof strings);
}

static void check_symbol(uint64_t address, const char *name, uint64_t offset)
{
    struct symbol s = symbols_find(image, sizeof image, address);

    if (!kozo_str_is(s.name, name) || s.offset != offset)
        FAIL("%#llx is %.*s+%#llx", (unsigned long long)address, (int)s.name.len, s.name.at,
             (unsigned long long)s.offset);
}

TEST(an_address_has_the_name_of_its_function)
{
    make_image();
    check_symbol(0x401000, "main", 0);
    check_symbol(0x4010ff, "main", 0xff);
    check_symbol(0x401100, "parse", 0);
    check_symbol(0x40113f, "parse", 0x3f);
    check_symbol(0x401140, "", 0);
    check_symbol(0x400fff, "", 0);
    check_symbol(0x401234, "tail", 0x34);
    check_symbol(0, "", 0);
}

/* Reads of a copy that ends where the image does: the sanitizer sees each step beyond. */
static void look_everywhere(const uint8_t *bytes, uint64_t len)
{
    static const uint64_t addresses[] = { 0, 0x401000, 0x401110, 0x401234, UINT64_MAX };
    uint8_t *copy = malloc(len > 0 ? len : 1);

    memcpy(copy, bytes, len);
    for (unsigned i = 0; i < sizeof addresses / sizeof addresses[0]; i++) {
        struct symbol s = symbols_find(copy, len, addresses[i]);

        CHECK(s.name.len <= SYMBOL_NAME);
        CHECK(s.name.len == 0 || ((const uint8_t *)s.name.at >= copy &&
                                  (const uint8_t *)s.name.at + s.name.len <= copy + len));
    }
    free(copy);
}

TEST(an_image_cut_at_any_byte_is_survived)
{
    make_image();
    for (uint64_t len = 0; len < sizeof image; len++)
        look_everywhere(image, len);
}

TEST(any_byte_may_have_any_of_many_values)
{
    static const uint8_t values[] = { 0, 1, 2, 3, 0x7f, 0x80, 0xff };

    for (uint64_t at = 0; at < sizeof image; at++)
        for (unsigned v = 0; v < sizeof values; v++) {
            make_image();
            image[at] = values[v];
            look_everywhere(image, sizeof image);
        }
}

TEST(fields_of_eight_bytes_may_be_huge)
{
    static const uint64_t values[] = { UINT64_MAX, UINT64_MAX - 23, 1ull << 63, IMAGE, IMAGE - 1 };

    for (uint64_t at = 0; at + 8 <= sizeof image; at++)
        for (unsigned v = 0; v < sizeof values / sizeof values[0]; v++) {
            make_image();
            put(at, values[v], 8);
            look_everywhere(image, sizeof image);
        }
}

TEST(a_name_without_an_end_is_none)
{
    make_image();
    image[sizeof image - 1] = 'x';
    check_symbol(0x401234, "", 0);
    check_symbol(0x401000, "main", 0);
}

/* ---- backtraces ---- */

/* Words from STACK on. */
#define STACK 0x204000ull
static uint64_t stack[64];

static bool read(void *context, uint64_t address, uint64_t *value)
{
    (void)context;
    if (address < STACK || address >= STACK + sizeof stack || address % 8 != 0)
        return false;
    *value = stack[(address - STACK) / 8];
    return true;
}

static void frame(unsigned at, uint64_t next, uint64_t back)
{
    stack[at] = next;
    stack[at + 1] = back;
}

TEST(frames_are_followed_to_the_first_function)
{
    struct trace_start s = { 0x401010, STACK, STACK + 8 * 8, 0x10, true };
    uint64_t to[TRACE_FRAMES];

    memset(stack, 0, sizeof stack);
    frame(8, STACK + 16 * 8, 0x402000);
    frame(16, 0, 0x403000);
    CHECK_EQ(trace_walk(&s, read, nullptr, to), 3);
    CHECK_EQ(to[0], 0x401010);
    CHECK_EQ(to[1], 0x402000);
    CHECK_EQ(to[2], 0x403000);
}

TEST(a_function_that_has_no_frame_yet_has_its_caller_on_the_stack)
{
    struct trace_start s = { 0x401000, STACK + 8 * 8, STACK + 16 * 8, 0, true };
    uint64_t to[TRACE_FRAMES];

    memset(stack, 0, sizeof stack);
    stack[8] = 0x402000;
    stack[9] = 0x402001;
    frame(16, 0, 0x403000);
    CHECK_EQ(trace_walk(&s, read, nullptr, to), 3);
    CHECK_EQ(to[1], 0x402000);
    s.offset = 1; /* behind the push of the frame pointer */
    CHECK_EQ(trace_walk(&s, read, nullptr, to), 3);
    CHECK_EQ(to[1], 0x402001);
    CHECK_EQ(to[2], 0x403000);
    s = (struct trace_start){ 0, STACK + 8 * 8, STACK + 16 * 8, 0, false }; /* call of null */
    CHECK_EQ(trace_walk(&s, read, nullptr, to), 3);
    CHECK_EQ(to[0], 0);
    CHECK_EQ(to[1], 0x402000);
}

TEST(a_stack_that_lies_is_survived)
{
    uint64_t to[TRACE_FRAMES];
    static const uint64_t bp[] = { 0, 1, 8, STACK - 8, STACK + 4, STACK + sizeof stack - 8,
                                   STACK + sizeof stack, UINT64_MAX, UINT64_MAX - 7 };

    memset(stack, 0xff, sizeof stack);
    for (unsigned i = 0; i < sizeof bp / sizeof bp[0]; i++) {
        struct trace_start s = { 1, bp[i], bp[i], 5, i % 2 == 0 };

        CHECK(trace_walk(&s, read, nullptr, to) <= TRACE_FRAMES);
        CHECK_EQ(to[0], 1);
    }
    for (unsigned i = 0; i < 64; i++) /* a frame that leads to itself, and back */
        stack[i] = i % 2 == 0 ? STACK : 7;
    struct trace_start round = { 1, STACK, STACK + 8 * 8, 5, true };
    CHECK_EQ(trace_walk(&round, read, nullptr, to), 2);
    for (unsigned i = 0; i < 62; i += 2) /* more than are told */
        frame(i, STACK + 8 * (i + 2), 100 + i);
    round.bp = STACK;
    CHECK_EQ(trace_walk(&round, read, nullptr, to), TRACE_FRAMES);
}

/* ---- places ---- */

static const char *place(uint64_t address, uint64_t access)
{
    static char text[160];
    struct line l = line_begin(text, sizeof text);
    struct place_map m = { .service = kozo_str("fsd") };

    place_add(&m, "heap", 0x410000, 0x4000, KOZO_READ | KOZO_WRITE);
    place_add(&m, "stack", KOZO_LAYOUT_STACK, 0x8000, KOZO_READ | KOZO_WRITE);
    place_add(&m, "message buffer", KOZO_LAYOUT_BUFFER, 0x1000, KOZO_READ | KOZO_WRITE);
    place_add(&m, "text", 0x402000, 0x3000, KOZO_READ | KOZO_EXECUTE);
    place_add(&m, "data", 0x407000, 0x2000, KOZO_READ | KOZO_WRITE);
    place_add(&m, "nothing", 0x500000, 0, KOZO_READ);
    place_describe(&l, &m, address, access);
    return text;
}

TEST(a_place_is_told_in_words)
{
    CHECK_STR(place(0, KOZO_READ), "a null pointer");
    CHECK_STR(place(0xfff, KOZO_READ), "a null pointer");
    CHECK_STR(place(KOZO_USER_END, KOZO_READ), "not a user address");
    CHECK_STR(place(UINT64_MAX, KOZO_WRITE), "not a user address");
    CHECK_STR(place(0x203ff8, KOZO_WRITE), "8 bytes below the stack of fsd: stack overflow");
    CHECK_STR(place(0x203000, KOZO_WRITE), "4096 bytes below the stack of fsd: stack overflow");
    CHECK_STR(place(0x20c010, KOZO_READ), "16 bytes behind the end of the stack of fsd");
    CHECK_STR(place(0x414000, KOZO_READ), "0 bytes behind the end of the heap of fsd");
    CHECK_STR(place(0x406ff0, KOZO_READ), "16 bytes below the data of fsd");
    CHECK_STR(place(0x402010, KOZO_WRITE), "in the text of fsd, which is not writable");
    CHECK_STR(place(0x407010, KOZO_EXECUTE), "in the data of fsd, which is not executable");
    CHECK_STR(place(0x300000, KOZO_READ),
              "in nothing mapped, between the stack of fsd and the text of fsd");
    CHECK_STR(place(0x123456789000, KOZO_READ), "in nothing mapped, above the heap of fsd");
    CHECK_STR(place(KOZO_LAYOUT_THREADS + 3 * KOZO_LAYOUT_THREAD_BYTES + 0x1ff0, KOZO_WRITE),
              "16 bytes below the stack of a further thread of fsd: stack overflow");
}

TEST(of_a_program_that_nothing_is_known_of_nothing_is_told)
{
    char text[64];
    struct line l = line_begin(text, sizeof text);

    place_describe(&l, &(struct place_map){}, 0x401000, KOZO_READ);
    CHECK_STR(text, "");
}
