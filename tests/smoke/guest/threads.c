/* SPDX-License-Identifier: MIT */
/*
 * Threads from creation to end: what they are made from and bound to, how they start, stop, go on,
 * and what is known of them.
 */
#include "fault.h"

/* A stopped thread with nothing bound. */
static struct kozo_thread unbound(uint32_t priority)
{
    struct kozo_thread t = { kozo_test_slot() };

    KOZO_CHECK_OK(kozo_thread_create(kozo_test_pool(), kozo_own(t.c), 0, priority));
    return t;
}

static void nothing([[maybe_unused]] void *arg)
{
}

static void spin(void *arg)
{
    volatile uint64_t *n = arg;

    for (;;)
        ++*n;
}

static void set(void *arg)
{
    *(volatile bool *)arg = true;
}

KOZO_TEST(thread_runs_when_started_and_ends)
{
    bool ran = false;
    struct kozo_worker w = doing_later(URGENT);

    KOZO_CHECK_EQ(state_of(&w), KOZO_THREAD_STOPPED);
    KOZO_CHECK(!ran);
    KOZO_CHECK_OK(kozo_worker_run(&w, set, &ran));
    KOZO_CHECK(ran);
    KOZO_CHECK_EQ(state_of(&w), KOZO_THREAD_FAULTED);
    KOZO_CHECK_EQ(kozo_buffer()->word[KOZO_THREAD_WORD_FAULT], KOZO_FAULT_EXIT);
    KOZO_CHECK_EQ(kozo_buffer()->word[KOZO_THREAD_WORD_ADDRESS], 0);
    /* Ended is ended: only afresh. */
    KOZO_CHECK_ERR(kozo_thread_resume(w.thread), KOZO_ERR_STATE);
    ran = false;
    KOZO_CHECK_OK(kozo_worker_run(&w, set, &ran));
    KOZO_CHECK(ran);
}

static void exit_with(void *arg)
{
    kozo_thread_exit((uint64_t)arg);
}

KOZO_TEST(exit_code_is_kept)
{
    struct kozo_worker w = kozo_test_thread(exit_with, (void *)0xdeadbeefcafe, URGENT);

    KOZO_CHECK_EQ(state_of(&w), KOZO_THREAD_FAULTED);
    KOZO_CHECK_EQ(kozo_buffer()->word[KOZO_THREAD_WORD_ADDRESS], 0xdeadbeefcafe);
}

KOZO_TEST(create_tells_its_errors_in_order)
{
    struct kozo_pool pool = kozo_test_pool(), none = { kozo_test_slot() };
    struct kozo_place slot = kozo_own(kozo_test_slot()), taken = kozo_own(pool.c);

    KOZO_CHECK_ERR(kozo_thread_create(none, taken, 99, 256), KOZO_ERR_EMPTY);
    KOZO_CHECK_ERR(kozo_thread_create((struct kozo_pool){ KOZO_INIT_DEBUG }, taken, 99, 256),
                   KOZO_ERR_KIND);
    KOZO_CHECK_ERR(kozo_thread_create(pool, taken, 99, 256), KOZO_ERR_OCCUPIED);
    KOZO_CHECK_ERR(kozo_thread_create(pool, slot, 4, 0), KOZO_ERR_ARGUMENT);
    KOZO_CHECK_ERR(kozo_thread_create(pool, slot, 1ull << 32, 0), KOZO_ERR_ARGUMENT);
    KOZO_CHECK_ERR(kozo_thread_create(pool, slot, 0, KOZO_PRIORITIES), KOZO_ERR_ARGUMENT);
    KOZO_CHECK_OK(
        kozo_thread_create(pool, slot, KOZO_THREAD_FPU | KOZO_THREAD_FOREIGN, KOZO_PRIORITY_IDLE));
    KOZO_CHECK_EQ(KOZO_VERIFY_RIGHTS(verify(slot.slot)), KOZO_READ | KOZO_WRITE);
}

