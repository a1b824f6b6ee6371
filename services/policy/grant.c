/* SPDX-License-Identifier: MIT */
#include "common/identity.h"
#include "policy/closer.h"

#include <kozo/error.h>
#include <kozo/print.h>
#include <kozo/string.h>
#include <kozo/start.h>
#include <kozo/syscall.h>
#include <kozo/system.h>
#include <kozo/time.h>

constexpr uint64_t use_badge = 1ull << 63; /* with the lease's number: good for one use */

static struct kozo_place kept(const struct policy_server *p, uint32_t i)
{
    return kozo_in(p->slots, lease_slot(i));
}

static struct kozo_place once(const struct policy_server *p, uint32_t i)
{
    return kozo_in(p->slots, lease_once_slot(i));
}

/* ---- giving ---- */

/* What is good for one use leads here: its holder speaks to policy, with the lease as its badge. */
static enum kozo_err derive_once(struct policy_server *p, uint32_t i, uint64_t rights)
{
    enum kozo_err err =
        kozo_cap_mint(once(p, i), kozo_own(p->port.c), KOZO_RIGHTS(KOZO_WRITE, rights),
                      use_badge | p->store->leases.lease[i].serial)
            .err;

    return err != KOZO_OK ? err : kozo_cap_copy(kozo_own(p->given), once(p, i), KOZO_SAME_RIGHTS);
}

/*
 * Puts the capability just opened into the lease's slot, and what is given of it into p->given. That
 * has the lease's rights: the right to end it at its provider stays here.
 */
static enum kozo_err derive(struct policy_server *p, uint32_t i, uint64_t rights, uint32_t depth)
{
    uint64_t passes = depth == MANIFEST_DEPTH_ANY ? KOZO_GRANT : 0;
    enum kozo_err err = kozo_cap_move(kept(p, i), kozo_own(p->opened));

    if (err != KOZO_OK)
        return err;
    if (p->store->leases.lease[i].once)
        return derive_once(p, i, rights);
    return kozo_cap_copy(kozo_own(p->given), kept(p, i), KOZO_RIGHTS(KOZO_WRITE | passes, rights));
}

/* All that was given of a lease. What is kept of it stays. */
static void take_back(struct policy_server *p, uint32_t i)
{
    (void)kozo_cap_revoke(once(p, i));
    (void)kozo_cap_delete(once(p, i));
    (void)kozo_cap_revoke(kept(p, i));
}

static void clear(struct policy_server *p, uint32_t i)
{
    take_back(p, i);
    (void)kozo_cap_delete(kept(p, i));
    lease_free(&p->store->leases, i);
}

static bool is_kept(const struct policy_server *p, uint32_t i)
{
    return KOZO_VERIFY_KIND(kozo_cap_verify(kept(p, i), kozo_own(0)).what) != KOZO_KIND_NULL;
}

static void end_of_others(struct policy_server *p, uint64_t badge);

enum kozo_err grant_make(struct policy_server *p, uint64_t badge, struct kozo_str object,
                         uint64_t rights, const struct rules_answer *answer, uint32_t *at)
{
    struct lease_table *t = &p->store->leases;
    enum kozo_err err;
    uint32_t i;

    *at = LEASE_NONE;
    end_of_others(p, badge);
    i = lease_take(t, p->store->records.seqs + 1, badge, object, (uint8_t)rights);
    if (i == LEASE_NONE) {
        rules_refuse(&p->answer, "too many leases are under way",
                     "release some, or wait until one is over");
        return KOZO_ERR_LIMIT;
    }
    t->lease[i].tier = answer->tier;
    t->lease[i].once = answer->tier == TIER_CRITICAL;
    t->lease[i].seen = answer->by_person;
    if (answer->rule != nullptr)
        kozo_str_copy(t->lease[i].rule, sizeof t->lease[i].rule, answer->rule->name);
    lease_hold(t, i); /* while others are ended in time */
    err = provider_open(p, badge, object, rights);
    t->lease[i].serial = p->store->records.seqs + 1; /* leases have ended meanwhile */
    if (err == KOZO_OK)
        err = derive(p, i, rights, answer->depth);
    if (err != KOZO_OK) {
        (void)kozo_cap_delete(kozo_own(p->opened));
        (void)kozo_cap_delete(kozo_own(p->given));
        take_back(p, i);
        lease_end(t, i);
        if (!is_kept(p, i)) /* else its provider is to be told */
            clear(p, i);
        rules_refuse(&p->answer, kozo_err_text(err),
                     "the rules allow it; it is the provider that cannot");
        return err;
    }
    lease_begin(t, i, answer->lease_ms, kozo_now());
    *at = i;
    return KOZO_OK;
}

