/* SPDX-License-Identifier: MIT */
/*
 * test_caps.c - copy, mint, move, delete and verify capabilities: rights, badges, places, errors.
 */
#include "host.h"

#define A SLOT_FREE
#define B (SLOT_FREE + 1)
#define C (SLOT_FREE + 2)
#define D (SLOT_FREE + 3)
#define CNODE (SLOT_FREE + 4)
#define END (1ull << HOST_ROOT_BITS) /* the first address outside init's capability space */

static uint64_t copy(uint64_t to, uint64_t from, uint64_t rights)
{
    return call(host.init, CAP_COPY, 0, to, 0, from, rights);
}

static uint64_t mint(uint64_t to, uint64_t from, uint64_t rights, uint64_t badge)
{
    return call(host.init, CAP_MINT, 0, to, 0, from, rights, badge);
}

static kozo_rights rights_of(uint64_t at) { return host_slot(at)->cap.rights; }

/* ---- copy ---- */

TEST(a_copy_names_the_same_object)
{
    host_boot();
    CHECK_OK(copy(A, SLOT_EP, KOZO_SAME_RIGHTS));
    CHECK_OK(call(host.init, CAP_VERIFY, 0, A, 0, SLOT_EP));
    uint64_t what = host.init->frame.reg[0];
    CHECK_EQ(KOZO_VERIFY_KIND(what), KOZO_KIND_ENDPOINT);
    CHECK_EQ(KOZO_VERIFY_RIGHTS(what), KOZO_READ | KOZO_WRITE | KOZO_GRANT);
    CHECK_EQ(KOZO_VERIFY_USER(what), 0xff);
    CHECK(what & KOZO_VERIFY_SAME);
    CHECK(!(what & KOZO_VERIFY_BADGED));
    CHECK_EQ(host.init->frame.reg[1], 0);
}

/* I2. */
TEST(rights_only_shrink_down_the_tree)
{
    host_boot();
    CHECK_OK(copy(A, SLOT_EP, KOZO_RIGHTS(KOZO_READ | KOZO_WRITE, 0x0f)));
    CHECK_EQ(rights_of(A), KOZO_READ | KOZO_WRITE);
    CHECK_EQ(host_slot(A)->cap.user_rights, 0x0f);
    CHECK_OK(copy(B, A, KOZO_RIGHTS(KOZO_WRITE | KOZO_GRANT, 0x3c)));
    CHECK_EQ(rights_of(B), KOZO_WRITE);
    CHECK_EQ(host_slot(B)->cap.user_rights, 0x0c);
    CHECK_OK(copy(C, B, KOZO_SAME_RIGHTS));
    CHECK_EQ(rights_of(C), KOZO_WRITE);
    CHECK_EQ(host_slot(C)->cap.user_rights, 0x0c);
    CHECK_OK(copy(D, C, 0));
    CHECK_EQ(rights_of(D), 0);
}

TEST(rights_that_a_kind_has_no_use_for_are_not_given)
{
    host_boot();
    for (uint64_t kind = 1; kind < KOZO_KIND_ZOMBIE; kind++) {
        static const kozo_rights all[] = {
#define KOZO_KIND(nr, NAME, Name, rights, text) [nr] = rights,
#include <kozo/kinds.def>
#undef KOZO_KIND
        };
        for (uint64_t i = 1; i < END; i++)
            if (host_kind(i) == kind)
                CHECK_EQ(rights_of(i) & ~all[kind], 0);
    }
}

TEST(kinds_that_are_split_or_moved_cannot_be_copied)
{
    static const uint64_t unique[] = { SLOT_UNTYPED, SLOT_POOL, SLOT_IRQ, SLOT_DEVICE, B };

    host_boot();
    host_make(B, KOZO_KIND_PAGE_TABLE, 0);
    for (uint32_t i = 0; i < ARRAY_LEN(unique); i++)
        CHECK_ERR(copy(A, unique[i], KOZO_SAME_RIGHTS), UNIQUE);
}

