/* SPDX-License-Identifier: MIT */
/*
 * policy - the one way to more authority at run time: request, validate, consent, delegate.
 *
 * Who asks is told by the badge. What is granted, policy opens itself, keeps in the lease's slot,
 * and gives away as a copy made from it: revoking that slot ends exactly that lease, however the
 * copy was handed on. Table and slots are lent by init and outlive this program.
 */
#include "common/audit.h"
#include "common/identity.h"
#include "common/object.h"
#include "policy/lease.h"
#include "policy/rules.h"

#include <kozo/error.h>
#include <kozo/file.h>
#include <kozo/log.h>
#include <kozo/policy.h>
#include <kozo/print.h>
#include <kozo/slots.h>
#include <kozo/start.h>
#include <kozo/string.h>
#include <kozo/syscall.h>
#include <kozo/time.h>

constexpr uint64_t provider_patience = KOZO_S; /* for an answer of a provider */

struct policy_server {
    struct manifest manifest;
    struct lease_table *leases;
    struct kozo_cnode slots; /* one for each lease */
    kozo_cptr
        opened; /* where a provider's capability arrives, and where a lease's is used to close it */
    kozo_cptr given;            /* the copy on its way to the requester */
    uint64_t now;               /* of the decision under way */
    uint64_t giving;            /* the lease it belongs to; 0 = none is on its way */
    struct rules_answer answer; /* the reply points into it */
};

static struct policy_server policy;

static struct kozo_place lease_place(const struct policy_server *p, uint32_t i)
{
    return kozo_in(p->slots, lease_slot(i));
}

/* ---- audit ---- */

static void audit(struct policy_server *p, uint64_t badge, struct audit a)
{
    const struct manifest_service *s = identity_service(&p->manifest, badge);
    char line[AUDIT_BYTES];
    uint64_t used;

    a.seq = ++p->leases->audits;
    a.at_ms = p->now / KOZO_MS;
    a.who = s != nullptr ? s->name : kozo_str("unknown");
    used = audit_write(line, sizeof line - 1, &a);
    line[used] = '\n';
    (void)kozo_log_write(line, used + 1);
}

static void audit_answer(struct policy_server *p, const struct kozo_msg *m,
                         const struct policy_request_req *req, enum audit_result result)
{
    const struct rules_answer *a = &p->answer;

    audit(p, m->badge,
          (struct audit){ .object = req->object,
                          .rights = (uint8_t)req->rights,
                          .result = result,
                          .lease_ms = result == AUDIT_GRANTED ? a->lease_ms : 0,
                          .rule = a->rule != nullptr ? a->rule->name : (struct kozo_str){},
                          .why = req->reason,
                          .reason = kozo_str(a->reason),
                          .hint = kozo_str(a->hint) });
}

/* ---- delegation ---- */

static struct kozo_endpoint provider(struct kozo_str name)
{
    char text[MANIFEST_NAME + 1];

    kozo_str_copy(text, sizeof text, name);
    return kozo_cap_endpoint(text);
}

/* Opens the object with just these rights; its capability is then in p->opened. */
static enum kozo_err open_object(struct policy_server *p, struct kozo_str name, uint64_t rights)
{
    struct object object;
    struct kozo_endpoint from;
    struct fs_open_rep rep;
    struct kozo_msg m;
    enum kozo_err err;

    if (!object_parse(name, &object))
        return KOZO_ERR_NAME;
    from = provider(object.provider);
    if (from.c == 0)
        return KOZO_ERR_NOT_FOUND;
    kozo_msg_init(&m);
    kozo_msg_window(&m, p->opened, 1);
    kozo_msg_deadline(&m, kozo_now() + provider_patience);
    err = fs_call_open(from, &m, &(struct fs_open_req){ .path = object.path, .rights = rights },
                       &rep);
    if (err == KOZO_OK && rep.file.slot == 0)
        err = KOZO_ERR_GONE;
    return err;
}

/* Puts the capability just opened into the lease's slot, and a copy of it into p->given. */
static enum kozo_err delegate(struct policy_server *p, uint32_t i, uint64_t rights)
{
    enum kozo_err err = kozo_cap_move(lease_place(p, i), kozo_own(p->opened));

    if (err != KOZO_OK)
        return err;
    err = kozo_cap_copy(kozo_own(p->given), lease_place(p, i),
                        KOZO_RIGHTS(KOZO_WRITE | KOZO_GRANT, rights));
    if (err != KOZO_OK)
        (void)kozo_cap_delete(lease_place(p, i));
    return err;
}

/* Takes back what the lease gave, at any depth; then tells the provider. */
static void end_lease(struct policy_server *p, uint32_t i, enum audit_result result,
                      const char *reason)
{
    struct lease *l = &p->leases->lease[i];
    struct fs_close_rep rep;
    struct kozo_msg m;

    (void)kozo_cap_revoke(lease_place(p, i));
    p->now = kozo_now();
    audit(p, l->badge,
          (struct audit){ .object = kozo_str(l->object),
                          .rights = l->rights,
                          .result = result,
                          .lease_ms = l->lease_ms,
                          .reason = kozo_str(reason) });
    if (kozo_cap_move(kozo_own(p->opened), lease_place(p, i)) == KOZO_OK) {
        kozo_msg_init(&m);
        kozo_msg_deadline(&m, kozo_now() + provider_patience);
        (void)fs_call_close((struct kozo_endpoint){ p->opened }, &m, &(struct fs_close_req){},
                            &rep);
        (void)kozo_cap_delete(kozo_own(p->opened));
    }
    lease_free(p->leases, i);
}

