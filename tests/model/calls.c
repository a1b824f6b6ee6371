/* SPDX-License-Identifier: MIT */
/*
 * calls.c - the model's calls on capabilities and memory; syscalls.md, `Capabilities`, `Memory and
 * objects`.
 */
#include "model.h"

uint32_t m_results(struct m_thread *t, uint64_t r0, uint64_t r1, uint64_t r2)
{
    t->regs.reg[0] = r0;
    t->regs.reg[1] = r1;
    t->regs.reg[2] = r2;
    return KOZO_OK;
}

/* ---- capabilities ---- */

/* Source and destination of CAP_COPY, CAP_MINT, CAP_MOVE: arguments 2, 3 and 0, 1. */
struct both {
    enum kozo_err err;
    struct m_look src, dst;
};
static struct both find_both(struct m_thread *t, const uint64_t *arg, kozo_rights need)
{
    struct both b = {};

    m_steps(1);
    b.src = m_occupied(t, arg[2], arg[3], need);
    b.err = b.src.err;
    if (b.err == KOZO_OK) {
        b.dst = m_empty(t, arg[0], arg[1], 1);
        b.err = b.dst.err;
    }
    return b;
}

static void derive(const struct both *b, uint64_t rights, bool badged, uint64_t badge)
{
    struct m_cap *copy = m_cap_copy(b->src.cap, rights & 0xff, rights >> 8 & 0xff);

    if (badged) {
        copy->badged = true;
        copy->badge = badge;
    }
    m_cap_put(copy, b->src.cap, M_SLOT, b->dst.cnode, b->dst.index);
}

uint32_t m_call_cap_copy(struct m_thread *t, const uint64_t *arg)
{
    struct both b = find_both(t, arg, KOZO_READ);

    if (b.err != KOZO_OK)
        return b.err;
    if (arg[4] > 0xffff)
        return KOZO_ERR_ARGUMENT;
    if (m_is_unique(b.src.cap->kind))
        return KOZO_ERR_UNIQUE;
    derive(&b, arg[4], false, 0);
    return KOZO_OK;
}

uint32_t m_call_cap_mint(struct m_thread *t, const uint64_t *arg)
{
    struct both b = find_both(t, arg, KOZO_READ);
    bool fresh = (arg[4] & KOZO_MINT_FRESH) != 0;
    uint64_t badge = fresh ? m->fresh_badge : arg[5];

    if (b.err != KOZO_OK)
        return b.err;
    if (arg[4] > (KOZO_MINT_FRESH | 0xffff))
        return KOZO_ERR_ARGUMENT;
    if (!m_has_badge(b.src.cap->kind))
        return KOZO_ERR_KIND;
    if (b.src.cap->badged)
        return KOZO_ERR_BADGED;
    derive(&b, arg[4], true, badge);
    return m_results(t, badge, 0, 0);
}

uint32_t m_call_cap_move(struct m_thread *t, const uint64_t *arg)
{
    struct both b = find_both(t, arg, KOZO_WRITE);

    if (b.err != KOZO_OK)
        return b.err;
    m_cap_move(b.src.cap, b.dst.cnode, b.dst.index);
    return KOZO_OK;
}

uint32_t m_call_finish(struct m_thread *t, const uint64_t *arg)
{
    uint32_t made = 0;

    if (!m_finish(arg[0] != 0 ? arg[0] : m->number, &made))
        return M_FINISHES;
    t->regs.reg[0] = 0;
    return KOZO_OK;
}

uint32_t m_destroy(struct m_thread *t, uint64_t number, const uint64_t *arg)
{
    struct m_look r = m_occupied(t, arg[0], arg[1], KOZO_WRITE);

    if (r.err != KOZO_OK)
        return r.err;
    m->number++;
    if (number == KOZO_SYS_CAP_REVOKE)
        m->revoke = r.cap;
    else
        m_cap_delete(r.cap);
    return m_is_under_way() ? (uint32_t)M_FINISHES : (uint32_t)KOZO_OK;
}

static uint32_t when_its_turn_comes(struct m_thread *t, uint64_t number, const uint64_t *arg)
{
    uint32_t end, made = 0;

    if (!m_turn(t, &made))
        return M_ASKS;
    end = m_destroy(t, number, arg);
    return end == M_FINISHES && m_finish(m->number, &made) ? KOZO_OK : end;
}

uint32_t m_call_cap_delete(struct m_thread *t, const uint64_t *arg)
{
    return when_its_turn_comes(t, KOZO_SYS_CAP_DELETE, arg);
}

uint32_t m_call_cap_revoke(struct m_thread *t, const uint64_t *arg)
{
    return when_its_turn_comes(t, KOZO_SYS_CAP_REVOKE, arg);
}

uint64_t m_describe(const struct m_cap *c)
{
    uint64_t what = c->kind | (uint64_t)c->rights << 8 | (uint64_t)c->user << 16;
    const struct m_object *o = c->object;

    if (c->kind == KOZO_KIND_ZOMBIE)
        what |= (uint64_t)o->kind << 8;
    if (o != nullptr &&
        (o->kind == KOZO_KIND_UNTYPED || o->kind == KOZO_KIND_CNODE || o->kind == KOZO_KIND_FRAME))
        what |= (uint64_t)o->bits << 24 | (o->device ? KOZO_VERIFY_DEVICE : 0);
    if (c->badged)
        what |= KOZO_VERIFY_BADGED;
    if (c->kind == KOZO_KIND_FRAME && m_frame_entry(c) != nullptr)
        what |= KOZO_VERIFY_MAPPED;
    return what;
}

