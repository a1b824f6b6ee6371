/* SPDX-License-Identifier: MIT */
#include "cap/pending.h"

#include "arch/arch.h"
#include "base/log.h"
#include "cap/object.h"
#include "cap/pool.h"
#include "kernel.h"

/*
 * A zombie's capability: `rights` the kind it was, `a` how far it is taken apart (a CNode's next
 * slot, a pool's index), `object` and `b` the zombies after and before it in the list.
 */
static struct slot *zombie_next(const struct slot *z) { return (struct slot *)z->cap.object; }
static struct slot *zombie_prev(const struct slot *z) { return (struct slot *)z->cap.b; }

static void zombie_link(struct slot *z)
{
    struct slot *head = kernel.pending.zombies;

    z->cap.object = (uint64_t)head;
    z->cap.b = 0;
    if (head != nullptr)
        head->cap.b = (uint64_t)z;
    kernel.pending.zombies = z;
    kernel.pending.zombie_count++;
}

static void zombie_unlink(struct slot *z)
{
    struct slot *next = zombie_next(z), *prev = zombie_prev(z);

    if (prev != nullptr)
        prev->cap.object = (uint64_t)next;
    else
        kernel.pending.zombies = next;
    if (next != nullptr)
        next->cap.b = (uint64_t)prev;
    kernel.pending.zombie_count--;
}

void pending_bury(struct slot *s, struct slot *grave)
{
    struct cap cap = s->cap;
    bool pool = cap.kind == KOZO_KIND_THREAD_POOL;
    uint16_t own = cap.flags & (CAP_BINDING | CAP_IRQ);

    cdt_move(grave, s);
    grave->cap = (struct cap){
        .kind = KOZO_KIND_ZOMBIE,
        .size_bits = cap.size_bits,
        .rights = cap.kind,
        .a = pool ? cap.object : 1, /* a CNode's slot 0 is its grave */
    };
    s->cap = (struct cap){};
    zombie_link(grave);
    slot_owner_lost(s, own);
}

static void zombie_end(struct slot *z)
{
    zombie_unlink(z);
    slot_clear(z);
}

/*
 * Delete one descendant of the revoke's root, or end the revoke. No zombie is left when this is
 * called.
 */
static void step_revoke(void)
{
    struct slot *root = kernel.pending.revoke;

    if (cdt_has_children(root)) {
        slot_revoke(cdt_slot(root->open_next));
        return;
    }
    kernel.pending.revoke = nullptr;
    if (root == &kernel.pending.anchor)
        slot_delete(root);
}

static void step_pool(struct slot *z)
{
    struct slot *first = cdt_slot(z->open_next);

    if (first == z) {
        uint32_t index = (uint32_t)z->cap.a;

        zombie_end(z);
        pool_free(index);
    } else if (first->cap.kind != KOZO_KIND_ZOMBIE) {
        slot_delete(first);
    } else { /* a zombie itself: have it done first */
        zombie_unlink(first);
        zombie_link(first);
    }
}

static void step_zombie(struct slot *z)
{
    switch (z->cap.rights) {
    case KOZO_KIND_CNODE:
        if (z->cap.a < 1ull << z->cap.size_bits)
            slot_delete(&z[z->cap.a++]);
        else
            zombie_end(z);
        break;
    case KOZO_KIND_ENDPOINT:
        if (!endpoint_step(z))
            zombie_end(z);
        break;
    case KOZO_KIND_NOTIFICATION:
        if (!notification_step(z))
            zombie_end(z);
        break;
    case KOZO_KIND_THREAD_POOL:
        step_pool(z);
        break;
    default:
        panic("zombie of kind %u", z->cap.rights);
    }
}

bool pending_busy(void)
{
    const struct pending *p = &kernel.pending;

    return p->revoke != nullptr || p->zombies != nullptr || p->stopped != nullptr;
}

