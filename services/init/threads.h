/* SPDX-License-Identifier: MIT */
/*
 * threads.h - what the threads of services do, as the kernel tells.
 *
 * Threads beyond a service's first are found by the Thread capabilities in its own slots: each
 * thread once, however many it holds, and no more of them than its section allows.
 *
 * Owns:      names for what a thread is blocked on.
 * Callers:   system.c.
 * Cost:      the slots of a service, four system calls for each; looking for whom a thread waits:
 *            those of all services. At priority 0: a page at a time.
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
 * A capability of init's own to such a thread but the first, to be dropped with kozo_slot_drop.
 * Errors: NOT_FOUND; LIMIT no slot is free.
 */
struct [[nodiscard]] threads_copy {
    struct kozo_thread thread;
    enum kozo_err err;
};
struct threads_copy threads_copy(const struct service *s, uint64_t number);

/* CNodes in which the note of one thread is looked for, from the slot of its capability on. */
#define THREADS_MARKS 16u

/* Its stack. A further thread's is known by what its program noted (stack.h); NOT_FOUND without. */
struct kozo_stack threads_stack(const struct service *s, uint64_t number);

/*
 * Calls look(context) as urgent as can be, so that no service runs meanwhile: none takes back pages
 * that are looked at. Errors: those of kozo_thread_priority, and nothing was called.
 */
enum kozo_err threads_undisturbed(void (*look)(void *context), void *context);
/*
 * Where the stack of a further thread is by that note, in a copy of init's of the CNode that keeps
 * it, to be dropped with kozo_slot_drop; nothing is known of what is there. NOT_FOUND also when no
 * such note is in the first THREADS_MARKS.
 */
struct [[nodiscard]] threads_pages {
    struct kozo_cnode keep; /* { 0 } on an error */
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
