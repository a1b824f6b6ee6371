/* SPDX-License-Identifier: MIT */
/* sha256sum - hashes its input. */
#include "programs/program.h"

#include <kozo/sha256.h>

static int hash(const char *name, struct kozo_stream *in)
{
    static char piece[4096];
    uint8_t digest[KOZO_SHA256_BYTES];
    char hex[KOZO_SHA256_HEX];
    struct kozo_sha256 s;
    int status = 0;
    size_t got;

    kozo_sha256_init(&s);
    while (program_read(name, in, piece, sizeof piece, &got, &status))
        kozo_sha256_update(&s, piece, got);
    if (status != 0)
        return status;
    kozo_sha256_final(&s, digest);
    kozo_sha256_to_hex(digest, hex);
    program_printf("%s  %s\n", hex, name[0] != '\0' ? name : "-");
    return 0;
}

int main(int argc, char **argv)
{
    program_begin("sha256sum [FILE...]");
    return program_end(program_inputs(argc, argv, 1, hash));
}
