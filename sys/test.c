/* SPDX-License-Identifier: MIT */
#include <kozo/test.h>

#include "internal.h"
#include "worker.h"

#include <kozo/layout.h>
#include <kozo/memory.h>

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
    struct kozo_pool pool;
} now;

static struct kozo_untyped memory;

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
        kozo_test_fail(file, line, "%s is %lu (0x%lx), not %lu (0x%lx)", text, got, got, want, want);
    return got == want;
}

bool kozo_test_check_str(const char *file, int line, const char *text, const char *got, const char *want)
{
    bool ok = strcmp(got, want) == 0;

    if (!ok)
        kozo_test_fail(file, line, "%s is \"%s\", not \"%s\"", text, got, want);
    return ok;
}

bool kozo_test_check_err(const char *file, int line, const char *text, enum kozo_err got, enum kozo_err want)
{
    if (got != want)
        kozo_test_fail(file, line, "%s ends with %s (%u), not %s (%u)", text, kozo_err_name(got), (unsigned)got,
                       kozo_err_name(want), (unsigned)want);
    return got == want;
}

void kozo_test_skip(const char *why)
{
    now.skipped = why;
}

/* ---- what a case works with ---- */

/* Fails the case for the helper that could not do its work. */
static bool made(const char *what, enum kozo_err err)
{
    if (err != KOZO_OK)
        kozo_test_fail("test.c", 0, "cannot make %s: %s", what, kozo_err_name(err));
    return err == KOZO_OK;
}

kozo_cptr kozo_test_slot(void)
{
    kozo_cptr slot = kozo_slot_alloc();

    (void)made("a slot", slot != 0 ? KOZO_OK : KOZO_ERR_LIMIT);
    return slot;
}

struct kozo_untyped kozo_test_memory(void)
{
    return memory;
}

struct kozo_pool kozo_test_pool(void)
{
    struct kozo_pool all = { KOZO_INIT_POOL };
    struct kozo_res free;

    if (now.pool.c != 0)
        return now.pool;
    free = kozo_pool_info(all);
    now.pool.c = kozo_test_slot();
    if (!made("a pool", free.err) || !made("a pool", kozo_pool_split(all, kozo_own(now.pool.c), free.value)))
        now.pool.c = 0;
    return now.pool;
}

static kozo_cptr make(enum kozo_kind kind, unsigned bits)
{
    kozo_cptr slot = kozo_test_slot();

    if (slot == 0 || !made(kozo_kind_name(kind), kozo_retype(memory, kind, bits, kozo_own(slot), 1)))
        return 0;
    return slot;
}

struct kozo_endpoint kozo_test_endpoint(void)
{
    return (struct kozo_endpoint){ make(KOZO_KIND_ENDPOINT, 0) };
}

struct kozo_notification kozo_test_notification(void)
{
    return (struct kozo_notification){ make(KOZO_KIND_NOTIFICATION, 0) };
}

struct kozo_frame kozo_test_frame(void)
{
    return (struct kozo_frame){ make(KOZO_KIND_FRAME, KOZO_PAGE_BITS) };
}

struct kozo_space kozo_test_space(void)
{
    return (struct kozo_space){ make(KOZO_KIND_ADDRESS_SPACE, 0) };
}

struct kozo_cnode kozo_test_cnode(unsigned bits)
{
    return (struct kozo_cnode){ make(KOZO_KIND_CNODE, bits) };
}

struct kozo_untyped kozo_test_untyped(unsigned bits)
{
    return (struct kozo_untyped){ make(KOZO_KIND_UNTYPED, bits) };
}

kozo_cptr kozo_test_copy(kozo_cptr from, uint64_t rights)
{
    kozo_cptr slot = kozo_test_slot();

    return made("a copy", kozo_cap_copy(kozo_own(slot), kozo_own(from), rights)) ? slot : 0;
}

struct kozo_endpoint kozo_test_mint(struct kozo_endpoint from, uint64_t rights, uint64_t badge)
{
    kozo_cptr slot = kozo_test_slot();

    if (!made("a badged endpoint", kozo_cap_mint(kozo_own(slot), kozo_own(from.c), rights, badge).err))
        slot = 0;
    return (struct kozo_endpoint){ slot };
}

/* Options with the case's own pool and memory filled in. */
static struct kozo_worker_options options_of(const struct kozo_worker_options *o)
{
    struct kozo_worker_options mine = *o;

    if (mine.pool.c == 0)
        mine.pool = kozo_test_pool();
    if (mine.memory.c == 0)
        mine.memory = memory;
    return mine;
}

struct kozo_worker kozo_test_thread_with(const struct kozo_worker_options *o, void (*run)(void *), void *arg)
{
    struct kozo_worker_options mine = options_of(o);
    struct kozo_worker w;

    (void)made("a thread", kozo_worker_start(&w, &mine, run, arg));
    return w;
}

struct kozo_worker kozo_test_thread(void (*run)(void *), void *arg, uint32_t priority)
{
    return kozo_test_thread_with(&(struct kozo_worker_options){ .priority = priority }, run, arg);
}

struct kozo_worker kozo_test_thread_in(struct kozo_space space, const struct kozo_worker_options *o, void (*run)(void *),
                                       void *arg)
{
    struct kozo_worker_options mine = options_of(o);
    struct kozo_worker w;

    if (made("a thread", kozo_worker_build(&w, &mine, space, false)) && !mine.stopped)
        (void)made("a thread run", kozo_worker_run(&w, run, arg));
    return w;
}

