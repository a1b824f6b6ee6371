/* SPDX-License-Identifier: MIT */
/* ps and top. */
#include "shell/services.h"
#include "shell/cycles.h"
#include "shell/json.h"
#include "shell/program.h"

#include <kozo/error.h>
#include <kozo/print.h>
#include <kozo/start.h>
#include <kozo/string.h>
#include <kozo/syscall.h>
#include <kozo/time.h>

static struct services now_, before_;

/* ---- looking ---- */

static enum kozo_err ask_service(uint64_t index, struct kozo_msg *m, struct system_service_rep *rep)
{
    kozo_msg_init(m);
    return system_call_service(kozo_cap_endpoint("system"), m,
                               &(struct system_service_req){ .index = index }, rep);
}

static enum kozo_err ask_thread(uint64_t index, uint64_t number, struct kozo_msg *m,
                                struct system_thread_rep *rep)
{
    kozo_msg_init(m);
    return system_call_thread(kozo_cap_endpoint("system"), m,
                              &(struct system_thread_req){ index, number }, rep);
}

/* 0 of 0 when it cannot be found out. */
static struct system_stack_rep ask_stack(uint64_t index, uint64_t number)
{
    struct system_stack_rep rep = {};
    struct kozo_msg m;

    kozo_msg_init(&m);
    if (system_call_stack(kozo_cap_endpoint("system"), &m,
                          &(struct system_stack_req){ index, number }, &rep) != KOZO_OK)
        rep = (struct system_stack_rep){};
    return rep;
}

/* The threads of programs are the shell's; their pages it keeps where init does not look. */
static struct kozo_stack stack_of_program(uint64_t thread)
{
    for (uint32_t i = 0; program_at(i) != nullptr; i++)
        if (program_at(i)->runs && program_at(i)->process.serial == thread)
            return program_stack(program_at(i));
    return (struct kozo_stack){};
}

static void look_at_stack(uint64_t index, struct thread_row *t)
{
    struct kozo_stack of_program = stack_of_program(t->serial);
    struct system_stack_rep rep =
        of_program.bytes > 0 ? (struct system_stack_rep){ of_program.bytes, of_program.unused }
                             : ask_stack(index, t->number);

    t->stack = rep.bytes;
    t->unused = rep.unused;
}

static enum kozo_err look_at_thread(uint64_t index, uint32_t number, struct thread_row *t)
{
    struct system_thread_rep rep;
    struct kozo_msg m;
    enum kozo_err err = ask_thread(index, number, &m, &rep);

    if (err != KOZO_OK)
        return err;
    *t = (struct thread_row){ .service = (uint32_t)index,
                              .number = number,
                              .serial = rep.serial,
                              .state = rep.state,
                              .time = rep.time,
                              .priority = rep.priority,
                              .deadline = rep.deadline };
    kozo_str_copy(t->on, sizeof t->on, rep.on);
    kozo_str_copy(t->waits, sizeof t->waits, rep.waits);
    return KOZO_OK;
}

/* Of all the rows further threads leave one for the first of each service still to come. */
static bool has_row(const struct services *s, uint32_t index, const struct service_row *r)
{
    uint32_t kept = r->threads > 0 ? SERVICES_MAX - 1 - index : 0;

    return s->threads + kept < SERVICES_THREADS;
}

static void look_at_threads(struct services *s, uint32_t index, struct service_row *r,
                            uint64_t there)
{
    r->first = s->threads;
    while (has_row(s, index, r) &&
           look_at_thread(index, r->threads, &s->thread[s->threads]) == KOZO_OK) {
        r->time += s->thread[s->threads++].time;
        r->threads++;
    }
    r->left_out = there > r->threads ? there - r->threads : 0;
}

static enum kozo_err look_at_service(struct services *s, uint32_t index)
{
    struct service_row *r = &s->row[index];
    struct system_service_rep rep;
    struct kozo_msg m;
    enum kozo_err err = ask_service(index, &m, &rep);

    if (err != KOZO_OK)
        return err;
    *r = (struct service_row){ .state = rep.state,
                               .life = rep.life,
                               .memory = rep.memory,
                               .used = rep.used,
                               .priority = rep.priority,
                               .restarts = rep.restarts,
                               .again = rep.again };
    kozo_str_copy(r->name, sizeof r->name, rep.name);
    kozo_str_copy(r->end, sizeof r->end, rep.end);
    look_at_threads(s, index, r, rep.threads);
    return KOZO_OK;
}

