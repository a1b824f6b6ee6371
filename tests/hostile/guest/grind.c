/* SPDX-License-Identifier: MIT */
/*
 * The grind: threads that share a world of every kind of capability make random calls with random
 * arguments, block on each other, fault, and are killed, suspended and restarted at random; a
 * device interrupts 8,000 times a second, or not, its line claimed, acknowledged, dropped and
 * claimed again at random; time and again the whole world is revoked.
 *
 * kozo.grind=SECONDS,SEED or MILLISECONDSms,SEED on the command line; a few seconds without it.
 * With QEMU's -icount the same seed does the same.
 */
#include "attack.h"

constexpr unsigned WORKERS = 8;
constexpr unsigned BITS = 6;
constexpr uint64_t SLOTS = 1 << BITS;
constexpr uint64_t DEFAULT_MS = 3000, DEFAULT_SEED = 0x1badb002;

/* Slots of the world with something else than what is made in `create`. */
constexpr uint64_t SLOT_IRQ = 33, SLOT_PORTS = 34, SLOT_THREADS = 40;
/* The real-time clock: its line, its registers A, B and C, and their values while it storms. */
constexpr unsigned RTC_LINE = 8, RTC_INDEX = 0x70, RTC_DATA = 0x71;

struct grinder {
    uint64_t seed, calls;
    struct kozo_worker w;
};

static struct grinder grinders[WORKERS];

static uint64_t argument(uint64_t *seed)
{
    static const uint64_t edges[] = {
        0, 1, 63, 64, 256, 4096, KOZO_USER_END, 1ull << 32, 1ull << 47, UINT64_MAX
    };
    uint64_t r = random_of(seed);

    return r % 8 == 0 ? edges[r / 8 % 10] : r % 8 == 1 ? random_of(seed) : r / 8 % SLOTS;
}

/* Half of the calls are those that meet others. */
static void grind(void *arg)
{
    struct grinder *g = arg;

    for (;;) {
        struct kozo_words x = { .cap = argument(&g->seed), .info = argument(&g->seed) & 0x173f };
        uint64_t r = random_of(&g->seed), nr = r % 2 == 0 ? r / 2 % 104 : r / 2 % 8;

        for (unsigned i = 0; i < KOZO_MSG_REGS; i++)
            x.w[i] = argument(&g->seed);
        g->calls++;
        if (r >> 54 == 0)
            __asm__ volatile("ud2" : : : "memory");
        if (nr != KOZO_SYS_DEBUG_DUMP && nr != KOZO_SYS_THREAD_START)
            (void)kozo_ipc_until(nr, &x, r % 3 == 0 ? 0 : kozo_now() + r / 64 % (300 * 1000));
    }
}

struct world {
    struct kozo_untyped m; /* what all of it is made of */
    struct kozo_untyped u;
    struct kozo_pool pool;
    struct kozo_cnode c;
    struct kozo_endpoint fault;
    struct kozo_notification signal; /* of the device */
    struct kozo_irq irq;
};

static void put(struct world *d, kozo_cptr slot, enum kozo_kind kind, unsigned bits)
{
    (void)kozo_retype(d->u, kind, bits, kozo_in(d->c, slot), 1);
}

/* ---- interrupts ---- */

static const struct kozo_irq_control lines = { KOZO_INIT_IRQ };
static const struct kozo_io_port ports = { KOZO_INIT_IOPORT };

static void rtc_write(unsigned reg, uint64_t value)
{
    (void)kozo_ioport_out(ports, RTC_INDEX, 1, reg);
    (void)kozo_ioport_out(ports, RTC_DATA, 1, value);
}

/* 8192 interrupts a second, or none. */
static void storm(bool on)
{
    rtc_write(0x0a, on ? 0x23 : 0x26);
    rtc_write(0x0b, on ? 0x42 : 0x02);
    (void)kozo_ioport_out(ports, RTC_INDEX, 1, 0x0c);
    (void)kozo_ioport_in(ports, RTC_DATA, 1);
}

/* The line's handler dies, whatever it was bound to, and another one is made: for any line. */
static void rewire(struct world *d, uint64_t *seed)
{
    uint64_t r = random_of(seed);

    (void)kozo_cap_delete(kozo_in(d->c, SLOT_IRQ));
    (void)kozo_cap_delete(kozo_own(d->irq.c));
    if (kozo_irq_claim(lines, r % 4 == 0 ? r / 4 % 24 : RTC_LINE, kozo_own(d->irq.c)) != KOZO_OK)
        return;
    (void)kozo_irq_bind(d->irq, d->signal, 1ull << r % 64);
    (void)kozo_cap_copy(kozo_in(d->c, SLOT_IRQ), kozo_own(d->irq.c), KOZO_SAME_RIGHTS);
}

