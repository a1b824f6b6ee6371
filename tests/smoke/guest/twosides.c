/* SPDX-License-Identifier: MIT */
/*
 * Random messages between threads of two address spaces: all that any of them sees, and the order
 * in which they see it, becomes one number. test_twosides.py compares that of two kernels.
 *
 * No two threads have the same priority and no deadline lies ahead, so time decides nothing.
 * kozo.seed=N on the command line chooses the numbers.
 */
#include "registers.h"
#include "peer.h"

#include <kozo/memory.h>
#include <kozo/window.h>

WITH_REGISTERS(system_call, "syscall");

constexpr unsigned ACTORS = 8, ENDPOINTS = 3, CAPS = 6, ODD = 6, WINDOW = 2;
constexpr unsigned OPERATIONS = 700, ROUNDS = 2000;
constexpr uint32_t HANDLER = 8, MOST_URGENT = 16;

struct actor {
    uint64_t self; /* its own address: what %fs:0 reads if that is its FS base */
    uint64_t random;
    uint64_t left; /* operations */
    uint64_t number;
    kozo_cptr window;
    bool server, fpu, fs;
};

/* In a page that both spaces have. */
struct world {
    uint64_t hash, random;
    kozo_cptr cap[ENDPOINTS][CAPS]; /* the first is the endpoint's own, the others come from it */
    kozo_cptr odd[ODD];             /* nothing, out of range, of another kind */
    struct kozo_notification note[2];
    struct kozo_endpoint faults;
    struct actor actor[ACTORS];
};
static_assert(sizeof(struct world) <= KOZO_PAGE_SIZE);

static struct world *world;
static struct kozo_space other;
static struct kozo_worker worker[ACTORS];

static void fold(uint64_t v)
{
    uint64_t h = (world->hash ^ v) * 0x9e3779b97f4a7c15;

    world->hash = h ^ h >> 29;
}

static uint64_t draw(uint64_t *random)
{
    *random ^= *random << 13;
    *random ^= *random >> 7;
    *random ^= *random << 17;
    return *random * 0x2545f4914f6cdd1d;
}

static unsigned below(uint64_t *random, unsigned limit)
{
    return (unsigned)((draw(random) >> 32) % limit);
}

/* ---- one call ---- */

static uint64_t number_of(uint64_t *random, bool server)
{
    static const uint64_t calls[2][16] = {
        { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 2, 1, 3, 4 },
        { 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 3, 3, 4, 2, 0 },
    };

    return calls[server][below(random, 16)];
}

static kozo_cptr cap_of(uint64_t *random)
{
    unsigned ep = below(random, ENDPOINTS), which = below(random, 16);

    if (which == 0)
        return world->odd[below(random, ODD)];
    return world->cap[ep][which < 10 ? which & 1 : which % CAPS];
}

static uint64_t info_of(uint64_t *random)
{
    uint64_t info = draw(random) << KOZO_INFO_LABEL_SHIFT;

    switch (below(random, 16)) {
    case 0:
        info |= (uint64_t)below(random, 5) << KOZO_INFO_CAPS_SHIFT | KOZO_INFO_RECV_CAPS;
        break;
    case 1:
        info |= KOZO_INFO_DEADLINE | below(random, KOZO_MSG_EXTRA);
        break;
    case 2:
        info |= KOZO_INFO_RECV_CAPS;
        break;
    case 3:
        info |= 1ull << below(random, 32);
        break;
    case 4:
    case 5:
    case 6:
        info |= below(random, 64);
        break;
    default:
        break;
    }
    return info;
}

/* What would be sent beside the registers. */
static void prepare_buffer(struct actor *a, uint64_t info)
{
    struct kozo_ipc_buffer *b = kozo_buffer();

    b->recv_slot = (uint32_t)a->window;
    b->recv_count = (uint16_t)below(&a->random, WINDOW + 1);
    b->sent = 0x5e;
    b->received = 0x4e;
    for (unsigned i = 0; i < KOZO_MSG_CAPS; i++)
        b->cap[i] = (struct kozo_cap_desc){ .slot = (uint32_t)cap_of(&a->random),
                                            .rights = (uint8_t)below(&a->random, 32),
                                            .user_rights = (uint8_t)draw(&a->random) };
    if (below(&a->random, 2) == 0)
        b->cap[0] = (struct kozo_cap_desc){ .slot = (uint32_t)a->window, .flags = KOZO_CAP_MOVE };
    for (unsigned i = 0; i < KOZO_MSG_EXTRA; i++)
        b->word[i] = draw(&a->random);
    if ((info & KOZO_INFO_RECV_CAPS) != 0)
        for (unsigned i = 0; i < WINDOW && below(&a->random, 2) == 0; i++)
            fold(kozo_cap_delete(kozo_own(a->window + i)));
}

static void fold_buffer(void)
{
    const struct kozo_ipc_buffer *b = kozo_buffer();

    fold(b->sent);
    fold(b->received);
    for (unsigned i = 0; i < KOZO_MSG_EXTRA; i++)
        fold(b->word[i]);
}

