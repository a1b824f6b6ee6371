/* SPDX-License-Identifier: MIT */
/*
 * host_check.c - what every event must leave behind: the kernel's own check, and what can be seen only from outside.
 *
 * Owns:      nothing; only reads.
 * Spec:      docs/spec/invariants.md
 */
#include "base/log.h"
#include "cap/object.h"
#include "cap/untyped.h"
#include "host.h"
#include <stdlib.h>

#define OBJECTS_MAX 300'000u
#define CLEAR_LOOK 65536u /* bytes of each Untyped looked at */
#define SLOTS_LOOK_BITS 12u /* CNodes up to this size are looked through */

/* ---- I1: slots ---- */

/* An empty slot is all zero, one that holds something is in the tour. */
static void check_slot(const struct slot *s)
{
    const uint64_t *word = (const uint64_t *)s;

    if (!slot_is_null(s)) {
        if (!cdt_is_linked(s))
            FAIL("I1: a %s is not in the tour", name_of_kind(s->cap.kind));
        return;
    }
    for (uint32_t i = 0; i < sizeof *s / sizeof *word; i++)
        if (word[i] != 0)
            FAIL("I1: word %u of an empty slot is not 0", i);
}

static void check_slots(const struct slot *cnode)
{
    const struct slot *slots = (const struct slot *)cnode->cap.object;

    for (uint64_t i = 0; i < 1ull << cnode->cap.size_bits && cnode->cap.size_bits <= SLOTS_LOOK_BITS; i++)
        check_slot(&slots[i]);
}

static void check_bindings(void)
{
    for (uint32_t i = 0; i < kernel.pools.tcb_fresh; i++)
        for (uint32_t b = 0; b < TCB_BINDINGS; b++)
            check_slot(&kernel.tcbs[i].binding[b]);
    for (uint32_t i = 0; i < ARCH_IRQ_LINES; i++)
        check_slot(&kernel.irqs.line[i].ntfn);
    if (kernel.pending.revoke != &kernel.pending.anchor)
        check_slot(&kernel.pending.anchor);
}

/* ---- I3, I4: objects ---- */

struct range {
    uint64_t base, end;
};

static struct range range_at(uint64_t base, uint64_t bytes) { return (struct range){ .base = base, .end = base + bytes }; }

static uint64_t address_of(const void *object) { return arch_ram_addr(object).v; }

/* A zombie lies in the object that it was. */
static struct range zombie_range(const struct slot *z)
{
    const char *at = (const char *)z;

    switch (z->cap.rights) {
    case KOZO_KIND_CNODE:
        return range_at(address_of(z), KOZO_SLOT_BYTES << z->cap.size_bits);
    case KOZO_KIND_ENDPOINT:
        return range_at(address_of(at - offsetof(struct endpoint, grave)), KOZO_ENDPOINT_BYTES);
    case KOZO_KIND_NOTIFICATION:
        return range_at(address_of(at - offsetof(struct notification, grave)), KOZO_NOTIFICATION_BYTES);
    default:
        return (struct range){};
    }
}

/* The memory that a capability alone holds; of an Untyped what is above its watermark. Empty: none. */
static struct range range_of(const struct slot *s)
{
    const struct cap *c = &s->cap;

    switch (c->kind) {
    case KOZO_KIND_UNTYPED:
        return (struct range){ .base = c->a, .end = untyped_end(s) };
    case KOZO_KIND_FRAME:
        return range_at(c->object, 1ull << c->size_bits);
    case KOZO_KIND_PAGE_TABLE:
        return range_at(c->object, KOZO_PAGE_SIZE);
    case KOZO_KIND_CNODE:
        return range_at(address_of((void *)c->object), KOZO_SLOT_BYTES << c->size_bits);
    case KOZO_KIND_ENDPOINT:
        return range_at(address_of((void *)c->object), KOZO_ENDPOINT_BYTES);
    case KOZO_KIND_NOTIFICATION:
        return range_at(address_of((void *)c->object), KOZO_NOTIFICATION_BYTES);
    case KOZO_KIND_ADDRESS_SPACE:
        return range_at(address_of((void *)c->object), KOZO_ADDRESS_SPACE_BYTES);
    case KOZO_KIND_ZOMBIE:
        return zombie_range(s);
    default:
        return (struct range){};
    }
}

