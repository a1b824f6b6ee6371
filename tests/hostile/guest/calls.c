/* SPDX-License-Identifier: MIT */
/*
 * System calls as an attacker makes them: any number with any arguments, capabilities of the wrong
 * kind or without the right, addresses and descriptors that are forged.
 */
#include "attack.h"

/* One capability of each kind that a test can make, at the slot of that kind's number. */
constexpr unsigned KINDS = KOZO_KIND_DEBUG + 1;
constexpr unsigned BITS = 6;

static struct kozo_thread dummy;

static void fill_kinds(struct kozo_cnode c, uint64_t rights)
{
    kozo_cptr from[KINDS] = {
        [KOZO_KIND_CNODE] = kozo_test_cnode(3).c,
        [KOZO_KIND_ENDPOINT] = kozo_test_endpoint().c,
        [KOZO_KIND_NOTIFICATION] = kozo_test_notification().c,
        [KOZO_KIND_ADDRESS_SPACE] = kozo_test_space().c,
        [KOZO_KIND_FRAME] = kozo_test_frame().c,
        [KOZO_KIND_IO_PORT] = KOZO_INIT_IOPORT,
        [KOZO_KIND_DEBUG] = KOZO_INIT_DEBUG,
    };
    kozo_cptr table = kozo_test_slot();

    dummy.c = kozo_test_slot();
    KOZO_CHECK_OK(kozo_thread_create(kozo_test_pool(), kozo_own(dummy.c), 0, 200));
    KOZO_CHECK_OK(kozo_retype(kozo_test_memory(), KOZO_KIND_PAGE_TABLE, 0, kozo_own(table), 1));
    from[KOZO_KIND_THREAD] = dummy.c;
    KOZO_CHECK_OK(kozo_cap_move(kozo_in(c, KOZO_KIND_PAGE_TABLE), kozo_own(table)));
    for (unsigned k = 1; k < KINDS; k++)
        if (from[k] != 0)
            KOZO_CHECK_OK(kozo_cap_copy(kozo_in(c, k), kozo_own(from[k]), rights));
}

/* A thread whose whole authority is `c`. */
static struct kozo_worker confined(struct kozo_cnode c, struct kozo_endpoint fault)
{
    struct kozo_worker w = doing_later(LATER);

    KOZO_CHECK_OK(kozo_thread_bind(w.thread, c, (struct kozo_space){ 0 }, (struct kozo_frame){ 0 },
                                   0, fault));
    return w;
}

/* ---- wrong kind, missing right ---- */

