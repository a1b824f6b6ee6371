/* SPDX-License-Identifier: MIT */
/*
 * lockstep.c - an operation, done to the kernel, then to the model; then both are compared.
 */
#include "lockstep.h"

#include "base/trace.h"
#include "compare.h"
#include "host.h"
#include "store.h"
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define TICKS_AT_ONCE 64u
#define SCRIBBLE 0xa5
#define KEPT_RAM_BYTES (256u << 10)

uint64_t lockstep_hash;
struct lockstep_stats lockstep_stats;
void (*lockstep_failed)(void) = abort;

/* ---- failing ---- */

void lockstep_fail(const char *format, ...)
{
    va_list args;

    fputs("model: ", stderr);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
    lockstep_failed();
    abort();
}

/* The kernel panicked: the last lines of its log say why. */
static void panicked(void)
{
    const char *from = machine.log + (machine.log_used > 400 ? machine.log_used - 400 : 0);
    const char *panic = strstr(from, "kernel panic: ");

    lockstep_fail("%.*s", (int)strcspn(panic != nullptr ? panic : from, "\n"),
                  panic != nullptr ? panic : from);
}

/* What tests/unit/host.c says when one of its own checks fails. */
void unit_fail(const char *file, int line, const char *format, ...)
{
    char text[256];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    lockstep_fail("%s:%d: %s", file, line, text);
}
void unit_check_eq(const char *file, int line, const char *text, uint64_t got, uint64_t want)
{
    if (got != want)
        unit_fail(file, line, "%s is %#llx, expected %#llx", text, (unsigned long long)got,
                  (unsigned long long)want);
}
void unit_check_err(const char *file, int line, const char *text, uint64_t got, uint64_t want)
{
    unit_check_eq(file, line, text, got, want);
}
void unit_check_ptr(const char *file, int line, const char *text, const void *got, const void *want)
{
    if (got != want)
        unit_fail(file, line, "%s is another", text);
}

/* ---- the hash of what happened ---- */

/* FNV-1a, a word at a time. */
static void hash(uint64_t v)
{
    lockstep_hash = (lockstep_hash ^ v) * 0x100000001b3ull;
    lockstep_hash ^= lockstep_hash >> 29;
}

static void hash_outcome(void)
{
    const struct m_thread *t = m->current;

    hash(t != nullptr ? t->serial : 0);
    if (t == nullptr)
        return;
    hash(t->regs.rax);
    for (uint32_t i = 0; i < M_REGS; i++)
        hash(t->regs.reg[i]);
}

/* ---- after each event ---- */

static void check_event(const struct tcb *next)
{
    lockstep_stats.events++;
    lockstep_stats.idle += next == kernel.cpu.idle;
    if (next != kernel.cpu.current || kernel.cpu.handoff != nullptr)
        lockstep_fail("the thread returned is not the current one");
    if (machine.irq_checks != m->checks)
        lockstep_fail("%llu preemption points, the model says %llu",
                      (unsigned long long)machine.irq_checks, (unsigned long long)m->checks);
    compare_all();
    host_check();
}

static void after_event(const struct tcb *next)
{
    check_event(next);
    hash_outcome();
}

static void begin(void)
{
    machine.irq_checks = 0;
    m->now = machine.now;
}

/* ---- the kernel's state, kept ---- */

#define AFTER_TRACE offsetof(struct kernel, idle_tcb)
static_assert(offsetof(struct kernel, trace) > offsetof(struct kernel, log) &&
              AFTER_TRACE > offsetof(struct kernel, trace));

/* All but the text of the log and the events of the trace: they are large, and decide nothing. */
static void copy_kernel(struct kernel *to, const struct kernel *from)
{
    memcpy(to, from, offsetof(struct kernel, log.text));
    memcpy(&to->trace, &from->trace, offsetof(struct trace, event));
    memcpy(&to->idle_tcb, &from->idle_tcb, sizeof *to - AFTER_TRACE);
}

