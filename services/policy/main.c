/* SPDX-License-Identifier: MIT */
/*
 * policy - the one way to more authority at run time: request, validate, consent, delegate.
 *
 * Who asks is told by the badge. What is granted, policy opens itself, keeps in the lease's slot,
 * and gives away as a copy made from it: revoking that slot ends exactly that lease, however the
 * copy was handed on. Tables and slots are lent by init and outlive this program.
 */
#include "policy/closer.h"
#include "policy/person.h"

#include <kozo/error.h>
#include <kozo/log.h>
#include <kozo/print.h>
#include <kozo/slots.h>
#include <kozo/start.h>
#include <kozo/syscall.h>

static struct policy_server policy;

static uint64_t next_event(const struct policy_server *p)
{
    uint64_t at[] = { lease_next(&p->store->leases), request_deadline(p),
                      denial_deadline(&p->denials), grant_deadline(p) };
    uint64_t next = UINT64_MAX;

    for (uint32_t i = 0; i < sizeof at / sizeof at[0]; i++)
        if (at[i] < next)
            next = at[i];
    return next;
}

/* One message; false when nobody is owed an answer to it. */
static bool serve_message(struct policy_server *p, struct kozo_msg *m)
{
    if (m->badge == PERSON_BADGE || m->badge == CLOSER_BADGE)
        return false;
    if (grant_is_use(m)) {
        grant_use(p, m);
        return false;
    }
    p->later = p->answered = false;
    m->err = policy_dispatch(&policy_operations, p, m);
    return !p->later && !p->answered;
}

[[noreturn]] static void serve(struct policy_server *p)
{
    bool answer = false;
    struct kozo_msg m;

    kozo_msg_init(&m);
    for (;;) {
        uint64_t next = next_event(p);
        enum kozo_err err;

        if (next == UINT64_MAX)
            kozo_msg_no_deadline(&m);
        else
            kozo_msg_deadline(&m, next);
        err = answer ? kozo_reply_recv(p->port, &m) : kozo_recv(p->port, &m);
        if (err != KOZO_OK && err != KOZO_ERR_TIMEOUT)
            kozo_fatal("receive: %s", kozo_err_text(err));
        grant_expire(p);
        answer = err == KOZO_OK && serve_message(p, &m);
        request_look(p);
        tell_settle(p);
        grant_tell_providers(p);
    }
}

int main(int argc, char **argv)
{
    struct kozo_mapping text = kozo_mapping("manifest"), lent = kozo_mapping("leases");
    struct manifest_problem problem;
    struct policy_server *p = &policy;
    enum kozo_err err;

    (void)argc;
    (void)argv;
    p->store = (struct lease_store *)(uintptr_t)lent.at;
    p->slots.c = kozo_cap("leases");
    p->port = kozo_cap_endpoint("serve");
    if (text.at == nullptr || p->store == nullptr || p->slots.c == 0 ||
        lent.bytes < sizeof(struct lease_store))
        kozo_fatal("needs the capabilities manifest and leases");
    problem = manifest_parse(&p->manifest, (struct kozo_str){ text.at, text.bytes });
    if (problem.expected != nullptr)
        kozo_fatal(MANIFEST_PATH ":%u: expected %s", problem.line, problem.expected);
    p->share = record_share(&p->manifest);
    p->opened = kozo_slot_alloc();
    p->given = kozo_slot_alloc();
    if (lease_store_open(p->store)) {
        kozo_printf("goes on with the leases of an earlier life\n");
        grant_recover(p);
    }
    request_begin(p);
    err = closer_begin(p->port);
    if (err != KOZO_OK)
        kozo_fatal("a thread that tells providers: %s: give [service %s] threads = 3 and untyped",
                   kozo_err_text(err), kozo_program_name());
    (void)kozo_ready();
    serve(p);
}
