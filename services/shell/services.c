/* SPDX-License-Identifier: MIT */
#include "shell/services.h"
#include "shell/cycles.h"

#include <kozo/print.h>
#include <kozo/start.h>
#include <kozo/string.h>
#include <kozo/syscall.h>

/* ---- asking ---- */

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

enum kozo_err services_ask_tree(uint64_t index, uint64_t slot, uint64_t skip, struct kozo_msg *m,
                                struct system_tree_rep *rep)
{
    kozo_msg_init(m);
    return system_call_tree(kozo_cap_endpoint("system"), m,
                            &(struct system_tree_req){ index, slot, skip }, rep);
}

enum kozo_err services_ask_tree_in(const struct services *s, const struct program *p, uint64_t slot,
                                   uint64_t skip, struct kozo_msg *m, struct system_tree_rep *rep)
{
    struct system_tree_in_req req = { services_find_own(s), p->process.cnode.c, slot, skip };
    struct system_tree_in_rep in = {};
    enum kozo_err err;

    kozo_msg_init(m);
    err = system_call_tree_in(kozo_cap_endpoint("system"), m, &req, &in);
    *rep = (struct system_tree_rep){ in.id, in.next, in.entries };
    return err;
}

/* ---- services and programs ---- */

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

static const struct program *program_of(uint64_t serial)
{
    for (uint32_t i = 0; program_at(i) != nullptr; i++)
        if (program_at(i)->runs && program_at(i)->process.serial == serial)
            return program_at(i);
    return nullptr;
}

