/* SPDX-License-Identifier: MIT */
/*
 * Capabilities in messages: copied, moved and badged into the receiver's window, and what cannot go
 * is left out and told.
 */
#include "peer.h"

constexpr uint64_t WINDOW = 3; /* slots */

/* What is sent, and what became of it. */
struct exchange {
    struct kozo_cap_desc cap[KOZO_MSG_CAPS];
    uint64_t count;
    kozo_cptr window; /* first slot; 0: shut */
    uint16_t slots;
    enum kozo_err err; /* of the sender */
    uint64_t sent;     /* as the sender was told */
    uint64_t received; /* as the receiver was told: bits */
    uint64_t info;
};

/* The first thread sends to a receiver that waits. */
static void pass(struct kozo_endpoint ep, struct exchange *e)
{
    struct doing server = {
        .nr = KOZO_SYS_RECV, .x = { .cap = ep.c, .info = e->window != 0 ? KOZO_INFO_RECV_CAPS : 0 }
    };
    struct kozo_worker w = doing_later(URGENT);
    struct kozo_words x = { .cap = ep.c, .info = label(77) | e->count << KOZO_INFO_CAPS_SHIFT };

    buffer_of(&w)->recv_slot = (uint32_t)e->window;
    buffer_of(&w)->recv_count = e->slots;
    KOZO_CHECK_OK(kozo_worker_run(&w, do_it, &server));
    for (unsigned i = 0; i < KOZO_MSG_CAPS; i++)
        kozo_buffer()->cap[i] = e->cap[i];
    e->err = kozo_ipc_until(KOZO_SYS_SEND, &x, 0);
    e->sent = kozo_buffer()->sent;
    KOZO_CHECK(e->err != KOZO_OK ||
               (x.info & KOZO_INFO_CAPS_MASK) >> KOZO_INFO_CAPS_SHIFT == e->sent);
    e->received = buffer_of(&w)->received;
    e->info = server.x.info;
    KOZO_CHECK(e->err != KOZO_OK || (server.done && label_of(server.x.info) == 77));
    kozo_worker_end(&w);
}

static uint64_t came(const struct exchange *e)
{
    return (e->info & KOZO_INFO_CAPS_MASK) >> KOZO_INFO_CAPS_SHIFT;
}

/* A row of empty slots. */
static kozo_cptr window(void)
{
    kozo_cptr first = kozo_slots_alloc(WINDOW);

    KOZO_CHECK(first != 0);
    return first;
}

KOZO_TEST(copy_arrives_with_fewer_rights_and_can_be_revoked)
{
    struct kozo_endpoint ep = kozo_test_endpoint(), gift = kozo_test_endpoint();
    struct exchange e = { .cap = { kozo_give(gift.c, KOZO_WRITE, 0x0f) },
                          .count = 1,
                          .window = window(),
                          .slots = WINDOW };

    pass(ep, &e);
    KOZO_CHECK_EQ(e.sent, 1);
    KOZO_CHECK_EQ(came(&e), 1);
    KOZO_CHECK_EQ(e.received, 1);
    KOZO_CHECK_EQ(e.info & KOZO_INFO_DROPPED, 0);
    KOZO_CHECK_EQ(kind_at(e.window), KOZO_KIND_ENDPOINT);
    KOZO_CHECK_EQ(KOZO_VERIFY_RIGHTS(verify(e.window)), KOZO_WRITE);
    KOZO_CHECK_EQ(KOZO_VERIFY_USER(verify(e.window)), 0x0f);
    KOZO_CHECK((kozo_cap_verify(kozo_own(e.window), kozo_own(gift.c)).what & KOZO_VERIFY_SAME) !=
               0);
    KOZO_CHECK_OK(kozo_cap_revoke(kozo_own(gift.c)));
    KOZO_CHECK_EQ(kind_at(e.window), KOZO_KIND_NULL);
    KOZO_CHECK_EQ(kind_at(gift.c), KOZO_KIND_ENDPOINT);
}

KOZO_TEST(move_leaves_nothing_behind_and_keeps_its_place)
{
    struct kozo_endpoint ep = kozo_test_endpoint(), owner = kozo_test_endpoint();
    kozo_cptr mine = kozo_test_copy(owner.c, KOZO_RIGHTS(KOZO_READ | KOZO_WRITE, 1));
    struct exchange e = { .cap = { { .slot = (uint32_t)mine, .flags = KOZO_CAP_MOVE } },
                          .count = 1,
                          .window = window(),
                          .slots = WINDOW };

    pass(ep, &e);
    KOZO_CHECK_EQ(e.sent, 1);
    KOZO_CHECK_EQ(kind_at(mine), KOZO_KIND_NULL);
    /* A move asks for no rights: all of them go. */
    KOZO_CHECK_EQ(KOZO_VERIFY_RIGHTS(verify(e.window)), KOZO_READ | KOZO_WRITE);
    KOZO_CHECK_OK(kozo_cap_revoke(kozo_own(owner.c)));
    KOZO_CHECK_EQ(kind_at(e.window), KOZO_KIND_NULL);
}

