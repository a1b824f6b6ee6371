/* SPDX-License-Identifier: MIT */
#include "actor.h"

#include <stdio.h>
#include <string.h>

#define TURNS_MAX 20'000u /* more within one plan is a livelock */

struct actors actors;

/* ---- plans ---- */

static const char *const fault_name[FAULT_KINDS] = { "nothing", "preempt",   "deadline",
                                                     "crash",   "drop",      "delay",
                                                     "reorder", "duplicate", "mute" };

const char *plan_text(const struct fault_plan *p)
{
    static char text[160];
    size_t used = 0;

    for (uint32_t i = 0; i < PLAN_FAULTS && p->fault[i].kind != FAULT_NONE; i++)
        used += (size_t)snprintf(
            text + used, sizeof text - used, "%s%s %llu%s%s", i > 0 ? ", " : "",
            fault_name[p->fault[i].kind], (unsigned long long)p->fault[i].n,
            p->fault[i].kind == FAULT_CRASH ? " of " : "",
            p->fault[i].kind == FAULT_CRASH ? actors.actor[p->fault[i].who]->name : "");
    return used > 0 ? text : "nothing goes wrong";
}

bool plan_strikes(enum fault_kind kind)
{
    uint64_t at = kind == FAULT_DEADLINE ? actors.events : actors.messages;

    for (uint32_t i = 0; i < PLAN_FAULTS; i++)
        if (actors.plan.fault[i].kind == kind && !actors.done[i] && at >= actors.plan.fault[i].n)
            return actors.done[i] = true;
    return false;
}

/* It is `a` that crashes now. */
static bool crashes(const struct actor *a)
{
    for (uint32_t i = 0; i < PLAN_FAULTS; i++) {
        const struct planned *f = &actors.plan.fault[i];

        if (f->kind == FAULT_CRASH && !actors.done[i] && actors.events >= f->n &&
            actors.actor[f->who] == a)
            return actors.done[i] = true;
    }
    return false;
}

/*
 * While a call is preempted everybody else has a turn, but for who waits for others within its own.
 */
static void others_turn(void)
{
    struct actor *now = actors.now;

    for (uint32_t i = 0; i < actors.count; i++) {
        struct actor *a = actors.actor[i];

        if (!a->busy && !a->nests && actor_runs(a)) {
            actors.now = a;
            a->busy = true;
            a->turn(a);
            a->busy = false;
        }
    }
    actors.now = now;
}

void actors_begin(const struct fault_plan *plan, void (*idle)(void))
{
    actors = (struct actors){ .plan = *plan, .idle = idle };
}

void actors_arm(void)
{
    for (uint32_t i = 0; i < PLAN_FAULTS; i++)
        if (actors.plan.fault[i].kind == FAULT_PREEMPT)
            host_preempt(actors.plan.fault[i].n, 0);
    host.between = others_turn;
}

/* ---- actors ---- */

void actor_add(struct actor *a)
{
    CHECK(actors.count < ACTORS);
    actors.actor[actors.count++] = a;
}

void actor_start(struct actor *a, struct tcb *t)
{
    a->t = t;
    a->serial = t->serial;
    a->phase = 0;
    kozo_msg_init(&a->m);
}

bool actor_runs(const struct actor *a)
{
    return a->t != nullptr && a->t->serial == a->serial && a->t->state == TCB_READY;
}

uint64_t actor_syscall(struct actor *a, uint64_t deadline, uint64_t number, const uint64_t *arg,
                       uint32_t n)
{
    if (!actor_runs(a))
        return KOZO_ERR_GONE;
    actors.events++;
    if (crashes(a)) {
        host_fault(a->t, KOZO_FAULT_PAGE, 0, KOZO_READ);
        return KOZO_ERR_GONE;
    }
    return host_call(a->t, deadline, number, arg, n);
}

void actor_exchange(struct actor *a, uint64_t number, kozo_cptr cap)
{
    struct kozo_msg *m = &a->m;
    uint64_t arg[2 + KOZO_MSG_REGS] = { cap };
    uint64_t extra = m->nwords > KOZO_MSG_REGS ? m->nwords - KOZO_MSG_REGS : 0;

    if (!actor_runs(a))
        return;
    if (number != KOZO_SYS_RECV) {
        arg[1] = (uint64_t)m->label << KOZO_INFO_LABEL_SHIFT | INFO_CAPS(m->ncaps) | extra;
        memcpy(&arg[2], m->word, KOZO_MSG_REGS * sizeof(uint64_t));
        memcpy(a->t->buffer->word, &m->word[KOZO_MSG_REGS], extra * sizeof(uint64_t));
        memcpy(a->t->buffer->cap, m->cap, m->ncaps * sizeof m->cap[0]);
    }
    if (m->recv_count != 0) {
        arg[1] |= KOZO_INFO_RECV_CAPS;
        a->t->buffer->recv_slot = m->recv_slot;
        a->t->buffer->recv_count = m->recv_count;
    }
    if (m->timed)
        arg[1] |= KOZO_INFO_DEADLINE;
    (void)actor_syscall(a, m->deadline, number, arg, 2 + KOZO_MSG_REGS);
}

