/* SPDX-License-Identifier: MIT */
/*
 * invariants.c - what must hold whatever goes wrong. Looks only at what the kernel and the
 * services' tables hold.
 */
#include "world.h"

#include "fsd/handle.h"

/* It waits for requests, and has nothing else to do. */
static bool receives(uint32_t k)
{
    return world.service[k].running && world.service[k].a.t->state == TCB_RECEIVING &&
           world.service[k].a.phase == SERVER_RECEIVES;
}

static bool lives(uint32_t k, uint32_t life)
{
    return k < SERVICES && world.service[k].running && world.service[k].lives == life;
}

/* ---- no capability is usable after a crash or a revoke ---- */

/*
 * A badge tells of which life of whom a capability is. Those of a life that init has ended are
 * gone, and files whose origin has ended.
 */
static void check_badges(void)
{
    for (struct entry e = cdt_next(cdt_open(&kernel.root)); cdt_slot(e) != &kernel.root;
         e = cdt_next(e)) {
        const struct cap *c = &cdt_slot(e)->cap;
        uint32_t k = identity_index(c->a), life = identity_life(c->a);

        if (cdt_is_close(e) || c->kind != KOZO_KIND_ENDPOINT || (c->flags & CAP_BADGED) == 0)
            continue;
        if ((c->a & HANDLE_BIT) == 0 && !lives(k, life))
            FAIL("after its end: life %u of service %u has a capability", life, k);
        if ((c->a & HANDLE_BIT) != 0 && !(world.service[FSD].running && file_is_known(c->a)))
            FAIL("after its end: there is a file of origin %u", handle_origin(c->a));
    }
}

static const struct slot *lease_cap(uint32_t i)
{
    return (const struct slot *)host_slot(AT_LEASES)->cap.object + lease_slot(i);
}

static bool is_below(const struct slot *s, const struct slot *root)
{
    if (slot_is_null(root))
        return false;
    for (struct entry e = root->open_next; cdt_slot(e) != root; e = cdt_next(e))
        if (cdt_slot(e) == s)
            return true;
    return false;
}

static bool is_leased(const struct slot *held, uint32_t k)
{
    for (uint32_t i = 0; i < LEASES; i++)
        if (world.leases.lease[i].expires > machine.now && is_below(held, lease_cap(i)) &&
            identity_index(world.leases.lease[i].badge) == k)
            return true;
    return false;
}

/*
 * What a client was granted, and what it made of that, is below a lease that is not over, and that
 * lease is its own.
 */
static void check_granted(uint32_t k)
{
    const struct cspace *c;

    if (!world.service[k].running)
        return;
    c = &world.service[k].a.t->cspace;
    for (uint64_t i = 1; i < c->size; i++)
        if (c->slots[i].cap.kind == KOZO_KIND_ENDPOINT && i != IN_POLICY &&
            !is_leased(&c->slots[i], k))
            FAIL("after its lease: service %u has a capability", k);
}

/* Nothing is left of what it was made of, and of what it gave. */
static void check_ended(uint32_t k)
{
    const struct service *s = &world.service[k];

    if (s->running)
        return;
    for (enum part p = PART_MEMORY; p <= PART_PORT; p++)
        if (host_kind(part_of(k, p)) != KOZO_KIND_NULL &&
            cdt_has_children(host_slot(part_of(k, p))))
            FAIL("after its end: there are capabilities below part %u of %s", (uint32_t)p,
                 s->a.name);
}

/* ---- nothing is half done ---- */

/*
 * Table and slots are lent, and outlive policy. What was granted is on record, whatever happened;
 * and a record is gone when its time is over. (Policy that crashes between taking back and noting
 * it leaves a record of nothing till then.)
 */
static void check_leases(void)
{
    for (uint32_t i = 0; i < LEASES; i++) {
        const struct lease *l = &world.leases.lease[i];

        if (l->serial == 0 && !slot_is_null(lease_cap(i)))
            FAIL("half done: slot %u has a capability, and no lease", i);
        if (l->serial != 0 && l->expires <= machine.now)
            FAIL("half done: lease %u was over at %llu and is there at %llu", i,
                 (unsigned long long)l->expires, (unsigned long long)machine.now);
    }
}

/* ---- names stand for the living instance ---- */

static void check_name(uint32_t k, uint64_t slot, uint32_t provider)
{
    const struct slot *s = host_slot_of(world.service[k].a.t, slot);
    const struct slot *port = host_slot(part_of(provider, PART_PORT));

    if (slot_is_null(s) == world.service[provider].running)
        FAIL("names: %s is %s for %s", world.service[provider].a.name,
             slot_is_null(s) ? "nobody" : "somebody", world.service[k].a.name);
    if (!slot_is_null(s) && s->cap.object != port->cap.object)
        FAIL("names: %s is another for %s", world.service[provider].a.name,
             world.service[k].a.name);
}

static void check_receiver(uint32_t k)
{
    const struct endpoint *ep =
        (const struct endpoint *)host_slot(part_of(k, PART_PORT))->cap.object;

    if (receives(k))
        CHECK_PTR(ep->receivers.head, world.service[k].a.t);
    if (!world.service[k].running)
        CHECK_PTR(ep->receivers.head, nullptr);
}

static void check_names(void)
{
    if (world.service[POLICY].running)
        check_name(POLICY, IN_FS, FSD);
    for (uint32_t k = READER; k <= ASKER; k++)
        if (world.service[k].running)
            check_name(k, IN_POLICY, POLICY);
    if (world.service[WRITER].running)
        check_name(WRITER, IN_FS, FSD);
    check_receiver(FSD);
    check_receiver(POLICY);
}

/* ---- restarts are as the manifest says ---- */

static void check_restarts(uint32_t k)
{
    const struct service *s = &world.service[k];
    uint64_t wait = s->policy.backoff;
    uint32_t allowed = s->policy.restart == RESTART_NEVER ? 0 : s->policy.limit;

    if (s->lives > 1 + allowed)
        FAIL("restarts: %s has had %u lives", s->a.name, s->lives);
    for (uint32_t i = 1; i < s->lives; i++, wait *= 2) {
        CHECK(s->life[i].over);
        if (s->policy.restart == RESTART_ON_FAILURE && s->life[i].well)
            FAIL("restarts: %s had ended well", s->a.name);
        if (s->life[i + 1].began - s->life[i].ended < wait)
            FAIL("restarts: life %u of %s began too early", i + 1, s->a.name);
    }
}

/* Who should live again does, when the time has come. */
static void check_restarted(uint32_t k)
{
    const struct service *s = &world.service[k];
    bool ended_for_good = s->policy.restart == RESTART_NEVER || s->lives == 1 + s->policy.limit ||
                          (s->policy.restart == RESTART_ON_FAILURE && s->life[s->lives].well);

    if (s->running == s->life[s->lives].over)
        FAIL("restarts: %s runs, and has ended; or neither", s->a.name);
    if (!s->running && !ended_for_good && s->supervise.again == SUPERVISE_NEVER)
        FAIL("restarts: %s is never started again", s->a.name);
}

void world_check(bool settled)
{
    check_badges();
    for (uint32_t k = 0; k < SERVICES; k++)
        check_ended(k);
    if (!settled)
        return;
    host_check();
    check_names();
    files_check();
    if (world.leases_ended || receives(POLICY)) {
        check_granted(READER);
        check_granted(ASKER);
        check_leases();
    }
    for (uint32_t k = 0; k < SERVICES; k++) {
        check_restarts(k);
        check_restarted(k);
    }
}
