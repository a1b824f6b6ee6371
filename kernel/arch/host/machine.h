/* SPDX-License-Identifier: MIT */
/*
 * machine.h - the machine a test holds in its hands: memory, time, interrupts, console, TLB.
 *
 * Owns:      `machine`: everything that hardware would remember.
 * Not here:  threads and system calls (tests/unit/host.h), what arch_*() promise (arch.h).
 * Callers:   tests, and the library they use.
 * Cost:      host_machine_reset is O(memory touched).
 * Spec:      docs/spec/infrastructure.md
 */
#pragma once

#include "arch/arch.h"
#include <setjmp.h>

#define HOST_RAM_BASE 0x40000000ull /* physical; aligned as well as the array that stands for it */
#define HOST_LOG_BYTES 65536u
#define HOST_TLB_ENTRIES 1024u
#define HOST_END_PANIC 0x12

/* A translation, or a step of one, that the processor remembers until told to forget. */
struct host_tlb_entry {
    struct paddr root;
    uint64_t address; /* aligned to what the entry covers */
    uint32_t level;   /* 1 and 2: as in pte.h */
    pte entry;
};

struct host_machine {
    uint8_t *ram;
    uint64_t ram_bytes;

    uint64_t now;
    uint64_t armed; /* when the timer interrupts; UINT64_MAX = not at all */
    uint64_t armed_count;

    /* arch_irq_pending: the plan, counted in checks from the last reset of the count. */
    uint64_t irq_checks;
    uint64_t irq_at;    /* true from this check on until an interrupt is delivered; 0 = never */
    uint64_t irq_every; /* then again so many checks later; 0 = once */
    bool irq_waiting;
    bool line_open[ARCH_IRQ_LINES]; /* unmasked */

    struct paddr root; /* of the space in use; 0 = the kernel's own */
    uint64_t fs_base;
    struct arch_fpu fpu;
    struct host_tlb_entry tlb[HOST_TLB_ENTRIES];
    uint32_t tlb_used;
    uint64_t flushes;

    uint64_t cleared; /* bytes passed to arch_clear */

    uint16_t port; /* the last port access */
    uint32_t port_width;
    uint32_t port_value;    /* written last */
    uint32_t port_in_value; /* what reading gives */

    uint64_t key[2];
    bool weak;

    char log[HOST_LOG_BYTES];
    uint32_t log_used;

    jmp_buf *end; /* where arch_stop goes */
    uint8_t end_code;
};
extern struct host_machine machine;

/*
 * A machine just switched on, with that much memory, all of it zero. Keeps nothing but the memory's
 * mapping.
 */
void host_machine_reset(uint64_t ram_bytes);

/* What user code of a thread meets when it touches memory. */
struct NODISCARD host_access {
    bool ok;
    struct paddr at; /* the byte, if ok */
};
/*
 * Touch `address` in the space with that root as KOZO_READ, WRITE or EXECUTE would: by a remembered
 * translation if there is one that permits it, else by walking the tables, which is then
 * remembered.
 */
struct host_access host_access(struct paddr root, uint64_t address, uint8_t access);
/* A remembered translation that the tables no longer give; null when there is none. */
const struct host_tlb_entry *host_tlb_stale(void);
/* The kernel's half of this root table is as arch_space_init made it. */
NODISCARD bool host_kernel_half_intact(const pte *root);
