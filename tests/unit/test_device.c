/* SPDX-License-Identifier: MIT */
/*
 * test_device.c - I/O ports and the Debug capability.
 */
#include "host.h"
#include <string.h>

#define P SLOT_FREE
#define Q (SLOT_FREE + 1)

static uint64_t mint(uint64_t from, uint64_t first, uint64_t last, uint64_t slot)
{
    return call(host.init, IOPORT_MINT, from, first, last, 0, slot);
}

/* ---- ports ---- */

TEST(a_port_is_read_and_written_through_its_capability)
{
    host_boot();
    CHECK_OK(mint(SLOT_IOPORT, 0x3f8, 0x3ff, P));
    CHECK_OK(call(host.init, IOPORT_OUT, P, 0x3f8, 1, 0x41));
    CHECK_EQ(machine.port, 0x3f8);
    CHECK_EQ(machine.port_width, 1);
    CHECK_EQ(machine.port_value, 0x41);
    machine.port_in_value = 0x60;
    CHECK_OK(call(host.init, IOPORT_IN, P, 0x3fd, 1));
    CHECK_EQ(host.init->frame.reg[0], 0x60);
    CHECK_EQ(machine.port, 0x3fd);
}

TEST(a_range_of_ports_only_shrinks)
{
    host_boot();
    CHECK_OK(mint(SLOT_IOPORT, 0x100, 0x1ff, P));
    CHECK_ERR(mint(P, 0xff, 0x1ff, Q), ARGUMENT);
    CHECK_ERR(mint(P, 0x100, 0x200, Q), ARGUMENT);
    CHECK_ERR(mint(P, 0x180, 0x17f, Q), ARGUMENT);
    CHECK_ERR(mint(SLOT_IOPORT, 0, 0x10000, Q), ARGUMENT);
    CHECK_ERR(mint(SLOT_IOPORT, 0, UINT64_MAX, Q), ARGUMENT);
    CHECK_OK(mint(P, 0x180, 0x180, Q));
    CHECK_OK(call(host.init, IOPORT_IN, Q, 0x180, 1));
    CHECK_ERR(call(host.init, IOPORT_IN, Q, 0x180, 2), ARGUMENT); /* one port of two */
    CHECK_ERR(call(host.init, IOPORT_IN, Q, 0x17f, 1), ARGUMENT);
    CHECK_ERR(call(host.init, IOPORT_IN, Q, 0x181, 1), ARGUMENT);
}

TEST(widths_are_1_2_and_4)
{
    static const uint64_t bad[] = { 0, 3, 5, 8, UINT64_MAX };

    host_boot();
    for (uint32_t i = 0; i < ARRAY_LEN(bad); i++)
        CHECK_ERR(call(host.init, IOPORT_IN, SLOT_IOPORT, 0x100, bad[i]), ARGUMENT);
    CHECK_OK(call(host.init, IOPORT_IN, SLOT_IOPORT, 0xfffc, 4));
    CHECK_ERR(call(host.init, IOPORT_IN, SLOT_IOPORT, 0xfffd, 4), ARGUMENT);
    CHECK_ERR(call(host.init, IOPORT_IN, SLOT_IOPORT, 0x10000, 1), ARGUMENT);
}

/* The interrupt controllers and the timer stay the kernel's. */
TEST(ports_of_the_kernel_are_nobodys)
{
    static const uint64_t kernels[] = { 0x20, 0x21, 0xa0, 0xa1, 0x40, 0x43 };

    host_boot();
    for (uint32_t i = 0; i < ARRAY_LEN(kernels); i++) {
        CHECK_ERR(call(host.init, IOPORT_OUT, SLOT_IOPORT, kernels[i], 1, 0), ARGUMENT);
        CHECK_ERR(call(host.init, IOPORT_IN, SLOT_IOPORT, kernels[i], 1), ARGUMENT);
    }
    CHECK_ERR(call(host.init, IOPORT_OUT, SLOT_IOPORT, 0x1f, 2, 0),
              ARGUMENT); /* nor reached from beside */
    CHECK_ERR(call(host.init, IOPORT_OUT, SLOT_IOPORT, 0x3d, 4, 0), ARGUMENT);
    CHECK_OK(call(host.init, IOPORT_OUT, SLOT_IOPORT, 0x44, 1, 0));
}

