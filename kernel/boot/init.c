/* SPDX-License-Identifier: MIT */
/*
 * init.c - put the first program together and hand it everything.
 *
 * Owns:      what the first program finds, in which slot and at which address (struct
 *            kozo_boot_info).
 * Spec:      docs/spec/boot.md
 */
#include "arch/arch.h"
#include "base/log.h"
#include "boot/first.h"
#include "boot/memory.h"
#include "cap/object.h"
#include "cap/pool.h"
#include "cap/untyped.h"
#include "kernel.h"
#include "mem/vspace.h"
#include "sched/sched.h"

#include <string.h>

#define INIT_PRIORITY 64u
#define STACK_PAGES 16u
#define SPARE_TABLES 4u
#define RAM_UNTYPEDS 96u
#define DEVICE_UNTYPEDS (KOZO_BOOT_UNTYPEDS - RAM_UNTYPEDS)

/* Where things lie behind the image, from a 2 MiB boundary on. */
#define AT_INFO 0x0000u
#define AT_CLOCK 0x1000u
#define AT_BUFFER 0x2000u
#define AT_STACK 0x4000u /* the page below is never mapped: a guard */

struct slot *first_slot(struct first *f)
{
    if (f->next == 1u << KOZO_INIT_CNODE_BITS)
        panic("boot: the first program's %u slots do not hold all it is given",
              1u << KOZO_INIT_CNODE_BITS);
    return &f->cnode[f->next++];
}

struct slot *first_give(struct first *f, struct cap cap)
{
    struct slot *s = first_slot(f);

    slot_fill(s, &kernel.root, cap);
    return s;
}

static struct cap frame_cap(struct paddr page, uint32_t bits, kozo_rights rights)
{
    return (struct cap){
        .kind = KOZO_KIND_FRAME, .rights = rights, .size_bits = (uint8_t)bits, .object = page.v
    };
}

/*
 * For what is fixed by construction: tables were fed and addresses chosen so that it cannot fail.
 */
static void must(enum kozo_err err, const char *what)
{
    if (err != KOZO_OK)
        panic("boot: %s: %s", what, name_of_error(err));
}

void first_map(struct first *f, struct paddr page, uint64_t address, uint8_t rights)
{
    struct slot *s = first_give(f, frame_cap(page, KOZO_PAGE_BITS, rights | KOZO_MAP));

    must(vspace_map(&f->cnode[KOZO_INIT_SPACE], s, address, rights), "mapping the first program");
}

/* ---- the objects it is made of ---- */

static void give_fixed(struct first *f)
{
    struct boot_input *in = f->in;
    struct paddr cnode = boot_alloc(in, (KOZO_SLOT_BYTES << KOZO_INIT_CNODE_BITS) / KOZO_PAGE_SIZE);
    struct paddr space = boot_alloc(in, KOZO_ADDRESS_SPACE_BYTES / KOZO_PAGE_SIZE);
    struct slot *slots = arch_ram(cnode);
    const struct cap caps[] = {
        [KOZO_INIT_CNODE] = { .kind = KOZO_KIND_CNODE,
                              .rights = KOZO_READ | KOZO_WRITE,
                              .size_bits = KOZO_INIT_CNODE_BITS,
                              .object = (uint64_t)slots },
        [KOZO_INIT_SPACE] = { .kind = KOZO_KIND_ADDRESS_SPACE,
                              .rights = KOZO_WRITE | KOZO_MAP,
                              .object = (uint64_t)arch_ram(space) },
        [KOZO_INIT_IRQ] = { .kind = KOZO_KIND_IRQ_CONTROL, .rights = KOZO_WRITE },
        [KOZO_INIT_IOPORT] = { .kind = KOZO_KIND_IO_PORT,
                               .rights = KOZO_READ | KOZO_WRITE,
                               .object = 0xffff0000 },
        [KOZO_INIT_CLOCK] = { .kind = KOZO_KIND_FRAME,
                              .rights = KOZO_READ | KOZO_MAP,
                              .size_bits = KOZO_PAGE_BITS,
                              .object = in->clock.v },
        [KOZO_INIT_DEBUG] = { .kind = KOZO_KIND_DEBUG, .rights = KOZO_READ | KOZO_WRITE },
    };

    f->cnode = slots;
    for (uint32_t i = 1; i < ARRAY_LEN(caps); i++)
        if (caps[i].kind != KOZO_KIND_NULL)
            slot_fill(&slots[i], &kernel.root, caps[i]);
    space_begin(&slots[KOZO_INIT_SPACE]);
    pool_boot(&slots[KOZO_INIT_POOL]);
    must(pool_create_thread(&slots[KOZO_INIT_POOL], 0, 0, &slots[KOZO_INIT_THREAD]), "its thread");
    f->thread = (struct tcb *)slots[KOZO_INIT_THREAD].cap.object;
    f->next = KOZO_INIT_FIRST_RANGE;
}

