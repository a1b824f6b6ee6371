/* SPDX-License-Identifier: MIT */
/*
 * Capabilities, objects, mappings, processes.
 */
#include "bench.h"

#include <kozo/cpio.h>
#include <kozo/layout.h>
#include <kozo/memory.h>
#include <kozo/spawn.h>

constexpr unsigned rounds = 32;

static bool same(kozo_cptr a, kozo_cptr b)
{
    return (kozo_cap_verify(kozo_own(a), kozo_own(b)).what & KOZO_VERIFY_SAME) != 0;
}

static enum kozo_kind kind_at(struct kozo_place at)
{
    return KOZO_VERIFY_KIND(kozo_cap_verify(at, kozo_own(0)).what);
}

/* ---- capabilities to an Endpoint, none of them the last ---- */

KOZO_TEST(cap_copy)
{
    struct series copy = { .name = "cap_copy" }, del = { .name = "cap_delete" };
    struct kozo_endpoint ep;
    kozo_cptr to;

    ROWS("cap_copy", "cap_delete");
    ep = kozo_test_endpoint();
    to = kozo_test_slot();
    for (unsigned i = 0; i < rounds; i++) {
        enum kozo_err err;
        uint32_t n;

        COUNT(n, err = kozo_cap_copy(kozo_own(to), kozo_own(ep.c), KOZO_RIGHTS(KOZO_WRITE, 0xff)));
        series_add(&copy, n);
        KOZO_CHECK_OK(err);
        KOZO_CHECK(same(to, ep.c));
        COUNT(n, err = kozo_cap_delete(kozo_own(to)));
        series_add(&del, n);
        KOZO_CHECK_OK(err);
        KOZO_CHECK_EQ(kind_at(kozo_own(to)), KOZO_KIND_NULL);
        KOZO_CHECK_EQ(kind_at(kozo_own(ep.c)), KOZO_KIND_ENDPOINT);
    }
    report(&copy);
    report(&del);
}

KOZO_TEST(cap_mint)
{
    struct series s = { .name = "cap_mint" };
    struct kozo_endpoint ep;
    kozo_cptr to;

    ROWS("cap_mint");
    ep = kozo_test_endpoint();
    to = kozo_test_slot();
    for (unsigned i = 0; i < rounds; i++) {
        struct kozo_res r;
        uint32_t n;

        COUNT(n, r = kozo_cap_mint(kozo_own(to), kozo_own(ep.c), KOZO_RIGHTS(KOZO_WRITE, 0xff), 1000 + i));
        series_add(&s, n);
        KOZO_CHECK_OK(r.err);
        KOZO_CHECK_EQ(kozo_cap_verify(kozo_own(to), kozo_own(0)).badge, 1000 + i);
        KOZO_CHECK_OK(kozo_cap_delete(kozo_own(to)));
    }
    report(&s);
}

KOZO_TEST(cap_move)
{
    struct series s = { .name = "cap_move" };
    kozo_cptr a, b;

    ROWS("cap_move");
    a = kozo_test_copy(kozo_test_endpoint().c, KOZO_SAME_RIGHTS);
    b = kozo_test_slot();
    for (unsigned i = 0; i < rounds; i++) {
        enum kozo_err err;
        kozo_cptr from = a;
        uint32_t n;

        COUNT(n, err = kozo_cap_move(kozo_own(b), kozo_own(a)));
        series_add(&s, n);
        KOZO_CHECK_OK(err);
        KOZO_CHECK_EQ(kind_at(kozo_own(a)), KOZO_KIND_NULL);
        KOZO_CHECK_EQ(kind_at(kozo_own(b)), KOZO_KIND_ENDPOINT);
        a = b;
        b = from;
    }
    report(&s);
}

constexpr unsigned children = 1000;

