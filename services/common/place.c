/* SPDX-License-Identifier: MIT */
#include "common/place.h"

#include <kozo/elf.h>
#include <kozo/layout.h>
#include <kozo/string.h>

constexpr uint64_t near = 1u << 16; /* further away a distance tells nothing */

void place_add(struct place_map *m, const char *name, uint64_t begin, uint64_t bytes,
               uint8_t rights)
{
    if (m->pieces < PLACE_PIECES && bytes != 0)
        m->piece[m->pieces++] = (struct place_piece){ name, begin, begin + bytes, rights };
}

static const char *segment_name(const struct kozo_elf_segment *g)
{
    if ((g->rights & KOZO_EXECUTE) != 0)
        return "text";
    return (g->rights & KOZO_WRITE) != 0 ? "data" : "read-only data";
}

void place_add_image(struct place_map *map, struct kozo_bytes image)
{
    struct kozo_bad bad;
    struct kozo_elf elf;

    if (kozo_elf_read(image.at, image.len, &elf, &bad) != KOZO_OK)
        return;
    for (uint32_t k = 0; k < elf.nsegments; k++) {
        const struct kozo_elf_segment *g = &elf.segment[k];
        uint64_t begin = g->vaddr & ~(uint64_t)(KOZO_PAGE_SIZE - 1);
        uint64_t end = (g->vaddr + g->memsz + KOZO_PAGE_SIZE - 1) & ~(uint64_t)(KOZO_PAGE_SIZE - 1);

        place_add(map, segment_name(g), begin, end - begin, g->rights);
    }
}

/* The piece that the address lies in; the one that ends last before it; that begins first after. */
static const struct place_piece *around(const struct place_map *m, uint64_t address,
                                        const struct place_piece **below,
                                        const struct place_piece **above)
{
    *below = *above = nullptr;
    for (uint32_t i = 0; i < m->pieces; i++) {
        const struct place_piece *p = &m->piece[i];

        if (address >= p->begin && address < p->end)
            return p;
        if (p->end <= address && (*below == nullptr || p->end > (*below)->end))
            *below = p;
        if (p->begin > address && (*above == nullptr || p->begin < (*above)->begin))
            *above = p;
    }
    return nullptr;
}

static void add_of(struct line *l, const struct place_map *m, const char *name)
{
    line_add(l, "the ");
    line_add(l, name);
    line_add(l, " of ");
    line_add_str(l, m->service);
}

static void describe_inside(struct line *l, const struct place_map *m, const struct place_piece *p,
                            uint64_t access)
{
    line_add(l, "in ");
    add_of(l, m, p->name);
    if ((p->rights & access) == access)
        return;
    line_add(l, access == KOZO_WRITE ? ", which is not writable" : ", which is not executable");
}

/* Between two pieces, in neither's reach. */
static void describe_hole(struct line *l, const struct place_map *m,
                          const struct place_piece *below, const struct place_piece *above)
{
    line_add(l, "in nothing mapped, ");
    line_add(l, below == nullptr ? "below " : above == nullptr ? "above " : "between ");
    if (below != nullptr)
        add_of(l, m, below->name);
    if (below != nullptr && above != nullptr)
        line_add(l, " and ");
    if (above != nullptr)
        add_of(l, m, above->name);
}

static void describe_outside(struct line *l, const struct place_map *m, uint64_t address,
                             const struct place_piece *below, const struct place_piece *above)
{
    uint64_t over = below != nullptr ? address - below->end : UINT64_MAX;
    uint64_t under = above != nullptr ? above->begin - address : UINT64_MAX;
    bool guard = above != nullptr && strcmp(above->name, "stack") == 0 && under <= KOZO_PAGE_SIZE;
    bool is_under = guard || under <= over;

    if (over >= near && under >= near) {
        describe_hole(l, m, below, above);
        return;
    }
    line_add_number(l, is_under ? under : over);
    line_add(l, is_under ? " bytes below " : " bytes behind the end of ");
    add_of(l, m, is_under ? above->name : below->name);
    line_add(l, guard ? ": stack overflow" : "");
}

/* The guard page of a thread of worker.h: its part is buffer, guard, stack. */
static bool is_guard_of_worker(uint64_t address)
{
    return address >= KOZO_LAYOUT_THREADS && address < KOZO_LAYOUT_THREADS_END &&
           address % KOZO_LAYOUT_THREAD_BYTES / KOZO_PAGE_SIZE == 1;
}

static void describe_guard_of_worker(struct line *l, const struct place_map *m, uint64_t address)
{
    line_add_number(l, KOZO_PAGE_SIZE - address % KOZO_PAGE_SIZE);
    line_add(l, " bytes below ");
    add_of(l, m, "stack of a further thread");
    line_add(l, ": stack overflow");
}

void place_describe(struct line *l, const struct place_map *m, uint64_t address, uint64_t access)
{
    const struct place_piece *below, *above, *in = around(m, address, &below, &above);

    if (address < KOZO_PAGE_SIZE)
        line_add(l, "a null pointer");
    else if (address >= KOZO_USER_END)
        line_add(l, "not a user address");
    else if (in != nullptr)
        describe_inside(l, m, in, access);
    else if (is_guard_of_worker(address))
        describe_guard_of_worker(l, m, address);
    else if (m->pieces > 0)
        describe_outside(l, m, address, below, above);
}
