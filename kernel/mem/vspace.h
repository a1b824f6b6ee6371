/* SPDX-License-Identifier: MIT */
/*
 * vspace.h - address spaces: what a thread sees as memory.
 *
 * An AddressSpace is two pages: the root table, and this struct. Tables below the root come from
 * the space's pool, which PageTable capabilities feed. A Frame or PageTable capability that is in
 * use records root, address and a serial; the record is only a claim: it is acted on after a walk
 * from the root has reached that very page, in the table, or of the space, that has the serial.
 *
 * Owns:      every user page-table entry; the mapping records in Frame and PageTable capabilities.
 * Not here:  the format of entries (pte.h), the kernel's own half (the port).
 * Callers:   syscall/, cap/object on deletion. Kernel lock held.
 * Cost:      O(1): at most four levels.
 * Spec:      docs/spec/memory.md; I7.
 */
#pragma once

#include "arch/arch.h"
#include "cap/object.h"

struct vspace {
    uint64_t serial;      /* never the same for two address spaces */
    /* first page of the pool, 0 when dry; pages are linked through their own words */
    struct paddr pool;
    uint64_t pool_pages;
    uint64_t reserved[5];
};

/*
 * `object` of an AddressSpace capability is the kernel address of its root table; the struct is the
 * page after.
 */
static inline struct paddr vspace_root(const struct cap *space)
{
    return arch_ram_addr((void *)space->object);
}

/* Feed a PageTable that is in no pool and no live table. IN_USE. */
NODISCARD enum kozo_err vspace_feed(struct slot *space, struct slot *table);
/* MAPPED, ARGUMENT, ALIGN, RIGHTS, OCCUPIED, NOMEM. */
NODISCARD enum kozo_err vspace_map(struct slot *space, struct slot *frame, uint64_t address,
                                   uint64_t rights);
/* UNMAPPED. */
NODISCARD enum kozo_err vspace_unmap(struct slot *frame);
/* ARGUMENT, RIGHTS, UNMAPPED. */
NODISCARD enum kozo_err vspace_protect(struct slot *frame, uint64_t rights);
/* The record's claim holds. */
NODISCARD bool vspace_is_mapped(const struct slot *frame);
