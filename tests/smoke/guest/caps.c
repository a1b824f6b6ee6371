/* SPDX-License-Identifier: MIT */
/*
 * The calls that work on slots: what they make, what they never make more of, and each error in its
 * order.
 */
#include "peer.h"

constexpr unsigned BITS = 3; /* CNodes of 8 slots */
constexpr uint64_t SLOTS = 1 << BITS;

KOZO_TEST(copy_has_the_rights_asked_for_and_no_others)
{
    struct kozo_endpoint ep = kozo_test_endpoint();
    static const uint8_t rights[] = {
        0, KOZO_READ, KOZO_WRITE, KOZO_READ | KOZO_GRANT, KOZO_RIGHTS_ALL, 0xff
    };

    for (unsigned i = 0; i < sizeof(rights); i++) {
        kozo_cptr copy = kozo_test_copy(ep.c, KOZO_RIGHTS(rights[i], 0x11 * i));
        uint64_t what = verify(copy);

        KOZO_CHECK_EQ(KOZO_VERIFY_KIND(what), KOZO_KIND_ENDPOINT);
        KOZO_CHECK_EQ(KOZO_VERIFY_RIGHTS(what), rights[i] & (KOZO_READ | KOZO_WRITE | KOZO_GRANT));
        KOZO_CHECK_EQ(KOZO_VERIFY_USER(what), 0x11 * i);
    }
}

/* Asking for all of them does not help. */
KOZO_TEST(rights_never_grow)
{
    struct kozo_endpoint ep = kozo_test_endpoint();
    kozo_cptr poor = kozo_test_copy(ep.c, KOZO_RIGHTS(KOZO_WRITE, 0x0c));
    kozo_cptr copy = kozo_test_copy(poor, KOZO_SAME_RIGHTS);
    kozo_cptr mint = kozo_test_mint((struct kozo_endpoint){ poor }, KOZO_SAME_RIGHTS, 9).c;

    KOZO_CHECK_EQ(KOZO_VERIFY_RIGHTS(verify(copy)), KOZO_WRITE);
    KOZO_CHECK_EQ(KOZO_VERIFY_USER(verify(copy)), 0x0c);
    KOZO_CHECK_EQ(KOZO_VERIFY_RIGHTS(verify(mint)), KOZO_WRITE);
    KOZO_CHECK_EQ(KOZO_VERIFY_USER(verify(mint)), 0x0c);
    KOZO_CHECK_OK(kozo_cap_revoke(kozo_own(poor)));
    KOZO_CHECK_EQ(kind_at(copy), KOZO_KIND_NULL);
    KOZO_CHECK_EQ(kind_at(mint), KOZO_KIND_NULL);
}

KOZO_TEST(badge_is_set_once_and_inherited)
{
    struct kozo_endpoint ep = kozo_test_endpoint(), mint = kozo_test_mint(ep, KOZO_SAME_RIGHTS, 0);
    kozo_cptr copy = kozo_test_copy(mint.c, KOZO_SAME_RIGHTS), slot = kozo_test_slot();

    KOZO_CHECK_EQ(verify(ep.c) & KOZO_VERIFY_BADGED, 0);
    KOZO_CHECK((verify(mint.c) & KOZO_VERIFY_BADGED) != 0); /* a badge of 0 is one */
    KOZO_CHECK((verify(copy) & KOZO_VERIFY_BADGED) != 0);
    KOZO_CHECK_ERR(kozo_cap_mint(kozo_own(slot), kozo_own(mint.c), KOZO_SAME_RIGHTS, 1).err,
                   KOZO_ERR_BADGED);
    KOZO_CHECK_ERR(kozo_cap_mint(kozo_own(slot), kozo_own(copy), KOZO_MINT_FRESH | 0xff, 0).err,
                   KOZO_ERR_BADGED);
    KOZO_CHECK_EQ(kind_at(slot), KOZO_KIND_NULL);
}

