/* SPDX-License-Identifier: MIT */
/*
 * host_audit.c - recorded events: asked about, and held against the capabilities there are.
 *
 * What was there when the recording began, and what was derived since, less what was dropped and
 * revoked, must be what is there now: for each object, after each event. So no capability comes or
 * goes without an event, and none twice.
 *
 * Owns:      the ledger.
 * Spec:      docs/spec/infrastructure.md
 */
#include "host.h"

#include <kozo/trace.h>
#include <string.h>

#define LEDGER 4096u /* objects; a power of two, and never full */

/* For each object how many capabilities name it. */
struct ledger {
    uint64_t object[LEDGER];
    int64_t caps[LEDGER];
    uint32_t used;
};
static struct ledger told, there;

static int64_t *ledger_at(struct ledger *l, uint64_t object)
{
    uint32_t i = (uint32_t)object & (LEDGER - 1);

    while (l->object[i] != object && l->object[i] != 0)
        i = (i + 1) & (LEDGER - 1);
    if (l->object[i] == 0) {
        CHECK(++l->used < LEDGER);
        l->object[i] = object;
    }
    return &l->caps[i];
}

uint64_t host_identity(const struct slot *s) { return trace_identity(s->cap.kind, s->cap.object); }

/*
 * The capabilities that users gave or got: neither the kernel's zombies nor its anchor, whose ends
 * were told.
 */
static void ledger_fill(struct ledger *l)
{
    memset(l, 0, sizeof *l);
    for (struct entry e = cdt_next(cdt_open(&kernel.root)); cdt_slot(e) != &kernel.root;
         e = cdt_next(e)) {
        const struct slot *s = cdt_slot(e);
        if (!cdt_is_close(e) && s->cap.kind != KOZO_KIND_ZOMBIE && s != &kernel.pending.anchor)
            ++*ledger_at(l, host_identity(s));
    }
}

static bool tells_all(uint64_t mask) { return (mask & HOST_TRACE_CAPS) == HOST_TRACE_CAPS; }

void host_trace(uint64_t mask)
{
    kernel.trace.mask = mask;
    host.audits = tells_all(mask);
    host.traced = host.audited = kernel.trace.written;
    ledger_fill(&told);
}

static void take_in(const struct kozo_event *e)
{
    if (e->what == KOZO_TRACE_DERIVED)
        ++*ledger_at(&told, e->object);
    else if (e->what == KOZO_TRACE_DROPPED || e->what == KOZO_TRACE_REVOKED)
        --*ledger_at(&told, e->object);
}

void host_audit_event(void)
{
    struct kozo_event e;

    host.audits = host.audits && tells_all(kernel.trace.mask); /* until somebody has it off */
    if (!host.audits)
        return;
    CHECK(kernel.trace.written - host.audited <= TRACE_EVENTS);
    while (trace_read(&host.audited, &e, 1) != 0)
        take_in(&e);
}

void host_audit_check(void)
{
    host_audit_event();
    if (!host.audits)
        return;
    ledger_fill(&there);
    for (uint32_t i = 0; i < LEDGER; i++)
        if (told.object[i] != 0 && told.caps[i] != *ledger_at(&there, told.object[i]))
            FAIL("audit: by the events %lld capabilities name object %#llx, in the tree it is %lld",
                 (long long)told.caps[i], (unsigned long long)told.object[i],
                 (long long)*ledger_at(&there, told.object[i]));
    for (uint32_t i = 0; i < LEDGER; i++)
        if (there.object[i] != 0)
            CHECK_EQ(there.caps[i], *ledger_at(&told, there.object[i]));
}

uint64_t host_count_events(struct kozo_event like)
{
    uint64_t at = host.traced, count = 0;
    struct kozo_event e;

    while (trace_read(&at, &e, 1) != 0)
        count += kozo_event_is(&e, &like);
    return count;
}