/* Maps a copy of the program's own pages [begin, end) at the same addresses. */
static enum kozo_err clone_pages(struct kozo_builder *b, uint64_t begin, uint64_t end, uint64_t rights)
{
    enum kozo_err err = KOZO_OK;

    for (uint64_t at = begin & ~(uint64_t)(KOZO_PAGE_SIZE - 1); at < end && err == KOZO_OK; at += KOZO_PAGE_SIZE)
        err = kozo_build_page(b, at, rights, (struct kozo_content){ (const void *)at, KOZO_PAGE_SIZE, 0 });
    return err;
}

static enum kozo_err clone_all(struct kozo_builder *b)
{
    uint64_t head = (uint64_t)kozo_head;
    enum kozo_err err = clone_pages(b, (uint64_t)kozo_image, (uint64_t)kozo_rodata_end, KOZO_READ);

    if (err == KOZO_OK)
        err = clone_pages(b, (uint64_t)kozo_text, (uint64_t)kozo_text_end, KOZO_READ | KOZO_EXECUTE);
    if (err == KOZO_OK)
        err = clone_pages(b, (uint64_t)kozo_data, (uint64_t)kozo_data_end, KOZO_READ | KOZO_WRITE);
    if (err == KOZO_OK)
        err = clone_pages(b, head, head + sizeof(struct kozo_boot_info), KOZO_READ);
    if (err == KOZO_OK && kozo_head->clock != 0)
        err = kozo_build_copy(b, kozo_head->clock, KOZO_READ, KOZO_INIT_CLOCK);
    return err;
}

struct kozo_space kozo_test_space_clone(void)
{
    struct kozo_space space = kozo_test_space();
    uint64_t pages = (uint64_t)(kozo_data_end - kozo_image) / KOZO_PAGE_SIZE + 8;
    struct kozo_builder b;

    if (space.c == 0 || !made("a space", kozo_build_begin(&b, memory, space, pages + 4 * kozo_build_tables(pages))))
        return (struct kozo_space){ 0 };
    if (!made("a copy of the program", clone_all(&b)))
        space.c = 0;
    kozo_build_end(&b);
    return space;
}

/* ---- resources ---- */

uint64_t kozo_test_stat(enum kozo_stat which)
{
    struct kozo_res r = kozo_debug_stat(debug, which);

    (void)made("a counter", r.err);
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
            kozo_test_fail(name, 0, "%s after the case: %lu, before: %lu", counted[i].name, after[i], before[i]);
}

/* Ends the case's threads first, so that nobody uses what goes next. */
static void clean_up(void)
{
    if (now.pool.c != 0)
        kozo_slot_drop(now.pool.c);
    kozo_slots_drop_new();
    (void)kozo_cap_revoke(kozo_own(memory.c));
    kozo_window_forget();
    kozo_workers_forget();
    if (!kozo_test_settle())
        kozo_test_fail("test.c", 0, "destruction does not come to an end");
}

/* ---- the run ---- */

/* The largest piece of RAM; nothing else in this program is carved from it. */
static struct kozo_untyped largest_untyped(const struct kozo_boot_info *b)
{
    uint32_t best = 0;

    for (uint32_t i = 1; i < b->untyped.count; i++)
        if (b->desc[i].size_bits > b->desc[best].size_bits)
            best = i;
    return (struct kozo_untyped){ b->untyped.count == 0 ? 0 : b->untyped.first + best };
}

static bool run_case(const struct kozo_test_case *c, unsigned number)
{
    uint64_t before[COUNTED];

    now.failed = false;
    now.skipped = nullptr;
    now.len = 0;
    now.text[0] = '\0';
    now.pool.c = 0;
    kozo_slots_mark();
    count(before);
    c->run();
    clean_up();
    if ((c->flags & KOZO_TEST_KEEPS) == 0)
        compare(c->name, before);
    if (now.failed || now.skipped == nullptr)
        tap("%sok %u - %s\n", now.failed ? "not " : "", number, c->name);
    else
        tap("ok %u - %s # SKIP %s\n", number, c->name, now.skipped);
    emit(now.text, now.len);
    kozo_printf("%-4s %s\n%s", now.failed ? "FAIL" : now.skipped != nullptr ? "skip" : "ok", c->name, now.text);
    return !now.failed;
}

int main([[maybe_unused]] int argc, [[maybe_unused]] char **argv)
{
    const struct kozo_boot_info *b = kozo_boot_info();
    unsigned total = (unsigned)(kozo_tests_end - kozo_tests);
    bool passed = true;

    if (b == nullptr)
        kozo_fatal("tests run as the first program: kozo.init=bin/NAME");
    tap("TAP version 14\n1..%u\n", total);
    for (unsigned i = 0; i < total; i++)
        tap("# case %s\n", kozo_tests[i]->name);
    memory = largest_untyped(b);
    if (memory.c == 0)
        bail_out("the boot information names no Untyped");
    kozo_memory_source(memory);
    for (unsigned i = 0; i < total; i++)
        passed &= run_case(kozo_tests[i], i + 1);
    tap("# KOZO END\n");
    end_machine(passed);
}
