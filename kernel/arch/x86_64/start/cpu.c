/* SPDX-License-Identifier: MIT */
/*
 * cpu.c - the processor's tables and switches.
 */
#include "base/log.h"
#include "offsets.h"
#include "start.h"

#include <string.h>

/* ---- tables ---- */

extern const uint64_t x86_vector_table[X86_VECTORS]; /* trap.S */
extern void x86_syscall(void);                       /* entry.S */

#define GATE_INTERRUPT 0x8e
#define GATE_DPL3 0x60

enum ist : uint8_t { IST_NONE, IST_NMI, IST_DEBUG, IST_DOUBLE, IST_MACHINE };

static uint8_t ist_of(uint32_t vector)
{
    switch (vector) {
    case X86_VECTOR_NMI:
        return IST_NMI;
    case X86_VECTOR_DEBUG:
        return IST_DEBUG;
    case X86_VECTOR_DOUBLE:
        return IST_DOUBLE;
    case X86_VECTOR_MACHINE:
        return IST_MACHINE;
    default:
        return IST_NONE;
    }
}

/* INT n is for INT3 and INTO's vectors; any other is a protection fault. */
static struct x86_gate gate(uint32_t vector)
{
    uint64_t to = x86_vector_table[vector];

    return (struct x86_gate){
        .offset_low = (uint16_t)to,
        .offset_mid = (uint16_t)(to >> 16),
        .offset_high = (uint32_t)(to >> 32),
        .selector = X86_KERNEL_CS,
        .ist = ist_of(vector),
        .type = vector == 3 || vector == 4 ? GATE_INTERRUPT | GATE_DPL3 : GATE_INTERRUPT,
    };
}

static void fill_gdt(void)
{
    uint64_t tss = (uint64_t)&x86.tss;

    x86.gdt[X86_KERNEL_CS / 8] = 0x00af9b000000ffff;
    x86.gdt[X86_KERNEL_SS / 8] = 0x00cf93000000ffff;
    x86.gdt[X86_USER_SS / 8] = 0x00cff3000000ffff;
    x86.gdt[X86_USER_CS / 8] = 0x00affb000000ffff;
    x86.gdt[X86_TSS / 8] =
        (sizeof x86.tss - 1) | (tss & 0xffffff) << 16 | 0x89ull << 40 | (tss >> 24 & 0xff) << 56;
    x86.gdt[X86_TSS / 8 + 1] = tss >> 32;
}

struct [[gnu::packed]] table_pointer {
    uint16_t limit;
    const void *base;
};

void cpu_tables(void)
{
    struct table_pointer gdt = { sizeof x86.gdt - 1, x86.gdt },
                         idt = { sizeof x86.idt - 1, x86.idt };

    fill_gdt();
    x86.tss.ist[IST_NMI - 1] = (uint64_t)x86_stack_nmi;
    x86.tss.ist[IST_DEBUG - 1] = (uint64_t)x86_stack_debug;
    x86.tss.ist[IST_DOUBLE - 1] = (uint64_t)x86_stack_double;
    x86.tss.ist[IST_MACHINE - 1] = (uint64_t)x86_stack_machine;
    x86.tss.io_map = sizeof x86.tss; /* beyond the limit: no port is open to users */
    for (uint32_t i = 0; i < X86_VECTORS; i++)
        x86.idt[i] = gate(i);
    /* The code and stack segments in use keep their numbers and contents. */
    __asm__ volatile("lgdt %0; lidt %1; ltr %w2; lldt %w3" ::"m"(gdt), "m"(idt), "r"(X86_TSS),
                     "r"(0));
}

/* ---- switches ---- */

#define CPUID_1_D_NEEDED ((1u << 4) | (1u << 9) | (1u << 13) | (1u << 24) | (1u << 26)) /* TSC APIC PGE FXSR SSE2 */
#define CPUID_1_D_MCE (1u << 7)
#define CPUID_7_B_SMEP (1u << 7)
#define CPUID_7_B_SMAP (1u << 20)
#define CPUID_7_C_UMIP (1u << 2)
#define CPUID_EXT_D_SYSCALL (1u << 11) /* Intel tells it in 64-bit mode only */

