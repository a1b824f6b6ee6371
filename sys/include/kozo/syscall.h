/* SPDX-License-Identifier: MIT */
/*
 * syscall.h - every system call as a typed inline function.
 *
 * Owns:      the registers of messages and deadlines; those of other calls: enter.h.
 * Not here:  messages with more than eight words or with capabilities (msg.h), waiting in plain
 *            words (time.h).
 * Cost:      one kernel entry each; no memory is touched but what a call says.
 * Spec:      docs/spec/syscalls.md, docs/spec/ipc.md
 *
 * Errors that any call with a capability argument may return, and that are not repeated below:
 *   ADDRESS   a capability address lies outside the capability space
 *   EMPTY     there is no capability at that address (never given, deleted or revoked)
 *   KIND      it is of another kind
 *   RIGHTS    it lacks a right; each function names those it needs
 * A call that returns an error has changed nothing, unless it says otherwise.
 */
#pragma once

#include <kozo/abi.h>
#include <kozo/enter.h>
#include <kozo/handle.h>

/* ---- messages of up to eight words ---- */

/*
 * The registers of one IPC call, going in and coming out. The eight words always travel, so one
 * that is not used must be zero: `= {}` does that. In a loop it is enough to fill it again.
 */
struct kozo_words {
    uint64_t cap;  /* in: the capability used; out: the badge */
    uint64_t info; /* in: label << KOZO_INFO_LABEL_SHIFT and flags; out: see abi.h */
    uint64_t w[KOZO_MSG_REGS];
};

#define KOZO_IPC_REGISTERS(x)                       \
    register uint64_t r10 __asm__("r10") = (x)->w[1]; \
    register uint64_t r8 __asm__("r8") = (x)->w[2];   \
    register uint64_t r9 __asm__("r9") = (x)->w[3];   \
    register uint64_t r12 __asm__("r12") = (x)->w[4]; \
    register uint64_t r13 __asm__("r13") = (x)->w[5]; \
    register uint64_t r14 __asm__("r14") = (x)->w[6]; \
    register uint64_t r15 __asm__("r15") = (x)->w[7]

#define KOZO_IPC_OUTPUTS(x)                                                                    \
    "+a"(nr), "+D"((x)->cap), "+S"((x)->info), "+d"((x)->w[0]), "+r"(r10), "+r"(r8), "+r"(r9), \
        "+r"(r12), "+r"(r13), "+r"(r14), "+r"(r15)

#define KOZO_IPC_RESULTS(x) \
    (x)->w[1] = r10;        \
    (x)->w[2] = r8;         \
    (x)->w[3] = r9;         \
    (x)->w[4] = r12;        \
    (x)->w[5] = r13;        \
    (x)->w[6] = r14;        \
    (x)->w[7] = r15

/* One IPC system call without a deadline; `x` lives in registers where the caller lets it. */
static inline enum kozo_err kozo_ipc(uint64_t nr, struct kozo_words *x)
{
    KOZO_IPC_REGISTERS(x);
    __asm__ volatile("syscall" : KOZO_IPC_OUTPUTS(x) : : "rcx", "r11", "memory");
    KOZO_IPC_RESULTS(x);
    return (enum kozo_err)nr;
}

/*
 * As kozo_ipc with KOZO_INFO_DEADLINE: `deadline` is in nanoseconds since boot, 0 = do not block.
 */
static inline enum kozo_err kozo_ipc_until(uint64_t nr, struct kozo_words *x, uint64_t deadline)
{
    x->info |= KOZO_INFO_DEADLINE;
    KOZO_IPC_REGISTERS(x);
    __asm__ volatile("syscall" : KOZO_IPC_OUTPUTS(x) : "b"(deadline) : "rcx", "r11", "memory");
    KOZO_IPC_RESULTS(x);
    return (enum kozo_err)nr;
}

#undef KOZO_IPC_REGISTERS
#undef KOZO_IPC_OUTPUTS
#undef KOZO_IPC_RESULTS

/*
 * Sends eight words to `ep` and waits for the answer in the same struct. Needs WRITE. 64 bytes cost
 * what none cost. Errors: GONE the endpoint died or its server did; DROPPED the server took the
 * call and will not answer; CANCELLED this thread was suspended meanwhile; ARGUMENT reserved bits
 * of info are set.
 */
static inline enum kozo_err kozo_call_words(struct kozo_endpoint ep, struct kozo_words *x)
{
    x->cap = ep.c;
    return kozo_ipc(KOZO_SYS_CALL, x);
}