static bool is_stuck(const struct thread_row *t)
{
    return (t->state == KOZO_THREAD_SENDING || t->state == KOZO_THREAD_CALLING) && t->deadline == 0;
}

/* Whom a service waits for as long as it takes: with all its threads, or it could go on. */
static uint32_t waits_for(const struct services *s, const struct service_row *r)
{
    if (r->left_out > 0)
        return s->count;
    for (uint32_t i = 0; i < r->threads; i++)
        if (!is_stuck(&s->thread[r->first + i]))
            return s->count;
    return r->threads > 0 ? services_find(s, kozo_str(s->thread[r->first].waits)) : s->count;
}

enum kozo_err services_look(struct services *s)
{
    uint32_t next[SERVICES_MAX];
    bool in[SERVICES_MAX];
    enum kozo_err err = KOZO_OK;

    s->count = s->threads = 0;
    while (s->count < SERVICES_MAX && (err = look_at_service(s, s->count)) == KOZO_OK)
        s->count++;
    if (err != KOZO_OK && err != KOZO_ERR_NOT_FOUND)
        return err;
    for (uint32_t i = 0; i < s->count; i++)
        next[i] = waits_for(s, &s->row[i]);
    cycles_mark(next, s->count, in);
    for (uint32_t i = 0; i < s->count; i++)
        s->row[i].deadlock = in[i];
    return KOZO_OK;
}

/* What `ps` shows beyond services_look: init itself, and all stacks. */
static enum kozo_err look_closer(struct services *s)
{
    enum kozo_err err = services_look(s);

    if (err == KOZO_OK)
        err = look_at_thread(KOZO_SYSTEM_OF_INIT, 0, &s->init);
    if (err != KOZO_OK)
        return err;
    look_at_stack(KOZO_SYSTEM_OF_INIT, &s->init);
    for (uint32_t i = 0; i < s->threads; i++)
        look_at_stack(s->thread[i].service, &s->thread[i]);
    return KOZO_OK;
}

uint32_t services_find(const struct services *s, struct kozo_str name)
{
    uint32_t i = 0;

    while (i < s->count && !kozo_str_is(name, s->row[i].name))
        i++;
    return i;
}

static const char *thread_state(uint64_t state)
{
    static const char *const names[] = { "?",      "stopped", "ready", "sends",
                                         "serves", "calls",   "waits", "faulted" };

    return state < sizeof names / sizeof names[0] ? names[state] : "?";
}

const char *services_state(const struct services *s, uint32_t i)
{
    const struct service_row *r = &s->row[i];

    if (r->deadlock)
        return "deadlock";
    if (r->state == KOZO_SYSTEM_RUNS && r->threads > 0)
        return thread_state(s->thread[r->first].state);
    return r->state == KOZO_SYSTEM_WAITS   ? "restarts"
           : r->state == KOZO_SYSTEM_ENDED ? "ended"
                                           : "absent";
}

/* ---- ps ---- */

/* "31000/32768": bytes never used, of how many; "?" when that is not known. */
struct margin {
    char text[24];
};

static struct margin margin(uint64_t unused, uint64_t bytes)
{
    struct margin m = { "?" };

    if (bytes > 0)
        kozo_snprintf(m.text, sizeof m.text, "%llu/%llu", (unsigned long long)unused,
                      (unsigned long long)bytes);
    return m;
}

static bool print_row(const struct services *s, uint32_t i)
{
    const struct service_row *r = &s->row[i];
    const struct thread_row *t = &s->thread[r->first];
    bool runs = r->threads > 0;
    struct margin m = runs ? margin(t->unused, t->stack) : (struct margin){ "-" };

    return shell_print("%-12s %-8s %-22.22s %9llu %6llu %6llu %4llu %8llu %12s\n", r->name,
                       services_state(s, i), runs ? t->on : r->end,
                       (unsigned long long)(r->time / KOZO_US),
                       (unsigned long long)(r->used / 1024), (unsigned long long)(r->memory / 1024),
                       (unsigned long long)r->priority, (unsigned long long)r->restarts, m.text);
}

