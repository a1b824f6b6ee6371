/* SPDX-License-Identifier: MIT */
#include <kozo/spawn.h>

#include "build.h"

#include <kozo/elf.h>
#include <kozo/layout.h>
#include <kozo/slots.h>
#include <kozo/start.h>
#include <kozo/string.h>
#include <kozo/syscall.h>

/* A process on its way. */
struct making {
    const struct kozo_spawn *s;
    struct kozo_process *p;
    struct kozo_spawn_report *report;
    struct kozo_elf elf;
    struct kozo_builder b;
    uint32_t moved; /* capabilities that have left the maker so far */
};

/* The start page while it is filled; the child gets a copy. */
static union {
    struct kozo_start start;
    char bytes[KOZO_PAGE_SIZE];
} page;

static void step(struct making *m, const char *name, uint64_t index)
{
    m->report->step = name;
    m->report->index = index;
}

static uint64_t page_down(uint64_t v)
{
    return v & ~(uint64_t)(KOZO_PAGE_SIZE - 1);
}

static uint64_t page_up(uint64_t v)
{
    return page_down(v + KOZO_PAGE_SIZE - 1);
}

/* ---- what was asked for ---- */

static bool name_fits(const char *name)
{
    return name == nullptr || strnlen(name, KOZO_START_NAME) < KOZO_START_NAME;
}

static enum kozo_err check_numbers(struct making *m)
{
    const struct kozo_spawn *s = m->s;

    step(m, "arguments", 0);
    if (s->name == nullptr || s->cnode_bits < 4 || s->cnode_bits > 12 || s->stack_pages == 0 ||
        s->stack_pages > (KOZO_LAYOUT_STACK_END - KOZO_LAYOUT_STACK) / KOZO_PAGE_SIZE ||
        s->priority >= KOZO_PRIORITIES || s->argc < 0 || (s->fault.c != 0 && s->fault_badge == 0))
        return KOZO_ERR_ARGUMENT;
    if (!name_fits(s->name) || s->argc >= (int)KOZO_START_ARGS || s->ncaps > KOZO_START_CAPS ||
        s->nmaps > KOZO_START_MAPS || KOZO_SLOT_FIRST_NAMED + s->ncaps > 1u << s->cnode_bits)
        return KOZO_ERR_LIMIT;
    for (uint32_t i = 0; i < s->ncaps; i++)
        if (!name_fits(s->caps[i].name))
            return KOZO_ERR_LIMIT;
    for (uint32_t i = 0; i < s->nmaps; i++)
        if (!name_fits(s->maps[i].name))
            return KOZO_ERR_LIMIT;
    return KOZO_OK;
}

static enum kozo_err check_memory(struct making *m)
{
    struct kozo_untyped_info info = kozo_untyped_info(m->s->memory);

    step(m, "memory", 0);
    if (info.err != KOZO_OK)
        return info.err;
    return info.free == info.size ? KOZO_OK : KOZO_ERR_STATE;
}

static uint64_t image_end(const struct making *m)
{
    const struct kozo_elf_segment *last = &m->elf.segment[m->elf.nsegments - 1];

    return page_up(last->vaddr + last->memsz);
}

/* The heap begins behind a page that is never mapped. */
static uint64_t heap_begin(const struct making *m)
{
    return image_end(m) + KOZO_PAGE_SIZE;
}

static uint64_t heap_end(const struct making *m)
{
    return heap_begin(m) + (uint64_t)m->s->heap_pages * KOZO_PAGE_SIZE;
}

/* The image is linked for where it lies, so it has to fit in with everything else. */
static enum kozo_err check_image(struct making *m)
{
    enum kozo_err err;

    step(m, "image", 0);
    err = kozo_elf_read(m->s->image, m->s->image_bytes, &m->elf, &m->report->bad);
    if (err != KOZO_OK)
        return err;
    if (m->elf.segment[0].vaddr >= KOZO_LAYOUT_IMAGE && heap_end(m) <= KOZO_LAYOUT_IMAGE_END)
        return KOZO_OK;
    m->report->bad = (struct kozo_bad){
        .field = "p_vaddr",
        .value = m->elf.segment[0].vaddr,
        .want = "image and heap in [0x400000, 0x40000000): link with user.ld",
    };
    return KOZO_ERR_FORMAT;
}

