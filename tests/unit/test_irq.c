/* SPDX-License-Identifier: MIT */
/*
 * test_irq.c - interrupt lines: one handler each, masked from delivery to acknowledgement.
 */
#include "host.h"

#define H SLOT_FREE
#define N (SLOT_FREE + 1)
#define X (SLOT_FREE + 2)
#define LINE 4u

static uint64_t claim(uint64_t line, uint64_t slot)
{
    return call(host.init, IRQ_CLAIM, SLOT_IRQ, line, 0, slot);
}

static void boot_bound(void)
{
    host_boot();
    CHECK_OK(claim(LINE, H));
    CHECK(!machine.line_open[LINE]); /* nobody to hear it */
    CHECK_OK(call(host.init, IRQ_BIND, H, SLOT_NTFN, 0x10));
    CHECK(machine.line_open[LINE]);
}

TEST(a_line_signals_its_notification_and_waits_for_the_acknowledgement)
{
    boot_bound();
    CHECK(host_interrupt(LINE));
    CHECK(!machine.line_open[LINE]);
    CHECK_OK(call(host.init, POLL, SLOT_NTFN));
    CHECK_EQ(host.init->frame.reg[0], 0x10);
    CHECK(!host_interrupt(LINE));
    CHECK_OK(call(host.init, IRQ_ACK, H));
    CHECK(host_interrupt(LINE));
}

TEST(a_driver_is_woken_by_its_line)
{
    boot_bound();
    struct tcb *driver = host_thread_at(0, 0, 10);
    call(driver, WAIT, SLOT_NTFN, 0);
    CHECK(host_interrupt(LINE));
    CHECK_PTR(host_running(), driver);
    CHECK_EQ(driver->frame.reg[0], 0x10);
}

/* FACTS: storm, spurious vector, acknowledged twice. */
TEST(a_spurious_interrupt_is_ignored)
{
    boot_bound();
    CHECK(host_interrupt(LINE));
    CHECK_OK(call(host.init, POLL, SLOT_NTFN));
    kernel_interrupt(LINE); /* arrived while it was masked */
    kernel_interrupt(LINE + 1); /* nobody's */
    host_check();
    CHECK_EQ(host_ntfn()->bits, 0);
}

TEST(a_second_acknowledgement_is_an_error)
{
    boot_bound();
    CHECK_ERR(call(host.init, IRQ_ACK, H), STATE);
    CHECK(host_interrupt(LINE));
    CHECK_OK(call(host.init, IRQ_ACK, H));
    CHECK_ERR(call(host.init, IRQ_ACK, H), STATE);
}

TEST(a_line_has_one_handler)
{
    host_boot();
    CHECK_OK(claim(LINE, H));
    CHECK_ERR(claim(LINE, X), IN_USE);
    CHECK_OK(call(host.init, CAP_DELETE, 0, H));
    CHECK_OK(claim(LINE, X));
}

TEST(claim_errors)
{
    host_boot();
    CHECK_ERR(claim(ARCH_IRQ_LINES, H), ARGUMENT);
    CHECK_ERR(claim(UINT64_MAX, H), ARGUMENT);
    CHECK_ERR(claim((1ull << 32) + 1, H), ARGUMENT);
    CHECK_ERR(claim(LINE, SLOT_EP), OCCUPIED);
    CHECK_ERR(call(host.init, IRQ_CLAIM, SLOT_EP, LINE, 0, H), KIND);
    CHECK_OK(claim(LINE, H));
    CHECK_ERR(call(host.init, IRQ_BIND, H, SLOT_EP, 1), KIND);
    CHECK_ERR(call(host.init, IRQ_BIND, SLOT_EP, SLOT_NTFN, 1), KIND);
    CHECK_OK(call(host.init, CAP_COPY, 0, X, 0, SLOT_NTFN, KOZO_READ));
    CHECK_ERR(call(host.init, IRQ_BIND, H, X, 1), RIGHTS);
}

