/* SPDX-License-Identifier: MIT */
/*
 * host_sight.c - all that user code sees, searched for what it must not: addresses of the kernel,
 * memory that nobody cleared, registers of others.
 *
 * User code sees the registers of its threads, floating point and FS base too; every Frame, mapped
 * or not, since who holds one can map it, and IPC buffers lie in Frames; and recorded events.
 *
 * Owns:      nothing; only reads.
 * Spec:      docs/spec/invariants.md; I10.
 */
#include "host.h"

static bool is_kernel_address(uint64_t v)
{
    uint64_t ram = (uintptr_t)machine.ram, k = (uintptr_t)&kernel;

    return v - ram < machine.ram_bytes || v - k < sizeof kernel;
}

bool host_is_secret(uint64_t word) { return is_kernel_address(word) || word == HOST_POISON; }

/* The first word that is a secret; `count` when none is. */
static uint64_t find_secret(const uint64_t *word, uint64_t count)
{
    uint64_t i = 0;

    while (i < count && (word[i] == 0 || !host_is_secret(word[i])))
        i++;
    return i;
}

static const char *secret_name(uint64_t word)
{
    return is_kernel_address(word) ? "a kernel address" : "poison";
}

/* ---- threads ---- */

static void check_words(const struct tcb *t, const void *at, uint64_t bytes, const char *where)
{
    const uint64_t *word = at;
    uint64_t count = bytes / sizeof *word, i = find_secret(word, count);

    if (i < count)
        FAIL("I10: thread %llu sees %s in word %llu of its %s", (unsigned long long)t->serial,
             secret_name(word[i]), (unsigned long long)i, where);
}

/* What host_call left in the registers that no call uses is nobody else's. */
static void check_marks(const struct tcb *t)
{
    const uint64_t *word = (const uint64_t *)&t->frame;

    for (uint64_t i = 0; i < sizeof t->frame / sizeof *word; i++)
        if (word[i] >> 32 == HOST_MARK >> 32 && word[i] != host_mark(t))
            FAIL("I10: thread %llu sees a register of thread %llu in its own %llu",
                 (unsigned long long)t->serial, (unsigned long long)(word[i] & UINT32_MAX),
                 (unsigned long long)i);
}

static void check_threads(void)
{
    for (uint32_t i = 0; i < kernel.pools.tcb_fresh; i++) {
        const struct tcb *t = &kernel.tcbs[i];

        if (t->state == TCB_FREE)
            continue;
        check_words(t, &t->frame, sizeof t->frame, "registers");
        check_words(t, &t->fpu, sizeof t->fpu, "floating-point registers");
        check_words(t, &t->fs_base, sizeof t->fs_base, "FS base");
        check_marks(t);
        if (t->buffer != nullptr)
            check_words(t, t->buffer, KOZO_BUFFER_BYTES, "IPC buffer");
    }
}

/* ---- memory ---- */

static void check_frame(const struct cap *c)
{
    const uint64_t *word = arch_ram((struct paddr){ c->object });
    uint64_t count = (1ull << c->size_bits) / sizeof *word, i = find_secret(word, count);

    if (i < count)
        FAIL("I10: the Frame at %#llx holds %s in word %llu", (unsigned long long)c->object,
             secret_name(word[i]), (unsigned long long)i);
}

/* Each once: copies stand one behind the other. */
static void check_frames(void)
{
    for (struct entry e = cdt_next(cdt_open(&kernel.root)); cdt_slot(e) != &kernel.root;
         e = cdt_next(e)) {
        const struct slot *s = cdt_slot(e);

        if (!cdt_is_close(e) && s->cap.kind == KOZO_KIND_FRAME &&
            (s->cap.flags & CAP_DEVICE) == 0 &&
            !cap_same_object(&cdt_slot(s->open_prev)->cap, &s->cap))
            check_frame(&s->cap);
    }
}

/* ---- events ---- */

/* Those recorded since the last look. */
static void check_events(void)
{
    struct kozo_event e;

    while (trace_read(&host.searched, &e, 1) != 0)
        if (host_is_secret(e.object) || host_is_secret(e.badge))
            FAIL("I10: an event of kind %u tells %s", e.what,
                 secret_name(host_is_secret(e.object) ? e.object : e.badge));
}

void host_check_sight(void)
{
    check_threads();
    check_frames();
    check_events();
}
