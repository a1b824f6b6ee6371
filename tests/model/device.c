/* SPDX-License-Identifier: MIT */
/*
 * device.c - the model's interrupt lines, ports and console; interrupts.md, syscalls.md `Debug`.
 */
#include "model.h"

bool m_line_is_open(uint32_t line)
{
    const struct m_line *l = &m->line[line];

    return l->claimed && !l->pending && l->ntfn != nullptr;
}

void m_line_end(struct m_object *handler)
{
    struct m_line *l = &m->line[handler->base];

    l->claimed = l->pending = false;
    if (l->ntfn != nullptr)
        m_cap_delete(l->ntfn);
}

/* ---- interrupts ---- */

uint32_t m_call_irq_claim(struct m_thread *t, const uint64_t *arg)
{
    struct m_look control, dst;
    struct m_object *o;

    m_steps(1);
    control = m_want(t, arg[0], KOZO_KIND_IRQ_CONTROL, KOZO_WRITE);
    if (control.err != KOZO_OK)
        return control.err;
    dst = m_empty(t, arg[2], arg[3], 1);
    if (dst.err != KOZO_OK)
        return dst.err;
    if (arg[1] >= M_LINES)
        return KOZO_ERR_ARGUMENT;
    if (m->line[arg[1]].claimed)
        return KOZO_ERR_IN_USE;
    m->line[arg[1]].claimed = true;
    o = m_object_new(KOZO_KIND_IRQ_HANDLER);
    o->base = arg[1];
    m_cap_put(m_cap_new(KOZO_KIND_IRQ_HANDLER, o, KOZO_WRITE), control.cap, M_SLOT, dst.cnode,
              dst.index);
    return KOZO_OK;
}

uint32_t m_call_irq_bind(struct m_thread *t, const uint64_t *arg)
{
    struct m_look handler, n = {};
    struct m_line *l;

    m_steps(1);
    handler = m_want(t, arg[0], KOZO_KIND_IRQ_HANDLER, KOZO_WRITE);
    if (handler.err != KOZO_OK)
        return handler.err;
    if (arg[1] != 0)
        n = m_want(t, arg[1], KOZO_KIND_NOTIFICATION, KOZO_WRITE);
    if (n.err != KOZO_OK)
        return n.err;
    l = &m->line[handler.cap->object->base];
    if (l->ntfn != nullptr)
        m_cap_delete(l->ntfn);
    if (n.cap != nullptr) {
        m_cap_put(m_cap_copy(n.cap, KOZO_WRITE, 0), n.cap, M_LINE, nullptr,
                  handler.cap->object->base);
        l->bits = n.cap->badged ? arg[2] & n.cap->badge : arg[2];
    }
    return KOZO_OK;
}

uint32_t m_call_irq_ack(struct m_thread *t, const uint64_t *arg)
{
    struct m_look handler = m_want(t, arg[0], KOZO_KIND_IRQ_HANDLER, KOZO_WRITE);
    struct m_line *l;

    if (handler.err != KOZO_OK)
        return handler.err;
    l = &m->line[handler.cap->object->base];
    if (!l->pending)
        return KOZO_ERR_STATE;
    l->pending = false;
    return KOZO_OK;
}

/* ---- ports ---- */

uint32_t m_call_ioport_mint(struct m_thread *t, const uint64_t *arg)
{
    struct m_look src, dst;
    struct m_cap *c;

    m_steps(1);
    src = m_want(t, arg[0], KOZO_KIND_IO_PORT, 0);
    if (src.err != KOZO_OK)
        return src.err;
    dst = m_empty(t, arg[3], arg[4], 1);
    if (dst.err != KOZO_OK)
        return dst.err;
    if (arg[1] > arg[2] || arg[1] < src.cap->first || arg[2] > src.cap->last)
        return KOZO_ERR_ARGUMENT;
    c = m_cap_copy(src.cap, KOZO_RIGHTS_ALL, 0);
    c->first = (uint32_t)arg[1];
    c->last = (uint32_t)arg[2];
    m_cap_put(c, src.cap, M_SLOT, dst.cnode, dst.index);
    return KOZO_OK;
}

static bool is_kernels(uint64_t port)
{
    static const uint8_t kernels[] = { 0x20, 0x21, 0x40, 0x41, 0x42, 0x43, 0xa0, 0xa1 };

    for (uint32_t i = 0; i < sizeof kernels; i++)
        if (port == kernels[i])
            return true;
    return false;
}

static enum kozo_err check_port(const struct m_cap *c, uint64_t port, uint64_t width)
{
    if (width != 1 && width != 2 && width != 4)
        return KOZO_ERR_ARGUMENT;
    if (port > 0xffff)
        return KOZO_ERR_ARGUMENT;
    for (uint64_t i = 0; i < width; i++)
        if (port + i < c->first || port + i > c->last || is_kernels(port + i))
            return KOZO_ERR_ARGUMENT;
    return KOZO_OK;
}

uint32_t m_call_ioport_in(struct m_thread *t, const uint64_t *arg)
{
    struct m_look r = m_want(t, arg[0], KOZO_KIND_IO_PORT, KOZO_READ);
    enum kozo_err err = r.err == KOZO_OK ? check_port(r.cap, arg[1], arg[2]) : r.err;

    if (err != KOZO_OK)
        return err;
    m->port = (struct m_port){ .used = true, .port = arg[1], .width = arg[2] };
    return m_results(t, m->port_in, 0, 0);
}

uint32_t m_call_ioport_out(struct m_thread *t, const uint64_t *arg)
{
    struct m_look r = m_want(t, arg[0], KOZO_KIND_IO_PORT, KOZO_WRITE);
    enum kozo_err err = r.err == KOZO_OK ? check_port(r.cap, arg[1], arg[2]) : r.err;

    if (err != KOZO_OK)
        return err;
    m->port = (struct m_port){
        .used = true, .written = true, .port = arg[1], .width = arg[2], .value = arg[3]
    };
    return KOZO_OK;
}
