/* SPDX-License-Identifier: MIT */
#include "init/system.h"
#include "common/cmdline.h"
#include "common/identity.h"
#include "init/commands.h"
#include "init/borrow.h"
#include "init/crash.h"
#include "init/deny.h"
#include "init/ends.h"
#include "init/output.h"
#include "init/power.h"
#include "init/threads.h"
#include "init/watch.h"

#include <kozo/layout.h>
#include <kozo/policy.h>
#include <kozo/slots.h>
#include <kozo/start.h>
#include <kozo/string.h>
#include <kozo/syscall.h>
#include <kozo/system.h>
#include <kozo/time.h>

struct system_server {
    struct init *i;
    struct service *caller; /* who asks; policy for those it has granted that */
    bool saved;             /* the message under way is answered later */
};

static struct system_server server;

/* The message came by a capability with this user right; if not, that is told. */
static enum kozo_err want(struct system_server *s, const struct kozo_msg *m, uint8_t right)
{
    if ((m->user & right) != 0)
        return KOZO_OK;
    deny(s->i, m, kozo_str(right == KOZO_SYSTEM_KILL ? "process" : "system"), right,
         "its section names neither this under capabilities, nor did policy grant it");
    return KOZO_ERR_RIGHTS;
}

/* The same, by one that is good for every service. */
static enum kozo_err want_unbound(struct system_server *s, const struct kozo_msg *m, uint8_t right)
{
    enum kozo_err err = want(s, m, right);

    if (err != KOZO_OK || !identity_is_bound(m->badge))
        return err;
    deny_bound(s->i, m);
    return KOZO_ERR_RIGHTS;
}

/* ---- READY and its commands ---- */

static enum kozo_err serve_wait(struct system_server *s, const struct kozo_msg *m,
                                const struct system_wait_req *req, struct system_wait_rep *rep)
{
    enum kozo_err err = want(s, m, KOZO_SYSTEM_LOOK);

    (void)req;
    (void)rep;
    if (err != KOZO_OK || s->i->state != INIT_WAITING)
        return err;
    if (s->caller->waiter == 0)
        s->caller->waiter = kozo_slot_alloc();
    if (s->caller->waiter == 0)
        return KOZO_ERR_LIMIT;
    (void)kozo_cap_delete(kozo_own(s->caller->waiter));
    err = kozo_reply_save(kozo_own(s->caller->waiter));
    s->saved = err == KOZO_OK;
    return err;
}

void system_release(struct init *i)
{
    for (uint32_t k = 0; k < i->manifest.services; k++) {
        struct service *s = &i->service[k];
        struct kozo_msg m;

        if (s->waiter == 0)
            continue;
        kozo_msg_init(&m);
        (void)kozo_reply_to((struct kozo_reply){ s->waiter }, &m);
        kozo_slot_drop(s->waiter);
        s->waiter = 0;
    }
}

/* For who may look, and for policy, which has the power over all services. */
static enum kozo_err want_look_or_kill(struct system_server *s, const struct kozo_msg *m)
{
    bool kills = (m->user & KOZO_SYSTEM_KILL) != 0;

    return want_unbound(s, m, kills ? KOZO_SYSTEM_KILL : KOZO_SYSTEM_LOOK);
}

static enum kozo_err serve_commands(struct system_server *s, const struct kozo_msg *m,
                                    const struct system_commands_req *req,
                                    struct system_commands_rep *rep)
{
    enum kozo_err err = want_look_or_kill(s, m);

    if (err != KOZO_OK)
        return err;
    if (s->i->runner != nullptr && s->i->runner != s->caller)
        return KOZO_ERR_IN_USE; /* they are carried out once */
    rep->unattended = cmdline_has(s->i->cmdline, "kozo.unattended");
    rep->given = s->i->commanded;
    rep->text = s->i->commands;
    if (rep->given == 0 || req->offset >= rep->text.len) {
        rep->text = (struct kozo_str){};
        return KOZO_OK;
    }
    rep->text.at += req->offset;
    rep->text.len -= req->offset;
    if (rep->text.len > 255)
        rep->text.len = 255;
    if ((m->user & KOZO_SYSTEM_LOOK) != 0) /* policy only wants to know whether there are any */
        s->i->runner = s->caller;
    return KOZO_OK;
}

/* ---- services ---- */

/* Bytes of its memory that are in use. */
static uint64_t used_bytes(const struct service *s)
{
    struct kozo_untyped_info info = kozo_untyped_info(s->memory);

    return info.err == KOZO_OK ? info.size - info.free : 0;
}

