/* SPDX-License-Identifier: MIT */
/*
 * test_turn.c - the queue of those who wait for their turn to delete or revoke: who comes next,
 * what is done for them, and how one leaves it otherwise. How long a turn takes to come is in
 * test_bound.c.
 */
#include "host.h"

#include "cap/object.h"
#include "cap/pending.h"
#include "ipc/fault.h"

#include <setjmp.h>
#include <string.h>

#define DOOMED SLOT_FREE       /* a CNode that takes several turns to destroy */
#define VICTIM (SLOT_FREE + 1) /* one for each who asks */
#define COPY (SLOT_FREE + 16)
#define DOOMED_BITS 7u
#define DOOMED_STEPS (1u << DOOMED_BITS) /* its slots but the first, and its end */
#define ASKERS 5u

static struct tcb *destroyer, *asker[ASKERS];
static jmp_buf left;

static void leave_the_call(void) { longjmp(left, 1); }

/* `t` makes a call and is preempted in it at the first opportunity. */
static void preempted_once(struct tcb *t, uint64_t number, uint64_t a, uint64_t b)
{
    host_preempt(1, 0);
    host.between = leave_the_call;
    if (setjmp(left) == 0) {
        (void)host_call(t, 0, number, HOST_ARGS(a, b));
        FAIL("the call was not preempted");
    }
    host_preempt(0, 0);
    host.between = nullptr;
}

/* It makes the call that it was preempted in again. */
static uint64_t go_on(struct tcb *t)
{
    return host_call(t, 0, t->frame.number, HOST_ARGS(t->frame.reg[0], t->frame.reg[1]));
}

/* By a call that makes no step: for a thread that runs itself nothing is done. */
static void init_runs(void) { CHECK_OK(call(host.init, CAP_VERIFY, 0, SLOT_EP)); }

/* The destroyer is in the midst of it, and all the others ask to delete a copy each. */
static void boot_askers(void)
{
    host_boot();
    host_make(DOOMED, KOZO_KIND_CNODE, DOOMED_BITS);
    destroyer = host_peer(HOST_PRIORITY);
    for (uint32_t i = 0; i < ASKERS; i++) {
        asker[i] = host_peer(HOST_PRIORITY);
        CHECK_OK(call(host.init, CAP_COPY, 0, VICTIM + i, 0, SLOT_EP, KOZO_SAME_RIGHTS));
    }
    preempted_once(destroyer, KOZO_SYS_CAP_DELETE, 0, DOOMED);
    CHECK_EQ(kernel.pending.number, 2);
    CHECK_EQ(destroyer->frame.number, KOZO_SYS_FINISH);
    CHECK_EQ(destroyer->frame.reg[0], 2);
    for (uint32_t i = 0; i < 2; i++)
        preempted_once(asker[i], KOZO_SYS_CAP_DELETE, 0, VICTIM + i);
    init_runs();
}

/* Until nothing is under way. */
static void finish_what_is_under_way(void)
{
    while (kernel.pending.zombies != nullptr)
        CHECK(pending_step());
    host_leave();
}

/* Whatever others have left of theirs, and where in the call it comes to an end. */
TEST(a_delete_looks_for_interrupts_after_sixteen_steps_at_most)
{
    for (uint32_t others = 0; others <= 2 * PENDING_BATCH + 1; others++) {
        uint64_t before;

        host_boot();
        host_make(DOOMED, KOZO_KIND_CNODE, DOOMED_BITS);
        host_make(VICTIM, KOZO_KIND_CNODE, DOOMED_BITS);
        destroyer = host_peer(HOST_PRIORITY);
        asker[0] = host_peer(HOST_PRIORITY);
        preempted_once(destroyer, KOZO_SYS_CAP_DELETE, 0, DOOMED);
        for (uint32_t left_over = DOOMED_STEPS - PENDING_BATCH; left_over > others; left_over--)
            CHECK(pending_step());
        host_leave();
        before = kernel.pending.steps;
        preempted_once(asker[0], KOZO_SYS_CAP_DELETE, 0, VICTIM);
        CHECK_EQ(kernel.pending.steps - before, PENDING_BATCH);
    }
}

