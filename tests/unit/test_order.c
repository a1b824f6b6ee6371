/* SPDX-License-Identifier: MIT */
/*
 * test_order.c - every error, in the order in which docs/spec/checks.def lists it.
 *
 * Each call is made with everything wrong that can be, then with the first thing put right, and so
 * on. The errors that come back, one by one, must be those listed for the call. And every wait that
 * docs/spec/ends.def says can end so does.
 */
#include "cap/object.h"
#include "host.h"
#include <stdio.h>
#include <string.h>

#define BEYOND (1ull << 20)
#define FREE SLOT_FREE /* empty, and stays so */
#define UNTYPED (SLOT_FREE + 1)
#define TABLE (SLOT_FREE + 2) /* fed to the space */
#define TABLE2 (SLOT_FREE + 3)
#define MAPPED (SLOT_FREE + 4) /* Frames: mapped at AT; elsewhere; read-only; nowhere */
#define THERE (SLOT_FREE + 5)
#define READS (SLOT_FREE + 6)
#define FRAME (SLOT_FREE + 7)
#define POOL (SLOT_FREE + 8)     /* with one thread in it */
#define STOPPED (SLOT_FREE + 9)  /* that one: bound to nothing */
#define RUNS (SLOT_FREE + 10)    /* a thread that does, and has a notification */
#define HANDLER (SLOT_FREE + 11) /* of line 3 */
#define BADGED (SLOT_FREE + 12)
#define NTFN2 (SLOT_FREE + 13)
#define DEVICE (SLOT_FREE + 14) /* a Frame of one */
#define DRY (SLOT_FREE + 15)    /* a pool without threads left */
#define SILENT (SLOT_FREE + 16) /* an Endpoint without GRANT */
#define WEAK (SLOT_FREE + 17)   /* + kind: a capability without rights */
#define AT 0x40000000ull

/*
 * Who makes the call counts as one more argument: init, or a thread that shares init's capability
 * space, has no IPC buffer and a less urgent ceiling.
 */
#define CALLER 6u
#define INIT 0u
#define BARE 1u
#define ARGS 7u

/* A thing that is wrong: argument `arg` is `value`. */
struct wrong {
    uint32_t arg;
    uint64_t value;
    enum kozo_err err;
};
#define WRONGS 25u
struct order {
    uint64_t number;
    uint64_t right[ARGS];
    struct wrong wrong[WRONGS]; /* in the order listed; up to the first with err OK */
};

#define E(NAME) KOZO_ERR_##NAME
/* A capability that is beyond the space, nowhere, of another kind. */
#define LOOK3(a, other)                                                                            \
    { a, BEYOND, E(ADDRESS) }, { a, FREE, E(EMPTY) }, { a, other, E(KIND) }
