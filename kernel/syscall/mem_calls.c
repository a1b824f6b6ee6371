/* SPDX-License-Identifier: MIT */
#include "cap/cspace.h"
#include "mem/vspace.h"
#include "syscall/syscall.h"

static struct slot_res want_space(struct tcb *t, kozo_cptr at)
{
    return cspace_want(&t->cspace, at, KOZO_KIND_ADDRESS_SPACE, KOZO_MAP);
}

/* The Frame in a slot of any CNode: its maker unmaps what it gave without taking it back. */
static struct slot_res want_frame(struct tcb *t, kozo_cptr cnode, uint64_t index)
{
    struct slot_res r = cspace_occupied(&t->cspace, cnode, index, KOZO_WRITE);

    if (r.err != KOZO_OK)
        return r;
    if (r.slot->cap.kind != KOZO_KIND_FRAME)
        return slot_err(KOZO_ERR_KIND);
    if ((r.slot->cap.rights & KOZO_MAP) == 0)
        return slot_err(KOZO_ERR_RIGHTS);
    return r;
}

enum kozo_err sys_space_feed(struct tcb *t, const struct frame *f)
{
    struct slot_res space = want_space(t, frame_arg(f, 0)), table;

    TRY(space.err);
    table = cspace_want(&t->cspace, frame_arg(f, 1), KOZO_KIND_PAGE_TABLE, KOZO_MAP);
    TRY(table.err);
    return vspace_feed(space.slot, table.slot);
}

enum kozo_err sys_map(struct tcb *t, const struct frame *f)
{
    struct slot_res space = want_space(t, frame_arg(f, 0)), frame;

    TRY(space.err);
    frame = cspace_want(&t->cspace, frame_arg(f, 1), KOZO_KIND_FRAME, KOZO_MAP);
    TRY(frame.err);
    return vspace_map(space.slot, frame.slot, frame_arg(f, 2), frame_arg(f, 3));
}

enum kozo_err sys_unmap(struct tcb *t, const struct frame *f)
{
    struct slot_res frame = want_frame(t, frame_arg(f, 0), frame_arg(f, 1));

    TRY(frame.err);
    return vspace_unmap(frame.slot);
}

enum kozo_err sys_protect(struct tcb *t, const struct frame *f)
{
    struct slot_res frame = want_frame(t, frame_arg(f, 0), frame_arg(f, 1));

    TRY(frame.err);
    return vspace_protect(frame.slot, frame_arg(f, 2));
}