static void tell_first_thread(const struct init *i, const struct service *s,
                              struct system_service_rep *rep)
{
    struct kozo_thread_info info;

    rep->used = used_bytes(s);
    rep->threads = threads_count(s);
    info = threads_info(s, 0);
    if (info.err != KOZO_OK)
        return;
    rep->thread = info.state;
    rep->time = info.time;
    rep->waits = threads_block(i, &info).waits;
}

/* The service of this number, for who may look. Errors: RIGHTS; NOT_FOUND after the last. */
static enum kozo_err want_service(struct system_server *server_, const struct kozo_msg *m,
                                  uint64_t index, const struct service **s)
{
    enum kozo_err err = want(server_, m, KOZO_SYSTEM_LOOK);

    if (err == KOZO_OK && index >= server_->i->manifest.services)
        err = KOZO_ERR_NOT_FOUND;
    if (err == KOZO_OK)
        *s = &server_->i->service[index];
    return err;
}

/* The same; null stands for init itself. */
static enum kozo_err want_service_or_init(struct system_server *server_, const struct kozo_msg *m,
                                          uint64_t index, const struct service **s)
{
    *s = nullptr;
    return index == KOZO_SYSTEM_OF_INIT ? want(server_, m, KOZO_SYSTEM_LOOK)
                                        : want_service(server_, m, index, s);
}

static enum kozo_err serve_service(struct system_server *server_, const struct kozo_msg *m,
                                   const struct system_service_req *req,
                                   struct system_service_rep *rep)
{
    const struct init *i = server_->i;
    const struct service *s;
    enum kozo_err err = want_look_or_kill(server_, m);

    if (err == KOZO_OK && req->index >= i->manifest.services)
        err = KOZO_ERR_NOT_FOUND;
    if (err != KOZO_OK)
        return err;
    s = &i->service[req->index];
    rep->name = s->m->name;
    rep->state = s->state;
    rep->life = s->life;
    rep->memory = 1ull << s->m->memory_bits;
    rep->priority = s->m->priority;
    rep->restarts = s->care.restarts;
    rep->end = kozo_str_cut(s->end, 127);
    if (s->state == SERVICE_WAITS && s->care.again > kozo_now())
        rep->again = s->care.again - kozo_now();
    if (s->state == SERVICE_RUNNING)
        tell_first_thread(i, s, rep);
    return KOZO_OK;
}

static enum kozo_err serve_thread(struct system_server *server_, const struct kozo_msg *m,
                                  const struct system_thread_req *req,
                                  struct system_thread_rep *rep)
{
    static struct threads_block block;
    const struct init *i = server_->i;
    const struct service *s;
    enum kozo_err err = want_service_or_init(server_, m, req->index, &s);
    struct kozo_thread_info info = { .err = KOZO_ERR_NOT_FOUND };

    if (err != KOZO_OK)
        return err;
    if (s != nullptr)
        info = threads_info(s, req->number);
    else if (req->number == 0)
        info = kozo_thread_info(kozo_own_thread());
    if (info.err != KOZO_OK)
        return info.err;
    rep->serial = info.serial;
    rep->state = info.state;
    rep->time = info.time;
    rep->priority = kozo_buffer()->word[KOZO_THREAD_WORD_PRIORITY];
    rep->deadline = kozo_buffer()->word[KOZO_THREAD_WORD_DEADLINE];
    block = threads_block(i, &info);
    rep->on = kozo_str(block.on);
    rep->waits = block.waits;
    return KOZO_OK;
}

static struct kozo_stack own_stack(const struct init *i)
{
    const char *begin = (const char *)i->boot + KOZO_LAYOUT_INIT_STACK;

    return (struct kozo_stack){ KOZO_LAYOUT_INIT_STACK_BYTES,
                                kozo_stack_unused(begin, KOZO_LAYOUT_INIT_STACK_BYTES), KOZO_OK };
}

static enum kozo_err serve_stack(struct system_server *server_, const struct kozo_msg *m,
                                 const struct system_stack_req *req, struct system_stack_rep *rep)
{
    const struct service *s;
    enum kozo_err err = want_service_or_init(server_, m, req->index, &s);
    struct kozo_stack stack = { .err = KOZO_ERR_NOT_FOUND };

    if (err != KOZO_OK)
        return err;
    if (s != nullptr)
        stack = threads_stack(s, req->number);
    else if (req->number == 0)
        stack = own_stack(server_->i);
    rep->bytes = stack.bytes;
    rep->unused = stack.unused;
    return stack.err == KOZO_OK ? KOZO_OK : KOZO_ERR_NOT_FOUND;
}

