/* SPDX-License-Identifier: MIT */
#include "init/threads.h"
#include "common/line.h"

#include <kozo/layout.h>
#include <kozo/slots.h>
#include <kozo/start.h>

/* ---- the threads of a service ---- */

static bool is_other_thread(const struct service *s, uint64_t slot)
{
    struct kozo_verified v =
        kozo_cap_verify(kozo_in(s->process.cnode, slot), kozo_own(s->process.thread.c));

    return v.err == KOZO_OK && KOZO_VERIFY_KIND(v.what) == KOZO_KIND_THREAD &&
           (v.what & KOZO_VERIFY_SAME) == 0;
}

/* The slot of its `number`-th thread after the first, 0 when there is none. */
static uint64_t slot_of(const struct service *s, uint64_t number)
{
    for (uint64_t slot = 1; slot < 1u << PROGRAM_CNODE_BITS; slot++)
        if (is_other_thread(s, slot) && --number == 0)
            return slot;
    return 0;
}

static struct threads_copy copy_from(const struct service *s, uint64_t slot)
{
    struct threads_copy copy = { .err = KOZO_ERR_LIMIT };

    copy.thread.c = kozo_slot_alloc();
    if (copy.thread.c == 0)
        return copy;
    copy.err = kozo_cap_copy(kozo_own(copy.thread.c), kozo_in(s->process.cnode, slot),
                             KOZO_SAME_RIGHTS);
    if (copy.err != KOZO_OK)
        kozo_slot_free(copy.thread.c);
    return copy;
}

struct threads_copy threads_copy(const struct service *s, uint64_t number)
{
    uint64_t there = s->state == SERVICE_RUNNING && number > 0 ? slot_of(s, number) : 0;

    if (there == 0)
        return (struct threads_copy){ .err = KOZO_ERR_NOT_FOUND };
    return copy_from(s, there);
}

static struct kozo_thread_info info_of(struct threads_copy copy)
{
    struct kozo_thread_info info = { .err = copy.err };

    if (copy.err != KOZO_OK)
        return info;
    info = kozo_thread_info(copy.thread);
    kozo_slot_drop(copy.thread.c);
    return info;
}

struct kozo_thread_info threads_info(const struct service *s, uint64_t number)
{
    if (number == 0 && s->state == SERVICE_RUNNING)
        return kozo_thread_info(s->process.thread);
    return info_of(threads_copy(s, number));
}

uint64_t threads_count(const struct service *s)
{
    uint64_t n = s->state == SERVICE_RUNNING;

    for (uint64_t slot = 1; n > 0 && slot < 1u << PROGRAM_CNODE_BITS; slot++)
        n += is_other_thread(s, slot);
    return n;
}

/* ---- their stacks ---- */

/* The CNode in a slot of the service, other than its own; copied to `copy`. */
static bool take_cnode(const struct service *s, uint64_t slot, struct kozo_cnode copy)
{
    struct kozo_place from = kozo_in(s->process.cnode, slot);
    struct kozo_verified v = kozo_cap_verify(from, kozo_own(s->process.cnode.c));

    return v.err == KOZO_OK && KOZO_VERIFY_KIND(v.what) == KOZO_KIND_CNODE &&
           (v.what & KOZO_VERIFY_SAME) == 0 &&
           kozo_cap_copy(kozo_own(copy.c), from, KOZO_SAME_RIGHTS) == KOZO_OK;
}

struct threads_pages threads_pages(const struct service *s, uint64_t serial)
{
    struct threads_pages p = { .keep = { kozo_slot_alloc() }, .at.err = KOZO_ERR_NOT_FOUND };

    for (uint64_t slot = 1; p.keep.c != 0 && slot < 1u << PROGRAM_CNODE_BITS; slot++) {
        if (!take_cnode(s, slot, p.keep))
            continue;
        p.at = kozo_stack_pages_of(p.keep, serial);
        if (p.at.err == KOZO_OK)
            return p;
        (void)kozo_cap_delete(kozo_own(p.keep.c));
    }
    kozo_slot_free(p.keep.c);
    p.keep.c = 0;
    return p;
}

enum kozo_err threads_undisturbed(void (*look)(void *context), void *context)
{
    struct kozo_thread self = kozo_own_thread();
    struct kozo_thread_info info = kozo_thread_info(self);
    uint64_t usual = kozo_buffer()->word[KOZO_THREAD_WORD_PRIORITY];
    enum kozo_err err = info.err == KOZO_OK ? kozo_thread_priority(self, 0, 0) : info.err;

    if (err != KOZO_OK)
        return err;
    look(context);
    (void)kozo_thread_priority(self, (unsigned)usual, 0);
    return KOZO_OK;
}

struct look {
    const struct service *s;
    uint64_t serial;
    struct kozo_stack found;
};

static void look_at_stack(void *context)
{
    struct look *l = context;
    struct threads_pages p = threads_pages(l->s, l->serial);

    l->found.err = p.at.err;
    if (p.at.err == KOZO_OK)
        l->found = kozo_stack_look(p.keep, p.at.slot, p.at.pages);
    kozo_slot_drop(p.keep.c);
}

struct kozo_stack threads_stack(const struct service *s, uint64_t number)
{
    struct kozo_thread_info info = threads_info(s, number);
    struct look look = { s, info.serial, { .err = info.err } };
    const struct kozo_process *p = &s->process;

    if (info.err != KOZO_OK)
        return look.found;
    if (number > 0) {
        enum kozo_err err = threads_undisturbed(look_at_stack, &look);

        return err == KOZO_OK ? look.found : (struct kozo_stack){ .err = err };
    }
    return kozo_stack_look(p->keep, p->stack_slot,
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

/* One look at each slot: a service decides itself how many capabilities to threads it has. */
static bool has_thread(const struct service *s, uint64_t serial)
{
    if (s->state != SERVICE_RUNNING)
        return false;
    if (s->process.serial == serial)
        return true;
    for (uint64_t slot = 1; slot < 1u << PROGRAM_CNODE_BITS; slot++)
        if (is_other_thread(s, slot) && info_of(copy_from(s, slot)).serial == serial)
            return true;
    return false;
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