static bool same_kernel(const struct kernel *a, const struct kernel *b)
{
    return memcmp(a, b, offsetof(struct kernel, log)) == 0 &&
           memcmp(&a->idle_tcb, &b->idle_tcb, sizeof *a - AFTER_TRACE) == 0;
}

/* ---- a call that fails changes nothing: I9 ---- */

static struct {
    struct kernel kernel;
    bool pending, fresh;
    uint64_t number;
} before;

static void keep(const struct tcb *t)
{
    copy_kernel(&before.kernel, &kernel);
    before.pending = pending_any();
    before.number = t->frame.number;
    before.fresh = before.number == KOZO_SYS_CAP_MINT && (t->frame.reg[4] & KOZO_MINT_FRESH) != 0;
}

/* Notes of a call mean nothing when it has ended. */
static void forget_notes(const struct tcb *t)
{
    struct tcb *old = &before.kernel.tcbs[t - kernel.tcbs];

    old->frame = t->frame;
    old->message = t->message;
    old->badge = t->badge;
    old->rights = t->rights;
    old->user_rights = t->user_rights;
    before.kernel.sched.admit = kernel.sched.admit;
    memcpy(before.kernel.sched.slice_end, kernel.sched.slice_end, sizeof kernel.sched.slice_end);
    before.kernel.timers.armed = kernel.timers.armed;
    before.kernel.timers.stale = kernel.timers.stale;
}

static void check_unchanged(const struct tcb *t)
{
    bool receives = before.number == KOZO_SYS_RECV || before.number == KOZO_SYS_REPLY_RECV;

    if (before.pending || kernel.cpu.current != t ||
        (receives && t->frame.error == KOZO_ERR_TIMEOUT))
        return;
    forget_notes(t);
    if (!same_kernel(&before.kernel, &kernel))
        lockstep_fail("%s failed with %s, but changed the kernel", op_call_name(before.number),
                      op_error_name(t->frame.error));
}

/* ---- memory that was handed out ---- */

static void scribble(uint64_t base, uint64_t bytes)
{
    memset(arch_ram((struct paddr){ base }), SCRIBBLE, bytes);
    memset(m_ram(base), SCRIBBLE, bytes);
}

/* A new Frame holds zeros; then its user writes to its first and last page. */
static void take_frame(const struct m_object *o)
{
    const uint8_t *p;
    uint64_t bytes = 1ull << o->bits;

    if (o->kind != KOZO_KIND_FRAME || o->device)
        return;
    p = arch_ram((struct paddr){ o->base });
    if (p[0] != 0 || memcmp(p, p + 1, bytes - 1) != 0)
        lockstep_fail("a new Frame at %#llx is not zero", (unsigned long long)o->base);
    scribble(o->base, KOZO_PAGE_SIZE);
    scribble(o->base + bytes - KOZO_PAGE_SIZE, KOZO_PAGE_SIZE);
}

/* ---- events ---- */

static void deliver_tick(void)
{
    begin();
    struct tcb *next = kernel_tick();
    m_event_tick();
    lockstep_stats.ticks++;
    after_event(next);
}

/* The interrupt that a preemption point found waiting. */
static void deliver_preemption(void)
{
    machine.irq_at = 0;
    m->interrupt = 0;
    if (machine.irq_waiting != m->interrupted)
        lockstep_fail("an interrupt waits on one side alone");
    if (!machine.irq_waiting)
        return;
    lockstep_stats.preempted++;
    machine.irq_waiting = m->interrupted = false;
    deliver_tick();
}

/* Whose call was preempted and will be made again. */
static struct rewound {
    uint64_t serial, ip;
} rewound[CONFIG_MAX_THREADS];

static bool is_rewound(const struct tcb *t)
{
    const struct rewound *r = &rewound[t - kernel.tcbs];

    return r->serial == t->serial && r->ip == t->frame.ip;
}

