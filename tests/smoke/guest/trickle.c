/* SPDX-License-Identifier: MIT */
/*
 * trickle - a program that writes a short line every 20 ms, so that a pipe is never full, and says
 * when it could not.
 */
#include <kozo/error.h>
#include <kozo/stream.h>
#include <kozo/time.h>

int main(void)
{
    struct kozo_stream out, err;
    enum kozo_err e = kozo_stream_open(&out, "stdout", KOZO_STREAM_WRITES);
    unsigned lines = 0;

    while (e == KOZO_OK) {
        (void)kozo_sleep(20 * KOZO_MS);
        e = kozo_stream_write(&out, "drop\n", 5);
        lines++;
    }
    (void)kozo_stream_open(&err, "stderr", KOZO_STREAM_WRITES);
    (void)kozo_stream_printf(&err, "trickle: %s at line %u\n", kozo_err_text(e), lines);
    return kozo_stream_close(&err) == KOZO_OK ? 0 : 1;
}