#define EFER_SCE 1ull

/* CF PF AF ZF SF TF IF DF OF IOPL NT RF AC ID: the kernel starts with the flags it knows. */
#define FMASK 0x257fd5ull

static void syscall_start(void)
{
    x86_wrmsr(MSR_STAR, (uint64_t)(X86_KERNEL_SS | 3) << 48 | (uint64_t)X86_KERNEL_CS << 32);
    x86_wrmsr(MSR_LSTAR, (uint64_t)x86_syscall);
    x86_wrmsr(MSR_CSTAR, 0); /* no 32-bit code segment: nobody can get there */
    x86_wrmsr(MSR_FMASK, FMASK);
    x86_wrmsr(MSR_SYSENTER_CS, 0); /* SYSENTER faults */
    x86_wrmsr(MSR_EFER, x86_rdmsr(MSR_EFER) | EFER_SCE);
    x86_wrmsr(MSR_FS_BASE, 0);
    x86_wrmsr(MSR_GS_BASE, 0);
    x86_wrmsr(MSR_KERNEL_GS_BASE, 0);
}
static_assert(X86_USER_SS == (X86_KERNEL_SS | 3) + 8 && X86_USER_CS == (X86_KERNEL_SS | 3) + 16);
static_assert(X86_KERNEL_SS == X86_KERNEL_CS + 8);

/* Write CLAC where trap.S left room for it. The image is still writable. */
static void clac_install(void)
{
    extern const uint64_t x86_clac_start[], x86_clac_end[];
    static const uint8_t clac[] = { 0x0f, 0x01, 0xca };

    for (const uint64_t *at = x86_clac_start; at < x86_clac_end; at++)
        memcpy((void *)*at, clac, sizeof clac);
}

static void check_needed(void)
{
    uint32_t have = x86_cpuid(1).d;

    if ((have & CPUID_1_D_NEEDED) != CPUID_1_D_NEEDED)
        panic("processor: features %x (CPUID 1, edx), expected at least %x: TSC APIC PGE FXSR SSE2",
              have, CPUID_1_D_NEEDED);
    if (!(x86_cpuid(0x80000001).d & CPUID_EXT_D_SYSCALL))
        panic("processor: no SYSCALL instruction");
}

void cpu_features(void)
{
    struct x86_cpuid seven = {};
    uint64_t cr4 = CR4_PAE | CR4_PGE | CR4_OSFXSR | CR4_OSXMMEXCPT;

    check_needed();
    if (x86_cpuid(0).a >= 7)
        seven = x86_cpuid(7);
    if (x86_cpuid(1).d & CPUID_1_D_MCE)
        cr4 |= CR4_MCE;
    if (seven.b & CPUID_7_B_SMEP)
        cr4 |= CR4_SMEP;
    if (seven.b & CPUID_7_B_SMAP) {
        clac_install();
        cr4 |= CR4_SMAP;
    }
    if (seven.c & CPUID_7_C_UMIP)
        cr4 |= CR4_UMIP;
    x86_write_cr4(cr4);
    /* No thread owns floating-point state yet. AM: a user who sets AC gets what he asked for. */
    x86_write_cr0((x86_read_cr0() & ~CR0_EM) | CR0_WP | CR0_MP | CR0_NE | CR0_AM | CR0_TS);
    x86_write_dr7(0x400);
    x86_write_dr6(X86_DR6_CLEAR);
    syscall_start();
    klog("cpu: NX WP%s%s%s on%s%s%s", cr4 & CR4_SMEP ? " SMEP" : "", cr4 & CR4_SMAP ? " SMAP" : "",
         cr4 & CR4_UMIP ? " UMIP" : "", cr4 & CR4_SMEP ? "" : ", no SMEP",
         cr4 & CR4_SMAP ? "" : ", no SMAP", cr4 & CR4_UMIP ? "" : ", no UMIP");
}
