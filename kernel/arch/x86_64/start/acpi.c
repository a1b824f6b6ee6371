/* SPDX-License-Identifier: MIT */
/*
 * acpi.c - the few facts that only the firmware's tables tell: I/O APIC, HPET, PM timer, power
 * port.
 *
 * A table that is missing or not sound is left out with a line in the log; the usual addresses
 * serve instead. Tables are read through the boot tables, so those above 4 GiB are out of reach;
 * those behind the 64th are not looked at, so that nonsense costs no more than a moment.
 */
#include "acpi.h"

#include "base/log.h"
#include <string.h>

#define REACH (1ull << 32)
#define TABLE_MOST (1u << 20)
#define TABLES_MOST 64u

struct [[gnu::packed]] header { /* at any address: firmware aligns tables as it likes */
    char signature[4];
    uint32_t length;
    uint8_t revision, checksum;
    char oem[10], rest[16];
};
static_assert(sizeof(struct header) == 36);

static uint8_t sum(const void *p, uint64_t bytes)
{
    const uint8_t *b = p;
    uint8_t s = 0;

    while (bytes-- > 0)
        s = (uint8_t)(s + *b++);
    return s;
}

/* A field of a table, wherever it is aligned; 0 beyond its end. */
static uint64_t field(const struct header *t, uint32_t offset, uint32_t bytes)
{
    uint64_t v = 0;

    if (offset + bytes <= t->length)
        memcpy(&v, (const char *)t + offset, bytes);
    return v;
}

static const struct header *table(uint64_t address)
{
    const struct header *t;

    if (address == 0 || address > REACH - sizeof *t)
        return nullptr;
    t = arch_ram((struct paddr){ address });
    if (t->length < sizeof *t || t->length > TABLE_MOST || t->length > REACH - address ||
        sum(t, t->length) != 0) {
        klog("acpi: the table at %lx is not sound, ignored", address);
        return nullptr;
    }
    return t;
}

/* ---- tables ---- */

#define MADT_ENTRIES 44u
#define MADT_IOAPIC 1u
#define MADT_OVERRIDE 2u
#define ISA_LINES 16u

static void read_madt_entry(struct acpi_found *found, const struct header *t, uint32_t offset,
                            uint64_t type)
{
    if (type == MADT_IOAPIC && field(t, offset + 8, 4) == 0) {
        found->ioapic = field(t, offset + 4, 4);
    } else if (type == MADT_OVERRIDE) {
        uint64_t source = field(t, offset + 3, 1), line = field(t, offset + 4, 4);

        if (source < ISA_LINES && line < ARCH_IRQ_LINES) {
            if (source != line)
                found->isa[source] = false;
            found->isa[line] = true;
            found->irq_flags[line] = (uint16_t)field(t, offset + 8, 2);
        }
    }
}

static void read_madt(struct acpi_found *found, const struct header *t)
{
    for (uint32_t offset = MADT_ENTRIES; offset + 2 <= t->length;) {
        uint32_t length = (uint32_t)field(t, offset + 1, 1);

        if (length < 2 || length > t->length - offset)
            break;
        read_madt_entry(found, t, offset, field(t, offset, 1));
        offset += length;
    }
}

#define FADT_PM1A_CONTROL 64u
#define FADT_PM_TIMER 76u
#define FADT_FLAGS 112u
#define FADT_FLAG_TIMER_32 (1u << 8)

static void read_fadt(struct acpi_found *found, const struct header *t)
{
    found->power = (uint16_t)field(t, FADT_PM1A_CONTROL, 4);
    found->pm_timer = (uint16_t)field(t, FADT_PM_TIMER, 4);
    found->pm_timer_32 = field(t, FADT_FLAGS, 4) & FADT_FLAG_TIMER_32;
}

#define HPET_SPACE 40u
#define HPET_ADDRESS 44u

static void read_hpet(struct acpi_found *found, const struct header *t)
{
    uint64_t address = field(t, HPET_ADDRESS, 8);

    if (field(t, HPET_SPACE, 1) == 0 && address < REACH)
        found->hpet = align_down(address, KOZO_PAGE_SIZE);
}

static void read_table(struct acpi_found *found, const struct header *t)
{
    if (memcmp(t->signature, "APIC", 4) == 0)
        read_madt(found, t);
    else if (memcmp(t->signature, "FACP", 4) == 0)
        read_fadt(found, t);
    else if (memcmp(t->signature, "HPET", 4) == 0)
        read_hpet(found, t);
}

/* ---- finding them ---- */

#define RSDP_BYTES 20u
#define RSDP_REVISION 15u
#define RSDP_RSDT 16u
#define RSDP_XSDT 24u
#define RSDP_MOST 36u
#define BIOS_START 0xe0000u
#define BIOS_END 0x100000u

static bool is_rsdp(uint64_t address)
{
    const char *p = arch_ram((struct paddr){ address });

    return memcmp(p, "RSD PTR ", 8) == 0 && sum(p, RSDP_BYTES) == 0;
}

static uint64_t find_rsdp(uint64_t told)
{
    if (told != 0 && told < REACH - RSDP_MOST && is_rsdp(told))
        return told;
    for (uint64_t at = BIOS_START; at < BIOS_END - RSDP_MOST; at += 16)
        if (is_rsdp(at))
            return at;
    return 0;
}

/* The 64-bit list where there is one. */
static const struct header *find_root(uint64_t rsdp, uint32_t *width)
{
    const char *p = arch_ram((struct paddr){ rsdp });
    uint64_t xsdt = 0;
    uint32_t rsdt;

    memcpy(&rsdt, p + RSDP_RSDT, sizeof rsdt);
    if (p[RSDP_REVISION] >= 2)
        memcpy(&xsdt, p + RSDP_XSDT, sizeof xsdt);
    *width = xsdt != 0 ? 8 : 4;
    return table(xsdt != 0 ? xsdt : rsdt);
}

void acpi_read(struct acpi_found *found, uint64_t told)
{
    uint64_t rsdp = find_rsdp(told);
    const struct header *root;
    uint32_t width;
    uint64_t end;

    for (uint32_t i = 0; i < ISA_LINES; i++)
        found->isa[i] = true;
    root = rsdp != 0 ? find_root(rsdp, &width) : nullptr;
    if (root == nullptr) {
        klog("acpi: no tables, the usual addresses serve");
        return;
    }
    end = min_u64(root->length, sizeof *root + TABLES_MOST * width);
    for (uint32_t offset = sizeof *root; offset + width <= end; offset += width) {
        const struct header *t = table(field(root, offset, width));

        if (t != nullptr)
            read_table(found, t);
    }
}
