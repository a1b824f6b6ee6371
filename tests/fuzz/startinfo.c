/* SPDX-License-Identifier: MIT */
/*
 * startinfo.c - the bytes are memory from 0x1000 on as a loader leaves it; a PVH start_info is
 * where it begins. Nothing is read outside the first 4 GiB; what is found is what the memory map
 * says, or the refusal says what is wrong.
 */
#define _DEFAULT_SOURCE
#include "fuzz.h"

#include "arch/x86_64/start/acpi.h"
#include "arch/x86_64/start/pvh.h"
#include "base/log.h"
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/mman.h>

#define REACH (1ull << 32)
#define START 0x1000ull
#define IMAGE_BASE 0x100000ull
#define IMAGE_END 0x180000ull
#define INFO_BYTES 56u
#define MEMMAP 40u /* of start_info: address, then number of entries */
#define CMDLINE 24u
#define ENTRY_BYTES 24u
#define INPUT_MOST 65536u

static uint8_t *memory; /* 4 GiB, and a page behind it that nobody may touch */
static jmp_buf refused;
static char message[512];

/* ---- what pvh.c and acpi.c need of a kernel ---- */

void *arch_ram(struct paddr at)
{
    MUST(at.v < REACH);
    return memory + at.v;
}

void klog(const char *format, ...) { MUST(format[0] != '\0'); }

void panic_at(const char *file, int line, const char *format, ...)
{
    va_list args;

    MUST(file[0] != '\0' && line > 0);
    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    longjmp(refused, 1);
}

/* ---- what must hold ---- */

static void check_map(const struct map *m)
{
    MUST(m->count <= BOOT_REGIONS);
    for (uint32_t i = 0; i < m->count; i++) {
        MUST(m->at[i].base % KOZO_PAGE_SIZE == 0 && m->at[i].end % KOZO_PAGE_SIZE == 0);
        MUST(m->at[i].base < m->at[i].end && (i == 0 || m->at[i - 1].end < m->at[i].base));
    }
}

struct entry {
    uint64_t base, bytes;
    uint32_t type;
};

static struct entry entry_at(uint64_t memmap, uint32_t i)
{
    struct entry e = {};

    memcpy(&e, memory + memmap + (uint64_t)i * ENTRY_BYTES, 20);
    return e;
}

/* One entry of RAM holds the whole page, and no other kind touches it. */
static bool is_ram(uint64_t memmap, uint32_t entries, uint64_t page)
{
    uint64_t end = page + KOZO_PAGE_SIZE;
    bool ram = false;

    if (end > PVH_RAM_END || (page >= PVH_VIDEO_BASE && page < PVH_VIDEO_END))
        return false;
    for (uint32_t i = 0; i < entries; i++) {
        struct entry e = entry_at(memmap, i);
        uint64_t e_end = e.base + e.bytes;

        if (e.type == 1)
            ram = ram || (e.base <= page && end <= e_end);
        else if (e.bytes != 0 && e.base < end && page < e_end)
            return false;
    }
    return ram;
}

/* Where the map may change: around both ends of each entry. */
static void check_ram(const struct map *ram, uint64_t memmap, uint32_t entries)
{
    for (uint32_t i = 0; i < entries; i++) {
        struct entry e = entry_at(memmap, i);
        uint64_t around[2] = { e.base & ~4095ull, (e.base + e.bytes) & ~4095ull };

        for (uint32_t k = 0; k < 6; k++) {
            uint64_t page = around[k / 3] + (uint64_t)(k % 3) * 4096 - 4096;

            if (page < UINT64_MAX - 2 * KOZO_PAGE_SIZE)
                MUST(map_covers(ram, page, page + 4096) == is_ram(memmap, entries, page));
        }
    }
}

static void check_found(const struct pvh_found *found)
{
    uint64_t memmap, cmdline, end = found->initrd.v + found->initrd_bytes;
    uint32_t entries;

    memcpy(&memmap, memory + START + MEMMAP, sizeof memmap);
    memcpy(&entries, memory + START + MEMMAP + 8, sizeof entries);
    memcpy(&cmdline, memory + START + CMDLINE, sizeof cmdline);
    check_map(&found->ram);
    check_map(&found->bad);
    check_map(&found->reserved);
    check_ram(&found->ram, memmap, entries);
    MUST(map_covers(&found->ram, IMAGE_BASE, IMAGE_END));
    MUST(map_covers(&found->reserved, START, START + INFO_BYTES));
    MUST(map_covers(&found->reserved, memmap, memmap + entries * ENTRY_BYTES));
    MUST(memchr(found->cmdline, 0, sizeof found->cmdline) != nullptr);
    if (cmdline != 0) {
        MUST(strcmp(found->cmdline, (char *)memory + cmdline) == 0);
        MUST(map_covers(&found->reserved, cmdline, cmdline + strlen(found->cmdline) + 1));
    }
    if (found->initrd_bytes == 0)
        return;
    MUST(map_covers(&found->ram, found->initrd.v, end));
    MUST(map_covers(&found->reserved, found->initrd.v, end));
    MUST(end <= IMAGE_BASE || found->initrd.v >= IMAGE_END);
}

static void read_all(void)
{
    static struct pvh_found found;
    static struct acpi_found acpi;

    memset(&found, 0, sizeof found);
    memset(&acpi, 0, sizeof acpi);
    pvh_read(&found, START, (struct boot_region){ IMAGE_BASE, IMAGE_END, BOOT_RAM });
    check_found(&found);
    acpi_read(&acpi, found.rsdp);
    MUST(acpi.hpet < REACH && acpi.ioapic < REACH);
}

static void make_memory(void)
{
    memory = mmap(nullptr, REACH + KOZO_PAGE_SIZE, PROT_READ | PROT_WRITE,
                  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    MUST(memory != MAP_FAILED);
    MUST(mprotect(memory + REACH, KOZO_PAGE_SIZE, PROT_NONE) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (memory == nullptr)
        make_memory();
    size = size < INPUT_MOST ? size : INPUT_MOST;
    if (size != 0)
        memcpy(memory + START, data, size);
    if (setjmp(refused) == 0)
        read_all();
    else
        MUST(strstr(message, "expected") != nullptr || strstr(message, "memory map: ") == message ||
             strstr(message, "command line") != nullptr);
    memset(memory + START, 0, size);
    return 0;
}