KOZO_TEST(cap_revoke)
{
    struct series s = { .name = "cap_revoke_1000" };
    struct kozo_endpoint ep;
    struct kozo_cnode shelf;

    ROWS("cap_revoke_1000", "cap_revoke_per_child");
    ep = kozo_test_endpoint();
    shelf = kozo_test_cnode(10);
    for (unsigned i = 0; i < 5; i++) {
        enum kozo_err err = KOZO_OK;
        uint32_t n;

        for (unsigned k = 1; k <= children && err == KOZO_OK; k++)
            err = kozo_cap_copy(kozo_in(shelf, k), kozo_own(ep.c), KOZO_SAME_RIGHTS);
        KOZO_REQUIRE_OK(err);
        COUNT(n, err = kozo_cap_revoke(kozo_own(ep.c)));
        series_add(&s, n);
        KOZO_CHECK_OK(err);
        for (unsigned k = 1; k <= children; k++)
            KOZO_CHECK_EQ(kind_at(kozo_in(shelf, k)), KOZO_KIND_NULL);
        KOZO_CHECK_EQ(kind_at(kozo_own(ep.c)), KOZO_KIND_ENDPOINT);
    }
    report(&s);
    report_each("cap_revoke_per_child", &s, children);
}

/* ---- objects ---- */

static void retype_frames(const char *name, bool cleared)
{
    struct series s = { .name = name };
    struct kozo_untyped from = kozo_test_untyped(18);
    kozo_cptr first = kozo_slots_alloc(rounds);

    KOZO_REQUIRE(first != 0);
    if (cleared)
        KOZO_REQUIRE_OK(kozo_untyped_clear(from, UINT64_MAX));
    for (unsigned i = 0; i < rounds; i++) {
        enum kozo_err err;
        uint32_t n;

        COUNT(n, err = kozo_retype(from, KOZO_KIND_FRAME, KOZO_PAGE_BITS, kozo_own(first + i), 1));
        series_add(&s, n);
        KOZO_CHECK_OK(err);
        KOZO_CHECK_EQ(kind_at(kozo_own(first + i)), KOZO_KIND_FRAME);
    }
    KOZO_CHECK_EQ(kozo_untyped_info(from).free, (1u << 18) - rounds * KOZO_PAGE_SIZE);
    report(&s);
}

KOZO_TEST(retype_frame)
{
    ROWS("retype_frame");
    retype_frames("retype_frame", true);
}

KOZO_TEST(retype_frame_dirty)
{
    ROWS("retype_frame_dirty");
    retype_frames("retype_frame_dirty", false);
}

KOZO_TEST(retype_thread)
{
    struct series s = { .name = "retype_thread" };
    struct kozo_pool pool;
    struct kozo_thread t;

    ROWS("retype_thread");
    pool = kozo_test_pool();
    t.c = kozo_test_slot();
    for (unsigned i = 0; i < rounds; i++) {
        enum kozo_err err;
        uint32_t n;

        COUNT(n, err = kozo_thread_create(pool, kozo_own(t.c), 0, EQUAL));
        series_add(&s, n);
        KOZO_CHECK_OK(err);
        KOZO_CHECK_EQ(kozo_thread_info(t).state, KOZO_THREAD_STOPPED);
        KOZO_CHECK_OK(kozo_cap_delete(kozo_own(t.c)));
    }
    report(&s);
}

/* ---- mappings: 4 KiB, in the space that runs, next to a page that is there and so are its tables ---- */

