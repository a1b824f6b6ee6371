/* SPDX-License-Identifier: MIT */
/*
 * slots.h - which slots of the program's own capability space are free.
 *
 * Owns:      a bitmap over the free slots that the program was born with, at most KOZO_SLOTS_MAX.
 * Not here:  what is in a slot: free it after its capability is deleted, moved away or revoked.
 * Callers:   one thread at a time.
 * Cost:      O(slots / 64) at worst.
 */
#pragma once

#include <kozo/abi.h>
#include <kozo/handle.h>

#define KOZO_SLOTS_MAX 16384u

/* A free slot; 0 when there is none. */
kozo_cptr kozo_slot_alloc(void);

/* The first of `count` free slots in a row; 0 when there is no such row. */
kozo_cptr kozo_slots_alloc(uint32_t count);

/* Give slots back. 0 is ignored; a slot that is not the allocator's, too. */
void kozo_slot_free(kozo_cptr slot);
void kozo_slots_free(kozo_cptr first, uint32_t count);

/* Deletes the capability in `slot` and gives the slot back. 0 is ignored. */
void kozo_slot_drop(kozo_cptr slot);

/* How many slots are free. */
uint32_t kozo_slots_left(void);
