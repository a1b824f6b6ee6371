/* SPDX-License-Identifier: MIT */
/*
 * host.h - a world to test in: the kernel, a few objects, threads that do what a test says.
 *
 * host_boot() makes a fresh kernel whose first thread, host.init, holds everything. A test plays
 * all threads: call() makes a system call as one of them. After every event the whole kernel is
 * checked: its invariants, the TLB, that a call which ended with an error changed nothing, and that
 * nothing user code sees holds a kernel address.
 *
 * Owns:      `host`.
 * Not here:  the machine itself (machine.h), tests and checks (unit.h).
 * Spec:      docs/spec/infrastructure.md
 */
#pragma once

#include "ipc/endpoint.h"
#include "ipc/notification.h"
#include "kernel.h"
#include "machine.h"
#include "unit.h"

/* How call() ends if not with an error. */
#define HOST_BLOCKED 0x1000u /* the thread is not able to run: look at its state */
#define HOST_ENDED 0x1001u   /* the thread is no more */

#define HOST_RAM_BYTES (64ull << 20)
#define HOST_RAM_MAX (256ull << 20)
#define HOST_PRIORITY 100u     /* of host.init, and of threads made without saying */
#define HOST_ROOT_BITS 8u      /* slots of the first CNode */
#define HOST_SPACE_BITS 6u     /* slots of other threads' CNodes */
#define HOST_ENTRY 0x400000ull /* where threads start */
#define HOST_DEVICE_BASE 0xfec00000ull

/*
 * Where every thread finds what it has. init has all of it, others SELF, THREAD, SPACE, EP, NTFN
 * and FRAME.
 */
enum host_slot : uint64_t {
    SLOT_CNODE = KOZO_INIT_CNODE, /* its own capability space */
    SLOT_THREAD = KOZO_INIT_THREAD,
    SLOT_SPACE = KOZO_INIT_SPACE,
    SLOT_POOL = KOZO_INIT_POOL,
    SLOT_IRQ = KOZO_INIT_IRQ,
    SLOT_IOPORT = KOZO_INIT_IOPORT,
    SLOT_DEBUG = KOZO_INIT_DEBUG,
    SLOT_UNTYPED = 10, /* all of RAM */
    SLOT_DEVICE,       /* 2 MiB of device memory */
    SLOT_EP,           /* the world's Endpoint */
    SLOT_NTFN,         /* the world's Notification */
    SLOT_FRAME,        /* where the IPC buffer is */
    SLOT_FREE = 16,    /* from here on all is empty, but for init: up to SLOT_KEPT */
    SLOT_KEPT = 128,   /* init: originals of what other threads were given */
};

struct host {
    struct tcb *init;
    uint64_t kept;         /* next free slot from SLOT_KEPT on */
    bool seldom;           /* a large world: host_seldom() */
    bool sampled;          /* host_sampled() */
    bool broken;           /* something was found wrong: it is not checked at the end */
    uint64_t events;       /* handled since host_boot */
    uint64_t rewinds;      /* calls that were preempted and made again */
    void (*between)(void); /* runs after each preemption, before the call is made again */
    void (*fails)(void); /* runs when a call has failed, before it is looked at what that changed */
    uint64_t seed;         /* of host_random; not 0 */
    uint64_t traced;       /* position of the first event since host_trace */
    bool audits;           /* the events are held against the capabilities there are */
    uint64_t searched;     /* position of the first event that was not searched for secrets */
    uint64_t audited;      /* position of the first event that the audit has not taken in */
};
extern struct host host;

/* A fresh world. */
void host_boot(void);
/* The same with other sizes. */
void host_boot_sized(uint64_t ram_bytes, uint32_t root_bits);
/* After a test, whatever became of it: no world. */
void host_forget(void);

/* ---- threads ---- */

/*
 * A thread that runs, with a capability space, an IPC buffer and init's address space; its SLOT_EP
 * has these rights and, unless 0, this badge.
 */
struct tcb *host_thread(kozo_rights rights, uint64_t badge);
struct tcb *host_thread_at(kozo_rights rights, uint64_t badge, uint8_t priority);
/* A thread that shares init's capability space and has no IPC buffer. */
struct tcb *host_peer(uint8_t priority);
/* Where init keeps the original capability to a thread made here, or to its CNode. */
NODISCARD uint64_t host_thread_slot(const struct tcb *t);
NODISCARD uint64_t host_cnode_slot(const struct tcb *t);

static inline struct tcb *host_running(void) { return kernel.cpu.current; }
static inline bool host_is_idle(void) { return kernel.cpu.current == kernel.cpu.idle; }
static inline uint64_t host_error(const struct tcb *t) { return t->frame.error; }

/* ---- events ---- */

/*
 * Make a system call as `t`, which is ready, with `n` words from `arg` in its registers and the
 * rest 0; again as long as it is preempted. Returns its error, HOST_BLOCKED or HOST_ENDED.
 */
uint64_t host_call(struct tcb *t, uint64_t deadline, uint64_t number, const uint64_t *arg,
                   uint32_t n);
#define HOST_ARGS(...) (const uint64_t[]){ 0 __VA_OPT__(, ) __VA_ARGS__ } + 1, \
    (uint32_t)(sizeof((const uint64_t[]){ 0 __VA_OPT__(, ) __VA_ARGS__ }) / sizeof(uint64_t)) - 1
