/* SPDX-License-Identifier: MIT */
/* fsd: an archive as a tree, and the protocol over it. What can be changed: test_svc_ram.c. */
#include "archive.h"
#include "unit.h"

#include "common/identity.h"
#include "common/rights.h"
#include "fsd/serve.h"
#include "origins.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ALL_RIGHTS 0xffu

/* ---- an archive ---- */

static struct {
    uint8_t *bytes;
    size_t used, size;
    uint32_t ino;
} cpio;

static void put(struct archive_entry e)
{
    uint64_t bytes = archive_bytes(&e);

    if (cpio.used + bytes > cpio.size) {
        cpio.size = 2 * (cpio.used + bytes);
        cpio.bytes = realloc(cpio.bytes, cpio.size);
    }
    cpio.used = archive_put(cpio.bytes, cpio.size, cpio.used, e);
}

static void add_inode(const char *name, uint32_t mode, const char *data, uint32_t links,
                      uint32_t ino)
{
    put((struct archive_entry){ name, mode, data, strlen(data), ino, links });
}

static void add(const char *name, uint32_t mode, const char *data)
{
    add_inode(name, mode, data, 1, ++cpio.ino);
}

static void add_file(const char *name, const char *data) { add(name, KOZO_CPIO_FILE | 0644, data); }

static void add_dir(const char *name) { add(name, KOZO_CPIO_DIRECTORY | 0755, ""); }

static void begin(void)
{
    free(cpio.bytes);
    memset(&cpio, 0, sizeof cpio);
}

/* ---- a server of it ---- */

static struct fs_server server;
static void *memory;

/* As small as it can be. */
static void begin_ram(void)
{
    static const struct ram_plan plan = { 1, 2, 1, 1 };
    static uint8_t block[STORE_BLOCK];
    static uint64_t tables[1024];

    if (ram_plan_bytes(&plan) > sizeof tables)
        FAIL("%llu bytes", (unsigned long long)ram_plan_bytes(&plan));
    ram_begin(&server, &plan, block, tables);
}

static enum kozo_err build(struct kozo_bad *bad)
{
    add("TRAILER!!!", 0, "");
    struct kozo_cpio archive = { cpio.bytes, cpio.used };
    struct lookup_plan plan = lookup_plan(&archive, bad);

    free(memory);
    memory = nullptr;
    if (plan.err != KOZO_OK)
        return plan.err;
    memory = malloc(plan.bytes); /* just as much as was planned: the sanitizer tells */
    server = (struct fs_server){ .origins.ops = &fake_slots };
    fake_slots_begin();
    begin_ram();
    return lookup_build(&server.tree, &archive, memory, bad);
}

static void serve_archive(void)
{
    struct kozo_bad bad = {};

    if (build(&bad) != KOZO_OK)
        FAIL("refused: %s = %#llx, expected %s", bad.field, (unsigned long long)bad.value,
             bad.want);
}

/* The usual one. */
static void serve_usual(void)
{
    begin();
    add_dir(".");
    add_dir("bin");
    add("bin/tool", KOZO_CPIO_FILE | 0755, "#!");
    add_dir("etc");
    add_file("etc/motd", "hello\n");
    add("etc/link", KOZO_CPIO_SYMLINK | 0777, "motd");
    add("etc/tty", KOZO_CPIO_CHAR | 0600, "");
    add_file("etc/empty", "");
    serve_archive();
}

static const char *text(struct kozo_str s)
{
    static char copy[300];

    snprintf(copy, sizeof copy, "%.*s", (int)s.len, s.len > 0 ? s.at : "");
    return copy;
}

/* ---- calls, as the kernel would deliver them ---- */

static struct fs_open_rep opened;
static struct fs_read_rep data;
static struct fs_stat_rep status;
static struct fs_list_rep entry;

static struct kozo_msg message(uint64_t badge, uint8_t user)
{
    struct kozo_msg m;

    kozo_msg_init(&m);
    m.badge = badge;
    m.user = user;
    return m;
}

static enum kozo_err open_below(uint64_t badge, uint8_t user, const char *path, uint64_t rights)
{
    struct kozo_msg m = message(badge, user);
    struct fs_open_req req = { kozo_str(path), rights };

    opened = (struct fs_open_rep){};
    return files_ops.open(&server, &m, &req, &opened);
}

/* From the root, as policy does. */
static enum kozo_err open_root(const char *path, uint64_t rights)
{
    return open_below(1, ALL_RIGHTS, path, rights);
}

