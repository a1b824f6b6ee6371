/* SPDX-License-Identifier: MIT */
#include "init/sweep.h"
#include "init/init.h"

#include <kozo/slots.h>
#include <kozo/syscall.h>

/* The CNodes found so far; those behind the first by copies of init's own. */
struct sweep {
    struct kozo_cnode cnode[SWEEP_CNODES];
    uint8_t bits[SWEEP_CNODES]; /* log2 of its slots */
    uint32_t count;
    uint32_t steps; /* that are left */
};

static bool step(struct sweep *w)
{
    if (w->steps == 0)
        return false;
    w->steps--;
    return true;
}

/* No: that it is a new one cannot be told within the steps. */
static bool is_new(struct sweep *w, struct kozo_place at)
{
    for (uint32_t k = 0; k < w->count; k++) {
        struct kozo_verified v;

        if (!step(w))
            return false;
        v = kozo_cap_verify(at, kozo_own(w->cnode[k].c));
        if (v.err != KOZO_OK || (v.what & KOZO_VERIFY_SAME) != 0)
            return false;
    }
    return true;
}

static void find_cnode(struct sweep *w, struct kozo_place at, uint64_t what)
{
    kozo_rights both = KOZO_READ | KOZO_WRITE;
    kozo_cptr copy;

    if (w->count == SWEEP_CNODES || (KOZO_VERIFY_RIGHTS(what) & both) != both || !is_new(w, at))
        return;
    copy = kozo_slot_alloc();
    if (copy == 0)
        return;
    if (kozo_cap_copy(kozo_own(copy), at, KOZO_SAME_RIGHTS) != KOZO_OK) {
        kozo_slot_free(copy);
        return;
    }
    w->bits[w->count] = KOZO_VERIFY_SIZE(what);
    w->cnode[w->count++].c = copy;
}

/* What CNodes can be made of or derived from: the copies in `w` may be, too. */
static bool leads_to_cnodes(uint64_t what)
{
    return KOZO_VERIFY_KIND(what) == KOZO_KIND_CNODE || KOZO_VERIFY_KIND(what) == KOZO_KIND_UNTYPED;
}

/*
 * One slot. While they are being found, what leads to CNodes is only looked at, so
 * that no revoke takes a way to one that has not been looked through; at the end it is revoked.
 */
static void sweep_slot(struct sweep *w, struct kozo_place at, bool finding)
{
    struct kozo_verified v = kozo_cap_verify(at, kozo_own(0));

    if (v.err != KOZO_OK || KOZO_VERIFY_KIND(v.what) == KOZO_KIND_NULL)
        return;
    if (leads_to_cnodes(v.what) != finding)
        (void)kozo_cap_revoke(at);
    else if (finding && KOZO_VERIFY_KIND(v.what) == KOZO_KIND_CNODE)
        find_cnode(w, at, v.what);
}

static void sweep_cnode(struct sweep *w, uint32_t k, bool finding)
{
    for (uint64_t slot = 1; slot < 1ull << w->bits[k] && (k == 0 || step(w)); slot++)
        sweep_slot(w, kozo_in(w->cnode[k], slot), finding);
}

void sweep_cnodes(struct kozo_cnode root)
{
    struct sweep w = {
        .cnode = { root }, .bits = { PROGRAM_CNODE_BITS }, .count = 1, .steps = SWEEP_STEPS
    };

    for (uint32_t k = 0; k < w.count; k++)
        sweep_cnode(&w, k, true);
    w.steps = SWEEP_STEPS;
    for (uint32_t k = w.count; k-- > 0;)
        sweep_cnode(&w, k, false);
    for (uint32_t k = 1; k < w.count; k++)
        kozo_slot_drop(w.cnode[k].c);
}
