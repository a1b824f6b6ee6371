/* SPDX-License-Identifier: MIT */
#include "init/system.h"
#include "common/cmdline.h"
#include "init/commands.h"
#include "init/output.h"
#include "init/power.h"

#include <kozo/slots.h>
#include <kozo/start.h>
#include <kozo/string.h>
#include <kozo/syscall.h>
#include <kozo/system.h>

struct system_server {
    struct init *i;
    kozo_cptr waiter; /* the right to answer who waits, 0 = nobody does */
    bool saved;       /* the message under way is answered later */
};

static struct system_server server;

/* ---- READY and its commands ---- */

static enum kozo_err serve_wait(struct system_server *s, const struct kozo_msg *m,
                                const struct system_wait_req *req, struct system_wait_rep *rep)
{
    enum kozo_err err;

    (void)req;
    (void)rep;
    if ((m->user & KOZO_SYSTEM_LOOK) == 0)
        return KOZO_ERR_RIGHTS;
    if (s->i->state != INIT_WAITING)
        return KOZO_OK;
    if (s->waiter != 0)
        return KOZO_ERR_IN_USE;
    s->waiter = kozo_slot_alloc();
    err = s->waiter == 0 ? KOZO_ERR_LIMIT : kozo_reply_save(kozo_own(s->waiter));
    s->saved = err == KOZO_OK;
    return err;
}

void system_release(void)
{
    struct kozo_msg m;

    if (server.waiter == 0)
        return;
    kozo_msg_init(&m);
    (void)kozo_reply_to((struct kozo_reply){ server.waiter }, &m);
    kozo_slot_drop(server.waiter);
    server.waiter = 0;
}

static enum kozo_err serve_commands(struct system_server *s, const struct kozo_msg *m,
                                    const struct system_commands_req *req,
                                    struct system_commands_rep *rep)
{
    if ((m->user & KOZO_SYSTEM_LOOK) == 0)
        return KOZO_ERR_RIGHTS;
    rep->given = cmdline_find(s->i->cmdline, "kozo.run", &rep->text);
    if (rep->given == 0 || req->offset >= rep->text.len) {
        rep->text = (struct kozo_str){};
        return KOZO_OK;
    }
    rep->text.at += req->offset;
    rep->text.len -= req->offset;
    if (rep->text.len > 255)
        rep->text.len = 255;
    return KOZO_OK;
}

/* ---- services ---- */

/* The kernel's identity of an Endpoint, from one of the capabilities derived from it; 0 = none. */
static uint64_t identity_of(struct kozo_endpoint port)
{
    struct kozo_raw r = kozo_syscall(KOZO_SYS_DEBUG_TREE, KOZO_INIT_DEBUG, 0, port.c, 0);

    if (port.c == 0 || r.err != KOZO_OK || r.b == 0)
        return 0;
    return ((const struct kozo_tree_entry *)kozo_buffer()->word)[0].object;
}

static uint64_t own_serial(void)
{
    struct kozo_thread_info info = kozo_thread_info(kozo_own_thread());

    return info.err == KOZO_OK ? info.serial : 0;
}

/* Who is meant by an Endpoint's identity, or by the serial of a thread. */
static struct kozo_str name_of(const struct init *i, uint64_t object, uint64_t peer)
{
    if (object != 0 ? object == identity_of(i->port) : peer != 0 && peer == own_serial())
        return kozo_str("init");
    for (uint32_t k = 0; k < i->manifest.services; k++) {
        const struct service *s = &i->service[k];

        if ((object != 0 && object == identity_of(s->port)) ||
            (object == 0 && peer != 0 && s->state == SERVICE_RUNNING && s->process.serial == peer))
            return s->m->name;
    }
    return (struct kozo_str){};
}

static enum kozo_err serve_service(struct system_server *server_, const struct kozo_msg *m,
                                   const struct system_service_req *req,
                                   struct system_service_rep *rep)
{
    const struct init *i = server_->i;
    const struct service *s;
    struct kozo_thread_info info;