KOZO_TEST(copy_can_get_a_badge_on_the_way)
{
    struct kozo_endpoint ep = kozo_test_endpoint(), gift = kozo_test_endpoint();
    struct exchange e = { .cap = { kozo_give_badged(gift.c, KOZO_WRITE, 0, 0xbad9e),
                                   kozo_give_badged(gift.c, KOZO_WRITE, 0, 0) },
                          .count = 2,
                          .window = window(),
                          .slots = WINDOW };
    struct kozo_verified v;

    pass(ep, &e);
    KOZO_CHECK_EQ(e.sent, 2);
    v = kozo_cap_verify(kozo_own(e.window), kozo_own(0));
    KOZO_CHECK_EQ(v.badge, 0xbad9e);
    KOZO_CHECK((v.what & KOZO_VERIFY_BADGED) != 0);
    KOZO_CHECK((verify(e.window + 1) & KOZO_VERIFY_BADGED) != 0);
    KOZO_CHECK_EQ(verify(gift.c) & KOZO_VERIFY_BADGED, 0);
}

KOZO_TEST(shut_window_takes_nothing_and_the_message_goes)
{
    struct kozo_endpoint ep = kozo_test_endpoint();
    struct exchange e = { .cap = { kozo_give(ep.c, KOZO_WRITE, 0),
                                   { .slot = (uint32_t)ep.c, .flags = KOZO_CAP_MOVE } },
                          .count = 2 };

    pass(ep, &e);
    KOZO_CHECK_OK(e.err);
    KOZO_CHECK_EQ(e.sent, 0);
    KOZO_CHECK_EQ(came(&e), 0);
    KOZO_CHECK_EQ(e.received, 0);
    KOZO_CHECK((e.info & KOZO_INFO_DROPPED) != 0);
    KOZO_CHECK_EQ(kind_at(ep.c), KOZO_KIND_ENDPOINT);
}

KOZO_TEST(occupied_slot_is_passed_over)
{
    struct kozo_endpoint ep = kozo_test_endpoint(), gift = kozo_test_endpoint();
    struct exchange e = { .cap = { kozo_give(gift.c, KOZO_WRITE, 0),
                                   kozo_give(gift.c, KOZO_WRITE, 0),
                                   kozo_give(gift.c, KOZO_READ, 0) },
                          .count = 3,
                          .window = window(),
                          .slots = WINDOW };

    KOZO_CHECK_OK(
        kozo_cap_copy(kozo_own(e.window + 1), kozo_own(KOZO_INIT_DEBUG), KOZO_SAME_RIGHTS));
    pass(ep, &e);
    KOZO_CHECK_EQ(e.sent, 2);
    KOZO_CHECK_EQ(came(&e), 2);
    KOZO_CHECK_EQ(e.received, 5);
    KOZO_CHECK((e.info & KOZO_INFO_DROPPED) != 0);
    KOZO_CHECK_EQ(kind_at(e.window), KOZO_KIND_ENDPOINT);
    KOZO_CHECK_EQ(kind_at(e.window + 1), KOZO_KIND_DEBUG);
    KOZO_CHECK_EQ(KOZO_VERIFY_RIGHTS(verify(e.window + 2)), KOZO_READ);
}

KOZO_TEST(window_ends_where_it_says)
{
    struct kozo_endpoint ep = kozo_test_endpoint();
    struct exchange e = { .cap = { kozo_give(ep.c, KOZO_WRITE, 0), kozo_give(ep.c, KOZO_WRITE, 0),
                                   kozo_give(ep.c, KOZO_WRITE, 0) },
                          .count = 3,
                          .window = window(),
                          .slots = 1 };

    pass(ep, &e);
    KOZO_CHECK_EQ(e.sent, 1);
    KOZO_CHECK_EQ(e.received, 1);
    KOZO_CHECK_EQ(kind_at(e.window + 1), KOZO_KIND_NULL);
    KOZO_CHECK_EQ(kind_at(e.window + 2), KOZO_KIND_NULL);
}

