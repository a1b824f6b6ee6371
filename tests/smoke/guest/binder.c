/* SPDX-License-Identifier: MIT */
/*
 * binder - a service that may end others, narrows that down to one, and tries what it is good for
 * then: binder check|give
 *
 * It is no test program of its own: tests/smoke/test_supervise.py puts it into the manifest and
 * reads its lines. Each check prints `ok NAME` or `wrong NAME: ...`; at the end it powers off, with
 * the number of wrong ones as the status. The service `mark` is what it may end.
 */
#include "service.h"

#include <kozo/error.h>
#include <kozo/log.h>
#include <kozo/print.h>
#include <kozo/slots.h>
#include <kozo/start.h>
#include <kozo/string.h>
#include <kozo/syscall.h>
#include <kozo/system.h>
#include <kozo/time.h>
#include <kozo/worker.h>

static struct kozo_msg message;

/* ---- asking init ---- */

/* The capability, { 0 } with an error; what arrived is in a slot of its own. */
static struct kozo_endpoint bind(kozo_cptr by, const char *name, uint64_t client,
                                 enum kozo_err *err)
{
    struct system_bind_req req = { kozo_str(name), client };
    struct system_bind_rep rep;
    kozo_cptr slot = kozo_slot_alloc();

    kozo_msg_init(&message);
    kozo_msg_window(&message, slot, 1);
    *err = system_call_bind((struct kozo_endpoint){ by }, &message, &req, &rep);
    if (rep.cap.slot == 0)
        kozo_slot_free(slot);
    return (struct kozo_endpoint){ rep.cap.slot };
}

static enum kozo_err bind_err(kozo_cptr by, const char *name, uint64_t client)
{
    enum kozo_err err;

    check("no capability with an error", bind(by, name, client, &err).c, 0);
    return err;
}

static enum kozo_err kill_by(struct kozo_endpoint by, const char *name)
{
    kozo_msg_init(&message);
    return system_call_kill(by, &message, &(struct system_kill_req){ kozo_str(name) },
                            &(struct system_kill_rep){});
}

static enum kozo_err restart_by(struct kozo_endpoint by, const char *name)
{
    kozo_msg_init(&message);
    return system_call_restart(by, &message, &(struct system_restart_req){ kozo_str(name) },
                               &(struct system_restart_rep){});
}

static enum kozo_err crash_by(struct kozo_endpoint by, const char *name)
{
    kozo_msg_init(&message);
    return system_call_crash(by, &message, &(struct system_crash_req){ kozo_str(name), 0 },
                             &(struct system_crash_rep){});
}

/* The number of its life under way, 0 while none is. */
static uint64_t life_of(const char *name)
{
    struct system_service_req req = {};
    struct system_service_rep rep;

    kozo_msg_init(&message);
    while (system_call_service(kozo_cap_endpoint("system"), &message, &req, &rep) == KOZO_OK) {
        if (kozo_str_is(rep.name, name))
            return rep.state == KOZO_SYSTEM_RUNS ? rep.life : 0;
        req.index++;
    }
    return 0;
}

static void await_life(const char *name, uint64_t life)
{
    while (life_of(name) < life)
        (void)kozo_sleep(10 * KOZO_MS);
    check("its next life began", life_of(name), life);
}

/* ---- what it is not good for ---- */

static void check_others(struct kozo_endpoint mark)
{
    static const char *const names[] = { "fsd", "binder", "giver", "init", "nobody", "", "mar" };

    for (unsigned i = 0; i < sizeof names / sizeof names[0]; i++) {
        check("another is not killed", kill_by(mark, names[i]), KOZO_ERR_RIGHTS);
        check("nor restarted", restart_by(mark, names[i]), KOZO_ERR_RIGHTS);
        check("nor crashed", crash_by(mark, names[i]), KOZO_ERR_RIGHTS);
        check("nor is it bound anew", bind_err(mark.c, names[i], 0), KOZO_ERR_RIGHTS);
    }
    check("not to its own target either", bind_err(mark.c, "mark", 0), KOZO_ERR_RIGHTS);
    check("fsd runs its first life", life_of("fsd"), 1);
}