/* What a driver does that has nothing to do: takes bits, asks the device, acknowledges. */
static void spurious(struct world *d)
{
    (void)kozo_poll(d->signal);
    (void)kozo_ioport_out(ports, RTC_INDEX, 1, 0x0c);
    (void)kozo_ioport_in(ports, RTC_DATA, 1);
    (void)kozo_irq_ack(d->irq);
    (void)kozo_irq_ack(d->irq);
}

/* ---- the world's maker ---- */

/* A worker whose authority is the world; it may do all to its siblings. */
static void born(struct world *d, unsigned i, uint64_t seed)
{
    struct grinder *g = &grinders[i];

    g->seed = seed;
    g->w = kozo_test_thread_with(&(struct kozo_worker_options){ .memory = d->m,
                                                                .priority = LATER,
                                                                .fault = d->fault,
                                                                .stopped = true,
                                                                .stack_pages = 1 },
                                 nullptr, nullptr);
    KOZO_CHECK_OK(kozo_thread_bind(g->w.thread, d->c, (struct kozo_space){ 0 },
                                   (struct kozo_frame){ 0 }, 0, (struct kozo_endpoint){ 0 }));
    (void)kozo_cap_copy(kozo_in(d->c, SLOT_THREADS + i), kozo_own(g->w.thread.c), KOZO_SAME_RIGHTS);
    KOZO_CHECK_OK(kozo_worker_run(&g->w, grind, g));
}

static void create(struct world *d, uint64_t *seed)
{
    static const struct {
        enum kozo_kind kind;
        unsigned bits;
    } kinds[] = { { KOZO_KIND_CNODE, 3 },         { KOZO_KIND_ENDPOINT, 0 },
                  { KOZO_KIND_ENDPOINT, 0 },      { KOZO_KIND_NOTIFICATION, 0 },
                  { KOZO_KIND_UNTYPED, 14 },      { KOZO_KIND_FRAME, 12 },
                  { KOZO_KIND_ADDRESS_SPACE, 0 }, { KOZO_KIND_PAGE_TABLE, 0 } };

    KOZO_CHECK_OK(kozo_retype(d->m, KOZO_KIND_UNTYPED, 18, kozo_own(d->u.c), 1));
    KOZO_CHECK_OK(kozo_retype(d->m, KOZO_KIND_ENDPOINT, 0, kozo_own(d->fault.c), 1));
    KOZO_CHECK_OK(kozo_retype(d->m, KOZO_KIND_CNODE, BITS, kozo_own(d->c.c), 1));
    KOZO_CHECK_OK(kozo_pool_split(kozo_test_pool(), kozo_own(d->pool.c), 3));
    for (unsigned i = 0; i < 24; i++)
        put(d, 1 + i, kinds[i % 8].kind, kinds[i % 8].bits);
    KOZO_CHECK_OK(kozo_cap_copy(kozo_in(d->c, 30), kozo_own(d->c.c), KOZO_SAME_RIGHTS));
    KOZO_CHECK_OK(kozo_cap_copy(kozo_in(d->c, 31), kozo_own(KOZO_INIT_DEBUG), KOZO_READ));
    KOZO_CHECK_OK(kozo_pool_split(d->pool, kozo_in(d->c, 32), 2));
    KOZO_CHECK_OK(kozo_ioport_mint(ports, RTC_INDEX, RTC_DATA, kozo_in(d->c, SLOT_PORTS)));
    KOZO_CHECK_OK(kozo_retype(d->m, KOZO_KIND_NOTIFICATION, 0, kozo_own(d->signal.c), 1));
    rewire(d, seed);
    for (unsigned i = 0; i < WORKERS; i++)
        born(d, i, random_of(seed));
}

/* Whoever faults goes on behind the instruction, or is left to its fate. */
static void handle_one(struct world *d, uint64_t *seed)
{
    struct kozo_msg m;

    kozo_msg_init(&m);
    kozo_msg_deadline(&m, kozo_now() + 200 * 1000);
    if (kozo_recv(d->fault, &m) != KOZO_OK || random_of(seed) % 8 == 0)
        return;
    uint64_t ip = m.word[2], sp = m.word[3], flags = m.word[4],
             two = m.word[0] == KOZO_FAULT_OPCODE ? 2 : 0;

    kozo_msg_init(&m);
    m.label = KOZO_FAULT_LOAD;
    m.word[2] = ip + two;
    m.word[3] = sp;
    m.word[4] = flags;
    m.nwords = KOZO_MSG_REGS;
    (void)kozo_reply(&m);
}

