/* SPDX-License-Identifier: MIT */
/*
 * spawn.h - makes a process from an ELF image, out of exactly the memory and threads it is given.
 *
 * Owns:      the order in which a process is built, and what its capability space holds at birth
 *            (start.h).
 * Not here:  reading ELF (kozo/elf.h), where things lie (layout.h), supervision, which is init's.
 * Cost:      about six system calls for each page of the image and the stack, one retype and two
 *            calls for each of the heap.
 * Spec:      docs/spec/services.md
 *
 * Everything a process consists of is carved out of `memory` and `pool`, also the CNode that keeps
 * its frames; revoking the two ends it without a trace. Nothing else may be carved from them while
 * the process lives. The maker looks at pages through its own space while it fills them, so it
 * needs kozo_memory_source() or an Untyped of its own (memory.h).
 */
#pragma once

#include <kozo/bad.h>
#include <kozo/handle.h>
#include <kozo/memory.h>

/* Memory for the child that exists already: it gets a mapping, and no capability. */
struct kozo_spawn_map {
    const char *name;           /* by which kozo_mapping() finds it; at most 31 bytes */
    struct kozo_frames frames;  /* in the maker's space; they may be mapped, their mappings stay */
    uint64_t bytes;             /* what the child is told; 0: all of the frames */
    uint64_t rights;            /* READ, or READ and WRITE */
};

/* A capability for the child. */
struct kozo_spawn_cap {
    const char *name;        /* by which kozo_cap() finds it; at most 31 bytes; null for none */
    struct kozo_place from;  /* in the maker's space */
    uint64_t rights;         /* KOZO_RIGHTS(rights, user rights), or KOZO_SAME_RIGHTS */
    uint64_t badge;          /* not 0: the child's copy gets it */
    bool move;               /* move it instead of copying: for kinds that cannot be copied */
};

struct kozo_spawn {
    const char *name; /* argv[0] and kozo_program_name(); at most 31 bytes */
    const void *image;
    uint64_t image_bytes;
    int argc;                 /* arguments after the name */
    const char *const *argv;  /* with the name at most KOZO_START_ARGS, of KOZO_START_ARG_BYTES */

    struct kozo_untyped memory;
    struct kozo_pool pool;    /* at least one thread */
    struct kozo_frame clock;  /* the clock page; { 0 }: the child has no clock */
    struct kozo_endpoint fault; /* where its faults go, { 0 } nowhere: unbadged, needs WRITE */
    uint64_t fault_badge;       /* not 0 */

    uint32_t cnode_bits;  /* log2 of its slots, 4 to 12 */
    uint32_t stack_pages; /* 1 to 508 */
    uint32_t heap_pages;
    uint32_t flags;       /* KOZO_THREAD_* */
    uint32_t priority;

    uint32_t give;         /* bits KOZO_SLOT_CNODE, _THREAD, _SPACE: 1u << slot */
    uint32_t give_threads; /* quota split off `pool` for the child, 0 none */
    uint32_t give_bits;    /* log2 of bytes of an Untyped out of `memory` for the child, 0 none */
    const struct kozo_spawn_cap *caps;
    uint32_t ncaps;        /* at most KOZO_START_CAPS */
    const struct kozo_spawn_map *maps;
    uint32_t nmaps;        /* at most KOZO_START_MAPS */
};

/* A living process; the handles are in the maker's space. */
struct kozo_process {
    struct kozo_untyped memory;
    struct kozo_pool pool;
    struct kozo_cnode cnode;   /* its capability space */
    struct kozo_cnode keep;    /* its frames and page tables */
    struct kozo_space space;
    struct kozo_thread thread;
    uint64_t serial;           /* of its first thread */
    uint32_t first_named;      /* slot of caps[0] in its space; the others follow */
    uint32_t stack_slot;       /* in `keep`: the Frame of the lowest page of the stack; the others follow */
    uint64_t stack_end;        /* addresses of the child: its stack begins at KOZO_LAYOUT_STACK, ... */
    uint64_t heap, heap_end;   /* ... its heap here */
};

/* Where and why it failed. */
struct kozo_spawn_report {
    const char *step;    /* "image", "stack", "capability" ... */
    enum kozo_err err;
    struct kozo_bad bad; /* with FORMAT: the field of the image */
    uint64_t index;      /* of the segment, mapping or capability, where the step has several */
};

/*
 * Builds and starts a process. All or nothing: after an error `memory` and `pool` are as they were,
 * and so are the maker's slots and windows; *report says what failed. A capability to be moved
 * stays with the maker then. Needs WRITE on memory, pool and fault; MAP and READ on clock and maps;
 * READ on the places capabilities come from. Errors: FORMAT and VERSION the image (report.bad);
 * STATE memory is in use; NOMEM it is too small; QUOTA pool is empty; LIMIT no slots or addresses,
 * too many names or arguments; ARGUMENT a number is out of range; else that of the system call at
 * report.step.
 */
enum kozo_err kozo_spawn(const struct kozo_spawn *s, struct kozo_process *p,
                         struct kozo_spawn_report *report);

/*
 * Ends a process: revokes its memory and pool and frees the maker's slots. They may be used again
 * at once. Never fails.
 */
void kozo_process_destroy(struct kozo_process *p);
