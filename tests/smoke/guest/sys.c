/* SPDX-License-Identifier: MIT */
/* kozo-sys on the machine: messages of any length, memory, threads, files. */
#include <kozo/kozo.h>
#include <kozo/test.h>

#define URGENT 32u
#define LATER 96u

static struct kozo_endpoint ep;

/* ---- messages ---- */

/* Answers each message with its words, the badge added to each, and a label one higher. */
static void echo([[maybe_unused]] void *arg)
{
    static struct kozo_msg in, out;

    kozo_msg_init(&in);
    for (kozo_recv(ep, &in);; kozo_reply_recv(ep, &in)) {
        out = in;
        kozo_msg_begin(&in, out.label + 1);
        for (unsigned i = 0; i < out.nwords; i++)
            kozo_put_u64(&in, out.word[i] + out.badge);
    }
}

static void check_echo(void)
{
    struct kozo_endpoint client = kozo_test_mint(ep, KOZO_RIGHTS(KOZO_WRITE, 0), 5);
    struct kozo_msg m;

    kozo_msg_init(&m);
    for (unsigned n = 0; n <= KOZO_MSG_WORDS; n++) {
        kozo_msg_begin(&m, 100 + n);
        for (unsigned i = 0; i < n; i++)
            kozo_put_u64(&m, i * i);
        KOZO_REQUIRE_OK(kozo_call(client, &m));
        KOZO_CHECK_EQ(m.label, 101 + n);
        KOZO_CHECK_EQ(m.nwords, n < KOZO_MSG_REGS ? KOZO_MSG_REGS : n);
        for (unsigned i = 0; i < m.nwords; i++)
            KOZO_REQUIRE(m.word[i] == (i < n ? i * i : 0) + 5);
    }
}

KOZO_TEST(messages_of_0_to_64_words_come_back)
{
    ep = kozo_test_endpoint();
    (void)kozo_test_thread(echo, nullptr, URGENT);
    check_echo();
}

KOZO_TEST(messages_of_0_to_64_words_come_back_from_another_space)
{
    ep = kozo_test_endpoint();
    (void)kozo_test_thread_in(kozo_test_space_clone(),
                              &(struct kozo_worker_options){ .priority = LATER }, echo, nullptr);
    check_echo();
}

/* Takes a capability, and answers with a copy of it that can only be read. */
static void give_back(void *slot)
{
    static struct kozo_msg m;
    kozo_cptr got;

    kozo_msg_init(&m);
    kozo_msg_window(&m, *(kozo_cptr *)slot, 1);
    (void)kozo_recv(ep, &m);
    got = kozo_get_cap(&m).slot;
    kozo_msg_begin(&m, 0);
    kozo_put_u64(&m, got);
    kozo_put_cap(&m, kozo_give(got, KOZO_READ, 0));
    (void)kozo_reply(&m);
}

KOZO_TEST(capabilities_travel_both_ways)
{
    struct kozo_notification n = kozo_test_notification();
    static kozo_cptr theirs;
    kozo_cptr mine = kozo_test_slot();
    struct kozo_verified v;
    struct kozo_msg m;

    ep = kozo_test_endpoint();
    theirs = kozo_test_slot();
    (void)kozo_test_thread(give_back, &theirs, URGENT);
    kozo_msg_init(&m);
    kozo_msg_window(&m, mine, 1);
    kozo_put_cap(&m, kozo_give(n.c, KOZO_RIGHTS_ALL, 0));
    KOZO_REQUIRE_OK(kozo_call(ep, &m));
    KOZO_CHECK_EQ(m.sent, 1);
    KOZO_CHECK_EQ(kozo_get_cap(&m).slot, mine);
    KOZO_CHECK_EQ(kozo_get_u64(&m), theirs);
    v = kozo_cap_verify(kozo_own(mine), kozo_own(n.c));
    KOZO_CHECK_OK(v.err);
    KOZO_CHECK((v.what & KOZO_VERIFY_SAME) != 0);
    KOZO_CHECK_EQ(KOZO_VERIFY_RIGHTS(v.what), KOZO_READ);
}