/* How many capabilities the process will be made of, at most. */
static uint64_t count_caps(const struct making *m)
{
    uint64_t n = 8 + m->s->stack_pages + m->s->heap_pages;

    for (uint32_t i = 0; i < m->elf.nsegments; i++)
        n += page_up(m->elf.segment[i].memsz + KOZO_PAGE_SIZE) / KOZO_PAGE_SIZE +
             kozo_build_tables(0);
    n += kozo_build_tables((heap_end(m) - KOZO_LAYOUT_START) / KOZO_PAGE_SIZE);
    for (uint32_t i = 0; i < m->s->nmaps; i++) {
        const struct kozo_frames *f = &m->s->maps[i].frames;

        n += (uint64_t)f->small.count + f->large.count + f->tail.count;
        n += kozo_build_tables(kozo_frames_bytes(f) / KOZO_PAGE_SIZE);
    }
    return n;
}

/* ---- objects ---- */

static enum kozo_err alloc_slots(struct making *m)
{
    struct kozo_process *p = m->p;

    p->cnode.c = kozo_slot_alloc();
    p->space.c = kozo_slot_alloc();
    p->thread.c = kozo_slot_alloc();
    return p->cnode.c != 0 && p->space.c != 0 && p->thread.c != 0 ? KOZO_OK : KOZO_ERR_LIMIT;
}

/*
 * The child's own Untyped is carved before all else: where it is half of `memory`, only the
 * beginning or the end is aligned for it. It waits in the slot of the space until there is a CNode.
 */
static enum kozo_err make_cnode(struct making *m)
{
    const struct kozo_spawn *s = m->s;
    struct kozo_place waits = kozo_own(m->p->space.c);
    enum kozo_err err = KOZO_OK;

    step(m, "own capability", KOZO_SLOT_UNTYPED);
    if (s->give_bits != 0)
        err = kozo_retype(s->memory, KOZO_KIND_UNTYPED, s->give_bits, waits, 1);
    if (err != KOZO_OK)
        return err;
    step(m, "cnode", 0);
    err = kozo_retype(s->memory, KOZO_KIND_CNODE, s->cnode_bits, kozo_own(m->p->cnode.c), 1);
    if (err != KOZO_OK || s->give_bits == 0)
        return err;
    page.start.given |= 1u << KOZO_SLOT_UNTYPED;
    return kozo_cap_move(kozo_in(m->p->cnode, KOZO_SLOT_UNTYPED), waits);
}

static enum kozo_err make_objects(struct making *m)
{
    const struct kozo_spawn *s = m->s;
    struct kozo_process *p = m->p;
    enum kozo_err err = alloc_slots(m);

    step(m, "slots", 0);
    if (err != KOZO_OK)
        return err;
    err = make_cnode(m);
    if (err != KOZO_OK)
        return err;
    step(m, "space", 0);
    err = kozo_retype(s->memory, KOZO_KIND_ADDRESS_SPACE, 0, kozo_own(p->space.c), 1);
    if (err != KOZO_OK)
        return err;
    step(m, "thread", 0);
    err = kozo_thread_create_named(s->pool, kozo_own(p->thread.c), s->flags, s->priority, s->name);
    if (err != KOZO_OK)
        return err;
    step(m, "keep", 0);
    err = kozo_build_begin(&m->b, s->memory, p->space, count_caps(m));
    p->keep = m->b.keep;
    return err;
}

/* ---- memory ---- */

/* What of the segment's bytes in the file falls on the page at `address`. */
static struct kozo_content content_at(const struct making *m, const struct kozo_elf_segment *g,
                                      uint64_t address)
{
    uint64_t begin = address < g->vaddr ? g->vaddr : address;
    uint64_t file_end = g->vaddr + g->filesz;
    uint64_t end = address + KOZO_PAGE_SIZE < file_end ? address + KOZO_PAGE_SIZE : file_end;

    if (begin >= end)
        return (struct kozo_content){};
    return (struct kozo_content){
        .bytes = (const char *)m->s->image + g->offset + (begin - g->vaddr),
        .len = end - begin,
        .offset = begin - address,
    };
}

