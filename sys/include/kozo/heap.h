/* SPDX-License-Identifier: MIT */
/*
 * heap.h - malloc and its family over the memory a program was born with.
 *
 * Owns:      [heap, heap_end) of the start page; in init what it gives to kozo_heap_init.
 * Not here:  getting more memory from the kernel (memory.h).
 * Callers:   one thread at a time.
 * Cost:      O(blocks): first fit, neighbours joined when freed.
 * Spec:      ISO C23, 7.24.3
 */
#pragma once

#include <stddef.h>

/*
 * The heap is the zeroed or used memory [begin, end), from now on; what was allocated before is
 * forgotten.
 */
void kozo_heap_init(void *begin, void *end);

/*
 * 16-byte aligned memory of at least `bytes` bytes; null when there is none. malloc(0) is a block
 * of its own.
 */
[[nodiscard, gnu::__malloc__]] void *malloc(size_t bytes);

/* The same for count * bytes, zeroed; null also when the product wraps. */
[[nodiscard, gnu::__malloc__]] void *calloc(size_t count, size_t bytes);

/*
 * Resizes a block, moving it if need be; null leaves it as it was. realloc(nullptr, n) is
 * malloc(n).
 */
[[nodiscard]] void *realloc(void *block, size_t bytes);

/*
 * Gives a block back; null is ignored. A block freed twice, foreign or overrun ends the program
 * with a message.
 */
void free(void *block);

/* Bytes not allocated, and the largest block that malloc could give. */
struct kozo_heap_info {
    size_t free, largest;
};
struct kozo_heap_info kozo_heap_info(void);