KOZO_TEST(map_unmap)
{
    struct series map = { .name = "map" }, unmap = { .name = "unmap" };
    struct kozo_memory there;
    struct kozo_frame frame;
    uint64_t at;

    ROWS("map", "unmap");
    there = kozo_memory_alloc(kozo_test_memory(), KOZO_PAGE_SIZE);
    KOZO_REQUIRE_OK(there.err);
    at = (uint64_t)there.at + KOZO_PAGE_SIZE;
    frame = kozo_test_frame();
    for (unsigned i = 0; i < rounds; i++) {
        enum kozo_err err;
        uint32_t n;

        COUNT(n, err = kozo_map(kozo_own_space(), frame, at, KOZO_READ | KOZO_WRITE));
        series_add(&map, n);
        KOZO_REQUIRE_OK(err);
        *(volatile uint64_t *)at += 1;
        KOZO_CHECK_EQ(*(volatile uint64_t *)at, i + 1);
        COUNT(n, err = kozo_unmap(kozo_own(frame.c)));
        series_add(&unmap, n);
        KOZO_CHECK_OK(err);
        KOZO_CHECK((kozo_cap_verify(kozo_own(frame.c), kozo_own(0)).what & KOZO_VERIFY_MAPPED) == 0);
    }
    report(&map);
    report(&unmap);
}

/* ---- processes ---- */

static struct kozo_memory map_initrd(void)
{
    const struct kozo_boot_info *b = kozo_boot_info();
    struct kozo_frames f = { b->initrd_small, b->initrd_large, b->initrd_tail };

    return kozo_memory_map_frames(&f, KOZO_READ);
}

static void unmap_range(struct kozo_range r)
{
    for (uint32_t i = 0; i < r.count; i++)
        KOZO_CHECK_OK(kozo_unmap(kozo_own(r.first + i)));
}

static void unmap_initrd(void)
{
    const struct kozo_boot_info *b = kozo_boot_info();

    unmap_range(b->initrd_small);
    unmap_range(b->initrd_large);
    unmap_range(b->initrd_tail);
}

constexpr unsigned memory_bits = 20;

/* bin/child begins by noting the counter, and then sends it. It is more urgent, so it begins when it is started. */
static void spawn_once(struct series *s, const struct kozo_cpio_entry *e, struct kozo_untyped memory)
{
    struct kozo_endpoint up = kozo_test_endpoint();
    struct kozo_pool pool = { kozo_test_slot() };
    struct kozo_spawn_cap caps[] = { { .name = "up", .from = kozo_own(up.c), .rights = KOZO_WRITE, .badge = 5 } };
    struct kozo_spawn how = {
        .name = "child",
        .image = e->data,
        .image_bytes = e->size,
        .memory = memory,
        .pool = pool,
        .clock = { KOZO_INIT_CLOCK },
        .cnode_bits = 6,
        .stack_pages = 4,
        .heap_pages = 4,
        .priority = URGENT,
        .caps = caps,
        .ncaps = 1,
    };
    struct kozo_spawn_report why;
    struct kozo_process p;
    struct kozo_words x;
    enum kozo_err err;
    uint64_t begin;

    KOZO_REQUIRE_OK(kozo_pool_split(kozo_test_pool(), kozo_own(pool.c), 1));
    begin = tick_long();
    err = kozo_spawn(&how, &p, &why);
    KOZO_REQUIRE_OK(err);
    KOZO_REQUIRE_OK(kozo_recv_words(up, &x));
    KOZO_CHECK(x.cap == 5 && x.w[0] > begin);
    series_add(s, x.w[0] - begin - tick_cost);
    kozo_process_destroy(&p);
    kozo_slot_drop(up.c);
    kozo_slot_drop(pool.c);
}

KOZO_TEST(spawn)
{
    struct series s = { .name = "spawn" };
    struct kozo_memory initrd;
    struct kozo_cpio_entry e;
    struct kozo_bad bad;
    struct kozo_untyped memory;

    ROWS("spawn");
    initrd = map_initrd();
    KOZO_REQUIRE_OK(initrd.err);
    KOZO_CHECK_OK(kozo_cpio_find(&(struct kozo_cpio){ initrd.at, kozo_boot_info()->initrd_bytes }, "bin/child", &e, &bad));
    memory = kozo_test_untyped(memory_bits);
    for (unsigned i = 0; i < 5; i++)
        spawn_once(&s, &e, memory);
    unmap_initrd();
    report(&s);
}