KOZO_TEST(pool_makes_as_many_threads_as_it_says)
{
    struct kozo_pool few = { kozo_test_slot() };
    struct kozo_place slot[3];

    KOZO_REQUIRE_OK(kozo_pool_split(kozo_test_pool(), kozo_own(few.c), 2));
    for (unsigned i = 0; i < 3; i++)
        slot[i] = kozo_own(kozo_test_slot());
    KOZO_CHECK_EQ(kozo_pool_info(few).value, 2);
    KOZO_CHECK_OK(kozo_thread_create(few, slot[0], 0, LATER));
    KOZO_CHECK_OK(kozo_thread_create(few, slot[1], 0, LATER));
    KOZO_CHECK_EQ(kozo_pool_info(few).value, 0);
    KOZO_CHECK_ERR(kozo_thread_create(few, slot[2], 0, LATER), KOZO_ERR_QUOTA);
    KOZO_CHECK_ERR(kozo_pool_split(few, slot[2], 1), KOZO_ERR_QUOTA);
    KOZO_CHECK_OK(kozo_cap_delete(slot[0]));
    KOZO_CHECK_OK(kozo_thread_create(few, slot[2], 0, LATER));
}

KOZO_TEST(pool_can_be_split_whole_and_given_back)
{
    struct kozo_pool all = kozo_test_pool(), part = { kozo_test_slot() },
                     piece = { kozo_test_slot() };
    struct kozo_thread t = { kozo_test_slot() };
    uint64_t n = kozo_pool_info(all).value, free = kozo_test_stat(KOZO_STAT_THREADS_FREE);

    KOZO_CHECK_ERR(kozo_pool_split(all, kozo_own(part.c), 0), KOZO_ERR_ARGUMENT);
    KOZO_CHECK_ERR(kozo_pool_split(all, kozo_own(part.c), n + 1), KOZO_ERR_QUOTA);
    KOZO_CHECK_ERR(kozo_pool_split(all, kozo_own(part.c), UINT64_MAX), KOZO_ERR_QUOTA);
    KOZO_CHECK_ERR(kozo_pool_split(all, kozo_own(all.c), 1), KOZO_ERR_OCCUPIED);
    KOZO_CHECK_OK(kozo_pool_split(all, kozo_own(part.c), n));
    KOZO_CHECK_EQ(kozo_pool_info(all).value, 0);
    KOZO_CHECK_OK(kozo_pool_split(part, kozo_own(piece.c), 5));
    KOZO_CHECK_OK(kozo_thread_create(piece, kozo_own(t.c), 0, LATER));
    KOZO_CHECK_EQ(kozo_test_stat(KOZO_STAT_THREADS_FREE), free - 1);
    /* With the pool go the pools and threads made from it. */
    KOZO_CHECK_OK(kozo_cap_delete(kozo_own(part.c)));
    KOZO_CHECK_EQ(kind_at(piece.c), KOZO_KIND_NULL);
    KOZO_CHECK_EQ(kind_at(t.c), KOZO_KIND_NULL);
    KOZO_CHECK_EQ(kozo_pool_info(all).value, n);
    KOZO_CHECK_EQ(kozo_test_stat(KOZO_STAT_THREADS_FREE), free);
}

KOZO_TEST(all_threads_of_the_boot_can_be_made)
{
    struct kozo_cnode c = kozo_test_cnode(13);
    uint64_t n = kozo_pool_info(kozo_test_pool()).value;

    KOZO_CHECK_EQ(n, kozo_boot_info()->threads - 1);
    for (uint64_t i = 1; i <= n; i++)
        KOZO_REQUIRE_OK(kozo_thread_create(kozo_test_pool(), kozo_in(c, i), 0, LATER));
    KOZO_CHECK_EQ(kozo_test_stat(KOZO_STAT_THREADS_FREE), 0);
    KOZO_CHECK_ERR(kozo_thread_create(kozo_test_pool(), kozo_in(c, n + 1), 0, LATER),
                   KOZO_ERR_QUOTA);
    KOZO_CHECK_OK(kozo_cap_delete(kozo_own(c.c)));
    KOZO_CHECK_EQ(kozo_test_stat(KOZO_STAT_THREADS_FREE), n);
}

KOZO_TEST(thousand_threads_come_and_go)
{
    uint64_t caps = kozo_test_stat(KOZO_STAT_CAPS);

    (void)kozo_test_pool();
    caps = kozo_test_stat(KOZO_STAT_CAPS);
    for (unsigned i = 0; i < 1000; i++) {
        struct kozo_thread t = unbound(LATER);

        KOZO_CHECK_OK(kozo_thread_bind(t, kozo_own_cnode(), kozo_own_space(),
                                       (struct kozo_frame){ 0 }, 0, (struct kozo_endpoint){ 0 }));
        kozo_slot_drop(t.c);
    }
    KOZO_CHECK_EQ(kozo_test_stat(KOZO_STAT_CAPS), caps);
}

