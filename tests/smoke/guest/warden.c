/* SPDX-License-Identifier: MIT */
/*
 * warden - a service that ends and restarts others, and looks at what becomes of them: warden HOW
 * [WORD...]
 *
 * It is no test program of its own: tests/smoke/test_supervise.py puts it into the manifest and
 * reads its lines. Each check prints `ok NAME` or `wrong NAME: ...`; at the end it powers off, with
 * the number of wrong ones as the status.
 */
#include "common/rights.h"

#include "service.h"

#include <kozo/error.h>
#include <kozo/file.h>
#include <kozo/log.h>
#include <kozo/policy.h>
#include <kozo/print.h>
#include <kozo/slots.h>
#include <kozo/start.h>
#include <kozo/string.h>
#include <kozo/system.h>
#include <kozo/time.h>

static struct kozo_msg message;

static void check_err(const char *name, enum kozo_err got, enum kozo_err want)
{
    if (got != want)
        kozo_printf("%s: %s\n", name, kozo_err_text(got));
    check(name, got, want);
}

/* ---- init's side ---- */

static struct kozo_endpoint named(const char *name)
{
    kozo_msg_init(&message);
    return kozo_cap_endpoint(name);
}

static enum kozo_err kill_by(kozo_cptr power, const char *service)
{
    struct system_kill_rep rep;

    kozo_msg_init(&message);
    return system_call_kill((struct kozo_endpoint){ power }, &message,
                            &(struct system_kill_req){ .name = kozo_str(service) }, &rep);
}

static enum kozo_err end_by(const char *cap, const char *service)
{
    return kill_by(kozo_cap(cap), service);
}

static enum kozo_err restart_by(const char *cap, const char *service)
{
    struct system_restart_rep rep;

    return system_call_restart(named(cap), &message,
                               &(struct system_restart_req){ .name = kozo_str(service) }, &rep);
}

static enum kozo_err crash_by(const char *cap, const char *service, uint64_t thread)
{
    struct system_crash_rep rep;

    return system_call_crash(named(cap), &message,
                             &(struct system_crash_req){ kozo_str(service), thread }, &rep);
}

static uint64_t stat_of(uint64_t which)
{
    struct system_stat_rep rep;

    return system_call_stat(named("system"), &message, &(struct system_stat_req){ .which = which },
                            &rep) == KOZO_OK
               ? rep.value
               : UINT64_MAX;
}

static bool look_at(const char *service, struct system_service_rep *rep)
{
    for (uint64_t i = 0;
         system_call_service(named("system"), &message, &(struct system_service_req){ .index = i },
                             rep) == KOZO_OK;
         i++)
        if (kozo_str_is(rep->name, service))
            return true;
    return false;
}

static void wait_for_ready(void)
{
    struct system_wait_rep rep;

    (void)kozo_ready();
    (void)system_call_wait(named("system"), &message, &(struct system_wait_req){}, &rep);
}

/*
 * Time for all others, in small steps: where the machine stands still that long, one of them is
 * over, and the others run in the rest.
 */
static void rest(uint64_t ms)
{
    for (; ms >= 20; ms -= 20)
        (void)kozo_sleep(20 * KOZO_MS);
}

[[noreturn]] static void finish(void)
{
    struct system_end_rep rep;

    kozo_printf("warden is done, %llu wrong\n", (unsigned long long)wrong);
    (void)system_call_end(named("system"), &message, &(struct system_end_req){ .status = wrong },
                          &rep);
    kozo_exit(1);
}

/* ---- a server that is restarted ---- */

static enum kozo_err use_fs(void)
{
    struct fs_stat_rep rep;

    return fs_call_stat(named("fs"), &message, &(struct fs_stat_req){}, &rep);
}

static enum kozo_err use(struct kozo_file *file)
{
    char byte;

    return kozo_file_read(file->cap, 0, &byte, 1).err;
}

static enum kozo_err connect_to(const char *name)
{
    struct log_connect_rep rep;