void grant_settle(struct policy_server *p, uint32_t i, bool arrived)
{
    p->store->leases.lease[i].state = LEASE_HELD;
    if (arrived)
        return;
    (void)kozo_cap_delete(kozo_own(p->given));
    grant_end(p, i, AUDIT_RELEASED, "it did not reach its requester");
}

/* ---- ends ---- */

void grant_end(struct policy_server *p, uint32_t i, enum audit_result result, const char *reason)
{
    struct lease *l = &p->store->leases.lease[i];

    take_back(p, i);
    tell(p, l->badge,
         &(struct audit){ .object = kozo_str(l->object),
                          .rights = l->rights,
                          .seen = l->seen,
                          .result = result,
                          .lease_ms = l->lease_ms,
                          .rule = kozo_str(l->rule),
                          .reason = kozo_str(reason) },
         l->tier, l->serial);
    lease_end(&p->store->leases, i);
}

/* What is kept of it went with its provider's life, and all that was given of it too. */
static bool is_gone(const struct policy_server *p, uint32_t i)
{
    struct kozo_verified v = kozo_cap_verify(kept(p, i), kozo_own(0));

    return p->store->leases.lease[i].serial != 0 && p->store->leases.lease[i].state == LEASE_HELD &&
           (v.err != KOZO_OK || KOZO_VERIFY_KIND(v.what) == KOZO_KIND_NULL);
}

void grant_end_the_dead(struct policy_server *p, uint64_t badge)
{
    uint32_t i;

    lend_end_outlived(p, badge);
    while ((i = lease_outlived(&p->store->leases, badge)) != LEASE_NONE)
        grant_end(p, i, AUDIT_RELEASED, "its requester has begun a new life");
    for (i = 0; i < LEASES; i++)
        if (is_gone(p, i))
            grant_end(p, i, AUDIT_RELEASED, "its provider has ended");
}

/* Whether init says so of who has this badge. */
static bool has_ended(uint64_t badge)
{
    struct kozo_endpoint init = kozo_cap_endpoint("process");
    struct system_service_req req = { identity_index(badge) };
    struct system_service_rep rep;
    struct kozo_msg m;

    kozo_msg_init(&m);
    kozo_msg_deadline(&m, kozo_now() + PROVIDER_PATIENCE);
    if (init.c == 0 || system_call_service(init, &m, &req, &rep) != KOZO_OK)
        return false;
    return rep.state != KOZO_SYSTEM_RUNS ||
           identity_life(identity_badge(0, (uint32_t)rep.life)) != identity_life(badge);
}

bool grant_end_if_dead(struct policy_server *p, uint32_t i)
{
    if (!has_ended(p->store->leases.lease[i].badge))
        return false;
    grant_end(p, i, AUDIT_RELEASED, "its requester has ended");
    return true;
}

/* So that nobody's places are those of services that are no more. */
static void end_of_others(struct policy_server *p, uint64_t badge)
{
    for (uint32_t i = 0; i < LEASES; i++) {
        const struct lease *l = &p->store->leases.lease[i];

        if (l->serial != 0 && l->state == LEASE_HELD &&
            identity_index(l->badge) != identity_index(badge))
            (void)grant_end_if_dead(p, i);
    }
}

void grant_expire(struct policy_server *p)
{
    uint32_t i;

    while ((i = lease_over(&p->store->leases, kozo_now())) != LEASE_NONE)
        grant_end(p, i, AUDIT_EXPIRED, "its lease is over");
}

static struct kozo_str object_of(const struct policy_server *p, uint32_t i)
{
    return kozo_str(p->store->leases.lease[i].object);
}

/* What has become of the one whose provider was being told. False: that is under way. */
static bool settle_closing(struct policy_server *p)
{
    struct kozo_str object = object_of(p, p->closing), rest = object;
    uint32_t ms;

    switch (closer_take()) {
    case CLOSER_IDLE:
        break;
    case CLOSER_CALLS:
        return false;
    case CLOSER_TOLD:
        silence_end(&p->closes, object);
        clear(p, p->closing);
        break;
    case CLOSER_UNHEARD:
        ms = silence_note(&p->closes, object, kozo_now());
        object = text_cut(&rest, ':');
        kozo_printf("%.*s does not answer: told again in %u ms which leases are over\n",
                    (int)object.len, object.at, ms);
        break;
    }
    return true;
}

