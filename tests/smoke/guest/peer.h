/* SPDX-License-Identifier: MIT */
/*
 * peer.h - a second thread that makes one system call, for tests that look at both of its sides.
 *
 * Owns:      nothing.
 * Not here:  threads that do more (kozo_test_thread).
 * Callers:   test programs. The first thread has priority FIRST; a thread more urgent runs when it
 *            is started until it blocks, a less urgent one while the first thread waits: so the
 *            order of events is known.
 */
#pragma once

#include <kozo/test.h>

#define FIRST 64u
#define URGENT 32u
#define LATER 96u

/* Lets others run until `cond` holds; a machine that is busy takes longer, and is no failure. */
#define AWAIT(cond)                                                                  \
    do {                                                                             \
        for (uint64_t end_ = kozo_now() + 5 * KOZO_S; !(cond) && kozo_now() < end_;) \
            (void)kozo_sleep(KOZO_MS / 2);                                           \
        KOZO_CHECK(cond);                                                            \
    } while (0)

/* A call with the registers of IPC, and how it ended. */
struct doing {
    uint64_t nr;
    struct kozo_words x;
    bool timed;
    uint64_t deadline;
    enum kozo_err err;
    bool done;
    uint64_t ended; /* when, in nanoseconds since boot */
};

static inline void do_it(void *arg)
{
    struct doing *d = arg;

    d->err = d->timed ? kozo_ipc_until(d->nr, &d->x, d->deadline) : kozo_ipc(d->nr, &d->x);
    d->ended = kozo_now();
    d->done = true;
}

/* A thread that makes the call. */
static inline struct kozo_worker doing(struct doing *d, uint32_t priority)
{
    d->done = false;
    return kozo_test_thread(do_it, d, priority);
}

/* A thread that will: for a look at its buffer first. Then kozo_worker_run(&w, do_it, d). */
static inline struct kozo_worker doing_later(uint32_t priority)
{
    return kozo_test_thread_with(
        &(struct kozo_worker_options){ .priority = priority, .stopped = true }, nullptr, nullptr);
}

/* A thread that makes the call without an IPC buffer; one at a time. */
static inline struct kozo_thread bare_thread(struct doing *d, uint32_t priority)
{
    alignas(16) static char stack[4096];
    struct kozo_thread t = { kozo_test_slot() };

    d->done = false;
    KOZO_CHECK_OK(kozo_thread_create(kozo_test_pool(), kozo_own(t.c), 0, priority));
    KOZO_CHECK_OK(kozo_thread_bind(t, kozo_own_cnode(), kozo_own_space(), (struct kozo_frame){ 0 },
                                   0, (struct kozo_endpoint){ 0 }));
    KOZO_CHECK_OK(
        kozo_thread_start(t, (uint64_t)do_it, (uint64_t)stack + sizeof(stack) - 8, (uint64_t)d, 0));
    return t;
}

static inline struct kozo_ipc_buffer *buffer_of(const struct kozo_worker *w)
{
    return (struct kozo_ipc_buffer *)w->part;
}

static inline enum kozo_thread_state state_of(const struct kozo_worker *w)
{
    struct kozo_thread_info i = kozo_thread_info(w->thread);

    KOZO_CHECK_OK(i.err);
    return i.state;
}

/* Words that tell which is which. */
static inline void fill_words(uint64_t w[KOZO_MSG_REGS], uint64_t salt)
{
    for (unsigned i = 0; i < KOZO_MSG_REGS; i++)
        w[i] = (salt << 32) + 0x1111 * (i + 1);
}

static inline void check_words(const uint64_t w[KOZO_MSG_REGS], uint64_t salt)
{
    for (unsigned i = 0; i < KOZO_MSG_REGS; i++)
        KOZO_CHECK_EQ(w[i], (salt << 32) + 0x1111 * (i + 1));
}

static inline void check_no_words(const struct kozo_words *x)
{
    KOZO_CHECK_EQ(x->cap, 0);
    KOZO_CHECK_EQ(x->info, 0);
    for (unsigned i = 0; i < KOZO_MSG_REGS; i++)
        KOZO_CHECK_EQ(x->w[i], 0);
}

static inline uint64_t label_of(uint64_t info)
{
    return info >> KOZO_INFO_LABEL_SHIFT;
}

static inline uint64_t label(uint64_t label)
{
    return label << KOZO_INFO_LABEL_SHIFT;
}

/* An answer without words. */
static inline enum kozo_err answer(uint64_t info)
{
    struct kozo_words x = { .info = info };

    return kozo_ipc(KOZO_SYS_REPLY, &x);
}

/* The kind of the capability in one of our own slots. */
static inline enum kozo_kind kind_at(kozo_cptr slot)
{
    struct kozo_verified v = kozo_cap_verify(kozo_own(slot), kozo_own(0));

    return v.err == KOZO_OK ? KOZO_VERIFY_KIND(v.what) : KOZO_KIND_COUNT;
}

/* Its `what`. */
static inline uint64_t verify(kozo_cptr slot)
{
    struct kozo_verified v = kozo_cap_verify(kozo_own(slot), kozo_own(0));

    KOZO_CHECK_OK(v.err);
    return v.what;
}
