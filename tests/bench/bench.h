/* SPDX-License-Identifier: MIT */
/*
 * bench.h - counting instructions of system calls, from inside the guest.
 *
 * The machine counts instructions, not time: under `-icount shift=0` RDTSC is the number of
 * instructions executed, exactly. A case of the bench program (KOZO_TEST) prepares live objects,
 * takes a series of samples and reports it; what each call did is checked between samples, outside
 * the counted part.
 *
 * Owns:      the lines `# bench NAME MEDIAN MIN MAX SAMPLES UNIT` on the TAP port.
 * Not here:  booting and the table (scripts/kozo/bench).
 * Spec:      docs/PERFORMANCE.md
 */
#pragma once

#include <kozo/test.h>

constexpr uint32_t SAMPLES = 64; /* in a series, at most */

/* The priority of the first thread, and one that is more urgent. */
constexpr uint32_t EQUAL = 64;
constexpr uint32_t URGENT = 32;

struct series {
    const char *name;
    uint32_t count;
    uint64_t value[SAMPLES];
};

/* The low half of the instruction counter: a counted part has fewer than 2^32. */
static inline uint32_t tick(void)
{
    uint32_t low;

    __asm__ volatile("rdtsc" : "=a"(low) : : "rdx", "memory");
    return low;
}

/* All of it. */
static inline uint64_t tick_long(void)
{
    uint32_t low, high;

    __asm__ volatile("rdtsc" : "=a"(low), "=d"(high) : : "memory");
    return (uint64_t)high << 32 | low;
}

/* What COUNT tells when it counts nothing. */
extern uint32_t tick_cost;

/* Instructions that `operation` takes, this thread's and everybody's whom it waits for. */
#define COUNT(cycles, operation)                \
    do {                                        \
        uint32_t begin_ = tick();               \
        operation;                              \
        (cycles) = tick() - begin_ - tick_cost; \
    } while (0)

/*
 * Adds a sample. With kozo.trace on the command line the machine stops after the third and after
 * the fourth, so that what executes in between can be logged.
 */
void series_add(struct series *s, uint64_t value);

/* Reports the row of the series' name. */
void report(const struct series *s);
/* The same as another row, divided by `per`: for samples of several operations. */
void report_each(const char *name, const struct series *s, uint64_t per);
/* A single figure. */
void report_value(const char *name, uint64_t value);

/*
 * Whether a row was asked for: kozo.bench=NAME,NAME on the command line, without it all but
 * scale_*. Of those the beginning of a name will do.
 */
bool wanted(const char *name);

/* Measurements that are also made of a large system; each reports a row under the name given. */
void measure_round_trips(const char *name, bool cross); /* no words */
void measure_syscall_min(const char *name);
void measure_signal_wake(const char *name);
void measure_yield_pair(const char *name);
void measure_copy_delete(const char *copy_name, const char *delete_name, kozo_cptr from);

/* The case measures these rows; it ends as skipped when none of them is wanted. */
#define ROWS(...)                                                          \
    do {                                                                   \
        static const char *const names_[] = { __VA_ARGS__ };               \
        bool any_ = false;                                                 \
        for (unsigned i_ = 0; i_ < sizeof(names_) / sizeof(*names_); i_++) \
            any_ |= wanted(names_[i_]);                                    \
        if (!any_)                                                         \
            KOZO_SKIP("not asked for");                                    \
    } while (0)
