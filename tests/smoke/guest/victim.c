/* SPDX-License-Identifier: MIT */
/*
 * victim - a service that crashes, or gives away what it has: victim HOW [WORD...]
 *
 * It is no test program of its own: tests/smoke/test_supervise.py puts it into the manifest beside
 * the warden, which looks at what becomes of it.
 */
#include <kozo/file.h>
#include <kozo/layout.h>
#include <kozo/log.h>
#include <kozo/print.h>
#include <kozo/slots.h>
#include <kozo/stack.h>
#include <kozo/start.h>
#include <kozo/string.h>
#include <kozo/system.h>
#include <kozo/syscall.h>
#include <kozo/time.h>
#include <kozo/worker.h>

static struct kozo_msg message;

static struct kozo_endpoint named(const char *name)
{
    kozo_msg_init(&message);
    return kozo_cap_endpoint(name);
}

[[noreturn]] static void stay(void)
{
    (void)kozo_sleep(3600 * KOZO_S);
    kozo_exit(0);
}

static void wait_for_ready(void)
{
    struct system_wait_rep rep;

    (void)kozo_ready();
    (void)system_call_wait(named("system"), &message, &(struct system_wait_req){}, &rep);
}

/* ---- one that gives ---- */

/* Sends these capabilities away, as the message of this number. */
static void give_two(uint32_t number, struct kozo_cap_desc a, struct kozo_cap_desc b)
{
    kozo_msg_begin(&message, number);
    kozo_put_cap(&message, a);
    kozo_put_cap(&message, b);
    (void)kozo_call(kozo_cap_endpoint("keep"), &message);
}

/* A file that it keeps at `to`, and all that is to be given away: made from that. */
static struct kozo_cap_desc hide(struct kozo_place to)
{
    struct kozo_file file = kozo_file_open(named("fs"), "etc/motd", KOZO_FILE_READ);
    kozo_cptr made = kozo_slot_alloc();

    if (kozo_cap_copy(kozo_own(made), kozo_own(file.cap.c), KOZO_SAME_RIGHTS) != KOZO_OK ||
        kozo_cap_move(to, kozo_own(file.cap.c)) != KOZO_OK)
        kozo_fatal("nothing to hide");
    return (struct kozo_cap_desc){ .slot = (uint32_t)made, .flags = KOZO_CAP_MOVE };
}

/* In a CNode, and in one that is nowhere but in that; which holds the first, too. */
static void give_hidden(void)
{
    struct kozo_cnode second = { kozo_slot_alloc() }, third = { kozo_slot_alloc() };
    struct kozo_cap_desc a, b;

    if (kozo_retype(kozo_own_untyped(), KOZO_KIND_CNODE, 4, kozo_own(second.c), 1) != KOZO_OK ||
        kozo_retype(kozo_own_untyped(), KOZO_KIND_CNODE, 4, kozo_own(third.c), 1) != KOZO_OK)
        kozo_fatal("no CNodes");
    a = hide(kozo_in(second, 9));
    b = hide(kozo_in(third, 15));
    if (kozo_cap_copy(kozo_in(third, 3), kozo_own(second.c), KOZO_SAME_RIGHTS) != KOZO_OK ||
        kozo_cap_move(kozo_in(second, 1), kozo_own(third.c)) != KOZO_OK)
        kozo_fatal("no CNode in a CNode");
    give_two(2, a, b);
}

/* What it has no more itself is nothing that could be taken back from it. */
static void give_for_good(void)
{
    struct kozo_file file = kozo_file_open(named("fs"), "etc/motd", KOZO_FILE_READ);

    give_two(4, kozo_give(file.cap.c, KOZO_RIGHTS_ALL, 0xff), (struct kozo_cap_desc){});
    if (kozo_cap_delete(kozo_own(file.cap.c)) != KOZO_OK)
        kozo_fatal("nothing to delete");
}

[[noreturn]] static void give(void)
{
    struct kozo_file file = kozo_file_open(named("fs"), "etc/motd", KOZO_FILE_READ);

    (void)kozo_ready();
    give_for_good(); /* first: what follows tells that it is done */
    give_two(1, kozo_give(kozo_cap("fs"), KOZO_RIGHTS_ALL, 0xff),
             kozo_give(file.cap.c, KOZO_RIGHTS_ALL, 0xff));
    give_hidden();
    stay();
}

/* In the place of policy: what it gives outlives it, as leases do. */
[[noreturn]] static void give_power(void)
{
    (void)kozo_ready();
    give_two(3, kozo_give(kozo_cap("process"), KOZO_RIGHTS_ALL, 0xff), (struct kozo_cap_desc){});
    stay();
}

