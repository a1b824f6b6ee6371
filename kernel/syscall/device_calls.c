/* SPDX-License-Identifier: MIT */
#include "base/log.h"
#include "cap/cspace.h"
#include "cap/object.h"
#include "cap/pending.h"
#include "irq/irq.h"
#include "kernel.h"
#include "syscall/syscall.h"

static struct slot_res want_handler(struct tcb *t, kozo_cptr at)
{
    return cspace_want(&t->cspace, at, KOZO_KIND_IRQ_HANDLER, KOZO_WRITE);
}

enum kozo_err sys_irq_claim(struct tcb *t, const struct frame *f)
{
    struct slot_res control, dst;

    pending_steps(1);
    control = cspace_want(&t->cspace, frame_arg(f, 0), KOZO_KIND_IRQ_CONTROL, KOZO_WRITE);
    TRY(control.err);
    dst = cspace_empty(&t->cspace, frame_arg(f, 2), frame_arg(f, 3));
    TRY(dst.err);
    REQUIRE(frame_arg(f, 1) < ARCH_IRQ_LINES, KOZO_ERR_ARGUMENT);
    return irq_claim(control.slot, (uint32_t)frame_arg(f, 1), dst.slot);
}

enum kozo_err sys_irq_bind(struct tcb *t, const struct frame *f)
{
    struct slot_res handler, n = slot_ok(nullptr);

    pending_steps(1);
    handler = want_handler(t, frame_arg(f, 0));
    TRY(handler.err);
    if (frame_arg(f, 1) != 0)
        n = cspace_want(&t->cspace, frame_arg(f, 1), KOZO_KIND_NOTIFICATION, KOZO_WRITE);
    TRY(n.err);
    /* ---- commit ---- */
    irq_bind((uint32_t)handler.slot->cap.object, n.slot, frame_arg(f, 2));
    return KOZO_OK;
}

enum kozo_err sys_irq_ack(struct tcb *t, const struct frame *f)
{
    struct slot_res handler = want_handler(t, frame_arg(f, 0));

    TRY(handler.err);
    return irq_ack((uint32_t)handler.slot->cap.object);
}

/* An IoPort's object is first | last << 16. */
static uint64_t port_first(const struct cap *c) { return c->object & 0xffff; }
static uint64_t port_last(const struct cap *c) { return c->object >> 16; }

/*
 * COM1. A capability to just these is a driver's: the kernel stops to write there as long as there
 * is one.
 */
#define CONSOLE_FIRST 0x3f8u
#define CONSOLE_LAST 0x3ffu

enum kozo_err sys_ioport_mint(struct tcb *t, const struct frame *f)
{
    uint64_t first = frame_arg(f, 1), last = frame_arg(f, 2);
    struct slot_res src, dst;

    pending_steps(1);
    src = cspace_want(&t->cspace, frame_arg(f, 0), KOZO_KIND_IO_PORT, 0);
    TRY(src.err);
    dst = cspace_empty(&t->cspace, frame_arg(f, 3), frame_arg(f, 4));
    TRY(dst.err);
    REQUIRE(first <= last && first >= port_first(&src.slot->cap) &&
                last <= port_last(&src.slot->cap),
            KOZO_ERR_ARGUMENT);
    /* ---- commit ---- */
    slot_fill(dst.slot, src.slot,
              (struct cap){
                  .kind = KOZO_KIND_IO_PORT,
                  .rights = src.slot->cap.rights,
                  .flags = first == CONSOLE_FIRST && last == CONSOLE_LAST ? CAP_CONSOLE : 0,
                  .object = first | last << 16,
              });
    return KOZO_OK;
}

/* Interrupt controllers and timer are the kernel's, whatever the range of a capability. */
static bool port_is_kernels(uint64_t port)
{
    return (port >= 0x20 && port <= 0x21) || (port >= 0xa0 && port <= 0xa1) ||
           (port >= 0x40 && port <= 0x43);
}

static enum kozo_err check_port(const struct cap *c, uint64_t port, uint64_t width)
{
    REQUIRE(width == 1 || width == 2 || width == 4, KOZO_ERR_ARGUMENT);
    REQUIRE(port >= port_first(c) && port <= port_last(c) && width - 1 <= port_last(c) - port,
            KOZO_ERR_ARGUMENT);
    for (uint64_t i = 0; i < width; i++)
        REQUIRE(!port_is_kernels(port + i), KOZO_ERR_ARGUMENT);
    return KOZO_OK;
}

