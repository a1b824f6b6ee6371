/* SPDX-License-Identifier: MIT */
#include "host.h"

#include "base/log.h"
#include "cap/object.h"
#include "cap/untyped.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SNAPSHOT_RAM_MAX (4ull << 20)
#define STACK_TOP 0x7fff0000ull
#define DEVICE_BITS 21u
#define POISON_BYTES (1ull << 20)

struct host host;

/* ---- what a call that failed must not have changed ---- */

static struct snapshot {
    struct kernel kernel;
    uint64_t tail_bytes; /* of it, from the trace on */
    uint8_t *ram;
    uint64_t ram_bytes; /* 0: nothing was kept */
    bool taken, pending;
} before;

/*
 * The text of the log and the events of the trace lie in the middle, and may change: they are left
 * out. So are threads that were never used, but for the next to be: host_end looks at them.
 */
#define HEAD_BYTES offsetof(struct kernel, log)
#define TAIL offsetof(struct kernel, idle_tcb)
static_assert(offsetof(struct kernel, trace) > HEAD_BYTES &&
              TAIL > offsetof(struct kernel, trace) && offsetof(struct kernel, tcbs) > TAIL);

/*
 * Bytes from the start of RAM that have been given out: below the highest watermark of the boot
 * Untypeds.
 */
static uint64_t ram_used(void)
{
    uint64_t top = HOST_RAM_BASE;

    for (struct entry e = kernel.root.open_next; cdt_slot(e) != &kernel.root;
         e = cdt_slot(e)->close_next) {
        const struct cap *cap = &cdt_slot(e)->cap;
        if (cap->kind == KOZO_KIND_UNTYPED && (cap->flags & CAP_DEVICE) == 0)
            top = max_u64(top, cap->a);
    }
    return top - HOST_RAM_BASE;
}

static void snapshot_take(void)
{
    uint64_t tcbs = min_u64(kernel.pools.tcb_fresh + 1, CONFIG_MAX_THREADS);
    uint64_t bytes = host.seldom ? 0 : ram_used();

    before.taken = !host.sampled || (host.events + 1) % HOST_SELDOM == 0;
    if (!before.taken)
        return;
    before.tail_bytes = offsetof(struct kernel, tcbs) + tcbs * sizeof(struct tcb) - TAIL;
    memcpy(&before.kernel, &kernel, HEAD_BYTES);
    memcpy(&before.kernel.idle_tcb, &kernel.idle_tcb, before.tail_bytes);
    before.pending = pending_any();
    before.ram_bytes = bytes <= SNAPSHOT_RAM_MAX ? bytes : 0;
    if (before.ram == nullptr)
        before.ram = malloc(SNAPSHOT_RAM_MAX);
    memcpy(before.ram, machine.ram, before.ram_bytes);
}

static uint64_t first_difference(const void *a, const void *b, uint64_t bytes)
{
    const uint8_t *x = a, *y = b;
    uint64_t i = 0;

    while (i < bytes && x[i] == y[i])
        i++;
    return i;
}

/* The part of `struct kernel` at this offset, as text. */
static const char *kernel_part(uint64_t offset)
{
    static const struct part {
        size_t start;
        const char *name;
    } parts[] = {
        { offsetof(struct kernel, tcbs), "tcbs" },
        { offsetof(struct kernel, idle_tcb), "idle_tcb" },
        { offsetof(struct kernel, badges), "badges" },
        { offsetof(struct kernel, irqs), "irqs" },
        { offsetof(struct kernel, pools), "pools" },
        { offsetof(struct kernel, pending), "pending" },
        { offsetof(struct kernel, root), "root" },
        { offsetof(struct kernel, timers), "timers" },
        { offsetof(struct kernel, sched), "sched" },
        { offsetof(struct kernel, cpu), "cpu" },
    };
    static char text[80];
    const struct part *p = parts;

    while (offset < p->start)
        p++;
    offset -= p->start;
    if (p == parts)
        snprintf(text, sizeof text, "tcbs[%llu] + %llu",
                 (unsigned long long)(offset / sizeof(struct tcb)),
                 (unsigned long long)(offset % sizeof(struct tcb)));
    else
        snprintf(text, sizeof text, "%s + %llu", p->name, (unsigned long long)offset);
    return text;
}

/* What a thread sends, and through what: notes of a call, without meaning when it has ended. */
static void forget_notes(struct tcb *old, const struct tcb *t)
{
    old->frame = t->frame;
    old->message = t->message;
    old->badge = t->badge;
    old->rights = t->rights;
    old->user_rights = t->user_rights;
}