static enum kozo_err build_segment(struct making *m, const struct kozo_elf_segment *g)
{
    enum kozo_err err = KOZO_OK;

    for (uint64_t at = page_down(g->vaddr); at < g->vaddr + g->memsz && err == KOZO_OK;
         at += KOZO_PAGE_SIZE)
        err = kozo_build_page(&m->b, at, g->rights, content_at(m, g, at));
    return err;
}

/*
 * The IPC buffer is bound by the capability of its Frame, so this comes here and not with the rest
 * of the thread.
 */
static enum kozo_err bind_thread(struct making *m)
{
    const struct kozo_spawn *s = m->s;
    struct kozo_endpoint fault = { 0 };
    enum kozo_err err;

    if (s->fault.c != 0) {
        struct kozo_res r = kozo_cap_mint(kozo_own(m->b.table), kozo_own(s->fault.c),
                                          KOZO_SAME_RIGHTS, s->fault_badge);

        if (r.err != KOZO_OK)
            return r.err;
        fault.c = m->b.table;
    }
    err = kozo_thread_bind(m->p->thread, m->p->cnode, m->p->space,
                           (struct kozo_frame){ m->b.frame }, KOZO_LAYOUT_BUFFER % KOZO_PAGE_SIZE,
                           fault);
    if (fault.c != 0)
        (void)kozo_cap_delete(kozo_own(fault.c));
    return err;
}

static enum kozo_err build_buffer(struct making *m)
{
    enum kozo_err err;

    step(m, "buffer", 0);
    err = kozo_build_page_held(&m->b, KOZO_LAYOUT_BUFFER, KOZO_READ | KOZO_WRITE,
                               (struct kozo_content){});
    if (err != KOZO_OK)
        return err;
    step(m, "bind", 0);
    err = bind_thread(m);
    if (err == KOZO_OK)
        err = kozo_build_keep(&m->b, m->b.frame);
    if (err != KOZO_OK)
        (void)kozo_cap_delete(kozo_own(m->b.frame));
    return err;
}

static enum kozo_err build_image(struct making *m)
{
    enum kozo_err err;

    for (uint32_t i = 0; i < m->elf.nsegments; i++) {
        step(m, "segment", i);
        err = build_segment(m, &m->elf.segment[i]);
        if (err != KOZO_OK)
            return err;
    }
    step(m, "stack", 0);
    m->p->stack_slot = m->b.next; /* the buffer's tables serve the stack, too */
    m->p->stack_end = KOZO_LAYOUT_STACK + (uint64_t)m->s->stack_pages * KOZO_PAGE_SIZE;
    m->p->heap = heap_begin(m);
    m->p->heap_end = heap_end(m);
    err = kozo_build_zeros(&m->b, KOZO_LAYOUT_STACK, KOZO_READ | KOZO_WRITE, m->s->stack_pages);
    if (err != KOZO_OK)
        return err;
    step(m, "heap", 0);
    err = kozo_build_zeros(&m->b, heap_begin(m), KOZO_READ | KOZO_WRITE, m->s->heap_pages);
    if (err != KOZO_OK || m->s->clock.c == 0)
        return err;
    step(m, "clock", 0);
    return kozo_build_copy(&m->b, KOZO_LAYOUT_CLOCK, KOZO_READ, m->s->clock.c);
}

static enum kozo_err build_range(struct making *m, struct kozo_range r, uint64_t *at,
                                 uint64_t bytes, uint64_t rights)
{
    enum kozo_err err = KOZO_OK;

    for (uint32_t i = 0; i < r.count && err == KOZO_OK; i++, *at += bytes)
        err = kozo_build_copy(&m->b, *at, rights, r.first + i);
    return err;
}

/* Maps what exists already; each piece begins in 2 MiB of its own. */
static enum kozo_err build_maps(struct making *m)
{
    uint64_t free = KOZO_LAYOUT_MIXED;

