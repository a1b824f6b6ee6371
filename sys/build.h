/* SPDX-License-Identifier: MIT */
/*
 * build.h - fills an address space page by page, and keeps the capabilities of what it is filled
 * with.
 *
 * Owns:      one place in the maker's space, where a page is looked at while it is filled; two
 *            slots for what is under way.
 * Not here:  what goes where (spawn.c, worker.c, test.c).
 * Callers:   sys/; one thread at a time.
 * Spec:      docs/spec/memory.md
 */
#pragma once

#include <kozo/handle.h>

struct kozo_builder {
    struct kozo_untyped memory; /* everything is carved from here */
    struct kozo_space space;    /* what is filled */
    struct kozo_cnode keep;     /* takes frames and tables, from slot `next` on */
    uint32_t next;
    bool own; /* `space` is the maker's: its tables outlive `memory`, so memory.h provides them */
    kozo_cptr frame, table; /* empty slots between calls */
    uint64_t scratch;       /* address of a page in the maker's own space */
};

/* How many tables `pages` pages can take at most, when they lie in one piece. */
uint64_t kozo_build_tables(uint64_t pages);

/*
 * Starts filling `space` out of `memory`: carves the CNode that keeps up to `caps` capabilities. On
 * an error nothing is left. Errors: LIMIT the maker has no slots or addresses; NOMEM.
 */
enum kozo_err kozo_build_begin(struct kozo_builder *b, struct kozo_untyped memory,
                               struct kozo_space space, uint64_t caps);

/*
 * Gives the maker's slots and address back; the CNode that keeps stays, and with it all that was
 * built.
 */
void kozo_build_end(struct kozo_builder *b);

/* Bytes for a page; the rest of it is zero. */
struct kozo_content {
    const void *bytes;
    uint64_t len;    /* 0: a page of zeros */
    uint64_t offset; /* in the page */
};

/*
 * Maps a new page at `address`. On an error nothing is mapped. Errors: NOMEM; those of kozo_map.
 * kozo_build_page_held leaves the Frame in slot b->frame, for further use, until kozo_build_keep.
 */
enum kozo_err kozo_build_page(struct kozo_builder *b, uint64_t address, uint64_t rights,
                              struct kozo_content c);
enum kozo_err kozo_build_page_held(struct kozo_builder *b, uint64_t address, uint64_t rights,
                                   struct kozo_content c);
enum kozo_err kozo_build_keep(struct kozo_builder *b, kozo_cptr slot);

/* Maps `pages` new pages of zeros from `address` on. */
enum kozo_err kozo_build_zeros(struct kozo_builder *b, uint64_t address, uint64_t rights,
                               uint64_t pages);

/* Maps a Frame that exists, by a capability of its own with no more than `rights`. */
enum kozo_err kozo_build_copy(struct kozo_builder *b, uint64_t address, uint64_t rights,
                              kozo_cptr frame);
