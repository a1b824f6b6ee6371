/* SPDX-License-Identifier: MIT */
/*
 * import.c - a model of the world right after boot: whatever capabilities the kernel has, and one
 * thread.
 *
 * From then on the model is never told what it can know.
 */
#include "compare.h"

#include "cap/cdt.h"

static uint64_t physical(const struct cap *c) { return arch_ram_addr((const void *)c->object).v; }

static void fill_pool(struct m_object *o, const struct pool *p)
{
    o->pool.free = p->free;
    o->pool.entries = p->entries;
}

static void fill_thread(struct m_object *o, const struct tcb *k)
{
    struct m_thread *t = m_new(sizeof *t);

    o->thread = t;
    t->object = o;
    t->serial = m->last_serial = k->serial;
    t->state = (enum kozo_thread_state)k->state;
    t->priority = k->priority;
    t->ceiling = k->ceiling;
    t->flags = k->flags;
    t->started = k->started;
    t->regs = (struct m_regs){ .rax = k->frame.error,
                               .rbx = k->frame.deadline,
                               .ip = k->frame.ip,
                               .sp = k->frame.sp,
                               .flags = k->frame.flags };
    for (uint32_t i = 0; i < FRAME_REGS; i++)
        t->regs.reg[i] = k->frame.reg[i];
    m_queue_push(&m->threads, t);
    m->current = t;
}

/* What a capability names that was not met before. */
static struct m_object *object_new(const struct cap *c)
{
    struct m_object *o = m_object_new(c->kind);

    o->bits = c->size_bits;
    o->device = (c->flags & CAP_DEVICE) != 0;
    switch (c->kind) {
    case KOZO_KIND_UNTYPED:
        o->base = c->object;
        o->untyped.watermark = c->a;
        o->untyped.cleared = c->b;
        break;
    case KOZO_KIND_FRAME:
        o->base = c->object;
        break;
    case KOZO_KIND_THREAD:
        o->twin = c->object;
        fill_thread(o, (const struct tcb *)c->object);
        break;
    case KOZO_KIND_THREAD_POOL:
        o->twin = c->object + 1;
        fill_pool(o, &kernel.pools.pool[c->object]);
        break;
    default:
        o->base = physical(c);
    }
    if (c->kind == KOZO_KIND_CNODE)
        o->cnode.slot = m_new(sizeof(struct m_cap *) << o->bits);
    if (c->kind == KOZO_KIND_ADDRESS_SPACE)
        o->space.live = true;
    return o;
}

static bool names_object(enum kozo_kind kind)
{
    return kind != KOZO_KIND_IO_PORT && kind != KOZO_KIND_IRQ_CONTROL && kind != KOZO_KIND_DEBUG;
}

static struct m_object *object_for(const struct cap *c)
{
    if (!names_object(c->kind))
        return nullptr;
    for (struct m_object *o = m->objects; o != nullptr; o = o->next)
        if (o->kind == c->kind && compare_kernel_object(o) == c->object)
            return o;
    return object_new(c);
}

/* ---- where things lie: known once all objects are ---- */

static bool lies_in_cnode(struct m_cap *c, const struct slot *s)
{
    for (struct m_object *o = m->objects; o != nullptr; o = o->next) {
        const struct slot *first =
            o->kind == KOZO_KIND_CNODE ? (const void *)compare_kernel_object(o) : nullptr;

        if (first != nullptr && s >= first && s < first + (1ull << o->bits)) {
            c->where = M_SLOT;
            c->within = o;
            c->index = (uint64_t)(s - first);
            return true;
        }
    }
    return false;
}

static void find_place(struct m_cap *c, const struct slot *s)
{
    for (uint32_t i = 0; i < m->threads.n && !lies_in_cnode(c, s); i++) {
        const struct tcb *k = (const struct tcb *)m->threads.item[i]->object->twin;

        if (s >= k->binding && s < k->binding + TCB_BINDINGS) {
            c->where = M_BINDING;
            c->within = m->threads.item[i]->object;
            c->index = (uint64_t)(s - k->binding);
        }
    }
    if (c->where == M_NOWHERE)
        lockstep_fail("a slot at boot is in no CNode and no thread");
    c->place = m_place(c->where, c->within, c->index);
    *c->place = c;
}

/* ---- the tree ---- */

static struct m_cap *cap_for(const struct cap *c)
{
    struct m_cap *cap = m_cap_new(c->kind, object_for(c), c->rights);

    cap->user = c->user_rights;
    cap->badged = (c->flags & CAP_BADGED) != 0;
    cap->badge = m_has_badge(c->kind) ? c->a : 0;
    if (c->kind == KOZO_KIND_IO_PORT) {
        cap->first = c->object & 0xffff;
        cap->last = (uint32_t)(c->object >> 16);
    }
    return cap;
}

static void import_below(struct m_cap *top, struct slot *of)
{
    struct m_cap **link = &top->child;

    for (struct entry e = of->open_next; !cdt_same(e, cdt_close(of)); e = cdt_slot(e)->close_next) {
        struct m_cap *c = cap_for(&cdt_slot(e)->cap);

        c->parent = top;
        *link = c;
        link = &c->next;
        import_below(c, cdt_slot(e));
    }
}

static void place_below(struct m_cap *top, struct slot *of)
{
    struct m_cap *c = top->child;

    for (struct entry e = of->open_next; c != nullptr; e = cdt_slot(e)->close_next, c = c->next) {
        find_place(c, cdt_slot(e));
        place_below(c, cdt_slot(e));
    }
}

void import_world(void)
{
    const struct tcb *k = kernel.cpu.current;

    m_world_reset(HOST_RAM_BASE, machine.ram_bytes, CONFIG_MAX_THREADS);
    import_below(&m->root, &kernel.root);
    place_below(&m->root, &kernel.root);
    for (struct m_object *o = m->objects; o != nullptr; o = o->next)
        if (o->kind == KOZO_KIND_THREAD) {
            struct m_thread *t = o->thread;

            for (struct m_object *p = m->objects; p != nullptr; p = p->next)
                if (p->kind == KOZO_KIND_THREAD_POOL && p->twin == k->pool + 1)
                    t->pool = p;
            t->buffer = arch_ram_addr(k->buffer).v;
        }
    m->now = machine.now;
    m->charged = machine.now;
}
