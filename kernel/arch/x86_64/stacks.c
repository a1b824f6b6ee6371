/* SPDX-License-Identifier: MIT */
#include "stacks.h"

#define AT(stat) ((stat) - KOZO_STAT_STACK_KERNEL)

const struct x86_stack x86_stacks[X86_STACKS] = {
    [AT(KOZO_STAT_STACK_KERNEL)] = { x86_guard_cpu, x86_stack_cpu, "kernel" },
    [AT(KOZO_STAT_STACK_NMI)] = { x86_guard_nmi, x86_stack_nmi, "NMI" },
    [AT(KOZO_STAT_STACK_DEBUG)] = { x86_guard_debug, x86_stack_debug, "debug" },
    [AT(KOZO_STAT_STACK_DOUBLE)] = { x86_guard_double, x86_stack_double, "double-fault" },
    [AT(KOZO_STAT_STACK_MACHINE)] = { x86_guard_machine, x86_stack_machine, "machine-check" },
};

const struct x86_stack *x86_stack_find(uint64_t at, bool guard)
{
    for (uint32_t i = 0; i < X86_STACKS; i++) {
        const struct x86_stack *s = &x86_stacks[i];

        if (at >= (guard ? (uint64_t)s->guard : x86_stack_base(s)) && at <= (uint64_t)s->end - 8)
            return s;
    }
    return nullptr;
}

uint64_t arch_stack_free(enum kozo_stat which)
{
    const struct x86_stack *s = &x86_stacks[AT(which)];
    uint64_t at = x86_stack_base(s);

    while (at < (uint64_t)s->end && *(const volatile uint64_t *)at == X86_STACK_PAINT)
        at += 8;
    return at - x86_stack_base(s);
}