KOZO_TEST(bind_tells_its_errors_in_order)
{
    struct kozo_thread t = unbound(LATER), reads = { kozo_test_copy(t.c, KOZO_READ) };
    struct kozo_cnode cnode = kozo_own_cnode(), no_cnode = { KOZO_INIT_DEBUG };
    struct kozo_space space = kozo_own_space(), no_space = { kozo_test_copy(space.c, KOZO_MAP) };
    struct kozo_frame frame = kozo_test_frame(),
                      no_frame = { kozo_test_copy(frame.c, KOZO_READ | KOZO_MAP) };
    struct kozo_endpoint ep = kozo_test_endpoint(), no_ep = { kozo_test_copy(ep.c, KOZO_READ) };
    uint64_t n = 0;
    struct kozo_worker runs = kozo_test_thread(spin, &n, LATER);

    KOZO_CHECK_ERR(kozo_thread_bind(reads, no_cnode, no_space, no_frame, 1, no_ep),
                   KOZO_ERR_RIGHTS);
    KOZO_CHECK_ERR(kozo_thread_bind(t, no_cnode, no_space, no_frame, 1, no_ep), KOZO_ERR_KIND);
    KOZO_CHECK_ERR(kozo_thread_bind(t, cnode, no_space, no_frame, 1, no_ep), KOZO_ERR_RIGHTS);
    KOZO_CHECK_ERR(kozo_thread_bind(t, cnode, space, no_frame, 1, ep), KOZO_ERR_RIGHTS);
    KOZO_CHECK_ERR(kozo_thread_bind(t, cnode, space, frame, 1, no_ep), KOZO_ERR_RIGHTS);
    KOZO_CHECK_ERR(kozo_thread_bind(t, cnode, space, frame, 256, ep), KOZO_ERR_ALIGN);
    KOZO_CHECK_ERR(kozo_thread_bind(t, cnode, space, frame, KOZO_PAGE_SIZE + 1, ep),
                   KOZO_ERR_ALIGN);
    KOZO_CHECK_ERR(kozo_thread_bind(t, cnode, space, frame, KOZO_PAGE_SIZE, ep), KOZO_ERR_ARGUMENT);
    KOZO_CHECK_ERR(kozo_thread_bind(t, cnode, space, frame, UINT64_MAX & ~511ull, ep),
                   KOZO_ERR_ARGUMENT);
    KOZO_CHECK_ERR(kozo_thread_bind(runs.thread, cnode, space, frame, 0, ep), KOZO_ERR_STATE);
    KOZO_CHECK_OK(kozo_thread_bind(t, cnode, space, frame, KOZO_PAGE_SIZE - 512, ep));
    KOZO_CHECK_OK(kozo_thread_suspend(runs.thread));
}

KOZO_TEST(start_tells_its_errors_in_order)
{
    struct kozo_thread t = unbound(LATER), reads = { kozo_test_copy(t.c, KOZO_READ) };
    uint64_t n = 0;
    struct kozo_worker runs = kozo_test_thread(spin, &n, LATER);
    uint64_t ip = (uint64_t)nothing;

    KOZO_CHECK_ERR(kozo_thread_start(reads, KOZO_USER_END, 0, 0, 0), KOZO_ERR_RIGHTS);
    KOZO_CHECK_ERR(kozo_thread_start(runs.thread, KOZO_USER_END, 0, 0, 0), KOZO_ERR_ARGUMENT);
    KOZO_CHECK_ERR(kozo_thread_start(runs.thread, UINT64_MAX, 0, 0, 0), KOZO_ERR_ARGUMENT);
    KOZO_CHECK_ERR(kozo_thread_start(runs.thread, 0xffffffff80000000, 0, 0, 0), KOZO_ERR_ARGUMENT);
    KOZO_CHECK_ERR(kozo_thread_start(runs.thread, ip, 0xffff800000000000, 0, 0), KOZO_ERR_ARGUMENT);
    KOZO_CHECK_ERR(kozo_thread_start(runs.thread, ip, 0x4000, 0, 0), KOZO_ERR_STATE);
    KOZO_CHECK_ERR(kozo_thread_start(t, ip, 0x4000, 0, 0),
                   KOZO_ERR_STATE); /* it has no address space */
    KOZO_CHECK_ERR(kozo_thread_resume(reads), KOZO_ERR_RIGHTS);
    KOZO_CHECK_ERR(kozo_thread_resume(runs.thread), KOZO_ERR_STATE);
    KOZO_CHECK_ERR(kozo_thread_resume(t), KOZO_ERR_STATE);
    KOZO_CHECK_ERR(kozo_thread_resume(doing_later(LATER).thread),
                   KOZO_ERR_STATE); /* never started */
    KOZO_CHECK_ERR(kozo_thread_suspend(reads), KOZO_ERR_RIGHTS);
    KOZO_CHECK_OK(kozo_thread_suspend(t));
    KOZO_CHECK_OK(kozo_thread_suspend(runs.thread));
}

