/* SPDX-License-Identifier: MIT */
/*
 * fsd as a process, and clients that mean it well or ill: what they hold, what they lend, and that
 * it goes on serving.
 */
#include "filesystem.h"

#include <kozo/memory.h>

#define ALL_USER 0xffu
#define FILE_RIGHTS (KOZO_FILE_READ | KOZO_FILE_WRITE)

constexpr uint32_t URGENT = 32;
constexpr uint64_t LARGE = 2 << 20;

/* The same capability with fewer rights. */
static struct kozo_endpoint less(struct kozo_endpoint from, uint64_t user_rights)
{
    return (struct kozo_endpoint){ kozo_test_copy(
        from.c, KOZO_RIGHTS(KOZO_WRITE | KOZO_GRANT, user_rights)) };
}

static struct kozo_endpoint file(struct kozo_endpoint root, const char *path)
{
    struct kozo_file f = kozo_file_create(root, path, FILE_RIGHTS);

    KOZO_CHECK_OK(f.err);
    return f.cap;
}

static bool serves(struct kozo_endpoint root)
{
    return KOZO_CHECK(!fsd.ended) && KOZO_CHECK_OK(kozo_file_stat(root).err);
}

/* ---- what everybody does ---- */

KOZO_TEST(files_are_made_written_read_and_removed)
{
    static char text[3000], back[3000];
    struct kozo_endpoint root, f;
    struct kozo_dirent d = {};

    KOZO_REQUIRE(filesystem_start(0, nullptr));
    root = filesystem_client(0);
    for (unsigned i = 0; i < sizeof text; i++)
        text[i] = (char)(i * 31 + i / 256);
    KOZO_CHECK_OK(kozo_file_make(root, "ram/dir", KOZO_FILE_DIRECTORY, 0).err);
    f = file(root, "ram/dir/a");
    KOZO_CHECK_EQ(kozo_file_write(f, 0, text, 2000).value, 2000);
    KOZO_CHECK_EQ(kozo_file_write(f, KOZO_FILE_END, text + 2000, 1000).value, 1000);
    KOZO_CHECK_EQ(kozo_file_read(f, 0, back, sizeof back).value, 3000);
    KOZO_CHECK_EQ(memcmp(text, back, sizeof text), 0);
    KOZO_CHECK_OK(kozo_file_truncate(f, 7));
    KOZO_CHECK_EQ(kozo_file_stat(f).size, 7);
    KOZO_CHECK_OK(kozo_file_rename(root, "ram/dir/a", "ram/b"));
    KOZO_CHECK_EQ(kozo_file_stat(f).size, 7);
    KOZO_CHECK_ERR(kozo_file_rename(root, "ram/b", "b"), KOZO_ERR_ACROSS);
    KOZO_CHECK_ERR(kozo_file_make(root, "ram/b", KOZO_FILE_REGULAR, 0).err, KOZO_ERR_EXISTS);
    KOZO_CHECK_ERR(kozo_file_open(root, "ram/../etc", KOZO_FILE_READ).err, KOZO_ERR_NAME);
    KOZO_CHECK_OK(kozo_file_list(kozo_file_open(root, "ram", KOZO_FILE_LIST).cap, 0, &d));
    KOZO_CHECK_STR(d.name, "dir");
    KOZO_CHECK_OK(kozo_file_remove(root, "ram/b"));
    KOZO_CHECK_ERR(kozo_file_stat(f).err, KOZO_ERR_STALE);
    KOZO_CHECK_OK(kozo_file_remove(root, "ram/dir"));
    KOZO_CHECK_EQ(kozo_file_usage(root).bytes, 0);
    KOZO_CHECK_EQ(kozo_file_usage(root).files, 0);
    (void)serves(root);
}

