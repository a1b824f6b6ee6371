/* SPDX-License-Identifier: MIT */
#include "common/rights.h"
#include "policy/policy.h"

#include <kozo/error.h>
#include <kozo/file.h>
#include <kozo/start.h>
#include <kozo/string.h>
#include <kozo/syscall.h>
#include <kozo/time.h>

constexpr uint64_t provider_patience = KOZO_S; /* for an answer of a provider */
constexpr uint64_t use_badge = 1ull << 63;     /* with the lease's number: good for one use */

static struct kozo_place kept(const struct policy_server *p, uint32_t i)
{
    return kozo_in(p->slots, lease_slot(i));
}

static struct kozo_place once(const struct policy_server *p, uint32_t i)
{
    return kozo_in(p->slots, lease_once_slot(i));
}

/* ---- the object ---- */

/* What policy was given of a provider; one with the right to open for others comes first. */
static const char *provider_name(char to[MANIFEST_NAME + 16], struct kozo_str provider)
{
    struct line l = line_begin(to, MANIFEST_NAME + 16);

    line_add_str(&l, provider);
    line_add(&l, "-account");
    if (kozo_cap(to) == 0)
        kozo_str_copy(to, MANIFEST_NAME + 16, provider);
    return to;
}

static enum kozo_err call_open(struct policy_server *p, struct kozo_endpoint from, bool for_others,
                               uint64_t badge, struct kozo_str path, uint64_t rights)
{
    struct fs_open_for_rep rep_for;
    struct fs_open_rep rep;
    struct kozo_msg m;
    enum kozo_err err;

    kozo_msg_init(&m);
    kozo_msg_window(&m, p->opened, 1);
    kozo_msg_deadline(&m, kozo_now() + provider_patience);
    err = KOZO_ERR_PROTOCOL;
    if (for_others)
        err = fs_call_open_for(
            from, &m, &(struct fs_open_for_req){ .client = badge, .path = path, .rights = rights },
            &rep_for);
    if (err == KOZO_OK)
        return rep_for.file.slot == 0 ? KOZO_ERR_GONE : KOZO_OK;
    if (err == KOZO_ERR_PROTOCOL) /* it does not open for others */
        err = fs_call_open(from, &m, &(struct fs_open_req){ .path = path, .rights = rights }, &rep);
    return err == KOZO_OK && rep.file.slot == 0 ? KOZO_ERR_GONE : err;
}

/* Whether a call's end means that the provider has begun a new life meanwhile. */
static bool is_lost(enum kozo_err err) { return err == KOZO_ERR_EMPTY || err == KOZO_ERR_GONE; }

/* Opens the object with just these rights; its capability is then in p->opened. */
static enum kozo_err open_object(struct policy_server *p, uint64_t badge, struct kozo_str name,
                                 uint64_t rights)
{
    char provider[MANIFEST_NAME + 16];
    struct object object;
    bool for_others;
    enum kozo_err err;

    if (!object_parse(name, &object))
        return KOZO_ERR_NAME;
    (void)provider_name(provider, object.provider);
    for_others = !kozo_str_is(object.provider, provider);
    if (kozo_cap(provider) == 0)
        return KOZO_ERR_NOT_FOUND;
    for (uint32_t tries = 0;; tries++) {
        struct kozo_endpoint from = kozo_cap_endpoint(provider);

        if (object.power.len > 0)
            err = kozo_cap_copy(kozo_own(p->opened), kozo_own(from.c),
                                KOZO_RIGHTS(KOZO_WRITE | KOZO_GRANT, rights));
        else
            err = call_open(p, from, for_others, badge, object.path, rights);
        if (!is_lost(err) || tries > 0 || kozo_reconnect(provider) != KOZO_OK)
            return err;
    }
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

/* Puts the capability just opened into the lease's slot, and what is given of it into p->given. */
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

/* The slots of a lease, and whatever came of what is in them. */
static void clear(struct policy_server *p, uint32_t i)
{
    (void)kozo_cap_revoke(once(p, i));
    (void)kozo_cap_delete(once(p, i));
    (void)kozo_cap_revoke(kept(p, i));
    (void)kozo_cap_delete(kept(p, i));
}

enum kozo_err grant_make(struct policy_server *p, uint64_t badge, struct kozo_str object,
                         uint64_t rights, const struct rules_answer *answer, uint32_t *at)
{
    struct lease_table *t = &p->store->leases;
    uint32_t i = lease_take(t, p->store->records.seqs + 1, badge, object, (uint8_t)rights);
    enum kozo_err err;

    *at = LEASE_NONE;
    if (i == LEASE_NONE) {
        rules_refuse(&p->answer, "too many leases are under way",
                     "release some, or wait until one is over");
        return KOZO_ERR_LIMIT;
    }
    t->lease[i].tier = answer->tier;
    t->lease[i].once = answer->tier == TIER_CRITICAL;
    if (answer->rule != nullptr)
        kozo_str_copy(t->lease[i].rule, sizeof t->lease[i].rule, answer->rule->name);
    err = open_object(p, badge, object, rights);
    if (err == KOZO_OK)
        err = derive(p, i, rights, answer->depth);
    if (err != KOZO_OK) {
        (void)kozo_cap_delete(kozo_own(p->opened));
        (void)kozo_cap_delete(kozo_own(p->given));
        clear(p, i);
        lease_free(t, i);
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

static void close_kept(struct policy_server *p, uint32_t i)
{
    struct fs_close_rep rep;
    struct object object;
    struct kozo_msg m;

    if (kozo_cap_move(kozo_own(p->opened), kept(p, i)) != KOZO_OK)
        return;
    kozo_msg_init(&m);
    kozo_msg_deadline(&m, kozo_now() + provider_patience);
    if (object_parse(kozo_str(p->store->leases.lease[i].object), &object) && object.power.len == 0)
        (void)fs_call_close((struct kozo_endpoint){ p->opened }, &m, &(struct fs_close_req){},
                            &rep);
    (void)kozo_cap_delete(kozo_own(p->opened));
}

void grant_end(struct policy_server *p, uint32_t i, enum audit_result result, const char *reason)
{
    struct lease *l = &p->store->leases.lease[i];

    (void)kozo_cap_revoke(once(p, i));
    (void)kozo_cap_delete(once(p, i));
    (void)kozo_cap_revoke(kept(p, i));
    tell(p, l->badge,
         &(struct audit){ .object = kozo_str(l->object),
                          .rights = l->rights,
                          .result = result,
                          .lease_ms = l->lease_ms,
                          .rule = kozo_str(l->rule),
                          .reason = kozo_str(reason) },
         l->tier, l->serial);
    close_kept(p, i);
    lease_free(&p->store->leases, i);
}

void grant_expire(struct policy_server *p)
{
    uint32_t i;

    while ((i = lease_over(&p->store->leases, kozo_now())) != LEASE_NONE)
        grant_end(p, i, AUDIT_EXPIRED, "its lease is over");
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

    if (i == LEASE_NONE || p->store->leases.lease[i].state != LEASE_HELD ||
        p->store->leases.lease[i].expires <= kozo_now()) {
        answer_error(m, KOZO_ERR_STALE);
        return;
    }
    use_up(p, i);
    err = kozo_cap_copy(kozo_own(p->opened), kept(p, i), KOZO_SAME_RIGHTS);
    if (err == KOZO_OK) {
        m->ncaps = 0;
        m->recv_count = 0;
        kozo_msg_deadline(m, kozo_now() + provider_patience);
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
