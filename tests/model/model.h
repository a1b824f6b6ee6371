/* SPDX-License-Identifier: MIT */
/*
 * model.h - the reference model: what docs/spec says the kernel does, in the plainest way.
 *
 * Capabilities are nodes of an ordinary tree, searched by recursion; queues are arrays; memory is a
 * copy of the machine's; whether an object lives is found out by counting the capabilities to it.
 * Slow and obvious, and not one line of it is the kernel's: it shares sys/abi alone.
 *
 * Owns:      `m`: a world as the spec sees it.
 * Not here:  driving the kernel beside it (lockstep.h), choosing operations (generate.h).
 * Spec:      capabilities.md, memory.md, ipc.md, threads.md, faults.md, interrupts.md, syscalls.md
 */
#pragma once

#include <kozo/abi.h>

#define M_THREADS_MAX 32u
#define M_ZOMBIES_MAX 512u
#define M_SPACES_MAX 64u
#define M_LINES 24u
#define M_REGS 10u /* capability, info, eight words */
#define M_CALL_BYTES 2u
#define M_STEPS 16u /* between two preemption points */
#define M_EXPIRE_MOST 16u
#define M_SLICE_NS 5'000'000ull
#define M_NEVER UINT64_MAX

struct m_object;
struct m_thread;

/* Where a capability lies. */
enum m_where : uint8_t { M_NOWHERE, M_SLOT, M_BINDING, M_LINE, M_ANCHOR, M_GRAVE };

/* A capability: a node of the derivation tree. */
struct m_cap {
    struct m_cap *parent, *child,
        *next; /* first child is the youngest; `next` is an older sibling */
    enum kozo_kind kind;
    kozo_rights rights;
    uint8_t user;
    bool badged;
    uint64_t badge;
    struct m_object *object; /* null: IoPort, IrqControl, Debug */
    uint32_t first, last;    /* IoPort */
    struct m_object *space;  /* Frame: the space it was mapped in last, null = none; a claim */
    uint64_t address;        /* ... and where */
    struct m_entry *entry;   /* ... and as which entry; never used for another */
    enum m_where where;
    struct m_cap **place;    /* the slot that points here; null in an anchor or a grave */
    struct m_object *within; /* the object the slot is part of */
    uint64_t index;          /* ... and which of its slots */
};

struct m_queue {
    struct m_thread *item[M_THREADS_MAX];
    uint32_t n;
};

/* What an entry of a table leads to: a Frame's page, or a table with entries of its own. */
struct m_entry {
    struct m_entry *next, *below;
    uint64_t address; /* of the first byte it covers */
    uint32_t level;   /* 1: 4 KiB, 2: 2 MiB, 3: 1 GiB, 4: 512 GiB */
    bool leaf;
    struct m_object *table; /* whose page it is; null for a leaf */
    uint64_t base;          /* of a leaf */
    uint8_t rights;
    bool device;
};

struct m_fault {
    enum kozo_fault kind;
    uint32_t access;
    uint64_t address, code;
};

/* What user code of a thread sees. */
struct m_regs {
    uint64_t rax; /* number, then error */
    uint64_t reg[M_REGS];
    uint64_t rbx; /* deadline */
    uint64_t other[3];
    uint64_t ip, sp, flags;
};

enum m_binding : uint32_t { M_CSPACE, M_VSPACE, M_BUFFER, M_FAULT, M_BINDINGS };
enum m_message : uint8_t { M_SEND, M_CALL, M_FAULTS };

struct m_thread {
    struct m_object *object;
    uint64_t serial;
    enum kozo_thread_state state; /* 0: it is no more */
    uint8_t priority, ceiling, flags;
    bool started;
    struct m_regs regs;
    uint64_t fs_base, cpu_ns, fpu, name;
    struct m_cap *binding[M_BINDINGS];
    uint64_t buffer; /* physical address of the IPC buffer, if it has one */
    struct m_object *pool;

    struct m_object *waits_for; /* Endpoint or Notification; null: a sleep */
    bool timed;
    uint64_t deadline;
    enum m_message message;
    uint64_t badge; /* of the capability it sends through, and so on */
    uint8_t user;
    kozo_rights rights;

    struct m_thread *owes;   /* the caller it has to answer */
    struct m_thread *server; /* who owes it an answer, or */
    struct m_cap *reply;     /* the capability to answer it */
    struct m_object *bound;
    bool lost;     /* its REPLY_RECV found nobody to answer */
    bool dropping; /* it stopped, and the faulted thread it owes will be stopped, too */
    struct m_fault fault;
    uint64_t asks_at; /* where the call is that it waits with in m->asking */
};

