/* SPDX-License-Identifier: MIT */
/* What an index of an archive costs that somebody made to cost much. Counted in steps. */
#include "archive.h"
#include "unit.h"

#include <kozo/cpio.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PROBES = KOZO_CPIO_PROBES, FEW_SLOTS = 512, DEV_MINOR = 6 + 8 * 8 };

static struct {
    uint8_t *bytes;
    uint64_t used, room;
    uint64_t names; /* bytes of all names */
} ar;
static struct kozo_cpio_index ix;
static struct kozo_cpio_slot few[FEW_SLOTS];
static struct kozo_bad bad;

static void begin(void)
{
    ar.used = ar.names = 0;
}

/* Returns where its header begins. */
static uint64_t add(const char *name, const char *data, uint32_t ino)
{
    struct archive_entry e = { name, KOZO_CPIO_FILE | 0644, data, strlen(data), ino, 2 };
    uint64_t at = ar.used, bytes = archive_bytes(&e);

    if (ar.used + bytes > ar.room) {
        ar.room = 2 * (ar.used + bytes);
        ar.bytes = realloc(ar.bytes, ar.room);
    }
    ar.used = archive_put(ar.bytes, ar.room, ar.used, e);
    ar.names += strlen(name);
    return at;
}

static void add_from(const char *name, uint32_t minor)
{
    char digits[9];
    uint64_t at = add(name, "x", 1);

    snprintf(digits, sizeof digits, "%08X", minor);
    memcpy(ar.bytes + at + DEV_MINOR, digits, 8);
}

static void end(void)
{
    add("TRAILER!!!", "", 0);
}

static enum kozo_err make_index(uint64_t *keys)
{
    struct kozo_cpio c = { ar.bytes, ar.used };
    struct kozo_cpio_count n = kozo_cpio_check(&c, &bad);
    uint64_t slots = kozo_cpio_index_slots(n.keys);

    *keys = n.keys;
    free(ix.slot);
    ix.slot = nullptr;
    return n.err != KOZO_OK
               ? n.err
               : kozo_cpio_index(&ix, &c, malloc(slots * sizeof *ix.slot), slots, &bad);
}

static enum kozo_err make_small_index(void)
{
    struct kozo_cpio c = { ar.bytes, ar.used };
    enum kozo_err err;

    free(ix.slot);
    err = kozo_cpio_index(&ix, &c, few, FEW_SLOTS, &bad);
    ix.slot = nullptr;
    return err;
}

/* Sound, at no more steps than each name read twice, and three slots a key. */
static void check_linear(uint64_t want_keys)
{
    uint64_t keys;

    CHECK_OK(make_index(&keys));
    CHECK_EQ(keys, want_keys);
    if (ix.steps > 2 * ar.names + 3 * keys)
        FAIL("%lu steps for %lu keys and %lu bytes of names", ix.steps, keys, ar.names);
}

TEST(inodes_that_differ_in_few_bits_spread)
{
    char name[32];

    for (unsigned shift = 0; shift <= 16; shift++) {
        begin();
        for (unsigned i = 0; i < 20000; i++) {
            snprintf(name, sizeof name, "link%u", i);
            add(name, "x", i << shift);
        }
        end();
        check_linear(40000);
    }
}

TEST(devices_that_differ_in_few_bits_spread)
{
    char name[32];

    for (unsigned shift = 0; shift <= 16; shift += 4) {
        begin();
        for (unsigned i = 0; i < 20000; i++) {
            snprintf(name, sizeof name, "link%u", i);
            add_from(name, i << shift);
        }
        end();
        check_linear(40000);
    }
}

TEST(sixty_five_thousand_files_with_several_names_are_indexed)
{
    struct kozo_cpio_entry e;
    char name[32];

    begin();
    for (uint32_t i = 1; i <= 65536; i++) {
        snprintf(name, sizeof name, "file%u", i);
        add(name, name, i * 4096);
    }
    end();
    check_linear(2 * 65536);
    for (uint32_t i = 1; i <= 65536; i += 13) {
        unsigned len = (unsigned)snprintf(name, sizeof name, "file%u", i);

        CHECK_OK(kozo_cpio_lookup(&ix, name, len, &e));
        CHECK_EQ(e.size, len);
        CHECK(memcmp(e.data, name, len) == 0);
    }
}

/* ---- names ---- */

/* As many parts as told, of `part` bytes each, the last one with a number. */
static const char *deep_name(unsigned parts, unsigned part, unsigned number)
{
    static char name[KOZO_CPIO_NAME + 1];
    unsigned len = 0;

    for (unsigned i = 0; i < parts; i++) {
        memset(name + len, 'q', part);
        len += part;
        name[len++] = '/';
    }
    name[--len] = '\0';
    if (number != 0) {
        char digits[9];

        snprintf(digits, sizeof digits, "%08u", number);
        memcpy(name + len - 8, digits, 8);
    }
    return name;
}

