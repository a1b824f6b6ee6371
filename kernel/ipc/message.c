/* SPDX-License-Identifier: MIT */
#include "ipc/message.h"

#include "cap/cspace.h"
#include "cap/object.h"

#include <string.h>

static uint32_t info_extra(uint64_t info) { return (uint32_t)(info & KOZO_INFO_EXTRA_MASK); }
static uint32_t info_caps(uint64_t info)
{
    return (uint32_t)((info & KOZO_INFO_CAPS_MASK) >> KOZO_INFO_CAPS_SHIFT);
}

enum kozo_err message_check(const struct tcb *from, uint64_t info)
{
    if ((uint32_t)info == 0) /* a label and eight words */
        return KOZO_OK;
    REQUIRE((info & KOZO_INFO_RESERVED) == 0, KOZO_ERR_ARGUMENT);
    REQUIRE(info_extra(info) <= KOZO_MSG_EXTRA && info_caps(info) <= KOZO_MSG_CAPS,
            KOZO_ERR_ARGUMENT);
    if (info_extra(info) != 0 || info_caps(info) != 0 || (info & KOZO_INFO_RECV_CAPS) != 0)
        REQUIRE(from->buffer != nullptr, KOZO_ERR_BUFFER);
    return KOZO_OK;
}

/* The slot in `to`'s receive window for capability `i`; null when there is none that is empty. */
static struct slot *window_slot(struct tcb *to, uint32_t i)
{
    uint32_t first, count;
    struct slot_res r;

    if ((frame_info(&to->frame) & KOZO_INFO_RECV_CAPS) == 0 || to->buffer == nullptr)
        return nullptr;
    first = to->buffer->recv_slot;
    count = to->buffer->recv_count;
    if (i >= count)
        return nullptr;
    r = cspace_empty(&to->cspace, 0, (uint64_t)first + i);
    return r.err == KOZO_OK ? r.slot : nullptr;
}

/* Move or derive what `desc` says into `dst`; false when it cannot go. */
static bool move_cap(struct tcb *from, struct kozo_cap_desc desc, struct slot *dst)
{
    bool move = (desc.flags & KOZO_CAP_MOVE) != 0, badge = (desc.flags & KOZO_CAP_BADGE) != 0;
    struct slot_res src =
        cspace_occupied(&from->cspace, 0, desc.slot, move ? KOZO_WRITE : KOZO_READ);

    if (src.err != KOZO_OK || (move && badge))
        return false;
    if (move) {
        slot_move(dst, src.slot);
        return true;
    }
    if (kind_is_unique(src.slot->cap.kind))
        return false;
    if (badge && (!kind_has_badge(src.slot->cap.kind) || (src.slot->cap.flags & CAP_BADGED) != 0))
        return false;
    if (badge)
        slot_mint(dst, src.slot, desc.rights, desc.user_rights, desc.badge);
    else
        slot_derive(dst, src.slot, desc.rights, desc.user_rights);
    return true;
}

/* Returns how many went. */
static uint32_t move_caps(struct tcb *from, struct tcb *to, uint32_t caps, kozo_rights through)
{
    uint32_t moved = 0;
    uint8_t received = 0;

    for (uint32_t i = 0; i < caps && (through & KOZO_GRANT) != 0 && from->buffer != nullptr; i++) {
        struct kozo_cap_desc desc = from->buffer->cap[i];
        struct slot *dst = window_slot(to, i);

        if (dst != nullptr && move_cap(from, desc, dst)) {
            slot_trace(KOZO_TRACE_GRANTED, dst);
            moved++;
            received |= (uint8_t)(1u << i);
        }
    }
    if (from->buffer != nullptr)
        from->buffer->sent = (uint8_t)moved;
    if (to->buffer != nullptr)
        to->buffer->received = received;
    return moved;
}

uint64_t message_move(struct tcb *from, struct tcb *to, kozo_rights through)
{
    uint64_t sent = frame_info(&from->frame);
    uint32_t extra = info_extra(sent), caps = info_caps(sent), moved = 0;
    uint64_t info = sent & (~0ull << KOZO_INFO_LABEL_SHIFT);

    frame_copy_words(&to->frame, &from->frame);
    if (extra != 0) {
        if (from->buffer != nullptr && to->buffer != nullptr) {
            memcpy(to->buffer->word, from->buffer->word, extra * sizeof(uint64_t));
            info |= extra;
        } else {
            info |= KOZO_INFO_DROPPED;
        }
    }
    if (caps != 0) {
        moved = move_caps(from, to, caps, through);
        info |= (uint64_t)moved << KOZO_INFO_CAPS_SHIFT;
        if (moved != caps)
            info |= KOZO_INFO_DROPPED;
    }
    return info;
}

void message_fail(struct tcb *t, enum kozo_err err)
{
    static const uint64_t nothing[KOZO_MSG_REGS];

    frame_set_badge_info(&t->frame, 0, 0);
    frame_set_words(&t->frame, nothing);
    frame_set_error(&t->frame, err);
    t->slow &= (uint8_t)~TCB_SLOW_LOST;
}

uint64_t message_take_notice(struct tcb *to)
{
    bool lost = (to->slow & TCB_SLOW_LOST) != 0;

    to->slow &= (uint8_t)~TCB_SLOW_LOST;
    return lost ? KOZO_INFO_REPLY_LOST : 0;
}