KOZO_TEST(fresh_badges_are_never_0_nor_the_same)
{
    struct kozo_endpoint ep = kozo_test_endpoint();
    kozo_cptr slot = kozo_test_slot();
    uint64_t seen[64], bits = 0;

    for (unsigned i = 0; i < 64; i++) {
        struct kozo_res r =
            kozo_cap_mint(kozo_own(slot), kozo_own(ep.c), KOZO_SAME_RIGHTS | KOZO_MINT_FRESH, 5);

        KOZO_REQUIRE_OK(r.err);
        KOZO_CHECK_EQ(kozo_cap_verify(kozo_own(slot), kozo_own(0)).badge, r.value);
        KOZO_CHECK(r.value != 0);
        for (unsigned k = 0; k < i; k++)
            KOZO_CHECK(seen[k] != r.value);
        seen[i] = r.value;
        bits |= r.value;
        KOZO_CHECK_OK(kozo_cap_delete(kozo_own(slot)));
    }
    KOZO_CHECK(bits >> 48 != 0); /* they count through all 64 bits, not from 1 */
}

KOZO_TEST(move_takes_everything_along)
{
    struct kozo_endpoint ep = kozo_test_endpoint();
    kozo_cptr mint = kozo_test_mint(ep, KOZO_RIGHTS(KOZO_WRITE, 3), 7).c,
              child = kozo_test_copy(mint, KOZO_SAME_RIGHTS);
    kozo_cptr to = kozo_test_slot();
    uint64_t what = verify(mint);

    KOZO_CHECK_OK(kozo_cap_move(kozo_own(to), kozo_own(mint)));
    KOZO_CHECK_EQ(kind_at(mint), KOZO_KIND_NULL);
    KOZO_CHECK_EQ(verify(to), what);
    KOZO_CHECK_EQ(kozo_cap_verify(kozo_own(to), kozo_own(0)).badge, 7);
    KOZO_CHECK_OK(kozo_cap_revoke(kozo_own(to)));
    KOZO_CHECK_EQ(kind_at(child), KOZO_KIND_NULL);
    KOZO_CHECK_OK(kozo_cap_revoke(kozo_own(ep.c)));
    KOZO_CHECK_EQ(kind_at(to), KOZO_KIND_NULL);
}

KOZO_TEST(verify_tells_the_same_object_from_another)
{
    struct kozo_endpoint a = kozo_test_endpoint(), b = kozo_test_endpoint();
    kozo_cptr copy = kozo_test_mint(a, KOZO_RIGHTS(0, 0), 4).c, empty = kozo_test_slot();

    KOZO_CHECK((kozo_cap_verify(kozo_own(a.c), kozo_own(copy)).what & KOZO_VERIFY_SAME) != 0);
    KOZO_CHECK((kozo_cap_verify(kozo_own(a.c), kozo_own(a.c)).what & KOZO_VERIFY_SAME) != 0);
    KOZO_CHECK_EQ(kozo_cap_verify(kozo_own(a.c), kozo_own(b.c)).what & KOZO_VERIFY_SAME, 0);
    KOZO_CHECK_EQ(kozo_cap_verify(kozo_own(a.c), kozo_own(empty)).what & KOZO_VERIFY_SAME, 0);
    KOZO_CHECK_EQ(kozo_cap_verify(kozo_own(empty), kozo_own(empty)).what, KOZO_KIND_NULL);
}

KOZO_TEST(verify_shows_no_address_of_the_kernel)
{
    for (kozo_cptr slot = 1; slot < KOZO_INIT_FIRST_RANGE + 64; slot++) {
        struct kozo_raw r = kozo_syscall(KOZO_SYS_CAP_VERIFY, 0, slot, 0, 0);

        KOZO_CHECK_OK(r.err);
        KOZO_CHECK_EQ(r.a >> 36, 0);
        KOZO_CHECK_EQ(r.b, 0); /* nothing that the first program was given has a badge */
    }
}

/* ---- errors, in their order: a call wrong in two ways tells the first ---- */

/* Copy, mint and move, as one function. */
typedef enum kozo_err derive(struct kozo_place to, struct kozo_place from);

static enum kozo_err copy(struct kozo_place to, struct kozo_place from)
{
    return kozo_cap_copy(to, from, KOZO_SAME_RIGHTS);
}

static enum kozo_err mint(struct kozo_place to, struct kozo_place from)
{
    return kozo_cap_mint(to, from, KOZO_SAME_RIGHTS, 1).err;
}