/* As kozo_call_words; TIMEOUT when no answer came by `deadline` (ns since boot). */
static inline enum kozo_err kozo_call_words_until(struct kozo_endpoint ep, struct kozo_words *x,
                                                  uint64_t deadline)
{
    x->cap = ep.c;
    return kozo_ipc_until(KOZO_SYS_CALL, x, deadline);
}

/*
 * Answers the caller owed with eight words, then receives the next message into the same struct.
 * Needs READ on `ep`. A caller that is gone is no error: the info received then has
 * KOZO_INFO_REPLY_LOST. Errors: GONE, CANCELLED, ARGUMENT.
 */
static inline enum kozo_err kozo_reply_recv_words(struct kozo_endpoint ep, struct kozo_words *x)
{
    x->cap = ep.c;
    return kozo_ipc(KOZO_SYS_REPLY_RECV, x);
}

/*
 * Receives a message, or the bits of the bound notification. Needs READ. Errors: GONE, CANCELLED,
 * ARGUMENT.
 */
static inline enum kozo_err kozo_recv_words(struct kozo_endpoint ep, struct kozo_words *x)
{
    *x = (struct kozo_words){ .cap = ep.c };
    return kozo_ipc(KOZO_SYS_RECV, x);
}

/* ---- notifications, time ---- */

/*
 * ORs `bits` into a notification; through a badged capability only those of its badge. Never
 * blocks. Needs WRITE.
 */
static inline enum kozo_err kozo_signal(struct kozo_notification n, uint64_t bits)
{
    return kozo_syscall_err(KOZO_SYS_SIGNAL, n.c, bits);
}

/*
 * Takes all bits of a notification, waiting until there is one. Needs READ. Errors: GONE,
 * CANCELLED.
 */
static inline struct kozo_res kozo_wait(struct kozo_notification n)
{
    return kozo_syscall_value(KOZO_SYS_WAIT, n.c, 0);
}

/*
 * As kozo_wait, until `deadline` (ns since boot) at the latest: TIMEOUT. With notification { 0 }
 * nothing can come and the call sleeps; it then needs no capability.
 */
static inline struct kozo_res kozo_wait_until(struct kozo_notification n, uint64_t deadline)
{
    uint64_t nr = KOZO_SYS_WAIT, a = n.c, b = KOZO_INFO_DEADLINE, c = 0;
    register uint64_t r10 __asm__("r10") = 0;
    register uint64_t r8 __asm__("r8") = 0;
    register uint64_t r9 __asm__("r9") = 0;

    __asm__ volatile("syscall"
                     : "+a"(nr), "+D"(a), "+S"(b), "+d"(c), "+r"(r10), "+r"(r8), "+r"(r9)
                     : "b"(deadline)
                     : "rcx", "r11", "memory");
    return (struct kozo_res){ nr == KOZO_OK ? a : 0, (enum kozo_err)nr };
}

/* Takes what bits there are, 0 for none; never blocks. Needs READ. */
static inline struct kozo_res kozo_poll(struct kozo_notification n)
{
    return kozo_syscall_value(KOZO_SYS_POLL, n.c);
}

/* Lets the next ready thread of the same priority run. Cannot fail. */
static inline void kozo_yield(void)
{
    (void)kozo_syscall_err(KOZO_SYS_YIELD);
}

/*
 * Moves the right to answer the caller owed into the empty slot `to`, so that other callers can be
 * served first; answer later with kozo_reply_to (msg.h). A CNode other than one's own needs WRITE.
 * Errors: NOREPLY nobody is owed; OCCUPIED the slot is not empty.
 */
static inline enum kozo_err kozo_reply_save(struct kozo_place to)
{
    return kozo_syscall_err(KOZO_SYS_REPLY_SAVE, to.cnode.c, to.slot);
}

/* ---- capabilities ---- */

/*
 * Derives a capability in the empty slot `to` from the one at `from`, with at most `rights`
 * (KOZO_RIGHTS, or KOZO_SAME_RIGHTS for all it has). `from`'s CNode needs READ, `to`'s WRITE.
 * Errors: OCCUPIED; UNIQUE the kind is moved or split, never copied; ARGUMENT unknown bits in
 * rights.
 */
static inline enum kozo_err kozo_cap_copy(struct kozo_place to, struct kozo_place from,
                                          uint64_t rights)
{
    return kozo_syscall_err(KOZO_SYS_CAP_COPY, to.cnode.c, to.slot, from.cnode.c, from.slot, rights);
}

