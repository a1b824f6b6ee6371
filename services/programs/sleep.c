/* SPDX-License-Identifier: MIT */
/* sleep - waits for so many seconds, by the clock that it was given. */
#include "programs/program.h"

#include <kozo/string.h>
#include <kozo/time.h>

constexpr uint64_t most_seconds = 1000000000;
constexpr size_t most_digits = 3;

/* `2`, `0.25`: whole seconds, and digits behind a dot. */
static bool read_time(const char *text, uint64_t *ms)
{
    const char *dot = strchr(text, '.');
    size_t whole = dot != nullptr ? (size_t)(dot - text) : strlen(text);
    size_t digits = dot != nullptr ? strlen(dot + 1) : 0;
    uint64_t seconds, part = 0;

    if (!kozo_parse_u64(text, whole, &seconds) || seconds > most_seconds || digits > most_digits)
        return false;
    if (dot != nullptr && !kozo_parse_u64(dot + 1, digits, &part))
        return false;
    for (; dot != nullptr && digits < most_digits; digits++)
        part *= 10;
    *ms = seconds * 1000 + part;
    return true;
}

int main(int argc, char **argv)
{
    uint64_t ms;

    program_begin("sleep SECONDS");
    if (argc != 2 || !read_time(argv[1], &ms))
        return program_end(program_usage());
    (void)kozo_sleep(ms * KOZO_MS);
    return program_end(0);
}
