/* SPDX-License-Identifier: MIT */
/*
 * One program takes all it can get: queues, deadlines, bits, threads, slots, depth, interrupts,
 * processor time. Another is served all the same, and afterwards everything is there again.
 */
#include "attack.h"

constexpr unsigned MANY = 1000;

/* Threads without stack or buffer, which make one call: as many as the quota has. */
__asm__(
    ".pushsection .text.one_call,\"ax\",@progbits\none_call:\n movq %rdi, %rax\n movq %rsi, %rdi\n"
    "xorl %esi, %esi\n 1: syscall\n ud2\n.popsection\n"
    ".pushsection .text.one_sleep,\"ax\",@progbits\none_sleep:\n movl $6, %eax\n movq %rdi, %rbx\n "
    "xorl %edi, %edi\n"
    "movl $0x800, %esi\n syscall\n ud2\n.popsection\n");
__asm__(".pushsection .text.spin_on,\"ax\",@progbits\nspin_on: jmp spin_on\n.popsection\n");
extern const char one_call[], one_sleep[], spin_on[];
static_assert(KOZO_SYS_WAIT == 6 && KOZO_INFO_DEADLINE == 0x800);

struct crowd {
    struct kozo_pool pool;
    struct kozo_cnode c;
    unsigned size;
};

static struct crowd crowd_of(unsigned size, const char *ip, uint64_t a, uint64_t b,
                             unsigned priority)
{
    struct crowd d = { .pool = { kozo_test_slot() }, .c = kozo_test_cnode(12), .size = size };
    struct kozo_thread t = { kozo_test_slot() };

    KOZO_CHECK_OK(kozo_pool_split(kozo_test_pool(), kozo_own(d.pool.c), size));
    for (unsigned i = 0; i < size; i++) {
        if (!KOZO_CHECK_OK(kozo_thread_create(d.pool, kozo_own(t.c), 0, priority)) ||
            !KOZO_CHECK_OK(kozo_thread_bind(t, kozo_own_cnode(), kozo_own_space(),
                                            (struct kozo_frame){ 0 }, 0,
                                            (struct kozo_endpoint){ 0 })) ||
            !KOZO_CHECK_OK(kozo_thread_start(t, (uint64_t)ip, 0, a, b)) ||
            !KOZO_CHECK_OK(kozo_cap_move(kozo_in(d.c, i + 1), kozo_own(t.c))))
            break;
    }
    return d;
}

/* All of it goes at once, and the quota is whole again. */
static void disperse(struct crowd *d)
{
    KOZO_CHECK_OK(kozo_cap_revoke(kozo_own(d->pool.c)));
    KOZO_CHECK_EQ(kozo_pool_info(d->pool).value, d->size);
}

/* A thousand senders in one queue; the endpoint is destroyed, or they are. */
KOZO_TEST(flooded_endpoint_queue_and_its_destruction)
{
    struct witness v = witness();
    struct kozo_endpoint ep = kozo_test_endpoint();
    struct crowd d = crowd_of(MANY, one_call, KOZO_SYS_SEND, ep.c, URGENT);

    unharmed(&v);
    KOZO_CHECK_OK(kozo_cap_delete(kozo_own(ep.c)));
    KOZO_CHECK(kozo_test_settle());
    unharmed(&v);
    disperse(&d);
    unharmed(&v);
}

KOZO_TEST(flooded_endpoint_queue_and_the_senders_end)
{
    struct witness v = witness();
    struct kozo_endpoint ep = kozo_test_endpoint();
    struct crowd d = crowd_of(MANY, one_call, KOZO_SYS_CALL, ep.c, URGENT);
    struct kozo_words x = { .cap = ep.c };

    disperse(&d);
    KOZO_CHECK_ERR(kozo_ipc_until(KOZO_SYS_RECV, &x, 0),
                   KOZO_ERR_TIMEOUT); /* nobody is left in it */
    unharmed(&v);
}

