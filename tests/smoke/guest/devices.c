/* SPDX-License-Identifier: MIT */
/*
 * What a driver has: an interrupt line that reaches it as bits of a notification, and ports. The
 * device is the real-time clock, whose periodic interrupt all of QEMU's PCs have.
 */
#include "peer.h"

static const struct kozo_irq_control control = { KOZO_INIT_IRQ };
static const struct kozo_io_port all_ports = { KOZO_INIT_IOPORT };

constexpr unsigned LINES = 24;
constexpr unsigned RTC_LINE = 8;
constexpr unsigned RTC_INDEX = 0x70, RTC_DATA = 0x71;
constexpr unsigned RTC_B = 0x0b, RTC_C = 0x0c;
constexpr uint64_t RTC_PERIODIC = 0x40;

static uint64_t rtc_read(unsigned reg)
{
    KOZO_CHECK_OK(kozo_ioport_out(all_ports, RTC_INDEX, 1, reg));
    return kozo_ioport_in(all_ports, RTC_DATA, 1).value;
}

static void rtc_periodic(bool on)
{
    uint64_t b = rtc_read(RTC_B);

    KOZO_CHECK_OK(kozo_ioport_out(all_ports, RTC_INDEX, 1, RTC_B));
    KOZO_CHECK_OK(
        kozo_ioport_out(all_ports, RTC_DATA, 1, on ? b | RTC_PERIODIC : b & ~RTC_PERIODIC));
    (void)rtc_read(RTC_C); /* takes its line down */
}

static struct kozo_irq claimed(unsigned line)
{
    struct kozo_irq irq = { kozo_test_slot() };

    KOZO_CHECK_OK(kozo_irq_claim(control, line, kozo_own(irq.c)));
    return irq;
}

static struct kozo_res wait_a_second(struct kozo_notification n)
{
    return kozo_wait_until(n, kozo_now() + KOZO_S);
}

KOZO_TEST(interrupt_reaches_its_driver_once_for_each_acknowledgement)
{
    struct kozo_notification n = kozo_test_notification();
    struct kozo_irq irq = claimed(RTC_LINE);
    struct kozo_res r;

    KOZO_CHECK_OK(kozo_irq_bind(irq, n, 0x10));
    rtc_periodic(true);
    for (unsigned i = 0; i < 5; i++) {
        r = wait_a_second(n);
        KOZO_CHECK_OK(r.err);
        KOZO_CHECK_EQ(r.value, 0x10);
        /* Unacknowledged, the line is silent, however often the device interrupts. */
        KOZO_CHECK_OK(kozo_sleep(5 * KOZO_MS));
        KOZO_CHECK_EQ(kozo_poll(n).value, 0);
        KOZO_CHECK_OK(kozo_irq_ack(irq));
        (void)rtc_read(RTC_C);
    }
    rtc_periodic(false);
    (void)kozo_irq_ack(irq); /* the last one may have come before that */
    KOZO_CHECK_ERR(kozo_irq_ack(irq), KOZO_ERR_STATE);
}

KOZO_TEST(claim_tells_its_errors_in_order)
{
    struct kozo_irq_control none = { kozo_test_slot() };
    kozo_cptr slot = kozo_test_slot(), taken = KOZO_INIT_IRQ;
    struct kozo_irq irq;

    KOZO_CHECK_ERR(kozo_irq_claim(none, LINES, kozo_own(taken)), KOZO_ERR_EMPTY);
    KOZO_CHECK_ERR(
        kozo_irq_claim((struct kozo_irq_control){ KOZO_INIT_DEBUG }, LINES, kozo_own(taken)),
        KOZO_ERR_KIND);
    KOZO_CHECK_ERR(kozo_irq_claim(control, LINES, kozo_own(taken)), KOZO_ERR_OCCUPIED);
    KOZO_CHECK_ERR(kozo_irq_claim(control, LINES, kozo_own(slot)), KOZO_ERR_ARGUMENT);
    KOZO_CHECK_ERR(kozo_irq_claim(control, UINT32_MAX, kozo_own(slot)), KOZO_ERR_ARGUMENT);
    irq = claimed(5);
    KOZO_CHECK_ERR(kozo_irq_claim(control, 5, kozo_own(slot)), KOZO_ERR_IN_USE);
    KOZO_CHECK_ERR(kozo_irq_ack(irq), KOZO_ERR_STATE);
}