/* The shell is more urgent than its programs: none has run since init was asked about it. */
static void take_program(struct services *s, const struct program *p, const struct thread_row *t)
{
    struct program_row *r = &s->program[s->programs++];
    struct kozo_untyped_info memory = kozo_untyped_info(p->memory);
    struct kozo_thread_info info = kozo_thread_info(p->process.thread);

    *r = (struct program_row){
        .program = p, .thread = *t, .memory = memory.size, .used = memory.size - memory.free
    };
    kozo_snprintf(r->label, sizeof r->label, "[%u] %s", p->job, p->name);
    if (info.err != KOZO_OK)
        return;
    r->object = kozo_buffer()->word[KOZO_THREAD_WORD_WAITS];
    r->peer = kozo_buffer()->word[KOZO_THREAD_WORD_PEER];
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
    uint32_t number = 0;
    struct thread_row t;

    r->first = s->threads;
    while (has_row(s, index, r) && look_at_thread(index, number, &t) == KOZO_OK) {
        const struct program *p = program_of(t.serial);

        number++;
        if (p != nullptr && s->programs < PROGRAMS) {
            take_program(s, p, &t);
            continue;
        }
        s->thread[s->threads++] = t;
        r->time += t.time;
        r->threads++;
    }
    r->left_out = there > number ? there - number : 0;
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

/* ---- what programs wait for that is the shell's ---- */

/* The kernel's identity of what a slot of the shell's names, by what was derived from it; 0 = none. */
static uint64_t object_in(const struct services *s, kozo_cptr slot)
{
    struct system_tree_rep rep;
    struct kozo_msg m;

    if (slot == 0 || services_ask_tree(services_find_own(s), slot, 0, &m, &rep) != KOZO_OK ||
        rep.entries.len < sizeof(struct kozo_tree_entry))
        return 0;
    return ((const struct kozo_tree_entry *)rep.entries.at)->object;
}

static void say_waits(struct thread_row *t, const char *on, const char *whom)
{
    kozo_snprintf(t->on, sizeof t->on, "%s %s", on, whom);
    (void)strlcpy(t->waits, whom, sizeof t->waits);
}

/*
 * The program at the other end of the pipe whose Notification this is. (At the end of the shell's own is
 * the shell, which prints and does not look then.)
 */
static const char *neighbour_by(const struct services *s, uint64_t object)
{
    for (uint32_t i = 0; i < s->programs; i++)
        for (unsigned k = 0; k < 2; k++)
            if (object_in(s, s->program[i].program->bell[k]) == object)
                return s->program[i].label;
    return nullptr;
}

static void look_at_wait(const struct services *s, struct program_row *r)
{
    const char *other;
    struct thread_row *t = &r->thread;

    if (r->object == 0 || t->waits[0] != '\0')
        return;
    if (t->state == KOZO_THREAD_WAITING && (other = neighbour_by(s, r->object)) != nullptr)
        say_waits(t, "pipe of", other);
    else if (t->state == KOZO_THREAD_SENDING && object_in(s, program_port()) == r->object)
        say_waits(t, "endpoint of", s->row[services_find_own(s)].name);
}

/* Who waits for an answer that a program owes: to init that is one of the shell's threads. */
static void look_at_callers(struct services *s, const struct program_row *r)
{
    for (uint32_t i = 0; i < s->threads; i++)
        if (s->thread[i].state == KOZO_THREAD_CALLING && s->thread[i].serial == r->peer &&
            r->thread.state != KOZO_THREAD_CALLING)
            say_waits(&s->thread[i], "reply of", r->label);
}

/* ---- circles ---- */

static bool is_stuck(const struct thread_row *t)
{
    return (t->state == KOZO_THREAD_SENDING || t->state == KOZO_THREAD_CALLING ||
            (t->state == KOZO_THREAD_WAITING && t->waits[0] != '\0')) &&
           t->deadline == 0;
}

/* Services come first, then programs; the number of all is nobody's. */
static uint32_t find_node(const struct services *s, const char *name)
{
    uint32_t i = services_find(s, kozo_str(name));

    if (i < s->count)
        return i;
    for (i = 0; i < s->programs; i++)
        if (kozo_str_is(kozo_str(name), s->program[i].label))
            break;
    return s->count + i;
}

/* Whom a service waits for as long as it takes: with all its threads, or it could go on. */
static uint32_t waits_for(const struct services *s, const struct service_row *r)
{
    bool stuck = r->left_out == 0 && r->threads > 0;

    for (uint32_t i = 0; i < r->threads; i++)
        stuck = stuck && is_stuck(&s->thread[r->first + i]);
    return stuck ? find_node(s, s->thread[r->first].waits) : s->count + s->programs;
}

static void mark_circles(struct services *s)
{
    uint32_t next[SERVICES_MAX + PROGRAMS];
    bool in[SERVICES_MAX + PROGRAMS];

    for (uint32_t i = 0; i < s->count; i++)
        next[i] = waits_for(s, &s->row[i]);
    for (uint32_t i = 0; i < s->programs; i++) {
        const struct thread_row *t = &s->program[i].thread;

        next[s->count + i] = is_stuck(t) ? find_node(s, t->waits) : s->count + s->programs;
    }
    cycles_mark(next, s->count + s->programs, in);
    for (uint32_t i = 0; i < s->count; i++)
        s->row[i].deadlock = in[i];
    for (uint32_t i = 0; i < s->programs; i++)
        s->program[i].deadlock = in[s->count + i];
}

/* ---- all of it ---- */

enum kozo_err services_look(struct services *s)
{
    enum kozo_err err;

    s->count = s->threads = s->programs = 0;
    err = look_at_thread(KOZO_SYSTEM_OF_INIT, 0, &s->init);
    if (err != KOZO_OK)
        return err;
    while (s->count < SERVICES_MAX && (err = look_at_service(s, s->count)) == KOZO_OK)
        s->count++;
    if (err != KOZO_OK && err != KOZO_ERR_NOT_FOUND)
        return err;
    for (uint32_t i = 0; i < s->programs; i++) {
        look_at_wait(s, &s->program[i]);
        look_at_callers(s, &s->program[i]);
    }
    mark_circles(s);
    return KOZO_OK;
}

static void look_at_stack(uint64_t index, struct thread_row *t)
{
    struct system_stack_rep rep = ask_stack(index, t->number);

    t->stack = rep.bytes;
    t->unused = rep.unused;
}

enum kozo_err services_look_closer(struct services *s)
{
    enum kozo_err err = services_look(s);

    if (err != KOZO_OK)
        return err;
    look_at_stack(KOZO_SYSTEM_OF_INIT, &s->init);
    for (uint32_t i = 0; i < s->threads; i++)
        look_at_stack(s->thread[i].service, &s->thread[i]);
    for (uint32_t i = 0; i < s->programs;
         i++) { /* init does not look where the shell keeps these */
        struct kozo_stack stack = program_stack(s->program[i].program);

        s->program[i].thread.stack = stack.bytes;
        s->program[i].thread.unused = stack.unused;
    }
    return KOZO_OK;
}

uint32_t services_find(const struct services *s, struct kozo_str name)
{
    uint32_t i = 0;

    while (i < s->count && !kozo_str_is(name, s->row[i].name))
        i++;
    return i;
}

uint32_t services_find_own(const struct services *s)
{
    return services_find(s, kozo_str(kozo_start()->service));
}

const char *services_thread_state(uint64_t state)
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
        return services_thread_state(s->thread[r->first].state);
    return r->state == KOZO_SYSTEM_WAITS   ? "restarts"
           : r->state == KOZO_SYSTEM_ENDED ? "ended"
                                           : "absent";
}

const char *services_program_state(const struct program_row *r)
{
    return r->deadlock ? "deadlock" : services_thread_state(r->thread.state);
}

static int longer(int columns, const char *text)
{
    int len = (int)strlen(text);

    return len > columns ? len : columns;
}

int services_columns(const struct services *s, int least)
{
    for (uint32_t i = 0; i < s->count; i++)
        least = longer(least, s->row[i].name);
    for (uint32_t i = 0; i < s->programs; i++)
        least = longer(least, s->program[i].label);
    return least;
}
