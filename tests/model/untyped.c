/* SPDX-License-Identifier: MIT */
/*
 * untyped.c - the model's Untyped memory: memory.md, `Untyped` and `Retype`; sizes from abi.md.
 */
#include "model.h"

#include <string.h>

static uint64_t object_bytes(uint64_t kind, uint64_t bits)
{
    if (kind == KOZO_KIND_UNTYPED)
        return bits >= 6 && bits <= 40 ? 1ull << bits : 0;
    if (kind == KOZO_KIND_CNODE)
        return bits >= 1 && bits <= 20 ? 64ull << bits : 0;
    if (kind == KOZO_KIND_FRAME)
        return bits == 12 || bits == 21 ? 1ull << bits : 0;
    if (bits != 0)
        return 0;
    if (kind == KOZO_KIND_ENDPOINT || kind == KOZO_KIND_NOTIFICATION)
        return 128;
    if (kind == KOZO_KIND_ADDRESS_SPACE)
        return 8192;
    return kind == KOZO_KIND_PAGE_TABLE ? 4096 : 0;
}

static uint64_t round_up(uint64_t v, uint64_t to) { return v % to == 0 ? v : v - v % to + to; }

static struct m_plan bad_plan(enum kozo_err err) { return (struct m_plan){ .err = err }; }

struct m_plan m_retype_plan(const struct m_object *untyped, uint64_t what, uint64_t count)
{
    uint64_t kind = what & 0xff, bits = what >> 8, bytes = object_bytes(kind, bits);
    uint64_t end = untyped->base + (1ull << untyped->bits), start;

    if (bytes == 0 || count == 0 || count > 256)
        return bad_plan(KOZO_ERR_ARGUMENT);
    if (untyped->device && kind != KOZO_KIND_FRAME && kind != KOZO_KIND_UNTYPED)
        return bad_plan(KOZO_ERR_ARGUMENT);
    start = round_up(untyped->untyped.watermark,
                     kind == KOZO_KIND_CNODE && bytes > 4096 ? 4096 : bytes);
    if (start > end || (end - start) / bytes < count)
        return bad_plan(KOZO_ERR_NOMEM);
    return (struct m_plan){
        .kind = (enum kozo_kind)kind,
        .bits = (uint8_t)bits,
        .bytes = bytes,
        .start = start,
        .end = start + count * bytes,
        .count = count,
    };
}

bool m_untyped_clear(struct m_object *untyped, uint64_t end)
{
    uint64_t at = untyped->untyped.cleared;

    if (at < untyped->untyped.watermark)
        at = untyped->untyped.watermark;
    while (at < end) {
        uint64_t stop = at - at % 4096 + 4096;

        if (stop > end)
            stop = end;
        memset(m_ram(at), 0, stop - at);
        at = untyped->untyped.cleared = stop;
        if (at < end && m_interrupt_waits())
            return false;
    }
    if (untyped->untyped.cleared < at)
        untyped->untyped.cleared = at;
    return true;
}

static kozo_rights all_rights(enum kozo_kind kind)
{
    static const kozo_rights rights[] = {
#define KOZO_KIND(nr, NAME, Name, all, text) [nr] = all,
#include <kozo/kinds.def>
#undef KOZO_KIND
    };
    return rights[kind];
}

static struct m_object *object_at(const struct m_object *untyped, const struct m_plan *plan,
                                  uint64_t at)
{
    struct m_object *o = m_object_new(plan->kind);

    o->base = at;
    o->bits = plan->bits;
    o->device = untyped->device;
    if (plan->kind == KOZO_KIND_UNTYPED) {
        uint64_t known = untyped->untyped.cleared;

        o->untyped.watermark = o->untyped.cleared = at;
        if (known > at)
            o->untyped.cleared = known < at + plan->bytes ? known : at + plan->bytes;
    }
    if (plan->kind == KOZO_KIND_CNODE)
        o->cnode.slot = m_new(sizeof(struct m_cap *) << plan->bits);
    if (plan->kind == KOZO_KIND_ADDRESS_SPACE)
        o->space.live = true;
    return o;
}

void m_retype(struct m_cap *untyped, const struct m_plan *plan, struct m_object *cnode,
              uint64_t index)
{
    struct m_object *u = untyped->object;
    uint64_t at = plan->start;

    for (uint64_t i = 0; i < plan->count; i++, at += plan->bytes) {
        struct m_cap *c = m_cap_new(plan->kind, object_at(u, plan, at), all_rights(plan->kind));

        c->user = plan->kind == KOZO_KIND_ENDPOINT ? 0xff : 0;
        m_cap_put(c, untyped, M_SLOT, cnode, index + i);
    }
    u->untyped.watermark = plan->end;
    if (u->untyped.cleared < plan->end)
        u->untyped.cleared = plan->end;
}