/* Which of two threads wakes first at one deadline the spec does not say: keep them apart. */
static void part_deadlines(struct tcb *t)
{
    for (uint32_t i = 0; i < m->threads.n; i++)
        if (m->threads.item[i]->timed && m->threads.item[i]->deadline == t->frame.deadline) {
            t->frame.deadline -= t->frame.deadline == M_NEVER ? m->threads.n : 0;
            t->frame.deadline++;
            i = UINT32_MAX; /* from the start */
        }
    m->current->regs.rbx = t->frame.deadline;
}

static void load_call(struct tcb *t, const struct op *op)
{
    struct m_regs *r = &m->current->regs;

    rewound[t - kernel.tcbs].serial = 0;
    t->frame.number = r->rax = op->number;
    t->frame.deadline = r->rbx = op->deadline;
    for (uint32_t i = 0; i < FRAME_REGS; i++)
        t->frame.reg[i] = r->reg[i] = op->arg[i];
}

/* What only the kernel can know goes to the model. */
static void tell(struct tcb *t, uint64_t number)
{
    bool ring = number == KOZO_SYS_DEBUG_LOG || number == KOZO_SYS_DEBUG_EVENTS;

    m->fresh_badge = t->frame.reg[0];
    for (uint32_t i = 0; i < 3; i++)
        m->told[i] = t->frame.reg[i];
    if (ring && t->buffer != nullptr && t->frame.error == KOZO_OK)
        memcpy(m_buffer(m->current)->word, t->buffer->word, sizeof t->buffer->word);
}

static void check_devices(uint64_t log_before)
{
    if (m->port.used) {
        compare_same("a port", "number", machine.port, m->port.port);
        compare_same("a port", "width", machine.port_width, m->port.width);
        if (m->port.written)
            compare_same("a port", "value", machine.port_value, (uint32_t)m->port.value);
    }
    if (m->console_bytes != 0 && machine.log_used >= log_before &&
        memcmp(machine.log + log_before, m->console, m->console_bytes) != 0)
        lockstep_fail("the console did not get the text");
}

/*
 * DEBUG_TREE told who the top is: a word made of an address of this process, and so another one on
 * each run. The thread forgets it, lest it gets into the hash.
 */
static void forget_identity(struct tcb *t)
{
    if (before.number == KOZO_SYS_DEBUG_TREE && t->frame.error == KOZO_OK)
        t->frame.reg[2] = m->current->regs.reg[2] = 0;
}

static void check_badge(const struct tcb *t)
{
    if (before.fresh && t->frame.error == KOZO_OK && t->frame.reg[0] == 0)
        lockstep_fail("a fresh badge is 0");
}

/* The call is not to be made again: it has ended, or waits, or its thread is gone. */
static void ended(const struct op *op, const struct tcb *t, uint64_t serial)
{
    uint64_t number = op->number < KOZO_SYSCALL_LIMIT ? op->number : KOZO_SYSCALL_LIMIT;

    if (t->serial != serial || t->state != TCB_READY || t->frame.error == KOZO_OK) {
        lockstep_stats.calls[number]++;
        return;
    }
    lockstep_stats.refused[number]++;
    lockstep_stats.errors[t->frame.error % 64]++;
    check_unchanged(t);
}

static void do_call(const struct op *op)
{
    struct tcb *t = kernel.cpu.current, *next;
    const struct m_object *newest = m->objects;
    uint64_t serial = t->serial, ip = t->frame.ip, log_before = machine.log_used;

    if (!is_rewound(t))
        load_call(t, op);
    part_deadlines(t);
    machine.irq_at = m->interrupt = op->preempt;
    m->port_in = machine.port_in_value = (uint32_t)(lockstep_stats.ops * 0x9e3779b9u);
    keep(t);
    begin();
    t->frame.ip += FRAME_CALL_BYTES;
    m->current->regs.ip += FRAME_CALL_BYTES;
    next = kernel_syscall(t);
    tell(t, before.number);
    m_event_call();
    check_devices(log_before);
    check_event(next);
    check_badge(t);
    forget_identity(t);
    hash_outcome();
    if (t->state != TCB_FREE && t->serial == serial && t->frame.ip == ip)
        rewound[t - kernel.tcbs] = (struct rewound){ serial, ip };
    else
        ended(op, t, serial);
    for (const struct m_object *o = m->objects; o != newest; o = o->next)
        take_frame(o);
    deliver_preemption();
}