/* All registers go in at random, but for those that say what is called; all that come out count. */
static void operate(struct actor *a, bool waits)
{
    static const uint64_t flags[8] = { 0x202, 0x202, 0x203, 0x202, DF | 0x202, ID | 0x202, 0x202,
                                       0x202 };
    struct registers g;
    kozo_cptr cap;

    for (unsigned i = 0; i < KOZO_REG_FS_BASE; i++)
        g.r[i] = draw(&a->random);
    g.flags = flags[below(&a->random, 8)];
    if (waits && below(&a->random, 32) == 0)
        g.flags |= TF;
    g.r[KOZO_REG_RAX] = number_of(&a->random, a->server);
    g.r[KOZO_REG_RDI] = cap_of(&a->random);
    g.r[KOZO_REG_RSI] = info_of(&a->random) | (waits ? 0 : KOZO_INFO_DEADLINE);
    g.r[KOZO_REG_RBX] = below(&a->random, 2) * 1000; /* long past */
    if (g.r[KOZO_REG_RAX] == KOZO_SYS_REPLY && below(&a->random, 4) != 0)
        g.r[KOZO_REG_RDI] = 0;
    cap = g.r[KOZO_REG_RDI];
    prepare_buffer(a, g.r[KOZO_REG_RSI]);
    fold(a->number << 32 | g.r[KOZO_REG_RAX]);
    system_call(&g);
    fold(a->number);
    if (g.r[KOZO_REG_RDI] == cap)
        g.r[KOZO_REG_RDI] = UINT64_MAX; /* which slots are free is not the same in two kernels */
    for (unsigned i = 0; i < KOZO_REG_FS_BASE; i++)
        fold(g.r[i]);
    fold(g.flags);
    fold_buffer();
}

/* ---- threads ---- */

static void act(void *arg)
{
    struct actor *a = arg;
    uint64_t seen, value;

    if (a->fs)
        fold(kozo_thread_fs_base(a->self));
    while (a->left > 0) {
        a->left--;
        value = draw(&a->random);
        if (a->fpu)
            __asm__ volatile("movq %0, %%xmm3" : : "r"(value));
        if (below(&a->random, 16) == 0)
            fold(kozo_signal(world->note[value & 1], value | 1));
        operate(a, true);
        if (a->fpu) {
            __asm__ volatile("movq %%xmm3, %0" : "=r"(seen));
            fold(seen);
            KOZO_CHECK_EQ(seen, value);
        }
        if (a->fs) {
            __asm__ volatile("movq %%fs:0, %0" : "=r"(seen));
            fold(seen);
        }
    }
}

/* Lets single steps go on, up to the system call's end; other faults are the end of a thread. */
static void handle(void *)
{
    struct kozo_msg m;
    uint64_t ip, sp, flags;

    kozo_msg_init(&m);
    for (bool answered = false;;) {
        enum kozo_err err =
            answered ? kozo_reply_recv(world->faults, &m) : kozo_recv(world->faults, &m);

        if (err != KOZO_OK)
            return;
        for (unsigned i = 0; i < 5; i++)
            fold(m.word[i]);
        answered = m.word[0] == KOZO_FAULT_DEBUG;
        ip = m.word[2];
        sp = m.word[3];
        flags = m.word[4];
        kozo_msg_begin(&m, KOZO_FAULT_RESUME);
        if (ip - (uint64_t)system_call_after < 16) {
            m.label = KOZO_FAULT_LOAD;
            kozo_put_u64(&m, 0);
            kozo_put_u64(&m, 0);
            kozo_put_u64(&m, ip);
            kozo_put_u64(&m, sp);
            kozo_put_u64(&m, flags & ~TF);
        }
    }
}

static void hire(unsigned i)
{
    struct kozo_worker_options o = { .priority = MOST_URGENT + i,
                                     .flags = world->actor[i].fpu ? KOZO_THREAD_FPU : 0,
                                     .fault = world->faults,
                                     .stopped = true };

    worker[i] = i % 2 != 0 ? kozo_test_thread_in(other, &o, nullptr, nullptr)
                           : kozo_test_thread_with(&o, nullptr, nullptr);
    if (i == 3)
        KOZO_CHECK_OK(kozo_thread_bind_ntfn(worker[i].thread, world->note[0]));
    fold(kozo_worker_run(&worker[i], act, &world->actor[i]));
}

/* ---- the first thread ---- */

/* What is derived from an endpoint: badges and rights of all sorts. */
static void derive(unsigned ep)
{
    static const uint64_t rights[CAPS] = { 0, 0xff1f, 0xa506, 0x5a02, 0x1101, 0x0003 };

    for (unsigned i = 1; i < CAPS; i++)
        fold(kozo_cap_mint(kozo_own(world->cap[ep][i]), kozo_own(world->cap[ep][0]), rights[i],
                           0xbad00 + 16 * ep + i)
                 .err);
}

