/* SPDX-License-Identifier: MIT */
/* grep - the lines that hold a text; the text is taken as it is. */
#include "programs/program.h"

#include <kozo/string.h>

constexpr int found = 0, not_found = 1, trouble = 2;
constexpr size_t line_bytes = 16384;

static const char *text;
static size_t text_len;
static bool names, any;
static char line[line_bytes];

static bool holds(const char *at, size_t len)
{
    for (size_t i = 0; i + text_len <= len; i++)
        if (memcmp(at + i, text, text_len) == 0)
            return true;
    return false;
}

static void look(const char *name, const char *at, size_t len)
{
    if (!holds(at, len))
        return;
    any = true;
    if (names)
        program_printf("%s:", name);
    program_write(at, len);
    program_write("\n", 1);
}

/* Lines that `line` holds in full; what is left of the last one goes to its beginning. */
static size_t look_at_lines(const char *name, size_t used)
{
    size_t begin = 0;
    const char *end;

    while ((end = memchr(line + begin, '\n', used - begin)) != nullptr) {
        look(name, line + begin, (size_t)(end - line) - begin);
        begin = (size_t)(end - line) + 1;
    }
    memmove(line, line + begin, used - begin);
    return used - begin;
}

static int search(const char *name, struct kozo_stream *in)
{
    size_t used = 0, got;
    int status = 0;

    while (program_read(name, in, line + used, line_bytes - used, &got, &status)) {
        used = look_at_lines(name, used + got);
        if (used == line_bytes) {
            (void)program_fail(name, "a line of more than 16383 bytes");
            return trouble;
        }
    }
    if (used > 0 && status == 0) /* half a line is none */
        look(name, line, used);
    return status;
}

int main(int argc, char **argv)
{
    int status;

    program_begin("grep TEXT [FILE...]");
    if (argc < 2 || argv[1][0] == '\0')
        return program_end(program_usage());
    text = argv[1];
    text_len = strlen(text);
    names = argc > 3;
    status = program_inputs(argc, argv, 2, search);
    if (status != 0)
        return program_end(trouble);
    return program_end(any ? found : not_found);
}