KOZO_TEST(a_file_is_lent_attenuated_and_taken_back)
{
    struct kozo_endpoint root, f, reader;
    char byte;

    KOZO_REQUIRE(filesystem_start(0, nullptr));
    root = filesystem_client(0);
    f = file(root, "ram/a");
    KOZO_CHECK_EQ(kozo_file_write(f, 0, "x", 1).value, 1);
    reader = less(f, KOZO_FILE_READ);
    KOZO_CHECK_EQ(kozo_file_read(reader, 0, &byte, 1).value, 1);
    KOZO_CHECK_ERR(kozo_file_write(reader, 0, "y", 1).err, KOZO_ERR_RIGHTS);
    KOZO_CHECK_ERR(kozo_file_truncate(reader, 0), KOZO_ERR_RIGHTS);
    KOZO_CHECK_OK(kozo_cap_revoke(kozo_own(f.c)));
    KOZO_CHECK_ERR(kozo_file_read(reader, 0, &byte, 1).err, KOZO_ERR_EMPTY);
    KOZO_CHECK_EQ(kozo_file_read(f, 0, &byte, 1).value, 1);
    KOZO_CHECK_ERR(kozo_file_make(less(root, KOZO_FILE_READ), "ram/b", KOZO_FILE_REGULAR, 0).err,
                   KOZO_ERR_RIGHTS);
    KOZO_CHECK_ERR(kozo_file_remove(less(root, KOZO_FILE_CREATE), "ram/a"), KOZO_ERR_RIGHTS);
    KOZO_CHECK_ERR(kozo_file_rename(less(root, KOZO_FILE_CREATE), "ram/a", "ram/b"),
                   KOZO_ERR_RIGHTS);
    (void)serves(root);
}

KOZO_TEST(handles_of_an_earlier_life_are_gone)
{
    struct kozo_endpoint root, f, archived;
    char byte;

    KOZO_REQUIRE(filesystem_start(0, nullptr));
    root = filesystem_client(0);
    f = file(root, "ram/a");
    archived = kozo_file_open(root, "bin/fsd", KOZO_FILE_READ).cap;
    KOZO_CHECK_EQ(kozo_file_read(archived, 0, &byte, 1).value, 1);
    KOZO_REQUIRE(filesystem_restart());
    KOZO_CHECK_ERR(kozo_file_read(f, 0, &byte, 1).err, KOZO_ERR_EMPTY);
    KOZO_CHECK_ERR(kozo_file_read(archived, 0, &byte, 1).err, KOZO_ERR_EMPTY);
    KOZO_CHECK_ERR(kozo_file_open(root, "bin/fsd", KOZO_FILE_READ).err, KOZO_ERR_EMPTY);
    root = filesystem_client(0);
    KOZO_CHECK_ERR(kozo_file_open(root, "ram/a", KOZO_FILE_READ).err, KOZO_ERR_NOT_FOUND);
    (void)file(root, "ram/a");
    KOZO_CHECK_ERR(kozo_file_stat(f).err, KOZO_ERR_EMPTY);
    (void)serves(root);
}

KOZO_TEST(one_client_s_greed_leaves_the_others_served)
{
    static const char *const share[] = { "share_kib=64", "share_files=4", "files=100" };
    static char piece[KOZO_FILE_CHUNK];
    struct kozo_endpoint greedy, other, f;
    struct kozo_res r = {};
    uint64_t at = 0;
    char name[32];

    KOZO_REQUIRE(filesystem_start(3, share));
    greedy = filesystem_client(0);
    other = filesystem_client(1);
    f = file(greedy, "ram/all");
    for (; r.err == KOZO_OK; at += r.value)
        r = kozo_file_write(f, at, piece, sizeof piece);
    KOZO_CHECK_ERR(r.err, KOZO_ERR_LIMIT);
    KOZO_CHECK_EQ(kozo_file_usage(greedy).bytes, 64 << 10);
    for (unsigned i = 1; i < 4; i++) {
        kozo_snprintf(name, sizeof name, "ram/%u", i);
        KOZO_CHECK_OK(kozo_file_make(greedy, name, KOZO_FILE_REGULAR, 0).err);
    }
    KOZO_CHECK_ERR(kozo_file_make(greedy, "ram/more", KOZO_FILE_REGULAR, 0).err, KOZO_ERR_LIMIT);
    f = file(other, "ram/other");
    KOZO_CHECK_EQ(kozo_file_write(f, 0, piece, sizeof piece).value, sizeof piece);
    KOZO_CHECK_EQ(kozo_file_usage(other).bytes, 4096);
    (void)serves(other);
}

