/* SPDX-License-Identifier: MIT */
#include "init/power.h"

#include <kozo/handle.h>
#include <kozo/print.h>
#include <kozo/syscall.h>
#include <kozo/time.h>

constexpr unsigned debug_exit_port = 0xf4;
constexpr unsigned pm1a_control_port = 0x604; /* of both chipsets that QEMU has for a PC */
constexpr unsigned reset_port = 0xcf9;
constexpr unsigned hard_reset = 6;
constexpr unsigned soft_off = 0x2000;         /* SLP_EN, with the type that means power off there */

void power_off(uint32_t code)
{
    struct kozo_io_port ports = { KOZO_INIT_IOPORT };

    kozo_print_flush();
    (void)kozo_ioport_out(ports, debug_exit_port, 1, code);
    (void)kozo_ioport_out(ports, pm1a_control_port, 2, soft_off);
    (void)kozo_sleep(KOZO_S); /* power goes off a moment later, if it does */
    kozo_printf(
        "[init] this machine cannot be powered off from here: it is safe to switch it off\n");
    for (;;)
        (void)kozo_sleep(KOZO_S);
}

void power_reset(void)
{
    struct kozo_io_port ports = { KOZO_INIT_IOPORT };

    kozo_print_flush();
    (void)kozo_ioport_out(ports, debug_exit_port, 1, POWER_RESET);
    (void)kozo_ioport_out(ports, reset_port, 1, hard_reset);
    for (;;)
        (void)kozo_sleep(KOZO_S);
}
