/* SPDX-License-Identifier: MIT */
/*
 * petitioner - a service that asks policy for things, as its arguments say, one word after the
 * other.
 *
 * It is no test program of its own: tests/smoke/test_consent.py puts it into the manifest.
 *
 *     ask OBJECT RIGHTS    ask, and say what came of it; RIGHTS are a number
 *     use                  read the file asked for again and again, until that fails
 *     below                open what is below directories asked for, and see each lease's end
 *     kill NAME            end a service by what was asked for
 *     release              give back what was asked for
 *     alone OBJECT         ask by a thread of its own, and go on
 *     flood OBJECT         do that four times
 *     abuse                send policy whatever is no request, or none that can be granted
 *     storm OBJECT         ask a thousand times, by four threads, and wait for their answers
 *     again OBJECT         ask six times, and give back what is granted
 *     impatient OBJECT     ask until denied, and wait for half a second each time
 *     until-refused OBJECT ask until the answer is another than at first
 *     drain                make room in the audit
 *     swap                 with two leases, give back one just before the other ends
 *     late                 ask alone, and just before nobody answers keep policy waiting by what is
 *                          good for one use; again and again
 *     reconnect            to policy, which has begun a new life
 *     replace              give the capability to policy away for the one that init has
 *     trespass             do what one's capabilities are not good for
 *     hang                 be a provider that never answers to the end of a lease
 *     betray NAME          be a provider that ends this service before it gives what it opens
 *     restart NAME         begin a service's next life, by a capability of one's own
 *     forge                write what looks like a question
 *     doom MS              crash after so long, whatever goes on
 *     doom-nmi             crash at an NMI
 *     sleep MS
 *     nmi                  wait for an NMI, which the test sends: needs kernel-log
 */
#include "abuse.h"
#include "nmi.h"

#include <kozo/console.h>
#include <kozo/error.h>
#include <kozo/file.h>
#include <kozo/log.h>
#include <kozo/policy.h>
#include <kozo/print.h>
#include <kozo/slots.h>
#include <kozo/start.h>
#include <kozo/string.h>
#include <kozo/syscall.h>
#include <kozo/system.h>
#include <kozo/time.h>
#include <kozo/worker.h>

constexpr uint32_t petitions = 4, storms = 250;

static struct kozo_grant grant, before; /* what was granted last, and before that */
static uint64_t granted_at, doom;
static _Atomic uint32_t answered;

static uint64_t number(const char *text)
{
    uint64_t value = 0;

    (void)kozo_parse_u64(text, strlen(text), &value);
    return value;
}

static void tell(enum kozo_err err, const char *object, uint64_t ms, const char *reason)
{
    if (err == KOZO_OK)
        kozo_printf("granted %s for %llu ms\n", object, (unsigned long long)ms);
    else if (err == KOZO_ERR_DENIED)
        kozo_printf("denied %s: %s\n", object, reason);
    else
        kozo_printf("failed %s: %s\n", object, kozo_err_text(err));
}

static void ask(const char *object, uint64_t rights)
{
    before = grant;
    (void)kozo_request(object, rights, "I \x1b[2J\"need\" it\n[?] allow?", &grant);
    granted_at = kozo_now();
    tell(grant.err, object, grant.lease_ms, grant.reason);
}

static void use(void)
{
    uint64_t reads = 0, at = kozo_now();
    enum kozo_err err;
    char byte;

    do {
        err = kozo_file_read(grant.cap, 0, &byte, 1).err;
        if (reads++ == 0)
            kozo_printf("it can be used\n");
        (void)kozo_sleep(10 * KOZO_MS);
    } while (err == KOZO_OK);
    kozo_printf("its use ended after %llu ms: %s\n",
                (unsigned long long)((kozo_now() - at) / KOZO_MS), kozo_err_text(err));
    kozo_slot_drop(grant.cap.c);
}

/* ---- what is below ---- */

static struct kozo_file inner;
static kozo_cptr copied;

/* Its server is told that it may forget the handle: that ends nothing of a lease. */
static void tell_closed(kozo_cptr file)
{
    struct fs_close_rep rep;
    struct kozo_msg m;

    kozo_msg_init(&m);
    kozo_printf("closed: %s\n", kozo_err_text(fs_call_close((struct kozo_endpoint){ file }, &m,
                                                            &(struct fs_close_req){}, &rep)));
}

static void open_below(const char *name)
{
    inner = kozo_file_open(grant.cap, name, KOZO_FILE_READ);
    copied = kozo_slot_alloc();
    kozo_printf("opened %s: %s\n", name, kozo_err_text(inner.err));
    kozo_printf("copied: %s\n", kozo_err_text(kozo_cap_copy(kozo_own(copied), kozo_own(inner.cap.c),
                                                            KOZO_SAME_RIGHTS)));
    kozo_printf(
        "with account: %s\n",
        kozo_err_text(kozo_file_open(grant.cap, name, KOZO_FILE_READ | KOZO_FILE_ACCOUNT).err));
    tell_closed(inner.cap.c);
    tell_closed(grant.cap.c);
}

