/* SPDX-License-Identifier: MIT */
#include "init/report.h"
#include "common/symbols.h"
#include "common/trace.h"
#include "init/archive.h"
#include "init/threads.h"

#include <kozo/elf.h>
#include <kozo/layout.h>
#include <kozo/print.h>
#include <kozo/slots.h>
#include <kozo/string.h>
#include <kozo/syscall.h>
#include <kozo/window.h>

/* ---- what is mapped ---- */

struct place_map report_map(const struct init *i, const struct service *s)
{
    struct place_map map = { .service = s->m->name };
    const struct kozo_process *p = &s->process;

    place_add(&map, "start page", KOZO_LAYOUT_START, KOZO_PAGE_SIZE, KOZO_READ);
    place_add(&map, "clock page", KOZO_LAYOUT_CLOCK, KOZO_PAGE_SIZE, KOZO_READ);
    place_add(&map, "message buffer", KOZO_LAYOUT_BUFFER, KOZO_PAGE_SIZE, KOZO_READ | KOZO_WRITE);
    place_add(&map, "stack", KOZO_LAYOUT_STACK, p->stack_end - KOZO_LAYOUT_STACK,
              KOZO_READ | KOZO_WRITE);
    place_add_image(&map, archive_file(i, s->m->binary));
    place_add(&map, "heap", p->heap, p->heap_end - p->heap, KOZO_READ | KOZO_WRITE);
    return map;
}

/* ---- the stack ---- */

/* A page of the stack at a time is mapped in init's space. */
struct window {
    struct kozo_cnode keep; /* holds the pages of the stack, ... */
    uint64_t first;         /* ... the lowest in this slot */
    uint64_t begin, end;    /* the stack, as its thread saw it */
    uint64_t at;            /* init's address */
    uint64_t page;          /* the address of what is mapped there, 0 = nothing */
    kozo_cptr slot;
};

static void close_window(struct window *w)
{
    if (w->page != 0)
        (void)kozo_cap_delete(kozo_own(w->slot));
    w->page = 0;
}

/* A page of RAM: where a further thread's are is the service's word. */
static bool is_page(struct kozo_place from)
{
    struct kozo_verified v = kozo_cap_verify(from, kozo_own(0));

    return v.err == KOZO_OK && KOZO_VERIFY_KIND(v.what) == KOZO_KIND_FRAME &&
           KOZO_VERIFY_SIZE(v.what) == KOZO_PAGE_BITS && (v.what & KOZO_VERIFY_DEVICE) == 0;
}

static bool open_window(struct window *w, uint64_t page)
{
    struct kozo_place from = kozo_in(w->keep, w->first + (page - w->begin) / KOZO_PAGE_SIZE);

    if (w->page == page)
        return true;
    close_window(w);
    if (!is_page(from) || kozo_cap_copy(kozo_own(w->slot), from,
                                        KOZO_RIGHTS(KOZO_READ | KOZO_MAP, 0)) != KOZO_OK)
        return false;
    w->page = page;
    if (kozo_memory_map((struct kozo_frame){ w->slot }, w->at, KOZO_READ) == KOZO_OK)
        return true;
    close_window(w);
    return false;
}

static bool read_stack(void *context, uint64_t address, uint64_t *value)
{
    struct window *w = context;

    if (address < w->begin || address >= w->end || address % 8 != 0 ||
        !open_window(w, address & ~(uint64_t)(KOZO_PAGE_SIZE - 1)))
        return false;
    memcpy(value, (const void *)(w->at + address % KOZO_PAGE_SIZE), sizeof *value);
    return true;
}

/* ---- who called whom ---- */

struct trace {
    const struct service *s;
    uint64_t serial; /* of the thread */
    struct trace_start start;
    uint64_t to[TRACE_FRAMES];
    uint32_t n;
};

static bool is_first(const struct service *s, uint64_t serial)
{
    return serial == s->process.serial;
}

static struct window first_stack(const struct kozo_process *p)
{
    return (struct window){
        .keep = p->keep, .first = p->stack_slot, .begin = KOZO_LAYOUT_STACK, .end = p->stack_end
    };
}

