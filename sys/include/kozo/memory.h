/* SPDX-License-Identifier: MIT */
/*
 * memory.h - mapping memory into the program's own space.
 *
 * Owns:      the page tables it feeds to that space; they stay for good.
 * Not here:  other spaces (spawn.h), the heap (heap.h: give it what kozo_memory_alloc returns),
 *            addresses (window.h).
 * Callers:   one thread at a time. Needs KOZO_SLOT_SPACE, or init.
 * Cost:      a few system calls for each frame.
 * Spec:      docs/spec/memory.md
 */
#pragma once

#include <kozo/handle.h>

/*
 * Page tables for the own space are carved from `from` from now on; at first that is
 * kozo_own_untyped(). Init has to choose one.
 */
void kozo_memory_source(struct kozo_untyped from);

/*
 * As kozo_map into the own space, and feeds it page tables when it runs dry. Errors: those of
 * kozo_map; NOMEM the source is empty, or there is none; LIMIT no slot is free for a table.
 */
enum kozo_err kozo_memory_map(struct kozo_frame frame, uint64_t address, uint64_t rights);

/* Memory that was mapped, and what it takes to give it back. */
struct [[nodiscard]] kozo_memory {
    void *at;
    uint64_t bytes;
    kozo_cptr first; /* its frames lie in the slots first to first + count - 1 */
    uint32_t count;
    enum kozo_err err;
};

/*
 * `bytes` (rounded up to pages, or to 2 MiB from there on) of new, zeroed, writable memory, carved
 * from `from`. Errors: NOMEM; LIMIT no slots or addresses.
 */
struct kozo_memory kozo_memory_alloc(struct kozo_untyped from, uint64_t bytes);

/*
 * Deletes the frames and gives slots and addresses back. The Untyped gets its bytes back when all
 * it bred is gone.
 */
void kozo_memory_free(struct kozo_memory *m);

/*
 * Frames in consecutive slots that together are one piece of memory: 4 KiB ones up to a 2 MiB
 * boundary, 2 MiB ones, 4 KiB ones.
 */
struct kozo_frames {
    struct kozo_range small, large, tail;
};

/* Bytes of such a piece. */
uint64_t kozo_frames_bytes(const struct kozo_frames *f);

/*
 * Where in [at, at + bytes + 2 MiB) it begins, for its 2 MiB Frames to be aligned; `at` is a
 * multiple of 2 MiB.
 */
uint64_t kozo_frames_begin(const struct kozo_frames *f, uint64_t at);

/*
 * Maps such a piece, of which no Frame is mapped yet, into the own space with `rights`. Its slots
 * stay the caller's: first and count are 0, and its addresses are not used again. Errors: LIMIT;
 * those of kozo_memory_map; what was mapped before an error stays so until the frames go.
 */
struct kozo_memory kozo_memory_map_frames(const struct kozo_frames *f, uint64_t rights);