static bool print_thread(const struct thread_row *t)
{
    return shell_print("  thread %-3u %-8s %-22.22s %9llu %6s %6s %4llu %8s %12s\n", t->number,
                       thread_state(t->state), t->on, (unsigned long long)(t->time / KOZO_US), "",
                       "", (unsigned long long)t->priority, "", margin(t->unused, t->stack).text);
}

static bool print_left_out(const struct service_row *r)
{
    return r->left_out == 0 || shell_print("  thread ?   and %llu more: no room to list them\n",
                                           (unsigned long long)r->left_out);
}

static bool print_init(const struct thread_row *t)
{
    return shell_print("%-12s %-8s %-22.22s %9llu %6s %6s %4llu %8s %12s\n", "init",
                       thread_state(t->state), t->on, (unsigned long long)(t->time / KOZO_US), "",
                       "", (unsigned long long)t->priority, "", margin(t->unused, t->stack).text);
}

static struct kozo_thread_info info_of(const struct program *p)
{
    return kozo_thread_info(p->process.thread);
}

static bool print_programs(void)
{
    for (uint32_t i = 0; program_at(i) != nullptr; i++) {
        const struct program *p = program_at(i);
        struct kozo_thread_info info;
        struct kozo_stack stack;

        if (!p->runs)
            continue;
        info = info_of(p);
        stack = program_stack(p);
        if (!shell_print("[%u] %-8s %-8s %-22s %9llu %6s %6s %4s %8s %12s\n", p->job, p->name,
                         thread_state(info.state), "program of shell",
                         (unsigned long long)(info.time / KOZO_US), "", "", "", "",
                         margin(stack.unused, stack.bytes).text))
            return false;
    }
    return true;
}

static bool print_deadlocks(const struct services *s)
{
    for (uint32_t i = 0; i < s->count; i++) {
        const struct service_row *r = &s->row[i];

        if (r->deadlock &&
            !shell_print("deadlock: %s waits for %s\n", r->name, s->thread[r->first].waits))
            return false;
    }
    return true;
}

static uint32_t print_table(const struct services *s)
{
    if (!shell_print("%-12s %-8s %-22s %9s %6s %6s %4s %8s %12s\n", "SERVICE", "STATE", "ON",
                     "CPU us", "KiB", "OF", "PRIO", "RESTARTS", "STACK") ||
        !print_init(&s->init))
        return 1;
    for (uint32_t i = 0; i < s->count; i++) {
        if (!print_row(s, i))
            return 1;
        for (uint32_t t = 1; t < s->row[i].threads; t++)
            if (!print_thread(&s->thread[s->row[i].first + t]))
                return 1;
        if (!print_left_out(&s->row[i]))
            return 1;
    }
    return print_programs() && print_deadlocks(s) ? 0 : 1;
}

static void add_thread(const struct thread_row *t, struct json *j)
{
    json_open(j, nullptr, '{');
    json_number(j, "number", t->number);
    json_text(j, "state", kozo_str(thread_state(t->state)));
    json_text(j, "on", kozo_str(t->on));
    json_text(j, "waits_for", kozo_str(t->waits));
    json_number(j, "cpu_ns", t->time);
    json_number(j, "priority", t->priority);
    if (t->stack > 0) {
        json_number(j, "stack", t->stack);
        json_number(j, "stack_unused", t->unused);
    } else {
        json_null(j, "stack");
        json_null(j, "stack_unused");
    }
    json_close(j, '}');
}

/* Thread by thread: a manifest may give a service more than any one text could hold. */
static bool print_threads_json(const struct services *s, const struct service_row *r)
{
    for (uint32_t k = 0; k < r->threads; k++) {
        char text[512];
        struct json j = json_list_begin(text, sizeof text, k > 0);

        add_thread(&s->thread[r->first + k], &j);
        if (!shell_print_str(json_part(&j)))
            return false;
    }
    return true;
}