TEST(what_leads_to_a_long_name_is_read_once)
{
    uint64_t keys;

    begin();
    for (unsigned i = 1; i <= 2000; i++)
        add(deep_name(KOZO_CPIO_DEPTH, 127, i), "", i);
    end();
    CHECK_OK(make_index(&keys));
    CHECK_EQ(keys, 2000);
    if (ix.steps > 2 * ar.names + 3ull * KOZO_CPIO_DEPTH * keys)
        FAIL("%lu steps for %lu bytes of names", ix.steps, ar.names);
}

TEST(names_have_at_most_thirty_two_parts)
{
    char text[KOZO_BAD_TEXT];
    uint64_t keys;

    begin();
    add(deep_name(32, 1, 0), "", 1);
    end();
    CHECK_OK(make_index(&keys));
    begin();
    add(deep_name(33, 1, 0), "", 1);
    end();
    CHECK_ERR(make_index(&keys), FORMAT);
    CHECK_STR(bad.want, "at most 32 parts");
    CHECK_STR(kozo_bad_text(&bad, text),
              ".../q/q/q/q/q/q/q/q/q/q/q/q/q/q/q/q: depth of the name at byte 110 is 33 (0x21)");
    begin();
    add("q", "", 1);
    add(deep_name(2047, 1, 0), "", 2);
    end();
    CHECK_ERR(make_index(&keys), FORMAT);
    CHECK_STR(kozo_bad_text(&bad, text), ".../q/q/q/q/q/q/q/q/q/q/q/q/q/q/q/q: "
                                         "depth of the name at byte 222 is 2047 (0x7ff)");
}

TEST(a_file_far_above_a_name_is_found)
{
    uint64_t keys;

    begin();
    add("q/q", "data", 1);
    add(deep_name(32, 1, 0), "", 2);
    end();
    CHECK_ERR(make_index(&keys), FORMAT);
    CHECK_STR(bad.want, "only directories before a slash");
    CHECK_EQ(bad.value, 0);
    CHECK_EQ(bad.text_len, 63);
}

/* ---- what was chosen to collide ---- */

enum { MEET = 7, FAR = 128, FARTHER = 384 }; /* slots */

/* The slot that the one entry takes which is not `but`: where the hash of its key sends it. */
static unsigned home(const char *name, const char *data, uint32_t ino, unsigned but)
{
    begin();
    add(name, data, ino);
    end();
    CHECK_OK(make_small_index());
    for (unsigned i = 0; i < FEW_SLOTS; i++)
        if (few[i].place != 0 && i != but)
            return i;
    return FEW_SLOTS;
}

/* The next name whose hash sends it to slot low up to high; they are numbered. */
static void next_name(char name[16], unsigned *number, unsigned low, unsigned high)
{
    unsigned slot;

    do {
        snprintf(name, 16, "n%u", (*number)++);
        slot = home(name, "", 1, FEW_SLOTS);
    } while (slot < low || slot >= high);
}

static enum kozo_err look_up(const char *name)
{
    struct kozo_cpio_index found = ix;
    struct kozo_cpio_entry e;

    found.slot = few;
    return kozo_cpio_lookup(&found, name, strlen(name), &e);
}

TEST(names_chosen_to_collide_are_refused)
{
    static char name[PROBES + 1][16];
    unsigned number = 0;

    for (unsigned i = 0; i <= PROBES; i++)
        next_name(name[i], &number, MEET, MEET + 1);
    begin();
    for (unsigned i = 0; i < PROBES; i++)
        add(name[i], "", 1);
    end();
    CHECK_OK(make_small_index());
    for (unsigned i = 0; i < PROBES; i++)
        CHECK_OK(look_up(name[i]));
    CHECK_ERR(look_up(name[PROBES]), NOT_FOUND);
    begin();
    for (unsigned i = 0; i <= PROBES; i++)
        add(name[i], "", 1);
    end();
    CHECK_ERR(make_small_index(), FORMAT);
    CHECK_STR(bad.field, "hash of the name");
    CHECK_EQ(bad.entry_len, strlen(name[PROBES]));
    CHECK(memcmp(bad.entry, name[PROBES], bad.entry_len) == 0);
}

static void add_files(char name[][16], const uint32_t *ino, unsigned n)
{
    begin();
    for (unsigned i = 0; i < n; i++)
        add(name[i], "x", ino[i]);
    end();
}

TEST(inodes_chosen_to_collide_are_refused)
{
    static char name[PROBES + 1][16];
    uint32_t ino[PROBES + 1], from = 1;
    unsigned number = 0;

    for (unsigned i = 0; i <= PROBES; i++) {
        next_name(name[i], &number, FAR, FARTHER);
        while (home(name[0], "x", from, home(name[0], "", 1, FEW_SLOTS)) != MEET)
            from++;
        ino[i] = from++;
    }
    add_files(name, ino, PROBES);
    CHECK_OK(make_small_index());
    add_files(name, ino, PROBES + 1);
    CHECK_ERR(make_small_index(), FORMAT);
    CHECK_STR(bad.field, "c_ino");
    CHECK_EQ(bad.value, ino[PROBES]);
    CHECK(memcmp(bad.entry, name[PROBES], bad.entry_len) == 0);
}
