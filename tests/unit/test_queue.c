/* SPDX-License-Identifier: MIT */
/*
 * test_queue.c - the queue of an object alone: a list of rings against a plain sorted list.
 */
#include "host.h"
#include "sched/queue.h"
#include <string.h>

#define THREADS 40u

static struct tcb thread[THREADS];
static uint64_t arrival[THREADS]; /* 0 = not in the queue */
static struct queue queue;

static void clear(void)
{
    host_machine_reset(HOST_RAM_BYTES);
    memset(thread, 0, sizeof thread);
    memset(arrival, 0, sizeof arrival);
    queue = (struct queue){};
    host.seed = 9;
}

static bool is_before(uint32_t a, uint32_t b)
{
    if (thread[a].priority != thread[b].priority)
        return thread[a].priority < thread[b].priority;
    return arrival[a] < arrival[b];
}

/* The thread that should come first after `at`; THREADS when there is none. */
static uint32_t model_after(uint32_t at)
{
    uint32_t best = THREADS;

    for (uint32_t i = 0; i < THREADS; i++)
        if (arrival[i] != 0 && i != at && (at == THREADS || is_before(at, i)) &&
            (best == THREADS || is_before(i, best)))
            best = i;
    return best;
}

static void compare(void)
{
    uint32_t want = model_after(THREADS);

    CHECK_EQ(queue_is_empty(&queue), want == THREADS);
    for (struct tcb *t = queue.head; t != nullptr; t = queue_after(&queue, t)) {
        CHECK(want != THREADS);
        CHECK_PTR(t, &thread[want]);
        want = model_after(want);
    }
    CHECK_EQ(want, THREADS);
}

static uint64_t now;

static void insert(uint32_t i, uint8_t priority)
{
    thread[i].priority = priority;
    queue_insert(&queue, &thread[i]);
    arrival[i] = ++now;
}

static void take_out(uint32_t i)
{
    queue_remove(&queue, &thread[i]);
    arrival[i] = 0;
    CHECK_PTR(thread[i].next, nullptr);
    CHECK_PTR(thread[i].prev, nullptr);
    CHECK_PTR(thread[i].level_next, nullptr);
    CHECK_PTR(thread[i].level_prev, nullptr);
}

TEST(an_empty_queue_gives_nobody)
{
    clear();
    CHECK(queue_is_empty(&queue));
    CHECK_PTR(queue_pop(&queue), nullptr);
}

TEST(every_position_of_a_ring_can_be_removed)
{
    for (uint32_t levels = 1; levels <= 3; levels++)
        for (uint32_t gone = 0; gone < 9; gone++) {
            clear();
            for (uint32_t i = 0; i < 9; i++)
                insert(i, (uint8_t)(i % levels * 5));
            compare();
            take_out(gone);
            compare();
            insert(gone, (uint8_t)(gone % levels * 5));
            compare();
        }
}

TEST(random_inserts_removes_and_pops_agree_with_a_sorted_list)
{
    clear();
    for (uint32_t n = 0; n < 20'000; n++) {
        uint32_t i = (uint32_t)host_random(THREADS);
        if (host_random(8) == 0) {
            uint32_t first = model_after(THREADS);
            struct tcb *t = queue_pop(&queue);
            CHECK_PTR(t, first == THREADS ? nullptr : &thread[first]);
            if (t != nullptr)
                arrival[first] = 0;
        } else if (arrival[i] != 0) {
            take_out(i);
        } else {
            insert(i, (uint8_t)host_random(6));
        }
        if (n % 8 == 0)
            compare();
    }
}
