/* SPDX-License-Identifier: MIT */
/*
 * print.h - formatted text, into memory and to the log.
 *
 * Owns:      the line that is being written.
 * Not here:  the log's protocol (log.h). Floating point: there is none in programs without FPU.
 * Callers:   kozo_printf: one thread at a time. The others: anyone.
 * Spec:      ISO C23, 7.23.6, as stb_sprintf implements it, less a A e E f F g G.
 */
#pragma once

#include <stdarg.h>
#include <stddef.h>

/*
 * Writes to the log, in whole lines: through the capability "log", in init to the kernel's console.
 * Where there is neither, or it does not take the text, the text is lost: printing never fails.
 */
[[gnu::format(printf, 1, 2)]] void kozo_printf(const char *format, ...);
[[gnu::format(printf, 1, 0)]] void kozo_vprintf(const char *format, va_list args);

/* Writes out a line that is not ended yet. */
void kozo_print_flush(void);

/*
 * Where init's text goes (0 = KOZO_INIT_DEBUG's console); a test may take it. Gets whole
 * lines, or parts of long ones.
 */
typedef void kozo_print_sink(const char *text, size_t len);
void kozo_print_to(kozo_print_sink *sink);

/*
 * Formats into [to, to + size), cut to fit, always ended by a NUL. Returns the bytes the whole text
 * would have had.
 */
[[gnu::format(printf, 3, 4)]] int kozo_snprintf(char *to, size_t size, const char *format, ...);
[[gnu::format(printf, 3, 0)]] int kozo_vsnprintf(char *to, size_t size, const char *format,
                                                 va_list args);