static void fail(struct policy_server *p, const char *reason, const char *hint)
{
    strlcpy(p->answer.reason, reason, sizeof p->answer.reason);
    strlcpy(p->answer.hint, hint, sizeof p->answer.hint);
}

static enum kozo_err grant(struct policy_server *p, const struct kozo_msg *m,
                           const struct policy_request_req *req, struct policy_request_rep *rep)
{
    uint32_t i = lease_take(p->leases, m->badge, req->object, (uint8_t)req->rights);
    enum kozo_err err;

    if (i == LEASE_NONE) {
        fail(p, "too many leases are under way", "release some, or wait until one is over");
        return KOZO_ERR_LIMIT;
    }
    err = open_object(p, req->object, req->rights);
    if (err == KOZO_OK)
        err = delegate(p, i, req->rights);
    if (err != KOZO_OK) {
        (void)kozo_cap_delete(kozo_own(p->opened));
        lease_free(p->leases, i);
        fail(p, kozo_err_text(err), "the rules allow it; it is the provider that cannot");
        return err;
    }
    p->now = kozo_now();
    lease_begin(p->leases, i, p->answer.lease_ms, p->now);
    p->giving = p->leases->lease[i].serial;
    rep->cap = (struct kozo_cap_desc){ .slot = (uint32_t)p->given, .flags = KOZO_CAP_MOVE };
    rep->lease = p->giving;
    rep->lease_ms = p->answer.lease_ms;
    return KOZO_OK;
}

/* ---- the protocol ---- */

static enum kozo_err serve_request(struct policy_server *p, const struct kozo_msg *m,
                                   const struct policy_request_req *req,
                                   struct policy_request_rep *rep)
{
    struct rules_request q = { identity_service(&p->manifest, m->badge), req->object, req->rights };
    enum audit_result result = AUDIT_DENIED;
    enum kozo_err err = KOZO_ERR_DENIED;

    if (q.subject == nullptr)
        return KOZO_ERR_STALE;
    p->now = kozo_now();
    rules_decide(&p->manifest, &q, &p->answer);
    if (p->answer.decision == DECISION_ASK)
        rules_no_console(&p->answer);
    if (p->answer.decision == DECISION_ALLOW) {
        err = grant(p, m, req, rep);
        result = err == KOZO_OK ? AUDIT_GRANTED : AUDIT_FAILED;
    }
    audit_answer(p, m, req, result);
    rep->reason = kozo_str(p->answer.reason);
    rep->hint = kozo_str(p->answer.hint);
    return err;
}

static enum kozo_err serve_release(struct policy_server *p, const struct kozo_msg *m,
                                   const struct policy_release_req *req,
                                   struct policy_release_rep *rep)
{
    uint32_t i = lease_find(p->leases, req->lease);

    (void)rep;
    if (i == LEASE_NONE || p->leases->lease[i].badge != m->badge)
        return KOZO_ERR_NOT_FOUND;
    end_lease(p, i, AUDIT_RELEASED, "its requester gave it back");
    return KOZO_OK;
}

static const struct policy_ops ops = { .request = serve_request, .release = serve_release };

/* ---- the loop ---- */

/*
 * What was sent along with the last answer has arrived; if not, nobody holds it, and its lease
 * ends.
 */
static void settle(struct policy_server *p, const struct kozo_msg *m)
{
    uint32_t i = lease_find(p->leases, p->giving);

    if (p->giving != 0 && m->sent == 0) {
        (void)kozo_cap_delete(kozo_own(p->given));
        if (i != LEASE_NONE)
            end_lease(p, i, AUDIT_RELEASED, "it did not reach its requester");
    }
    p->giving = 0;
}

static void expire(struct policy_server *p)
{
    uint32_t i;

    while ((i = lease_over(p->leases, kozo_now())) != LEASE_NONE)
        end_lease(p, i, AUDIT_EXPIRED, "its lease is over");
}

[[noreturn]] static void serve(struct policy_server *p, struct kozo_endpoint port)
{
    bool answer = false;
    struct kozo_msg m;

    kozo_msg_init(&m);
    for (;;) {
        uint64_t next = lease_next(p->leases);

        if (next == UINT64_MAX)
            kozo_msg_no_deadline(&m);
        else
            kozo_msg_deadline(&m, next);
        enum kozo_err err = answer ? kozo_reply_recv(port, &m) : kozo_recv(port, &m);

        settle(p, &m);
        expire(p);
        answer = err == KOZO_OK;
        if (answer)
            m.err = policy_dispatch(&ops, p, &m);
        else if (err != KOZO_ERR_TIMEOUT)
            kozo_fatal("receive: %s", kozo_err_text(err));
    }
}

int main(int argc, char **argv)
{
    struct kozo_mapping text = kozo_mapping("manifest"), leases = kozo_mapping("leases");
    struct manifest_problem problem;

    (void)argc;
    (void)argv;
    policy.leases = (struct lease_table *)(uintptr_t)leases.at;
    policy.slots.c = kozo_cap("leases");
    if (text.at == nullptr || policy.leases == nullptr || policy.slots.c == 0)
        kozo_fatal("needs the capabilities manifest and leases");
    problem = manifest_parse(&policy.manifest, (struct kozo_str){ text.at, text.bytes });
    if (problem.expected != nullptr)
        kozo_fatal(MANIFEST_PATH ":%u: expected %s", problem.line, problem.expected);
    if (lease_open(policy.leases))
        kozo_printf("goes on with the leases of an earlier life\n");
    policy.opened = kozo_slot_alloc();
    policy.given = kozo_slot_alloc();
    (void)kozo_ready();
    serve(&policy, kozo_cap_endpoint("serve"));
}
