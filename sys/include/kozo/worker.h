/* SPDX-License-Identifier: MIT */
/*
 * worker.h - further threads of a program, in its own address space.
 *
 * Owns:      the part of the address space where their stacks and IPC buffers lie (layout.h).
 * Not here:  other processes (spawn.h), locks: there are none; threads of one program meet by IPC
 *            and notifications.
 * Callers:   one thread at a time. Needs KOZO_SLOT_CNODE and KOZO_SLOT_SPACE, or init.
 * Cost:      about six system calls for each page of stack.
 * Spec:      docs/spec/threads.md
 */
#pragma once

#include <kozo/handle.h>

struct kozo_worker_options {
    struct kozo_pool pool;      /* the thread comes from here; { 0 }: kozo_own_pool() */
    struct kozo_untyped memory; /* its pages come from here; { 0 }: kozo_own_untyped() */
    uint32_t stack_pages;       /* 1 to 14; 0: 4 */
    uint32_t priority;          /* no more urgent than the caller's ceiling */
    uint32_t flags;             /* KOZO_THREAD_* */
    struct kozo_endpoint fault; /* where its faults go, badged or not; { 0 }: kozo_cap("fault"), if any */
    bool unwatched;             /* nowhere: after a fault the kernel stops it, and no more */
    bool stopped;               /* build it, do not run it: kozo_worker_run */
};

struct kozo_worker {
    struct kozo_thread thread;
    struct kozo_cnode keep; /* its frames */
    uint64_t part;          /* address of its IPC buffer; above it a guard page, then the stack */
    uint64_t stack_end;
};

/*
 * Runs run(arg) in a new thread, which ends when that returns. On an error nothing is left. Errors:
 * QUOTA, NOMEM, PRIORITY; LIMIT no slots or addresses; ARGUMENT stack_pages.
 */
enum kozo_err kozo_worker_start(struct kozo_worker *w, const struct kozo_worker_options *o,
                                void (*run)(void *), void *arg);

/*
 * Runs run(arg) in a worker that is stopped: made so, or back from an earlier run. Errors: STATE it
 * is not.
 */
enum kozo_err kozo_worker_run(struct kozo_worker *w, void (*run)(void *), void *arg);

/* Ends the thread wherever it is, and gives its pages, slots and addresses back. Never fails. */
void kozo_worker_end(struct kozo_worker *w);