KOZO_TEST(window_outside_the_space_takes_nothing)
{
    static const uint32_t outside[] = { 1 << KOZO_INIT_CNODE_BITS, UINT32_MAX, UINT32_MAX - 1 };
    struct kozo_endpoint ep = kozo_test_endpoint();

    for (unsigned i = 0; i < 3; i++) {
        struct exchange e = { .cap = { kozo_give(ep.c, KOZO_WRITE, 0),
                                       kozo_give(ep.c, KOZO_WRITE, 0) },
                              .count = 2,
                              .window = outside[i],
                              .slots = UINT16_MAX };

        pass(ep, &e);
        KOZO_CHECK_OK(e.err);
        KOZO_CHECK_EQ(e.sent, 0);
        KOZO_CHECK((e.info & KOZO_INFO_DROPPED) != 0);
    }
}

/* Slot 0 of every space is the kernel's own. */
KOZO_TEST(window_never_includes_slot_0)
{
    struct kozo_endpoint ep = kozo_test_endpoint();
    struct doing server = { .nr = KOZO_SYS_RECV,
                            .x = { .cap = ep.c, .info = KOZO_INFO_RECV_CAPS } };
    struct kozo_worker w = doing_later(URGENT);
    struct kozo_words x = { .cap = ep.c, .info = 1 << KOZO_INFO_CAPS_SHIFT };

    buffer_of(&w)->recv_slot = 0;
    buffer_of(&w)->recv_count = 1;
    KOZO_REQUIRE_OK(kozo_worker_run(&w, do_it, &server));
    kozo_buffer()->cap[0] = kozo_give(ep.c, KOZO_WRITE, 0);
    KOZO_CHECK_OK(kozo_ipc(KOZO_SYS_SEND, &x));
    KOZO_CHECK((server.x.info & KOZO_INFO_DROPPED) != 0);
    KOZO_CHECK_EQ(buffer_of(&w)->received, 0);
}

KOZO_TEST(what_cannot_be_copied_is_left_out)
{
    struct kozo_endpoint ep = kozo_test_endpoint();
    struct kozo_endpoint badged = kozo_test_mint(ep, KOZO_SAME_RIGHTS, 5);
    struct kozo_untyped unique = kozo_test_untyped(KOZO_PAGE_BITS);
    kozo_cptr empty = kozo_test_slot();
    const struct kozo_cap_desc wrong[] = {
        kozo_give(empty, KOZO_RIGHTS_ALL, 0),
        kozo_give(0, KOZO_RIGHTS_ALL, 0),
        kozo_give(UINT32_MAX, KOZO_RIGHTS_ALL, 0),
        kozo_give(unique.c, KOZO_RIGHTS_ALL, 0),
        kozo_give_badged(badged.c, KOZO_RIGHTS_ALL, 0, 6),                      /* it has one */
        kozo_give_badged(KOZO_INIT_DEBUG, KOZO_RIGHTS_ALL, 0, 6), /* it can have none */
        { .slot = (uint32_t)ep.c, .flags = KOZO_CAP_MOVE | KOZO_CAP_BADGE },
    };

    for (unsigned i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        struct exchange e = { .cap = { wrong[i], kozo_give(ep.c, KOZO_WRITE, 0) },
                              .count = 2,
                              .window = window(),
                              .slots = WINDOW };

        pass(ep, &e);
        KOZO_CHECK_EQ(e.sent, 1);
        KOZO_CHECK_EQ(e.received, 2);
        KOZO_CHECK_EQ(kind_at(e.window), KOZO_KIND_NULL);
        KOZO_CHECK_EQ(kind_at(e.window + 1), KOZO_KIND_ENDPOINT);
    }
    KOZO_CHECK_EQ(kind_at(unique.c), KOZO_KIND_UNTYPED);
    KOZO_CHECK_EQ(kind_at(ep.c), KOZO_KIND_ENDPOINT);
}

KOZO_TEST(untyped_can_be_moved_in_a_message)
{
    struct kozo_endpoint ep = kozo_test_endpoint();
    struct kozo_untyped u = kozo_test_untyped(KOZO_PAGE_BITS);
    struct exchange e = { .cap = { { .slot = (uint32_t)u.c, .flags = KOZO_CAP_MOVE } },
                          .count = 1,
                          .window = window(),
                          .slots = WINDOW };

    pass(ep, &e);
    KOZO_CHECK_EQ(e.sent, 1);
    KOZO_CHECK_EQ(kozo_untyped_info((struct kozo_untyped){ e.window }).size, KOZO_PAGE_SIZE);
}

