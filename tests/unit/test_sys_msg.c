/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include <kozo/file.h>
#include <kozo/log.h>
#include <kozo/policy.h>

#include <string.h>

static struct kozo_msg m;

static void begin(void)
{
    memset(&m, 0xa5, sizeof(m));
    kozo_msg_init(&m);
}

/* As the kernel and kozo_recv would leave it. */
static void deliver(uint64_t badge)
{
    if (m.nwords < KOZO_MSG_REGS)
        m.nwords = KOZO_MSG_REGS;
    m.badge = badge;
    m.ncaps = 0;
    kozo_msg_rewind(&m);
}

TEST(values_come_out_as_they_went_in)
{
    struct kozo_str s;
    struct kozo_bytes b;

    begin();
    kozo_put_u64(&m, 42);
    kozo_put_str(&m, kozo_str("12345678"), 8);
    kozo_put_bytes(&m, (struct kozo_bytes){ "abc", 3 }, 3);
    kozo_put_str(&m, kozo_str(""), 8);
    CHECK(!m.bad);
    CHECK_EQ(m.nwords, 1 + 3 + 2 + 2);
    deliver(0);
    CHECK_EQ(kozo_get_u64(&m), 42);
    s = kozo_get_str(&m, 8);
    CHECK_STR(s.at, "12345678");
    CHECK_EQ(s.len, 8);
    b = kozo_get_bytes(&m, 3);
    CHECK_EQ(b.len, 3);
    CHECK(memcmp(b.at, "abc", 3) == 0);
    CHECK_EQ(kozo_get_str(&m, 8).len, 0);
    CHECK(kozo_msg_done(&m));
}

TEST(the_words_that_always_travel_are_zero_when_not_used)
{
    begin();
    kozo_put_u64(&m, 1);
    for (unsigned i = 1; i < KOZO_MSG_REGS; i++)
        CHECK_EQ(m.word[i], 0);
}

TEST(what_does_not_fit_spoils_the_message)
{
    static const char text[600] = "x";

    begin();
    kozo_put_str(&m, kozo_str("123456789"), 8);
    CHECK(m.bad);
    begin();
    kozo_put_str(&m, (struct kozo_str){ "a\0b", 3 }, 8);
    CHECK(m.bad);
    begin();
    kozo_put_bytes(&m, (struct kozo_bytes){ text, 505 }, 600);
    CHECK(m.bad);
    begin();
    kozo_put_bytes(&m, (struct kozo_bytes){ text, 504 }, 600);
    CHECK(!m.bad);
    CHECK_EQ(m.nwords, 64);
    kozo_put_u64(&m, 1);
    CHECK(m.bad);
    begin();
    kozo_put_bytes(&m, (struct kozo_bytes){ text, UINT64_MAX }, UINT64_MAX);
    CHECK(m.bad);
    begin();
    for (int i = 0; i < 4; i++)
        kozo_put_cap(&m, kozo_give(1, 1, 0));
    CHECK(m.bad);
    CHECK_EQ(m.ncaps, 3);
}

TEST(nonsense_is_not_taken_out)
{
    /*
     * Longer than the message, than allowed; a NUL inside; dirty padding; no NUL at the end; no
     * more words.
     */
    begin(), kozo_put_u64(&m, 57), deliver(0), m.nwords = 8;
    CHECK_EQ(kozo_get_str(&m, 100).len, 0);
    CHECK(m.bad);
    begin(), kozo_put_u64(&m, UINT64_MAX), deliver(0);
    CHECK_EQ(kozo_get_bytes(&m, UINT64_MAX).len, 0);
    CHECK(m.bad);
    begin(), kozo_put_u64(&m, 5), deliver(0);
    (void)kozo_get_bytes(&m, 4);
    CHECK(m.bad);
    begin(), kozo_put_u64(&m, 3), kozo_put_u64(&m, 0x610062), deliver(0);
    (void)kozo_get_str(&m, 8);
    CHECK(m.bad);
    begin(), kozo_put_u64(&m, 2), kozo_put_u64(&m, 0x636261), deliver(0);
    (void)kozo_get_str(&m, 8);
    CHECK(m.bad);
    begin(), kozo_put_u64(&m, 2), kozo_put_u64(&m, 0x636261), deliver(0);
    (void)kozo_get_bytes(&m, 8);
    CHECK(m.bad);
    begin(), kozo_put_u64(&m, 8), kozo_put_u64(&m, 0x6161616161616161), kozo_put_u64(&m, 1),
        deliver(0);
    (void)kozo_get_str(&m, 8);
    CHECK(m.bad);
    begin(), deliver(0);
    for (int i = 0; i < 8; i++)
        (void)kozo_get_u64(&m);
    CHECK(!m.bad);
    (void)kozo_get_u64(&m);
    CHECK(m.bad);
}

TEST(words_left_over_are_nonsense)
{
    begin(), kozo_put_u64(&m, 1), kozo_put_u64(&m, 2), deliver(0);
    (void)kozo_get_u64(&m);
    CHECK(!kozo_msg_done(&m));
    (void)kozo_get_u64(&m);
    CHECK(kozo_msg_done(&m));
    begin(), deliver(0), m.nwords = 9, m.word[8] = 0;
    for (int i = 0; i < 8; i++)
        (void)kozo_get_u64(&m);
    CHECK(!kozo_msg_done(&m));
}

TEST(a_capability_is_where_the_window_says)
{
    begin();
    kozo_msg_window(&m, 40, 2);
    deliver(0);
    m.received = 2;
    CHECK_EQ(kozo_get_cap(&m).slot, 0);
    CHECK_EQ(kozo_get_cap(&m).slot, 41);
    CHECK_EQ(kozo_get_cap(&m).slot, 0);
    CHECK_EQ(kozo_get_cap(&m).slot, 0);
}

