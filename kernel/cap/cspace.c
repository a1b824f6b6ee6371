/* SPDX-License-Identifier: MIT */
#include "cap/cspace.h"

/*
 * The CNode capability itself: in the thread's binding, or at an address of its capability space.
 */
static struct slot_res cnode_want(const struct cspace *c, kozo_cptr cnode, kozo_rights need)
{
    if (cnode != 0)
        return cspace_want(c, cnode, KOZO_KIND_CNODE, need);
    if (c->size == 0)
        return slot_err(KOZO_ERR_ADDRESS);
    if ((c->own->cap.rights & need) != need)
        return slot_err(KOZO_ERR_RIGHTS);
    return slot_ok(c->own);
}

struct slot_res cspace_empty_range(const struct cspace *c, kozo_cptr cnode, uint64_t index,
                                   uint64_t count)
{
    struct slot_res r = cnode_want(c, cnode, KOZO_WRITE);
    struct slot *slots;
    uint64_t size;

    if (r.err != KOZO_OK)
        return r;
    slots = (struct slot *)r.slot->cap.object;
    size = 1ull << r.slot->cap.size_bits;
    if (index == 0 || index >= size || count > size - index)
        return slot_err(KOZO_ERR_ADDRESS);
    for (uint64_t i = 0; i < count; i++)
        if (!slot_is_null(&slots[index + i]))
            return slot_err(KOZO_ERR_OCCUPIED);
    return slot_ok(&slots[index]);
}

struct slot_res cspace_slot(const struct cspace *c, kozo_cptr cnode, uint64_t index,
                            kozo_rights need)
{
    struct slot_res r = cnode_want(c, cnode, need);

    if (r.err != KOZO_OK)
        return r;
    if (index == 0 || index >= 1ull << r.slot->cap.size_bits)
        return slot_err(KOZO_ERR_ADDRESS);
    return slot_ok((struct slot *)r.slot->cap.object + index);
}

struct slot_res cspace_occupied(const struct cspace *c, kozo_cptr cnode, uint64_t index,
                                kozo_rights need)
{
    struct slot_res r = cspace_slot(c, cnode, index, need);

    if (r.err == KOZO_OK && slot_is_null(r.slot))
        return slot_err(KOZO_ERR_EMPTY);
    return r;
}

struct slot_res cspace_empty(const struct cspace *c, kozo_cptr cnode, uint64_t index)
{
    return cspace_empty_range(c, cnode, index, 1);
}