/*
 * `t` made a call that ended with an error: but for its registers, and when its slice ends, all is
 * as it was.
 */
static void check_unchanged(struct tcb *t, uint64_t number)
{
    if (!before.taken || before.pending || kernel.cpu.current != t)
        return; /* what was pending went on, or another thread's turn came */
    if (t->frame.error == KOZO_ERR_TIMEOUT &&
        (number == KOZO_SYS_RECV || number == KOZO_SYS_REPLY_RECV))
        return; /* the caller that was owed an answer has been dropped, or has it */
    forget_notes(&before.kernel.tcbs[t - kernel.tcbs], t);
    memcpy(before.kernel.sched.slice_end, kernel.sched.slice_end, sizeof kernel.sched.slice_end);
    before.kernel.sched.admit = kernel.sched.admit;
    before.kernel.timers.armed = kernel.timers.armed;
    if (memcmp(&before.kernel, &kernel, HEAD_BYTES) != 0)
        FAIL("%s failed with %s but changed kernel.%s", name_of_call(number),
             name_of_error(t->frame.error),
             kernel_part(first_difference(&before.kernel, &kernel, HEAD_BYTES)));
    if (memcmp(&before.kernel.idle_tcb, &kernel.idle_tcb, before.tail_bytes) != 0)
        FAIL("%s failed with %s but changed kernel.%s", name_of_call(number),
             name_of_error(t->frame.error),
             kernel_part(TAIL + first_difference(&before.kernel.idle_tcb, &kernel.idle_tcb,
                                                 before.tail_bytes)));
    if (memcmp(before.ram, machine.ram, before.ram_bytes) != 0)
        FAIL("%s failed with %s but changed memory at %#llx", name_of_call(number),
             name_of_error(t->frame.error),
             (unsigned long long)(HOST_RAM_BASE +
                                  first_difference(before.ram, machine.ram, before.ram_bytes)));
}

/* ---- events ---- */

static void after_event(struct tcb *next)
{
    host.events++;
    CHECK_PTR(next, kernel.cpu.current);
    CHECK(next == kernel.cpu.idle || next->state == TCB_READY);
    CHECK_PTR(kernel.cpu.handoff, nullptr);
    CHECK(kernel.timers.count == 0 || machine.armed <= kernel.timers.heap[0]->deadline);
    host_audit_event();
    if (!host.seldom || host.events % HOST_SELDOM == 0)
        host_check();
}

/* `t` is ready: have it run, as if those before it had been preempted. */
static void make_current(struct tcb *t)
{
    uint8_t priority = t->priority;

    if (kernel.cpu.current == t)
        return;
    CHECK_EQ(t->state, TCB_READY);
    sched_set_priority(t, 0);
    for (uint32_t i = 0; kernel.cpu.current != t; i++) {
        CHECK(i < CONFIG_MAX_THREADS);
        if (!host_is_idle() && kernel.cpu.current->priority == 0)
            sched_rotate();
        kernel_leave();
    }
    sched_set_priority(t, priority);
}

/* The interrupt that made a call stop early is taken. */
static void deliver_interrupt(void)
{
    if (!machine.irq_waiting)
        return;
    machine.irq_waiting = false;
    after_event(kernel_tick());
}

static bool is_same_thread(const struct tcb *t, uint64_t serial)
{
    return t->state != TCB_FREE && t->serial == serial;
}

static void load_arguments(struct tcb *t, uint64_t deadline, uint64_t number, const uint64_t *arg,
                           uint32_t n)
{
    CHECK(n <= FRAME_REGS);
    t->frame.number = number;
    t->frame.deadline = deadline;
    for (uint32_t i = 0; i < FRAME_REGS; i++)
        t->frame.reg[i] = i < n ? arg[i] : 0;
    for (uint32_t i = 0; i < FRAME_OTHER; i++)
        if (t->frame.other[i] == 0)
            t->frame.other[i] = host_mark(t);
}

/* One entry into the kernel by `t`; true when the call has to be made again. */
static bool enter(struct tcb *t, uint64_t serial)
{
    uint64_t ip = t->frame.ip;

    t->frame.ip += FRAME_CALL_BYTES;
    after_event(kernel_syscall(t));
    deliver_interrupt();
    return is_same_thread(t, serial) && t->state == TCB_READY && t->frame.ip == ip;
}

