/* SPDX-License-Identifier: MIT */
#include "boot/memory.h"

#include "arch/arch.h"
#include "base/log.h"

/* ---- taking ---- */

/* A reserved piece that meets [base, end); null when there is none. */
static const struct boot_region *reserved_in(const struct boot_input *in, uint64_t base,
                                             uint64_t end)
{
    for (uint32_t i = 0; i < in->reserved_count; i++)
        if (in->reserved[i].base < end && base < in->reserved[i].end)
            return &in->reserved[i];
    return nullptr;
}

/* The highest free place of `bytes` in `r` below 4 GiB; 0 when there is none. */
static uint64_t highest_place(const struct boot_input *in, const struct boot_region *r,
                              uint64_t bytes)
{
    uint64_t end = min_u64(r->end, 1ull << 32);

    while (end >= bytes && end - bytes >= r->base) {
        const struct boot_region *taken = reserved_in(in, end - bytes, end);

        if (taken == nullptr)
            return end - bytes;
        end = taken->base;
    }
    return 0;
}

static void reserve(struct boot_input *in, uint64_t base, uint64_t end)
{
    for (uint32_t i = 0; i < in->reserved_count; i++)
        if (in->reserved[i].base == end) { /* taken from the top down: grow the last piece */
            in->reserved[i].base = base;
            return;
        }
    if (in->reserved_count == BOOT_REGIONS)
        panic("boot memory: more than %u reserved pieces", BOOT_REGIONS);
    in->reserved[in->reserved_count++] = (struct boot_region){ .base = base, .end = end };
}

struct paddr boot_alloc_as_is(struct boot_input *in, uint64_t pages)
{
    uint64_t bytes = pages * KOZO_PAGE_SIZE;

    for (uint32_t i = in->regions; i-- > 0;) {
        uint64_t at = in->region[i].kind == BOOT_RAM ? highest_place(in, &in->region[i], bytes) : 0;

        if (at != 0) {
            reserve(in, at, at + bytes);
            return (struct paddr){ at };
        }
    }
    panic("boot memory: no %lu bytes of RAM in one piece below 4 GiB", bytes);
}

struct paddr boot_alloc(struct boot_input *in, uint64_t pages)
{
    struct paddr at = boot_alloc_as_is(in, pages);

    arch_clear(arch_ram(at), pages * KOZO_PAGE_SIZE);
    return at;
}

void memory_unreserve(struct boot_input *in, struct boot_region piece)
{
    for (uint32_t i = 0; i < in->reserved_count; i++) {
        struct boot_region *r = &in->reserved[i];

        if (r->end != piece.end || r->base > piece.base)
            continue;
        r->end = piece.base; /* what was taken below it stays */
        if (r->base == r->end)
            *r = in->reserved[--in->reserved_count];
        return;
    }
    panic("boot memory: [%lx, %lx) is not a reserved piece", piece.base, piece.end);
}

/* ---- cutting ---- */

static void keep(struct boot_pieces *out, uint64_t base, uint32_t bits, enum boot_kind kind)
{
    if (out->count == BOOT_PIECES) {
        out->lost += 1ull << bits;
        return;
    }
    out->piece[out->count++] = (struct kozo_untyped_desc){ base, bits, kind == BOOT_DEVICE };
}

/* Cut [base, end) into naturally aligned powers of two. */
static void cut(struct boot_pieces *out, uint64_t base, uint64_t end, enum boot_kind kind)
{
    while (base < end) {
        uint32_t bits = 63u - (uint32_t)__builtin_clzll(end - base);
        uint32_t aligned = base == 0 ? KOZO_UNTYPED_MAX_BITS : (uint32_t)__builtin_ctzll(base);

        bits = (uint32_t)min_u64(min_u64(bits, aligned), KOZO_UNTYPED_MAX_BITS);
        keep(out, base, bits, kind);
        base += 1ull << bits;
    }
}

/* Cut what of [base, end) is not reserved. */
static void cut_free(const struct boot_input *in, struct boot_pieces *out, uint64_t base,
                     uint64_t end, enum boot_kind kind)
{
    while (base < end) {
        uint64_t stop = end, next = end;

        for (uint32_t i = 0; i < in->reserved_count; i++) {
            const struct boot_region *r = &in->reserved[i];

            if (r->end <= base || r->base >= stop)
                continue;
            stop = max_u64(r->base, base);
            next = r->end;
        }
        cut(out, base, stop, kind);
        base = next;
    }
}

/* Drop the smallest piece. */
static void drop_smallest(struct boot_pieces *p)
{
    uint32_t smallest = 0;

    for (uint32_t i = 1; i < p->count; i++)
        if (p->piece[i].size_bits < p->piece[smallest].size_bits)
            smallest = i;
    p->lost += 1ull << p->piece[smallest].size_bits;
    p->count--;
    for (uint32_t i = smallest; i < p->count; i++)
        p->piece[i] = p->piece[i + 1];
}

void memory_cut(const struct boot_input *in, enum boot_kind kind, uint32_t most,
                struct boot_pieces *out)
{
    out->count = 0;
    out->lost = 0;
    for (uint32_t i = 0; i < in->regions; i++)
        if (in->region[i].kind == kind)
            cut_free(in, out, in->region[i].base, in->region[i].end, kind);
    while (out->count > most)
        drop_smallest(out);
}

uint64_t memory_top(const struct boot_input *in)
{
    uint64_t top = 0;

    for (uint32_t i = 0; i < in->regions; i++)
        if (in->region[i].kind == BOOT_RAM)
            top = max_u64(top, in->region[i].end);
    return top;
}
