/* SPDX-License-Identifier: MIT */
/*
 * kernel.h - all mutable state of the kernel in one struct, and the ways in.
 *
 * Owns:      `kernel`; the order in which an event is handled.
 * Not here:  objects in memory that users own (they live in RAM carved from Untyped).
 * Callers:   the port enters by kernel_*(), interrupts off, and leaves to the thread that is
 *            returned.
 * Cost:      what the handler costs; then one decision of the scheduler.
 * Spec:      docs/spec/architecture.md
 */
#pragma once

#include "base/log.h"
#include "base/trace.h"
#include "cap/badge.h"
#include "cap/pending.h"
#include "cap/pool.h"
#include "ipc/fault.h"
#include "irq/irq.h"
#include "sched/sched.h"
#include "sched/tcb.h"
#include "sched/timer.h"
#include "cap/object.h"

/* Per CPU. Offsets are used by assembly: see arch/x86_64/offsets.h. */
struct cpu {
    struct tcb *current; /* runs, or ran when the kernel was entered */
    struct tcb *handoff; /* ready, in no queue: to run next if nobody is more urgent */
    struct tcb *idle;
    uint64_t charged; /* when processor time was last charged to a thread */
};

struct kernel {
    struct cpu cpu;
    struct sched sched;
    struct timers timers;
    struct slot root; /* the derivation tree's sentinel; boot capabilities are its children */
    struct pending pending;
    struct pools pools;
    struct irqs irqs;
    struct badge_source badges;
    uint64_t caps;         /* slots in use */
    uint64_t bytes_free;   /* above the watermarks of all Untypeds */
    uint64_t serial;        /* of the address space, or the use of a table, that began last */
    uint64_t *space_live;   /* a bit for each page of RAM: it is the root of a live AddressSpace */
    uint64_t *table_serial; /* for each page of RAM that is a table: of this use of it */
    uint64_t space_pages;
    uint64_t boot_ns;
    struct tcb *first;     /* the first program: the system ends with it */
    struct log log;
    struct trace trace;
    struct tcb idle_tcb;
    struct tcb tcbs[CONFIG_MAX_THREADS];
};
extern struct kernel kernel;

/* Events. Each returns the thread to run next, already made current. */
struct tcb *kernel_syscall(struct tcb *t);
struct tcb *kernel_fault(struct tcb *t, const struct fault *fault);
struct tcb *kernel_interrupt(uint32_t line);
struct tcb *kernel_tick(void);
/* The end of every event (sched/sched.c); all there is to a spurious interrupt. */
struct tcb *kernel_leave(void);

/* Make `kernel` ready for its first thread. All bytes of it are zero before. */
void kernel_init(void);
/* Walk everything and panic on the first broken invariant. Slow; tests and debug builds. */
void kernel_check(void);