static derive *const derives[] = { copy, mint, kozo_cap_move };

KOZO_TEST(source_is_looked_up_first)
{
    struct kozo_cnode there = kozo_test_cnode(BITS), none = { kozo_test_slot() };
    struct kozo_cnode endpoint = { kozo_test_endpoint().c },
                      outside = { 1 << KOZO_INIT_CNODE_BITS };
    struct kozo_cnode blind = { kozo_test_copy(there.c, 0) };
    struct kozo_place occupied = kozo_own(there.c);

    for (unsigned i = 0; i < 3; i++) {
        KOZO_CHECK_ERR(derives[i](occupied, kozo_in(none, 1)), KOZO_ERR_EMPTY);
        KOZO_CHECK_ERR(derives[i](occupied, kozo_in(endpoint, 1)), KOZO_ERR_KIND);
        KOZO_CHECK_ERR(derives[i](occupied, kozo_in(outside, 1)), KOZO_ERR_ADDRESS);
        KOZO_CHECK_ERR(derives[i](occupied, kozo_in(blind, 1)), KOZO_ERR_RIGHTS);
        KOZO_CHECK_ERR(derives[i](occupied, kozo_in(there, 0)), KOZO_ERR_ADDRESS);
        KOZO_CHECK_ERR(derives[i](occupied, kozo_in(there, SLOTS)), KOZO_ERR_ADDRESS);
        KOZO_CHECK_ERR(derives[i](occupied, kozo_in(there, UINT64_MAX)), KOZO_ERR_ADDRESS);
        KOZO_CHECK_ERR(derives[i](occupied, kozo_in(there, 1)), KOZO_ERR_EMPTY);
    }
}

KOZO_TEST(destination_is_looked_up_next)
{
    struct kozo_cnode there = kozo_test_cnode(BITS), none = { kozo_test_slot() };
    struct kozo_cnode readable = { kozo_test_copy(there.c, KOZO_READ) };
    struct kozo_endpoint ep = kozo_test_endpoint();
    struct kozo_place from = kozo_own(ep.c);

    for (unsigned i = 0; i < 3; i++) {
        KOZO_CHECK_ERR(derives[i](kozo_in(none, 1), from), KOZO_ERR_EMPTY);
        KOZO_CHECK_ERR(derives[i](kozo_in((struct kozo_cnode){ ep.c }, 1), from), KOZO_ERR_KIND);
        KOZO_CHECK_ERR(derives[i](kozo_in(readable, 1), from), KOZO_ERR_RIGHTS);
        KOZO_CHECK_ERR(derives[i](kozo_in(there, 0), from), KOZO_ERR_ADDRESS);
        KOZO_CHECK_ERR(derives[i](kozo_in(there, SLOTS), from), KOZO_ERR_ADDRESS);
        KOZO_CHECK_ERR(derives[i](kozo_own(there.c), from), KOZO_ERR_OCCUPIED);
        KOZO_CHECK_ERR(derives[i](from, from), KOZO_ERR_OCCUPIED);
        KOZO_CHECK_EQ(kind_at(ep.c), KOZO_KIND_ENDPOINT);
    }
}

KOZO_TEST(what_is_asked_for_is_looked_at_last)
{
    struct kozo_untyped u = kozo_test_untyped(KOZO_PAGE_BITS);
    struct kozo_endpoint ep = kozo_test_endpoint();
    struct kozo_place to = kozo_own(kozo_test_slot());

    KOZO_CHECK_ERR(kozo_cap_copy(to, kozo_own(u.c), 1 << 16), KOZO_ERR_ARGUMENT);
    KOZO_CHECK_ERR(kozo_cap_copy(to, kozo_own(ep.c), 1ull << 63), KOZO_ERR_ARGUMENT);
    KOZO_CHECK_ERR(kozo_cap_mint(to, kozo_own(u.c), 1 << 17, 1).err, KOZO_ERR_ARGUMENT);
    KOZO_CHECK_ERR(kozo_cap_mint(to, kozo_own(u.c), KOZO_SAME_RIGHTS, 1).err, KOZO_ERR_KIND);
    KOZO_CHECK_ERR(kozo_cap_mint(to, kozo_own(KOZO_INIT_DEBUG), KOZO_SAME_RIGHTS, 1).err,
                   KOZO_ERR_KIND);
    KOZO_CHECK_ERR(kozo_cap_copy(to, kozo_own(u.c), KOZO_SAME_RIGHTS), KOZO_ERR_UNIQUE);
    KOZO_CHECK_EQ(kind_at(to.slot), KOZO_KIND_NULL);
}

