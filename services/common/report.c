/* SPDX-License-Identifier: MIT */
#include "common/report.h"
#include "common/symbols.h"

#include <kozo/layout.h>
#include <kozo/print.h>
#include <kozo/slots.h>
#include <kozo/string.h>
#include <kozo/syscall.h>
#include <kozo/window.h>

/* ---- what is mapped ---- */

struct place_map report_map(struct kozo_str name, const struct kozo_process *p,
                            struct kozo_bytes image)
{
    struct place_map map = { .service = name };

    place_add(&map, "start page", KOZO_LAYOUT_START, KOZO_PAGE_SIZE, KOZO_READ);
    place_add(&map, "clock page", KOZO_LAYOUT_CLOCK, KOZO_PAGE_SIZE, KOZO_READ);
    place_add(&map, "message buffer", KOZO_LAYOUT_BUFFER, KOZO_PAGE_SIZE, KOZO_READ | KOZO_WRITE);
    place_add(&map, "stack", KOZO_LAYOUT_STACK, p->stack_end - KOZO_LAYOUT_STACK,
              KOZO_READ | KOZO_WRITE);
    place_add_image(&map, image);
    place_add(&map, "heap", p->heap, p->heap_end - p->heap, KOZO_READ | KOZO_WRITE);
    return map;
}

/* ---- the stack ---- */

/* A page of the stack at a time is mapped in the caller's space. */
struct window {
    struct report_stack stack;
    uint64_t at;   /* the caller's address */
    uint64_t page; /* the address of what is mapped there, 0 = nothing */
    kozo_cptr slot;
};

static void close_window(struct window *w)
{
    if (w->page != 0)
        (void)kozo_cap_delete(kozo_own(w->slot));
    w->page = 0;
}

/* A page of RAM: where a further thread's stack is, is its program's word. */
static bool is_page(struct kozo_place from)
{
    struct kozo_verified v = kozo_cap_verify(from, kozo_own(0));

    return v.err == KOZO_OK && KOZO_VERIFY_KIND(v.what) == KOZO_KIND_FRAME &&
           KOZO_VERIFY_SIZE(v.what) == KOZO_PAGE_BITS && (v.what & KOZO_VERIFY_DEVICE) == 0;
}

static bool open_window(struct window *w, uint64_t page)
{
    struct kozo_place from =
        kozo_in(w->stack.keep, w->stack.first + (page - w->stack.begin) / KOZO_PAGE_SIZE);

    if (w->page == page)
        return true;
    close_window(w);
    if (!is_page(from) ||
        kozo_cap_copy(kozo_own(w->slot), from, KOZO_RIGHTS(KOZO_READ | KOZO_MAP, 0)) != KOZO_OK)
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

    if (address < w->stack.begin || address >= w->stack.end || address % 8 != 0 ||
        !open_window(w, address & ~(uint64_t)(KOZO_PAGE_SIZE - 1)))
        return false;
    memcpy(value, (const void *)(w->at + address % KOZO_PAGE_SIZE), sizeof *value);
    return true;
}

/* ---- who called whom ---- */

struct report_stack report_first_stack(const struct kozo_process *p)
{
    return (struct report_stack){
        .keep = p->keep, .first = p->stack_slot, .begin = KOZO_LAYOUT_STACK, .end = p->stack_end
    };
}

/* A return address is behind its call, which may be the last instruction of its function. */
static struct symbol symbol_at(struct kozo_bytes image, uint64_t address, bool is_return)
{
    struct symbol s = symbols_find(image.at, image.len, address - is_return);

    s.offset += is_return;
    return s;
}

struct report report_begin(const struct kozo_msg *m, struct kozo_bytes image)
{
    struct report r = { .registers = m->nwords >= KOZO_MSG_REGS + KOZO_REG_COUNT,
                        .image = image,
                        .to = { m->word[2] },
                        .n = 1 };

    memcpy(r.word, m->word, (r.registers ? KOZO_MSG_REGS + KOZO_REG_COUNT : KOZO_MSG_REGS) * 8);
    return r;
}

void report_walk(struct report *r, const struct report_stack *stack)
{
    struct symbol symbol = symbol_at(r->image, r->word[2], false);
    struct trace_start start = { .ip = r->word[2],
                                 .sp = r->word[3],
                                 .bp = r->word[KOZO_MSG_REGS + KOZO_REG_RBP],
                                 .offset = symbol.offset,
                                 .known = symbol.name.len > 0 };
    struct window w = { .stack = *stack };

    w.at = kozo_window_alloc(KOZO_WINDOW_SMALL, KOZO_PAGE_SIZE);
    w.slot = kozo_slot_alloc();
    if (w.at != 0 && w.slot != 0)
        r->n = trace_walk(&start, read_stack, &w, r->to);
    close_window(&w);
    kozo_slot_free(w.slot);
    kozo_window_free(w.at);
}

/* ---- the lines ---- */

static void tell_registers(const struct report *r, report_line *line)
{
    static const char *const names[] = { "rax", "rbx", "rcx", "rdx", "rsi", "rdi", "rbp", "r8 ",
                                         "r9 ", "r10", "r11", "r12", "r13", "r14", "r15", "fs " };
    const uint64_t *value = &r->word[KOZO_MSG_REGS];

    static_assert(sizeof names / sizeof names[0] == KOZO_REG_COUNT && KOZO_REG_COUNT % 4 == 0);
    for (uint32_t k = 0; k < KOZO_REG_COUNT; k += 4) {
        char text[128];

        kozo_snprintf(text, sizeof text, "  %s %016llx %s %016llx %s %016llx %s %016llx", names[k],
                      (unsigned long long)value[k], names[k + 1], (unsigned long long)value[k + 1],
                      names[k + 2], (unsigned long long)value[k + 2], names[k + 3],
                      (unsigned long long)value[k + 3]);
        line(text);
    }
}

static void tell_frame(const struct report *r, uint32_t number, report_line *line)
{
    uint64_t address = r->to[number];
    struct symbol s = symbol_at(r->image, address, number > 0);
    char name[SYMBOL_NAME + 1], text[SYMBOL_NAME + 64];

    text_printable(name, sizeof name, s.name);
    if (s.name.len == 0)
        kozo_snprintf(text, sizeof text, "  #%u 0x%016llx ?", number, (unsigned long long)address);
    else
        kozo_snprintf(text, sizeof text, "  #%u 0x%016llx %s+0x%llx", number,
                      (unsigned long long)address, name, (unsigned long long)s.offset);
    line(text);
}

void report_tell(const struct report *r, report_line *line)
{
    if (r->registers)
        tell_registers(r, line);
    for (uint32_t k = 0; k < r->n; k++)
        tell_frame(r, k, line);
}
