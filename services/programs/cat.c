/* SPDX-License-Identifier: MIT */
/* cat - its input to its output, byte for byte. */
#include "programs/program.h"

static int copy(const char *name, struct kozo_stream *in)
{
    static char piece[4096];
    int status = 0;
    size_t got;

    while (program_read(name, in, piece, sizeof piece, &got, &status))
        program_write(piece, got);
    return status;
}

int main(int argc, char **argv)
{
    program_begin("cat [FILE...]");
    return program_end(program_inputs(argc, argv, 1, copy));
}
