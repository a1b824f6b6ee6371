/* SPDX-License-Identifier: MIT */
/*
 * grabber - a program that reads the console while the shell does, and says how often that was
 * taken away from it again.
 */
#include <kozo/console.h>
#include <kozo/error.h>
#include <kozo/start.h>
#include <kozo/stream.h>

int main(int, char **)
{
    struct kozo_stream err;
    unsigned taken = 0;

    while (taken < 3) {
        struct console_read_rep rep;
        struct kozo_msg m;

        kozo_msg_init(&m);
        if (console_call_read(kozo_cap_endpoint("console"), &m,
                              &(struct console_read_req){ .prompt = kozo_str("grabber> ") },
                              &rep) != KOZO_ERR_CANCELLED)
            break;
        taken++;
    }
    (void)kozo_stream_open(&err, "stderr", KOZO_STREAM_WRITES);
    (void)kozo_stream_printf(&err, "grabber: %u times\n", taken);
    return kozo_stream_close(&err) == KOZO_OK ? 0 : 1;
}