    for (uint32_t i = 0; i < m->s->nmaps; i++) {
        const struct kozo_spawn_map *map = &m->s->maps[i];
        uint64_t at = kozo_frames_begin(&map->frames, free);
        enum kozo_err err;

        step(m, "mapping", i);
        page.start.map[i].at = at;
        page.start.map[i].bytes = map->bytes != 0 ? map->bytes : kozo_frames_bytes(&map->frames);
        (void)strlcpy(page.start.map[i].name, map->name, KOZO_START_NAME);
        err = build_range(m, map->frames.small, &at, KOZO_PAGE_SIZE, map->rights);
        if (err == KOZO_OK)
            err = build_range(m, map->frames.large, &at, KOZO_LARGE_SIZE, map->rights);
        if (err == KOZO_OK)
            err = build_range(m, map->frames.tail, &at, KOZO_PAGE_SIZE, map->rights);
        if (err != KOZO_OK)
            return err;
        free = (at + KOZO_LARGE_SIZE) & ~(uint64_t)(KOZO_LARGE_SIZE - 1);
    }
    page.start.nmaps = m->s->nmaps;
    page.start.mixed = free;
    return KOZO_OK;
}

/* ---- capabilities ---- */

/* The fixed slots. */
static enum kozo_err give_own(struct making *m)
{
    const struct kozo_spawn *s = m->s;
    const kozo_cptr from[] = { 0, m->p->cnode.c, m->p->thread.c, m->p->space.c };
    enum kozo_err err = KOZO_OK;

    for (uint32_t slot = KOZO_SLOT_CNODE; slot <= KOZO_SLOT_SPACE && err == KOZO_OK; slot++) {
        step(m, "own capability", slot);
        if ((s->give & 1u << slot) == 0)
            continue;
        err = kozo_cap_copy(kozo_in(m->p->cnode, slot), kozo_own(from[slot]), KOZO_SAME_RIGHTS);
        page.start.given |= 1u << slot;
    }
    if (err == KOZO_OK && s->give_threads != 0) {
        step(m, "own capability", KOZO_SLOT_POOL);
        err = kozo_pool_split(s->pool, kozo_in(m->p->cnode, KOZO_SLOT_POOL), s->give_threads);
        page.start.given |= 1u << KOZO_SLOT_POOL;
    }
    return err;
}

static enum kozo_err give_copy(struct making *m, const struct kozo_spawn_cap *c,
                               struct kozo_place to)
{
    step(m, "capability", (uint64_t)(c - m->s->caps));
    if (c->move)
        return KOZO_OK;
    if (c->badge != 0)
        return kozo_cap_mint(to, c->from, c->rights, c->badge).err;
    return kozo_cap_copy(to, c->from, c->rights);
}

static enum kozo_err give_named(struct making *m)
{
    for (uint32_t i = 0; i < m->s->ncaps; i++) {
        const struct kozo_spawn_cap *c = &m->s->caps[i];
        struct kozo_place to = kozo_in(m->p->cnode, KOZO_SLOT_FIRST_NAMED + i);
        enum kozo_err err = give_copy(m, c, to);
        struct kozo_verified v;

        if (err != KOZO_OK)
            return err;
        v = kozo_cap_verify(c->move ? c->from : to, kozo_own(0));
        if (v.err != KOZO_OK)
            return v.err;
        page.start.cap[i].slot = KOZO_SLOT_FIRST_NAMED + i;
        page.start.cap[i].kind = KOZO_VERIFY_KIND(v.what);
        if (c->name != nullptr)
            (void)strlcpy(page.start.cap[i].name, c->name, KOZO_START_NAME);
    }
    page.start.ncaps = m->s->ncaps;
    return KOZO_OK;
}

/*
 * The last step that can fail but the start itself: what has left the maker has to come back then.
 */
static enum kozo_err give_moved(struct making *m)
{
    for (; m->moved < m->s->ncaps; m->moved++) {
        const struct kozo_spawn_cap *c = &m->s->caps[m->moved];
        enum kozo_err err = KOZO_OK;

        step(m, "capability", m->moved);
        if (c->move)
            err = kozo_cap_move(kozo_in(m->p->cnode, KOZO_SLOT_FIRST_NAMED + m->moved), c->from);
        if (err != KOZO_OK)
            return err;
    }
    return KOZO_OK;
}

static void take_back_moved(struct making *m)
{
    while (m->moved-- > 0)
        if (m->s->caps[m->moved].move)
            (void)kozo_cap_move(m->s->caps[m->moved].from,
                                kozo_in(m->p->cnode, KOZO_SLOT_FIRST_NAMED + m->moved));
}