static bool print_json(const struct services *s, uint32_t i, const char *tail)
{
    char text[1024];
    const struct service_row *r = &s->row[i];
    struct json j = json_begin(text, sizeof text);

    json_text(&j, "service", kozo_str(r->name));
    json_text(&j, "state", kozo_str(services_state(s, i)));
    json_bool(&j, "deadlock", r->deadlock);
    json_number(&j, "cpu_ns", r->time);
    json_number(&j, "memory_used", r->used);
    json_number(&j, "memory", r->memory);
    json_number(&j, "priority", r->priority);
    json_number(&j, "lives", r->life);
    json_number(&j, "restarts", r->restarts);
    json_number(&j, "again_ns", r->again);
    json_text(&j, "end", kozo_str(r->end));
    json_open(&j, "threads", '[');
    if (!shell_print_str(json_part(&j)) || !print_threads_json(s, r))
        return false;
    j = json_list_begin(text, sizeof text, true);
    json_close(&j, ']');
    json_number(&j, "threads_left_out", r->left_out);
    return shell_print_str(json_end(&j, tail));
}

/* Nobody ends it and nothing bounds it, so it has fewer members. */
static bool print_init_json(const struct thread_row *t)
{
    char text[512];
    struct json j = json_begin(text, sizeof text);

    json_text(&j, "service", kozo_str("init"));
    json_text(&j, "state", kozo_str(thread_state(t->state)));
    json_bool(&j, "deadlock", false);
    json_number(&j, "cpu_ns", t->time);
    json_number(&j, "priority", t->priority);
    json_open(&j, "threads", '[');
    add_thread(t, &j);
    json_close(&j, ']');
    return shell_print_str(json_end(&j, ",\n "));
}

uint32_t command_ps(const struct words *w, uint32_t)
{
    struct services *s = &now_;
    enum kozo_err err;

    if (w->count > 1 && !kozo_str_is(w->word[1], "--json"))
        return shell_fail(w->word[0], "usage: ps [--json]");
    err = look_closer(s);
    if (err != KOZO_OK)
        return shell_fail_err(w->word[0], err);
    if (w->count == 1)
        return print_table(s);
    if (!shell_write("[", 1) || !print_init_json(&s->init))
        return 1;
    for (uint32_t i = 0; i < s->count; i++)
        if (!print_json(s, i, i + 1 < s->count ? ",\n " : "]\n"))
            return 1;
    return 0;
}

/* ---- top ---- */

constexpr uint64_t top_every = KOZO_S;
constexpr uint64_t look_every = 50 * KOZO_MS;

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

static uint64_t spent(uint32_t i)
{
    const struct service_row *r = &now_.row[i];
    uint32_t b = services_find(&before_, kozo_str(r->name));

    if (b == before_.count || before_.row[b].life != r->life || before_.row[b].time > r->time)
        return r->time;
    return r->time - before_.row[b].time;
}

/* The services that ran since the look before, the busiest first. */
static bool print_busiest(uint64_t span)
{
    bool told[SERVICES_MAX] = {};

    for (uint32_t n = 0; n < now_.count; n++) {
        uint32_t best = now_.count;
        uint64_t share;

        for (uint32_t i = 0; i < now_.count; i++)
            if (!told[i] && (best == now_.count || spent(i) > spent(best)))
                best = i;
        told[best] = true;
        share = spent(best) * 1000 / (span > 0 ? span : 1);
        if (!shell_print("%3llu.%llu %% %-12s %-8s %6llu KiB\n", (unsigned long long)(share / 10),
                         (unsigned long long)(share % 10), now_.row[best].name,
                         services_state(&now_, best),
                         (unsigned long long)(now_.row[best].used / 1024)))
            return false;
    }
    return print_programs();
}

uint32_t command_top(const struct words *w, uint32_t)
{
    uint64_t times = UINT64_MAX, begin;

    if (w->count > 1 && (!kozo_parse_u64(w->word[1].at, w->word[1].len, &times) || times == 0))
        return shell_fail(w->word[1], "how often is a number from 1 on");
    for (uint64_t i = 0; i < times; i++) {
        enum kozo_err err = services_look(&before_);

        begin = kozo_now();
        if (err != KOZO_OK)
            return shell_fail_err(w->word[0], err);
        if (!rest())
            return 0;
        err = services_look(&now_);
        if (err != KOZO_OK)
            return shell_fail_err(w->word[0], err);
        if (!shell_print("up %llu s\n", (unsigned long long)(kozo_now() / KOZO_S)) ||
            !print_busiest(kozo_now() - begin))
            return 1;
    }
    return 0;
}
