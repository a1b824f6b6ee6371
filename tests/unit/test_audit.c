/* SPDX-License-Identifier: MIT */
/*
 * test_audit.c - the record of what became of capabilities: each event, and that they add up.
 */
#include "cap/object.h"
#include "host.h"

#define A SLOT_FREE
#define B (SLOT_FREE + 1)
#define C (SLOT_FREE + 2)
#define U (SLOT_FREE + 3)

static uint64_t copy(uint64_t to, uint64_t from, uint64_t rights)
{
    return call(host.init, CAP_COPY, 0, to, 0, from, rights);
}

static void boot_traced(void)
{
    host_boot();
    host_trace(HOST_TRACE_ALL);
}

TEST(nothing_is_recorded_until_it_is_asked_for)
{
    host_boot();
    CHECK_OK(copy(A, SLOT_EP, KOZO_SAME_RIGHTS));
    CHECK_EQ(kernel.trace.written, 0);
    CHECK_OK(call(host.init, DEBUG_TRACE, SLOT_DEBUG, 1u << KOZO_TRACE_MOVED));
    CHECK_OK(copy(B, SLOT_EP, KOZO_SAME_RIGHTS));
    CHECK_OK(call(host.init, CAP_MOVE, 0, C, 0, B));
    CHECK_EQ(kernel.trace.written, 1);
    CHECK_EQ(count_events(MOVED), 1);
    CHECK_OK(call(host.init, DEBUG_TRACE, SLOT_DEBUG, 0));
    CHECK_OK(call(host.init, CAP_MOVE, 0, B, 0, C));
    CHECK_EQ(kernel.trace.written, 1);
    CHECK_ERR(call(host.init, DEBUG_TRACE, SLOT_DEBUG, 1u << KOZO_TRACE_COUNT), ARGUMENT);
}

TEST(deriving_is_recorded_with_rights_and_badge)
{
    boot_traced();
    uint64_t ep = host_identity(host_slot(SLOT_EP)), ntfn = host_identity(host_slot(SLOT_NTFN));
    CHECK_OK(copy(A, SLOT_EP, KOZO_WRITE));
    CHECK(has_event(DERIVED, .object = ep, .kind = KOZO_KIND_ENDPOINT, .rights = KOZO_WRITE,
                    .thread = (uint32_t)host.init->serial));
    CHECK_OK(call(host.init, CAP_MINT, 0, B, 0, SLOT_NTFN, KOZO_SAME_RIGHTS, 0x77));
    CHECK(has_event(DERIVED, .object = ntfn, .badge = 0x77));
    CHECK_EQ(count_events(DERIVED), 2);
    CHECK_OK(
        call(host.init, RETYPE, SLOT_UNTYPED, KOZO_WHAT(KOZO_KIND_FRAME, KOZO_PAGE_BITS), 0, U, 3));
    CHECK_EQ(count_events(DERIVED, .kind = KOZO_KIND_FRAME), 3);
}

TEST(a_move_is_recorded_and_counts_nothing)
{
    boot_traced();
    CHECK_OK(call(host.init, CAP_MOVE, 0, A, 0, SLOT_IOPORT));
    CHECK(has_event(MOVED, .object = host_identity(host_slot(A)), .kind = KOZO_KIND_IO_PORT));
    CHECK_EQ(count_events(DERIVED) + count_events(DROPPED) + count_events(REVOKED), 0);
}

TEST(deleting_is_told_from_revoking)
{
    boot_traced();
    uint64_t ep = host_identity(host_slot(SLOT_EP));
    CHECK_OK(copy(A, SLOT_EP, KOZO_SAME_RIGHTS));
    CHECK_OK(copy(B, A, KOZO_SAME_RIGHTS));
    CHECK_OK(copy(C, B, KOZO_SAME_RIGHTS));
    CHECK_OK(call(host.init, CAP_DELETE, 0, B));
    CHECK_EQ(count_events(DROPPED, .object = ep), 1);
    CHECK_OK(call(host.init, CAP_REVOKE, 0, SLOT_EP));
    CHECK_EQ(count_events(REVOKED, .object = ep), 2);
    CHECK_EQ(count_events(DROPPED, .object = ep), 1);
}

/*
 * What lies in a CNode, or is bound to a thread, was not derived from what is revoked: it is
 * dropped with its place.
 */
