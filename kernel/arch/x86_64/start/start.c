/* SPDX-License-Identifier: MIT */
/*
 * start.c - the order of things, from the first C function to the first thread.
 */
#include "start.h"

#include "base/log.h"
#include "kernel.h"
#include "pvh.h"
#include <kozo/cmdline.h>
#include <string.h>

const char x86_banner[] = "KOZO " KOZO_VERSION "\r\n"; /* printed by boot.S */

[[noreturn]] void x86_start(uint64_t start_info);

#define REACH (1ull << 32)
#define IOAPIC_USUAL 0xfec00000ull

static struct pvh_found found;
static struct acpi_found acpi;
static struct boot_input input;

static void keep_page(struct map *devices, uint64_t address)
{
    uint64_t page = align_down(address, KOZO_PAGE_SIZE);

    map_remove(devices, page, page + KOZO_PAGE_SIZE);
}

/*
 * Below 4 GiB, whatever is not RAM is registers or the firmware's; but the kernel's own controllers
 * stay its own.
 */
static void find_devices(struct map *devices)
{
    map_add(devices, PVH_VIDEO_BASE, REACH, BOOT_DEVICE);
    for (uint32_t i = 0; i < found.ram.count; i++)
        map_remove(devices, found.ram.at[i].base, found.ram.at[i].end);
    for (uint32_t i = 0; i < found.bad.count; i++)
        map_remove(devices, found.bad.at[i].base, found.bad.at[i].end);
    keep_page(devices, apic_base());
    keep_page(devices, acpi.ioapic);
    if (acpi.hpet != 0)
        keep_page(devices, acpi.hpet);
}

static void reserve(uint64_t base, uint64_t end)
{
    if (input.reserved_count == BOOT_REGIONS)
        panic("boot memory: more than %u reserved pieces", BOOT_REGIONS);
    input.reserved[input.reserved_count++] = (struct boot_region){ base, end, BOOT_RAM };
}

static void append(const struct map *m)
{
    for (uint32_t i = 0; i < m->count; i++) {
        if (input.regions == BOOT_REGIONS)
            panic("memory map: more than %u separate ranges", BOOT_REGIONS);
        input.region[input.regions++] = m->at[i];
    }
}

static void sort_regions(void)
{
    for (uint32_t i = 1; i < input.regions; i++) {
        struct boot_region r = input.region[i];
        uint32_t at = i;

        for (; at > 0 && input.region[at - 1].base > r.base; at--)
            input.region[at] = input.region[at - 1];
        input.region[at] = r;
    }
}

static void fill_input(void)
{
    static struct map devices;

    find_devices(&devices);
    append(&found.ram);
    append(&devices);
    sort_regions();
    for (uint32_t i = 0; i < found.reserved.count; i++)
        reserve(found.reserved.at[i].base, found.reserved.at[i].end);
    input.initrd = found.initrd;
    input.initrd_bytes = found.initrd_bytes;
    memcpy(input.cmdline, found.cmdline, sizeof input.cmdline);
    /* The image in two pieces: the first is given back. */
    input.give_back = (struct boot_region){ x86_image_addr(x86_boot_start),
                                            x86_image_addr(x86_boot_end), BOOT_RAM };
    reserve(input.give_back.base, input.give_back.end);
    reserve(input.give_back.end, x86_image_addr(x86_image_end));
}

/* What follows the initrd in its last page is somebody's old data, and will be mapped with it. */
static void initrd_tail_clear(void)
{
    uint64_t end = input.initrd.v + input.initrd_bytes;

    memset(arch_ram((struct paddr){ end }), 0, align_up(end, KOZO_PAGE_SIZE) - end);
}

/* The value of `kozo.seed=`, hashed (FNV-1a). */
static uint64_t seed_of(const char *cmdline)
{
    uint64_t hash = 0xcbf29ce484222325;
    struct kozo_word value;

    if (!kozo_cmdline_find((struct kozo_word){ cmdline, strlen(cmdline) }, "kozo.seed", &value))
        return 0;
    for (uint64_t i = 0; i < value.len; i++)
        hash = (hash ^ (uint8_t)value.at[i]) * 0x100000001b3;
    return hash;
}

static void log_memory(void)
{
    uint64_t bytes = 0;

    for (uint32_t i = 0; i < found.ram.count; i++)
        bytes += found.ram.at[i].end - found.ram.at[i].base;
    klog("boot: %lu MiB of RAM in %u ranges, initrd %lu KiB", bytes >> 20, found.ram.count,
         found.initrd_bytes >> 10);
    if (found.ram_lost > 0)
        klog("boot: %lu MiB of RAM above %lu GiB are out of reach and not used",
             found.ram_lost >> 20, PVH_RAM_END >> 30);
}

static void read_machine(uint64_t start_info)
{
    struct boot_region image = { x86_image_addr(x86_image_start), x86_image_addr(x86_image_end),
                                 BOOT_RAM };

    pvh_read(&found, start_info, image);
    acpi_read(&acpi, found.rsdp);
    if (acpi.ioapic == 0)
        acpi.ioapic = IOAPIC_USUAL;
    x86.power_port = acpi.power;
    x86.seed = seed_of(found.cmdline);
    fill_input();
    log_memory();
}

void x86_start(uint64_t start_info)
{
    struct tcb *first;

    stacks_paint();
    cpu_tables();
    cpu_features();
    read_machine(start_info);
    paging_start(&input, &acpi);
    apic_start(&acpi);
    clock_start(&acpi);
    initrd_tail_clear();
    input.clock = boot_alloc(&input, 1);
    clock_page(arch_ram(input.clock));
    kernel_init();
    kernel.idle_tcb.root = x86.kernel_root;
    first = boot_start(&input);
    if (x86.clock.mult == 0)
        x86_clock_settle();
    x86_boot_enter(first);
}