/* What the capability in a slot of a service was given as. */
static struct kozo_str cap_name(const struct service *s, uint64_t slot)
{
    static const char *const own[] = { "",          "own CNode", "own thread",
                                       "own space", "own pool",  "own memory" };
    uint64_t k = slot - s->process.first_named;

    if (slot < sizeof own / sizeof own[0])
        return kozo_str(own[slot]);
    return slot >= s->process.first_named && k < s->nnamed ? s->named[k] : (struct kozo_str){};
}

static enum kozo_err serve_cap(struct system_server *server_, const struct kozo_msg *m,
                               const struct system_cap_req *req, struct system_cap_rep *rep)
{
    const struct service *s;
    enum kozo_err err = want_service(server_, m, req->index, &s);

    if (err != KOZO_OK)
        return err;
    if (s->state != SERVICE_RUNNING)
        return KOZO_ERR_NOT_FOUND;
    for (uint64_t slot = req->from > 0 ? req->from : 1; slot < 1u << PROGRAM_CNODE_BITS; slot++) {
        struct kozo_verified v = kozo_cap_verify(kozo_in(s->process.cnode, slot), kozo_own(0));

        if (v.err != KOZO_OK || KOZO_VERIFY_KIND(v.what) == KOZO_KIND_NULL)
            continue;
        *rep = (struct system_cap_rep){ slot, v.what, v.badge, cap_name(s, slot) };
        return KOZO_OK;
    }
    return KOZO_ERR_NOT_FOUND;
}

/* ---- the machine ---- */

/* What the kernel counts as free and is no memory. */
static uint64_t device_bytes(const struct init *i)
{
    uint64_t sum = 0;

    for (uint32_t k = 0; k < i->boot->device.count; k++)
        sum += kozo_untyped_info((struct kozo_untyped){ i->boot->device.first + k }).free;
    return sum;
}

static enum kozo_err serve_stat(struct system_server *s, const struct kozo_msg *m,
                                const struct system_stat_req *req, struct system_stat_rep *rep)
{
    enum kozo_err err = want(s, m, KOZO_SYSTEM_LOOK);
    struct kozo_res r;

    if (err != KOZO_OK)
        return err;
    if (req->which == KOZO_SYSTEM_SLOTS) {
        rep->value = kozo_slots_left();
        return KOZO_OK;
    }
    r = kozo_debug_stat((struct kozo_debug){ KOZO_INIT_DEBUG }, (enum kozo_stat)req->which);
    rep->value = r.value;
    if (r.err == KOZO_OK && req->which == KOZO_STAT_BYTES_FREE)
        rep->value -= device_bytes(s->i);
    return r.err;
}

static enum kozo_err serve_end(struct system_server *s, const struct kozo_msg *m,
                               const struct system_end_req *req, struct system_end_rep *rep)
{
    enum kozo_err err = want(s, m, KOZO_SYSTEM_CONTROL);

    (void)rep;
    if (err != KOZO_OK)
        return err;
    if (req->how > KOZO_SYSTEM_RESET || req->status > COMMAND_STATUS_MAX)
        return KOZO_ERR_ARGUMENT;
    output_finish();
    if (req->how == KOZO_SYSTEM_RESET)
        power_reset();
    power_off(power_code((uint32_t)req->status));
}

static enum kozo_err serve_kernel(struct system_server *s, const struct kozo_msg *m,
                                  const struct system_kernel_req *req,
                                  struct system_kernel_rep *rep)
{
    enum kozo_err err = want(s, m, KOZO_SYSTEM_LOG);
    struct kozo_raw r;

    if (err != KOZO_OK)
        return err;
    if (req->position == KOZO_SYSTEM_TAKEN) {
        rep->next = output_taken();
        return KOZO_OK;
    }
    r = kozo_syscall(KOZO_SYS_DEBUG_LOG, KOZO_INIT_DEBUG, req->position);
    if (r.err != KOZO_OK)
        return r.err;
    rep->next = r.a;
    output_told(s->caller, r.a);
    rep->lost = r.c;
    rep->text = (struct kozo_bytes){ kozo_buffer()->word, r.b };
    return KOZO_OK;
}

/* ---- capabilities and events, as the kernel tells them ---- */

