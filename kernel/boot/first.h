/* SPDX-License-Identifier: MIT */
/*
 * first.h - the first program while it is put together: its capability space, memory and registers.
 *
 * Owns:      the next free slot of its CNode.
 * Not here:  finding and checking its image (image.c), the map of memory (memory.h).
 * Callers:   boot/.
 * Cost:      O(pages of the program), once.
 * Spec:      docs/spec/boot.md
 */
#pragma once

#include "boot/boot.h"
#include "cap/slot.h"

#include <kozo/elf.h>

struct first {
    struct boot_input *in;
    struct slot *cnode;
    uint32_t next; /* first slot not used yet */
    uint64_t end;  /* addresses from here on are unused */
    struct tcb *thread;
};

/* The next slot, still empty. */
struct slot *first_slot(struct first *f);
/* Hang `cap` under the sentinel, in the next slot. */
struct slot *first_give(struct first *f, struct cap cap);
/* A Frame capability of its own to a page, mapped at `address` with just these rights. */
void first_map(struct first *f, struct paddr page, uint64_t address, uint8_t rights);

/* The image of the program that boots, checked; panics when there is none that can be loaded. */
struct first_image {
    const uint8_t *bytes;
    struct kozo_elf elf;
    char name[256];
};
void image_find(const struct boot_input *in, struct first_image *image);
/* Feed the space with tables, and load and map the segments. */
void image_load(struct first *f, const struct first_image *image);