/* Page tables for all that is mapped before it runs, and some to begin with. */
static void feed_tables(struct first *f, const struct kozo_elf *elf)
{
    const struct kozo_elf_segment *first = &elf->segment[0],
                                  *last = &elf->segment[elf->nsegments - 1];
    uint64_t leaf_tables =
        (last->vaddr + last->memsz) / KOZO_LARGE_SIZE - first->vaddr / KOZO_LARGE_SIZE + 3;
    uint64_t middle_tables = leaf_tables / PTE_ENTRIES + 2;
    uint64_t tables = leaf_tables + 2 * middle_tables + SPARE_TABLES;

    for (uint64_t i = 0; i < tables; i++) {
        const struct cap cap = { .kind = KOZO_KIND_PAGE_TABLE, .rights = KOZO_MAP,
                                 .object = boot_alloc(f->in, 1).v };

        must(vspace_feed(&f->cnode[KOZO_INIT_SPACE], first_give(f, cap)), "its page tables");
    }
}

static struct kozo_range range_from(uint32_t first, uint32_t next)
{
    return (struct kozo_range){ first, next - first };
}

/* ---- what it is given ---- */

static void give_untypeds(struct first *f, struct kozo_boot_info *info)
{
    static struct boot_pieces pieces;
    uint32_t described = 0, before = f->next;

    memory_cut(f->in, BOOT_RAM, RAM_UNTYPEDS, &pieces);
    info->lost_bytes = pieces.lost;
    for (uint32_t i = 0; i < pieces.count; i++) {
        info->desc[described++] = pieces.piece[i];
        info->ram_bytes += 1ull << pieces.piece[i].size_bits;
        kernel.bytes_free += 1ull << pieces.piece[i].size_bits;
        first_give(f, untyped_cap((struct paddr){ pieces.piece[i].base }, pieces.piece[i].size_bits,
                                  false));
    }
    info->untyped = range_from(before, f->next);
    before = f->next;
    memory_cut(f->in, BOOT_DEVICE, DEVICE_UNTYPEDS, &pieces);
    for (uint32_t i = 0; i < pieces.count; i++) {
        info->desc[described++] = pieces.piece[i];
        kernel.bytes_free += 1ull << pieces.piece[i].size_bits;
        first_give(f, untyped_cap((struct paddr){ pieces.piece[i].base }, pieces.piece[i].size_bits,
                                  true));
    }
    info->device = range_from(before, f->next);
}

/* Frames of `bits` over [*at, end), as long as they fit. */
static struct kozo_range give_frames(struct first *f, uint64_t *at, uint64_t end, uint32_t bits)
{
    uint32_t before = f->next;

    for (; end - *at >= 1ull << bits; *at += 1ull << bits)
        first_give(f, frame_cap((struct paddr){ *at }, bits, KOZO_READ | KOZO_MAP));
    return range_from(before, f->next);
}

static void give_initrd(struct first *f, struct kozo_boot_info *info)
{
    uint64_t at = f->in->initrd.v, end = align_up(at + f->in->initrd_bytes, KOZO_PAGE_SIZE);

    info->initrd_bytes = f->in->initrd_bytes;
    info->initrd_small =
        give_frames(f, &at, min_u64(end, align_up(at, KOZO_LARGE_SIZE)), KOZO_PAGE_BITS);
    info->initrd_large = give_frames(f, &at, end, KOZO_LARGE_BITS);
    info->initrd_tail = give_frames(f, &at, end, KOZO_PAGE_BITS);
}

/* ---- its address space beyond the image, and its registers ---- */

static void bind(struct first *f, struct slot *buffer)
{
    tcb_bind(f->thread, TCB_CSPACE, &f->cnode[KOZO_INIT_CNODE], 0);
    tcb_bind(f->thread, TCB_VSPACE, &f->cnode[KOZO_INIT_SPACE], 0);
    tcb_bind(f->thread, TCB_BUFFER, buffer, 0);
}