void pending_revoke(struct slot *s)
{
    kassert(!pending_busy());
    kernel.pending.revoke = s;
}

bool pending_slot_going(struct slot *s)
{
    struct pending *p = &kernel.pending;
    uint16_t own = s->cap.flags & (CAP_BINDING | CAP_IRQ);

    if (s != p->revoke) [[clang::likely]]
        return false;
    /* the anchor goes with the pool above it, and all below too */
    if (!cdt_has_children(s) || s == &p->anchor) {
        p->revoke = nullptr;
        return false;
    }
    p->anchor.cap = s->cap;
    p->anchor.cap.flags &= (uint16_t)~own;
    cdt_move(&p->anchor, s);
    s->cap = (struct cap){};
    p->revoke = &p->anchor;
    slot_owner_lost(s, own);
    return true;
}

void pending_slot_moved(struct slot *to, struct slot *from)
{
    if (kernel.pending.revoke == from)
        kernel.pending.revoke = to;
}

/* ---- those who wait for their turn ---- */

void pending_ask(struct tcb *t)
{
    struct pending *p = &kernel.pending;

    t->asks.ip = frame_ip(&t->frame);
    if (t->asks.queued)
        return;
    t->asks.queued = true;
    t->asks.next = nullptr;
    t->asks.prev = p->last_asker;
    if (p->last_asker != nullptr)
        p->last_asker->asks.next = t;
    else
        p->asker = t;
    p->last_asker = t;
}

void pending_forget(struct tcb *t)
{
    struct pending *p = &kernel.pending;

    if (!t->asks.queued) [[clang::likely]]
        return;
    if (t->asks.prev != nullptr)
        t->asks.prev->asks.next = t->asks.next;
    else
        p->asker = t->asks.next;
    if (t->asks.next != nullptr)
        t->asks.next->asks.prev = t->asks.prev;
    else
        p->last_asker = t->asks.prev;
    t->asks = (struct asks){};
}

/* The oldest one's turn has come; nothing is under way. */
static void step_ask(struct tcb *t)
{
    uint64_t ip = t->asks.ip;

    pending_forget(t);
    call_asked_for(t, ip);
}

/* ---- steps ---- */

bool pending_any(void) { return pending_busy() || kernel.pending.asker != nullptr; }

/* Of what is under way. */
static void step(void)
{
    struct pending *p = &kernel.pending;

    p->steps++;
    if (p->zombies != nullptr)
        step_zombie(p->zombies);
    else if (p->stopped != nullptr)
        thread_stopped_step(p->stopped);
    else
        step_revoke();
}

bool pending_step(void)
{
    struct pending *p = &kernel.pending;

    if (pending_busy()) {
        step();
        return true;
    }
    if (p->asker == nullptr)
        return false;
    p->steps++;
    step_ask(p->asker);
    return true;
}

void pending_steps(uint64_t n)
{
    if (!pending_any()) [[clang::likely]]
        return;
    while (n-- > 0 && pending_step()) {
    }
}

/* A step may be made: `left` of them are before it is time to look whether an interrupt waits. */
static inline bool may_step(uint32_t *left)
{
    if (*left == 0) {
        if (arch_irq_pending())
            return false;
        *left = PENDING_BATCH;
    }
    --*left;
    return true;
}

/* Finish what is under way; false when that was preempted. */
static inline bool work(uint32_t *left)
{
    while (pending_busy()) {
        if (!may_step(left))
            return false;
        step();
    }
    return true;
}

bool pending_turn(struct tcb *t, uint32_t *left)
{
    while (work(left)) {
        struct tcb *asker = kernel.pending.asker;

        if (asker == nullptr || asker == t) {
            pending_forget(t);
            return true;
        }
        if (!may_step(left))
            return false;
        (void)pending_step();
    }
    return false;
}

bool pending_finish(uint64_t number, uint32_t *left)
{
    return kernel.pending.number > number || work(left);
}
