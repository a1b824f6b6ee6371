/* SPDX-License-Identifier: MIT */
/*
 * test_boot.c - from a map of memory and an archive to the first program, and what it is given.
 */
#include "boot/boot.h"
#include "boot/memory.h"

#include "archive.h"
#include "base/log.h"
#include "host.h"

#include <kozo/cmdline.h>
#include <stdio.h>
#include <string.h>

#define MIB (1ull << 20)
#define RAM (64 * MIB)
#define INITRD (HOST_RAM_BASE + 40 * MIB)

static struct boot_input in;
static struct boot_pieces pieces;

/* ---- physical memory alone ---- */

static void region(uint64_t base, uint64_t end, enum boot_kind kind)
{
    in.region[in.regions++] = (struct boot_region){ base, end, kind };
}

static void reserve(uint64_t base, uint64_t end)
{
    in.reserved[in.reserved_count++] = (struct boot_region){ base, end, BOOT_RAM };
}

static void clear(void)
{
    host_machine_reset(HOST_RAM_BYTES);
    memset(&in, 0, sizeof in);
}

/*
 * Pieces are aligned to their size, apart, and touch nothing reserved; they and what is lost are
 * all that is free.
 */
static void check_pieces(uint64_t free)
{
    uint64_t sum = pieces.lost;

    for (uint32_t i = 0; i < pieces.count; i++) {
        uint64_t base = pieces.piece[i].base, end = base + (1ull << pieces.piece[i].size_bits);
        CHECK_EQ(base & ((1ull << pieces.piece[i].size_bits) - 1), 0);
        CHECK(i == 0 || pieces.piece[i - 1].base + (1ull << pieces.piece[i - 1].size_bits) <= base);
        for (uint32_t r = 0; r < in.reserved_count; r++)
            CHECK(end <= in.reserved[r].base || base >= in.reserved[r].end);
        sum += end - base;
    }
    CHECK_EQ(sum, free);
}

TEST(memory_is_cut_into_aligned_powers_of_two)
{
    clear();
    region(0x100000, 0x7fe0000, BOOT_RAM);
    memory_cut(&in, BOOT_RAM, 96, &pieces);
    check_pieces(0x7fe0000 - 0x100000);
    CHECK_EQ(pieces.piece[0].base, 0x100000);
    CHECK_EQ(pieces.piece[0].size_bits, 20);
    CHECK_EQ(memory_top(&in), 0x7fe0000);
}

/* FACTS: boot data and initrd handed out as free memory. */
TEST(what_is_reserved_is_not_handed_out)
{
    clear();
    region(0x100000, 0x4000000, BOOT_RAM);
    reserve(0x3000000, 0x3123000);
    reserve(0x100000, 0x200000);  /* at the start */
    reserve(0x3ff0000, 0x4000000); /* at the end */
    reserve(0x3123000, 0x3124000); /* beside another */
    reserve(0x9000000, 0x9001000); /* outside */
    memory_cut(&in, BOOT_RAM, 96, &pieces);
    check_pieces(0x4000000 - 0x100000 - 0x124000 - 0x100000 - 0x10000);
}

TEST(kinds_are_cut_apart)
{
    clear();
    region(0x100000, 0x200000, BOOT_RAM);
    region(0xfec00000, 0xfec01000, BOOT_DEVICE);
    region(0xfd00000000, 0x10000000000, BOOT_DEVICE); /* high above all RAM */
    memory_cut(&in, BOOT_DEVICE, 32, &pieces);
    for (uint32_t i = 0; i < pieces.count; i++)
        CHECK(pieces.piece[i].device);
    check_pieces(0x1000 + 0x300000000);
    CHECK_EQ(memory_top(&in), 0x200000);
}

TEST(the_largest_pieces_are_kept)
{
    clear();
    region(0x1000, 0x8000000, BOOT_RAM);
    memory_cut(&in, BOOT_RAM, 5, &pieces);
    CHECK_EQ(pieces.count, 5);
    CHECK_EQ(pieces.piece[4].size_bits, 26);
    check_pieces(0x8000000 - 0x1000);
    CHECK(pieces.lost < MIB * 8);
}

