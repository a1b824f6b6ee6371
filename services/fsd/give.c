/* SPDX-License-Identifier: MIT */
#include "fsd/give.h"

#include <kozo/slots.h>
#include <kozo/start.h>
#include <kozo/syscall.h>

constexpr unsigned origin_bits = 8;
static_assert(ORIGINS == 1u << origin_bits);

static struct {
    struct kozo_cnode slots;
    struct kozo_endpoint port;
    kozo_cptr made; /* it leaves with the answer */
} from;

static enum kozo_err copy_port(uint32_t i)
{
    return kozo_cap_copy(kozo_in(from.slots, i), kozo_own(from.port.c), KOZO_SAME_RIGHTS);
}

enum kozo_err give_begin(struct kozo_endpoint port)
{
    enum kozo_err err;

    from.port = port;
    from.slots.c = kozo_slot_alloc();
    from.made = kozo_slot_alloc();
    if (from.slots.c == 0 || from.made == 0)
        return KOZO_ERR_LIMIT;
    err = kozo_retype(kozo_own_untyped(), KOZO_KIND_CNODE, origin_bits, kozo_own(from.slots.c), 1);
    for (uint8_t account = 0; err == KOZO_OK && account < STORE_ACCOUNTS; account++)
        err = copy_port(origin_of_account(account));
    return err;
}

/* GRANT lets Frames come with a request, and files with an answer. */
static enum kozo_err give(uint32_t i, uint64_t rights, uint64_t badge, struct kozo_cap_desc *out)
{
    struct kozo_place origin = kozo_in(from.slots, i), made = kozo_own(from.made);
    uint64_t all = KOZO_RIGHTS(KOZO_WRITE | KOZO_GRANT, rights);
    enum kozo_err err = kozo_cap_mint(made, origin, all, badge).err;

    if (err == KOZO_ERR_EMPTY) { /* the first of this lease */
        err = copy_port(i);
        if (err == KOZO_OK)
            err = kozo_cap_mint(made, origin, all, badge).err;
    }
    if (err == KOZO_ERR_OCCUPIED) { /* the last one did not arrive */
        (void)kozo_cap_delete(made);
        err = kozo_cap_mint(made, origin, all, badge).err;
    }
    if (err == KOZO_OK)
        *out = (struct kozo_cap_desc){ .slot = (uint32_t)from.made, .flags = KOZO_CAP_MOVE };
    return err;
}

static bool arrived(void)
{
    struct kozo_verified v = kozo_cap_verify(kozo_own(from.made), kozo_own(0));

    return v.err == KOZO_OK && KOZO_VERIFY_KIND(v.what) == KOZO_KIND_NULL;
}

/* A lease's copy of the port goes, too: what is free has none. */
static void revoke(uint32_t i)
{
    (void)kozo_cap_revoke(kozo_in(from.slots, i));
    if (i >= ORIGIN_LEASES)
        (void)kozo_cap_delete(kozo_in(from.slots, i));
}

const struct origin_ops give_slots = { .give = give, .arrived = arrived, .revoke = revoke };