static void ask_also(uint32_t i)
{
    uint64_t number = kernel.pending.number;

    preempted_once(asker[i], KOZO_SYS_CAP_DELETE, 0, VICTIM + i);
    CHECK_EQ(kernel.pending.number, number);
    CHECK_PTR(kernel.pending.last_asker, asker[i]);
    init_runs();
}

TEST(turns_come_in_the_order_in_which_they_were_asked_for)
{
    boot_askers();
    finish_what_is_under_way();
    for (uint32_t i = 0; i < 2; i++) {
        CHECK_EQ(host_kind(VICTIM + i), KOZO_KIND_ENDPOINT);
        CHECK_PTR(kernel.pending.asker, asker[i]);
        CHECK(pending_step());
        CHECK_EQ(host_kind(VICTIM + i), KOZO_KIND_NULL);
        CHECK_EQ(kernel.pending.number, 3 + i);
        host_leave();
    }
    CHECK(!pending_any());
}

/* Whoever fills a slot makes a step, and this is one. */
TEST(a_call_that_fills_a_slot_begins_what_another_asked_for)
{
    boot_askers();
    finish_what_is_under_way();
    CHECK_OK(call(host.init, CAP_COPY, 0, COPY, 0, SLOT_EP, KOZO_SAME_RIGHTS));
    CHECK_EQ(host_kind(VICTIM), KOZO_KIND_NULL);
    CHECK_EQ(host_kind(VICTIM + 1), KOZO_KIND_ENDPOINT);
    CHECK_PTR(kernel.pending.asker, asker[1]);
}

TEST(who_asked_first_goes_before_who_asks_first_thing_later)
{
    boot_askers();
    CHECK_OK(call(asker[2], CAP_DELETE, 0, VICTIM + 2));
    CHECK_EQ(kernel.pending.number, 5);
    for (uint32_t i = 0; i < 3; i++)
        CHECK_EQ(host_kind(VICTIM + i), KOZO_KIND_NULL);
    CHECK(!pending_any());
}

/* The order is the order of asking; a more urgent thread makes the steps of those before it. */
TEST(a_more_urgent_thread_comes_after_those_who_asked_before_it)
{
    boot_askers();
    struct tcb *urgent = host_peer(HOST_PRIORITY - 1);
    CHECK_OK(call(urgent, CAP_DELETE, 0, VICTIM + 2));
    CHECK_EQ(kernel.pending.number, 5);
    CHECK_EQ(host_kind(VICTIM), KOZO_KIND_NULL);
}

TEST(a_thread_that_comes_to_it_itself_keeps_its_place_until_then)
{
    boot_askers();
    preempted_once(asker[0], KOZO_SYS_CAP_DELETE, 0, VICTIM);
    CHECK_PTR(kernel.pending.asker, asker[0]);
    CHECK_PTR(kernel.pending.last_asker, asker[1]);
    CHECK_OK(go_on(asker[0]));
    CHECK_EQ(host_kind(VICTIM), KOZO_KIND_NULL);
    CHECK_EQ(host_kind(VICTIM + 1), KOZO_KIND_ENDPOINT);
    CHECK_PTR(kernel.pending.asker, asker[1]);
    CHECK(!asker[0]->asks.queued);
}

/* The call has been made for it: it is behind its instruction, with the result. */
TEST(a_call_made_for_a_thread_ends_like_its_own)
{
    boot_askers();
    uint64_t ip = asker[0]->frame.ip;
    CHECK_OK(call(host.init, CAP_DELETE, 0, VICTIM + 2)); /* before which both are made */
    CHECK_EQ(asker[0]->frame.ip, ip + FRAME_CALL_BYTES);
    CHECK_ERR(host_error(asker[0]), OK);
    CHECK_EQ(asker[0]->state, TCB_READY);
    CHECK_ERR(host_error(asker[1]), OK);
}

static void expect_refusal(enum kozo_err err)
{
    uint64_t ip = asker[0]->frame.ip;

    host_trace(HOST_TRACE_ALL);
    finish_what_is_under_way();
    CHECK(pending_step());
    CHECK_EQ(kernel.pending.number, 2); /* nothing was begun */
    CHECK_EQ(asker[0]->frame.ip, ip + FRAME_CALL_BYTES);
    CHECK_EQ(asker[0]->frame.error, err);
    CHECK_EQ(count_events(REFUSED, .kind = KOZO_SYS_CAP_DELETE, .error = (uint8_t)err,
                          .thread = (uint32_t)asker[0]->serial),
             1);
    CHECK_EQ(count_events(REFUSED), 1);
    host_leave();
}