static void strike(struct world *d, uint64_t *seed)
{
    unsigned i = random_of(seed) % WORKERS;
    struct grinder *g = &grinders[i];

    switch (random_of(seed) % 10) {
    case 0:
        kozo_worker_end(&g->w);
        born(d, i, random_of(seed));
        break;
    case 1:
        (void)kozo_thread_suspend(g->w.thread);
        break;
    case 2:
        (void)kozo_cap_revoke(kozo_in(d->c, random_of(seed) % 39 + 1));
        break;
    case 3:
        (void)kozo_cap_delete(kozo_in(d->c, random_of(seed) % SLOTS));
        break;
    case 4:
        put(d, random_of(seed) % 24 + 1, KOZO_KIND_ENDPOINT, 0);
        break;
    case 5:
        storm(random_of(seed) % 2 == 0);
        break;
    case 6:
        rewire(d, seed);
        break;
    case 7:
    case 8:
        spurious(d);
        break;
    default:
        (void)kozo_thread_suspend(g->w.thread);
        (void)kozo_worker_run(&g->w, grind, g);
        break;
    }
}

/* Digits at `s`, decimal or 0x; `end` is what follows them. */
static uint64_t number(const char *s, const char **end)
{
    uint64_t base = s[0] == '0' && s[1] == 'x' ? 16 : 10, n = 0;

    for (s += base == 16 ? 2 : 0;; s++) {
        uint64_t digit = *s >= '0' && *s <= '9'   ? (uint64_t)(*s - '0')
                         : *s >= 'a' && *s <= 'f' ? (uint64_t)(*s - 'a' + 10)
                                                  : 99;

        if (digit >= base)
            break;
        n = n * base + digit;
    }
    *end = s;
    return n;
}

KOZO_TEST(threads_calls_and_kills_at_random)
{
    const char *option = strstr(kozo_boot_info()->cmdline, "kozo.grind=");
    uint64_t seed = DEFAULT_SEED, end = DEFAULT_MS * KOZO_MS, worlds = 0, calls = 0;
    struct witness v = witness();
    struct world d = { .m = kozo_test_untyped(23),
                       .u = { kozo_test_slot() },
                       .pool = { kozo_test_slot() },
                       .c = { kozo_test_slot() },
                       .fault = { kozo_test_slot() },
                       .signal = { kozo_test_slot() },
                       .irq = { kozo_test_slot() } };

    if (option != nullptr) {
        end = number(option + 11, &option);
        end *= *option == 'm' ? KOZO_MS : KOZO_S;
        option += *option == 'm' ? 2 : 0;
        seed = *option == ',' ? number(option + 1, &option) : seed;
    }
    kozo_printf("grind: %lu ms, seed 0x%lx\n", (uint64_t)(end / KOZO_MS), seed);
    KOZO_REQUIRE(d.m.c != 0 && d.fault.c != 0);
    for (end += kozo_now(); kozo_now() < end; worlds++) {
        create(&d, &seed);
        for (unsigned i = 0; i < 200; i++) {
            handle_one(&d, &seed);
            strike(&d, &seed);
            if (i % 20 == 0)
                unharmed(&v);
        }
        for (unsigned i = 0; i < WORKERS; i++) {
            calls += grinders[i].calls;
            grinders[i].calls = 0;
            kozo_worker_end(&grinders[i].w);
        }
        storm(false);
        (void)kozo_cap_delete(kozo_own(d.irq.c));
        KOZO_CHECK_OK(kozo_cap_revoke(kozo_own(d.m.c)));
        KOZO_CHECK_EQ(kozo_untyped_info(d.m).free, 1 << 23);
        KOZO_CHECK_OK(kozo_cap_revoke(kozo_own(d.pool.c)));
        KOZO_CHECK(kozo_test_settle());
        KOZO_CHECK_EQ(kozo_pool_info(d.pool).value, 3);
        KOZO_REQUIRE_OK(kozo_cap_delete(kozo_own(d.pool.c)));
        unharmed(&v);
    }
    kozo_printf("grind: %lu calls in %lu worlds, seed is now 0x%lx\n", calls, worlds, seed);
    KOZO_CHECK(calls > 1000 && worlds > 0);
}

KOZO_TEST(the_kernels_stacks_have_room)
{
    stacks_have_room();
}
