/* SPDX-License-Identifier: MIT */
#include "cap/untyped.h"

#include "arch/arch.h"
#include "base/log.h"
#include "cap/object.h"
#include "kernel.h"

#include <stdckdint.h>

struct cap untyped_cap(struct paddr base, uint32_t size_bits, bool device)
{
    return (struct cap){
        .kind = KOZO_KIND_UNTYPED,
        .rights = KOZO_WRITE,
        .size_bits = (uint8_t)size_bits,
        .flags = device ? CAP_DEVICE : 0,
        .object = base.v,
        .a = base.v,
        .b = base.v,
    };
}

/* Bytes of an object; 0 when there is no such object. */
static uint64_t object_bytes(uint64_t kind, uint64_t bits)
{
    switch (kind) {
    case KOZO_KIND_UNTYPED:
        return bits >= KOZO_UNTYPED_MIN_BITS && bits <= KOZO_UNTYPED_MAX_BITS ? 1ull << bits : 0;
    case KOZO_KIND_CNODE:
        return bits >= KOZO_CNODE_MIN_BITS && bits <= KOZO_CNODE_MAX_BITS ? KOZO_SLOT_BYTES << bits
                                                                          : 0;
    case KOZO_KIND_FRAME:
        return bits == KOZO_PAGE_BITS || bits == KOZO_LARGE_BITS ? 1ull << bits : 0;
    case KOZO_KIND_ENDPOINT:
        return bits == 0 ? KOZO_ENDPOINT_BYTES : 0;
    case KOZO_KIND_NOTIFICATION:
        return bits == 0 ? KOZO_NOTIFICATION_BYTES : 0;
    case KOZO_KIND_ADDRESS_SPACE:
        return bits == 0 ? KOZO_ADDRESS_SPACE_BYTES : 0;
    case KOZO_KIND_PAGE_TABLE:
        return bits == 0 ? KOZO_PAGE_SIZE : 0;
    default:
        return 0;
    }
}

/* Objects are aligned to their size; an array of slots needs no more than a page. */
static uint64_t object_alignment(uint64_t kind, uint64_t bytes)
{
    return kind == KOZO_KIND_CNODE ? min_u64(bytes, KOZO_PAGE_SIZE) : bytes;
}

static struct untyped_plan_res plan_err(enum kozo_err err)
{
    return (struct untyped_plan_res){ .err = err };
}

struct untyped_plan_res untyped_plan(const struct slot *untyped, uint64_t what, uint64_t count)
{
    uint64_t kind = what & 0xff, bits = what >> 8;
    uint64_t bytes = object_bytes(kind, bits), total, start, end;
    bool device = (untyped->cap.flags & CAP_DEVICE) != 0;

    if (bytes == 0 || count == 0 || count > KOZO_RETYPE_MAX)
        return plan_err(KOZO_ERR_ARGUMENT);
    if (device && kind != KOZO_KIND_FRAME && kind != KOZO_KIND_UNTYPED)
        return plan_err(KOZO_ERR_ARGUMENT);
    start = align_up(untyped->cap.a, object_alignment(kind, bytes));
    if (ckd_mul(&total, bytes, count) || ckd_add(&end, start, total) || end > untyped_end(untyped))
        return plan_err(KOZO_ERR_NOMEM);
    return (struct untyped_plan_res){
        .plan = { (enum kozo_kind)kind, (uint8_t)bits, bytes, start, end, count },
    };
}

bool untyped_clear(struct slot *untyped, uint64_t end)
{
    struct cap *u = &untyped->cap;

    kassert(end <= untyped_end(untyped) && !(u->flags & CAP_DEVICE));
    u->b = max_u64(u->b, u->a);
    while (u->b < end) {
        uint64_t bytes = min_u64(end, align_down(u->b, KOZO_PAGE_SIZE) + KOZO_PAGE_SIZE) - u->b;

        arch_clear(arch_ram((struct paddr){ u->b }), bytes);
        u->b += bytes;
        if (u->b < end && arch_irq_pending())
            return false;
    }
    return true;
}

/* What a new capability to the object at `at` says. */
static struct cap object_cap(const struct untyped_plan *plan, uint64_t at, bool device)
{
    static const kozo_rights rights[KOZO_KIND_COUNT] = {
#define KOZO_KIND(nr, NAME, Name, all, text) [nr] = all,
#include <kozo/kinds.def>
#undef KOZO_KIND
    };
    bool by_address = plan->kind == KOZO_KIND_FRAME || plan->kind == KOZO_KIND_PAGE_TABLE;

    return (struct cap){
        .kind = plan->kind,
        .rights = rights[plan->kind],
        .user_rights = plan->kind == KOZO_KIND_ENDPOINT ? 0xff : 0,
        .size_bits = plan->size_bits,
        .flags = device ? CAP_DEVICE : 0,
        .object = by_address ? at : (uint64_t)arch_ram((struct paddr){ at }),
    };
}

/* A part of an Untyped is an Untyped; what is known to be zero stays so. */
static struct cap split_cap(const struct slot *untyped, const struct untyped_plan *plan,
                            uint64_t at)
{
    struct cap cap =
        untyped_cap((struct paddr){ at }, plan->size_bits, untyped->cap.flags & CAP_DEVICE);

    kernel.bytes_free += plan->bytes;
    cap.b = max_u64(at, min_u64(at + plan->bytes, untyped->cap.b));
    return cap;
}

void untyped_carve(struct slot *untyped, const struct untyped_plan *plan, struct slot *dst)
{
    bool device = (untyped->cap.flags & CAP_DEVICE) != 0;
    uint64_t at = plan->start;

    for (uint64_t i = 0; i < plan->count; i++, at += plan->bytes) {
        if (plan->kind == KOZO_KIND_UNTYPED)
            slot_fill(&dst[i], untyped, split_cap(untyped, plan, at));
        else
            slot_fill(&dst[i], untyped, object_cap(plan, at, device));
        if (plan->kind == KOZO_KIND_ADDRESS_SPACE)
            space_begin(&dst[i]);
    }
    kernel.bytes_free -= plan->end - untyped->cap.a;
    untyped->cap.a = plan->end;
    untyped->cap.b = max_u64(untyped->cap.b, plan->end);
}

void untyped_child_gone(struct slot *parent)
{
    if (parent->cap.kind != KOZO_KIND_UNTYPED || cdt_has_children(parent))
        return;
    kernel.bytes_free += parent->cap.a - parent->cap.object;
    parent->cap.a = parent->cap.b = parent->cap.object;
}

void untyped_end_of(const struct slot *s) { kernel.bytes_free -= untyped_end(s) - s->cap.a; }