/*
 * As kozo_cap_copy, and gives the new Endpoint or Notification a badge: `badge`, or with
 * KOZO_MINT_FRESH in rights one that the kernel chooses, never 0 and not guessable. The badge set
 * is the value. Errors: those of kozo_cap_copy; BADGED the source has a badge already; KIND it is
 * no Endpoint or Notification.
 */
static inline struct kozo_res kozo_cap_mint(struct kozo_place to, struct kozo_place from,
                                            uint64_t rights, uint64_t badge)
{
    return kozo_syscall_value(KOZO_SYS_CAP_MINT, to.cnode.c, to.slot, from.cnode.c, from.slot,
                              rights, badge);
}

/*
 * Moves a capability, with everything derived from it, to the empty slot `to`. Both CNodes need
 * WRITE. Errors: OCCUPIED.
 */
static inline enum kozo_err kozo_cap_move(struct kozo_place to, struct kozo_place from)
{
    return kozo_syscall_err(KOZO_SYS_CAP_MOVE, to.cnode.c, to.slot, from.cnode.c, from.slot);
}

/*
 * Empties a slot. What was derived from its capability lives on, under the one it came from; the
 * object goes when this was its last capability. The CNode needs WRITE. Preemptible.
 */
static inline enum kozo_err kozo_cap_delete(struct kozo_place at)
{
    return kozo_syscall_err(KOZO_SYS_CAP_DELETE, at.cnode.c, at.slot);
}

/*
 * Deletes everything derived from the capability at `at`, at any depth and in whosever hands; it
 * stays itself. The CNode needs WRITE. Cost: the number of capabilities deleted; preemptible. A
 * caller that is its own victim does not return.
 */
static inline enum kozo_err kozo_cap_revoke(struct kozo_place at)
{
    return kozo_syscall_err(KOZO_SYS_CAP_REVOKE, at.cnode.c, at.slot);
}

/*
 * Finishes the destruction that is under way in the kernel, whoever began it. What others wait to
 * begin is not begun. Preemptible. Needs no right. Cannot fail.
 */
static inline void kozo_finish(void)
{
    (void)kozo_syscall_err(KOZO_SYS_FINISH, 0);
}

/* What kozo_cap_verify tells. Take `what` apart with KOZO_VERIFY_*. */
struct [[nodiscard]] kozo_verified {
    uint64_t what;
    uint64_t badge;
    enum kozo_err err;
};

/*
 * Tells kind, rights, size and badge of the capability at `at`, and with KOZO_VERIFY_SAME whether
 * `other` (slot 0: not asked) names the same object. An empty slot is of kind Null, which is no
 * error. Both CNodes need READ.
 */
static inline struct kozo_verified kozo_cap_verify(struct kozo_place at, struct kozo_place other)
{
    struct kozo_raw r = kozo_syscall(KOZO_SYS_CAP_VERIFY, at.cnode.c, at.slot, other.cnode.c,
                                     other.slot);

    return (struct kozo_verified){ r.a, r.b, r.err };
}

/* ---- memory and objects ---- */

/*
 * Carves `count` objects of `kind` out of `from` into the empty slots to, to + 1 ...: all or none.
 * `bits`: log2 of the bytes of an Untyped or Frame, of the slots of a CNode, else 0. At most
 * KOZO_RETYPE_MAX at once. Memory comes zeroed. Needs WRITE on both. Errors: OCCUPIED a slot is not
 * empty; NOMEM it does not fit; ARGUMENT kind, size or count is not possible.
 */
static inline enum kozo_err kozo_retype(struct kozo_untyped from, enum kozo_kind kind,
                                        unsigned bits, struct kozo_place to, uint64_t count)
{
    return kozo_syscall_err(KOZO_SYS_RETYPE, from.c, KOZO_WHAT(kind, bits), to.cnode.c, to.slot,
                            count);
}

/* Zeroes up to `bytes` free bytes of an Untyped ahead of their use. Needs WRITE. Preemptible. */
static inline enum kozo_err kozo_untyped_clear(struct kozo_untyped u, uint64_t bytes)
{
    return kozo_syscall_err(KOZO_SYS_UNTYPED_CLEAR, u.c, bytes);
}

struct [[nodiscard]] kozo_untyped_info {
    uint64_t size;    /* bytes */
    uint64_t free;    /* bytes not yet carved */
    uint64_t cleared; /* of these, bytes known to be zero */
    enum kozo_err err;
};

