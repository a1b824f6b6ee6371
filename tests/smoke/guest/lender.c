/* SPDX-License-Identifier: MIT */
/*
 * lender - a service that lends policy under names, as to programs of its own, and looks at what
 * those are good for, and how long.
 *
 * It is no test program of its own: tests/smoke/test_consent.py puts it into the manifest and reads
 * its lines. Each check prints `ok NAME` or `wrong NAME: ...`.
 */
#include <kozo/file.h>
#include <kozo/log.h>
#include <kozo/policy.h>
#include <kozo/print.h>
#include <kozo/slots.h>
#include <kozo/start.h>
#include <kozo/syscall.h>
#include <kozo/time.h>
#include <kozo/worker.h>

static struct kozo_msg message;

struct lent {
    struct kozo_endpoint cap;
    uint64_t number;
};

static void check(const char *name, uint64_t got, uint64_t want)
{
    if (got == want)
        kozo_printf("ok %s\n", name);
    else
        kozo_printf("wrong %s: got %llu, want %llu\n", name, (unsigned long long)got,
                    (unsigned long long)want);
}

static enum kozo_err lend_by(struct kozo_endpoint by, const char *name, struct lent *to)
{
    struct policy_lend_rep rep;
    enum kozo_err err;

    kozo_msg_init(&message);
    kozo_msg_window(&message, kozo_slot_alloc(), 1);
    err = policy_call_lend(by, &message, &(struct policy_lend_req){ kozo_str(name) }, &rep);
    *to = (struct lent){ { rep.cap.slot }, rep.number };
    return err;
}

static enum kozo_err unlend_by(struct kozo_endpoint by, uint64_t number)
{
    kozo_msg_init(&message);
    return policy_call_unlend(by, &message, &(struct policy_unlend_req){ number },
                              &(struct policy_unlend_rep){});
}

static struct kozo_endpoint ask(struct kozo_endpoint by, const char *object, struct kozo_msg *m,
                                enum kozo_err *err)
{
    struct policy_request_rep rep;

    kozo_msg_init(m);
    kozo_msg_window(m, kozo_slot_alloc(), 1);
    *err = policy_call_request(
        by, m,
        &(struct policy_request_req){ kozo_str(object), KOZO_FILE_READ, kozo_str("to try") }, &rep);
    return (struct kozo_endpoint){ rep.cap.slot };
}

static enum kozo_err use(struct kozo_endpoint file)
{
    char byte;

    return kozo_file_read(file, 0, &byte, 1).err;
}

/* ---- whom it serves ---- */

static void check_rights(struct kozo_endpoint policy)
{
    struct kozo_place copy = kozo_own(kozo_slot_alloc());
    struct lent lent, other;

    check("no name", lend_by(policy, "", &lent), KOZO_ERR_ARGUMENT);
    check("not by who may look", lend_by(kozo_cap_endpoint("policy-admin"), "a", &lent),
          KOZO_ERR_RIGHTS);
    (void)kozo_cap_copy(copy, kozo_own(policy.c),
                        KOZO_RIGHTS(KOZO_WRITE | KOZO_GRANT, KOZO_POLICY_REQUEST));
    check("not by a copy", lend_by((struct kozo_endpoint){ copy.slot }, "a", &lent),
          KOZO_ERR_RIGHTS);
    check("a program", lend_by(policy, "a", &lent), KOZO_OK);
    check("lends to nobody", lend_by(lent.cap, "b", &other), KOZO_ERR_RIGHTS);
    check("and takes nothing back", unlend_by(lent.cap, lent.number), KOZO_ERR_RIGHTS);
    check("no number", unlend_by(policy, 0), KOZO_ERR_NOT_FOUND);
    check("another", unlend_by(policy, lent.number + 1), KOZO_ERR_NOT_FOUND);
    check("a large one", unlend_by(policy, lent.number | 1ull << 16), KOZO_ERR_NOT_FOUND);
    check("its own", unlend_by(policy, lent.number), KOZO_OK);
    check("once", unlend_by(policy, lent.number), KOZO_ERR_NOT_FOUND);
}

/* ---- how long ---- */

static void check_ends(struct kozo_endpoint policy)
{
    struct lent first, second;
    struct kozo_endpoint file, other;
    enum kozo_err err;

    check("the first", lend_by(policy, "first", &first), KOZO_OK);
    file = ask(first.cap, "fs:/etc/motd", &message, &err);
    check("is granted what rules allow", err, KOZO_OK);
    check("the second", lend_by(policy, "second", &second), KOZO_OK);
    check("has another number", second.number != first.number, true);
    (void)ask(first.cap, "fs:/etc/motd", &message, &err);
    check("the first asks no more", err, KOZO_ERR_EMPTY);
    check("and has what it was granted", use(file), KOZO_OK);
    other = ask(second.cap, "fs:/etc/motd", &message, &err);
    check("so does the second", use(other), KOZO_OK);
    check("the first ends", unlend_by(policy, first.number), KOZO_OK);
    check("with what it was granted", use(file), KOZO_ERR_EMPTY);
    check("not that of the second", use(other), KOZO_OK);
    check("the second ends", unlend_by(policy, second.number), KOZO_OK);
    check("with that", use(other), KOZO_ERR_EMPTY);
}

/* ---- what it is called ---- */

static void ask_alone(void *arg)
{
    static struct kozo_msg m;
    const struct lent *lent = arg;
    enum kozo_err err;

    (void)ask(lent->cap, "fs:/etc/hostname", &m, &err);
    check("nobody answers", err, KOZO_ERR_DROPPED);
}

static void check_name(struct kozo_endpoint policy)
{
    static struct kozo_worker worker;
    static struct lent lent;

    check("a name", lend_by(policy, "shell asks\n[?] x\x1b (a program ru", &lent), KOZO_OK);
    check("a worker",
          kozo_worker_start(&worker, &(struct kozo_worker_options){ .priority = 120 }, ask_alone,
                            &lent),
          KOZO_OK);
    (void)kozo_sleep(2 * KOZO_S); /* the question is on the terminal */
    check("it ends while it asks", unlend_by(policy, lent.number), KOZO_OK);
    (void)kozo_sleep(100 * KOZO_MS);
}

int main(int argc, char **argv)
{
    struct kozo_endpoint policy = kozo_cap_endpoint("policy");

    (void)argc;
    (void)argv;
    (void)kozo_ready();
    check_rights(policy);
    check_ends(policy);
    check_name(policy);
    kozo_printf("all done\n");
    (void)kozo_sleep(3600 * KOZO_S);
    return 0;
}
