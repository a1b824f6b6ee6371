/* SPDX-License-Identifier: MIT */
/*
 * script.h - operations from boot to the end of a world: run, read, written, made shorter.
 *
 * Owns:      processes to run in, so that a crash or a hang of the kernel is a failure like others.
 */
#pragma once

#include "op.h"

#define SCRIPT_OPS_MOST 65536u

struct script {
    struct op op[SCRIPT_OPS_MOST];
    uint32_t n;
};

/* Do all of it in this process; `loud`: tell how each ended. */
void script_run(const struct script *s, bool loud);
/* In a process of its own, silently. True when it failed. */
bool script_fails(const struct script *s);
/* Shortest of what still fails, and with simpler numbers. */
void script_shrink(struct script *s);
bool script_read(struct script *s, const char *file);
void script_write(const struct script *s, const char *file, const char *remark);