KOZO_TEST(kinds_that_are_moved_or_split_are_not_copied)
{
    struct kozo_place to = kozo_own(kozo_test_slot());
    kozo_cptr table = kozo_test_slot();

    KOZO_REQUIRE_OK(kozo_retype(kozo_test_memory(), KOZO_KIND_PAGE_TABLE, 0, kozo_own(table), 1));
    KOZO_CHECK_ERR(kozo_cap_copy(to, kozo_own(KOZO_INIT_POOL), KOZO_SAME_RIGHTS), KOZO_ERR_UNIQUE);
    KOZO_CHECK_ERR(kozo_cap_copy(to, kozo_own(KOZO_INIT_IRQ), KOZO_SAME_RIGHTS), KOZO_ERR_UNIQUE);
    KOZO_CHECK_ERR(kozo_cap_copy(to, kozo_own(kozo_test_memory().c), KOZO_SAME_RIGHTS),
                   KOZO_ERR_UNIQUE);
    KOZO_CHECK_ERR(kozo_cap_copy(to, kozo_own(table), KOZO_SAME_RIGHTS), KOZO_ERR_UNIQUE);
}

KOZO_TEST(cnode_rights_say_what_may_be_done_in_it)
{
    struct kozo_cnode all = kozo_test_cnode(BITS);
    struct kozo_cnode reads = { kozo_test_copy(all.c, KOZO_READ) },
                      writes = { kozo_test_copy(all.c, KOZO_WRITE) };
    kozo_cptr ep = kozo_test_endpoint().c, slot = kozo_test_slot();

    KOZO_CHECK_OK(copy(kozo_in(writes, 1), kozo_own(ep)));
    KOZO_CHECK_ERR(copy(kozo_own(slot), kozo_in(writes, 1)), KOZO_ERR_RIGHTS);
    KOZO_CHECK_ERR(kozo_cap_verify(kozo_in(writes, 1), kozo_own(0)).err, KOZO_ERR_RIGHTS);
    KOZO_CHECK_ERR(kozo_cap_verify(kozo_own(ep), kozo_in(writes, 1)).err, KOZO_ERR_RIGHTS);
    KOZO_CHECK_OK(copy(kozo_own(slot), kozo_in(reads, 1)));
    KOZO_CHECK_ERR(kozo_cap_move(kozo_in(all, 2), kozo_in(reads, 1)), KOZO_ERR_RIGHTS);
    KOZO_CHECK_ERR(kozo_cap_delete(kozo_in(reads, 1)), KOZO_ERR_RIGHTS);
    KOZO_CHECK_ERR(kozo_cap_revoke(kozo_in(reads, 1)), KOZO_ERR_RIGHTS);
    KOZO_CHECK_OK(kozo_cap_verify(kozo_in(reads, 1), kozo_own(0)).err);
    KOZO_CHECK_OK(kozo_cap_delete(kozo_in(writes, 1)));
    KOZO_CHECK_EQ(kind_at(slot), KOZO_KIND_ENDPOINT);
}

KOZO_TEST(delete_and_revoke_need_a_capability)
{
    struct kozo_cnode there = kozo_test_cnode(BITS), none = { kozo_test_slot() };
    enum kozo_err (*const calls[])(struct kozo_place) = { kozo_cap_delete, kozo_cap_revoke };

    for (unsigned i = 0; i < 2; i++) {
        KOZO_CHECK_ERR(calls[i](kozo_own(0)), KOZO_ERR_ADDRESS);
        KOZO_CHECK_ERR(calls[i](kozo_own(1 << KOZO_INIT_CNODE_BITS)), KOZO_ERR_ADDRESS);
        KOZO_CHECK_ERR(calls[i](kozo_own(none.c)), KOZO_ERR_EMPTY);
        KOZO_CHECK_ERR(calls[i](kozo_in(none, 1)), KOZO_ERR_EMPTY);
        KOZO_CHECK_ERR(calls[i](kozo_in(there, 0)), KOZO_ERR_ADDRESS);
        KOZO_CHECK_ERR(calls[i](kozo_in(there, 7)), KOZO_ERR_EMPTY);
        KOZO_CHECK_ERR(calls[i](kozo_in(there, SLOTS)), KOZO_ERR_ADDRESS);
    }
}

