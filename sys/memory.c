/* SPDX-License-Identifier: MIT */
#include <kozo/memory.h>

#include <kozo/slots.h>
#include <kozo/start.h>
#include <kozo/syscall.h>
#include <kozo/window.h>

static struct kozo_untyped source;

void kozo_memory_source(struct kozo_untyped from)
{
    source = from;
}

/*
 * Gives the own space one more page for tables. Its slot is never freed: the table serves whatever
 * comes later, too.
 */
static enum kozo_err feed(void)
{
    kozo_cptr slot = kozo_slot_alloc();
    enum kozo_err err;

    if (slot == 0)
        return KOZO_ERR_LIMIT;
    if (source.c == 0)
        source = kozo_own_untyped();
    err = source.c == 0 ? KOZO_ERR_NOMEM
                        : kozo_retype(source, KOZO_KIND_PAGE_TABLE, 0, kozo_own(slot), 1);
    if (err == KOZO_OK)
        err = kozo_space_feed(kozo_own_space(), (struct kozo_page_table){ slot });
    if (err != KOZO_OK)
        kozo_slot_drop(slot);
    return err;
}

enum kozo_err kozo_memory_map(struct kozo_frame frame, uint64_t address, uint64_t rights)
{
    enum kozo_err err;

    /* A mapping takes three tables at most. */
    for (int i = 0; i <= 3; i++) {
        err = kozo_map(kozo_own_space(), frame, address, rights);
        if (err != KOZO_ERR_NOMEM)
            return err;
        err = feed();
        if (err != KOZO_OK)
            return err;
    }
    return kozo_map(kozo_own_space(), frame, address, rights);
}

/* Carves frames, as many at once as the kernel takes. */
static enum kozo_err carve(struct kozo_untyped from, unsigned bits, kozo_cptr first, uint32_t count)
{
    enum kozo_err err = KOZO_OK;

    for (uint32_t n; count != 0 && err == KOZO_OK; first += n, count -= n) {
        n = count < KOZO_RETYPE_MAX ? count : KOZO_RETYPE_MAX;
        err = kozo_retype(from, KOZO_KIND_FRAME, bits, kozo_own(first), n);
    }
    return err;
}

static enum kozo_err fill(struct kozo_memory *m, struct kozo_untyped from, unsigned bits)
{
    enum kozo_window kind = bits == KOZO_PAGE_BITS ? KOZO_WINDOW_SMALL : KOZO_WINDOW_LARGE;
    enum kozo_err err;

    m->at = (void *)kozo_window_alloc(kind, m->bytes);
    m->first = kozo_slots_alloc(m->count);
    if (m->at == nullptr || m->first == 0)
        return KOZO_ERR_LIMIT;
    err = carve(from, bits, m->first, m->count);
    for (uint32_t i = 0; i < m->count && err == KOZO_OK; i++)
        err = kozo_memory_map((struct kozo_frame){ m->first + i },
                              (uint64_t)m->at + ((uint64_t)i << bits), KOZO_READ | KOZO_WRITE);
    return err;
}

struct kozo_memory kozo_memory_alloc(struct kozo_untyped from, uint64_t bytes)
{
    unsigned bits = bytes >= KOZO_LARGE_SIZE ? KOZO_LARGE_BITS : KOZO_PAGE_BITS;
    uint64_t count = (bytes >> bits) + ((bytes & ((1ull << bits) - 1)) != 0);
    struct kozo_memory m = { .bytes = count << bits, .count = (uint32_t)count };
    enum kozo_err err;

    if (count == 0 || count > KOZO_SLOTS_MAX)
        return (struct kozo_memory){ .err = KOZO_ERR_LIMIT };
    err = fill(&m, from, bits);
    if (err == KOZO_OK)
        return m;
    kozo_memory_free(&m);
    m.err = err;
    return m;
}

void kozo_memory_free(struct kozo_memory *m)
{
    for (uint32_t i = 0; m->first != 0 && i < m->count; i++)
        kozo_slot_drop(m->first + i);
    kozo_window_free((uint64_t)m->at);
    *m = (struct kozo_memory){};
}

/* ---- pieces of memory made of frames of both sizes ---- */

uint64_t kozo_frames_bytes(const struct kozo_frames *f)
{
    return ((uint64_t)f->small.count + f->tail.count) * KOZO_PAGE_SIZE +
           (uint64_t)f->large.count * KOZO_LARGE_SIZE;
}

uint64_t kozo_frames_begin(const struct kozo_frames *f, uint64_t at)
{
    uint64_t before = (uint64_t)f->small.count * KOZO_PAGE_SIZE;

    return at + (-before & (KOZO_LARGE_SIZE - 1));
}

static enum kozo_err map_range(struct kozo_range r, uint64_t *at, uint64_t bytes, uint64_t rights)
{
    for (uint32_t i = 0; i < r.count; i++, *at += bytes) {
        enum kozo_err err = kozo_memory_map((struct kozo_frame){ r.first + i }, *at, rights);

        if (err != KOZO_OK)
            return err;
    }
    return KOZO_OK;
}

struct kozo_memory kozo_memory_map_frames(const struct kozo_frames *f, uint64_t rights)
{
    struct kozo_memory m = { .bytes = kozo_frames_bytes(f) };
    uint64_t window = kozo_window_alloc(KOZO_WINDOW_MIXED, m.bytes + KOZO_LARGE_SIZE), at;

    if (window == 0)
        return (struct kozo_memory){ .err = KOZO_ERR_LIMIT };
    at = kozo_frames_begin(f, window);
    m.at = (void *)at;
    m.err = map_range(f->small, &at, KOZO_PAGE_SIZE, rights);
    if (m.err == KOZO_OK)
        m.err = map_range(f->large, &at, KOZO_LARGE_SIZE, rights);
    if (m.err == KOZO_OK)
        m.err = map_range(f->tail, &at, KOZO_PAGE_SIZE, rights);
    return m;
}
