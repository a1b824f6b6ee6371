/* SPDX-License-Identifier: MIT */
/* spin - uses the processor, for so many million rounds or until it is ended. */
#include "programs/program.h"

#include <kozo/string.h>

constexpr uint64_t million = 1000000;

int main(int argc, char **argv)
{
    uint64_t rounds = 0;

    program_begin("spin [MILLIONS]");
    if (argc > 2 || (argc == 2 && !kozo_parse_u64(argv[1], strlen(argv[1]), &rounds)) ||
        rounds > UINT64_MAX / million)
        return program_end(program_usage());
    for (uint64_t i = 0; argc == 1 || i < rounds * million; i++)
        __asm__ volatile("pause");
    return program_end(0);
}
