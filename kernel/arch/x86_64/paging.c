/* SPDX-License-Identifier: MIT */
/*
 * paging.c - the kernel's half of every address space, and the TLB.
 *
 * Owns:      CR3.
 * Not here:  building the kernel's tables (start/paging.c), users' mappings (mem/).
 * Callers:   the core; start.c at the end of boot.
 * Cost:      O(1), but for x86_boot_enter and arch_clear.
 * Spec:      docs/spec/memory.md; I7.
 */
#include "base/log.h"
#include "cpu.h"

#define ROOT_DIRECT 256 /* entries of the root that hold the kernel's half; the rest of it stays empty for good */
#define ROOT_IMAGE 511
static_assert((X86_DIRECT_BASE >> 39) % PTE_ENTRIES == ROOT_DIRECT && X86_DIRECT_SIZE == 1ul << 39);
static_assert((X86_IMAGE_BASE >> 39) % PTE_ENTRIES == ROOT_IMAGE);
static_assert((X86_DEVICE_BASE >> 39) % PTE_ENTRIES == ROOT_IMAGE);

void arch_space_init(pte *root)
{
    const pte *own = arch_ram((struct paddr){ x86.kernel_root });

    root[ROOT_DIRECT] = own[ROOT_DIRECT];
    root[ROOT_IMAGE] = own[ROOT_IMAGE];
}

/*
 * Only the space in use has translations cached: there are no PCIDs, and user entries are not
 * global.
 */
void arch_tlb_flush_page(struct paddr root, uint64_t address)
{
    if (root.v == x86.root)
        x86_invlpg(address);
}

void arch_tlb_flush_space(struct paddr root)
{
    if (root.v == x86.root)
        x86_root_load(root.v);
}

void arch_space_leave(struct paddr root)
{
    if (root.v == x86.root)
        x86_root_load(x86.kernel_root);
}

void arch_clear(void *at, uint64_t bytes)
{
    uint64_t words = bytes / 8;

    __asm__ volatile("rep stosq" : "+D"(at), "+c"(words) : "a"(0) : "memory");
}

/* ---- the end of boot ---- */

/* The 4 KiB entry of a kernel address. */
static pte *leaf(uint64_t address)
{
    struct paddr table = { x86.kernel_root };

    for (uint32_t level = PTE_LEVELS;; level--) {
        pte *e = (pte *)arch_ram(table) + pte_index(address, level);

        if (level == 1)
            return e;
        kassert(pte_present(*e) && !pte_is_leaf(*e, level));
        table = pte_addr(*e);
    }
}

/* The boot part of the image: no longer mapped where it ran, plain memory in the direct map. */
static void boot_forget(void)
{
    for (uint64_t at = (uint64_t)x86_boot_start; at < (uint64_t)x86_boot_end;
         at += KOZO_PAGE_SIZE) {
        uint64_t alias = (uint64_t)arch_ram((struct paddr){ x86_image_addr((void *)at) });

        *leaf(at) = 0;
        *leaf(alias) |= PTE_W;
        x86_invlpg(at);
        x86_invlpg(alias);
    }
}

void x86_boot_enter(struct tcb *first)
{
    boot_forget();
    x86_enter(first);
}
