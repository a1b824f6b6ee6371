/* SPDX-License-Identifier: MIT */
/*
 * console.h - the protocol `console`.
 *
 * Owns:      struct console_*, console_call_*, console_dispatch (made from proto/console.def), its user rights.
 * Spec:      docs/spec/services.md
 */
#pragma once

#define KOZO_PROTO console
#define KOZO_PROTO_UPPER CONSOLE
#define KOZO_PROTO_TABLE <kozo/proto/console.def>
#include <kozo/make.h>

#define KOZO_CONSOLE_READ 1u
#define KOZO_CONSOLE_WRITE 2u
#define KOZO_CONSOLE_ASK 4u

#define KOZO_CONSOLE_LINE 255u /* bytes of a line, at most */
#define KOZO_CONSOLE_TEXT 400u /* bytes of one write */

enum kozo_console_how : uint64_t { KOZO_CONSOLE_ENTERED, KOZO_CONSOLE_STOPPED, KOZO_CONSOLE_ENDED, KOZO_CONSOLE_TAB };