uint64_t host_call(struct tcb *t, uint64_t deadline, uint64_t number, const uint64_t *arg,
                   uint32_t n)
{
    uint64_t serial = t->serial, ip;

    make_current(t);
    load_arguments(t, deadline, number, arg, n);
    ip = t->frame.ip;
    snapshot_take();
    while (enter(t, serial)) {
        host.rewinds++;
        if (host.between != nullptr)
            host.between();
        if (!is_same_thread(t, serial))
            return HOST_ENDED;
        if (t->frame.ip != ip) /* it was made for it */
            break;
        make_current(t);
        snapshot_take();
    }
    if (!is_same_thread(t, serial))
        return HOST_ENDED;
    if (t->state != TCB_READY)
        return HOST_BLOCKED;
    if (t->frame.error != KOZO_OK && host.fails != nullptr)
        host.fails();
    if (t->frame.error != KOZO_OK)
        check_unchanged(t, number);
    return t->frame.error;
}

void host_preempt(uint64_t at, uint64_t every)
{
    machine.irq_checks = 0;
    machine.irq_at = at;
    machine.irq_every = every;
}

uint64_t host_after_preempt(uint64_t error)
{
    host_preempt(0, 0);
    return error;
}

void host_fault(struct tcb *t, enum kozo_fault kind, uint64_t address, uint32_t access)
{
    struct fault fault = { .kind = kind, .access = access, .address = address, .code = 4 };

    make_current(t);
    after_event(kernel_fault(t, &fault));
}

bool host_interrupt(uint32_t line)
{
    if (!machine.line_open[line])
        return false;
    after_event(kernel_interrupt(line));
    return true;
}

void host_advance(uint64_t nanoseconds)
{
    uint64_t end = machine.now + nanoseconds;

    while (machine.armed <= end) {
        machine.now = max_u64(machine.now, machine.armed);
        machine.armed = UINT64_MAX;
        after_event(kernel_tick());
    }
    machine.now = end;
}

void host_idle(void)
{
    while (pending_step()) {
    }
    host_leave();
}

void host_leave(void)
{
    after_event(kernel_leave());
}

/* ---- objects ---- */

static void carve(struct slot *dst, enum kozo_kind kind, uint32_t bits)
{
    struct slot *untyped = host_slot(SLOT_UNTYPED);
    struct untyped_plan_res r = untyped_plan(untyped, KOZO_WHAT(kind, bits), 1);

    CHECK_OK(r.err);
    CHECK(untyped_clear(untyped, r.plan.end));
    untyped_carve(untyped, &r.plan, dst);
}

void host_make(uint64_t at, enum kozo_kind kind, uint32_t bits)
{
    CHECK_OK(call(host.init, RETYPE, SLOT_UNTYPED, KOZO_WHAT(kind, bits), 0, at, 1));
}

struct endpoint *host_endpoint(void)
{
    return (struct endpoint *)host_slot(SLOT_EP)->cap.object;
}

struct notification *host_ntfn(void)
{
    return (struct notification *)host_slot(SLOT_NTFN)->cap.object;
}

/* ---- threads ---- */

static void start(struct tcb *t)
{
    arch_thread_start(t, HOST_ENTRY, STACK_TOP, 0, 0);
    tcb_resume(t);
    host_leave();
}

static struct tcb *thread_make(struct slot *dst, uint8_t priority)
{
    CHECK_OK(pool_create_thread(host_slot(SLOT_POOL), 0, priority, dst));
    return (struct tcb *)dst->cap.object;
}

static struct slot *keep(void)
{
    CHECK(slot_is_null(host_slot(host.kept)));
    return host_slot(host.kept++);
}

/* What a thread holds in its own capability space. */
static void furnish(struct slot *slots, struct slot *cnode, struct slot *thread, kozo_rights rights,
                    uint64_t badge)
{
    slot_derive(&slots[SLOT_CNODE], cnode, KOZO_RIGHTS_ALL, 0xff);
    slot_derive(&slots[SLOT_THREAD], thread, KOZO_RIGHTS_ALL, 0xff);
    slot_derive(&slots[SLOT_SPACE], host_slot(SLOT_SPACE), KOZO_RIGHTS_ALL, 0xff);
    slot_derive(&slots[SLOT_NTFN], host_slot(SLOT_NTFN), KOZO_RIGHTS_ALL, 0xff);
    slot_derive(&slots[SLOT_EP], host_slot(SLOT_EP), rights, 0xff);
    if (badge != 0) {
        slots[SLOT_EP].cap.a = badge;
        slots[SLOT_EP].cap.flags |= CAP_BADGED;
    }
    carve(&slots[SLOT_FRAME], KOZO_KIND_FRAME, KOZO_PAGE_BITS);
}