KOZO_TEST(unused_numbers_are_no_system_calls)
{
    for (uint64_t nr = 0; nr < KOZO_SYSCALL_LIMIT; nr++) {
        if (strcmp(kozo_syscall_name(nr), "?") != 0)
            continue;
        KOZO_CHECK_ERR(kozo_syscall_err(nr, 1, 2, 3, 4, 5, 6), KOZO_ERR_NOSYS);
    }
    KOZO_CHECK_ERR(kozo_syscall_err(KOZO_SYSCALL_LIMIT - 1, 0, 0, 0, 0, 0, 0), KOZO_ERR_NOSYS);
}

/* A thread whose capability space is taken away has none, and says so. */
KOZO_TEST(thread_without_a_space_names_nothing)
{
    struct kozo_cnode there = kozo_test_cnode(BITS);
    struct doing d = { .nr = KOZO_SYS_SIGNAL, .x = { .cap = 1 } };
    struct kozo_worker w = doing_later(URGENT);

    KOZO_REQUIRE_OK(kozo_thread_bind(w.thread, there, (struct kozo_space){ 0 },
                                     (struct kozo_frame){ 0 }, 0, (struct kozo_endpoint){ 0 }));
    KOZO_REQUIRE_OK(kozo_worker_run(&w, do_it, &d));
    KOZO_CHECK_ERR(d.err, KOZO_ERR_EMPTY);
    KOZO_CHECK_OK(kozo_cap_revoke(kozo_own(there.c)));
    d = (struct doing){ .nr = KOZO_SYS_SIGNAL, .x = { .cap = 1 } };
    KOZO_REQUIRE_OK(kozo_worker_run(&w, do_it, &d));
    KOZO_CHECK_ERR(d.err, KOZO_ERR_ADDRESS);
    d = (struct doing){ .nr = KOZO_SYS_CAP_DELETE, .x = { .cap = 0, .info = 1 } };
    KOZO_REQUIRE_OK(kozo_worker_run(&w, do_it, &d));
    KOZO_CHECK_ERR(d.err, KOZO_ERR_ADDRESS);
}

/* Rights of the capability that a thread's space was bound with hold for its own slots, too. */
KOZO_TEST(thread_bound_to_a_read_only_space_changes_nothing_in_it)
{
    struct kozo_cnode there = kozo_test_cnode(BITS);
    struct kozo_cnode reads = { kozo_test_copy(there.c, KOZO_READ) };
    struct doing d = { .nr = KOZO_SYS_CAP_DELETE, .x = { .cap = 0, .info = 1 } };
    struct kozo_worker w = doing_later(URGENT);

    KOZO_REQUIRE_OK(copy(kozo_in(there, 1), kozo_own(KOZO_INIT_DEBUG)));
    KOZO_REQUIRE_OK(kozo_thread_bind(w.thread, reads, (struct kozo_space){ 0 },
                                     (struct kozo_frame){ 0 }, 0, (struct kozo_endpoint){ 0 }));
    KOZO_REQUIRE_OK(kozo_worker_run(&w, do_it, &d));
    KOZO_CHECK_ERR(d.err, KOZO_ERR_RIGHTS);
    d = (struct doing){ .nr = KOZO_SYS_DEBUG_STAT, .x = { .cap = 1, .info = KOZO_STAT_CAPS } };
    KOZO_REQUIRE_OK(kozo_worker_run(&w, do_it, &d));
    KOZO_CHECK_OK(d.err);
    KOZO_CHECK_EQ(d.x.cap, kozo_test_stat(KOZO_STAT_CAPS));
}