static enum kozo_err read_at(uint64_t badge, uint8_t user, uint64_t offset, uint64_t length)
{
    struct kozo_msg m = message(badge, user);
    struct fs_read_req req = { offset, length };

    data = (struct fs_read_rep){};
    return files_ops.read(&server, &m, &req, &data);
}

static enum kozo_err stat(uint64_t badge, uint8_t user)
{
    struct kozo_msg m = message(badge, user);

    status = (struct fs_stat_rep){};
    return files_ops.stat(&server, &m, &(struct fs_stat_req){}, &status);
}

static enum kozo_err list(uint64_t badge, uint8_t user, uint64_t cursor)
{
    struct kozo_msg m = message(badge, user);
    struct fs_list_req req = { cursor };

    entry = (struct fs_list_rep){};
    return files_ops.list(&server, &m, &req, &entry);
}

/* All names in a directory, with a blank after each. */
static const char *names(const char *path)
{
    static char all[512];
    uint64_t badge = 1, cursor = 0;
    size_t used = 0;

    all[0] = '\0';
    if (path[0] != '\0') {
        CHECK_OK(open_root(path, RIGHT_LIST));
        badge = opened.file.badge;
    }
    while (list(badge, RIGHT_LIST, cursor) == KOZO_OK) {
        used += (size_t)snprintf(all + used, sizeof all - used, "%s ", text(entry.name));
        cursor = entry.next;
    }
    CHECK_ERR(list(badge, RIGHT_LIST, cursor), NOT_FOUND);
    return all;
}

/* ---- the tree ---- */

TEST(files_are_found_by_path)
{
    serve_usual();
    CHECK_OK(open_root("etc/motd", RIGHT_READ));
    CHECK_EQ(opened.size, 6);
    CHECK_EQ(opened.type, KOZO_FILE_REGULAR);
    CHECK_OK(open_root("etc", RIGHT_LIST));
    CHECK_EQ(opened.type, KOZO_FILE_DIRECTORY);
    CHECK_ERR(open_root("etc/nothing", RIGHT_READ), NOT_FOUND);
    CHECK_ERR(open_root("motd", RIGHT_READ), NOT_FOUND);
    CHECK_ERR(open_root("etc/motd/x", RIGHT_READ), NOT_FOUND);
}

TEST(directories_list_what_is_in_them)
{
    serve_usual();
    CHECK_STR(names(""), "bin etc ram ");
    CHECK_STR(names("etc"), "motd link tty empty ");
    CHECK_STR(names("bin"), "tool ");
}

TEST(directories_that_names_only_imply_are_there)
{
    begin();
    add_file("a/b/c/file", "x");
    add_file("a/b/d", "y");
    add_file("other", "z");
    serve_archive();
    CHECK_STR(names(""), "other a ram ");
    CHECK_STR(names("a/b"), "d c ");
    CHECK_OK(open_root("a/b/c/file", RIGHT_READ));
    CHECK_OK(open_root("a/b/c", RIGHT_LIST));
}

TEST(a_directory_may_come_after_what_is_in_it)
{
    begin();
    add_file("d/file", "x");
    add_dir("d");
    add_dir("./e");
    serve_archive();
    CHECK_STR(names(""), "d e ram ");
    CHECK_STR(names("d"), "file ");
}

TEST(an_empty_archive_has_an_empty_root)
{
    begin();
    serve_archive();
    CHECK_STR(names(""), "ram ");
    CHECK_OK(stat(1, 0));
    CHECK_EQ(status.type, KOZO_FILE_DIRECTORY);
}

TEST(a_hard_link_has_its_bytes_under_each_name)
{
    begin();
    add_inode("first", KOZO_CPIO_FILE | 0644, "", 3, 900);
    add_inode("alone", KOZO_CPIO_FILE | 0644, "", 1, 901);
    add_inode("second", KOZO_CPIO_FILE | 0644, "", 3, 900);
    add_inode("pair", KOZO_CPIO_FILE | 0644, "other", 2, 902);
    add_inode("third", KOZO_CPIO_FILE | 0644, "bytes", 3, 900);
    serve_archive();
    CHECK_OK(open_root("first", RIGHT_READ));
    CHECK_EQ(opened.size, 5);
    CHECK_OK(read_at(opened.file.badge, RIGHT_READ, 0, 9));
    CHECK_EQ(memcmp(data.data.at, "bytes", 5), 0);
    CHECK_OK(open_root("second", RIGHT_READ));
    CHECK_EQ(opened.size, 5);
    CHECK_OK(open_root("alone", RIGHT_READ));
    CHECK_EQ(opened.size, 0);
}

