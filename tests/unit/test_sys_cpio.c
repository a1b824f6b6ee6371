/* SPDX-License-Identifier: MIT */
#include "archive.h"
#include "unit.h"

#include <kozo/cpio.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* An archive that grows by entries, for each test to spoil. */
static struct {
    uint8_t *bytes;
    uint64_t len, room;
} ar;
static struct kozo_bad bad;
static struct kozo_cpio_entry entry;

static void begin(void)
{
    ar.len = 0;
}

static void append(const void *bytes, uint64_t len)
{
    if (ar.len + len > ar.room) {
        ar.room = 2 * (ar.len + len);
        ar.bytes = realloc(ar.bytes, ar.room);
    }
    if (len != 0)
        memcpy(ar.bytes + ar.len, bytes, len);
    ar.len += len;
}

static void pad(void)
{
    append("\0\0\0", -ar.len & 3);
}

struct spec {
    uint32_t mode, ino, links;
};

static void add_as(const char *name, uint64_t name_size, const void *data, uint64_t size,
                   struct spec s)
{
    const struct archive_entry e = { name, s.mode, data, size, s.ino, s.links };
    char header[ARCHIVE_HEADER + 1];

    archive_header(header, &e, name_size);
    append(header, ARCHIVE_HEADER);
    append(name, name_size);
    pad();
    append(data, size);
    pad();
}

static void add(const char *name, const char *data)
{
    add_as(name, strlen(name) + 1, data, strlen(data),
           (struct spec){ KOZO_CPIO_FILE | 0644, 1, 1 });
}

static void add_type(const char *name, uint32_t type, const char *data)
{
    add_as(name, strlen(name) + 1, data, strlen(data), (struct spec){ type | 0755, 1, 1 });
}

static void add_link(const char *name, const char *data, uint32_t ino)
{
    add_as(name, strlen(name) + 1, data, strlen(data),
           (struct spec){ KOZO_CPIO_FILE | 0644, ino, 2 });
}

static void end(void)
{
    add_as("TRAILER!!!", 11, "", 0, (struct spec){ 0, 0, 1 });
}

/*
 * A copy of just the first `bytes` bytes at an odd address, so that ASan sees a step beyond. It
 * stays until the next one: `bad` names its bytes.
 */
static enum kozo_err check_cut(uint64_t bytes, uint64_t *entries)
{
    static uint8_t *block;
    struct kozo_cpio c;
    struct kozo_cpio_count n;

    free(block);
    block = malloc(bytes + 1);
    memcpy(block + 1, ar.bytes, bytes);
    c = (struct kozo_cpio){ block + 1, bytes };
    n = kozo_cpio_check(&c, &bad);
    if (entries != nullptr)
        *entries = n.entries;
    return n.err;
}

#define REFUSED(name)                                 \
    do {                                              \
        CHECK_ERR(check_cut(ar.len, nullptr), FORMAT); \
        CHECK_STR(bad.field, name);                   \
        CHECK(bad.want != nullptr);                   \
    } while (0)

/* What a person is told, without what was expected. */
static void says(const char *want)
{
    char text[KOZO_BAD_TEXT];

    CHECK_STR(kozo_bad_text(&bad, text), want);
}

static enum kozo_err find(const char *path)
{
    struct kozo_cpio c = { ar.bytes, ar.len };

    return kozo_cpio_find(&c, path, &entry, &bad);
}

static void check_data(const char *want)
{
    CHECK_EQ(entry.size, strlen(want));
    CHECK(memcmp(entry.data, want, entry.size) == 0);
}

static struct kozo_cpio_index ix;
static enum kozo_err make_index(void)
{
    struct kozo_cpio c = { ar.bytes, ar.len };
    struct kozo_cpio_count n = kozo_cpio_check(&c, &bad);
    uint64_t slots = kozo_cpio_index_slots(n.keys);

    free(ix.slot);
    return kozo_cpio_index(&ix, &c, malloc(slots * sizeof *ix.slot), slots, &bad);
}

static enum kozo_err look_up(const char *path)
{
    return kozo_cpio_lookup(&ix, path, strlen(path), &entry);
}

