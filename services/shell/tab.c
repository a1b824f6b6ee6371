/* SPDX-License-Identifier: MIT */
#include "common/object.h"
#include "shell/help.h"
#include "shell/services.h"
#include "shell/tab.h"

#include <kozo/start.h>
#include <kozo/string.h>

static struct matches matches;
static bool prints; /* the second time round: what matches is printed */

static bool add_text(struct kozo_str name, char tail)
{
    char text[COMPLETE_NAME + 1];

    if (!prints)
        return matches_add(&matches, name, tail);
    if (!matches_can_add(&matches, name))
        return false;
    text_printable(text, sizeof text, name);
    return shell_print("%s%c\n", text, tail);
}

static bool add(const char *name) { return add_text(kozo_str(name), ' '); }

static bool add_program(const char *name)
{
    return !shell_has_command(kozo_str(name)) && add(name);
}

static void add_each(struct kozo_str words)
{
    while (words.len > 0)
        (void)add_text(text_cut_word(&words), ' ');
}

static struct services services;

static void add_services(void)
{
    if (services_look(&services) != KOZO_OK)
        return;
    for (uint32_t i = 0; i < services.count; i++)
        (void)add(services.row[i].name);
}

static void add_running(void)
{
    for (uint32_t i = 0; program_at(i) != nullptr; i++)
        if (program_at(i)->runs)
            (void)add(program_at(i)->name);
}

/* What is typed of the name to be found begins `n` bytes further on. */
static struct kozo_str skip(struct kozo_str word, uint64_t n)
{
    matches.typed = (struct kozo_str){ word.at + n, word.len - n };
    return matches.typed;
}

/* Of names in a directory: `word` is what is typed of the last part. */
static void add_entries(struct kozo_endpoint dir)
{
    static struct kozo_dirent d;

    for (uint64_t at = 0; kozo_file_list(dir, at, &d) == KOZO_OK; at = d.next) {
        (void)add_text(kozo_str(d.name), d.type == KOZO_FILE_DIRECTORY ? '/' : ' ');
        if (d.next == 0 || (uint32_t)d.next == UINT32_MAX)
            break;
    }
}

static void add_files(struct kozo_str word)
{
    uint64_t n = word.len;
    struct kozo_file f;

    while (n > 0 && word.at[n - 1] != '/')
        n--;
    f = shell_open((struct kozo_str){ word.at, n }, KOZO_FILE_LIST);
    if (f.err != KOZO_OK)
        return;
    (void)skip(word, n);
    add_entries(f.cap);
    (void)kozo_file_close(f.cap);
}

/* What the shell could give a program by --with. */
static void add_own(void)
{
    const struct kozo_start *s = kozo_start();

    for (uint32_t i = 0; i < s->ncaps; i++)
        (void)add(s->cap[i].name);
}

/* ---- what somebody holds ---- */

static void add_held_by_service(uint64_t index)
{
    struct system_cap_rep c;
    struct kozo_msg m;

    kozo_msg_init(&m);
    for (uint64_t from = 1; system_call_cap(kozo_cap_endpoint("system"), &m,
                                            &(struct system_cap_req){ index, from }, &c) == KOZO_OK;
         from = c.slot + 1)
        if (c.name.len > 0)
            (void)add_text(c.name, ' ');
}

static void add_held_by_programs(struct kozo_str holder)
{
    const struct program *p;
    uint64_t job = 0;

    (void)kozo_parse_u64(holder.at, holder.len, &job);
    for (uint32_t i = 0; (p = program_at(i)) != nullptr; i++)
        for (uint64_t slot = 1; p->runs && slot < 1u << PROGRAM_SLOT_BITS; slot++)
            if ((p->job == job || kozo_str_is(holder, p->name)) &&
                program_cap_name(p, slot)[0] != '\0')
                (void)add(program_cap_name(p, slot));
}

/* By the name it was given under, or by its clear name, once that is begun. */
static void add_objects(struct kozo_str holder, struct kozo_str word)
{
    static const char fs[] = "fs:", kill[] = OBJECT_KILL "/";

    if (text_starts(word, kozo_str(fs)))
        add_files(skip(word, sizeof fs - 1));
    else if (text_starts(word, kozo_str(kill))) {
        (void)skip(word, sizeof kill - 1);
        add_services();
    } else if (services_look(&services) == KOZO_OK &&
               services_find(&services, holder) < services.count)
        add_held_by_service(services_find(&services, holder));
    else
        add_held_by_programs(holder);
}

/* ---- by command ---- */

static void add_holders(const struct place *p)
{
    struct kozo_str given = p->given, first = text_cut_word(&given);

    if (text_starts(first, kozo_str("--")))
        first = text_cut_word(&given);
    if (first.len == 0) {
        add_services();
        add_running();
    } else if (kozo_str_is(p->command, "why"))
        add_objects(first, p->word);
}

static bool is_one_of(struct kozo_str name, const char *const *names)
{
    while (*names != nullptr && !kozo_str_is(name, *names))
        names++;
    return *names != nullptr;
}

static const char kinds[] =
#define KOZO_TRACE(nr, NAME, name, text) #name " "
#include <kozo/trace.def>
#undef KOZO_TRACE
    ;

/* Words that are no paths; false when the command takes paths. */
static bool add_words(const struct place *p)
{
    static const char *const of_none[] = { "ps",   "top",    "mem",      "df",     "log",
                                           "jobs", "uptime", "poweroff", "reboot", nullptr };
    bool first = p->given.len == 0;

    if (kozo_str_is(p->command, "policy"))
        add_each(kozo_str(first ? "list audit drain explain revoke" : ""));
    else if (kozo_str_is(p->command, "trace"))
        add_each(kozo_str(first                                   ? "on off show"
                          : text_starts(p->given, kozo_str("on")) ? kinds
                                                                  : ""));
    else
        return is_one_of(p->command, of_none);
    return true;
}

/* False where an option can be no more than a word. */
static bool add_options(const struct place *p)
{
    const char *options = p->run && p->command.len == 0 ? "--with" : shell_options(p->command);

    if (options == nullptr || p->quote != 0 || p->word.len == 0 || p->word.at[0] != '-')
        return false;
    add_each(kozo_str(options));
    return true;
}

static void add_all(const struct place *p, void (*commands)(bool (*add)(const char *name)))
{
    static const char *const of_services[] = { "kill", "restart", nullptr };
    static const char *const of_holders[] = { "caps", "why", nullptr };

    if (kozo_str_is(p->command, "--with"))
        add_own();
    else if (add_options(p))
        return;
    else if (p->command.len == 0 && p->program)
        help_each(true, add);
    else if (p->command.len == 0) {
        commands(add);
        help_each(true, add_program);
    } else if (kozo_str_is(p->command, "help"))
        help_each(false, add);
    else if (is_one_of(p->command, of_services))
        add_services();
    else if (is_one_of(p->command, of_holders))
        add_holders(p);
    else if (!add_words(p))
        add_files(p->word);
}

struct kozo_str tab_complete(struct kozo_str line, uint64_t cursor,
                             void (*commands)(bool (*add)(const char *name)))
{
    static struct place p;
    struct kozo_str rest;

    complete_place(&p, line, cursor);
    matches = matches_begin(p.word, p.quote);
    prints = false;
    add_all(&p, commands);
    rest = matches_rest(&matches);
    if (matches.count < 2 || rest.len > 0)
        return rest;
    prints = true;
    add_all(&p, commands);
    return rest;
}
