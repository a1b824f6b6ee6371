/* SPDX-License-Identifier: MIT */
/*
 * string.h (x86_64) - the four functions a freestanding compiler calls on its own, and two for
 * names.
 *
 * Owns:      nothing. The host port has its C library's.
 * Not here:  anything that formats (base/log.h).
 * Callers:   the whole kernel, and the compiler.
 * Cost:      O(bytes).
 * Spec:      ISO C23, 7.26
 */
#pragma once

#include <stddef.h>

void *memcpy(void *restrict to, const void *restrict from, size_t bytes);
void *memmove(void *to, const void *from, size_t bytes);
void *memset(void *at, int byte, size_t bytes);
[[nodiscard]] int memcmp(const void *a, const void *b, size_t bytes);
[[nodiscard]] size_t strlen(const char *s);
[[nodiscard]] int strncmp(const char *a, const char *b, size_t most);