static void anew(unsigned ep)
{
    fold(kozo_cap_revoke(kozo_own(world->cap[ep][0])));
    if (below(&world->random, 3) == 0) {
        fold(kozo_cap_delete(kozo_own(world->cap[ep][0])));
        KOZO_CHECK_OK(kozo_retype(kozo_test_memory(), KOZO_KIND_ENDPOINT, 0,
                                  kozo_own(world->cap[ep][0]), 1));
    }
    derive(ep);
}

static void direct(struct actor *self)
{
    unsigned i = below(&world->random, ACTORS), what = below(&world->random, 64);
    struct kozo_thread t = worker[i].thread;

    if (what < 24) {
        self->server = what % 2 != 0;
        operate(self, false);
    } else if (what < 36) {
        fold(kozo_signal(world->note[what % 2], what));
    } else if (what < 44) {
        fold(kozo_thread_suspend(t));
        fold(kozo_thread_resume(t));
    } else if (what < 52) {
        fold(kozo_thread_suspend(t));
        fold(kozo_worker_run(&worker[i], act, &world->actor[i]));
    } else if (what < 58) {
        /* Equal to nobody, but before or behind any other. */
        fold(kozo_thread_priority(t, MOST_URGENT + ACTORS * below(&world->random, 4) + i,
                                  MOST_URGENT));
    } else if (what < 61) {
        anew(what % ENDPOINTS);
    } else if (what == 61) {
        i &= ~1u; /* those of this space: the others share page tables */
        kozo_worker_end(&worker[i]);
        hire(i);
    } else {
        fold(kozo_poll(world->note[1]).value);
    }
}

/* A page of both spaces. */
static void make_world(void)
{
    struct kozo_frame f = kozo_test_frame(),
                      lent = { kozo_test_copy(f.c, KOZO_READ | KOZO_WRITE | KOZO_MAP) };
    uint64_t at = kozo_window_alloc(KOZO_WINDOW_SMALL, KOZO_PAGE_SIZE);

    world = (struct world *)at;
    KOZO_REQUIRE_OK(kozo_memory_map(f, at, KOZO_READ | KOZO_WRITE));
    other = kozo_test_space_clone();
    for (unsigned i = 0; i < 3; i++) {
        struct kozo_page_table t = { kozo_test_slot() };

        KOZO_CHECK_OK(kozo_retype(kozo_test_memory(), KOZO_KIND_PAGE_TABLE, 0, kozo_own(t.c), 1));
        KOZO_CHECK_OK(kozo_space_feed(other, t));
    }
    KOZO_REQUIRE_OK(kozo_map(other, lent, at, KOZO_READ | KOZO_WRITE));
}

static void make_objects(void)
{
    world->faults = kozo_test_endpoint();
    for (unsigned i = 0; i < 2; i++)
        world->note[i] = kozo_test_notification();
    for (unsigned ep = 0; ep < ENDPOINTS; ep++) {
        world->cap[ep][0] = kozo_test_endpoint().c;
        for (unsigned i = 1; i < CAPS; i++)
            world->cap[ep][i] = kozo_test_slot();
        derive(ep);
    }
    world->odd[1] = kozo_test_slot();
    world->odd[2] = 1 << KOZO_INIT_CNODE_BITS;
    world->odd[3] = UINT64_MAX;
    world->odd[4] = world->note[1].c;
    world->odd[5] = KOZO_INIT_DEBUG;
}

static struct actor actor_of(uint64_t i)
{
    struct actor a = { .self = (uint64_t)&world->actor[i],
                       .random = world->random + 0x1234567 * (i + 1),
                       .left = OPERATIONS,
                       .number = i,
                       .window = kozo_slots_alloc(WINDOW),
                       .server = i / 2 % 2 != 0,
                       .fpu = i == 4 || i == 7,
                       .fs = i == 5 };

    return a;
}

static void run_seed(uint64_t plus)
{
    const char *at = strstr(kozo_boot_info()->cmdline, "kozo.seed=");
    uint64_t seed = 0;
    struct actor self;

    for (at = at != nullptr ? at + 10 : ""; *at >= '0' && *at <= '9'; at++)
        seed = seed * 10 + (uint64_t)(*at - '0');
    seed += plus;
    make_world();
    world->random = (seed + 1) * 0x9e3779b97f4a7c15;
    make_objects();
    self = actor_of(ACTORS);
    (void)kozo_test_thread(handle, nullptr, HANDLER);
    for (unsigned i = 0; i < ACTORS; i++)
        world->actor[i] = actor_of(i);
    for (unsigned i = 0; i < ACTORS; i++)
        hire(i);
    for (unsigned i = 0; i < ROUNDS; i++)
        direct(&self);
    for (unsigned i = 0; i < ACTORS; i++) {
        fold(world->actor[i].left);
        fold(state_of(&worker[i]));
    }
    for (unsigned i = 0; i < ACTORS; i++)
        kozo_worker_end(&worker[i]);
    kozo_printf("# hash %llu %llx\n", (unsigned long long)seed, (unsigned long long)world->hash);
    kozo_print_flush();
}

KOZO_TEST(first_seed)
{
    run_seed(0);
}

KOZO_TEST(second_seed)
{
    run_seed(1);
}

KOZO_TEST(third_seed)
{
    run_seed(2);
}
