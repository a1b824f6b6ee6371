/* SPDX-License-Identifier: MIT */
/*
 * attack.h - attackers, and a witness who must not notice them.
 *
 * Owns:      nothing.
 * Not here:  threads that fault (tests/smoke/guest/fault.h), all registers (registers.h).
 * Callers:   test programs. The first thread plays the attacker's maker; every case ends by asking
 * its witness.
 */
#pragma once

#include "fault.h"
#include "registers.h"

/* A server in a thread of its own: it answers with a function of what it was asked. */
struct witness {
    struct kozo_endpoint ep;
    struct kozo_worker w;
    uint64_t asked;
};

static inline void witness_serves(void *arg)
{
    struct kozo_endpoint ep = { (uint64_t)arg };
    struct kozo_words x;
    enum kozo_err err = kozo_recv_words(ep, &x);

    while (err == KOZO_OK) {
        for (unsigned i = 0; i < KOZO_MSG_REGS; i++)
            x.w[i] = ~x.w[i];
        x.info = label(label_of(x.info));
        err = kozo_reply_recv_words(ep, &x);
    }
}

static inline struct witness witness(void)
{
    struct witness v = { .ep = kozo_test_endpoint() };

    v.w = kozo_test_thread(witness_serves, (void *)v.ep.c, URGENT);
    return v;
}

/* It serves as before: message and answer are whole, and its thread is the one that was started. */
static inline void unharmed(struct witness *v)
{
    struct kozo_words x = { .info = label(++v->asked) };

    fill_words(x.w, 0x700 + v->asked);
    KOZO_CHECK_OK(kozo_call_words(v->ep, &x));
    for (unsigned i = 0; i < KOZO_MSG_REGS; i++)
        x.w[i] = ~x.w[i];
    check_words(x.w, 0x700 + v->asked);
    KOZO_CHECK_EQ(x.info, label(v->asked));
    KOZO_CHECK_EQ(state_of(&v->w), KOZO_THREAD_RECEIVING);
}

/*
 * After all that was done: the kernel has never used half of any of its stacks. The last two are
 * for its end.
 */
static inline void stacks_have_room(void)
{
    static const struct {
        const char *name;
        enum kozo_stat stat;
        uint64_t bytes, least;
    } stacks[] = { { "kernel", KOZO_STAT_STACK_KERNEL, 16384, 8192 },
                   { "NMI", KOZO_STAT_STACK_NMI, 4096, 2048 },
                   { "debug", KOZO_STAT_STACK_DEBUG, 4096, 2048 },
                   { "double fault", KOZO_STAT_STACK_DOUBLE, 8192, 8192 },
                   { "machine check", KOZO_STAT_STACK_MACHINE, 8192, 8192 } };

    for (unsigned i = 0; i < sizeof stacks / sizeof stacks[0]; i++) {
        uint64_t free = kozo_test_stat(stacks[i].stat);

        kozo_printf("stack %s: %lu of %lu bytes never used\n", stacks[i].name, free,
                    stacks[i].bytes);
        KOZO_CHECK(free >= stacks[i].least && free <= stacks[i].bytes);
    }
    KOZO_CHECK(kozo_test_stat(KOZO_STAT_STACK_KERNEL) < 16384); /* it is measured */
}

/* void name(void *registers): loads all registers, then the one instruction at name_at. */
#define RAISE(name, insn)                                             \
    WITH_REGISTERS(name, #name "_at:\n " insn "\n" #name "_next:\n"); \
    extern const char name##_at[], name##_next[]

/* How many single steps it made, each of them in its own memory, before another fault. */
static inline unsigned steps_of(struct seen *s)
{
    unsigned steps = 0;

    while (fault_of(s) == KOZO_FAULT_DEBUG && steps < 1000) {
        steps++;
        KOZO_CHECK(ip_of(s) < KOZO_USER_END);
        resume(s);
        if (!next_fault(s))
            break;
    }
    return steps;
}

/* A number that looks random, and is the same for the same seed. */
static inline uint64_t random_of(uint64_t *seed)
{
    uint64_t z = (*seed += 0x9e3779b97f4a7c15);

    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return z ^ z >> 31;
}