/* Before its first instruction a thread has a space, and its capability space is optional. */
KOZO_TEST(thread_needs_an_address_space_and_no_more)
{
    alignas(16) static char stack[512];
    struct kozo_thread t = unbound(URGENT);
    bool ran = false;
    uint64_t top = (uint64_t)stack + sizeof(stack) - 8;

    KOZO_REQUIRE_OK(kozo_thread_bind(t, (struct kozo_cnode){ 0 }, kozo_own_space(),
                                     (struct kozo_frame){ 0 }, 0, (struct kozo_endpoint){ 0 }));
    *(uint64_t *)top = (uint64_t)exit_with; /* where it returns to */
    KOZO_CHECK_OK(kozo_thread_start(t, (uint64_t)set, top, (uint64_t)&ran, 0));
    KOZO_CHECK(ran);
    KOZO_CHECK_EQ(kozo_thread_info(t).state, KOZO_THREAD_FAULTED);
}

KOZO_TEST(suspended_thread_stands_still_and_goes_on)
{
    uint64_t n = 0, then;
    struct kozo_worker w = kozo_test_thread(spin, &n, LATER);

    AWAIT(n > 0);
    KOZO_CHECK_EQ(state_of(&w), KOZO_THREAD_READY);
    KOZO_CHECK_OK(kozo_thread_suspend(w.thread));
    KOZO_CHECK_EQ(state_of(&w), KOZO_THREAD_STOPPED);
    then = n;
    KOZO_CHECK_OK(kozo_sleep(2 * KOZO_MS));
    KOZO_CHECK_EQ(n, then);
    KOZO_CHECK_OK(kozo_thread_suspend(w.thread)); /* once is enough, twice does no harm */
    KOZO_CHECK_OK(kozo_thread_resume(w.thread));
    AWAIT(n > then);
    KOZO_CHECK_OK(kozo_thread_suspend(w.thread));
}

/* In every state in which a call waits. */
KOZO_TEST(suspended_call_is_cancelled)
{
    static const uint64_t calls[] = { KOZO_SYS_CALL, KOZO_SYS_SEND, KOZO_SYS_RECV,
                                      KOZO_SYS_REPLY_RECV };
    struct kozo_endpoint ep = kozo_test_endpoint();

    for (unsigned i = 0; i < 4; i++) {
        struct doing d = { .nr = calls[i],
                           .x = { .cap = ep.c, .info = calls[i] == KOZO_SYS_RECV ? 0 : label(1) } };
        struct kozo_worker w = doing(&d, URGENT);
        struct kozo_words x = { .cap = ep.c };

        KOZO_CHECK_OK(kozo_thread_suspend(w.thread));
        KOZO_CHECK_EQ(state_of(&w), KOZO_THREAD_STOPPED);
        KOZO_CHECK_ERR(kozo_ipc_until(i < 2 ? KOZO_SYS_RECV : KOZO_SYS_SEND, &x, 0),
                       KOZO_ERR_TIMEOUT); /* nobody there */
        KOZO_CHECK_OK(kozo_thread_resume(w.thread));
        KOZO_CHECK(d.done);
        KOZO_CHECK_ERR(d.err, KOZO_ERR_CANCELLED);
        check_no_words(&d.x);
    }
}

static void suspend_itself(void *arg)
{
    struct kozo_worker *self = arg;

    self->part = kozo_thread_suspend(self->thread) == KOZO_OK ? 1 : 2;
}

KOZO_TEST(thread_may_suspend_itself)
{
    struct kozo_worker w = doing_later(URGENT), self = { .thread = w.thread };

    KOZO_CHECK_OK(kozo_worker_run(&w, suspend_itself, &self));
    KOZO_CHECK_EQ(self.part, 0);
    KOZO_CHECK_EQ(state_of(&w), KOZO_THREAD_STOPPED);
    KOZO_CHECK_OK(kozo_thread_resume(w.thread));
    KOZO_CHECK_EQ(self.part, 1);
}

static void delete_itself(void *arg)
{
    struct kozo_worker *self = arg;

    (void)kozo_cap_delete(kozo_own(self->thread.c));
    self->part = 2;
}