/* As add_inode, of a device. */
static void add_device_inode(const char *name, const char *bytes, uint32_t ino, uint32_t major,
                             uint32_t minor)
{
    struct archive_entry e = { name, KOZO_CPIO_FILE | 0644, bytes, strlen(bytes), ino, 2 };
    size_t at = cpio.used;
    char digits[17];

    put(e);
    snprintf(digits, sizeof digits, "%08X%08X", major, minor);
    memcpy(cpio.bytes + at + 6 + 7 * 8, digits, 16);
}

TEST(inodes_are_told_apart_by_their_device)
{
    begin();
    add_device_inode("a", "", 9, 1, 2);
    add_device_inode("b", "", 9, 2, 2);
    add_device_inode("c", "", 9, 1, 3);
    add_device_inode("d", "four", 9, 1, 3);
    add_device_inode("e", "bytes!", 9, 2, 2);
    add_device_inode("f", "one", 9, 1, 2);
    serve_archive();
    CHECK_OK(open_root("a", RIGHT_READ));
    CHECK_EQ(opened.size, 3);
    CHECK_OK(open_root("b", RIGHT_READ));
    CHECK_EQ(opened.size, 6);
    CHECK_OK(open_root("c", RIGHT_READ));
    CHECK_EQ(opened.size, 4);
}

/* Numbers that a sum of the three, each times a constant, would make one. */
TEST(inodes_chosen_to_be_alike_are_resolved)
{
    constexpr uint32_t count = 20000;
    char name[32];

    begin();
    for (uint32_t i = 0; i < 2 * count; i++) {
        snprintf(name, sizeof name, "f%u", i);
        add_device_inode(name, i < count ? "" : name, i % count * 31, 0, i % count);
    }
    serve_archive();
    for (uint32_t i = 0; i < count; i += 89) {
        snprintf(name, sizeof name, "f%u", i);
        CHECK_OK(open_root(name, RIGHT_READ));
        CHECK_EQ(opened.size, snprintf(name, sizeof name, "f%u", count + i));
    }
    begin();
}

TEST(the_same_name_twice_is_refused)
{
    struct kozo_bad bad = {};

    begin();
    add_file("a", "1");
    add_file("b", "2");
    add_file("./a", "3");
    CHECK_ERR(build(&bad), FORMAT);
    CHECK(strstr(bad.want, "no other entry") != nullptr);

    begin();
    add_file("a", "1");
    add_file("a", "2");
    CHECK_ERR(build(&bad), FORMAT);
}

TEST(a_name_below_a_file_is_refused)
{
    struct kozo_bad bad = {};

    begin();
    add_file("a", "1");
    add_file("a/b", "2");
    CHECK_ERR(build(&bad), FORMAT);
    CHECK(strstr(bad.want, "below a directory") != nullptr);
}

TEST(a_malformed_archive_is_refused)
{
    struct kozo_bad bad = {};

    begin();
    add_file("../a", "1");
    CHECK_ERR(build(&bad), FORMAT);
    begin();
    add_file("/a", "1");
    CHECK_ERR(build(&bad), FORMAT);
}

TEST(sixty_five_thousand_files_are_found_and_listed)
{
    constexpr uint32_t count = 65536;
    uint64_t cursor = 0, found = 0;
    char name[32];

    begin();
    for (uint32_t i = 0; i < count; i++) {
        snprintf(name, sizeof name, "d%u/f%u", i % 7, i);
        add_file(name, "x");
    }
    serve_archive();
    for (uint32_t i = 0; i < count; i += 97) {
        snprintf(name, sizeof name, "d%u/f%u", i % 7, i);
        CHECK_OK(open_root(name, RIGHT_READ));
    }
    CHECK_OK(open_root("d3", RIGHT_LIST));
    uint64_t dir = opened.file.badge;
    for (; list(dir, RIGHT_LIST, cursor) == KOZO_OK; cursor = entry.next)
        found++;
    CHECK_EQ(found, count / 7);
    begin();
}

/* ---- rights and handles ---- */