/* Every operation that init serves, but the three on the target: none by this. */
static void check_operations(struct kozo_endpoint mark)
{
    static const struct {
        uint32_t from, to, version;
    } protocols[] = { { 1, LOG_OP_CONNECT, (uint32_t)LOG_MAJOR << 8 | LOG_MINOR },
                      { SYSTEM_OP_WAIT, SYSTEM_OP_TREE_IN, SYSTEM_MAJOR << 8 | SYSTEM_MINOR } };
    uint32_t served = 0, refused = 0;

    for (unsigned i = 0; i < sizeof protocols / sizeof protocols[0]; i++)
        for (uint32_t op = protocols[i].from; op <= protocols[i].to; op++) {
            kozo_msg_init(&message);
            kozo_msg_begin(&message, protocols[i].version << 16 | op);
            message.nwords = KOZO_MSG_REGS;
            (void)kozo_call(mark, &message);
            served += message.err == KOZO_OK;
            refused += message.err == KOZO_ERR_RIGHTS;
        }
    check("nothing else is served", served, 0);
    check("for want of a right", refused > 10, true);
}

static void fall(void *arg)
{
    (void)arg;
    *(volatile int *)8 = 1;
}

/* As handler of a fault it would end its bearer. */
static void check_fault(struct kozo_endpoint mark)
{
    static struct kozo_worker worker;
    struct kozo_thread_info info;

    check("a worker",
          kozo_worker_start(&worker,
                            &(struct kozo_worker_options){ .priority = 200, .fault = mark }, fall,
                            nullptr),
          KOZO_OK);
    do {
        (void)kozo_sleep(KOZO_MS);
        info = kozo_thread_info(worker.thread);
    } while (info.err == KOZO_OK && info.state != KOZO_THREAD_FAULTED);
    check("its fault ends nobody", info.err, KOZO_OK);
}

static void check_copies(struct kozo_endpoint mark)
{
    struct kozo_place copy = kozo_own(kozo_slot_alloc());
    struct kozo_verified v = kozo_cap_verify(kozo_own(mark.c), kozo_own(0));

    check("it is an Endpoint", KOZO_VERIFY_KIND(v.what), KOZO_KIND_ENDPOINT);
    check("with one right", KOZO_VERIFY_RIGHTS(v.what), KOZO_WRITE);
    check("and one user right", KOZO_VERIFY_USER(v.what), KOZO_SYSTEM_KILL);
    check("nobody gives it another badge",
          kozo_cap_mint(copy, kozo_own(mark.c), KOZO_SAME_RIGHTS, v.badge ^ 3u << 16).err !=
              KOZO_OK,
          true);
    check("a copy", kozo_cap_copy(copy, kozo_own(mark.c), KOZO_RIGHTS(KOZO_WRITE, 0)), KOZO_OK);
    check("without that is good for nothing", kill_by((struct kozo_endpoint){ copy.slot }, "mark"),
          KOZO_ERR_RIGHTS);
    (void)kozo_cap_delete(copy);
}

/* ---- who may have one ---- */

static void check_bind(kozo_cptr process)
{
    struct kozo_place copy = kozo_own(kozo_slot_alloc());
    enum kozo_err err;

    check("not by another capability", bind_err(kozo_cap("system"), "mark", 0), KOZO_ERR_RIGHTS);
    check("not by the log", bind_err(kozo_cap("log"), "mark", 0), KOZO_ERR_RIGHTS);
    check("not to nobody", bind_err(process, "nobody", 0), KOZO_ERR_NOT_FOUND);
    check("not to init", bind_err(process, "init", 0), KOZO_ERR_NOT_FOUND);
    check("not to no name", bind_err(process, "", 0), KOZO_ERR_NOT_FOUND);
    check("not for nobody", bind_err(process, "mark", 99), KOZO_ERR_ARGUMENT);
    check("nor for everybody", bind_err(process, "mark", UINT64_MAX), KOZO_ERR_ARGUMENT);
    check("a copy without GRANT",
          kozo_cap_copy(copy, kozo_own(process), KOZO_RIGHTS(KOZO_WRITE, 0xff)), KOZO_OK);
    check("brings no capability", bind(copy.slot, "mark", 0, &err).c, 0);
    (void)kozo_cap_delete(copy);
}

