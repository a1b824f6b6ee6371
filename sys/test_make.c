/* SPDX-License-Identifier: MIT */
#include "test_make.h"

#include "internal.h"
#include "worker.h"

#include <kozo/layout.h>
#include <kozo/memory.h>

static struct kozo_untyped memory;

/* Made when a case first asks for them. */
static struct kozo_pool pool;
static struct kozo_cpio initrd;

/* The largest piece of RAM; nothing else in a test program is carved from it. */
bool kozo_test_make_init(const struct kozo_boot_info *b)
{
    uint32_t best = 0;

    for (uint32_t i = 1; i < b->untyped.count; i++)
        if (b->desc[i].size_bits > b->desc[best].size_bits)
            best = i;
    if (b->untyped.count == 0)
        return false;
    memory.c = b->untyped.first + best;
    kozo_memory_source(memory);
    return true;
}

void kozo_test_make_begin(void)
{
    pool.c = 0;
    initrd = (struct kozo_cpio){};
    kozo_slots_mark();
}

/* Ends the case's threads first, so that nobody uses what goes next. */
void kozo_test_make_end(void)
{
    if (pool.c != 0)
        kozo_slot_drop(pool.c);
    kozo_slots_drop_new();
    (void)kozo_cap_revoke(kozo_own(memory.c));
    kozo_window_forget();
    kozo_workers_forget();
    if (!kozo_test_settle())
        kozo_test_fail("test_make.c", 0, "destruction does not come to an end");
}

/* Fails the case for the helper that could not do its work. */
static bool made(const char *what, enum kozo_err err)
{
    if (err != KOZO_OK)
        kozo_test_fail("test_make.c", 0, "cannot make %s: %s", what, kozo_err_name(err));
    return err == KOZO_OK;
}

kozo_cptr kozo_test_slot(void)
{
    kozo_cptr slot = kozo_slot_alloc();

    (void)made("a slot", slot != 0 ? KOZO_OK : KOZO_ERR_LIMIT);
    return slot;
}

struct kozo_untyped kozo_test_memory(void)
{
    return memory;
}

struct kozo_pool kozo_test_pool(void)
{
    struct kozo_res free;

    if (pool.c != 0)
        return pool;
    free = kozo_pool_info((struct kozo_pool){ KOZO_INIT_POOL });
    pool.c = kozo_test_slot();
    if (!made("a pool", free.err) ||
        !made("a pool",
              kozo_pool_split((struct kozo_pool){ KOZO_INIT_POOL }, kozo_own(pool.c), free.value)))
        pool.c = 0;
    return pool;
}

static kozo_cptr make(enum kozo_kind kind, unsigned bits)
{
    kozo_cptr slot = kozo_test_slot();

    if (slot == 0 ||
        !made(kozo_kind_name(kind), kozo_retype(memory, kind, bits, kozo_own(slot), 1)))
        return 0;
    return slot;
}

struct kozo_endpoint kozo_test_endpoint(void)
{
    return (struct kozo_endpoint){ make(KOZO_KIND_ENDPOINT, 0) };
}

struct kozo_notification kozo_test_notification(void)
{
    return (struct kozo_notification){ make(KOZO_KIND_NOTIFICATION, 0) };
}

struct kozo_frame kozo_test_frame(void)
{
    return (struct kozo_frame){ make(KOZO_KIND_FRAME, KOZO_PAGE_BITS) };
}

struct kozo_space kozo_test_space(void)
{
    return (struct kozo_space){ make(KOZO_KIND_ADDRESS_SPACE, 0) };
}

struct kozo_cnode kozo_test_cnode(unsigned bits)
{
    return (struct kozo_cnode){ make(KOZO_KIND_CNODE, bits) };
}

struct kozo_untyped kozo_test_untyped(unsigned bits)
{
    return (struct kozo_untyped){ make(KOZO_KIND_UNTYPED, bits) };
}