TEST(entries_are_listed_in_order)
{
    struct kozo_cpio c;
    uint64_t at = 0;

    begin();
    add_type(".", KOZO_CPIO_DIRECTORY, "");
    add("./a", "x");
    add_type("d", KOZO_CPIO_DIRECTORY, "");
    add_type("d/l", KOZO_CPIO_SYMLINK, "../a");
    add_type("d/tty", KOZO_CPIO_CHAR, "");
    end();
    c = (struct kozo_cpio){ ar.bytes, ar.len };
    CHECK_OK(kozo_cpio_next(&c, &at, &entry, &bad));
    CHECK_STR(entry.name, ".");
    CHECK_OK(kozo_cpio_next(&c, &at, &entry, &bad));
    CHECK_STR(entry.name, "a");
    check_data("x");
    CHECK_EQ(entry.mode, KOZO_CPIO_FILE | 0644);
    CHECK_OK(kozo_cpio_next(&c, &at, &entry, &bad));
    CHECK_EQ(KOZO_CPIO_TYPE(entry.mode), KOZO_CPIO_DIRECTORY);
    CHECK_OK(kozo_cpio_next(&c, &at, &entry, &bad));
    check_data("../a");
    CHECK_OK(kozo_cpio_next(&c, &at, &entry, &bad));
    CHECK_EQ(KOZO_CPIO_TYPE(entry.mode), KOZO_CPIO_CHAR);
    CHECK_ERR(kozo_cpio_next(&c, &at, &entry, &bad), NOT_FOUND);
    CHECK_ERR(kozo_cpio_next(&c, &at, &entry, &bad), NOT_FOUND);
}

TEST(a_file_is_found_by_its_path)
{
    begin();
    add("etc/motd", "hello\n");
    add("etc/mot", "no");
    add("empty", "");
    end();
    CHECK_OK(find("etc/motd"));
    check_data("hello\n");
    CHECK_OK(find("empty"));
    CHECK_EQ(entry.size, 0);
    CHECK_ERR(find("etc"), NOT_FOUND);
    CHECK_ERR(find(""), NOT_FOUND);
    CHECK_ERR(find("TRAILER!!!"), NOT_FOUND);
}

TEST(a_hard_link_has_its_bytes_under_each_name)
{
    begin();
    add_link("first", "", 7);
    add_link("other", "", 8);
    add_link("last", "bytes", 7);
    add_link("last of other", "BYTES", 8);
    add_link("empty", "", 9);
    add_link("empty too", "", 9);
    end();
    CHECK_OK(make_index());
    for (int by_index = 0; by_index < 2; by_index++) {
        CHECK_OK(by_index ? look_up("first") : find("first"));
        check_data("bytes");
        CHECK_OK(by_index ? look_up("last") : find("last"));
        check_data("bytes");
        CHECK_OK(by_index ? look_up("other") : find("other"));
        check_data("BYTES");
        CHECK_OK(by_index ? look_up("empty") : find("empty"));
        check_data("");
    }
}

TEST(zeros_may_follow_the_trailer_and_nothing_else)
{
    static const uint8_t zeros[512];

    begin();
    add("a", "1");
    end();
    append(zeros, sizeof(zeros));
    CHECK_OK(check_cut(ar.len, nullptr));
    append("x", 1);
    REFUSED("padding");
    CHECK_EQ(bad.at, ar.len - 1);
    says("padding at byte 752 is \"x\"");
}

TEST(an_archive_cut_anywhere_is_refused)
{
    begin();
    add("name", "some data");
    add_type("d", KOZO_CPIO_DIRECTORY, "");
    end();
    for (uint64_t n = 0; n < ar.len; n++)
        if (check_cut(n, nullptr) != KOZO_ERR_FORMAT)
            FAIL("%lu of %lu bytes are accepted", n, ar.len);
    CHECK_OK(check_cut(ar.len, nullptr));
}

TEST(other_formats_are_refused_by_name)
{
    static const struct {
        const char *magic, *says;
    } other[] = {
        { "070707", "odc" },
        { "070702", "CRC" },
        { "\xc7\x71....", "binary" },
        { "\x1f\x8b....", "gzip" },
        { "\xfd\x37zXZ.", "xz" },
        { "\x28\xb5\x2f\xfd", "zstd" },
        { "\x04\x22\x4d\x18", "lz4" },
        { "\x02\x21\x4c\x18", "lz4" },
        { "BZh9..", "bzip2" },
        { "070703", "070701" },
    };

    for (unsigned i = 0; i < sizeof(other) / sizeof(other[0]); i++) {
        begin();
        add("a", "1");
        end();
        memcpy(ar.bytes, other[i].magic, strlen(other[i].magic));
        REFUSED("c_magic");
        CHECK(strstr(bad.want, other[i].says) != nullptr);
    }
}