/* ---- faults ---- */

[[gnu::noinline]] static uint64_t fall(volatile uint64_t *depth)
{
    volatile uint64_t here[16] = { *depth };

    return *depth == 0 ? 0 : fall(here) + here[0];
}

static void (*volatile nowhere)(void);

[[gnu::noinline]] static void inner(const char *how)
{
    if (strcmp(how, "fall") == 0)
        (void)fall((uint64_t[]){ 1 });
    if (strcmp(how, "jump") == 0)
        nowhere();
    if (strcmp(how, "constant") == 0)
        *(volatile char *)(uintptr_t)how = 'x';
    __asm__ volatile("mov $0x1234567890abcdef, %%r12; movl $1, 8" : : : "r12", "memory");
}

[[gnu::noinline]] static void outer(const char *how)
{
    inner(how);
    kozo_printf("never said\n");
}

/* ---- further threads ---- */

static struct kozo_worker worker[2];

static void worker_crashes(void *)
{
    outer("");
}

/* What it noted about its stack leads to no page. */
static void worker_lies(void *)
{
    struct kozo_stack_mark *m = (void *)(worker[1].part + KOZO_STACK_MARK_AT);

    m->slot = UINT64_MAX - 2;
    m->pages = KOZO_LAYOUT_THREAD_BYTES / KOZO_PAGE_SIZE;
    outer("");
}

static void worker_ends(void *) {}

/* A thread that ends is nobody's business; what becomes of one that crashes is its handler's. */
[[noreturn]] static void crash_in_thread(struct kozo_endpoint fault, void (*crash)(void *))
{
    struct kozo_worker_options o = { .priority = 200, .fault = fault };

    if (kozo_worker_start(&worker[0], &o, worker_ends, nullptr) != KOZO_OK)
        kozo_fatal("no first thread");
    (void)kozo_sleep(50 * KOZO_MS);
    kozo_printf("lives on after the first\n");
    if (kozo_worker_start(&worker[1], &o, crash, nullptr) != KOZO_OK)
        kozo_fatal("no second thread");
    while (kozo_thread_info(worker[1].thread).state != KOZO_THREAD_FAULTED)
        (void)kozo_sleep(20 * KOZO_MS);
    kozo_printf("lives on after the second\n");
    stay();
}

/* As many capabilities to one thread as it has slots; then it waits for what does not come. */
[[noreturn]] static void hoard(void)
{
    struct kozo_worker_options o = { .priority = 200, .stopped = true };
    kozo_cptr slot;

    if (kozo_worker_start(&worker[0], &o, worker_ends, nullptr) != KOZO_OK)
        kozo_fatal("no thread");
    while ((slot = kozo_slot_alloc()) != 0)
        (void)kozo_cap_copy(kozo_own(slot), kozo_own(worker[0].thread.c), KOZO_SAME_RIGHTS);
    (void)kozo_call(named("keep"), &message);
    kozo_exit(1);
}

/* ---- one that says to init whatever can be said ---- */

/*
 * In seven forms: calls with none to three words, all zero behind; all words, sent so that nobody
 * waits; one more than all; and the longest, with a capability.
 */
static void say(struct kozo_endpoint to, uint32_t label, uint64_t word, uint32_t form)
{
    static const uint8_t filled[] = { 0, 1, 2, 3, KOZO_MSG_REGS, KOZO_MSG_REGS + 1,
                                      KOZO_MSG_WORDS };

    kozo_msg_init(&message);
    message.label = label;
    message.nwords = filled[form] < KOZO_MSG_REGS ? KOZO_MSG_REGS : filled[form];
    for (uint32_t i = 0; i < filled[form]; i++)
        message.word[i] = word;
    if (form == 6)
        kozo_put_cap(&message, (struct kozo_cap_desc){ .slot = (uint32_t)kozo_cap("system") });
    if (form == 4)
        (void)kozo_send(to, &message);
    else
        (void)kozo_call(to, &message);
}

