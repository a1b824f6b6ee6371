/* SPDX-License-Identifier: MIT */
/*
 * tcb.h - a thread: its registers, its bindings, and where it waits.
 *
 * Owns:      the layout of a thread control block; its life from taken to free.
 * Not here:  who runs (sched.h), the queues of objects (queue.h), what it says (ipc/).
 * Callers:   every room above base/ and cap/.
 * Cost:      O(1).
 * Spec:      docs/spec/threads.md; I4, I5.
 */
#pragma once

#include "arch/arch.h"
#include "cap/cspace.h"

struct endpoint;
struct notification;
struct vspace;

enum tcb_state : uint8_t {
    TCB_FREE = 0,
    TCB_STOPPED = KOZO_THREAD_STOPPED,
    TCB_READY = KOZO_THREAD_READY,
    TCB_SENDING = KOZO_THREAD_SENDING,
    TCB_RECEIVING = KOZO_THREAD_RECEIVING,
    TCB_CALLING = KOZO_THREAD_CALLING,
    TCB_WAITING = KOZO_THREAD_WAITING,
    TCB_FAULTED = KOZO_THREAD_FAULTED,
};

/*
 * Reasons to keep off the fast path, one bit each; tested as one byte.
 */
#define TCB_SLOW_FPU 1u      /* owns floating-point state */
#define TCB_SLOW_FS 2u       /* has an FS base */
#define TCB_SLOW_DEADLINE 4u /* waits with a deadline */
#define TCB_SLOW_FOREIGN 8u  /* its system calls go to its handler */
#define TCB_SLOW_FAULT 16u   /* a fault is what it sends */
#define TCB_SLOW_LOST 32u    /* its REPLY_RECV found the caller gone; what it receives next says so */
#define TCB_SLOW_NTFN 64u    /* has a notification bound */

enum tcb_binding : uint32_t { TCB_CSPACE, TCB_VSPACE, TCB_BUFFER, TCB_FAULT, TCB_BINDINGS };

/* What the thread in a queue of senders, or waiting for a reply, has sent. */
enum tcb_message : uint8_t { MSG_SEND, MSG_CALL, MSG_FAULT };

struct fault {
    enum kozo_fault kind;
    uint32_t access; /* KOZO_READ, KOZO_WRITE, KOZO_EXECUTE; of a system call its number */
    uint64_t address;
    uint64_t code;
};

/* A place in the queue of those who wait for their turn to destroy: see cap/pending.h. */
struct asks {
    struct tcb *next, *prev;
    uint64_t ip; /* of the call that it is about to make again */
    bool queued;
};

struct tcb {
    struct frame frame; /* first: the stack that the processor and the entry code push on */

    /* What the fast path uses; offsets in arch/x86_64/offsets.h. */
    enum tcb_state state;
    uint8_t slow; /* TCB_SLOW_* */
    uint8_t priority;
    uint8_t ceiling;
    uint8_t flags; /* KOZO_THREAD_* */
    enum tcb_message message;
    kozo_rights rights;  /* of the capability it sends through */
    uint8_t user_rights; /* of the same */
    bool started;        /* its registers have been set */
    /* stopped, and listed in pending.stopped: the faulted caller it owes will be stopped too */
    bool dropping;
    uint64_t root;       /* physical address of its root page table; 0 = none */
    struct cspace cspace;
    struct kozo_ipc_buffer *buffer;
    uint64_t badge;         /* of the capability it sends through */
    struct tcb *owes;       /* the caller it has to answer */
    struct replier {        /* who may answer it: */
        struct tcb *server; /* the thread that owes it a reply, or */
        struct slot *slot;  /* the Reply capability that names it */
    } replier;
    struct notification *bound;

    /* Links of the one queue it is in: a ring of equals, and the list of rings. See queue.h. */
    struct tcb *next, *prev, *level_next, *level_prev;
    union {
        struct endpoint *endpoint;
        struct notification *notification;
    } waits_for;

    uint64_t fs_base;
    uint64_t deadline;   /* of the call it waits in */
    uint32_t timer_index; /* 1 + its place in the heap of deadlines; 0 = none */
    uint32_t pool;        /* the ThreadPool it was made from */
    uint64_t serial;      /* never the same for two threads */
    uint64_t name;        /* its maker's word for it: letters, the first in the lowest byte */
    /* charged when the scheduler takes the processor away; see docs/spec/threads.md */
    uint64_t cpu_cycles;
    struct fault fault; /* the one under way, or that stopped it */
    struct asks asks;

    struct slot binding[TCB_BINDINGS];
    struct arch_fpu fpu;
};
static_assert(offsetof(struct tcb, frame) == 0);

static inline bool tcb_is_blocked(const struct tcb *t)
{
    return t->state >= TCB_SENDING && t->state <= TCB_WAITING;
}

/* Take a free TCB; null when there is none. All zero but its serial; stopped. */
NODISCARD struct tcb *tcb_take(void);
/* Its name as text, with '?' for what is no letter. */
struct tcb_name {
    char text[9];
};
struct tcb_name tcb_name(const struct tcb *t);
/* An event about a thread. */
void tcb_trace(enum kozo_trace what, const struct tcb *t);
/* Bind what `from` names as one of the thread's own; the old binding goes first. */
void tcb_bind(struct tcb *t, enum tcb_binding which, struct slot *from, uint64_t buffer_offset);

/*
 * The rest ends waits of every kind, so it is in ipc/wait.c.
 *
 * End a thread: out of its queue, its callers and server told, its bindings emptied, the TCB free.
 * */
void tcb_destroy(struct tcb *t);

/* Stop it wherever it waits: the call under way ends with `err`, seen when it runs again. */
void tcb_suspend(struct tcb *t, enum kozo_err err);
/* Let a stopped thread run. */
void tcb_resume(struct tcb *t);
/* End the wait of a blocked thread with `err`: out of its queue and ready. */
void tcb_wake_error(struct tcb *t, enum kozo_err err);
/* `t` has stopped for good: the caller it owes is told, at once or, if that stops one more thread, in a step of its own. */
void tcb_drop_caller(struct tcb *t);
/* Change priority and ceiling, in any state; a waiting thread moves within its queue. */
void tcb_set_priority(struct tcb *t, uint8_t priority, uint8_t ceiling);
/* As wake, but leave it out of every queue and not ready. */
void tcb_unblock(struct tcb *t);
