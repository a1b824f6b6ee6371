/* SPDX-License-Identifier: MIT */
/*
 * thread.c - registers of threads: fresh, switched, read and loaded.
 */
#include "machine.h"

#include "sched/tcb.h"

void arch_thread_start(struct tcb *t, uint64_t ip, uint64_t sp, uint64_t arg0, uint64_t arg1)
{
    t->frame =
        (struct frame){ .reg = { arg0, arg1 }, .ip = ip, .sp = sp, .flags = FRAME_FLAGS_FIXED };
}

void arch_fpu_init(struct arch_fpu *fpu)
{
    *fpu = (struct arch_fpu){ .control = HOST_FPU_CLEAN };
}

void arch_thread_switch(struct tcb *from, struct tcb *to)
{
    if (from->flags & KOZO_THREAD_FPU)
        from->fpu = machine.fpu;
    if (to->flags & KOZO_THREAD_FPU)
        machine.fpu = to->fpu;
    machine.fs_base = to->fs_base;
    machine.root.v = to->root;
}

void arch_fs_base_set(struct tcb *t)
{
    machine.fs_base = t->fs_base;
}

void frame_get_regs(const struct frame *f, uint64_t regs[KOZO_REG_FS_BASE])
{
    const uint64_t values[KOZO_REG_FS_BASE] = {
        [KOZO_REG_RAX] = f->number,  [KOZO_REG_RBX] = f->deadline, [KOZO_REG_RCX] = f->other[1],
        [KOZO_REG_RDX] = f->reg[2],  [KOZO_REG_RSI] = f->reg[1],   [KOZO_REG_RDI] = f->reg[0],
        [KOZO_REG_RBP] = f->other[0], [KOZO_REG_R8] = f->reg[4],   [KOZO_REG_R9] = f->reg[5],
        [KOZO_REG_R10] = f->reg[3],  [KOZO_REG_R11] = f->other[2], [KOZO_REG_R12] = f->reg[6],
        [KOZO_REG_R13] = f->reg[7],  [KOZO_REG_R14] = f->reg[8],   [KOZO_REG_R15] = f->reg[9],
    };

    for (uint32_t i = 0; i < KOZO_REG_FS_BASE; i++)
        regs[i] = values[i];
}

void frame_load(struct frame *f, uint64_t ip, uint64_t sp, uint64_t flags, const uint64_t *regs,
                uint32_t n)
{
    uint64_t *const place[KOZO_REG_FS_BASE] = {
        [KOZO_REG_RAX] = &f->number,  [KOZO_REG_RBX] = &f->deadline, [KOZO_REG_RCX] = &f->other[1],
        [KOZO_REG_RDX] = &f->reg[2],  [KOZO_REG_RSI] = &f->reg[1],   [KOZO_REG_RDI] = &f->reg[0],
        [KOZO_REG_RBP] = &f->other[0], [KOZO_REG_R8] = &f->reg[4],   [KOZO_REG_R9] = &f->reg[5],
        [KOZO_REG_R10] = &f->reg[3],  [KOZO_REG_R11] = &f->other[2], [KOZO_REG_R12] = &f->reg[6],
        [KOZO_REG_R13] = &f->reg[7],  [KOZO_REG_R14] = &f->reg[8],   [KOZO_REG_R15] = &f->reg[9],
    };

    for (uint32_t i = 0; i < n && i < KOZO_REG_FS_BASE; i++)
        *place[i] = regs[i];
    /* an address that is not the user's faults at the first that is not */
    f->ip = min_u64(ip, KOZO_USER_END);
    f->sp = sp;
    f->flags = (flags & FRAME_FLAGS_USER) | FRAME_FLAGS_FIXED;
}
