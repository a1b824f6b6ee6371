/* SPDX-License-Identifier: MIT */
#include "console/serial.h"

#include <kozo/syscall.h>
#include <kozo/time.h>

constexpr unsigned data = 0x3f8, interrupts = 0x3f9, fifo = 0x3fa, modem = 0x3fc, status = 0x3fd;
constexpr unsigned received = 1, sent = 0x20; /* status */
constexpr unsigned fifo_on = 1, receive_interrupt = 1;
constexpr unsigned modem_on = 0xb; /* DTR, RTS, and OUT2, which lets interrupts through */
constexpr unsigned fifo_bytes = 16;
constexpr uint64_t patience = 500 * KOZO_MS; /* for a FIFO of bytes */

static struct kozo_io_port port;
static unsigned space; /* bytes that the FIFO takes without a look */
static bool late;      /* it did not take its bytes in time: no more waiting until it does */

static unsigned get(unsigned reg)
{
    return (unsigned)kozo_ioport_in(port, reg, 1).value;
}

static void set(unsigned reg, unsigned value)
{
    (void)kozo_ioport_out(port, reg, 1, value);
}

void serial_begin(struct kozo_io_port p)
{
    port = p;
    set(fifo, fifo_on);
    set(modem, modem_on);
    set(interrupts, receive_interrupt);
}

static bool wait_for_space(void)
{
    uint64_t end = kozo_now() + patience;

    while ((get(status) & sent) == 0) {
        if (late || kozo_now() > end)
            return false;
        (void)kozo_sleep(KOZO_MS);
    }
    space = fifo_bytes;
    return true;
}

static void put(char c)
{
    if (space == 0) {
        late = !wait_for_space();
        if (late)
            return;
    }
    space--;
    set(data, (unsigned char)c);
}

void serial_write(const char *text, uint64_t len)
{
    for (uint64_t i = 0; i < len; i++) {
        if (text[i] == '\n')
            put('\r');
        put(text[i]);
    }
}

int serial_read(void)
{
    return (get(status) & received) != 0 ? (int)(get(data) & 0xff) : -1;
}
