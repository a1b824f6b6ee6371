/* SPDX-License-Identifier: MIT */
/*
 * apic.c - the local APIC and the I/O APIC while the kernel runs.
 *
 * Owns:      the masks of the interrupt lines.
 * Not here:  finding and starting them (start/apic.c), the timer (timer.c), who handles a line
 *            (irq/).
 * Cost:      O(1).
 * Spec:      docs/spec/interrupts.md
 */
#include "base/log.h"
#include "cpu.h"

uint32_t x86_apic_read(uint32_t reg)
{
    return *(volatile uint32_t *)((char *)x86_device(X86_DEVICE_APIC) + reg);
}

void x86_apic_write(uint32_t reg, uint32_t value)
{
    *(volatile uint32_t *)((char *)x86_device(X86_DEVICE_APIC) + reg) = value;
}

void x86_apic_eoi(void) { x86_apic_write(APIC_EOI, 0); }

/* The I/O APIC has two registers: one selects, the other is what was selected. */
static volatile uint32_t *ioapic_window(uint32_t reg)
{
    volatile uint32_t *base = x86_device(X86_DEVICE_IOAPIC);

    base[0] = reg;
    return &base[4];
}

uint32_t x86_ioapic_read(uint32_t reg) { return *ioapic_window(reg); }
void x86_ioapic_write(uint32_t reg, uint32_t value) { *ioapic_window(reg) = value; }

static void entry_set(uint32_t line, uint32_t entry)
{
    x86.irq_entry[line] = entry;
    x86_ioapic_write(IOAPIC_ENTRY(line), entry);
}

void arch_irq_mask(uint32_t line)
{
    kassert(line < ARCH_IRQ_LINES);
    entry_set(line, x86.irq_entry[line] | APIC_MASKED);
}

void arch_irq_unmask(uint32_t line)
{
    kassert(line < ARCH_IRQ_LINES);
    entry_set(line, x86.irq_entry[line] & ~APIC_MASKED);
}

/* Vectors 32 to 95 wait in the second and third word of the request register. */
bool arch_irq_pending(void)
{
    return (x86_apic_read(APIC_IRR + 0x10) | x86_apic_read(APIC_IRR + 0x20)) != 0;
}
