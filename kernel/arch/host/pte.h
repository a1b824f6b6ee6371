/* SPDX-License-Identifier: MIT */
/*
 * pte.h (host) - page-table entries of the machine in a test: the geometry of x86-64, other bits,
 * so that nothing in the core comes to rely on hardware's.
 *
 * Owns:      the bits.
 * Not here:  walking and changing tables (mem/vspace.h), the TLB (host.c).
 * Callers:   mem/, tests.
 * Cost:      one expression each.
 * Spec:      docs/spec/memory.md
 */
#pragma once

#include "base/types.h"

typedef uint64_t pte;

#define PTE_ENTRIES 512u
#define PTE_LEVELS 4u
/* Root entries below this are the user's. */
#define PTE_ROOT_USER 256u

/* The page's number is in the low bits, what may be done in the high ones. */
#define PTE_PAGE 0x000000ffffffffffull
#define PTE_VALID (1ull << 63)
#define PTE_LEAF (1ull << 62)
#define PTE_READ (1ull << 50)
#define PTE_WRITE (1ull << 51)
#define PTE_EXECUTE (1ull << 52)
#define PTE_DEVICE (1ull << 53)
#define PTE_KERNEL (1ull << 54)

/* Level 4 is the root; level 1 holds 4 KiB pages, level 2 tables or 2 MiB pages. */
static inline uint32_t pte_index(uint64_t address, uint32_t level)
{
    return (uint32_t)(address >> (12 + 9 * (level - 1))) & (PTE_ENTRIES - 1);
}
static inline bool pte_present(pte e) { return (e & PTE_VALID) != 0; }
static inline bool pte_is_leaf(pte e, uint32_t level) { return level == 1 || (e & PTE_LEAF) != 0; }
static inline struct paddr pte_addr(pte e)
{
    return (struct paddr){ (e & PTE_PAGE) << KOZO_PAGE_BITS };
}
static inline pte pte_table(struct paddr table) { return table.v >> KOZO_PAGE_BITS | PTE_VALID; }
static inline pte pte_leaf(struct paddr page, uint32_t level, uint8_t rights, bool device)
{
    return page.v >> KOZO_PAGE_BITS | PTE_VALID | PTE_READ | (rights & KOZO_WRITE ? PTE_WRITE : 0) |
           (rights & KOZO_EXECUTE ? PTE_EXECUTE : 0) | (level == 2 ? PTE_LEAF : 0) |
           (device ? PTE_DEVICE : 0);
}
static inline uint8_t pte_rights(pte e)
{
    return (uint8_t)(KOZO_READ | (e & PTE_WRITE ? KOZO_WRITE : 0) |
                     (e & PTE_EXECUTE ? KOZO_EXECUTE : 0));
}
