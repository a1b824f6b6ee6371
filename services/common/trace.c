/* SPDX-License-Identifier: MIT */
#include "common/trace.h"

/* The return address that is not in a frame yet; 0 when it is. */
static uint64_t bare_return(const struct trace_start *s, trace_read *read, void *context)
{
    uint64_t at = s->sp, value = 0;

    if (s->known && s->offset > 1)
        return 0;
    if (s->known && s->offset == 1)
        at += 8;
    return at % 8 == 0 && read(context, at, &value) ? value : 0;
}

uint32_t trace_walk(const struct trace_start *s, trace_read *read, void *context,
                    uint64_t to[TRACE_FRAMES])
{
    uint64_t bp = s->bp, next, back = bare_return(s, read, context);
    uint32_t n = 0;

    to[n++] = s->ip;
    if (back != 0)
        to[n++] = back;
    while (n < TRACE_FRAMES && bp != 0 && bp % 8 == 0 && bp <= UINT64_MAX - 8) {
        if (!read(context, bp, &next) || !read(context, bp + 8, &back) || back == 0)
            break;
        to[n++] = back;
        if (next <= bp)
            break;
        bp = next;
    }
    return n;
}