/* Whether its end is its provider's concern; that of a power is not. */
static bool is_concern(const struct policy_server *p, uint32_t i)
{
    struct object object;

    return object_parse(object_of(p, i), &object) && object.power.len == 0;
}

void grant_tell_providers(struct policy_server *p)
{
    const struct lease_table *t = &p->store->leases;
    bool busy = !settle_closing(p);

    for (uint32_t i = lease_ended(t, 0); i != LEASE_NONE; i = lease_ended(t, i + 1)) {
        if (busy && i == p->closing)
            continue;
        if (!is_concern(p, i)) {
            clear(p, i);
        } else if (!busy && silence_until(&p->closes, object_of(p, i), kozo_now()) == 0) {
            busy = closer_tell(kept(p, i)) == KOZO_OK;
            if (busy)
                p->closing = i;
            else
                clear(p, i); /* there is nothing of it left */
        }
    }
    p->calling = busy;
}

uint64_t grant_deadline(const struct policy_server *p)
{
    const struct lease_table *t = &p->store->leases;
    uint64_t next = UINT64_MAX;

    for (uint32_t i = lease_ended(t, 0); !p->calling && i != LEASE_NONE;
         i = lease_ended(t, i + 1)) {
        uint64_t until = silence_until(&p->closes, object_of(p, i), kozo_now());

        if (until < next)
            next = until;
    }
    return next;
}

void grant_recover(struct policy_server *p)
{
    uint32_t i;

    while ((i = lease_in_state(&p->store->leases, LEASE_GIVING)) != LEASE_NONE)
        grant_end(p, i, AUDIT_FAILED, "policy ended while it was being given");
    while ((i = lease_in_state(&p->store->leases, LEASE_USED)) != LEASE_NONE)
        grant_end(p, i, AUDIT_USED, "policy ended while it was in use");
    for (i = 0; i < LEASES; i++)
        if (p->store->leases.lease[i].serial != 0 && p->store->leases.lease[i].once)
            grant_end(p, i, AUDIT_RELEASED, "it led to an earlier life of policy");
}

/* ---- one use ---- */

bool grant_is_use(const struct kozo_msg *m) { return (m->badge & use_badge) != 0; }

static void answer_error(struct kozo_msg *m, enum kozo_err err)
{
    kozo_msg_begin(m, err);
    (void)kozo_reply(m);
}

/*
 * From here on nobody can use it again, also if policy ends before the provider answers: at most
 * once.
 */
static void use_up(struct policy_server *p, uint32_t i)
{
    p->store->leases.lease[i].state = LEASE_USED;
    (void)kozo_cap_revoke(once(p, i));
    (void)kozo_cap_delete(once(p, i));
}

void grant_use(struct policy_server *p, struct kozo_msg *m)
{
    uint32_t i = lease_find(&p->store->leases, m->badge & ~use_badge);
    enum kozo_err err;

    if ((m->what & KOZO_MSG_FAULT) != 0) {
        answer_error(m, KOZO_ERR_PROTOCOL);
        return;
    }
    if (i == LEASE_NONE || p->store->leases.lease[i].state != LEASE_HELD ||
        p->store->leases.lease[i].expires <= kozo_now()) {
        answer_error(m, KOZO_ERR_STALE);
        return;
    }
    use_up(p, i);
    /* What the capability used may do: it can be a copy that its holder narrowed. */
    err = kozo_cap_copy(kozo_own(p->opened), kept(p, i), KOZO_RIGHTS(KOZO_WRITE, m->user));
    if (err == KOZO_OK) {
        m->ncaps = 0;
        m->recv_count = 0;
        kozo_msg_deadline(m, kozo_now() + PROVIDER_PATIENCE);
        err = kozo_call((struct kozo_endpoint){ p->opened }, m);
        kozo_msg_no_deadline(m);
        (void)kozo_cap_delete(kozo_own(p->opened));
    }
    if (err == KOZO_OK)
        (void)kozo_reply(m);
    else
        answer_error(m, err);
    grant_end(p, i, AUDIT_USED, "it was good for one use");
}
