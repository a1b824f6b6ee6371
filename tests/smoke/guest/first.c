/* SPDX-License-Identifier: MIT */
/*
 * What the kernel hands to the first program: its slots, its address space, and what the boot
 * information says of them.
 */
#include "peer.h"

#include <kozo/cpio.h>
#include <kozo/memory.h>

KOZO_TEST(fixed_slots_hold_what_the_abi_says)
{
    static const struct {
        enum kozo_init_slot slot;
        enum kozo_kind kind;
        uint8_t rights;
    } fixed[] = {
        { KOZO_INIT_CNODE, KOZO_KIND_CNODE, KOZO_READ | KOZO_WRITE },
        { KOZO_INIT_THREAD, KOZO_KIND_THREAD, KOZO_READ | KOZO_WRITE },
        { KOZO_INIT_SPACE, KOZO_KIND_ADDRESS_SPACE, KOZO_WRITE | KOZO_MAP },
        { KOZO_INIT_POOL, KOZO_KIND_THREAD_POOL, KOZO_WRITE },
        { KOZO_INIT_IRQ, KOZO_KIND_IRQ_CONTROL, KOZO_WRITE },
        { KOZO_INIT_IOPORT, KOZO_KIND_IO_PORT, KOZO_READ | KOZO_WRITE },
        { KOZO_INIT_CLOCK, KOZO_KIND_FRAME, KOZO_READ | KOZO_MAP },
        { KOZO_INIT_DEBUG, KOZO_KIND_DEBUG, KOZO_READ | KOZO_WRITE },
        { KOZO_INIT_BOOTINFO, KOZO_KIND_FRAME, KOZO_READ | KOZO_MAP },
    };

    for (unsigned i = 0; i < sizeof(fixed) / sizeof(fixed[0]); i++) {
        uint64_t what = verify(fixed[i].slot);

        KOZO_CHECK_EQ(KOZO_VERIFY_KIND(what), fixed[i].kind);
        KOZO_CHECK_EQ(KOZO_VERIFY_RIGHTS(what), fixed[i].rights);
    }
    KOZO_CHECK_EQ(KOZO_VERIFY_SIZE(verify(KOZO_INIT_CNODE)), KOZO_INIT_CNODE_BITS);
}

KOZO_TEST(boot_information_names_ranges_that_do_not_meet)
{
    const struct kozo_boot_info *b = kozo_boot_info();
    const struct kozo_range ranges[] = { b->untyped, b->device, b->initrd_small, b->initrd_large,
                                         b->initrd_tail, b->image, b->free };
    constexpr unsigned count = sizeof(ranges) / sizeof(ranges[0]);

    KOZO_CHECK_EQ(b->head.magic, KOZO_START_MAGIC);
    KOZO_CHECK_EQ(b->head.kind, KOZO_START_INIT);
    for (unsigned i = 0; i < count; i++) {
        if (ranges[i].count == 0)
            continue;
        KOZO_CHECK(ranges[i].first >= KOZO_INIT_FIRST_RANGE);
        KOZO_CHECK((uint64_t)ranges[i].first + ranges[i].count <= 1u << KOZO_INIT_CNODE_BITS);
        for (unsigned k = 0; k < i; k++)
            KOZO_CHECK(ranges[k].count == 0 ||
                       ranges[k].first + ranges[k].count <= ranges[i].first ||
                       ranges[i].first + ranges[i].count <= ranges[k].first);
    }
}

KOZO_TEST(ranges_hold_the_kinds_they_name)
{
    const struct kozo_boot_info *b = kozo_boot_info();
    const struct {
        struct kozo_range range;
        enum kozo_kind kind;
    } held[] = {
        { b->untyped, KOZO_KIND_UNTYPED },    { b->device, KOZO_KIND_UNTYPED },
        { b->initrd_small, KOZO_KIND_FRAME }, { b->initrd_large, KOZO_KIND_FRAME },
        { b->initrd_tail, KOZO_KIND_FRAME },
    };

    for (unsigned i = 0; i < sizeof(held) / sizeof(held[0]); i++)
        for (uint32_t k = 0; k < held[i].range.count; k++)
            KOZO_CHECK_EQ(kind_at(held[i].range.first + k), held[i].kind);
    KOZO_CHECK(b->untyped.count > 0);
    KOZO_CHECK(b->untyped.count + b->device.count <= KOZO_BOOT_UNTYPEDS);
}

/* The library has taken slots of its own from the front; the last ones nobody has. */
KOZO_TEST(free_slots_are_empty)
{
    struct kozo_range f = kozo_boot_info()->free;

    KOZO_CHECK(f.count >= 1024);
    for (uint32_t i = f.count / 2; i < f.count; i++)
        KOZO_CHECK_EQ(kind_at(f.first + i), KOZO_KIND_NULL);
}

