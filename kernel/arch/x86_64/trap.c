/* SPDX-License-Identifier: MIT */
/*
 * trap.c - from vectors to events of the core.
 *
 * Owns:      what each exception means.
 * Not here:  saving registers (trap.S), what becomes of a fault (ipc/fault.c).
 * Callers:   trap.S, on the CPU's stack, interrupts off.
 * Spec:      docs/spec/faults.md, docs/spec/interrupts.md
 */
#include "trap.h"

#include "base/log.h"
#include "offsets.h"
#include "stacks.h"

struct x86 x86;

static const uint8_t fault_kind[X86_EXCEPTIONS] = {
    [0] = KOZO_FAULT_DIVIDE,     [1] = KOZO_FAULT_DEBUG,       [2] = KOZO_FAULT_OTHER,
    [3] = KOZO_FAULT_BREAKPOINT, [4] = KOZO_FAULT_OVERFLOW,    [5] = KOZO_FAULT_BOUND,
    [6] = KOZO_FAULT_OPCODE,     [7] = KOZO_FAULT_NO_FPU,      [11] = KOZO_FAULT_SEGMENT,
    [12] = KOZO_FAULT_STACK,     [13] = KOZO_FAULT_PROTECTION, [14] = KOZO_FAULT_PAGE,
    [16] = KOZO_FAULT_FPU,       [17] = KOZO_FAULT_ALIGNMENT,  [19] = KOZO_FAULT_SIMD,
};

/* Error code of a page fault. */
#define PAGE_WRITE 2u
#define PAGE_FETCH 16u

static struct fault page_fault(const struct frame *f)
{
    uint32_t access = f->error & PAGE_FETCH   ? KOZO_EXECUTE
                      : f->error & PAGE_WRITE ? KOZO_WRITE
                                              : KOZO_READ;

    return (struct fault){ KOZO_FAULT_PAGE, access, x86_read_cr2(), f->error };
}

/* Why a debug trap came is in DR6: it is its error code, and the next one starts clean. */
static struct fault debug_fault(const struct frame *f)
{
    struct fault fault = { KOZO_FAULT_DEBUG, 0, f->rip, x86_read_dr6() & ~(uint64_t)X86_DR6_CLEAR };

    x86_write_dr6(X86_DR6_CLEAR);
    return fault;
}

/* An exception without a name of its own tells its vector in bits 32 and up of the error code. */
static struct fault other_fault(const struct frame *f)
{
    enum kozo_fault kind = fault_kind[f->vector];

    if (kind != KOZO_FAULT_NONE && kind != KOZO_FAULT_OTHER)
        return (struct fault){ kind, 0, f->rip, f->error };
    return (struct fault){ KOZO_FAULT_OTHER, 0, f->rip, f->vector << 32 | f->error };
}

static struct tcb *exception(struct tcb *t)
{
    struct fault fault;

    if (t->frame.vector == X86_VECTOR_PAGE)
        fault = page_fault(&t->frame);
    else if (t->frame.vector == X86_VECTOR_DEBUG)
        fault = debug_fault(&t->frame);
    else
        fault = other_fault(&t->frame);
    return kernel_fault(t, &fault);
}

static struct tcb *timer(void)
{
    x86_apic_eoi();
    /* the first, and then ever fewer: a storm is no flood of lines */
    if (x86.nmis > 2 * x86.nmis_logged) {
        x86.nmis_logged = x86.nmis;
        klog("nmi: %lu so far, ignored", x86.nmis_logged);
    }
    return kernel_tick();
}

struct tcb *x86_trap(struct tcb *t)
{
    uint64_t vector = t->frame.vector;

    if (vector < X86_EXCEPTIONS)
        return exception(t);
    if (vector == X86_VECTOR_TIMER)
        return timer();
    if (vector - X86_VECTOR_IRQ < ARCH_IRQ_LINES) {
        /* The core masks the line before the controller may send it again. */
        struct tcb *next = kernel_interrupt((uint32_t)(vector - X86_VECTOR_IRQ));
        x86_apic_eoi();
        return next;
    }
    return kernel_leave();
}

static const char *exception_name(uint64_t vector)
{
    switch (vector) {
    case X86_VECTOR_DOUBLE:
        return "double fault";
    case X86_VECTOR_MACHINE:
        return "machine check";
    default:
        return vector < X86_EXCEPTIONS ? name_of_fault(fault_kind[vector]) : "interrupt";
    }
}

/* The stack that a push or access overflowed; empty when it met no guard page. */
static const char *overflowed(uint64_t address)
{
    const struct x86_stack *s = x86_stack_find(address, true);

    return s != nullptr && address < x86_stack_base(s) ? s->name : "";
}

void x86_kernel_trap(const struct frame *f)
{
    uint64_t cr2 = x86_read_cr2();
    bool paging = f->vector == X86_VECTOR_PAGE || f->vector == X86_VECTOR_DOUBLE;
    const char *stack = paging ? overflowed(cr2) : "";

    x86.panic_frame = f;
    panic("%s in the kernel: vector %lu, error %lx, address %lx, ip %lx%s%s%s",
          exception_name(f->vector), f->vector, f->error, cr2, f->rip, *stack != '\0' ? ": " : "",
          stack, *stack != '\0' ? " stack overflow" : "");
}