/* Everybody floods the witness's own queue: it serves one after the other, and us. */
KOZO_TEST(flooded_server_still_serves)
{
    struct witness v = witness();
    struct crowd d = crowd_of(MANY, one_call, KOZO_SYS_CALL, v.ep.c, LATER);

    for (unsigned i = 0; i < 100; i++)
        unharmed(&v);
    KOZO_CHECK_OK(kozo_sleep(5 * KOZO_MS));
    disperse(&d);
    unharmed(&v);
}

KOZO_TEST(notification_with_a_thousand_waiters_is_destroyed)
{
    struct witness v = witness();
    struct kozo_notification n = kozo_test_notification();
    struct crowd d = crowd_of(MANY, one_call, KOZO_SYS_WAIT, n.c, URGENT);

    unharmed(&v);
    KOZO_CHECK_OK(kozo_cap_delete(kozo_own(n.c)));
    KOZO_CHECK(kozo_test_settle());
    unharmed(&v);
    disperse(&d);
}

KOZO_TEST(thousand_deadlines_that_never_come)
{
    struct witness v = witness();
    struct crowd d = crowd_of(MANY, one_sleep, UINT64_MAX, 0, URGENT);
    uint64_t before = kozo_now();

    KOZO_CHECK_OK(kozo_sleep(5 * KOZO_MS));
    KOZO_CHECK(kozo_now() - before < KOZO_S);
    unharmed(&v);
    disperse(&d);
}

KOZO_TEST(thousand_deadlines_at_one_moment)
{
    struct witness v = witness();
    uint64_t when = kozo_now() + 50 * KOZO_MS;
    struct crowd d = crowd_of(MANY, one_sleep, when, 0, LATER);

    while (kozo_now() < when + 5 * KOZO_MS) {
        KOZO_CHECK_OK(kozo_sleep(KOZO_MS));
        unharmed(&v);
    }
    disperse(&d);
}

KOZO_TEST(all_threads_spin)
{
    struct witness v = witness();
    struct crowd d = crowd_of(MANY, spin_on, 0, 0, LATER);

    for (unsigned i = 0; i < 20; i++) {
        KOZO_CHECK_OK(kozo_sleep(KOZO_MS));
        unharmed(&v);
    }
    disperse(&d);
}

/* A flood of signals to one that waits for other bits of the same word. */
static void flood_signals(void *arg)
{
    struct kozo_notification n = { (uint64_t)arg };

    for (;;)
        (void)kozo_signal(n, UINT64_MAX);
}

KOZO_TEST(flood_of_signals)
{
    struct witness v = witness();
    struct kozo_notification n = kozo_test_notification();
    kozo_cptr badged = kozo_test_slot();

    KOZO_REQUIRE_OK(kozo_cap_mint(kozo_own(badged), kozo_own(n.c), KOZO_WRITE, 0x40).err);
    (void)kozo_test_thread(flood_signals, (void *)badged, LATER);
    for (unsigned i = 0; i < 50; i++) {
        struct kozo_res r = kozo_wait(n);

        KOZO_CHECK_EQ(r.value, 0x40); /* its own bit, never others' */
        unharmed(&v);
    }
}

/* ---- threads ---- */

