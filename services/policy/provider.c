/* SPDX-License-Identifier: MIT */
#include "common/identity.h"
#include "common/rights.h"
#include "policy/policy.h"

#include <kozo/error.h>
#include <kozo/file.h>
#include <kozo/start.h>
#include <kozo/string.h>
#include <kozo/syscall.h>
#include <kozo/system.h>
#include <kozo/time.h>

/*
 * When to stop waiting for a provider: no lease that ends meanwhile lasts any longer because of it.
 */
static uint64_t next_stop(struct policy_server *p, uint64_t until)
{
    uint64_t next;

    grant_expire(p);
    grant_tell_providers(p);
    next = lease_next(&p->store->leases);
    return next < until ? next : until;
}

/* Whether the call ended because a lease did: it is to be made again. */
static bool goes_on(enum kozo_err err, const struct kozo_msg *m, uint64_t until)
{
    uint64_t now = kozo_now();

    return err == KOZO_ERR_TIMEOUT && now >= m->deadline && now < until;
}

/* ---- opening ---- */

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

static enum kozo_err call_open(struct kozo_endpoint from, struct kozo_msg *m, bool for_others,
                               uint64_t badge, struct kozo_str path, uint64_t rights)
{
    struct fs_open_for_rep rep_for;
    struct fs_open_rep rep;
    enum kozo_err err = KOZO_ERR_PROTOCOL;

    if (for_others)
        err = fs_call_open_for(from, m,
                               &(struct fs_open_for_req){ .client = identity_service_badge(badge),
                                                          .path = path,
                                                          .rights = rights | KOZO_FILE_ACCOUNT },
                               &rep_for);
    if (err == KOZO_OK)
        return rep_for.file.slot == 0 ? KOZO_ERR_GONE : KOZO_OK;
    if (err == KOZO_ERR_PROTOCOL) /* it does not open for others */
        err = fs_call_open(from, m, &(struct fs_open_req){ .path = path, .rights = rights }, &rep);
    return err == KOZO_OK && rep.file.slot == 0 ? KOZO_ERR_GONE : err;
}

/* Nobody waits again for one that did not answer a moment ago. */
static enum kozo_err open_path(struct policy_server *p, struct kozo_endpoint from, bool for_others,
                               uint64_t badge, const struct object *object, uint64_t rights)
{
    uint64_t until = kozo_now() + PROVIDER_PATIENCE;
    struct kozo_msg m;
    enum kozo_err err;

    if (silence_until(&p->opens, object->provider, kozo_now()) != 0)
        return KOZO_ERR_TIMEOUT;
    kozo_msg_init(&m);
    kozo_msg_window(&m, p->opened, 1);
    do {
        kozo_msg_deadline(&m, next_stop(p, until));
        err = call_open(from, &m, for_others, badge, object->path, rights);
    } while (goes_on(err, &m, until));
    if (err == KOZO_ERR_TIMEOUT)
        (void)silence_note(&p->opens, object->provider, kozo_now());
    else
        silence_end(&p->opens, object->provider);
    return err;
}

/* The power over one service, of which init tells then for whom it was. */
static enum kozo_err open_power(struct policy_server *p, struct kozo_endpoint from, uint64_t badge,
                                struct kozo_str target)
{
    struct system_bind_req req = { .name = target, .client = badge };
    uint64_t until = kozo_now() + PROVIDER_PATIENCE;
    struct system_bind_rep rep;
    struct kozo_msg m;
    enum kozo_err err;

    kozo_msg_init(&m);
    kozo_msg_window(&m, p->opened, 1);
    do {
        kozo_msg_deadline(&m, next_stop(p, until));
        err = system_call_bind(from, &m, &req, &rep);
    } while (goes_on(err, &m, until));
    return err == KOZO_OK && rep.cap.slot == 0 ? KOZO_ERR_GONE : err;
}

/* Whether a call's end means that the provider has begun a new life meanwhile. */
static bool is_lost(enum kozo_err err) { return err == KOZO_ERR_EMPTY || err == KOZO_ERR_GONE; }

enum kozo_err provider_open(struct policy_server *p, uint64_t badge, struct kozo_str name,
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
            err = open_power(p, from, badge, object.target);
        else
            err = open_path(p, from, for_others, badge, &object, rights);
        if (!is_lost(err) || tries > 0 || kozo_reconnect(provider) != KOZO_OK)
            return err;
    }
}
