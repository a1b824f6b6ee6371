/* SPDX-License-Identifier: MIT */
/*
 * boot.h - from what the loader left to the first thread. Runs once; its code and data are then
 * given back.
 *
 * Owns:      the map of physical memory while the kernel starts.
 * Not here:  reading PVH structures and the machine's set-up (arch/x86_64/start.c), which fill
 *            struct boot_input.
 * Callers:   the port, once.
 * Cost:      none: data.
 * Spec:      docs/spec/boot.md
 */
#pragma once

#include "base/types.h"

#define BOOT_REGIONS 64u

enum boot_kind : uint32_t {
    BOOT_RAM,      /* free to hand out */
    BOOT_DEVICE,   /* registers, or what the firmware keeps: device Untyped */
};
struct boot_region {
    uint64_t base, end; /* physical bytes, [base, end) */
    enum boot_kind kind;
};

/*
 * What the port found out. Everything is copied: nothing points into memory that is handed out, but
 * the initrd.
 */
struct boot_input {
    struct boot_region region[BOOT_REGIONS]; /* sorted, disjoint, page aligned */
    uint32_t regions;
    /* page aligned pieces of RAM in use: image, start info, tables ... */
    struct boot_region reserved[BOOT_REGIONS];
    uint32_t reserved_count;
    struct paddr initrd;
    uint64_t initrd_bytes;
    char cmdline[KOZO_CMDLINE_BYTES];
    struct paddr clock; /* page with struct kozo_clock, filled by the port; RAM, reserved */
    /* the kernel's own boot code and data, free once the first thread runs; or empty */
    struct boot_region give_back;
};

/*
 * Build init and everything it is given. Panics with file, field, value and what was expected when
 * the boot image is not sound. Returns the first thread, current and ready.
 */
struct tcb *boot_start(struct boot_input *in);
/*
 * Take `pages` zeroed, contiguous pages out of RAM, for what lives as long as the kernel. The port
 * uses it too.
 */
struct paddr boot_alloc(struct boot_input *in, uint64_t pages);
/* The same, not zeroed: for what is written before it is read. */
struct paddr boot_alloc_as_is(struct boot_input *in, uint64_t pages);
