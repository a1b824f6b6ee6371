/* SPDX-License-Identifier: MIT */
/*
 * fault.h - threads that are meant to fault, and what their handler is told.
 *
 * Owns:      nothing.
 * Callers:   test programs. The first thread is the handler.
 */
#pragma once

#include "peer.h"

/* What came of a thread that ran `run(arg)`: an end is the fault EXIT. */
struct seen {
    struct kozo_worker w;
    struct kozo_endpoint ep; /* its fault handler's; the first thread owes it an answer */
    struct kozo_msg m;
};

static inline uint64_t fault_of(const struct seen *s)
{
    return s->m.word[0];
}

static inline uint64_t address_of(const struct seen *s)
{
    return s->m.word[1];
}

static inline uint64_t ip_of(const struct seen *s)
{
    return s->m.word[2];
}

static inline uint64_t code_of(const struct seen *s)
{
    return s->m.word[5];
}

static inline uint64_t access_of(const struct seen *s)
{
    return s->m.word[6];
}

static inline uint64_t reg_of(const struct seen *s, unsigned r)
{
    return s->m.word[KOZO_MSG_REGS + r];
}

/* Waits for the next fault of a thread of `s`. */
static inline bool next_fault(struct seen *s)
{
    kozo_msg_init(&s->m);
    kozo_msg_deadline(&s->m, kozo_now() + 2 * KOZO_S);
    return KOZO_CHECK_OK(kozo_recv(s->ep, &s->m)) &&
           KOZO_CHECK_EQ(s->m.what & KOZO_MSG_FAULT, KOZO_MSG_FAULT);
}

/* Lets it go on as it is. */
static inline void resume(struct seen *s)
{
    kozo_msg_init(&s->m);
    KOZO_CHECK_OK(kozo_reply(&s->m));
}

/*
 * Lets it go on at `ip`, with its stack and flags, and its first `count` registers as `regs` says.
 */
static inline void load(struct seen *s, uint64_t ip, uint64_t flags, const uint64_t *regs,
                        unsigned count)
{
    uint64_t sp = s->m.word[3];

    kozo_msg_init(&s->m);
    s->m.label = KOZO_FAULT_LOAD;
    s->m.word[2] = ip;
    s->m.word[3] = sp;
    s->m.word[4] = flags;
    for (unsigned i = 0; i < count; i++)
        s->m.word[KOZO_MSG_REGS + i] = regs[i];
    s->m.nwords = (uint8_t)(KOZO_MSG_REGS + count);
    KOZO_CHECK_OK(kozo_reply(&s->m));
}

/* Has it stop where it is. */
static inline void stop_it(struct seen *s)
{
    kozo_msg_init(&s->m);
    s->m.label = KOZO_FAULT_LOAD + 1;
    KOZO_CHECK_OK(kozo_reply(&s->m));
}

static inline struct seen watch_with(const struct kozo_worker_options *o, void (*run)(void *),
                                     void *arg)
{
    struct kozo_worker_options mine = *o;
    struct seen s = { .ep = kozo_test_endpoint() };

    mine.fault = s.ep;
    s.w = kozo_test_thread_with(&mine, run, arg);
    (void)next_fault(&s);
    return s;
}

/* The same in a second space, made by kozo_test_space_clone. */
static inline struct seen watch_in(struct kozo_space space, void (*run)(void *), void *arg)
{
    struct seen s = { .ep = kozo_test_endpoint() };

    s.w = kozo_test_thread_in(
        space, &(struct kozo_worker_options){ .priority = LATER, .fault = s.ep }, run, arg);
    (void)next_fault(&s);
    return s;
}

static inline struct seen watch(void (*run)(void *), void *arg)
{
    return watch_with(&(struct kozo_worker_options){ .priority = LATER }, run, arg);
}

/* Runs it to its first fault, ends it, and tells that fault. */
static inline uint64_t outcome(void (*run)(void *), void *arg)
{
    struct seen s = watch(run, arg);
    uint64_t fault = fault_of(&s);

    kozo_worker_end(&s.w);
    kozo_slot_drop(s.ep.c);
    return fault;
}

/* ---- what such threads do ---- */

static inline void read_there(void *at)
{
    (void)*(volatile uint64_t *)at;
}

static inline void write_there(void *at)
{
    *(volatile uint64_t *)at = 0x5a5a5a5a5a5a5a5a;
}

static inline void run_there(void *at)
{
    ((void (*)(void))at)();
}