struct need {
    uint8_t nr, kind, rights;
};
/* Calls whose first argument is a capability, and what it must be. */
static const struct need needs[] = {
    { KOZO_SYS_CALL, KOZO_KIND_ENDPOINT, KOZO_WRITE },
    { KOZO_SYS_REPLY_RECV, KOZO_KIND_ENDPOINT, KOZO_READ },
    { KOZO_SYS_SEND, KOZO_KIND_ENDPOINT, KOZO_WRITE },
    { KOZO_SYS_RECV, KOZO_KIND_ENDPOINT, KOZO_READ },
    { KOZO_SYS_REPLY, KOZO_KIND_REPLY, KOZO_WRITE },
    { KOZO_SYS_SIGNAL, KOZO_KIND_NOTIFICATION, KOZO_WRITE },
    { KOZO_SYS_WAIT, KOZO_KIND_NOTIFICATION, KOZO_READ },
    { KOZO_SYS_POLL, KOZO_KIND_NOTIFICATION, KOZO_READ },
    { KOZO_SYS_REPLY_SAVE, KOZO_KIND_CNODE, KOZO_WRITE },
    { KOZO_SYS_CAP_DELETE, KOZO_KIND_CNODE, KOZO_WRITE },
    { KOZO_SYS_CAP_REVOKE, KOZO_KIND_CNODE, KOZO_WRITE },
    { KOZO_SYS_CAP_VERIFY, KOZO_KIND_CNODE, KOZO_READ },
    { KOZO_SYS_RETYPE, KOZO_KIND_UNTYPED, KOZO_WRITE },
    { KOZO_SYS_UNTYPED_CLEAR, KOZO_KIND_UNTYPED, KOZO_WRITE },
    { KOZO_SYS_UNTYPED_INFO, KOZO_KIND_UNTYPED, KOZO_WRITE },
    { KOZO_SYS_POOL_SPLIT, KOZO_KIND_THREAD_POOL, KOZO_WRITE },
    { KOZO_SYS_POOL_INFO, KOZO_KIND_THREAD_POOL, KOZO_WRITE },
    { KOZO_SYS_THREAD_CREATE, KOZO_KIND_THREAD_POOL, KOZO_WRITE },
    { KOZO_SYS_THREAD_BIND, KOZO_KIND_THREAD, KOZO_WRITE },
    { KOZO_SYS_THREAD_BIND_NTFN, KOZO_KIND_THREAD, KOZO_WRITE },
    { KOZO_SYS_THREAD_START, KOZO_KIND_THREAD, KOZO_WRITE },
    { KOZO_SYS_THREAD_SUSPEND, KOZO_KIND_THREAD, KOZO_WRITE },
    { KOZO_SYS_THREAD_RESUME, KOZO_KIND_THREAD, KOZO_WRITE },
    { KOZO_SYS_THREAD_PRIORITY, KOZO_KIND_THREAD, KOZO_WRITE },
    { KOZO_SYS_THREAD_INFO, KOZO_KIND_THREAD, KOZO_READ },
    { KOZO_SYS_SPACE_FEED, KOZO_KIND_ADDRESS_SPACE, KOZO_MAP },
    { KOZO_SYS_MAP, KOZO_KIND_ADDRESS_SPACE, KOZO_MAP },
    { KOZO_SYS_UNMAP, KOZO_KIND_CNODE, KOZO_WRITE },
    { KOZO_SYS_PROTECT, KOZO_KIND_CNODE, KOZO_WRITE },
    { KOZO_SYS_IRQ_CLAIM, KOZO_KIND_IRQ_CONTROL, KOZO_WRITE },
    { KOZO_SYS_IRQ_BIND, KOZO_KIND_IRQ_HANDLER, KOZO_WRITE },
    { KOZO_SYS_IRQ_ACK, KOZO_KIND_IRQ_HANDLER, KOZO_WRITE },
    { KOZO_SYS_IOPORT_IN, KOZO_KIND_IO_PORT, KOZO_READ },
    { KOZO_SYS_IOPORT_OUT, KOZO_KIND_IO_PORT, KOZO_WRITE },
    { KOZO_SYS_DEBUG_WRITE, KOZO_KIND_DEBUG, KOZO_WRITE },
    { KOZO_SYS_DEBUG_DUMP, KOZO_KIND_DEBUG, KOZO_READ },
    { KOZO_SYS_DEBUG_STAT, KOZO_KIND_DEBUG, KOZO_READ },
    { KOZO_SYS_DEBUG_LOG, KOZO_KIND_DEBUG, KOZO_READ },
    { KOZO_SYS_DEBUG_TRACE, KOZO_KIND_DEBUG, KOZO_WRITE },
    { KOZO_SYS_DEBUG_EVENTS, KOZO_KIND_DEBUG, KOZO_READ },
    { KOZO_SYS_DEBUG_TREE, KOZO_KIND_DEBUG, KOZO_READ },
};
constexpr unsigned NEEDS = sizeof(needs) / sizeof(needs[0]);

struct matrix {
    unsigned right, wrong;
    uint8_t nr, slot, err; /* the last that was wrong */
};

/* Every call with every slot; what it may answer is fixed by the slot's kind. */
static void try_kinds(void *arg)
{
    struct matrix *m = arg;

    for (unsigned i = 0; i < NEEDS; i++)
        for (uint64_t slot = 1; slot < KINDS; slot++) {
            enum kozo_err err = kozo_syscall_err(needs[i].nr, slot, 0, 0, 0, 0, 0);
            bool ok = err == KOZO_ERR_EMPTY ||
                      (slot == needs[i].kind ? err == KOZO_ERR_RIGHTS : err == KOZO_ERR_KIND);

            m->right += ok;
            if (!ok) {
                m->wrong++;
                m->nr = needs[i].nr;
                m->slot = (uint8_t)slot;
                m->err = (uint8_t)err;
            }
        }
}

