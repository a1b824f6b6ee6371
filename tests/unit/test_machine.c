/* SPDX-License-Identifier: MIT */
/*
 * test_machine.c - the machine that tests hold in their hands notices what it is there to notice.
 */
#include "base/log.h"
#include "host.h"
#include "mem/vspace.h"
#include <string.h>

#define TABLE SLOT_FREE /* 3 PageTables in init's space */
#define FRAME (SLOT_FREE + 3)
#define OTHER (SLOT_FREE + 4)

#define AT 0x40000000ull

static struct paddr root;

/* A page mapped at AT in init's space, and touched. */
static void boot_touched(void)
{
    host_boot();
    CHECK_OK(
        call(host.init, RETYPE, SLOT_UNTYPED, KOZO_WHAT(KOZO_KIND_PAGE_TABLE, 0), 0, TABLE, 3));
    for (uint64_t i = 0; i < 3; i++)
        CHECK_OK(call(host.init, SPACE_FEED, SLOT_SPACE, TABLE + i));
    host_make(FRAME, KOZO_KIND_FRAME, KOZO_PAGE_BITS);
    CHECK_OK(call(host.init, MAP, SLOT_SPACE, FRAME, AT, KOZO_READ | KOZO_WRITE));
    root = vspace_root(&host_slot(SLOT_SPACE)->cap);
    CHECK(host_can(host.init, AT, KOZO_READ));
    CHECK_PTR(host_tlb_stale(), nullptr);
}

/* The entry for AT at `level`. */
static pte *entry(uint32_t level)
{
    pte *table = arch_ram(root);

    for (uint32_t at = PTE_LEVELS; at > level; at--)
        table = arch_ram(pte_addr(table[pte_index(AT, at)]));
    return &table[pte_index(AT, level)];
}

/* With `value` in the tables the TLB is stale; without it no more. */
static void check_stale(uint32_t level, pte value)
{
    pte *e = entry(level), kept = *e;

    *e = value;
    CHECK(host_tlb_stale() != nullptr);
    *e = kept;
    CHECK_PTR(host_tlb_stale(), nullptr);
}

TEST(a_translation_that_is_no_more_is_stale)
{
    boot_touched();
    check_stale(1, 0);
    check_stale(2, 0);
    check_stale(4, 0);
    check_stale(1, *entry(1) & ~PTE_WRITE);
    check_stale(1, *entry(1) + 1);
    check_stale(2, *entry(2) | PTE_LEAF);
    check_stale(3, *entry(3) | PTE_LEAF);
    machine.tlb[0] = machine.tlb[machine.tlb_used - 1]; /* the leaf alone is remembered */
    machine.tlb_used = 1;
    check_stale(2, 0);
    check_stale(3, *entry(3) | PTE_LEAF);
}

TEST(a_stale_translation_is_used_until_it_is_flushed)
{
    boot_touched();
    *entry(1) = 0;
    CHECK(host_can(host.init, AT, KOZO_READ));
    arch_tlb_flush_page((struct paddr){ root.v + KOZO_PAGE_SIZE }, AT); /* of another space */
    arch_tlb_flush_space((struct paddr){ root.v + KOZO_PAGE_SIZE });
    CHECK(host_can(host.init, AT, KOZO_READ));
    arch_tlb_flush_page(root, AT);
    CHECK(!host_can(host.init, AT, KOZO_READ));
}

TEST(a_space_keeps_its_translations_apart)
{
    boot_touched();
    host_make(OTHER, KOZO_KIND_ADDRESS_SPACE, 0);
    struct paddr other = vspace_root(&host_slot(OTHER)->cap);
    CHECK(!host_access(other, AT, KOZO_READ).ok);
    CHECK(host_can(host.init, AT, KOZO_READ));
    CHECK(!host_access((struct paddr){ 0 }, AT, KOZO_READ).ok);
}

TEST(the_kernels_half_is_no_users)
{
    boot_touched();
    CHECK(!host_can(host.init, (uint64_t)PTE_ROOT_USER << 39, KOZO_READ));
    pte *table = arch_ram(root);
    CHECK(host_kernel_half_intact(table));
    table[PTE_ENTRIES - 1] ^= 1;
    CHECK(!host_kernel_half_intact(table));
    table[PTE_ENTRIES - 1] ^= 1;
}

TEST(the_tlb_has_an_end)
{
    boot_touched();
    memset(machine.tlb, 0, sizeof machine.tlb);
    machine.tlb_used = HOST_TLB_ENTRIES;
    CHECK_PANIC("HOST_TLB_ENTRIES", (void)host_access(root, AT, KOZO_READ));
    machine.tlb_used = 0;
}

TEST(the_console_keeps_what_was_said_last)
{
    host_boot();
    for (uint32_t i = 0; i < HOST_LOG_BYTES; i++)
        arch_console_putc('x');
    arch_console_putc('!');
    CHECK(machine.log_used < HOST_LOG_BYTES);
    CHECK_EQ(machine.log[machine.log_used - 1], '!');
    CHECK_EQ(strlen(machine.log), machine.log_used);
}

TEST(memory_of_another_size_is_another_machine)
{
    host_boot_sized(HOST_RAM_BYTES / 2, HOST_ROOT_BITS);
    CHECK_EQ(machine.ram_bytes, HOST_RAM_BYTES / 2);
    host_boot();
    CHECK_EQ(machine.ram_bytes, HOST_RAM_BYTES);
    CHECK_EQ(machine.ram[HOST_RAM_BYTES - 1], 0);
}

TEST(no_more_registers_are_loaded_than_there_are)
{
    uint64_t regs[KOZO_REG_FS_BASE];
    struct frame f = {};

    for (uint32_t i = 0; i < KOZO_REG_FS_BASE; i++)
        regs[i] = 0x500 + i;
    frame_load(&f, 0x1000, 0x2000, 0, regs, UINT32_MAX);
    CHECK_EQ(f.number, 0x500 + KOZO_REG_RAX);
    CHECK_EQ(f.reg[9], 0x500 + KOZO_REG_R15);
    CHECK_EQ(f.ip, 0x1000);
}

TEST(a_weak_key_is_told)
{
    host_machine_reset(HOST_RAM_BYTES);
    memset(&kernel, 0, sizeof kernel);
    machine.weak = true;
    kernel_init();
    CHECK(host_log_has("(weak)"));
}
