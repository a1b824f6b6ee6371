/* SPDX-License-Identifier: MIT */
/*
 * servers.c - fsd and policy: receive, serve, answer, with the plan at the door.
 */
#include "world.h"

#include "archive.h"

#include "common/identity.h"
#include "common/object.h"
#undef KOZO_VERSION /* the kernel's: each protocol has one of its own */
#include "fsd/serve.h"
#include "policy/rules.h"

#include <kozo/policy.h>
#include <stdio.h>
#include <string.h>

#define PATIENCE 1'000'000'000ull /* for an answer of a provider */

/* ---- the door ---- */

/*
 * A server: the answer to the request in a->m takes its place; then whether what went with an
 * answer arrived.
 */
struct server {
    void (*serve)(struct actor *a);
    void (*settle)(struct actor *a, bool arrived);
};

/* What it does about that may take messages of its own: a->m stays, and when it is to wake. */
static void settle(struct actor *a, const struct server *s, bool arrived)
{
    struct kozo_msg m = a->m;

    s->settle(a, arrived);
    a->m = m;
}

static void receive(struct actor *a)
{
    a->phase = SERVER_RECEIVES;
    actor_exchange(a, KOZO_SYS_RECV, IN_SERVE);
}

static void answer(struct actor *a)
{
    a->phase = SERVER_RECEIVES;
    actor_exchange(a, KOZO_SYS_REPLY_RECV, IN_SERVE);
}

/* The answer in a->m to the caller owed (0) or saved, and no more. */
static void answer_only(struct actor *a, const struct server *s, kozo_cptr to)
{
    bool timed = a->m.timed;

    a->m.timed = false;
    actor_exchange(a, KOZO_SYS_REPLY, to);
    a->m.timed = timed;
    if (actor_runs(a))
        settle(a, s, a->t->frame.error == KOZO_OK && a->t->buffer->sent != 0);
}

/*
 * The message in a->m is put aside, and the caller with it, until another message has been
 * answered.
 */
static void put_off(struct actor *a)
{
    service_of(a)->kept = a->m;
    if (actor_call(a, REPLY_SAVE, 0, IN_SAVED) != KOZO_OK)
        return;
    a->phase = SERVER_LOOKS_BEHIND;
    kozo_msg_deadline(&a->m, machine.now + PLAN_DELAY);
    actor_exchange(a, KOZO_SYS_RECV, IN_SERVE);
}

/* The one behind it has come, or none: answer that first. */
static void looked_behind(struct actor *a, const struct server *s)
{
    if (a->err == KOZO_OK) {
        s->serve(a);
        answer_only(a, s, 0);
    }
    a->m = service_of(a)->kept;
    s->serve(a);
    answer_only(a, s, IN_SAVED);
    receive(a);
}

/* What the plan has for the request in a->m. */
static void take_request(struct actor *a, const struct server *s)
{
    actors.messages++;
    if (plan_strikes(FAULT_DROP)) {
        receive(a);
    } else if (plan_strikes(FAULT_DELAY)) {
        a->phase = SERVER_SLEEPS;
        service_of(a)->kept = a->m;
        actor_sleep(a, machine.now + PLAN_DELAY);
    } else if (plan_strikes(FAULT_REORDER)) {
        put_off(a);
    } else if (plan_strikes(FAULT_MUTE)) {
        s->serve(a);
        settle(a, s, false);
        receive(a);
    } else {
        if (plan_strikes(FAULT_DUPLICATE)) {
            struct kozo_msg again = a->m;

            s->serve(a);
            settle(a, s, false);
            a->m = again;
        }
        s->serve(a);
        answer(a);
    }
}

static void serve_turn(struct actor *a, const struct server *s)
{
    switch (a->phase) {
    case SERVER_BEGINS:
        receive(a);
        break;
    case SERVER_SLEEPS:
        a->m = service_of(a)->kept;
        s->serve(a);
        answer(a);
        break;
    case SERVER_LOOKS_BEHIND:
        looked_behind(a, s);
        break;
    default:
        if (a->err == KOZO_OK)
            take_request(a, s);
        else
            receive(a);
    }
}

/* ---- fsd ---- */

static struct actor *fsd; /* while it has its turn: others only look */

static uint64_t origin_slot(uint32_t i)
{
    CHECK(i < ORIGIN_LEASES);
    return IN_ORIGINS + i;
}

/* As fsd/give.c does. */
static enum kozo_err give(uint32_t i, uint64_t rights, uint64_t badge, struct kozo_cap_desc *out)
{
    uint64_t all = KOZO_RIGHTS(KOZO_WRITE | KOZO_GRANT, rights);

