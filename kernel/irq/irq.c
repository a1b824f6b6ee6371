/* SPDX-License-Identifier: MIT */
#include "irq/irq.h"

#include "base/log.h"
#include "cap/object.h"
#include "ipc/notification.h"
#include "kernel.h"

static void mask(uint32_t line, bool masked)
{
    kernel.irqs.line[line].unmasked = !masked;
    if (masked)
        arch_irq_mask(line);
    else
        arch_irq_unmask(line);
}

/* An unmasked line has a handler with a notification, and no delivery waits to be acknowledged. */
static void update(uint32_t line)
{
    struct irq *irq = &kernel.irqs.line[line];
    bool want = irq->claimed && !irq->pending && !slot_is_null(&irq->ntfn);

    if (want != irq->unmasked)
        mask(line, !want);
}

void irq_deliver(uint32_t line)
{
    struct irq *irq = &kernel.irqs.line[line];

    if (!irq->unmasked) /* spurious: arrived as it was masked */
        return;
    irq->pending = true;
    update(line);
    ntfn_signal((struct notification *)irq->ntfn.cap.object, irq->bits);
}

enum kozo_err irq_claim(struct slot *control, uint32_t line, struct slot *dst)
{
    struct irq *irq = &kernel.irqs.line[line];

    REQUIRE(!irq->claimed, KOZO_ERR_IN_USE);
    /* ---- commit ---- */
    irq->claimed = true;
    irq->pending = false;
    slot_fill(dst, control,
              (struct cap){ .kind = KOZO_KIND_IRQ_HANDLER, .rights = KOZO_WRITE, .object = line });
    return KOZO_OK;
}

void irq_bind(uint32_t line, struct slot *ntfn, uint64_t bits)
{
    struct irq *irq = &kernel.irqs.line[line];

    slot_delete(&irq->ntfn);
    if (ntfn != nullptr) {
        slot_derive(&irq->ntfn, ntfn, KOZO_WRITE, 0);
        irq->ntfn.cap.flags |= CAP_IRQ;
        irq->bits = ntfn_allowed(&ntfn->cap, bits);
    }
    update(line);
}

enum kozo_err irq_ack(uint32_t line)
{
    struct irq *irq = &kernel.irqs.line[line];

    REQUIRE(irq->pending, KOZO_ERR_STATE);
    /* ---- commit ---- */
    irq->pending = false;
    update(line);
    return KOZO_OK;
}

void irq_end(uint32_t line)
{
    struct irq *irq = &kernel.irqs.line[line];

    irq->claimed = false;
    irq->pending = false;
    slot_delete(&irq->ntfn);
    update(line);
}

void irq_binding_lost(struct slot *s)
{
    size_t line = (size_t)((char *)s - (char *)kernel.irqs.line) / sizeof(struct irq);

    update((uint32_t)line);
}
