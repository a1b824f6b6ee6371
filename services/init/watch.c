/* SPDX-License-Identifier: MIT */
#include "init/watch.h"
#include "common/fault.h"
#include "common/identity.h"
#include "common/report.h"
#include "init/archive.h"
#include "init/deny.h"
#include "init/ends.h"
#include "init/output.h"
#include "init/report.h"
#include "init/start.h"
#include "init/system.h"

#include <kozo/log.h>
#include <kozo/print.h>
#include <kozo/syscall.h>
#include <kozo/time.h>

struct log_server {
    struct init *i;
};

struct service *watch_service_of(struct init *i, uint64_t badge)
{
    uint32_t index = identity_index(badge);
    struct service *s = index < i->manifest.services ? &i->service[index] : nullptr;

    if (s == nullptr || identity_service_badge(badge) != identity_badge(index, s->life) ||
        s->state != SERVICE_RUNNING)
        return nullptr;
    return s;
}

/* The same for a message, by a capability that may write. */
static enum kozo_err speaker(struct init *i, const struct kozo_msg *m, struct service **s)
{
    *s = watch_service_of(i, m->badge);
    if (*s == nullptr)
        return KOZO_ERR_STALE;
    if ((m->user & LOG_WRITE) != 0)
        return KOZO_OK;
    deny(i, m, kozo_str("log"), LOG_WRITE, "name log under capabilities in its section");
    return KOZO_ERR_RIGHTS;
}

/* ---- lines ---- */

struct line_context {
    struct init *i;
    struct service *s;
};

static void print_line(void *context, struct kozo_str line)
{
    struct line_context *c = context;
    char text[LINES_BYTES + 1];

    if (audit_is(line) && c->s->m == manifest_provider(&c->i->manifest, kozo_str("policy")))
        demo_audit(&c->i->demo, line);
    text_printable(text, sizeof text, line);
    kozo_printf("[%.*s] %s\n", (int)c->s->m->name.len, c->s->m->name.at, text);
}

static bool is_demo(const struct init *i, const struct service *s)
{
    return s->m == i->demo.service;
}

static enum kozo_err serve_write(struct log_server *server, const struct kozo_msg *m,
                                 const struct log_write_req *req, struct log_write_rep *rep)
{
    struct line_context c = { .i = server->i };
    enum kozo_err err = speaker(server->i, m, &c.s);

    (void)rep;
    if (err != KOZO_OK)
        return err;
    if (is_demo(server->i, c.s))
        demo_printed(&server->i->demo, req->text);
    lines_add(&c.s->lines, req->text, print_line, &c);
    return KOZO_OK;
}

/* ---- ready and steps ---- */

static enum kozo_err serve_ready(struct log_server *server, const struct kozo_msg *m,
                                 const struct log_ready_req *req, struct log_ready_rep *rep)
{
    struct service *s;
    enum kozo_err err = speaker(server->i, m, &s);

    (void)req;
    (void)rep;
    if (err != KOZO_OK)
        return err;
    s->ready = true;
    output_ready(s);
    return KOZO_OK;
}

/*
 * Looks by itself at what the service holds beside what it is made of. It waits for our answer, so
 * nothing changes meanwhile.
 */
static struct demo_facts look(const struct service *s)
{
    struct demo_facts facts = {};
    uint32_t born = s->process.first_named + s->nnamed;

    for (uint32_t slot = s->process.first_named; slot < 1u << PROGRAM_CNODE_BITS; slot++) {
        struct kozo_verified v = kozo_cap_verify(kozo_in(s->process.cnode, slot), kozo_own(0));

        if (v.err != KOZO_OK || KOZO_VERIFY_KIND(v.what) == KOZO_KIND_NULL)
            continue;
        facts.caps++;
        facts.endpoints += KOZO_VERIFY_KIND(v.what) == KOZO_KIND_ENDPOINT;
        if (slot >= born)
            facts.gained |= KOZO_VERIFY_USER(v.what);
    }
    return facts;
}

static enum kozo_err serve_step(struct log_server *server, const struct kozo_msg *m,
                                const struct log_step_req *req, struct log_step_rep *rep)
{
    struct init *i = server->i;
    struct service *s;
    enum kozo_err err = speaker(i, m, &s);
    struct demo_facts facts;
    uint32_t step = i->demo.next;

    (void)rep;
    if (err != KOZO_OK)
        return err;
    if (!is_demo(i, s)) {
        deny(i, m, kozo_str("step"), 0, "only the service that [init] names as demo has steps");
        return KOZO_ERR_DENIED;
    }
    if (i->state != INIT_WAITING)
        return KOZO_OK;
    if (demo_begins_again(&i->demo)) {
        kozo_printf("[init] step %u of %u: %s: the lease was over before; again from step %u\n",
                    step + 1, DEMO_STEPS, demo_step_name(step), i->demo.next + 1);
        return KOZO_ERR_TIMEOUT;
    }
    facts = look(s);
    if (demo_report(&i->demo, req->name, req->ok == 1, req->got, &facts))
        kozo_printf("[init] step %u of %u: %s: %s\n", step + 1, DEMO_STEPS, demo_step_name(step),
                    i->demo.got);
    else
        init_fail(i, demo_step_name(step), i->demo.expected, "%s", i->demo.got);
    return KOZO_OK;
}