/* The last capability counts, and IrqControl takes all back. */
KOZO_TEST(line_is_free_again_when_its_handler_goes)
{
    struct kozo_irq irq = claimed(5), other = claimed(6);
    kozo_cptr copy = kozo_test_copy(irq.c, KOZO_SAME_RIGHTS), slot = kozo_test_slot();

    KOZO_CHECK_OK(kozo_cap_delete(kozo_own(irq.c)));
    KOZO_CHECK_ERR(kozo_irq_claim(control, 5, kozo_own(slot)), KOZO_ERR_IN_USE);
    KOZO_CHECK_OK(kozo_cap_delete(kozo_own(copy)));
    KOZO_CHECK_OK(kozo_irq_claim(control, 5, kozo_own(slot)));
    KOZO_CHECK_OK(kozo_cap_revoke(kozo_own(KOZO_INIT_IRQ)));
    KOZO_CHECK_EQ(kind_at(slot), KOZO_KIND_NULL);
    KOZO_CHECK_EQ(kind_at(other.c), KOZO_KIND_NULL);
    irq = claimed(6);
}

KOZO_TEST(all_lines_can_be_claimed)
{
    for (unsigned i = 0; i < LINES; i++)
        KOZO_CHECK_EQ(kind_at(claimed(i).c), KOZO_KIND_IRQ_HANDLER);
}

KOZO_TEST(bind_needs_its_rights)
{
    struct kozo_notification n = kozo_test_notification(),
                             reads = { kozo_test_copy(n.c, KOZO_READ) };
    struct kozo_irq irq = claimed(5), poor = { kozo_test_copy(irq.c, 0) };

    KOZO_CHECK_ERR(kozo_irq_bind(poor, reads, 1), KOZO_ERR_RIGHTS);
    KOZO_CHECK_ERR(kozo_irq_bind(irq, reads, 1), KOZO_ERR_RIGHTS);
    KOZO_CHECK_ERR(kozo_irq_bind(irq, (struct kozo_notification){ irq.c }, 1), KOZO_ERR_KIND);
    KOZO_CHECK_ERR(kozo_irq_ack(poor), KOZO_ERR_RIGHTS);
    KOZO_CHECK_ERR(kozo_irq_ack((struct kozo_irq){ n.c }), KOZO_ERR_KIND);
    KOZO_CHECK_OK(kozo_irq_bind(irq, n, 1));
    KOZO_CHECK_OK(kozo_irq_bind(irq, (struct kozo_notification){ 0 }, 0));
}

KOZO_TEST(line_falls_silent_when_its_notification_goes)
{
    struct kozo_notification n = kozo_test_notification(), next = kozo_test_notification();
    struct kozo_irq irq = claimed(RTC_LINE);

    KOZO_CHECK_OK(kozo_irq_bind(irq, n, 1));
    rtc_periodic(true);
    KOZO_CHECK_EQ(wait_a_second(n).value, 1);
    KOZO_CHECK_OK(kozo_irq_ack(irq));
    KOZO_CHECK_OK(kozo_cap_revoke(kozo_own(n.c)));
    (void)kozo_poll(n);
    (void)rtc_read(RTC_C);
    KOZO_CHECK_OK(kozo_sleep(5 * KOZO_MS));
    KOZO_CHECK_EQ(kozo_poll(n).value, 0);
    KOZO_CHECK_OK(kozo_cap_delete(kozo_own(n.c)));
    /* Another takes its place. */
    KOZO_CHECK_OK(kozo_irq_bind(irq, next, 2));
    (void)kozo_irq_ack(irq); /* one may have come between acknowledgement and revocation */
    (void)rtc_read(RTC_C);
    KOZO_CHECK_EQ(wait_a_second(next).value, 2);
    rtc_periodic(false);
}

KOZO_TEST(line_signals_what_the_capability_it_was_bound_with_may)
{
    struct kozo_notification n = kozo_test_notification(), some = { kozo_test_slot() };
    struct kozo_irq irq = claimed(RTC_LINE);

    KOZO_REQUIRE_OK(kozo_cap_mint(kozo_own(some.c), kozo_own(n.c), KOZO_SAME_RIGHTS, 0xf0).err);
    KOZO_CHECK_OK(kozo_irq_bind(irq, some, 0xff));
    rtc_periodic(true);
    KOZO_CHECK_EQ(wait_a_second(n).value, 0xf0);
    rtc_periodic(false);
}