enum kozo_err sys_ioport_in(struct tcb *t, const struct frame *f)
{
    struct slot_res r = cspace_want(&t->cspace, frame_arg(f, 0), KOZO_KIND_IO_PORT, KOZO_READ);

    TRY(r.err);
    TRY(check_port(&r.slot->cap, frame_arg(f, 1), frame_arg(f, 2)));
    /* ---- commit ---- */
    return sys_result(t, arch_port_in((uint16_t)frame_arg(f, 1), (uint32_t)frame_arg(f, 2)), 0, 0);
}

enum kozo_err sys_ioport_out(struct tcb *t, const struct frame *f)
{
    struct slot_res r = cspace_want(&t->cspace, frame_arg(f, 0), KOZO_KIND_IO_PORT, KOZO_WRITE);

    TRY(r.err);
    TRY(check_port(&r.slot->cap, frame_arg(f, 1), frame_arg(f, 2)));
    /* ---- commit ---- */
    arch_port_out((uint16_t)frame_arg(f, 1), (uint32_t)frame_arg(f, 2), (uint32_t)frame_arg(f, 3));
    return KOZO_OK;
}

static struct slot_res want_debug(struct tcb *t, kozo_cptr at, kozo_rights need)
{
    return cspace_want(&t->cspace, at, KOZO_KIND_DEBUG, need);
}

/* At most the words of an IPC buffer. */
enum kozo_err sys_debug_write(struct tcb *t, const struct frame *f)
{
    struct slot_res r = want_debug(t, frame_arg(f, 0), KOZO_WRITE);

    TRY(r.err);
    REQUIRE(frame_arg(f, 1) <= sizeof t->buffer->word, KOZO_ERR_ARGUMENT);
    REQUIRE(t->buffer != nullptr, KOZO_ERR_BUFFER);
    /* ---- commit ---- */
    klog_bytes((const char *)t->buffer->word, frame_arg(f, 1));
    return KOZO_OK;
}

/* `next` is where to read on; `lost` characters were overwritten before they were read. */
enum kozo_err sys_debug_log(struct tcb *t, const struct frame *f)
{
    struct slot_res r = want_debug(t, frame_arg(f, 0), KOZO_READ);
    uint64_t at = frame_arg(f, 1), bytes;

    TRY(r.err);
    REQUIRE(t->buffer != nullptr, KOZO_ERR_BUFFER);
    /* ---- commit ---- */
    bytes = log_read(&at, (char *)t->buffer->word, sizeof t->buffer->word);
    return sys_result(t, at, bytes, max_u64(at - bytes, frame_arg(f, 1)) - frame_arg(f, 1));
}

enum kozo_err sys_debug_trace(struct tcb *t, const struct frame *f)
{
    struct slot_res r = want_debug(t, frame_arg(f, 0), KOZO_WRITE);

    TRY(r.err);
    REQUIRE(frame_arg(f, 1) < 1u << KOZO_TRACE_COUNT, KOZO_ERR_ARGUMENT);
    /* ---- commit ---- */
    kernel.trace.mask = frame_arg(f, 1);
    return KOZO_OK;
}

enum kozo_err sys_debug_events(struct tcb *t, const struct frame *f)
{
    struct slot_res r = want_debug(t, frame_arg(f, 0), KOZO_READ);
    uint64_t at = frame_arg(f, 1), count;

    TRY(r.err);
    REQUIRE(t->buffer != nullptr, KOZO_ERR_BUFFER);
    /* ---- commit ---- */
    count = trace_read(&at, (struct kozo_event *)t->buffer->word,
                       KOZO_EVENTS);
    return sys_result(t, at, count, max_u64(at - count, frame_arg(f, 1)) - frame_arg(f, 1));
}

