/* SPDX-License-Identifier: MIT */
#include "shell/run.h"
#include "shell/program.h"
#include "shell/shell.h"

#include <kozo/console.h>
#include <kozo/error.h>
#include <kozo/print.h>
#include <kozo/string.h>
#include <kozo/time.h>

constexpr uint64_t look_every = 50 * KOZO_MS; /* for Ctrl-C, while programs run */


/* ---- what is asked for ---- */

/* A stage without `run` and its option. */
struct start {
    struct kozo_str with; /* names parted by commas */
    const struct kozo_str *words;
    const bool *quoted;
    uint32_t count;
};

static struct start start_of(const struct stage *s)
{
    uint32_t i = s->count > 0 && kozo_str_is(s->word[0], "run") ? 1 : 0;
    struct start r = {};

    if (i > 0 && s->count > i + 1 && kozo_str_is(s->word[i], "--with")) {
        r.with = s->word[i + 1];
        i += 2;
    }
    r.words = &s->word[i];
    r.quoted = &s->quoted[i];
    r.count = s->count - i;
    return r;
}

bool run_is(const struct parsed *p)
{
    return p->stages > 1 || p->in.len > 0 || p->out.len > 0 || p->background ||
           kozo_str_is(p->stage[0].word[0], "run");
}

/* ---- giving ---- */

static bool fail(struct kozo_str what, enum kozo_err err)
{
    (void)shell_fail_err(what, err);
    return false;
}

static bool give(struct program *p, const char *name, kozo_cptr slot, uint64_t rights)
{
    enum kozo_err err = slot != 0 ? program_give(p, name, slot, rights) : KOZO_ERR_EMPTY;

    return err == KOZO_OK || fail(kozo_str(name), err);
}

static bool give_file(struct program *p, const char *name, struct kozo_str path)
{
    struct kozo_file f = shell_open(path, KOZO_FILE_READ);

    if (f.err == KOZO_OK && f.type == KOZO_FILE_DIRECTORY) {
        (void)kozo_file_close(f.cap);
        f = shell_open(path, KOZO_FILE_READ | KOZO_FILE_LIST);
    }
    if (f.err == KOZO_OK)
        f.err = program_give_file(p, name, f.cap);
    return f.err == KOZO_OK || fail(path, f.err);
}

/* A file that is empty from now on. */
static bool give_output(struct program *p, struct kozo_str path)
{
    struct kozo_file f = shell_create(path, KOZO_FILE_WRITE);

    if (f.err == KOZO_OK) {
        f.err = kozo_file_truncate(f.cap, 0);
        if (f.err == KOZO_OK)
            f.err = program_give_file(p, "stdout", f.cap);
        else
            (void)kozo_file_close(f.cap);
    }
    return f.err == KOZO_OK || fail(path, f.err);
}

/* Arguments that name files in full are given as files, to be read. */
static bool give_arguments(struct program *p, const struct start *s)
{
    for (uint32_t i = 1; i < s->count; i++) {
        char name[16];

        if (s->quoted[i] || s->words[i].len == 0 || s->words[i].at[0] != '/')
            continue;
        kozo_snprintf(name, sizeof name, "arg%u", i);
        if (!give_file(p, name, s->words[i]))
            return false;
    }
    return true;
}

/* By a log without GRANT nobody gets the shell's own capabilities from init (kozo_reconnect). */
static bool give_own(struct program *p, const char *name)
{
    uint64_t rights = strcmp(name, "log") == 0 ? KOZO_RIGHTS(KOZO_WRITE, 0xff) : KOZO_SAME_RIGHTS;
    enum kozo_err err;

    if (strcmp(name, "policy") != 0)
        return give(p, name, kozo_cap(name), rights);
    err = program_give_policy(p);
    if (err != KOZO_ERR_IN_USE)
        return err == KOZO_OK || fail(kozo_str(name), err);
    (void)shell_fail(kozo_str(name), "another program asks already, one at a time; `jobs` lists it");
    return false;
}

static bool give_with(struct program *p, struct kozo_str names)
{
    while (names.len > 0) {
        struct kozo_str word = text_trim(text_cut(&names, ','));
        char name[KOZO_START_NAME];

        kozo_str_copy(name, sizeof name, word);
        if (kozo_cap(name) == 0) {
            (void)shell_fail(word, "the shell has no such capability; `caps shell` lists them");
            return false;
        }
        (void)kozo_reconnect(name); /* what provides it may be in another life */
        if (!give_own(p, name))
            return false;
    }
    return true;
}

static bool give_console(struct program *p, const char *name)
{
    return give(p, name, kozo_cap("console"), KOZO_RIGHTS(KOZO_WRITE, KOZO_CONSOLE_WRITE));
}

/* All that a stage gets beside the ends of its pipes. */
static bool give_all(const struct parsed *line, uint32_t i, struct program *p)
{
    struct start s = start_of(&line->stage[i]);
    bool last = i + 1 == line->stages;

    if (i == 0 && line->in.len > 0 && !give_file(p, "stdin", line->in))
        return false;
    if (last && line->out.len > 0 && !give_output(p, line->out))
        return false;
    if (last && line->out.len == 0 && !give_console(p, "stdout.console"))
        return false;
    return give_console(p, "stderr.console") && give_arguments(p, &s) && give_with(p, s.with);
}

/* ---- starting ---- */

