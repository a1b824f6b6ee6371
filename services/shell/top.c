/* SPDX-License-Identifier: MIT */
/* top: who was busy in the last second. */
#include "shell/services.h"

#include <kozo/error.h>
#include <kozo/print.h>
#include <kozo/start.h>
#include <kozo/string.h>
#include <kozo/time.h>

constexpr uint64_t top_every = KOZO_S;
constexpr uint64_t look_every = 50 * KOZO_MS;

static struct services now_, before_;

/* Of the rows of a look init comes first, then services, then programs. */
struct busy {
    const char *name, *state;
    uint64_t spent, used;
};

/* Nanoseconds that the processor had nothing to do. */
static uint64_t ask_idle(void)
{
    struct system_stat_rep rep = {};
    struct kozo_msg m;

    kozo_msg_init(&m);
    return system_call_stat(kozo_cap_endpoint("system"), &m,
                            &(struct system_stat_req){ .which = KOZO_STAT_IDLE_NS },
                            &rep) == KOZO_OK
               ? rep.value
               : 0;
}

/* Sleeps as long as one look lasts; false when Ctrl-C was typed meanwhile. */
static bool rest(void)
{
    shell_flush();
    for (uint64_t end = kozo_now() + top_every; kozo_now() < end;) {
        (void)kozo_sleep(look_every);
        if (shell_stopped())
            return false;
    }
    return true;
}

static uint64_t since(uint64_t before, uint64_t now) { return before > now ? now : now - before; }

static uint64_t spent_by_service(const struct service_row *r)
{
    uint32_t b = services_find(&before_, kozo_str(r->name));

    if (b == before_.count || before_.row[b].life != r->life)
        return r->time;
    return since(before_.row[b].time, r->time);
}

static uint64_t spent_by_program(const struct program_row *r)
{
    for (uint32_t i = 0; i < before_.programs; i++)
        if (before_.program[i].thread.serial == r->thread.serial)
            return since(before_.program[i].thread.time, r->thread.time);
    return r->thread.time;
}

static struct busy busy_at(uint32_t i)
{
    const struct program_row *p;

    if (i == 0)
        return (struct busy){ "init", services_thread_state(now_.init.state),
                              since(before_.init.time, now_.init.time), UINT64_MAX };
    i--;
    if (i < now_.count)
        return (struct busy){ now_.row[i].name, services_state(&now_, i),
                              spent_by_service(&now_.row[i]), now_.row[i].used };
    p = &now_.program[i - now_.count];
    return (struct busy){ p->label, services_program_state(p), spent_by_program(p), p->used };
}

/* "12.3" of 1000 thousandths. */
struct percent {
    char text[24];
};

static struct percent percent(uint64_t part, uint64_t whole)
{
    uint64_t share = part * 1000 / (whole > 0 ? whole : 1);
    struct percent p;

    kozo_snprintf(p.text, sizeof p.text, "%llu.%llu", (unsigned long long)(share / 10),
                  (unsigned long long)(share % 10));
    return p;
}

static bool print_busy(const struct busy *b, uint64_t span)
{
    char used[24] = "-"; /* nothing bounds what init has */

    if (b->used != UINT64_MAX)
        kozo_snprintf(used, sizeof used, "%6llu KiB", (unsigned long long)(b->used / 1024));
    return shell_print("%5s %% %-*s %-8s %s\n", percent(b->spent, span).text,
                       services_columns(&now_, 12), b->name, b->state, used);
}

/* The busiest first. */
static bool print_busiest(uint64_t span)
{
    uint32_t count = 1 + now_.count + now_.programs;
    bool told[1 + SERVICES_MAX + PROGRAMS] = {};

    for (uint32_t n = 0; n < count; n++) {
        struct busy best = {};
        uint32_t at = count;

        for (uint32_t i = 0; i < count; i++) {
            if (told[i] || (at < count && busy_at(i).spent <= best.spent))
                continue;
            best = busy_at(i);
            at = i;
        }
        told[at] = true;
        if (!print_busy(&best, span))
            return false;
    }
    return true;
}

/* One second of it; KOZO_ERR_CANCELLED by Ctrl-C. */
static enum kozo_err tell_second(void)
{
    enum kozo_err err = services_look(&before_);
    uint64_t begin = kozo_now(), idle = ask_idle(), span;

    if (err != KOZO_OK)
        return err;
    if (!rest())
        return KOZO_ERR_CANCELLED;
    err = services_look(&now_);
    if (err != KOZO_OK)
        return err;
    idle = since(idle, ask_idle());
    span = kozo_now() - begin;
    return shell_print("up %llu s, %s %% idle\n", (unsigned long long)(kozo_now() / KOZO_S),
                       percent(idle, span).text) &&
                   print_busiest(span)
               ? KOZO_OK
               : KOZO_ERR_CANCELLED;
}

uint32_t command_top(const struct words *w, uint32_t)
{
    uint64_t times = shell_is_listed() ? 1 : UINT64_MAX;
    enum kozo_err err = KOZO_OK;

    if (w->count > 1 && (!kozo_parse_u64(w->word[1].at, w->word[1].len, &times) || times == 0))
        return shell_fail(w->word[1], "how often is a number from 1 on");
    for (uint64_t i = 0; i < times && err == KOZO_OK; i++)
        err = tell_second();
    return err == KOZO_OK || err == KOZO_ERR_CANCELLED ? 0 : shell_fail_err(w->word[0], err);
}