KOZO_TEST(a_deadline_ends_a_message)
{
    uint64_t begin = kozo_now();
    struct kozo_msg m;

    ep = kozo_test_endpoint();
    kozo_msg_init(&m);
    kozo_msg_deadline(&m, begin + 2 * KOZO_MS);
    KOZO_CHECK_ERR(kozo_recv(ep, &m), KOZO_ERR_TIMEOUT);
    KOZO_CHECK(kozo_now() >= begin + 2 * KOZO_MS);
    kozo_msg_deadline(&m, 0);
    kozo_msg_begin(&m, 1);
    KOZO_CHECK_ERR(kozo_call(ep, &m), KOZO_ERR_TIMEOUT);
    KOZO_CHECK_ERR(m.err, KOZO_ERR_TIMEOUT);
}

KOZO_TEST(sleep_takes_as_long_as_asked)
{
    uint64_t begin = kozo_now();

    KOZO_CHECK_OK(kozo_sleep(3 * KOZO_MS));
    KOZO_CHECK(kozo_now() >= begin + 3 * KOZO_MS);
    KOZO_CHECK_OK(kozo_sleep_until(begin));
    KOZO_CHECK_OK(kozo_sleep_until(0));
}

/* ---- memory and threads ---- */

static bool is_zero(const char *at, uint64_t bytes)
{
    for (uint64_t i = 0; i < bytes; i++)
        if (at[i] != 0)
            return false;
    return true;
}

KOZO_TEST(memory_is_zero_and_can_be_given_back)
{
    struct kozo_untyped from = kozo_test_untyped(23);
    uint32_t slots = kozo_slots_left();

    for (int round = 0; round < 3; round++) {
        struct kozo_memory small = kozo_memory_alloc(from, 5000),
                           large = kozo_memory_alloc(from, KOZO_LARGE_SIZE + 1);

        KOZO_REQUIRE_OK(small.err);
        KOZO_REQUIRE_OK(large.err);
        KOZO_CHECK_EQ(small.bytes, 2 * KOZO_PAGE_SIZE);
        KOZO_CHECK_EQ(large.bytes, 2 * KOZO_LARGE_SIZE);
        KOZO_CHECK(is_zero(small.at, small.bytes));
        KOZO_CHECK(is_zero(large.at, KOZO_PAGE_SIZE));
        memset(small.at, 0xaa, small.bytes);
        memset(large.at, 0xaa, large.bytes);
        kozo_memory_free(&small);
        kozo_memory_free(&large);
    }
    KOZO_CHECK(kozo_slots_left() + 8 >= slots); /* less the page tables, which stay */
    KOZO_CHECK_ERR(kozo_memory_alloc(from, 1 << 24).err, KOZO_ERR_NOMEM);
    KOZO_CHECK_ERR(kozo_memory_alloc(from, 0).err, KOZO_ERR_LIMIT);
}

static void count_up(void *counter)
{
    ++*(int *)counter;
}

KOZO_TEST(workers_come_and_go)
{
    static int ran;
    uint32_t slots = kozo_slots_left();

    ran = 0;
    for (int i = 0; i < 40; i++) {
        struct kozo_worker w = kozo_test_thread(count_up, &ran, URGENT);

        kozo_worker_end(&w);
    }
    KOZO_CHECK_EQ(ran, 40);
    KOZO_CHECK(kozo_slots_left() + 8 >= slots);
}

KOZO_TEST(text_is_formatted)
{
    char text[32];

    KOZO_CHECK_EQ(kozo_snprintf(text, sizeof(text), "%s %d %x %lu %c|%5s|%-5s|%05d", "a", -1, 255u,
                                UINT64_MAX, 'c', "r", "l", 42),
                  48);
    KOZO_CHECK_STR(text, "a -1 ff 18446744073709551615 c|");
    KOZO_CHECK_EQ(kozo_snprintf(text, sizeof(text), "%.*s", 2, "abc"), 2);
    KOZO_CHECK_STR(text, "ab");
}

/* ---- files ---- */

struct fs_server {
    struct kozo_endpoint port;
    uint64_t size;
};

static enum kozo_err open_file(struct fs_server *s, [[maybe_unused]] const struct kozo_msg *m,
                               const struct fs_open_req *q, struct fs_open_rep *p)
{
    if (!kozo_str_is(q->path, "file"))
        return KOZO_ERR_NOT_FOUND;
    p->file = kozo_give_badged(s->port.c, KOZO_WRITE, q->rights & m->user, 3);
    p->size = s->size;
    p->type = KOZO_FILE_REGULAR;
    return KOZO_OK;
}