kozo_cptr kozo_test_copy(kozo_cptr from, uint64_t rights)
{
    kozo_cptr slot = kozo_test_slot();

    return made("a copy", kozo_cap_copy(kozo_own(slot), kozo_own(from), rights)) ? slot : 0;
}

struct kozo_endpoint kozo_test_mint(struct kozo_endpoint from, uint64_t rights, uint64_t badge)
{
    kozo_cptr slot = kozo_test_slot();

    if (!made("a badged endpoint",
              kozo_cap_mint(kozo_own(slot), kozo_own(from.c), rights, badge).err))
        slot = 0;
    return (struct kozo_endpoint){ slot };
}

/* Options with the case's own pool and memory filled in. */
static struct kozo_worker_options options_of(const struct kozo_worker_options *o)
{
    struct kozo_worker_options mine = *o;

    if (mine.pool.c == 0)
        mine.pool = kozo_test_pool();
    if (mine.memory.c == 0)
        mine.memory = memory;
    return mine;
}

struct kozo_worker kozo_test_thread_with(const struct kozo_worker_options *o, void (*run)(void *),
                                         void *arg)
{
    struct kozo_worker_options mine = options_of(o);
    struct kozo_worker w;

    (void)made("a thread", kozo_worker_start(&w, &mine, run, arg));
    return w;
}

struct kozo_worker kozo_test_thread(void (*run)(void *), void *arg, uint32_t priority)
{
    return kozo_test_thread_with(&(struct kozo_worker_options){ .priority = priority }, run, arg);
}

struct kozo_worker kozo_test_thread_in(struct kozo_space space, const struct kozo_worker_options *o,
                                       void (*run)(void *), void *arg)
{
    struct kozo_worker_options mine = options_of(o);
    struct kozo_worker w;

    if (made("a thread", kozo_worker_build(&w, &mine, space, false)) && !mine.stopped)
        (void)made("a thread run", kozo_worker_run(&w, run, arg));
    return w;
}

/* Maps a copy of the program's own pages [begin, end) at the same addresses. */
static enum kozo_err clone_pages(struct kozo_builder *b, uint64_t begin, uint64_t end,
                                 uint64_t rights)
{
    enum kozo_err err = KOZO_OK;

    for (uint64_t at = begin & ~(uint64_t)(KOZO_PAGE_SIZE - 1); at < end && err == KOZO_OK;
         at += KOZO_PAGE_SIZE)
        err = kozo_build_page(b, at, rights,
                              (struct kozo_content){ (const void *)at, KOZO_PAGE_SIZE, 0 });
    return err;
}

static enum kozo_err clone_all(struct kozo_builder *b)
{
    uint64_t head = (uint64_t)kozo_head;
    enum kozo_err err = clone_pages(b, (uint64_t)kozo_image, (uint64_t)kozo_rodata_end, KOZO_READ);

    if (err == KOZO_OK)
        err = clone_pages(b, (uint64_t)kozo_text, (uint64_t)kozo_text_end,
                          KOZO_READ | KOZO_EXECUTE);
    if (err == KOZO_OK)
        err = clone_pages(b, (uint64_t)kozo_data, (uint64_t)kozo_data_end, KOZO_READ | KOZO_WRITE);
    if (err == KOZO_OK)
        err = clone_pages(b, head, head + sizeof(struct kozo_boot_info), KOZO_READ);
    if (err == KOZO_OK && kozo_head->clock != 0)
        err = kozo_build_copy(b, kozo_head->clock, KOZO_READ, KOZO_INIT_CLOCK);
    return err;
}

struct kozo_space kozo_test_space_clone(void)
{
    struct kozo_space space = kozo_test_space();
    uint64_t pages = (uint64_t)(kozo_data_end - kozo_image) / KOZO_PAGE_SIZE + 8;
    struct kozo_builder b;

    if (space.c == 0 ||
        !made("a space", kozo_build_begin(&b, memory, space, pages + 4 * kozo_build_tables(pages))))
        return (struct kozo_space){ 0 };
    if (!made("a copy of the program", clone_all(&b)))
        space.c = 0;
    kozo_build_end(&b);
    return space;
}