KOZO_TEST(thread_may_delete_itself)
{
    struct kozo_worker w = doing_later(URGENT), self = { .thread = w.thread };
    uint64_t free = kozo_test_stat(KOZO_STAT_THREADS_FREE);

    KOZO_CHECK_OK(kozo_worker_run(&w, delete_itself, &self));
    KOZO_CHECK_EQ(self.part, 0);
    KOZO_CHECK_EQ(kind_at(w.thread.c), KOZO_KIND_NULL);
    KOZO_CHECK_EQ(kozo_test_stat(KOZO_STAT_THREADS_FREE), free + 1);
}

KOZO_TEST(deleted_while_it_runs_a_thread_is_gone)
{
    uint64_t n = 0, then;
    struct kozo_worker w = kozo_test_thread(spin, &n, LATER);

    AWAIT(n > 0);
    KOZO_CHECK_OK(kozo_cap_delete(kozo_own(w.thread.c)));
    then = n;
    KOZO_CHECK_OK(kozo_sleep(2 * KOZO_MS));
    KOZO_CHECK_EQ(n, then);
}

/* ---- what is told of a thread ---- */

KOZO_TEST(info_tells_registers_and_identity)
{
    uint64_t n = 0;
    struct kozo_worker w = kozo_test_thread(spin, &n, LATER), v = doing_later(LATER - 1);
    struct kozo_thread_info a, b;
    const uint64_t *word = kozo_buffer()->word;

    AWAIT(n > 0);
    a = kozo_thread_info(w.thread);
    KOZO_CHECK_OK(a.err);
    KOZO_CHECK(word[KOZO_THREAD_WORD_IP] - (uint64_t)spin < 64);
    KOZO_CHECK(word[KOZO_THREAD_WORD_SP] > w.part && word[KOZO_THREAD_WORD_SP] <= w.stack_end);
    KOZO_CHECK_EQ(word[KOZO_THREAD_WORD_FAULT], KOZO_FAULT_NONE);
    KOZO_CHECK_EQ(word[KOZO_THREAD_WORD_PRIORITY], LATER);
    b = kozo_thread_info(v.thread);
    KOZO_CHECK_EQ(word[KOZO_THREAD_WORD_PRIORITY], LATER - 1);
    KOZO_CHECK(a.serial != b.serial && a.serial != 0 && b.serial != 0);
    KOZO_CHECK_OK(kozo_thread_suspend(w.thread));
    KOZO_CHECK_ERR(
        kozo_thread_info((struct kozo_thread){ kozo_test_copy(w.thread.c, KOZO_WRITE) }).err,
        KOZO_ERR_RIGHTS);
}

KOZO_TEST(serial_is_never_given_again)
{
    uint64_t last = 0;

    for (unsigned i = 0; i < 10; i++) {
        struct kozo_worker w = doing_later(LATER);
        uint64_t serial = kozo_thread_info(w.thread).serial;

        KOZO_CHECK(serial > last);
        last = serial;
        kozo_worker_end(&w);
    }
}

KOZO_TEST(processor_time_is_counted)
{
    uint64_t n = 0, start = kozo_now(), used;
    struct kozo_worker w = kozo_test_thread(spin, &n, LATER);

    AWAIT(kozo_thread_info(w.thread).time >= 10 * KOZO_MS);
    KOZO_CHECK_OK(kozo_thread_suspend(w.thread));
    used = kozo_thread_info(w.thread).time;
    KOZO_CHECK(used <= kozo_now() - start);
    KOZO_CHECK_OK(kozo_sleep(5 * KOZO_MS));
    KOZO_CHECK_EQ(kozo_thread_info(w.thread).time, used); /* it stands still */
}

/* The name of a thread, as THREAD_INFO tells it. */
static uint64_t name_of(struct kozo_thread t)
{
    (void)kozo_thread_info(t);
    return kozo_buffer()->word[KOZO_THREAD_WORD_NAME];
}

KOZO_TEST(a_thread_has_its_makers_name_or_one_that_it_was_given)
{
    struct kozo_thread own = unbound(LATER), other = { kozo_test_slot() };
    uint64_t mine = name_of((struct kozo_thread){ KOZO_INIT_THREAD });

    KOZO_CHECK(memcmp(&mine, "threads", 8) == 0); /* the program's file */
    KOZO_CHECK_EQ(name_of(own), mine);
    KOZO_CHECK_OK(
        kozo_thread_create_named(kozo_test_pool(), kozo_own(other.c), 0, LATER, "another one"));
    mine = name_of(other);
    KOZO_CHECK(memcmp(&mine, "another ", 8) == 0);
}