static bool same_object(const struct m_cap *a, const struct m_cap *b)
{
    return a->kind == b->kind && a->object == b->object && a->first == b->first &&
           a->last == b->last;
}

uint32_t m_call_cap_verify(struct m_thread *t, const uint64_t *arg)
{
    struct m_look r = m_slot(t, arg[0], arg[1], KOZO_READ), other = {};
    uint64_t what = 0, badge = 0;

    if (r.err != KOZO_OK)
        return r.err;
    if (arg[3] != 0)
        other = m_slot(t, arg[2], arg[3], KOZO_READ);
    if (other.err != KOZO_OK)
        return other.err;
    if (r.cap != nullptr) {
        what = m_describe(r.cap);
        badge = m_has_badge(r.cap->kind) ? r.cap->badge : 0;
        if (other.cap != nullptr && same_object(r.cap, other.cap))
            what |= KOZO_VERIFY_SAME;
    }
    return m_results(t, what, badge, 0);
}

/* ---- Untyped ---- */

uint32_t m_call_retype(struct m_thread *t, const uint64_t *arg)
{
    struct m_look u, dst;
    struct m_plan plan;

    m_steps(arg[4] < KOZO_RETYPE_MAX ? arg[4] : KOZO_RETYPE_MAX);
    u = m_want(t, arg[0], KOZO_KIND_UNTYPED, KOZO_WRITE);
    if (u.err != KOZO_OK)
        return u.err;
    plan = m_retype_plan(u.cap->object, arg[1], arg[4]);
    if (plan.err != KOZO_OK)
        return plan.err;
    dst = m_empty(t, arg[2], arg[3], arg[4]);
    if (dst.err != KOZO_OK)
        return dst.err;
    if (plan.kind != KOZO_KIND_UNTYPED && !u.cap->object->device &&
        !m_untyped_clear(u.cap->object, plan.end))
        return M_AGAIN;
    m_retype(u.cap, &plan, dst.cnode, dst.index);
    return KOZO_OK;
}

uint32_t m_call_untyped_clear(struct m_thread *t, const uint64_t *arg)
{
    struct m_look u = m_want(t, arg[0], KOZO_KIND_UNTYPED, KOZO_WRITE);
    uint64_t free, bytes = arg[1];
    struct m_object *o;

    if (u.err != KOZO_OK)
        return u.err;
    o = u.cap->object;
    if (o->device)
        return KOZO_ERR_ARGUMENT;
    free = o->base + (1ull << o->bits) - o->untyped.watermark;
    if (bytes < free)
        bytes += (64 - bytes % 64) % 64; /* watermarks are multiples of 64 */
    else
        bytes = free;
    return m_untyped_clear(o, o->untyped.watermark + bytes) ? KOZO_OK : M_AGAIN;
}

uint32_t m_call_untyped_info(struct m_thread *t, const uint64_t *arg)
{
    struct m_look u = m_want(t, arg[0], KOZO_KIND_UNTYPED, KOZO_WRITE);
    const struct m_object *o;
    uint64_t mark, known;

    if (u.err != KOZO_OK)
        return u.err;
    o = u.cap->object;
    mark = o->untyped.watermark;
    known = o->untyped.cleared > mark ? o->untyped.cleared - mark : 0;
    return m_results(t, 1ull << o->bits, o->base + (1ull << o->bits) - mark, known);
}

/* ---- address spaces ---- */

uint32_t m_call_space_feed(struct m_thread *t, const uint64_t *arg)
{
    struct m_look space = m_want(t, arg[0], KOZO_KIND_ADDRESS_SPACE, KOZO_MAP), table;

    if (space.err != KOZO_OK)
        return space.err;
    table = m_want(t, arg[1], KOZO_KIND_PAGE_TABLE, KOZO_MAP);
    return table.err != KOZO_OK ? table.err : m_space_feed(space.cap->object, table.cap->object);
}

uint32_t m_call_map(struct m_thread *t, const uint64_t *arg)
{
    struct m_look space = m_want(t, arg[0], KOZO_KIND_ADDRESS_SPACE, KOZO_MAP), frame;

    if (space.err != KOZO_OK)
        return space.err;
    frame = m_want(t, arg[1], KOZO_KIND_FRAME, KOZO_MAP);
    return frame.err != KOZO_OK ? frame.err : m_map(space.cap->object, frame.cap, arg[2], arg[3]);
}

static struct m_look find_frame(struct m_thread *t, const uint64_t *arg)
{
    struct m_look r = m_occupied(t, arg[0], arg[1], KOZO_WRITE);

    if (r.err == KOZO_OK && r.cap->kind != KOZO_KIND_FRAME)
        r.err = KOZO_ERR_KIND;
    if (r.err == KOZO_OK && (r.cap->rights & KOZO_MAP) == 0)
        r.err = KOZO_ERR_RIGHTS;
    return r;
}

uint32_t m_call_unmap(struct m_thread *t, const uint64_t *arg)
{
    struct m_look frame = find_frame(t, arg);

    if (frame.err != KOZO_OK)
        return frame.err;
    if (m_frame_entry(frame.cap) == nullptr)
        return KOZO_ERR_UNMAPPED;
    m_frame_unmap(frame.cap);
    frame.cap->space = nullptr;
    return KOZO_OK;
}

uint32_t m_call_protect(struct m_thread *t, const uint64_t *arg)
{
    struct m_look frame = find_frame(t, arg);

    return frame.err != KOZO_OK ? frame.err : m_protect(frame.cap, arg[2]);
}