static void read_below(void)
{
    char byte;
    enum kozo_err err = kozo_file_read(inner.cap, 0, &byte, 1).err;
    enum kozo_err copy = kozo_file_read((struct kozo_endpoint){ copied }, 0, &byte, 1).err;

    kozo_printf("read: %s; by its copy: %s\n", kozo_err_text(err), kozo_err_text(copy));
}

static void read_on(void)
{
    char byte;

    while (kozo_file_read(inner.cap, 0, &byte, 1).err == KOZO_OK)
        (void)kozo_sleep(10 * KOZO_MS);
    read_below();
}

static void give_back(void) { kozo_printf("released: %s\n", kozo_err_text(kozo_release(&grant))); }

static void below(void)
{
    ask("fs:/etc", KOZO_FILE_READ | KOZO_FILE_LIST);
    open_below("motd");
    read_below();
    give_back();
    read_below();
    ask("fs:/etc", KOZO_FILE_READ | KOZO_FILE_LIST);
    open_below("motd");
    read_on(); /* until it is over */
    ask("fs:/bin", KOZO_FILE_READ | KOZO_FILE_LIST);
    open_below("cat");
    ask("fs:/etc", KOZO_FILE_READ | KOZO_FILE_LIST);
    give_back();
    read_below(); /* of another lease */
    read_on();    /* until it is revoked */
}

static void kill(struct kozo_endpoint by, const char *name)
{
    struct system_kill_rep rep;
    struct kozo_msg m;

    kozo_msg_init(&m);
    kozo_printf(
        "kill %s: %s\n", name,
        kozo_err_text(system_call_kill(by, &m, &(struct system_kill_req){ kozo_str(name) }, &rep)));
}

static void restart(const char *name)
{
    struct system_restart_rep rep;
    struct kozo_msg m;

    kozo_msg_init(&m);
    kozo_printf(
        "restart %s: %s\n", name,
        kozo_err_text(system_call_restart(kozo_cap_endpoint("process"), &m,
                                          &(struct system_restart_req){ kozo_str(name) }, &rep)));
}

static void crash(void *arg)
{
    (void)arg;
    if (doom == UINT64_MAX)
        nmi_await();
    else
        (void)kozo_sleep(doom * KOZO_MS);
    *(volatile int *)8 = 1;
}

/* Policy as the handler of a fault: what it answers leaves the thread where it fell. */
static void abuse_fault(void)
{
    static struct kozo_worker worker;
    struct kozo_thread_info info;

    doom = 0;
    if (kozo_worker_start(
            &worker,
            &(struct kozo_worker_options){ .priority = 120, .fault = kozo_cap_endpoint("policy") },
            crash, nullptr) != KOZO_OK)
        kozo_fatal("no worker");
    do {
        (void)kozo_sleep(KOZO_MS);
        info = kozo_thread_info(worker.thread);
    } while (info.err == KOZO_OK && info.state != KOZO_THREAD_FAULTED);
    kozo_printf("its fault: %s\n", kozo_err_text(info.err));
}

static void ask_again_and_again(void *object)
{
    struct policy_request_req req = { .object = kozo_str(object), .rights = 1 };
    struct policy_request_rep rep;
    struct kozo_msg m;

    kozo_msg_init(&m);
    for (uint32_t i = 0; i < storms; i++)
        if (policy_call_request(kozo_cap_endpoint("policy"), &m, &req, &rep) == KOZO_ERR_DENIED)
            answered++;
}

static void storm(char *object)
{
    static struct kozo_worker worker[petitions];

    for (uint32_t i = 0; i < petitions; i++)
        if (kozo_worker_start(&worker[i], &(struct kozo_worker_options){ .priority = 120 },
                              ask_again_and_again, object) != KOZO_OK)
            kozo_fatal("no worker");
    while (answered < petitions * storms)
        (void)kozo_sleep(10 * KOZO_MS);
    kozo_printf("%u denied\n", answered);
}

static void again(const char *object)
{
    for (uint32_t i = 0; i < 6; i++) {
        ask(object, 1);
        if (grant.err == KOZO_OK)
            (void)kozo_release(&grant);
    }
}

static void replace(void)
{
    (void)kozo_cap_delete(kozo_own(kozo_cap("policy")));
    kozo_printf("replaced: %s\n", kozo_reconnect("policy") == KOZO_OK ? "yes" : "no");
}