    return log_call_connect(named("log"), &message,
                            &(struct log_connect_req){ .name = kozo_str(name) }, &rep);
}

static void check_reconnect(void)
{
    struct kozo_file file = kozo_file_open(named("fs"), "etc/motd", KOZO_FILE_READ);
    struct system_service_rep rep;

    check_err("a file is read", use(&file), KOZO_OK);
    check_err("without the right nobody is killed", end_by("system", "fsd"), KOZO_ERR_RIGHTS);
    check_err("restart of nobody", restart_by("process", "nobody"), KOZO_ERR_NOT_FOUND);
    check_err("a restart", restart_by("process", "fsd"), KOZO_OK);
    check_err("the old capability is gone", use_fs(), KOZO_ERR_EMPTY);
    check_err("and a file's", use(&file), KOZO_ERR_EMPTY);
    check_err("reconnect", kozo_reconnect("fs"), KOZO_OK);
    check_err("and it works", use_fs(), KOZO_OK);
    check_err("reconnect what is well", kozo_reconnect("fs"), KOZO_OK);
    check_err("reconnect what was never given", kozo_reconnect("none"), KOZO_ERR_EMPTY);
    check_err("connect to what the section does not name", connect_to("console"),
              KOZO_ERR_NOT_FOUND);
    for (int i = 0; i < 50; i++)
        (void)connect_to("console");
    check("fsd runs", look_at("fsd", &rep) ? rep.state : 9, KOZO_SYSTEM_RUNS);
    check("its second life", rep.life, 2);
    check("one restart", rep.restarts, 1);
    check("its end is told", kozo_str_is(rep.end, "restarted by warden"), true);
    check("it uses memory, and not all", rep.used > 0 && rep.used <= rep.memory, true);
    check("it has two threads", rep.threads, 2);
    (void)kozo_sleep(KOZO_S); /* the count of what was refused is told then */
}

/* Its section waits long before it starts again: calls made meanwhile wait for it. */
static void check_backoff(void)
{
    struct system_service_rep rep;
    uint64_t began;

    check_err("a kill", end_by("process", "fsd"), KOZO_OK);
    check("it waits", look_at("fsd", &rep) ? rep.state : 9, KOZO_SYSTEM_WAITS);
    check("not long", rep.again > 0 && rep.again <= 2 * KOZO_S, true);
    began = kozo_now();
    check_err("connect meanwhile", kozo_reconnect("fs"), KOZO_OK);
    check_err("a call meanwhile is served", use_fs(), KOZO_OK);
    check("when it runs again", kozo_now() - began >= 100 * KOZO_MS, true);
    check("it has been restarted twice", look_at("fsd", &rep) ? rep.restarts : 9, 2);
    check_err("a kill again", end_by("process", "fsd"), KOZO_OK);
    check_err("and while it waits", end_by("process", "fsd"), KOZO_OK);
    check("that ends it", look_at("fsd", &rep) ? rep.state : 9, KOZO_SYSTEM_ENDED);
    check_err("nobody to connect to", kozo_reconnect("fs"), KOZO_ERR_GONE);
    check_err("a kill of what has ended", end_by("process", "fsd"), KOZO_ERR_STATE);
    check_err("it can be restarted", restart_by("process", "fsd"), KOZO_OK);
    check_err("and connected to", kozo_reconnect("fs"), KOZO_OK);
    check_err("and used", use_fs(), KOZO_OK);
}

/* ---- policy ---- */