TEST(a_call_made_for_a_thread_is_checked_when_it_is_made)
{
    boot_askers();
    CHECK_OK(call(host.init, CAP_MOVE, 0, COPY, 0, VICTIM));
    expect_refusal(KOZO_ERR_EMPTY);
    CHECK_EQ(host_kind(COPY), KOZO_KIND_ENDPOINT);
}

TEST(a_call_made_for_a_thread_looks_in_the_space_that_it_has_then)
{
    boot_askers();
    slot_delete(&asker[0]->binding[TCB_CSPACE]);
    expect_refusal(KOZO_ERR_ADDRESS);
    CHECK_EQ(host_kind(VICTIM), KOZO_KIND_ENDPOINT);
}

/* In another's step: the records name who asked, and after that again who runs. */
TEST(what_a_call_made_for_a_thread_does_is_recorded_as_that_threads)
{
    boot_askers();
    finish_what_is_under_way();
    host_trace(HOST_TRACE_ALL);
    CHECK_OK(call(host.init, CAP_COPY, 0, COPY, 0, SLOT_EP, KOZO_SAME_RIGHTS));
    CHECK_EQ(host_kind(VICTIM), KOZO_KIND_NULL);
    CHECK_EQ(count_events(DROPPED, .thread = (uint32_t)asker[0]->serial), 1);
    CHECK_EQ(count_events(DROPPED), 1);
    CHECK_EQ(count_events(DERIVED, .thread = (uint32_t)host.init->serial), 1);
}

/* A revoke made for a thread that has more to do goes on as FINISH, of that revoke and no other. */
TEST(a_revoke_made_for_a_thread_goes_on_as_finish)
{
    boot_askers();
    preempted_once(asker[2], KOZO_SYS_CAP_REVOKE, 0, VICTIM + 2);
    for (uint32_t i = 0; i < 3; i++)
        CHECK_OK(call(host.init, CAP_COPY, 0, COPY + i, 0, VICTIM + 2, KOZO_SAME_RIGHTS));
    finish_what_is_under_way();
    for (uint32_t i = 0; i < 3; i++)
        CHECK(pending_step());
    host_leave();
    CHECK_PTR(kernel.pending.revoke, host_slot(VICTIM + 2));
    CHECK_EQ(asker[2]->frame.number, KOZO_SYS_FINISH);
    CHECK_EQ(asker[2]->frame.reg[0], kernel.pending.number);
    CHECK_OK(go_on(asker[2]));
    CHECK_EQ(host_kind(COPY), KOZO_KIND_NULL);
    CHECK_EQ(asker[2]->frame.reg[0], 0); /* the number was not the user's */
}

/* ---- FINISH ---- */

TEST(finish_waits_for_one_destruction_and_not_for_the_next)
{
    boot_askers();
    CHECK_OK(go_on(destroyer));
    CHECK_EQ(destroyer->frame.reg[0], 0);
    CHECK_PTR(kernel.pending.zombies, nullptr);
    CHECK_EQ(host_kind(VICTIM), KOZO_KIND_ENDPOINT); /* the next has not begun */
    CHECK_PTR(kernel.pending.asker, asker[0]);
}

TEST(finish_of_what_has_ended_returns_at_once)
{
    boot_askers();
    uint64_t steps = kernel.pending.steps;
    CHECK_OK(call(host.init, FINISH, kernel.pending.number - 1));
    CHECK_EQ(kernel.pending.steps, steps);
    CHECK_OK(call(host.init, FINISH, 0)); /* what is under way */
    CHECK_EQ(kernel.pending.steps, steps + DOOMED_STEPS - 3 * PENDING_BATCH);
    CHECK_EQ(host_kind(VICTIM), KOZO_KIND_ENDPOINT);
}

