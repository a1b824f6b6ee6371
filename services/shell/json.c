/* SPDX-License-Identifier: MIT */
#include "shell/json.h"

struct json json_begin(char *at, uint64_t size)
{
    struct json j = { .l = line_begin(at, size) };

    line_add(&j.l, "{");
    return j;
}

struct json json_list_begin(char *at, uint64_t size, bool some)
{
    return (struct json){ .l = line_begin(at, size), .some = some };
}

static void add_name(struct json *j, const char *name)
{
    line_add(&j->l, j->some ? ", \"" : "\"");
    line_add(&j->l, name);
    line_add(&j->l, "\": ");
    j->some = true;
}

void json_number(struct json *j, const char *name, uint64_t value)
{
    add_name(j, name);
    line_add_number(&j->l, value);
}

void json_bool(struct json *j, const char *name, bool value)
{
    add_name(j, name);
    line_add(&j->l, value ? "true" : "false");
}

void json_null(struct json *j, const char *name)
{
    add_name(j, name);
    line_add(&j->l, "null");
}

void json_text(struct json *j, const char *name, struct kozo_str value)
{
    add_name(j, name);
    line_add(&j->l, "\"");
    while (value.len > 0) {
        uint64_t n = text_char(value);
        struct kozo_str part = { value.at, n };

        if (n == 0 || value.at[0] == '\t')
            part = kozo_str("?");
        else if (value.at[0] == '"' || value.at[0] == '\\')
            line_add(&j->l, "\\");
        line_add_str(&j->l, part);
        n += n == 0;
        value = (struct kozo_str){ value.at + n, value.len - n };
    }
    line_add(&j->l, "\"");
}

void json_open(struct json *j, const char *name, char bracket)
{
    const char text[2] = { bracket };

    if (name != nullptr)
        add_name(j, name);
    else if (j->some)
        line_add(&j->l, ", ");
    line_add(&j->l, text);
    j->some = false;
}

void json_close(struct json *j, char bracket)
{
    const char text[2] = { bracket };

    line_add(&j->l, text);
    j->some = true;
}

struct kozo_str json_end(struct json *j, const char *tail)
{
    line_add(&j->l, "}");
    line_add(&j->l, tail);
    return line_text(&j->l);
}
