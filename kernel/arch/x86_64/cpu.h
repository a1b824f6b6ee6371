/* SPDX-License-Identifier: MIT */
/*
 * cpu.h - what the files of this port share: its state, vectors, selectors, and one function per instruction.
 *
 * Owns:      `x86`; written by start/ once, then by the file each part names.
 * Not here:  the contract with the core (arch/arch.h).
 * Callers:   this port only.
 * Spec:      docs/spec/architecture.md; Intel SDM volume 3.
 */
#pragma once

#define X86_IMAGE_BASE 0xffffffff80000000 /* the kernel's image: virtual = physical + this */
#define X86_DEVICE_BASE 0xffffffffc0000000 /* a page for each device the kernel keeps, uncached */

/* The order that SYSCALL and SYSRET ask for. There is no 32-bit code segment. */
#define X86_KERNEL_CS 0x08
#define X86_KERNEL_SS 0x10
#define X86_USER_SS 0x1b
#define X86_USER_CS 0x23
#define X86_TSS 0x28

#define X86_VECTOR_DEBUG 1
#define X86_VECTOR_NMI 2
#define X86_VECTOR_DOUBLE 8
#define X86_VECTOR_PAGE 14
#define X86_VECTOR_MACHINE 18
#define X86_EXCEPTIONS 32
#define X86_VECTOR_TIMER 32
#define X86_VECTOR_PIC 40 /* eight: the old controllers are masked, but can still raise their spurious line */
#define X86_VECTOR_IRQ 48 /* and 23 more, one for each line */
#define X86_VECTOR_SPURIOUS 79
#define X86_VECTORS 80

/* Flags that user code may choose: CF PF AF ZF SF TF DF OF AC. IF is always set, the rest always clear. */
#define X86_FLAGS_USER 0x40dd5
#define X86_FLAGS_FIXED 0x202
#define X86_FLAG_TF 0x100
#define X86_DR6_CLEAR 0xffff0ff0

/* KOZO_USER_END, as the assembler wants it: not canonical to leave to is made canonical to fault at. */
#define X86_USER_END 0x7ffffffff000

/* struct x86, for assembly: see offsets.h. */
#define X86_USER_RSP 0
#define X86_NMIS 8
#define X86_DEBUG_TRAPS 16
#define X86_CLOCK_BASE 24
#define X86_ROOT 48
#define X86_TSS_RSP0 60

#ifndef __ASSEMBLER__
#include "arch/arch.h"

/* ---- state ---- */

struct [[gnu::packed]] x86_tss {
    uint32_t reserved0;
    uint64_t rsp0; /* where the processor pushes when it leaves user mode: the end of the running thread's frame */
    uint64_t rsp12[2];
    uint64_t reserved1;
    uint64_t ist[7];
    uint64_t reserved2;
    uint16_t reserved3;
    uint16_t io_map;
};
static_assert(sizeof(struct x86_tss) == 104);

struct x86_gate {
    uint16_t offset_low, selector;
    uint8_t ist, type;
    uint16_t offset_mid;
    uint32_t offset_high, reserved;
};
static_assert(sizeof(struct x86_gate) == 16);

struct x86_clock {
    uint64_t base; /* TSC at entry: time 0 */
    uint64_t mult; /* nanoseconds = ticks * mult >> X86_CLOCK_SHIFT; 0 = not measured yet */
    uint64_t timer_mult; /* ticks of the local APIC's timer = nanoseconds * timer_mult >> X86_CLOCK_SHIFT */
};
#define X86_CLOCK_SHIFT 32