#define LOOK(a, other, KIND)                                                                       \
    LOOK3(a, other), { a, WEAK + KOZO_KIND_##KIND, E(RIGHTS) }
#define CNODE(a) LOOK(a, SLOT_EP, CNODE)
#define NOT_DEBUG SLOT_EP
#define DEST(a)                                                                                    \
    CNODE(a), { (a) + 1, BEYOND, E(ADDRESS) }, { (a) + 1, SLOT_EP, E(OCCUPIED) }
#define SOURCE(a)                                                                                  \
    CNODE(a), { (a) + 1, BEYOND, E(ADDRESS) }, { (a) + 1, FREE, E(EMPTY) }
#define SYS(NAME) KOZO_SYS_##NAME
#define INDEX(a) { a, BEYOND, E(ADDRESS) }
#define EXEC KOZO_EXECUTE
#define RW (KOZO_READ | KOZO_WRITE)
#define OWN SLOT_CNODE
#define CARRIES INFO_CAPS(1)
#define NOW KOZO_INFO_DEADLINE /* with 0 in its register: do not block */

static const struct order orders[] = {
    { SYS(CAP_COPY),
      { OWN, FREE, OWN, SLOT_EP, 0 },
      { SOURCE(2), DEST(0), { 4, 0x10000, E(ARGUMENT) }, { 3, SLOT_POOL, E(UNIQUE) } } },
    { SYS(CAP_MINT),
      { OWN, FREE, OWN, SLOT_EP, 0, 1 },
      { SOURCE(2),
        DEST(0),
        { 4, 0x20000, E(ARGUMENT) },
        { 3, SLOT_POOL, E(KIND) },
        { 3, BADGED, E(BADGED) } } },
    { SYS(CAP_MOVE), { OWN, FREE, OWN, SLOT_EP }, { SOURCE(2), DEST(0) } },
    { SYS(CAP_DELETE), { OWN, SLOT_EP }, { SOURCE(0) } },
    { SYS(CAP_REVOKE), { OWN, SLOT_EP }, { SOURCE(0) } },
    { SYS(CAP_VERIFY), { OWN, SLOT_EP, OWN, SLOT_EP }, { CNODE(0), INDEX(1), CNODE(2), INDEX(3) } },
    { SYS(RETYPE),
      { UNTYPED, KOZO_WHAT(KOZO_KIND_FRAME, 12), OWN, FREE, 1 },
      { LOOK(0, SLOT_EP, UNTYPED),
        { 4, 257, E(ARGUMENT) },
        { 1, KOZO_WHAT(KOZO_KIND_UNTYPED, 40), E(NOMEM) },
        DEST(2) } },
    { SYS(UNTYPED_CLEAR),
      { UNTYPED, 64 },
      { LOOK(0, SLOT_EP, UNTYPED), { 0, SLOT_DEVICE, E(ARGUMENT) } } },
    { SYS(UNTYPED_INFO), { UNTYPED }, { LOOK(0, SLOT_EP, UNTYPED) } },
    { SYS(SPACE_FEED),
      { SLOT_SPACE, TABLE2 },
      { LOOK(0, SLOT_EP, ADDRESS_SPACE), LOOK(1, SLOT_EP, PAGE_TABLE), { 1, TABLE, E(IN_USE) } } },
    { SYS(MAP),
      { SLOT_SPACE, FRAME, AT + 4096, KOZO_READ },
      { LOOK(0, SLOT_EP, ADDRESS_SPACE),
        LOOK(1, SLOT_EP, FRAME),
        { 3, RW | EXEC, E(ARGUMENT) },
        { 1, READS, E(RIGHTS) },
        { 2, AT + 1, E(ALIGN) },
        { 2, KOZO_USER_END, E(ARGUMENT) },
        { 1, MAPPED, E(MAPPED) },
        { 2, AT, E(OCCUPIED) },
        { 2, AT << 12, E(NOMEM) } } },
    { SYS(UNMAP),
      { OWN, FRAME },
      { SOURCE(0),
        { 1, SLOT_EP, E(KIND) },
        { 1, WEAK + KOZO_KIND_FRAME, E(RIGHTS) },
        { 1, FRAME, E(UNMAPPED) } } },
    { SYS(PROTECT),
      { OWN, MAPPED, KOZO_READ },
      { SOURCE(0),
        { 1, SLOT_EP, E(KIND) },
        { 1, WEAK + KOZO_KIND_FRAME, E(RIGHTS) },
        { 2, EXEC, E(ARGUMENT) },
        { 1, READS, E(RIGHTS) },
        { 1, FRAME, E(UNMAPPED) } } },
    { SYS(POOL_SPLIT),
      { SLOT_POOL, OWN, FREE, 1 },
      { LOOK(0, SLOT_EP, THREAD_POOL),
        DEST(1),
        { 3, 0, E(ARGUMENT) },
        { 3, 1u << 20, E(QUOTA) } } },
    { SYS(POOL_INFO), { SLOT_POOL }, { LOOK(0, SLOT_EP, THREAD_POOL) } },
    { SYS(THREAD_CREATE),
      { SLOT_POOL, OWN, FREE, 0, 200, 0, BARE },
      { LOOK(0, SLOT_EP, THREAD_POOL),
        DEST(1),
        { 3, 8, E(ARGUMENT) },
        { 4, 1, E(PRIORITY) },
        { 0, DRY, E(QUOTA) } } },
    { SYS(THREAD_BIND),
      { STOPPED, OWN, SLOT_SPACE, FRAME, 0, SLOT_EP },
      { LOOK(0, SLOT_EP, THREAD),
        LOOK3(1, SLOT_EP),
        LOOK(2, SLOT_EP, ADDRESS_SPACE),
        LOOK(3, SLOT_EP, FRAME),
        LOOK(5, OWN, ENDPOINT),
        { 3, DEVICE, E(ARGUMENT) },
        { 4, 7, E(ALIGN) },
        { 4, 4096, E(ARGUMENT) },
        { 0, RUNS, E(STATE) } } },
    { SYS(THREAD_BIND_NTFN),
      { STOPPED, NTFN2 },
      { LOOK(0, SLOT_EP, THREAD), LOOK(1, SLOT_EP, NOTIFICATION), { 1, SLOT_NTFN, E(IN_USE) } } },
    { SYS(THREAD_START),
      { STOPPED, HOST_ENTRY },
      { LOOK(0, SLOT_EP, THREAD), { 1, KOZO_USER_END, E(ARGUMENT) }, { 0, STOPPED, E(STATE) } } },
    { SYS(THREAD_SUSPEND), { STOPPED }, { LOOK(0, SLOT_EP, THREAD) } },
    { SYS(THREAD_RESUME), { RUNS }, { LOOK(0, SLOT_EP, THREAD), { 0, STOPPED, E(STATE) } } },
    { SYS(THREAD_PRIORITY),
      { RUNS, 200, 200, 0, 0, 0, BARE },
      { LOOK(0, SLOT_EP, THREAD), { 1, 256, E(ARGUMENT) }, { 2, 1, E(PRIORITY) } } },
    { SYS(THREAD_INFO), { RUNS }, { LOOK(0, SLOT_EP, THREAD), { CALLER, BARE, E(BUFFER) } } },
    { SYS(THREAD_FS_BASE), { 0 }, { { 0, KOZO_USER_END, E(ARGUMENT) } } },
    { SYS(CALL),
      { SLOT_EP, 0 },
      { LOOK(0, OWN, ENDPOINT),
        { 1, KOZO_INFO_FAULT, E(ARGUMENT) },
        { CALLER, BARE, E(BUFFER) },
        { 0, SILENT, E(RIGHTS) },
        { 1, CARRIES | NOW, E(TIMEOUT) } } },
    { SYS(SEND),
      { SLOT_EP, 0 },
      { LOOK(0, OWN, ENDPOINT),
        { 1, KOZO_INFO_FAULT, E(ARGUMENT) },
        { CALLER, BARE, E(BUFFER) },
        { 0, SILENT, E(RIGHTS) },
        { 1, CARRIES | NOW, E(TIMEOUT) } } },
    { SYS(RECV),
      { SLOT_EP, 0 },
      { LOOK(0, OWN, ENDPOINT),
        { 1, 1, E(ARGUMENT) },
        { CALLER, BARE, E(BUFFER) },
        { 1, KOZO_INFO_RECV_CAPS | NOW, E(TIMEOUT) } } },
    { SYS(REPLY_RECV),
      { SLOT_EP, 0 },
      { LOOK(0, OWN, ENDPOINT),
        { 1, KOZO_INFO_FAULT, E(ARGUMENT) },
        { CALLER, BARE, E(BUFFER) },
        { 1, 1 | NOW, E(TIMEOUT) } } },
    { SYS(REPLY),
      { 0, 1 },
      { LOOK(0, OWN, REPLY),
        { 1, KOZO_INFO_FAULT, E(ARGUMENT) },
        { CALLER, BARE, E(BUFFER) },
        { 0, 0, E(NOREPLY) } } },
    { SYS(REPLY_SAVE), { OWN, FREE }, { DEST(0), { 0, OWN, E(NOREPLY) } } },
    { SYS(WAIT),
      { SLOT_NTFN, 0 },
      { LOOK(0, SLOT_EP, NOTIFICATION),
        { 1, KOZO_INFO_RECV_CAPS, E(ARGUMENT) },
        { 1, NOW, E(TIMEOUT) } } },
    { SYS(SIGNAL), { SLOT_NTFN }, { LOOK(0, SLOT_EP, NOTIFICATION) } },
    { SYS(POLL), { SLOT_NTFN }, { LOOK(0, SLOT_EP, NOTIFICATION) } },
    { SYS(IRQ_CLAIM),
      { SLOT_IRQ, 4, OWN, FREE },
      { LOOK(0, SLOT_EP, IRQ_CONTROL), DEST(2), { 1, 99, E(ARGUMENT) }, { 1, 3, E(IN_USE) } } },
    { SYS(IRQ_BIND),
      { HANDLER, SLOT_NTFN, 1 },
      { LOOK(0, SLOT_EP, IRQ_HANDLER), LOOK(1, SLOT_EP, NOTIFICATION) } },
    { SYS(IRQ_ACK), { HANDLER }, { LOOK(0, SLOT_EP, IRQ_HANDLER), { 0, HANDLER, E(STATE) } } },
    { SYS(IOPORT_MINT),
      { SLOT_IOPORT, 1, 2, OWN, FREE },
      { LOOK3(0, SLOT_EP), DEST(3), { 1, 3, E(ARGUMENT) } } },
    { SYS(IOPORT_IN),
      { SLOT_IOPORT, 0x80, 1 },
      { LOOK(0, SLOT_EP, IO_PORT), { 2, 3, E(ARGUMENT) } } },
    { SYS(IOPORT_OUT),
      { SLOT_IOPORT, 0x80, 1 },
      { LOOK(0, SLOT_EP, IO_PORT), { 2, 3, E(ARGUMENT) } } },
    { SYS(DEBUG_WRITE),
      { SLOT_DEBUG, 1 },
      { LOOK(0, SLOT_EP, DEBUG), { 1, 449, E(ARGUMENT) }, { CALLER, BARE, E(BUFFER) } } },
    { SYS(DEBUG_DUMP), { SLOT_DEBUG }, { LOOK(0, SLOT_EP, DEBUG) } },
    { SYS(DEBUG_STAT),
      { SLOT_DEBUG },
      { LOOK(0, SLOT_EP, DEBUG), { 1, KOZO_STAT_COUNT, E(ARGUMENT) } } },
    { SYS(DEBUG_LOG), { SLOT_DEBUG }, { LOOK(0, SLOT_EP, DEBUG), { CALLER, BARE, E(BUFFER) } } },
    { SYS(DEBUG_TRACE),
      { SLOT_DEBUG },
      { LOOK(0, SLOT_EP, DEBUG), { 1, 1ull << KOZO_TRACE_COUNT, E(ARGUMENT) } } },
    { SYS(DEBUG_EVENTS), { SLOT_DEBUG }, { LOOK(0, SLOT_EP, DEBUG), { CALLER, BARE, E(BUFFER) } } },
    { SYS(DEBUG_TREE),
      { SLOT_DEBUG, OWN, SLOT_EP, 0 },
      { LOOK(0, SLOT_EP, DEBUG),
        SOURCE(1),
        { 3, KOZO_TREE_SKIP_MAX + 1, E(ARGUMENT) },
        { CALLER, BARE, E(BUFFER) } } },
};

/* ---- the world ---- */

static void weaken(enum kozo_kind kind, uint64_t from)
{
    uint64_t at = WEAK + kind;

    if (slot_is_null(host_slot(at)))
        CHECK_OK(call(host.init, CAP_COPY, 0, at, 0, from, 0));
    host_slot(at)->cap.rights = 0;
}

static struct tcb *boot(void)
{
    host_boot();
    struct tcb *bare = host_peer(HOST_PRIORITY);
    host_make(UNTYPED, KOZO_KIND_UNTYPED, 16);
    host_make(TABLE, KOZO_KIND_PAGE_TABLE, 0);
    host_make(TABLE2, KOZO_KIND_PAGE_TABLE, 0);
    for (uint64_t i = MAPPED; i <= FRAME; i++)
        host_make(i, KOZO_KIND_FRAME, KOZO_PAGE_BITS);
    host_make(NTFN2, KOZO_KIND_NOTIFICATION, 0);
    for (uint32_t i = 0; i < 3; i++) {
        host_make(POOL, KOZO_KIND_PAGE_TABLE,
                  0); /* three tables, whose capabilities are put away */
        CHECK_OK(call(host.init, SPACE_FEED, SLOT_SPACE, POOL));
        CHECK_OK(call(host.init, CAP_MOVE, 0, SLOT_KEPT + 100 + i, 0, POOL));
    }
    CHECK_OK(call(host.init, MAP, SLOT_SPACE, MAPPED, AT, RW));
    CHECK_OK(call(host.init, MAP, SLOT_SPACE, THERE, AT + 8192, RW));
    host_make(WEAK + KOZO_KIND_PAGE_TABLE, KOZO_KIND_PAGE_TABLE, 0);
    CHECK_OK(call(host.init, SPACE_FEED, SLOT_SPACE, TABLE));
    host_slot(READS)->cap.rights = KOZO_MAP;
    CHECK_OK(call(host.init, POOL_SPLIT, SLOT_POOL, 0, POOL, 1));
    CHECK_OK(call(host.init, POOL_SPLIT, SLOT_POOL, 0, DRY, 1));
    CHECK_OK(call(host.init, POOL_SPLIT, SLOT_POOL, 0, WEAK + KOZO_KIND_THREAD_POOL, 1));
    CHECK_OK(call(host.init, THREAD_CREATE, POOL, 0, STOPPED, 0, HOST_PRIORITY));
    CHECK_OK(call(host.init, THREAD_CREATE, DRY, 0, SLOT_KEPT + 110, 0, HOST_PRIORITY));
    CHECK_OK(call(host.init, CAP_COPY, 0, RUNS, 0, host_thread_slot(bare), KOZO_SAME_RIGHTS));
    CHECK_OK(call(host.init, THREAD_BIND_NTFN, RUNS, SLOT_NTFN));
    CHECK_OK(call(host.init, IRQ_CLAIM, SLOT_IRQ, 3, 0, HANDLER));
    CHECK_OK(call(host.init, CAP_MINT, 0, BADGED, 0, SLOT_EP, KOZO_SAME_RIGHTS, 7));
    CHECK_OK(call(host.init, CAP_COPY, 0, SILENT, 0, SLOT_EP, KOZO_READ | KOZO_WRITE));
    CHECK_OK(call(host.init, RETYPE, SLOT_DEVICE, KOZO_WHAT(KOZO_KIND_FRAME, 12), 0, DEVICE, 1));
    host_make(WEAK + KOZO_KIND_UNTYPED, KOZO_KIND_UNTYPED, 12);
    slot_fill(host_slot(WEAK + KOZO_KIND_IRQ_CONTROL), &kernel.root,
              (struct cap){ .kind = KOZO_KIND_IRQ_CONTROL });
    call(host.init, RECV, SLOT_EP);
    CHECK_EQ(call(host_thread(KOZO_WRITE, 0), CALL, SLOT_EP), HOST_BLOCKED);
    CHECK_OK(call(host.init, REPLY_SAVE, 0, WEAK + KOZO_KIND_REPLY));
    weaken(KOZO_KIND_REPLY, 0);
    weaken(KOZO_KIND_UNTYPED, 0);
    weaken(KOZO_KIND_PAGE_TABLE, 0);
    weaken(KOZO_KIND_THREAD_POOL, 0);
    weaken(KOZO_KIND_CNODE, SLOT_CNODE);
    weaken(KOZO_KIND_ENDPOINT, SLOT_EP);
    weaken(KOZO_KIND_NOTIFICATION, SLOT_NTFN);
    weaken(KOZO_KIND_THREAD, RUNS);
    weaken(KOZO_KIND_ADDRESS_SPACE, SLOT_SPACE);
    weaken(KOZO_KIND_FRAME, FRAME);
    weaken(KOZO_KIND_IRQ_HANDLER, HANDLER);
    weaken(KOZO_KIND_IO_PORT, SLOT_IOPORT);
    weaken(KOZO_KIND_DEBUG, SLOT_DEBUG);
    return bare;
}

/* ---- the walk ---- */

static const struct {
    const char *call, *errors;
} listed[] = {
#define KOZO_CHECK(CALL, errors, text) { #CALL, errors },
#include "../../docs/spec/checks.def"
#undef KOZO_CHECK
};

/* All errors listed for a call, one behind the other. */
static const char *errors_listed(const char *name)
{
    static char all[512];
    size_t used = 0;

    all[0] = '\0';
    for (uint32_t i = 0; i < ARRAY_LEN(listed); i++)
        if (strcmp(listed[i].call, name) == 0)
            used += (size_t)snprintf(all + used, sizeof all - used, "%s ", listed[i].errors);
    return all;
}

/*
 * The value of argument `arg` when what is wrong up to `k` has been put right: the next wrong
 * one, or the right one.
 */
static uint64_t value_at(const struct order *o, uint32_t arg, uint32_t k)
{
    for (uint32_t i = k; i < WRONGS && o->wrong[i].err != KOZO_OK; i++)
        if (o->wrong[i].arg == arg)
            return o->wrong[i].value;
    return o->right[arg];
}

static void check_order(const struct order *o, struct tcb *bare)
{
    const char *name = name_of_call(o->number);
    char got[512];
    size_t used = 0;

    for (uint32_t k = 0; k < WRONGS && o->wrong[k].err != KOZO_OK; k++) {
        uint64_t arg[ARGS], err;
        for (uint32_t a = 0; a < ARGS; a++)
            arg[a] = value_at(o, a, k);
        err = host_call(arg[CALLER] == BARE ? bare : host.init, 0, o->number, arg, CALLER);
        if (err != o->wrong[k].err)
            FAIL("%s, wrong from %u on: %s, expected %s", name, k,
                 err < HOST_BLOCKED ? name_of_error((enum kozo_err)err) : "no error",
                 name_of_error(o->wrong[k].err));
        used +=
            (size_t)snprintf(got + used, sizeof got - used, "%s ", name_of_error(o->wrong[k].err));
    }
    if (strcmp(got, errors_listed(name)) != 0)
        FAIL("%s has %s; docs/spec/checks.def lists %s", name, got, errors_listed(name));
}

TEST(every_error_in_the_order_the_specification_lists_it)
{
    struct tcb *bare = boot();

    for (uint32_t i = 0; i < ARRAY_LEN(orders); i++)
        check_order(&orders[i], bare);
}

/* And for every call that is listed there is a walk. */
TEST(every_call_that_is_listed_is_walked)
{
    for (uint32_t i = 0; i < ARRAY_LEN(listed); i++) {
        bool found = false;
        for (uint32_t k = 0; k < ARRAY_LEN(orders); k++)
            found = found || strcmp(name_of_call(orders[k].number), listed[i].call) == 0;
        if (!found)
            FAIL("%s is listed, and not walked", listed[i].call);
    }
}

/* ---- how a wait ends ---- */

/* Each makes a wait of `t` end. `server` has taken what `t` sent, if it is a CALL that was. */
static void time_passes(struct tcb *, struct tcb *) { host_advance(1000); }
static void suspended(struct tcb *t, struct tcb *)
{
    CHECK_OK(call(host.init, THREAD_SUSPEND, host_thread_slot(t)));
    CHECK_OK(call(host.init, THREAD_RESUME, host_thread_slot(t)));
}
static void object_ends(struct tcb *, struct tcb *)
{
    for (uint64_t at = SLOT_EP; at <= SLOT_NTFN; at++) {
        CHECK_OK(call(host.init, CAP_REVOKE, 0, at));
        CHECK_OK(call(host.init, CAP_DELETE, 0, at));
    }
}
static void received_and_lost(struct tcb *, struct tcb *server)
{
    CHECK_OK(call(server, RECV, SLOT_EP));
    CHECK_OK(call(host.init, CAP_REVOKE, 0, host_thread_slot(server)));
    CHECK_OK(call(host.init, CAP_DELETE, 0, host_thread_slot(server)));
}
static void received_and_dropped(struct tcb *, struct tcb *server)
{
    CHECK_OK(call(server, RECV, SLOT_EP));
    CHECK_EQ(call(server, RECV, SLOT_EP), HOST_BLOCKED);
}

static const struct ending {
    uint64_t number;
    enum kozo_err err;
    void (*how)(struct tcb *t, struct tcb *server);
} endings[] = {
#define WAITS(CALL)                                                                                \
    { SYS(CALL), E(TIMEOUT), time_passes }, { SYS(CALL), E(CANCELLED), suspended },                \
    {                                                                                              \
        SYS(CALL), E(GONE), object_ends                                                            \
    }
    WAITS(CALL),
    { SYS(CALL), E(GONE), received_and_lost },
    { SYS(CALL), E(DROPPED), received_and_dropped },
    WAITS(SEND),
    WAITS(RECV),
    WAITS(REPLY_RECV),
    WAITS(WAIT),
};

static const struct {
    const char *call, *error;
} ends_listed[] = {
#define KOZO_END(CALL, ERROR, when) { #CALL, #ERROR },
#include "../../docs/spec/ends.def"
#undef KOZO_END
};

static bool is_listed(const struct ending *e)
{
    for (uint32_t i = 0; i < ARRAY_LEN(ends_listed); i++)
        if (strcmp(ends_listed[i].call, name_of_call(e->number)) == 0 &&
            strcmp(ends_listed[i].error, name_of_error(e->err)) == 0)
            return true;
    return false;
}

static void check_ending(const struct ending *e)
{
    host_boot();
    struct tcb *server = host_thread(KOZO_READ, 0), *t = host_thread(KOZO_READ | KOZO_WRITE, 0);
    uint64_t object = e->number == SYS(WAIT) ? SLOT_NTFN : SLOT_EP;

    if (!is_listed(e))
        FAIL("%s can end with %s, which docs/spec/ends.def does not list", name_of_call(e->number),
             name_of_error(e->err));
    CHECK_EQ(host_call(t, 500, e->number, HOST_ARGS(object, NOW)), HOST_BLOCKED);
    e->how(t, server);
    CHECK_EQ(t->state, TCB_READY);
    unit_check_err(__FILE__, __LINE__, name_of_call(e->number), host_error(t), e->err);
}

TEST(every_error_that_ends_a_wait)
{
    for (uint32_t i = 0; i < ARRAY_LEN(endings); i++)
        check_ending(&endings[i]);
}

TEST(every_end_of_a_wait_that_is_listed_is_seen)
{
    for (uint32_t i = 0; i < ARRAY_LEN(ends_listed); i++) {
        bool found = false;
        for (uint32_t k = 0; k < ARRAY_LEN(endings); k++)
            found = found || (strcmp(name_of_call(endings[k].number), ends_listed[i].call) == 0 &&
                              strcmp(name_of_error(endings[k].err), ends_listed[i].error) == 0);
        if (!found)
            FAIL("%s is listed to end with %s, and not seen to", ends_listed[i].call,
                 ends_listed[i].error);
    }
}