KOZO_TEST(quota_is_not_stolen)
{
    struct witness v = witness();
    struct kozo_pool small = { kozo_test_slot() }, part = { kozo_test_slot() };
    kozo_cptr to = kozo_test_slot();

    KOZO_REQUIRE_OK(kozo_pool_split(kozo_test_pool(), kozo_own(small.c), 3));
    KOZO_CHECK_ERR(kozo_pool_split(small, kozo_own(part.c), 4), KOZO_ERR_QUOTA);
    KOZO_CHECK_ERR(kozo_pool_split(small, kozo_own(part.c), UINT64_MAX), KOZO_ERR_QUOTA);
    KOZO_CHECK_ERR(kozo_pool_split(small, kozo_own(part.c), 1ull << 32 | 1), KOZO_ERR_QUOTA);
    KOZO_CHECK_OK(kozo_pool_split(small, kozo_own(part.c), 2));
    KOZO_CHECK_OK(kozo_cap_delete(kozo_own(part.c)));
    KOZO_CHECK_EQ(kozo_pool_info(small).value, 3); /* back to whom it came from, no more */
    for (unsigned i = 0; i < 3; i++) {
        kozo_cptr t = kozo_test_slot();

        KOZO_CHECK_OK(kozo_thread_create(small, kozo_own(t), 0, 200));
    }
    KOZO_CHECK_ERR(kozo_thread_create(small, kozo_own(to), 0, 200), KOZO_ERR_QUOTA);
    unharmed(&v);
}

/* Split back and forth ten thousand times: nobody else runs out. */
KOZO_TEST(pools_split_without_end)
{
    struct witness v = witness();
    struct kozo_pool own = { kozo_test_slot() };
    kozo_cptr part = kozo_test_slot();

    KOZO_REQUIRE_OK(kozo_pool_split(kozo_test_pool(), kozo_own(own.c), 2));
    for (unsigned i = 0; i < 10'000; i++) {
        if (kozo_pool_split(own, kozo_own(part), 1) == KOZO_OK)
            KOZO_CHECK_OK(kozo_cap_delete(kozo_own(part)));
    }
    KOZO_CHECK_EQ(kozo_pool_info(own).value, 2);
    KOZO_CHECK_OK(kozo_pool_split(kozo_test_pool(), kozo_own(part), 1));
    unharmed(&v);
}

/* ---- depth and number ---- */

KOZO_TEST(chain_of_ten_thousand_cnodes)
{
    struct witness v = witness();
    struct kozo_cnode last = kozo_test_cnode(1), next = { kozo_test_slot() };
    uint64_t before = kozo_test_stat(KOZO_STAT_CAPS);

    for (unsigned i = 0; i < 10'000; i++) {
        KOZO_REQUIRE_OK(kozo_retype(kozo_test_memory(), KOZO_KIND_CNODE, 1, kozo_own(next.c), 1));
        KOZO_REQUIRE_OK(kozo_cap_move(kozo_in(next, 1), kozo_own(last.c)));
        KOZO_REQUIRE_OK(kozo_cap_move(kozo_own(last.c), kozo_own(next.c)));
    }
    unharmed(&v);
    KOZO_CHECK_OK(kozo_cap_delete(kozo_own(last.c)));
    KOZO_CHECK_EQ(kozo_test_stat(KOZO_STAT_CAPS), before - 1);
    unharmed(&v);
}