TEST(numbers_are_eight_hexadecimal_digits)
{
    static const char wrong[] = { ' ', 'g', 'G', 'x', '-', '+', '\0', '/', ':', '@', '`' };

    for (unsigned at = 6; at < 110; at++)
        for (unsigned k = 0; k < sizeof(wrong); k++) {
            begin();
            add("a", "1");
            end();
            ar.bytes[at] = (uint8_t)wrong[k];
            CHECK_ERR(check_cut(ar.len, nullptr), FORMAT);
            CHECK_EQ(bad.at, at - (at - 6) % 8); /* where the field begins */
            CHECK_EQ(bad.text_len, 8);
        }
    begin();
    add("a", "0123456789");
    end();
    memcpy(ar.bytes + 54, "0000000a", 8);
    CHECK_OK(check_cut(ar.len, nullptr));
}

TEST(sizes_stay_in_the_archive)
{
    static const char *const sizes[] = { "FFFFFFFF", "FFFFFFFC", "80000000", "00001000" };

    for (unsigned i = 0; i < 4; i++) {
        begin();
        add("a", "1");
        end();
        memcpy(ar.bytes + 54, sizes[i], 8);
        REFUSED("c_filesize");
        begin();
        add("a", "1");
        end();
        memcpy(ar.bytes + 94, sizes[i], 8);
        REFUSED("c_namesize");
    }
    begin();
    add("a", "1");
    end();
    memcpy(ar.bytes + 94, "00000000", 8);
    REFUSED("c_namesize");
}

TEST(names_are_plain_relative_paths)
{
    static const char *const names[] = { "/a", "..",    "../a",  "a/..", "a/../b", "a//b", "a/",
                                         "./", "././a", "a/./b", "a/.",  ".//a",   "./..", "./." };

    for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        begin();
        add(names[i], "");
        end();
        CHECK_ERR(check_cut(ar.len, nullptr), FORMAT);
        CHECK_STR(bad.field, "name");
    }
    begin();
    add_as("a\0b", 4, "", 0, (struct spec){ KOZO_CPIO_FILE, 1, 1 });
    end();
    REFUSED("name");
    begin();
    add_as("ab", 2, "", 0, (struct spec){ KOZO_CPIO_FILE, 1, 1 });
    end();
    REFUSED("name");
    begin();
    add_as("", 1, "", 0, (struct spec){ KOZO_CPIO_FILE, 1, 1 });
    end();
    REFUSED("c_namesize");
    begin();
    add("...", "");
    add("..a/.b./c..", "");
    end();
    CHECK_OK(check_cut(ar.len, nullptr));
}

TEST(what_is_no_file_has_no_bytes)
{
    begin();
    add_type("d", KOZO_CPIO_DIRECTORY, "x");
    end();
    REFUSED("c_filesize");
    begin();
    add_type("l", KOZO_CPIO_SYMLINK, "");
    end();
    REFUSED("c_filesize");
    begin();
    add_type("what", 0150000, "");
    end();
    REFUSED("c_mode");
    begin();
    add_as("TRAILER!!!", 11, "x", 1, (struct spec){ 0, 0, 1 });
    REFUSED("c_filesize");
}

TEST(the_same_name_twice_is_refused)
{
    begin();
    add("a", "1");
    add("b", "2");
    add("./a", "3");
    end();
    CHECK_OK(check_cut(ar.len, nullptr));
    CHECK_ERR(find("a"), FORMAT);
    CHECK_STR(bad.field, "name");
    CHECK_OK(find("b"));
    CHECK_ERR(make_index(), FORMAT);
    CHECK_STR(bad.field, "name");
}

TEST(the_archives_root_is_a_directory)
{
    begin();
    add(".", "");
    end();
    REFUSED("c_mode");
    says(".: c_mode at byte 14 is 0100644");
}

