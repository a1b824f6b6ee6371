/* SPDX-License-Identifier: MIT */
#include "shell/run.h"
#include "common/line.h"
#include "shell/help.h"
#include "shell/output.h"
#include "shell/program.h"
#include "shell/shell.h"

#include <kozo/console.h>
#include <kozo/error.h>
#include <kozo/print.h>
#include <kozo/string.h>
#include <kozo/time.h>

constexpr uint64_t room_patience = KOZO_S; /* for one of too many programs to end */

/* ---- what is asked for ---- */

/* A command line under way. */
struct run {
    const struct parsed *line;
    uint32_t first; /* stage that is a program: 1 when a command of the shell's comes before it */
    uint32_t job;
    struct program *of[PARSE_STAGES];
    struct kozo_file file; /* where such a command writes to, if that is a file */
};

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

/* Whether nothing but its words is asked for. */
static bool is_plain(const struct parsed *line)
{
    return line->stages == 1 && line->in.len == 0 && line->out.len == 0 && !line->background;
}

/*
 * Whether the shell carries out a stage itself. Where there is a program of the same name it is for that
 * to read and write.
 */
static bool is_own(const struct parsed *line, uint32_t i)
{
    const struct stage *s = &line->stage[i];

    return (i == 0 && shell_asks_help(s)) ||
           (shell_has_command(s->word[0]) && !kozo_str_is(s->word[0], "run") &&
            (is_plain(line) || !program_exists(s->word[0])));
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

/* Not a directory: that would be all that is below it. */
static bool give_file(struct program *p, const char *name, struct kozo_str path)
{
    struct kozo_file f = shell_open(path, KOZO_FILE_READ);

    if (f.err == KOZO_OK && f.type == KOZO_FILE_DIRECTORY) {
        (void)kozo_file_close(f.cap);
        f.err = KOZO_ERR_TYPE;
    }
    if (f.err == KOZO_OK)
        f.err = program_give_file(p, name, f.cap);
    if (f.err != KOZO_OK)
        (void)shell_fail_file(path, f.err);
    return f.err == KOZO_OK;
}

/* The file behind > or >>, after > empty from now on; what is wrong has been told then. */
static struct kozo_file open_output(const struct parsed *line)
{
    struct kozo_file f = shell_create(line->out, KOZO_FILE_WRITE);

    if (f.err == KOZO_OK && !line->append) {
        f.err = kozo_file_truncate(f.cap, 0);
        if (f.err != KOZO_OK)
            (void)kozo_file_close(f.cap);
    }
    if (f.err != KOZO_OK)
        (void)shell_fail_file(line->out, f.err);
    return f;
}

static bool give_output(struct program *p, const struct parsed *line)
{
    struct kozo_file f = open_output(line);

    if (f.err != KOZO_OK)
        return false;
    f.err = program_give_file(p, line->append ? "stdout.append" : "stdout.file", f.cap);
    return f.err == KOZO_OK || fail(line->out, f.err);
}

/* The page about a program in /bin; null when there is none. */
static const struct help_page *page_of(struct kozo_str name)
{
    const struct help_page *page;

    if (text_starts(name, kozo_str("/bin/")))
        name = (struct kozo_str){ name.at + 5, name.len - 5 };
    page = help_find(name);
    return page != nullptr && page->program ? page : nullptr;
}

/*
 * Whether an argument is meant as a file: it is named in full where the program's usage says FILE. Of a
 * program without a page nothing is known: quotes say that a word is none.
 */
static bool names_file(const struct start *s, uint32_t i)
{
    const struct help_page *page = page_of(s->words[0]);

    if (!text_starts(s->words[i], kozo_str("/")))
        return false;
    return page != nullptr ? page->files > 0 && i >= page->files : !s->quoted[i];
}

/* Arguments that are files are given as such, to be read. */
static bool give_arguments(struct program *p, const struct start *s)
{
    for (uint32_t i = 1; i < s->count; i++) {
        char name[16];

        if (!names_file(s, i))
            continue;
        kozo_snprintf(name, sizeof name, "arg%u.file", i);
        if (!give_file(p, name, s->words[i]))
            return false;
    }
    return true;
}

/* By a log without GRANT nobody gets the shell's own capabilities from init (kozo_reconnect). */
static bool give_own(struct program *p, const char *name, struct kozo_str program)
{
    uint64_t rights = strcmp(name, "log") == 0 ? KOZO_RIGHTS(KOZO_WRITE, 0xff) : KOZO_SAME_RIGHTS;
    enum kozo_err err;

    if (strcmp(name, "policy") != 0)
        return give(p, name, kozo_cap(name), rights);
    err = program_give_policy(p, program);
    if (err != KOZO_ERR_IN_USE)
        return err == KOZO_OK || fail(kozo_str(name), err);
    (void)shell_fail(kozo_str(name),
                     "another program asks already, one at a time; `jobs` lists it");
    return false;
}

static bool give_with(struct program *p, const struct start *s)
{
    struct kozo_str names = s->with;

    while (names.len > 0) {
        struct kozo_str word = text_trim(text_cut(&names, ','));
        char name[KOZO_START_NAME];

        kozo_str_copy(name, sizeof name, word);
        if (kozo_cap(name) == 0) {
            (void)shell_fail(word, "the shell has no such capability; `caps shell` lists them");
            return false;
        }
        (void)kozo_reconnect(name); /* what provides it may be in another life */
        if (!give_own(p, name, s->words[0]))
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

    if (i == 0 && line->in.len > 0 && !give_file(p, "stdin.file", line->in))
        return false;
    if (last && line->out.len > 0 && !give_output(p, line))
        return false;
    if (last && line->out.len == 0 && !give_console(p, "stdout.console"))
        return false;
    return give_console(p, "stderr.console") && give_arguments(p, &s) && give_with(p, &s);
}

/* ---- starting ---- */

static struct kozo_stream output; /* of a command of the shell's, while it is under way */
static const char too_many[] = "no room: 8 programs at a time; `jobs` lists them";
static_assert(PROGRAMS == 8);

static bool take_end(uint64_t deadline, uint32_t foreground);

/* A place for a program; where all are taken, that of the next one to end. Null: none does soon. */
static struct program *wait_for_room(void)
{
    uint64_t until = kozo_now() + room_patience;
    struct program *p;

    while ((p = program_new()) == nullptr && kozo_now() < until && !shell_stopped())
        (void)take_end(kozo_now() + output_look_every, 0);
    return p;
}

static bool take_programs(struct run *r)
{
    for (uint32_t i = r->first; i < r->line->stages; i++) {
        r->of[i] = wait_for_room();
        if (r->of[i] == nullptr) {
            (void)shell_fail(kozo_str("run"), too_many);
            return false;
        }
    }
    return true;
}

/* Where stage 0 is a command of the shell's: what it writes to, unless that is the console. */
static bool make_output(struct run *r)
{
    enum kozo_err err;

    if (r->line->stages > 1) {
        err = program_pipe_begin(&output, r->of[1]);
        return err == KOZO_OK || fail(kozo_str("pipe"), err);
    }
    if (r->line->out.len == 0)
        return true;
    r->file = open_output(r->line);
    kozo_stream_of_file(&output, r->file.cap, r->line->append ? KOZO_FILE_END : 0,
                        KOZO_STREAM_WRITES);
    return r->file.err == KOZO_OK;
}

static bool make_programs(struct run *r)
{
    if (!take_programs(r) || (r->first > 0 && !make_output(r)))
        return false;
    for (uint32_t i = r->first; i + 1 < r->line->stages; i++) {
        enum kozo_err err = program_pipe(r->of[i], r->of[i + 1]);

        if (err != KOZO_OK)
            return fail(kozo_str("pipe"), err);
    }
    for (uint32_t i = r->first; i < r->line->stages; i++)
        if (!give_all(r->line, i, r->of[i]))
            return false;
    return true;
}

static bool start_programs(struct run *r)
{
    for (uint32_t i = r->first; i < r->line->stages; i++) {
        struct start s = start_of(&r->line->stage[i]);
        const char *why;

        if (!program_start(r->of[i], s.words[0], s.words, s.count, r->job, &why)) {
            (void)shell_fail(s.words[0], why);
            return false;
        }
    }
    return true;
}

static void give_up(struct run *r)
{
    for (uint32_t i = r->first; i < r->line->stages && r->of[i] != nullptr; i++) {
        if (r->of[i]->runs)
            program_kill(r->of[i]);
        else
            program_forget(r->of[i]);
    }
    program_pipe_end();
}

/* ---- ends ---- */

/* Command lines by their numbers: those that run, and one more. */
static struct job {
    char line[PARSE_STAGES * (KOZO_START_NAME + 3)]; /* its programs, | between them */
    const struct program *last;
    uint32_t status; /* of the last */
} jobs[PROGRAMS + 2];

static void name_job(const struct run *r)
{
    struct job *j = &jobs[r->job];
    struct line l = line_begin(j->line, sizeof j->line);

    j->last = r->of[r->line->stages - 1];
    for (uint32_t i = r->first; i < r->line->stages; i++) {
        line_add(&l, i > r->first ? " | " : "");
        line_add(&l, r->of[i]->name);
    }
}

static bool job_runs(uint32_t job)
{
    for (uint32_t i = 0; program_at(i) != nullptr; i++)
        if (program_at(i)->runs && program_at(i)->job == job)
            return true;
    return false;
}

static void tell_end(uint32_t job, uint32_t status)
{
    shell_tell("[%u] %s ended with status %u\n", job, jobs[job].line, status);
}

/* Says nothing; false when there is none. */
static bool end_job(uint32_t number)
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

bool run_kill_job(uint32_t number)
{
    if (!end_job(number))
        return false;
    tell_end(number, STATUS_KILLED);
    return true;
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
    if (jobs[p->job].last == p)
        jobs[p->job].status = p->status;
    if (p->job != foreground && !job_runs(p->job))
        tell_end(p->job, jobs[p->job].status);
    return true;
}

void run_tell_ends(void)
{
    while (take_end(0, 0))
        ;
}

void run_wait_end(void) { (void)take_end(UINT64_MAX, 0); }

static uint32_t wait_for(uint32_t job, const struct program *last)
{
    while (job_runs(job)) {
        if (take_end(kozo_now() + output_look_every, job) || !shell_stopped())
            continue;
        (void)end_job(job);
        return STATUS_KILLED;
    }
    return last->status;
}

/* ---- commands of the shell's ---- */

static uint32_t foreground; /* the job of the line under way */

/* While such a command prints into a file or a pipe. */
static bool look_around(void)
{
    while (take_end(0, foreground))
        ;
    return !shell_stopped();
}

/* Whether what it printed got there; if not that has been told, but for Ctrl-C. */
static bool close_output(const struct run *r, bool whole)
{
    enum kozo_err err = output_end(whole);
    char text[128];

    if (err == KOZO_OK || output_was_stopped())
        return err == KOZO_OK;
    if (r->line->stages == 1)
        return fail(r->line->out, err);
    kozo_snprintf(text, sizeof text, "output: %s", kozo_err_text(err));
    (void)shell_fail(r->line->stage[0].word[0], text);
    return false;
}

/* With the output that was made for it. */
static uint32_t carry_out(struct run *r, uint32_t status)
{
    if (r->line->stages == 1 && r->line->out.len == 0)
        return shell_carry_out(&r->line->stage[0], status);
    foreground = r->job;
    output_begin(&output, look_around);
    status = shell_carry_out(&r->line->stage[0], status);
    if (output_was_stopped())
        (void)end_job(r->job); /* before its programs take this for the end */
    if (!close_output(r, status == 0) && status == 0)
        status = 1;
    program_pipe_end();
    if (r->line->stages == 1)
        (void)kozo_file_close(r->file.cap);
    return status;
}

/* ---- all of it ---- */

static uint32_t check_own(const struct parsed *line, uint32_t i)
{
    struct kozo_str name = line->stage[i].word[0];

    if (i > 0)
        return shell_fail(name, "a command of the shell reads no pipe: it can only begin one");
    if (line->in.len > 0)
        return shell_fail(name, "a command of the shell reads no input: `<` is for programs");
    if (line->background)
        return shell_fail(name, "a command of the shell is waited for: `&` is for programs");
    return 0;
}

/* What to say of a name that is none; of a habit from elsewhere what there is in its place. */
static const char *unknown_text(struct kozo_str name)
{
    static const struct {
        const char *name, *text;
    } habits[] = {
        { "cd", "no such command: there is no current directory, paths begin at `/`" },
        { "pwd", "no such command: there is no current directory, paths begin at `/`" },
        { "exit", "no such command; `poweroff` ends the machine" },
        { "quit", "no such command; `poweroff` ends the machine" },
        { "man", "no such command; `help NAME` explains one" },
    };

    for (unsigned i = 0; i < sizeof habits / sizeof habits[0]; i++)
        if (kozo_str_is(name, habits[i].name))
            return habits[i].text;
    return "no such command; `help` lists them";
}

/* What is wrong with a stage has been told then; its status, 0 = nothing. */
static uint32_t check_stage(const struct parsed *line, uint32_t i)
{
    struct start s = start_of(&line->stage[i]);
    bool says_run = kozo_str_is(line->stage[i].word[0], "run");

    if (is_own(line, i))
        return check_own(line, i);
    if (s.count == 0)
        return shell_usage(kozo_str("run"), s.with.len > 0 ? "no program after --with NAME; " : "",
                           kozo_str("run"));
    if (says_run && kozo_str_is(s.words[0], "--with"))
        return shell_usage(s.words[0], "no name after it; ", kozo_str("run"));
    if (says_run && s.words[0].len > 0 && s.words[0].at[0] == '-')
        return shell_usage(s.words[0], "no such option; ", kozo_str("run"));
    if (program_exists(s.words[0]))
        return 0;
    if (shell_has_command(s.words[0]))
        return shell_fail(s.words[0], "a command of the shell: without `run`");
    if (is_plain(line) && !says_run)
        return shell_fail(s.words[0], unknown_text(s.words[0]));
    (void)shell_fail(s.words[0], "no such program; `ls /bin` lists them");
    return STATUS_NOT_STARTED;
}

/* The lowest number that no command line has whose programs run. */
static uint32_t new_job(void)
{
    uint32_t job = 1;

    while (job_runs(job))
        job++;
    return job;
}

/* Once all is started: the status of the last program, or if that is 0 of the command before it. */
static uint32_t see_through(struct run *r, uint32_t status)
{
    uint32_t own = r->first > 0 ? carry_out(r, status) : 0;
    const struct program *last = r->of[r->line->stages - 1];

    if (last == nullptr)
        return own;
    if (r->line->background)
        return shell_print("[%u] %s\n", r->job, jobs[r->job].line) ? 0 : 1;
    status = wait_for(r->job, last);
    return status != 0 ? status : own;
}

uint32_t run_line(const struct parsed *line, uint32_t status)
{
    struct run r = { .line = line, .first = is_own(line, 0) ? 1 : 0, .job = new_job() };

    for (uint32_t i = 0; i < line->stages; i++) {
        uint32_t wrong = check_stage(line, i);

        if (wrong != 0)
            return wrong;
    }
    if (make_programs(&r) && start_programs(&r)) {
        name_job(&r);
        return see_through(&r, status);
    }
    give_up(&r);
    return line->stages > 1 || r.first == 0 ? STATUS_NOT_STARTED : 1;
}

uint32_t run_list_jobs(void)
{
    for (uint32_t i = 0; program_at(i) != nullptr; i++)
        if (program_at(i)->runs &&
            !shell_print("[%u] %s\n", program_at(i)->job, program_at(i)->name))
            return 1;
    return 0;
}
