/* SPDX-License-Identifier: MIT */
#include <kozo/test.h>

#include "internal.h"
#include "test_make.h"

#include <stdarg.h>

constexpr uint16_t PORT_TAP = 0xe9;      /* QEMU's debugcon */
constexpr uint16_t PORT_EXIT = 0xf4;     /* isa-debug-exit */
constexpr uint16_t PORT_POWER = 0x604;   /* ACPI PM1a control of QEMU's pc and q35 */
constexpr uint64_t EXIT_PASSED = 0x10;
constexpr uint64_t EXIT_FAILED = 0x11;
constexpr uint64_t POWER_OFF = 0x2000;

static const struct kozo_io_port ports = { KOZO_INIT_IOPORT };
static const struct kozo_debug debug = { KOZO_INIT_DEBUG };

/* The case that runs. */
static struct {
    bool failed;
    const char *skipped;
    char text[4096]; /* diagnostics: TAP wants them after the result */
    size_t len;
} now;

/* ---- TAP ---- */

static void emit(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++)
        (void)kozo_ioport_out(ports, PORT_TAP, 1, (uint8_t)text[i]);
}

[[gnu::format(printf, 1, 2)]] static void tap(const char *format, ...)
{
    char text[256];
    va_list args;

    va_start(args, format);
    (void)kozo_vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    emit(text, strlen(text));
}

[[noreturn]] static void end_machine(bool passed)
{
    kozo_print_flush();
    (void)kozo_ioport_out(ports, PORT_EXIT, 1, passed ? EXIT_PASSED : EXIT_FAILED);
    (void)kozo_ioport_out(ports, PORT_POWER, 2, POWER_OFF);
    for (;;)
        (void)kozo_sleep(KOZO_S);
}

[[noreturn]] static void bail_out(const char *why)
{
    tap("Bail out! %s\n", why);
    end_machine(false);
}

/* ---- checks ---- */

void kozo_test_fail(const char *file, int line, const char *format, ...)
{
    size_t left = sizeof(now.text) - now.len;
    char *at = now.text + now.len;
    va_list args;
    int n;

    now.failed = true;
    n = kozo_snprintf(at, left, "# %s:%d: ", file, line);
    if ((size_t)n + 256 > left)
        return; /* enough was said */
    va_start(args, format);
    (void)kozo_vsnprintf(at + n, left - (size_t)n - 1, format, args);
    va_end(args);
    /* One line each, whatever the text holds. */
    for (char *c = at; *c != '\0'; c++)
        if (*c == '\n' || *c == '\r')
            *c = ' ';
    now.len += strlen(at);
    now.text[now.len++] = '\n';
    now.text[now.len] = '\0';
}

bool kozo_test_check(const char *file, int line, const char *text, bool ok)
{
    if (!ok)
        kozo_test_fail(file, line, "not true: %s", text);
    return ok;
}

bool kozo_test_check_eq(const char *file, int line, const char *text, uint64_t got, uint64_t want)
{
    if (got != want)
        kozo_test_fail(file, line, "%s is %lu (0x%lx), not %lu (0x%lx)", text, got, got, want,
                       want);
    return got == want;
}

bool kozo_test_check_str(const char *file, int line, const char *text, const char *got,
                         const char *want)
{
    bool ok = strcmp(got, want) == 0;

    if (!ok)
        kozo_test_fail(file, line, "%s is \"%s\", not \"%s\"", text, got, want);
    return ok;
}

bool kozo_test_check_err(const char *file, int line, const char *text, enum kozo_err got,
                         enum kozo_err want)
{
    if (got != want)
        kozo_test_fail(file, line, "%s ends with %s (%u), not %s (%u)", text, kozo_err_name(got),
                       (unsigned)got, kozo_err_name(want), (unsigned)want);
    return got == want;
}

void kozo_test_skip(const char *why)
{
    now.skipped = why;
}

/* ---- resources ---- */

uint64_t kozo_test_stat(enum kozo_stat which)
{
    struct kozo_res r = kozo_debug_stat(debug, which);

    if (r.err != KOZO_OK)
        kozo_test_fail("test.c", 0, "cannot read counter %lu: %s", (uint64_t)which,
                       kozo_err_name(r.err));
    return r.value;
}