TEST(pieces_and_reservations_have_an_end)
{
    clear();
    for (uint64_t i = 0; i < BOOT_REGIONS; i++) /* each of them is cut into 17 */
        region(i << 32 | KOZO_PAGE_SIZE, (i << 32) + 2 * (65536 * KOZO_PAGE_SIZE), BOOT_RAM);
    memory_cut(&in, BOOT_RAM, BOOT_PIECES, &pieces);
    CHECK_EQ(pieces.count, BOOT_PIECES);
    CHECK(pieces.lost > 0);
    clear();
    region(HOST_RAM_BASE, HOST_RAM_BASE + RAM, BOOT_RAM);
    for (uint32_t i = 0; i < BOOT_REGIONS; i++)
        reserve(i * KOZO_PAGE_SIZE, (i + 1) * KOZO_PAGE_SIZE);
    CHECK_PANIC("more than 64 reserved pieces", boot_alloc(&in, 1));
}

TEST(the_first_page_of_all_is_cut_too)
{
    clear();
    region(0, 3 * KOZO_PAGE_SIZE, BOOT_RAM);
    memory_cut(&in, BOOT_RAM, 96, &pieces);
    check_pieces(3 * KOZO_PAGE_SIZE);
    memory_cut(&in, BOOT_RAM, 1, &pieces); /* the smaller one, which is the last, is dropped */
    check_pieces(3 * KOZO_PAGE_SIZE);
    CHECK_EQ(pieces.piece[0].base, 0);
    CHECK_PANIC("no 16384 bytes", boot_alloc(&in, 4)); /* more than there is below that end */
}

TEST(random_maps_are_cut_without_loss)
{
    clear();
    for (uint64_t seed = 1; seed <= 200; seed++) {
        uint64_t free = 0, at = 0x1000;
        memset(&in, 0, sizeof in);
        host.seed = seed;
        while (in.regions < 12) {
            uint64_t base = at + host_random(64) * 0x1000,
                     end = base + (1 + host_random(5000)) * 0x1000;
            region(base, end, BOOT_RAM);
            free += end - base;
            at = base;
            while (host_random(3) != 0 && at < end && in.reserved_count < BOOT_REGIONS) {
                uint64_t from = at + host_random((end - at) / 0x1000) * 0x1000;
                uint64_t to = from + (1 + host_random((end - from) / 0x1000)) * 0x1000;
                reserve(from, to);
                free -= to - from;
                at = to;
            }
            at = end;
        }
        memory_cut(&in, BOOT_RAM, BOOT_PIECES, &pieces);
        check_pieces(free);
    }
}

TEST(memory_taken_is_clear_and_nobody_elses)
{
    clear();
    region(HOST_RAM_BASE, HOST_RAM_BASE + RAM, BOOT_RAM);
    memset(machine.ram, 0xee, RAM);
    reserve(HOST_RAM_BASE + RAM - 3 * MIB, HOST_RAM_BASE + RAM - MIB);
    uint64_t last = UINT64_MAX;
    for (uint64_t pages = 1; pages < 400; pages += 37) {
        struct paddr p = boot_alloc(&in, pages);
        const uint8_t *byte = arch_ram(p);
        CHECK_EQ(p.v % KOZO_PAGE_SIZE, 0);
        CHECK(p.v + pages * KOZO_PAGE_SIZE <= HOST_RAM_BASE + RAM - 3 * MIB ||
              p.v >= HOST_RAM_BASE + RAM - MIB);
        CHECK(last == UINT64_MAX || p.v + pages * KOZO_PAGE_SIZE <= last || p.v > last);
        for (uint64_t i = 0; i < pages * KOZO_PAGE_SIZE; i++)
            CHECK_EQ(byte[i], 0);
        memset(arch_ram(p), 0xdd, pages * KOZO_PAGE_SIZE); /* taken twice it would not be clear */
        last = p.v;
    }
    CHECK_PANIC("no 268435456 bytes", boot_alloc(&in, 65536));
}

