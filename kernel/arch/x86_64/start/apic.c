/* SPDX-License-Identifier: MIT */
/*
 * apic.c - interrupt controllers: the old pair off, the local APIC on, every line of the I/O APIC
 * masked.
 */
#include "base/log.h"
#include "start.h"

#define APIC_BASE_ENABLED (1ull << 11)
#define APIC_BASE_X2 (1ull << 10)
#define APIC_BASE_ADDRESS 0x000ffffffffff000ull
#define SPURIOUS_ENABLED 0x100u
#define DIVIDE_BY_1 0xbu

uint64_t apic_base(void) { return x86_rdmsr(MSR_APIC_BASE) & APIC_BASE_ADDRESS; }

#define PIC_MASTER 0x20
#define PIC_SLAVE 0xa0
#define PIC_INIT 0x11 /* edge, cascade, ICW4 follows */
#define PIC_8086 1

/* Both to the same eight vectors, and silent. */
static void pic_silence(void)
{
    x86_out8(PIC_MASTER, PIC_INIT);
    x86_out8(PIC_SLAVE, PIC_INIT);
    x86_out8(PIC_MASTER + 1, X86_VECTOR_PIC);
    x86_out8(PIC_SLAVE + 1, X86_VECTOR_PIC);
    x86_out8(PIC_MASTER + 1, 4); /* the slave is at line 2 */
    x86_out8(PIC_SLAVE + 1, 2);
    x86_out8(PIC_MASTER + 1, PIC_8086);
    x86_out8(PIC_SLAVE + 1, PIC_8086);
    x86_out8(PIC_MASTER + 1, 0xff);
    x86_out8(PIC_SLAVE + 1, 0xff);
}

static void local_start(void)
{
    uint64_t base = x86_rdmsr(MSR_APIC_BASE);

    if (base & APIC_BASE_X2)
        panic("processor: the local APIC is in x2APIC mode, expected xAPIC");
    x86_wrmsr(MSR_APIC_BASE, base | APIC_BASE_ENABLED);
    x86_apic_write(APIC_SPURIOUS, SPURIOUS_ENABLED | X86_VECTOR_SPURIOUS);
    x86_apic_write(APIC_TPR, 0);
    x86_apic_write(APIC_LVT_LINT0, APIC_MASKED);
    x86_apic_write(APIC_LVT_LINT1, APIC_NMI);
    x86_apic_write(APIC_LVT_ERROR, APIC_MASKED);
    x86_apic_write(APIC_LVT_TIMER, X86_VECTOR_TIMER); /* one shot */
    x86_apic_write(APIC_TIMER_DIVIDE, DIVIDE_BY_1);
    x86_apic_write(APIC_EOI, 0);
}

#define ENTRY_ACTIVE_LOW (1u << 13)
#define ENTRY_LEVEL (1u << 15)
#define FLAG_POLARITY(f) ((f) & 3u)
#define FLAG_TRIGGER(f) ((f) >> 2 & 3u)
#define FLAG_BUS 0u
#define FLAG_LOW 3u
#define FLAG_LEVEL 3u

/*
 * ISA lines are edge, active high; the others PCI: level, active low; unless the firmware says
 * otherwise.
 */
static uint32_t entry_of(const struct acpi_found *acpi, uint32_t line)
{
    uint32_t flags = acpi->irq_flags[line], entry = APIC_MASKED | (X86_VECTOR_IRQ + line);
    bool pci = !acpi->isa[line];

    if (FLAG_POLARITY(flags) == FLAG_LOW || (FLAG_POLARITY(flags) == FLAG_BUS && pci))
        entry |= ENTRY_ACTIVE_LOW;
    if (FLAG_TRIGGER(flags) == FLAG_LEVEL || (FLAG_TRIGGER(flags) == FLAG_BUS && pci))
        entry |= ENTRY_LEVEL;
    return entry;
}

static void io_start(const struct acpi_found *acpi)
{
    uint32_t lines = (x86_ioapic_read(IOAPIC_VERSION) >> 16 & 0xff) + 1;
    uint32_t to = x86_apic_read(APIC_ID) & 0xff000000;

    if (lines < ARCH_IRQ_LINES)
        klog("irq: the I/O APIC has %u lines, expected %u", lines, ARCH_IRQ_LINES);
    for (uint32_t i = 0; i < ARCH_IRQ_LINES; i++) {
        x86_ioapic_write(IOAPIC_ENTRY(i) + 1, to);
        x86.irq_entry[i] = entry_of(acpi, i);
        arch_irq_mask(i);
    }
}

void apic_start(const struct acpi_found *acpi)
{
    pic_silence();
    local_start();
    io_start(acpi);
}