bool kozo_test_settle(void)
{
    for (int i = 0; i < 1000; i++) {
        if (kozo_test_stat(KOZO_STAT_PENDING) == 0)
            return true;
        (void)kozo_sleep(KOZO_MS);
    }
    return false;
}

/* What must be the same before and after a case. */
static const struct {
    enum kozo_stat which;
    const char *name;
} counted[] = {
    { KOZO_STAT_THREADS_FREE, "free threads" },
    { KOZO_STAT_CAPS, "capabilities" },
    { KOZO_STAT_PENDING, "objects half destroyed" },
    { KOZO_STAT_BYTES_FREE, "free bytes" },
};
constexpr unsigned COUNTED = sizeof(counted) / sizeof(counted[0]);

static void count(uint64_t values[COUNTED])
{
    for (unsigned i = 0; i < COUNTED; i++)
        values[i] = kozo_test_stat(counted[i].which);
}

static void compare(const char *name, const uint64_t before[COUNTED])
{
    uint64_t after[COUNTED];

    count(after);
    for (unsigned i = 0; i < COUNTED; i++)
        if (after[i] != before[i])
            kozo_test_fail(name, 0, "%s after the case: %lu, before: %lu", counted[i].name,
                           after[i], before[i]);
}

/* ---- events ---- */

static struct {
    uint64_t mask, from; /* the position of the first event that counts */
} events;

/* The position behind the last event. */
static uint64_t events_end(void)
{
    struct kozo_events r = { .count = 1 };

    while (r.count != 0) {
        r = kozo_debug_events(debug, r.next);
        if (r.err != KOZO_OK) {
            kozo_test_fail("test.c", 0, "cannot read events: %s", kozo_err_name(r.err));
            return 0;
        }
    }
    return r.next;
}

void kozo_test_trace(uint64_t mask)
{
    enum kozo_err err = kozo_debug_trace(debug, mask);

    if (err != KOZO_OK)
        kozo_test_fail("test.c", 0, "cannot record events %#lx: %s", mask, kozo_err_name(err));
    events.mask = mask;
    events.from = events_end();
}

uint64_t kozo_test_count(struct kozo_event like)
{
    struct kozo_events r = { .next = events.from, .count = 1 };
    uint64_t count = 0;

    while (r.count != 0) {
        r = kozo_debug_events(debug, r.next);
        if (r.err != KOZO_OK || r.lost != 0) {
            kozo_test_fail("test.c", 0, "%lu events are lost: %s", r.lost, kozo_err_name(r.err));
            break;
        }
        count += kozo_events_count((const struct kozo_event *)kozo_buffer()->word, r.count, &like);
    }
    return count;
}

/* ---- the run ---- */

static bool run_case(const struct kozo_test_case *c, unsigned number)
{
    uint64_t before[COUNTED];

    now.failed = false;
    now.skipped = nullptr;
    now.len = 0;
    now.text[0] = '\0';
    kozo_test_make_begin();
    count(before);
    c->run();
    if (events.mask != 0)
        kozo_test_trace(0);
    kozo_test_make_end();
    if ((c->flags & KOZO_TEST_KEEPS) == 0)
        compare(c->name, before);
    if (now.failed || now.skipped == nullptr)
        tap("%sok %u - %s\n", now.failed ? "not " : "", number, c->name);
    else
        tap("ok %u - %s # SKIP %s\n", number, c->name, now.skipped);
    emit(now.text, now.len);
    kozo_printf("%-4s %s\n%s",
                now.failed               ? "FAIL"
                : now.skipped != nullptr ? "skip"
                                         : "ok",
                c->name, now.text);
    return !now.failed;
}

int main(int argc, char **argv)
{
    const struct kozo_boot_info *b = kozo_boot_info();
    unsigned total = (unsigned)(kozo_tests_end - kozo_tests);
    bool passed = true;

    if (b == nullptr && kozo_test_child != nullptr)
        return kozo_test_child(argc, argv);
    if (b == nullptr)
        kozo_fatal("tests run as the first program: kozo.init=bin/NAME");
    tap("TAP version 14\n1..%u\n", total);
    for (unsigned i = 0; i < total; i++)
        tap("# case %s\n", kozo_tests[i]->name);
    if (!kozo_test_make_init(b))
        bail_out("the boot information names no Untyped");
    for (unsigned i = 0; i < total; i++)
        passed &= run_case(kozo_tests[i], i + 1);
    tap("# KOZO END\n");
    end_machine(passed);
}