static void do_fault(const struct op *op)
{
    struct fault f = { .kind = (enum kozo_fault)(op->arg[0] % 17),
                       .address = op->arg[1],
                       .access = (uint32_t)op->arg[2],
                       .code = 4 };

    begin();
    struct tcb *next = kernel_fault(kernel.cpu.current, &f);
    m_event_fault((struct m_fault){
        .kind = f.kind, .address = f.address, .access = f.access, .code = f.code });
    after_event(next);
}

static void do_interrupt(const struct op *op)
{
    uint32_t line = (uint32_t)(op->arg[0] % M_LINES);

    begin();
    struct tcb *next = kernel_interrupt(line);
    m_event_interrupt(line);
    after_event(next);
}

static void do_advance(const struct op *op)
{
    uint64_t end = machine.now + op->arg[0];

    for (uint32_t i = 0; i < TICKS_AT_ONCE && machine.armed <= end; i++) {
        machine.now = max_u64(machine.now, machine.armed);
        machine.armed = UINT64_MAX;
        deliver_tick();
    }
    machine.now = max_u64(machine.now, machine.armed <= end ? machine.now : end);
    m->now = machine.now;
}

static void do_nothing(void)
{
    begin();
    struct tcb *next = kernel_leave();
    m_event_nothing();
    after_event(next);
}

/* ---- what user code does by itself ---- */

static void do_touch(const struct op *op)
{
    const struct m_cap *space = m->current->binding[M_VSPACE];
    uint8_t access = (uint8_t)(op->arg[1] & (KOZO_READ | KOZO_WRITE | KOZO_EXECUTE));
    const struct m_entry *e;
    struct host_access got;
    bool may;

    if (machine.tlb_used + 2 * PTE_LEVELS > HOST_TLB_ENTRIES)
        return;
    got = host_access((struct paddr){ kernel.cpu.current->root }, op->arg[0], access);
    e = m_translate(space->object, op->arg[0]);
    may = e != nullptr && (e->rights & access) == access;
    if (got.ok != may)
        lockstep_fail("access %u to %#llx is %s", access, (unsigned long long)op->arg[0],
                      got.ok ? "let through" : "refused");
    if (!may)
        return;
    compare_same("memory", "page", got.at.v, e->base + (op->arg[0] - e->address));
    if ((access & KOZO_WRITE) != 0 && m_is_ram(got.at.v, 1)) {
        *(uint8_t *)arch_ram(got.at) = (uint8_t)lockstep_stats.ops;
        *m_ram(got.at.v) = (uint8_t)lockstep_stats.ops;
    }
}

static void write_buffer(struct kozo_ipc_buffer *b, const struct op *op)
{
    if (op->what == OP_WINDOW) {
        b->recv_slot = (uint32_t)op->arg[0];
        b->recv_count = (uint16_t)op->arg[1];
    } else if (op->what == OP_DESC) {
        b->cap[op->arg[0] % KOZO_MSG_CAPS] = (struct kozo_cap_desc){
            .slot = (uint32_t)op->arg[1],
            .rights = (uint8_t)op->arg[2],
            .user_rights = (uint8_t)op->arg[3],
            .flags = (uint8_t)op->arg[4],
            .badge = op->arg[5],
        };
    } else {
        b->word[op->arg[0] % KOZO_MSG_EXTRA] = op->arg[1];
    }
}

static void do_fpu(const struct op *op)
{
    if ((m->current->flags & KOZO_THREAD_FPU) != 0)
        machine.fpu.reg[0] = m->current->fpu = op->arg[0];
}

