/* SPDX-License-Identifier: MIT */
/*
 * actor.h - threads of the host kernel with a program each, and plans of what goes wrong.
 *
 * An actor is a thread and a function that is called when the kernel has chosen the thread and it
 * has no call under way: its turn. In a turn it makes system calls; one that blocks ends the turn,
 * and its result is there at the next. Time stands still but for run_until and plans. So the same
 * plan gives the same run, to the last event.
 *
 * Owns:      the list of actors, the plan, the count of events.
 * Not here:  the services and what must hold (world.h), the kernel's world (tests/unit/host.h).
 * Spec:      docs/spec/infrastructure.md
 */
#pragma once

#include "host.h"

#include <kozo/msg.h>

#define ACTORS 8u
#define PLAN_FAULTS 3u

struct actor {
    const char *name;
    void (*turn)(struct actor *a);
    struct tcb *t; /* null: not alive */
    uint64_t serial;
    uint32_t phase;
    bool busy; /* in its turn */
    /* makes calls to others within a turn: not to be run while another's call is preempted */
    bool nests;
    struct kozo_msg m;
    enum kozo_err err; /* how the exchange of *m ended */
};

/* What goes wrong, once, at the n-th occasion of its kind; counted from 1. */
enum fault_kind : uint8_t {
    FAULT_NONE,
    /* an interrupt is found at the n-th preemption point, and all others have a turn */
    FAULT_PREEMPT,
    FAULT_DEADLINE, /* after n events the next deadline passes at once */
    /* after n events, actor `who`, when it makes its next call, faults in place of that */
    FAULT_CRASH,
    FAULT_DROP,      /* the n-th request that a server takes is never answered */
    FAULT_DELAY,     /* ... is looked at PLAN_DELAY later */
    FAULT_REORDER,   /* ... is answered after the one behind it */
    FAULT_DUPLICATE, /* ... is served twice, and the first answer lost */
    FAULT_MUTE,      /* ... is served, and its answer lost */
    FAULT_KINDS
};
#define PLAN_DELAY 20'000'000ull

/* A mistake in the services themselves, made to see that it is found. */
enum sabotage : uint8_t {
    SABOTAGE_NONE,
    SABOTAGE_PORT_STAYS, /* init does not revoke the port of who has ended */
    SABOTAGE_DELETES,    /* policy deletes what it granted, and revokes nothing */
    SABOTAGE_IN_PLACE,   /* the writer writes into the file itself */
    SABOTAGE_OLD_NAMES,  /* init tells nobody of a new life */
    SABOTAGE_NO_PAUSE,   /* init starts at once who has ended */
};

struct fault_plan {
    struct planned {
        enum fault_kind kind;
        uint64_t n;
        uint32_t who;
    } fault[PLAN_FAULTS];
    enum sabotage sabotage;
};
/* "crash fsd after 17 events" */
const char *plan_text(const struct fault_plan *p);

struct actors {
    struct actor *actor[ACTORS];
    uint32_t count;
    struct actor *now;  /* whose turn it is */
    void (*idle)(void); /* called whenever nobody is able to run */
    struct fault_plan plan;
    bool done[PLAN_FAULTS]; /* this one has happened */
    uint64_t events;        /* system calls made */
    uint64_t messages;      /* requests that servers took */
    uint64_t turns;
};
extern struct actors actors;

/* The services make this mistake. */
static inline bool plan_sabotages(enum sabotage what) { return actors.plan.sabotage == what; }

/* Nobody acts yet, and this will go wrong. */
void actors_begin(const struct fault_plan *plan, void (*idle)(void));
void actor_add(struct actor *a);
/* The world is made: from here on the plan's preemption points count. */
void actors_arm(void);
/* A life of `a` begins, as `t`. */
void actor_start(struct actor *a, struct tcb *t);
/* Its thread lives and can make calls. */
NODISCARD bool actor_runs(const struct actor *a);
/* This kind of fault happens on this occasion. */
NODISCARD bool plan_strikes(enum fault_kind kind);

/* ---- calls of an actor ---- */

/* As call(), for an actor; GONE when it has crashed, HOST_BLOCKED when the turn has to end. */
uint64_t actor_syscall(struct actor *a, uint64_t deadline, uint64_t number, const uint64_t *arg,
                       uint32_t n);
#define actor_call(a, NAME, ...) actor_syscall(a, 0, KOZO_SYS_##NAME, HOST_ARGS(__VA_ARGS__))
/*
 * Sends a->m, or waits for one, or both, as kozo_call and its like do. The turn ends; actor_result
 * is for the next.
 */
void actor_exchange(struct actor *a, uint64_t number, kozo_cptr cap);
/* Sleeps until then. */
void actor_sleep(struct actor *a, uint64_t until);
/* Takes the result of the exchange out of registers and buffer, into a->m and a->err. */
void actor_result(struct actor *a);

/* ---- running ---- */

/* Until nobody is able to run. */
void run_until_idle(void);
/* The same, with all that the time until then brings. */
void run_until(uint64_t time);
void run_for(uint64_t nanoseconds);
/* Until it is true; false when that is not so after so many nanoseconds. */
NODISCARD bool run_until_true(bool (*cond)(void), uint64_t nanoseconds);