/* A number that nothing has had yet is no more than that of what is under way. */
TEST(finish_of_a_number_that_is_made_up_waits_for_what_is_under_way_and_no_longer)
{
    const uint64_t made_up[] = { 3, 4, 1ull << 63, ~0ull };

    for (uint32_t i = 0; i < sizeof made_up / sizeof *made_up; i++) {
        boot_askers();
        preempted_once(asker[2], KOZO_SYS_FINISH, made_up[i], 0);
        CHECK_EQ(asker[2]->frame.number, KOZO_SYS_FINISH);
        CHECK_EQ(asker[2]->frame.reg[0], 2);
        CHECK_OK(call(asker[3], FINISH, made_up[i]));
        CHECK_EQ(asker[3]->frame.reg[0], 0);
        CHECK_PTR(kernel.pending.zombies, nullptr);
        CHECK_EQ(host_kind(VICTIM), KOZO_KIND_ENDPOINT); /* nobody's turn came for it */
        uint64_t steps = kernel.pending.steps;
        CHECK_OK(call(asker[3], FINISH, made_up[i])); /* nothing is under way: at once */
        CHECK_EQ(kernel.pending.steps, steps);
        CHECK_PTR(kernel.pending.asker, asker[0]);
        CHECK_OK(go_on(destroyer));
        host_make(COPY, KOZO_KIND_CNODE, DOOMED_BITS);
        preempted_once(asker[4], KOZO_SYS_CAP_DELETE, 0, COPY);
        CHECK(pending_busy());
        steps = kernel.pending.steps;
        CHECK_OK(go_on(asker[2])); /* that is not what it waited for */
        CHECK_EQ(kernel.pending.steps, steps);
    }
}

/* Those of the past are over; who really deletes waits all the same. */
TEST(finish_of_a_number_of_the_past_takes_nothing_from_who_waits)
{
    boot_askers();
    uint64_t steps = kernel.pending.steps;
    CHECK_OK(call(asker[2], FINISH, 1));
    CHECK_EQ(asker[2]->frame.reg[0], 0);
    CHECK_EQ(kernel.pending.steps, steps);
    CHECK_EQ(destroyer->frame.number, KOZO_SYS_FINISH);
    CHECK_EQ(destroyer->frame.reg[0], 2);
    CHECK_PTR(kernel.pending.asker, asker[0]);
    CHECK_OK(go_on(destroyer));
    CHECK_PTR(kernel.pending.zombies, nullptr);
}

/* It began, the rest was done by another, who then began something of his own. */
TEST(a_delete_whose_work_was_done_returns_though_another_is_under_way)
{
    boot_askers();
    host_make(COPY, KOZO_KIND_CNODE, DOOMED_BITS);
    preempted_once(asker[2], KOZO_SYS_CAP_DELETE, 0, COPY);
    for (uint32_t i = 0; i < 8 && host_kind(COPY) != KOZO_KIND_NULL; i++)
        preempted_once(asker[2], KOZO_SYS_CAP_DELETE, 0, COPY);
    uint64_t steps = kernel.pending.steps;
    CHECK(pending_any());
    CHECK_OK(go_on(destroyer));
    CHECK_EQ(kernel.pending.steps, steps);
    CHECK(pending_any());
}

/* ---- who is not there any more ---- */

TEST(a_thread_that_ends_leaves_the_queue)
{
    for (uint32_t gone = 0; gone < 3; gone++) { /* first, middle, last */
        boot_askers();
        ask_also(2);
        uint64_t slot = host_thread_slot(asker[gone]);
        for (struct slot *s = host_slot(slot); !slot_is_null(s);)
            slot_delete(cdt_has_children(s) ? cdt_slot(s->open_next) : s);
        CHECK_EQ(asker[gone]->state, TCB_FREE);
        kernel_check();
        host_leave();
        CHECK_OK(call(host.init, CAP_DELETE, 0, VICTIM + 4));
        for (uint32_t i = 0; i < 3; i++)
            CHECK_EQ(host_kind(VICTIM + i), i == gone ? KOZO_KIND_ENDPOINT : KOZO_KIND_NULL);
        CHECK(!pending_any());
    }
}

/* asker[0] has lost its turn; what it wanted to delete is there, and its registers are its own. */
static void expect_lost_turn(void)
{
    struct frame frame = asker[0]->frame;

    finish_what_is_under_way();
    CHECK_PTR(kernel.pending.asker, asker[0]);
    CHECK(pending_step());
    CHECK_PTR(kernel.pending.asker, asker[1]);
    CHECK(!asker[0]->asks.queued);
    CHECK_EQ(host_kind(VICTIM), KOZO_KIND_ENDPOINT);
    CHECK_EQ(kernel.pending.number, 2);
    CHECK(memcmp(&frame, &asker[0]->frame, sizeof frame) == 0);
    host_leave();
}

