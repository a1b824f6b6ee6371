/* SPDX-License-Identifier: MIT */
/*
 * fault.c - the model's faults and registers; faults.md.
 */
#include "model.h"

#define FLAGS_USER 0x0cd5ull /* of the machine in a test: kernel/arch/host/frame.h */
#define FLAGS_FIXED 0x0202ull

void m_fault_stop(struct m_thread *t)
{
    m_unready(t);
    t->state = KOZO_THREAD_FAULTED;
    m_drop_caller(t);
}

static void tell_handler(struct m_thread *t)
{
    const struct m_cap *handler = t->binding[M_FAULT];

    if (handler == nullptr) {
        m_fault_stop(t);
        return;
    }
    t->badge = handler->badge;
    t->user = handler->user;
    t->rights = 0;
    m_send(t, handler->object);
}

void m_fault_raise(struct m_thread *t, struct m_fault fault)
{
    bool answers = t->owes != nullptr && m_is_faulting(t->owes);

    t->fault = fault;
    t->message = M_FAULTS;
    tell_handler(t);
    if (answers)
        m_steps(1);
}

/* In the order of enum kozo_reg. */
void m_regs_get(const struct m_thread *t, uint64_t *word)
{
    const struct m_regs *r = &t->regs;

    word[KOZO_REG_RAX] = r->rax;
    word[KOZO_REG_RBX] = r->rbx;
    word[KOZO_REG_RCX] = r->other[1];
    word[KOZO_REG_RDX] = r->reg[2];
    word[KOZO_REG_RSI] = r->reg[1];
    word[KOZO_REG_RDI] = r->reg[0];
    word[KOZO_REG_RBP] = r->other[0];
    word[KOZO_REG_R8] = r->reg[4];
    word[KOZO_REG_R9] = r->reg[5];
    word[KOZO_REG_R10] = r->reg[3];
    word[KOZO_REG_R11] = r->other[2];
    for (uint32_t i = 0; i < 4; i++)
        word[KOZO_REG_R12 + i] = r->reg[6 + i];
    word[KOZO_REG_FS_BASE] = t->fs_base;
}

/* The first `n` registers of the same list, FS base aside. */
static void regs_load(struct m_regs *r, const uint64_t *word, uint32_t n)
{
    uint64_t *const at[KOZO_REG_FS_BASE] = {
        &r->rax,      &r->rbx,      &r->other[1], &r->reg[2], &r->reg[1],
        &r->reg[0],   &r->other[0], &r->reg[4],   &r->reg[5], &r->reg[3],
        &r->other[2], &r->reg[6],   &r->reg[7],   &r->reg[8], &r->reg[9],
    };

    for (uint32_t i = 0; i < n && i < KOZO_REG_FS_BASE; i++)
        *at[i] = word[i];
}

void m_regs_start(struct m_thread *t, uint64_t ip, uint64_t sp, uint64_t arg0, uint64_t arg1)
{
    t->regs = (struct m_regs){ .reg = { arg0, arg1 }, .ip = ip, .sp = sp, .flags = FLAGS_FIXED };
}

uint64_t m_fault_message(struct m_thread *from, struct m_thread *to)
{
    const uint64_t words[KOZO_MSG_REGS] = {
        from->fault.kind, from->fault.address, from->regs.ip,      from->regs.sp,
        from->regs.flags, from->fault.code,    from->fault.access, from->serial,
    };
    struct kozo_ipc_buffer *b = m_buffer(to);

    for (uint32_t i = 0; i < KOZO_MSG_REGS; i++)
        to->regs.reg[2 + i] = words[i];
    if (b == nullptr)
        return KOZO_INFO_FAULT | KOZO_INFO_DROPPED;
    m_regs_get(from, b->word);
    return KOZO_INFO_FAULT | KOZO_REG_COUNT;
}

void m_fault_reply(struct m_thread *handler, struct m_thread *t)
{
    const struct m_regs *r = &handler->regs;
    const struct kozo_ipc_buffer *b = m_buffer(handler);
    uint64_t label = r->reg[1] >> KOZO_INFO_LABEL_SHIFT;

    m_reply_cut(t);
    if (t->fault.kind == KOZO_FAULT_EXIT ||
        (label != KOZO_FAULT_RESUME && label != KOZO_FAULT_LOAD)) {
        m_fault_stop(t);
        return;
    }
    if (label == KOZO_FAULT_LOAD) {
        regs_load(&t->regs, b != nullptr ? b->word : nullptr,
                  b != nullptr ? r->reg[1] & KOZO_INFO_EXTRA_MASK : 0);
        t->regs.ip = r->reg[4] < KOZO_USER_END ? r->reg[4] : KOZO_USER_END;
        t->regs.sp = r->reg[5];
        t->regs.flags = (r->reg[6] & FLAGS_USER) | FLAGS_FIXED;
    }
    t->fault = (struct m_fault){};
    m_hand_to(t);
}