static enum kozo_err read_file(struct fs_server *s, const struct kozo_msg *m,
                               const struct fs_read_req *q, struct fs_read_rep *p)
{
    static char bytes[KOZO_FILE_CHUNK];
    uint64_t left = q->offset < s->size ? s->size - q->offset : 0;

    if ((m->user & KOZO_FILE_READ) == 0 || m->badge != 3)
        return KOZO_ERR_RIGHTS;
    p->data.len = q->length < left ? q->length : left;
    if (p->data.len > sizeof(bytes))
        p->data.len = sizeof(bytes);
    for (uint64_t i = 0; i < p->data.len; i++)
        bytes[i] = (char)((q->offset + i) * 31);
    p->data.at = bytes;
    return KOZO_OK;
}

static enum kozo_err close_file([[maybe_unused]] struct fs_server *s,
                                [[maybe_unused]] const struct kozo_msg *m,
                                [[maybe_unused]] const struct fs_close_req *q,
                                [[maybe_unused]] struct fs_close_rep *p)
{
    return KOZO_OK;
}

static struct fs_server fs;

static void serve_files([[maybe_unused]] void *arg)
{
    static const struct fs_ops ops = { .open = open_file, .read = read_file, .close = close_file };
    static struct kozo_msg m;

    kozo_msg_init(&m);
    for (kozo_recv(fs.port, &m);; kozo_reply_recv(fs.port, &m))
        m.err = fs_dispatch(&ops, &fs, &m);
}

KOZO_TEST(a_file_is_opened_read_and_closed)
{
    static char bytes[3000];
    struct kozo_endpoint root;
    struct kozo_file f;
    struct kozo_res r;
    struct kozo_dirent d;
    uint32_t slots;

    fs = (struct fs_server){ .port = kozo_test_endpoint(), .size = 2000 };
    (void)kozo_test_thread(serve_files, nullptr, URGENT);
    root = kozo_test_mint(fs.port,
                          KOZO_RIGHTS(KOZO_WRITE | KOZO_GRANT, KOZO_FILE_READ | KOZO_FILE_LIST), 1);
    KOZO_CHECK_ERR(
        kozo_file_open(kozo_test_mint(fs.port, KOZO_WRITE, 1), "file", KOZO_FILE_READ).err,
        KOZO_ERR_GONE);
    slots = kozo_slots_left();
    KOZO_CHECK_ERR(kozo_file_open(root, "no file", KOZO_FILE_READ).err, KOZO_ERR_NOT_FOUND);
    KOZO_CHECK_EQ(kozo_slots_left(), slots);
    f = kozo_file_open(root, "file", KOZO_FILE_READ | KOZO_FILE_WRITE);
    KOZO_REQUIRE_OK(f.err);
    KOZO_CHECK_EQ(f.size, 2000);
    KOZO_CHECK_EQ(KOZO_VERIFY_USER(kozo_cap_verify(kozo_own(f.cap.c), kozo_own(0)).what),
                  KOZO_FILE_READ);
    r = kozo_file_read(f.cap, 7, bytes, sizeof(bytes));
    KOZO_CHECK_OK(r.err);
    KOZO_CHECK_EQ(r.value, 1993);
    for (unsigned i = 0; i < 1993; i++)
        KOZO_REQUIRE(bytes[i] == (char)((i + 7) * 31));
    KOZO_CHECK_EQ(kozo_file_read(f.cap, 2000, bytes, 1).value, 0);
    KOZO_CHECK_ERR(kozo_file_list(root, 0, &d), KOZO_ERR_PROTOCOL); /* this server does not list */
    KOZO_CHECK_ERR(kozo_file_read(root, 0, bytes, 1).err, KOZO_ERR_RIGHTS);
    KOZO_CHECK_OK(kozo_file_close(f.cap));
    KOZO_CHECK_EQ(kozo_slots_left(), slots);
    KOZO_CHECK_ERR(kozo_file_read(f.cap, 0, bytes, 1).err, KOZO_ERR_EMPTY);
}
