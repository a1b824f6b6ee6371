/* SPDX-License-Identifier: MIT */
/*
 * space.c - the model's address spaces: tables as a tree of entries; memory.md, `AddressSpace` and
 * `Frames`.
 */
#include "model.h"

#include <string.h>

static uint64_t level_bytes(uint32_t level) { return 1ull << (12 + 9 * (level - 1)); }

static bool covers(const struct m_entry *e, uint64_t address)
{
    return address - e->address < level_bytes(e->level);
}

static struct m_entry *find_in(struct m_entry *first, uint64_t address, uint32_t level)
{
    for (struct m_entry *e = first; e != nullptr; e = e->next) {
        if (!covers(e, address))
            continue;
        if (e->level == level)
            return e;
        return e->leaf ? nullptr : find_in(e->below, address, level);
    }
    return nullptr;
}

struct m_entry *m_entry_find(const struct m_object *space, uint64_t address, uint32_t level)
{
    return find_in(space->space.top, address, level);
}

static struct m_entry *translate_in(struct m_entry *first, uint64_t address)
{
    for (struct m_entry *e = first; e != nullptr; e = e->next)
        if (covers(e, address))
            return e->leaf ? e : translate_in(e->below, address);
    return nullptr;
}

struct m_entry *m_translate(const struct m_object *space, uint64_t address)
{
    return translate_in(space->space.top, address);
}

static uint32_t frame_level(const struct m_object *frame)
{
    return frame->bits == KOZO_PAGE_BITS ? 1 : 2;
}

struct m_entry *m_frame_entry(const struct m_cap *frame)
{
    struct m_entry *e;

    if (frame->space == nullptr || !frame->space->space.live)
        return nullptr;
    e = m_entry_find(frame->space, frame->address, frame_level(frame->object));
    return e == frame->entry ? e : nullptr;
}

/* ---- taking away ---- */

/* Take the one entry out of the list it is in, or of a list below. */
static bool remove_entry(struct m_entry **first, const struct m_entry *gone)
{
    for (struct m_entry **link = first; *link != nullptr; link = &(*link)->next) {
        if (*link == gone) {
            *link = gone->next;
            return true;
        }
        if (remove_entry(&(*link)->below, gone))
            return true;
    }
    return false;
}

void m_frame_unmap(struct m_cap *frame)
{
    struct m_entry *e = m_frame_entry(frame);

    if (e != nullptr)
        remove_entry(&frame->space->space.top, e);
}

/* ---- pages for tables ---- */

static struct m_entry *find_table(struct m_entry *first, const struct m_object *table)
{
    for (struct m_entry *e = first; e != nullptr; e = e->next) {
        struct m_entry *found = e->table == table ? e : find_table(e->below, table);

        if (found != nullptr)
            return found;
    }
    return nullptr;
}

/* The next live space from `o` on, `o` included. */
static struct m_object *live_space(struct m_object *o)
{
    while (o != nullptr && (o->kind != KOZO_KIND_ADDRESS_SPACE || !o->space.live))
        o = o->next;
    return o;
}

static bool pool_remove(struct m_object *space, struct m_object *table)
{
    for (struct m_object **link = &space->space.pool; *link != nullptr; link = &(*link)->table.next)
        if (*link == table) {
            *link = table->table.next;
            return true;
        }
    return false;
}

void m_table_end(struct m_object *table)
{
    for (struct m_object *s = live_space(m->objects); s != nullptr; s = live_space(s->next)) {
        struct m_entry *e = find_table(s->space.top, table);

        if (e != nullptr)
            remove_entry(&s->space.top, e);
        pool_remove(s, table);
    }
}

bool m_table_is_used(const struct m_object *table)
{
    for (struct m_object *s = live_space(m->objects); s != nullptr; s = live_space(s->next)) {
        if (find_table(s->space.top, table) != nullptr)
            return true;
        for (struct m_object *p = s->space.pool; p != nullptr; p = p->table.next)
            if (p == table)
                return true;
    }
    return false;
}

