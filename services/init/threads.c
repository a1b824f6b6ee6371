/* SPDX-License-Identifier: MIT */
#include "init/threads.h"
#include "init/borrow.h"
#include "common/line.h"

#include <kozo/layout.h>
#include <kozo/start.h>

/* ---- the threads of a service ---- */

constexpr uint64_t SLOTS = 1u << PROGRAM_CNODE_BITS;

/* A walk through the slots of a service, from one further thread to the next. */
struct walk {
    uint64_t slot; /* where the one it is at was found */
    struct kozo_thread_info info;
    uint64_t found;
    uint64_t serial[SLOTS]; /* of those found */
};

static bool is_new(const struct walk *w)
{
    for (uint64_t k = 0; k < w->found; k++)
        if (w->serial[k] == w->info.serial)
            return false;
    return true;
}

static bool is_other_thread(const struct service *s, uint64_t slot)
{
    struct kozo_verified v =
        kozo_cap_verify(kozo_in(s->process.cnode, slot), kozo_own(s->process.thread.c));

    return v.err == KOZO_OK && KOZO_VERIFY_KIND(v.what) == KOZO_KIND_THREAD &&
           (v.what & KOZO_VERIFY_SAME) == 0;
}

static void take_info(kozo_cptr copy, void *context)
{
    *(struct kozo_thread_info *)context = kozo_thread_info((struct kozo_thread){ copy });
}

/* A thread it may hold many capabilities to; which it is tells its serial alone. */
static bool take_thread(const struct service *s, struct walk *w)
{
    return is_other_thread(s, w->slot) && borrow(s, w->slot, take_info, &w->info) == KOZO_OK &&
           w->info.err == KOZO_OK && is_new(w);
}

/* False after the last, or when there are as many as its section allows. */
static bool walk_next(const struct service *s, struct walk *w)
{
    if (s->state != SERVICE_RUNNING)
        return false;
    while (w->found + 1 < s->m->threads && ++w->slot < SLOTS) {
        if (!take_thread(s, w))
            continue;
        w->serial[w->found++] = w->info.serial;
        return true;
    }
    return false;
}

static bool walk_to_number(const struct service *s, struct walk *w, uint64_t number)
{
    *w = (struct walk){};
    while (walk_next(s, w))
        if (w->found == number)
            return true;
    return false;
}

static bool walk_to_serial(const struct service *s, struct walk *w, uint64_t serial)
{
    *w = (struct walk){};
    while (walk_next(s, w))
        if (w->info.serial == serial)
            return true;
    return false;
}

struct kozo_thread_info threads_info(const struct service *s, uint64_t number)
{
    struct walk w;

    if (number == 0 && s->state == SERVICE_RUNNING)
        return kozo_thread_info(s->process.thread);
    return walk_to_number(s, &w, number) ? w.info
                                         : (struct kozo_thread_info){ .err = KOZO_ERR_NOT_FOUND };
}

uint64_t threads_count(const struct service *s)
{
    struct walk w = {};
    uint64_t n = s->state == SERVICE_RUNNING;

    while (walk_next(s, &w))
        n++;
    return n;
}

/* What is wanted of a further thread. */
struct wish {
    uint64_t serial;
    void (*act)(struct kozo_thread thread, void *context);
    void *context;
    enum kozo_err err;
};

static void grant(kozo_cptr copy, void *context)
{
    struct wish *w = context;
    struct kozo_thread thread = { copy };
    struct kozo_thread_info info = kozo_thread_info(thread);

    if (info.err != KOZO_OK || info.serial != w->serial)
        return; /* another took its slot since */
    w->err = KOZO_OK;
    w->act(thread, w->context);
}

enum kozo_err threads_act(const struct service *s, uint64_t number,
                          void (*act)(struct kozo_thread thread, void *context), void *context)
{
    struct wish wish = { 0, act, context, KOZO_ERR_NOT_FOUND };
    enum kozo_err err;
    struct walk w;

    if (!walk_to_number(s, &w, number))
        return KOZO_ERR_NOT_FOUND;
    wish.serial = w.info.serial;
    err = borrow(s, w.slot, grant, &wish);
    return err != KOZO_OK ? err : wish.err;
}

/* ---- their stacks ---- */

/* The slot of the thread's capability, 0 when it has none. */
static uint64_t slot_of(const struct service *s, uint64_t serial)
{
    struct walk w;

    return walk_to_serial(s, &w, serial) ? w.slot : 0;
}

/* There is a CNode in a slot of the service, other than its own. */
static bool is_other_cnode(const struct service *s, uint64_t slot)
{
    struct kozo_verified v =
        kozo_cap_verify(kozo_in(s->process.cnode, slot), kozo_own(s->process.cnode.c));

    return v.err == KOZO_OK && KOZO_VERIFY_KIND(v.what) == KOZO_KIND_CNODE &&
           (v.what & KOZO_VERIFY_SAME) == 0;
}

/* One glance into a CNode of a service. */
struct glance {
    kozo_stack_glance *at;
    void *context;
};