static void do_user(const struct op *op)
{
    struct tcb *t = kernel.cpu.current;

    switch (op->what) {
    case OP_CALL:
        do_call(op);
        break;
    case OP_FAULT:
        do_fault(op);
        break;
    case OP_TOUCH:
        do_touch(op);
        break;
    case OP_FPU:
        do_fpu(op);
        break;
    default:
        if (t->buffer != nullptr) {
            write_buffer(t->buffer, op);
            write_buffer(m_buffer(m->current), op);
        }
    }
}

/*
 * Guided by comparisons, a fuzzer finds out the words that I10 looks for: what is made up is none.
 */
static uint64_t made_up(uint64_t word) { return host_is_secret(word) ? word ^ 1ull << 63 : word; }

void lockstep_do(const struct op *wanted)
{
    struct op op = *wanted;

    op.deadline = made_up(op.deadline);
    for (uint32_t i = 0; i < OP_ARGS; i++)
        op.arg[i] = made_up(op.arg[i]);
    lockstep_stats.ops++;
    hash(op.what);
    if (op.what == OP_IRQ)
        do_interrupt(&op);
    else if (op.what == OP_ADVANCE)
        do_advance(&op);
    else if (op.what == OP_NOTHING)
        do_nothing();
    else if (m->current != nullptr)
        do_user(&op);
}

void lockstep_end(void) { compare_memory(); }

/* ---- the world ---- */

static uint64_t identity(const struct m_object *o, const struct m_cap *c, bool slot)
{
    const struct slot *s = c != nullptr ? compare_kernel_slot(c) : nullptr;

    if (o != nullptr)
        return trace_identity(o->kind, compare_kernel_object(o));
    return slot ? trace_identity(KOZO_KIND_NULL, (uint64_t)s)
                : trace_identity(s->cap.kind, s->cap.object);
}

void lockstep_boot(void)
{
    memset(rewound, 0, sizeof rewound);
    host_boot_sized(LOCKSTEP_RAM_BYTES, LOCKSTEP_ROOT_BITS);
    import_world();
    m->identity = identity;
    for (const struct m_object *o = m->objects; o != nullptr; o = o->next)
        take_frame(o);
    compare_all();
}

static struct kept {
    struct kernel kernel;
    struct rewound rewound[CONFIG_MAX_THREADS];
    uint8_t model[M_STORE_BYTES + 4096];
    uint64_t model_bytes, ram_bytes;
    uint8_t ram[KEPT_RAM_BYTES], model_ram[KEPT_RAM_BYTES];
} kept[2];

/* Memory that was ever given out: below the watermark of the Untyped that all comes from. */
static uint64_t ram_used(void)
{
    uint64_t used = 0;

    for (const struct m_object *o = m->objects; o != nullptr; o = o->next)
        if (o->kind == KOZO_KIND_UNTYPED && o->base == HOST_RAM_BASE)
            used = max_u64(used, o->untyped.watermark - HOST_RAM_BASE);
    return used;
}

void lockstep_keep(uint32_t place)
{
    struct kept *k = &kept[place];

    k->ram_bytes = ram_used();
    k->model_bytes = m_store_bytes();
    if (k->ram_bytes > KEPT_RAM_BYTES || k->model_bytes > sizeof k->model)
        lockstep_fail("a world too large to keep");
    copy_kernel(&k->kernel, &kernel);
    memcpy(k->rewound, rewound, sizeof rewound);
    memcpy(k->ram, machine.ram, k->ram_bytes);
    memcpy(k->model_ram, m->ram, k->ram_bytes);
    m_store_keep(k->model);
}

void lockstep_put_back(uint32_t place)
{
    const struct kept *k = &kept[place];

    copy_kernel(&kernel, &k->kernel);
    memcpy(rewound, k->rewound, sizeof rewound);
    memcpy(machine.ram, k->ram, k->ram_bytes);
    memcpy(m->ram, k->model_ram, k->ram_bytes);
    m_store_put_back(k->model, k->model_bytes);
}

void lockstep_run(void (*body)(void *), void *with)
{
    jmp_buf end;

    machine.end = &end;
    if (setjmp(end) == 0)
        body(with);
    else
        panicked();
    machine.end = nullptr;
}
