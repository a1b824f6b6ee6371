/* SPDX-License-Identifier: MIT */
/*
 * pvh.c - the PVH start information: memory map, command line, initrd.
 *
 * All of it lies in memory that the map calls free, so it is copied before any allocation, and its
 * pages reserved. Nothing in it is trusted: sizes and addresses are checked before they are used,
 * also against wrapping.
 */
#include "pvh.h"

#include "arch/arch.h"
#include "base/log.h"
#include <string.h>

#define START_MAGIC 0x336ec578u
#define START_LIMIT (1ull << 32) /* the structures lie below it: that much is mapped while they are read */
#define ENTRIES_MOST 128u
#define MODULES_MOST 16u

struct start_info {
    uint32_t magic, version, flags, modules;
    uint64_t modlist, cmdline, rsdp, memmap;
    uint32_t memmap_entries, reserved;
};
static_assert(sizeof(struct start_info) == 56);

struct module {
    uint64_t base, bytes, cmdline, reserved;
};
struct memmap_entry {
    uint64_t base, bytes;
    uint32_t type, reserved;
};
#define MEMMAP_RAM 1u
#define MEMMAP_UNUSABLE 5u

/*
 * Below 1 MiB: vectors, firmware data and start structures stay; so does room for starting other
 * processors.
 */
#define LOW_KEPT 0x10000ull

static const void *at(const char *field, uint64_t address, uint64_t bytes)
{
    if (address == 0 || address >= START_LIMIT || bytes > START_LIMIT - address)
        panic("start info: %s = %lx (%lu bytes), expected inside the first 4 GiB", field, address,
              bytes);
    return arch_ram((struct paddr){ address });
}

static void reserve(struct pvh_found *found, uint64_t base, uint64_t bytes)
{
    map_add(&found->reserved, align_down(base, KOZO_PAGE_SIZE),
            align_up(base + bytes, KOZO_PAGE_SIZE), BOOT_RAM);
}

static struct start_info read_info(struct pvh_found *found, uint64_t address)
{
    struct start_info info;

    memcpy(&info, at("its address", address, sizeof info), sizeof info);
    if (info.magic != START_MAGIC)
        panic("start info: magic = %x, expected %x", info.magic, START_MAGIC);
    if (info.version < 1)
        panic("start info: version = %u, expected at least 1 (it carries the memory map)",
              info.version);
    reserve(found, address, sizeof info);
    found->rsdp = info.rsdp;
    return info;
}

static void read_cmdline(struct pvh_found *found, uint64_t address)
{
    const char *text;
    uint64_t n = 0;

    if (address == 0)
        return;
    text = at("cmdline_paddr", address, 1);
    while (n < KOZO_CMDLINE_BYTES && address + n < START_LIMIT && text[n] != '\0')
        n++;
    if (n == KOZO_CMDLINE_BYTES || address + n == START_LIMIT)
        panic("start info: the command line has no end within %u bytes", KOZO_CMDLINE_BYTES);
    memcpy(found->cmdline, text, n);
    reserve(found, address, n + 1);
}

static void check_entry(const struct memmap_entry *e, uint32_t i)
{
    if (e->bytes > UINT64_MAX - KOZO_PAGE_SIZE - e->base || e->base > UINT64_MAX - KOZO_PAGE_SIZE)
        panic("memory map: entry %u = %lx + %lx, expected not to wrap", i, e->base, e->bytes);
}

static void add_ram(struct pvh_found *found, const struct memmap_entry *e)
{
    uint64_t base = align_up(e->base, KOZO_PAGE_SIZE);
    uint64_t end = align_down(e->base + e->bytes, KOZO_PAGE_SIZE);
    uint64_t top = min_u64(end, PVH_RAM_END);

    map_add(&found->ram, base, top, BOOT_RAM);
    if (end > max_u64(base, top))
        found->ram_lost += end - max_u64(base, top);
}

