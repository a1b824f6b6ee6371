/* SPDX-License-Identifier: MIT */
/* ps: services and programs, and what each waits on. */
#include "shell/json.h"
#include "shell/services.h"

#include <kozo/error.h>
#include <kozo/print.h>
#include <kozo/string.h>
#include <kozo/time.h>

static struct services look;

/* ---- the table ---- */

static struct columns {
    int name, on; /* as wide as the longest needs */
} columns;

static int longer(int most, const char *text)
{
    int len = (int)strlen(text);

    return len > most ? len : most;
}

static void measure(const struct services *s)
{
    columns = (struct columns){ services_columns(s, 12), 22 };
    for (uint32_t i = 0; i < s->threads; i++)
        columns.on = longer(columns.on, s->thread[i].on);
    for (uint32_t i = 0; i < s->programs; i++)
        columns.on = longer(columns.on, s->program[i].thread.on);
}

/* "31000/32768": bytes never used, of how many; "?" when that is not known. */
struct margin {
    char text[24];
};

static struct margin margin(const struct thread_row *t)
{
    struct margin m = { "?" };

    if (t->stack > 0)
        kozo_snprintf(m.text, sizeof m.text, "%llu/%llu", (unsigned long long)t->unused,
                      (unsigned long long)t->stack);
    return m;
}

static bool print_row(const struct services *s, uint32_t i)
{
    const struct service_row *r = &s->row[i];
    const struct thread_row *t = &s->thread[r->first];
    bool runs = r->threads > 0;
    struct margin m = runs ? margin(t) : (struct margin){ "-" };

    return shell_print("%-*s %-8s %-*.*s %9llu %6llu %6llu %4llu %8llu %12s\n", columns.name,
                       r->name, services_state(s, i), columns.on, columns.on, runs ? t->on : r->end,
                       (unsigned long long)(r->time / KOZO_US),
                       (unsigned long long)(r->used / 1024), (unsigned long long)(r->memory / 1024),
                       (unsigned long long)r->priority, (unsigned long long)r->restarts, m.text);
}

/* What has no memory and no restarts of its own: init, and further threads. */
static bool print_thread(const char *name, const struct thread_row *t)
{
    return shell_print("%-*s %-8s %-*s %9llu %6s %6s %4llu %8s %12s\n", columns.name, name,
                       services_thread_state(t->state), columns.on, t->on,
                       (unsigned long long)(t->time / KOZO_US), "", "",
                       (unsigned long long)t->priority, "", margin(t).text);
}

static bool print_further(const struct thread_row *t)
{
    char name[24];

    kozo_snprintf(name, sizeof name, "  thread %u", t->number);
    return print_thread(name, t);
}

static bool print_left_out(const struct service_row *r)
{
    return r->left_out == 0 || shell_print("  thread ?   and %llu more: no room to list them\n",
                                           (unsigned long long)r->left_out);
}

static bool print_service(const struct services *s, uint32_t i)
{
    const struct service_row *r = &s->row[i];

    if (!print_row(s, i))
        return false;
    for (uint32_t t = 1; t < r->threads; t++)
        if (!print_further(&s->thread[r->first + t]))
            return false;
    return print_left_out(r);
}

static bool print_program(const struct program_row *r)
{
    const struct thread_row *t = &r->thread;

    return shell_print("%-*s %-8s %-*s %9llu %6llu %6llu %4llu %8s %12s\n", columns.name, r->label,
                       services_program_state(r), columns.on, t->on,
                       (unsigned long long)(t->time / KOZO_US),
                       (unsigned long long)(r->used / 1024), (unsigned long long)(r->memory / 1024),
                       (unsigned long long)t->priority, "-", margin(t).text);
}

static bool print_deadlock(bool is_one, const char *who, const char *whom)
{
    return !is_one || shell_print("deadlock: %s waits for %s\n", who, whom);
}

static bool print_deadlocks(const struct services *s)
{
    for (uint32_t i = 0; i < s->count; i++) {
        const struct service_row *r = &s->row[i];

        if (!print_deadlock(r->deadlock, r->name, s->thread[r->first].waits))
            return false;
    }
    for (uint32_t i = 0; i < s->programs; i++) {
        const struct program_row *r = &s->program[i];

        if (!print_deadlock(r->deadlock, r->label, r->thread.waits))
            return false;
    }
    return true;
}

static bool print_table(const struct services *s)
{
    measure(s);
    if (!shell_print("%-*s %-8s %-*s %9s %6s %6s %4s %8s %12s\n", columns.name, "SERVICE", "STATE",
                     columns.on, "ON", "CPU us", "KiB", "OF", "PRIO", "RESTARTS", "STACK") ||
        !print_thread("init", &s->init))
        return false;
    for (uint32_t i = 0; i < s->count; i++)
        if (!print_service(s, i))
            return false;
    for (uint32_t i = 0; i < s->programs; i++)
        if (!print_program(&s->program[i]))
            return false;
    return print_deadlocks(s);
}

/* ---- --json ---- */

static void add_thread(const struct thread_row *t, struct json *j)
{
    json_open(j, nullptr, '{');
    json_number(j, "number", t->number);
    json_text(j, "state", kozo_str(services_thread_state(t->state)));
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

static bool print_service_json(const struct services *s, uint32_t i)
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
    return shell_print_str(json_end(&j, ""));
}

/* Nobody ends it and nothing bounds it, so it has fewer members. */
static bool print_init_json(const struct thread_row *t)
{
    char text[512];
    struct json j = json_begin(text, sizeof text);

    json_text(&j, "service", kozo_str("init"));
    json_text(&j, "state", kozo_str(services_thread_state(t->state)));
    json_bool(&j, "deadlock", false);
    json_number(&j, "cpu_ns", t->time);
    json_number(&j, "priority", t->priority);
    json_open(&j, "threads", '[');
    add_thread(t, &j);
    json_close(&j, ']');
    return shell_print_str(json_end(&j, ""));
}

static bool print_program_json(const struct program_row *r)
{
    char text[1024];
    struct json j = json_begin(text, sizeof text);

    json_text(&j, "program", kozo_str(r->program->name));
    json_number(&j, "job", r->program->job);
    json_text(&j, "state", kozo_str(services_program_state(r)));
    json_bool(&j, "deadlock", r->deadlock);
    json_number(&j, "cpu_ns", r->thread.time);
    json_number(&j, "memory_used", r->used);
    json_number(&j, "memory", r->memory);
    json_number(&j, "priority", r->thread.priority);
    json_open(&j, "threads", '[');
    add_thread(&r->thread, &j);
    json_close(&j, ']');
    return shell_print_str(json_end(&j, ""));
}

static bool print_all_json(const struct services *s)
{
    static const char next[] = ",\n ";

    if (!shell_print("[") || !print_init_json(&s->init))
        return false;
    for (uint32_t i = 0; i < s->count; i++)
        if (!shell_print("%s", next) || !print_service_json(s, i))
            return false;
    for (uint32_t i = 0; i < s->programs; i++)
        if (!shell_print("%s", next) || !print_program_json(&s->program[i]))
            return false;
    return shell_print("]\n");
}

uint32_t command_ps(const struct words *w, uint32_t)
{
    enum kozo_err err;

    if (w->count > 1 && !kozo_str_is(w->word[1], "--json"))
        return shell_usage(w->word[0], "", w->word[0]);
    err = services_look_closer(&look);
    if (err != KOZO_OK)
        return shell_fail_err(w->word[0], err);
    return (w->count > 1 ? print_all_json(&look) : print_table(&look)) ? 0 : 1;
}