static void check_leases(void)
{
    struct kozo_grant dir, g, again;
    struct kozo_file below;
    uint64_t until;

    check_err("a directory",
              kozo_request("fs:/etc", RIGHT_READ | RIGHT_LIST, "to open what is below", &dir),
              KOZO_OK);
    below = kozo_file_open(dir.cap, "motd", RIGHT_READ);
    check_err("what is below is opened", below.err, KOZO_OK);
    check_err("a grant", kozo_request("fs:/etc/motd", RIGHT_READ, "to outlive policy", &g),
              KOZO_OK);
    until = kozo_now() + g.lease_ms * KOZO_MS;
    check_err("policy is restarted", restart_by("process", "policy"), KOZO_OK);
    check_err("policy's capability is gone",
              kozo_request("fs:/etc/motd", RIGHT_READ, "too early", &again), KOZO_ERR_EMPTY);
    check_err("what it granted is there", use(&(struct kozo_file){ .cap = g.cap }), KOZO_OK);
    check_err("and what was opened below", use(&below), KOZO_OK);
    check_err("reconnect to policy", kozo_reconnect("policy"), KOZO_OK);
    check_err("a grant of its next life",
              kozo_request("fs:/etc/motd", RIGHT_READ, "the second", &again), KOZO_OK);
    check_err("the first grant is there still", use(&(struct kozo_file){ .cap = g.cap }), KOZO_OK);
    check_err("what was opened below, too", use(&below), KOZO_OK);
    (void)kozo_sleep_until(until);
    rest(300);
    check_err("and ends in time", use(&(struct kozo_file){ .cap = g.cap }), KOZO_ERR_EMPTY);
    check_err("with what was opened below", use(&below), KOZO_ERR_EMPTY);
}

/* ---- what one gives ---- */

constexpr uint32_t gifts = 4, most = 2;

/* Receives them all; where those of a number came, by its slot. */
static void take_gifts(kozo_cptr at[gifts])
{
    struct kozo_endpoint serve = kozo_cap_endpoint("serve");
    kozo_cptr slot = kozo_slots_alloc(gifts * most);

    for (uint32_t i = 0; i < gifts; i++) {
        kozo_msg_init(&message);
        kozo_msg_window(&message, slot + i * most, most);
        check_err("something is given", kozo_recv(serve, &message), KOZO_OK);
        check("its number", message.label >= 1 && message.label <= gifts, true);
        check("its capabilities came", message.received, message.label >= 3 ? 1 : 3);
        at[(message.label - 1) % gifts] = slot + i * most;
        (void)kozo_reply(&message);
    }
}

static enum kozo_err use_at(kozo_cptr file) { return use(&(struct kozo_file){ .cap = { file } }); }

/* The power that stays when its giver begins a new life is nobody's any more. */
static void check_power(kozo_cptr power)
{
    check_err("the power works", kill_by(power, "nobody"), KOZO_ERR_NOT_FOUND);
    check_err("its giver begins again", restart_by("process", "policy"), KOZO_OK);
    check_err("that of a life that is over does not", kill_by(power, "nobody"), KOZO_ERR_STALE);
}

/* Until the giver's next life has spoken to fsd: that comes before what it gives. */
static void await_next_life(void)
{
    kozo_cptr slot = kozo_slots_alloc(most);

    check_err("the giver begins again", restart_by("process", "giver"), KOZO_OK);
    kozo_msg_init(&message);
    kozo_msg_window(&message, slot, most);
    check_err("it gives again", kozo_recv(kozo_cap_endpoint("serve"), &message), KOZO_OK);
    check("the first again", message.label, 4);
    check_err("what it opens now works", use_at(slot), KOZO_OK);
}

static void keep(void)
{
    kozo_cptr at[gifts] = {};

    take_gifts(at);
    check_err("what its giver was born with works",
              fs_call_stat((struct kozo_endpoint){ at[0] }, &message, &(struct fs_stat_req){},
                           &(struct fs_stat_rep){}),
              KOZO_OK);
    check_err("what its giver opened works", use_at(at[0] + 1), KOZO_OK);
    check_err("what is of a second CNode works", use_at(at[1]), KOZO_OK);
    check_err("what is of a third in that works", use_at(at[1] + 1), KOZO_OK);
    check_err("what it gave for good works", use_at(at[3]), KOZO_OK);
    check_err("the giver is killed", end_by("process", "giver"), KOZO_OK);
    check_err("what it was born with is taken back", use_at(at[0]), KOZO_ERR_EMPTY);
    check_err("what it opened, too", use_at(at[0] + 1), KOZO_ERR_EMPTY);
    check_err("what it kept in a second CNode, too", use_at(at[1]), KOZO_ERR_EMPTY);
    check_err("and in a third", use_at(at[1] + 1), KOZO_ERR_EMPTY);
    check_err("what it gave for good is there", use_at(at[3]), KOZO_OK);
    await_next_life();
    check_err("until its next life is heard of", use_at(at[3]), KOZO_ERR_EMPTY);
    check_power(at[2]);
}