TEST(opening_gives_a_capability_with_just_the_rights_asked_for)
{
    serve_usual();
    CHECK_OK(open_root("etc/motd", RIGHT_READ));
    CHECK_EQ(opened.file.slot, 17);
    CHECK_EQ(opened.file.user_rights, RIGHT_READ);
    CHECK_EQ(opened.file.rights, KOZO_WRITE | KOZO_GRANT);
    CHECK_EQ(opened.file.flags, KOZO_CAP_BADGE);
    CHECK_EQ(opened.file.badge >> 63, 1);
    CHECK_OK(open_root("etc", RIGHT_READ | RIGHT_LIST));
    CHECK_EQ(opened.file.rights, KOZO_WRITE | KOZO_GRANT);
}

TEST(nobody_opens_more_than_the_directory_may)
{
    serve_usual();
    CHECK_OK(open_root("etc", RIGHT_READ));
    uint64_t etc = opened.file.badge;

    CHECK_OK(open_below(etc, RIGHT_READ, "motd", RIGHT_READ));
    CHECK_ERR(open_below(etc, RIGHT_READ, "motd", RIGHT_READ | RIGHT_LIST), RIGHTS);
    CHECK_ERR(open_below(etc, RIGHT_READ, "../bin/tool", RIGHT_READ), NAME);
    CHECK_ERR(open_below(etc, RIGHT_READ, "/etc/motd", RIGHT_READ), NAME);
    CHECK_ERR(open_below(etc, RIGHT_READ, "bin/tool", RIGHT_READ), NOT_FOUND);
    CHECK_OK(open_below(etc, RIGHT_READ, "", RIGHT_READ));
    CHECK_EQ(opened.file.badge, etc);
}

TEST(what_cannot_be_opened_says_why)
{
    serve_usual();
    CHECK_ERR(open_root("etc/motd", RIGHT_READ | RIGHT_WRITE), READ_ONLY);
    CHECK_ERR(open_root("etc", RIGHT_CREATE), READ_ONLY);
    CHECK_ERR(open_root("etc/link", RIGHT_READ), TYPE);
    CHECK_ERR(open_root("etc/tty", RIGHT_READ), TYPE);
    CHECK_ERR(open_root("etc/motd", 0), ARGUMENT);
    CHECK_ERR(open_root("etc/motd", 0x40), ARGUMENT);
    CHECK_ERR(open_root("etc/./motd", RIGHT_READ), NAME);
    CHECK_OK(open_root("etc/motd", RIGHT_READ));
    CHECK_ERR(open_below(opened.file.badge, RIGHT_READ, "", RIGHT_READ), TYPE);
}

TEST(nothing_changes_in_the_archive)
{
    struct kozo_msg m = message(1, ALL_RIGHTS);

    serve_usual();
    CHECK_ERR(files_ops.make(&server, &m, &(struct fs_make_req){ kozo_str("x"), 1, 0 },
                             &(struct fs_make_rep){}),
              READ_ONLY);
    CHECK_ERR(files_ops.make(&server, &m, &(struct fs_make_req){ kozo_str("etc/motd"), 1, 0 },
                             &(struct fs_make_rep){}),
              EXISTS);
    CHECK_ERR(files_ops.remove(&server, &m, &(struct fs_remove_req){ kozo_str("etc/motd") },
                               &(struct fs_remove_rep){}),
              READ_ONLY);
    CHECK_ERR(files_ops.remove(&server, &m, &(struct fs_remove_req){ kozo_str("etc/no") },
                               &(struct fs_remove_rep){}),
              NOT_FOUND);
    CHECK_ERR(files_ops.rename(&server, &m,
                               &(struct fs_rename_req){ kozo_str("etc/motd"), kozo_str("x") },
                               &(struct fs_rename_rep){}),
              READ_ONLY);
    CHECK_OK(open_root("etc/motd", RIGHT_READ));
    m = message(opened.file.badge, ALL_RIGHTS); /* more rights than it could have */
    CHECK_ERR(files_ops.write(&server, &m, &(struct fs_write_req){ 0, { "x", 1 } },
                              &(struct fs_write_rep){}),
              READ_ONLY);
    CHECK_ERR(
        files_ops.truncate(&server, &m, &(struct fs_truncate_req){}, &(struct fs_truncate_rep){}),
        READ_ONLY);
    CHECK_OK(read_at(opened.file.badge, RIGHT_READ, 0, 9));
    CHECK_EQ(data.data.len, 6);
}

