/* SPDX-License-Identifier: MIT */
/*
 * Scheduling, notifications, faults and interrupts.
 */
#include "bench.h"
#include "stubs.h"

constexpr unsigned rounds = 32;

/* ---- system calls that switch to nobody ---- */

void measure_syscall_min(const char *name)
{
    struct series s = { .name = name };

    for (unsigned i = 0; i < rounds; i++) {
        uint32_t n;

        COUNT(n, kozo_yield());
        series_add(&s, n);
    }
    report(&s);
}

KOZO_TEST(syscall_min)
{
    ROWS("syscall_min");
    measure_syscall_min("syscall_min");
}

KOZO_TEST(signal_idle)
{
    struct series s = { .name = "signal_idle" };
    struct kozo_notification ntfn;

    ROWS("signal_idle");
    ntfn = kozo_test_notification();
    for (unsigned i = 0; i < rounds; i++) {
        enum kozo_err err;
        uint32_t n;

        COUNT(n, err = kozo_signal(ntfn, 1ull << i));
        series_add(&s, n);
        KOZO_CHECK_OK(err);
        KOZO_CHECK_EQ(kozo_poll(ntfn).value, 1ull << i);
    }
    report(&s);
}

/* ---- and those that do ---- */

struct waits {
    struct kozo_notification ntfn;
    struct kozo_endpoint ep;
};
static struct waits waits;

static struct kozo_worker start_other(void (*run)(void *), uint32_t priority)
{
    struct kozo_worker_options o = { .priority = priority };

    return kozo_test_thread_in(kozo_test_space_clone(), &o, run, nullptr);
}

/* Tells how often it woke when it gets other bits than 1. */
static void wait_and_count(void *)
{
    struct kozo_words x = { .cap = waits.ep.c };
    struct kozo_res r;

    for (r = kozo_wait(waits.ntfn); r.value == 1; r = kozo_wait(waits.ntfn))
        x.w[0]++;
    (void)kozo_ipc(KOZO_SYS_SEND, &x);
}

/* The waiter, in a space of its own, runs at once, takes the bits and waits again. */
void measure_signal_wake(const char *name)
{
    struct series s = { .name = name };
    struct kozo_words x;

    waits = (struct waits){ kozo_test_notification(), kozo_test_endpoint() };
    (void)start_other(wait_and_count, URGENT);
    for (unsigned i = 0; i < rounds; i++) {
        enum kozo_err err;
        uint32_t n;

        COUNT(n, err = kozo_signal(waits.ntfn, 1));
        series_add(&s, n);
        KOZO_CHECK_OK(err);
        KOZO_CHECK_EQ(kozo_poll(waits.ntfn).value, 0);
    }
    KOZO_CHECK_OK(kozo_signal(waits.ntfn, 2));
    KOZO_CHECK_OK(kozo_recv_words(waits.ep, &x));
    KOZO_CHECK_EQ(x.w[0], rounds);
    report(&s);
}

KOZO_TEST(signal_wake)
{
    ROWS("signal_wake");
    measure_signal_wake("signal_wake");
}

/* Yields once more than there are rounds, and tells that it is through. */
static void yield_back(void *)
{
    struct kozo_words x = { .cap = waits.ep.c, .w = { rounds } };

    stub_yields(rounds + 1);
    (void)kozo_ipc(KOZO_SYS_SEND, &x);
}

/* Two switches, each to another space. */
void measure_yield_pair(const char *name)
{
    struct series s = { .name = name };
    struct kozo_words x;

    waits.ep = kozo_test_endpoint();
    (void)start_other(yield_back, EQUAL);
    kozo_yield(); /* it begins */
    for (unsigned i = 0; i < rounds; i++) {
        uint32_t n;

        COUNT(n, kozo_yield());
        series_add(&s, n - STUB_YIELDS_LOOP);
    }
    KOZO_CHECK_OK(kozo_recv_words(waits.ep, &x));
    KOZO_CHECK_EQ(x.w[0], rounds);
    report(&s);
}

KOZO_TEST(yield_pair)
{
    ROWS("yield_pair");
    measure_yield_pair("yield_pair");
}

/* ---- faults ---- */

constexpr uint64_t unmapped = 0x7000000000;

static void touch(void *)
{
    uint64_t seen = *(volatile uint64_t *)unmapped;
    struct kozo_words x = { .cap = waits.ep.c, .w = { seen, 4711 } };

    (void)kozo_ipc(KOZO_SYS_CALL, &x);
}

/*
 * A page fault of a thread in another space becomes a message, and the answer runs the thread on.
 * It meets the same fault again, so from one answer to the next message lies just one round,
 * without any work of the handler's. In the end the page is there, and the thread goes on.
 */