/* ---- what it is good for ---- */

static uint64_t place_of(const char *name)
{
    struct system_service_req req = {};
    struct system_service_rep rep;

    kozo_msg_init(&message);
    while (system_call_service(kozo_cap_endpoint("system"), &message, &req, &rep) == KOZO_OK &&
           !kozo_str_is(rep.name, name))
        req.index++;
    return req.index + 1;
}

/* The service, in whichever life: not the life. */
static void check_lives(struct kozo_endpoint mark)
{
    check("it ends its target", kill_by(mark, "mark"), KOZO_OK);
    await_life("mark", 2);
    check("the next life, too", crash_by(mark, "mark"), KOZO_OK);
    await_life("mark", 3);
    check("and begins another", restart_by(mark, "mark"), KOZO_OK);
    check("at once", life_of("mark"), 4);
}

static void check_clients(kozo_cptr process)
{
    uint64_t hello = 1ull << 32 | place_of("hello");
    enum kozo_err err;

    check("for another", restart_by(bind(process, "mark", hello, &err), "mark"), KOZO_OK);
    check("for its program", restart_by(bind(process, "mark", 1ull << 62 | hello, &err), "mark"),
          KOZO_OK);
    check("by a fault", crash_by(bind(process, "mark", hello, &err), "mark"), KOZO_OK);
    await_life("mark", 7);
}

/* What somebody gave away for good is good for as long as he lives. */
static void check_giver(kozo_cptr process)
{
    kozo_cptr slot = kozo_slot_alloc();

    kozo_msg_init(&message);
    kozo_msg_window(&message, slot, 1);
    check("something is given", kozo_recv(kozo_cap_endpoint("serve"), &message), KOZO_OK);
    check("it came", message.received, 1);
    check("it works", restart_by((struct kozo_endpoint){ slot }, "mark"), KOZO_OK);
    check("who gave it ends", kill_by((struct kozo_endpoint){ process }, "giver"), KOZO_OK);
    check("it works no more", restart_by((struct kozo_endpoint){ slot }, "mark"), KOZO_ERR_STALE);
    check("mark lives on", life_of("mark"), 8);
}

[[noreturn]] static void give(void)
{
    enum kozo_err err;
    struct kozo_endpoint mark;

    (void)kozo_ready();
    mark = bind(kozo_cap("process"), "mark", 0, &err);
    kozo_msg_init(&message);
    kozo_put_cap(&message,
                 (struct kozo_cap_desc){ .slot = (uint32_t)mark.c, .flags = KOZO_CAP_MOVE });
    (void)kozo_call(kozo_cap_endpoint("bound"), &message);
    (void)kozo_sleep(3600 * KOZO_S);
    kozo_exit(0);
}

int main(int argc, char **argv)
{
    kozo_cptr process = kozo_cap("process");
    struct kozo_endpoint mark;
    enum kozo_err err;

    kozo_msg_init(&message);
    if (argc > 1 && strcmp(argv[1], "give") == 0)
        give();
    (void)kozo_ready();
    (void)system_call_wait(kozo_cap_endpoint("system"), &message, &(struct system_wait_req){},
                           &(struct system_wait_rep){});
    mark = bind(process, "mark", 0, &err);
    check("the right is bound", err, KOZO_OK);
    check_copies(mark);
    check_others(mark);
    check_operations(mark);
    check_fault(mark);
    check_bind(process);
    check_lives(mark);
    check_clients(process);
    check_giver(process);
    kozo_printf("binder is done, %llu wrong\n", (unsigned long long)wrong);
    (void)system_call_end(kozo_cap_endpoint("system"), &message,
                          &(struct system_end_req){ .status = wrong }, &(struct system_end_rep){});
    return 1;
}