TEST(all_other_kinds_can_be_copied_and_outlive_neither_parent_nor_original)
{
    static const uint64_t copied[] = { SLOT_CNODE, SLOT_THREAD, SLOT_SPACE, SLOT_EP,
                                       SLOT_NTFN,  SLOT_FRAME,  SLOT_DEBUG, SLOT_IOPORT };

    host_boot();
    for (uint32_t i = 0; i < ARRAY_LEN(copied); i++) {
        CHECK_OK(copy(A, copied[i], KOZO_SAME_RIGHTS));
        CHECK_OK(copy(B, A, KOZO_SAME_RIGHTS));
        CHECK_OK(call(host.init, CAP_REVOKE, 0, A));
        CHECK_EQ(host_kind(B), KOZO_KIND_NULL);
        CHECK_OK(call(host.init, CAP_DELETE, 0, A));
    }
}

TEST(copies_into_and_out_of_another_cnode)
{
    host_boot();
    host_make(CNODE, KOZO_KIND_CNODE, 3);
    CHECK_OK(call(host.init, CAP_COPY, CNODE, 7, 0, SLOT_EP, KOZO_SAME_RIGHTS));
    CHECK_ERR(call(host.init, CAP_COPY, CNODE, 8, 0, SLOT_EP, KOZO_SAME_RIGHTS), ADDRESS);
    CHECK_OK(call(host.init, CAP_COPY, 0, A, CNODE, 7, KOZO_SAME_RIGHTS));
    CHECK_OK(call(host.init, CAP_VERIFY, 0, A, 0, SLOT_EP));
    CHECK(host.init->frame.reg[0] & KOZO_VERIFY_SAME);
    CHECK_OK(call(host.init, CAP_DELETE, CNODE, 7));
    CHECK_EQ(host_kind(A), KOZO_KIND_ENDPOINT);
}

TEST(copy_tells_its_errors_in_order)
{
    host_boot();
    host_make(CNODE, KOZO_KIND_CNODE, 2);
    /* from the last to the first: each call has one more fault than the one before */
    CHECK_ERR(call(host.init, CAP_COPY, CNODE, 1, 0, SLOT_UNTYPED, KOZO_SAME_RIGHTS), UNIQUE);
    CHECK_ERR(call(host.init, CAP_COPY, CNODE, 1, 0, SLOT_UNTYPED, KOZO_SAME_RIGHTS + 1), ARGUMENT);
    CHECK_ERR(call(host.init, CAP_COPY, 0, SLOT_EP, 0, SLOT_UNTYPED, KOZO_SAME_RIGHTS + 1),
              OCCUPIED);
    CHECK_ERR(call(host.init, CAP_COPY, CNODE, 4, 0, SLOT_UNTYPED, KOZO_SAME_RIGHTS + 1), ADDRESS);
    CHECK_ERR(call(host.init, CAP_COPY, SLOT_EP, 4, 0, SLOT_UNTYPED, KOZO_SAME_RIGHTS + 1), KIND);
    CHECK_ERR(call(host.init, CAP_COPY, D, 4, 0, SLOT_UNTYPED, KOZO_SAME_RIGHTS + 1), EMPTY);
    CHECK_ERR(call(host.init, CAP_COPY, SLOT_EP, 4, 0, D, KOZO_SAME_RIGHTS + 1), EMPTY);
    CHECK_ERR(call(host.init, CAP_COPY, SLOT_EP, 4, 0, END, KOZO_SAME_RIGHTS + 1), ADDRESS);
    CHECK_ERR(call(host.init, CAP_COPY, SLOT_EP, 4, SLOT_EP, END, KOZO_SAME_RIGHTS + 1), KIND);
}

/* ---- places ---- */

