/* SPDX-License-Identifier: MIT */
/* halfway - a program that writes a line and half of another one, and then faults. */
#include <kozo/stream.h>

int main(void)
{
    struct kozo_stream out;
    enum kozo_err err = kozo_stream_open(&out, "stdout", KOZO_STREAM_WRITES);

    if (err == KOZO_OK)
        err = kozo_stream_printf(&out, "a whole line\nhalf a");
    if (err == KOZO_OK)
        err = kozo_stream_flush(&out);
    if (err == KOZO_OK)
        __asm__ volatile("ud2");
    return 1;
}
