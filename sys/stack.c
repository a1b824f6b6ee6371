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

/* How much of it, from the far end on, is words of this value. */
static struct kozo_stack look_for(struct view *v, struct kozo_cnode keep, uint64_t slot,
                                  uint64_t pages, uint64_t value)
{
    struct kozo_stack s = { .bytes = pages * KOZO_PAGE_SIZE };

    for (uint64_t i = 0; i < pages && s.unused == i * KOZO_PAGE_SIZE; i++) {
        s.err = view_open(v, kozo_in(keep, slot + i));
        if (s.err != KOZO_OK)
            break;
        s.unused += run_of((const uint64_t *)v->at, KOZO_PAGE_SIZE, value);
        view_close(v);
    }
    return s;
}

/* Zero all over: the thread has not run yet, or it would have painted. */
static struct kozo_stack look(struct view *v, struct kozo_cnode keep, uint64_t slot, uint64_t pages)
{
    struct kozo_stack s = look_for(v, keep, slot, pages, KOZO_STACK_PAINT);
    struct kozo_stack zero;

    if (s.err != KOZO_OK || s.unused > 0)
        return s;
    zero = look_for(v, keep, slot, pages, 0);
    return zero.err != KOZO_OK || zero.unused == zero.bytes ? zero : s;
}

struct kozo_stack kozo_stack_look(struct kozo_cnode keep, uint64_t slot, uint64_t pages)
{
    struct view v = view_begin();
    struct kozo_stack s = look(&v, keep, slot, pages);

    view_end(&v);
    return s;
}

struct kozo_stack_pages kozo_stack_pages_of(struct kozo_cnode keep, uint64_t serial)
{
    struct view v = view_begin();
    struct kozo_stack_pages p = { .err = view_open(&v, kozo_in(keep, KOZO_STACK_MARK_SLOT)) };
    struct kozo_stack_mark mark;

    if (p.err == KOZO_OK) {
        memcpy(&mark, (const void *)(v.at + KOZO_STACK_MARK_AT), sizeof mark);
        view_close(&v);
        if (mark.paint == KOZO_STACK_PAINT && mark.serial == serial &&
            mark.pages <= KOZO_LAYOUT_THREAD_BYTES / KOZO_PAGE_SIZE)
            p = (struct kozo_stack_pages){ mark.slot, mark.pages, KOZO_OK };
        else
            p.err = KOZO_ERR_NOT_FOUND;
    }
    view_end(&v);
    return p;
}

uint64_t kozo_stack_begin_of(uint64_t sp)
{
    return (sp & ~(KOZO_LAYOUT_THREAD_BYTES - 1)) + KOZO_LAYOUT_THREAD_STACK;
}
