/* SPDX-License-Identifier: MIT */
/*
 * string.c - copying and filling, by string instructions: words first, the last bytes after.
 *
 * Cost:      an instruction for each eight bytes.
 */
#include "string.h"

#include <stdint.h>

void *memcpy(void *restrict to, const void *restrict from, size_t bytes)
{
    void *at = to;
    size_t words = bytes / 8;

    bytes %= 8;
    __asm__ volatile("rep movsq" : "+D"(at), "+S"(from), "+c"(words)::"memory");
    __asm__ volatile("rep movsb" : "+D"(at), "+S"(from), "+c"(bytes)::"memory");
    return to;
}

void *memset(void *to, int byte, size_t bytes)
{
    void *at = to;
    size_t words = bytes / 8;
    uint64_t value = (uint8_t)byte * 0x0101010101010101ull;

    bytes %= 8;
    __asm__ volatile("rep stosq" : "+D"(at), "+c"(words) : "a"(value) : "memory");
    __asm__ volatile("rep stosb" : "+D"(at), "+c"(bytes) : "a"(value) : "memory");
    return to;
}

void *memmove(void *to, const void *from, size_t bytes)
{
    volatile uint8_t *t = to; /* volatile: or this loop becomes a call of memmove */
    const uint8_t *f = from;

    if ((uintptr_t)to - (uintptr_t)from >= bytes)
        return memcpy(to, from, bytes);
    while (bytes-- > 0)
        t[bytes] = f[bytes];
    return to;
}

int memcmp(const void *a, const void *b, size_t bytes)
{
    const volatile uint8_t *x = a, *y = b;

    for (size_t i = 0; i < bytes; i++) {
        int difference = x[i] - y[i];
        if (difference != 0)
            return difference;
    }
    return 0;
}

size_t strlen(const char *s)
{
    const volatile char *end = s;

    while (*end != '\0')
        end++;
    return (size_t)(end - s);
}

int strncmp(const char *a, const char *b, size_t most)
{
    for (size_t i = 0; i < most; i++)
        if (a[i] != b[i] || a[i] == '\0')
            return (uint8_t)a[i] - (uint8_t)b[i];
    return 0;
}