/* ---- processes ---- */

/* Copies of all frames of a range, in slots in a row, for a mapping of the case's own. */
static bool copy_frames(struct kozo_range *r)
{
    kozo_cptr first = kozo_slots_alloc(r->count);

    if (r->count == 0)
        return true;
    if (!made("slots for the initrd", first != 0 ? KOZO_OK : KOZO_ERR_LIMIT))
        return false;
    for (uint32_t i = 0; i < r->count; i++)
        if (!made("a copy of a frame",
                  kozo_cap_copy(kozo_own(first + i), kozo_own(r->first + i), KOZO_SAME_RIGHTS)))
            return false;
    r->first = (uint32_t)first;
    return true;
}

struct kozo_cpio kozo_test_initrd(void)
{
    const struct kozo_boot_info *b = kozo_boot_info();
    struct kozo_frames f = { b->initrd_small, b->initrd_large, b->initrd_tail };
    struct kozo_memory m;

    if (initrd.base != nullptr || !copy_frames(&f.small) || !copy_frames(&f.large) ||
        !copy_frames(&f.tail))
        return initrd;
    m = kozo_memory_map_frames(&f, KOZO_READ);
    if (made("a mapping of the initrd", m.err))
        initrd = (struct kozo_cpio){ m.at, b->initrd_bytes };
    return initrd;
}

/* The path of the program that runs, as the kernel found it. */
static void own_path(char *path, size_t size)
{
    static const char option[] = "kozo.init=";
    const char *at = strstr(kozo_boot_info()->cmdline, option);
    size_t len = 0;

    if (at == nullptr) {
        (void)strlcpy(path, "bin/init", size);
        return;
    }
    at += sizeof(option) - 1;
    while (at[len] != '\0' && at[len] != ' ')
        len++;
    kozo_str_copy(path, size, (struct kozo_str){ at, len });
}

struct kozo_bytes kozo_test_image(void)
{
    struct kozo_cpio c = kozo_test_initrd();
    struct kozo_cpio_entry e = {};
    struct kozo_bad bad;
    char path[256];

    own_path(path, sizeof(path));
    if (c.base == nullptr || !made("out this program's file", kozo_cpio_find(&c, path, &e, &bad)))
        return (struct kozo_bytes){};
    return (struct kozo_bytes){ e.data, e.size };
}

struct kozo_process kozo_test_spawn(const struct kozo_spawn *given)
{
    struct kozo_spawn s = *given;
    struct kozo_process p = {};
    struct kozo_spawn_report report;
    enum kozo_err err;

    kozo_test_spawn_fill(&s);
    err = kozo_spawn(&s, &p, &report);
    if (err != KOZO_OK)
        kozo_test_fail("test_make.c", 0, "cannot spawn: %s at step %s %lu %s", kozo_err_name(err),
                       report.step, report.index,
                       report.bad.field != nullptr ? report.bad.field : "");
    return p;
}

void kozo_test_spawn_fill(struct kozo_spawn *s)
{
    if (s->name == nullptr)
        s->name = "child";
    if (s->image == nullptr) {
        struct kozo_bytes image = kozo_test_image();

        s->image = image.at;
        s->image_bytes = image.len;
    }
    if (s->memory.c == 0)
        s->memory = kozo_test_untyped(20);
    if (s->pool.c == 0) {
        s->pool.c = kozo_test_slot();
        (void)made("a pool", kozo_pool_split(kozo_test_pool(), kozo_own(s->pool.c), 1));
    }
    if (s->clock.c == 0)
        s->clock.c = KOZO_INIT_CLOCK;
    if (s->cnode_bits == 0)
        s->cnode_bits = 6;
    if (s->stack_pages == 0)
        s->stack_pages = 4;
    if (s->fault.c != 0 && s->fault_badge == 0)
        s->fault_badge = 1;
}
