/* SPDX-License-Identifier: MIT */
#include "init/report.h"
#include "common/report.h"
#include "init/archive.h"
#include "init/borrow.h"
#include "init/threads.h"

#include <kozo/layout.h>
#include <kozo/print.h>
#include <kozo/slots.h>

struct walk {
    struct report *report;
    struct report_stack stack;
};

static bool is_first(const struct service *s, uint64_t serial)
{
    return serial == s->process.serial;
}

static void walk(kozo_cptr keep, void *context)
{
    struct walk *w = context;

    w->stack.keep.c = keep;
    report_walk(w->report, &w->stack);
}

/* By the note of a thread that kozo-sys made; that is looked for before, as it may take long. */
static void walk_further(const struct service *s, struct report *r)
{
    struct threads_pages p = threads_pages(s, r->word[7]);
    uint64_t begin = kozo_stack_begin_of(r->word[3]);
    struct walk w = {
        r, { .first = p.at.slot, .begin = begin, .end = begin + p.at.pages * KOZO_PAGE_SIZE }
    };

    if (p.at.err == KOZO_OK && begin >= KOZO_LAYOUT_THREADS && begin < KOZO_LAYOUT_THREADS_END)
        (void)borrow(s, p.keep.slot, walk, &w);
}

static void print_line(const char *text) { kozo_printf("%s\n", text); }

void report_fault(const struct init *i, const struct service *s, const struct kozo_msg *m)
{
    struct report r = report_begin(m, archive_file(i, s->m->binary));
    struct report_stack first = report_first_stack(&s->process);

    if (is_first(s, m->word[7]))
        report_walk(&r, &first);
    else
        walk_further(s, &r);
    report_tell(&r, print_line);
    kozo_printf("  %s thread, serial %llu, life %u\n",
                is_first(s, m->word[7]) ? "first" : "a further", (unsigned long long)m->word[7],
                s->life);
}
