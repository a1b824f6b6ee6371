/* SPDX-License-Identifier: MIT */
#include "init/commands.h"

#include <kozo/string.h>

struct command {
    const char *name;
    struct command_result (*run)(struct kozo_str args, uint32_t status);
};

static struct command_result fail(const char *error)
{
    return (struct command_result){ .status = 1, .error = error };
}

static struct command_result run_poweroff(struct kozo_str args, uint32_t status)
{
    struct kozo_str word = text_cut_word(&args);
    uint64_t number = status;

    if (word.len > 0 &&
        (!kozo_parse_u64(word.at, word.len, &number) || number > COMMAND_STATUS_MAX))
        return fail("usage: poweroff [STATUS], from 0 to 63");
    if (text_cut_word(&args).len > 0)
        return fail("usage: poweroff [STATUS]");
    return (struct command_result){ .status = (uint32_t)number, .power_off = true };
}

static const struct command commands[] = {
    { "poweroff", run_poweroff },
};

struct kozo_str commands_cut(struct kozo_str *list)
{
    struct kozo_str command = {};

    while (list->len > 0 && command.len == 0)
        command = text_trim(text_cut(list, ';'));
    return command;
}

struct command_result command_run(struct kozo_str command, uint32_t status)
{
    struct kozo_str name = text_cut_word(&command);

    for (unsigned i = 0; i < sizeof commands / sizeof commands[0]; i++)
        if (kozo_str_is(name, commands[i].name))
            return commands[i].run(command, status);
    return fail("no such command; there is: poweroff");
}
