/* SPDX-License-Identifier: MIT */
/*
 * deep - a service that uses so many bytes of its stack, in its first thread and in a further one,
 * and stores nothing but zeros there: deep BYTES BYTES; or that makes threads and ends them, again
 * and again, with notes about their stacks that are true or lies: deep lie; or that makes so many
 * threads, fills its capability space with copies of their capabilities, and tells how late it was
 * woken, unless it is to be quiet: deep copies N [quiet]
 *
 * It is no test program of its own: test_stacks.py puts it into the manifest, several times.
 */
#include <kozo/log.h>
#include <kozo/msg.h>
#include <kozo/print.h>
#include <kozo/slots.h>
#include <kozo/stack.h>
#include <kozo/start.h>
#include <kozo/string.h>
#include <kozo/syscall.h>
#include <kozo/time.h>
#include <kozo/worker.h>

/* Nobody else writes below the stack pointer: calls and interrupts leave a user's stack alone. */
static void use(uint64_t bytes)
{
    volatile uint64_t *end = __builtin_frame_address(0);

    for (uint64_t n = 1; n <= bytes / sizeof *end; n++)
        end[-(int64_t)n] = 0;
}

[[noreturn]] static void stay(void)
{
    for (;;)
        (void)kozo_sleep(3600 * KOZO_S);
}

static void further(void *arg)
{
    use(*(const uint64_t *)arg);
    (void)kozo_ready();
    stay();
}

/* Every second time; what it says names no pages, others than the stack's, or too many. */
static void lie(struct kozo_stack_mark *m, uint64_t how)
{
    static const uint64_t slots[] = { UINT64_MAX, 0, 1, 15, 2, 2, 2 };
    static const uint64_t pages[] = { 14, 14, 14, 14, UINT64_MAX, 0, 16 };

    if (how % 2 == 0)
        return;
    m->slot = slots[how / 2 % 7];
    m->pages = pages[how / 2 % 7];
}

/*
 * More urgent than init: it can take away what init looks at, at any time. But for each fifth it
 * lives for a shorter time than a look at it takes. There is room for one further thread, and for
 * the memory of one: whoever keeps the last one for longer ends the service. Every third time
 * nobody is made to give anything back.
 */
[[noreturn]] static void live_and_die(void)
{
    struct kozo_untyped memory = { kozo_slot_alloc() };
    struct kozo_worker_options o = {
        .priority = 150, .stack_pages = 14, .stopped = true, .memory = memory
    };
    struct kozo_worker w;

    if (kozo_retype(kozo_own_untyped(), KOZO_KIND_UNTYPED, 17, kozo_own(memory.c), 1) != KOZO_OK)
        kozo_exit(1);
    (void)kozo_ready();
    for (uint64_t i = 0;; i++) {
        if (kozo_worker_start(&w, &o, further, nullptr) != KOZO_OK)
            kozo_exit(2);
        lie((struct kozo_stack_mark *)(w.part + KOZO_STACK_MARK_AT), i);
        (void)kozo_sleep((i % 5 == 4 ? 500 : 1 + i % 23) * KOZO_US);
        if (i % 3 != 0)
            (void)kozo_cap_revoke(kozo_own(memory.c));
        kozo_worker_end(&w);
    }
}

/* Both in all slots that are left, by turns. */
static void fill_slots(const struct kozo_worker *w)
{
    kozo_cptr slot;

    for (uint64_t i = 0; (slot = kozo_slot_alloc()) != 0; i++)
        if (kozo_cap_copy(kozo_own(slot), kozo_own(i % 2 == 0 ? w->thread.c : w->keep.c),
                          KOZO_SAME_RIGHTS) != KOZO_OK)
            kozo_exit(4);
}

/* Tells each time when it was later than ever before: of all others only init can be the cause. */
[[noreturn]] static void watch(void)
{
    for (uint64_t worst = 0;;) {
        uint64_t due = kozo_now() + 20 * KOZO_US, late;

        (void)kozo_sleep(20 * KOZO_US);
        late = kozo_now() - due;
        if (late <= worst)
            continue;
        worst = late;
        kozo_printf("late %llu\n", (unsigned long long)worst);
    }
}

/* The first one's note names a page too many. None of them ever runs. */
[[noreturn]] static void live_in_copies(uint64_t threads, bool quiet)
{
    struct kozo_worker_options o = { .priority = 150, .stack_pages = 13, .stopped = true };
    struct kozo_worker first = {}, w;

    for (uint64_t i = 0; i < threads; i++) {
        if (kozo_worker_start(&w, &o, further, nullptr) != KOZO_OK)
            kozo_exit(3);
        if (i == 0) {
            first = w;
            ((struct kozo_stack_mark *)(w.part + KOZO_STACK_MARK_AT))->pages++;
        }
    }
    fill_slots(&first);
    (void)kozo_ready();
    if (quiet)
        stay();
    watch();
}

int main(int argc, char **argv)
{
    static uint64_t bytes[2];
    struct kozo_worker w;

    if (argc == 2 && strcmp(argv[1], "lie") == 0)
        live_and_die();
    if (argc >= 3 && strcmp(argv[1], "copies") == 0 &&
        kozo_parse_u64(argv[2], strlen(argv[2]), &bytes[0]))
        live_in_copies(bytes[0], argc > 3);
    for (int i = 0; i < 2; i++)
        if (i + 1 >= argc || !kozo_parse_u64(argv[i + 1], strlen(argv[i + 1]), &bytes[i]))
            return 1;
    use(bytes[0]);
    if (kozo_worker_start(&w, &(struct kozo_worker_options){ .priority = 150 }, further,
                          &bytes[1]) != KOZO_OK)
        return 1;
    stay();
}