/* ---- protocols ---- */

struct fs_server {
    uint64_t badge;
    struct fs_read_req read;
};

static enum kozo_err read_file(struct fs_server *s, const struct kozo_msg *msg,
                               const struct fs_read_req *q, struct fs_read_rep *p)
{
    s->badge = msg->badge;
    s->read = *q;
    p->data = (struct kozo_bytes){ "contents", 8 };
    return q->length == 0 ? KOZO_ERR_ARGUMENT : KOZO_OK;
}

static const struct fs_ops fs_ops = { .read = read_file };

TEST(a_request_reaches_its_handler)
{
    struct fs_server s = {};
    struct fs_read_rep rep;

    begin();
    CHECK(fs_put_read_req(&m, &(struct fs_read_req){ .offset = 10, .length = 20 }));
    deliver(99);
    CHECK_OK(m.err = fs_dispatch(&fs_ops, &s, &m));
    CHECK_EQ(s.badge, 99);
    CHECK_EQ(s.read.offset, 10);
    CHECK_EQ(s.read.length, 20);
    deliver(0);
    CHECK(fs_get_read_rep(&m, &rep));
    CHECK_EQ(rep.data.len, 8);
    CHECK(memcmp(rep.data.at, "contents", 8) == 0);
}

TEST(an_error_may_carry_an_answer)
{
    struct fs_server s = {};
    struct fs_read_rep rep;

    begin();
    CHECK(fs_put_read_req(&m, &(struct fs_read_req){}));
    deliver(0);
    CHECK_ERR(m.err = fs_dispatch(&fs_ops, &s, &m), ARGUMENT);
    deliver(0);
    CHECK(fs_get_read_rep(&m, &rep));
    CHECK_EQ(rep.data.len, 8);
}

TEST(what_no_table_has_is_a_protocol_error)
{
    struct fs_server s = {};

    begin(), kozo_msg_begin(&m, KOZO_REQUEST(99, FS_MAJOR, FS_MINOR)), deliver(0);
    CHECK_ERR(fs_dispatch(&fs_ops, &s, &m), PROTOCOL);
    begin(), (void)fs_put_close_req(&m, &(struct fs_close_req){}), deliver(0);
    CHECK_ERR(fs_dispatch(&fs_ops, &s, &m), PROTOCOL); /* no handler */
    begin(), (void)fs_put_read_req(&m, &(struct fs_read_req){}), kozo_put_u64(&m, 1), deliver(0);
    CHECK_ERR(fs_dispatch(&fs_ops, &s, &m), PROTOCOL); /* a word too many */
    begin(), (void)fs_put_read_req(&m, &(struct fs_read_req){}), deliver(0),
        m.what = KOZO_MSG_FAULT;
    CHECK_ERR(fs_dispatch(&fs_ops, &s, &m), PROTOCOL);
    begin(), deliver(0); /* as after a failed receive */
    CHECK_ERR(fs_dispatch(&fs_ops, &s, &m), PROTOCOL);
    CHECK_EQ(m.nwords, 0);
    CHECK_EQ(m.ncaps, 0);
}

TEST(versions_are_served_back_to_the_major_before)
{
    struct fs_server s = {};

    CHECK(kozo_version_served(KOZO_REQUEST(1, 3, 0), 3, 2));
    CHECK(kozo_version_served(KOZO_REQUEST(1, 3, 2), 3, 2));
    CHECK(!kozo_version_served(KOZO_REQUEST(1, 3, 3), 3, 2));
    CHECK(kozo_version_served(KOZO_REQUEST(1, 2, 9), 3, 2));
    CHECK(!kozo_version_served(KOZO_REQUEST(1, 1, 0), 3, 2));
    CHECK(!kozo_version_served(KOZO_REQUEST(1, 4, 0), 3, 2));
    CHECK(!kozo_version_served(KOZO_REQUEST(1, 0, 0), 1, 0));
    begin(), kozo_msg_begin(&m, KOZO_REQUEST(FS_OP_READ, FS_MAJOR + 1, 0)), deliver(0);
    CHECK_ERR(fs_dispatch(&fs_ops, &s, &m), VERSION);
    CHECK_EQ(m.word[0], FS_MAJOR << 8 | FS_MINOR);
}

TEST(the_longest_answers_fit)
{
    static const char text[449] = { 0 };
    char full[256];
    struct policy_request_rep p = { .cap = { .slot = 1 } };

    memset(full, 'x', sizeof(full));
    begin();
    CHECK(fs_put_read_rep(&m, &(struct fs_read_rep){ .data = { text, 448 } }));
    CHECK(!fs_put_read_rep(&m, &(struct fs_read_rep){ .data = { text, 449 } }));
    CHECK(fs_put_list_rep(&m, &(struct fs_list_rep){ .name = { full, 255 } }));
    p.reason = p.hint = (struct kozo_str){ full, 159 };
    CHECK(policy_put_request_rep(&m, &p));
    CHECK(policy_put_request_req(
        &m, &(struct policy_request_req){ .object = { full, 255 }, .reason = { full, 127 } }));
    CHECK(log_put_write_req(&m, &(struct log_write_req){ .text = { full, 255 } }));
    CHECK(log_put_step_req(&m, &(struct log_step_req){ .name = { full, 63 },
                                                       .expected = { full, 127 },
                                                       .got = { full, 127 } }));
    CHECK_STR(fs_op_name(FS_OP_LIST), "list");
    CHECK_STR(fs_op_name(0), "?");
}