KOZO_TEST(capabilities_need_grant)
{
    struct kozo_endpoint ep = kozo_test_endpoint();
    struct kozo_endpoint poor = { kozo_test_copy(ep.c, KOZO_RIGHTS(KOZO_READ | KOZO_WRITE, 0)) };
    struct exchange e = {
        .cap = { kozo_give(ep.c, KOZO_WRITE, 0) }, .count = 1, .window = window(), .slots = WINDOW
    };

    pass(poor, &e);
    KOZO_CHECK_ERR(e.err, KOZO_ERR_RIGHTS);
    KOZO_CHECK_EQ(kind_at(e.window), KOZO_KIND_NULL);
}

/* The capability that a call is made by also says whether its answer may bring some. */
static void answer_with_gift(struct kozo_endpoint ep, struct kozo_endpoint by, kozo_cptr into,
                             uint64_t *sent, uint64_t *info)
{
    struct doing client = { .nr = KOZO_SYS_CALL,
                            .x = { .cap = by.c, .info = KOZO_INFO_RECV_CAPS } };
    struct kozo_worker w = doing_later(URGENT);
    struct kozo_words x;

    buffer_of(&w)->recv_slot = (uint32_t)into;
    buffer_of(&w)->recv_count = 1;
    KOZO_CHECK_OK(kozo_worker_run(&w, do_it, &client));
    KOZO_CHECK_OK(kozo_recv_words(ep, &x));
    kozo_buffer()->cap[0] = kozo_give(ep.c, KOZO_WRITE, 0);
    KOZO_CHECK_OK(answer(1 << KOZO_INFO_CAPS_SHIFT));
    KOZO_CHECK_OK(client.err);
    *sent = kozo_buffer()->sent;
    *info = client.x.info;
}

KOZO_TEST(answer_brings_capabilities_if_the_call_was_made_with_grant)
{
    struct kozo_endpoint ep = kozo_test_endpoint();
    struct kozo_endpoint rich = { kozo_test_copy(ep.c, KOZO_RIGHTS(KOZO_WRITE | KOZO_GRANT, 0)) };
    struct kozo_endpoint poor = { kozo_test_copy(ep.c, KOZO_RIGHTS(KOZO_WRITE, 0)) };
    kozo_cptr into = kozo_test_slot();
    uint64_t sent, info;

    answer_with_gift(ep, poor, into, &sent, &info);
    KOZO_CHECK_EQ(sent, 0);
    KOZO_CHECK_EQ(info, KOZO_INFO_DROPPED);
    KOZO_CHECK_EQ(kind_at(into), KOZO_KIND_NULL);
    answer_with_gift(ep, rich, into, &sent, &info);
    KOZO_CHECK_EQ(sent, 1);
    KOZO_CHECK_EQ(info, 1 << KOZO_INFO_CAPS_SHIFT);
    KOZO_CHECK_EQ(kind_at(into), KOZO_KIND_ENDPOINT);
}

/* Window and slots are of each side's own space. */
KOZO_TEST(capability_goes_from_one_space_to_another)
{
    struct kozo_endpoint ep = kozo_test_endpoint(), gift = kozo_test_endpoint();
    struct kozo_cnode far = kozo_test_cnode(3);
    struct doing server = { .nr = KOZO_SYS_RECV, .x = { .cap = 1, .info = KOZO_INFO_RECV_CAPS } };
    struct kozo_worker w = doing_later(URGENT);
    struct kozo_words x = { .cap = ep.c, .info = 1 << KOZO_INFO_CAPS_SHIFT };

    KOZO_REQUIRE_OK(kozo_cap_copy(kozo_in(far, 1), kozo_own(ep.c), KOZO_RIGHTS(KOZO_READ, 0)));
    KOZO_REQUIRE_OK(kozo_thread_bind(w.thread, far, (struct kozo_space){ 0 },
                                     (struct kozo_frame){ 0 }, 0, (struct kozo_endpoint){ 0 }));
    buffer_of(&w)->recv_slot = 5;
    buffer_of(&w)->recv_count = 3;
    KOZO_REQUIRE_OK(kozo_worker_run(&w, do_it, &server));
    kozo_buffer()->cap[0] = kozo_give(gift.c, KOZO_READ, 0);
    KOZO_CHECK_OK(kozo_ipc_until(KOZO_SYS_SEND, &x, 0));
    KOZO_CHECK(server.done);
    KOZO_CHECK_EQ(buffer_of(&w)->received, 1);
    KOZO_CHECK((kozo_cap_verify(kozo_in(far, 5), kozo_own(gift.c)).what & KOZO_VERIFY_SAME) != 0);
}
