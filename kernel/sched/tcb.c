/* SPDX-License-Identifier: MIT */
#include "sched/tcb.h"

#include "base/log.h"
#include "cap/object.h"
#include "kernel.h"

#include <string.h>

struct tcb *tcb_take(void)
{
    struct pools *p = &kernel.pools;
    struct tcb *t = p->tcb_free;

    if (t != nullptr) {
        p->tcb_free = t->next;
    } else {
        if (p->tcb_fresh == CONFIG_MAX_THREADS)
            return nullptr;
        t = &kernel.tcbs[p->tcb_fresh++];
    }
    p->tcb_count++;
    memset(t, 0, sizeof *t);
    t->state = TCB_STOPPED;
    t->serial = ++p->tcb_serial;
    t->cspace.own = &t->binding[TCB_CSPACE];
    arch_fpu_init(&t->fpu);
    return t;
}

void tcb_bind(struct tcb *t, enum tcb_binding which, struct slot *from, uint64_t buffer_offset)
{
    struct slot *own = &t->binding[which];

    slot_delete(own);
    slot_derive(own, from, KOZO_RIGHTS_ALL, 0xff);
    own->cap.flags |= CAP_BINDING;
    switch (which) {
    case TCB_CSPACE:
        t->cspace.slots = (struct slot *)own->cap.object;
        t->cspace.size = 1ull << own->cap.size_bits;
        break;
    case TCB_VSPACE:
        t->root = arch_ram_addr((void *)own->cap.object).v;
        break;
    case TCB_BUFFER:
        t->buffer = (struct kozo_ipc_buffer *)((char *)arch_ram((struct paddr){ own->cap.object }) +
                                               buffer_offset);
        break;
    default:
        break;
    }
}

/* One of its own slots has been emptied: forget the cached form. */
static void binding_lost(struct tcb *t, enum tcb_binding which)
{
    switch (which) {
    case TCB_CSPACE:
        t->cspace.slots = nullptr;
        t->cspace.size = 0;
        break;
    case TCB_VSPACE:
        t->root = 0;
        tcb_suspend(t, KOZO_ERR_CANCELLED); /* it has nowhere to run */
        break;
    case TCB_BUFFER:
        t->buffer = nullptr;
        break;
    default:
        break;
    }
}

void thread_binding_lost(struct slot *s)
{
    size_t index = (size_t)((char *)s - (char *)kernel.tcbs) / sizeof(struct tcb);
    struct tcb *t = &kernel.tcbs[index];

    binding_lost(t, (enum tcb_binding)(s - t->binding));
}

struct tcb_name tcb_name(const struct tcb *t)
{
    struct tcb_name n = {};

    for (uint32_t i = 0; i < sizeof t->name; i++) {
        char c = (char)(t->name >> 8 * i);

        if (c == '\0')
            break;
        n.text[i] = c > ' ' && c <= '~' ? c : '?';
    }
    return n.text[0] != '\0' ? n : (struct tcb_name){ "unnamed" };
}

void tcb_trace(enum kozo_trace what, const struct tcb *t)
{
    if (kernel.trace.mask != 0) [[clang::unlikely]]
        trace_record(
            (struct kozo_event){ .what = what,
                                 .kind = KOZO_KIND_THREAD,
                                 .object = trace_identity(KOZO_KIND_THREAD, (uint64_t)t) });
}

void *thread_take(uint32_t pool, uint8_t flags, uint8_t priority)
{
    struct tcb *t = tcb_take();

    kassert(t != nullptr); /* the pools' counts add up to the TCBs */
    t->pool = pool;
    t->flags = flags;
    t->slow = (flags & KOZO_THREAD_FPU ? TCB_SLOW_FPU : 0) |
              (flags & KOZO_THREAD_FOREIGN ? TCB_SLOW_FOREIGN : 0);
    t->priority = t->ceiling = priority;
    return t;
}