KOZO_TEST(every_call_with_a_capability_of_every_kind_without_rights)
{
    struct witness v = witness();
    struct kozo_cnode c = kozo_test_cnode(BITS);
    struct matrix m = {};
    struct kozo_worker w;

    fill_kinds(c, 0);
    w = confined(c, (struct kozo_endpoint){ 0 });
    KOZO_CHECK_OK(kozo_worker_run(&w, try_kinds, &m));
    AWAIT(state_of(&w) == KOZO_THREAD_FAULTED);
    KOZO_CHECK_EQ(kozo_buffer()->word[KOZO_THREAD_WORD_FAULT], KOZO_FAULT_EXIT);
    KOZO_CHECK_EQ(m.right, NEEDS * (KINDS - 1));
    if (m.wrong != 0)
        KOZO_FAIL("call %u with kind %u: %s", m.nr, m.slot, kozo_err_name(m.err));
    unharmed(&v);
}

/* All rights but the one that is needed. */
KOZO_TEST(every_call_without_the_one_right_it_needs)
{
    struct witness v = witness();
    struct kozo_cnode c = kozo_test_cnode(BITS);

    fill_kinds(c, KOZO_SAME_RIGHTS);
    for (unsigned i = 0; i < NEEDS; i++) {
        kozo_cptr weak = kozo_test_slot();

        if (kozo_cap_copy(kozo_own(weak), kozo_in(c, needs[i].kind),
                          KOZO_SAME_RIGHTS & ~(uint64_t)needs[i].rights) == KOZO_OK)
            KOZO_CHECK_ERR(kozo_syscall_err(needs[i].nr, weak, 1, 1, 1, 1, 1), KOZO_ERR_RIGHTS);
        kozo_slot_drop(weak);
    }
    unharmed(&v);
}

/* ---- forged addresses ---- */

KOZO_TEST(capability_addresses_that_wrap)
{
    struct witness v = witness();
    struct kozo_cnode c = kozo_test_cnode(2);
    uint64_t seed = 5;

    KOZO_REQUIRE_OK(kozo_cap_copy(kozo_in(c, 1), kozo_own(v.ep.c), 0));
    for (unsigned i = 0; i < 64; i++) {
        uint64_t far = i < 12 ? (1ull << 63) >> i : 1ull << i;
        kozo_cptr forged[] = { v.ep.c | far, v.ep.c + (far << 1), 0 - v.ep.c, ~v.ep.c,
                               random_of(&seed) | 1ull << 40 };

        for (unsigned k = 0; k < 5; k++)
            if (forged[k] >= 1u << KOZO_INIT_CNODE_BITS) {
                KOZO_CHECK_ERR(kozo_syscall_err(KOZO_SYS_SEND, forged[k], 0), KOZO_ERR_ADDRESS);
                KOZO_CHECK_ERR(kozo_cap_delete(kozo_own(forged[k])), KOZO_ERR_ADDRESS);
                KOZO_CHECK_ERR(kozo_cap_delete(kozo_in(c, forged[k])), KOZO_ERR_ADDRESS);
                KOZO_CHECK_ERR(kozo_cap_move(kozo_in(c, forged[k]), kozo_in(c, 1)),
                               KOZO_ERR_ADDRESS);
                KOZO_CHECK_ERR(kozo_cap_copy(kozo_own(forged[k]), kozo_in(c, 1), 31),
                               KOZO_ERR_ADDRESS);
            }
    }
    KOZO_CHECK_ERR(kozo_cap_delete(kozo_in(c, 4)), KOZO_ERR_ADDRESS);
    unharmed(&v);
}

KOZO_TEST(slot_0_is_the_kernels_own)
{
    struct witness v = witness();
    struct kozo_cnode c = kozo_test_cnode(2);

    KOZO_CHECK_ERR(kozo_cap_copy(kozo_in(c, 0), kozo_own(v.ep.c), 31), KOZO_ERR_ADDRESS);
    KOZO_CHECK_ERR(kozo_cap_move(kozo_in(c, 0), kozo_own(v.ep.c)), KOZO_ERR_ADDRESS);
    KOZO_CHECK_ERR(kozo_cap_delete(kozo_in(c, 0)), KOZO_ERR_ADDRESS);
    KOZO_CHECK_ERR(kozo_cap_revoke(kozo_in(c, 0)), KOZO_ERR_ADDRESS);
    KOZO_CHECK_ERR(kozo_reply_save(kozo_in(c, 0)), KOZO_ERR_ADDRESS);
    KOZO_CHECK_ERR(kozo_retype(kozo_test_memory(), KOZO_KIND_ENDPOINT, 0, kozo_in(c, 0), 1),
                   KOZO_ERR_ADDRESS);
    unharmed(&v);
}

