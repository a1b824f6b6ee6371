/* SPDX-License-Identifier: MIT */
#include <kozo/stack.h>

#include <kozo/layout.h>
#include <kozo/memory.h>
#include <kozo/slots.h>
#include <kozo/string.h>
#include <kozo/syscall.h>
#include <kozo/window.h>

constexpr uint64_t own_frame = 256; /* more than kozo_stack_paint itself uses */

/* rep stosq */
static void fill_words(uint64_t to, uint64_t count, uint64_t value)
{
    __asm__ volatile("rep stosq" : "+D"(to), "+c"(count) : "a"(value) : "memory");
}

void kozo_stack_paint(uint64_t begin)
{
    uint64_t end = (uint64_t)__builtin_frame_address(0) - own_frame;

    if (begin < end)
        fill_words(begin, (end - begin) / sizeof(uint64_t), KOZO_STACK_PAINT);
}

/* How many bytes from `begin` on are words of this value. */
static uint64_t run_of(const uint64_t *begin, uint64_t bytes, uint64_t value)
{
    uint64_t n = 0;

    while (n < bytes / sizeof *begin && begin[n] == value)
        n++;
    return n * sizeof *begin;
}

uint64_t kozo_stack_unused(const void *begin, uint64_t bytes)
{
    return run_of(begin, bytes, KOZO_STACK_PAINT);
}

/* ---- looking at another's ---- */

/* A page of another program, mapped in the own space. */
struct view {
    uint64_t at;
    kozo_cptr frame;
};

static struct view view_begin(void)
{
    return (struct view){ kozo_window_alloc(KOZO_WINDOW_SMALL, KOZO_PAGE_SIZE), kozo_slot_alloc() };
}

static void view_end(struct view *v)
{
    kozo_slot_free(v->frame);
    kozo_window_free(v->at);
}

static bool is_page(uint64_t what)
{
    return KOZO_VERIFY_KIND(what) == KOZO_KIND_FRAME && (what & KOZO_VERIFY_DEVICE) == 0 &&
           KOZO_VERIFY_SIZE(what) == KOZO_PAGE_BITS;
}

static void view_close(struct view *v) { (void)kozo_cap_delete(kozo_own(v->frame)); }

static enum kozo_err view_open(struct view *v, struct kozo_place from)
{
    struct kozo_verified found = kozo_cap_verify(from, kozo_own(0));
    enum kozo_err err = found.err;

    if (v->at == 0 || v->frame == 0)
        return KOZO_ERR_LIMIT;
    if (err == KOZO_OK && !is_page(found.what))
        err = KOZO_ERR_KIND;
    if (err == KOZO_OK)
        err = kozo_cap_copy(kozo_own(v->frame), from, KOZO_RIGHTS(KOZO_READ | KOZO_MAP, 0));
    if (err != KOZO_OK)
        return err;
    err = kozo_memory_map((struct kozo_frame){ v->frame }, v->at, KOZO_READ);
    if (err != KOZO_OK)
        view_close(v);
    return err;
}

/* What is wanted of a page, and what it was. */
struct glance {
    struct view *v;
    uint64_t slot;
    uint64_t value;
    uint64_t run; /* bytes, from its begin on, that are words of this value */
    struct kozo_stack_mark mark;
    enum kozo_err err;
};

static void glance(struct kozo_cnode keep, void *context)
{
    struct glance *g = context;

    g->err = view_open(g->v, kozo_in(keep, g->slot));
    if (g->err != KOZO_OK)
        return;
    g->run = run_of((const uint64_t *)g->v->at, KOZO_PAGE_SIZE, g->value);
    memcpy(&g->mark, (const void *)(g->v->at + KOZO_STACK_MARK_AT), sizeof g->mark);
    view_close(g->v);
}

static struct glance glance_at(struct view *v, const struct kozo_stack_keep *keep, uint64_t slot,
                               uint64_t value)
{
    struct glance g = { .v = v, .slot = slot, .value = value };
    enum kozo_err err = KOZO_OK;

    if (keep->lend != nullptr)
        err = keep->lend(keep->of, glance, &g);
    else
        glance(keep->cnode, &g);
    if (err != KOZO_OK)
        g.err = err;
    return g;
}

/* A stack of another program. */
struct range {
    const struct kozo_stack_keep *keep;
    uint64_t slot, pages;
};

/* How much of it, from the far end on, is words of this value. */
static struct kozo_stack look_for(struct view *v, const struct range *r, uint64_t value)
{
    struct kozo_stack s = { .bytes = r->pages * KOZO_PAGE_SIZE };

    for (uint64_t i = 0; i < r->pages && s.unused == i * KOZO_PAGE_SIZE; i++) {
        struct glance g = glance_at(v, r->keep, r->slot + i, value);

        s.err = g.err;
        if (s.err != KOZO_OK)
            break;
        s.unused += g.run;
    }
    return s;
}

/* Zero all over: the thread has not run yet, or it would have painted. */
static struct kozo_stack look(struct view *v, const struct range *r)
{
    struct kozo_stack s = look_for(v, r, KOZO_STACK_PAINT);
    struct kozo_stack zero;

    if (s.err != KOZO_OK || s.unused > 0)
        return s;
    zero = look_for(v, r, 0);
    return zero.err != KOZO_OK || zero.unused == zero.bytes ? zero : s;
}

struct kozo_stack kozo_stack_look(const struct kozo_stack_keep *keep, uint64_t slot, uint64_t pages)
{
    struct view v = view_begin();
    struct kozo_stack s = look(&v, &(struct range){ keep, slot, pages });

    view_end(&v);
    return s;
}

constexpr uint64_t stack_pages_max =
    (KOZO_LAYOUT_THREAD_BYTES - KOZO_LAYOUT_THREAD_STACK) / KOZO_PAGE_SIZE;

struct kozo_stack_pages kozo_stack_pages_of(const struct kozo_stack_keep *keep, uint64_t serial)
{
    struct view v = view_begin();
    struct glance g = glance_at(&v, keep, KOZO_STACK_MARK_SLOT, KOZO_STACK_PAINT);
    const struct kozo_stack_mark *m = &g.mark;

    view_end(&v);
    if (g.err != KOZO_OK)
        return (struct kozo_stack_pages){ .err = g.err };
    if (m->paint != KOZO_STACK_PAINT || m->serial != serial || m->pages > stack_pages_max)
        return (struct kozo_stack_pages){ .err = KOZO_ERR_NOT_FOUND };
    return (struct kozo_stack_pages){ m->slot, m->pages, KOZO_OK };
}

uint64_t kozo_stack_begin_of(uint64_t sp)
{
    return (sp & ~(KOZO_LAYOUT_THREAD_BYTES - 1)) + KOZO_LAYOUT_THREAD_STACK;
}