TEST(a_thread_that_is_suspended_when_its_turn_comes_loses_it_and_asks_again)
{
    boot_askers();
    tcb_suspend(asker[0], KOZO_ERR_CANCELLED);
    host_leave();
    expect_lost_turn();
    tcb_resume(asker[0]);
    host_leave();
    CHECK_OK(go_on(asker[0]));
    CHECK_EQ(host_kind(VICTIM), KOZO_KIND_NULL);
    CHECK_EQ(host_kind(VICTIM + 1), KOZO_KIND_NULL); /* which was before it now */
}

TEST(a_thread_that_was_suspended_and_resumed_in_time_keeps_its_turn)
{
    boot_askers();
    tcb_suspend(asker[0], KOZO_ERR_CANCELLED);
    tcb_resume(asker[0]);
    host_leave();
    finish_what_is_under_way();
    CHECK(pending_step());
    CHECK_EQ(host_kind(VICTIM), KOZO_KIND_NULL);
    host_leave();
}

TEST(a_thread_that_meets_a_fault_instead_loses_its_turn)
{
    boot_askers();
    host_fault(asker[0], KOZO_FAULT_PAGE, 0, KOZO_EXECUTE);
    CHECK_EQ(asker[0]->state, TCB_FAULTED);
    expect_lost_turn();
}

/* It was sent elsewhere; the number of a call is in its register still. */
TEST(a_thread_that_is_elsewhere_loses_its_turn)
{
    boot_askers();
    asker[0]->frame.ip += 16;
    expect_lost_turn();
}

/* Or at the very same place, about to make another call. */
TEST(a_thread_that_is_about_to_make_another_call_loses_its_turn)
{
    boot_askers();
    asker[0]->frame.number = KOZO_SYS_CAP_MOVE;
    expect_lost_turn();
}

/* Or in another call, which makes the step. */
TEST(a_thread_that_makes_another_call_loses_its_turn)
{
    boot_askers();
    finish_what_is_under_way();
    asker[0]->asks.ip += FRAME_CALL_BYTES; /* as if that was the next instruction but one */
    CHECK_OK(call(asker[0], CAP_COPY, 0, COPY, 0, SLOT_EP, KOZO_SAME_RIGHTS));
    CHECK_EQ(host_kind(VICTIM), KOZO_KIND_ENDPOINT);
    CHECK_PTR(kernel.pending.asker, asker[1]);
}

/* The turn of a thread that deletes the thread whose call makes the step. */
TEST(a_thread_can_be_ended_by_the_turn_that_its_own_call_begins)
{
    boot_askers();
    uint64_t slot = host_thread_slot(asker[3]);
    CHECK_OK(call(host.init, CAP_MOVE, 0, COPY, 0, slot));
    preempted_once(asker[2], KOZO_SYS_CAP_DELETE, 0, COPY);
    CHECK_EQ(call(asker[3], CAP_DELETE, 0, VICTIM + 3), HOST_ENDED);
    CHECK_EQ(asker[3]->state, TCB_FREE);
    CHECK_EQ(host_kind(VICTIM + 3), KOZO_KIND_ENDPOINT);
    CHECK_EQ(host_kind(VICTIM + 1), KOZO_KIND_NULL);
}

/* Nobody is ready: whoever waits is stopped, and its turn is passed over. */
TEST(idle_time_passes_over_who_is_stopped)
{
    boot_askers();
    for (uint32_t i = 0; i < ASKERS; i++)
        tcb_suspend(asker[i], KOZO_ERR_CANCELLED);
    tcb_suspend(destroyer, KOZO_ERR_CANCELLED);
    host_leave();
    CHECK_EQ(call(host.init, WAIT, SLOT_NTFN, 0), HOST_BLOCKED);
    CHECK(host_is_idle());
    CHECK(!pending_any());
    CHECK_EQ(host_kind(VICTIM), KOZO_KIND_ENDPOINT);
}