/* Ten lines in a second at most; the rest is told as a number, once the second is over. */
KOZO_TEST(what_is_refused_is_told_and_not_as_a_flood)
{
    constexpr unsigned times = 100;
    struct kozo_endpoint root, reader;

    KOZO_REQUIRE(filesystem_start(0, nullptr));
    root = filesystem_client(0);
    reader = less(file(root, "ram/a"), KOZO_FILE_READ);
    for (unsigned i = 0; i < times; i++)
        KOZO_REQUIRE(kozo_file_write(reader, 0, "y", 1).err == KOZO_ERR_RIGHTS);
    for (unsigned i = 0; i < 50 && fsd.denied < times; i++)
        (void)kozo_sleep(100 * KOZO_MS);
    KOZO_CHECK_EQ(fsd.denied, times);
    KOZO_CHECK(fsd.lines < times);
    fsd.said[strlen("denied: who=unknown object=\"fs:/ram/a\" asked=\"write\" held=\"read\"")] =
        '\0';
    KOZO_CHECK_STR(fsd.said,
                   "denied: who=unknown object=\"fs:/ram/a\" asked=\"write\" held=\"read\"");
    (void)serves(root);
}

/* ---- Frames ---- */

/* A Frame, mapped, and a copy of it to lend. */
struct loan {
    struct kozo_memory memory;
    struct kozo_frame lent;
};

static struct loan borrow(uint64_t bytes)
{
    struct loan l = { .memory = kozo_memory_alloc(kozo_test_memory(), bytes) };

    KOZO_CHECK_OK(l.memory.err);
    l.lent.c = kozo_test_copy(l.memory.first, KOZO_SAME_RIGHTS);
    return l;
}

static void fill(uint8_t *to, uint64_t bytes, unsigned seed)
{
    for (uint64_t i = 0; i < bytes; i++)
        to[i] = (uint8_t)(i * 7 + i / 251 + seed);
}

KOZO_TEST(bytes_go_through_frames)
{
    struct kozo_endpoint root, f;
    struct loan large, small[3];
    struct kozo_frame three[3];
    struct kozo_file archived;
    struct kozo_res r;

    KOZO_REQUIRE(filesystem_start(0, nullptr));
    root = filesystem_client(0);
    f = file(root, "ram/a");
    large = borrow(LARGE);
    for (unsigned i = 0; i < 3; i++) {
        small[i] = borrow(KOZO_PAGE_SIZE);
        three[i] = small[i].lent;
    }
    fill(large.memory.at, LARGE, 1);
    r = kozo_file_write_frames(f, 0, LARGE, &large.lent, 1, 5);
    KOZO_CHECK_OK(r.err);
    KOZO_CHECK_EQ(r.value, KOZO_FILE_BULK);
    KOZO_CHECK_EQ(kozo_file_stat(f).size, KOZO_FILE_BULK);
    r = kozo_file_read_frames(f, 100, LARGE, three, 3, 10);
    KOZO_CHECK_OK(r.err);
    KOZO_CHECK_EQ(r.value, 3 * KOZO_PAGE_SIZE - 10);
    KOZO_CHECK_EQ(memcmp((uint8_t *)small[0].memory.at + 10, (uint8_t *)large.memory.at + 105,
                         KOZO_PAGE_SIZE - 10),
                  0);
    for (unsigned i = 1; i < 3; i++)
        KOZO_CHECK_EQ(memcmp(small[i].memory.at,
                             (uint8_t *)large.memory.at + 95 + i * KOZO_PAGE_SIZE, KOZO_PAGE_SIZE),
                      0);
    r = kozo_file_write_frames(f, KOZO_FILE_END, 5, three, 3, KOZO_PAGE_SIZE - 2);
    KOZO_CHECK_EQ(r.value, 5);
    KOZO_CHECK_EQ(kozo_file_stat(f).size, KOZO_FILE_BULK + 5);
    archived = kozo_file_open(root, "bin/fsd", KOZO_FILE_READ);
    r = kozo_file_read_frames(archived.cap, 0, LARGE, &large.lent, 1, 0);
    KOZO_CHECK_OK(r.err);
    KOZO_CHECK_EQ(r.value, archived.size < KOZO_FILE_BULK ? archived.size : KOZO_FILE_BULK);
    KOZO_CHECK_EQ(memcmp(large.memory.at,
                         "\x7f"
                         "ELF",
                         4),
                  0);
    (void)serves(root);
}

