/* SPDX-License-Identifier: MIT */
/*
 * pte.h (x86_64) - page-table entries. Intel SDM volume 3, chapter 4.5.
 *
 * Owns:      the bits.
 * Not here:  walking and changing tables (mem/vspace.h), the tables of boot (start/paging.c).
 * Callers:   mem/ and this port.
 * Cost:      one expression each.
 * Spec:      docs/spec/memory.md, invariant 7
 */
#pragma once

#include "base/types.h"

typedef uint64_t pte;

#define PTE_ENTRIES 512u
#define PTE_LEVELS 4u
/* Root entries below this are the user's. */
#define PTE_ROOT_USER 256u

#define PTE_P 1ull
#define PTE_W 2ull
#define PTE_U 4ull
#define PTE_PWT 8ull
#define PTE_PCD 16ull
#define PTE_PS 128ull
#define PTE_G 256ull
#define PTE_NX (1ull << 63)
#define PTE_ADDR 0x000ffffffffff000ull

/* Level 4 is the root; level 1 holds 4 KiB pages, level 2 tables or 2 MiB pages. */
static inline uint32_t pte_index(uint64_t address, uint32_t level)
{
    return (uint32_t)(address >> (12 + 9 * (level - 1))) & (PTE_ENTRIES - 1);
}
static inline bool pte_present(pte e) { return (e & PTE_P) != 0; }
static inline bool pte_is_leaf(pte e, uint32_t level) { return level == 1 || (e & PTE_PS) != 0; }
static inline struct paddr pte_addr(pte e) { return (struct paddr){ e & PTE_ADDR }; }
static inline pte pte_table(struct paddr table) { return table.v | PTE_P | PTE_W | PTE_U; }
static inline pte pte_leaf(struct paddr page, uint32_t level, uint8_t rights, bool device)
{
    return page.v | PTE_P | PTE_U | (rights & KOZO_WRITE ? PTE_W : 0) |
           (rights & KOZO_EXECUTE ? 0 : PTE_NX) | (level == 2 ? PTE_PS : 0) |
           (device ? PTE_PCD | PTE_PWT : 0);
}
static inline uint8_t pte_rights(pte e)
{
    return (uint8_t)(KOZO_READ | (e & PTE_W ? KOZO_WRITE : 0) | (e & PTE_NX ? 0 : KOZO_EXECUTE));
}