TEST(reading_ends_at_the_end)
{
    serve_usual();
    CHECK_OK(open_root("etc/motd", RIGHT_READ));
    uint64_t motd = opened.file.badge;

    CHECK_OK(read_at(motd, RIGHT_READ, 0, 100));
    CHECK_EQ(data.data.len, 6);
    CHECK_OK(read_at(motd, RIGHT_READ, 2, 3));
    CHECK_EQ(data.data.len, 3);
    CHECK_EQ(memcmp(data.data.at, "llo", 3), 0);
    CHECK_OK(read_at(motd, RIGHT_READ, 6, 1));
    CHECK_EQ(data.data.len, 0);
    CHECK_OK(read_at(motd, RIGHT_READ, UINT64_MAX, UINT64_MAX));
    CHECK_EQ(data.data.len, 0);
    CHECK_OK(read_at(motd, RIGHT_READ, 1, UINT64_MAX));
    CHECK_EQ(data.data.len, 5);
}

TEST(a_message_carries_so_much_and_no_more)
{
    static char big[2000];

    begin();
    memset(big, 'x', sizeof big - 1);
    add_file("big", big);
    serve_archive();
    CHECK_OK(open_root("big", RIGHT_READ));
    CHECK_OK(read_at(opened.file.badge, RIGHT_READ, 0, 1999));
    CHECK_EQ(data.data.len, KOZO_FILE_CHUNK);
}

TEST(each_operation_needs_its_right)
{
    serve_usual();
    CHECK_OK(open_root("etc/motd", RIGHT_READ));
    CHECK_ERR(read_at(opened.file.badge, 0, 0, 1), RIGHTS);
    CHECK_ERR(read_at(opened.file.badge, ALL_RIGHTS & ~RIGHT_READ, 0, 1), RIGHTS);
    CHECK_ERR(list(1, RIGHT_READ, 0), RIGHTS);
    CHECK_ERR(read_at(1, RIGHT_READ, 0, 1), TYPE);
    CHECK_ERR(list(opened.file.badge, RIGHT_LIST, 0), TYPE);
    CHECK_OK(stat(opened.file.badge, RIGHT_READ));
    CHECK_EQ(status.rights, RIGHT_READ);
    CHECK_EQ(status.size, 6);
}

TEST(a_cursor_of_another_directory_is_refused)
{
    serve_usual();
    CHECK_OK(list(1, RIGHT_LIST, 0));
    uint64_t cursor = entry.next;

    CHECK_OK(open_root("bin", RIGHT_LIST));
    CHECK_ERR(list(opened.file.badge, RIGHT_LIST, cursor), ARGUMENT);
    CHECK_ERR(list(opened.file.badge, RIGHT_LIST, 1u << 31), ARGUMENT);
    CHECK_ERR(list(opened.file.badge, RIGHT_LIST, 1ull << 40), ARGUMENT);
}

TEST(a_handle_of_nothing_is_stale)
{
    uint8_t origin = origin_of_account(0);

    serve_usual();
    CHECK_OK(open_root("etc/motd", RIGHT_READ));
    uint64_t old = opened.file.badge;

    CHECK_OK(stat(old, RIGHT_READ));
    CHECK_ERR(stat(handle_badge(&server, (struct file){ server.tree.nodes, false }, origin), 1),
              STALE);
    CHECK_ERR(stat(handle_badge(&server, (struct file){ NODE_NONE, false }, origin), 1), STALE);
    CHECK_ERR(stat(old | 1ull << 40, RIGHT_READ), STALE);
    CHECK_ERR(stat(old | HANDLE_RAM, RIGHT_READ), STALE);
    CHECK_OK(stat(identity_badge(0, 1), RIGHT_READ)); /* the origin ends */
    CHECK_ERR(read_at(old, RIGHT_READ, 0, 1), STALE);
    CHECK_ERR(stat(old, RIGHT_READ), STALE);
    CHECK_ERR(open_below(old, RIGHT_READ, "", RIGHT_READ), STALE);
}

TEST(the_protocol_carries_it)
{
    struct kozo_msg m = message(1, ALL_RIGHTS);
    struct fs_open_rep rep;

    serve_usual();
    CHECK(fs_put_open_req(&m, &(struct fs_open_req){ kozo_str("etc/motd"), RIGHT_READ }));
    m.err = fs_dispatch(&files_ops, &server, &m);
    CHECK_OK(m.err);
    CHECK_EQ(m.ncaps, 1);
    CHECK(fs_get_open_rep(&m, &rep));
    CHECK_EQ(rep.size, 6);
}