KOZO_TEST(frames_that_are_none_are_refused)
{
    struct kozo_endpoint root, f;
    struct loan l;
    struct kozo_frame wrong[] = { { 0 }, { 0 } };

    KOZO_REQUIRE(filesystem_start(0, nullptr));
    root = filesystem_client(0);
    f = file(root, "ram/a");
    l = borrow(KOZO_PAGE_SIZE);
    KOZO_CHECK_ERR(kozo_file_write_frames(f, 0, 9, wrong, 1, 0).err, KOZO_ERR_EMPTY);
    wrong[0].c = kozo_test_notification().c;
    KOZO_CHECK_ERR(kozo_file_write_frames(f, 0, 9, wrong, 1, 0).err, KOZO_ERR_KIND);
    wrong[0].c = kozo_test_copy(l.lent.c, KOZO_READ | KOZO_MAP);
    KOZO_CHECK_ERR(kozo_file_read_frames(f, 0, 9, wrong, 1, 0).err, KOZO_ERR_RIGHTS);
    KOZO_CHECK_OK(kozo_file_write_frames(f, 0, 9, wrong, 1, 0).err);
    wrong[0].c = kozo_test_copy(l.lent.c, KOZO_READ | KOZO_WRITE);
    KOZO_CHECK_ERR(kozo_file_read_frames(f, 0, 9, wrong, 1, 0).err, KOZO_ERR_RIGHTS);
    KOZO_CHECK_ERR(kozo_file_read_frames(f, 0, 9, &l.lent, 1, KOZO_PAGE_SIZE + 1).err,
                   KOZO_ERR_ARGUMENT);
    KOZO_CHECK_ERR(kozo_file_read_frames(f, 0, 9, &l.lent, 0, 0).err, KOZO_ERR_ARGUMENT);
    KOZO_CHECK_EQ(kozo_file_stat(f).size, 9);
    (void)serves(root);
}

/* Both ways with one Frame, in a slot of its own; it ends as `err` says, and fsd goes on. */
static void odd_frame(struct kozo_endpoint f, kozo_cptr frame, enum kozo_err write_err,
                      enum kozo_err read_err)
{
    struct kozo_frame lent = { frame };

    KOZO_CHECK_ERR(kozo_file_write_frames(f, 0, 9, &lent, 1, 0).err, write_err);
    KOZO_CHECK_ERR(kozo_file_read_frames(f, 0, 9, &lent, 1, 0).err, read_err);
}

/*
 * Memory of a device, what nobody may write to, one Frame three times, one that is mapped and
 * moves.
 */