    if ((m->user & KOZO_SYSTEM_LOOK) == 0)
        return KOZO_ERR_RIGHTS;
    if (req->index >= i->manifest.services)
        return KOZO_ERR_NOT_FOUND;
    s = &i->service[req->index];
    rep->name = s->m->name;
    rep->state = s->state;
    rep->life = s->life;
    rep->memory = 1ull << s->m->memory_bits;
    rep->priority = s->m->priority;
    if (s->state != SERVICE_RUNNING)
        return KOZO_OK;
    info = kozo_thread_info(s->process.thread);
    if (info.err != KOZO_OK)
        return info.err;
    rep->thread = info.state;
    rep->time = info.time;
    if (info.state == KOZO_THREAD_CALLING)
        rep->waits = name_of(i, 0, kozo_buffer()->word[KOZO_THREAD_WORD_PEER]);
    else
        rep->waits = name_of(i, kozo_buffer()->word[KOZO_THREAD_WORD_WAITS], 0);
    return KOZO_OK;
}

/* What the capability in a slot of a service was given as. */
static struct kozo_str cap_name(const struct service *s, uint64_t slot)
{
    static const char *const own[] = { "", "own CNode", "own thread", "own space", "own pool",
                                       "own memory" };
    uint32_t named = 0;

    if (slot < sizeof own / sizeof own[0])
        return kozo_str(own[slot]);
    for (uint32_t k = 0; k < s->m->capabilities.count; k++) {
        struct kozo_str name = s->m->capabilities.word[k];

        if (kozo_str_is(name, "initrd") || kozo_str_is(name, "manifest") ||
            kozo_str_is(name, "lines"))
            continue;
        if (s->process.first_named + named++ == slot)
            return name;
    }
    return s->port.c != 0 && s->process.first_named + named == slot ? kozo_str("serve")
                                                                     : (struct kozo_str){};
}

static enum kozo_err serve_cap(struct system_server *server_, const struct kozo_msg *m,
                               const struct system_cap_req *req, struct system_cap_rep *rep)
{
    const struct init *i = server_->i;
    const struct service *s;

    if ((m->user & KOZO_SYSTEM_LOOK) == 0)
        return KOZO_ERR_RIGHTS;
    if (req->index >= i->manifest.services)
        return KOZO_ERR_NOT_FOUND;
    s = &i->service[req->index];
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
    struct kozo_res r;

    if ((m->user & KOZO_SYSTEM_LOOK) == 0)
        return KOZO_ERR_RIGHTS;
    r = kozo_debug_stat((struct kozo_debug){ KOZO_INIT_DEBUG }, (enum kozo_stat)req->which);
    rep->value = r.value;
    if (r.err == KOZO_OK && req->which == KOZO_STAT_BYTES_FREE)
        rep->value -= device_bytes(s->i);
    return r.err;
}

static enum kozo_err serve_end(struct system_server *s, const struct kozo_msg *m,
                               const struct system_end_req *req, struct system_end_rep *rep)
{
    (void)s;
    (void)rep;
    if ((m->user & KOZO_SYSTEM_CONTROL) == 0)
        return KOZO_ERR_RIGHTS;
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
    struct kozo_raw r;

    (void)s;
    if ((m->user & KOZO_SYSTEM_LOG) == 0)
        return KOZO_ERR_RIGHTS;
    if (req->position == KOZO_SYSTEM_TAKEN) {
        rep->next = output_taken();
        return KOZO_OK;
    }
    r = kozo_syscall(KOZO_SYS_DEBUG_LOG, KOZO_INIT_DEBUG, req->position);
    if (r.err != KOZO_OK)
        return r.err;
    rep->next = r.a;
    if (m->user == KOZO_SYSTEM_LOG)
        output_told(r.a);
    rep->lost = r.c;
    rep->text = (struct kozo_bytes){ kozo_buffer()->word, r.b };
    return KOZO_OK;
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
};

bool system_is(const struct kozo_msg *m)
{
    return KOZO_REQUEST_OP(m->label) >= KOZO_SYSTEM_FIRST_OP;
}

bool system_message(struct init *i, struct kozo_msg *m)
{
    server.i = i;
    server.saved = false;
    m->err = system_dispatch(&ops, &server, m);
    return !server.saved;
}