static void take_glance(kozo_cptr copy, void *context)
{
    struct glance *g = context;

    g->at((struct kozo_cnode){ copy }, g->context);
}

static enum kozo_err lend(void *of, kozo_stack_glance *glance, void *context)
{
    const struct threads_keep *k = of;

    return borrow(k->s, k->slot, take_glance, &(struct glance){ glance, context });
}

/* kozo-sys takes the slot for the CNode right after the thread's, most often the next one free. */
struct threads_pages threads_pages(const struct service *s, uint64_t serial)
{
    struct threads_pages p = { .keep.s = s, .at.err = KOZO_ERR_NOT_FOUND };
    uint64_t begin = slot_of(s, serial), marks = 0;

    for (uint64_t k = 1; k < SLOTS && marks < THREADS_MARKS && p.at.err != KOZO_OK; k++) {
        p.keep.slot = (begin + k) % SLOTS;
        if (!is_other_cnode(s, p.keep.slot))
            continue;
        marks++;
        p.at =
            kozo_stack_pages_of(&(struct kozo_stack_keep){ .lend = lend, .of = &p.keep }, serial);
    }
    return p;
}

static struct kozo_stack further_stack(const struct service *s, uint64_t serial)
{
    struct threads_pages p = threads_pages(s, serial);

    if (p.at.err != KOZO_OK)
        return (struct kozo_stack){ .err = p.at.err };
    return kozo_stack_look(&(struct kozo_stack_keep){ .lend = lend, .of = &p.keep }, p.at.slot,
                           p.at.pages);
}

struct kozo_stack threads_stack(const struct service *s, uint64_t number)
{
    struct kozo_thread_info info = threads_info(s, number);
    const struct kozo_process *p = &s->process;

    if (info.err != KOZO_OK)
        return (struct kozo_stack){ .err = info.err };
    if (number > 0)
        return further_stack(s, info.serial);
    return kozo_stack_look(&(struct kozo_stack_keep){ .cnode = p->keep }, p->stack_slot,
                           (p->stack_end - KOZO_LAYOUT_STACK) / KOZO_PAGE_SIZE);
}

/* ---- whom they wait for ---- */

/* The kernel's identity of an Endpoint, from one of the capabilities derived from it; 0 = none. */
static uint64_t identity_of(struct kozo_endpoint port)
{
    struct kozo_raw r = kozo_syscall(KOZO_SYS_DEBUG_TREE, KOZO_INIT_DEBUG, 0, port.c, 0);

    if (port.c == 0 || r.err != KOZO_OK || r.b == 0)
        return 0;
    return ((const struct kozo_tree_entry *)kozo_buffer()->word)[0].object;
}

/* Whose an Endpoint is. */
static struct kozo_str server_of(const struct init *i, uint64_t object)
{
    if (object == 0)
        return (struct kozo_str){};
    if (object == identity_of(i->port))
        return kozo_str("init");
    for (uint32_t k = 0; k < i->manifest.services; k++)
        if (object == identity_of(i->service[k].port))
            return i->service[k].m->name;
    return (struct kozo_str){};
}

static bool has_thread(const struct service *s, uint64_t serial)
{
    return s->state == SERVICE_RUNNING && (s->process.serial == serial || slot_of(s, serial) != 0);
}

/* Whose a thread is. */
static struct kozo_str owner_of(const struct init *i, uint64_t serial)
{
    struct kozo_thread_info own = kozo_thread_info(kozo_own_thread());

    if (serial == 0)
        return (struct kozo_str){};
    if (own.err == KOZO_OK && own.serial == serial)
        return kozo_str("init");
    for (uint32_t k = 0; k < i->manifest.services; k++)
        if (has_thread(&i->service[k], serial))
            return i->service[k].m->name;
    return (struct kozo_str){};
}

static const char *object_text(const struct kozo_thread_info *info, uint64_t object)
{
    switch (info->state) {
    case KOZO_THREAD_SENDING:
    case KOZO_THREAD_RECEIVING:
        return "endpoint";
    case KOZO_THREAD_CALLING:
        return "reply";
    case KOZO_THREAD_WAITING:
        return object != 0 ? "notification" : "sleep";
    case KOZO_THREAD_FAULTED:
        return "fault";
    default:
        return "";
    }
}

struct threads_block threads_block(const struct init *i, const struct kozo_thread_info *info)
{
    uint64_t object = kozo_buffer()->word[KOZO_THREAD_WORD_WAITS];
    uint64_t peer = kozo_buffer()->word[KOZO_THREAD_WORD_PEER];
    struct threads_block b = {};
    struct line l = line_begin(b.on, sizeof b.on);

    b.waits = info->state == KOZO_THREAD_CALLING ? owner_of(i, peer) : server_of(i, object);
    line_add(&l, object_text(info, object));
    if (b.waits.len > 0) {
        line_add(&l, " of ");
        line_add_str(&l, b.waits);
    }
    return b;
}