TEST(slot_0_and_what_lies_outside_are_no_places)
{
    host_boot();
    static const uint64_t bad[] = { 0, END, END + 1, 1ull << 32, 1ull << 63, UINT64_MAX };
    for (uint32_t i = 0; i < ARRAY_LEN(bad); i++) {
        CHECK_ERR(copy(bad[i], SLOT_EP, 0), ADDRESS);
        CHECK_ERR(copy(A, bad[i], 0), ADDRESS);
        CHECK_ERR(call(host.init, CAP_MOVE, 0, bad[i], 0, SLOT_EP), ADDRESS);
        CHECK_ERR(call(host.init, CAP_MOVE, 0, A, 0, bad[i]), ADDRESS);
        CHECK_ERR(call(host.init, CAP_DELETE, 0, bad[i]), ADDRESS);
        CHECK_ERR(call(host.init, CAP_REVOKE, 0, bad[i]), ADDRESS);
        CHECK_ERR(call(host.init, CAP_VERIFY, 0, bad[i]), ADDRESS);
        if (bad[i] != 0)
            CHECK_ERR(call(host.init, CAP_DELETE, bad[i], A), ADDRESS);
    }
}

TEST(a_cnode_capability_permits_what_its_rights_say)
{
    host_boot();
    host_make(CNODE, KOZO_KIND_CNODE, 2);
    CHECK_OK(call(host.init, CAP_COPY, CNODE, 1, 0, SLOT_EP, KOZO_SAME_RIGHTS));
    CHECK_OK(copy(A, CNODE, KOZO_READ));
    CHECK_OK(copy(B, CNODE, KOZO_WRITE));
    CHECK_OK(copy(C, CNODE, 0));

    CHECK_OK(call(host.init, CAP_COPY, 0, D, A, 1, 0)); /* READ: out of it */
    CHECK_OK(call(host.init, CAP_VERIFY, A, 1));
    CHECK_ERR(call(host.init, CAP_COPY, A, 2, 0, SLOT_EP, 0), RIGHTS);
    CHECK_ERR(call(host.init, CAP_MOVE, 0, D + 5, A, 1), RIGHTS);
    CHECK_ERR(call(host.init, CAP_DELETE, A, 1), RIGHTS);
    CHECK_ERR(call(host.init, CAP_REVOKE, A, 1), RIGHTS);
    CHECK_ERR(call(host.init, RETYPE, SLOT_UNTYPED, KOZO_WHAT(KOZO_KIND_ENDPOINT, 0), A, 2, 1),
              RIGHTS);

    CHECK_ERR(call(host.init, CAP_COPY, 0, D + 5, B, 1, 0), RIGHTS); /* WRITE: into it */
    CHECK_ERR(call(host.init, CAP_VERIFY, B, 1), RIGHTS);
    CHECK_OK(call(host.init, CAP_COPY, B, 2, 0, SLOT_EP, 0));
    CHECK_OK(call(host.init, CAP_DELETE, B, 2));

    CHECK_ERR(call(host.init, CAP_VERIFY, C, 1), RIGHTS);
    CHECK_ERR(call(host.init, CAP_DELETE, C, 1), RIGHTS);
}

TEST(the_rights_of_the_binding_limit_a_thread_in_its_own_space)
{
    host_boot();
    struct tcb *t = host_thread(KOZO_WRITE, 0);

    CHECK_OK(call(host.init, THREAD_SUSPEND, host_thread_slot(t)));
    CHECK_OK(copy(A, host_cnode_slot(t), KOZO_READ));
    CHECK_OK(call(host.init, THREAD_BIND, host_thread_slot(t), A, 0, 0, 0, 0));
    CHECK_OK(call(host.init, THREAD_RESUME, host_thread_slot(t)));
    CHECK_OK(call(t, CAP_VERIFY, 0, SLOT_EP));
    CHECK_ERR(call(t, CAP_COPY, 0, SLOT_FREE, 0, SLOT_EP, 0), RIGHTS);
    CHECK_ERR(call(t, CAP_DELETE, 0, SLOT_EP), RIGHTS);
}

