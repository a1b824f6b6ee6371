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

/*
 * `path` is relative and in its only spelling: parts of at least one byte with a slash between
 * them, none of them `.` or `..`, no control characters. The empty path names the directory itself.
 */
bool path_is_sound(struct kozo_str path);

/*
 * What an object's name says: `fs:/etc/motd` is the file etc/motd of what provides fs, and
 * `process:kill` a power.
 */
struct object {
    struct kozo_str provider;
    struct kozo_str path;  /* without the slash it begins with; of a power: empty */
    struct kozo_str power; /* of a path: empty */
};

/* False when `name` is neither provider:/path with a sound path nor provider:power with a word. */
bool object_parse(struct kozo_str name, struct object *object);
