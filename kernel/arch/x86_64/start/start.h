/* SPDX-License-Identifier: MIT */
/*
 * start.h - the port's part of booting: what its files do for each other. All of it is given back after boot.
 *
 * Owns:      the order of the steps (start.c).
 * Not here:  what remains (../cpu.h), init and its capabilities (boot/).
 * Callers:   start.c, once, on the CPU's stack, interrupts off.
 * Spec:      docs/spec/boot.md
 */
#pragma once

#include "boot/boot.h"
#include "cpu.h"

/* ---- map.c: lists of physical ranges, sorted, disjoint ---- */

struct map {
    uint32_t count;
    struct boot_region at[BOOT_REGIONS];
};
/* Join [base, end) to what the list covers, or take it out. Empty ranges change nothing. */
void map_add(struct map *m, uint64_t base, uint64_t end, enum boot_kind kind);
void map_remove(struct map *m, uint64_t base, uint64_t end);
NODISCARD bool map_covers(const struct map *m, uint64_t base, uint64_t end);

/* ---- pvh.c: what the loader left ---- */

struct pvh_found {
    struct map ram;      /* whole pages of RAM */
    struct map bad;      /* pages that hold memory that must not be touched */
    struct map reserved; /* pieces of RAM in use, but for the image */
    struct paddr initrd;
    uint64_t initrd_bytes;
    uint64_t rsdp; /* 0 = not told */
    uint64_t ram_lost; /* bytes above what the direct map can hold */
    char cmdline[KOZO_CMDLINE_BYTES];
};
/* Copy and check everything; a field that is not sound is a panic that names it. `image` is the kernel's own range. */
void pvh_read(struct pvh_found *found, uint64_t start_info, struct boot_region image);

/* ---- acpi.c: what the firmware left ---- */

struct acpi_found {
    uint64_t ioapic;             /* physical addresses; 0 = none told */
    uint64_t hpet;
    uint16_t pm_timer;           /* port */
    bool pm_timer_32;            /* 32 bits wide, not 24 */
    uint16_t power;              /* port of PM1a control */
    uint16_t irq_flags[ARCH_IRQ_LINES]; /* polarity and trigger as in the MADT; 0 = as the bus has it */
    bool isa[ARCH_IRQ_LINES];    /* the line belongs to an ISA interrupt */
};
void acpi_read(struct acpi_found *found, uint64_t rsdp);

/* ---- cpu.c ---- */

/* Descriptor tables and exceptions: from here on a fault is a panic with registers. */
void cpu_tables(void);
/* Control registers and system calls. */
void cpu_features(void);

/* ---- paging.c ---- */

/* The kernel's own tables, out of `in`, and onto them: direct map, image, devices. */
void paging_start(struct boot_input *in, const struct acpi_found *acpi);

/* ---- apic.c ---- */

/* Physical address of the local APIC's registers. */
NODISCARD uint64_t apic_base(void);
void apic_start(const struct acpi_found *acpi);

/* ---- clock.c ---- */

/* The first sample. */
void clock_start(const struct acpi_found *acpi);
/* Where users read the rate; filled by x86_clock_settle. */
void clock_page(struct kozo_clock *page);