TEST(what_goes_with_its_place_is_dropped)
{
    boot_traced();
    host_make(U, KOZO_KIND_UNTYPED, 14);
    CHECK_OK(call(host.init, RETYPE, U, KOZO_WHAT(KOZO_KIND_CNODE, 3), 0, A, 1));
    CHECK_OK(call(host.init, CAP_COPY, A, 1, 0, SLOT_EP, KOZO_SAME_RIGHTS));
    CHECK_OK(call(host.init, CAP_REVOKE, 0, U));
    CHECK_EQ(count_events(REVOKED), 1);
    CHECK_EQ(count_events(DROPPED, .kind = KOZO_KIND_ENDPOINT), 1);
    CHECK_OK(call(host.init, THREAD_CREATE, SLOT_POOL, 0, A, 0, HOST_PRIORITY));
    CHECK_OK(call(host.init, THREAD_BIND, A, SLOT_CNODE, SLOT_SPACE, SLOT_FRAME, 0, SLOT_EP));
    CHECK_EQ(count_events(DERIVED, .kind = KOZO_KIND_CNODE), 2); /* of the one and of the binding */
    CHECK_OK(call(host.init, CAP_DELETE, 0, A));
    CHECK_EQ(count_events(REVOKED), 1);
    CHECK_EQ(count_events(DROPPED, .kind = KOZO_KIND_THREAD), 1);
    CHECK_EQ(count_events(DROPPED, .kind = KOZO_KIND_FRAME), 1);
}

/*
 * The root of a preempted revoke is deleted: its end is told once, though the kernel keeps it until
 * the revoke ends.
 */
static void delete_the_root(void)
{
    if (host_kind(A) != KOZO_KIND_NULL)
        slot_delete(host_slot(A));
}

TEST(a_revoked_root_that_is_deleted_meanwhile_is_dropped_once)
{
    boot_traced();
    uint64_t ep = host_identity(host_slot(SLOT_EP));
    CHECK_OK(copy(A, SLOT_EP, KOZO_SAME_RIGHTS));
    for (uint64_t i = 0; i < 40; i++)
        CHECK_OK(copy(U + i, A, KOZO_SAME_RIGHTS));
    host.between = delete_the_root;
    CHECK_OK(call_preempted(1, host.init, CAP_REVOKE, 0, A));
    CHECK_EQ(count_events(REVOKED, .object = ep), 40);
    CHECK_EQ(count_events(DROPPED, .object = ep), 1);
}

TEST(a_capability_that_comes_with_a_message_is_granted)
{
    boot_traced();
    struct tcb *server = host_thread(KOZO_READ, 0),
               *client = host_thread(KOZO_WRITE | KOZO_GRANT, 5);
    uint64_t ntfn = host_identity(host_slot(SLOT_NTFN));
    server->buffer->recv_slot = A;
    server->buffer->recv_count = 2;
    call(server, RECV, SLOT_EP, KOZO_INFO_RECV_CAPS);
    client->buffer->cap[0] = (struct kozo_cap_desc){ .slot = SLOT_NTFN, .rights = KOZO_WRITE,
                                                     .flags = KOZO_CAP_BADGE, .badge = 4 };
    client->buffer->cap[1] = (struct kozo_cap_desc){ .slot = SLOT_THREAD, .flags = KOZO_CAP_MOVE };
    CHECK_EQ(call(client, CALL, SLOT_EP, INFO_CAPS(2)), HOST_BLOCKED);
    CHECK_EQ(count_events(GRANTED), 2);
    CHECK(has_event(GRANTED, .object = ntfn, .rights = KOZO_WRITE, .badge = 4));
    CHECK(has_event(DERIVED, .object = ntfn, .rights = KOZO_WRITE, .badge = 4));
    CHECK_EQ(count_events(MOVED, .kind = KOZO_KIND_THREAD), 1);
}

/* A Reply comes by REPLY_SAVE, and goes when it is used, deleted, or its caller waits no more. */
TEST(a_reply_comes_once_and_goes_once)
{
    boot_traced();
    struct tcb *server = host_thread(KOZO_READ, 0), *client = host_thread(KOZO_WRITE, 5);

    for (uint32_t how = 0; how < 3; how++) {
        call(server, RECV, SLOT_EP);
        CHECK_EQ(call(client, CALL, SLOT_EP, INFO(1)), HOST_BLOCKED);
        CHECK_OK(call(server, REPLY_SAVE, 0, A));
        CHECK_EQ(count_events(DERIVED, .kind = KOZO_KIND_REPLY), how + 1);
        if (how == 0)
            CHECK_OK(call(server, REPLY, A, INFO(0)));
        else if (how == 1)
            CHECK_OK(call(server, CAP_DELETE, 0, A));
        else
            CHECK_OK(call(host.init, THREAD_SUSPEND, host_thread_slot(client)));
        CHECK_EQ(count_events(DROPPED, .kind = KOZO_KIND_REPLY), how + 1);
    }
}

