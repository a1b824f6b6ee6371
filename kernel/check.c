/* SPDX-License-Identifier: MIT */
/*
 * check.c - the invariants of docs/spec/invariants.md, walked.
 *
 * Owns:      nothing; only reads.
 * Callers:   tests after every event, and kernels built with -Dchecks=true.
 * Cost:      O(everything).
 * Spec:      docs/spec/invariants.md
 */
#include "base/log.h"
#include "cap/object.h"
#include "ipc/endpoint.h"
#include "ipc/notification.h"
#include "kernel.h"
#include "mem/vspace.h"
#include "sched/ring.h"

#define MUST(invariant, cond)                                   \
    do {                                                        \
        if (!(cond))                                            \
            panic("invariant %s broken: %s", #invariant, #cond); \
    } while (0)

#define NEST_DEPTH 1024u

/* What the walk of the tour counts. */
struct tally {
    uint64_t caps, zombies, bytes_free, mapped_frames, leaves;
    uint64_t pool_caps;
};

/* ---- I2: derivation never gains ---- */

static void check_derived(const struct slot *parent, const struct slot *child)
{
    const struct cap *p = &parent->cap, *c = &child->cap;

    if (p->kind != c->kind || kind_is_unique(p->kind))
        return;
    MUST(I2, (c->rights & ~p->rights) == 0);
    MUST(I2, (c->user_rights & ~p->user_rights) == 0);
    if ((p->flags & CAP_BADGED) != 0)
        MUST(I2, (c->flags & CAP_BADGED) != 0 && c->a == p->a);
    if (p->kind == KOZO_KIND_IO_PORT)
        MUST(I2,
             (c->object & 0xffff) >= (p->object & 0xffff) && c->object >> 16 <= p->object >> 16);
}

/* ---- I3: memory ---- */

static uint64_t object_base(const struct cap *c)
{
    switch (c->kind) {
    case KOZO_KIND_UNTYPED:
    case KOZO_KIND_FRAME:
    case KOZO_KIND_PAGE_TABLE:
        return c->object;
    case KOZO_KIND_CNODE:
    case KOZO_KIND_ENDPOINT:
    case KOZO_KIND_NOTIFICATION:
    case KOZO_KIND_ADDRESS_SPACE:
        return arch_ram_addr((void *)c->object).v;
    default:
        return UINT64_MAX;
    }
}

static void check_within(const struct slot *untyped, const struct slot *child)
{
    uint64_t base = object_base(&child->cap);

    if (untyped->cap.kind == KOZO_KIND_UNTYPED && base != UINT64_MAX)
        MUST(I3, base >= untyped->cap.object && base < untyped->cap.a);
}

static void check_untyped(const struct slot *s, struct tally *tally)
{
    uint64_t end = s->cap.object + (1ull << s->cap.size_bits);

    MUST(I3, s->cap.a >= s->cap.object && s->cap.a <= end);
    MUST(I3, s->cap.b <= end);
    MUST(I3, cdt_has_children((struct slot *)s) || s->cap.a == s->cap.object);
    tally->bytes_free += end - s->cap.a;
}

/* ---- I7: address spaces ---- */

static uint64_t count_leaves(const pte *table, uint32_t level, uint32_t entries)
{
    uint64_t leaves = 0;

    for (uint32_t i = 0; i < entries; i++) {
        if (!pte_present(table[i]))
            continue;
        if (pte_is_leaf(table[i], level)) {
            uint8_t rights = pte_rights(table[i]);

            MUST(I7, (rights & (KOZO_WRITE | KOZO_EXECUTE)) != (KOZO_WRITE | KOZO_EXECUTE));
            leaves++;
        } else {
            leaves += count_leaves(arch_ram(pte_addr(table[i])), level - 1, PTE_ENTRIES);
        }
    }
    return leaves;
}

/*
 * Count a space's leaves once: at the first of its capabilities in the tour, which no copy
 * precedes.
 */
static void check_space(struct slot *s, struct tally *tally)
{
    const struct slot *before = cdt_slot(s->open_prev);

    if (!cap_same_object(&before->cap, &s->cap))
        tally->leaves += count_leaves((const pte *)s->cap.object, PTE_LEVELS, PTE_ROOT_USER);
}

/* ---- what a capability names ---- */

static void check_cap(struct slot *s, struct tally *tally)
{
    const struct tcb *t = (const struct tcb *)s->cap.object;

    MUST(I1, s->cap.kind != KOZO_KIND_NULL && s->cap.kind < KOZO_KIND_COUNT);
    switch (s->cap.kind) {
    case KOZO_KIND_UNTYPED:
        check_untyped(s, tally);
        break;
    case KOZO_KIND_THREAD:
        MUST(I4, t->state != TCB_FREE);
        break;
    case KOZO_KIND_THREAD_POOL:
        MUST(I4, kernel.pools.pool[s->cap.object].live);
        break;
    case KOZO_KIND_REPLY:
        MUST(I5, t->state == TCB_CALLING && t->replier.slot == s);
        break;
    case KOZO_KIND_ADDRESS_SPACE:
        check_space(s, tally);
        break;
    case KOZO_KIND_FRAME:
        tally->mapped_frames += vspace_is_mapped(s);
        break;
    case KOZO_KIND_ZOMBIE:
        tally->zombies++;
        break;
    default:
        break;
    }
}

/* ---- I1: the tour ---- */

static void check_links(struct entry e)
{
    MUST(I1, cdt_same(cdt_prev(cdt_next(e)), e));
    MUST(I1, cdt_same(cdt_next(cdt_prev(e)), e));
}

/* Brackets are matched with a stack as deep as it goes; below that only the links are looked at. */
static void check_tour(struct tally *tally)
{
    static struct slot *nest[NEST_DEPTH];
    uint64_t depth = 0;
    struct entry e = cdt_open(&kernel.root);

    nest[0] = &kernel.root;
    for (;;) {
        struct slot *s;

        check_links(e);
        e = cdt_next(e);
        s = cdt_slot(e);
        if (cdt_is_close(e)) {
            if (depth < NEST_DEPTH)
                MUST(I1, nest[depth] == s);
            if (depth == 0)
                return;
            depth--;
            continue;
        }
        MUST(I1, s != &kernel.root);
        tally->caps++;
        check_cap(s, tally);
        if (depth < NEST_DEPTH) {
            check_derived(nest[depth], s);
            check_within(nest[depth], s);
        }
        if (++depth < NEST_DEPTH)
            nest[depth] = s;
    }
}

/* ---- I4: pools ---- */

static void check_pools(void)
{
    const struct pools *p = &kernel.pools;
    uint64_t free = 0, used = 0, list = 0;

    for (uint32_t i = 0; i < p->fresh; i++)
        if (p->pool[i].live)
            free += p->pool[i].free;
    for (uint32_t i = 0; i < p->tcb_fresh; i++)
        used += kernel.tcbs[i].state != TCB_FREE;
    for (const struct tcb *t = p->tcb_free; t != nullptr; t = t->next) {
        MUST(I4, t->state == TCB_FREE);
        list++;
    }
    MUST(I4, used == p->tcb_count);
    MUST(I4, list + used == p->tcb_fresh);
    if (p->fresh > 0)
        MUST(I4, free + used <= CONFIG_MAX_THREADS);
}

/* ---- I5, I6: threads ---- */

static bool queue_has(const struct queue *q, const struct tcb *t)
{
    for (const struct tcb *at = q->head; at != nullptr; at = queue_after(q, at))
        if (at == t)
            return true;
    return false;
}

static void check_blocked(const struct tcb *t)
{
    const struct endpoint *ep = t->waits_for.endpoint;
    const struct notification *n = t->waits_for.notification;

    switch (t->state) {
    case TCB_SENDING:
        MUST(I5, queue_has(&ep->senders, t) && queue_is_empty(&ep->receivers));
        break;
    case TCB_RECEIVING:
        MUST(I5, queue_has(&ep->receivers, t) && queue_is_empty(&ep->senders));
        break;
    case TCB_WAITING:
        MUST(I5, n == nullptr ? t->timer_index != 0 : queue_has(&n->waiters, t));
        break;
    case TCB_CALLING:
        MUST(I5, (t->replier.server != nullptr) != (t->replier.slot != nullptr));
        if (t->replier.server != nullptr)
            MUST(I5, t->replier.server->owes == t);
        break;
    default:
        MUST(I5, t->timer_index == 0);
    }
    if (t->state != TCB_CALLING)
        MUST(I5, t->replier.server == nullptr && t->replier.slot == nullptr);
}

static void check_thread(const struct tcb *t)
{
    check_blocked(t);
    if (t->timer_index != 0)
        MUST(I5, kernel.timers.heap[t->timer_index - 1] == t && (t->slow & TCB_SLOW_DEADLINE) != 0);
    if (t->owes != nullptr)
        MUST(I5, t->owes->state == TCB_CALLING && t->owes->replier.server == t);
    if (t->bound != nullptr)
        MUST(I5, t->bound->bound == t);
    if (t->state == TCB_READY)
        MUST(I5, t->root != 0 && (t->next != nullptr) == (t != kernel.cpu.current));
    if (t->state == TCB_STOPPED || t->state == TCB_FAULTED)
        MUST(I5, t->next == nullptr);
    MUST(I4, (t->root != 0) == (t->binding[TCB_VSPACE].cap.kind == KOZO_KIND_ADDRESS_SPACE));
    MUST(I4, (t->cspace.size != 0) == (t->binding[TCB_CSPACE].cap.kind == KOZO_KIND_CNODE));
    MUST(I4, (t->buffer != nullptr) == (t->binding[TCB_BUFFER].cap.kind == KOZO_KIND_FRAME));
}

static void check_ready(void)
{
    const struct sched *s = &kernel.sched;
    const struct tcb *cur = kernel.cpu.current;
    uint32_t top = SCHED_NONE;

    for (uint32_t p = KOZO_PRIORITIES; p-- > 0;) {
        const struct tcb *head = s->ready[p], *t = head;

        MUST(I6, (head != nullptr) == ((s->bitmap[p / 64] >> p % 64 & 1) != 0));
        if (head == nullptr)
            continue;
        top = p;
        do {
            MUST(I5, t->state == TCB_READY && t->priority == p && t->next->prev == t);
            t = t->next;
        } while (t != head);
    }
    MUST(I6, s->top == top);
    MUST(I6, cur->state == TCB_READY && kernel.cpu.handoff == nullptr);
    MUST(I6, cur == kernel.cpu.idle ? top == SCHED_NONE : cur->priority <= top);
}

/* ---- I8: interrupts ---- */

static void check_irqs(void)
{
    for (uint32_t i = 0; i < ARCH_IRQ_LINES; i++) {
        const struct irq *irq = &kernel.irqs.line[i];

        MUST(I8, irq->unmasked == (irq->claimed && !irq->pending && !slot_is_null(&irq->ntfn)));
    }
}

void kernel_check(void)
{
    struct tally tally = {};

    check_tour(&tally);
    MUST(I1, tally.caps == kernel.caps);
    MUST(I3, tally.bytes_free == kernel.bytes_free);
    MUST(I4, tally.zombies == kernel.pending.zombie_count);
    /* void records of the same page can come true again */
    MUST(I7, tally.leaves <= tally.mapped_frames);
    check_pools();
    for (uint32_t i = 0; i < kernel.pools.tcb_fresh; i++)
        if (kernel.tcbs[i].state != TCB_FREE)
            check_thread(&kernel.tcbs[i]);
    check_ready();
    check_irqs();
}