/* ---- the start page ---- */

static enum kozo_err fill_args(struct making *m)
{
    size_t used = strlcpy(page.start.args, m->s->name, KOZO_START_ARG_BYTES) + 1;

    page.start.argc = 1;
    for (int i = 0; i < m->s->argc; i++) {
        size_t left = KOZO_START_ARG_BYTES - used,
               n = strlcpy(page.start.args + used, m->s->argv[i], left) + 1;

        if (n > left)
            return KOZO_ERR_LIMIT;
        used += n;
        page.start.argc++;
    }
    return KOZO_OK;
}

static enum kozo_err build_start(struct making *m)
{
    struct kozo_start *s = &page.start;
    uint32_t first_free = KOZO_SLOT_FIRST_NAMED + m->s->ncaps;
    enum kozo_err err;

    step(m, "start page", 0);
    s->head = (struct kozo_start_head){
        .magic = KOZO_START_MAGIC,
        .buffer = KOZO_LAYOUT_BUFFER,
        .clock = m->s->clock.c != 0 ? KOZO_LAYOUT_CLOCK : 0,
        .kind = KOZO_START_PROGRAM,
    };
    s->version = KOZO_START_VERSION;
    (void)strlcpy(s->service, m->s->name, KOZO_START_NAME);
    s->free = (struct kozo_range){ first_free, (1u << m->s->cnode_bits) - first_free };
    s->heap = heap_begin(m);
    s->heap_end = heap_end(m);
    s->stack = KOZO_LAYOUT_STACK;
    s->stack_end = KOZO_LAYOUT_STACK + (uint64_t)m->s->stack_pages * KOZO_PAGE_SIZE;
    err = fill_args(m);
    if (err != KOZO_OK)
        return err;
    return kozo_build_page(&m->b, KOZO_LAYOUT_START, KOZO_READ,
                           (struct kozo_content){ page.bytes, sizeof(page.start), 0 });
}

/* ---- all of it ---- */

static enum kozo_err start_thread(struct making *m)
{
    struct kozo_thread_info info;

    step(m, "start", 0);
    info = kozo_thread_info(m->p->thread);
    if (info.err != KOZO_OK)
        return info.err;
    m->p->serial = info.serial;
    return kozo_thread_start(m->p->thread, m->elf.entry, page.start.stack_end, KOZO_LAYOUT_START,
                             0);
}

static enum kozo_err make(struct making *m)
{
    enum kozo_err (*const steps[])(struct making *) = {
        make_objects, build_buffer, build_image, build_maps,   give_own,
        give_named,   build_start,  give_moved,  start_thread,
    };
    enum kozo_err err = KOZO_OK;

    for (unsigned i = 0; i < sizeof(steps) / sizeof(steps[0]) && err == KOZO_OK; i++)
        err = steps[i](m);
    return err;
}

enum kozo_err kozo_spawn(const struct kozo_spawn *s, struct kozo_process *p,
                         struct kozo_spawn_report *report)
{
    struct making m = { .s = s, .p = p, .report = report };
    enum kozo_err err;

    *report = (struct kozo_spawn_report){};
    *p = (struct kozo_process){ .memory = s->memory,
                                .pool = s->pool,
                                .first_named = KOZO_SLOT_FIRST_NAMED };
    memset(&page, 0, sizeof(page));
    err = check_numbers(&m);
    if (err == KOZO_OK)
        err = check_memory(&m);
    if (err == KOZO_OK)
        err = check_image(&m);
    if (err == KOZO_OK) {
        err = make(&m);
        if (err != KOZO_OK) {
            take_back_moved(&m);
            kozo_process_destroy(p);
        }
        if (m.b.frame != 0)
            kozo_build_end(&m.b);
    }
    report->err = err;
    return err;
}

void kozo_process_destroy(struct kozo_process *p)
{
    (void)kozo_cap_revoke(kozo_own(p->pool.c));
    (void)kozo_cap_revoke(kozo_own(p->memory.c));
    kozo_slot_free(p->thread.c);
    kozo_slot_free(p->cnode.c);
    kozo_slot_free(p->keep.c);
    kozo_slot_free(p->space.c);
    *p = (struct kozo_process){};
}