struct tcb *host_thread_at(kozo_rights rights, uint64_t badge, uint8_t priority)
{
    struct slot *thread = keep(), *cnode = keep();
    struct tcb *t = thread_make(thread, priority);

    carve(cnode, KOZO_KIND_CNODE, HOST_SPACE_BITS);
    struct slot *slots = (struct slot *)cnode->cap.object;
    furnish(slots, cnode, thread, rights, badge);
    tcb_bind(t, TCB_CSPACE, cnode, 0);
    tcb_bind(t, TCB_VSPACE, &slots[SLOT_SPACE], 0);
    tcb_bind(t, TCB_BUFFER, &slots[SLOT_FRAME], 0);
    start(t);
    return t;
}

struct tcb *host_thread(kozo_rights rights, uint64_t badge)
{
    return host_thread_at(rights, badge, HOST_PRIORITY);
}

struct tcb *host_peer(uint8_t priority)
{
    struct tcb *t = thread_make(keep(), priority);

    tcb_bind(t, TCB_CSPACE, host_slot(SLOT_CNODE), 0);
    tcb_bind(t, TCB_VSPACE, host_slot(SLOT_SPACE), 0);
    start(t);
    return t;
}

uint64_t host_thread_slot(const struct tcb *t)
{
    for (uint64_t i = SLOT_KEPT; i < host.kept; i++)
        if (host_slot(i)->cap.kind == KOZO_KIND_THREAD && host_slot(i)->cap.object == (uint64_t)t)
            return i;
    FAIL("init does not hold the thread");
}

uint64_t host_cnode_slot(const struct tcb *t)
{
    return host_thread_slot(t) + 1;
}

/* ---- the world ---- */

static void make_untyped(struct slot *dst, uint64_t base, uint32_t bits, bool device)
{
    slot_fill(dst, &kernel.root, untyped_cap((struct paddr){ base }, bits, device));
    kernel.bytes_free += 1ull << bits;
}

/* init's CNode, which then holds itself and the Untyped that it was carved from. */
static struct slot *make_root(uint64_t ram_bytes, uint32_t bits)
{
    static struct slot seed[2];
    struct slot *untyped = &seed[0], *cnode = &seed[1];

    memset(seed, 0, sizeof seed);
    make_untyped(untyped, HOST_RAM_BASE, (uint32_t)__builtin_ctzll(ram_bytes), false);
    struct untyped_plan_res r = untyped_plan(untyped, KOZO_WHAT(KOZO_KIND_CNODE, bits), 1);
    CHECK_OK(r.err);
    CHECK(untyped_clear(untyped, r.plan.end));
    untyped_carve(untyped, &r.plan, cnode);
    struct slot *slots = (struct slot *)cnode->cap.object;
    slot_move(&slots[SLOT_UNTYPED], untyped);
    slot_move(&slots[SLOT_CNODE], cnode);
    return slots;
}

static void make_boot_caps(struct slot *slots)
{
    pool_boot(&slots[SLOT_POOL]);
    make_untyped(&slots[SLOT_DEVICE], HOST_DEVICE_BASE, DEVICE_BITS, true);
    slot_fill(&slots[SLOT_IOPORT], &kernel.root,
              (struct cap){ .kind = KOZO_KIND_IO_PORT,
                            .rights = KOZO_READ | KOZO_WRITE,
                            .object = 0xffffull << 16 });
    slot_fill(&slots[SLOT_IRQ], &kernel.root,
              (struct cap){ .kind = KOZO_KIND_IRQ_CONTROL, .rights = KOZO_WRITE });
    slot_fill(&slots[SLOT_DEBUG], &kernel.root,
              (struct cap){ .kind = KOZO_KIND_DEBUG, .rights = KOZO_READ | KOZO_WRITE });
}