enum kozo_err m_space_feed(struct m_object *space, struct m_object *table)
{
    if (m_table_is_used(table))
        return KOZO_ERR_IN_USE;
    table->table.next = space->space.pool;
    space->space.pool = table;
    return KOZO_OK;
}

/* ---- mapping ---- */

static enum kozo_err check_rights(const struct m_cap *frame, uint64_t rights)
{
    bool read = (rights & KOZO_READ) != 0, write = (rights & KOZO_WRITE) != 0,
         execute = (rights & KOZO_EXECUTE) != 0;

    if (!read || (write && execute) ||
        (rights | KOZO_READ | KOZO_WRITE | KOZO_EXECUTE) != (KOZO_READ | KOZO_WRITE | KOZO_EXECUTE))
        return KOZO_ERR_ARGUMENT;
    return (rights & ~(uint64_t)frame->rights) == 0 ? KOZO_OK : KOZO_ERR_RIGHTS;
}

/* The list that an entry for `address` at `level` is in; what is missing on the way is counted, or
 * made. */
static struct m_entry **list_for(struct m_object *space, uint64_t address, uint32_t level,
                                 bool make, uint32_t *missing)
{
    struct m_entry **list = &space->space.top;

    for (uint32_t at = 4; at > level; at--) {
        struct m_entry *e = *list;

        while (e != nullptr && !covers(e, address))
            e = e->next;
        if (e == nullptr && !make) {
            *missing = at - level;
            return nullptr;
        }
        if (e == nullptr) {
            e = m_new(sizeof *e);
            e->level = at;
            e->address = address - address % level_bytes(at);
            e->table = space->space.pool;
            space->space.pool = e->table->table.next;
            e->next = *list;
            *list = e;
        }
        if (e->leaf)
            return nullptr;
        list = &e->below;
    }
    return list;
}

static uint64_t pool_pages(const struct m_object *space)
{
    uint64_t n = 0;

    for (const struct m_object *p = space->space.pool; p != nullptr; p = p->table.next)
        n++;
    return n;
}

static enum kozo_err check_place(struct m_object *space, uint64_t address, uint32_t level)
{
    uint32_t missing = 0;
    struct m_entry **list = list_for(space, address, level, false, &missing);

    if (list == nullptr && missing == 0)
        return KOZO_ERR_OCCUPIED; /* a larger page covers it */
    for (struct m_entry *e = list != nullptr ? *list : nullptr; e != nullptr; e = e->next)
        if (covers(e, address))
            return KOZO_ERR_OCCUPIED;
    return missing <= pool_pages(space) ? KOZO_OK : KOZO_ERR_NOMEM;
}

enum kozo_err m_map(struct m_object *space, struct m_cap *frame, uint64_t address, uint64_t rights)
{
    uint64_t bytes = 1ull << frame->object->bits;
    uint32_t level = frame_level(frame->object), missing;
    enum kozo_err err = check_rights(frame, rights);
    struct m_entry **list, *e;

    if (err != KOZO_OK)
        return err;
    if (address % bytes != 0)
        return KOZO_ERR_ALIGN;
    if (address < KOZO_USER_START || address >= KOZO_USER_END || KOZO_USER_END - address < bytes)
        return KOZO_ERR_ARGUMENT;
    if (m_frame_entry(frame) != nullptr)
        return KOZO_ERR_MAPPED;
    err = check_place(space, address, level);
    if (err != KOZO_OK)
        return err;
    list = list_for(space, address, level, true, &missing);
    e = m_new(sizeof *e);
    *e = (struct m_entry){
        .next = *list,
        .address = address,
        .level = level,
        .leaf = true,
        .base = frame->object->base,
        .rights = (uint8_t)rights,
        .device = frame->object->device,
    };
    *list = e;
    frame->space = space;
    frame->address = address;
    frame->entry = e;
    return KOZO_OK;
}

enum kozo_err m_protect(struct m_cap *frame, uint64_t rights)
{
    enum kozo_err err = check_rights(frame, rights);
    struct m_entry *e = m_frame_entry(frame);

    if (err != KOZO_OK)
        return err;
    if (e == nullptr)
        return KOZO_ERR_UNMAPPED;
    e->rights = (uint8_t)rights;
    return KOZO_OK;
}