KOZO_TEST(frames_of_every_odd_kind_are_borne)
{
    const struct kozo_boot_info *b = kozo_boot_info();
    kozo_cptr device = kozo_test_slot();
    struct kozo_endpoint root, f;
    struct kozo_frame three[3];
    struct kozo_msg m;
    struct loan l;

    KOZO_REQUIRE(filesystem_start(0, nullptr));
    root = filesystem_client(0);
    f = file(root, "ram/a");
    KOZO_REQUIRE_OK(kozo_retype((struct kozo_untyped){ b->device.first }, KOZO_KIND_FRAME, 12,
                                kozo_own(device), 1));
    odd_frame(f, device, KOZO_ERR_KIND, KOZO_ERR_KIND);
    odd_frame(f, b->initrd_large.first, KOZO_OK, KOZO_ERR_RIGHTS);
    l = borrow(KOZO_PAGE_SIZE);
    for (unsigned i = 0; i < 3; i++)
        three[i] = l.lent;
    fill(l.memory.at, KOZO_PAGE_SIZE, 3);
    KOZO_CHECK_EQ(kozo_file_write_frames(f, 0, LARGE, three, 3, 0).value, 3 * KOZO_PAGE_SIZE);
    memset(l.memory.at, 0, KOZO_PAGE_SIZE);
    KOZO_CHECK_EQ(kozo_file_read_frames(f, KOZO_PAGE_SIZE, LARGE, three, 3, 0).value,
                  2 * KOZO_PAGE_SIZE);
    KOZO_CHECK_EQ(((uint8_t *)l.memory.at)[100], (uint8_t)(100 * 7 + 3));
    three[1].c = device; /* the first and the third are sound */
    KOZO_CHECK_ERR(kozo_file_write_frames(f, 0, LARGE, three, 3, 0).err, KOZO_ERR_KIND);
    kozo_msg_init(&m);
    kozo_msg_begin(&m, KOZO_REQUEST(FS_OP_WRITE_FRAMES, FS_MAJOR, FS_MINOR));
    for (unsigned i = 0; i < 3; i++)
        kozo_put_u64(&m, i == 1 ? 9 : 0);
    kozo_put_cap(&m, (struct kozo_cap_desc){ .slot = (uint32_t)l.memory.first,
                                             .rights = KOZO_READ | KOZO_MAP,
                                             .flags = KOZO_CAP_MOVE });
    KOZO_CHECK_OK(kozo_call(f, &m));
    KOZO_CHECK_EQ(kozo_file_stat(f).size, 3 * KOZO_PAGE_SIZE);
    (void)serves(root);
}

/* Numbers that wrap or point nowhere, with a Frame that is sound. */
KOZO_TEST(numbers_that_make_no_sense_are_refused)
{
    static const uint64_t far[] = { 1ull << 22, 1ull << 32, 1ull << 63, UINT64_MAX - 4095,
                                    UINT64_MAX - 1 };
    struct kozo_endpoint root, f;
    struct loan l;

    KOZO_REQUIRE(filesystem_start(0, nullptr));
    root = filesystem_client(0);
    f = file(root, "ram/a");
    l = borrow(KOZO_PAGE_SIZE);
    KOZO_CHECK_EQ(kozo_file_write_frames(f, 0, UINT64_MAX, &l.lent, 1, 0).value, KOZO_PAGE_SIZE);
    for (unsigned i = 0; i < sizeof far / sizeof far[0]; i++) {
        KOZO_CHECK_ERR(kozo_file_write_frames(f, far[i], 9, &l.lent, 1, 0).err, KOZO_ERR_LIMIT);
        KOZO_CHECK_ERR(kozo_file_write_frames(f, 0, 9, &l.lent, 1, far[i]).err, KOZO_ERR_ARGUMENT);
        KOZO_CHECK_ERR(kozo_file_read_frames(f, 0, 9, &l.lent, 1, far[i]).err, KOZO_ERR_ARGUMENT);
        KOZO_CHECK_EQ(kozo_file_read_frames(f, far[i], far[i], &l.lent, 1, 0).value, 0);
        KOZO_CHECK_EQ(kozo_file_read_frames(f, 4000, far[i], &l.lent, 1, 0).value, 96);
        KOZO_CHECK_ERR(kozo_file_truncate(f, far[i] + 1), KOZO_ERR_LIMIT);
    }
    KOZO_CHECK_EQ(kozo_file_stat(f).size, KOZO_PAGE_SIZE);
    (void)serves(root);
}

/* More than fsd has slots, and of all kinds. */
KOZO_TEST(capabilities_that_nobody_asked_for_do_not_stay)
{
    struct kozo_endpoint root, f;
    struct kozo_msg m;
    struct loan l;

    KOZO_REQUIRE(filesystem_start(0, nullptr));
    root = filesystem_client(0);
    f = file(root, "ram/a");
    l = borrow(KOZO_PAGE_SIZE);
    for (unsigned i = 0; i < 100; i++) {
        kozo_msg_init(&m);
        kozo_msg_begin(&m, KOZO_REQUEST(i % 2 == 0 ? FS_OP_STAT : 77, FS_MAJOR, FS_MINOR));
        kozo_put_cap(&m, kozo_give(l.lent.c, KOZO_READ, 0));
        kozo_put_cap(&m, kozo_give(root.c, KOZO_WRITE, ALL_USER));
        kozo_put_cap(&m, kozo_give(kozo_test_cnode(2).c, KOZO_READ, 0));
        KOZO_CHECK_OK(kozo_call(f, &m));
        KOZO_CHECK_ERR(m.err, i % 2 == 0 ? KOZO_ERR_OK : KOZO_ERR_PROTOCOL);
        KOZO_CHECK_EQ(m.sent, 3);
    }
    KOZO_CHECK_OK(kozo_file_write_frames(f, 0, 9, &l.lent, 1, 0).err);
    (void)serves(root);
}