KOZO_TEST(handler_that_goes_masks_its_line)
{
    struct kozo_notification n = kozo_test_notification();
    struct kozo_irq irq = claimed(RTC_LINE);

    KOZO_CHECK_OK(kozo_irq_bind(irq, n, 1));
    rtc_periodic(true);
    KOZO_CHECK_EQ(wait_a_second(n).value, 1);
    KOZO_CHECK_OK(kozo_irq_ack(irq));
    KOZO_CHECK_OK(kozo_cap_delete(kozo_own(irq.c)));
    (void)kozo_poll(n);
    (void)rtc_read(RTC_C);
    KOZO_CHECK_ERR(kozo_wait_until(n, kozo_now() + 5 * KOZO_MS).err, KOZO_ERR_TIMEOUT);
    KOZO_CHECK_ERR(kozo_irq_ack(irq), KOZO_ERR_EMPTY);
    /* The next driver starts with nothing pending. */
    KOZO_CHECK_OK(kozo_irq_claim(control, RTC_LINE, kozo_own(irq.c)));
    KOZO_CHECK_ERR(kozo_irq_ack(irq), KOZO_ERR_STATE);
    KOZO_CHECK_OK(kozo_irq_bind(irq, n, 2));
    (void)rtc_read(RTC_C);
    KOZO_CHECK_EQ(wait_a_second(n).value, 2);
    rtc_periodic(false);
}

/* A driver waits for its clients and its device at once. */
KOZO_TEST(interrupt_ends_a_receive)
{
    struct kozo_notification n = kozo_test_notification();
    struct kozo_endpoint ep = kozo_test_endpoint();
    struct kozo_irq irq = claimed(RTC_LINE);
    struct kozo_words x = { .cap = ep.c };

    KOZO_CHECK_OK(kozo_thread_bind_ntfn(kozo_own_thread(), n));
    KOZO_CHECK_OK(kozo_irq_bind(irq, n, 0x40));
    rtc_periodic(true);
    KOZO_CHECK_OK(kozo_ipc_until(KOZO_SYS_RECV, &x, kozo_now() + KOZO_S));
    KOZO_CHECK_EQ(x.cap, 0x40);
    KOZO_CHECK_EQ(x.info, KOZO_INFO_NOTIFICATION);
    rtc_periodic(false);
    KOZO_CHECK_OK(kozo_thread_bind_ntfn(kozo_own_thread(), (struct kozo_notification){ 0 }));
}

/* ---- ports ---- */

static struct kozo_io_port ports(struct kozo_io_port from, unsigned first, unsigned last)
{
    struct kozo_io_port p = { kozo_test_slot() };

    KOZO_CHECK_OK(kozo_ioport_mint(from, first, last, kozo_own(p.c)));
    return p;
}

KOZO_TEST(ports_are_those_of_the_range_and_no_others)
{
    struct kozo_io_port p = ports(all_ports, RTC_INDEX, RTC_DATA);

    KOZO_CHECK_OK(kozo_ioport_out(p, RTC_INDEX, 1, RTC_B));
    KOZO_CHECK_EQ(kozo_ioport_in(p, RTC_DATA, 1).value, rtc_read(RTC_B));
    KOZO_CHECK_ERR(kozo_ioport_in(p, RTC_INDEX - 1, 1).err, KOZO_ERR_ARGUMENT);
    KOZO_CHECK_ERR(kozo_ioport_in(p, RTC_DATA + 1, 1).err, KOZO_ERR_ARGUMENT);
    KOZO_CHECK_ERR(kozo_ioport_out(p, RTC_DATA + 1, 1, 0), KOZO_ERR_ARGUMENT);
    KOZO_CHECK_ERR(kozo_ioport_in(p, RTC_DATA, 2).err,
                   KOZO_ERR_ARGUMENT); /* its second byte is outside */
    KOZO_CHECK_ERR(kozo_ioport_in(p, RTC_INDEX, 4).err, KOZO_ERR_ARGUMENT);
    KOZO_CHECK_OK(kozo_ioport_in(p, RTC_INDEX, 2).err);
    KOZO_CHECK_ERR(kozo_ioport_in(p, RTC_INDEX, 0).err, KOZO_ERR_ARGUMENT);
    KOZO_CHECK_ERR(kozo_ioport_in(p, RTC_INDEX, 3).err, KOZO_ERR_ARGUMENT);
    KOZO_CHECK_ERR(kozo_ioport_in(p, 0x10000 + RTC_INDEX, 1).err, KOZO_ERR_ARGUMENT);
    KOZO_CHECK_ERR(kozo_ioport_in(all_ports, 0xffff, 2).err, KOZO_ERR_ARGUMENT);
    KOZO_CHECK_OK(kozo_ioport_in(all_ports, 0xffff, 1).err);
}

