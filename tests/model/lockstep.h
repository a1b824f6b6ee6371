/* SPDX-License-Identifier: MIT */
/*
 * lockstep.h - the kernel and the model go through the same operations, and are compared after each
 * event.
 *
 * Owns:      how an operation is done to both; when it failed.
 * Not here:  operations (op.h), what is compared (compare.c), choosing operations (generate.h).
 */
#pragma once

#include "model.h"
#include "op.h"

#define LOCKSTEP_RAM_BYTES (8ull << 20)
#define LOCKSTEP_ROOT_BITS 6u

/* Run all of the following inside: a panic of the kernel is then a failure like others. */
void lockstep_run(void (*body)(void *), void *with);
/* A fresh world, the same in both. */
void lockstep_boot(void);
/* Do it to both, and compare. A no-op where it makes no sense (nobody runs). */
void lockstep_do(const struct op *op);
/* Compare what is looked at only now: the memory of Frames. */
void lockstep_end(void);

/* Keep both sides, and put them back as often as wanted. There are places for two. */
void lockstep_keep(uint32_t place);
void lockstep_put_back(uint32_t place);

/* What happened so far, in a number: the same from the same operations. */
extern uint64_t lockstep_hash;
struct lockstep_stats {
    uint64_t ops, events, preempted, ticks, idle;
    uint64_t calls[KOZO_SYSCALL_LIMIT +
                   1]; /* that ended without error, or wait; the last: numbers from 100 on */
    uint64_t refused[KOZO_SYSCALL_LIMIT + 1];
    uint64_t errors[64];
};
extern struct lockstep_stats lockstep_stats;

/* They differ, or the kernel panicked: said on stderr. Ends by calling lockstep_failed, which does
 * not return. */
[[noreturn]] __attribute__((format(printf, 1, 2))) void lockstep_fail(const char *format, ...);
extern void (*lockstep_failed)(void);

/* compare.c */
void compare_all(void);
void compare_memory(void);
/* What the kernel knows an object by; the address of the slot that a capability lies in. */
uint64_t compare_kernel_object(const struct m_object *o);
const void *compare_kernel_slot(const struct m_cap *c);
/* import.c: make the model of what the kernel is right after boot. */
void import_world(void);