/* Tells how much of an Untyped is left. Needs WRITE. */
static inline struct kozo_untyped_info kozo_untyped_info(struct kozo_untyped u)
{
    struct kozo_raw r = kozo_syscall(KOZO_SYS_UNTYPED_INFO, u.c);

    return (struct kozo_untyped_info){ r.a, r.b, r.c, r.err };
}

/*
 * Splits a quota of `count` threads off a ThreadPool into the empty slot `to`. Needs WRITE.
 * Deleting the new pool ends its threads and returns the quota. Errors: QUOTA the pool has fewer;
 * OCCUPIED; ARGUMENT count is 0.
 */
static inline enum kozo_err kozo_pool_split(struct kozo_pool pool, struct kozo_place to,
                                            uint64_t count)
{
    return kozo_syscall_err(KOZO_SYS_POOL_SPLIT, pool.c, to.cnode.c, to.slot, count);
}

/* Tells how many threads a ThreadPool may still make. Needs WRITE. */
static inline struct kozo_res kozo_pool_info(struct kozo_pool pool)
{
    return kozo_syscall_value(KOZO_SYS_POOL_INFO, pool.c);
}

/* ---- threads ---- */

/*
 * Makes a stopped thread in the empty slot `to`. `flags`: KOZO_THREAD_*; `priority` 0 (most urgent)
 * to 255 is also its ceiling. Needs WRITE. Errors: QUOTA; OCCUPIED; PRIORITY more urgent than the
 * caller's own ceiling; ARGUMENT.
 */
static inline enum kozo_err kozo_thread_create(struct kozo_pool pool, struct kozo_place to,
                                               uint64_t flags, unsigned priority)
{
    return kozo_syscall_err(KOZO_SYS_THREAD_CREATE, pool.c, to.cnode.c, to.slot, flags, priority,
                            0);
}

/*
 * As kozo_thread_create, with a name in place of the caller's own: the kernel keeps 8 letters of it,
 * for what it reports.
 */
static inline enum kozo_err kozo_thread_create_named(struct kozo_pool pool, struct kozo_place to,
                                                     uint64_t flags, unsigned priority,
                                                     const char *name)
{
    uint64_t word = 0;

    for (unsigned i = 0; i < 8 && name[i] != '\0'; i++)
        word |= (uint64_t)(unsigned char)name[i] << 8 * i;
    return kozo_syscall_err(KOZO_SYS_THREAD_CREATE, pool.c, to.cnode.c, to.slot, flags, priority,
                            word);
}

/*
 * Binds what a thread works with; { 0 } leaves one as it is. Needs WRITE on the thread and on the
 * space, READ and WRITE on the buffer's Frame, WRITE on `fault`. `offset`: of the IPC buffer in its
 * Frame, a multiple of 512. Errors: ALIGN offset is not such a multiple; STATE the thread runs;
 * ARGUMENT the frame is device memory, or offset beyond it.
 */
static inline enum kozo_err kozo_thread_bind(struct kozo_thread t, struct kozo_cnode cspace,
                                             struct kozo_space vspace, struct kozo_frame buffer,
                                             uint64_t offset, struct kozo_endpoint fault)
{
    return kozo_syscall_err(KOZO_SYS_THREAD_BIND, t.c, cspace.c, vspace.c, buffer.c, offset,
                            fault.c);
}

/*
 * Lets a thread receive a notification's bits together with messages; { 0 } unbinds. Needs WRITE on
 * the thread, READ on the notification. Errors: IN_USE one of the two is bound already.
 */
static inline enum kozo_err kozo_thread_bind_ntfn(struct kozo_thread t, struct kozo_notification n)
{
    return kozo_syscall_err(KOZO_SYS_THREAD_BIND_NTFN, t.c, n.c);
}

/*
 * Gives a stopped thread fresh registers and runs it: rip = ip, rsp = sp, rdi = arg0, rsi = arg1.
 * Needs WRITE. Errors: STATE it is not stopped or has no spaces bound; ARGUMENT an address is no
 * user address.
 */
static inline enum kozo_err kozo_thread_start(struct kozo_thread t, uint64_t ip, uint64_t sp,
                                              uint64_t arg0, uint64_t arg1)
{
    return kozo_syscall_err(KOZO_SYS_THREAD_START, t.c, ip, sp, arg0, arg1);
}

/*
 * Stops a thread; the call it waits in ends with CANCELLED, which it sees when it is resumed. Needs
 * WRITE.
 */
