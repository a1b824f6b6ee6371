/* SPDX-License-Identifier: MIT */
/*
 * test_stops.c - the lines about threads that stop: how many, whose, and what is told of the rest.
 */
#include "host.h"

#include <stdio.h>
#include <string.h>

#define SECOND 1'000'000'000u

/* A thread of `pool` without a handler; its capability goes into slot `at` of init's. */
static struct tcb *service_thread(uint64_t pool, uint64_t at, uint64_t name)
{
    CHECK_OK(call(host.init, THREAD_CREATE, pool, 0, at, 0, HOST_PRIORITY));
    CHECK_OK(call(host.init, THREAD_BIND, at, SLOT_CNODE, SLOT_SPACE, 0, 0, 0));
    CHECK_OK(call(host.init, THREAD_START, at, HOST_ENTRY, 0, 0, 0));
    struct tcb *thread = (struct tcb *)host_slot(at)->cap.object;
    thread->name = name;
    return thread;
}

/* The same with a pool of its own, split off `from` into `at`; the thread goes into slot at + 1. */
static struct tcb *service(uint64_t from, uint64_t at, uint64_t threads, uint64_t name)
{
    CHECK_OK(call(host.init, POOL_SPLIT, from, 0, at, threads));
    return service_thread(at, at + 1, name);
}

static uint32_t lines_with(const char *text)
{
    uint32_t n = 0;

    for (const char *at = machine.log; (at = strstr(at, text)) != nullptr; at++)
        n++;
    return n;
}

static void stop_again_and_again(struct tcb *who, uint32_t times)
{
    for (uint32_t i = 0; i < times; i++) {
        host_fault(who, KOZO_FAULT_PAGE, 0, KOZO_READ);
        CHECK_EQ(who->state, TCB_FAULTED);
        tcb_resume(who);
    }
}

/* At the beginning of a second, with nothing in the log. */
static void boot_quiet(void)
{
    host_boot();
    machine.now = 7ull * SECOND;
    host_log_forget();
}

TEST(ten_lines_a_second_and_the_count_is_told_though_nobody_faults_again)
{
    boot_quiet();
    struct tcb *storm = service(SLOT_POOL, SLOT_FREE, 8, 0x6d726f7473); /* storm */
    stop_again_and_again(storm, 10);
    CHECK_EQ(lines_with("(storm) stopped"), 10);
    stop_again_and_again(storm, 3);
    CHECK_EQ(lines_with("(storm) stopped"), 10);
    CHECK(machine.armed <= 8ull * SECOND);
    host_advance(SECOND - 1);
    CHECK(!host_log_has("left out"));
    host_advance(1);
    char told[80];
    snprintf(told, sizeof told, "\n3 more such lines left out, the last of thread %lu (storm)\n",
             storm->serial);
    CHECK_EQ(lines_with(told), 1);
    host_log_forget();
    host_advance(3ull * SECOND);
    CHECK_STR(machine.log, ""); /* once */
}

TEST(the_count_is_told_before_the_first_line_of_a_later_second)
{
    boot_quiet();
    struct tcb *storm = service(SLOT_POOL, SLOT_FREE, 8, 0);
    stop_again_and_again(storm, 11);
    machine.now += SECOND; /* the timer's interrupt is late */
    host_log_forget();
    stop_again_and_again(storm, 1);
    CHECK(strncmp(machine.log, "1 more such lines left out", 26) == 0);
    CHECK_EQ(lines_with("(unnamed) stopped"), 1);
}

TEST(a_storm_hides_no_other_services_line)
{
    boot_quiet();
    struct tcb *storm = service(SLOT_POOL, SLOT_FREE, 8, 0x6d726f7473);
    struct tcb *fsd = service(SLOT_POOL, SLOT_FREE + 2, 8, 0x647366);
    stop_again_and_again(storm, 100);
    stop_again_and_again(fsd, 1);
    CHECK_EQ(lines_with("(storm) stopped"), 10);
    CHECK_EQ(lines_with("(fsd) stopped"), 1);
    stop_again_and_again(fsd, 11);
    host_advance(SECOND);
    CHECK(host_log_has("90 more such lines left out, the last of"));
    CHECK(host_log_has("2 more such lines left out, the last of"));
}

TEST(pools_and_threads_of_its_own_give_a_service_no_more_lines)
{
    boot_quiet();
    struct tcb *storm = service(SLOT_POOL, SLOT_FREE, 8, 0x6d726f7473);
    stop_again_and_again(storm, 10);
    struct tcb *more = service_thread(SLOT_FREE, SLOT_FREE + 2, 0x6d726f7473);
    struct tcb *below = service(SLOT_FREE, SLOT_FREE + 3, 4, 0x6d726f7473);
    struct tcb *deeper = service(SLOT_FREE + 3, SLOT_FREE + 5, 2, 0x6d726f7473);
    stop_again_and_again(more, 1);
    stop_again_and_again(below, 1);
    stop_again_and_again(deeper, 1);
    CHECK_EQ(lines_with("(storm) stopped"), 10);
    CHECK_EQ(kernel.log.left_out, 3);
}

TEST(more_services_than_gates_share_the_last)
{
    boot_quiet();
    for (uint32_t i = 0; i < LOG_GATES + 5; i++)
        stop_again_and_again(service(SLOT_POOL, SLOT_FREE + 2 * i, 1, 'a' + i), 4);
    CHECK_EQ(lines_with(" stopped: "), (LOG_GATES - 1) * 4 + 10);
    CHECK_EQ(kernel.log.left_out, 6 * 4 - 10);
    host_advance(SECOND);
    CHECK_EQ(lines_with("14 more such lines left out"), 1);
    stop_again_and_again((struct tcb *)host_slot(SLOT_FREE + 1)->cap.object, 1);
    CHECK_EQ(kernel.log.gates, 1);
}