struct m_object {
    struct m_object *next; /* all that were ever made */
    enum kozo_kind kind;
    uint64_t base; /* physical address; of an IrqHandler the line */
    uint8_t bits;
    bool device;
    uint64_t twin; /* which of the kernel's it is: for lockstep.c alone */
    struct m_cap *grave;
    union {
        struct {
            uint64_t watermark, cleared;
        } untyped;
        struct {
            struct m_cap **slot;
            uint64_t cursor; /* next slot to empty, while it is destroyed */
        } cnode;
        struct {
            struct m_queue senders, receivers;
        } endpoint;
        struct {
            uint64_t bits;
            struct m_queue waiters;
            struct m_thread *bound;
        } ntfn;
        struct {
            struct m_object *parent;
            uint64_t free, entries;
        } pool;
        struct {
            struct m_entry *top;
            bool live;
            struct m_object
                *pool; /* PageTables fed and not used, the last first, linked by table.next */
        } space;
        struct {
            struct m_object *next;
        } table;
        struct m_thread *thread; /* Thread, and Reply: the caller */
    };
};

struct m_line {
    bool claimed, pending;
    struct m_cap *ntfn;
    uint64_t bits;
};

struct m_world {
    struct m_cap root;
    struct m_object *objects;
    struct m_cap *zombie[M_ZOMBIES_MAX]; /* what is worked on first, first */
    uint32_t zombies;
    struct m_queue stopped; /* handlers that stopped, the last first */
    struct m_cap *revoke;   /* what lies below it is being deleted */
    struct m_queue asking;  /* who waits for its turn to destroy, the oldest first */
    uint64_t number;        /* of the delete or revoke begun last */

    struct m_queue threads;             /* all that live */
    struct m_queue ready;               /* by age; who runs is not in it */
    struct m_thread *current, *handoff; /* current: null while idle */
    struct m_thread *ran;               /* who ran when the kernel was entered */
    uint64_t slice[KOZO_PRIORITIES];    /* its end, once begun, while a thread waits to run at this
                                           priority; else 0 */
    uint64_t slice_due;                 /* of the running priority */
    uint64_t last_tick;                 /* slices that end at or before it are over */

    uint64_t now, ticks, idle_ns, charged;
    uint32_t max_threads;
    struct m_line line[M_LINES];

    uint64_t checks;    /* preemption points passed in this event */
    uint64_t interrupt; /* an interrupt waits from this one on; 0: none comes */
    bool interrupted;

    uint8_t *ram;
    uint64_t ram_base, ram_bytes;

    /* What the spec leaves open, told by who drives the model: */
    uint64_t fresh_badge;
    uint64_t last_serial;
    uint64_t port_in;
    uint64_t told[3]; /* results of DEBUG_LOG and DEBUG_EVENTS */
    uint64_t (*identity)(const struct m_object *o, const struct m_cap *c,
                         bool slot); /* see struct kozo_tree_entry */
    uint64_t trace_mask;
    struct m_port {
        uint64_t port, width, value;
        bool written, used;
    } port;
    const char
        *console; /* what DEBUG_WRITE wrote in this event; to the console, if no driver has it */
    uint64_t console_bytes;
};
extern struct m_world *const m;

/* ---- store.c: where all of a model lives, so that it can be kept and put back ---- */

/* An empty world with that much memory. */
void m_world_reset(uint64_t ram_base, uint64_t ram_bytes, uint32_t max_threads);
/* Zeroed; never given back while the world lasts. */
void *m_new(uint64_t bytes);
struct m_object *m_object_new(enum kozo_kind kind);
/* Memory is left before this much has been used. */
bool m_has_room(void);
uint8_t *m_ram(uint64_t address);
bool m_is_ram(uint64_t address, uint64_t bytes);

void m_queue_push(struct m_queue *q, struct m_thread *t);
void m_queue_push_front(struct m_queue *q, struct m_thread *t);
bool m_queue_has(const struct m_queue *q, const struct m_thread *t);
void m_queue_remove(struct m_queue *q, struct m_thread *t);
/* Behind all that are as urgent. */
void m_queue_insert(struct m_queue *q, struct m_thread *t);

/* ---- tree.c ---- */

struct m_cap *m_cap_new(enum kozo_kind kind, struct m_object *object, kozo_rights rights);
/* Put it into an empty slot, as the youngest child of `parent`. */
void m_cap_put(struct m_cap *c, struct m_cap *parent, enum m_where where, struct m_object *within,
               uint64_t index);
