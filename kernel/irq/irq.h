/* SPDX-License-Identifier: MIT */
/*
 * irq.h - an interrupt line becomes a notification, masked until acknowledged.
 *
 * Owns:      the table of lines.
 * Not here:  the interrupt controllers (the port).
 * Callers:   kernel_interrupt, syscall/, destruction. Kernel lock held.
 * Cost:      O(1).
 * Spec:      docs/spec/interrupts.md; I8.
 */
#pragma once

#include "arch/arch.h"
#include "cap/slot.h"

struct irqs {
    struct irq {
        struct slot ntfn; /* derived from the capability it was bound with */
        uint64_t bits;
        bool claimed;
        bool pending; /* delivered and not acknowledged */
        bool unmasked;
    } line[ARCH_IRQ_LINES];
};

void irq_deliver(uint32_t line);
NODISCARD enum kozo_err irq_claim(struct slot *control, uint32_t line, struct slot *dst);
void irq_bind(uint32_t line, struct slot *ntfn, uint64_t bits);
NODISCARD enum kozo_err irq_ack(uint32_t line);
