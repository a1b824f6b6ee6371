/* SPDX-License-Identifier: MIT */
/*
 * paging.c - the kernel's own page tables.
 *
 * Direct map:RAM, not executable; read-only where the image's text and constants lie. Image: text
 *            executable,
 * constants read-only, the rest writable; no page below a stack. Devices: a page each, uncached.
 * All of it global.
 */
#include "pvh.h"
#include "start.h"

static_assert(PVH_RAM_END == X86_DIRECT_SIZE);

#define RW (PTE_P | PTE_W | PTE_G | PTE_NX)
#define RO (PTE_P | PTE_G | PTE_NX)
#define RX (PTE_P | PTE_G)
#define UNCACHED (RW | PTE_PCD | PTE_PWT)


struct tables {
    struct boot_input *in;
    struct paddr root;
};

/* The entry of `address` at `level`, making the tables above it. */
static pte *entry(struct tables *t, uint64_t address, uint32_t level)
{
    struct paddr table = t->root;

    for (uint32_t l = PTE_LEVELS; l > level; l--) {
        pte *e = (pte *)arch_ram(table) + pte_index(address, l);

        if (!pte_present(*e))
            *e = boot_alloc(t->in, 1).v | PTE_P | PTE_W;
        table = pte_addr(*e);
    }
    return (pte *)arch_ram(table) + pte_index(address, level);
}

/* In pages of 2 MiB where both addresses and the length allow. */
static void map(struct tables *t, uint64_t address, uint64_t physical, uint64_t bytes, pte flags)
{
    while (bytes > 0) {
        bool large = is_aligned(address | physical, KOZO_LARGE_SIZE) && bytes >= KOZO_LARGE_SIZE;
        uint64_t step = large ? KOZO_LARGE_SIZE : KOZO_PAGE_SIZE;

        *entry(t, address, large ? 2 : 1) = physical | flags | (large ? PTE_PS : 0);
        address += step;
        physical += step;
        bytes -= step;
    }
}

/* ---- direct map ---- */

static void map_direct(struct tables *t, uint64_t base, uint64_t end, pte flags)
{
    if (base < end)
        map(t, X86_DIRECT_BASE + base, base, end - base, flags);
}

static void map_ram(struct tables *t, struct boot_region r)
{
    uint64_t ro_base = x86_image_addr(x86_boot_start), ro_end = x86_image_addr(x86_constant_end);

    map_direct(t, r.base, min_u64(r.end, ro_base), RW);
    map_direct(t, max_u64(r.base, ro_base), min_u64(r.end, ro_end), RO);
    map_direct(t, max_u64(r.base, ro_end), r.end, RW);
}

/* ---- image ---- */

static void map_image(struct tables *t, const char *from, const char *to, pte flags)
{
    map(t, (uint64_t)from, x86_image_addr(from), (uint64_t)(to - from), flags);
}

static void map_stacks(struct tables *t)
{
    map_image(t, x86_guard_cpu + KOZO_PAGE_SIZE, x86_stack_cpu, RW);
    map_image(t, x86_guard_nmi + KOZO_PAGE_SIZE, x86_stack_nmi, RW);
    map_image(t, x86_guard_debug + KOZO_PAGE_SIZE, x86_stack_debug, RW);
    map_image(t, x86_guard_double + KOZO_PAGE_SIZE, x86_stack_double, RW);
    map_image(t, x86_guard_machine + KOZO_PAGE_SIZE, x86_stack_machine, RW);
}

/* ---- devices ---- */

static void map_device(struct tables *t, enum x86_device which, uint64_t physical)
{
    if (physical != 0)
        map(t, (uint64_t)x86_device(which), align_down(physical, KOZO_PAGE_SIZE), KOZO_PAGE_SIZE,
            UNCACHED);
}

void paging_start(struct boot_input *in, const struct acpi_found *acpi)
{
    struct tables t = { in, boot_alloc(in, 1) };

    for (uint32_t i = 0; i < in->regions; i++)
        if (in->region[i].kind == BOOT_RAM)
            map_ram(&t, in->region[i]);
    map_image(&t, x86_boot_start, x86_boot_text_end, RX);
    map_image(&t, x86_boot_text_end, x86_boot_end, RW);
    map_image(&t, x86_text_start, x86_text_end, RX);
    map_image(&t, x86_text_end, x86_constant_end, RO);
    map_image(&t, x86_constant_end, x86_guard_cpu, RW);
    map_stacks(&t);
    map_device(&t, X86_DEVICE_APIC, apic_base());
    map_device(&t, X86_DEVICE_IOAPIC, acpi->ioapic);
    map_device(&t, X86_DEVICE_HPET, acpi->hpet);
    x86.kernel_root = t.root.v;
    x86_root_load(t.root.v);
}