/* ---- what the slots of a service are called ---- */

/* The user rights of what is called so; 0 = nothing is. */
static uint8_t rights_of(uint64_t index, const char *name)
{
    struct system_cap_req req = { .index = index };
    struct system_cap_rep rep;

    while (system_call_cap(named("system"), &message, &req, &rep) == KOZO_OK) {
        if (kozo_str_is(rep.name, name))
            return KOZO_VERIFY_USER(rep.what);
        req.from = rep.slot + 1;
    }
    return 0;
}

static uint64_t index_of(const char *service)
{
    struct system_service_rep rep;
    uint64_t i = 0;

    while (system_call_service(named("system"), &message, &(struct system_service_req){ i },
                               &rep) == KOZO_OK &&
           !kozo_str_is(rep.name, service))
        i++;
    return i;
}

/* Also when it was born without one of them, because who provides that had ended. */
static void check_names(void)
{
    uint64_t late = index_of("late");

    check("what is provided has its name", rights_of(late, "brief"), 0xff);
    check_err("who provides it is killed", end_by("process", "brief"), KOZO_OK);
    check_err("who has it begins again", restart_by("process", "late"), KOZO_OK);
    check("nothing has that name", rights_of(late, "brief"), 0);
    check("what follows has its own", rights_of(late, "fs"), RIGHTS_ALL);
    check("and what is for faults", rights_of(late, "fault"), 32);
}

/* ---- one with more capabilities to threads than threads ---- */

/* Whom it waits for is found by few calls for each slot. The clock counts instructions. */
static void check_hoard(void)
{
    struct system_thread_req req = { .index = index_of("hoard") };
    struct system_thread_rep rep;
    struct system_service_rep service;
    uint64_t began;

    check_err("it calls", kozo_recv(kozo_cap_endpoint("serve"), &message), KOZO_OK);
    check("it has two threads for all that", look_at("hoard", &service) && service.threads == 2,
          true);
    began = kozo_now();
    check_err("its first thread is told", system_call_thread(named("system"), &message, &req, &rep),
              KOZO_OK);
    check("and whom it waits for", kozo_str_is(rep.waits, "warden"), true);
    began = kozo_now() - began;
    kozo_printf("that took %llu instructions\n", (unsigned long long)began);
    check("in little time", began < 2 * KOZO_MS, true);
}

/* ---- many lives ---- */

/* Until it lives its life after number `life`; at once, as a rule: it is more urgent than this. */
static bool lives_again(const char *service, uint64_t life)
{
    struct system_service_rep rep = {};

    while (!look_at(service, &rep) || rep.state != KOZO_SYSTEM_RUNS || rep.life <= life) {
        if (rep.state == KOZO_SYSTEM_ENDED) {
            kozo_printf("%s: ended, life %llu\n", service, (unsigned long long)rep.life);
            return false;
        }
        (void)kozo_sleep(KOZO_MS);
    }
    return true;
}

/* A fault ends the life under way, and the next one begins. */
static enum kozo_err crash_once(const char *service)
{
    struct system_service_rep rep;
    enum kozo_err err;

    if (!look_at(service, &rep) || rep.state != KOZO_SYSTEM_RUNS)
        return KOZO_ERR_STATE;
    err = crash_by("process", service, 0);
    if (err != KOZO_OK)
        return err;
    return lives_again(service, rep.life) ? KOZO_OK : KOZO_ERR_TIMEOUT;
}