struct m_cap **m_place(enum m_where where, struct m_object *within, uint64_t index);
/* A copy with at most these rights, not in the tree yet. */
struct m_cap *m_cap_copy(const struct m_cap *c, kozo_rights rights, uint8_t user);
void m_cap_move(struct m_cap *c, struct m_object *within, uint64_t index);
/* Out of the tree; its children take its place. */
void m_tree_remove(struct m_cap *c);
uint64_t m_tree_count(const struct m_cap *top);
/* Capabilities that name it. */
uint64_t m_count_caps(const struct m_object *o);
bool m_is_unique(enum kozo_kind kind);
bool m_has_badge(enum kozo_kind kind);
uint64_t m_bytes_free(void);

/* ---- destroy.c ---- */

/* Empty the slot: its object ends, or begins to, if this was the last capability to it. */
void m_cap_delete(struct m_cap *c);
/* Take it out and forget it; its object has been dealt with. */
void m_cap_clear(struct m_cap *c);
/* Something has been begun, and is not finished; or somebody waits for its turn, too. */
bool m_is_under_way(void);
bool m_is_pending(void);
void m_steps(uint64_t n);
/*
 * What was begun or asked for before this thread; false when an interrupt came first. `made`: the
 * steps of the call so far.
 */
bool m_turn(struct m_thread *t, uint32_t *made);
/* What the delete or revoke with this number left; false when an interrupt came first. */
bool m_finish(uint64_t number, uint32_t *made);
/* The thread whose turn has come: what it asked for is begun. In event.c. */
void m_asked_for(struct m_thread *t);
/* A preemption point. */
bool m_interrupt_waits(void);

/* ---- space.c ---- */

/* The entry that covers exactly this; null when there is none. */
struct m_entry *m_entry_find(const struct m_object *space, uint64_t address, uint32_t level);
/* What a Frame's claim leads to; null when the claim is void. */
struct m_entry *m_frame_entry(const struct m_cap *frame);
/* What a thread's access to memory meets. */
struct m_entry *m_translate(const struct m_object *space, uint64_t address);
void m_frame_unmap(struct m_cap *frame);
void m_table_end(struct m_object *table);
bool m_table_is_used(const struct m_object *table);
enum kozo_err m_space_feed(struct m_object *space, struct m_object *table);
enum kozo_err m_map(struct m_object *space, struct m_cap *frame, uint64_t address, uint64_t rights);
enum kozo_err m_protect(struct m_cap *frame, uint64_t rights);

/* ---- untyped.c ---- */

struct m_plan {
    enum kozo_err err;
    enum kozo_kind kind;
    uint8_t bits;
    uint64_t bytes, start, end, count;
};
struct m_plan m_retype_plan(const struct m_object *untyped, uint64_t what, uint64_t count);
/* Zero up to `end`; false when an interrupt came first. */
bool m_untyped_clear(struct m_object *untyped, uint64_t end);
void m_retype(struct m_cap *untyped, const struct m_plan *plan, struct m_object *cnode,
              uint64_t index);

/* ---- thread.c ---- */

bool m_is_blocked(const struct m_thread *t);
bool m_is_stopped(const struct m_thread *t);
bool m_is_faulting(const struct m_thread *t);
void m_wake(struct m_thread *t);
void m_hand_to(struct m_thread *t);
/* Neither running nor ready any more. */
void m_unready(struct m_thread *t);
/* Out of queue, deadline and reply right; neither ready nor anything else yet. */
void m_unblock(struct m_thread *t);
void m_wake_error(struct m_thread *t, enum kozo_err err);
void m_suspend(struct m_thread *t);
void m_resume(struct m_thread *t);
/* A handler has stopped for good: the caller it owes is told, or, if that stops it, too, in a step
 * of its own. */
void m_drop_caller(struct m_thread *t);
void m_step_stopped(void);
void m_set_priority(struct m_thread *t, uint8_t priority, uint8_t ceiling);
void m_bind(struct m_thread *t, enum m_binding which, struct m_cap *from, uint64_t offset);
void m_binding_lost(struct m_thread *t, enum m_binding which);
struct m_thread *m_thread_new(struct m_object *pool, uint8_t flags, uint8_t priority);
void m_thread_end(struct m_thread *t);
/* Leave the kernel: decide who runs. */
void m_leave(void);
/* The running thread lets its equals go first. */
void m_yield(void);
/* Nobody but the running thread could run now. */
bool m_stays(const struct m_thread *t);

/* ---- message.c, ipc.c, fault.c ---- */

