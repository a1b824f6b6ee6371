/* SPDX-License-Identifier: MIT */
/*
 * stack.h - how much of a thread's stack was never used.
 *
 * Every thread of kozo-sys paints its stack before it does anything else. What still holds the
 * paint, from the far end on, was never written: also where a program would have written zeros,
 * which is what memory holds when the kernel hands it out.
 *
 * Owns:      the paint; the mark by which a further thread's stack is found.
 * Not here:  where stacks lie (layout.h), the kernel's own (KOZO_STAT_STACK_KERNEL).
 * Callers:   kozo-sys; supervisors.
 * Cost:      one store for each eight bytes of the stack; to look: three system calls for each page
 *            that was never used, and one more.
 * Spec:      docs/spec/memory.md
 */
#pragma once

#include <kozo/handle.h>

#define KOZO_STACK_PAINT 0x2d2d646573756e75ull

/*
 * At the end of the page that holds a further thread's IPC buffer, in slot 1 of struct kozo_worker's
 * `keep`. It is its program's word, and binds nobody.
 */
struct kozo_stack_mark {
    uint64_t paint;  /* KOZO_STACK_PAINT */
    uint64_t serial; /* of the thread */
    uint64_t slot;   /* in `keep`: the Frame of the lowest page of its stack; the others follow */
    uint64_t pages;
};
#define KOZO_STACK_MARK_SLOT 1u
#define KOZO_STACK_MARK_AT (KOZO_PAGE_SIZE - sizeof(struct kozo_stack_mark))

/* A stack, in bytes. */
struct [[nodiscard]] kozo_stack {
    uint64_t bytes;
    uint64_t unused; /* never used so far */
    enum kozo_err err;
};

/* Paints from `begin` up to the stack frame of the caller, who runs on this very stack. */
void kozo_stack_paint(uint64_t begin);

/* How many bytes from `begin` on still hold the paint, of `bytes`. */
uint64_t kozo_stack_unused(const void *begin, uint64_t bytes);

/* Maps a page that `keep` has, reads it and unmaps it. */
typedef void kozo_stack_glance(struct kozo_cnode keep, void *context);

/* The CNode that has the Frames of a stack: the caller's own, or another's, who may take it back. */
struct kozo_stack_keep {
    struct kozo_cnode cnode; /* the caller's own; not looked at if there is `lend` */
    /*
     * Calls glance(keep, context) once, in such a way that nobody takes anything back meanwhile.
     * Errors: its own, and then it has not called. Null: nobody else can.
     */
    enum kozo_err (*lend)(void *of, kozo_stack_glance *glance, void *context);
    void *of;
};

/*
 * Looks at a stack of another program: `pages` Frames in `keep` from `slot` on, the lowest page
 * first; it is lent once for each page. A thread that has not run yet has used nothing. Nothing
 * stays mapped. Needs READ on the CNode; READ and MAP on the Frames. Errors: LIMIT the caller has
 * no slot or address; KIND something else is there, also memory of a device; those of kozo_map and
 * of keep->lend.
 */
struct kozo_stack kozo_stack_look(const struct kozo_stack_keep *keep, uint64_t slot,
                                  uint64_t pages);

/* Where the pages of a further thread's stack are, the lowest first. */
struct [[nodiscard]] kozo_stack_pages {
    uint64_t slot;
    uint64_t pages;
    enum kozo_err err;
};

/*
 * In `keep`, if that has the thread's mark; nothing is known of what these slots hold. Needs as
 * kozo_stack_look. Errors: NOT_FOUND it is another thread's; those of kozo_stack_look.
 */
struct kozo_stack_pages kozo_stack_pages_of(const struct kozo_stack_keep *keep, uint64_t serial);

/* The address of the lowest of them, for a thread of kozo-sys whose stack pointer is `sp`. */
uint64_t kozo_stack_begin_of(uint64_t sp);