/*
 * The service of the demonstration ends by itself after a while, is started only when it is asked
 * for, and asks policy, of whose answers nobody reads the records. Returns how often it was
 * started.
 */
static uint64_t crash_demo_once(const char *service)
{
    for (uint64_t starts = 1;; starts++) {
        (void)policy_call_drain(named("policy-admin"), &message,
                                &(struct policy_drain_req){ UINT64_MAX },
                                &(struct policy_drain_rep){});
        if (restart_by("process", service) != KOZO_OK || crash_by("process", service, 0) == KOZO_OK)
            return starts;
    }
}

/* What there is of what a life could leave behind. */
enum { LIVES_COUNTED = 5 };

static const struct {
    const char *name;
    uint64_t which;
} counted[LIVES_COUNTED - 1] = { { "threads", KOZO_STAT_THREADS_FREE },
                                 { "capabilities", KOZO_STAT_CAPS },
                                 { "bytes", KOZO_STAT_BYTES_FREE },
                                 { "init's slots", KOZO_SYSTEM_SLOTS } };

static uint64_t count_leases(void)
{
    struct policy_leases_req req = {};
    struct policy_leases_rep rep;
    uint64_t n = 0;

    while (policy_call_leases(named("policy-admin"), &message, &req, &rep) == KOZO_OK) {
        n++;
        req.from = rep.lease + 1;
    }
    return n;
}

static void measure(uint64_t values[LIVES_COUNTED])
{
    rest(500); /* leases of lives that are over end */
    (void)kozo_reconnect("policy-admin");
    for (unsigned i = 0; i < LIVES_COUNTED - 1; i++)
        values[i] = stat_of(counted[i].which);
    values[LIVES_COUNTED - 1] = count_leases();
}

/* So many lives end by a fault; returns how many began. */
static uint64_t crash_lives(const char *service, uint64_t times)
{
    bool demo = strcmp(service, "hello") == 0;
    enum kozo_err err = KOZO_OK;
    uint64_t starts = 0;

    for (uint64_t i = 0; i < times && err == KOZO_OK; i++) {
        err = demo ? KOZO_OK : crash_once(service);
        starts += demo ? crash_demo_once(service) : 1;
    }
    check_err(service, err, KOZO_OK);
    return starts;
}

static void crash_often(const char *service, uint64_t times)
{
    uint64_t before[LIVES_COUNTED], after[LIVES_COUNTED], began, restarts;
    struct system_service_rep rep;

    (void)crash_lives(service, 3);
    measure(before);
    restarts = look_at(service, &rep) ? rep.restarts : 0;
    began = kozo_now();
    restarts += crash_lives(service, times);
    kozo_printf("%llu lives of %s in %llu ms\n", (unsigned long long)times, service,
                (unsigned long long)((kozo_now() - began) / KOZO_MS));
    measure(after);
    check("its restarts are counted", look_at(service, &rep) ? rep.restarts : 0, restarts);
    for (unsigned i = 0; i < LIVES_COUNTED - 1; i++)
        check(counted[i].name, after[i], before[i]);
    check("leases", after[LIVES_COUNTED - 1], before[LIVES_COUNTED - 1]);
}

static void crash_all(int argc, char **argv)
{
    uint64_t times = 0;

    (void)kozo_parse_u64(argv[2], strlen(argv[2]), &times);
    for (int i = 3; i < argc; i++)
        crash_often(argv[i], times);
}

/* Its start fails, again and again, and init has time for others. */
static void check_unable(void)
{
    struct system_service_rep rep = {};

    check_err("a kill", end_by("process", "console"), KOZO_OK);
    (void)kozo_sleep(KOZO_S);
    check("it waits to be tried again", look_at("console", &rep) ? rep.state : 9,
          KOZO_SYSTEM_WAITS);
    check("and was tried a few times", rep.restarts >= 2 && rep.restarts < 5, true);
    check_err("others are served", use_fs(), KOZO_OK);
}

