/* SPDX-License-Identifier: MIT */
/*
 * compare.c - is the kernel in the state that the model says? Capabilities and their tree; what
 * they name.
 *
 * Not here:  threads and queues (compare_threads.c).
 */
#include "compare.h"

#include "cap/cdt.h"
#include "cap/untyped.h"
#include "mem/vspace.h"
#include <string.h>

/* ---- the same things, on either side ---- */

static void *ram(uint64_t address) { return arch_ram((struct paddr){ address }); }

uint64_t compare_kernel_object(const struct m_object *o)
{
    switch (o->kind) {
    case KOZO_KIND_UNTYPED:
    case KOZO_KIND_FRAME:
    case KOZO_KIND_PAGE_TABLE:
    case KOZO_KIND_IRQ_HANDLER:
        return o->base;
    case KOZO_KIND_THREAD:
        return o->twin;
    case KOZO_KIND_REPLY:
        return o->thread->object->twin;
    case KOZO_KIND_THREAD_POOL:
        return o->twin - 1;
    default:
        return (uint64_t)ram(o->base);
    }
}

static const struct slot *grave_of(const struct m_object *o)
{
    switch (o->kind) {
    case KOZO_KIND_CNODE:
        return ram(o->base);
    case KOZO_KIND_ENDPOINT:
        return &((const struct endpoint *)ram(o->base))->grave;
    case KOZO_KIND_NOTIFICATION:
        return &((const struct notification *)ram(o->base))->grave;
    default:
        return &kernel.pools.pool[o->twin - 1].grave;
    }
}

const void *compare_kernel_slot(const struct m_cap *c)
{
    if (c == &m->root)
        return &kernel.root;
    switch (c->where) {
    case M_SLOT:
        return (const struct slot *)ram(c->within->base) + c->index;
    case M_BINDING:
        return &((const struct tcb *)c->within->twin)->binding[c->index];
    case M_LINE:
        return &kernel.irqs.line[c->index].ntfn;
    case M_ANCHOR:
        return &kernel.pending.anchor;
    default:
        return grave_of(c->within);
    }
}

/* A place as text, for messages. */
static const char *place(const struct m_cap *c)
{
    static const char *const where[] = { "nowhere", "slot", "binding", "line", "anchor", "grave" };
    static char text[80];

    snprintf(text, sizeof text, "%s %llu of %s %#llx", where[c->where],
             (unsigned long long)c->index,
             c->within != nullptr ? name_of_kind(c->within->kind) : "-",
             c->within != nullptr ? (unsigned long long)c->within->base : 0ull);
    return text;
}

#define SAME(c, got, want) COMPARE_SAME(place(c), got, want)

void compare_same(const char *of, const char *what, uint64_t got, uint64_t want)
{
    if (got != want)
        lockstep_fail("%s: %s is %#llx, the model says %#llx", of, what, (unsigned long long)got,
                      (unsigned long long)want);
}

/* ---- objects ---- */

/* The first sight of a thread or pool: which of the kernel's it is nobody foretells. */
static void meet(struct m_object *o, const struct cap *c)
{
    uint64_t twin = o->kind == KOZO_KIND_THREAD ? c->object : c->object + 1;

    for (const struct m_object *other = m->objects; other != nullptr; other = other->next)
        if (other->kind == o->kind && other->twin == twin && m_count_caps(other) > 0)
            lockstep_fail("a new %s is one that lives already", name_of_kind(o->kind));
    o->twin = twin;
    if (o->kind != KOZO_KIND_THREAD)
        return;
    o->thread->serial = ((const struct tcb *)twin)->serial;
    if (o->thread->serial <= m->last_serial)
        lockstep_fail("serial %llu is not new", (unsigned long long)o->thread->serial);
    m->last_serial = o->thread->serial;
}

static void compare_cnode(const struct m_object *o)
{
    const struct slot *s = ram(o->base);

    for (uint64_t i = 0; i < 1ull << o->bits; i++) {
        bool full = i == 0 ? o->grave != nullptr && o->grave->where == M_GRAVE
                           : o->cnode.slot[i] != nullptr;

        if (slot_is_null(&s[i]) == full)
            lockstep_fail("slot %llu of CNode %#llx is %s, the model says %s",
                          (unsigned long long)i, (unsigned long long)o->base,
                          full ? "empty" : "full", full ? "full" : "empty");
        if (!full && cdt_is_linked(&s[i]))
            lockstep_fail("slot %llu of CNode %#llx is empty but linked", (unsigned long long)i,
                          (unsigned long long)o->base);
    }
}

static void compare_pool(const struct m_cap *c)
{
    const struct pool *p = &kernel.pools.pool[c->object->twin - 1];

    SAME(c, p->free, c->object->pool.free);
    SAME(c, p->entries, c->object->pool.entries);
    if (c->object->pool.parent != nullptr)
        SAME(c, p->parent, c->object->pool.parent->twin - 1);
}

/* The object that a capability names, at the first of its capabilities; a zombie's at its only one.
 */
