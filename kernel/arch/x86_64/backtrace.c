/* SPDX-License-Identifier: MIT */
#include "backtrace.h"

#include "base/log.h"
#include "names.h"
#include "stacks.h"

#define FRAMES_MOST 40u
#define WORDS_MOST 16u

static uint64_t word_at(uint64_t at) { return *(const volatile uint64_t *)at; }

/*
 * Where the frames cannot be followed: words on the stack that could be return addresses, also some
 * that are old.
 */
static void scan(uint64_t sp)
{
    uint32_t shown = 0;

    for (sp = align_up(sp, 8); shown < WORDS_MOST && x86_stack_find(sp, false) != nullptr;
         sp += 8) {
        struct x86_name name;

        if (!x86_name_find(word_at(sp) - 1, &name))
            continue;
        if (shown++ == 0)
            klog("  the rest may be old:");
        klog("  #? 0x%016lx %s+0x%x", word_at(sp), name.text, name.offset + 1);
    }
}

/* The stack pointer can be anything: begin where the stack it belongs to begins. */
static void scan_lost(uint64_t sp)
{
    const struct x86_stack *s = x86_stack_find(sp, true);

    if (s != nullptr)
        scan(max_u64(sp, x86_stack_base(s)));
    else
        scan(x86_stack_base(&x86_stacks[0]) + arch_stack_free(KOZO_STAT_STACK_KERNEL));
}

/* A return address can be behind the function's last instruction: its call is one before. */
void x86_backtrace(uint64_t ip, uint64_t sp, uint32_t skip)
{
    klog("backtrace:");
    for (uint32_t n = 0; n < FRAMES_MOST + skip; n++) {
        uint32_t back = n == 0 ? 0 : 1;
        struct x86_name name;
        uint64_t up;

        if (!x86_name_find(ip - back, &name)) {
            klog("  #%u 0x%016lx is no code of the kernel's", n < skip ? 0 : n - skip, ip);
            name.words = n == 0 ? 1 : 0; /* jumped there: nothing was pushed since */
        } else if (n >= skip) {
            klog("  #%u 0x%016lx %s+0x%x", n - skip, ip, name.text, name.offset + back);
        }
        up = sp + name.words * 8ull;
        if (name.words == 0 || !is_aligned(sp, 8) || x86_stack_find(up - 8, false) == nullptr) {
            scan_lost(sp);
            return;
        }
        ip = word_at(up - 8);
        sp = up;
    }
    klog("  and more");
}
