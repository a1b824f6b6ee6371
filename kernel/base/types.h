/* SPDX-License-Identifier: MIT */
/*
 * types.h - words every room uses.
 *
 * Owns:      nothing.
 * Not here:  what users see too (sys/abi/kozo/abi.h).
 * Callers:   everybody.
 * Cost:      none.
 * Spec:      docs/spec/architecture.md
 */
#pragma once

#include "base/config.h"
#include <kozo/abi.h>
#include <stddef.h>
#include <stdint.h>

/* A physical address: a struct, so that nothing becomes one by accident. */
struct paddr {
    uint64_t v;
};

#define NODISCARD [[nodiscard]]

/* Leave with an error unless `cond` holds; pass an error on. */
#define REQUIRE(cond, error)  \
    do {                      \
        if (!(cond))          \
            return (error);   \
    } while (0)
#define TRY(expr)                                    \
    do {                                             \
        enum kozo_err try_err_ = (expr);             \
        if (try_err_ != KOZO_OK)                     \
            return try_err_;                         \
    } while (0)

#define container_of(ptr, type, member) ((type *)((char *)(ptr) - offsetof(type, member)))
#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

static inline uint64_t align_up(uint64_t v, uint64_t alignment)
{
    return (v + alignment - 1) & ~(alignment - 1);
}
static inline uint64_t align_down(uint64_t v, uint64_t alignment) { return v & ~(alignment - 1); }
static inline bool is_aligned(uint64_t v, uint64_t alignment) { return (v & (alignment - 1)) == 0; }
static inline uint64_t min_u64(uint64_t a, uint64_t b) { return a < b ? a : b; }
static inline uint64_t max_u64(uint64_t a, uint64_t b) { return a > b ? a : b; }
