/* SPDX-License-Identifier: MIT */
#include "init/ends.h"
#include "init/start.h"

#include <kozo/print.h>
#include <kozo/string.h>
#include <kozo/time.h>

/* ---- while init waits for all to be well ---- */

static void fail_to_be_ready(struct init *i, const struct service *s, const char *got)
{
    char step[64];
    struct line l = line_begin(step, sizeof step);

    line_add(&l, "ready ");
    line_add_str(&l, s->m->name);
    init_fail(i, step, "a report that it is ready", "%s", got);
}

/* What the end of a service means then; one that starts again may still become ready in time. */
static void judge(struct init *i, const struct service *s, bool well, bool again, const char *how)
{
    if (s->m == i->demo.service && !demo_done(&i->demo) && s->ready)
        init_fail(i, demo_step_name(i->demo.next), demo_expects(&i->demo), "%s", how);
    else if (again)
        return;
    else if (!s->ready)
        fail_to_be_ready(i, s, how);
    else if (!well)
        init_fail(i, "services", "none that fails", "%.*s: %s", (int)s->m->name.len, s->m->name.at,
                  how);
}

/* ---- one end ---- */

static void tell_missed(struct service *s, uint64_t now)
{
    uint64_t since = s->ends.since, missed = gate_missed(&s->ends, now);

    if (missed > 0)
        kozo_printf("[init] service %.*s: %llu more ends since %llu ms\n", (int)s->m->name.len,
                    s->m->name.at, (unsigned long long)missed,
                    (unsigned long long)(since / KOZO_MS));
}

bool ends_tell(struct service *s)
{
    uint64_t now = kozo_now();

    tell_missed(s, now);
    s->quiet = !gate_pass(&s->ends, now);
    return !s->quiet;
}

static void say(const struct service *s, enum ends_kind kind, const char *how, const char *then)
{
    if (s->quiet)
        return;
    if (kind == ENDS_FAULTED)
        kozo_printf("  %s\n", then);
    else
        kozo_printf("[init] service %.*s: %s%s%s\n", (int)s->m->name.len, s->m->name.at, how,
                    then[0] != '\0' ? "; " : "", then);
}

/* Nobody else goes on with the commands of the command line: some may have been carried out. */
static void end_commands(struct init *i, const struct service *s, const char *how)
{
    if (i->runner != s)
        return;
    i->runner = nullptr;
    init_fail(i, "commands", "the end of those in kozo.run", "%.*s: %s", (int)s->m->name.len,
              s->m->name.at, how);
}

void ends_life(struct init *i, struct service *s, enum ends_kind kind, bool well, const char *how)
{
    struct supervise_policy policy =
        kind == ENDS_NOT_BEGUN ? supervise_policy_of_start(s->m) : supervise_policy(s->m);
    uint64_t now = kozo_now();
    enum supervise_why why = supervise_ended(&s->care, &policy, well, now);
    char then[128];
    struct line l = line_begin(then, sizeof then);

    if (kind == ENDS_FAULTED || why != SUPERVISE_POLICY || (!well && kind != ENDS_EXITED))
        supervise_describe(&l, &s->care, &policy, why, now);
    say(s, kind, how, then);
    (void)strlcpy(s->end, how, sizeof s->end);
    if (i->state == INIT_WAITING)
        judge(i, s, well, why == SUPERVISE_RESTART, how);
    end_commands(i, s, how);
    end_service(i, s, why == SUPERVISE_RESTART);
}

/* ---- the next life ---- */

static enum kozo_err begin_again(struct init *i, struct service *s)
{
    struct start_problem p = start_service(i, s);

    if (p.err == KOZO_OK && !s->quiet)
        kozo_printf("[init] service %.*s: begins life %u\n", (int)s->m->name.len, s->m->name.at,
                    s->life);
    if (p.err == KOZO_OK)
        return KOZO_OK;
    if (ends_tell(s))
        kozo_printf("[init] service %.*s: %s, expected %s, got %s\n", (int)s->m->name.len,
                    s->m->name.at, p.step, p.expected, p.got);
    supervise_started(&s->care, kozo_now());
    ends_life(i, s, ENDS_NOT_BEGUN, false, "it could not be started");
    return p.err;
}

enum kozo_err ends_kill(struct init *i, struct service *s, struct kozo_str by)
{
    char how[SERVICE_END];
    struct line l = line_begin(how, sizeof how);

    if (s->state != SERVICE_RUNNING && s->state != SERVICE_WAITS)
        return KOZO_ERR_STATE;
    line_add(&l, "killed by ");
    line_add_str(&l, by);
    (void)ends_tell(s);
    if (s->state == SERVICE_RUNNING) {
        ends_life(i, s, ENDS_KILLED, false, how);
        return KOZO_OK;
    }
    supervise_give_up(&s->care);
    say(s, ENDS_KILLED, how, "not restarted");
    if (i->state == INIT_WAITING)
        judge(i, s, false, false, how);
    end_service(i, s, false);
    return KOZO_OK;
}

enum kozo_err ends_restart(struct init *i, struct service *s, struct kozo_str by)
{
    char how[SERVICE_END];
    struct line l = line_begin(how, sizeof how);

    if (s->state == SERVICE_ABSENT)
        return KOZO_ERR_STATE;
    line_add(&l, "restarted by ");
    line_add_str(&l, by);
    (void)ends_tell(s);
    say(s, ENDS_KILLED, how, "");
    if (s->state == SERVICE_RUNNING) {
        (void)strlcpy(s->end, how, sizeof s->end);
        if (i->state == INIT_WAITING)
            judge(i, s, false, true, how);
        end_commands(i, s, how);
    }
    end_service(i, s, true);
    supervise_asked(&s->care);
    return begin_again(i, s);
}

/* ---- time ---- */

void ends_time(struct init *i, uint64_t now)
{
    for (uint32_t k = 0; k < i->manifest.services; k++) {
        struct service *s = &i->service[k];

        if (s->state != SERVICE_ABSENT)
            tell_missed(s, now);
        if (s->state == SERVICE_WAITS && supervise_due(&s->care, now))
            (void)begin_again(i, s);
    }
}

uint64_t ends_deadline(const struct init *i)
{
    uint64_t next = SUPERVISE_NEVER;

    for (uint32_t k = 0; k < i->manifest.services; k++) {
        const struct service *s = &i->service[k];

        if (s->state == SERVICE_WAITS && s->care.again < next)
            next = s->care.again;
        if (gate_deadline(&s->ends) < next)
            next = gate_deadline(&s->ends);
    }
    return next;
}
