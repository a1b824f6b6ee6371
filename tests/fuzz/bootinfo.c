/* SPDX-License-Identifier: MIT */
/*
 * bootinfo.c - the bytes are a machine as a loader leaves it: regions of memory, pieces of it in
 * use, a command line, an archive. The first program comes up owning every byte that is free and
 * none that is not, or the kernel says what is wrong and stops.
 */
#include "archive.h"
#include "fuzz.h"

#include "base/log.h"
#include "boot/boot.h"
#include "boot/memory.h"
#include "dice.h"
#include "kernel.h"
#include "machine.h"
#include "mem/vspace.h"
#include <kozo/cmdline.h>
#include <string.h>

#define RAM_BYTES (4ull << 20)
#define RAM_END (HOST_RAM_BASE + RAM_BYTES)
#define PAGES (RAM_BYTES / KOZO_PAGE_SIZE)
#define FREE 1 /* what the map says of a page */
#define USED 2
#define CHOICES 96u /* bytes */

static struct boot_input in;
static uint8_t map[PAGES]; /* what each page is at the start, for the checks */

static uint64_t page_address(uint64_t page) { return HOST_RAM_BASE + page * KOZO_PAGE_SIZE; }

/* ---- the machine ---- */

static void add_regions(struct dice *d)
{
    uint64_t at = 0, n = 1 + dice_below(d, 6);

    for (uint64_t i = 0; i < n && at < PAGES; i++) {
        uint64_t from = at + (dice_chance(d, 30) ? dice_below(d, 64) : 0);
        uint64_t pages = i + 1 == n ? PAGES : 1 + dice_below(d, PAGES / 2);

        if (from >= PAGES)
            break;
        pages = min_u64(pages, PAGES - from);
        in.region[in.regions++] =
            (struct boot_region){ page_address(from), page_address(from + pages), BOOT_RAM };
        memset(map + from, FREE, pages);
        at = from + pages;
    }
    if (dice_chance(d, 50))
        in.region[in.regions++] =
            (struct boot_region){ 0xfd00000000, 0xfd00000000 + (1 + dice_below(d, 40)) * 0x1000,
                                  BOOT_DEVICE };
}

static void reserve(uint64_t from, uint64_t pages)
{
    in.reserved[in.reserved_count++] =
        (struct boot_region){ page_address(from), page_address(from + pages), BOOT_RAM };
    memset(map + from, USED, pages);
}

/* A few pieces in use, apart: some touch, some lie in no region at all. */
static void add_reserved(struct dice *d)
{
    for (uint64_t i = 0, n = dice_below(d, 12); i < n; i++) {
        uint64_t from = dice_below(d, PAGES), pages = 1 + dice_below(d, 40);
        bool clash = from + pages > PAGES;

        for (uint64_t p = from; p < from + pages && !clash; p++)
            clash = map[p] == USED;
        if (!clash)
            reserve(from, pages);
    }
}

/* bin/init is sound, or sound but for a few bytes, or what was given; or that is the archive. */
static void add_archive(struct dice *d, const uint8_t *given, uint64_t bytes)
{
    uint64_t page = dice_below(d, PAGES), from = page * KOZO_PAGE_SIZE, at = from, pages;
    uint64_t way = dice_below(d, 8);
    struct archive_program spoiled = archive_program;
    struct archive_entry init = { "bin/init", 0100755, way == 2 ? given : (uint8_t *)&spoiled,
                                  way == 2 ? bytes : sizeof spoiled, 0, 0 };

    for (uint64_t i = 0; way == 1 && i < bytes; i += 2)
        ((uint8_t *)&spoiled)[given[i]] ^= i + 1 < bytes ? given[i + 1] : 1;
    if (way == 0) {
        at += min_u64(bytes, RAM_BYTES - at);
        memcpy(machine.ram + from, given, at - from);
    } else {
        at = archive_put(machine.ram, RAM_BYTES, at, init);
        at = archive_end(machine.ram, RAM_BYTES, at);
    }
    pages = (at - from + KOZO_PAGE_SIZE - 1) / KOZO_PAGE_SIZE;
    in.initrd.v = HOST_RAM_BASE + from;
    in.initrd_bytes = at - from;
    for (uint64_t p = page; p < page + pages; p++)
        map[p] = USED;
    in.reserved[in.reserved_count++] =
        (struct boot_region){ page_address(page), page_address(page + pages), BOOT_RAM };
}

static void add_cmdline(struct dice *d)
{
    static const char *const lines[] = {
        "",           "kozo.init=bin/init",  "kozo.init=\"bin/init\" x",
        "kozo.init=", "kozo.init=/bin/init", "kozo.init=none",
        "kozo.init=\"bin\\init\"",
        "kozo.run=\"echo \\\"kozo.init=none \\\\\" kozo.init=bin/init"
    };

    if (dice_chance(d, 70)) {
        snprintf(in.cmdline, sizeof in.cmdline, "%s",
                 lines[dice_below(d, sizeof lines / sizeof lines[0])]);
        return;
    }
    for (uint64_t i = 0, n = dice_below(d, 64); i < n; i++)
        in.cmdline[i] = (char)dice_below(d, 256);
}

