/* SPDX-License-Identifier: MIT */
/*
 * deep - a service that uses so many bytes of its stack, in its first thread and in a further one,
 * and stores nothing but zeros there: deep BYTES BYTES; or that makes threads and ends them, again
 * and again, with notes about their stacks that are true or lies: deep lie
 *
 * It is no test program of its own: test_stacks.py puts it into the manifest, twice.
 */
#include <kozo/log.h>
#include <kozo/msg.h>
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

/* More urgent than init: it can take away the memory that init looks at, at any time. */
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
        (void)kozo_sleep((20 + i % 5 * 20) * KOZO_US);
        (void)kozo_cap_revoke(kozo_own(memory.c));
        kozo_worker_end(&w);
    }
}

int main(int argc, char **argv)
{
    static uint64_t bytes[2];
    struct kozo_worker w;

    if (argc == 2 && strcmp(argv[1], "lie") == 0)
        live_and_die();
    for (int i = 0; i < 2; i++)
        if (i + 1 >= argc || !kozo_parse_u64(argv[i + 1], strlen(argv[i + 1]), &bytes[i]))
            return 1;
    use(bytes[0]);
    if (kozo_worker_start(&w, &(struct kozo_worker_options){ .priority = 150 }, further,
                          &bytes[1]) != KOZO_OK)
        return 1;
    stay();
}