static int range_order(const void *a, const void *b)
{
    const struct range *x = a, *y = b;

    return x->base != y->base ? (x->base < y->base ? -1 : 1) : x->end < y->end ? -1 : x->end > y->end;
}

/* Objects and free memory do not meet. */
static void check_disjoint(struct range *r, uint32_t n)
{
    qsort(r, n, sizeof *r, range_order);
    for (uint32_t i = 1; i < n; i++)
        if (r[i].base < r[i - 1].end)
            FAIL("I3: [%#llx, %#llx) and [%#llx, %#llx) overlap", (unsigned long long)r[i - 1].base,
                 (unsigned long long)r[i - 1].end, (unsigned long long)r[i].base,
                 (unsigned long long)r[i].end);
}

/* Between watermark and cleared all is zero. */
static void check_cleared(const struct slot *untyped)
{
    const struct cap *c = &untyped->cap;

    if ((c->flags & CAP_DEVICE) != 0 || c->b <= c->a)
        return;
    const uint64_t *word = arch_ram((struct paddr){ c->a });
    for (uint64_t i = 0; i < min_u64(c->b - c->a, CLEAR_LOOK) / sizeof *word; i++)
        if (word[i] != 0)
            FAIL("I3: memory at %#llx is not zero", (unsigned long long)(c->a + i * sizeof *word));
}

static void check_objects(void)
{
    static struct range range[OBJECTS_MAX];
    static bool seen[CONFIG_MAX_THREADS];
    uint32_t n = 0, threads = 0;

    for (uint32_t i = 0; i < CONFIG_MAX_THREADS; i++)
        seen[i] = false;
    for (struct entry e = cdt_next(cdt_open(&kernel.root)); cdt_slot(e) != &kernel.root; e = cdt_next(e)) {
        const struct slot *s = cdt_slot(e);
        struct range r = cdt_is_close(e) ? (struct range){} : range_of(s);

        if (cdt_is_close(e))
            continue;
        /* copies stand one behind the other, and count once */
        if (r.end > r.base && !cap_same_object(&cdt_slot(s->open_prev)->cap, &s->cap)) {
            CHECK(n < OBJECTS_MAX);
            range[n++] = r;
        }
        if (s->cap.kind == KOZO_KIND_UNTYPED)
            check_cleared(s);
        if (s->cap.kind == KOZO_KIND_CNODE)
            check_slots(s);
        if (s->cap.kind == KOZO_KIND_THREAD) {
            size_t index = (size_t)((struct tcb *)s->cap.object - kernel.tcbs);
            threads += !seen[index];
            seen[index] = true;
        }
    }
    check_disjoint(range, n);
    CHECK_EQ(threads, kernel.pools.tcb_count);
}

/* ---- I5: deadlines ---- */

static void check_timers(void)
{
    const struct timers *t = &kernel.timers;

    for (uint32_t i = 0; i < t->count; i++) {
        CHECK_EQ(t->heap[i]->timer_index, i + 1);
        CHECK(tcb_is_blocked(t->heap[i]));
        CHECK(i == 0 || t->heap[(i - 1) / 2]->deadline <= t->heap[i]->deadline);
    }
    for (uint32_t i = t->count; i < CONFIG_MAX_THREADS; i++)
        CHECK_PTR(t->heap[i], nullptr);
}

/* ---- I7: translations ---- */

/* No translation is remembered that the tables do not give. */
static void check_translations(void)
{
    const struct host_tlb_entry *stale = host_tlb_stale();

    if (stale != nullptr)
        FAIL("I7: stale TLB entry for %#llx, level %u", (unsigned long long)stale->address, stale->level);
}

/* ---- I8: lines ---- */

/* The interrupt controller agrees with the table. */
static void check_lines(void)
{
    for (uint32_t i = 0; i < ARCH_IRQ_LINES; i++)
        CHECK_EQ(machine.line_open[i], kernel.irqs.line[i].unmasked);
}

void host_check(void)
{
    kernel_check();
    check_bindings();
    check_objects();
    check_timers();
    check_translations();
    host_check_tables();
    check_lines();
    host_check_sight();
    host_audit_check();
}
