/* SPDX-License-Identifier: MIT */
/*
 * test.h - kozo_test: tests that run inside the guest, as its first program.
 *
 * A file of KOZO_TEST(name) { ... } linked with kozo-sys is a whole program: main, the list of
 * cases and the reporting come with it. Boot it in init's place (kozo.init=bin/NAME). It speaks TAP
 * on I/O port 0xe9 and ends the machine through port 0xf4: 0x10 all passed, 0x11 not. Each case
 * gets memory and threads of its own, taken away again when it ends; then the system must hold as
 * many free threads, capabilities and bytes as before, or the case has failed.
 *
 * Owns:      ports 0xe9, 0xf4, 0x604; the largest Untyped and the quota of threads of the boot.
 * Not here:  tests on the host (tests/unit).
 * Callers:   the first thread; checks also from threads of kozo_test_thread. In a copied space
 *            (kozo_test_space_clone) a check is lost with the copy: send what was seen to the first
 *            thread, and check it there.
 * Spec:      docs/spec/infrastructure.md; TAP version 14
 */
#pragma once

#include <kozo/cpio.h>
#include <kozo/error.h>
#include <kozo/msg.h>
#include <kozo/print.h>
#include <kozo/slots.h>
#include <kozo/spawn.h>
#include <kozo/start.h>
#include <kozo/string.h>
#include <kozo/syscall.h>
#include <kozo/time.h>
#include <kozo/trace.h>
#include <kozo/worker.h>

struct kozo_test_case {
    const char *name;
    void (*run)(void);
    uint32_t flags;
};

/*
 * The case changes the system for good (KOZO_TEST_KEEPS), and says so: resources are not compared
 * after it.
 */
#define KOZO_TEST_KEEPS 1u

#define KOZO_TEST(name) KOZO_TEST_WITH(name, 0)
#define KOZO_TEST_WITH(name, flags)                                                             \
    static void kozo_run_##name(void);                                                          \
    static const struct kozo_test_case kozo_case_##name = { #name, kozo_run_##name, (flags) };  \
    [[gnu::used, gnu::section("kozo_tests")]]                                                   \
    static const struct kozo_test_case *const kozo_list_##name = &kozo_case_##name;             \
    static void kozo_run_##name(void)

/* ---- checks ---- */

/* Each says what it saw, fails the case, and lets it go on. The value is whether it held. */

