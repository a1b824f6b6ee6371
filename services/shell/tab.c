/* SPDX-License-Identifier: MIT */
#include "shell/tab.h"
#include "shell/help.h"
#include "shell/services.h"

#include <kozo/start.h>
#include <kozo/string.h>

static struct matches matches;
static bool prints; /* the second time round: what matches is printed */

/* Whether a name stands for itself in a line, without quotes. */
static bool is_plain(struct kozo_str name)
{
    for (uint64_t i = 0; i < name.len; i++)
        if (name.at[i] <= ' ' || name.at[i] >= 0x7f || strchr("'\"|<>&;", name.at[i]) != nullptr)
            return false;
    return true;
}

static bool add_text(struct kozo_str name, char tail)
{
    char text[COMPLETE_NAME + 1];

    if (!is_plain(name))
        return false;
    if (!prints)
        return matches_add(&matches, name, tail);
    if (!text_starts(name, matches.typed))
        return false;
    text_printable(text, sizeof text, name);
    return shell_print("%s%c\n", text, tail);
}

static bool add(const char *name) { return add_text(kozo_str(name), ' '); }

static bool add_program(const char *name) { return !shell_has_command(kozo_str(name)) && add(name); }

static void add_services(void)
{
    static struct services services;

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
    matches.typed = (struct kozo_str){ word.at + n, word.len - n };
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

/* What comes first after a command that has commands of its own; false when it has none. */
static bool add_words(const struct place *p)
{
    static const struct {
        const char *command, *words;
    } table[] = {
        { "policy", "list audit drain explain revoke" },
        { "trace", "on off show" },
    };

    for (uint32_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        struct kozo_str words = kozo_str(table[i].words);

        if (!kozo_str_is(p->command, table[i].command))
            continue;
        while (p->first && words.len > 0)
            (void)add_text(text_cut_word(&words), ' ');
        return true;
    }
    return false;
}

static bool is_one_of(struct kozo_str name, const char *const *names)
{
    while (*names != nullptr && !kozo_str_is(name, *names))
        names++;
    return *names != nullptr;
}

static void add_all(const struct place *p, void (*commands)(bool (*add)(const char *name)))
{
    static const char *const of_services[] = { "kill", "restart", nullptr };
    static const char *const of_holders[] = { "caps", "why", nullptr };

    if (kozo_str_is(p->command, "--with"))
        add_own();
    else if (p->command.len == 0 && p->program)
        help_each(true, add);
    else if (p->command.len == 0) {
        commands(add);
        help_each(true, add_program);
    } else if (kozo_str_is(p->command, "help"))
        help_each(false, add);
    else if (is_one_of(p->command, of_services))
        add_services();
    else if (is_one_of(p->command, of_holders)) {
        add_services();
        add_running();
    } else if (!add_words(p))
        add_files(p->word);
}

struct kozo_str tab_complete(struct kozo_str line, uint64_t cursor,
                             void (*commands)(bool (*add)(const char *name)))
{
    struct place p = complete_place(line, cursor);
    struct kozo_str rest;

    matches = matches_begin(p.word);
    prints = false;
    add_all(&p, commands);
    rest = matches_rest(&matches);
    if (matches.count < 2 || rest.len > 0)
        return rest;
    prints = true;
    add_all(&p, commands);
    return rest;
}
