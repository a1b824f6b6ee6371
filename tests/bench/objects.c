/* SPDX-License-Identifier: MIT */
/*
 * Capabilities, objects, mappings.
 */
#include "bench.h"

#include <kozo/memory.h>

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

void measure_copy_delete(const char *copy_name, const char *delete_name, kozo_cptr from)
{
    struct series copy = { .name = copy_name }, del = { .name = delete_name };
    kozo_cptr to = kozo_test_slot();

    for (unsigned i = 0; i < rounds; i++) {
        enum kozo_err err;
        uint32_t n;

        COUNT(n, err = kozo_cap_copy(kozo_own(to), kozo_own(from), KOZO_RIGHTS(KOZO_WRITE, 0xff)));
        series_add(&copy, n);
        KOZO_CHECK_OK(err);
        KOZO_CHECK(same(to, from));
        COUNT(n, err = kozo_cap_delete(kozo_own(to)));
        series_add(&del, n);
        KOZO_CHECK_OK(err);
        KOZO_CHECK_EQ(kind_at(kozo_own(to)), KOZO_KIND_NULL);
        KOZO_CHECK_EQ(kind_at(kozo_own(from)), KOZO_KIND_ENDPOINT);
    }
    report(&copy);
    report(&del);
}

KOZO_TEST(cap_copy)
{
    ROWS("cap_copy", "cap_delete");
    measure_copy_delete("cap_copy", "cap_delete", kozo_test_endpoint().c);
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

        COUNT(n, r = kozo_cap_mint(kozo_own(to), kozo_own(ep.c), KOZO_RIGHTS(KOZO_WRITE, 0xff),
                                   1000 + i));
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

/* ---- mappings: 4 KiB, in the space that runs, beside a page that has brought the tables ---- */

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
        KOZO_CHECK((kozo_cap_verify(kozo_own(frame.c), kozo_own(0)).what & KOZO_VERIFY_MAPPED) ==
                   0);
    }
    report(&map);
    report(&unmap);
}
