/* SPDX-License-Identifier: MIT */
#include "internal.h"

#include <kozo/start.h>

/*
 * This file brings init's stack along, which no other program shall carry: naming it here links init_stack.S, and crt0.S
 * finds it then.
 */
[[gnu::used]] static char *const stack_top = kozo_init_stack_top;

const struct kozo_boot_info *kozo_boot_info(void)
{
    if (kozo_head == nullptr || kozo_head->kind != KOZO_START_INIT)
        return nullptr;
    return (const struct kozo_boot_info *)kozo_head;
}