TEST(a_thread_without_a_capability_space_finds_nothing)
{
    host_boot();
    struct tcb *t = host_thread(KOZO_WRITE, 0);

    slot_delete(&t->binding[TCB_CSPACE]);
    CHECK_ERR(call(t, SEND, SLOT_EP, INFO(0)), ADDRESS);
    CHECK_ERR(call(t, CAP_VERIFY, 0, SLOT_EP), ADDRESS);
    CHECK_ERR(call(t, CAP_DELETE, 0, SLOT_EP), ADDRESS);
}

/* ---- mint ---- */

TEST(a_minted_badge_is_delivered_whole)
{
    static const uint64_t badge[] = { 1, 0x8000000000000000, UINT64_MAX, 0 };

    host_boot();
    struct tcb *server = host_thread(KOZO_READ, 0);
    for (uint32_t i = 0; i < ARRAY_LEN(badge); i++) {
        CHECK_OK(mint(A, SLOT_EP, KOZO_SAME_RIGHTS, badge[i]));
        CHECK_EQ(host.init->frame.reg[0], badge[i]);
        call(server, RECV, SLOT_EP);
        CHECK_OK(call(host.init, SEND, A, INFO(0)));
        CHECK_EQ(server->frame.badge, badge[i]);
        CHECK_OK(call(host.init, CAP_VERIFY, 0, A));
        CHECK(host.init->frame.reg[0] & KOZO_VERIFY_BADGED);
        CHECK_EQ(host.init->frame.reg[1], badge[i]);
        CHECK_OK(call(host.init, CAP_DELETE, 0, A));
    }
}

TEST(a_badge_is_set_once_even_if_it_is_0)
{
    host_boot();
    CHECK_OK(mint(A, SLOT_EP, KOZO_SAME_RIGHTS, 0));
    CHECK_ERR(mint(B, A, KOZO_SAME_RIGHTS, 5), BADGED);
    CHECK_ERR(mint(B, A, KOZO_SAME_RIGHTS, 0), BADGED);
    CHECK_ERR(mint(B, A, KOZO_SAME_RIGHTS | KOZO_MINT_FRESH, 0), BADGED);
    CHECK_OK(copy(B, A, KOZO_SAME_RIGHTS)); /* a copy has it too */
    CHECK_ERR(mint(C, B, KOZO_SAME_RIGHTS, 5), BADGED);
}

TEST(a_mint_takes_rights_away_too)
{
    host_boot();
    CHECK_OK(mint(A, SLOT_EP, KOZO_RIGHTS(KOZO_WRITE, 3), 5));
    CHECK_EQ(rights_of(A), KOZO_WRITE);
    CHECK_EQ(host_slot(A)->cap.user_rights, 3);
}

TEST(only_endpoints_and_notifications_carry_badges)
{
    host_boot();
    CHECK_OK(mint(A, SLOT_NTFN, KOZO_SAME_RIGHTS, 5));
    CHECK_ERR(mint(B, SLOT_FRAME, KOZO_SAME_RIGHTS, 5), KIND);
    CHECK_ERR(mint(B, SLOT_UNTYPED, KOZO_SAME_RIGHTS, 5), KIND);
    CHECK_ERR(mint(B, SLOT_THREAD, KOZO_SAME_RIGHTS, 5), KIND);
}

TEST(fresh_badges_are_never_0_never_alike_and_depend_on_the_key)
{
    static uint64_t seen[64];

    host_boot();
    for (uint32_t i = 0; i < ARRAY_LEN(seen); i++) {
        CHECK_OK(mint(A, SLOT_EP, KOZO_SAME_RIGHTS | KOZO_MINT_FRESH, 77));
        seen[i] = host.init->frame.reg[0];
        CHECK_EQ(host_slot(A)->cap.a, seen[i]);
        CHECK(seen[i] != 0 && seen[i] != 77);
        for (uint32_t j = 0; j < i; j++)
            CHECK(seen[i] != seen[j]);
        CHECK_OK(call(host.init, CAP_DELETE, 0, A));
    }
    kernel.badges = (struct badge_source){ .key = { 1, 2 } };
    CHECK_OK(mint(A, SLOT_EP, KOZO_SAME_RIGHTS | KOZO_MINT_FRESH, 0));
    CHECK(host.init->frame.reg[0] != seen[0]);
}

