/* SPDX-License-Identifier: MIT */
/* hexdump - bytes in hexadecimal, 16 a line, and what of them is text. */
#include "programs/program.h"

#include <kozo/print.h>

static void print_row(unsigned long long at, const unsigned char *row, size_t len)
{
    char hex[3 * 16 + 2] = "", text[17] = "";
    int used = 0;

    for (size_t i = 0; i < len; i++) {
        used += kozo_snprintf(hex + used, sizeof hex - (size_t)used, "%s%02x", i == 8 ? "  " : " ",
                              row[i]);
        text[i] = row[i] >= ' ' && row[i] < 0x7f ? (char)row[i] : '.';
    }
    program_printf("%08llx %-49s  |%s|\n", at, hex, text);
}

static int dump(const char *name, struct kozo_stream *in)
{
    unsigned char row[16];
    unsigned long long at = 0;
    size_t used = 0, got;
    int status = 0;

    while (program_read(name, in, row + used, sizeof row - used, &got, &status)) {
        used += got;
        if (used < sizeof row)
            continue;
        print_row(at, row, used);
        at += used;
        used = 0;
    }
    if (used > 0)
        print_row(at, row, used);
    if (status == 0) /* how much there is: told only of all of it */
        program_printf("%08llx\n", at + used);
    return status;
}

int main(int argc, char **argv)
{
    program_begin("hexdump [FILE...]");
    return program_end(program_inputs(argc, argv, 1, dump));
}