TEST(all_lines_can_be_claimed)
{
    host_boot();
    for (uint64_t i = 0; i < ARCH_IRQ_LINES; i++) {
        CHECK_OK(claim(i, SLOT_FREE + i));
        CHECK_OK(call(host.init, IRQ_BIND, SLOT_FREE + i, SLOT_NTFN, 1ull << i));
    }
    for (uint32_t i = 0; i < ARCH_IRQ_LINES; i++)
        CHECK(host_interrupt(i));
    CHECK_EQ(host_ntfn()->bits, (1ull << ARCH_IRQ_LINES) - 1);
    CHECK_OK(call(host.init, CAP_REVOKE, 0, SLOT_IRQ));
    for (uint64_t i = 0; i < ARCH_IRQ_LINES; i++)
        CHECK_EQ(host_kind(SLOT_FREE + i), KOZO_KIND_NULL);
}

/* FACTS: handler deleted while pending. */
TEST(a_handler_deleted_while_its_line_is_pending_leaves_it_masked)
{
    boot_bound();
    CHECK(host_interrupt(LINE));
    CHECK_OK(call(host.init, CAP_DELETE, 0, H));
    CHECK(!machine.line_open[LINE]);
    CHECK_OK(claim(LINE, H)); /* the next one starts afresh */
    CHECK_ERR(call(host.init, IRQ_ACK, H), STATE);
    CHECK_OK(call(host.init, IRQ_BIND, H, SLOT_NTFN, 1));
    CHECK(machine.line_open[LINE]);
}

TEST(a_copied_handler_keeps_its_line)
{
    boot_bound();
    CHECK_OK(call(host.init, CAP_COPY, 0, X, 0, H, KOZO_SAME_RIGHTS));
    CHECK_OK(call(host.init, CAP_DELETE, 0, H));
    CHECK(host_interrupt(LINE));
    CHECK_OK(call(host.init, IRQ_ACK, X));
    CHECK_OK(call(host.init, CAP_DELETE, 0, X));
    CHECK(!machine.line_open[LINE]);
}

TEST(a_line_is_masked_when_its_notification_goes)
{
    host_boot();
    CHECK_OK(claim(LINE, H));
    host_make(N, KOZO_KIND_NOTIFICATION, 0);
    CHECK_OK(call(host.init, IRQ_BIND, H, N, 1));
    CHECK_OK(call(host.init, CAP_REVOKE, 0, N)); /* the line's own capability was derived from it */
    CHECK(!machine.line_open[LINE]);
    CHECK_OK(call(host.init, IRQ_BIND, H, SLOT_NTFN, 2));
    CHECK(host_interrupt(LINE));
    CHECK_EQ(host_ntfn()->bits, 2);
}

TEST(unbinding_masks_and_rebinding_does_not_acknowledge)
{
    boot_bound();
    CHECK_OK(call(host.init, IRQ_BIND, H, 0, 0));
    CHECK(!machine.line_open[LINE]);
    CHECK_OK(call(host.init, IRQ_BIND, H, SLOT_NTFN, 1));
    CHECK(host_interrupt(LINE));
    CHECK_OK(call(host.init, IRQ_BIND, H, SLOT_NTFN, 2));
    CHECK(!machine.line_open[LINE]);
    CHECK_OK(call(host.init, IRQ_ACK, H));
    CHECK(machine.line_open[LINE]);
}

TEST(a_line_signals_only_bits_that_its_capability_may)
{
    host_boot();
    CHECK_OK(claim(LINE, H));
    CHECK_OK(call(host.init, CAP_MINT, 0, N, 0, SLOT_NTFN, KOZO_SAME_RIGHTS, 0x0c));
    CHECK_OK(call(host.init, IRQ_BIND, H, N, 0x14));
    CHECK(host_interrupt(LINE));
    CHECK_EQ(host_ntfn()->bits, 0x04);
}

TEST(a_line_wakes_a_thread_bound_to_its_notification)
{
    boot_bound();
    struct tcb *server = host_thread(KOZO_READ, 0);
    CHECK_OK(call(server, THREAD_BIND_NTFN, SLOT_THREAD, SLOT_NTFN));
    call(server, RECV, SLOT_EP);
    CHECK(host_interrupt(LINE));
    CHECK_EQ(server->frame.badge, 0x10);
}