TEST(a_piece_given_back_is_free_though_memory_below_it_was_taken)
{
    clear();
    uint64_t base = HOST_RAM_BASE, boot = base + 2 * MIB;
    region(base, base + 4 * MIB, BOOT_RAM);
    reserve(boot, boot + MIB);            /* the kernel's boot code */
    reserve(boot + MIB, base + 4 * MIB);  /* the rest of it */
    struct paddr taken = boot_alloc(&in, 1);
    CHECK_EQ(taken.v, boot - KOZO_PAGE_SIZE);
    memory_unreserve(&in, (struct boot_region){ boot, boot + MIB, BOOT_RAM });
    memory_cut(&in, BOOT_RAM, 96, &pieces);
    check_pieces(3 * MIB - KOZO_PAGE_SIZE);
    CHECK_PANIC("is not a reserved piece",
                memory_unreserve(&in, (struct boot_region){ base, base + 0x1000, BOOT_RAM }));
}

/* ---- an archive with a program ---- */

static struct {
    uint8_t bytes[256 * 1024];
    uint64_t used;
} archive;

static void put_file(const char *name, const void *bytes, uint64_t n, uint32_t mode)
{
    archive.used = archive_put(archive.bytes, sizeof archive.bytes, archive.used,
                               (struct archive_entry){ name, mode, bytes, n, 0, 0 });
}

static struct archive_program program;

static void begin_archive(void)
{
    archive.used = 0;
    program = archive_program;
    memset(program.text, 0x90, sizeof program.text);
    put_file(".", "", 0, 0040755);
    put_file("etc/motd", "hello\n", 6, 0100644);
}

static void end_archive(void)
{
    archive.used = archive_end(archive.bytes, sizeof archive.bytes, archive.used);
    memcpy(machine.ram + (INITRD - HOST_RAM_BASE), archive.bytes, archive.used);
    in.initrd_bytes = archive.used;
    reserve(INITRD, align_up(INITRD + archive.used, KOZO_PAGE_SIZE));
}

/* A machine as a port leaves it, with an archive begun. */
static void prepare(const char *cmdline)
{
    clear();
    memset(&kernel, 0, sizeof kernel);
    host = (struct host){ .seed = 1 };
    kernel_init();
    memset(machine.ram, 0xee, RAM);
    region(HOST_RAM_BASE, HOST_RAM_BASE + RAM, BOOT_RAM);
    region(0xfd00000000, 0xfd00002000, BOOT_DEVICE);
    in.initrd.v = INITRD;
    in.clock.v = HOST_RAM_BASE + 0x5000;
    in.give_back = (struct boot_region){ HOST_RAM_BASE + MIB, HOST_RAM_BASE + 2 * MIB, BOOT_RAM };
    reserve(HOST_RAM_BASE, HOST_RAM_BASE + MIB);
    reserve(in.give_back.base, in.give_back.end);
    snprintf(in.cmdline, sizeof in.cmdline, "%s", cmdline);
    begin_archive();
}

static struct tcb *boot(const char *cmdline)
{
    prepare(cmdline);
    put_file("bin/init", &program, sizeof program, 0100755);
    put_file("bin/otherwise", &program, sizeof program, 0100755);
    end_archive();
    host.init = boot_start(&in);
    return host.init;
}

static const struct kozo_boot_info *info_of(const struct tcb *t)
{
    const void *page = host_byte(t, t->frame.reg[0], KOZO_READ);

    CHECK(page != nullptr);
    return page;
}

TEST(the_first_program_runs_at_its_entry)
{
    struct tcb *t = boot("");
    CHECK_PTR(host_running(), t);
    CHECK_EQ(t->frame.ip, ARCHIVE_ENTRY);
    CHECK_EQ(t->frame.flags, FRAME_FLAGS_FIXED);
    CHECK(host_byte(t, t->frame.sp - 8, KOZO_WRITE) != nullptr);
    CHECK_EQ(t->frame.sp % 16, 0);
    CHECK_EQ(t->ceiling, 0);
    host_check();
}

