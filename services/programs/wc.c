/* SPDX-License-Identifier: MIT */
/* wc - counts lines, words and bytes. */
#include "programs/program.h"

struct counts {
    unsigned long long lines, words, bytes;
};

static struct counts total;

static void print(const struct counts *c, const char *name)
{
    program_printf("%7llu %7llu %7llu%s%s\n", c->lines, c->words, c->bytes,
                   name[0] != '\0' ? " " : "", name);
}

/* What could not be read to its end has no count; nor has a sum it would be part of. */
static int count(const char *name, struct kozo_stream *in)
{
    static char piece[4096];
    struct counts c = {};
    bool inside = false;
    int status = 0;
    size_t got;

    while (program_read(name, in, piece, sizeof piece, &got, &status)) {
        for (size_t i = 0; i < got; i++) {
            bool blank = piece[i] == ' ' || (piece[i] >= '\t' && piece[i] <= '\r');

            c.lines += piece[i] == '\n';
            c.words += !blank && !inside;
            inside = !blank;
        }
        c.bytes += got;
    }
    if (status != 0)
        return status;
    print(&c, name);
    total.lines += c.lines;
    total.words += c.words;
    total.bytes += c.bytes;
    return 0;
}

int main(int argc, char **argv)
{
    int status;

    program_begin("wc [FILE...]");
    status = program_inputs(argc, argv, 1, count);
    if (argc > 2 && status == 0)
        print(&total, "total");
    return program_end(status);
}
