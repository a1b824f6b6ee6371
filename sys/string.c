/* SPDX-License-Identifier: MIT */
#include <kozo/string.h>

/*
 * String instructions: eight bytes a step, then the rest; and no loop that a compiler would turn
 * into a call of itself.
 */
void *memcpy(void *restrict to, const void *restrict from, size_t n)
{
    void *d = to;
    size_t words = n / 8, rest = n % 8;

    __asm__ volatile("rep movsq" : "+D"(d), "+S"(from), "+c"(words) : : "memory");
    __asm__ volatile("rep movsb" : "+D"(d), "+S"(from), "+c"(rest) : : "memory");
    return to;
}

void *memset(void *at, int byte, size_t n)
{
    void *d = at;
    size_t words = n / 8, rest = n % 8;
    uint64_t pattern = (unsigned char)byte * 0x0101010101010101ull;

    __asm__ volatile("rep stosq" : "+D"(d), "+c"(words) : "a"(pattern) : "memory");
    __asm__ volatile("rep stosb" : "+D"(d), "+c"(rest) : "a"(pattern) : "memory");
    return at;
}

void *memmove(void *to, const void *from, size_t n)
{
    unsigned char *d = to;
    const unsigned char *s = from;

    if ((uintptr_t)d - (uintptr_t)s >= n)
        return memcpy(to, from, n);
    d += n - 1;
    s += n - 1;
    __asm__ volatile("std\n\trep movsb\n\tcld" : "+D"(d), "+S"(s), "+c"(n) : : "memory");
    return to;
}

int memcmp(const void *a, const void *b, size_t n)
{
    const unsigned char *p = a, *q = b;

    for (; n >= sizeof(uint64_t); n -= sizeof(uint64_t)) { /* words, up to the first that differs */
        uint64_t x, y;

        __builtin_memcpy(&x, p, sizeof x);
        __builtin_memcpy(&y, q, sizeof y);
        if (x != y)
            break;
        p += sizeof x;
        q += sizeof y;
    }
    for (; n != 0; n--, p++, q++)
        if (*p != *q)
            return *p - *q;
    return 0;
}

void *memchr(const void *at, int byte, size_t n)
{
    for (const unsigned char *p = at; n != 0; n--, p++)
        if (*p == (unsigned char)byte)
            return (void *)(uintptr_t)p;
    return nullptr;
}

size_t strnlen(const char *s, size_t max)
{
    size_t n = 0;

    while (n < max && s[n] != '\0')
        n++;
    return n;
}

size_t strlen(const char *s)
{
    return strnlen(s, SIZE_MAX);
}

int strncmp(const char *a, const char *b, size_t n)
{
    for (; n != 0; n--, a++, b++) {
        if (*a != *b)
            return (unsigned char)*a - (unsigned char)*b;
        if (*a == '\0')
            return 0;
    }
    return 0;
}

int strcmp(const char *a, const char *b)
{
    return strncmp(a, b, SIZE_MAX);
}

char *strchr(const char *s, int c)
{
    return memchr(s, c, strlen(s) + 1);
}

char *strrchr(const char *s, int c)
{
    size_t n = strlen(s) + 1;

    while (n-- != 0)
        if (s[n] == (char)c)
            return (char *)(uintptr_t)&s[n];
    return nullptr;
}

char *strstr(const char *s, const char *part)
{
    size_t n = strlen(part);

    for (;; s++) {
        if (strncmp(s, part, n) == 0)
            return (char *)(uintptr_t)s;
        if (*s == '\0')
            return nullptr;
    }
}

size_t strlcpy(char *restrict to, const char *restrict from, size_t size)
{
    size_t len = strlen(from), n = len < size ? len : size - 1;

    if (size != 0) {
        memcpy(to, from, n);
        to[n] = '\0';
    }
    return len;
}