/* Nothing (keep { 0 }) if it was not made by kozo-sys. */
static struct window further_stack(const struct trace *t)
{
    struct threads_pages p = threads_pages(t->s, t->serial);
    uint64_t begin = kozo_stack_begin_of(t->start.sp);

    if (p.keep.c == 0 || begin < KOZO_LAYOUT_THREADS || begin >= KOZO_LAYOUT_THREADS_END)
        return (struct window){ .keep = p.keep };
    return (struct window){ .keep = p.keep,
                            .first = p.at.slot,
                            .begin = begin,
                            .end = begin + p.at.pages * KOZO_PAGE_SIZE };
}

static void walk(void *context)
{
    struct trace *t = context;
    bool first = is_first(t->s, t->serial);
    struct window w = first ? first_stack(&t->s->process) : further_stack(t);

    w.at = kozo_window_alloc(KOZO_WINDOW_SMALL, KOZO_PAGE_SIZE);
    w.slot = kozo_slot_alloc();
    if (w.at != 0 && w.slot != 0)
        t->n = trace_walk(&t->start, read_stack, &w, t->to);
    close_window(&w);
    kozo_slot_free(w.slot);
    kozo_window_free(w.at);
    if (!first)
        kozo_slot_drop(w.keep.c);
}

/* ---- the report ---- */

static void print_registers(const struct kozo_msg *m)
{
    static const char *const names[] = { "rax", "rbx", "rcx", "rdx", "rsi", "rdi", "rbp", "r8 ",
                                         "r9 ", "r10", "r11", "r12", "r13", "r14", "r15", "fs " };

    static_assert(sizeof names / sizeof names[0] == KOZO_REG_COUNT);
    if (m->nwords < KOZO_MSG_REGS + KOZO_REG_COUNT)
        return;
    for (uint32_t k = 0; k < KOZO_REG_COUNT; k++)
        kozo_printf("%s%s %016llx%s", k % 4 == 0 ? "  " : " ", names[k],
                    (unsigned long long)m->word[KOZO_MSG_REGS + k], k % 4 == 3 ? "\n" : "");
}

/* A return address is behind its call, which may be the last instruction of its function. */
static struct symbol symbol_at(struct kozo_bytes image, uint64_t address, bool is_return)
{
    struct symbol s = symbols_find(image.at, image.len, address - is_return);

    s.offset += is_return;
    return s;
}

static void print_frame(struct kozo_bytes image, uint32_t number, uint64_t address)
{
    struct symbol s = symbol_at(image, address, number > 0);
    char name[SYMBOL_NAME + 1];

    text_printable(name, sizeof name, s.name);
    if (s.name.len == 0)
        kozo_printf("  #%u 0x%016llx ?\n", number, (unsigned long long)address);
    else
        kozo_printf("  #%u 0x%016llx %s+0x%llx\n", number, (unsigned long long)address, name,
                    (unsigned long long)s.offset);
}

static void print_trace(const struct service *s, const struct kozo_msg *m, struct kozo_bytes image)
{
    struct symbol symbol = symbol_at(image, m->word[2], false);
    struct trace t = { .s = s,
                       .serial = m->word[7],
                       .start = { .ip = m->word[2],
                                  .sp = m->word[3],
                                  .bp = m->nwords >= KOZO_MSG_REGS + KOZO_REG_COUNT
                                            ? m->word[KOZO_MSG_REGS + KOZO_REG_RBP]
                                            : 0,
                                  .offset = symbol.offset,
                                  .known = symbol.name.len > 0 },
                       .to = { m->word[2] },
                       .n = 1 };

    (void)threads_undisturbed(walk, &t);
    for (uint32_t k = 0; k < t.n; k++)
        print_frame(image, k, t.to[k]);
}

void report_fault(const struct init *i, const struct service *s, const struct kozo_msg *m)
{
    print_registers(m);
    print_trace(s, m, archive_file(i, s->m->binary));
    kozo_printf("  %s thread, serial %llu, life %u\n",
                is_first(s, m->word[7]) ? "first" : "a further", (unsigned long long)m->word[7],
                s->life);
}