KOZO_TEST(ranges_of_ports_only_shrink)
{
    struct kozo_io_port p = ports(all_ports, 0x60, 0x6f), inner = ports(p, 0x64, 0x64);
    kozo_cptr slot = kozo_test_slot();

    KOZO_CHECK_ERR(kozo_ioport_mint(p, 0x5f, 0x6f, kozo_own(slot)), KOZO_ERR_ARGUMENT);
    KOZO_CHECK_ERR(kozo_ioport_mint(p, 0x60, 0x70, kozo_own(slot)), KOZO_ERR_ARGUMENT);
    KOZO_CHECK_ERR(kozo_ioport_mint(p, 0x65, 0x64, kozo_own(slot)), KOZO_ERR_ARGUMENT);
    KOZO_CHECK_ERR(kozo_ioport_mint(inner, 0x64, 0x65, kozo_own(slot)), KOZO_ERR_ARGUMENT);
    KOZO_CHECK_ERR(kozo_ioport_mint(all_ports, 0, 0x10000, kozo_own(slot)), KOZO_ERR_ARGUMENT);
    KOZO_CHECK_ERR(kozo_ioport_mint(p, 0x60, 0x60, kozo_own(p.c)), KOZO_ERR_OCCUPIED);
    KOZO_CHECK_OK(kozo_cap_revoke(kozo_own(p.c)));
    KOZO_CHECK_ERR(kozo_ioport_in(inner, 0x64, 1).err, KOZO_ERR_EMPTY);
}

KOZO_TEST(ports_need_their_rights)
{
    struct kozo_io_port p = ports(all_ports, RTC_INDEX, RTC_DATA);
    struct kozo_io_port reads = { kozo_test_copy(p.c, KOZO_READ) },
                        writes = { kozo_test_copy(p.c, KOZO_WRITE) };
    struct kozo_io_port still = ports(reads, RTC_DATA, RTC_DATA);

    KOZO_CHECK_OK(kozo_ioport_in(reads, RTC_DATA, 1).err);
    KOZO_CHECK_ERR(kozo_ioport_out(reads, RTC_INDEX, 1, 0), KOZO_ERR_RIGHTS);
    KOZO_CHECK_OK(kozo_ioport_out(writes, RTC_INDEX, 1, RTC_B));
    KOZO_CHECK_ERR(kozo_ioport_in(writes, RTC_DATA, 1).err, KOZO_ERR_RIGHTS);
    KOZO_CHECK_ERR(kozo_ioport_out(still, RTC_DATA, 1, 0), KOZO_ERR_RIGHTS);
}

KOZO_TEST(kernels_own_ports_are_refused)
{
    static const unsigned own[] = { 0x20, 0x21, 0xa0, 0xa1, 0x40, 0x41, 0x42, 0x43 };
    struct kozo_io_port p = ports(all_ports, 0, 0xff);

    for (unsigned i = 0; i < sizeof(own) / sizeof(own[0]); i++) {
        KOZO_CHECK_ERR(kozo_ioport_in(p, own[i], 1).err, KOZO_ERR_ARGUMENT);
        KOZO_CHECK_ERR(kozo_ioport_out(p, own[i], 1, 0xff), KOZO_ERR_ARGUMENT);
    }
    KOZO_CHECK_ERR(kozo_ioport_in(p, 0x1f, 2).err,
                   KOZO_ERR_ARGUMENT); /* nor as the second byte of others */
    KOZO_CHECK_ERR(kozo_ioport_in(p, 0x3d, 4).err, KOZO_ERR_ARGUMENT);
}

/* ---- the kernel's console ---- */

KOZO_TEST(console_takes_what_a_buffer_holds)
{
    struct kozo_debug all = { KOZO_INIT_DEBUG }, reads = { kozo_test_copy(all.c, KOZO_READ) };

    memcpy(kozo_buffer()->word, "a line of the kernel's console\n", 31);
    KOZO_CHECK_OK(kozo_debug_write(all, 31));
    KOZO_CHECK_OK(kozo_debug_write(all, 0));
    KOZO_CHECK_ERR(kozo_debug_write(all, KOZO_MSG_EXTRA * 8 + 1), KOZO_ERR_ARGUMENT);
    KOZO_CHECK_ERR(kozo_debug_write(all, UINT64_MAX), KOZO_ERR_ARGUMENT);
    KOZO_CHECK_ERR(kozo_debug_write(reads, 1), KOZO_ERR_RIGHTS);
}
