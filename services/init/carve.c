/* SPDX-License-Identifier: MIT */
#include "init/carve.h"

#include <kozo/slots.h>
#include <kozo/syscall.h>

static const struct kozo_boot_info *boot;

void carve_begin(const struct kozo_boot_info *info)
{
    boot = info;
}

/*
 * Bytes that an aligned piece of them could have: what is left when the first is aligned to the
 * second.
 */
static uint64_t room(uint32_t i, unsigned bits)
{
    struct kozo_untyped_info info =
        kozo_untyped_info((struct kozo_untyped){ boot->untyped.first + i });
    uint64_t at = boot->desc[i].base + info.size - info.free;
    uint64_t aligned = (at + (1ull << bits) - 1) & ~((1ull << bits) - 1);

    if (info.err != KOZO_OK || aligned - at > info.free)
        return 0;
    return info.free - (aligned - at);
}

struct carved carve(unsigned bits)
{
    kozo_cptr slot = kozo_slot_alloc();
    uint32_t best = boot->untyped.count;
    enum kozo_err err = KOZO_ERR_NOMEM;

    for (uint32_t i = 0; i < boot->untyped.count; i++)
        if (room(i, bits) >= 1ull << bits &&
            (best == boot->untyped.count || boot->desc[i].size_bits < boot->desc[best].size_bits))
            best = i;
    if (slot == 0)
        return (struct carved){ .err = KOZO_ERR_LIMIT };
    if (best < boot->untyped.count)
        err = kozo_retype((struct kozo_untyped){ boot->untyped.first + best }, KOZO_KIND_UNTYPED,
                          bits, kozo_own(slot), 1);
    if (err == KOZO_OK)
        return (struct carved){ { slot }, KOZO_OK };
    kozo_slot_free(slot);
    return (struct carved){ .err = err };
}

uint64_t carve_largest(void)
{
    for (unsigned bits = KOZO_UNTYPED_MAX_BITS; bits > KOZO_PAGE_BITS; bits--)
        for (uint32_t i = 0; i < boot->untyped.count; i++)
            if (room(i, bits) >= 1ull << bits)
                return 1ull << bits;
    return 0;
}
