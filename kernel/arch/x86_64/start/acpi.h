/* SPDX-License-Identifier: MIT */
/*
 * acpi.h - what the firmware's tables tell.
 *
 * Owns:      nothing.
 * Not here:  what becomes of it (start.c).
 * Callers:   start.c.
 * Cost:      O(bytes of the tables), once.
 * Spec:      docs/spec/boot.md; ACPI 6, chapter 5.
 */
#pragma once

#include "arch/arch.h"

struct acpi_found {
    uint64_t ioapic; /* physical addresses; 0 = none told */
    uint64_t hpet;
    uint16_t pm_timer; /* port */
    bool pm_timer_32;  /* 32 bits wide, not 24 */
    uint16_t power;    /* port of PM1a control */
    /* polarity and trigger as in the MADT; 0 = as the bus has it */
    uint16_t irq_flags[ARCH_IRQ_LINES];
    bool isa[ARCH_IRQ_LINES];           /* the line belongs to an ISA interrupt */
};

/* Never fails: what is missing or not sound is left out. */
void acpi_read(struct acpi_found *found, uint64_t rsdp);
