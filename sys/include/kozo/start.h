/* SPDX-License-Identifier: MIT */
/*
 * start.h - what a program is born with: its arguments, its name and the capabilities it was given.
 *
 * Owns:      the layout of the start page, written once by spawn.c, read-only for the program.
 * Not here:  making a program (spawn.h), where the page lies (layout.h).
 * Spec:      docs/spec/services.md
 *
 * A program defines `int main(int argc, char **argv)`; argv[0] is its name. What main returns ends
 * the first thread as its exit code. The same binary may be started by the kernel in init's place:
 * then kozo_boot_info() is its birth certificate and kozo_start() is null.
 */
#pragma once

#include <kozo/abi.h>
#include <kozo/handle.h>

#define KOZO_START_VERSION 1u
#define KOZO_START_CAPS 48u
#define KOZO_START_MAPS 4u
#define KOZO_START_NAME 32u /* bytes of a name, its NUL included */
#define KOZO_START_ARGS 16u
#define KOZO_START_ARG_BYTES 1024u

/* A program's slots: the first ones have fixed meaning and are empty where nothing was given. */
enum kozo_program_slot : uint32_t {
    KOZO_SLOT_NONE,
    KOZO_SLOT_CNODE,   /* the program's own capability space */
    KOZO_SLOT_THREAD,  /* its first thread */
    KOZO_SLOT_SPACE,   /* its address space */
    KOZO_SLOT_POOL,    /* a quota for more threads */
    KOZO_SLOT_UNTYPED, /* memory of its own */
    KOZO_SLOT_FIRST_NAMED,
};

struct kozo_start_cap {
    char name[KOZO_START_NAME];
    uint32_t slot;
    uint32_t kind; /* enum kozo_kind */
};

/* Memory that was mapped before the program began. */
struct kozo_start_map {
    char name[KOZO_START_NAME];
    uint64_t at, bytes;
};

struct kozo_start {
    struct kozo_start_head head;
    uint32_t version; /* KOZO_START_VERSION */
    uint32_t argc;    /* argument strings in args[], each ended by a NUL */
    char service[KOZO_START_NAME];
    struct kozo_range free;       /* empty slots */
    uint32_t given;               /* bit KOZO_SLOT_x set: that slot holds its capability */
    uint32_t ncaps;               /* entries of cap[] */
    uint64_t heap, heap_end;      /* [heap, heap_end) is mapped, zeroed memory */
    uint64_t stack, stack_end;    /* the first thread's */
    uint64_t mixed;               /* addresses from here to KOZO_LAYOUT_MIXED_END are unused */
    uint32_t nmaps;
    uint32_t reserved;
    struct kozo_start_map map[KOZO_START_MAPS];
    struct kozo_start_cap cap[KOZO_START_CAPS];
    char args[KOZO_START_ARG_BYTES];
};
static_assert(sizeof(struct kozo_start) <= KOZO_PAGE_SIZE);

int main(int argc, char **argv);

/* The start page; null in a program that the kernel started. */
const struct kozo_start *kozo_start(void);

/* The kernel's boot information; null in a program that was spawned. */
const struct kozo_boot_info *kozo_boot_info(void);

/*
 * The address of the capability given under `name`, 0 when there is none. In init: always 0. Cost:
 * O(names).
 */
kozo_cptr kozo_cap(const char *name);

/*
 * After a provider was restarted: puts a fresh capability to it into the very slot of
 * kozo_cap(name), so that what was made of that address goes on to work. Rights and badge are those
 * that were given at birth. Where the slot is not empty nothing was taken, and nothing is done.
 * Answered at once, also while the provider waits to be started: calls then wait in its queue. Asks
 * the supervisor by "log". Errors: EMPTY nothing was given under `name`, or no "log"; GONE the
 * provider has ended for good; NOT_FOUND `name` is nothing that can be given again; those of
 * kozo_call.
 */
enum kozo_err kozo_reconnect(const char *name);

/*
 * Where the memory given under `name` is mapped, and how much it is; null when there is none. In
 * init: always null.
 */
struct kozo_mapping {
    const void *at;
    uint64_t bytes;
};
struct kozo_mapping kozo_mapping(const char *name);

/* kozo_cap for the kind met most. Kind and rights are checked when it is used, by the kernel. */
static inline struct kozo_endpoint kozo_cap_endpoint(const char *name)
{
    return (struct kozo_endpoint){ kozo_cap(name) };
}

/* The program's name, "init" where the kernel started it. */
const char *kozo_program_name(void);

/* What was given in the fixed slots, { 0 } where nothing was; in init the boot capabilities. */
struct kozo_cnode kozo_own_cnode(void);
struct kozo_thread kozo_own_thread(void);
struct kozo_space kozo_own_space(void);
struct kozo_pool kozo_own_pool(void);
struct kozo_untyped kozo_own_untyped(void); /* in init { 0 }: choose from the boot information */

/* Ends the calling thread with `code`, after writing out an unfinished line. */
[[noreturn]] void kozo_exit(int code);

/* Writes `program: text` to the log and ends the thread with code 1: for what cannot go on. */
[[noreturn, gnu::format(printf, 1, 2)]] void kozo_fatal(const char *format, ...);