/* By a capability with these user rights: all that may be said without ending anything. */
static void say_all(const char *name, uint8_t user)
{
    static const uint64_t words[] = { 0, 1, 255, 10000, UINT64_MAX - 1, UINT64_MAX };
    static const uint32_t versions[] = { 0, 0x100, 0x101, 0x200, 0x202, 0xffff };
    struct kozo_endpoint to = { kozo_slot_alloc() };

    if (kozo_cap_copy(kozo_own(to.c), kozo_own(kozo_cap(name)),
                      KOZO_RIGHTS(KOZO_WRITE | KOZO_GRANT, user)) != KOZO_OK)
        kozo_fatal("no %s", name);
    for (uint32_t op = 0; op < 50; op++)
        for (uint32_t v = 0; v < sizeof versions / sizeof versions[0]; v++)
            for (uint32_t w = 0; w < sizeof words / sizeof words[0]; w++)
                for (uint32_t form = 0; form < 7; form++)
                    say(to, versions[v] << 16 | op, words[w], form);
    kozo_slot_drop(to.c);
}

static uint64_t stat_of(uint64_t which)
{
    struct system_stat_rep rep = {};

    (void)system_call_stat(named("system"), &message, &(struct system_stat_req){ which }, &rep);
    return rep.value;
}

[[noreturn]] static void abuse(void)
{
    struct system_end_rep end;
    uint64_t slots, caps;

    for (int i = 0; i < 50; i++)
        (void)kozo_sleep(20 * KOZO_MS); /* the demonstration is over, and its leases */
    slots = stat_of(KOZO_SYSTEM_SLOTS);
    caps = stat_of(KOZO_STAT_CAPS);
    say_all("log", 1);
    say_all("system", KOZO_SYSTEM_LOG | KOZO_SYSTEM_LOOK);
    say_all("process", KOZO_SYSTEM_KILL);
    say_all("fault", 0xff);
    say_all("system", 0);
    kozo_printf("\nit took %llu slots and %llu capabilities\n",
                (unsigned long long)(slots - stat_of(KOZO_SYSTEM_SLOTS)),
                (unsigned long long)(stat_of(KOZO_STAT_CAPS) - caps));
    (void)system_call_end(named("system"), &message, &(struct system_end_req){ .status = 9 }, &end);
    kozo_exit(1);
}

/* ---- one that runs commands ---- */

/* Policy, too, asks about the commands whenever it begins a life. */
[[noreturn]] static void crash_with_commands(void)
{
    struct system_commands_rep rep;

    (void)system_call_commands(named("system"), &message, &(struct system_commands_req){}, &rep);
    (void)system_call_restart(named("process"), &message,
                              &(struct system_restart_req){ kozo_str("policy") },
                              &(struct system_restart_rep){});
    (void)kozo_sleep(200 * KOZO_MS);
    kozo_printf("dies over the commands\n");
    __builtin_trap();
}

/* ---- one in the console's place, and one that reads what is meant for it ---- */

/* All of it, until it tells of the thread that has no handler. */
[[noreturn]] static void read_kernel(void)
{
    static const char stopped[] = " stopped: ";
    struct system_kernel_req req = {};
    struct system_kernel_rep rep;
    struct system_end_rep end;

    bool told = false;

    while (system_call_kernel(named("kernel-log"), &message, &req, &rep) == KOZO_OK &&
           (rep.text.len > 0 || !told)) {
        const char *text = (const char *)rep.text.at;

        for (uint64_t i = 0; i + sizeof stopped - 1 <= rep.text.len; i++)
            told = told || memcmp(text + i, stopped, sizeof stopped - 1) == 0;
        if (rep.text.len == 0)
            (void)kozo_sleep(10 * KOZO_MS);
        req.position = rep.next;
    }
    (void)system_call_end(named("system"), &message, &(struct system_end_req){ .status = 5 }, &end);
    kozo_exit(1);
}

int main(int argc, char **argv)
{
    const char *how = argc > 1 ? argv[1] : "";

    kozo_msg_init(&message);
    if (strcmp(how, "give") == 0)
        give();
    if (strcmp(how, "give-power") == 0)
        give_power();
    wait_for_ready();
    if (strcmp(how, "stay") == 0)
        stay();
    if (strcmp(how, "crash") == 0)
        outer(argc > 2 ? argv[2] : "");
    if (strcmp(how, "thread") == 0)
        crash_in_thread((struct kozo_endpoint){}, worker_crashes);
    if (strcmp(how, "thread-lies") == 0)
        crash_in_thread((struct kozo_endpoint){}, worker_lies);
    if (strcmp(how, "thread-by-log") == 0)
        crash_in_thread(kozo_cap_endpoint("log"), worker_crashes);
    if (strcmp(how, "abuse") == 0)
        abuse();
    if (strcmp(how, "hoard") == 0)
        hoard();
    if (strcmp(how, "read-kernel") == 0)
        read_kernel();
    if (strcmp(how, "crash-with-commands") == 0)
        crash_with_commands();
    return 1;
}
