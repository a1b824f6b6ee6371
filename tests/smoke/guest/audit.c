/* SPDX-License-Identifier: MIT */
/*
 * Recorded events, read as users read them: the same format, and the same questions, as on the host
 * (tests/unit/test_audit.c).
 */
#include "peer.h"

constexpr uint64_t ALL = (1 << KOZO_TRACE_COUNT) - 1;
constexpr kozo_cptr BEYOND = 1u << 20;

static uint32_t self(void)
{
    struct kozo_thread_info i = kozo_thread_info((struct kozo_thread){ KOZO_INIT_THREAD });

    KOZO_CHECK_OK(i.err);
    return (uint32_t)i.serial;
}

KOZO_TEST(nothing_is_recorded_until_it_is_asked_for)
{
    struct kozo_endpoint ep = kozo_test_endpoint();

    kozo_test_trace(1 << KOZO_TRACE_MOVED);
    (void)kozo_test_copy(ep.c, KOZO_SAME_RIGHTS);
    KOZO_CHECK_EQ(count_events(DERIVED), 0);
    KOZO_CHECK_EQ(count_events(MOVED), 0);
}

KOZO_TEST(what_becomes_of_a_capability_is_recorded)
{
    struct kozo_endpoint ep = kozo_test_endpoint();
    kozo_cptr slot = kozo_test_slot();

    kozo_test_trace(ALL);
    KOZO_REQUIRE_OK(kozo_cap_mint(kozo_own(slot), kozo_own(ep.c), KOZO_WRITE, 0x77).err);
    KOZO_CHECK(has_event(DERIVED, .kind = KOZO_KIND_ENDPOINT, .rights = KOZO_WRITE, .badge = 0x77,
                         .thread = self()));
    kozo_cptr other = kozo_test_slot();
    KOZO_REQUIRE_OK(kozo_cap_move(kozo_own(other), kozo_own(slot)));
    KOZO_CHECK_EQ(count_events(MOVED, .kind = KOZO_KIND_ENDPOINT, .badge = 0x77), 1);
    KOZO_REQUIRE_OK(kozo_cap_copy(kozo_own(slot), kozo_own(other), KOZO_SAME_RIGHTS));
    KOZO_REQUIRE_OK(kozo_cap_revoke(kozo_own(other)));
    KOZO_CHECK_EQ(count_events(REVOKED, .kind = KOZO_KIND_ENDPOINT, .badge = 0x77), 1);
    KOZO_REQUIRE_OK(kozo_cap_delete(kozo_own(other)));
    KOZO_CHECK_EQ(count_events(DROPPED, .kind = KOZO_KIND_ENDPOINT, .badge = 0x77), 1);
    KOZO_CHECK_EQ(count_events(DERIVED, .kind = KOZO_KIND_ENDPOINT), 2);
}

/* On the fast path too, which leaves a call that is refused to the slow one. */
KOZO_TEST(a_refused_use_is_recorded)
{
    struct kozo_endpoint ep = kozo_test_endpoint();
    kozo_cptr reads = kozo_test_copy(ep.c, KOZO_READ), empty = kozo_test_slot();
    struct kozo_words x = { .cap = reads };

    kozo_test_trace(ALL);
    KOZO_CHECK_ERR(kozo_ipc(KOZO_SYS_CALL, &x), KOZO_ERR_RIGHTS);
    x = (struct kozo_words){ .cap = empty };
    KOZO_CHECK_ERR(kozo_ipc(KOZO_SYS_CALL, &x), KOZO_ERR_EMPTY);
    KOZO_CHECK_ERR(kozo_signal((struct kozo_notification){ ep.c }, 1), KOZO_ERR_KIND);
    KOZO_CHECK_ERR(kozo_signal((struct kozo_notification){ BEYOND }, 1), KOZO_ERR_ADDRESS);
    KOZO_CHECK(has_event(REFUSED, .error = KOZO_ERR_RIGHTS, .object = reads, .thread = self()));
    KOZO_CHECK(has_event(REFUSED, .error = KOZO_ERR_EMPTY, .object = empty));
    KOZO_CHECK(has_event(REFUSED, .error = KOZO_ERR_KIND, .kind = KOZO_SYS_SIGNAL));
    KOZO_CHECK(has_event(REFUSED, .error = KOZO_ERR_ADDRESS, .object = BEYOND));
    KOZO_CHECK_EQ(count_events(REFUSED), 4);
}

KOZO_TEST(a_capability_that_comes_with_a_message_is_granted)
{
    struct kozo_endpoint ep = kozo_test_endpoint();
    struct kozo_notification n = kozo_test_notification();
    kozo_cptr window = kozo_test_slot();
    struct doing d = { .nr = KOZO_SYS_CALL,
                       .x = { .cap = ep.c, .info = 1 << KOZO_INFO_CAPS_SHIFT } };
    struct kozo_words x = { .cap = ep.c, .info = KOZO_INFO_RECV_CAPS };
    struct kozo_worker w = doing_later(LATER);

    buffer_of(&w)->cap[0] = (struct kozo_cap_desc){
        .slot = (uint32_t)n.c, .rights = KOZO_WRITE, .flags = KOZO_CAP_BADGE, .badge = 4
    };
    kozo_buffer()->recv_slot = (uint32_t)window;
    kozo_buffer()->recv_count = 1;
    kozo_test_trace(ALL);
    KOZO_REQUIRE_OK(kozo_worker_run(&w, do_it, &d));
    KOZO_REQUIRE_OK(kozo_ipc(KOZO_SYS_RECV, &x));
    KOZO_CHECK_EQ(kind_at(window), KOZO_KIND_NOTIFICATION);
    KOZO_CHECK_OK(answer(0));
    KOZO_CHECK_EQ(
        count_events(GRANTED, .kind = KOZO_KIND_NOTIFICATION, .rights = KOZO_WRITE, .badge = 4), 1);
    KOZO_CHECK(has_event(STARTED, .kind = KOZO_KIND_THREAD));
}
