/* SPDX-License-Identifier: MIT */
/*
 * json.h - objects of JSON, put together in a line.
 *
 * Owns:      nothing; the bytes are the caller's. What does not fit is cut, as line.h does.
 * Callers:   services/shell; no system calls.
 * Spec:      RFC 8259
 */
#pragma once

#include "common/line.h"

/* `{`, and later `}`: fields between them are parted by commas. */
struct json {
    struct line l;
    bool some;
};

struct json json_begin(char *at, uint64_t size);
/* Goes on within a list that was begun in another line; `some`: it has members already. */
struct json json_list_begin(char *at, uint64_t size, bool some);
/* What is there, with nothing closed: the first line of an object that goes on in another. */
static inline struct kozo_str json_part(const struct json *j) { return line_text(&j->l); }
void json_number(struct json *j, const char *name, uint64_t value);
/* Text that is no UTF-8, or has control characters, has `?` in their place. */
void json_text(struct json *j, const char *name, struct kozo_str value);
void json_bool(struct json *j, const char *name, bool value);
/* What is not known. */
void json_null(struct json *j, const char *name);
/* An object or list within, `name` null in a list: `{` or `[`, and later `}` or `]`. */
void json_open(struct json *j, const char *name, char bracket);
void json_close(struct json *j, char bracket);
/* The object's text, `tail` after it. */
struct kozo_str json_end(struct json *j, const char *tail);
