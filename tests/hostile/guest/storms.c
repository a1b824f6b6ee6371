/* SPDX-License-Identifier: MIT */
/*
 * Interrupts as weapons: a device that never stops, drivers that acknowledge without end or not at
 * all, lines that nobody bound. The device is the real-time clock at 8 kHz.
 */
#include "attack.h"

static const struct kozo_irq_control control = { KOZO_INIT_IRQ };
static const struct kozo_io_port ports = { KOZO_INIT_IOPORT };

constexpr unsigned RTC_LINE = 8, LINES = 24;

static uint64_t rtc(unsigned reg, int value)
{
    (void)kozo_ioport_out(ports, 0x70, 1, reg);
    if (value >= 0)
        (void)kozo_ioport_out(ports, 0x71, 1, (uint64_t)value);
    return value >= 0 ? 0 : kozo_ioport_in(ports, 0x71, 1).value;
}

static void storm(bool on)
{
    (void)rtc(0x0a, on ? 0x23 : 0x26);
    (void)rtc(0x0b, on ? 0x42 : 0x02);
    (void)rtc(0x0c, -1);
}

static struct kozo_irq line(unsigned n)
{
    struct kozo_irq irq = { kozo_test_slot() };

    KOZO_CHECK_OK(kozo_irq_claim(control, n, kozo_own(irq.c)));
    return irq;
}

static void served_for_a_while(struct witness *v)
{
    for (unsigned i = 0; i < 20; i++) {
        KOZO_CHECK_OK(kozo_sleep(KOZO_MS));
        unharmed(v);
    }
}

static struct kozo_irq driven;

/* Acknowledges all the time, whether there is anything or not. */
static void acknowledge(void *arg)
{
    (void)arg;
    for (;;) {
        (void)kozo_irq_ack(driven);
        (void)rtc(0x0c, -1);
    }
}

KOZO_TEST(storm_that_is_acknowledged_without_end)
{
    struct witness v = witness();
    struct kozo_notification n = kozo_test_notification();

    driven = line(RTC_LINE);
    KOZO_CHECK_OK(kozo_irq_bind(driven, n, 1));
    storm(true);
    (void)kozo_test_thread(acknowledge, nullptr, LATER);
    served_for_a_while(&v);
    storm(false);
    KOZO_CHECK_EQ(kozo_poll(n).value, 1);
}

KOZO_TEST(storm_that_is_never_acknowledged)
{
    struct witness v = witness();
    struct kozo_notification n = kozo_test_notification();

    driven = line(RTC_LINE);
    KOZO_CHECK_OK(kozo_irq_bind(driven, n, 1));
    storm(true);
    KOZO_CHECK_EQ(kozo_wait_until(n, kozo_now() + KOZO_S).value, 1);
    for (unsigned i = 0; i < 10; i++) {
        (void)rtc(0x0c, -1);
        KOZO_CHECK_OK(kozo_sleep(KOZO_MS));
        KOZO_CHECK_EQ(kozo_poll(n).value, 0);
    }
    served_for_a_while(&v);
    storm(false);
}

KOZO_TEST(storm_on_a_line_that_nobody_bound)
{
    struct witness v = witness();

    driven = line(RTC_LINE);
    storm(true);
    served_for_a_while(&v);
    KOZO_CHECK_ERR(kozo_irq_ack(driven), KOZO_ERR_STATE);
    storm(false);
}

KOZO_TEST(storm_on_a_line_that_nobody_claimed)
{
    struct witness v = witness();

    storm(true);
    served_for_a_while(&v);
    storm(false);
}

KOZO_TEST(storm_while_its_handler_comes_and_goes)
{
    struct witness v = witness();
    struct kozo_notification n = kozo_test_notification();

    storm(true);
    for (unsigned i = 0; i < 200; i++) {
        driven = line(RTC_LINE);
        KOZO_CHECK_OK(kozo_irq_bind(driven, n, 1));
        (void)rtc(0x0c, -1);
        if (i % 3 == 0)
            (void)kozo_wait_until(n, kozo_now() + KOZO_MS);
        if (i % 5 == 0)
            (void)kozo_irq_ack(driven);
        kozo_slot_drop(driven.c);
    }
    unharmed(&v);
    storm(false);
}

KOZO_TEST(all_lines_bound_and_acknowledged_without_cause)
{
    struct witness v = witness();
    struct kozo_notification n = kozo_test_notification();
    struct kozo_irq irq[LINES];

    for (unsigned i = 0; i < LINES; i++) {
        irq[i] = line(i);
        KOZO_CHECK_OK(kozo_irq_bind(irq[i], n, 1ull << i));
    }
    for (unsigned k = 0; k < 100; k++)
        for (unsigned i = 0; i < LINES; i++) {
            enum kozo_err err = kozo_irq_ack(irq[i]);

            KOZO_CHECK(err == KOZO_OK || err == KOZO_ERR_STATE);
        }
    served_for_a_while(&v);
}
