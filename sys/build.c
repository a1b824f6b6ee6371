/* SPDX-License-Identifier: MIT */
#include "build.h"

#include <kozo/memory.h>
#include <kozo/slots.h>
#include <kozo/string.h>
#include <kozo/syscall.h>
#include <kozo/window.h>

uint64_t kozo_build_tables(uint64_t pages)
{
    /* At each of the three levels one for every 512 below, and one for an unaligned end. */
    return pages == 0 ? 0 : pages / 512 + 2 + pages / (512 * 512) + 2 + 2;
}

/* log2 of the slots of a CNode that has `caps` besides slot 0. */
static unsigned cnode_bits(uint64_t caps)
{
    unsigned bits = KOZO_CNODE_MIN_BITS;

    while ((1ull << bits) < caps + 1)
        bits++;
    return bits;
}

void kozo_build_end(struct kozo_builder *b)
{
    kozo_slots_free(b->frame, 2);
    kozo_window_free(b->scratch);
    b->frame = b->table = 0;
    b->scratch = 0;
}

enum kozo_err kozo_build_begin(struct kozo_builder *b, struct kozo_untyped memory,
                               struct kozo_space space, uint64_t caps)
{
    enum kozo_err err = KOZO_ERR_LIMIT;

    *b = (struct kozo_builder){ .memory = memory, .space = space, .next = 1 };
    b->frame = kozo_slots_alloc(2);
    b->table = b->frame + 1;
    b->keep.c = kozo_slot_alloc();
    b->scratch = kozo_window_alloc(KOZO_WINDOW_SMALL, KOZO_PAGE_SIZE);
    if (b->frame != 0 && b->keep.c != 0 && b->scratch != 0)
        err = kozo_retype(memory, KOZO_KIND_CNODE, cnode_bits(caps), kozo_own(b->keep.c), 1);
    if (err == KOZO_OK)
        return KOZO_OK;
    kozo_build_end(b);
    kozo_slot_free(b->keep.c);
    b->keep.c = 0;
    return err;
}

enum kozo_err kozo_build_keep(struct kozo_builder *b, kozo_cptr slot)
{
    enum kozo_err err = kozo_cap_move(kozo_in(b->keep, b->next), kozo_own(slot));

    if (err == KOZO_OK)
        b->next++;
    return err;
}

/* Gives the space under construction a page for its tables. */
static enum kozo_err feed(struct kozo_builder *b)
{
    enum kozo_err err = kozo_retype(b->memory, KOZO_KIND_PAGE_TABLE, 0, kozo_own(b->table), 1);

    if (err != KOZO_OK)
        return err;
    err = kozo_space_feed(b->space, (struct kozo_page_table){ b->table });
    if (err == KOZO_OK)
        err = kozo_build_keep(b, b->table);
    if (err != KOZO_OK)
        (void)kozo_cap_delete(kozo_own(b->table));
    return err;
}

static enum kozo_err map(struct kozo_builder *b, uint64_t address, uint64_t rights)
{
    struct kozo_frame frame = { b->frame };
    enum kozo_err err;

    if (b->own)
        return kozo_memory_map(frame, address, rights);
    for (int i = 0; i < 3; i++) {
        err = kozo_map(b->space, frame, address, rights);
        if (err != KOZO_ERR_NOMEM)
            return err;
        err = feed(b);
        if (err != KOZO_OK)
            return err;
    }
    return kozo_map(b->space, frame, address, rights);
}

/*
 * Writes the contents of the frame under way through a mapping of it in the maker's space, gone
 * again at the end.
 */
static enum kozo_err fill(struct kozo_builder *b, struct kozo_content c)
{
    enum kozo_err err;

    if (c.len == 0)
        return KOZO_OK;
    err = kozo_memory_map((struct kozo_frame){ b->frame }, b->scratch, KOZO_READ | KOZO_WRITE);
    if (err != KOZO_OK)
        return err;
    memcpy((char *)b->scratch + c.offset, c.bytes, c.len);
    return kozo_unmap(kozo_own(b->frame));
}

enum kozo_err kozo_build_page_held(struct kozo_builder *b, uint64_t address, uint64_t rights,
                                   struct kozo_content c)
{
    enum kozo_err err = kozo_retype(b->memory, KOZO_KIND_FRAME, KOZO_PAGE_BITS, kozo_own(b->frame),
                                    1);

    if (err != KOZO_OK)
        return err;
    err = fill(b, c);
    if (err == KOZO_OK)
        err = map(b, address, rights);
    if (err != KOZO_OK)
        (void)kozo_cap_delete(kozo_own(b->frame));
    return err;
}

enum kozo_err kozo_build_page(struct kozo_builder *b, uint64_t address, uint64_t rights,
                              struct kozo_content c)
{
    enum kozo_err err = kozo_build_page_held(b, address, rights, c);

    if (err != KOZO_OK)
        return err;
    err = kozo_build_keep(b, b->frame);
    if (err != KOZO_OK)
        (void)kozo_cap_delete(kozo_own(b->frame));
    return err;
}

enum kozo_err kozo_build_zeros(struct kozo_builder *b, uint64_t address, uint64_t rights,
                               uint64_t pages)
{
    enum kozo_err err = KOZO_OK;

    for (uint64_t i = 0; i < pages && err == KOZO_OK; i++)
        err = kozo_build_page(b, address + i * KOZO_PAGE_SIZE, rights, (struct kozo_content){});
    return err;
}

enum kozo_err kozo_build_copy(struct kozo_builder *b, uint64_t address, uint64_t rights,
                              kozo_cptr frame)
{
    enum kozo_err err = kozo_cap_copy(kozo_own(b->frame), kozo_own(frame),
                                      KOZO_RIGHTS(rights | KOZO_MAP, 0));

    if (err != KOZO_OK)
        return err;
    err = map(b, address, rights);
    if (err == KOZO_OK)
        err = kozo_build_keep(b, b->frame);
    if (err != KOZO_OK)
        (void)kozo_cap_delete(kozo_own(b->frame));
    return err;
}
