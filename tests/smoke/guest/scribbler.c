/* SPDX-License-Identifier: MIT */
/*
 * scribbler - a service that writes to the console without a pause, from READY on: the text of its
 * argument, whatever becomes of it. With none it only sleeps and wakes, so that the timer ticks.
 */
#include <kozo/console.h>
#include <kozo/log.h>
#include <kozo/start.h>
#include <kozo/system.h>
#include <kozo/time.h>

int main(int argc, char **argv)
{
    struct console_write_req line = { .text = kozo_str(argc > 1 ? argv[1] : "") };

    struct system_wait_rep ready;
    struct kozo_msg m;

    kozo_msg_init(&m);
    if (kozo_ready() != KOZO_OK || system_call_wait(kozo_cap_endpoint("system"), &m,
                                                    &(struct system_wait_req){}, &ready) != KOZO_OK)
        return 1;
    while (argc < 2)
        (void)kozo_sleep(20 * KOZO_MS);
    for (;;) {
        struct console_write_rep rep;

        kozo_msg_init(&m);
        (void)console_call_write(kozo_cap_endpoint("console"), &m, &line, &rep);
    }
}