static const char too_many[] = "no room: 8 programs at a time; `jobs` lists them";
static_assert(PROGRAMS == 8);

static bool make_programs(const struct parsed *line, struct program *of[PARSE_STAGES])
{
    for (uint32_t i = 0; i < line->stages; i++) {
        of[i] = program_new();
        if (of[i] == nullptr) {
            (void)shell_fail(kozo_str("run"), too_many);
            return false;
        }
    }
    for (uint32_t i = 0; i + 1 < line->stages; i++) {
        enum kozo_err err = program_pipe(of[i], of[i + 1]);

        if (err != KOZO_OK)
            return fail(kozo_str("pipe"), err);
    }
    for (uint32_t i = 0; i < line->stages; i++)
        if (!give_all(line, i, of[i]))
            return false;
    return true;
}

static bool start_programs(const struct parsed *line, struct program *of[PARSE_STAGES],
                           uint32_t job)
{
    for (uint32_t i = 0; i < line->stages; i++) {
        struct start s = start_of(&line->stage[i]);
        const char *why;

        if (!program_start(of[i], s.words[0], s.words, s.count, job, &why)) {
            (void)shell_fail(s.words[0], why);
            return false;
        }
    }
    return true;
}

static void give_up(const struct parsed *line, struct program *of[PARSE_STAGES])
{
    for (uint32_t i = 0; i < line->stages && of[i] != nullptr; i++) {
        if (of[i]->runs)
            program_kill(of[i]);
        else
            program_forget(of[i]);
    }
}

/* ---- ends ---- */

static bool job_runs(uint32_t job)
{
    for (uint32_t i = 0; program_at(i) != nullptr; i++)
        if (program_at(i)->runs && program_at(i)->job == job)
            return true;
    return false;
}

bool run_kill_job(uint32_t number)
{
    bool found = false;

    for (uint32_t i = 0; program_at(i) != nullptr; i++) {
        if (!program_at(i)->runs || program_at(i)->job != number)
            continue;
        program_kill(program_at(i));
        found = true;
    }
    return found;
}

/* As init tells of a service's (docs/spec/faults.md). */
static void tell_fault(const struct program *p, const struct program_fault *fault)
{
    char name[KOZO_START_NAME], text[sizeof fault->how + 64];

    text_printable(name, sizeof name, kozo_str(p->name));
    kozo_snprintf(text, sizeof text, "KOZO FAULT program %s: %s", name, fault->how);
    shell_report(text);
    report_tell(&fault->report, shell_report);
    kozo_snprintf(text, sizeof text, "  first thread, serial %llu, job %u",
                  (unsigned long long)fault->report.word[7], p->job);
    shell_report(text);
    kozo_snprintf(text, sizeof text, "  ended with status %u", p->status);
    shell_report(text);
}

/* Takes what ends by `deadline`; false when nothing does. */
static bool take_end(uint64_t deadline, uint32_t foreground)
{
    struct program_fault fault;
    struct program *p = program_wait(deadline, &fault);

    if (p == nullptr)
        return false;
    if (fault.how[0] != '\0')
        tell_fault(p, &fault);
    if (p->job != foreground && !job_runs(p->job))
        (void)shell_print("[%u] %s ended with status %u\n", p->job, p->name, p->status);
    return true;
}

void run_tell_ends(void)
{
    while (take_end(0, 0))
        ;
}

static uint32_t wait_for(uint32_t job, const struct program *last)
{
    while (job_runs(job)) {
        if (take_end(kozo_now() + look_every, job) || !shell_stopped())
            continue;
        (void)run_kill_job(job);
        return STATUS_KILLED;
    }
    return last->status;
}

/* ---- all of it ---- */

/* Whether each stage names what can be a program; what is wrong has been told then. */
static bool check(const struct parsed *line)
{
    for (uint32_t i = 0; i < line->stages; i++) {
        struct start s = start_of(&line->stage[i]);
        struct kozo_str name = s.count > 0 ? s.words[0] : (struct kozo_str){};

        if (s.count == 0)
            (void)shell_usage(kozo_str("run"), "", kozo_str("run"));
        else if (name.len > 0 && name.at[0] == '-')
            (void)shell_usage(name, "no such option; ", kozo_str("run"));
        else if (shell_has_command(name) && !program_exists(name))
            (void)shell_fail(name, "a command of the shell; `run`, a pipe, < > and & are for programs");
        else
            continue;
        return false;
    }
    return true;
}

/* The lowest number that no command line has whose programs run. */
static uint32_t new_job(void)
{
    uint32_t job = 1;

    while (job_runs(job))
        job++;
    return job;
}

uint32_t run_line(const struct parsed *line)
{
    struct program *of[PARSE_STAGES] = {};
    uint32_t job = new_job();

    if (!check(line))
        return 1;
    if (!make_programs(line, of) || !start_programs(line, of, job)) {
        give_up(line, of);
        return STATUS_NOT_STARTED;
    }
    if (!line->background)
        return wait_for(job, of[line->stages - 1]);
    return shell_print("[%u] %s\n", job, of[line->stages - 1]->name) ? 0 : 1;
}

uint32_t run_list_jobs(void)
{
    for (uint32_t i = 0; program_at(i) != nullptr; i++)
        if (program_at(i)->runs &&
            !shell_print("[%u] %s\n", program_at(i)->job, program_at(i)->name))
            return 1;
    return 0;
}