KOZO_TEST(fault_resume)
{
    struct series s = { .name = "fault_resume" };
    struct kozo_endpoint faults;
    struct kozo_worker_options o = { .priority = EQUAL };
    struct kozo_words x;

    ROWS("fault_resume");
    faults = kozo_test_endpoint();
    o.fault = kozo_test_mint(faults, KOZO_SAME_RIGHTS, 77);
    waits.ep = kozo_test_mint(faults, KOZO_SAME_RIGHTS, 78);
    struct kozo_space space = kozo_test_space_clone();

    (void)kozo_test_thread_in(space, &o, touch, nullptr);
    KOZO_REQUIRE_OK(kozo_recv_words(faults, &x));
    for (unsigned i = 0; i < rounds; i++) {
        enum kozo_err err;
        uint32_t n;

        KOZO_CHECK(x.cap == 77 && (x.info & KOZO_INFO_FAULT) != 0);
        KOZO_CHECK(x.w[0] == KOZO_FAULT_PAGE && x.w[1] == unmapped && x.w[6] == KOZO_READ);
        x = (struct kozo_words){ .info = (uint64_t)KOZO_FAULT_RESUME << KOZO_INFO_LABEL_SHIFT };
        COUNT(n, err = kozo_reply_recv_words(faults, &x));
        series_add(&s, n);
        KOZO_CHECK_OK(err);
    }
    for (unsigned i = 0; i < 3; i++) { /* tables */
        struct kozo_page_table t = { kozo_test_slot() };

        KOZO_CHECK_OK(kozo_retype(kozo_test_memory(), KOZO_KIND_PAGE_TABLE, 0, kozo_own(t.c), 1));
        KOZO_CHECK_OK(kozo_space_feed(space, t));
    }
    KOZO_CHECK_OK(kozo_map(space, kozo_test_frame(), unmapped, KOZO_READ));
    x = (struct kozo_words){};
    KOZO_CHECK_OK(kozo_reply_recv_words(faults, &x));
    KOZO_CHECK(x.cap == 78 && x.w[0] == 0 && x.w[1] == 4711);
    report(&s);
}

/* ---- interrupts ---- */

/* The second serial port: with nothing to send, it interrupts as soon as it may. */
constexpr uint16_t UART_ENABLE = 0x2f9;
constexpr uint16_t UART_WHY = 0x2fa;
constexpr uint16_t UART_MODEM = 0x2fc;
constexpr unsigned UART_LINE = 3;
constexpr uint64_t WHEN_EMPTY = 2;
constexpr uint64_t OUT2 = 8; /* lets the line through */

static const struct kozo_io_port ports = { KOZO_INIT_IOPORT };

/* Says at which instruction it woke. */
static void drive(void *)
{
    while (kozo_wait(waits.ntfn).err == KOZO_OK) {
        struct kozo_words x = { .w = { tick_long() } };

        x.cap = waits.ep.c;
        (void)kozo_ipc(KOZO_SYS_SEND, &x);
    }
}

static uint64_t quiet_out(void)
{
    enum kozo_err err;
    uint32_t n;

    COUNT(n, err = kozo_ioport_out(ports, UART_ENABLE, 1, 0));
    KOZO_CHECK_OK(err);
    return n;
}

/*
 * From the interrupt to the driver's first instruction: the write that causes it, up to that
 * instruction, less the same write when it causes none.
 */
KOZO_TEST(irq_to_user)
{
    struct series s = { .name = "irq_to_user" };
    struct kozo_irq irq;

    ROWS("irq_to_user");
    irq.c = kozo_test_slot();
    waits = (struct waits){ kozo_test_notification(), kozo_test_endpoint() };
    KOZO_REQUIRE_OK(
        kozo_irq_claim((struct kozo_irq_control){ KOZO_INIT_IRQ }, UART_LINE, kozo_own(irq.c)));
    KOZO_REQUIRE_OK(kozo_ioport_out(ports, UART_MODEM, 1, OUT2));
    (void)start_other(drive, URGENT);
    KOZO_REQUIRE_OK(kozo_irq_bind(irq, waits.ntfn, 1));
    for (unsigned i = 0; i < rounds; i++) {
        uint64_t quiet = quiet_out(), begin;
        struct kozo_words x;

        begin = tick_long();
        (void)kozo_ioport_out(ports, UART_ENABLE, 1, WHEN_EMPTY);
        KOZO_REQUIRE_OK(kozo_recv_words(waits.ep, &x));
        KOZO_CHECK(x.w[0] > begin);
        series_add(&s, x.w[0] - begin - tick_cost - quiet);
        KOZO_CHECK_EQ(kozo_ioport_in(ports, UART_WHY, 1).value & 0xf, WHEN_EMPTY);
        KOZO_CHECK_OK(kozo_ioport_out(ports, UART_ENABLE, 1, 0));
        KOZO_CHECK_OK(kozo_irq_ack(irq));
    }
    report(&s);
}
