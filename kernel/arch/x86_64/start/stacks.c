/* SPDX-License-Identifier: MIT */
#include "start.h"

#include "stacks.h"

/* Below the stack pointer: more than this function and what it calls use. */
#define IN_USE 256u

void stacks_paint(void)
{
    uint64_t here;

    __asm__ volatile("movq %%rsp, %0" : "=r"(here));
    for (uint32_t i = 0; i < X86_STACKS; i++) {
        uint64_t at = x86_stack_base(&x86_stacks[i]), end = (uint64_t)x86_stacks[i].end;

        if (here >= at && here < end)
            end = here - IN_USE;
        for (; at < end; at += 8)
            *(volatile uint64_t *)at = X86_STACK_PAINT;
    }
}
