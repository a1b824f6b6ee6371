/* SPDX-License-Identifier: MIT */
/*
 * help.h - what `help` tells of commands and programs: the pages in docs/commands, built in.
 *
 * Owns:      the pages, made by scripts/mkhelp.py.
 * Callers:   services/shell.
 */
#pragma once

#include "common/text.h"

struct help_page {
    const char *name, *usage, *summary;
    const char *text; /* the page without name and usage */
    bool program;     /* `run` starts it; it may be a command, too */
    uint32_t files;   /* the first of its arguments that its usage calls FILE: all from there on; 0 = none */
};

/* The page about `name`; null when there is none. */
const struct help_page *help_find(struct kozo_str name);
/* The names of all programs, in one line. */
bool help_programs(bool (*print)(const char *format, ...));
/* Calls add(name) for each page, or each about a program. */
void help_each(bool programs, bool (*add)(const char *name));