/* What a machine is made of: choices, then bytes for its archive. */
struct input {
    struct dice dice;
    const uint8_t *rest;
    uint64_t rest_bytes;
};

static void make_machine(struct input *input)
{
    struct dice *d = &input->dice;
    uint64_t clock;

    memset(&in, 0, sizeof in);
    memset(map, 0, sizeof map);
    add_regions(d);
    clock = dice_below(d, PAGES - 1);
    in.clock.v = page_address(clock);
    reserve(clock, 1);
    if (dice_chance(d, 60) && map[(clock + 1) % PAGES] != USED) {
        reserve((clock + 1) % PAGES, 1);
        in.give_back = in.reserved[in.reserved_count - 1];
    }
    add_reserved(d);
    add_cmdline(d);
    add_archive(d, input->rest, input->rest_bytes);
}

/* ---- what must hold ---- */

/* Pieces are aligned, ascend, and are just the free pages; each page once. */
static void check_cut(void)
{
    static struct boot_pieces pieces;
    static uint8_t seen[PAGES];
    uint64_t bytes = 0, free = 0;

    memset(seen, 0, sizeof seen);
    memory_cut(&in, BOOT_RAM, BOOT_PIECES, &pieces);
    for (uint32_t i = 0; i < pieces.count; i++) {
        uint64_t base = pieces.piece[i].base, size = 1ull << pieces.piece[i].size_bits;

        MUST(base % size == 0 && base >= HOST_RAM_BASE && base + size <= RAM_END);
        for (uint64_t p = (base - HOST_RAM_BASE) / KOZO_PAGE_SIZE, n = size / KOZO_PAGE_SIZE; n > 0;
             p++, n--) {
            MUST(map[p] == FREE && !seen[p]);
            seen[p] = 1;
        }
        bytes += size;
    }
    for (uint64_t p = 0; p < PAGES; p++)
        free += map[p] == FREE ? KOZO_PAGE_SIZE : 0;
    MUST(bytes + pieces.lost == free);
}

/* All of it but blanks is words, in order; none ends between quotes but the last. */
static void check_cmdline(void)
{
    enum kozo_cmdline_place place = KOZO_CMDLINE_PLAIN;
    struct kozo_word line = { in.cmdline, strlen(in.cmdline) }, word;
    const char *at = in.cmdline, *end = in.cmdline + line.len;

    while ((word = kozo_cmdline_next(&line)).len > 0) {
        MUST(place == KOZO_CMDLINE_PLAIN && word.at >= at && word.at + word.len <= end);
        MUST(line.at == word.at + word.len && line.at + line.len == end);
        for (; at < word.at; at++)
            MUST(*at == ' ' || *at == '\t');
        for (; at < word.at + word.len; at++) {
            MUST(place != KOZO_CMDLINE_PLAIN || (*at != ' ' && *at != '\t'));
            place = kozo_cmdline_after(place, *at);
        }
    }
    MUST(line.len == 0);
}

static bool is_kept(uint64_t base, uint64_t end)
{
    for (uint32_t i = 0; i < in.reserved_count; i++)
        if (in.reserved[i].base < end && base < in.reserved[i].end)
            return true;
    return false;
}

static void check_first(const struct tcb *t)
{
    struct host_access a = host_access((struct paddr){ t->root }, t->frame.reg[0], KOZO_READ);
    const struct kozo_boot_info *info;
    uint64_t bytes = 0;

    MUST(a.ok && host_access((struct paddr){ t->root }, t->frame.ip, KOZO_EXECUTE).ok);
    MUST(host_access((struct paddr){ t->root }, t->frame.sp - 8, KOZO_WRITE).ok);
    info = arch_ram(a.at);
    MUST(info->head.magic == KOZO_START_MAGIC && info->initrd_bytes == in.initrd_bytes);
    for (uint32_t i = 0; i < info->untyped.count; i++) {
        const struct cap *c = &t->cspace.slots[info->untyped.first + i].cap;
        uint64_t end = c->object + (1ull << c->size_bits);

        MUST(c->kind == KOZO_KIND_UNTYPED && c->object == info->desc[i].base);
        MUST(c->object >= HOST_RAM_BASE && end <= RAM_END && !is_kept(c->object, end));
        bytes += 1ull << c->size_bits;
    }
    MUST(bytes == info->ram_bytes);
    kernel_check();
}

/* ---- once for each input ---- */

static void boot(void *with)
{
    struct tcb *t;

    memset(&kernel, 0, sizeof kernel);
    kernel_init();
    memset(machine.ram, 0xee, RAM_BYTES);
    make_machine(with);
    check_cmdline();
    if (in.reserved_count < BOOT_REGIONS)
        check_cut();
    t = boot_start(&in);
    check_first(t);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t choices = size < CHOICES ? size : CHOICES;
    struct input input = { dice_from_bytes(data, choices), data + choices, size - choices };
    jmp_buf end;

    host_machine_reset(RAM_BYTES);
    machine.end = &end;
    if (setjmp(end) == 0)
        boot(&input);
    else
        MUST(strstr(machine.log, "invariant") == nullptr &&
             strstr(machine.log, "assertion") == nullptr);
    return 0;
}