/* The CNode that an index of TREE stands for; { 0 } is init's own. */
static enum kozo_err cnode_of(const struct init *i, uint64_t index, struct kozo_cnode *cnode)
{
    *cnode = (struct kozo_cnode){ 0 };
    if (index == KOZO_SYSTEM_OF_INIT)
        return KOZO_OK;
    if (index == KOZO_SYSTEM_OF_LEASES) {
        *cnode = i->lease_slots;
        return cnode->c != 0 ? KOZO_OK : KOZO_ERR_NOT_FOUND;
    }
    if (index >= i->manifest.services || i->service[index].state != SERVICE_RUNNING)
        return KOZO_ERR_NOT_FOUND;
    *cnode = i->service[index].process.cnode;
    return KOZO_OK;
}

static enum kozo_err tell_tree(struct kozo_cnode cnode, uint64_t slot, uint64_t skip,
                               struct system_tree_rep *rep)
{
    struct kozo_raw r = kozo_syscall(KOZO_SYS_DEBUG_TREE, KOZO_INIT_DEBUG, cnode.c, slot, skip);

    if (r.err != KOZO_OK)
        return r.err;
    rep->id = r.c;
    rep->next = r.a;
    rep->entries = (struct kozo_bytes){ kozo_buffer()->word, r.b * sizeof(struct kozo_tree_entry) };
    return KOZO_OK;
}

static enum kozo_err serve_tree(struct system_server *s, const struct kozo_msg *m,
                                const struct system_tree_req *req, struct system_tree_rep *rep)
{
    enum kozo_err err = want(s, m, KOZO_SYSTEM_LOOK);
    struct kozo_cnode cnode;

    if (err == KOZO_OK)
        err = cnode_of(s->i, req->index, &cnode);
    if (err != KOZO_OK)
        return err;
    if (cnode.c != 0 && req->slot == 0)
        return KOZO_ERR_ARGUMENT;
    return tell_tree(cnode, req->slot, req->skip, rep);
}

/* A look at a slot of a CNode of a service's. */
struct look {
    const struct system_tree_in_req *req;
    struct system_tree_rep rep;
    enum kozo_err err;
};

static void tell_tree_in(kozo_cptr cnode, void *context)
{
    struct look *l = context;

    l->err = tell_tree((struct kozo_cnode){ cnode }, l->req->slot, l->req->skip, &l->rep);
}

static enum kozo_err serve_tree_in(struct system_server *server_, const struct kozo_msg *m,
                                   const struct system_tree_in_req *req,
                                   struct system_tree_in_rep *rep)
{
    struct look l = { .req = req };
    const struct service *s;
    enum kozo_err err = want_service(server_, m, req->index, &s);

    if (err == KOZO_OK && s->state != SERVICE_RUNNING)
        err = KOZO_ERR_NOT_FOUND;
    if (err == KOZO_OK && (req->slot == 0 || req->cnode == 0))
        err = KOZO_ERR_ARGUMENT;
    if (err != KOZO_OK)
        return err;
    err = borrow(s, req->cnode, tell_tree_in, &l);
    *rep = (struct system_tree_in_rep){ l.rep.id, l.rep.next, l.rep.entries };
    return err != KOZO_OK ? err : l.err;
}

static enum kozo_err serve_trace(struct system_server *s, const struct kozo_msg *m,
                                 const struct system_trace_req *req, struct system_trace_rep *rep)
{
    enum kozo_err err = want(s, m, KOZO_SYSTEM_CONTROL);

    (void)rep;
    if (err != KOZO_OK)
        return err;
    return kozo_syscall_err(KOZO_SYS_DEBUG_TRACE, KOZO_INIT_DEBUG, req->mask);
}

static enum kozo_err serve_events(struct system_server *s, const struct kozo_msg *m,
                                  const struct system_events_req *req,
                                  struct system_events_rep *rep)
{
    enum kozo_err err = want(s, m, KOZO_SYSTEM_LOOK);
    struct kozo_raw r;

    if (err != KOZO_OK)
        return err;
    r = kozo_syscall(KOZO_SYS_DEBUG_EVENTS, KOZO_INIT_DEBUG, req->position);
    if (r.err != KOZO_OK)
        return r.err;
    rep->next = r.a;
    rep->lost = r.c;
    rep->events = (struct kozo_bytes){ kozo_buffer()->word, r.b * sizeof(struct kozo_event) };
    return KOZO_OK;
}

/* ---- ending and restarting ---- */

/* The service a request of this right names, and who wants it. */
struct target {
    struct service *service;
    char by[SERVICE_BY];
};