void actor_sleep(struct actor *a, uint64_t until)
{
    (void)actor_syscall(a, until, KOZO_SYS_WAIT, HOST_ARGS(0, KOZO_INFO_DEADLINE));
}

void actor_result(struct actor *a)
{
    const struct frame *f = &a->t->frame;
    struct kozo_msg *m = &a->m;
    uint64_t extra = f->info & KOZO_INFO_EXTRA_MASK;

    a->err = (enum kozo_err)f->error;
    m->sent = a->t->buffer->sent;
    m->badge = f->badge;
    m->label = (uint32_t)INFO_LABEL(f->info);
    m->what = (uint8_t)(f->info >> 16);
    m->user = (uint8_t)(f->info >> KOZO_INFO_USER_SHIFT);
    m->at = m->bad = m->ncaps = m->taken = m->received = 0;
    m->nwords = (uint8_t)(KOZO_MSG_REGS + extra);
    memcpy(m->word, f->word, sizeof f->word);
    memcpy(&m->word[KOZO_MSG_REGS], a->t->buffer->word, extra * sizeof(uint64_t));
    if (INFO_CAPS_OF(f->info) != 0)
        m->received = a->t->buffer->received;
}

/* ---- running ---- */

static struct actor *actor_of(const struct tcb *t)
{
    for (uint32_t i = 0; i < actors.count; i++)
        if (actors.actor[i]->t == t && actors.actor[i]->serial == t->serial)
            return actors.actor[i];
    FAIL("thread %llu runs, and nobody plays it", (unsigned long long)t->serial);
}

static void deadline_now(void)
{
    if (plan_strikes(FAULT_DEADLINE) && kernel.timers.count > 0)
        host_advance(kernel.timers.heap[0]->deadline -
                     min_u64(machine.now, kernel.timers.heap[0]->deadline));
}

static void turn_of(struct actor *a)
{
    struct actor *outer = actors.now;

    CHECK(++actors.turns < TURNS_MAX);
    actors.now = a;
    a->busy = true;
    a->turn(a);
    a->busy = false;
    actors.now = outer;
    deadline_now();
}

void run_until_idle(void)
{
    while (!host_is_idle())
        turn_of(actor_of(host_running()));
    host_idle();
    if (actors.idle != nullptr)
        actors.idle();
}

void run_until(uint64_t time)
{
    run_until_idle();
    while (machine.armed <= time) {
        host_advance(machine.armed - min_u64(machine.now, machine.armed));
        run_until_idle();
    }
    if (machine.now < time)
        host_advance(time - machine.now);
}

void run_for(uint64_t nanoseconds) { run_until(machine.now + nanoseconds); }

bool run_until_true(bool (*cond)(void), uint64_t nanoseconds)
{
    uint64_t end = machine.now + nanoseconds;

    run_until_idle();
    while (!cond() && machine.armed <= end)
        run_until(machine.armed);
    return cond();
}

/* Others run until the call of `a` has ended; false when its life has. */
static bool wait_nested(struct actor *a)
{
    struct tcb *t = a->t;
    uint64_t serial = a->serial;

    while (!actor_runs(a)) {
        if (a->t != t || a->serial != serial || t->state == TCB_FREE || t->serial != serial)
            return false;
        if (!host_is_idle()) {
            turn_of(actor_of(host_running()));
            continue;
        }
        CHECK(machine.armed != UINT64_MAX); /* nobody hangs */
        host_advance(machine.armed - min_u64(machine.now, machine.armed));
    }
    return true;
}

/*
 * What the client's side of a protocol (kozo/make.h) calls. The others run meanwhile; who called
 * goes on when its thread does. So only one actor may be in here: the one that `nests`.
 */
enum kozo_err kozo_call(struct kozo_endpoint ep, struct kozo_msg *m)
{
    struct actor *a = actors.now;

    CHECK(a->nests);
    a->m = *m;
    actor_exchange(a, KOZO_SYS_CALL, ep.c);
    if (!wait_nested(a))
        return m->err = KOZO_ERR_GONE;
    actor_result(a);
    *m = a->m;
    if (a->err != KOZO_OK)
        m->err = a->err;
    return a->err;
}