#define call(t, NAME, ...) host_call(t, 0, KOZO_SYS_##NAME, HOST_ARGS(__VA_ARGS__))
/* The same with a deadline in its register; KOZO_INFO_DEADLINE is the test's to set. */
#define call_until(t, deadline, NAME, ...)                                                         \
    host_call(t, deadline, KOZO_SYS_##NAME, HOST_ARGS(__VA_ARGS__))
#define call_number(t, number, ...) host_call(t, 0, number, HOST_ARGS(__VA_ARGS__))

/* As call(), but an interrupt is found waiting at every n-th check. Returns as call(). */
#define call_preempted(every, t, NAME, ...) \
    (host_preempt(1, every), host_after_preempt(call(t, NAME, __VA_ARGS__)))
void host_preempt(uint64_t at, uint64_t every);
uint64_t host_after_preempt(uint64_t error);

/* `t` meets a fault. */
void host_fault(struct tcb *t, enum kozo_fault kind, uint64_t address, uint32_t access);
/* A line interrupts; false when it is masked. */
bool host_interrupt(uint32_t line);
/* Let time pass, with all timer interrupts that were armed for it. */
void host_advance(uint64_t nanoseconds);
/* What the kernel does when nobody is ready: finish the destruction that is pending. */
void host_idle(void);
/* An event without an effect of its own. */
void host_leave(void);
/* Check everything now. */
void host_check(void);
/*
 * A world is checked after every event. From here on this one, which has more than HOST_SMALL_SLOTS
 * slots, is checked after every HOST_SELDOM-th, and every world at its end; that a call which
 * failed changed nothing is seen each time.
 */
void host_seldom(void);
/*
 * The same, and calls that failed are compared only where it is checked: for many millions of
 * events.
 */
void host_sampled(void);
#define HOST_SMALL_SLOTS 256u
#define HOST_SELDOM 1000u
/* The world's end: the last check, unless something was found broken in it already. */
void host_end(void);
/* A word that no user code sees unless it made it up: an address of the kernel, or poison. */
NODISCARD bool host_is_secret(uint64_t word);
/* Its parts about address spaces (host_spaces.c) and about what user code sees (host_sight.c). */
void host_check_tables(void);
void host_check_sight(void);

/* What memory holds that nobody has cleared yet: the first part of RAM at the boot. */
#define HOST_POISON 0xc3c3c3c3c3c3c3c3ull
/*
 * What a thread's registers hold that no call uses, so that they are known when they turn up
 * elsewhere.
 */
#define HOST_MARK 0x7e57ab1e00000000ull
static inline uint64_t host_mark(const struct tcb *t) { return HOST_MARK | (uint32_t)t->serial; }

/* ---- objects ---- */

/* init carves an object out of SLOT_UNTYPED into its empty slot `at`. */
void host_make(uint64_t at, enum kozo_kind kind, uint32_t bits);
/* The slot itself, of init's capability space or of another thread's. */
static inline struct slot *host_slot(uint64_t at) { return &host.init->cspace.slots[at]; }
static inline struct slot *host_slot_of(const struct tcb *t, uint64_t at)
{
    return &t->cspace.slots[at];
}
static inline enum kozo_kind host_kind(uint64_t at) { return host_slot(at)->cap.kind; }
/* The objects that SLOT_EP and SLOT_NTFN name. */
struct endpoint *host_endpoint(void);
struct notification *host_ntfn(void);

/* ---- messages ---- */

#define INFO(label) ((uint64_t)(label) << KOZO_INFO_LABEL_SHIFT)
#define INFO_LABEL(info) ((info) >> KOZO_INFO_LABEL_SHIFT)
#define INFO_CAPS(n) ((uint64_t)(n) << KOZO_INFO_CAPS_SHIFT)
#define INFO_CAPS_OF(info) (((info) & KOZO_INFO_CAPS_MASK) >> KOZO_INFO_CAPS_SHIFT)

/* ---- memory, as user code of `t` meets it ---- */

NODISCARD bool host_can(const struct tcb *t, uint64_t address, uint8_t access);
/* The byte at `address`; null when it faults. */
uint8_t *host_byte(const struct tcb *t, uint64_t address, uint8_t access);

/* ---- chance: the same from the same seed ---- */

/* Below `limit`. */
uint64_t host_random(uint64_t limit);

/* ---- events ---- */

/*
 * Record these kinds of event from now on. When they include all of a capability's
 * (HOST_TRACE_CAPS), every check also has the events account for the capabilities there are.
 */
void host_trace(uint64_t mask);
#define HOST_TRACE_ALL ((1ull << KOZO_TRACE_COUNT) - 1)
#define HOST_TRACE_CAPS                                                                            \
    (1ull << KOZO_TRACE_DERIVED | 1ull << KOZO_TRACE_DROPPED | 1ull << KOZO_TRACE_REVOKED)
/*
 * Events since then, as long as they are in the ring, like one with these fields (kozo_event_is,
 * kozo/trace.h).
 */
#define count_events(WHAT, ...) \
    host_count_events((struct kozo_event){ .what = KOZO_TRACE_##WHAT __VA_OPT__(, ) __VA_ARGS__ })
#define has_event(...) (count_events(__VA_ARGS__) != 0)
NODISCARD uint64_t host_count_events(struct kozo_event like);
/* What events call the object that a capability names. */
NODISCARD uint64_t host_identity(const struct slot *s);
/* The harness's own: take in what was recorded; compare it with the capabilities there are. */
void host_audit_event(void);
void host_audit_check(void);

/* ---- the log ---- */

NODISCARD bool host_log_has(const char *text);
void host_log_forget(void);
