/* SPDX-License-Identifier: MIT */
/*
 * object.h - names: of files below a directory, and of objects that a service provides.
 *
 * Owns:      what a sound name is. One name has one spelling, so that a rule for it cannot be
 *            walked around.
 * Not here:  what the names mean (fsd/lookup.h, policy/rules.h).
 * Callers:   services and their unit tests; no system calls.
 */
#pragma once

#include "common/text.h"

#define OBJECT_BYTES 255u
#define PATH_BYTES 255u
#define OBJECT_KILL "process:kill" /* the power to end and restart services */

/*
 * `path` is relative and in its only spelling: parts of at least one byte with a slash between
 * them, none of them `.` or `..`, no control characters. The empty path names the directory itself.
 */
bool path_is_sound(struct kozo_str path);

/*
 * What an object's name says: `fs:/etc/motd` is the file etc/motd of what provides fs, and
 * `process:kill/fsd` a power, over the service fsd. `process:kill` names none.
 */
struct object {
    struct kozo_str provider;
    struct kozo_str path;  /* without the slash it begins with; of a power: empty */
    struct kozo_str power;  /* of a path: empty */
    struct kozo_str target; /* of a power: a service's name; may be empty, as it is of a path */
};

/*
 * False when `name` is neither provider:/path with a sound path nor provider:power or
 * provider:power/target with a word and a name.
 */
bool object_parse(struct kozo_str name, struct object *object);