static void make_init(struct slot *slots)
{
    struct tcb *t;

    CHECK_OK(pool_create_thread(&slots[SLOT_POOL], 0, HOST_PRIORITY, &slots[SLOT_THREAD]));
    t = host.init = (struct tcb *)slots[SLOT_THREAD].cap.object;
    t->ceiling = 0;
    tcb_bind(t, TCB_CSPACE, &slots[SLOT_CNODE], 0);
    carve(host_slot(SLOT_SPACE), KOZO_KIND_ADDRESS_SPACE, 0);
    carve(host_slot(SLOT_EP), KOZO_KIND_ENDPOINT, 0);
    carve(host_slot(SLOT_NTFN), KOZO_KIND_NOTIFICATION, 0);
    carve(host_slot(SLOT_FRAME), KOZO_KIND_FRAME, KOZO_PAGE_BITS);
    tcb_bind(t, TCB_VSPACE, host_slot(SLOT_SPACE), 0);
    tcb_bind(t, TCB_BUFFER, host_slot(SLOT_FRAME), 0);
    start(t);
    CHECK_PTR(kernel.cpu.current, t);
}

static uint64_t space_live[(HOST_RAM_BASE + HOST_RAM_MAX) / KOZO_PAGE_SIZE / 64];
static uint64_t
    table_serial[(HOST_RAM_BASE + HOST_RAM_MAX) / KOZO_PAGE_SIZE]; /* of an earlier world */

void host_boot_sized(uint64_t ram_bytes, uint32_t root_bits)
{
    host_end();
    host_machine_reset(ram_bytes);
    memset(machine.ram, (uint8_t)HOST_POISON, POISON_BYTES);
    memset(&kernel, 0, sizeof kernel);
    memset(space_live, 0, sizeof space_live);
    host = (struct host){ .kept = SLOT_KEPT, .seed = 1 };
    kernel_init();
    kernel.space_live = space_live;
    kernel.table_serial = table_serial;
    kernel.space_pages = (HOST_RAM_BASE + ram_bytes) >> KOZO_PAGE_BITS;
    CHECK(kernel.space_pages <= 64 * ARRAY_LEN(space_live));
    struct slot *slots = make_root(ram_bytes, root_bits);
    make_boot_caps(slots);
    make_init(slots);
}

void host_boot(void)
{
    host_boot_sized(HOST_RAM_BYTES, HOST_ROOT_BITS);
}

/* Of all CNodes. */
static uint64_t world_slots(void)
{
    uint64_t slots = 0;

    for (struct entry e = kernel.root.open_next; cdt_slot(e) != &kernel.root; e = cdt_next(e)) {
        const struct slot *s = cdt_slot(e);

        if (!cdt_is_close(e) && s->cap.kind == KOZO_KIND_CNODE &&
            !cap_same_object(&cdt_slot(s->open_prev)->cap, &s->cap))
            slots += 1ull << s->cap.size_bits;
    }
    return slots;
}

void host_seldom(void)
{
    CHECK(world_slots() > HOST_SMALL_SLOTS);
    host.seldom = true;
}

void host_sampled(void)
{
    host_seldom();
    host.sampled = true;
}

/* A thread that was never used is all zero. */
static void check_unused(void)
{
    for (const struct tcb *t = &kernel.tcbs[kernel.pools.tcb_fresh];
         t < &kernel.tcbs[CONFIG_MAX_THREADS]; t++) {
        const uint64_t *word = (const uint64_t *)t;

        for (uint32_t i = 0; i < sizeof *t / sizeof *word; i++)
            if (word[i] != 0)
                FAIL("word %u of a thread that was never used is not 0", i);
    }
}

void host_end(void)
{
    if (host.init == nullptr || host.broken)
        return;
    host_check();
    check_unused();
}

void host_forget(void)
{
    host_preempt(0, 0);
    host = (struct host){};
}

/* ---- memory ---- */

bool host_can(const struct tcb *t, uint64_t address, uint8_t access)
{
    return host_access((struct paddr){ t->root }, address, access).ok;
}

uint8_t *host_byte(const struct tcb *t, uint64_t address, uint8_t access)
{
    struct host_access a = host_access((struct paddr){ t->root }, address, access);

    return a.ok ? arch_ram(a.at) : nullptr;
}

/* ---- chance ---- */

/* G. Marsaglia: Xorshift RNGs (2003), then a multiplication. */
uint64_t host_random(uint64_t limit)
{
    host.seed ^= host.seed >> 12;
    host.seed ^= host.seed << 25;
    host.seed ^= host.seed >> 27;
    return (host.seed * 0x2545f4914f6cdd1dull >> 32) % limit;
}

/* ---- the log ---- */

bool host_log_has(const char *text)
{
    return strstr(machine.log, text) != nullptr;
}

void host_log_forget(void)
{
    machine.log_used = 0;
    machine.log[0] = '\0';
}