TEST(a_refused_use_is_recorded_with_call_and_error)
{
    boot_traced();
    struct tcb *t = host_thread(KOZO_READ, 0);
    uint32_t serial = (uint32_t)t->serial;

    CHECK_ERR(call(t, SEND, SLOT_EP, INFO(1)), RIGHTS);
    CHECK(has_event(REFUSED, .kind = KOZO_SYS_SEND, .error = KOZO_ERR_RIGHTS, .object = SLOT_EP,
                    .thread = serial));
    CHECK_ERR(call(t, SIGNAL, A), EMPTY);
    CHECK(has_event(REFUSED, .kind = KOZO_SYS_SIGNAL, .error = KOZO_ERR_EMPTY, .object = A));
    CHECK_ERR(call(t, SIGNAL, 1ull << 40), ADDRESS);
    CHECK(has_event(REFUSED, .error = KOZO_ERR_ADDRESS, .object = 1ull << 40));
    CHECK_ERR(call(t, SIGNAL, SLOT_EP), KIND);
    CHECK(has_event(REFUSED, .error = KOZO_ERR_KIND));
    CHECK_EQ(count_events(REFUSED), 4);
    /* not for want of a capability */
    CHECK_ERR(call(t, CAP_COPY, 0, SLOT_NTFN, 0, SLOT_NTFN, KOZO_SAME_RIGHTS), OCCUPIED);
    CHECK_ERR(call_number(t, 99), NOSYS);
    CHECK_EQ(count_events(REFUSED), 4);
}

TEST(threads_that_start_and_stop_are_recorded)
{
    boot_traced();
    CHECK_OK(call(host.init, THREAD_CREATE, SLOT_POOL, 0, A, 0, HOST_PRIORITY));
    uint64_t thread = host_identity(host_slot(A));
    CHECK_OK(call(host.init, THREAD_BIND, A, SLOT_CNODE, SLOT_SPACE, 0, 0, 0));
    CHECK_OK(call(host.init, THREAD_START, A, HOST_ENTRY, 0, 0, 0));
    CHECK_EQ(count_events(STARTED, .object = thread), 1);
    CHECK_OK(call(host.init, THREAD_SUSPEND, A));
    CHECK_OK(call(host.init, THREAD_SUSPEND, A)); /* it stands already */
    CHECK_EQ(count_events(STOPPED, .object = thread), 1);
    CHECK_OK(call(host.init, THREAD_RESUME, A));
    host_fault((struct tcb *)host_slot(A)->cap.object, KOZO_FAULT_PAGE, 0, KOZO_READ);
    CHECK_EQ(count_events(STARTED, .object = thread), 2);
    CHECK_EQ(count_events(STOPPED, .object = thread), 2);
}

/* DEBUG_EVENTS tells the same as the ring, 14 at a time, and how many were overwritten. */
TEST(events_are_read_in_order_and_losses_are_counted)
{
    const uint64_t events = TRACE_EVENTS + 100;

    host_boot();
    host_trace(1u << KOZO_TRACE_MOVED);
    for (uint64_t i = 0; i < events; i++)
        CHECK_OK(call(host.init, CAP_MOVE, 0, i % 2 ? SLOT_EP : A, 0, i % 2 ? A : SLOT_EP));
    uint64_t at = 0, seen = 0, lost = 0, time = 0;
    for (;;) {
        CHECK_OK(call(host.init, DEBUG_EVENTS, SLOT_DEBUG, at));
        at = host.init->frame.reg[0];
        lost += host.init->frame.reg[2];
        uint64_t n = host.init->frame.reg[1];
        const struct kozo_event *e = (const struct kozo_event *)host.init->buffer->word;
        CHECK(n <= KOZO_EVENTS);
        for (uint64_t i = 0; i < n; i++) {
            CHECK_EQ(e[i].what, KOZO_TRACE_MOVED);
            CHECK(e[i].time >= time);
            time = e[i].time;
        }
        seen += n;
        if (n == 0)
            break;
    }
    CHECK_EQ(seen, TRACE_EVENTS);
    CHECK_EQ(lost, 100);
    CHECK_EQ(at, events);
}

/* The harness's ledger does find a capability that came or went without an event. */
TEST(an_event_that_is_missing_or_told_twice_is_found)
{
    for (uint32_t what = KOZO_TRACE_DERIVED; what <= KOZO_TRACE_REVOKED; what++) {
        if (what == KOZO_TRACE_GRANTED || what == KOZO_TRACE_MOVED)
            continue;
        boot_traced();
        slot_trace((enum kozo_trace)what, host_slot(SLOT_EP));
        CHECK_FAILS("audit: by the events", host_check());
    }
}
