/* SPDX-License-Identifier: MIT */
/*
 * doomed - a first program that comes to the end its command line names: doom=HOW
 *
 * It is no test program of its own: tests/smoke/test_boot.py sees what the kernel makes of it.
 */
#include <kozo/print.h>
#include <kozo/start.h>
#include <kozo/string.h>
#include <kozo/syscall.h>

static volatile uint64_t *volatile nowhere = (uint64_t *)0x123456789000;
static const uint64_t constant = 1;

static void exit_with_code(void)
{
    kozo_exit(42);
}

static void touch_nothing(void)
{
    *nowhere = 1;
}

static void touch_kernel(void)
{
    nowhere = (uint64_t *)0xffffffff80100000;
    *nowhere = 1;
}

static void write_constant(void)
{
    *(volatile uint64_t *)(uint64_t)&constant = 2;
}

static void trap(void)
{
    __asm__ volatile("ud2");
}

[[gnu::noinline]] static uint64_t dig(uint64_t depth)
{
    volatile uint64_t here[64] = { depth };

    return here[0] == 0 ? 0 : dig(depth - 1) + here[depth % 64];
}

static void overflow_stack(void)
{
    nowhere = (uint64_t *)dig(1'000'000);
}

/* The end of the only thread there is, by its own hand. */
static void delete_thread(void)
{
    (void)kozo_cap_delete(kozo_own(KOZO_INIT_THREAD));
}

static void revoke_space(void)
{
    (void)kozo_cap_revoke(kozo_own(KOZO_INIT_SPACE));
}

static void suspend(void)
{
    (void)kozo_thread_suspend(kozo_own_thread());
}

static const struct {
    const char *name;
    void (*come)(void);
} ends[] = {
    { "exit", exit_with_code },     { "page", touch_nothing }, { "kernel", touch_kernel },
    { "constant", write_constant }, { "opcode", trap },        { "stack", overflow_stack },
    { "delete", delete_thread },    { "space", revoke_space }, { "suspend", suspend },
};

int main([[maybe_unused]] int argc, [[maybe_unused]] char **argv)
{
    const char *how = strstr(kozo_boot_info()->cmdline, "doom=");

    kozo_printf("doomed\n");
    for (unsigned i = 0; how != nullptr && i < sizeof(ends) / sizeof(ends[0]); i++)
        if (strcmp(how + 5, ends[i].name) == 0)
            ends[i].come();
    kozo_printf("still there\n");
    return 0;
}
