/* SPDX-License-Identifier: MIT */
/*
 * deep - a service that uses so many bytes of its stack, in its first thread and in a further one,
 * and stores nothing but zeros there: deep BYTES BYTES
 *
 * It is no test program of its own: test_stacks.py puts it into the manifest, twice.
 */
#include <kozo/log.h>
#include <kozo/msg.h>
#include <kozo/start.h>
#include <kozo/string.h>
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

int main(int argc, char **argv)
{
    static uint64_t bytes[2];
    struct kozo_worker w;

    for (int i = 0; i < 2; i++)
        if (i + 1 >= argc || !kozo_parse_u64(argv[i + 1], strlen(argv[i + 1]), &bytes[i]))
            return 1;
    use(bytes[0]);
    if (kozo_worker_start(&w, &(struct kozo_worker_options){ .priority = 150 }, further,
                          &bytes[1]) != KOZO_OK)
        return 1;
    stay();
}
