/* SPDX-License-Identifier: MIT */
#include <kozo/heap.h>

#include <kozo/start.h>
#include <kozo/string.h>

#include <stdckdint.h>

/*
 * Blocks lie side by side from the first to the end; each says how long it and the one before are.
 * The seal ties a header to its address and contents, so that one written over, or a pointer to
 * anything else, is known as such.
 */
struct block {
    size_t bytes;  /* of the block with its header; bit 0: in use */
    size_t before; /* bytes of the block before, 0 for the first */
    size_t seal;
    size_t spare;
};
constexpr size_t ALIGN = 16;
constexpr size_t HEADER = sizeof(struct block);
constexpr size_t USED = 1;
static_assert(sizeof(struct block) % ALIGN == 0);

static struct {
    char *begin, *end;
} heap;

static size_t size_of(const struct block *b)
{
    return b->bytes & ~USED;
}

static bool in_use(const struct block *b)
{
    return (b->bytes & USED) != 0;
}

static size_t seal_of(const struct block *b)
{
    return ((size_t)(uintptr_t)b ^ b->bytes * 3 ^ b->before * 5) + 0x6b6f7a6f68656170;
}

static void set(struct block *b, size_t bytes, size_t before, bool used)
{
    b->bytes = bytes | (used ? USED : 0);
    b->before = before;
    b->seal = seal_of(b);
}

static struct block *next(struct block *b)
{
    char *at = (char *)b + size_of(b);

    return at == heap.end ? nullptr : (struct block *)at;
}

static void check(const struct block *b, const char *what)
{
    const char *at = (const char *)b;

    if (at < heap.begin || at > heap.end - HEADER || (uintptr_t)at % ALIGN != 0 ||
        b->seal != seal_of(b))
        kozo_fatal("heap: %s %p: not a block, or its header was written over", what,
                   (const void *)(b + 1));
}

void kozo_heap_init(void *begin, void *end)
{
    uintptr_t b = ((uintptr_t)begin + ALIGN - 1) & ~(ALIGN - 1), e = (uintptr_t)end & ~(ALIGN - 1);

    heap.begin = heap.end = nullptr;
    if (begin == nullptr || e < b || e - b < HEADER + ALIGN)
        return;
    heap.begin = (char *)b;
    heap.end = (char *)e;
    set((struct block *)b, e - b, 0, false);
}

/* Tells the block after `b` how long `b` is now. */
static void tie(struct block *b)
{
    struct block *n = next(b);

    if (n != nullptr)
        set(n, size_of(n), size_of(b), in_use(n));
}

/* Cuts what `b` has beyond `bytes` off as a free block, if that is worth a header. */
static void trim(struct block *b, size_t bytes)
{
    size_t rest = size_of(b) - bytes;

    if (rest < HEADER + ALIGN)
        return;
    set(b, bytes, b->before, in_use(b));

    struct block *cut = next(b);

    set(cut, rest, bytes, false);

    struct block *n = next(cut);

    if (n != nullptr && !in_use(n))
        set(cut, rest + size_of(n), bytes, false);
    tie(cut);
}

/* Bytes of a block that holds `bytes`; 0 when there can be none. */
static size_t block_bytes(size_t bytes)
{
    size_t n;

    if (ckd_add(&n, bytes, HEADER + ALIGN - 1))
        return 0;
    n &= ~(ALIGN - 1);
    return n < HEADER + ALIGN ? HEADER + ALIGN : n;
}

void *malloc(size_t bytes)
{
    size_t need = block_bytes(bytes);

    if (need == 0 || heap.begin == nullptr)
        return nullptr;
    for (struct block *b = (struct block *)heap.begin; b != nullptr; b = next(b)) {
        check(b, "block");
        if (in_use(b) || size_of(b) < need)
            continue;
        set(b, size_of(b), b->before, true);
        trim(b, need);
        return b + 1;
    }
    return nullptr;
}

void *calloc(size_t count, size_t bytes)
{
    size_t n;
    void *p = ckd_mul(&n, count, bytes) ? nullptr : malloc(n);

    if (p != nullptr)
        memset(p, 0, n);
    return p;
}

void free(void *at)
{
    if (at == nullptr)
        return;

    struct block *b = (struct block *)at - 1, *n;

    check(b, "free");
    if (!in_use(b))
        kozo_fatal("heap: %p freed twice", at);
    n = next(b);
    if (n != nullptr)
        check(n, "overrun into");
    set(b, size_of(b), b->before, false);
    if (n != nullptr && !in_use(n))
        set(b, size_of(b) + size_of(n), b->before, false);
    if (b->before != 0) {
        struct block *p = (struct block *)((char *)b - b->before);

        check(p, "block");
        if (!in_use(p)) {
            set(p, size_of(p) + size_of(b), p->before, false);
            b = p;
        }
    }
    tie(b);
}

/* Joins a free neighbour to `b` when the two hold `need`. */
static bool grow(struct block *b, size_t need)
{
    struct block *n = next(b);

    if (n == nullptr || in_use(n) || size_of(b) + size_of(n) < need)
        return false;
    set(b, size_of(b) + size_of(n), b->before, true);
    tie(b);
    return true;
}

void *realloc(void *at, size_t bytes)
{
    if (at == nullptr)
        return malloc(bytes);

    struct block *b = (struct block *)at - 1;
    size_t need = block_bytes(bytes);

    check(b, "realloc");
    if (need == 0)
        return nullptr;
    if (size_of(b) >= need || grow(b, need)) {
        trim(b, need);
        return at;
    }

    void *p = malloc(bytes);

    if (p != nullptr) {
        memcpy(p, at, size_of(b) - HEADER);
        free(at);
    }
    return p;
}

struct kozo_heap_info kozo_heap_info(void)
{
    struct kozo_heap_info i = {};

    for (struct block *b = (struct block *)heap.begin; b != nullptr; b = next(b)) {
        if (in_use(b))
            continue;
        i.free += size_of(b) - HEADER;
        if (size_of(b) - HEADER > i.largest)
            i.largest = size_of(b) - HEADER;
    }
    return i;
}
