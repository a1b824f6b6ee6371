/* SPDX-License-Identifier: MIT */
/*
 * unit.c - the tests' main: chooses, runs, and tells in TAP.
 *
 * Output: the plan, `# case NAME` for every case to come, a result for each with `# file:line:
 * message` below those that failed, and `# KOZO END` as the last line. Status 0 all well, 1 some
 * failed, 2 wrong use.
 */
#define _DEFAULT_SOURCE
#include "unit.h"

#include "base/log.h"
#include "host.h"
#include "machine.h"
#include <fnmatch.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define MODULE_PREFIX "test_"
#define NAME_BYTES 160
#define PATTERNS 16
#define HANG_SECONDS 20u
#define LOG_LINES 12 /* of the kernel's log, shown below a failure */

enum outcome { PASSED, FAILED, SKIPPED };

static struct unit_test *tests;
static struct {
    const char *pattern[PATTERNS];
    unsigned patterns;
    unsigned part, parts; /* every `parts`th case, from this one on */
    bool list;
    bool times;
} options;
static struct {
    jmp_buf *end;
    enum outcome outcome;
    char message[1024];
} running;

/* ---- the list ---- */

static int test_order(const struct unit_test *a, const struct unit_test *b)
{
    int files = strcmp(a->file, b->file);

    return files != 0 ? files : a->line - b->line;
}

void unit_add(struct unit_test *t)
{
    struct unit_test **at = &tests;

    while (*at != nullptr && test_order(*at, t) < 0)
        at = &(*at)->next;
    t->next = *at;
    *at = t;
}

/* MODULE.name, from .../test_MODULE.c. */
static const char *test_name(const struct unit_test *t)
{
    static char name[NAME_BYTES];
    const char *slash = strrchr(t->file, '/');
    const char *base = slash != nullptr ? slash + 1 : t->file;

    if (strncmp(base, MODULE_PREFIX, strlen(MODULE_PREFIX)) == 0)
        base += strlen(MODULE_PREFIX);
    const char *dot = strrchr(base, '.');
    snprintf(name, sizeof(name), "%.*s.%s", (int)(dot - base), base, t->name);
    return name;
}

static bool is_chosen(const struct unit_test *t)
{
    if (t->place % options.parts != options.part)
        return false;
    if (options.patterns == 0)
        return true;
    for (unsigned i = 0; i < options.patterns; i++)
        if (fnmatch(options.pattern[i], test_name(t), 0) == 0)
            return true;
    return false;
}

/* ---- how a test ends ---- */

static void message_set(const char *file, int line, const char *format, va_list args)
{
    int n = snprintf(running.message, sizeof(running.message), "%s:%d: ", file, line);

    vsnprintf(running.message + n, sizeof(running.message) - (size_t)n, format, args);
    for (char *p = running.message; *p != '\0'; p++)
        if ((unsigned char)*p < ' ')
            *p = ' '; /* TAP goes by lines */
}

void unit_fail(const char *file, int line, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    message_set(file, line, format, args);
    va_end(args);
    running.outcome = FAILED;
    longjmp(*running.end, 1);
}

void unit_skip(const char *why)
{
    snprintf(running.message, sizeof(running.message), "%s", why);
    running.outcome = SKIPPED;
    longjmp(*running.end, 1);
}

void unit_alive(void)
{
    alarm(HANG_SECONDS);
}

static void on_hang(int signal)
{
    (void)signal;
    fprintf(stdout, "Bail out! a test ran longer than %u s\n", HANG_SECONDS);
    fflush(stdout);
    _exit(1);
}

/* ---- checks ---- */

void unit_check_eq(const char *file, int line, const char *text, uint64_t got, uint64_t want)
{
    if (got != want)
        unit_fail(file, line, "%s is %#llx (%llu), expected %#llx (%llu)", text,
                  (unsigned long long)got, (unsigned long long)got, (unsigned long long)want,
                  (unsigned long long)want);
}

void unit_check_ptr(const char *file, int line, const char *text, const void *got, const void *want)
{
    if (got != want)
        unit_fail(file, line, "%s is %p, expected %p", text, got, want);
}

void unit_check_str(const char *file, int line, const char *text, const char *got, const char *want)
{
    if (strcmp(got, want) != 0)
        unit_fail(file, line, "%s is \"%s\", expected \"%s\"", text, got, want);
}

static const char *end_name(uint64_t end)
{
    if (end == HOST_BLOCKED)
        return "(blocked)";
    if (end == HOST_ENDED)
        return "(its thread ended)";
    return name_of_error(end);
}

void unit_check_err(const char *file, int line, const char *text, uint64_t got, uint64_t want)
{
    if (got != want)
        unit_fail(file, line, "%s ended with %s, expected %s", text, end_name(got), end_name(want));
}

jmp_buf *unit_catch(jmp_buf *end)
{
    jmp_buf *outer = machine.end;

    machine.end = end;
    return outer;
}

