/* SPDX-License-Identifier: MIT */
/* trace: events of capabilities and threads, as the kernel records them. */
#include "shell/services.h"

#include <kozo/error.h>
#include <kozo/print.h>
#include <kozo/start.h>
#include <kozo/string.h>
#include <kozo/time.h>

static const char *const kinds[] = {
#define KOZO_TRACE(nr, NAME, name, text) [nr] = #name,
#include <kozo/trace.def>
#undef KOZO_TRACE
};
static_assert(sizeof kinds / sizeof kinds[0] == KOZO_TRACE_COUNT);

static struct services services;
static struct {
    struct kozo_event event[1024]; /* as many as the kernel keeps */
    uint64_t count, lost;
} recorded;

static uint32_t set_mask(struct kozo_str what, uint64_t mask)
{
    struct system_trace_rep rep;
    struct kozo_msg m;
    enum kozo_err err;

    kozo_msg_init(&m);
    err = system_call_trace(kozo_cap_endpoint("system"), &m,
                            &(struct system_trace_req){ .mask = mask }, &rep);
    return err == KOZO_OK ? 0 : shell_fail_err(what, err);
}

/* The kinds that words name, all of them when there are none. */
static uint32_t turn_on(const struct words *w)
{
    uint64_t mask = w->count > 2 ? 0 : (1ull << KOZO_TRACE_COUNT) - 1;

    for (uint32_t i = 2; i < w->count; i++) {
        uint32_t kind = 0;

        while (kind < KOZO_TRACE_COUNT && !kozo_str_is(w->word[i], kinds[kind]))
            kind++;
        if (kind == KOZO_TRACE_COUNT)
            return shell_fail(w->word[i], "no such kind of event; `help trace` lists them");
        mask |= 1ull << kind;
    }
    return set_mask(w->word[0], mask);
}

static const char *name_of(uint64_t serial)
{
    static char number[24];

    if (services.init.serial == serial)
        return "init";
    for (uint32_t i = 0; i < services.threads; i++)
        if (services.thread[i].serial == serial)
            return services.row[services.thread[i].service].name;
    for (uint32_t i = 0; i < services.programs; i++)
        if (services.program[i].thread.serial == serial)
            return services.program[i].label;
    kozo_snprintf(number, sizeof number, "thread %llu", (unsigned long long)serial);
    return number;
}

static bool print_event(const struct kozo_event *e)
{
    uint64_t us = e->time / KOZO_US;
    const char *what = e->what < KOZO_TRACE_COUNT ? kinds[e->what] : "?";

    if (e->what == KOZO_TRACE_REFUSED)
        return shell_print("%6llu.%06llu %-12s %-8s %s, capability %#llx: %s\n",
                           (unsigned long long)(us / 1000000), (unsigned long long)(us % 1000000),
                           name_of(e->thread), what, kozo_syscall_name(e->kind),
                           (unsigned long long)e->object, kozo_err_text((enum kozo_err)e->error));
    return shell_print("%6llu.%06llu %-12s %-8s %s, object %016llx, rights %02x, badge %#llx\n",
                       (unsigned long long)(us / 1000000), (unsigned long long)(us % 1000000),
                       name_of(e->thread), what, kozo_kind_name((enum kozo_kind)e->kind),
                       (unsigned long long)e->object, e->rights, (unsigned long long)e->badge);
}

static enum kozo_err ask(uint64_t position, struct kozo_msg *m, struct system_events_rep *rep)
{
    kozo_msg_init(m);
    return system_call_events(kozo_cap_endpoint("system"), m,
                              &(struct system_events_req){ .position = position }, rep);
}

/* All that are recorded; who asks for them makes no more than there is room for. */
static enum kozo_err read_events(void)
{
    struct system_events_rep rep = {};
    struct kozo_msg m;
    enum kozo_err err;

    recorded.count = recorded.lost = 0;
    do {
        uint64_t room = sizeof recorded.event / sizeof recorded.event[0] - recorded.count, n;

        err = ask(rep.next, &m, &rep);
        if (err != KOZO_OK)
            return err;
        n = rep.events.len / sizeof(struct kozo_event);
        n = n < room ? n : room;
        memcpy(&recorded.event[recorded.count], rep.events.at, n * sizeof(struct kozo_event));
        recorded.count += n;
        recorded.lost += rep.lost;
        if (n == 0)
            return KOZO_OK;
    } while (true);
}

/* Read before anything else is asked: to look at services makes events too, and puts others out. */
static uint32_t show(const struct words *w)
{
    enum kozo_err err = read_events();

    if (err == KOZO_OK)
        err = services_look(&services);
    if (err != KOZO_OK)
        return shell_fail_err(w->word[0], err);
    if (recorded.lost > 0 &&
        !shell_print("(%llu events before these are gone)\n", (unsigned long long)recorded.lost))
        return 1;
    for (uint64_t i = 0; i < recorded.count; i++)
        if (!print_event(&recorded.event[i]))
            return 1;
    return 0;
}

uint32_t command_trace(const struct words *w, uint32_t)
{
    if (kozo_str_is(w->word[1], "on"))
        return turn_on(w);
    if (kozo_str_is(w->word[1], "off") && w->count == 2)
        return set_mask(w->word[0], 0);
    if (kozo_str_is(w->word[1], "show") && w->count == 2)
        return show(w);
    return shell_fail(w->word[0], "usage: trace on [KIND...]|off|show");
}
