/* SPDX-License-Identifier: MIT */
#include "init/lines.h"

static void give(struct lines *l, lines_sink *sink, void *context)
{
    struct kozo_str line = { l->text, l->used };

    l->used = 0;
    sink(context, line);
}

void lines_add(struct lines *l, struct kozo_str text, lines_sink *sink, void *context)
{
    for (uint64_t i = 0; i < text.len; i++) {
        if (text.at[i] != '\n' && l->used == LINES_BYTES)
            give(l, sink, context);
        if (text.at[i] == '\n')
            give(l, sink, context);
        else
            l->text[l->used++] = text.at[i];
    }
}

void lines_flush(struct lines *l, lines_sink *sink, void *context)
{
    if (l->used > 0)
        give(l, sink, context);
}