TEST(port_rights)
{
    host_boot();
    CHECK_OK(call(host.init, CAP_COPY, 0, P, 0, SLOT_IOPORT, KOZO_READ));
    CHECK_OK(call(host.init, CAP_COPY, 0, Q, 0, SLOT_IOPORT, KOZO_WRITE));
    CHECK_ERR(call(host.init, IOPORT_OUT, P, 0x100, 1, 0), RIGHTS);
    CHECK_ERR(call(host.init, IOPORT_IN, Q, 0x100, 1), RIGHTS);
    CHECK_OK(mint(P, 0x100, 0x1ff, Q + 1));
    CHECK_ERR(call(host.init, IOPORT_OUT, Q + 1, 0x100, 1, 0), RIGHTS);
    CHECK_ERR(mint(SLOT_EP, 0, 1, Q + 2), KIND);
    CHECK_ERR(mint(SLOT_IOPORT, 0, 1, SLOT_EP), OCCUPIED);
}

TEST(minted_ports_are_revoked_with_their_parent)
{
    host_boot();
    CHECK_OK(mint(SLOT_IOPORT, 0x100, 0x1ff, P));
    CHECK_OK(mint(P, 0x100, 0x10f, Q));
    CHECK_OK(call(host.init, CAP_REVOKE, 0, SLOT_IOPORT));
    CHECK_EQ(host_kind(P), KOZO_KIND_NULL);
    CHECK_EQ(host_kind(Q), KOZO_KIND_NULL);
}

/* ---- Debug ---- */

TEST(text_is_written_to_the_console)
{
    host_boot();
    host_log_forget();
    memcpy(host.init->buffer->word, "hello, console\n", 15);
    CHECK_OK(call(host.init, DEBUG_WRITE, SLOT_DEBUG, 15));
    CHECK_STR(machine.log, "hello, console\n");
    CHECK_OK(call(host.init, DEBUG_WRITE, SLOT_DEBUG, 0));
    CHECK_ERR(call(host.init, DEBUG_WRITE, SLOT_DEBUG, KOZO_MSG_EXTRA * 8 + 1), ARGUMENT);
    CHECK_ERR(call(host.init, DEBUG_WRITE, SLOT_EP, 1), KIND);
    CHECK_ERR(call(host_peer(HOST_PRIORITY), DEBUG_WRITE, SLOT_DEBUG, 1), BUFFER);
}

TEST(the_dump_lists_the_callers_capabilities)
{
    host_boot();
    CHECK_OK(call(host.init, CAP_MINT, 0, P, 0, SLOT_EP, KOZO_SAME_RIGHTS, 5));
    host_log_forget();
    uint64_t next = 1;
    while (next != 0) {
        CHECK_OK(call(host.init, DEBUG_DUMP, SLOT_DEBUG, next));
        CHECK(host.init->frame.reg[0] == 0 || host.init->frame.reg[0] > next);
        next = host.init->frame.reg[0];
    }
    CHECK(host_log_has("cap 1: CNode"));
    CHECK(host_log_has("cap 12: Endpoint"));
    CHECK(host_log_has("cap 16: Endpoint"));
    CHECK(host_log_has("badged"));
    CHECK_OK(call(host.init, DEBUG_DUMP, SLOT_DEBUG, UINT64_MAX));
    CHECK_EQ(host.init->frame.reg[0], 0);
}

TEST(counters_can_be_read)
{
    host_boot();
    for (uint64_t i = 0; i < KOZO_STAT_COUNT; i++)
        CHECK_OK(call(host.init, DEBUG_STAT, SLOT_DEBUG, i));
    CHECK_ERR(call(host.init, DEBUG_STAT, SLOT_DEBUG, KOZO_STAT_COUNT), ARGUMENT);
    CHECK_ERR(call(host.init, DEBUG_STAT, SLOT_DEBUG, UINT64_MAX), ARGUMENT);
    CHECK_OK(call(host.init, CAP_COPY, 0, P, 0, SLOT_DEBUG, KOZO_WRITE));
    CHECK_ERR(call(host.init, DEBUG_STAT, P, 0), RIGHTS);
    CHECK_ERR(call(host.init, DEBUG_DUMP, P, 0), RIGHTS);
    CHECK_OK(call(host.init, CAP_COPY, 0, Q, 0, SLOT_DEBUG, KOZO_READ));
    CHECK_ERR(call(host.init, DEBUG_WRITE, Q, 0), RIGHTS);
}

TEST(pending_work_is_counted)
{
    host_boot();
    CHECK_OK(call(host.init, DEBUG_STAT, SLOT_DEBUG, KOZO_STAT_PENDING));
    CHECK_EQ(host.init->frame.reg[0], 0);
    host_make(P, KOZO_KIND_CNODE, 4);
    slot_delete(host_slot(P));
    host_leave();
    CHECK_OK(call(host.init, DEBUG_STAT, SLOT_DEBUG, KOZO_STAT_PENDING));
    CHECK_EQ(host.init->frame.reg[0], 1);
}