TEST(its_image_is_as_in_the_file)
{
    struct tcb *t = boot("");
    const uint8_t *text = host_byte(t, ARCHIVE_TEXT, KOZO_EXECUTE),
                  *data = host_byte(t, ARCHIVE_DATA, KOZO_WRITE);
    CHECK(memcmp(text, &program, 4096) == 0);
    CHECK(memcmp(data, program.data, 16) == 0);
    for (uint32_t i = 16; i < 4096; i++)
        CHECK_EQ(data[i], 0);
    const uint8_t *more = host_byte(t, ARCHIVE_DATA + 4096, KOZO_READ);
    for (uint32_t i = 0; i < 4096; i++)
        CHECK_EQ(more[i], 0);
    CHECK(!host_can(t, ARCHIVE_TEXT, KOZO_WRITE));
    CHECK(!host_can(t, ARCHIVE_DATA, KOZO_EXECUTE));
    CHECK(!host_can(t, ARCHIVE_TEXT - 1, KOZO_READ));
    CHECK(!host_can(t, ARCHIVE_DATA + 8192, KOZO_READ));
}

TEST(its_stack_ends_in_a_guard)
{
    struct tcb *t = boot("");
    uint64_t at = t->frame.sp - KOZO_PAGE_SIZE, pages = 1;
    while (host_can(t, at - KOZO_PAGE_SIZE, KOZO_READ)) {
        at -= KOZO_PAGE_SIZE;
        pages++;
        CHECK(pages < 1000);
    }
    CHECK(pages >= 4);
    CHECK(!host_can(t, at, KOZO_EXECUTE));
    CHECK(!host_can(t, t->frame.sp, KOZO_READ));
}

TEST(its_buffer_clock_and_information_are_where_they_are_said_to_be)
{
    struct tcb *t = boot("kozo.seed=5 something else");
    const struct kozo_boot_info *info = info_of(t);
    CHECK_EQ(info->head.magic, KOZO_START_MAGIC);
    CHECK_EQ(info->head.kind, KOZO_START_INIT);
    CHECK_PTR(host_byte(t, info->head.buffer, KOZO_WRITE), t->buffer);
    CHECK_PTR(host_byte(t, info->head.clock, KOZO_READ), arch_ram(in.clock));
    CHECK(!host_can(t, info->head.clock, KOZO_WRITE));
    CHECK(!host_can(t, t->frame.reg[0], KOZO_WRITE));
    CHECK_STR(info->cmdline, "kozo.seed=5 something else");
    CHECK_EQ(info->threads, CONFIG_MAX_THREADS);
    CHECK_EQ(info->initrd_bytes, in.initrd_bytes);
    CHECK(!host_can(t, info->image_end, KOZO_READ));
}

TEST(its_slots_hold_what_the_abi_says)
{
    static const enum kozo_kind kind[] = {
        [KOZO_INIT_CNODE] = KOZO_KIND_CNODE,    [KOZO_INIT_THREAD] = KOZO_KIND_THREAD,
        [KOZO_INIT_SPACE] = KOZO_KIND_ADDRESS_SPACE, [KOZO_INIT_POOL] = KOZO_KIND_THREAD_POOL,
        [KOZO_INIT_IRQ] = KOZO_KIND_IRQ_CONTROL, [KOZO_INIT_IOPORT] = KOZO_KIND_IO_PORT,
        [KOZO_INIT_CLOCK] = KOZO_KIND_FRAME,    [KOZO_INIT_DEBUG] = KOZO_KIND_DEBUG,
        [KOZO_INIT_BOOTINFO] = KOZO_KIND_FRAME,
    };
    struct tcb *t = boot("");
    for (uint64_t i = 1; i < ARRAY_LEN(kind); i++)
        CHECK_EQ(host_kind(i), kind[i]);
    CHECK_EQ(t->cspace.size, 1ull << KOZO_INIT_CNODE_BITS);
    const struct kozo_boot_info *info = info_of(t);
    CHECK_EQ(info->free.first + info->free.count, 1u << KOZO_INIT_CNODE_BITS);
    for (uint64_t i = 0; i < info->free.count; i++)
        CHECK_EQ(host_kind(info->free.first + i), KOZO_KIND_NULL);
    CHECK_OK(call(t, RETYPE, info->untyped.first + info->untyped.count - 1,
                  KOZO_WHAT(KOZO_KIND_ENDPOINT, 0), 0, info->free.first, 1));
}