/* The entries of the capabilities below `root`, from the one after `skip` others on. */
static uint64_t list_tree(struct slot *root, uint64_t skip, struct kozo_tree_entry *to)
{
    uint64_t depth = 1, seen = 0, count = 0;

    for (struct entry e = root->open_next; cdt_slot(e) != root && count < KOZO_TREE_ENTRIES;
         e = cdt_next(e)) {
        const struct slot *s = cdt_slot(e);

        if (cdt_is_close(e)) {
            depth--;
            continue;
        }
        if (seen++ >= skip)
            to[count++] = (struct kozo_tree_entry){
                .slot = trace_identity(KOZO_KIND_NULL, (uint64_t)s),
                .object = trace_identity(s->cap.kind, s->cap.object),
                .what = cap_describe(s) | min_u64(depth, 0xffff) << 48,
                .badge = kind_has_badge(s->cap.kind) ? s->cap.a : 0,
            };
        depth++;
    }
    return count;
}

/* Slot 0 stands for the sentinel above all capabilities. */
enum kozo_err sys_debug_tree(struct tcb *t, const struct frame *f)
{
    struct slot_res r = want_debug(t, frame_arg(f, 0), KOZO_READ), root = slot_ok(&kernel.root);
    uint64_t skip = frame_arg(f, 3), count;

    TRY(r.err);
    if (frame_arg(f, 2) != 0)
        root = cspace_occupied(&t->cspace, frame_arg(f, 1), frame_arg(f, 2), KOZO_READ);
    TRY(root.err);
    REQUIRE(skip <= KOZO_TREE_SKIP_MAX, KOZO_ERR_ARGUMENT);
    REQUIRE(t->buffer != nullptr, KOZO_ERR_BUFFER);
    /* ---- commit ---- */
    count = list_tree(root.slot, skip, (struct kozo_tree_entry *)t->buffer->word);
    return sys_result(t, count < KOZO_TREE_ENTRIES ? 0 : skip + count, count,
                      trace_identity(KOZO_KIND_NULL, (uint64_t)root.slot));
}

#define DUMP_SLOTS 256u

enum kozo_err sys_debug_dump(struct tcb *t, const struct frame *f)
{
    struct slot_res r = want_debug(t, frame_arg(f, 0), KOZO_READ);
    uint64_t first = frame_arg(f, 1), end;

    TRY(r.err);
    /* ---- commit ---- */
    end = first < t->cspace.size ? min_u64(t->cspace.size, first + DUMP_SLOTS) : first;
    for (uint64_t i = first; i < end; i++) {
        const struct cap *c = &t->cspace.slots[i].cap;

        if (c->kind != KOZO_KIND_NULL)
            klog("cap %lu: %s rights %x user %x size %u%s", i, name_of_kind(c->kind), c->rights,
                 c->user_rights, c->size_bits, c->flags & CAP_BADGED ? " badged" : "");
    }
    return sys_result(t, end < t->cspace.size ? end : 0, 0, 0);
}

static uint64_t stat(enum kozo_stat which)
{
    switch (which) {
    case KOZO_STAT_THREADS_FREE:
        return CONFIG_MAX_THREADS - kernel.pools.tcb_count;
    case KOZO_STAT_CAPS:
        return kernel.caps;
    case KOZO_STAT_PENDING:
        return kernel.pending.zombie_count + (kernel.pending.revoke != nullptr);
    case KOZO_STAT_BYTES_FREE:
        return kernel.bytes_free;
    case KOZO_STAT_IDLE_NS:
        return arch_cycles_to_ns(kernel.idle_tcb.cpu_cycles);
    case KOZO_STAT_BOOT_NS:
        return kernel.boot_ns;
    case KOZO_STAT_TICKS:
        return kernel.timers.ticks;
    case KOZO_STAT_STACK_KERNEL:
    case KOZO_STAT_STACK_NMI:
    case KOZO_STAT_STACK_DEBUG:
    case KOZO_STAT_STACK_DOUBLE:
    case KOZO_STAT_STACK_MACHINE:
        return arch_stack_free(which);
    default:
        return 0;
    }
}

enum kozo_err sys_debug_stat(struct tcb *t, const struct frame *f)
{
    struct slot_res r = want_debug(t, frame_arg(f, 0), KOZO_READ);

    TRY(r.err);
    REQUIRE(frame_arg(f, 1) < KOZO_STAT_COUNT, KOZO_ERR_ARGUMENT);
    /* ---- commit ---- */
    return sys_result(t, stat((enum kozo_stat)frame_arg(f, 1)), 0, 0);
}