TEST(only_directories_lie_before_a_slash)
{
    static const char *const through[] = { "f/g", "f/g/h", "l/g", "d/f/g" };

    for (unsigned i = 0; i < 2 * sizeof(through) / sizeof(through[0]); i++) {
        begin();
        if (i % 2 == 0)
            add(through[i / 2], "under");
        add("f", "data");
        add_type("l", KOZO_CPIO_SYMLINK, "d");
        add_type("d", KOZO_CPIO_DIRECTORY, "");
        add("d/f", "");
        if (i % 2 == 1)
            add(through[i / 2], "under");
        end();
        CHECK_OK(check_cut(ar.len, nullptr));
        CHECK_ERR(make_index(), FORMAT);
        CHECK_STR(bad.field, "name");
        CHECK_EQ(bad.text_len, strlen(through[i / 2]));
        CHECK(memcmp(bad.text, through[i / 2], bad.text_len) == 0);
    }
    begin();
    add("f", "data");
    add("f.g/h", "beside it");
    add("d/f/g", "in directories that are not listed");
    add_type("d", KOZO_CPIO_DIRECTORY, "");
    end();
    CHECK_OK(make_index());
}

TEST(a_message_tells_entry_field_byte_and_value)
{
    static const char *const long_name =
        "a/name/that/is/longer/than/a/line/of/a/message/has/room/for";

    begin();
    add("bin/a", "1");
    memcpy(ar.bytes + 54, "FFFFFFFF", 8);
    end();
    REFUSED("c_filesize");
    says("bin/a: c_filesize at byte 54 is 4294967295 (0xffffffff)");
    begin();
    add("a", "1");
    memcpy(ar.bytes + 14, " -1\n\"\\\0x", 8);
    end();
    REFUSED("c_mode");
    says("c_mode at byte 14 is \" -1\\x0a\\x22\\x5c\\x00x\"");
    begin();
    add(long_name, "");
    add(long_name, "");
    end();
    CHECK_ERR(make_index(), FORMAT);
    says("name at byte 282 is \"...a/line/of/a/message/has/room/for\" beside the entry at byte 0");
    begin();
    add("\033[2J\xc3\xa9", "");
    ar.bytes[14 + 4] = '9';
    end();
    REFUSED("c_mode");
    says("\\x1b[2J\\xc3\\xa9: c_mode at byte 14 is 0110644");
    bad = (struct kozo_bad){ .field = "f", .value = 1ull << 32, .at = 3 };
    says("f at byte 3 is 0x100000000");
    bad = (struct kozo_bad){ .field = "f", .value = 9 };
    says("f at byte 0 is 9");
    bad = (struct kozo_bad){ .field = "f", .value = 2ull << 32 | 17, .form = KOZO_BAD_VERSION };
    says("f at byte 0 is 2.17");
}

TEST(sixty_five_thousand_entries_are_indexed)
{
    char name[32], data[32];
    uint64_t entries;

    begin();
    for (unsigned i = 0; i < 65536; i++) {
        snprintf(name, sizeof(name), "dir%u/file%u", i % 100, i);
        snprintf(data, sizeof(data), "%u", i * 7);
        add(name, data);
    }
    end();
    CHECK_OK(check_cut(ar.len, &entries));
    CHECK_EQ(entries, 65536);
    CHECK_OK(make_index());
    for (unsigned i = 0; i < 65536; i += 13) {
        snprintf(name, sizeof(name), "dir%u/file%u", i % 100, i);
        snprintf(data, sizeof(data), "%u", i * 7);
        CHECK_OK(look_up(name));
        check_data(data);
    }
    CHECK_ERR(look_up("dir1/file65536"), NOT_FOUND);
}

TEST(an_index_with_too_few_slots_is_refused)
{
    struct kozo_cpio c;
    struct kozo_cpio_index small;
    struct kozo_cpio_slot slot[16];

    begin();
    for (char name[2] = "a"; name[0] < 'g'; name[0]++)
        add(name, "");
    end();
    c = (struct kozo_cpio){ ar.bytes, ar.len };
    CHECK_ERR(kozo_cpio_index(&small, &c, slot, 16, &bad), LIMIT);
    CHECK_ERR(kozo_cpio_index(&small, &c, slot, 15, &bad), LIMIT);
    CHECK_ERR(kozo_cpio_index(&small, &c, slot, 0, &bad), LIMIT);
}
