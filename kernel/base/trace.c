/* SPDX-License-Identifier: MIT */
#include "base/trace.h"

#include "kernel.h"

void trace_record(struct kozo_event e)
{
    struct trace *t = &kernel.trace;

    if ((t->mask >> e.what & 1) == 0)
        return;
    e.time = arch_now();
    e.thread = (uint32_t)(t->caller != 0 ? t->caller : kernel.cpu.current->serial);
    t->event[t->written++ % TRACE_EVENTS] = e;
}

static uint64_t oldest(void)
{
    return kernel.trace.written > TRACE_EVENTS ? kernel.trace.written - TRACE_EVENTS : 0;
}

uint64_t trace_read(uint64_t *at, struct kozo_event *to, uint64_t most)
{
    uint64_t count = 0;

    *at = max_u64(*at, oldest());
    while (count < most && *at < kernel.trace.written)
        to[count++] = kernel.trace.event[(*at)++ % TRACE_EVENTS];
    return count;
}

#define IDENTITY 0x797469746e656469ull /* sets its key apart from that of badges */

uint64_t trace_identity(enum kozo_kind kind, uint64_t object)
{
    const uint64_t key[2] = { kernel.badges.key[0] ^ IDENTITY, kernel.badges.key[1] ^ kind };

    return siphash_word(key, object);
}