TEST(all_memory_is_in_untypeds_in_use_or_lost)
{
    struct tcb *t = boot("");
    const struct kozo_boot_info *info = info_of(t);
    uint64_t bytes = 0;
    bool large = false;
    for (uint32_t i = 0; i < info->untyped.count; i++) {
        const struct kozo_untyped_desc *d = &info->desc[i];
        const struct cap *cap = &host_slot(info->untyped.first + i)->cap;
        CHECK_EQ(cap->kind, KOZO_KIND_UNTYPED);
        CHECK_EQ(cap->object, d->base);
        CHECK_EQ(cap->size_bits, d->size_bits);
        CHECK(!d->device);
        CHECK(d->base + (1ull << d->size_bits) <= INITRD || d->base >= INITRD + in.initrd_bytes);
        CHECK(d->base + (1ull << d->size_bits) <= in.clock.v || d->base > in.clock.v);
        bytes += 1ull << d->size_bits;
        large = large || d->size_bits >= 24;
    }
    CHECK(large); /* one piece of 16 MiB */
    CHECK_EQ(info->ram_bytes, bytes);
    uint64_t reserved = 0;
    for (uint32_t i = 0; i < in.reserved_count; i++)
        reserved += in.reserved[i].end - in.reserved[i].base;
    CHECK_EQ(bytes + info->lost_bytes + reserved, RAM);
    CHECK_EQ(info->device.count, 1);
    CHECK(info->desc[info->untyped.count].device);
}

TEST(the_boot_codes_memory_is_given_back)
{
    struct tcb *t = boot("");
    const struct kozo_boot_info *info = info_of(t);
    bool found = false;
    for (uint32_t i = 0; i < info->untyped.count; i++)
        found =
            found || (info->desc[i].base <= in.give_back.base &&
                      info->desc[i].base + (1ull << info->desc[i].size_bits) > in.give_back.base);
    CHECK(found);
}

TEST(the_archive_is_given_in_frames_read_only)
{
    struct tcb *t = boot("");
    const struct kozo_boot_info *info = info_of(t);
    const struct kozo_range ranges[] = { info->initrd_small, info->initrd_large,
                                         info->initrd_tail };
    uint64_t at = INITRD;
    for (uint32_t r = 0; r < 3; r++)
        for (uint32_t i = 0; i < ranges[r].count; i++) {
            const struct cap *cap = &host_slot(ranges[r].first + i)->cap;
            CHECK_EQ(cap->kind, KOZO_KIND_FRAME);
            CHECK_EQ(cap->object, at);
            CHECK_EQ(cap->size_bits, r == 1 ? KOZO_LARGE_BITS : KOZO_PAGE_BITS);
            CHECK_EQ(cap->rights & (KOZO_WRITE | KOZO_EXECUTE), 0);
            at += 1ull << cap->size_bits;
        }
    CHECK(at >= INITRD + in.initrd_bytes);
    CHECK(memcmp(arch_ram(in.initrd), archive.bytes, archive.used) == 0); /* untouched */
}

TEST(it_can_give_memory_back_that_it_was_made_of)
{
    struct tcb *t = boot("");
    const struct kozo_boot_info *info = info_of(t);
    for (uint32_t i = 0; i < info->untyped.count; i++)
        CHECK_OK(call(t, CAP_REVOKE, 0, info->untyped.first + i));
    for (uint32_t i = 0; i < info->image.count;
         i++) /* even its own tables and stack: it does not run here */
        CHECK_OK(call(t, CAP_DELETE, 0, info->image.first + i));
    host_check();
}

TEST(another_first_program_can_be_named)
{
    static const char *const line[] = { "quiet kozo.init=bin/otherwise more",
                                        "kozo.init=/bin/otherwise", "kozo.init=./bin/otherwise" };

    for (uint32_t i = 0; i < ARRAY_LEN(line); i++) {
        boot(line[i]);
        CHECK(host_log_has("first program bin/otherwise"));
    }
}

/* ---- what cannot be booted is named ---- */

TEST(no_archive)
{
    prepare("");
    CHECK_PANIC("no initrd", boot_start(&in));
}

TEST(no_first_program_in_the_archive)
{
    prepare("");
    end_archive();
    CHECK_PANIC("no file bin/init", boot_start(&in));
    prepare("kozo.init=bin/missing");
    put_file("bin/init", &program, sizeof program, 0100755);
    end_archive();
    CHECK_PANIC("no file bin/missing", boot_start(&in));
}

