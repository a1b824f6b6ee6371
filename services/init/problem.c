/* SPDX-License-Identifier: MIT */
#include "init/problem.h"
#include "init/carve.h"

#include <kozo/error.h>
#include <kozo/syscall.h>

struct start_problem problem_of(const struct service *s, const char *expected, enum kozo_err err)
{
    struct start_problem p = { .err = err };
    struct line l = line_begin(p.step, sizeof p.step);

    line_add(&l, "start ");
    line_add_str(&l, s->m->name);
    l = line_begin(p.expected, sizeof p.expected);
    line_add(&l, expected);
    l = line_begin(p.got, sizeof p.got);
    line_add(&l, kozo_err_text(err));
    return p;
}

static void add_kib(struct line *l, const char *before, uint64_t bytes)
{
    line_add(l, before);
    line_add_number(l, bytes / 1024);
    line_add(l, " KiB");
}

struct start_problem problem_no_memory(const struct service *s, enum kozo_err err)
{
    struct start_problem p = problem_of(s, "", err);
    struct line l = line_begin(p.expected, sizeof p.expected);

    add_kib(&l, "the memory of its section, ", 1ull << s->m->memory_bits);
    l = line_begin(p.got, sizeof p.got);
    line_add(&l, kozo_err_text(err));
    add_kib(&l, ": the largest piece left has ", carve_largest());
    return p;
}

struct start_problem problem_no_threads(const struct service *s, enum kozo_err err)
{
    struct kozo_res left = kozo_pool_info((struct kozo_pool){ KOZO_INIT_POOL });
    struct start_problem p = problem_of(s, "", err);
    struct line l = line_begin(p.expected, sizeof p.expected);

    line_add(&l, "the threads of its section, ");
    line_add_number(&l, s->m->threads);
    l = line_begin(p.got, sizeof p.got);
    line_add(&l, kozo_err_text(err));
    line_add(&l, ": ");
    line_add_number(&l, left.value);
    line_add(&l, " are left");
    return p;
}

static struct start_problem fail_on_image(const struct service *s, const struct kozo_bad *bad)
{
    char text[KOZO_BAD_TEXT];
    struct start_problem p = problem_of(s, bad->want != nullptr ? bad->want : "a program",
                                  KOZO_ERR_FORMAT);
    struct line l = line_begin(p.got, sizeof p.got);

    line_add_str(&l, s->m->binary);
    line_add(&l, ": ");
    line_add(&l, kozo_bad_text(bad, text));
    return p;
}

/* Of a step that ran out of memory: how much there was, and what for. */
static struct start_problem fail_on_memory(const struct service *s, struct kozo_bytes image,
                                           const struct kozo_spawn_report *r)
{
    struct start_problem p = problem_of(s, "", r->err);
    struct line l = line_begin(p.expected, sizeof p.expected);

    add_kib(&l, "memory that holds: binary ", image.len);
    add_kib(&l, ", heap ", (uint64_t)s->m->heap_pages * KOZO_PAGE_SIZE);
    add_kib(&l, ", stack ", (uint64_t)s->m->stack_pages * KOZO_PAGE_SIZE);
    add_kib(&l, ", untyped ", s->m->untyped_bits != 0 ? 1ull << s->m->untyped_bits : 0);
    line_add(&l, ", page tables");
    l = line_begin(p.got, sizeof p.got);
    add_kib(&l, "memory = ", 1ull << s->m->memory_bits);
    line_add(&l, ", which is used up at: ");
    line_add(&l, r->step);
    return p;
}

/* Another step: its name, which of several it was, and the error. */
static struct start_problem fail_on_step(const struct service *s,
                                         const struct kozo_spawn_report *r)
{
    struct start_problem p = problem_of(s, "", r->err);
    struct line l = line_begin(p.expected, sizeof p.expected);

    line_add(&l, "this step to be made: ");
    line_add(&l, r->step);
    line_add(&l, " ");
    line_add_number(&l, r->index);
    return p;
}

struct start_problem problem_spawn(const struct service *s, struct kozo_bytes image,
                                          const struct kozo_spawn_report *r)
{
    if (r->bad.field != nullptr && (r->err == KOZO_ERR_FORMAT || r->err == KOZO_ERR_VERSION))
        return fail_on_image(s, &r->bad);
    return r->err == KOZO_ERR_NOMEM ? fail_on_memory(s, image, r) : fail_on_step(s, r);
}
