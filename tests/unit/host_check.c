/* SPDX-License-Identifier: MIT */
/*
 * host_check.c - what every event must leave behind: the kernel's own check, and what can be seen
 * only from outside.
 *
 * Owns:      nothing; only reads.
 * Spec:      docs/spec/invariants.md
 */
#include "base/log.h"
#include "cap/object.h"
#include "cap/untyped.h"
#include "host.h"
#include <stdlib.h>
#include <string.h>

#define OBJECTS_MAX 300'000u

/* ---- I1: slots ---- */

/* Without the sanitizers, which have nothing to find here: large CNodes are mostly empty. */
[[clang::no_sanitize("address", "undefined")]] static bool is_zero(const struct slot *s)
{
    const uint64_t *word = (const uint64_t *)s;

    return (word[0] | word[1] | word[2] | word[3] | word[4] | word[5] | word[6] | word[7]) == 0;
}
static_assert(sizeof(struct slot) == 8 * sizeof(uint64_t));

/* An empty slot is all zero, one that holds something is in the tour. */
static void check_slot(const struct slot *s)
{
    if (is_zero(s))
        return;
    if (slot_is_null(s))
        FAIL("I1: an empty slot is not all zero");
    if (!cdt_is_linked(s))
        FAIL("I1: a %s is not in the tour", name_of_kind(s->cap.kind));
}

static void check_slots(const struct slot *cnode)
{
    const struct slot *slots = (const struct slot *)cnode->cap.object;

    for (uint64_t i = 0; i < 1ull << cnode->cap.size_bits; i++)
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

static struct range range_at(uint64_t base, uint64_t bytes)
{
    return (struct range){ .base = base, .end = base + bytes };
}

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
        return range_at(address_of(at - offsetof(struct notification, grave)),
                        KOZO_NOTIFICATION_BYTES);
    default:
        return (struct range){};
    }
}

/*
 * The memory that a capability alone holds; of an Untyped what is above its watermark. Empty: none.
 */
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

    return x->base != y->base ? (x->base < y->base ? -1 : 1)
           : x->end < y->end  ? -1
                              : x->end > y->end;
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
    for (uint64_t i = 0; i < (c->b - c->a) / sizeof *word; i++)
        if (word[i] != 0)
            FAIL("I3: memory at %#llx is not zero", (unsigned long long)(c->a + i * sizeof *word));
}

/* ---- I1, I2: the tour, however deep ---- */

/* A copy has no more than what it was made of. */
static void check_derived(const struct cap *p, const struct cap *c)
{
    if (p->kind != c->kind || kind_is_unique(p->kind))
        return;
    if ((c->rights & ~p->rights) != 0 || (c->user_rights & ~p->user_rights) != 0)
        FAIL("I2: a copy of a %s gained rights", name_of_kind(c->kind));
    if ((p->flags & CAP_BADGED) != 0 && ((c->flags & CAP_BADGED) == 0 || c->a != p->a))
        FAIL("I2: a copy of a %s changed its badge", name_of_kind(c->kind));
}

/* The slots whose closing entries are still to come. */
static struct {
    struct slot *open[OBJECTS_MAX];
    uint32_t depth;
} nest;

static void nest_begin(void)
{
    nest.open[0] = &kernel.root;
    nest.depth = 0;
}

static void nest_open(struct slot *s)
{
    check_derived(&nest.open[nest.depth]->cap, &s->cap);
    CHECK(nest.depth + 1 < OBJECTS_MAX);
    nest.open[++nest.depth] = s;
}

static void nest_close(const struct slot *s)
{
    if (nest.depth == 0 || nest.open[nest.depth--] != s)
        FAIL("I1: the tour does not nest like brackets");
}

/* ---- what capabilities name ---- */

static struct {
    struct range range[OBJECTS_MAX];
    uint32_t ranges, threads;
    bool handled[ARCH_IRQ_LINES];
} named;

/* Of an object, at the first capability that names it: copies stand one behind the other. */
static void check_object(const struct slot *s)
{
    struct range r = range_of(s);

    if (r.end > r.base) {
        CHECK(named.ranges < OBJECTS_MAX);
        named.range[named.ranges++] = r;
    }
    switch (s->cap.kind) {
    case KOZO_KIND_UNTYPED:
        check_cleared(s);
        break;
    case KOZO_KIND_CNODE:
        check_slots(s);
        break;
    case KOZO_KIND_THREAD:
        named.threads++;
        break;
    case KOZO_KIND_IRQ_HANDLER:
        if (named.handled[s->cap.object])
            FAIL("I8: line %llu has two handlers", (unsigned long long)s->cap.object);
        named.handled[s->cap.object] = true;
        break;
    default:
        break;
    }
}

static void check_tour(void)
{
    named.ranges = named.threads = 0;
    memset(named.handled, 0, sizeof named.handled);
    nest_begin();
    for (struct entry e = cdt_next(cdt_open(&kernel.root)); cdt_slot(e) != &kernel.root;
         e = cdt_next(e)) {
        struct slot *s = cdt_slot(e);

        if (cdt_is_close(e)) {
            nest_close(s);
            continue;
        }
        nest_open(s);
        if (!cap_same_object(&cdt_slot(s->open_prev)->cap, &s->cap))
            check_object(s);
    }
    CHECK_EQ(nest.depth, 0);
    check_disjoint(named.range, named.ranges);
    CHECK_EQ(named.threads, kernel.pools.tcb_count);
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
        FAIL("I7: stale TLB entry for %#llx, level %u", (unsigned long long)stale->address,
             stale->level);
}

/* ---- I8: lines ---- */

/* A line is claimed iff it has a handler, and the interrupt controller agrees with the table. */
static void check_lines(void)
{
    for (uint32_t i = 0; i < ARCH_IRQ_LINES; i++) {
        if (kernel.irqs.line[i].claimed != named.handled[i])
            FAIL("I8: line %u is %s, and has %s handler", i, named.handled[i] ? "free" : "claimed",
                 named.handled[i] ? "a" : "no");
        CHECK_EQ(machine.line_open[i], kernel.irqs.line[i].unmasked);
    }
}

void host_check(void)
{
    kernel_check();
    check_bindings();
    check_tour();
    check_timers();
    check_translations();
    host_check_tables();
    check_lines();
    host_check_sight();
    host_audit_check();
}
