/* SPDX-License-Identifier: MIT */
/*
 * machine.c - memory, time, interrupts, console and ports of the machine in a test.
 *
 * Owns:      `machine`, but for its TLB (tlb.c).
 */
#define _DEFAULT_SOURCE
#include "machine.h"

#include "base/log.h"
#include "kernel.h"
#include <string.h>
#include <sys/mman.h>

struct host_machine machine;

/* ---- the whole ---- */

/* The lower half of none of its addresses is a small number: as words they are no user's slots. */
static void *const ram_hint = (void *)0x5a5a40000000;

/* Memory at an address aligned like its physical one: to 1 GiB, more than any object asks for. */
static uint8_t *ram_map(uint64_t bytes)
{
    size_t span = bytes + HOST_RAM_BASE;
    uint8_t *p = mmap(ram_hint, span, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    kassert(p != MAP_FAILED);
    uint8_t *ram = (uint8_t *)align_up((uintptr_t)p, HOST_RAM_BASE);
    munmap(p, (size_t)(ram - p)); /* nothing, where the length is 0 */
    munmap(ram + bytes, span - bytes - (size_t)(ram - p));
    return ram;
}

static void ram_reset(uint8_t *ram, uint64_t old_bytes, uint64_t bytes)
{
    if (ram != nullptr && old_bytes == bytes) {
        madvise(ram, bytes, MADV_DONTNEED);
    } else {
        if (ram != nullptr)
            munmap(ram, old_bytes);
        ram = ram_map(bytes);
    }
    machine.ram = ram;
    machine.ram_bytes = bytes;
}

void host_machine_reset(uint64_t ram_bytes)
{
    uint8_t *ram = machine.ram;
    uint64_t old_bytes = machine.ram_bytes;
    jmp_buf *end = machine.end;

    machine = (struct host_machine){
        .armed = UINT64_MAX,
        .end = end,
        .fpu.control = HOST_FPU_CLEAN,
        .key = { 0x0706050403020100, 0x0f0e0d0c0b0a0908 },
    };
    ram_reset(ram, old_bytes, ram_bytes);
}

/* ---- console and the end ---- */

void arch_console_putc(char c)
{
    if (machine.log_used + 1 == HOST_LOG_BYTES) {
        memmove(machine.log, machine.log + HOST_LOG_BYTES / 2, HOST_LOG_BYTES / 2);
        machine.log_used -= HOST_LOG_BYTES / 2;
    }
    machine.log[machine.log_used++] = c;
    machine.log[machine.log_used] = '\0';
}

void arch_stop(uint8_t code)
{
    machine.end_code = code;
    kernel.log.panics = 0; /* whoever waits for this end may see more of them */
    longjmp(*machine.end, 1);
}

void arch_panic_dump(void)
{
}

/* ---- time ---- */

uint64_t arch_now(void)
{
    return machine.now;
}

uint64_t arch_cycles(void) { return machine.now; }

uint64_t arch_cycles_to_ns(uint64_t cycles) { return cycles; }

void arch_timer_arm(uint64_t deadline)
{
    machine.armed = deadline;
    machine.armed_count++;
}

/* ---- interrupts ---- */

bool arch_irq_pending(void)
{
    machine.irq_checks++;
    if (machine.irq_at != 0 && machine.irq_checks >= machine.irq_at) {
        machine.irq_waiting = true;
        machine.irq_at = machine.irq_every == 0 ? 0 : machine.irq_checks + machine.irq_every;
    }
    return machine.irq_waiting;
}

void arch_irq_mask(uint32_t line)
{
    kassert(line < ARCH_IRQ_LINES);
    machine.line_open[line] = false;
}

void arch_irq_unmask(uint32_t line)
{
    kassert(line < ARCH_IRQ_LINES);
    machine.line_open[line] = true;
}

/* ---- memory ---- */

void *arch_ram(struct paddr at)
{
    if (at.v < HOST_RAM_BASE || at.v - HOST_RAM_BASE >= machine.ram_bytes)
        panic("physical address %lx is not RAM", at.v);
    return machine.ram + (at.v - HOST_RAM_BASE);
}

struct paddr arch_ram_addr(const void *p)
{
    const uint8_t *byte = p;

    if (byte < machine.ram || byte >= machine.ram + machine.ram_bytes)
        panic("%p is not in RAM", p);
    return (struct paddr){ HOST_RAM_BASE + (uint64_t)(byte - machine.ram) };
}

void arch_clear(void *at, uint64_t bytes)
{
    kassert(is_aligned((uintptr_t)at, 64) && is_aligned(bytes, 64));
    memset(at, 0, bytes);
    machine.cleared += bytes;
}

/* ---- stacks ---- */

/* The host's own, which nobody painted. */
uint64_t arch_stack_free(enum kozo_stat which)
{
    (void)which;
    return 0;
}

/* ---- ports ---- */

uint32_t arch_port_in(uint16_t port, uint32_t width)
{
    machine.port = port;
    machine.port_width = width;
    return machine.port_in_value;
}

void arch_port_out(uint16_t port, uint32_t width, uint32_t value)
{
    machine.port = port;
    machine.port_width = width;
    machine.port_value = value;
}

/* ---- chance ---- */

bool arch_entropy(uint64_t key[2])
{
    key[0] = machine.key[0];
    key[1] = machine.key[1];
    return !machine.weak;
}