struct x86 {
    uint64_t user_rsp;      /* entry.S: between SYSCALL and the frame */
    uint64_t nmis;          /* trap.S */
    uint64_t debug_traps;   /* trap.S: single steps into the kernel, tolerated */
    struct x86_clock clock; /* timer.c */
    uint64_t root;          /* paging.c, ipc.S: what CR3 holds */
    struct x86_tss tss;     /* rsp0: context.c, ipc.S */
    uint64_t kernel_root;   /* no user half */
    struct tcb *fpu;        /* context.c: whose state is in the registers; null: CR0.TS is set */
    uint64_t nmis_logged;   /* trap.c */
    const struct frame *panic_frame;    /* trap.c: the registers of the kernel's own exception */
    uint32_t irq_entry[ARCH_IRQ_LINES]; /* apic.c: low halves of the I/O APIC's entries */
    uint64_t seed;                      /* of the command line, hashed */
    uint16_t power_port;                /* PM1a control */
    uint64_t gdt[7];
    struct x86_gate idt[X86_VECTORS];
};
static_assert(offsetof(struct x86, user_rsp) == X86_USER_RSP && offsetof(struct x86, nmis) == X86_NMIS);
static_assert(offsetof(struct x86, debug_traps) == X86_DEBUG_TRAPS);
static_assert(offsetof(struct x86, clock.base) == X86_CLOCK_BASE);
static_assert(offsetof(struct x86, root) == X86_ROOT && offsetof(struct x86, tss.rsp0) == X86_TSS_RSP0);
extern struct x86 x86;

/* ---- borders of the image, from linker.ld ---- */

extern char x86_image_start[], x86_image_end[];
extern char x86_boot_start[], x86_boot_text_end[], x86_boot_end[]; /* given back */
extern char x86_text_start[], x86_text_end[], x86_rodata_end[], x86_constant_end[];
extern char x86_guard_cpu[], x86_guard_nmi[], x86_guard_debug[], x86_guard_double[], x86_guard_machine[];
extern char x86_stack_cpu[], x86_stack_nmi[], x86_stack_debug[], x86_stack_double[], x86_stack_machine[]; /* ends */

static inline uint64_t x86_image_addr(const void *p) { return (uint64_t)p - X86_IMAGE_BASE; }

/* ---- what the files do for each other ---- */

/* entry.S: leave the kernel to a thread. */
[[noreturn]] void x86_enter(struct tcb *t);
/* start/clock.c: the second sample; called once, by the first to ask for the time. */
void x86_clock_settle(void);
/* paging.c */
/* Boot is over: give up its code and data, and leave to the first thread, which is current. */
[[noreturn]] void x86_boot_enter(struct tcb *first);
/* apic.c */
void x86_apic_eoi(void);
uint32_t x86_apic_read(uint32_t reg);
void x86_apic_write(uint32_t reg, uint32_t value);
void x86_ioapic_write(uint32_t reg, uint32_t value);
uint32_t x86_ioapic_read(uint32_t reg);
/* timer.c: a * b / c, where the result fits. */
NODISCARD uint64_t x86_muldiv(uint64_t a, uint64_t b, uint64_t c);

/* Local APIC registers. */
#define APIC_ID 0x20
#define APIC_VERSION 0x30
#define APIC_TPR 0x80
#define APIC_EOI 0xb0
#define APIC_SPURIOUS 0xf0
#define APIC_IRR 0x200
#define APIC_ESR 0x280
#define APIC_LVT_TIMER 0x320
#define APIC_LVT_LINT0 0x350
#define APIC_LVT_LINT1 0x360
#define APIC_LVT_ERROR 0x370
#define APIC_TIMER_INITIAL 0x380
#define APIC_TIMER_CURRENT 0x390
#define APIC_TIMER_DIVIDE 0x3e0
#define APIC_MASKED 0x10000u
#define APIC_NMI 0x400u

/* I/O APIC registers. */
#define IOAPIC_VERSION 1u
#define IOAPIC_ENTRY(line) (0x10 + 2 * (line))

/* Pages at X86_DEVICE_BASE. */
enum x86_device : uint32_t { X86_DEVICE_APIC, X86_DEVICE_IOAPIC, X86_DEVICE_HPET, X86_DEVICES };
static inline void *x86_device(enum x86_device which) { return (void *)(X86_DEVICE_BASE + which * 0x1000ull); }

/* ---- instructions ---- */

static inline uint8_t x86_in8(uint16_t port)
{
    uint8_t v;
    __asm__ volatile("inb %1, %0" : "=a"(v) : "Nd"(port));
    return v;
}
static inline uint16_t x86_in16(uint16_t port)
{
    uint16_t v;
    __asm__ volatile("inw %1, %0" : "=a"(v) : "Nd"(port));
    return v;
}
static inline uint32_t x86_in32(uint16_t port)
{
    uint32_t v;
    __asm__ volatile("inl %1, %0" : "=a"(v) : "Nd"(port));
    return v;
}
static inline void x86_out8(uint16_t port, uint8_t v) { __asm__ volatile("outb %0, %1" ::"a"(v), "Nd"(port)); }
static inline void x86_out16(uint16_t port, uint16_t v) { __asm__ volatile("outw %0, %1" ::"a"(v), "Nd"(port)); }
static inline void x86_out32(uint16_t port, uint32_t v) { __asm__ volatile("outl %0, %1" ::"a"(v), "Nd"(port)); }