KOZO_TEST(derivations_ten_thousand_deep)
{
    struct witness v = witness();
    struct kozo_endpoint ep = kozo_test_endpoint();
    struct kozo_cnode c = kozo_test_cnode(14);
    uint64_t before = kozo_test_stat(KOZO_STAT_CAPS);

    KOZO_REQUIRE_OK(kozo_cap_copy(kozo_in(c, 1), kozo_own(ep.c), KOZO_SAME_RIGHTS));
    for (unsigned i = 1; i < 10'000; i++)
        KOZO_REQUIRE_OK(kozo_cap_copy(kozo_in(c, i + 1), kozo_in(c, i), KOZO_SAME_RIGHTS));
    unharmed(&v);
    KOZO_CHECK_OK(kozo_cap_revoke(kozo_own(ep.c)));
    KOZO_CHECK_EQ(kozo_test_stat(KOZO_STAT_CAPS), before);
    unharmed(&v);
}

KOZO_TEST(million_derivations_and_deletions)
{
    struct witness v = witness();
    struct kozo_endpoint ep = kozo_test_endpoint();
    kozo_cptr to = kozo_test_slot();
    uint64_t before = kozo_test_stat(KOZO_STAT_CAPS), bad = 0;

    for (unsigned i = 0; i < 1'000'000; i++)
        bad += kozo_cap_copy(kozo_own(to), kozo_own(ep.c), KOZO_SAME_RIGHTS) != KOZO_OK ||
               kozo_cap_delete(kozo_own(to)) != KOZO_OK;
    KOZO_CHECK_EQ(bad, 0);
    KOZO_CHECK_EQ(kozo_test_stat(KOZO_STAT_CAPS), before);
    unharmed(&v);
}

/*
 * A thread destroys without end, and whenever it has just begun again it is our turn, for much less
 * time than that takes. What we take back is gone when what was begun before is.
 */
constexpr unsigned REVOKES = 8, TURNS = 100, DOOMED_BITS = 17;

static struct kozo_place taken_back;
static volatile unsigned begun, ended, before_it; /* the last: that ended while that was there */
static volatile bool they_may_end, no_turns_left;

static bool is_there(struct kozo_place at)
{
    return KOZO_VERIFY_KIND(kozo_cap_verify(at, (struct kozo_place){}).what) != KOZO_KIND_NULL;
}

static void destroy_without_end(void *arg)
{
    struct kozo_untyped memory = { (uint64_t)arg };
    struct kozo_place doomed = kozo_own(kozo_test_slot());

    while (!they_may_end) {
        KOZO_CHECK_OK(kozo_retype(memory, KOZO_KIND_CNODE, DOOMED_BITS, doomed, 1));
        begun++;
        KOZO_CHECK_OK(kozo_cap_delete(doomed));
        ended++;
        if (is_there(taken_back))
            before_it++;
    }
}

/* More urgent than both: says whose turn it is. */
static void deal_out_turns(void *arg)
{
    struct kozo_thread destroyer = { (uint64_t)arg };

    for (unsigned i = 0; i < TURNS && !they_may_end; i++) {
        unsigned before = begun;

        KOZO_CHECK_OK(kozo_thread_priority(destroyer, FIRST - 1, FIRST - 1));
        while (begun == before && !they_may_end)
            (void)kozo_sleep(KOZO_MS / 20);
        KOZO_CHECK_OK(kozo_thread_priority(destroyer, LATER, LATER));
        (void)kozo_sleep(KOZO_MS / 20);
    }
    no_turns_left = true;
}

KOZO_TEST(revoke_against_a_thread_that_destroys_without_end)
{
    struct witness v = witness();
    struct kozo_endpoint given = kozo_test_endpoint();
    struct kozo_worker destroyer, dealer;
    unsigned most = 0, late = 0;

    taken_back = kozo_own(kozo_test_slot());
    begun = ended = 0;
    they_may_end = no_turns_left = false;
    destroyer = kozo_test_thread(destroy_without_end,
                                 (void *)kozo_test_untyped(DOOMED_BITS + 6).c, LATER);
    dealer = kozo_test_thread(deal_out_turns, (void *)destroyer.thread.c, URGENT);
    for (unsigned i = 0; i < REVOKES; i++) {
        KOZO_CHECK_OK(kozo_cap_copy(taken_back, kozo_own(given.c), KOZO_SAME_RIGHTS));
        for (unsigned from = begun; begun == from && !no_turns_left;) {
        }
        before_it = 0;
        KOZO_CHECK_OK(kozo_cap_revoke(kozo_own(given.c)));
        KOZO_CHECK(!is_there(taken_back));
        most = before_it > most ? before_it : most;
        late += before_it > 1; /* our turn may have ended between the last look and the call */
    }
    KOZO_CHECK(!no_turns_left);
    they_may_end = true;
    kozo_printf("%u destructions; %u at most before a revoke\n", ended, most);
    KOZO_CHECK(ended >= REVOKES && late <= 1 && most <= 2);
    AWAIT(kozo_thread_info(destroyer.thread).state != KOZO_THREAD_READY);
    AWAIT(kozo_thread_info(dealer.thread).state == KOZO_THREAD_FAULTED);
    unharmed(&v);
}

/* Each handles the faults of the next, and faults itself when it does: 200 deep. */
static struct kozo_endpoint link[201];

static void handle_and_fault(void *arg)
{
    struct kozo_words x;

    (void)kozo_recv_words(link[(uint64_t)arg], &x);
    __asm__ volatile("ud2");
}

KOZO_TEST(chain_of_two_hundred_fault_handlers)
{
    struct witness v = witness();
    struct kozo_worker w[200], first;

    for (unsigned i = 0; i <= 200; i++)
        link[i] = kozo_test_endpoint();
    for (unsigned i = 0; i < 200; i++)
        w[i] = kozo_test_thread_with(
            &(struct kozo_worker_options){
                .priority = URGENT, .fault = i < 199 ? link[i + 1] : (struct kozo_endpoint){ 0 } },
            handle_and_fault, (void *)(uint64_t)i);
    first =
        kozo_test_thread_with(&(struct kozo_worker_options){ .priority = URGENT, .fault = link[0] },
                              handle_and_fault, (void *)200);
    KOZO_CHECK_EQ(state_of(&first), KOZO_THREAD_RECEIVING);
    unharmed(&v);
    KOZO_CHECK_OK(
        kozo_ipc(KOZO_SYS_SEND, &(struct kozo_words){ .cap = link[200].c })); /* it begins */
    AWAIT(state_of(&w[199]) == KOZO_THREAD_FAULTED);
    for (unsigned i = 0; i < 200; i++)
        KOZO_CHECK(state_of(&w[i]) != KOZO_THREAD_READY);
    unharmed(&v);
    kozo_worker_end(&w[199]); /* and comes apart from its end */
    kozo_worker_end(&w[100]);
    unharmed(&v);
}

/* A thread whose faults go to itself: nobody will ever answer, and only it waits. */
KOZO_TEST(thread_that_is_its_own_fault_handler)
{
    struct witness v = witness();
    struct kozo_worker w;

    link[0] = kozo_test_endpoint();
    w = kozo_test_thread_with(&(struct kozo_worker_options){ .priority = LATER, .fault = link[0] },
                              handle_and_fault, nullptr);
    KOZO_CHECK_OK(kozo_ipc(KOZO_SYS_SEND, &(struct kozo_words){ .cap = link[0].c }));
    AWAIT(state_of(&w) == KOZO_THREAD_SENDING);
    unharmed(&v);
    KOZO_CHECK_OK(kozo_thread_suspend(w.thread));
    KOZO_CHECK_EQ(state_of(&w), KOZO_THREAD_FAULTED);
    unharmed(&v);
}

KOZO_TEST(two_threads_that_handle_each_others_faults)
{
    struct witness v = witness();
    struct kozo_worker a, b;

    link[0] = kozo_test_endpoint();
    link[1] = kozo_test_endpoint();
    a = kozo_test_thread_with(&(struct kozo_worker_options){ .priority = URGENT, .fault = link[1] },
                              handle_and_fault, (void *)0);
    b = kozo_test_thread_with(&(struct kozo_worker_options){ .priority = URGENT, .fault = link[0] },
                              handle_and_fault, (void *)1);
    KOZO_CHECK_OK(kozo_ipc(KOZO_SYS_SEND, &(struct kozo_words){ .cap = link[0].c }));
    AWAIT(state_of(&a) == KOZO_THREAD_CALLING && state_of(&b) == KOZO_THREAD_SENDING);
    unharmed(&v);
    kozo_worker_end(&b);
    AWAIT(state_of(&a) == KOZO_THREAD_FAULTED);
    unharmed(&v);
}

KOZO_TEST(the_kernels_stacks_have_room)
{
    stacks_have_room();
}
