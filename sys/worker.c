/* SPDX-License-Identifier: MIT */
#include "worker.h"

#include "internal.h"

#include <kozo/layout.h>
#include <kozo/slots.h>
#include <kozo/stack.h>
#include <kozo/start.h>
#include <kozo/string.h>
#include <kozo/syscall.h>

constexpr uint64_t PARTS =
    (KOZO_LAYOUT_THREADS_END - KOZO_LAYOUT_THREADS) / KOZO_LAYOUT_THREAD_BYTES;
constexpr uint32_t STACK_PAGES = 4;

static uint64_t parts_used[PARTS / 64];

/* The address of a part that no thread has, 0 when there is none. */
static uint64_t part_alloc(void)
{
    for (uint64_t i = 0; i < PARTS; i++) {
        if ((parts_used[i / 64] >> i % 64 & 1) != 0)
            continue;
        parts_used[i / 64] |= 1ull << i % 64;
        return KOZO_LAYOUT_THREADS + i * KOZO_LAYOUT_THREAD_BYTES;
    }
    return 0;
}

static void part_free(uint64_t address)
{
    uint64_t i = (address - KOZO_LAYOUT_THREADS) / KOZO_LAYOUT_THREAD_BYTES;

    if (address != 0)
        parts_used[i / 64] &= ~(1ull << i % 64);
}

/* A thread finds its part by its stack pointer: parts are aligned to their size. */
[[noreturn]] static void enter(void (*run)(void *), void *arg)
{
    kozo_stack_paint(kozo_stack_begin_of((uint64_t)__builtin_frame_address(0)));
    run(arg);
    kozo_thread_exit(0);
}

enum kozo_err kozo_worker_run(struct kozo_worker *w, void (*run)(void *), void *arg)
{
    /* Eight bytes below a multiple of 16, as after a call; the zero there ends a backtrace. */
    return kozo_thread_start(w->thread, (uint64_t)enter, w->stack_end - 8, (uint64_t)run,
                             (uint64_t)arg);
}

static enum kozo_err build_part(struct kozo_worker *w, struct kozo_builder *b, uint32_t pages,
                                struct kozo_endpoint fault)
{
    struct kozo_stack_mark mark = {
        .paint = KOZO_STACK_PAINT,
        .serial = kozo_thread_info(w->thread).serial,
        .slot = KOZO_STACK_MARK_SLOT + 1,
        .pages = pages,
    };
    uint64_t stack = w->part + KOZO_LAYOUT_THREAD_STACK;
    enum kozo_err err =
        kozo_build_page_held(b, w->part, KOZO_READ | KOZO_WRITE,
                             (struct kozo_content){ &mark, sizeof mark, KOZO_STACK_MARK_AT });

    if (err != KOZO_OK)
        return err;
    err = kozo_thread_bind(w->thread, kozo_own_cnode(), b->space, (struct kozo_frame){ b->frame },
                           0, fault);
    if (err == KOZO_OK)
        err = kozo_build_keep(b, b->frame);
    if (err != KOZO_OK) {
        (void)kozo_cap_delete(kozo_own(b->frame));
        return err;
    }
    w->stack_end = stack + (uint64_t)pages * KOZO_PAGE_SIZE;
    return kozo_build_zeros(b, stack, KOZO_READ | KOZO_WRITE, pages);
}

/* A service's supervisor hears of a fault of any of its threads, unless that is not wanted. */
static struct kozo_endpoint fault_handler(const struct kozo_worker_options *o)
{
    if (o->fault.c != 0 || o->unwatched)
        return o->fault;
    return kozo_cap_endpoint("fault");
}

/* As kozo_worker_start but for the run; in `space`, which is the caller's own if `own`. */
enum kozo_err kozo_worker_build(struct kozo_worker *w, const struct kozo_worker_options *o,
                                struct kozo_space space, bool own)
{
    uint32_t pages = o->stack_pages != 0 ? o->stack_pages : STACK_PAGES;
    struct kozo_pool pool = o->pool.c != 0 ? o->pool : kozo_own_pool();
    struct kozo_untyped memory = o->memory.c != 0 ? o->memory : kozo_own_untyped();
    struct kozo_builder b;
    enum kozo_err err;

    *w = (struct kozo_worker){};
    if ((pages + 2) * KOZO_PAGE_SIZE > KOZO_LAYOUT_THREAD_BYTES)
        return KOZO_ERR_ARGUMENT;
    w->part = part_alloc();
    w->thread.c = kozo_slot_alloc();
    err = w->part == 0 || w->thread.c == 0 ? KOZO_ERR_LIMIT : KOZO_OK;
    if (err == KOZO_OK)
        err = kozo_thread_create(pool, kozo_own(w->thread.c), o->flags, o->priority);
    if (err == KOZO_OK)
        err = kozo_build_begin(&b, memory, space, pages + 1 + kozo_build_tables(pages + 1));
    if (err == KOZO_OK) {
        b.own = own;
        w->keep = b.keep;
        err = build_part(w, &b, pages, fault_handler(o));
        kozo_build_end(&b);
    }
    if (err != KOZO_OK)
        kozo_worker_end(w);
    return err;
}

enum kozo_err kozo_worker_start(struct kozo_worker *w, const struct kozo_worker_options *o,
                                void (*run)(void *), void *arg)
{
    enum kozo_err err = kozo_worker_build(w, o, kozo_own_space(), true);

    if (err != KOZO_OK || o->stopped)
        return err;
    err = kozo_worker_run(w, run, arg);
    if (err != KOZO_OK)
        kozo_worker_end(w);
    return err;
}

void kozo_worker_end(struct kozo_worker *w)
{
    kozo_slot_drop(w->thread.c);
    kozo_slot_drop(w->keep.c);
    part_free(w->part);
    *w = (struct kozo_worker){};
}

void kozo_workers_forget(void) { memset(parts_used, 0, sizeof(parts_used)); }