static inline uint64_t x86_rdtsc(void)
{
    uint32_t low, high;
    __asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
    return (uint64_t)high << 32 | low;
}

#define MSR_APIC_BASE 0x1bu
#define MSR_SYSENTER_CS 0x174u
#define MSR_EFER 0xc0000080u
#define MSR_STAR 0xc0000081u
#define MSR_LSTAR 0xc0000082u
#define MSR_CSTAR 0xc0000083u
#define MSR_FMASK 0xc0000084u
#define MSR_FS_BASE 0xc0000100u
#define MSR_GS_BASE 0xc0000101u
#define MSR_KERNEL_GS_BASE 0xc0000102u
static inline uint64_t x86_rdmsr(uint32_t msr)
{
    uint32_t low, high;
    __asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(msr));
    return (uint64_t)high << 32 | low;
}
static inline void x86_wrmsr(uint32_t msr, uint64_t v)
{
    __asm__ volatile("wrmsr" ::"a"((uint32_t)v), "d"((uint32_t)(v >> 32)), "c"(msr) : "memory");
}

struct x86_cpuid {
    uint32_t a, b, c, d;
};
static inline struct x86_cpuid x86_cpuid(uint32_t leaf)
{
    struct x86_cpuid r;
    __asm__ volatile("cpuid" : "=a"(r.a), "=b"(r.b), "=c"(r.c), "=d"(r.d) : "a"(leaf), "c"(0));
    return r;
}

#define CR0_MP 0x2ull
#define CR0_EM 0x4ull
#define CR0_TS 0x8ull
#define CR0_NE 0x20ull
#define CR0_WP 0x10000ull
#define CR0_AM 0x40000ull
#define CR4_MCE 0x40ull
#define CR4_PAE 0x20ull
#define CR4_PGE 0x80ull
#define CR4_OSFXSR 0x200ull
#define CR4_OSXMMEXCPT 0x400ull
#define CR4_UMIP 0x800ull
#define CR4_SMEP 0x100000ull
#define CR4_SMAP 0x200000ull
static inline uint64_t x86_read_cr0(void)
{
    uint64_t v;
    __asm__ volatile("movq %%cr0, %0" : "=r"(v));
    return v;
}
static inline uint64_t x86_read_cr2(void)
{
    uint64_t v;
    __asm__ volatile("movq %%cr2, %0" : "=r"(v));
    return v;
}
static inline uint64_t x86_read_cr3(void)
{
    uint64_t v;
    __asm__ volatile("movq %%cr3, %0" : "=r"(v));
    return v;
}
static inline uint64_t x86_read_cr4(void)
{
    uint64_t v;
    __asm__ volatile("movq %%cr4, %0" : "=r"(v));
    return v;
}
static inline uint64_t x86_read_dr6(void)
{
    uint64_t v;
    __asm__ volatile("movq %%dr6, %0" : "=r"(v));
    return v;
}
static inline void x86_write_cr0(uint64_t v) { __asm__ volatile("movq %0, %%cr0" ::"r"(v) : "memory"); }
static inline void x86_write_cr3(uint64_t v) { __asm__ volatile("movq %0, %%cr3" ::"r"(v) : "memory"); }
static inline void x86_root_load(uint64_t root)
{
    x86.root = root;
    x86_write_cr3(root);
}
static inline void x86_write_cr4(uint64_t v) { __asm__ volatile("movq %0, %%cr4" ::"r"(v) : "memory"); }
static inline void x86_write_dr6(uint64_t v) { __asm__ volatile("movq %0, %%dr6" ::"r"(v)); }
static inline void x86_write_dr7(uint64_t v) { __asm__ volatile("movq %0, %%dr7" ::"r"(v)); }
static inline void x86_invlpg(uint64_t address) { __asm__ volatile("invlpg (%0)" ::"r"(address) : "memory"); }
#endif