/* The reference values of the paper: key 00 01 .. 0f; message 00 01 .. 07. */
TEST(siphash_agrees_with_its_paper)
{
    const uint64_t key[2] = { 0x0706050403020100, 0x0f0e0d0c0b0a0908 };

    CHECK_EQ(siphash_word(key, 0x0706050403020100), 0x93f5f5799a932462);
}

/* ---- move ---- */

TEST(a_moved_capability_keeps_parent_and_children)
{
    host_boot();
    CHECK_OK(copy(A, SLOT_EP, KOZO_SAME_RIGHTS));
    CHECK_OK(copy(B, A, KOZO_SAME_RIGHTS));
    CHECK_OK(call(host.init, CAP_MOVE, 0, C, 0, A));
    CHECK_EQ(host_kind(A), KOZO_KIND_NULL);
    CHECK_OK(call(host.init, CAP_REVOKE, 0, C));
    CHECK_EQ(host_kind(B), KOZO_KIND_NULL);
    CHECK_EQ(host_kind(C), KOZO_KIND_ENDPOINT);
    CHECK_OK(call(host.init, CAP_REVOKE, 0, SLOT_EP));
    CHECK_EQ(host_kind(C), KOZO_KIND_NULL);
}

TEST(kinds_that_cannot_be_copied_can_be_moved_and_work_from_there)
{
    host_boot();
    CHECK_OK(call(host.init, CAP_MOVE, 0, A, 0, SLOT_UNTYPED));
    CHECK_OK(call(host.init, RETYPE, A, KOZO_WHAT(KOZO_KIND_ENDPOINT, 0), 0, B, 1));
    CHECK_OK(call(host.init, CAP_MOVE, 0, C, 0, SLOT_POOL));
    CHECK_OK(call(host.init, THREAD_CREATE, C, 0, D, 0, 200));
}

TEST(move_errors)
{
    host_boot();
    CHECK_ERR(call(host.init, CAP_MOVE, 0, SLOT_NTFN, 0, SLOT_EP), OCCUPIED);
    CHECK_ERR(call(host.init, CAP_MOVE, 0, SLOT_EP, 0, SLOT_EP), OCCUPIED); /* onto itself */
    CHECK_ERR(call(host.init, CAP_MOVE, 0, A, 0, B), EMPTY);
    CHECK_ERR(call(host.init, CAP_MOVE, SLOT_EP, A, 0, SLOT_EP), KIND);
}

TEST(a_cnode_can_be_moved_into_itself)
{
    host_boot();
    host_make(CNODE, KOZO_KIND_CNODE, 3);
    CHECK_OK(
        call(host.init, CAP_MOVE, CNODE, 5, 0, CNODE)); /* nobody reaches it now, but its Untyped */
    CHECK_EQ(host_kind(CNODE), KOZO_KIND_NULL);
    uint64_t caps = kernel.caps;
    CHECK_OK(call(host.init, CAP_REVOKE, 0, SLOT_NTFN)); /* something unconcerned */
    CHECK_EQ(kernel.caps, caps);
}

/* ---- delete ---- */