KOZO_TEST(untypeds_are_as_described_aligned_and_apart)
{
    const struct kozo_boot_info *b = kozo_boot_info();
    uint64_t ram = 0;

    for (uint32_t i = 0; i < b->untyped.count + b->device.count; i++) {
        const struct kozo_untyped_desc *d = &b->desc[i];
        bool device = i >= b->untyped.count;
        uint64_t what =
            verify(device ? b->device.first + i - b->untyped.count : b->untyped.first + i);

        KOZO_CHECK_EQ(KOZO_VERIFY_SIZE(what), d->size_bits);
        KOZO_CHECK_EQ((what & KOZO_VERIFY_DEVICE) != 0, device);
        KOZO_CHECK_EQ(d->device, device);
        KOZO_CHECK_EQ(d->base & ((1ull << d->size_bits) - 1), 0);
        KOZO_CHECK(d->size_bits >= KOZO_PAGE_BITS);
        for (uint32_t k = 0; k < i; k++)
            KOZO_CHECK(b->desc[k].base + (1ull << b->desc[k].size_bits) <= d->base ||
                       d->base + (1ull << d->size_bits) <= b->desc[k].base);
        ram += device ? 0 : 1ull << d->size_bits;
    }
    KOZO_CHECK_EQ(b->ram_bytes, ram);
}

/* From 64 MiB of memory on there is a piece of 16 MiB, and most of the memory is there to use. */
KOZO_TEST(one_untyped_has_at_least_16_mib)
{
    const struct kozo_boot_info *b = kozo_boot_info();
    uint32_t best = 0;

    for (uint32_t i = 0; i < b->untyped.count; i++)
        if (b->desc[i].size_bits > best)
            best = b->desc[i].size_bits;
    KOZO_CHECK(best >= 24);
    KOZO_CHECK(b->lost_bytes < 1 << 20);
}

KOZO_TEST(counters_agree_with_the_boot_information)
{
    const struct kozo_boot_info *b = kozo_boot_info();
    uint64_t free = 0;

    for (uint32_t i = 0; i < b->untyped.count; i++) {
        struct kozo_untyped_info u =
            kozo_untyped_info((struct kozo_untyped){ b->untyped.first + i });

        KOZO_CHECK_OK(u.err);
        KOZO_CHECK_EQ(u.size, 1ull << b->desc[i].size_bits);
        free += u.free;
    }
    for (uint32_t i = 0; i < b->device.count; i++)
        free += 1ull << b->desc[b->untyped.count + i].size_bits;
    KOZO_CHECK_EQ(kozo_test_stat(KOZO_STAT_BYTES_FREE), free);
    KOZO_CHECK_EQ(kozo_test_stat(KOZO_STAT_THREADS_FREE), b->threads - 1);
    KOZO_CHECK(kozo_test_stat(KOZO_STAT_BOOT_NS) < kozo_now());
    KOZO_CHECK_ERR(kozo_debug_stat((struct kozo_debug){ KOZO_INIT_DEBUG }, KOZO_STAT_COUNT).err,
                   KOZO_ERR_ARGUMENT);
}

KOZO_TEST(initrd_can_be_mapped_and_read_but_not_written)
{
    const struct kozo_boot_info *b = kozo_boot_info();
    struct kozo_frames f = { b->initrd_small, b->initrd_large, b->initrd_tail };
    struct kozo_memory m = kozo_memory_map_frames(&f, KOZO_READ);
    struct kozo_bad bad;
    struct kozo_cpio_entry e;
    kozo_cptr any = f.small.count != 0 ? f.small.first
                  : f.large.count != 0 ? f.large.first : f.tail.first;

    KOZO_REQUIRE_OK(m.err);
    KOZO_CHECK(m.bytes >= b->initrd_bytes && m.bytes < b->initrd_bytes + KOZO_PAGE_SIZE);
    KOZO_CHECK_OK(
        kozo_cpio_find(&(struct kozo_cpio){ m.at, b->initrd_bytes }, "bin/init", &e, &bad));
    KOZO_CHECK(e.size > 4 && memcmp(e.data, "\x7f" "ELF", 4) == 0);
    for (uint64_t i = b->initrd_bytes; i < m.bytes; i++)
        KOZO_CHECK_EQ(((const char *)m.at)[i], 0);
    KOZO_CHECK_ERR(kozo_protect(kozo_own(any), KOZO_READ | KOZO_WRITE), KOZO_ERR_RIGHTS);
    for (uint32_t i = 0; i < f.small.count; i++)
        KOZO_CHECK_OK(kozo_unmap(kozo_own(f.small.first + i)));
    for (uint32_t i = 0; i < f.large.count; i++)
        KOZO_CHECK_OK(kozo_unmap(kozo_own(f.large.first + i)));
    for (uint32_t i = 0; i < f.tail.count; i++)
        KOZO_CHECK_OK(kozo_unmap(kozo_own(f.tail.first + i)));
}

KOZO_TEST(command_line_is_handed_on)
{
    const char *at = strstr(kozo_boot_info()->cmdline, "kozo.init=bin/first");

    KOZO_CHECK(at != nullptr);
}
