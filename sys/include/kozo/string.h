/* SPDX-License-Identifier: MIT */
/*
 * string.h - bytes and C strings: the functions of the C standard under their own names, and few
 * others.
 *
 * Owns:      nothing.
 * Not here:  formatting (print.h), strings in messages (msg.h).
 * Spec:      ISO C23, 7.26; strnlen from POSIX; strlcpy from OpenBSD.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* As in ISO C23; strnlen as in POSIX. */
void *memcpy(void *restrict to, const void *restrict from, size_t n);
void *memmove(void *to, const void *from, size_t n);
void *memset(void *at, int byte, size_t n);
int memcmp(const void *a, const void *b, size_t n);
void *memchr(const void *at, int byte, size_t n);
size_t strlen(const char *s);
size_t strnlen(const char *s, size_t max);
int strcmp(const char *a, const char *b);
int strncmp(const char *a, const char *b, size_t n);
char *strchr(const char *s, int c);
char *strrchr(const char *s, int c);
char *strstr(const char *s, const char *part);

/*
 * Copies `from`, cut to size - 1 bytes and always ended by a NUL (size 0: nothing). Returns
 * strlen(from).
 */
size_t strlcpy(char *restrict to, const char *restrict from, size_t size);

/*
 * Reads a whole number that fills [s, s + len): decimal, or hexadecimal after 0x. False (and *out
 * untouched) when it is empty, holds anything else, or does not fit.
 */
bool kozo_parse_u64(const char *s, size_t len, uint64_t *out);