/* Looks until the service has crashed by itself so often that it is given up. */
static void check_limit(void)
{
    struct system_service_rep rep = {};

    do
        (void)kozo_sleep(50 * KOZO_MS);
    while (look_at("late", &rep) && rep.state != KOZO_SYSTEM_ENDED);
    check("it is given up", rep.state, KOZO_SYSTEM_ENDED);
    check("after three restarts", rep.restarts, 3);
    check("and four lives", rep.life, 4);
}

/* ---- one that takes all it can get ---- */

constexpr uint32_t answers = 50;

/* Who types at the shell makes a file of this name. */
static void wait_for_file(const char *path)
{
    for (struct kozo_file f = { .err = KOZO_ERR_NOT_FOUND }; f.err != KOZO_OK;) {
        (void)kozo_sleep(20 * KOZO_MS);
        f = kozo_file_open(named("fs"), path, KOZO_FILE_READ);
        if (f.err == KOZO_OK)
            (void)kozo_file_close(f.cap);
    }
}

/* The others are served while it does that, and nothing of it is left behind. */
static void check_greedy(void)
{
    uint64_t before[LIVES_COUNTED], after[LIVES_COUNTED], bad = 0;
    struct kozo_grant g;

    check_err("the greedy one is killed", end_by("process", "greedy"), KOZO_OK);
    check_err("and who asks, too", end_by("process", "asker"), KOZO_OK);
    wait_for_file("ram/begin");
    rest(1200); /* what it had on lease ends */
    measure(before);
    check_err("both begin again", restart_by("process", "asker"), KOZO_OK);
    check_err("both, yes", restart_by("process", "greedy"), KOZO_OK);
    check_err("it has taken all", kozo_recv(kozo_cap_endpoint("serve"), &message), KOZO_OK);
    (void)kozo_reply(&message);
    for (uint32_t i = 0; i < answers; i++)
        bad += use_fs() != KOZO_OK;
    check("fsd answers", bad, 0);
    check_err("policy grants", kozo_request("fs:/etc/motd", RIGHT_READ, "fair share", &g), KOZO_OK);
    check_err("and takes back", kozo_release(&g), KOZO_OK);
    check("init answers", stat_of(KOZO_STAT_CAPS) != UINT64_MAX, true);
    kozo_printf("all answer\n");
    wait_for_file("ram/enough");
    check_err("the greedy one is killed again", end_by("process", "greedy"), KOZO_OK);
    check_err("and who asks, again", end_by("process", "asker"), KOZO_OK);
    rest(1200); /* its leases end */
    measure(after);
    for (unsigned i = 0; i < LIVES_COUNTED - 1; i++)
        check(counted[i].name, after[i], before[i]);
}

/* ---- the terminal ---- */

[[noreturn]] static void restart_terminal(void)
{
    check_err("console is restarted", restart_by("process", "console"), KOZO_OK);
    rest(400); /* the shell ends, and comes back */
    check_err("shell is restarted", restart_by("process", "shell"), KOZO_OK);
    kozo_printf("both begin again\n");
    (void)kozo_sleep(3600 * KOZO_S);
    kozo_exit(0);
}

int main(int argc, char **argv)
{
    const char *how = argc > 1 ? argv[1] : "";

    kozo_msg_init(&message);
    wait_for_ready();
    if (strcmp(how, "terminal") == 0)
        restart_terminal();
    if (strcmp(how, "reconnect") == 0) {
        check_reconnect();
        check_backoff();
    } else if (strcmp(how, "hoard") == 0) {
        check_hoard();
    } else if (strcmp(how, "greedy") == 0) {
        check_greedy();
    } else if (strcmp(how, "leases") == 0) {
        check_leases();
    } else if (strcmp(how, "keep") == 0) {
        keep();
        check_names();
    } else if (strcmp(how, "lives") == 0 && argc > 3) {
        crash_all(argc, argv);
    } else if (strcmp(how, "unable") == 0) {
        check_unable();
    } else if (strcmp(how, "limit") == 0) {
        check_limit();
    } else {
        wrong++;
    }
    finish();
}