/* Everything behind the image; returns the boot information, for more to be written. */
static struct kozo_boot_info *build_space(struct first *f, const struct first_image *image)
{
    struct boot_input *in = f->in;
    struct paddr info = boot_alloc(in, 1), buffer = boot_alloc(in, 1),
                 stack = boot_alloc(in, STACK_PAGES);
    struct kozo_boot_info *page = arch_ram(info);
    uint32_t before = f->next;
    uint64_t base;

    feed_tables(f, &image->elf);
    image_load(f, image);
    base = align_up(f->end, KOZO_LARGE_SIZE);
    first_map(f, buffer, base + AT_BUFFER, KOZO_READ | KOZO_WRITE);
    bind(f, &f->cnode[f->next - 1]);
    for (uint32_t i = 0; i < STACK_PAGES; i++)
        first_map(f, (struct paddr){ stack.v + i * KOZO_PAGE_SIZE },
                  base + AT_STACK + i * KOZO_PAGE_SIZE, KOZO_READ | KOZO_WRITE);
    slot_fill(&f->cnode[KOZO_INIT_BOOTINFO], &kernel.root,
              frame_cap(info, KOZO_PAGE_BITS, KOZO_READ | KOZO_MAP));
    must(vspace_map(&f->cnode[KOZO_INIT_SPACE], &f->cnode[KOZO_INIT_BOOTINFO], base + AT_INFO,
                    KOZO_READ),
         "its info");
    must(vspace_map(&f->cnode[KOZO_INIT_SPACE], &f->cnode[KOZO_INIT_CLOCK], base + AT_CLOCK,
                    KOZO_READ),
         "its clock");
    arch_thread_start(f->thread, image->elf.entry, base + AT_STACK + STACK_PAGES * KOZO_PAGE_SIZE,
                      base + AT_INFO, 0);
    f->end = base + KOZO_LARGE_SIZE;
    page->head = (struct kozo_start_head){ KOZO_START_MAGIC, base + AT_BUFFER, base + AT_CLOCK,
                                           KOZO_START_INIT };
    page->image = range_from(before, f->next);
    page->image_end = f->end;
    return page;
}

/* One bit for each page of RAM: where address spaces live; and a word: in which use it is a table. */
static void make_space_map(struct boot_input *in)
{
    uint64_t pages = align_up(memory_top(in) / KOZO_PAGE_SIZE, 64);

    kernel.space_pages = pages;
    kernel.space_live = arch_ram(boot_alloc(in, pages / 8 / KOZO_PAGE_SIZE + 1));
    kernel.table_serial =
        arch_ram(boot_alloc_as_is(in, pages * sizeof(uint64_t) / KOZO_PAGE_SIZE + 1));
}

/* The first letters of a file's name, without its folder. */
static uint64_t name_of(const char *path)
{
    uint64_t name = 0;
    uint32_t n = 0;

    for (; *path != '\0'; path++) {
        if (*path == '/')
            name = n = 0;
        else if (n < sizeof name)
            name |= (uint64_t)(uint8_t)*path << 8 * n++;
    }
    return name;
}

struct tcb *boot_start(struct boot_input *in)
{
    static struct first_image image;
    struct first f = { .in = in };
    struct kozo_boot_info *info;

    make_space_map(in);
    image_find(in, &image);
    give_fixed(&f);
    f.thread->name = name_of(image.name);
    info = build_space(&f, &image);
    give_initrd(&f, info);
    if (in->give_back.base < in->give_back.end)
        memory_unreserve(in, in->give_back);
    give_untypeds(&f, info);
    info->free = range_from(f.next, 1u << KOZO_INIT_CNODE_BITS);
    info->threads = CONFIG_MAX_THREADS;
    memcpy(info->cmdline, in->cmdline, sizeof info->cmdline);
    klog("memory: %lu KiB in %u pieces, %lu KiB lost; %u threads", info->ram_bytes >> 10,
         info->untyped.count, info->lost_bytes >> 10, CONFIG_MAX_THREADS);
    tcb_set_priority(f.thread, INIT_PRIORITY, 0);
    kernel.first = f.thread;
    tcb_resume(f.thread);
    kernel.boot_ns = arch_now();
    return kernel_leave();
}