static inline enum kozo_err kozo_thread_suspend(struct kozo_thread t)
{
    return kozo_syscall_err(KOZO_SYS_THREAD_SUSPEND, t.c);
}

/*
 * Runs a stopped thread on from where it stopped. Needs WRITE. Errors: STATE it is not stopped, or
 * never started.
 */
static inline enum kozo_err kozo_thread_resume(struct kozo_thread t)
{
    return kozo_syscall_err(KOZO_SYS_THREAD_RESUME, t.c);
}

/*
 * Sets priority and ceiling. Needs WRITE. Errors: PRIORITY the ceiling is more urgent than the
 * caller's own; ARGUMENT the priority is above 255, or more urgent than the ceiling.
 */
static inline enum kozo_err kozo_thread_priority(struct kozo_thread t, unsigned priority,
                                                 unsigned ceiling)
{
    return kozo_syscall_err(KOZO_SYS_THREAD_PRIORITY, t.c, priority, ceiling);
}

struct [[nodiscard]] kozo_thread_info {
    enum kozo_thread_state state;
    uint64_t time;   /* nanoseconds of processor time */
    uint64_t serial; /* no two threads since boot have the same */
    enum kozo_err err;
};

/*
 * Tells state, processor time and identity; registers, fault and priority are put into the caller's
 * IPC buffer, as enum kozo_thread_word says. Needs READ. Errors: BUFFER the caller has none.
 */
static inline struct kozo_thread_info kozo_thread_info(struct kozo_thread t)
{
    struct kozo_raw r = kozo_syscall(KOZO_SYS_THREAD_INFO, t.c);

    return (struct kozo_thread_info){ (enum kozo_thread_state)r.a, r.b, r.c, r.err };
}

/*
 * Ends the calling thread. Whoever handles its faults gets a message of kind KOZO_FAULT_EXIT with
 * `code` as the address; 0 = success. It can only be started afresh, not resumed. The kernel panics
 * when the first program's first thread ends.
 */
[[noreturn]] static inline void kozo_thread_exit(uint64_t code)
{
    for (;;)
        (void)kozo_syscall_err(KOZO_SYS_THREAD_EXIT, code);
}

/*
 * Sets the calling thread's FS base. Errors: ARGUMENT no user address. Costs every later switch of
 * this thread a little.
 */
static inline enum kozo_err kozo_thread_fs_base(uint64_t base)
{
    return kozo_syscall_err(KOZO_SYS_THREAD_FS_BASE, base);
}

/* ---- address spaces ---- */

/*
 * Gives an AddressSpace a page for its tables. Needs MAP on both. Errors: IN_USE the PageTable
 * serves a space already.
 */
static inline enum kozo_err kozo_space_feed(struct kozo_space s, struct kozo_page_table t)
{
    return kozo_syscall_err(KOZO_SYS_SPACE_FEED, s.c, t.c);
}

/*
 * Maps a Frame at `address` with `rights` (READ, WRITE, EXECUTE; never the last two together).
 * Needs MAP on both, and the rights asked for on the Frame. Errors: ALIGN; ARGUMENT address outside
 * [KOZO_USER_START, KOZO_USER_END) or rights impossible; MAPPED this capability is mapped already;
 * OCCUPIED something else is mapped there, or for a 2 MiB Frame a table that small ones left
 * behind; NOMEM the space has no page for a table: feed it.
 */
static inline enum kozo_err kozo_map(struct kozo_space s, struct kozo_frame f, uint64_t address,
                                     uint64_t rights)
{
    return kozo_syscall_err(KOZO_SYS_MAP, s.c, f.c, address, rights);
}

/* Takes a Frame out of the space it is mapped in. Needs MAP on the Frame. Errors: UNMAPPED. */
static inline enum kozo_err kozo_unmap(struct kozo_place frame)
{
    return kozo_syscall_err(KOZO_SYS_UNMAP, frame.cnode.c, frame.slot);
}

/*
 * Changes the rights of a mapped Frame, within those of the capability. Needs MAP. Errors:
 * UNMAPPED; ARGUMENT.
 */
static inline enum kozo_err kozo_protect(struct kozo_place frame, uint64_t rights)
{
    return kozo_syscall_err(KOZO_SYS_PROTECT, frame.cnode.c, frame.slot, rights);
}

/* ---- devices ---- */

/*
 * Makes the one IrqHandler of an interrupt line. Needs WRITE. Errors: IN_USE it exists; ARGUMENT no
 * such line; OCCUPIED.
 */