TEST(deletion_is_not_revocation)
{
    host_boot();
    CHECK_OK(copy(A, SLOT_EP, KOZO_SAME_RIGHTS));
    CHECK_OK(copy(B, A, KOZO_SAME_RIGHTS));
    CHECK_OK(copy(C, B, KOZO_SAME_RIGHTS));
    CHECK_OK(call(host.init, CAP_DELETE, 0, A));
    CHECK_OK(call(host.init, CAP_DELETE, 0, B));
    CHECK_EQ(host_kind(C), KOZO_KIND_ENDPOINT);
    CHECK_OK(call(host.init, CAP_REVOKE, 0, SLOT_EP)); /* now its giver */
    CHECK_EQ(host_kind(C), KOZO_KIND_NULL);
    CHECK_EQ(host_kind(SLOT_EP), KOZO_KIND_ENDPOINT);
}

TEST(deleting_what_is_empty_is_an_error)
{
    host_boot();
    CHECK_ERR(call(host.init, CAP_DELETE, 0, A), EMPTY);
    CHECK_ERR(call(host.init, CAP_REVOKE, 0, A), EMPTY);
}

TEST(every_capability_counts)
{
    host_boot();
    uint64_t before = kernel.caps;
    CHECK_OK(call(host.init, DEBUG_STAT, SLOT_DEBUG, KOZO_STAT_CAPS));
    CHECK_EQ(host.init->frame.reg[0], before);
    CHECK_OK(copy(A, SLOT_EP, 0));
    CHECK_EQ(kernel.caps, before + 1);
    CHECK_OK(call(host.init, CAP_MOVE, 0, B, 0, A));
    CHECK_EQ(kernel.caps, before + 1);
    CHECK_OK(call(host.init, CAP_DELETE, 0, B));
    CHECK_EQ(kernel.caps, before);
}

/* ---- verify ---- */

TEST(verify_tells_kind_size_and_device)
{
    host_boot();
    host_make(A, KOZO_KIND_UNTYPED, 14);
    CHECK_OK(call(host.init, CAP_VERIFY, 0, A));
    CHECK_EQ(KOZO_VERIFY_KIND(host.init->frame.reg[0]), KOZO_KIND_UNTYPED);
    CHECK_EQ(KOZO_VERIFY_SIZE(host.init->frame.reg[0]), 14);
    CHECK_OK(call(host.init, CAP_VERIFY, 0, SLOT_CNODE));
    CHECK_EQ(KOZO_VERIFY_SIZE(host.init->frame.reg[0]), HOST_ROOT_BITS);
    CHECK_OK(call(host.init, CAP_VERIFY, 0, SLOT_DEVICE));
    CHECK(host.init->frame.reg[0] & KOZO_VERIFY_DEVICE);
    CHECK_OK(call(host.init, CAP_VERIFY, 0, SLOT_FRAME));
    CHECK_EQ(KOZO_VERIFY_SIZE(host.init->frame.reg[0]), KOZO_PAGE_BITS);
    CHECK(!(host.init->frame.reg[0] & KOZO_VERIFY_MAPPED));
}

TEST(verify_tells_different_objects_apart)
{
    host_boot();
    host_make(A, KOZO_KIND_ENDPOINT, 0);
    CHECK_OK(call(host.init, CAP_VERIFY, 0, A, 0, SLOT_EP));
    CHECK(!(host.init->frame.reg[0] & KOZO_VERIFY_SAME));
    CHECK_OK(call(host.init, CAP_VERIFY, 0, A, 0, A));
    CHECK(host.init->frame.reg[0] & KOZO_VERIFY_SAME);
}

/* I10: a pool's index, a line's number are no business of a user either. */
TEST(verify_discloses_no_record_and_no_address)
{
    host_boot();
    host_make(A, KOZO_KIND_FRAME, KOZO_PAGE_BITS);
    for (uint64_t i = 1; i < END; i++) {
        if (host_kind(i) == KOZO_KIND_NULL)
            continue;
        CHECK_OK(call(host.init, CAP_VERIFY, 0, i));
        CHECK_EQ(host.init->frame.reg[0] >> 36, 0);
        if (host_kind(i) != KOZO_KIND_ENDPOINT && host_kind(i) != KOZO_KIND_NOTIFICATION)
            CHECK_EQ(host.init->frame.reg[1], 0);
    }
}
