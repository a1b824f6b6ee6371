/* SPDX-License-Identifier: MIT */
/*
 * time.h - the time since boot, and sleeping.
 *
 * Owns:      nothing; the clock page is the kernel's.
 * Not here:  deadlines of messages (msg.h) and notifications (syscall.h): the same nanoseconds.
 * Spec:      docs/spec/threads.md
 */
#pragma once

#include <kozo/abi.h>

#define KOZO_US 1000ull
#define KOZO_MS 1000000ull
#define KOZO_S 1000000000ull

/*
 * Nanoseconds since kernel entry. Never goes back, never fails, no system call; 0 in a program
 * without a clock page.
 */
uint64_t kozo_now(void);

/*
 * Sleeps until kozo_now() reaches `deadline`, or for `ns` nanoseconds; at once when that is past.
 * KOZO_OK, or CANCELLED when this thread was suspended and resumed before.
 */
enum kozo_err kozo_sleep_until(uint64_t deadline);
enum kozo_err kozo_sleep(uint64_t ns);
