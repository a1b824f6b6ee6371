/* SPDX-License-Identifier: MIT */
#include "policy/person.h"
#include "common/rights.h"

#include <kozo/console.h>
#include <kozo/slots.h>
#include <kozo/start.h>
#include <kozo/string.h>
#include <kozo/syscall.h>
#include <kozo/time.h>
#include <kozo/worker.h>

#include <stdatomic.h>

constexpr uint64_t busy_wait =
    100 * KOZO_MS; /* for the terminal to be free of an earlier question */
constexpr uint32_t busy_tries = 20;
constexpr uint64_t tell_patience = KOZO_S;

/*
 * The first thread asks (ASKED) and takes back (TAKEN_BACK), the other one ends both. `why` is the
 * first thread's until the state is TAKEN_BACK, all else until it is ASKED.
 */
static struct {
    _Atomic enum person_state state;
    uint64_t order;
    struct console_ask_req question;
    char who[POLICY_WHO], object[OBJECT_BYTES + 1], reason[80], rights[RIGHTS_TEXT];
    char why[128];
    struct kozo_notification work;
    kozo_cptr back; /* to policy's own port */
    struct kozo_worker worker;
} person;

/* ---- the other thread ---- */

static struct kozo_endpoint console(void) { return kozo_cap_endpoint("console-ask"); }

/* The console has ended: before it took the question, while it had it, or it had put it aside. */
static bool is_lost(enum kozo_err err)
{
    return err == KOZO_ERR_EMPTY || err == KOZO_ERR_GONE || err == KOZO_ERR_DROPPED;
}

/* Until there is an answer, or the question has been taken back. */
static enum person_state ask(void)
{
    struct console_ask_rep rep;
    uint32_t tries = 0;
    struct kozo_msg m;
    enum kozo_err err;

    kozo_msg_init(&m);
    for (;;) {
        if (person.state == PERSON_TAKEN_BACK)
            return PERSON_WITHDRAWN;
        err = console_call_ask(console(), &m, &person.question, &rep);
        if (err == KOZO_OK)
            return rep.yes == 1 ? PERSON_SAYS_YES : PERSON_SAYS_NO;
        if (err == KOZO_ERR_CANCELLED)
            continue;
        if (tries++ == busy_tries || (is_lost(err) && kozo_reconnect("console-ask") != KOZO_OK) ||
            (!is_lost(err) && err != KOZO_ERR_IN_USE))
            return PERSON_UNREACHABLE;
        (void)kozo_sleep(busy_wait);
    }
}

static void say_why(void)
{
    struct console_tell_rep rep;
    struct kozo_msg m;

    kozo_msg_init(&m);
    kozo_msg_deadline(&m, kozo_now() + tell_patience);
    while (console_call_tell(console(), &m,
                             &(struct console_tell_req){ .text = kozo_str(person.why) },
                             &rep) == KOZO_ERR_CANCELLED)
        ;
}

static void report(void)
{
    struct kozo_msg m;

    kozo_msg_init(&m);
    while (kozo_send((struct kozo_endpoint){ person.back }, &m) == KOZO_ERR_CANCELLED)
        ;
}

/* One question, or the reason why there is none any more. */
static void serve(void)
{
    enum person_state asked = PERSON_ASKED, end = PERSON_WITHDRAWN;

    if (person.state == PERSON_ASKED)
        end = ask();
    if (atomic_compare_exchange_strong(&person.state, &asked, end))
        return;
    if (end != PERSON_UNREACHABLE)
        say_why();
    person.state = end == PERSON_UNREACHABLE ? end : PERSON_WITHDRAWN;
}

static void run(void *arg)
{
    (void)arg;
    for (;;) {
        (void)kozo_wait(person.work);
        if (person.state != PERSON_ASKED && person.state != PERSON_TAKEN_BACK)
            continue;
        serve();
        report();
    }
}

/* ---- policy's first thread ---- */

static bool make(struct kozo_endpoint port)
{
    person.work.c = kozo_slot_alloc();
    person.back = kozo_slot_alloc();
    return kozo_retype(kozo_own_untyped(), KOZO_KIND_NOTIFICATION, 0, kozo_own(person.work.c), 1) ==
               KOZO_OK &&
           kozo_cap_mint(kozo_own(person.back), kozo_own(port.c), KOZO_RIGHTS(KOZO_WRITE, 0),
                         PERSON_BADGE)
                   .err == KOZO_OK;
}

/* As urgent as may be, below the drivers. */
static bool start(void)
{
    static const uint32_t priorities[] = { 40, 100, 254 };

    for (uint32_t i = 0; i < sizeof priorities / sizeof priorities[0]; i++)
        if (kozo_worker_start(&person.worker,
                              &(struct kozo_worker_options){ .priority = priorities[i] }, run,
                              nullptr) == KOZO_OK)
            return true;
    return false;
}

bool person_begin(struct kozo_endpoint port)
{
    if (console().c == 0 || kozo_own_untyped().c == 0 || !make(port))
        return false;
    person.state = PERSON_IDLE;
    if (!start())
        person.state = PERSON_NONE;
    return person_is_there();
}

void person_ask(const struct consent_request *r, struct kozo_str who)
{
    kozo_str_copy(person.who, sizeof person.who, who);
    kozo_str_copy(person.object, sizeof person.object, kozo_str(r->object));
    kozo_str_copy(person.reason, sizeof person.reason, kozo_str(r->why));
    (void)rights_text_of(person.rights, kozo_str(r->object), (uint8_t)r->rights);
    person.question = (struct console_ask_req){ .who = kozo_str(person.who),
                                                .object = kozo_str(person.object),
                                                .rights = kozo_str(person.rights),
                                                .reason = kozo_str(person.reason),
                                                .tier = r->answer.tier,
                                                .lease_ms = r->answer.lease_ms,
                                                .until = r->until };
    person.order = r->order;
    person.state = PERSON_ASKED;
    (void)kozo_signal(person.work, 1);
}

void person_withdraw(const char *why)
{
    enum person_state was = person.state;

    if (was == PERSON_NONE || was == PERSON_TAKEN_BACK)
        return;
    strlcpy(person.why, why, sizeof person.why);
    if (atomic_exchange(&person.state, PERSON_TAKEN_BACK) == PERSON_ASKED) {
        (void)kozo_thread_suspend(person.worker.thread);
        (void)kozo_thread_resume(person.worker.thread);
    }
    (void)kozo_signal(person.work, 1);
}

enum person_state person_take(uint64_t *order)
{
    enum person_state state = person.state;

    *order = person.order;
    if (state > PERSON_TAKEN_BACK)
        person.state = PERSON_IDLE;
    return state;
}

bool person_is_idle(void) { return person.state == PERSON_IDLE; }

bool person_is_there(void) { return person.state != PERSON_NONE; }