enum kozo_err m_message_check(const struct m_thread *from, uint64_t info);
uint64_t m_message_move(struct m_thread *from, struct m_thread *to, kozo_rights through);
void m_message_fail(struct m_thread *t, enum kozo_err err);
uint64_t m_take_notice(struct m_thread *t);
struct kozo_ipc_buffer *m_buffer(const struct m_thread *t);

void m_send(struct m_thread *t, struct m_object *ep);
void m_recv(struct m_thread *t, struct m_object *ep);
void m_reply(struct m_thread *from, struct m_thread *caller);
/* Nobody may answer this caller any more. */
void m_reply_cut(struct m_thread *caller);
void m_reply_drop(struct m_thread *server, enum kozo_err err);
void m_signal(struct m_object *ntfn, uint64_t bits);
uint64_t m_take_bits(struct m_object *ntfn);
void m_wait(struct m_thread *t, struct m_object *ntfn);
void m_bind_ntfn(struct m_object *ntfn, struct m_thread *t);
void m_unbind_ntfn(struct m_object *ntfn);

void m_fault_raise(struct m_thread *t, struct m_fault fault);
void m_fault_stop(struct m_thread *t);
uint64_t m_fault_message(struct m_thread *from, struct m_thread *to);
void m_fault_reply(struct m_thread *handler, struct m_thread *t);
void m_regs_get(const struct m_thread *t, uint64_t *word);
void m_regs_start(struct m_thread *t, uint64_t ip, uint64_t sp, uint64_t arg0, uint64_t arg1);

/* ---- device.c ---- */

void m_line_end(struct m_object *handler);
bool m_line_is_open(uint32_t line);

/* ---- look.c: finding capabilities, as every call does ---- */

struct m_look {
    enum kozo_err err;
    struct m_cap *cap;      /* null where a slot may be empty */
    struct m_object *cnode; /* a slot by pair: the CNode it is in */
    uint64_t index;
};
struct m_look m_want(const struct m_thread *t, kozo_cptr at, enum kozo_kind kind, kozo_rights need);
struct m_look m_slot(const struct m_thread *t, kozo_cptr cnode, uint64_t index, kozo_rights need);
struct m_look m_occupied(const struct m_thread *t, kozo_cptr cnode, uint64_t index,
                         kozo_rights need);
struct m_look m_empty(const struct m_thread *t, kozo_cptr cnode, uint64_t index, uint64_t count);

/* ---- calls.c and its parts ---- */

/* How a call ends, beside an error. */
enum : uint32_t { M_WAITS = 1000, M_AGAIN, M_FINISHES, M_ASKS };
typedef uint32_t m_call(struct m_thread *t, const uint64_t *arg);
m_call m_call_cap_copy, m_call_cap_mint, m_call_cap_move, m_call_cap_delete, m_call_cap_revoke,
    m_call_cap_verify, m_call_retype, m_call_untyped_clear, m_call_untyped_info, m_call_finish,
    m_call_space_feed, m_call_map, m_call_unmap, m_call_protect, m_call_pool_split,
    m_call_pool_info, m_call_thread_create, m_call_thread_bind, m_call_thread_bind_ntfn,
    m_call_thread_start, m_call_thread_suspend, m_call_thread_resume, m_call_thread_priority,
    m_call_thread_info, m_call_thread_exit, m_call_thread_fs_base, m_call_yield, m_call_call,
    m_call_send, m_call_recv, m_call_reply, m_call_reply_recv, m_call_reply_save, m_call_signal,
    m_call_wait, m_call_poll, m_call_irq_claim, m_call_irq_bind, m_call_irq_ack, m_call_ioport_mint,
    m_call_ioport_in, m_call_ioport_out, m_call_debug_write, m_call_debug_dump, m_call_debug_stat,
    m_call_debug_log, m_call_debug_trace, m_call_debug_events, m_call_debug_tree;
/* What CAP_DELETE and CAP_REVOKE do when their turn has come. */
uint32_t m_destroy(struct m_thread *t, uint64_t number, const uint64_t *arg);
/* What CAP_VERIFY says of a capability. */
uint64_t m_describe(const struct m_cap *c);
/* The three result registers. */
uint32_t m_results(struct m_thread *t, uint64_t r0, uint64_t r1, uint64_t r2);

/* ---- event.c: what can happen ---- */

/* The running thread executes SYSCALL; its registers say what it asks for. */
void m_event_call(void);
void m_event_fault(struct m_fault fault);
void m_event_interrupt(uint32_t line);
void m_event_tick(void);
void m_event_nothing(void);
