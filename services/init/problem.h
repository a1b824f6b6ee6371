/* SPDX-License-Identifier: MIT */
/*
 * problem.h - why a service could not be started, with the fields of its section and the amounts.
 *
 * Owns:      struct start_problem, its texts.
 * Not here:  starting (start.h), what follows (main.c, ends.c).
 * Callers:   start.c.
 */
#pragma once

#include "init/init.h"

/* err OK: it was started. */
struct [[nodiscard]] start_problem {
    enum kozo_err err;
    char step[48];
    char expected[160];
    char got[160];
};

/* What it `expected` was not to be had, for this reason. */
struct start_problem problem_of(const struct service *s, const char *expected, enum kozo_err err);
/* Its memory could not be carved; its threads could not be split off. */
struct start_problem problem_no_memory(const struct service *s, enum kozo_err err);
struct start_problem problem_no_threads(const struct service *s, enum kozo_err err);
/* kozo_spawn failed. */
struct start_problem problem_spawn(const struct service *s, struct kozo_bytes image,
                                   const struct kozo_spawn_report *r);