    *out = (struct kozo_cap_desc){ .slot = IN_GIVEN, .badge = badge, .flags = KOZO_CAP_MOVE };
    if (fsd == nullptr)
        return KOZO_OK;
    (void)actor_call(fsd, CAP_COPY, 0, origin_slot(i), 0, IN_SERVE, KOZO_SAME_RIGHTS);
    (void)actor_call(fsd, CAP_DELETE, 0, IN_GIVEN);
    return (enum kozo_err)actor_call(fsd, CAP_MINT, 0, IN_GIVEN, 0, origin_slot(i), all, badge);
}

static bool arrived(void) { return true; } /* there are no leases to lose */

static void revoke(uint32_t i)
{
    if (fsd != nullptr)
        (void)actor_call(fsd, CAP_REVOKE, 0, origin_slot(i));
}

static const struct origin_ops slots = { give, arrived, revoke };
static struct fs_server fs = { .origins.ops = &slots };

bool file_is_known(uint64_t badge) { return handle_is_of(&fs.origins, badge); }

const uint8_t *motd(void)
{
    static uint8_t bytes[FILE_BYTES];

    for (uint32_t i = 0; i < FILE_BYTES; i++)
        bytes[i] = (uint8_t)(i * 31 + i / 251);
    return bytes;
}

/* Its memory is that of a life. */
static void begin_life(void)
{
    /* for two versions, and one to spare */
    static const struct ram_plan plan = { STORE_RESERVE + 3, 6, 3, 4 };
    alignas(8) static uint8_t block[(STORE_RESERVE + 3) * STORE_BLOCK], tables[8192];

    CHECK(ram_plan_bytes(&plan) <= sizeof tables);
    fs.origins = (struct origins){ .ops = &slots };
    ram_begin(&fs, &plan, block, tables);
}

void fsd_begin(void)
{
    alignas(8) static uint8_t bytes[2 * FILE_BYTES];
    alignas(8) static uint8_t index[4096];
    const struct archive_entry file = { "etc/motd", 0100644, motd(), FILE_BYTES, 0, 0 };
    uint64_t used = archive_put(bytes, sizeof bytes, 0, file);
    struct kozo_cpio archive = { bytes, archive_end(bytes, sizeof bytes, used) };
    struct kozo_bad bad = {};
    struct lookup_plan plan = lookup_plan(&archive, &bad);

    CHECK(plan.err == KOZO_OK && plan.bytes <= sizeof index);
    CHECK_OK(lookup_build(&fs.tree, &archive, index, &bad));
    begin_life();
}

void files_check(void) { writer_check(&fs); }

void files_spoil(void) { writer_spoil(&fs); }

static void serve_fs(struct actor *a) { a->m.err = fs_dispatch(&files_ops, &fs, &a->m); }

static void settle_fs(struct actor *a, bool arrived) { (void)a, (void)arrived; }

void fsd_turn(struct actor *a)
{
    static const struct server server = { serve_fs, settle_fs };

    fsd = a;
    if (a->phase == SERVER_BEGINS)
        begin_life();
    if (a->phase != SERVER_BEGINS && a->phase != SERVER_SLEEPS)
        actor_result(a);
    serve_turn(a, &server);
    fsd = nullptr;
}

/* ---- policy ---- */

struct policy_server {
    struct actor *a;
    struct rules_answer answer;
};
static struct policy_server policy;

/* Takes back what the lease gave, at any depth; then tells the provider. */
static void end_lease(struct actor *a, uint32_t i)
{
    struct fs_close_rep rep;
    struct kozo_msg m;

    if (!plan_sabotages(SABOTAGE_DELETES))
        (void)actor_call(a, CAP_REVOKE, IN_LEASES, lease_slot(i));
    if (actor_call(a, CAP_MOVE, 0, IN_OPENED, IN_LEASES, lease_slot(i)) == KOZO_OK) {
        kozo_msg_init(&m);
        kozo_msg_deadline(&m, machine.now + PATIENCE);
        (void)fs_call_close((struct kozo_endpoint){ IN_OPENED }, &m, &(struct fs_close_req){},
                            &rep);
        (void)actor_call(a, CAP_DELETE, 0, IN_OPENED);
    }
    if (actor_runs(a))
        lease_free(&world.leases, i);
}

static enum kozo_err open_object(struct kozo_str name, uint64_t rights)
{
    struct object object;
    struct fs_open_rep rep;
    struct kozo_msg m;
    enum kozo_err err;

    if (!object_parse(name, &object))
        return KOZO_ERR_NAME;
    kozo_msg_init(&m);
    kozo_msg_window(&m, IN_OPENED, 1);
    kozo_msg_deadline(&m, machine.now + PATIENCE);
    err = fs_call_open((struct kozo_endpoint){ IN_FS }, &m,
                       &(struct fs_open_req){ .path = object.path, .rights = rights }, &rep);
    return err == KOZO_OK && rep.file.slot == 0 ? KOZO_ERR_GONE : err;
}