/* ---- what was restarted ---- */

static enum kozo_err serve_connect(struct log_server *server, const struct kozo_msg *m,
                                   const struct log_connect_req *req, struct log_connect_rep *rep)
{
    struct service *s;
    enum kozo_err err = speaker(server->i, m, &s);
    uint32_t k = 0;

    if (err != KOZO_OK)
        return err;
    while (k < s->m->capabilities.count && !text_equal(s->m->capabilities.word[k], req->name))
        k++;
    if (k == s->m->capabilities.count) {
        deny(server->i, m, req->name, 0, "its section names nothing so under capabilities");
        return KOZO_ERR_NOT_FOUND;
    }
    err = start_give(server->i, s, k);
    if (err == KOZO_OK)
        rep->cap = kozo_give(s->given + k, KOZO_RIGHTS_ALL, UINT8_MAX);
    return err;
}

static const struct log_ops ops = { .write = serve_write,
                                    .ready = serve_ready,
                                    .step = serve_step,
                                    .connect = serve_connect };

/* ---- ends ---- */

/* By a capability that was given for this; who refuses it leaves that thread stopped. */
static bool may_fault(struct init *i, const struct kozo_msg *m)
{
    if ((m->user & LOG_FAULT) != 0)
        return true;
    deny(i, m, kozo_str("fault"), LOG_FAULT, "bind the capability `fault` as fault handler");
    return false;
}

/*
 * It exited, or a fault stopped it: nobody goes on with it, and all it held and gave is taken back.
 * That a further thread ended is no news.
 */
static void serve_end(struct init *i, const struct kozo_msg *m)
{
    struct line_context c = { i, watch_service_of(i, m->badge) };
    struct service *s = c.s;
    bool exited = m->word[0] == KOZO_FAULT_EXIT;
    struct place_map map;
    char how[256];
    struct line l = line_begin(how, sizeof how);

    if (s == nullptr || !may_fault(i, m) || (exited && m->word[7] != s->process.serial))
        return;
    lines_flush(&s->lines, print_line, &c);
    map = report_map(s->m->name, &s->process, archive_file(i, s->m->binary));
    fault_describe(&l, m->word, &map);
    if (s->crashed_by[0] != '\0' && !exited) {
        line_add(&l, ", as ");
        line_add(&l, s->crashed_by);
        line_add(&l, " wanted");
    }
    if (ends_tell(s) && !exited) {
        kozo_printf("KOZO FAULT service %.*s: %s\n", (int)s->m->name.len, s->m->name.at, how);
        report_fault(i, s, m);
    }
    ends_life(i, s, exited ? ENDS_EXITED : ENDS_FAULTED, exited && m->word[1] == 0, how);
}

bool watch_message(struct init *i, struct kozo_msg *m)
{
    struct log_server server = { i };

    if ((m->what & KOZO_MSG_FAULT) != 0) {
        serve_end(i, m);
        return false;
    }
    if (system_is(m))
        return system_message(i, m);
    m->err = log_dispatch(&ops, &server, m);
    return true;
}

/* ---- time ---- */

static bool all_ready(const struct init *i)
{
    for (uint32_t k = 0; k < i->manifest.services; k++)
        if (!i->service[k].ready)
            return false;
    return true;
}

/* The first that has not is named; with it the start has failed. */
static void fail_on_silence(struct init *i)
{
    for (uint32_t k = 0; k < i->manifest.services; k++) {
        char step[64];
        struct line l = line_begin(step, sizeof step);

        if (i->service[k].ready)
            continue;
        line_add(&l, "ready ");
        line_add_str(&l, i->service[k].m->name);
        init_fail(i, step, "a report that it is ready", "nothing within %u s",
                  i->manifest.ready_seconds);
    }
}

static uint64_t earlier(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

uint64_t watch_deadline(const struct init *i)
{
    uint64_t next = earlier(ends_deadline(i), denial_deadline(&i->denials));

    if (i->state != INIT_WAITING)
        return next;
    if (!all_ready(i))
        next = earlier(next, i->ready_by);
    return demo_done(&i->demo) ? next : earlier(next, i->demo_by);
}

void watch_time(struct init *i)
{
    uint64_t now = kozo_now();

    ends_time(i, now);
    deny_time(i, now);
    if (i->state != INIT_WAITING)
        return;
    if (now >= i->ready_by && !all_ready(i))
        fail_on_silence(i);
    if (now >= i->demo_by && !demo_done(&i->demo))
        init_fail(i, demo_step_name(i->demo.next), demo_expects(&i->demo), "nothing within %u s",
                  i->manifest.demo_seconds);
}

bool watch_done(const struct init *i)
{
    return all_ready(i) && demo_done(&i->demo);
}
