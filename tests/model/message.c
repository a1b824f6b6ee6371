/* SPDX-License-Identifier: MIT */
/*
 * message.c - what travels in the model: ipc.md, `A message` and `Capabilities in messages`.
 */
#include "model.h"

#include <string.h>

static uint32_t extra_words(uint64_t info) { return info & 63; }
static uint32_t caps(uint64_t info) { return info >> 8 & 7; }

struct kozo_ipc_buffer *m_buffer(const struct m_thread *t)
{
    return t->binding[M_BUFFER] != nullptr ? (struct kozo_ipc_buffer *)m_ram(t->buffer) : nullptr;
}

enum kozo_err m_message_check(const struct m_thread *from, uint64_t info)
{
    const uint64_t known =
        63 | 7 << 8 | KOZO_INFO_DEADLINE | KOZO_INFO_RECV_CAPS | 0xffffffffull << 32;
    bool needs_buffer =
        extra_words(info) > 0 || caps(info) > 0 || (info & KOZO_INFO_RECV_CAPS) != 0;

    if ((info & ~known) != 0 || extra_words(info) > 56 || caps(info) > 3)
        return KOZO_ERR_ARGUMENT;
    return needs_buffer && m_buffer(from) == nullptr ? KOZO_ERR_BUFFER : KOZO_OK;
}

/* Where capability `i` goes: an empty slot of the receiver's window; its error says if there is
 * none. */
static struct m_look window(const struct m_thread *to, uint32_t i)
{
    const struct kozo_ipc_buffer *b = m_buffer(to);

    if ((to->regs.reg[1] & KOZO_INFO_RECV_CAPS) == 0 || b == nullptr || i >= b->recv_count)
        return (struct m_look){ .err = KOZO_ERR_ADDRESS };
    return m_empty(to, 0, (uint64_t)b->recv_slot + i, 1);
}

static bool transfer(struct m_thread *from, struct kozo_cap_desc desc, struct m_look dst)
{
    bool move = (desc.flags & KOZO_CAP_MOVE) != 0, badge = (desc.flags & KOZO_CAP_BADGE) != 0;
    struct m_look src = m_occupied(from, 0, desc.slot, move ? KOZO_WRITE : KOZO_READ);
    struct m_cap *copy;

    if (src.err != KOZO_OK || dst.err != KOZO_OK || (move && badge))
        return false;
    if (move) {
        m_cap_move(src.cap, dst.cnode, dst.index);
        return true;
    }
    if (m_is_unique(src.cap->kind) || (badge && (src.cap->badged || !m_has_badge(src.cap->kind))))
        return false;
    copy = m_cap_copy(src.cap, desc.rights, desc.user_rights);
    if (badge) {
        copy->badged = true;
        copy->badge = desc.badge;
    }
    m_cap_put(copy, src.cap, M_SLOT, dst.cnode, dst.index);
    return true;
}

/* Returns how many arrived. */
static uint32_t transfer_all(struct m_thread *from, struct m_thread *to, uint32_t n,
                             kozo_rights through)
{
    struct kozo_ipc_buffer *sender = m_buffer(from), *receiver = m_buffer(to);
    uint32_t arrived = 0, which = 0;

    for (uint32_t i = 0; i < n && sender != nullptr && (through & KOZO_GRANT) != 0; i++)
        if (transfer(from, sender->cap[i], window(to, i))) {
            arrived++;
            which |= 1u << i;
        }
    if (sender != nullptr)
        sender->sent = (uint8_t)arrived;
    if (receiver != nullptr)
        receiver->received = (uint8_t)which;
    return arrived;
}

uint64_t m_message_move(struct m_thread *from, struct m_thread *to, kozo_rights through)
{
    uint64_t sent = from->regs.reg[1], info = sent >> 32 << 32;
    struct kozo_ipc_buffer *sender = m_buffer(from), *receiver = m_buffer(to);
    uint32_t words = extra_words(sent), n = caps(sent), arrived;

    for (uint32_t i = 0; i < KOZO_MSG_REGS; i++)
        to->regs.reg[2 + i] = from->regs.reg[2 + i];
    if (words > 0 && sender != nullptr && receiver != nullptr) {
        for (uint32_t i = 0; i < words; i++)
            receiver->word[i] = sender->word[i];
        info |= words;
    } else if (words > 0) {
        info |= KOZO_INFO_DROPPED;
    }
    if (n > 0) {
        arrived = transfer_all(from, to, n, through);
        info |= (uint64_t)arrived << KOZO_INFO_CAPS_SHIFT;
        if (arrived < n)
            info |= KOZO_INFO_DROPPED;
    }
    return info;
}

void m_message_fail(struct m_thread *t, enum kozo_err err)
{
    memset(t->regs.reg, 0, sizeof t->regs.reg);
    t->regs.rax = err;
    t->lost = false;
}

uint64_t m_take_notice(struct m_thread *t)
{
    bool lost = t->lost;

    t->lost = false;
    return lost ? KOZO_INFO_REPLY_LOST : 0;
}
