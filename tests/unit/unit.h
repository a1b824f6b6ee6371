/* SPDX-License-Identifier: MIT */
/*
 * unit.h - named tests and the checks in them.
 *
 * TEST(name) { ... } in a file test_MODULE.c becomes the case MODULE.name. A check that fails ends
 * its test, says file, line and both values, and the next test runs. A panic of the kernel that no
 * test expects does the same.
 *
 * Owns:      the list of tests; how their results are told (TAP).
 * Not here:  worlds to test in (host.h).
 */
#pragma once

#include <stdint.h>

struct unit_test {
    const char *file;
    const char *name;
    int line;
    void (*run)(void);
    struct unit_test *next;
    unsigned place; /* in the list */
};
void unit_add(struct unit_test *t);

#define TEST(test_name)                                                                            \
    static void test_##test_name(void);                                                            \
    __attribute__((constructor)) static void add_##test_name(void)                                 \
    {                                                                                              \
        static struct unit_test test_ = { .file = __FILE__,                                        \
                                          .name = #test_name,                                      \
                                          .line = __LINE__,                                        \
                                          .run = test_##test_name };                               \
        unit_add(&test_);                                                                          \
    }                                                                                              \
    static void test_##test_name(void)

/* End the test as failed. */
[[noreturn]] __attribute__((format(printf, 3, 4))) void unit_fail(const char *file, int line,
                                                                  const char *format, ...);
/* A long test makes progress: give it as much time again. */
void unit_alive(void);
/* End the test as skipped. */
[[noreturn]] void unit_skip(const char *why);

void unit_check_eq(const char *file, int line, const char *text, uint64_t got, uint64_t want);
void unit_check_ptr(const char *file, int line, const char *text, const void *got,
                    const void *want);
void unit_check_str(const char *file, int line, const char *text, const char *got,
                    const char *want);
void unit_check_err(const char *file, int line, const char *text, uint64_t got, uint64_t want);

#define FAIL(...) unit_fail(__FILE__, __LINE__, __VA_ARGS__)
#define CHECK(cond)                                            \
    do {                                                       \
        if (!(cond))                                           \
            unit_fail(__FILE__, __LINE__, "not true: %s", #cond); \
    } while (0)
#define CHECK_EQ(got, want)                                                                        \
    unit_check_eq(__FILE__, __LINE__, #got, (uint64_t)(got), (uint64_t)(want))
#define CHECK_PTR(got, want) unit_check_ptr(__FILE__, __LINE__, #got, (got), (want))
#define CHECK_STR(got, want) unit_check_str(__FILE__, __LINE__, #got, (got), (want))
/* A system call's end, by the name of the error: CHECK_ERR(call(...), RIGHTS). */
#define CHECK_ERR(got, NAME)                                                                       \
    unit_check_err(__FILE__, __LINE__, #got, (uint64_t)(got), KOZO_ERR_##NAME)
#define CHECK_OK(got) unit_check_err(__FILE__, __LINE__, #got, (uint64_t)(got), KOZO_OK)

/* The statement panics, with `text` in what the kernel prints. */
#define CHECK_PANIC(text, ...)                                   \
    do {                                                         \
        jmp_buf end_;                                            \
        jmp_buf *outer_ = unit_catch(&end_);                     \
        if (setjmp(end_) == 0) {                                 \
            __VA_ARGS__;                                         \
            unit_catch(outer_);                                  \
            unit_fail(__FILE__, __LINE__, "did not panic: %s", #__VA_ARGS__); \
        }                                                        \
        unit_catch(outer_);                                      \
        unit_check_panic(__FILE__, __LINE__, text);              \
    } while (0)
/* The statement ends its test as failed, with `text` in the message; the test goes on. */
#define CHECK_FAILS(text, ...)                                                        \
    do {                                                                              \
        jmp_buf end_;                                                                 \
        jmp_buf *outer_ = unit_catch_failure(&end_);                                  \
        if (setjmp(end_) == 0) {                                                      \
            __VA_ARGS__;                                                              \
            unit_catch_failure(outer_);                                               \
            unit_fail(__FILE__, __LINE__, "did not fail: %s", #__VA_ARGS__);          \
        }                                                                             \
        unit_catch_failure(outer_);                                                   \
        unit_check_failure(__FILE__, __LINE__, text);                                 \
    } while (0)
#include <setjmp.h>
jmp_buf *unit_catch_failure(jmp_buf *end);
void unit_check_failure(const char *file, int line, const char *text);
jmp_buf *unit_catch(jmp_buf *end);
void unit_check_panic(const char *file, int line, const char *text);
