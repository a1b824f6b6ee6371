/* SPDX-License-Identifier: MIT */
/*
 * log.h - the kernel's log, assertions and the end.
 *
 * Owns:      the format of the kernel's lines and of a panic; how many lines programs may cause.
 * Not here:  the console itself (arch_console_putc); whose a thread is (cap/pool.h).
 * Callers:   everybody.
 * Cost:      O(bytes); on the serial port as slow as that is.
 * Spec:      docs/spec/infrastructure.md
 */
#pragma once

#include "base/types.h"

#define LOG_BYTES 16384u
#define LOG_GATES 16u /* services with a share of their own in one second; the others share one */

/* What one service has made the kernel say in `log.second`. */
struct log_gate {
    uint32_t service, told, left_out;
    char name[9];    /* of the thread whose line was left out last, and */
    uint64_t serial; /* its serial */
};

/*
 * What was logged last. Once a driver has the console, it is only here; a panic takes the console
 * back.
 */
struct log {
    uint64_t written; /* characters ever; the last LOG_BYTES are there */
    uint32_t drivers; /* IoPort capabilities to just the console's ports */
    uint32_t panics; /* one while the kernel fails; more when it fails at that */
    uint64_t second;
    uint32_t left_out; /* in all gates */
    uint32_t gates;    /* in use since `second` began */
    struct log_gate gate[LOG_GATES];
    char text[LOG_BYTES];
};

/*
 * Copy at most `most` characters from position `*at` on; skips what was overwritten. Returns how
 * many.
 */
NODISCARD uint64_t log_read(uint64_t *at, char *to, uint64_t most);

/*
 * One line, without its newline. Formats: %s %c %u %d %x (64-bit with l), %p, %%, width and
 * 0-padding.
 */
__attribute__((format(printf, 1, 2))) void klog(const char *format, ...);
/* Text of a user, as it is. */
void klog_bytes(const char *text, uint64_t bytes);
/*
 * A line that a program can cause, about thread `serial`, `name`, of `service`: true for the first
 * ten of that service in a second. The rest are counted.
 */
NODISCARD bool klog_may_tell(uint32_t service, uint64_t serial, const char *name);
/* When the second is over for which lines were counted: klog_tell_left_out is due. */
NODISCARD uint64_t klog_due(void);
/* One line for each service with the count of what was left out of it. A new second begins. */
void klog_tell_left_out(void);
/* A piece of a line, for tables. */
__attribute__((format(printf, 1, 2))) void klog_part(const char *format, ...);

/* The kernel cannot go on. */
[[noreturn]] __attribute__((format(printf, 3, 4))) void panic_at(const char *file, int line,
                                                                 const char *format, ...);
#define panic(...) panic_at(__FILE__, __LINE__, __VA_ARGS__)

/* O(1) preconditions; they stay in release builds. */
#define kassert(cond)                        \
    do {                                     \
        if (!(cond)) [[clang::unlikely]]     \
            panic("assertion: %s", #cond);   \
    } while (0)

/* Names from the ABI's tables. */
const char *name_of_error(uint64_t err);
const char *name_of_kind(uint64_t kind);
const char *name_of_fault(uint64_t fault);
const char *name_of_call(uint64_t number);
