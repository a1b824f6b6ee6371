/* SPDX-License-Identifier: MIT */
/*
 * fields.h - the fields that sections of the manifest can have, and how each value is read.
 *
 * Owns:      the tables of fields.
 * Not here:  sections and lines, and what must hold between sections (manifest.c).
 * Callers:   manifest.c.
 */
#pragma once

#include "common/manifest.h"

/* What a value is read into: the section's service or rule, or with neither the manifest itself. */
struct field_target {
    struct manifest *manifest;
    struct manifest_service *service;
    struct manifest_rule *rule;
};

/* Reads `value`; returns what was expected, or null when all is well. */
typedef const char *field_reader(struct field_target *t, struct kozo_str value);
struct field {
    const char *name; /* null ends a table */
    field_reader *read;
    bool required;
};
extern const struct field fields_of_service[], fields_of_rule[], fields_of_init[];

/* What a section or a capability can be called. */
bool field_is_name(struct kozo_str s);
