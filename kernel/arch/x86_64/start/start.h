/* SPDX-License-Identifier: MIT */
/*
 * start.h - the port's part of booting: what its files do for each other. All of it is given back
 * after boot.
 *
 * Owns:      the order of the steps (start.c).
 * Not here:  what the loader and the firmware left (pvh.h, acpi.h), what remains (../cpu.h), init
 *            (boot/).
 * Callers:   start.c, once, on the CPU's stack, interrupts off.
 * Cost:      once.
 * Spec:      docs/spec/boot.md
 */
#pragma once

#include "acpi.h"
#include "boot/boot.h"
#include "cpu.h"

/* ---- stacks.c ---- */

/* Paint what is unused of all stacks. */
void stacks_paint(void);

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