static void compare_object(struct m_cap *c)
{
    if (c->parent->object == c->object)
        return;
    switch (c->object->kind) {
    case KOZO_KIND_CNODE:
        compare_cnode(c->object);
        break;
    case KOZO_KIND_ENDPOINT:
        compare_endpoint(c->object, ram(c->object->base));
        break;
    case KOZO_KIND_NOTIFICATION:
        compare_ntfn(c->object, ram(c->object->base));
        break;
    case KOZO_KIND_THREAD_POOL:
        compare_pool(c);
        break;
    case KOZO_KIND_ADDRESS_SPACE:
        compare_space(c->object);
        break;
    default:
        break;
    }
}

/* ---- a capability ---- */

static uint64_t object_word(const struct m_cap *c)
{
    if (c->kind == KOZO_KIND_IO_PORT)
        return c->first | (uint64_t)c->last << 16;
    return c->object != nullptr ? compare_kernel_object(c->object) : 0;
}

static bool has_size(enum kozo_kind kind)
{
    return kind == KOZO_KIND_UNTYPED || kind == KOZO_KIND_CNODE || kind == KOZO_KIND_FRAME;
}

static void compare_marks(struct m_cap *c, const struct slot *s)
{
    const struct m_object *o = c->object;

    if (c->kind == KOZO_KIND_UNTYPED) {
        SAME(c, s->cap.a, o->untyped.watermark);
        SAME(c, max_u64(s->cap.b, s->cap.a), max_u64(o->untyped.cleared, o->untyped.watermark));
    }
    if (has_size(c->kind)) {
        SAME(c, s->cap.size_bits, o->bits);
        SAME(c, (s->cap.flags & CAP_DEVICE) != 0, o->device);
    }
    if (c->kind == KOZO_KIND_FRAME)
        SAME(c, vspace_is_mapped(s), m_frame_entry(c) != nullptr);
}

static void compare_cap(struct m_cap *c, const struct slot *s)
{
    SAME(c, s->cap.kind, c->kind);
    if (c->kind == KOZO_KIND_ZOMBIE) {
        SAME(c, s->cap.rights, c->object->kind);
        return;
    }
    if ((c->kind == KOZO_KIND_THREAD || c->kind == KOZO_KIND_THREAD_POOL) && c->object->twin == 0)
        meet(c->object, &s->cap);
    SAME(c, s->cap.object, object_word(c));
    SAME(c, s->cap.rights, c->rights);
    SAME(c, s->cap.user_rights, c->user);
    SAME(c, (s->cap.flags & CAP_BADGED) != 0, c->badged);
    if (m_has_badge(c->kind))
        SAME(c, s->cap.a, c->badge);
    compare_marks(c, s);
}

/* ---- the tree ---- */

/* What is below `top`, in the order of the tour; returns the entry before the closing one of `top`.
 */
static struct entry compare_below(struct m_cap *top, struct entry at)
{
    for (struct m_cap *c = top->child; c != nullptr; c = c->next) {
        struct slot *want = (struct slot *)(uintptr_t)compare_kernel_slot(c);

        at = cdt_next(at);
        if (!cdt_same(at, cdt_open(want)))
            lockstep_fail("%s: not where the tree should have it", place(c));
        if (c->parent != top)
            lockstep_fail("the model's tree is broken");
        compare_cap(c, want);
        if (c->object != nullptr)
            compare_object(c);
        at = cdt_next(compare_below(c, at));
        if (!cdt_same(at, cdt_close(want)))
            lockstep_fail("%s: has more below it than the model says", place(c));
    }
    return at;
}

static void compare_pending(void)
{
    const struct slot *z = kernel.pending.zombies;

    for (uint32_t i = 0; i < m->zombies; i++) {
        if (z != compare_kernel_slot(m->zombie[i]))
            lockstep_fail("zombie %u is another one", i);
        z = (const struct slot *)z->cap.object;
    }
    if (z != nullptr)
        lockstep_fail("there are more than %u zombies", m->zombies);
    compare_stopped();
    compare_asking();
    if (kernel.pending.revoke != (m->revoke != nullptr ? compare_kernel_slot(m->revoke) : nullptr))
        lockstep_fail("the root of the revoke under way is another");
}

void compare_all(void)
{
    struct entry last = compare_below(&m->root, cdt_open(&kernel.root));

    if (!cdt_same(cdt_next(last), cdt_close(&kernel.root)))
        lockstep_fail("there are more capabilities than the model says");
    compare_same("the system", "kernel.caps", kernel.caps, m_tree_count(&m->root));
    compare_same("the system", "kernel.bytes_free", kernel.bytes_free, m_bytes_free());
    compare_pending();
    compare_threads();
}

/* ---- what Frames hold ---- */

static void compare_frames(const struct m_cap *top)
{
    for (const struct m_cap *c = top->child; c != nullptr; c = c->next) {
        uint64_t bytes =
            c->kind == KOZO_KIND_FRAME && !c->object->device ? 1ull << c->object->bits : 0;

        if (bytes != 0 && m_is_ram(c->object->base, bytes) &&
            memcmp(ram(c->object->base), m_ram(c->object->base), bytes) != 0)
            lockstep_fail("Frame %#llx holds what nobody wrote",
                          (unsigned long long)c->object->base);
        compare_frames(c);
    }
}

void compare_memory(void) { compare_frames(&m->root); }