static void remove_other(struct pvh_found *found, const struct memmap_entry *e)
{
    uint64_t base = align_down(e->base, KOZO_PAGE_SIZE);
    uint64_t end = align_up(e->base + e->bytes, KOZO_PAGE_SIZE);

    map_remove(&found->ram, base, end);
    if (e->type == MEMMAP_UNUSABLE)
        map_add(&found->bad, base, end, BOOT_DEVICE);
}

/* What is RAM to one entry and something else to another is not RAM. */
static void read_memmap(struct pvh_found *found, const struct start_info *info)
{
    static struct memmap_entry entry[ENTRIES_MOST];
    uint64_t bytes = info->memmap_entries * sizeof entry[0];

    if (info->memmap_entries == 0 || info->memmap_entries > ENTRIES_MOST)
        panic("start info: memmap_entries = %u, expected 1 to %u", info->memmap_entries,
              ENTRIES_MOST);
    memcpy(entry, at("memmap_paddr", info->memmap, bytes), bytes);
    for (uint32_t i = 0; i < info->memmap_entries; i++) {
        check_entry(&entry[i], i);
        if (entry[i].type == MEMMAP_RAM)
            add_ram(found, &entry[i]);
    }
    for (uint32_t i = 0; i < info->memmap_entries; i++)
        if (entry[i].type != MEMMAP_RAM && entry[i].bytes != 0)
            remove_other(found, &entry[i]);
    map_remove(&found->ram, PVH_VIDEO_BASE, PVH_VIDEO_END);
    reserve(found, info->memmap, bytes);
}

static void read_modules(struct pvh_found *found, const struct start_info *info)
{
    struct module first;
    uint64_t bytes = info->modules * sizeof first;

    if (info->modules == 0)
        return;
    if (info->modules > MODULES_MOST)
        panic("start info: nr_modules = %u, expected at most %u", info->modules, MODULES_MOST);
    memcpy(&first, at("modlist_paddr", info->modlist, bytes), sizeof first);
    reserve(found, info->modlist, bytes);
    if (info->modules > 1)
        klog("boot: %u modules, the first is the initrd, the others are ignored", info->modules);
    if (first.bytes == 0)
        return;
    if (!is_aligned(first.base, KOZO_PAGE_SIZE))
        panic("start info: initrd address = %lx, expected a multiple of %u", first.base,
              KOZO_PAGE_SIZE);
    if (first.bytes > PVH_RAM_END || first.base > PVH_RAM_END - first.bytes)
        panic("start info: initrd = %lx + %lx, expected below %lx", first.base, first.bytes,
              PVH_RAM_END);
    found->initrd = (struct paddr){ first.base };
    found->initrd_bytes = first.bytes;
}

static void check_image(const struct pvh_found *found, struct boot_region image)
{
    if (!map_covers(&found->ram, image.base, image.end))
        panic("memory map: the kernel's own %lx-%lx is not all RAM", image.base, image.end);
}

static void check_initrd(const struct pvh_found *found, struct boot_region image)
{
    uint64_t base = found->initrd.v, end = align_up(base + found->initrd_bytes, KOZO_PAGE_SIZE);

    if (!map_covers(&found->ram, base, end))
        panic("start info: initrd %lx-%lx, expected inside RAM", base, end);
    if (base < image.end && image.base < end)
        panic("start info: initrd %lx-%lx, expected apart from the kernel at %lx-%lx: give the "
              "machine more memory (qemu: -m)",
              base, end, image.base, image.end);
}

void pvh_read(struct pvh_found *found, uint64_t start_info, struct boot_region image)
{
    struct start_info info = read_info(found, start_info);

    read_cmdline(found, info.cmdline);
    read_memmap(found, &info);
    read_modules(found, &info);
    check_image(found, image);
    reserve(found, 0, LOW_KEPT);
    if (found->initrd_bytes > 0) {
        check_initrd(found, image);
        reserve(found, found->initrd.v, found->initrd_bytes);
    }
}