static inline enum kozo_err kozo_irq_claim(struct kozo_irq_control control, unsigned line,
                                           struct kozo_place to)
{
    return kozo_syscall_err(KOZO_SYS_IRQ_CLAIM, control.c, line, to.cnode.c, to.slot);
}

/* Says which `bits` of which notification the line signals; { 0 } unbinds. Needs WRITE on both. */
static inline enum kozo_err kozo_irq_bind(struct kozo_irq irq, struct kozo_notification n,
                                          uint64_t bits)
{
    return kozo_syscall_err(KOZO_SYS_IRQ_BIND, irq.c, n.c, bits);
}

/*
 * Lets the line interrupt again after one was signalled. Needs WRITE. Errors: STATE none is
 * unacknowledged.
 */
static inline enum kozo_err kozo_irq_ack(struct kozo_irq irq)
{
    return kozo_syscall_err(KOZO_SYS_IRQ_ACK, irq.c);
}

/*
 * Derives a capability to the ports first to last, both included, with the rights of the source.
 * Errors: ARGUMENT not within the source's; OCCUPIED.
 */
static inline enum kozo_err kozo_ioport_mint(struct kozo_io_port p, unsigned first, unsigned last,
                                             struct kozo_place to)
{
    return kozo_syscall_err(KOZO_SYS_IOPORT_MINT, p.c, first, last, to.cnode.c, to.slot);
}

/*
 * Reads a port; `width` 1, 2 or 4 bytes. Needs READ. Errors: ARGUMENT outside the range, one of the
 * kernel's own (interrupt controllers, timer), or the width.
 */
static inline struct kozo_res kozo_ioport_in(struct kozo_io_port p, unsigned port, unsigned width)
{
    return kozo_syscall_value(KOZO_SYS_IOPORT_IN, p.c, port, width);
}

/*
 * Writes a port; `width` 1, 2 or 4 bytes. Needs WRITE. Errors: ARGUMENT outside the range, or the
 * width.
 */
static inline enum kozo_err kozo_ioport_out(struct kozo_io_port p, unsigned port, unsigned width,
                                            uint64_t value)
{
    return kozo_syscall_err(KOZO_SYS_IOPORT_OUT, p.c, port, width, value);
}

/* ---- debugging ---- */

/*
 * Writes the first `bytes` (at most 448) of the IPC buffer's words to the kernel's console. Needs
 * WRITE. Errors: BUFFER; ARGUMENT.
 */
static inline enum kozo_err kozo_debug_write(struct kozo_debug d, uint64_t bytes)
{
    return kozo_syscall_err(KOZO_SYS_DEBUG_WRITE, d.c, bytes);
}

/*
 * Logs the caller's capabilities in 256 slots from `first` on; the value is where to go on, 0 at
 * the end. Needs READ.
 */
static inline struct kozo_res kozo_debug_dump(struct kozo_debug d, kozo_cptr first)
{
    return kozo_syscall_value(KOZO_SYS_DEBUG_DUMP, d.c, first);
}

/* Tells one of the kernel's counters. Needs READ. Errors: ARGUMENT no such counter. */
static inline struct kozo_res kozo_debug_stat(struct kozo_debug d, enum kozo_stat which)
{
    return kozo_syscall_value(KOZO_SYS_DEBUG_STAT, d.c, which);
}

/*
 * Says which events are recorded from now on: bit i for enum kozo_trace i. Needs WRITE. Errors:
 * ARGUMENT a bit that stands for none.
 */
static inline enum kozo_err kozo_debug_trace(struct kozo_debug d, uint64_t mask)
{
    return kozo_syscall_err(KOZO_SYS_DEBUG_TRACE, d.c, mask);
}

struct [[nodiscard]] kozo_events {
    uint64_t next;  /* the position to read on from */
    uint64_t count; /* events read */
    uint64_t lost;  /* between `position` and the first of them: overwritten before they were read */
    enum kozo_err err;
};

/*
 * Reads at most KOZO_EVENTS events, from the one at `position` on (0 = the first ever), into the
 * words of the IPC buffer, as an array of struct kozo_event. A position that nothing was written at
 * yet gives none. Needs READ. Errors: BUFFER.
 */
static inline struct kozo_events kozo_debug_events(struct kozo_debug d, uint64_t position)
{
    struct kozo_raw r = kozo_syscall(KOZO_SYS_DEBUG_EVENTS, d.c, position);

    return (struct kozo_events){ r.a, r.b, r.c, r.err };
}