static void until_refused(const char *object)
{
    char first[160];
    uint64_t asked = 1;

    (void)kozo_request(object, 1, "again", &grant);
    strlcpy(first, grant.reason, sizeof first);
    while (grant.err == KOZO_ERR_DENIED && strcmp(first, grant.reason) == 0 && asked++ < 1000)
        (void)kozo_request(object, 1, "again", &grant);
    kozo_printf("refused after %llu: %s\n", (unsigned long long)asked, grant.reason);
}

/* Without a window for a capability: a yes would be a grant that does not arrive. */
static enum kozo_err petition_until(const char *object, uint64_t deadline)
{
    struct policy_request_req req = { .object = kozo_str(object), .rights = 1 };
    struct policy_request_rep rep;
    struct kozo_msg m;
    enum kozo_err err;

    kozo_msg_init(&m);
    kozo_msg_deadline(&m, deadline);
    err = policy_call_request(kozo_cap_endpoint("policy"), &m, &req, &rep);
    if (err != KOZO_ERR_TIMEOUT)
        tell(err, object, rep.lease_ms, rep.reason.at);
    return err;
}

static void petition(void *object) { (void)petition_until(object, UINT64_MAX); }

static void impatient(const char *object)
{
    while (petition_until(object, kozo_now() + 500 * KOZO_MS) == KOZO_ERR_TIMEOUT)
        continue;
}

static void alone(char *object)
{
    static struct kozo_worker worker[petitions];
    static uint32_t workers;

    if (workers == petitions ||
        kozo_worker_start(&worker[workers++], &(struct kozo_worker_options){ .priority = 120 },
                          petition, object) != KOZO_OK)
        kozo_fatal("no worker");
}

static bool is_there(kozo_cptr cap)
{
    return KOZO_VERIFY_KIND(kozo_cap_verify(kozo_own(cap), kozo_own(0)).what) == KOZO_KIND_ENDPOINT;
}

static void swap(void)
{
    uint64_t end;

    ask("sloth:/a", 1);
    ask("sloth:/b", 1);
    end = granted_at + grant.lease_ms * KOZO_MS;
    (void)kozo_sleep_until(end - 100 * KOZO_MS);
    kozo_printf("released: %s\n", kozo_err_text(kozo_release(&before)));
    while (is_there(grant.cap.c))
        (void)kozo_sleep(10 * KOZO_MS);
    kozo_slot_drop(grant.cap.c);
}

static _Atomic bool told;

static void petition_once(void *object)
{
    petition(object);
    told = true;
}

/* Questions wait for 6 s; 0.6 s before that policy begins to wait for the sloth, for 1 s. */
static void late(void)
{
    static struct kozo_worker worker;

    for (;;) {
        ask("sloth:/a", 1);
        told = false;
        if (kozo_worker_start(&worker, &(struct kozo_worker_options){ .priority = 120 },
                              petition_once, (char *)"fs:/etc/motd") != KOZO_OK)
            kozo_fatal("no worker");
        (void)kozo_sleep(5400 * KOZO_MS);
        tell_closed(grant.cap.c);
        while (!told)
            (void)kozo_sleep(10 * KOZO_MS);
        kozo_worker_end(&worker);
    }
}

static void say(const char *what, enum kozo_err err)
{
    kozo_printf("%s: %s\n", what, kozo_err_text(err));
}

static void trespass(void)
{
    struct kozo_endpoint requests = kozo_cap_endpoint("policy");
    struct policy_leases_rep leases;
    struct policy_revoke_rep revoke;
    struct policy_drain_rep drain;
    struct policy_release_rep release;
    struct policy_request_rep request;
    struct console_read_rep read;
    struct kozo_msg m;

    kozo_msg_init(&m);
    say("revoke",
        policy_call_revoke(requests, &m, &(struct policy_revoke_req){ .lease = 1 }, &revoke));
    say("drain",
        policy_call_drain(requests, &m, &(struct policy_drain_req){ .through = 9 }, &drain));
    say("request", policy_call_request(kozo_cap_endpoint("policy-admin"), &m,
                                       &(struct policy_request_req){
                                           .object = kozo_str("fs:/etc/motd"), .rights = 1 },
                                       &request));
    for (uint64_t lease = 1; lease < 4; lease++) /* hello's is one of them */
        say("release", policy_call_release(
                           requests, &m, &(struct policy_release_req){ .lease = lease }, &release));
    say("read", console_call_read(kozo_cap_endpoint("console"), &m,
                                  &(struct console_read_req){ .prompt = kozo_str("> ") }, &read));
    for (uint32_t i = 0; i < 30; i++)
        if (policy_call_leases(requests, &m, &(struct policy_leases_req){ .from = 0 }, &leases) !=
            KOZO_ERR_RIGHTS)
            say("leases", KOZO_OK);
}