TEST(a_name_that_is_none)
{
    static char line[][400] = { "kozo.init=/", "kozo.init=./", "kozo.init=\"\"", "kozo.init=.x",
                                "kozo.init=", "kozo.init=\"bin\\\\init\"" };
    static const char *const says[] = { "names no file", "names no file", "names no file",
                                        "no file .x", "of 300 bytes", "has byte 0x5c at 3" };

    memset(line[4] + 10, 'x', 300);
    for (uint32_t i = 0; i < ARRAY_LEN(says); i++) {
        prepare(line[i]);
        end_archive();
        CHECK_PANIC(says[i], boot_start(&in));
    }
}

TEST(a_directory_is_no_program)
{
    prepare("");
    put_file("bin/init", "", 0, 0040755);
    end_archive();
    CHECK_PANIC("bin/init is a directory, expected a file", boot_start(&in));
}

TEST(a_malformed_archive)
{
    prepare("");
    put_file("bin/init", &program, sizeof program, 0100755);
    end_archive();
    in.initrd_bytes -= 200;
    CHECK_PANIC("initrd: ", boot_start(&in));
}

TEST(a_malformed_program)
{
    prepare("");
    program.machine = 183;
    put_file("bin/init", &program, sizeof program, 0100755);
    end_archive();
    CHECK_PANIC("bin/init: e_machine", boot_start(&in));
    prepare("");
    put_file("bin/init", "#!/bin/sh\n", 10, 0100755);
    end_archive();
    CHECK_PANIC("bin/init: ", boot_start(&in));
}

TEST(a_program_for_a_later_abi)
{
    prepare("");
    program.note.minor = KOZO_ABI_MINOR + 1;
    put_file("bin/init", &program, sizeof program, 0100755);
    end_archive();
    CHECK_PANIC("ABI version", boot_start(&in));
}

TEST(too_little_memory)
{
    prepare("");
    program.p[1].memsz = 60 * MIB;
    put_file("bin/init", &program, sizeof program, 0100755);
    end_archive();
    CHECK_PANIC("boot memory: no ", boot_start(&in));
    prepare("");
    program.p[1].memsz = 17 * MIB; /* more pages than init has slots */
    put_file("bin/init", &program, sizeof program, 0100755);
    end_archive();
    CHECK_PANIC("slots do not hold all it is given", boot_start(&in));
}

TEST(the_end_of_the_first_program_is_the_end)
{
    struct tcb *t = boot("");
    CHECK_PANIC("the first program stopped", host_fault(t, KOZO_FAULT_PAGE, 0x123, KOZO_READ));
    t = boot("");
    CHECK_PANIC("the first program ended with code 7", call(t, THREAD_EXIT, 7));
    t = boot("");
    CHECK_PANIC("its thread was deleted", call(t, CAP_DELETE, 0, KOZO_INIT_THREAD));
}

/* ---- which program ---- */

TEST(the_first_program_is_what_the_command_line_names_last)
{
    static const struct {
        const char *line, *name;
    } row[] = {
        { "", "bin/init" },
        { "kozo.init=bin/other", "bin/other" },
        { "a\tkozo.init=bin/other b", "bin/other" },
        { "kozo.init=\"bin/other\"", "bin/other" },
        { "kozo.init=/bin/other", "bin/other" },
        { "kozo.init=bin/one kozo.init=./bin/two", "bin/two" },
        { "kozo.run=\"echo kozo.init=bin/none\"", "bin/init" },
        { "kozo.run=\"echo \\\" kozo.init=bin/none\"", "bin/init" },
        { "kozo.run=\"echo \\\\\" kozo.init=bin/other", "bin/other" },
        { "xkozo.init=bin/none kozo.initial=bin/none", "bin/init" },
    };

    for (size_t i = 0; i < ARRAY_LEN(row); i++) {
        struct kozo_word name = { "bin/init", 8 };
        struct kozo_word line = { row[i].line, strlen(row[i].line) };

        (void)kozo_cmdline_find(line, "kozo.init", &name);
        name.at += name.at[0] == '.' ? 2 : name.at[0] == '/';
        CHECK(strncmp(name.at, row[i].name, strlen(row[i].name)) == 0);
    }
}