KOZO_TEST(objects_that_nobody_makes_are_not_retyped)
{
    struct witness v = witness();
    struct kozo_untyped u = kozo_test_untyped(16);
    kozo_cptr to = kozo_test_slot();

    for (uint64_t kind = 0; kind < 256; kind++)
        for (uint64_t bits = 0; bits < 256; bits += bits < 70 ? 1 : 37) {
            enum kozo_err err =
                kozo_syscall_err(KOZO_SYS_RETYPE, u.c, KOZO_WHAT(kind, bits), 0, to, 1);

            if (err == KOZO_OK) {
                KOZO_CHECK(kind == KOZO_KIND_UNTYPED || kind == KOZO_KIND_CNODE ||
                           kind == KOZO_KIND_ENDPOINT || kind == KOZO_KIND_NOTIFICATION ||
                           kind == KOZO_KIND_ADDRESS_SPACE || kind == KOZO_KIND_PAGE_TABLE ||
                           kind == KOZO_KIND_FRAME);
                KOZO_CHECK_EQ(kind_at(to), kind);
                KOZO_CHECK_OK(kozo_cap_delete(kozo_own(to)));
            }
        }
    for (unsigned i = 16; i < 64; i++)
        KOZO_CHECK_ERR(kozo_syscall_err(KOZO_SYS_RETYPE, u.c,
                                        KOZO_WHAT(KOZO_KIND_ENDPOINT, 0) | 1ull << i, 0, to, 1),
                       KOZO_ERR_ARGUMENT);
    KOZO_CHECK_EQ(kozo_untyped_info(u).free, 1 << 16);
    unharmed(&v);
}

KOZO_TEST(authority_grows_by_no_mint)
{
    struct witness v = witness();
    kozo_cptr weak = kozo_test_copy(v.ep.c, KOZO_RIGHTS(KOZO_WRITE, 0x0f)), to = kozo_test_slot();

    for (uint64_t rights = 0; rights < 0x10000; rights += 255) {
        KOZO_REQUIRE_OK(kozo_cap_mint(kozo_own(to), kozo_own(weak), rights, 7).err);
        KOZO_CHECK_EQ(KOZO_VERIFY_RIGHTS(verify(to)) & ~KOZO_WRITE, 0);
        KOZO_CHECK_EQ(KOZO_VERIFY_USER(verify(to)) & ~0x0f, 0);
        KOZO_CHECK_OK(kozo_cap_delete(kozo_own(to)));
    }
    for (unsigned i = 17; i < 64; i++)
        KOZO_CHECK_ERR(kozo_cap_copy(kozo_own(to), kozo_own(weak), 1ull << i), KOZO_ERR_ARGUMENT);
    unharmed(&v);
}

/* Descriptors of a message name what the sender does not have, in every field. */
KOZO_TEST(forged_capability_descriptors_bring_nothing)
{
    struct witness v = witness();
    struct kozo_endpoint ep = kozo_test_endpoint();
    struct doing d = { .nr = KOZO_SYS_RECV };
    struct kozo_worker r = doing_later(URGENT);
    kozo_cptr window = kozo_slots_alloc(3);
    uint64_t caps = kozo_test_stat(KOZO_STAT_CAPS), seed = 9;

    for (unsigned i = 0; i < 1000; i++) {
        struct kozo_ipc_buffer *b = kozo_buffer();
        struct kozo_words x = { .cap = ep.c, .info = 3ull << KOZO_INFO_CAPS_SHIFT };

        d.x = (struct kozo_words){ .cap = ep.c, .info = KOZO_INFO_RECV_CAPS };
        d.done = false;
        buffer_of(&r)->recv_slot = (uint32_t)window;
        buffer_of(&r)->recv_count = 3;
        KOZO_REQUIRE_OK(kozo_worker_run(&r, do_it, &d));
        for (unsigned k = 0; k < 3; k++)
            b->cap[k] = (struct kozo_cap_desc){ .slot = (uint32_t)random_of(&seed) |
                                                        1u << KOZO_INIT_CNODE_BITS,
                                                .rights = (uint8_t)random_of(&seed),
                                                .user_rights = (uint8_t)random_of(&seed),
                                                .flags = (uint8_t)random_of(&seed),
                                                .reserved = (uint8_t)random_of(&seed),
                                                .badge = random_of(&seed) };
        KOZO_REQUIRE_OK(kozo_ipc(KOZO_SYS_SEND, &x));
        AWAIT(d.done);
        KOZO_CHECK_EQ(d.x.info & KOZO_INFO_CAPS_MASK, 0);
        KOZO_CHECK_EQ(buffer_of(&r)->received, 0);
    }
    KOZO_CHECK_EQ(kozo_test_stat(KOZO_STAT_CAPS), caps);
    unharmed(&v);
}

