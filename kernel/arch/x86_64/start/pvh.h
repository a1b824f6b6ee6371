/* SPDX-License-Identifier: MIT */
/*
 * pvh.h - what the loader left: memory map, command line, initrd.
 *
 * Owns:      nothing.
 * Not here:  what becomes of it (start.c). Nothing of this depends on the processor: a test can run
 *            it on any memory.
 * Callers:   start.c.
 * Cost:      O(ranges squared), once.
 * Spec:      docs/spec/boot.md; the PVH boot protocol.
 */
#pragma once

#include "map.h"

#define PVH_RAM_END (1ul << 39) /* RAM from here on is left out: the direct map ends */
#define PVH_VIDEO_BASE 0xa0000ul /* from here to 1 MiB there is no RAM, whatever the map says */
#define PVH_VIDEO_END 0x100000ul

struct pvh_found {
    struct map ram;      /* whole pages of RAM */
    struct map bad;      /* pages that hold memory that must not be touched */
    struct map reserved; /* pieces of RAM in use, but for the image */
    struct paddr initrd;
    uint64_t initrd_bytes;
    uint64_t rsdp;     /* 0 = not told */
    uint64_t ram_lost; /* bytes from PVH_RAM_END on */
    char cmdline[KOZO_CMDLINE_BYTES];
};

/*
 * Copy and check everything; a field that is not sound is a panic that names it. `image` is the
 * kernel's own range.
 */
void pvh_read(struct pvh_found *found, uint64_t start_info, struct boot_region image);