void unit_check_panic(const char *file, int line, const char *text)
{
    host.broken = true;
    if (machine.end_code != HOST_END_PANIC)
        unit_fail(file, line, "stopped with code %#x, expected a panic", machine.end_code);
    if (strstr(machine.log, text) == nullptr)
        unit_fail(file, line, "panicked, but not with \"%s\"", text);
}

jmp_buf *unit_catch_failure(jmp_buf *end)
{
    jmp_buf *outer = running.end;

    running.end = end;
    return outer;
}

void unit_check_failure(const char *file, int line, const char *text)
{
    static char message[sizeof running.message];

    host.broken = true;
    snprintf(message, sizeof message, "%s", running.message);
    running.outcome = PASSED;
    running.message[0] = '\0';
    if (strstr(message, text) == nullptr)
        unit_fail(file, line, "failed, but not with \"%s\": %s", text, message);
}

/* ---- running ---- */

static void panicked(void)
{
    running.outcome = FAILED;
    snprintf(running.message, sizeof(running.message), "the kernel stopped with code %#x",
             machine.end_code);
}

static void run(const struct unit_test *t)
{
    jmp_buf stopped, failed;

    running.end = &failed;
    running.outcome = PASSED;
    running.message[0] = '\0';
    machine.end = &stopped;
    alarm(HANG_SECONDS);
    if (setjmp(failed) == 0) {
        if (setjmp(stopped) == 0) {
            t->run();
            host_end();
        } else {
            panicked();
        }
    }
    alarm(0);
    host_forget();
}

/* The end of the kernel's log, as diagnostics. */
static void print_log(void)
{
    const char *from = machine.log + machine.log_used;

    for (int lines = 0; from > machine.log && lines <= LOG_LINES; from--)
        lines += from[-1] == '\n';
    for (const char *p = from; *p != '\0';) {
        size_t n = strcspn(p, "\n");
        printf("#   log: %.*s\n", (int)n, p);
        p += n + (p[n] == '\n');
    }
}

static void print_result(const struct unit_test *t, unsigned number)
{
    if (running.outcome == SKIPPED) {
        printf("ok %u - %s # SKIP %s\n", number, test_name(t), running.message);
        return;
    }
    printf("%s %u - %s\n", running.outcome == PASSED ? "ok" : "not ok", number, test_name(t));
    if (running.outcome == PASSED)
        return;
    printf("# %s\n# in test at %s:%d\n", running.message, t->file, t->line);
    print_log();
}

static double seconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static void announce(void)
{
    unsigned count = 0;

    for (const struct unit_test *t = tests; t != nullptr; t = t->next)
        count += is_chosen(t);
    printf("1..%u\n", count);
    for (const struct unit_test *t = tests; t != nullptr; t = t->next)
        if (is_chosen(t))
            printf("# case %s\n", test_name(t));
}

static int run_all(void)
{
    unsigned number = 0;
    bool failed = false;

    announce();
    for (const struct unit_test *t = tests; t != nullptr; t = t->next) {
        if (!is_chosen(t))
            continue;
        double start = seconds();
        run(t);
        print_result(t, ++number);
        if (options.times)
            printf("# %.1f ms\n", 1000 * (seconds() - start));
        fflush(stdout);
        failed = failed || running.outcome == FAILED;
    }
    puts("# KOZO END");
    return failed ? 1 : 0;
}

/* ---- the command line ---- */

static void list(void)
{
    for (const struct unit_test *t = tests; t != nullptr; t = t->next)
        if (is_chosen(t))
            puts(test_name(t));
}

static const char usage[] =
    "usage: unit [-k GLOB]... [--part K/N] [--list] [--times]\n"
    "Run the unit tests whose MODULE.NAME matches, and tell how they ended in TAP.\n"
    "With --part every Nth of them, from the Kth on, counted from 0.\n";

static bool parse_part(const char *word)
{
    char end;

    return sscanf(word, "%u/%u%c", &options.part, &options.parts, &end) == 2 &&
           options.part < options.parts;
}

static bool parse(int count, char **word)
{
    for (int i = 1; i < count; i++) {
        if (strcmp(word[i], "--list") == 0)
            options.list = true;
        else if (strcmp(word[i], "--times") == 0)
            options.times = true;
        else if (strcmp(word[i], "-k") == 0 && i + 1 < count && options.patterns < PATTERNS)
            options.pattern[options.patterns++] = word[++i];
        else if (strcmp(word[i], "--part") != 0 || i + 1 == count || !parse_part(word[++i]))
            return false;
    }
    return true;
}

static void number_all(void)
{
    unsigned place = 0;

    for (struct unit_test *t = tests; t != nullptr; t = t->next)
        t->place = place++;
}

int main(int count, char **word)
{
    options.parts = 1;
    number_all();
    if (count == 2 && strcmp(word[1], "--help") == 0) {
        fputs(usage, stdout);
        return 0;
    }
    if (!parse(count, word)) {
        fputs(usage, stderr);
        return 2;
    }
    if (options.list) {
        list();
        return 0;
    }
    signal(SIGALRM, on_hang);
    return run_all();
}