/* ---- a Frame that vanishes ---- */

static struct {
    struct kozo_notification go, done;
    uint64_t delay;
    kozo_cptr parent; /* of the Frame lent */
} thief;

/* Takes the Frame back `delay` nanoseconds from when it is told to. */
static void steal(void *)
{
    while (kozo_wait(thief.go).err == KOZO_OK) {
        (void)kozo_sleep(thief.delay);
        (void)kozo_cap_revoke(kozo_own(thief.parent));
        (void)kozo_signal(thief.done, 1);
    }
}

static bool all_are(const uint8_t *at, uint64_t bytes, uint8_t byte)
{
    for (uint64_t i = 0; i < bytes; i += 8)
        if (*(const uint64_t *)(at + i) != byte * 0x0101010101010101ull)
            return false;
    return true;
}

/* Whether the whole file has this byte, read by a Frame that nobody steals. */
static bool file_is(struct kozo_endpoint f, const struct loan *check, uint8_t byte)
{
    struct kozo_res r = kozo_file_read_frames(f, 0, KOZO_FILE_BULK, &check->lent, 1, 0);

    return r.err == KOZO_OK && r.value == KOZO_FILE_BULK &&
           all_are(check->memory.at, KOZO_FILE_BULK, byte);
}

/*
 * A thread more urgent than fsd revokes the Frame at all moments of the request, until it was often
 * enough in the middle of the copy. Whenever it comes, the write is done or not, as the answer
 * says.
 */
KOZO_TEST(a_frame_may_be_taken_back_in_the_middle_of_a_copy)
{
    constexpr unsigned tries = 20000, enough = 5;
    unsigned gone = 0, whole = 0;
    struct kozo_endpoint root, f;
    struct loan l, check;
    uint8_t is = 0;

    KOZO_REQUIRE(filesystem_start(0, nullptr));
    root = filesystem_client(0);
    f = file(root, "ram/a");
    l = borrow(LARGE);
    check = borrow(LARGE);
    thief.go = kozo_test_notification();
    thief.done = kozo_test_notification();
    thief.parent = l.memory.first;
    (void)kozo_test_thread(steal, nullptr, URGENT);
    KOZO_REQUIRE_OK(kozo_file_write_frames(f, 0, KOZO_FILE_BULK, &l.lent, 1, 0).err);
    for (unsigned i = 0; i < tries && (gone < enough || whole < enough); i++) {
        uint8_t next = (uint8_t)(i + 1);
        struct kozo_res r;

        memset(l.memory.at, next, KOZO_FILE_BULK);
        thief.delay = i % 100 * 2000;
        (void)kozo_signal(thief.go, 1);
        r = kozo_file_write_frames(f, 0, KOZO_FILE_BULK, &l.lent, 1, 0);
        (void)kozo_wait(thief.done);
        gone += r.err == KOZO_ERR_GONE;
        whole += r.err == KOZO_OK;
        is = r.err == KOZO_OK ? next : is;
        KOZO_REQUIRE(r.err == KOZO_OK || r.err == KOZO_ERR_GONE || r.err == KOZO_ERR_EMPTY);
        KOZO_REQUIRE(file_is(f, &check, is));
        KOZO_REQUIRE_OK(
            kozo_cap_copy(kozo_own(l.lent.c), kozo_own(l.memory.first), KOZO_SAME_RIGHTS));
    }
    KOZO_CHECK(gone >= enough);
    KOZO_CHECK(whole >= enough);
    (void)serves(root);
}