static void open_itself(uint64_t badge, kozo_cptr slot)
{
    struct kozo_msg m;

    kozo_msg_init(&m);
    (void)kozo_cap_mint(kozo_own(slot), kozo_own(kozo_cap("serve")), KOZO_RIGHTS(KOZO_WRITE, 1),
                        badge);
    (void)fs_put_open_rep(
        &m, &(struct fs_open_rep){ .file = { .slot = (uint32_t)slot, .flags = KOZO_CAP_MOVE } });
    (void)kozo_reply(&m);
}

/* Who asked for what is opened ends first, where there is a name. */
[[noreturn]] static void provide(const char *betrayed)
{
    static const uint32_t closes = 5; /* the protocol's number */
    uint64_t opened = 0;
    struct kozo_msg m;

    kozo_msg_init(&m);
    for (;;) {
        if (kozo_recv(kozo_cap_endpoint("serve"), &m) != KOZO_OK)
            kozo_fatal("cannot receive");
        if (m.badge < 1ull << 32 && m.badge != 0 && KOZO_REQUEST_OP(m.label) == closes) {
            kozo_printf("told of the end of %llu\n", (unsigned long long)m.badge);
            if (betrayed == nullptr) /* it waits until its time is over */
                (void)kozo_reply_save(kozo_own(kozo_slot_alloc()));
            kozo_msg_begin(&m, KOZO_OK);
            (void)kozo_reply(&m);
        } else {
            if (betrayed != nullptr)
                kill(kozo_cap_endpoint("process"), betrayed);
            open_itself(++opened, kozo_slot_alloc());
        }
    }
}

static void drain(void) { kozo_printf("drained: %s\n", drain_all() > 0 ? "some" : "none"); }

static void forge(void)
{
    static const char text[] = "[?] allow? y or n, then Enter (30 s): \x1b[2J\n";
    struct console_write_rep rep;
    struct kozo_msg m;

    kozo_msg_init(&m);
    (void)console_call_write(kozo_cap_endpoint("console"), &m,
                             &(struct console_write_req){ kozo_str(text) }, &rep);
    kozo_printf("%s", text);
}

static void be_doomed(uint64_t ms)
{
    static struct kozo_worker worker;

    doom = ms;
    if (kozo_worker_start(&worker, &(struct kozo_worker_options){ .priority = 120 }, crash,
                          nullptr) != KOZO_OK)
        kozo_fatal("no worker");
}

static int run(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        const char *word = argv[i];
        char *next = i + 1 < argc ? argv[i + 1] : argv[0];

        if (strcmp(word, "ask") == 0 && i + 2 < argc)
            ask(next, number(argv[i += 2]));
        else if (strcmp(word, "use") == 0)
            use();
        else if (strcmp(word, "below") == 0)
            below();
        else if (strcmp(word, "release") == 0)
            give_back();
        else if (strcmp(word, "drain") == 0)
            drain();
        else if (strcmp(word, "forge") == 0)
            forge();
        else if (strcmp(word, "hang") == 0)
            provide(nullptr);
        else if (strcmp(word, "swap") == 0)
            swap();
        else if (strcmp(word, "late") == 0)
            late();
        else if (strcmp(word, "abuse") == 0)
            abuse_labels(), abuse_names(), abuse_fault();
        else if (strcmp(word, "reconnect") == 0)
            kozo_printf("reconnected: %s\n", kozo_err_text(kozo_reconnect("policy")));
        else if (strcmp(word, "replace") == 0)
            replace();
        else if (strcmp(word, "trespass") == 0)
            trespass();
        else if (strcmp(word, "nmi") == 0)
            kozo_printf("waits for an NMI\n"), nmi_await();
        else if (strcmp(word, "doom-nmi") == 0)
            be_doomed(UINT64_MAX);
        else {
            i++;
            if (strcmp(word, "kill") == 0)
                kill(grant.cap, next);
            else if (strcmp(word, "restart") == 0)
                restart(next);
            else if (strcmp(word, "betray") == 0)
                provide(next);
            else if (strcmp(word, "alone") == 0)
                alone(next);
            else if (strcmp(word, "flood") == 0)
                for (uint32_t n = 0; n < petitions; n++)
                    alone(next);
            else if (strcmp(word, "storm") == 0)
                storm(next);
            else if (strcmp(word, "again") == 0)
                again(next);
            else if (strcmp(word, "impatient") == 0)
                impatient(next);
            else if (strcmp(word, "until-refused") == 0)
                until_refused(next);
            else if (strcmp(word, "doom") == 0)
                be_doomed(number(next));
            else if (strcmp(word, "sleep") == 0)
                (void)kozo_sleep(number(next) * KOZO_MS);
            else
                return 1;
        }
    }
    return 0;
}

int main(int argc, char **argv)
{
    int status;

    (void)kozo_ready();
    nmi_begin();
    status = run(argc, argv);
    kozo_printf("all done\n");
    (void)kozo_sleep(3600 * KOZO_S);
    return status;
}
