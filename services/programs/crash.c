/* SPDX-License-Identifier: MIT */
/* crash - ends by a fault of the kind named, to see what becomes of it. */
#include "programs/program.h"

#include <kozo/start.h>
#include <kozo/string.h>

static const char constant[] = "read-only";
static uint8_t data[16] = { 0xc3 };

static void read_null(void) { (void)*(volatile uint64_t *)(uintptr_t)8; }

static void write_constant(void) { *(volatile char *)(uintptr_t)constant = 'x'; }

static void jump_to_data(void) { __asm__ volatile("call *%0" : : "r"(data) : "memory"); }

/* Ends only where the stack does. */
[[gnu::noinline]] static uint64_t deeper(uint64_t depth)
{
    volatile uint64_t here[64] = { depth };

    return depth == UINT64_MAX ? 0 : deeper(depth + 1) + here[0];
}

static void overflow_stack(void) { (void)deeper(0); }

static void divide(void)
{
    __asm__ volatile("xorl %%ecx, %%ecx\n\tdivl %%ecx" : : : "eax", "ecx", "edx", "cc");
}

static void debug(void)
{
    __asm__ volatile("pushfq\n\torq $0x100, (%%rsp)\n\tpopfq\n\tnop" : : : "cc", "memory");
}

static void breakpoint(void) { __asm__ volatile("int3"); }

static void overflow(void) { __asm__ volatile("int $4"); }

static void opcode(void) { __asm__ volatile("ud2"); }

static void no_fpu(void) { __asm__ volatile("fninit"); }

static void protection(void) { __asm__ volatile("hlt"); }

static void unknown_call(void)
{
    __asm__ volatile("syscall" : : "a"(100) : "rcx", "r11", "memory");
}

static const struct {
    const char *name;
    void (*run)(void);
} kinds[] = {
    { "page", read_null },         { "write", write_constant },  { "jump", jump_to_data },
    { "overrun", overflow_stack }, { "divide", divide },         { "debug", debug },
    { "breakpoint", breakpoint },  { "overflow", overflow },     { "opcode", opcode },
    { "no-fpu", no_fpu },          { "protection", protection }, { "syscall", unknown_call },
};

int main(int argc, char **argv)
{
    uint64_t status;

    program_begin("crash KIND, or crash exit STATUS; KIND is page (a null pointer), write (to a "
                  "constant), jump (to data), overrun (of the stack), divide, debug, breakpoint, "
                  "overflow, opcode, no-fpu, protection or syscall");
    if (argc == 3 && strcmp(argv[1], "exit") == 0 &&
        kozo_parse_u64(argv[2], strlen(argv[2]), &status) && status <= INT32_MAX)
        return program_end((int)status);
    for (unsigned i = 0; argc == 2 && i < sizeof kinds / sizeof kinds[0]; i++) {
        if (strcmp(argv[1], kinds[i].name) != 0)
            continue;
        kinds[i].run();
        return program_end(program_fail(argv[1], "it did not fault"));
    }
    return program_end(program_usage());
}