static enum kozo_err delegate(struct actor *a, uint32_t i, uint64_t rights)
{
    uint64_t err = actor_call(a, CAP_MOVE, IN_LEASES, lease_slot(i), 0, IN_OPENED);

    if (err != KOZO_OK)
        return (enum kozo_err)err;
    err = actor_call(a, CAP_COPY, 0, IN_GIVEN, IN_LEASES, lease_slot(i),
                     KOZO_WRITE | KOZO_GRANT | rights << 8);
    if (err != KOZO_OK)
        (void)actor_call(a, CAP_DELETE, IN_LEASES, lease_slot(i));
    return (enum kozo_err)err;
}

static enum kozo_err grant(struct actor *a, const struct kozo_msg *m,
                           const struct policy_request_req *req, struct policy_request_rep *rep)
{
    uint32_t i =
        lease_take(&world.leases, ++world.serials, m->badge, req->object, (uint8_t)req->rights);
    enum kozo_err err;

    if (i == LEASE_NONE)
        return KOZO_ERR_LIMIT;
    err = open_object(req->object, req->rights);
    if (err == KOZO_OK)
        err = delegate(a, i, req->rights);
    if (!actor_runs(a))
        return KOZO_ERR_GONE; /* it crashed here: what it had begun stays as it is */
    if (err != KOZO_OK) {
        (void)actor_call(a, CAP_DELETE, 0, IN_OPENED);
        if (actor_runs(a))
            lease_free(&world.leases, i);
        return err;
    }
    lease_begin(&world.leases, i, policy.answer.lease_ms, machine.now);
    world.giving = world.leases.lease[i].serial;
    rep->cap = (struct kozo_cap_desc){ .slot = IN_GIVEN, .flags = KOZO_CAP_MOVE };
    rep->lease = world.giving;
    rep->lease_ms = policy.answer.lease_ms;
    return KOZO_OK;
}

static enum kozo_err serve_request(struct policy_server *p, const struct kozo_msg *m,
                                   const struct policy_request_req *req,
                                   struct policy_request_rep *rep)
{
    struct rules_request q = { identity_service(&world.manifest, m->badge), req->object,
                               req->rights };
    enum kozo_err err = KOZO_ERR_DENIED;

    if (q.subject == nullptr)
        return KOZO_ERR_STALE;
    rules_decide(&world.manifest, &q, &p->answer);
    if (p->answer.decision == DECISION_ALLOW)
        err = grant(p->a, m, req, rep);
    rep->reason = kozo_str(p->answer.reason);
    return err;
}

static enum kozo_err serve_release(struct policy_server *p, const struct kozo_msg *m,
                                   const struct policy_release_req *req,
                                   struct policy_release_rep *rep)
{
    uint32_t i = lease_find(&world.leases, req->lease);

    (void)rep;
    if (i == LEASE_NONE || world.leases.lease[i].badge != m->badge)
        return KOZO_ERR_NOT_FOUND;
    end_lease(p->a, i);
    return KOZO_OK;
}

static void wait_for_leases(struct actor *a)
{
    uint64_t next = lease_next(&world.leases);

    kozo_msg_no_deadline(&a->m);
    if (next != UINT64_MAX)
        kozo_msg_deadline(&a->m, next);
}

static void serve_policy(struct actor *a)
{
    static const struct policy_ops ops = { .request = serve_request, .release = serve_release };
    struct kozo_msg m = a->m;

    m.err = policy_dispatch(&ops, &policy, &m);
    a->m = m;
    wait_for_leases(a);
}

/*
 * What was sent along with the last answer has arrived; if not, nobody holds it, and its lease
 * ends.
 */
static void settle_policy(struct actor *a, bool arrived)
{
    uint32_t i = lease_find(&world.leases, world.giving);

    if (world.giving != 0 && !arrived) {
        (void)actor_call(a, CAP_DELETE, 0, IN_GIVEN);
        if (i != LEASE_NONE)
            end_lease(a, i);
    }
    world.giving = 0;
}

static void expire(struct actor *a)
{
    uint32_t i;

    while (actor_runs(a) && (i = lease_over(&world.leases, machine.now)) != LEASE_NONE)
        end_lease(a, i);
}

void policy_turn(struct actor *a)
{
    static const struct server server = { serve_policy, settle_policy };
    struct kozo_msg m;
    enum kozo_err err;

    policy.a = a;
    if (a->phase == SERVER_BEGINS) {
        world.giving = 0;
    } else if (a->phase != SERVER_SLEEPS) {
        actor_result(a);
        m = a->m;
        err = a->err;
        settle_policy(a, m.sent != 0);
        expire(a);
        a->m = m;
        a->err = err;
    } else {
        expire(a);
    }
    wait_for_leases(a);
    serve_turn(a, &server);
}