#define KOZO_CHECK(cond) kozo_test_check(__FILE__, __LINE__, #cond, (cond))
#define KOZO_CHECK_EQ(got, want) \
    kozo_test_check_eq(__FILE__, __LINE__, #got, (uint64_t)(got), (uint64_t)(want))
#define KOZO_CHECK_STR(got, want) kozo_test_check_str(__FILE__, __LINE__, #got, (got), (want))
#define KOZO_CHECK_ERR(expr, want) kozo_test_check_err(__FILE__, __LINE__, #expr, (expr), (want))
#define KOZO_CHECK_OK(expr) KOZO_CHECK_ERR(expr, KOZO_OK)
#define KOZO_FAIL(...) kozo_test_fail(__FILE__, __LINE__, __VA_ARGS__)

/* The same, and on failure the function returns: for what the rest depends on. */
#define KOZO_REQUIRE(cond)      \
    do {                        \
        if (!KOZO_CHECK(cond))  \
            return;             \
    } while (0)
#define KOZO_REQUIRE_OK(expr)      \
    do {                           \
        if (!KOZO_CHECK_OK(expr))  \
            return;                \
    } while (0)

/* Ends the case as skipped. */
#define KOZO_SKIP(why)         \
    do {                       \
        kozo_test_skip(why);   \
        return;                \
    } while (0)

/* What the macros above call: they add the place and the text of what is checked. */
bool kozo_test_check(const char *file, int line, const char *text, bool ok);
bool kozo_test_check_eq(const char *file, int line, const char *text, uint64_t got, uint64_t want);
bool kozo_test_check_str(const char *file, int line, const char *text, const char *got,
                         const char *want);
bool kozo_test_check_err(const char *file, int line, const char *text, enum kozo_err got,
                         enum kozo_err want);
[[gnu::format(printf, 3, 4)]] void kozo_test_fail(const char *file, int line, const char *format,
                                                  ...);
void kozo_test_skip(const char *why);

/* ---- what a case works with; all of it is gone after the case ---- */

/*
 * These never return an error: one that fails has failed the case and returns { 0 }, with which
 * every call fails. Slots come from kozo_slot_alloc; what a case leaves in any slot it allocated is
 * deleted.
 */
kozo_cptr kozo_test_slot(void);
struct kozo_untyped kozo_test_memory(
    void); /* what everything below is carved from: the largest Untyped, all of it free */
struct kozo_pool kozo_test_pool(void);      /* all threads the boot has */
struct kozo_endpoint kozo_test_endpoint(void);
struct kozo_notification kozo_test_notification(void);
struct kozo_frame kozo_test_frame(void); /* 4 KiB */
struct kozo_space kozo_test_space(void); /* empty, and without pages for tables */
struct kozo_cnode kozo_test_cnode(unsigned bits);
struct kozo_untyped kozo_test_untyped(unsigned bits);
kozo_cptr kozo_test_copy(kozo_cptr from, uint64_t rights);
struct kozo_endpoint kozo_test_mint(struct kozo_endpoint from, uint64_t rights, uint64_t badge);

/* A thread in this space that runs run(arg), with stack and IPC buffer of its own. */
struct kozo_worker kozo_test_thread(void (*run)(void *), void *arg, uint32_t priority);

/* The same with all options; pool and memory { 0 } are the case's. */
struct kozo_worker kozo_test_thread_with(const struct kozo_worker_options *o, void (*run)(void *),
                                         void *arg);

/*
 * A second address space with a copy of this program as it is now, at the same addresses, but for
 * the first thread's stack and buffer: threads in it run the same functions and share capabilities,
 * but no memory.
 */
struct kozo_space kozo_test_space_clone(void);

/* As kozo_test_thread_with, in a space made by kozo_test_space_clone. */
struct kozo_worker kozo_test_thread_in(struct kozo_space space, const struct kozo_worker_options *o,
                                       void (*run)(void *), void *arg);

/* ---- processes ---- */

/*
 * What a test program does when it is spawned (kozo_test_spawn) and not booted, in place of running
 * its cases: its author defines it if need be.
 */
[[gnu::weak]] int kozo_test_child(int argc, char **argv);

/*
 * The archive the machine was booted with, mapped for the case, and the ELF image of this program
 * in it.
 */
struct kozo_cpio kozo_test_initrd(void);
struct kozo_bytes kozo_test_image(void);

/*
 * Spawns a process. What is 0 in `s` is filled in: name "child", image this program's own, memory 1
 * MiB, pool one thread, clock, 64 slots, 4 pages of stack, fault badge 1. kozo_test_spawn_fill does
 * just that, for a kozo_spawn that is to fail.
 */
struct kozo_process kozo_test_spawn(const struct kozo_spawn *s);
void kozo_test_spawn_fill(struct kozo_spawn *s);

/* A counter of the kernel. */
uint64_t kozo_test_stat(enum kozo_stat which);

/* Waits until the kernel has nothing left to destroy; false after a second. */
bool kozo_test_settle(void);

/* ---- events ---- */

/* Records these kinds of event (bit i for enum kozo_trace i) from now on, until the case ends. */
void kozo_test_trace(uint64_t mask);

/*
 * Events since then that are like one with these fields, as kozo_event_is has it:
 * count_events(REFUSED, .error = KOZO_ERR_RIGHTS).
 */
#define count_events(WHAT, ...) \
    kozo_test_count((struct kozo_event){ .what = KOZO_TRACE_##WHAT __VA_OPT__(, ) __VA_ARGS__ })
#define has_event(...) (count_events(__VA_ARGS__) != 0)
uint64_t kozo_test_count(struct kozo_event like);