static struct target target_of(const struct system_server *s, const struct kozo_msg *m,
                               struct service *service)
{
    uint64_t whom = identity_client(m->badge);
    const struct manifest_service *client = identity_service(&s->i->manifest, whom);
    struct target t = { .service = service };
    struct line l = line_begin(t.by, sizeof t.by);

    if (client != nullptr) {
        line_add_str(&l, client->name);
        line_add(&l, (whom & IDENTITY_LENT) != 0 ? KOZO_POLICY_LENT " through " : " through ");
    }
    line_add_str(&l, s->caller->m->name);
    return t;
}

static enum kozo_err want_target(struct system_server *s, const struct kozo_msg *m,
                                 struct kozo_str name, struct target *t)
{
    const struct manifest_service *found = manifest_service(&s->i->manifest, name);
    enum kozo_err err = want(s, m, KOZO_SYSTEM_KILL);

    if (err != KOZO_OK)
        return err;
    if (identity_is_bound(m->badge) &&
        found != &s->i->manifest.service[identity_target(m->badge)]) {
        deny_bound(s->i, m);
        return KOZO_ERR_RIGHTS;
    }
    if (found == nullptr)
        return KOZO_ERR_NOT_FOUND;
    *t = target_of(s, m, &s->i->service[found - s->i->manifest.service]);
    return KOZO_OK;
}

static enum kozo_err serve_bind(struct system_server *s, const struct kozo_msg *m,
                                const struct system_bind_req *req, struct system_bind_rep *rep)
{
    const struct manifest_service *to = manifest_service(&s->i->manifest, req->name);
    enum kozo_err err = want_unbound(s, m, KOZO_SYSTEM_KILL);

    if (err != KOZO_OK)
        return err;
    if (to == nullptr)
        return KOZO_ERR_NOT_FOUND;
    if (req->client != 0 && identity_service(&s->i->manifest, req->client) == nullptr)
        return KOZO_ERR_ARGUMENT;
    rep->cap = kozo_give_badged(
        s->i->port.c, KOZO_WRITE, KOZO_SYSTEM_KILL,
        identity_bind(m->badge, (uint32_t)(to - s->i->manifest.service), req->client));
    return KOZO_OK;
}

static enum kozo_err serve_kill(struct system_server *s, const struct kozo_msg *m,
                                const struct system_kill_req *req, struct system_kill_rep *rep)
{
    struct target t;
    enum kozo_err err = want_target(s, m, req->name, &t);

    (void)rep;
    return err == KOZO_OK ? ends_kill(s->i, t.service, kozo_str(t.by)) : err;
}

static enum kozo_err serve_restart(struct system_server *s, const struct kozo_msg *m,
                                   const struct system_restart_req *req,
                                   struct system_restart_rep *rep)
{
    struct target t;
    enum kozo_err err = want_target(s, m, req->name, &t);

    (void)rep;
    return err == KOZO_OK ? ends_restart(s->i, t.service, kozo_str(t.by)) : err;
}

static enum kozo_err serve_crash(struct system_server *s, const struct kozo_msg *m,
                                 const struct system_crash_req *req, struct system_crash_rep *rep)
{
    struct target t;
    enum kozo_err err = want_target(s, m, req->name, &t);

    (void)rep;
    return err == KOZO_OK ? crash_service(t.service, req->number, kozo_str(t.by)) : err;
}

/* ---- all of it ---- */

static const struct system_ops ops = {
    .wait = serve_wait,
    .commands = serve_commands,
    .service = serve_service,
    .cap = serve_cap,
    .stat = serve_stat,
    .end = serve_end,
    .kernel = serve_kernel,
    .kill = serve_kill,
    .restart = serve_restart,
    .thread = serve_thread,
    .stack = serve_stack,
    .tree = serve_tree,
    .tree_in = serve_tree_in,
    .trace = serve_trace,
    .events = serve_events,
    .crash = serve_crash,
    .bind = serve_bind,
};

bool system_is(const struct kozo_msg *m)
{
    return KOZO_REQUEST_OP(m->label) >= KOZO_SYSTEM_FIRST_OP;
}

bool system_message(struct init *i, struct kozo_msg *m)
{
    server = (struct system_server){ .i = i, .caller = watch_service_of(i, m->badge) };
    m->err = server.caller != nullptr
                 ? system_dispatch(&ops, &server, m)
                 : kozo_request_refuse(m, KOZO_ERR_STALE, SYSTEM_MAJOR, SYSTEM_MINOR);
    return !server.saved;
}
