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

#define MUST(invariant, cond)                                                                      \
    do {                                                                                           \
        if (!(cond))                                                                               \
            panic("invariant %s broken: %s", #invariant, #cond);                                   \
    } while (0)

#define NEST_DEPTH 1024u

/* What the walk of the tour counts. */
struct tally {
    uint64_t caps, zombies, mapped_frames, leaves;
    uint64_t threads, pools, spaces; /* that a capability names */
    uint64_t queued;                 /* threads in the queues of what a capability names */
    uint64_t bytes_free;
};

/* A slot whose closing entry is still to come; of an Untyped how much of it its children are. */
struct nest {
    struct slot *slot;
    uint64_t bytes, last; /* `last`: base of the child seen last, which copies share */
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

struct range {
    uint64_t base, bytes; /* 0 bytes: holds no memory of an Untyped */
};

static struct range range_of_address(const void *object, uint64_t bytes)
{
    return (struct range){ arch_ram_addr(object).v, bytes };
}

/* The objects that hold a zombie in a slot of their own. */
static const struct endpoint *endpoint_of(const struct slot *grave)
{
    return (const struct endpoint *)((const char *)grave - offsetof(struct endpoint, grave));
}

static const struct notification *notification_of(const struct slot *grave)
{
    return (const struct notification *)((const char *)grave -
                                         offsetof(struct notification, grave));
}

/* A zombie lies in the object that it was. */
static struct range zombie_range(const struct slot *z)
{
    switch (z->cap.rights) {
    case KOZO_KIND_CNODE:
        return range_of_address(z, KOZO_SLOT_BYTES << z->cap.size_bits);
    case KOZO_KIND_ENDPOINT:
        return range_of_address(endpoint_of(z), KOZO_ENDPOINT_BYTES);
    case KOZO_KIND_NOTIFICATION:
        return range_of_address(notification_of(z), KOZO_NOTIFICATION_BYTES);
    default:
        return (struct range){};
    }
}

static struct range object_range(const struct slot *s)
{
    const struct cap *c = &s->cap;

    switch (c->kind) {
    case KOZO_KIND_UNTYPED:
    case KOZO_KIND_FRAME:
        return (struct range){ c->object, 1ull << c->size_bits };
    case KOZO_KIND_PAGE_TABLE:
        return (struct range){ c->object, KOZO_PAGE_SIZE };
    case KOZO_KIND_CNODE:
        return range_of_address((void *)c->object, KOZO_SLOT_BYTES << c->size_bits);
    case KOZO_KIND_ENDPOINT:
        return range_of_address((void *)c->object, KOZO_ENDPOINT_BYTES);
    case KOZO_KIND_NOTIFICATION:
        return range_of_address((void *)c->object, KOZO_NOTIFICATION_BYTES);
    case KOZO_KIND_ADDRESS_SPACE:
        return range_of_address((void *)c->object, KOZO_ADDRESS_SPACE_BYTES);
    case KOZO_KIND_ZOMBIE:
        return zombie_range(s);
    default:
        return (struct range){};
    }
}

static bool is_memory(enum kozo_kind kind)
{
    return kind == KOZO_KIND_UNTYPED || kind == KOZO_KIND_FRAME;
}

/* An object is aligned, lies below the watermark of the Untyped above it, and copies below it. */
static void check_object(struct nest *above, const struct slot *s)
{
    const struct cap *p = &above->slot->cap;
    struct range r = object_range(s);

    if (r.bytes == 0)
        return;
    MUST(I3,
         is_aligned(r.base, is_memory(s->cap.kind) ? r.bytes : min_u64(r.bytes, KOZO_PAGE_SIZE)));
    if (p->kind != KOZO_KIND_UNTYPED) {
        MUST(I3, above->slot == &kernel.root || cap_same_object(p, &s->cap));
        return;
    }
    MUST(I3, r.base >= p->object && r.base + r.bytes <= p->a);
    if (above->bytes != 0 && above->last == r.base)
        return;
    above->last = r.base;
    above->bytes += r.bytes;
}

/*
 * All children of an Untyped have been seen. What else lies below its watermark is padding, or lost until the last of
 * them is gone: so objects, free bytes, padding and lost ones add up to its size, and never to more.
 */
static void check_filled(const struct nest *n)
{
    const struct cap *c = &n->slot->cap;

    if (c->kind == KOZO_KIND_UNTYPED)
        MUST(I3, n->bytes <= c->a - c->object);
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

/* What is counted for an object is counted at the first of its capabilities in the tour. */
static bool is_first(const struct slot *s)
{
    return !cap_same_object(&cdt_slot(s->open_prev)->cap, &s->cap);
}

static void check_space(struct slot *s, struct tally *tally)
{
    if (!is_first(s))
        return;
    tally->spaces++;
    tally->leaves += count_leaves((const pte *)s->cap.object, PTE_LEVELS, PTE_ROOT_USER);
}

/* ---- I5: queues, from the side of what is waited for ---- */

static void check_queue(const struct queue *q, enum tcb_state state, const void *object,
                        struct tally *tally)
{
    for (const struct tcb *t = q->head; t != nullptr; t = queue_after(q, t)) {
        MUST(I5, t->state == state && (const void *)t->waits_for.endpoint == object);
        tally->queued++;
    }
}

static void check_endpoint(const struct endpoint *ep, struct tally *tally)
{
    check_queue(&ep->senders, TCB_SENDING, ep, tally);
    check_queue(&ep->receivers, TCB_RECEIVING, ep, tally);
}

static void check_notification(const struct notification *n, struct tally *tally)
{
    check_queue(&n->waiters, TCB_WAITING, n, tally);
}

static void check_zombie(const struct slot *z, struct tally *tally)
{
    tally->zombies++;
    tally->pools += z->cap.rights == KOZO_KIND_THREAD_POOL;
    if (z->cap.rights == KOZO_KIND_ENDPOINT)
        check_endpoint(endpoint_of(z), tally);
    if (z->cap.rights == KOZO_KIND_NOTIFICATION)
        check_notification(notification_of(z), tally);
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
        tally->threads += is_first(s);
        break;
    case KOZO_KIND_ENDPOINT:
        if (is_first(s))
            check_endpoint((const struct endpoint *)s->cap.object, tally);
        break;
    case KOZO_KIND_NOTIFICATION:
        if (is_first(s))
            check_notification((const struct notification *)s->cap.object, tally);
        break;
    case KOZO_KIND_THREAD_POOL:
        MUST(I4, kernel.pools.pool[s->cap.object].live);
        tally->pools++;
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
        check_zombie(s, tally);
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
    static struct nest nest[NEST_DEPTH];
    uint64_t depth = 0;
    struct entry e = cdt_open(&kernel.root);

    nest[0] = (struct nest){ .slot = &kernel.root };
    for (;;) {
        struct slot *s;

        check_links(e);
        e = cdt_next(e);
        s = cdt_slot(e);
        if (cdt_is_close(e)) {
            if (depth < NEST_DEPTH) {
                MUST(I1, nest[depth].slot == s);
                check_filled(&nest[depth]);
            }
            if (depth == 0)
                return;
            depth--;
            continue;
        }
        MUST(I1, s != &kernel.root);
        tally->caps++;
        check_cap(s, tally);
        if (depth < NEST_DEPTH) {
            check_derived(nest[depth].slot, s);
            check_object(&nest[depth], s);
        }
        if (++depth < NEST_DEPTH)
            nest[depth] = (struct nest){ .slot = s };
    }
}

/* ---- I4: pools, threads, spaces ---- */

static void check_pools(const struct tally *tally)
{
    const struct pools *p = &kernel.pools;
    uint64_t free = 0, used = 0, list = 0, live = 0;

    for (uint32_t i = 0; i < p->fresh; i++) {
        live += p->pool[i].live;
        free += p->pool[i].live ? p->pool[i].free : 0;
    }
    for (uint32_t i = 0; i < p->tcb_fresh; i++)
        used += kernel.tcbs[i].state != TCB_FREE;
    for (const struct tcb *t = p->tcb_free; t != nullptr; t = t->next) {
        MUST(I4, t->state == TCB_FREE);
        list++;
    }
    MUST(I4, used == p->tcb_count);
    MUST(I4, used == tally->threads);
    MUST(I4, live == tally->pools);
    MUST(I4, list + used == p->tcb_fresh);
    /* until the first pool is given up, and all its threads with it */
    if (p->fresh > 0 && p->pool[0].live)
        MUST(I4, free + used == CONFIG_MAX_THREADS);
}

static void check_live_spaces(const struct tally *tally)
{
    uint64_t live = 0;

    for (uint64_t i = 0; i < (kernel.space_pages + 63) / 64; i++)
        live += (uint64_t)__builtin_popcountll(kernel.space_live[i]);
    MUST(I4, live == tally->spaces);
}

/* Who waits for its turn to destroy is in the queue once, and nobody else is. */
static void check_askers(void)
{
    const struct tcb *before = nullptr;
    uint64_t asking = 0;

    for (uint32_t i = 0; i < kernel.pools.tcb_fresh; i++)
        asking += kernel.tcbs[i].asks.queued;
    for (const struct tcb *t = kernel.pending.asker; t != nullptr; t = t->asks.next) {
        MUST(I4, t->state != TCB_FREE && t->asks.queued && t->asks.prev == before);
        before = t;
        asking--;
    }
    MUST(I4, asking == 0 && kernel.pending.last_asker == before);
}

/* What is to be destroyed is in a list of the kernel's, or it never would be. */
static void check_pending(const struct tally *tally)
{
    const struct pending *p = &kernel.pending;
    const struct slot *before = nullptr;
    uint64_t zombies = 0, stopped = 0;

    for (const struct slot *z = p->zombies; z != nullptr; z = (const struct slot *)z->cap.object) {
        MUST(I4, z->cap.kind == KOZO_KIND_ZOMBIE && z->cap.b == (uint64_t)before);
        before = z;
        zombies++;
    }
    MUST(I4, zombies == p->zombie_count && zombies == tally->zombies);
    for (uint32_t i = 0; i < kernel.pools.tcb_fresh; i++)
        stopped += kernel.tcbs[i].dropping;
    for (const struct tcb *t = p->stopped; t != nullptr; t = t->level_next) {
        MUST(I4, t->state != TCB_FREE && t->dropping);
        stopped--;
    }
    MUST(I4, stopped == 0);
    check_askers();
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

/* Each thread that its state puts into a queue is in one, and nobody else is. */
static void check_counts(const struct tally *tally, uint64_t ready)
{
    uint64_t queued = 0, others = 0;

    for (uint32_t i = 0; i < kernel.pools.tcb_fresh; i++) {
        const struct tcb *t = &kernel.tcbs[i];

        others += t->state == TCB_READY && t != kernel.cpu.current;
        queued += t->state == TCB_SENDING || t->state == TCB_RECEIVING ||
                  (t->state == TCB_WAITING && t->waits_for.notification != nullptr);
    }
    MUST(I5, ready == others);
    MUST(I5, tally->queued == queued);
}

static void check_thread(const struct tcb *t)
{
    check_blocked(t);
    if (tcb_is_blocked(t))
        MUST(I5, t->root != 0);
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

/* How many threads are in the ready queues. */
static uint64_t check_ready(void)
{
    const struct sched *s = &kernel.sched;
    const struct tcb *cur = kernel.cpu.current;
    uint32_t top = SCHED_NONE;
    uint64_t ready = 0;

    for (uint32_t p = KOZO_PRIORITIES; p-- > 0;) {
        const struct tcb *head = s->ready[p], *t = head;

        MUST(I6, (head != nullptr) == ((s->bitmap[p / 64] >> p % 64 & 1) != 0));
        if (head == nullptr)
            continue;
        top = p;
        do {
            MUST(I5, t->state == TCB_READY && t->priority == p && t->next->prev == t);
            t = t->next;
            ready++;
        } while (t != head);
    }
    MUST(I6, s->top == top);
    MUST(I6, cur->state == TCB_READY && kernel.cpu.handoff == nullptr);
    MUST(I6, cur == kernel.cpu.idle ? top == SCHED_NONE : cur->priority <= top);
    return ready;
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
    MUST(I7, tally.leaves == tally.mapped_frames);
    check_pools(&tally);
    check_live_spaces(&tally);
    check_pending(&tally);
    for (uint32_t i = 0; i < kernel.pools.tcb_fresh; i++)
        if (kernel.tcbs[i].state != TCB_FREE)
            check_thread(&kernel.tcbs[i]);
    check_counts(&tally, check_ready());
    check_irqs();
}
