/* SPDX-License-Identifier: MIT */
/*
 * threads.h - what the threads of services do, as the kernel tells.
 *
 * Threads beyond a service's first are found by the Thread capabilities in its own slots: each
 * thread once, however many it holds, and no more of them than its section allows.
 *
 * Owns:      names for what a thread is blocked on.
 * Not here:  how init comes by what services hold (borrow.h).
 * Callers:   system.c, report.c, crash.c.
 * Cost:      the slots of a service, a system call for each, and five more for one with a thread;
 *            looking for whom a thread waits: those of all services. At priority 0: a thread, or a
 *            page, at a time.
 * Spec:      docs/spec/services.md
 */
#pragma once

#include <kozo/stack.h>
#include <kozo/syscall.h>

#include "init/init.h"

/* The service's thread of this number, the first is 0. Words of THREAD_INFO: kozo_buffer(). */
struct kozo_thread_info threads_info(const struct service *s, uint64_t number);
uint64_t threads_count(const struct service *s);
/*
 * Calls act(thread, context) with a capability to such a thread but the first, that is gone after;
 * no service runs meanwhile. Errors, and nothing was called: NOT_FOUND; those of borrow.
 */
enum kozo_err threads_act(const struct service *s, uint64_t number,
                          void (*act)(struct kozo_thread thread, void *context), void *context);

/* CNodes in which the note of one thread is looked for, from the slot of its capability on. */
#define THREADS_MARKS 16u

/* Its stack. A further thread's is known by what its program noted (stack.h); NOT_FOUND without. */
struct kozo_stack threads_stack(const struct service *s, uint64_t number);

/* A slot of a service, where a CNode was found. */
struct threads_keep {
    const struct service *s;
    uint64_t slot;
};
/*
 * Where the stack of a further thread is by that note, in the CNode that keeps it; nothing is known
 * of what is there. NOT_FOUND also when no such note is in the first THREADS_MARKS.
 */
struct [[nodiscard]] threads_pages {
    struct threads_keep keep;
    struct kozo_stack_pages at;
};
struct threads_pages threads_pages(const struct service *s, uint64_t serial);

/* What a thread is blocked on, and the service it waits for; both empty when nothing is known. */
struct threads_block {
    char on[48];
    struct kozo_str waits;
};
/* To be asked right after threads_info, whose answer `info` is. */
struct threads_block threads_block(const struct init *i, const struct kozo_thread_info *info);