/* ---- any call with any argument ---- */

struct storm {
    uint64_t seed, calls, done;
};

static uint64_t argument(uint64_t *seed)
{
    static const uint64_t edges[] = { 0,
                                      1,
                                      2,
                                      3,
                                      63,
                                      64,
                                      255,
                                      256,
                                      4095,
                                      4096,
                                      0x7fffffffefff,
                                      0x7ffffffff000,
                                      1ull << 32,
                                      1ull << 47,
                                      1ull << 63,
                                      UINT64_MAX };
    uint64_t r = random_of(seed);

    return r % 4 == 0 ? edges[r / 4 % 16] : r % 4 == 1 ? random_of(seed) : r / 4 % KINDS;
}

/* Waits are bounded; the thread does not end itself. */
static void storm_runs(void *arg)
{
    struct storm *s = arg;

    while (s->done < s->calls) {
        struct kozo_words x = { .cap = argument(&s->seed), .info = argument(&s->seed) };
        uint64_t nr = random_of(&s->seed) % 128;

        for (unsigned i = 0; i < KOZO_MSG_REGS; i++)
            x.w[i] = argument(&s->seed);
        s->done++;
        if (nr != KOZO_SYS_THREAD_EXIT)
            (void)kozo_ipc_until(nr, &x, 0);
    }
}

/* Runs the storm to its end, whatever it does to its own thread. */
static void storm(struct kozo_cnode c, uint64_t seed)
{
    struct witness v = witness();
    struct kozo_endpoint ep = kozo_test_endpoint();
    struct storm s = { .seed = seed, .calls = 100'000 };
    struct kozo_worker w = confined(c, ep);
    uint64_t end = kozo_now() + 20 * KOZO_S;

    KOZO_CHECK_OK(kozo_worker_run(&w, storm_runs, &s));
    while (s.done < s.calls && kozo_now() < end) {
        struct kozo_msg m;

        kozo_msg_init(&m);
        kozo_msg_deadline(&m, kozo_now() + KOZO_MS);
        if (kozo_recv(ep, &m) == KOZO_OK) {
            kozo_msg_init(&m);
            (void)kozo_reply(&m); /* a call from 100 on: it goes on */
        } else if (kozo_thread_info(w.thread).state != KOZO_THREAD_READY) {
            (void)kozo_thread_suspend(w.thread);
            (void)kozo_thread_resume(w.thread);
        }
    }
    if (s.done < s.calls)
        KOZO_FAIL("seed %lx: %lu calls of %lu", seed, s.done, s.calls);
    unharmed(&v);
}

KOZO_TEST(storm_of_calls_without_capabilities)
{
    storm(kozo_test_cnode(BITS), 0x51);
}

KOZO_TEST(storm_of_calls_with_every_kind_and_no_rights)
{
    struct kozo_cnode c = kozo_test_cnode(BITS);

    fill_kinds(c, 0);
    storm(c, 0x52);
}

KOZO_TEST(storm_of_calls_with_every_kind_read_only)
{
    struct kozo_cnode c = kozo_test_cnode(BITS);

    fill_kinds(c, KOZO_READ);
    storm(c, 0x53);
}

/* Its own objects, memory and threads, with all rights; all but ports, behind which is the machine.
 */
KOZO_TEST(storm_of_calls_with_a_world_of_its_own)
{
    struct kozo_cnode c = kozo_test_cnode(BITS);

    fill_kinds(c, KOZO_SAME_RIGHTS);
    KOZO_CHECK_OK(kozo_cap_delete(kozo_in(c, KOZO_KIND_IO_PORT)));
    KOZO_CHECK_OK(kozo_cap_move(kozo_in(c, KOZO_KIND_UNTYPED), kozo_own(kozo_test_untyped(18).c)));
    KOZO_CHECK_OK(kozo_pool_split(kozo_test_pool(), kozo_in(c, KOZO_KIND_THREAD_POOL), 4));
    for (uint64_t seed = 0x54; seed < 0x58; seed++)
        storm(c, seed);
}

KOZO_TEST(the_kernels_stacks_have_room)
{
    stacks_have_room();
}
